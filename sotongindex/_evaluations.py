"""Evaluations as columns of points, block by block: what every sum over respondents starts from.

Averaging items first needs one column an item. Averaging respondents first adds the respondent's
own dimension scores and channel score as further columns; whatever sums columns serves both.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, is_missing
from sotongindex._importance import ImportanceWeights
from sotongindex.aggregation import power_mean
from sotongindex.responses import Responses
from sotongindex.scoring import Scorer


@attrs.frozen(kw_only=True, eq=False)
class RespondentMeans:
    """How one respondent's answers become dimension scores and a channel score.

    Attributes:
        weights: The importance weights.
        powers: The powers of the means over items and over dimensions.
        min_share: The least share of weight that a respondent must have answered.
    """

    weights: ImportanceWeights
    powers: tuple[float, float]
    min_share: float

    def append(
        self,
        points: FloatArray,
        answered: FloatArray,
        *,
        channel: NDArray[np.integer[Any]],
        item_dimensions: NDArray[np.integer[Any]],
    ) -> tuple[FloatArray, FloatArray]:
        """Append dimension scores and the channel score of every evaluation to its items."""
        scores = np.where(answered > 0, points, np.nan)
        over_items, over_dimensions = self.powers
        dimensions = np.empty((len(points), self.weights.dimensions.shape[1]))
        for dimension in range(dimensions.shape[1]):
            columns = np.flatnonzero(item_dimensions == dimension)
            dimensions[:, dimension] = power_mean(
                scores[:, columns],
                self.weights.items[np.ix_(channel, columns)],
                power=over_items,
                min_share=self.min_share,
            ).value
        whole = power_mean(
            dimensions,
            self.weights.dimensions[channel],
            power=over_dimensions,
            min_share=self.min_share,
        ).value
        columns_found = np.column_stack([scores, dimensions, whole])
        found = ~np.isnan(columns_found)
        return np.where(found, columns_found, 0.0), found.astype(np.float64)


@attrs.frozen(kw_only=True, eq=False)
class Evaluations:
    """The evaluations of some responses as columns of points.

    Attributes:
        responses: The answers.
        scorer: How answers become points.
        item_dimensions: The position of every item's dimension, (i,).
        respondent_means: Set where respondents are averaged first.
    """

    responses: Responses
    scorer: Scorer
    item_dimensions: NDArray[np.integer[Any]]
    respondent_means: RespondentMeans | None

    @classmethod
    def of(
        cls, responses: Responses, respondent_means: RespondentMeans | None = None
    ) -> Evaluations:
        """Prepare the conversion of `responses`."""
        framework = responses.study.framework
        return cls(
            responses=responses,
            scorer=Scorer.of(framework.items, responses.answers.dtype),
            item_dimensions=np.array(framework.item_dimensions),
            respondent_means=respondent_means,
        )

    @property
    def columns(self) -> int:
        """The number of columns: items, and with respondents first dimensions and channel too."""
        framework = self.responses.study.framework
        further = len(framework.dimensions) + 1 if self.respondent_means else 0
        return len(framework.items) + further

    def units(self, rows: NDArray[np.integer[Any]] | slice = slice(None)) -> IntArray:
        """Return organization and channel of evaluations as one number, (rows,)."""
        responses = self.responses
        organization: IntArray = responses.organization[rows].astype(np.int64)
        return organization * len(responses.study.framework.channels) + responses.channel[rows]

    def block(self, rows: NDArray[np.integer[Any]]) -> tuple[FloatArray, FloatArray]:
        """Return points (rows, columns), 0 where missing, and 1.0 or 0.0 for found or not."""
        points, answered = self.scorer(self.responses.answers.take(rows, axis=0))
        if self.respondent_means is None:
            return points, answered
        return self.respondent_means.append(
            points,
            answered,
            channel=self.responses.channel[rows],
            item_dimensions=self.item_dimensions,
        )

    def answered(self, rows: NDArray[np.integer[Any]]) -> FloatArray:
        """Return 1.0 or 0.0 for found or not, as `block` does, (rows, columns)."""
        if self.respondent_means is not None:
            return self.block(rows)[1]
        return (~is_missing(self.responses.answers.take(rows, axis=0))).astype(np.float64)
