"""Peers: percentile rank, rank, and the distance to the mean, median, best quartile and best.

Every distance carries its error, the peers' own errors and shared respondents included; what rests
on too few peers or respondents is left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._disclosure import (
    DisclosureRules,
    Reason,
    Reasons,
    Subject,
    attribute_notices,
    first_of,
    first_reason,
    peer_reasons,
    respondent_notices,
    shown,
)
from sotongindex._peers import Peers, PeerSets, Placement, distance, find_peers, named_peers
from sotongindex.averages import GroupMeans, group_means
from sotongindex.comparisons import (
    BenchmarkResult,
    Comparison,
    PeerDistances,
    PeerFigures,
    Suppressions,
)
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import GradeScale, PeerGroup
from sotongindex.percentiles import (
    TIE_WIDTH,
    CountKind,
    peer_quantiles,
    percentile_of_counts,
    percentile_rank,
)
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

__all__ = [
    "BenchmarkResult",
    "Comparison",
    "DisclosureRules",
    "GroupMeans",
    "PeerDistances",
    "PeerFigures",
    "PeerGroup",
    "Reason",
    "Suppressions",
    "compare_to_peers",
    "grades",
    "group_means",
    "peer_quantiles",
    "percentile_rank",
]

Level: TypeAlias = Literal["index", "channels", "dimensions"]


# -- the comparison ------------------------------------------------------------------------------


def compare_to_peers(
    result: IndexResult,
    by: Peers | Sequence[Peers] = "industry",
    *,
    include_self: bool = False,
    kind: CountKind = "mean",
    rules: DisclosureRules = DisclosureRules(),  # frozen
    scale: GradeScale | None = None,
    levels: Sequence[Level] = ("index", "channels", "dimensions"),
) -> BenchmarkResult:
    r"""Compare every organization with its peers, itself left out.

    With :math:`x_i` the score and :math:`x_{-i}` the scores of the peers, a distance is
    :math:`x_i - T(x_{-i})` for :math:`T` the mean, the median, the upper quartile (type 7) or the
    best. Its error is that of the linear combination of scores it is, with the covariance between
    organizations that share respondents. For the mean that is exact. A quantile, or the best, moves
    with every peer that may well hold its place, :math:`w_j \propto \phi(2 (q - x_j) / \sigma_j) /
    \sigma_j`, which gives it the error that it has in repeated samples.

    An organization with fewer respondents than `rules.min_respondents_compare` is not compared and
    is no peer of others. The callable of a peer group is asked for every pair of organizations.

    Args:
        result: The scores.
        by: The peers: "industry", "other industries", "sector", "everyone", the name of an
            attribute (the same value in it), a `PeerGroup`, a function of the organization and
            another that says whether the other is a peer, or a sequence of these.
        include_self: Whether an organization counts among those it is compared with, where its
            peer group holds it.
        kind: The percentile rank: "mean", "strict", "weak" or "rank"; see `percentile_rank`.
        rules: What may be shown.
        scale: Grades to give.
        levels: What to compare: the index, the channels, the dimensions.

    Returns:
        The comparisons.

    Raises:
        DefinitionError: If nobody has an attribute the peers are found by, or two peer groups
            share a key.
        MethodError: If the kind or a level is unknown, or nothing is to be compared.

    References:
        Woodruff (1971), doi 10.1080/01621459.1971.10482279, for linearization.
    """
    wanted = [by] if isinstance(by, str | PeerGroup) or callable(by) else list(by)
    subjects = _subjects(result, levels)
    if not wanted or kind not in get_args(CountKind):
        what = f"kind {kind!r}" if wanted else "no peer group"
        raise MethodError(
            f'expected peers and kind "mean", "strict", "weak" or "rank", got {what}',
            argument="kind" if wanted else "by",
        )
    groups = [find_peers(result.study.organizations, named_peers(peers)) for peers in wanted]
    keys = [group.key for group in groups]
    for key in keys:
        if keys.count(key) > 1:
            raise DefinitionError(f"key {key!r} is used twice", field="PeerGroup.key", key=key)
    notices = [*respondent_notices(result, rules), *attribute_notices(result, groups)]
    settings = _Settings(include_self=include_self, kind=kind, rules=rules, scale=scale)
    return BenchmarkResult(
        result=result,
        comparisons=tuple(
            _compare(group, subject, settings) for group in groups for subject in subjects
        ),
        kind=kind,
        include_self=include_self,
        rules=rules,
        scale=scale,
        notices=tuple(notices),
    )


@attrs.frozen(kw_only=True)
class _Settings:
    """How to compare."""

    include_self: bool
    kind: CountKind
    rules: DisclosureRules
    scale: GradeScale | None


def _subjects(result: IndexResult, levels: Sequence[Level]) -> list[Subject]:
    """Return the scores to compare."""
    framework = result.study.framework
    pairs: dict[str, list[tuple[str | None, str | None]]] = {
        "index": [(None, None)],
        "channels": [(key, None) for key in framework.channel_keys],
        "dimensions": [(None, key) for key in framework.dimension_keys],
    }
    strange = [level for level in levels if level not in pairs]
    if strange or not levels or isinstance(levels, str):
        raise MethodError(
            f"expected some of {', '.join(map(repr, pairs))}, got {levels!r}", argument="levels"
        )
    return [
        Subject.of(result, *pair) for level in pairs if level in levels for pair in pairs[level]
    ]


def _compare(peers: PeerSets, subject: Subject, settings: _Settings) -> Comparison:
    rules = settings.rules
    placement, own = subject.place(peers, rules, include_self=settings.include_self)
    few = peer_reasons(peers, placement.others, rules.min_peers_mean)
    fewer = first_of(few, peer_reasons(peers, placement.others, rules.min_peers_rank))
    hidden = subject.reasons(rules.min_respondents_show)
    grade, no_grade = _grades(subject, settings)
    why = Suppressions(
        score=hidden,
        figures=few,
        extremes=fewer,
        distances=first_of(own, few),
        standing=first_of(own, fewer),
        grade=no_grade,
    )
    percentile = percentile_of_counts(
        placement.below, placement.ties, placement.count, kind=settings.kind
    )
    return Comparison(
        peers=peers.key,
        channel=subject.channel,
        dimension=subject.dimension,
        score=_hide(subject.estimates, hidden),
        others=placement.others,
        percentile=shown(percentile, why.standing),
        rank=shown(placement.above + np.float64(1), why.standing),
        figures=_figures(placement, why),
        distances=_distances(subject.estimates, placement, why),
        grade=grade,
        suppressions=why,
    )


def _hide(estimates: Estimates, reasons: Reasons) -> Estimates:
    return attrs.evolve(
        estimates,
        values=shown(estimates.values, reasons),
        variance=shown(estimates.variance, reasons),
        degrees_of_freedom=np.where(reasons == "", estimates.degrees_of_freedom, 0.0),
    )


def _figures(placement: Placement, why: Suppressions) -> PeerFigures:
    extremes = ("p10", "p90", "best")
    return PeerFigures(
        **{
            field.name: shown(
                placement.figure(field.name).values,
                why.extremes if field.name in extremes else why.figures,
            )
            for field in attrs.fields(PeerFigures)
        }
    )


def _distances(estimates: Estimates, placement: Placement, why: Suppressions) -> PeerDistances:
    return PeerDistances(
        **{
            field.name: distance(
                estimates,
                placement.figure(field.name),
                (why.standing if field.name == "best" else why.distances) == "",
            )
            for field in attrs.fields(PeerDistances)
        }
    )


# -- grades --------------------------------------------------------------------------------------


def grades(scores: Estimates | ArrayLike, scale: GradeScale) -> NDArray[np.object_]:
    """Return the grade of every score; lower bounds are inclusive, ties within 1e-9.

    Args:
        scores: Scores, of any shape; NaN means missing.
        scale: The grades.

    Returns:
        Grades in the shape of the scores; None below the lowest grade and for missing scores.

    >>> grades([91.0, 90.0, 12.0], GradeScale(key="2025", bands={"S": 90, "A": 70})).tolist()
    ['S', 'S', None]
    """
    given = scores.values if isinstance(scores, Estimates) else scores
    values = np.asarray(given, dtype=np.float64)
    bounds = np.array([band.at_least for band in scale.bands[::-1]])
    names = np.array([None, *(band.grade for band in scale.bands[::-1])], dtype=object)
    reached = np.searchsorted(bounds - TIE_WIDTH, values, side="right")
    found: NDArray[np.object_] = names[np.where(np.isnan(values), 0, reached)]
    return found


def _grades(subject: Subject, settings: _Settings) -> tuple[NDArray[np.object_], Reasons]:
    scores = subject.estimates.values
    if settings.scale is None:
        return np.full(len(scores), None, dtype=object), np.full(len(scores), "no grade scale")
    found = grades(scores, settings.scale)
    hidden = subject.reasons(settings.rules.min_respondents_band)
    ungraded = np.array([grade is None for grade in found], dtype=bool)
    found[hidden != ""] = None
    return found, first_of(hidden, first_reason(("below the lowest grade", ungraded)))
