"""The scores that rules learn weights from, level by level from the bottom up."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._arrays import FloatArray
from sotongindex._importance import ImportanceWeights, LearnedWeights, WeightLevel
from sotongindex._learning import LearningRule, no_scores
from sotongindex._outcome_weights import OutcomeWeights
from sotongindex.aggregation import aggregate_items, power_mean
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import Framework


@attrs.frozen(kw_only=True, eq=False)
class Evidence:
    """Scores of organizations to learn weights from.

    Attributes:
        framework: What was measured.
        items: Scores of items, (o, c, i), or None.
        cells: Scores of dimensions, (o, c, d), or None.
        evaluations: How many evaluations they rest on, (o, c), or None.
        powers: The powers of the means over items and over dimensions.
        min_share: The least share of weight that must be present in a mean.
        outcome: Scores of the outcome, (o, c), where other scores are weighed by it.
    """

    framework: Framework
    items: FloatArray | None
    cells: FloatArray | None
    evaluations: FloatArray | None
    powers: tuple[float, float]
    min_share: float
    outcome: FloatArray | None = None

    @classmethod
    def of(
        cls,
        framework: Framework,
        *,
        items: ArrayLike | None,
        cells: ArrayLike | None,
        evaluations: ArrayLike | None,
        powers: tuple[float, float],
        min_share: float,
    ) -> Evidence:
        """Take scores that fit the framework, or say what does not fit."""
        c, d, i = len(framework.channels), len(framework.dimensions), len(framework.items)
        return cls(
            framework=framework,
            items=_fitting(items, (c, i), name="items"),
            cells=_fitting(cells, (c, d), name="cells"),
            evaluations=_fitting(evaluations, (c,), name="evaluations"),
            powers=powers,
            min_share=min_share,
        )

    def learn(
        self,
        rule: LearningRule,
        level: WeightLevel,
        *,
        channel: str | None,
        below: ImportanceWeights,
    ) -> tuple[LearnedWeights, ...]:
        """Return the weights that a rule learns, given those of the levels below."""
        framework = self.framework
        if isinstance(rule, OutcomeWeights) and self.outcome is None:
            judged = self._judged(rule, self._cells(rule, below))
            return judged.learn(rule, level, channel=channel, below=below)
        if level == "items":
            of = np.array(framework.item_dimensions)
            scores = _over_channels(self._items(rule))
            return tuple(
                self._learned(rule, level, scores, at=np.flatnonzero(of == d), dimension=key)
                for d, key in enumerate(framework.dimension_keys)
            )
        cells = self._cells(rule, below)
        if level == "channels":
            over_dimensions = power_mean(
                cells, below.dimensions, power=self.powers[1], min_share=self.min_share
            )
            every = np.arange(len(framework.channels))
            return (self._learned(rule, level, over_dimensions.value, at=every),)
        if channel is None:
            every = np.arange(len(framework.dimensions))
            return (self._learned(rule, level, _over_channels(cells), at=every),)
        position = framework.channel_keys.index(channel)
        asked = np.flatnonzero(below.dimensions[position])
        return (self._learned(rule, level, cells[:, position], at=asked, channel=channel),)

    def _learned(
        self,
        rule: LearningRule,
        level: WeightLevel,
        scores: FloatArray,
        *,
        at: NDArray[np.intp],
        channel: str | None = None,
        dimension: str | None = None,
    ) -> LearnedWeights:
        keys = {
            "items": self.framework.item_keys,
            "dimensions": self.framework.dimension_keys,
            "channels": self.framework.channel_keys,
        }[level]
        given = {"counts": self._counts(rule, channel)}
        if self.outcome is not None:
            given["outcome"] = self._outcome(self.outcome, channel)
        return LearnedWeights(
            level=level,
            channel=channel,
            dimension=dimension,
            keys=tuple(keys[part] for part in at),
            diagnostics=rule.learn(scores[:, at], **given),
        )

    def _judged(self, rule: OutcomeWeights, cells: FloatArray) -> Evidence:
        """Return the evidence with the outcome set apart, which is no score of what it judges."""
        dimension = rule.dimension(self.framework)
        of = np.array(self.framework.item_dimensions)
        without = np.arange(cells.shape[2]) != dimension
        return attrs.evolve(
            self,
            items=None if self.items is None else np.where(of != dimension, self.items, np.nan),
            cells=None if self.cells is None else np.where(without, cells, np.nan),
            outcome=cells[..., dimension],
        )

    def _outcome(self, outcome: FloatArray, channel: str | None) -> FloatArray:
        """Return the outcome on a channel, or its mean over channels, (o,)."""
        if channel is None:
            return _over_channels(outcome[..., None])[:, 0]
        return outcome[:, self.framework.channel_keys.index(channel)]

    def _counts(self, rule: LearningRule, channel: str | None) -> FloatArray | None:
        """Return how much every organization counts, (o,); None where all count once."""
        if rule.counting == "organizations":
            return None
        if self.evaluations is None:
            raise DefinitionError(
                f"{type(rule).__name__} counts respondents, and it is not known how many there "
                'are; give `evaluations`, or use counting="organizations"',
                field="WeightingScheme",
            )
        if channel is None:
            total: FloatArray = self.evaluations.sum(axis=1)
            return total
        return self.evaluations[:, self.framework.channel_keys.index(channel)]

    def _items(self, rule: LearningRule) -> FloatArray:
        if self.items is None:
            raise no_scores(rule, "items")
        return self.items

    def _cells(self, rule: LearningRule, below: ImportanceWeights) -> FloatArray:
        if self.cells is not None:
            return self.cells
        if self.items is None:
            raise no_scores(rule, "items or cells")
        cells, _ = aggregate_items(
            self.items,
            below,
            item_dimensions=np.array(self.framework.item_dimensions),
            power=self.powers[0],
            min_share=self.min_share,
        )
        return cells


def _fitting(array: ArrayLike | None, shape: tuple[int, ...], *, name: str) -> FloatArray | None:
    """Return the array, (o, *shape), as floats; None where there is none."""
    if array is None:
        return None
    values: FloatArray = np.asarray(array, dtype=np.float64)
    if values.shape[1:] != shape or values.ndim == 0:
        raise MethodError(
            f"expected shape (organizations, {', '.join(map(str, shape))}), got {values.shape}",
            argument=name,
        )
    return values


def _over_channels(scores: FloatArray) -> FloatArray:
    """Return every organization's mean over the channels that have a score, (o, parts)."""
    present = ~np.isnan(scores)
    number = present.sum(axis=1)
    means: FloatArray = np.divide(
        np.where(present, scores, 0.0).sum(axis=1),
        number,
        out=np.full(number.shape, np.nan),
        where=number > 0,
    )
    return means
