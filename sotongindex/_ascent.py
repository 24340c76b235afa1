"""The ascent: from the means of items to the scores of every level, as the method says."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._levels import Level
from sotongindex.aggregation import Hierarchy, aggregate_cells, aggregate_items
from sotongindex.method import IndexMethod
from sotongindex.models import Framework
from sotongindex.weighting import ImportanceWeights


@attrs.frozen(kw_only=True, eq=False)
class Ascent:
    """What the way up needs besides the means.

    Attributes:
        framework: What was measured.
        weights: How parts count.
        method: How scores are averaged.
        operated: Channels that organizations operate, (o, c).
        enough: Whether an item has the answers that the method asks for, (o, c, i).
    """

    framework: Framework
    weights: ImportanceWeights
    method: IndexMethod
    operated: NDArray[np.bool_]
    enough: NDArray[np.bool_]

    def scores(self, columns: FloatArray) -> tuple[FloatArray, Hierarchy]:
        """Return item scores (o, c, i), and everything above them, from means (o, c, p)."""
        powers, count = self.method.power, len(self.framework.items)
        items = columns[..., :count]
        cells, cell_by_item = aggregate_items(
            np.where(self.enough, items, np.nan),
            self.weights,
            item_dimensions=np.array(self.framework.item_dimensions),
            power=powers.items,
            min_share=self.method.min_share,
        )
        first = self.method.order == "respondents first"
        hierarchy = aggregate_cells(
            columns[..., count:-1] if first else cells,
            self.weights,
            operated=self.operated,
            powers=(powers.dimensions, powers.channels),
            min_share=self.method.min_share,
            absent_is_zero=self.method.absent_channels == "zero",
            channels=columns[..., -1] if first else None,
            cell_by_item=cell_by_item,
        )
        return items, hierarchy

    def repeated(self, columns: FloatArray) -> dict[Level, FloatArray]:
        """Return the scores of every level in every replicate, (b, k), from means (b, o, c, p)."""
        count, size = columns.shape[:2]
        stacked = attrs.evolve(
            self,
            operated=np.tile(self.operated, (count, 1)),
            enough=np.tile(self.enough, (count, 1, 1)),
        )
        items, tree = stacked.scores(columns.reshape(count * size, *columns.shape[2:]))
        levels: dict[Level, FloatArray] = {
            "items": items,
            "cells": tree.cells,
            "channels": tree.channels,
            "dimensions": tree.dimensions,
            "index": tree.index,
        }
        return {level: scores.reshape(count, -1) for level, scores in levels.items()}
