"""Weights from how much the scores of a part differ between organizations."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex._learning import (
    Learned,
    LearningRule,
    PartMoments,
    checked_scores,
    column_means,
    column_spans,
    shares_of,
)
from sotongindex._validators import is_one_of
from sotongindex.errors import MethodError

Measure: TypeAlias = Literal["standard deviation", "coefficient of variation"]
Scaling: TypeAlias = Literal["range", "points"]

_NO_SPREAD = "no part differs between units"


@attrs.frozen(kw_only=True, eq=False)
class EntropyDiagnostics(Learned):
    """Entropy weights and what they were made of.

    Attributes:
        divergence: How far the scores of every part are from being equal, (k,): Theil's index,
            which is the number of units times the redundancy of the entropy.
    """

    divergence: FloatArray = attrs.field(converter=float_array)


@attrs.frozen(kw_only=True)
class EntropyWeights(LearningRule):
    r"""Weights by the entropy of scores: they reward parts in which few organizations hold much.

    With scores :math:`x_{uj} \ge 0` of unit :math:`u`, counts :math:`c_u`, and the mean
    :math:`\mu_j` over the units that have a score,

    .. math:: w_j \propto T_j = \sum_u \frac{c_u}{\sum_v c_v} \frac{x_{uj}}{\mu_j}
        \ln \frac{x_{uj}}{\mu_j}

    which for equal counts is :math:`\ln m - H_j`, the classical ``1 - entropy`` times
    :math:`\ln m`; so the weights are the classical ones, and columns with missing scores stay
    comparable. Multiplying a column changes nothing; adding a number to it does, so these weights
    depend on where a scale has its zero.

    Attributes:
        counting: "organizations" counts every organization once, "respondents" by its evaluations.

    References:
        Shannon (1948), doi:10.1002/j.1538-7305.1948.tb01338.x; Theil (1967), Economics and
        Information Theory, chapter 4.

    >>> EntropyWeights().learn([[50, 20], [50, 40], [50, 60]]).weights.tolist()
    [0.0, 1.0]
    """

    def learn(self, scores: ArrayLike, *, counts: ArrayLike | None = None) -> EntropyDiagnostics:
        """Return the weights of the columns of `scores`, and what they were made of.

        Args:
            scores: Scores of 0 or more, (u, k); NaN means missing.
            counts: How much every unit counts, (u,); default all once.

        Raises:
            MethodError: If scores are negative or infinite, or counts do not fit.
        """
        values, number = checked_scores(scores, counts)
        if (values < 0).any():
            raise MethodError(
                f"entropy needs scores of 0 or more, got {np.nanmin(values):g}; use "
                "DeviationWeights for scores that can be negative",
                argument="scores",
            )
        divergence = np.where(column_spans(values) > 0, _theil(values, number), 0.0)
        units = (~np.isnan(values)).sum(axis=0)
        return EntropyDiagnostics(
            **shares_of(divergence, units, reason=_NO_SPREAD), divergence=divergence
        )


def _theil(scores: FloatArray, counts: FloatArray) -> FloatArray:
    """Return Theil's index of every column over the units that have a score, (k,)."""
    means = column_means(scores, counts)
    relative = np.divide(scores, means, out=np.full_like(scores, np.nan), where=means > 0)
    logarithm = np.log(relative, out=np.zeros_like(scores), where=relative > 0)
    return column_means(relative * logarithm, counts)


@attrs.frozen(kw_only=True, eq=False)
class DeviationDiagnostics(Learned):
    """Deviation weights and what they were made of.

    Attributes:
        means: The mean of every part, (k,).
        deviations: The standard deviation of every part, (k,).
    """

    means: FloatArray = attrs.field(converter=float_array)
    deviations: FloatArray = attrs.field(converter=float_array)


