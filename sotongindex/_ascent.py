"""The ascent: from the means of items to the scores of every level, as the method says."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._levels import LEVELS, Level
from sotongindex.aggregation import Hierarchy, aggregate_cells, aggregate_items
from sotongindex.method import IndexMethod
from sotongindex.models import Framework
from sotongindex.results import operated_channels
from sotongindex.tally import Tally
from sotongindex.weighting import ImportanceWeights, WeightingScheme


@attrs.frozen(kw_only=True, eq=False)
class Ascent:
    """What the way up needs besides the means.

    Attributes:
        framework: What was measured.
        scheme: How parts count.
        method: How scores are averaged.
        operated: Channels that organizations operate, (o, c).
        enough: Whether an item has the answers that the method asks for, (o, c, i).
        evaluations: Sum of the weights of the evaluations, (o, c).
    """

    framework: Framework
    scheme: WeightingScheme
    method: IndexMethod
    operated: NDArray[np.bool_]
    enough: NDArray[np.bool_]
    evaluations: FloatArray

    @classmethod
    def of(cls, tally: Tally, scheme: WeightingScheme, method: IndexMethod) -> Ascent:
        """Take from a tally what does not change with the means."""
        count = len(tally.study.framework.items)
        return cls(
            framework=tally.study.framework,
            scheme=scheme,
            method=method,
            operated=operated_channels(tally.study, tally.dense(tally.evaluations) > 0),
            enough=tally.dense(tally.answers)[..., :count] >= method.min_answers,
            evaluations=tally.dense(tally.weight),
        )

    @property
    def relearns(self) -> bool:
        """Whether replicates learn their own weights; means of respondents rest on given ones."""
        return self.scheme.learns and self.method.order == "items first"

    def weights(self, columns: FloatArray) -> ImportanceWeights:
        """Return what parts count, learned from means (o, c, p) where the scheme learns."""
        counted = self.enough & self.operated[..., None]
        return self.scheme.resolve(
            self.framework,
            items=np.where(counted, columns[..., : counted.shape[-1]], np.nan),
            evaluations=self.evaluations,
            powers=(self.method.power.items, self.method.power.dimensions),
            min_share=self.method.min_share,
        )

    def scores(
        self, columns: FloatArray, weights: ImportanceWeights
    ) -> tuple[FloatArray, Hierarchy]:
        """Return item scores (o, c, i), and everything above them, from means (o, c, p)."""
        powers, count = self.method.power, len(self.framework.items)
        items = columns[..., :count]
        cells, cell_by_item = aggregate_items(
            np.where(self.enough, items, np.nan),
            weights,
            item_dimensions=np.array(self.framework.item_dimensions),
            power=powers.items,
            min_share=self.method.min_share,
        )
        first = self.method.order == "respondents first"
        hierarchy = aggregate_cells(
            columns[..., count:-1] if first else cells,
            weights,
            operated=self.operated,
            powers=(powers.dimensions, powers.channels),
            min_share=self.method.min_share,
            absent_is_zero=self.method.absent_channels == "zero",
            channels=columns[..., -1] if first else None,
            cell_by_item=cell_by_item,
        )
        return items, hierarchy

    def repeated(self, columns: FloatArray, weights: ImportanceWeights) -> dict[Level, FloatArray]:
        """Return the scores of every level in every replicate, (b, k), from means (b, o, c, p)."""
        if self.relearns:
            each = [self.levels(means, self.weights(means)) for means in columns]
            return {level: np.stack([one[level].ravel() for one in each]) for level in LEVELS}
        count, size = columns.shape[:2]
        stacked = attrs.evolve(
            self,
            operated=np.tile(self.operated, (count, 1)),
            enough=np.tile(self.enough, (count, 1, 1)),
        )
        at_once = stacked.levels(columns.reshape(count * size, *columns.shape[2:]), weights)
        return {level: scores.reshape(count, -1) for level, scores in at_once.items()}

    def levels(self, columns: FloatArray, weights: ImportanceWeights) -> dict[Level, FloatArray]:
        """Return the scores of every level from means (o, c, p)."""
        items, tree = self.scores(columns, weights)
        return {
            "items": items,
            "cells": tree.cells,
            "channels": tree.channels,
            "dimensions": tree.dimensions,
            "index": tree.index,
        }
