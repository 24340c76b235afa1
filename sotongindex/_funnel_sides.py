"""The limits that a funnel is drawn with: found, or given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray
from sotongindex._claims import check_share
from sotongindex._disclosure import Subject
from sotongindex._funnel import Funnel, funnel_limits
from sotongindex._marks import Sides
from sotongindex._plotting import Rows, ends
from sotongindex.errors import MethodError

Limits: TypeAlias = Funnel | Mapping[float, tuple[ArrayLike, ArrayLike]]


def funnel_sides(
    limits: Limits | None, subject: Subject, rows: Rows, *, organizations: int
) -> tuple[float, Sides]:
    """Return the middle of the funnel, and for every level the limits of the rows.

    Raises:
        MethodError: If limits do not fit.
    """
    scores, places = subject.estimates, rows.places
    if limits is None:
        found = funnel_limits(
            scores.values[places],
            scores.standard_error[places],
            rule="consistent",
            degrees_of_freedom=scores.degrees_of_freedom[places],
        )
        return found.target, _by_level(found)
    given = _by_level(limits) if isinstance(limits, Funnel) else limits
    if not given:
        raise MethodError("expected limits of one level or more, got none", argument="limits")
    sides = {}
    for level, pair in given.items():
        check_share(level, "limits")
        full = [np.full(organizations, end) if np.ndim(end) == 0 else end for end in pair]
        low, high = ends(full, organizations, argument="limits")
        sides[level] = (low[places], high[places])
    if isinstance(limits, Funnel):
        return limits.target, sides
    middles = np.array([(low + high) / 2 for low, high in sides.values()])
    known = middles[~np.isnan(middles)]
    return float(known.mean() if len(known) else np.nan), sides


def _by_level(limits: Funnel) -> dict[float, tuple[FloatArray, FloatArray]]:
    pairs = zip(limits.lower, limits.upper, strict=True)
    return dict(zip(limits.levels, pairs, strict=True))