@attrs.frozen(kw_only=True)
class DeviationWeights(LearningRule):
    r"""Weights by the spread of scores: they reward parts on which organizations differ most.

    .. math:: w_j \propto s_j \quad \text{or} \quad w_j \propto s_j / \bar{x}_j

    with the standard deviation :math:`s_j` (divisor n) over the units that have a score. Adding a
    number to a column changes nothing for the standard deviation; multiplying it changes nothing
    for the coefficient of variation. Spread is of true differences and of sampling noise alike: a
    part with few answers looks spread.

    Attributes:
        counting: "organizations" counts every organization once, "respondents" by its evaluations.
        measure: "standard deviation", in points, or "coefficient of variation".

    References:
        Diakoulaki, Mavrotas and Papayannakis (1995), doi:10.1016/0305-0548(94)00059-H.

    >>> DeviationWeights().learn([[40, 20], [50, 50], [60, 80]]).weights.round(6).tolist()
    [0.25, 0.75]
    """

    measure: Measure = attrs.field(
        default="standard deviation",
        validator=is_one_of("standard deviation", "coefficient of variation"),
    )

    def learn(self, scores: ArrayLike, *, counts: ArrayLike | None = None) -> DeviationDiagnostics:
        """Return the weights of the columns of `scores`, and what they were made of.

        Args:
            scores: Scores, (u, k); NaN means missing.
            counts: How much every unit counts, (u,); default all once.

        Raises:
            MethodError: If scores are infinite, counts do not fit, or a coefficient of variation
                is asked of a column whose mean is not positive.
        """
        return self.learn_from(PartMoments.of(scores, counts))

    def learn_from(self, moments: PartMoments) -> DeviationDiagnostics:
        """Return the weights of parts of which the moments are known, not the scores.

        Raises:
            MethodError: If a coefficient of variation is asked of a mean that is not positive.
        """
        means, deviations = moments.means, moments.deviations
        amounts = deviations
        if self.measure == "coefficient of variation":
            if (means[deviations > 0] <= 0).any():
                raise MethodError(
                    f"a coefficient of variation needs positive means, got {means.min():g}; use "
                    "the standard deviation",
                    argument="scores",
                )
            amounts = np.divide(deviations, means, out=np.zeros_like(means), where=deviations > 0)
        return DeviationDiagnostics(
            **shares_of(amounts, moments.units, reason=_NO_SPREAD),
            means=means,
            deviations=deviations,
        )


@attrs.frozen(kw_only=True, eq=False)
class CriticDiagnostics(Learned):
    """CRITIC weights and what they were made of.

    Attributes:
        deviations: The standard deviation of every part, after scaling, (k,).
        correlations: The correlation of every pair of parts, (k, k).
        conflict: The sum of 1 minus the correlation with every other part that differs, (k,).
    """

    deviations: FloatArray = attrs.field(converter=float_array)
    correlations: FloatArray = attrs.field(converter=float_array)
    conflict: FloatArray = attrs.field(converter=float_array)


@attrs.frozen(kw_only=True)
class CriticWeights(LearningRule):
    r"""Weights by spread and disagreement (CRITIC): they reward what the other parts do not tell.

    With the standard deviation :math:`s_j` of the scaled scores and correlations :math:`r_{jk}`
    over the units that have both scores,

    .. math:: w_j \propto s_j \sum_{k \ne j} (1 - r_{jk})

    As published, every column is first scaled from 0 for its lowest to 1 for its highest score,
    so that no change of its unit or zero changes the weights, but one extreme score does, and so
    do a few points of noise on a part that hardly differs. Parts that do not differ at all get 0
    and leave the others as they are. A part that answers at random conflicts with every other:
    these weights reward noise too.

    Attributes:
        counting: "organizations" counts every organization once, "respondents" by its evaluations.
        scaling: "range", as published, or "points", without scaling.

    References:
        Diakoulaki, Mavrotas and Papayannakis (1995), doi:10.1016/0305-0548(94)00059-H.

    >>> CriticWeights().learn([[1, 1, 3], [2, 2, 1], [3, 3, 2]]).weights.round(3).tolist()
    [0.25, 0.25, 0.5]
    """

    scaling: Scaling = attrs.field(default="range", validator=is_one_of("range", "points"))

    def learn(self, scores: ArrayLike, *, counts: ArrayLike | None = None) -> CriticDiagnostics:
        """Return the weights of the columns of `scores`, and what they were made of.

        Args:
            scores: Scores, (u, k); NaN means missing.
            counts: How much every unit counts, (u,); default all once.

        Raises:
            MethodError: If scores are infinite, or counts do not fit.
        """
        return self.learn_from(PartMoments.of(scores, counts))

    def learn_from(self, moments: PartMoments) -> CriticDiagnostics:
        """Return the weights of parts of which the moments are known, not the scores.

        Raises:
            MethodError: If columns are to be scaled by a range that the moments do not tell.
        """
        deviations = moments.deviations
        differs = deviations > 0
        if self.scaling == "range":
            if moments.spans is None:
                raise MethodError(
                    "scaling by the range needs the lowest and the highest score of every part, "
                    'and these moments do not tell them; use CriticWeights(scaling="points")',
                    argument="moments",
                )
            deviations = np.divide(
                deviations, moments.spans, out=np.zeros_like(deviations), where=differs
            )
        opposed = (1.0 - moments.correlations) * differs
        # Columns that are equal but for rounding do not disagree.
        conflict = np.where(opposed > 1e-12, opposed, 0.0).sum(axis=1)
        reason = f"{_NO_SPREAD}, or those that do agree completely"
        return CriticDiagnostics(
            **shares_of(deviations * conflict, moments.units, reason=reason),
            deviations=deviations,
            correlations=moments.correlations,
            conflict=np.where(differs, conflict, 0.0),
        )
