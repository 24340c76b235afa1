"""Drivers: what goes together with an outcome, and how much of it each explains.

An outcome (would you recommend us, did you buy again) varies between people; drivers are what the
variation goes together with. The drivers of a survey are themselves correlated, so no slope tells
how much each explains: relative importance shares the explained variance out among them.

Importance is not uplift. It says whose differences go together with the outcome's, in these
answers; it does not say what would happen to the outcome if one driver were changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, IntArray, distinct
from sotongindex._claims import Adjustment
from sotongindex._design import Design
from sotongindex._driver_estimates import Analysis, Choices, ScoreErrors
from sotongindex._driver_result import DriverMethod, DriverResult, Unit
from sotongindex._driver_table import By, evaluation_table, organization_table
from sotongindex._relative_importance import (
    Standardized,
    checked_correlations,
    johnson,
    shapley_values,
    slopes,
)
from sotongindex._sums import check_respondents_kept
from sotongindex._validators import are_known
from sotongindex.errors import MethodError
from sotongindex.responses import Responses
from sotongindex.results import IndexResult
from sotongindex.variance import Linearization
from sotongindex.weighting import EqualWeights, Rule

__all__ = [
    "Adjustment",
    "By",
    "DriverMethod",
    "DriverResult",
    "Unit",
    "find_drivers",
    "find_organization_drivers",
    "relative_weights",
    "shapley_importance",
    "standardized_slopes",
    "weighted_correlations",
]

# -- from answers --------------------------------------------------------------------------------


def find_drivers(
    responses: Responses,
    outcome: str,
    *,
    drivers: Sequence[str] | None = None,
    by: By = "dimensions",
    channel: str | None = None,
    organizations: Sequence[str] | None = None,
    method: DriverMethod = "johnson",
    adjustment: Adjustment = "holm",
    item_weights: Rule = EqualWeights(),  # frozen
    min_share: float = 0.5,
    variance: Linearization = Linearization(),  # frozen
    level: float = 0.95,
) -> DriverResult:
    r"""Find what goes together with an outcome in the answers of respondents.

    Rows are evaluations, weighted by their respondents' weights; the drivers of a row are its
    points, of items or of dimensions. Rows that lack the outcome or a driver are left out and
    counted: correlations that each rest on other rows need not belong to any answers at all. With
    :math:`R` the weighted correlations among drivers and :math:`r` those with the outcome, the
    explained share :math:`r'R^{-1}r` is shared out by `relative_weights` or `shapley_importance`.

    Errors are linearized: with the derivative :math:`G` of a number by the correlations, a row's
    influence is :math:`w\,z'(G - \operatorname{diag}(GR))\,z / (1 - h)`, :math:`z` its standardized
    numbers and :math:`h` its leverage; influences are summed by respondent or cluster, within
    strata; what weights were calibrated to is not taken off, which leaves errors a little too
    large. With :math:`m` clusters in :math:`s` strata the t distribution has :math:`m - s - k`
    degrees of freedom.

    Args:
        responses: The answers.
        outcome: The key of an item, or a kept column of numbers. An item that is the outcome is no
            part of its dimension.
        drivers: Keys of dimensions or items; default all that are asked.
        by: Whether drivers are dimensions or items.
        channel: A channel's key; None means evaluations of all channels, which then need the same
            drivers.
        organizations: Keys of the organizations that count; None means all.
        method: "johnson", or "shapley" for up to 20 drivers.
        adjustment: How the p-values of the slopes are adjusted for being several.
        item_weights: How items count within their dimension.
        min_share: The least share of a dimension's item weight that a respondent must have
            answered.
        variance: Its rule for a stratum of one cluster; its correction has nothing to do here.
        level: The level of the intervals.

    Returns:
        Importance, slopes and correlations of every driver, with their errors.

    Raises:
        DefinitionError: If a key is not known.
        MethodError: If the outcome is no number, no row is complete, an outcome or a driver does
            not vary, or there are no more respondents than drivers need.

    References:
        Johnson (2000), doi:10.1207/S15327906MBR3501_1. Grömping (2007),
        doi:10.1198/000313007X188252. Errors: Demnati and Rao (2004), Survey Methodology 30, 17-26.
        Leverage: MacKinnon and White (1985), doi:10.1016/0304-4076(85)90158-7.

    >>> from sotongindex.datasets import sample_panel
    >>> answers = sample_panel(rng=1).responses
    >>> found = find_drivers(answers, "usefulness_1", channel="blog")
    >>> found.to_rows()[0]["driver"], found.r_squared.values.round(2).tolist()
    ('participation', [0.21])
    """
    check_respondents_kept(responses, "responses")
    choices = Choices(method=method, adjustment=adjustment, level=level)
    table = evaluation_table(
        responses,
        outcome,
        drivers=drivers,
        by=by,
        rows=_rows(responses, channel=channel, organizations=organizations),
        item_weights=item_weights,
        min_share=min_share,
    )
    design = Design.of(responses, variance)
    cluster = responses.clusters[table.rows].astype(np.int64)
    used = distinct(cluster)
    analysis = Analysis.of(
        table,
        method,
        weight=None if responses.weight is None else responses.weight[table.rows],
        units=len(used),
        means=len(distinct(design.stratum[used])),
        what="respondents" if responses.cluster is None else "clusters",
    )
    factor = analysis.clustered(design, cluster, responses.cluster_labels)
    return analysis.result(responses.study, factor, choices=choices, unit="evaluations")


def _rows(
    responses: Responses, *, channel: str | None, organizations: Sequence[str] | None
) -> IntArray:
    """Return the positions of the evaluations that count."""
    study = responses.study
    counted = np.ones(len(responses), dtype=bool)
    if channel is not None:
        known = study.framework.channel_keys
        are_known([channel], known, field="channel", what="channel")
        counted &= responses.channel == known.index(channel)
    if organizations is not None:
        keys = study.organization_keys
        are_known(organizations, keys, field="organizations", what="organization")
        counted &= np.isin(responses.organization, [keys.index(key) for key in organizations])
    if not counted.any():
        raise MethodError(
            f"none of {len(responses):,} evaluations is of this channel and these organizations",
            argument="channel",
        )
    return np.flatnonzero(counted)


# -- from organizations --------------------------------------------------------------------------


def find_organization_drivers(
    result: IndexResult,
    drivers: Sequence[str] | Mapping[str, ArrayLike | Mapping[str, float]],
    *,
    channel: str | None = None,
    dimension: str | None = None,
    method: DriverMethod = "johnson",
    adjustment: Adjustment = "holm",
    level: float = 0.95,
) -> DriverResult:
    r"""Find what goes together with the scores of organizations: training, staff, outside help.

    Rows are organizations, and all count the same; they stand for others like them. The sampling
    errors of the scores do not bias slopes, as the outcome alone has them; they lower what can be
    explained. `DriverResult.ceiling` is the share of the scores' variance that is no sampling
    error; importance stays a share of the variance of the scores as they are, so the shares of what
    is explained are not touched.

    An organization's own error is part of how far its score lies from the others, so it is in the
    linearized errors :math:`\sum_o u_o u_o'` already. The covariances of scores that share
    respondents are not: with :math:`J` the derivatives by the scores and :math:`V` their
    covariance, the errors are :math:`\sum_o u_o u_o' - J \operatorname{diag}(V_c) J' + J V J'`,
    :math:`V_c` being that around the mean score.

    Args:
        result: The scores.
        drivers: Names of attributes that are numbers, or ``"size"``; or numbers by name, in the
            order of the organizations or under their keys. NaN where not known.
        channel: A channel's key; None means all together.
        dimension: A dimension's key; None means all together.
        method: "johnson", or "shapley" for up to 20 drivers.
        adjustment: How the p-values of the slopes are adjusted for being several.
        level: The level of the intervals.

    Returns:
        Importance, slopes and correlations of every driver, with their errors.

    Raises:
        DefinitionError: If a key is not known, or an attribute is no number.
        MethodError: If numbers do not fit the organizations, a driver or the scores do not vary, or
            there are no more organizations than drivers need.

    References:
        Fuller (1987), Measurement Error Models, doi:10.1002/9780470316665, for errors in the
        outcome. Johnson (2000), doi:10.1207/S15327906MBR3501_1.

    >>> import sotongindex as si
    >>> from sotongindex.datasets import sample_panel
    >>> result = si.compute_index(sample_panel(rng=1).responses)
    >>> staff = {key: position % 7 for position, key in enumerate(result.organizations)}
    >>> found = find_organization_drivers(result, {"staff": staff})
    >>> found.used, bool(found.p[0] < 0.05)
    (312, False)
    """
    choices = Choices(method=method, adjustment=adjustment, level=level)
    scores = result.estimates(channel=channel, dimension=dimension)
    outcome = "/".join(filter(None, (channel, dimension))) or "index"
    table = organization_table(result, drivers, outcome=outcome, scores=scores.values)
    analysis = Analysis.of(
        table, method, weight=None, units=len(table.rows), means=1, what="organizations"
    )
    keys = np.array(result.organizations)[table.rows]
    errors = ScoreErrors.of(scores.select(table.rows))
    return analysis.result(
        result.study,
        errors.factor(analysis.influence(), analysis.by_outcome()),
        choices=choices,
        unit="organizations",
        ceiling=errors.ceiling,
        notices=errors.notices(keys),
    )


# -- from correlations ---------------------------------------------------------------------------


def weighted_correlations(table: ArrayLike, weight: ArrayLike | None = None) -> FloatArray:
    r"""Return the weighted correlations between columns.

    With shares :math:`w_i` that sum to 1 and weighted means taken off,
    :math:`r_{ab} = \sum_i w_i x_{ia} x_{ib} / \sqrt{\sum_i w_i x_{ia}^2 \sum_i w_i x_{ib}^2}`.

    Args:
        table: Numbers without gaps, (n, p).
        weight: What every row counts, 0 or more, (n,); None means all the same.

    Returns:
        The correlations, (p, p), from -1 to 1, exactly 1 on the diagonal.

    Raises:
        MethodError: If a number is missing, shapes do not fit, weights are negative or all 0, or a
            column does not vary.

    >>> weighted_correlations([[1, 2], [2, 4], [4, 1]], [1, 1, 0]).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    numbers = np.asarray(table, dtype=np.float64)
    if numbers.ndim != 2 or not np.isfinite(numbers).all():
        raise MethodError(
            f"expected finite numbers (n, p), got the shape {numbers.shape} and "
            f"{int((~np.isfinite(numbers)).sum())} that are not finite; leave out rows with gaps",
            argument="table",
        )
    counts = np.ones(len(numbers)) if weight is None else np.asarray(weight, dtype=np.float64)
    if counts.shape != (len(numbers),) or not (counts >= 0).all() or not 0 < counts.sum() < np.inf:
        raise MethodError(
            f"expected {len(numbers)} finite numbers of 0 or more, not all 0, got the shape "
            f"{counts.shape}",
            argument="weight",
        )
    names = [f"column {position}" for position in range(numbers.shape[1])]
    return Standardized.of(numbers, counts, names).correlations()


