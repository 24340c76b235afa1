"""Straight lines through past waves: a description, never a forecast. And the dates of waves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray, read_only
from sotongindex._chain import WaveChain, link_waves
from sotongindex._columns import rows_from_columns
from sotongindex._html import View
from sotongindex._render import Rendered, rows_view
from sotongindex._score_columns import with_error
from sotongindex._text import Language
from sotongindex._waves import wave_date
from sotongindex.errors import MethodError
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

YEAR = 365.25


@attrs.frozen(kw_only=True, eq=False)
class StraightLine(Rendered):
    """Straight lines through the waves: a description of the past. Arrays are (o,).

    Attributes:
        chain: The waves.
        organizations: The keys of the organizations.
        slope: Points a year, with their sampling errors.
        value: Where the lines are at `day`; no forecast.
        day: The day.
        waves: How many waves each line goes through.
    """

    chain: WaveChain
    organizations: tuple[str, ...]
    slope: Estimates
    value: Estimates
    day: date
    waves: IntArray = attrs.field(converter=read_only)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None with fewer than two waves."""
        return rows_from_columns(
            {
                "organization": self.organizations,
                "waves": self.waves,
                **with_error("slope", self.slope),
                **with_error("value", self.value),
            }
        )

    def _view(self, language: Language) -> View:
        """Return the slopes, the steepest rise first."""
        rows = sorted(self.to_rows(), key=lambda row: -float(str(row["slope"] or 0.0)))
        return rows_view(
            "straight_line",
            rows,
            study=self.chain.waves[-1].study,
            language=language,
            level=self.slope.level,
        )

    def __str__(self) -> str:
        known = int((~np.isnan(self.slope.values)).sum())
        return (
            f"straight lines through {len(self.chain.waves)} waves of {known} organizations: a "
            "description, no forecast"
        )


def straight_line(
    waves: Sequence[IndexResult] | WaveChain,
    *,
    day: date | None = None,
    dates: Sequence[date] | None = None,
    channel: str | None = None,
    dimension: str | None = None,
) -> StraightLine:
    r"""Describe past waves by a straight line of least squares; it is no forecast.

    With days :math:`t_i` and scores :math:`x_i`: slope
    :math:`\sum (t_i - \bar t) x_i / \sum (t_i - \bar t)^2`. The errors are those of sampling alone.
    On real series of yearly waves lines that were continued missed by more than the last score did,
    the more the farther ahead.

    Args:
        waves: Results in the order of time, or a chain of them.
        day: Where to read the line; default the last wave.
        dates: The dates of the waves; default their names.
        channel: The channel; None means all together. A chain has its own.
        dimension: The dimension; None means all together. A chain has its own.

    Returns:
        One line for every organization with two waves or more.

    Raises:
        MethodError: If waves have no dates; and as for `link_waves`.

    References:
        Gauss (1821), Theoria combinationis observationum, for least squares.

    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.index import compute_index
    >>> panel = sample_panel(respondents=1200)
    >>> waves = [compute_index(panel.before), compute_index(panel.responses)]
    >>> days = [date(2011, 5, 1), date(2011, 11, 1)]
    >>> straight_line(waves, dates=days).slope.shape
    (312,)
    """
    chain = (
        waves
        if isinstance(waves, WaveChain)
        else link_waves(waves, channel=channel, dimension=dimension)
    )
    days = wave_dates(chain, dates)
    times = np.array([(one - days[-1]).days / YEAR for one in days])[:, None]
    scores = chain.linked
    there = ~np.isnan(scores.values)
    waves_of = there.sum(axis=0)
    centre = np.where(there, times, 0.0).sum(axis=0) / np.maximum(waves_of, 1)
    away = np.where(there, times - centre, 0.0)
    spread = (away**2).sum(axis=0)
    enough = spread > 0
    slope = away / np.where(enough, spread, 1.0)
    at = ((day or days[-1]) - days[-1]).days / YEAR - centre
    value = there / np.maximum(waves_of, 1) + slope * at
    return StraightLine(
        chain=chain,
        organizations=chain.organizations,
        slope=_weighted(scores, slope, enough),
        value=_weighted(scores, value, enough),
        day=day or days[-1],
        waves=waves_of,
    )


def wave_dates(chain: WaveChain, dates: Sequence[date] | None) -> list[date]:
    """Return the dates of the waves, ascending.

    Raises:
        MethodError: If they are not known, are not as many as the waves, or do not ascend.
    """
    days = [wave_date(wave) for wave in chain.waves] if dates is None else [*dates]
    known = [day for day in days if day is not None]
    if len(known) < len(chain.waves) or len(days) != len(chain.waves):
        raise MethodError(
            f"expected {len(chain.waves)} dates, one a wave, got {len(known)}; name waves by date, "
            "such as Study(wave='2011-07'), or give dates=",
            argument="dates",
        )
    if any(early >= late for early, late in pairwise(known)):
        raise MethodError("expected dates that ascend with the waves", argument="dates")
    return known


def _weighted(scores: Estimates, weights: FloatArray, enough: NDArray[np.bool_]) -> Estimates:
    """Return a weighted sum over the waves for every organization, (o,)."""
    count, size = weights.shape
    rows = np.tile(np.arange(size), count)
    filled = np.nan_to_num(scores.values)
    jacobian = sparse.csr_array(
        (weights.ravel(), (rows, np.arange(weights.size))), shape=(size, weights.size)
    )
    values = np.where(enough, (weights * filled).sum(axis=0), np.nan)
    return scores.transform(jacobian, values=values, lower=-np.inf, upper=np.inf)
