"""The same answers by two methods: what differs, in scores, ranks and orders."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._changed_choices import ChangedChoice, changed_choices
from sotongindex._claims import Adjustment, adjust_p_values, check_share, p_values
from sotongindex._disclosure import Reasons, first_reason
from sotongindex._method_comparison_result import Flips, MethodComparison
from sotongindex._rank_agreement import kendall, order_signs, spearman
from sotongindex.errors import MethodError
from sotongindex.percentiles import competition_rank
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates, combine

__all__ = ["ChangedChoice", "Flips", "MethodComparison", "compare_methods"]


def compare_methods(
    first: IndexResult,
    second: IndexResult,
    *,
    channel: str | None = None,
    dimension: str | None = None,
    adjustment: Adjustment = "benjamini-hochberg",
    false_claims: float = 0.05,
) -> MethodComparison:
    r"""Compare two results of the same organizations that were made in different ways.

    Change one thing (the scheme, a power, a conversion, the order of averaging, a rule for what is
    missing), compute again, and compare: the differences of scores with their errors, ranks before
    and after, the rank correlations, and the pairs of organizations whose order flips.

    Both results rest on the same respondents, so a difference is often far surer than either score.
    A flip needs more: with :math:`d_1` and :math:`d_2` the distances of the two organizations in
    the results and :math:`F` their t distributions,

    .. math:: p = \max\bigl(F_1(-|d_1| / s_1),\ F_2(-|d_2| / s_2)\bigr)

    is the p-value of the hypothesis that their true order is the same in both; only then the change
    of method, and no chance, has turned them round. It is adjusted for all pairs.

    Args:
        first: The result to compare with.
        second: The result to compare.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        adjustment: How the p-values of flips are adjusted.
        false_claims: The share of false claims of real flips that is allowed.

    Returns:
        The comparison.

    Raises:
        MethodError: If the results are of different studies or organizations, their errors cannot
            be matched, or a number is out of range.
        DefinitionError: If there is no such channel or dimension.

    References:
        Gail and Simon (1985), doi:10.2307/2530862, for flips. Kendall (1945),
        doi:10.1093/biomet/33.3.239.

    >>> import attrs
    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.index import IndexMethod, compute_index
    >>> responses = sample_panel(rng=1).responses
    >>> arithmetic = compute_index(responses)
    >>> geometric = compute_index(responses, method=IndexMethod(power=0.0))
    >>> found = compare_methods(arithmetic, geometric)
    >>> [change.field for change in found.changed]
    ['method.power.items', 'method.power.dimensions', 'method.power.channels']
    >>> bool((found.difference.values <= 0).all())
    True
    """
    _check_same(first, second)
    check_share(false_claims, "false_claims")
    before = first.estimates(channel=channel, dimension=dimension)
    after = second.estimates(channel=channel, dimension=dimension)
    reasons = first_reason(("missing score", np.isnan(before.values) | np.isnan(after.values)))
    scored = np.flatnonzero(reasons == "")
    signs = [order_signs(one.values[scored]) for one in (before, after)]
    above, below = np.nonzero((signs[0] > 0) & (signs[1] < 0))
    pairs = len(scored) * (len(scored) - 1) // 2
    identity = sparse.eye_array(before.size)
    return MethodComparison(
        first=first,
        second=second,
        channel=channel,
        dimension=dimension,
        changed=changed_choices(first, second),
        first_score=before,
        second_score=after,
        difference=combine([(after, identity), (before, -identity)]),
        first_rank=competition_rank(np.where(reasons == "", before.values, np.nan)),
        second_rank=competition_rank(np.where(reasons == "", after.values, np.nan)),
        spearman=spearman(*signs),
        kendall=kendall(*signs),
        flips=_flips(
            (before, after), scored[above], scored[below], pairs=pairs, adjustment=adjustment
        ),
        pairs=pairs,
        adjustment=adjustment,
        false_claims=false_claims,
        reasons=reasons,
        notices=_notices(first, second, reasons),
    )


def _check_same(first: IndexResult, second: IndexResult) -> None:
    """Raise a MethodError unless both results measure the same organizations by the same study."""
    one, other = first.study, second.study
    for what, left, right in (
        ("study", one.key, other.key),
        ("wave", one.wave, other.wave),
        ("population", one.population, other.population),
        ("framework", one.framework.key, other.framework.key),
    ):
        if left != right:
            raise MethodError(
                f"expected two results of one {what}, got {left!r} and {right!r}; compute both "
                "from the same answers",
                argument="second",
            )
    if first.organizations != second.organizations:
        strangers = set(first.organizations) ^ set(second.organizations)
        told = (
            f"{len(strangers)} are in one of them only, such as {min(strangers)!r}"
            if strangers
            else "they are the same in another order"
        )
        raise MethodError(
            f"expected the same organizations in the same order: {told}", argument="second"
        )


def _flips(
    results: tuple[Estimates, Estimates],
    above: IntArray,
    below: IntArray,
    *,
    pairs: int,
    adjustment: Adjustment,
) -> Flips:
    """Return the pairs that changed their order, and how sure each change is."""
    count = len(above)
    rows = np.arange(count)
    jacobian = sparse.csr_array(
        (
            np.repeat([1.0, -1.0], count),
            (np.concatenate([rows, rows]), np.concatenate([above, below])),
        ),
        shape=(count, results[0].size),
    )
    distances = [one.transform(jacobian, lower=-100.0, upper=100.0) for one in results]
    # Half of the larger two-sided value: each distance counts only on its own side.
    p = np.maximum(*(p_values(one) for one in distances)) / 2
    return Flips(
        above=above,
        below=below,
        first=distances[0],
        second=distances[1],
        p=p,
        adjusted_p=_adjusted(p, pairs, adjustment),
    )


def _adjusted(p: FloatArray, pairs: int, adjustment: Adjustment) -> FloatArray:
    """Adjust for all pairs; those that did not flip have p-values above any that matters."""
    others = np.ones(pairs - len(p))
    return adjust_p_values(np.concatenate([p, others]), method=adjustment)[: len(p)]


def _notices(first: IndexResult, second: IndexResult, reasons: Reasons) -> tuple[Notice, ...]:
    notices = []
    if (reasons != "").any():
        notices.append(
            Notice(
                code="not scored in both",
                message="organizations that are not scored in both results are not compared",
                keys=tuple(np.array(first.organizations)[reasons != ""].tolist()),
            )
        )
    if "scores" in {first.source, second.source}:
        notices.append(
            Notice(
                code="no common respondents",
                message=(
                    "scores that somebody else computed share no respondents that are known: the "
                    "errors of differences are those of independent scores"
                ),
            )
        )
    return tuple(notices)
