"""From item scores to the index for many runs at once: values only, without derivatives.

`aggregation` gives every mean its gradient, once. Here the same means are taken thousands of times
under other weights, as products of matrices. Axes: r runs (1 where all runs share it), c channels,
o organizations, d dimensions, i items.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex.method import IndexMethod

Rows: TypeAlias = slice | NDArray[np.integer[Any]]


@attrs.frozen(kw_only=True, eq=False)
class RunWeights:
    """Importance weights of many runs; they need not sum to 1.

    Attributes:
        channels: (r, c).
        dimensions: (r, c, d).
        items: (r, c, i).
    """

    channels: FloatArray
    dimensions: FloatArray
    items: FloatArray

    def at(self, rows: Rows) -> RunWeights:
        """Return the weights of some runs."""
        names = ("channels", "dimensions", "items")
        parts = {name: getattr(self, name) for name in names}
        return RunWeights(
            **{name: part if len(part) == 1 else part[rows] for name, part in parts.items()}
        )


def weighted_means(
    values: FloatArray,
    weights: FloatArray,
    *,
    power: float = 1.0,
    min_share: float = 0.0,
    counted: FloatArray | None = None,
) -> FloatArray:
    """Return the values of `power_mean` of scores (..., o, k) under weights (..., k): (..., o).

    Args:
        values: The scores; NaN means missing. Below 0 they count 0 where the power is not 1.
        weights: The weights.
        power: The power of the mean.
        min_share: The least share of the weight that must be present.
        counted: 1.0 where a score should be present, else 0.0, (o, k); None means everywhere.
    """
    columns = weights[..., None]
    present = ~np.isnan(values)
    whole = present.all()
    total = weights.sum(axis=-1)[..., None] if counted is None else (counted @ columns)[..., 0]
    held = total if whole and counted is None else (present @ columns)[..., 0]
    enough = (held > 0) & (held >= (min_share - 1e-12) * total)
    filled = values if whole else np.where(present, values, 0.0)
    divisor = np.where(enough, held, 1.0)
    if power == 1:
        mean = (filled @ columns)[..., 0] / divisor
    else:
        mean = _power_means(filled, present, columns, divisor=divisor, power=power)
    return mean if enough.all() else np.where(enough, mean, np.nan)


def _power_means(
    filled: FloatArray,
    present: NDArray[np.bool_],
    columns: FloatArray,
    *,
    divisor: FloatArray,
    power: float,
) -> FloatArray:
    """Return means of another power than 1, scores relative to their largest (or smallest)."""
    positive = filled > 0
    extreme = np.where(positive, filled, 0.0 if power > 0 else np.inf)
    unit = extreme.max(axis=-1) if power > 0 else extreme.min(axis=-1)
    unit = np.where(np.isfinite(unit) & (unit > 0), unit, 1.0)
    logarithm = np.log(np.where(positive, filled / unit[..., None], 1.0))
    geometric, near = abs(power) < 1e-12, abs(power) < 0.5
    zero = present & ~positive
    # Near 0 a power and the mean of powers are told by what they are more or less than 1.
    if geometric:
        powered = logarithm
    elif near:
        powered = np.where(zero, -1.0, np.expm1(power * logarithm))
    else:
        powered = np.where(positive, np.exp(power * logarithm), 0.0)
    total = (powered @ columns)[..., 0] / divisor
    with np.errstate(divide="ignore"):  # where only zeros count
        if not geometric:
            total = (np.log1p(np.maximum(total, -1.0)) if near else np.log(total)) / power
    mean: FloatArray = unit * np.exp(total)
    if (power <= 0 or geometric) and zero.any():
        mean = np.where((zero @ columns)[..., 0] > 0, 0.0, mean)
    return mean


@attrs.frozen(kw_only=True, eq=False)
class Ladder:
    """What climbs from scores to the index.

    Attributes:
        operated: Whether the organization operates the channel, (o, c).
        items_of: The positions of every dimension's items; None where scores are cells.
    """

    operated: NDArray[np.bool_]
    items_of: tuple[IntArray, ...] | None

    def channels(self, scores: FloatArray, weights: RunWeights, method: IndexMethod) -> FloatArray:
        """Return the channel scores (r, c, o) of items (r, c, o, i), or of cells (r, c, o, d)."""
        cells, least = scores, method.min_share
        if self.items_of is not None:
            means = [
                weighted_means(
                    scores[..., of],
                    weights.items[..., of],
                    power=method.power.items,
                    min_share=least,
                )
                for of in self.items_of
            ]
            cells = np.stack(means, axis=-1)
        return weighted_means(
            cells, weights.dimensions, power=method.power.dimensions, min_share=least
        )

    def index(self, channels: FloatArray, weights: RunWeights, method: IndexMethod) -> FloatArray:
        """Return the index (r, o) of channel scores (r, c, o)."""
        scores = np.swapaxes(channels, -1, -2)
        zero = method.absent_channels == "zero"
        return weighted_means(
            np.where(self.operated, scores, 0.0 if zero else np.nan),
            weights.channels,
            power=method.power.channels,
            min_share=method.min_share,
            counted=None if zero else self.operated.astype(np.float64),
        )