def relative_weights(correlations: ArrayLike, outcome: ArrayLike) -> FloatArray:
    r"""Share out what drivers explain of an outcome by Johnson's relative weights.

    With the symmetric square root :math:`\Lambda = R^{1/2}` of the correlations among drivers and
    :math:`\beta = \Lambda^{-1} r`

    .. math:: \varepsilon_j = \sum_k \Lambda_{jk}^2\,\beta_k^2, \qquad
        \sum_j \varepsilon_j = r' R^{-1} r .

    They are the importances of the orthogonal variables nearest to the drivers, handed back to the
    drivers; Genizi found the same decomposition. Copies of a driver share its weight.

    Args:
        correlations: Correlations among the drivers, (k, k).
        outcome: Their correlations with the outcome, (k,).

    Returns:
        Shares of the outcome's variance, 0 or more, that add up to R squared, (k,).

    Raises:
        MethodError: If shapes do not fit, or no answers can have such correlations.

    References:
        Johnson (2000), doi:10.1207/S15327906MBR3501_1. Genizi (1993), Statistica Sinica 3, 407-420.

    >>> relative_weights([[1.0, 0.5], [0.5, 1.0]], [0.6, 0.3]).round(3).tolist()
    [0.315, 0.045]
    """
    return johnson(checked_correlations(correlations, outcome)).values


