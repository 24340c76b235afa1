"""One organization beside its peers in every channel and dimension: what a heat map shows."""

from __future__ import annotations

from itertools import product

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._claims import adjust_p_values, p_values
from sotongindex._disclosure import DisclosureRules, Reasons, Subject, first_of, peer_reasons
from sotongindex._peers import Peers, PeerSets, find_peers, named_peers, picked, scaled
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates, combine


@attrs.frozen(kw_only=True, eq=False)
class HeatCells:
    """Distances of one organization to the mean of its peers. Arrays are (c + 1, d + 1).

    The last row is all channels together, the last column all dimensions together.

    Attributes:
        peers: The key of the peer group.
        score: Its scores; NaN where not shown.
        distance: Scores minus the mean of the peers; NaN where not shown.
        low: Lower ends of the intervals of the distances; NaN where not known.
        high: Upper ends.
        claimed: 1 and -1 where the distance is clearly above and below 0, else 0.
        reasons: Why a cell is not shown, "" where it is.
    """

    peers: str
    score: FloatArray
    distance: FloatArray
    low: FloatArray
    high: FloatArray
    claimed: FloatArray
    reasons: Reasons


def heat_cells(
    result: IndexResult,
    organization: IntArray,
    peers: Peers,
    *,
    rules: DisclosureRules,
    false_claims: float,
) -> HeatCells:
    """Compare one organization (its position, (1,)) with its peers in every cell.

    Claims are adjusted for being many (Benjamini-Hochberg over all cells that are shown).
    """
    framework = result.study.framework
    sets = find_peers(result.study.organizations, named_peers(peers))
    channels, dimensions = [*framework.channel_keys, None], [*framework.dimension_keys, None]
    cells = [
        _cell(Subject.of(result, *part), organization, sets, rules=rules)
        for part in product(channels, dimensions)
    ]
    shape = (len(channels), len(dimensions))

    def table(values: list[FloatArray]) -> FloatArray:
        return np.concatenate(values).reshape(shape)

    distance = table([one.values for _, one, _ in cells])
    adjusted = adjust_p_values(table([p_values(one) for _, one, _ in cells]))
    return HeatCells(
        peers=sets.key,
        score=table([score for score, _, _ in cells]),
        distance=distance,
        low=table([one.low for _, one, _ in cells]),
        high=table([one.high for _, one, _ in cells]),
        claimed=np.where(adjusted <= false_claims, np.sign(distance), 0.0),
        reasons=np.concatenate([reasons for _, _, reasons in cells]).reshape(shape),
    )


def _cell(
    subject: Subject, organization: IntArray, sets: PeerSets, *, rules: DisclosureRules
) -> tuple[FloatArray, Estimates, Reasons]:
    """Return score and distance of one cell, missing where not shown, and why."""
    placement, own = subject.place(sets, rules)
    few = peer_reasons(sets, placement.others, rules.min_peers_mean)
    reasons = first_of(own, few)[organization]
    scores, mean = subject.estimates, placement.figure("mean")
    values = scores.values[organization]
    distance = combine(
        picked(scores, organization) + scaled(mean.terms(scores, organization), -1.0),
        values=np.where(reasons == "", values - mean.values[organization], np.nan),
    )
    return np.where(reasons == "", values, np.nan), distance, reasons
