"""Which differences are real: from the peers' mean, from the spread, and between organizations.

Every verdict comes with its evidence (difference, standard error, interval, p-value, adjusted
p-value), and many verdicts are adjusted for being many.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Literal, TypeAlias, get_args

import numpy as np

from sotongindex._arrays import IntArray
from sotongindex._claims import Adjustment, Verdict, adjust_p_values
from sotongindex._difference_result import (
    Claim,
    DifferenceResult,
    Part,
    claimed,
    error_notices,
)
from sotongindex._disclosure import DisclosureRules, Reasons, Subject, first_of, first_reason
from sotongindex._funnel import Funnel, FunnelRule, funnel_limits
from sotongindex.averages import grouped
from sotongindex.comparisons import BenchmarkResult
from sotongindex.errors import DefinitionError, MethodError, nearest_key
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates, combine

__all__ = [
    "Adjustment",
    "DifferenceResult",
    "Family",
    "Funnel",
    "FunnelRule",
    "Verdict",
    "adjust_p_values",
    "differences_from_peers",
    "differences_from_spread",
    "funnel_limits",
    "pairwise_differences",
]

Family: TypeAlias = Literal["organization", "league"]


# -- from the mean of the peers ------------------------------------------------------------------


def differences_from_peers(
    benchmark: BenchmarkResult,
    *,
    family: Family = "organization",
    adjustment: Adjustment | None = None,
    false_claims: float = 0.05,
    relevant: float = 0.0,
) -> DifferenceResult:
    r"""Tell which scores differ from the mean of the peers.

    With :math:`d` the score minus the mean of the peers and :math:`s` its standard error, the
    peers' own errors and shared respondents included, and :math:`F` its t distribution

    .. math:: p = F\Bigl(\frac{\delta - |d|}{s}\Bigr) + F\Bigl(\frac{-\delta - |d|}{s}\Bigr)

    is the p-value of the hypothesis that the true difference is no more than :math:`\delta` =
    `relevant` points. The family of an organization's report is everything that `benchmark` says
    of this organization: index, channels, dimensions, against all peer groups. The family of a
    league table is all organizations on one score against one peer group.

    Args:
        benchmark: The comparison with peers; its rules say what is compared.
        family: "organization" for reports that each go to one organization, "league" for a table
            of all.
        adjustment: Default "benjamini-hochberg" within an organization, "holm" in a league.
        false_claims: The share of false claims, or the chance of any, that is allowed.
        relevant: The smallest difference worth a claim, in points.

    Returns:
        The differences, in the order of the rows of the benchmark. Where the error of a score or of
        one of its peers is not known, neither is the verdict.

    Raises:
        MethodError: If the family or the adjustment is unknown, or a number is out of range.

    References:
        Murphy and Myors (1999), doi 10.1037/0021-9010.84.2.234, for the smallest difference.
    """
    if family not in get_args(Family):
        raise MethodError(f'expected "organization" or "league", got {family!r}', argument="family")
    default: Adjustment = "benjamini-hochberg" if family == "organization" else "holm"
    claim = Claim(adjustment=adjustment or default, false_claims=false_claims, relevant=relevant)
    keys = benchmark.result.organizations
    parts = [
        Part(
            organizations=keys,
            against=[comparison.peers] * len(keys),
            channel=comparison.channel,
            dimension=comparison.dimension,
            difference=comparison.distances.mean,
            reasons=comparison.suppressions.distances,
        )
        for comparison in benchmark.comparisons
    ]
    place, table = np.arange(len(keys)), np.arange(len(parts))
    families = (
        np.tile(place, len(parts)) if family == "organization" else np.repeat(table, len(keys))
    )
    scores = [(part.channel, part.dimension) for part in parts]
    return claimed(
        benchmark.result,
        parts,
        families,
        claim=claim,
        notices=[*benchmark.notices, *error_notices(benchmark.result, dict.fromkeys(scores))],
    )


# -- from the spread of the organizations --------------------------------------------------------


def differences_from_spread(
    result: IndexResult,
    by: str | None = None,
    *,
    channel: str | None = None,
    dimension: str | None = None,
    winsorize: float = 0.1,
    rule: FunnelRule = "consistent",
    adjustment: Adjustment = "holm",
    false_claims: float = 0.05,
    relevant: float = 0.0,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> DifferenceResult:
    """Tell which organizations lie outside the usual spread of organizations.

    Many organizations differ a little from the mean; the question here is who differs more than
    organizations usually do. The middle and the spread are found by `funnel_limits`, one funnel a
    group; the difference is the score minus the middle, its standard error that of the spread. All
    organizations together are one family.

    Args:
        result: The scores.
        by: The attribute that makes the groups, such as "industry"; None makes one of all.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        winsorize: The share of scores drawn in at each end before the spread is found.
        rule: "consistent", whose verdicts keep to `false_claims`, or "published".
        adjustment: How p-values are adjusted.
        false_claims: The chance of any false claim that is allowed (under Holm).
        relevant: The smallest difference worth a claim, in points.
        rules: What may be shown: a group needs `min_peers_rank` others, an organization
            `min_respondents_compare` respondents.

    Returns:
        One difference for every organization, and the funnels.

    Raises:
        DefinitionError: If there is no such channel or dimension, or nobody has the attribute.
        MethodError: If a number is out of range, or a rule or adjustment is unknown.

    References:
        Spiegelhalter (2005), doi 10.1136/qshc.2005.013755.
    """
    claim = Claim(adjustment=adjustment, false_claims=false_claims, relevant=relevant)
    subject = Subject.of(result, channel, dimension)
    groups, group_of = grouped(result, by)
    reasons = _spread_reasons(subject, group_of, rules)
    funnels, difference = _funnels(subject, group_of, reasons, winsorize=winsorize, rule=rule)
    part = Part(
        organizations=result.organizations,
        against=[groups[place] if place >= 0 else "" for place in group_of],
        channel=channel,
        dimension=dimension,
        difference=difference,
        reasons=reasons,
    )
    return claimed(
        result,
        [part],
        np.zeros(len(reasons), dtype=np.int64),
        claim=claim,
        notices=error_notices(result, [(channel, dimension)]),
        funnels=[(groups[place], funnel) for place, funnel in funnels],
    )


def _spread_reasons(subject: Subject, group_of: IntArray, rules: DisclosureRules) -> Reasons:
    own = first_of(
        subject.reasons(rules.min_respondents_compare),
        first_reason(("unknown attribute", group_of < 0)),
    )
    size = np.bincount(group_of[own == ""], minlength=group_of.max(initial=0) + 1)
    return first_of(own, first_reason(("few peers", size[group_of] - 1 < rules.min_peers_rank)))


def _funnels(
    subject: Subject, group_of: IntArray, reasons: Reasons, *, winsorize: float, rule: FunnelRule
) -> tuple[list[tuple[int, Funnel]], Estimates]:
    """Return the funnel of every group, and the distances (o,) from their middles."""
    scores = subject.estimates
    difference, error = np.full(scores.size, np.nan), np.full(scores.size, np.nan)
    freedom = np.zeros(scores.size)
    funnels = []
    for group in np.unique(group_of[reasons == ""]):
        members = np.flatnonzero((group_of == group) & (reasons == ""))
        funnel = funnel_limits(
            scores.values[members],
            scores.standard_error[members],
            winsorize=winsorize,
            rule=rule,
            degrees_of_freedom=scores.degrees_of_freedom[members],
        )
        funnels.append((int(group), funnel))
        difference[members] = funnel.values - funnel.target
        error[members], freedom[members] = funnel.spread_error, funnel.degrees_of_freedom
    distances = Estimates.independent(
        difference, error, degrees_of_freedom=freedom, level=scores.level, lower=-100.0
    )
    return funnels, distances


# -- between organizations -----------------------------------------------------------------------


def pairwise_differences(
    result: IndexResult,
    organizations: Iterable[str],
    *,
    channel: str | None = None,
    dimension: str | None = None,
    adjustment: Adjustment = "holm",
    false_claims: float = 0.05,
    relevant: float = 0.0,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> DifferenceResult:
    """Tell which of a few organizations differ from each other.

    The error of a difference has the covariance between organizations that share respondents. All
    pairs are one family.

    Args:
        result: The scores.
        organizations: Keys of two organizations or more; all pairs of them are compared.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        adjustment: How p-values are adjusted.
        false_claims: The chance of any false claim that is allowed (under Holm).
        relevant: The smallest difference worth a claim, in points.
        rules: What may be shown: both need `min_respondents_compare` respondents.

    Returns:
        One difference for every pair; "better" says that the first of the two is.

    Raises:
        DefinitionError: If an organization, the channel or the dimension is not known.
        MethodError: If fewer than two organizations are named or one is named twice, a number is
            out of range, or the adjustment is unknown.
    """
    claim = Claim(adjustment=adjustment, false_claims=false_claims, relevant=relevant)
    places = _places(result, organizations)
    subject = Subject.of(result, channel, dimension)
    one, other = np.array(list(combinations(range(len(places)), 2))).T
    first, second = places[one], places[other]
    identity = np.eye(len(places))
    own = subject.reasons(rules.min_respondents_compare)
    reasons = first_of(own[first], own[second])
    chosen = subject.estimates.select(places)
    values = subject.estimates.values
    distance = np.where(reasons == "", values[first] - values[second], np.nan)
    shown = combine([(chosen, identity[one] - identity[other])], values=distance)
    keys = result.organizations
    part = Part(
        organizations=[keys[place] for place in first],
        against=[keys[place] for place in second],
        channel=channel,
        dimension=dimension,
        difference=shown,
        reasons=reasons,
    )
    return claimed(
        result,
        [part],
        np.zeros(len(first), dtype=np.int64),
        claim=claim,
        notices=error_notices(result, [(channel, dimension)]),
    )


def _places(result: IndexResult, organizations: Iterable[str]) -> IntArray:
    """Return the positions of organizations, each named once."""
    wanted = [organizations] if isinstance(organizations, str) else list(organizations)
    position = {key: place for place, key in enumerate(result.organizations)}
    for key in wanted:
        if key not in position:
            raise DefinitionError(
                f"unknown organization {key!r}",
                field="organizations",
                key=key,
                nearest=nearest_key(key, position),
            )
    if len(set(wanted)) < max(2, len(wanted)):
        raise MethodError(
            f"expected two or more different organizations, got {', '.join(wanted) or 'none'}",
            argument="organizations",
        )
    return np.array([position[key] for key in wanted])
