"""Limits on how much a part may count, where every unit chooses its own weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray
from sotongindex._simplex import Flags
from sotongindex._validators import is_one_of, number_of
from sotongindex.errors import DefinitionError

Share: TypeAlias = float | tuple[float, ...]

_ROUNDING = 1e-12


def _share(value: float | Iterable[float]) -> Share:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return number_of(value)
    return tuple(map(number_of, value))


def _pairs(value: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple((int(more), int(less)) for more, less in value)


@attrs.frozen(kw_only=True)
class ShareLimits:
    r"""Limits on how much a part may count in benefit of the doubt.

    The share of part :math:`i` in a unit's score is :math:`w_i y_i / \sum w y`, its contribution
    (the "pie share"), or :math:`w_i / \sum w`, its weight, which depends on the units of the parts.

    Attributes:
        low: The least share of every part, 0 to 1: one number, or one for each part.
        high: The largest share of every part.
        order: Pairs of positions of parts; the share of the first is at least that of the second.
        of: "contribution" or "weight".

    Raises:
        DefinitionError: If a share is not a number from 0 to 1.

    References:
        Cherchye, Moesen, Rogge and Van Puyenbroeck (2007), doi:10.1007/s11205-006-9029-7. Wong and
        Beasley (1990), doi:10.1057/jors.1990.120.

    >>> ShareLimits(low=0.05, high=0.3).of
    'contribution'
    """

    low: Share = attrs.field(default=0.0, converter=_share)
    high: Share = attrs.field(default=1.0, converter=_share)
    order: tuple[tuple[int, int], ...] = attrs.field(default=(), converter=_pairs)
    of: Literal["contribution", "weight"] = attrs.field(
        default="contribution", validator=is_one_of("contribution", "weight")
    )

    def __attrs_post_init__(self) -> None:
        for name in ("low", "high"):
            shares = np.atleast_1d(getattr(self, name))
            if not ((shares >= 0) & (shares <= 1)).all():
                raise DefinitionError(
                    f"expected shares from 0 to 1, got {getattr(self, name)}",
                    field=f"ShareLimits.{name}",
                )

    def check(self, parts: int) -> None:
        """Make sure that the limits fit so many parts.

        Args:
            parts: The number of parts.

        Raises:
            DefinitionError: If the limits are of another number of parts, or no shares keep them.
        """
        for name in ("low", "high"):
            given = getattr(self, name)
            if isinstance(given, tuple) and len(given) != parts:
                raise DefinitionError(
                    f"expected one share, or one for each of {parts} parts, got {len(given)}",
                    field=f"ShareLimits.{name}",
                )
        for pair in self.order:
            if not all(0 <= part < parts for part in pair) or pair[0] == pair[1]:
                raise DefinitionError(
                    f"expected two different positions from 0 to {parts - 1}, got {pair}",
                    field="ShareLimits.order",
                )
        if not self.leave_room(np.ones((1, parts), dtype=bool)).all():
            raise DefinitionError(
                f"no shares of {parts} parts add up to 1 and keep low={self.low}, "
                f"high={self.high} and order={self.order}; widen them",
                field="ShareLimits",
            )

    def leave_room(self, present: Flags) -> Flags:
        """Tell whether the parts that units have can add up to 1 within the limits.

        Args:
            present: Which parts every unit has, (u, k). Nothing is asked of a part that is missing.

        Returns:
            Whether there is room, (u,).
        """
        low, high = np.where(present, self.low, 0.0), np.where(present, self.high, 0.0)
        for more, less in self.order * len(self.order):
            both = present[:, more] & present[:, less]
            low[both, more] = np.maximum(low[both, more], low[both, less])
            high[both, less] = np.minimum(high[both, less], high[both, more])
        # Limits drawn as tight as this keep the order themselves, and so does all between them.
        fits = (low <= high + _ROUNDING).all(axis=1)
        sums = (low.sum(axis=1) <= 1 + _ROUNDING) & (high.sum(axis=1) >= 1 - _ROUNDING)
        return np.asarray(fits & sums)

    def rows(self, present: Flags) -> FloatArray:
        """Return the limits as rows C (u, m, k), for C p <= 0 whatever the sum of the parts p."""
        units, parts = present.shape
        low, high = np.full(parts, self.low), np.full(parts, self.high)
        own = np.eye(parts)
        least = np.flatnonzero(low > 0)
        most = np.flatnonzero(high < 1)
        order = np.array(self.order, dtype=np.int64).reshape(-1, 2)
        rows = np.concatenate(
            [
                low[least, None] - own[least],
                own[most] - high[most, None],
                own[order[:, 1]] - own[order[:, 0]],
            ]
        )
        asked = np.concatenate(
            [
                present[:, least],
                np.ones((units, len(most)), dtype=bool),
                present[:, order[:, 0]] & present[:, order[:, 1]],
            ],
            axis=1,
        )
        limits: FloatArray = rows * asked[:, :, None]
        return limits
