"""Ranks, and how far they can be trusted: confidence sets, probabilities, and league tables.

Rank 1 is the best, the highest value; ties (within 1e-9) share the better rank.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._confidence_sets import (
    RankSets,
    Side,
    joint_interval_ranks,
    rank_confidence_sets,
    tau_best,
    tau_worst,
)
from sotongindex._disclosure import DisclosureRules, Reasons, Subject
from sotongindex._left_out import left_out_notices, unusable
from sotongindex._peers import Peers, PeerSets, find_peers, named_peers
from sotongindex._posterior_ranks import PosteriorRanks, Prior, posterior_ranks
from sotongindex._rank_inputs import check_count
from sotongindex._rank_result import RankResult
from sotongindex._rank_sets import Rng
from sotongindex.errors import MethodError
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

__all__ = [
    "PosteriorRanks",
    "Prior",
    "RankResult",
    "RankSets",
    "Side",
    "joint_interval_ranks",
    "posterior_ranks",
    "rank_confidence_sets",
    "rank_organizations",
    "tau_best",
    "tau_worst",
]


def rank_organizations(
    result: IndexResult,
    peers: Peers = "everyone",
    *,
    channel: str | None = None,
    dimension: str | None = None,
    simultaneous: bool = False,
    stepdown: bool = True,
    prior: Prior = "normal",
    top: int = 3,
    level: float | None = None,
    draws: int = 1000,
    rng: Rng = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> RankResult:
    """Rank the organizations of an index, with confidence sets and probabilities of the ranks.

    Organizations that are each other's peers make a league. Left out, with a notice, are those
    without a score, with fewer respondents than `rules.min_respondents_compare`, whose error is not
    known, or that belong to no league; a league where an organization has fewer than
    `rules.min_peers_rank` peers is not ranked. Respondents that organizations share are counted.

    Args:
        result: The scores.
        peers: Who is ranked among whom: "everyone", "industry", "sector", the name of an attribute
            (the same value in it), or a `PeerGroup`.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        simultaneous: Whether sets hold all ranks of a league at once, for a published table, or
            each its own, for the organization's report; see `rank_confidence_sets`.
        stepdown: As in `rank_confidence_sets`, as are `draws` and `rng`.
        prior: Of the probabilities, "normal" or "flat"; see `posterior_ranks`.
        top: How many organizations are the top.
        level: The level of the sets; None means that of the result.
        draws: How many draws.
        rng: A seed or a generator; the same seed gives the same sets.
        rules: What may be shown.

    Returns:
        The ranks.

    Raises:
        DefinitionError: If there is no such channel, dimension or attribute.
        MethodError: If organizations are not each other's peers, as in "other industries", or as
            `rank_confidence_sets` says.
    """
    check_count(top, "top")
    subject = Subject.of(result, channel, dimension)
    groups = find_peers(result.study.organizations, named_peers(peers))
    reasons, leagues = _leagues(groups, unusable(subject, rules.min_respondents_compare), rules)
    random = np.random.default_rng(rng)
    width = subject.estimates.level if level is None else level
    columns = {name: np.full(len(reasons), np.nan) for name in _COLUMNS}
    for number, members in enumerate(leagues):
        ranked = _ranked(
            subject.estimates.select(members),
            top,
            prior=prior,
            level=width,
            simultaneous=simultaneous,
            stepdown=stepdown,
            draws=draws,
            rng=random,
        )
        for name, values in {**ranked, "league": number + 1.0}.items():
            columns[name][members] = values
    return RankResult(
        result=result,
        peers=groups.key,
        channel=channel,
        dimension=dimension,
        score=subject.estimates,
        **columns,
        top=top,
        level=width,
        simultaneous=simultaneous,
        reasons=reasons,
        notices=left_out_notices(result, reasons, rules),
    )


_COLUMNS = (
    "league",
    "of",
    "rank",
    "low",
    "high",
    "expected_rank",
    "probability_best",
    "probability_top",
)


def _leagues(
    groups: PeerSets, reasons: Reasons, rules: DisclosureRules
) -> tuple[Reasons, list[NDArray[np.int64]]]:
    """Return why organizations are not ranked, and the members of every league that is."""
    reasons = np.where((reasons == "") & (groups.set_of < 0), "unknown attribute", reasons)
    reasons = reasons.astype(object)
    leagues = []
    inside = np.zeros(len(reasons), dtype=bool)
    for number, members in enumerate(groups.sets):
        if (groups.set_of[members] != number).any():
            raise MethodError(
                f"expected a group whose members are each other's peers, got {groups.key!r}; ranks "
                'need one, such as "industry" or "everyone"',
                argument="peers",
            )
        inside[members] = True
        counted = members[reasons[members] == ""]
        if len(counted) > rules.min_peers_rank:
            leagues.append(counted)
        else:
            reasons[counted] = "few peers"
    reasons[(reasons == "") & ~inside] = "not in the group"
    return reasons.astype(str), leagues


def _ranked(scores: Estimates, top: int, *, prior: Prior, **settings: Any) -> dict[str, FloatArray]:
    """Rank the organizations of one league."""
    covariance = scores.covariance()
    sets = rank_confidence_sets(
        scores.values, covariance, degrees_of_freedom=scores.degrees_of_freedom, **settings
    )
    posterior = posterior_ranks(scores.values, covariance, prior=prior)
    return {
        "of": np.full(scores.size, float(scores.size)),
        "rank": sets.rank.astype(np.float64),
        "low": sets.low.astype(np.float64),
        "high": sets.high.astype(np.float64),
        "expected_rank": posterior.expected_rank,
        "probability_best": posterior.probability_top(1),
        "probability_top": posterior.probability_top(top),
    }
