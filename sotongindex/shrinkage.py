"""Shrinkage: scores drawn toward a mean by as much as they are noise, and how many to ask.

An organization's score is its true score and an error. The fewer respondents, the larger the error,
and the more of a far-out score is chance. Empirical Bayes takes that share away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex._between import BetweenMethod, Regression, between_variance
from sotongindex._disclosure import DisclosureRules, Subject
from sotongindex._left_out import left_out_notices, unusable
from sotongindex._peers import attribute_values
from sotongindex._rank_inputs import score_vector, standard_errors
from sotongindex._respondents_needed import (
    respondents_for_reliability,
    respondents_for_width,
)
from sotongindex._shrunken import RespondentPlan, ShrinkageResult, scattered
from sotongindex._validators import check_choice
from sotongindex.errors import MethodError
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

__all__ = [
    "BetweenMethod",
    "RespondentPlan",
    "Shrinkage",
    "ShrinkageResult",
    "plan_respondents",
    "respondents_for_reliability",
    "respondents_for_width",
    "shrink",
    "shrink_scores",
]


@attrs.frozen(kw_only=True, eq=False)
class Shrinkage:
    """Shrunken scores of n organizations. Arrays are (n,).

    Attributes:
        values: The shrunken scores.
        mean_squared_error: Their mean squared errors, the estimation of means and between variance
            included.
        toward: What each score is drawn toward.
        reliability: The share of the score's variance that is true, 0 to 1.
        between_variance: The variance of true scores around `toward`.
        method: How the between variance was estimated.
    """

    values: FloatArray = attrs.field(converter=float_array)
    mean_squared_error: FloatArray = attrs.field(converter=float_array)
    toward: FloatArray = attrs.field(converter=float_array)
    reliability: FloatArray = attrs.field(converter=float_array)
    between_variance: float
    method: BetweenMethod


def shrink(
    values: ArrayLike,
    standard_error: ArrayLike,
    *,
    groups: Sequence[str] | None = None,
    covariates: ArrayLike | None = None,
    method: BetweenMethod = "paule-mandel",
) -> Shrinkage:
    r"""Draw scores toward the overall mean, the mean of their group, or a regression.

    The model of Fay and Herriot: :math:`y_i = x_i'\beta + u_i + e_i` with the between variance
    :math:`A = \operatorname{Var} u_i` and the known error variance :math:`\psi_i`. The shrunken
    score and the reliability are

    .. math:: \tilde y_i = x_i'\beta + R_i (y_i - x_i'\beta), \qquad R_i = \frac{A}{A + \psi_i}.

    :math:`A` solves :math:`\sum (y_i - x_i'\beta)^2 / (A + \psi_i) = n - k` ("paule-mandel", which
    assumes no distribution), or maximizes the restricted ("reml") or full ("ml") normal
    likelihood; it is 0 where scores differ less than their errors alone would make them. Mean
    squared errors are second-order right (Prasad and Rao). Errors are taken as independent of each
    other; an error of 0 leaves a score as it is, with reliability 1.

    Args:
        values: Scores, (n,).
        standard_error: Their standard errors, (n,), 0 or more.
        groups: The group of every score, (n,), for means of their own; None means one mean.
        covariates: Numbers known of every organization, (n,) or (n, c), for a regression.
        method: How the between variance is estimated.

    Returns:
        The shrunken scores.

    Raises:
        MethodError: If a number is missing or not finite, shapes do not fit, the method is
            unknown, there are no more scores than means and slopes, or an error is 0 under "ml".

    References:
        Fay and Herriot (1979), doi:10.1080/01621459.1979.10482505. Paule and Mandel (1982),
        doi:10.6028/jres.087.022. Datta and Lahiri (2000), Statistica Sinica 10, 613-627. Datta, Rao
        and Smith (2005), doi:10.1093/biomet/92.1.183.

    >>> found = shrink([50.0, 60.0, 70.0], [1.0, 1.0, 10.0])
    >>> found.values.round(1).tolist(), found.reliability.round(2).tolist()
    ([50.1, 60.0, 62.1], [0.98, 0.98, 0.38])
    """
    scores = score_vector(values)
    errors = standard_errors(standard_error, len(scores))
    check_choice(method, get_args(BetweenMethod), "method")
    design = _design(len(scores), groups=groups, covariates=covariates)
    between = between_variance(scores, errors**2, design, method=method)
    # Where all is exact and equal, any positive number serves as the weight.
    total = np.maximum(between + errors**2, _least(between, errors))
    noise = errors**2 / total
    fit = Regression.of(scores, total, design)
    return Shrinkage(
        values=np.where(errors == 0, scores, fit.fitted + (1 - noise) * fit.residuals),
        mean_squared_error=_mean_squared_error(fit, noise, between, method=method),
        toward=fit.fitted,
        reliability=1 - noise,
        between_variance=between,
        method=method,
    )


def _least(between: float, errors: FloatArray) -> float:
    """Return the variance that stands for 0 in a weight."""
    return 1e-10 * max(between, float(errors.max()) ** 2) or 1.0


def _design(
    count: int, *, groups: Sequence[str] | None, covariates: ArrayLike | None
) -> FloatArray:
    """Return a column for every group, or one for the mean, and the covariates, (n, k)."""
    if groups is None:
        columns = np.ones((count, 1))
    elif len(groups) != count:
        raise MethodError(f"expected {count} groups, got {len(groups)}", argument="groups")
    else:
        names, group_of = np.unique(np.array(groups), return_inverse=True)
        columns = (group_of.ravel()[:, None] == np.arange(len(names))).astype(np.float64)
    if covariates is None:
        return columns
    numbers = np.asarray(covariates, dtype=np.float64)
    if numbers.ndim not in {1, 2} or len(numbers) != count or not np.isfinite(numbers).all():
        raise MethodError(
            f"expected finite numbers, ({count},) or ({count}, c), got the shape {numbers.shape} "
            f"with {int((~np.isfinite(numbers)).sum())} that are not finite",
            argument="covariates",
        )
    return np.column_stack([columns, numbers])


def _mean_squared_error(
    fit: Regression, noise: FloatArray, between: float, *, method: BetweenMethod
) -> FloatArray:
    """Return g1 + g2 + 2 g3 - bias of the between variance * noise^2."""
    # In units of the largest weight, no square leaves the range of numbers.
    unit = fit.weights.max()
    weights, leverage = fit.weights / unit, fit.leverage * unit
    squares = (weights**2).sum()
    if method == "paule-mandel":
        variance = 2 * len(weights) / weights.sum() ** 2
        bias = 2 * (len(weights) * squares - weights.sum() ** 2) / weights.sum() ** 3
    else:
        variance = 2 / squares
        bias = -(weights**2 * leverage).sum() / squares if method == "ml" else 0.0
    added = leverage + 2 * weights * variance - bias
    error: FloatArray = between * noise + noise**2 * added / unit
    return np.maximum(error, 0.0)


# -- of an index ---------------------------------------------------------------------------------


def shrink_scores(
    result: IndexResult,
    by: str | None = None,
    *,
    channel: str | None = None,
    dimension: str | None = None,
    covariates: ArrayLike | None = None,
    method: BetweenMethod = "paule-mandel",
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> ShrinkageResult:
    """Draw the scores of an index toward the mean of all, or of their industry; see `shrink`.

    Left out, with a notice, are organizations without a score, with fewer respondents than
    `rules.min_respondents_show`, whose error is not known, or that lack the attribute.

    Args:
        result: The scores.
        by: The attribute whose groups have means of their own: "industry", "sector" or another;
            None draws toward the overall mean.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        covariates: Numbers known of every organization, (o,) or (o, c), in the order of the study.
        method: How the between variance is estimated.
        rules: What may be shown.

    Returns:
        The shrunken scores. Their intervals are normal.

    Raises:
        DefinitionError: If there is no such channel, dimension or attribute.
        MethodError: If too few organizations are left, or as `shrink` says.
    """
    subject = Subject.of(result, channel, dimension)
    reasons = unusable(subject, rules.min_respondents_show)
    groups = None
    if by is not None:
        groups = attribute_values(result.study.organizations, by, field="shrink_scores.by")
        reasons = np.where((reasons == "") & (groups == ""), "unknown attribute", reasons)
    used, score = reasons == "", subject.estimates
    if not used.any():
        why = ", ".join(sorted(set(reasons.tolist())))
        raise MethodError(
            f"none of {len(used)} organizations can be used: {why}", argument="result"
        )
    found = shrink(
        score.values[used],
        score.standard_error[used],
        groups=None if groups is None else groups[used].tolist(),
        covariates=None if covariates is None else _aligned(covariates, used)[used],
        method=method,
    )
    return ShrinkageResult(
        result=result,
        channel=channel,
        dimension=dimension,
        by=by,
        method=method,
        score=score,
        shrunken=Estimates.independent(
            scattered(found.values, used),
            scattered(np.sqrt(found.mean_squared_error), used),
            level=score.level,
        ),
        toward=scattered(found.toward, used),
        reliability=scattered(found.reliability, used),
        between_variance=found.between_variance,
        reasons=reasons,
        notices=left_out_notices(result, reasons, rules),
    )


def _aligned(covariates: ArrayLike, used: FloatArray) -> FloatArray:
    """Return the covariates as an array with one row for every organization of the study."""
    numbers = np.asarray(covariates, dtype=np.float64)
    if numbers.ndim == 0 or len(numbers) != len(used):
        raise MethodError(
            f"expected {len(used)} rows, one for each organization, got the shape {numbers.shape}",
            argument="covariates",
        )
    return numbers


def plan_respondents(
    result: IndexResult,
    *,
    reliability: float | None = None,
    width: float | None = None,
    channel: str | None = None,
    dimension: str | None = None,
    method: BetweenMethod = "paule-mandel",
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> RespondentPlan:
    """Return how many respondents the next wave needs, from the errors of this one.

    The variance of one respondent is the squared standard error times the respondents, so weights
    and clusters are expected to cost what they cost in this wave.

    Args:
        result: The scores of this wave.
        reliability: The reliability wanted, between 0 and 1; see `respondents_for_reliability`.
        width: The width of the interval wanted, in points; see `respondents_for_width`.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        method: How the between variance is estimated.
        rules: What may be shown.

    Returns:
        The plan. No number is enough for a reliability where organizations do not differ.

    Raises:
        DefinitionError: If there is no such channel or dimension.
        MethodError: If not exactly one of reliability and width is given, or it is out of range.
    """
    if (reliability is None) == (width is None):
        raise MethodError("expected one of reliability and width", argument="reliability")
    shrunken = shrink_scores(
        result, channel=channel, dimension=dimension, method=method, rules=rules
    )
    score, subject = shrunken.score, Subject.of(result, channel, dimension)
    reasons = np.where(
        (shrunken.reasons == "") & np.isnan(subject.respondents),
        "respondents not known",
        shrunken.reasons,
    )
    used = reasons == ""
    variance = (score.variance * subject.respondents)[used]
    if width is not None:
        needed = respondents_for_width(width, respondent_variance=variance, level=score.level)
    else:
        needed = respondents_for_reliability(
            float(reliability or 0.0),
            between_variance=shrunken.between_variance,
            respondent_variance=variance,
        )
    return RespondentPlan(
        result=result,
        channel=channel,
        dimension=dimension,
        wanted_reliability=reliability,
        wanted_width=width,
        respondents=subject.respondents,
        reliability=shrunken.reliability,
        width=np.where(used, score.high - score.low, np.nan),
        needed=scattered(needed, used),
        reasons=reasons,
        notices=shrunken.notices,
    )
