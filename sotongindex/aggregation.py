"""From item scores to the index: weighted power means with a rule for what is missing.

Every mean returns its gradient with its value, so that errors and contributions travel the same
way as the scores do.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._arrays import FloatArray
from sotongindex._importance import ImportanceWeights
from sotongindex.errors import MethodError

__all__ = ["Hierarchy", "PowerMean", "aggregate_cells", "aggregate_items", "power_mean"]


@attrs.frozen(kw_only=True, eq=False)
class PowerMean:
    """Weighted power means along the last axis.

    Attributes:
        value: The means, (...); NaN where too little is present.
        gradient: The derivative of every mean by every score, (..., k); 0 for missing scores, NaN
            where the mean has no derivative (a score of 0 under a power below 1).
        share: The share of the weight that is present, (...).
    """

    value: FloatArray
    gradient: FloatArray
    share: FloatArray


def power_mean(
    scores: ArrayLike, weights: ArrayLike, *, power: float = 1.0, min_share: float = 0.0
) -> PowerMean:
    r"""Average scores along the last axis by a weighted power mean.

    .. math:: M_p = \Bigl(\sum_k w_k s_k^p\Bigr)^{1/p}, \qquad M_0 = \prod_k s_k^{w_k}

    with the weights of the present scores scaled to sum to 1. Power 1 is the arithmetic mean, 0
    the geometric, -1 the harmonic; a lower power punishes weak scores more.

    Args:
        scores: Scores (..., k), 0 or above unless the power is 1; NaN means missing.
        weights: Non-negative weights that broadcast to the scores.
        power: The power, a finite number.
        min_share: The least share of the weight that must be present, 0 to 1; below it, and where
            no weight is present at all, the mean is missing.

    Returns:
        The means with gradients and present shares.

    Raises:
        MethodError: If the power is not finite, or scores are negative under a power other than 1.

    References:
        Hardy, Littlewood and Pólya (1952), Inequalities, chapter 2.

    >>> power_mean([40.0, 90.0], [0.5, 0.5], power=0).value.round(6).item()
    60.0
    >>> power_mean([40.0, float("nan")], [0.4, 0.6], min_share=0.5).value.item()
    nan
    """
    if not np.isfinite(power):
        raise MethodError(f"expected a finite number, got {power}", argument="power")
    values, weight = np.broadcast_arrays(
        np.asarray(scores, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    )
    if power != 1 and (values < 0).any():
        raise MethodError(
            f"a power of {power:g} needs scores of 0 or more, got {np.nanmin(values):g}; "
            "use power 1 for scores that can be negative",
            argument="power",
        )
    present = ~np.isnan(values) & (weight > 0)
    held = np.where(present, weight, 0.0)
    total, sum_present = weight.sum(axis=-1), held.sum(axis=-1)
    share = np.divide(sum_present, total, out=np.zeros_like(total), where=total > 0)
    # A share of 0.3 + 0.2 must pass a minimum of 0.5.
    enough = (share > 0) & (share >= min_share - 1e-12)
    divisor = np.where(sum_present > 0, sum_present, 1.0)[..., None]
    held = held / divisor
    filled = np.where(present, values, 0.0)
    value, gradient = _power_mean(filled, held, power)
    return PowerMean(
        value=np.where(enough, value, np.nan),
        gradient=np.where(enough[..., None], gradient, 0.0),
        share=share,
    )


def _power_mean(
    scores: FloatArray, weights: FloatArray, power: float
) -> tuple[FloatArray, FloatArray]:
    """Return power means and gradients of scores whose weights sum to 1, 0 meaning absent."""
    if power == 1:
        return (scores * weights).sum(axis=-1), weights
    counted = weights > 0
    # Scores relative to their largest (or smallest, for a negative power) cannot overflow.
    extreme = np.where(counted, scores, -np.inf if power > 0 else np.inf)
    unit = extreme.max(axis=-1) if power > 0 else extreme.min(axis=-1)
    usable = np.isfinite(unit) & (unit > 0)
    unit = np.where(usable, unit, 1.0)
    relative = np.where(counted & (scores > 0), scores / unit[..., None], 1.0)
    zero = counted & (scores == 0)
    logarithm = np.log(relative)
    if abs(power) < 1e-12:  # the geometric mean, to more digits than a smaller power leaves
        mean = np.exp((weights * logarithm).sum(axis=-1))
    else:
        # expm1 and log1p keep the digits of a power near 0.
        growth = np.where(zero & (power > 0), -1.0, np.expm1(power * logarithm))
        total = np.where(usable, (weights * growth).sum(axis=-1), 0.0)
        mean = np.exp(np.log1p(total) / power)
    gradient = weights * (relative / mean[..., None]) ** (power - 1)
    if power < 1e-12:
        usable = usable & ~zero.any(axis=-1)
    value = np.where(usable, mean * unit, 0.0)
    # With every score 0 the mean is 0 and homogeneous, and has no derivative unless the power is 1.
    flat = counted & ~usable[..., None]
    steep = zero & (power < 1)
    gradient = np.where(flat | steep, np.nan, np.where(zero, 0.0, gradient))
    return value, gradient


@attrs.frozen(kw_only=True, eq=False)
class Hierarchy:
    """Scores at every level above the items, with the derivative of each level by the one below.

    Axes: o organizations, c channels, d dimensions, i items. Missing scores are NaN.

    Attributes:
        cells: Score of every organization, channel and dimension, (o, c, d).
        channels: Score of every organization and channel, (o, c).
        dimensions: Score of every organization and dimension, (o, d).
        index: Score of every organization, (o,).
        cell_by_item: Derivative of the item's cell by the item, (o, c, i).
        channel_by_cell: Derivative of the channel by the cell, (o, c, d).
        dimension_by_cell: Derivative of the dimension by the cell, (o, c, d).
        index_by_channel: Derivative of the index by the channel, (o, c).
        channel_share: Share of the dimension weight present in every channel, (o, c).
        index_share: Share of the channel weight present in every index, (o,).
    """

    cells: FloatArray
    channels: FloatArray
    dimensions: FloatArray
    index: FloatArray
    cell_by_item: FloatArray
    channel_by_cell: FloatArray
    dimension_by_cell: FloatArray
    index_by_channel: FloatArray
    channel_share: FloatArray
    index_share: FloatArray

    @property
    def index_by_cell(self) -> FloatArray:
        """Derivative of the index by every cell through its channel, (o, c, d)."""
        return self.index_by_channel[..., None] * self.channel_by_cell


def aggregate_items(
    items: FloatArray,
    weights: ImportanceWeights,
    *,
    item_dimensions: NDArray[np.integer[Any]],
    power: float = 1.0,
    min_share: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Average item scores (o, c, i) into cells.

    Args:
        items: Item scores; NaN means missing.
        weights: The importance weights.
        item_dimensions: The position of every item's dimension, (i,).
        power: The power of the mean.
        min_share: The least share of a cell's item weight that must be present.

    Returns:
        The cells (o, c, d) and the derivative of every item's cell by the item (o, c, i).
    """
    count = weights.dimensions.shape[1]
    cells = np.empty((*items.shape[:-1], count))
    gradient = np.empty(items.shape)
    for dimension in range(count):
        columns = np.flatnonzero(item_dimensions == dimension)
        mean = power_mean(
            items[..., columns], weights.items[:, columns], power=power, min_share=min_share
        )
        cells[..., dimension] = mean.value
        gradient[..., columns] = mean.gradient
    return cells, gradient


