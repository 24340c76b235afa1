"""From item scores to the index: weighted power means with a rule for what is missing.

Every mean returns its gradient with its value, so that errors and contributions travel the same
way as the scores do. Beside the means: a penalty for imbalance, and orders by pairwise majority.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._importance import ImportanceWeights
from sotongindex._kemeny import KemenyOrders, kemeny
from sotongindex._majority import copeland, pairwise_support
from sotongindex._mazziotta_pareto import MazziottaPareto, Penalty, mazziotta_pareto
from sotongindex._power_mean import PowerMean, power_mean

__all__ = [
    "Hierarchy",
    "KemenyOrders",
    "MazziottaPareto",
    "Penalty",
    "PowerMean",
    "aggregate_cells",
    "aggregate_items",
    "copeland",
    "kemeny",
    "mazziotta_pareto",
    "pairwise_support",
    "power_mean",
]


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