def shapley_importance(correlations: ArrayLike, outcome: ArrayLike) -> FloatArray:
    r"""Share out what drivers explain of an outcome by Shapley's value, also called LMG.

    What driver :math:`j` adds to R squared, averaged over the drivers before it in every order:

    .. math:: \phi_j = \sum_{S \not\ni j} \frac{|S|!\,(k - |S| - 1)!}{k!}
        \bigl(R^2_{S \cup j} - R^2_S\bigr), \qquad \sum_j \phi_j = R^2 .

    It is exact: all :math:`2^k` models are fitted, each from the one before it. The same numbers
    are known as general dominance.

    Args:
        correlations: Correlations among the drivers, (k, k), k up to 20.
        outcome: Their correlations with the outcome, (k,).

    Returns:
        Shares of the outcome's variance, 0 or more, that add up to R squared, (k,).

    Raises:
        MethodError: If shapes do not fit, no answers can have such correlations, or there are more
            than 20 drivers.

    References:
        Lindeman, Merenda and Gold (1980), Introduction to Bivariate and Multivariate Analysis.
        Azen and Budescu (2003), doi:10.1037/1082-989X.8.2.129. Grömping (2007),
        doi:10.1198/000313007X188252.

    >>> shapley_importance([[1.0, 0.5], [0.5, 1.0]], [0.6, 0.3]).round(3).tolist()
    [0.315, 0.045]
    """
    return shapley_values(checked_correlations(correlations, outcome))


def standardized_slopes(correlations: ArrayLike, outcome: ArrayLike) -> FloatArray:
    r"""Return the standardized slopes of an outcome on drivers, :math:`\beta = R^{-1} r`.

    Args:
        correlations: Correlations among the drivers, (k, k).
        outcome: Their correlations with the outcome, (k,).

    Returns:
        Standard deviations of the outcome for one of each driver, the others held fixed, (k,).

    Raises:
        MethodError: If shapes do not fit, no answers can have such correlations, or drivers
            determine each other.

    >>> standardized_slopes([[1.0, 0.5], [0.5, 1.0]], [0.6, 0.3]).round(3).tolist()
    [0.6, 0.0]
    """
    found = slopes(checked_correlations(correlations, outcome)).values
    if np.isnan(found).any():
        raise MethodError(
            f"drivers {np.flatnonzero(np.isnan(found)).tolist()} determine each other: no slope is "
            "theirs alone; leave one of them out, or take their relative weights",
            argument="correlations",
        )
    return found