def aggregate_cells(
    cells: FloatArray,
    weights: ImportanceWeights,
    *,
    operated: NDArray[np.bool_],
    powers: tuple[float, float] = (1.0, 1.0),
    min_share: float = 0.0,
    absent_is_zero: bool = False,
    channels: FloatArray | None = None,
    cell_by_item: FloatArray | None = None,
) -> Hierarchy:
    """Average cells (o, c, d) into channels, dimensions and the index.

    Args:
        cells: Cell scores; NaN means missing.
        weights: The importance weights.
        operated: Whether the organization operates the channel, (o, c).
        powers: The powers of the means over dimensions and over channels.
        min_share: The least share of weight that must be present.
        absent_is_zero: Whether a channel that is not operated counts 0 instead of being left out.
        channels: Channel scores (o, c) found otherwise (respondents first); None means from cells.
        cell_by_item: The derivative to record; None means that cells are where scores begin.

    Returns:
        The scores of every level with their derivatives.
    """
    over_dimensions, over_channels = powers
    from_cells = power_mean(cells, weights.dimensions, power=over_dimensions, min_share=min_share)
    channel_scores = from_cells.value if channels is None else channels
    counted = np.ones_like(operated) if absent_is_zero else operated
    in_channel = weights.dimensions > 0
    by_dimension = power_mean(
        np.moveaxis(
            _absent_as_zero(cells, ~operated[..., None] & in_channel & absent_is_zero), 1, 2
        ),
        (weights.channels * counted)[:, None, :] * in_channel.T,
        power=over_channels,
        min_share=min_share,
    )
    by_channel = power_mean(
        _absent_as_zero(channel_scores, ~operated & absent_is_zero),
        weights.channels * counted,
        power=over_channels,
        min_share=min_share,
    )
    return Hierarchy(
        cells=cells,
        channels=channel_scores,
        dimensions=by_dimension.value,
        index=by_channel.value,
        cell_by_item=np.empty((*cells.shape[:2], 0)) if cell_by_item is None else cell_by_item,
        channel_by_cell=from_cells.gradient,
        dimension_by_cell=np.where(
            operated[..., None], np.moveaxis(by_dimension.gradient, 2, 1), 0.0
        ),
        index_by_channel=np.where(operated, by_channel.gradient, 0.0),
        channel_share=from_cells.share,
        index_share=by_channel.share,
    )


def _absent_as_zero(scores: FloatArray, absent: NDArray[np.bool_]) -> FloatArray:
    return np.where(absent, 0.0, scores)
