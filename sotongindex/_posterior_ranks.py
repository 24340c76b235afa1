"""The probability of every rank of every organization."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex._rank_inputs import (
    check_count,
    covariance_matrix,
    quasi_variances,
    score_vector,
)
from sotongindex._rank_probabilities import rank_probabilities
from sotongindex._validators import check_choice
from sotongindex.shrinkage import shrink

Prior: TypeAlias = Literal["flat", "normal"]


@attrs.frozen(kw_only=True, eq=False)
class PosteriorRanks:
    """The probabilities of the ranks of n organizations.

    Attributes:
        probability: Of organization (row) having rank (column, from 1), (n, n).
        mean: Posterior means of the true scores, (n,).
        error: Their posterior standard deviations, (n,), an error that all share left out.
        prior: "flat" or "normal".
        between_variance: The variance of the normal prior; NaN under the flat one.
    """

    probability: FloatArray = attrs.field(converter=float_array, repr=False)
    mean: FloatArray = attrs.field(converter=float_array)
    error: FloatArray = attrs.field(converter=float_array)
    prior: Prior
    between_variance: float

    @property
    def expected_rank(self) -> FloatArray:
        """The posterior means of the ranks, (n,), 1 to n."""
        ranks: FloatArray = self.probability @ np.arange(1.0, len(self.mean) + 1)
        return ranks

    @property
    def expected_percentile(self) -> FloatArray:
        """The posterior means of the percentile ranks among the others, (n,); NaN for one alone."""
        others = len(self.mean) - 1
        below = len(self.mean) - self.expected_rank
        return 100 * below / others if others else np.full(1, np.nan)

    def probability_top(self, top: int = 1) -> FloatArray:
        """Return the probability of being among the `top` best, (n,).

        Raises:
            MethodError: If `top` is below 1.
        """
        check_count(top, "top")
        chance: FloatArray = self.probability[:, :top].sum(axis=1)
        return np.minimum(chance, 1.0)

    def probability_bottom(self, bottom: int = 1) -> FloatArray:
        """Return the probability of being among the `bottom` worst, (n,).

        Raises:
            MethodError: If `bottom` is below 1.
        """
        check_count(bottom, "bottom")
        chance: FloatArray = self.probability[:, -bottom:].sum(axis=1)
        return np.minimum(chance, 1.0)


def posterior_ranks(
    values: ArrayLike, covariance: ArrayLike, *, prior: Prior = "flat"
) -> PosteriorRanks:
    r"""Return the probability that each organization has each rank.

    With independent normal posteriors of the true scores,

    .. math:: P(\text{rank}_j = k) = \int \varphi_j(x)\,
        P\Bigl(\sum_{i \ne j} [\theta_i > x] = k - 1\Bigr)\, dx,

    by Gauss-Legendre quadrature, right to about 1e-8; there are no draws. Rows and columns add up
    to 1. Errors that go together are replaced by quasi-variances: the independent errors whose
    differences vary most like these. That is exact for an error that all organizations share, since
    it moves no rank, and for two organizations; otherwise it is an approximation.

    Under the flat prior a posterior is the score with its error. Under the normal prior scores are
    first shrunken toward their mean (`shrinkage.shrink`, Paule and Mandel): the expected percentile
    then has the least squared error there is, where true scores are normal.

    Args:
        values: Scores (n,), the higher the better.
        covariance: Their covariance matrix (n, n), or the standard errors (n,) of independent ones.
        prior: "flat" or "normal" (empirical Bayes).

    Returns:
        The probabilities. Exact scores that are tied come in any order with equal probability.

    Raises:
        MethodError: If a number is missing or out of range, shapes do not fit, or the prior is
            unknown.

    References:
        Laird and Louis (1989), doi:10.3102/10769986014001029. Lin, Louis, Paddock and Ridgeway
        (2006), doi:10.1214/06-BA130. Firth and de Menezes (2004), doi:10.1093/biomet/91.1.65, for
        quasi-variances.

    >>> ranks = posterior_ranks([60.0, 59.0, 50.0], [1.0, 1.0, 1.0])
    >>> ranks.probability_top(1).round(2).tolist(), ranks.expected_rank.round(2).tolist()
    ([0.76, 0.24, 0.0], [1.24, 1.76, 3.0])
    """
    scores = score_vector(values)
    error = np.sqrt(quasi_variances(covariance_matrix(covariance, len(scores))))
    check_choice(prior, get_args(Prior), "prior")
    mean, between = scores, np.nan
    if prior == "normal" and len(scores) > 1:
        shrunken = shrink(scores, error)
        mean, between = shrunken.values, shrunken.between_variance
        error = error * np.sqrt(shrunken.reliability)
    return PosteriorRanks(
        probability=rank_probabilities(mean, error),
        mean=mean,
        error=error,
        prior=prior,
        between_variance=between,
    )
