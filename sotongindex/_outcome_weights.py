"""Weights from how much every part explains of an outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex._learning import Learned, LearningRule, checked_scores, column_spans, correlations
from sotongindex._relative_importance import (
    johnson,
    shapley_values,
    slopes,
    with_outcome,
)
from sotongindex._validators import are_known, is_key, is_one_of
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import Framework

OutcomeMethod: TypeAlias = Literal["johnson", "shapley", "regression"]


@attrs.frozen(kw_only=True, eq=False)
class OutcomeDiagnostics(Learned):
    """Outcome weights and what they were made of. Arrays are (k,); all 0 where nothing was found.

    Attributes:
        importance: Shares of the outcome's variance, or standardized slopes by regression; also
            of parts that go against the outcome.
        correlations: The correlation of every part with the outcome.
        complete: How many units have the outcome and every part that differs between units.
    """

    importance: FloatArray = attrs.field(converter=float_array)
    correlations: FloatArray = attrs.field(converter=float_array)
    complete: int


@attrs.frozen
class OutcomeWeights(LearningRule):
    r"""Weights by what goes together with an outcome: satisfaction, recommending, buying again.

    The scores of the parts explain the score of one item over organizations, and what they explain
    is shared out by Johnson's relative weights, by Shapley's value, or by standardized slopes.
    Weights are shares of these importances :math:`a_j`; a part that goes against the outcome
    weighs 0, because an index rises with all its parts: with :math:`r_j` its correlation with the
    outcome, or its slope by regression,

    .. math:: w_j \propto a_j \text{ where } r_j > 0, \text{ else } 0 .

    The outcome has a dimension of its own, which weighs 0 in what it judges. Units that lack the
    outcome or a part are left out. Weights are equal where there are no more complete units than
    parts and 1, where the outcome does not differ, where all parts go against it, and by
    regression where parts determine each other.

    Weights so learned say what goes together with the outcome between organizations, not what would
    raise it; with few organizations they are mostly chance.

    Attributes:
        outcome: The key of an item.
        method: "johnson", "shapley" (up to 20 parts), or "regression".
        counting: "organizations" counts every organization once, "respondents" by its evaluations.

    References:
        Johnson (2000), doi:10.1207/S15327906MBR3501_1. Grömping (2007),
        doi:10.1198/000313007X188252.

    >>> scores = [[1, 5], [2, 3], [3, 6], [4, 1], [5, 4]]
    >>> OutcomeWeights("happy").learn(scores, outcome=[1, 2, 4, 4, 6]).weights.round(2).tolist()
    [1.0, 0.0]
    """

    outcome: str = attrs.field(validator=is_key)
    method: OutcomeMethod = attrs.field(
        default="johnson", validator=is_one_of("johnson", "shapley", "regression"), kw_only=True
    )

    def learn(
        self,
        scores: ArrayLike,
        *,
        counts: ArrayLike | None = None,
        outcome: ArrayLike | None = None,
    ) -> OutcomeDiagnostics:
        """Return the weights of the columns of `scores`, and what they were made of.

        Args:
            scores: Scores, (u, k); NaN means missing.
            counts: How much every unit counts, (u,); default all once.
            outcome: The score of the outcome of every unit, (u,); NaN means missing.

        Raises:
            MethodError: If scores are infinite, or counts or the outcome do not fit.
        """
        parts = np.asarray(scores, dtype=np.float64)
        column = np.asarray([] if outcome is None else outcome, dtype=np.float64)
        if column.shape != parts.shape[:1]:
            raise MethodError(
                f"expected the outcome of every unit, of shape {parts.shape[:1]}, got "
                f"{column.shape}",
                argument="outcome",
            )
        values, number = checked_scores(np.column_stack([parts, column]), counts)
        present = ~np.isnan(values)
        scored = np.asarray(present[:, :-1].any(axis=0))
        complete = present[:, np.append(scored, True)].all(axis=1)
        importance, alone, reason = self._explained(values[complete], number[complete])
        amounts = np.where(self._direction(importance, alone) > 0, importance, 0.0)
        if reason is not None:  # equal, but for what has no score at all, such as the outcome
            amounts = np.where(scored | ~scored.any(), 1.0, 0.0)
        return OutcomeDiagnostics(
            weights=amounts / amounts.sum(),
            units=present[:, :-1].sum(axis=0),
            fallback=reason if len(scored) > 1 else None,
            importance=importance,
            correlations=alone,
            complete=int(complete.sum()),
        )

    def _explained(
        self, table: FloatArray, number: FloatArray
    ) -> tuple[FloatArray, FloatArray, str | None]:
        """Return importance (k,), correlations (k,), and why there are no weights, if so."""
        importance, alone = np.zeros((2, table.shape[1] - 1))
        differs = column_spans(table) > 0
        at = np.flatnonzero(differs[:-1])
        if len(table) <= len(at) + 1:
            return importance, alone, "too few units have the outcome and every part"
        if not differs[-1] or len(at) == 0:
            return importance, alone, "the outcome or every part is the same for all units"
        matrix = correlations(table[:, differs], number)
        alone[at] = with_outcome(matrix).values
        importance[at] = _IMPORTANCE[self.method](matrix)
        if np.isnan(importance).any():
            return np.nan_to_num(importance), alone, "parts determine each other"
        if self._direction(importance, alone).max() <= 0:
            return importance, alone, "every part goes against the outcome"
        return importance, alone, None

    def _direction(self, importance: FloatArray, alone: FloatArray) -> FloatArray:
        """Return numbers that are positive for parts that go with the outcome, (k,)."""
        return importance if self.method == "regression" else alone

    def dimension(self, framework: Framework) -> int:
        """Return the position of the outcome's dimension.

        Raises:
            DefinitionError: If there is no such item, or its dimension has others too.
        """
        field = "OutcomeWeights.outcome"
        are_known([self.outcome], framework.item_keys, field=field, what="item")
        dimension = framework.item_dimensions[framework.item_keys.index(self.outcome)]
        if framework.item_dimensions.count(dimension) > 1:
            raise DefinitionError(
                f"{self.outcome!r} shares dimension {framework.dimension_keys[dimension]!r} with "
                "other items; an outcome needs a dimension of its own, which then weighs 0",
                field=field,
                key=self.outcome,
            )
        return dimension


_IMPORTANCE: dict[OutcomeMethod, Callable[[FloatArray], FloatArray]] = {
    "johnson": lambda matrix: johnson(matrix).values,
    "shapley": shapley_values,
    "regression": lambda matrix: slopes(matrix).values,
}
