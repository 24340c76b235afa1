"""Weights from how much the scores of a part differ between organizations."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex._learning import (
    Learned,
    LearningRule,
    checked_scores,
    column_means,
    shares_of,
    varies,
)
from sotongindex.errors import MethodError

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
        divergence = np.where(varies(values), _theil(values, number), 0.0)
        return EntropyDiagnostics(
            **shares_of(divergence, values, reason=_NO_SPREAD), divergence=divergence
        )


def _theil(scores: FloatArray, counts: FloatArray) -> FloatArray:
    """Return Theil's index of every column over the units that have a score, (k,)."""
    means = column_means(scores, counts)
    relative = np.divide(scores, means, out=np.full_like(scores, np.nan), where=means > 0)
    logarithm = np.log(relative, out=np.zeros_like(scores), where=relative > 0)
    return column_means(relative * logarithm, counts)
