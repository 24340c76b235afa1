"""Peer groups: wider where an industry is too small, nearest by attributes, safe from subtraction.

`widen_peers` and `nearest_peers` give an assignment that `compare_to_peers` and `assess_standing`
take as peers. `adjust_for_mix` gives peers the organization's own mix of respondents;
`best_practice` looks for the best within and outside the industry. `report_differencing` and
`group_differencing` warn where two groups differ by so few that their figures give them away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._disclosure import DisclosureRules, Subject, first_reason
from sotongindex._mix import MixAdjustment, Mixing, adjust_for_mix
from sotongindex._peer_assignment import PeerAssignment, peer_sets_of
from sotongindex._peers import Peers, PeerSets
from sotongindex._practice import BestOthers, BestPractice, best_practice
from sotongindex.errors import DefinitionError, MethodError, nearest_key
from sotongindex.models import Organization
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult, Notice

__all__ = [
    "BestOthers",
    "BestPractice",
    "MixAdjustment",
    "Mixing",
    "PeerAssignment",
    "adjust_for_mix",
    "best_practice",
    "group_differencing",
    "nearest_peers",
    "report_differencing",
    "widen_peers",
]

_FIELDS = ("industry", "sector", "size", "channels")


# -- wider groups --------------------------------------------------------------------------------


def widen_peers(
    result: IndexResult,
    ladder: Sequence[Peers] | None = None,
    *,
    channel: str | None = None,
    dimension: str | None = None,
    minimum: int | None = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> PeerAssignment:
    """Give every organization the narrowest group that is large enough.

    Step by step up the ladder: the first group with `minimum` peers that can be compared (they have
    a score, from `rules.min_respondents_compare` respondents). An organization that lacks an
    attribute passes that step by. Where even the widest group is too small it is kept, with the
    reason "few peers".

    Args:
        result: The scores.
        ladder: Groups from narrow to wide; default industry and sector, where organizations have
            them, then everyone.
        channel: The channel that is to be compared; None means all together.
        dimension: The dimension; None means all together.
        minimum: Peers needed; default `rules.min_peers_rank`.
        rules: Who counts as a peer.

    Returns:
        The assignment; its `groups` says which step each organization reached.

    Raises:
        DefinitionError: If nobody has an attribute that a step asks for.
        MethodError: If the ladder is empty or the minimum below 1.
    """
    least = rules.min_peers_rank if minimum is None else minimum
    steps = _ladder(result.study.organizations) if ladder is None else list(ladder)
    if not steps:
        raise MethodError("expected at least one peer group, got none", argument="ladder")
    if least < 1:
        raise MethodError(f"expected 1 or more, got {least}", argument="minimum")
    subject = Subject.of(result, channel, dimension)
    found = [peer_sets_of(result.study, peers) for peers in steps]
    others = np.array([subject.place(sets, rules)[0].others for sets in found])
    enough = others >= least
    # The first step that is wide enough, else the last one.
    chosen = np.where(enough.any(axis=0), enough.argmax(axis=0), len(found) - 1)
    reached = others[chosen, np.arange(len(chosen))]
    sets, set_of = _chosen_sets(found, chosen, result.organizations)
    return PeerAssignment(
        key="widened",
        study=result.study,
        groups=tuple(found[step].key for step in chosen),
        sets=sets,
        set_of=set_of,
        others=reached,
        farthest=np.full(len(chosen), np.nan),
        reasons=first_reason(("few peers", reached < least)),
    )


def _ladder(organizations: Sequence[Organization]) -> list[Peers]:
    known = [
        name for name in ("industry", "sector") if any(one.attribute(name) for one in organizations)
    ]
    return [*known, "everyone"]


def _chosen_sets(
    found: Sequence[PeerSets], chosen: IntArray, keys: tuple[str, ...]
) -> tuple[tuple[frozenset[str], ...], IntArray]:
    """Return the sets that are used, and which organization uses which."""
    used = [(int(step), int(found[step].set_of[own])) for own, step in enumerate(chosen)]
    numbers = {pair: number for number, pair in enumerate(dict.fromkeys(used))}
    # The set of an organization that lacks the attribute of the widest group is empty.
    sets = tuple(
        frozenset(keys[place] for place in found[step].sets[at]) if at >= 0 else frozenset[str]()
        for step, at in numbers
    )
    return sets, np.array([numbers[pair] for pair in used], dtype=np.int64)


# -- nearest organizations -----------------------------------------------------------------------


def nearest_peers(
    result: IndexResult,
    attributes: Sequence[str] | Mapping[str, float] | None = None,
    *,
    count: int = 10,
    channel: str | None = None,
    dimension: str | None = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> PeerAssignment:
    r"""Give every organization the most similar ones as peers.

    Gower's distance over the attributes that both have,

    .. math:: d_{ij} = \sum_a w_a d_{ija} \Big/ \sum_a w_a ,

    each part within 0 and 1: for ``"size"`` :math:`|\ln(1 + s_i) - \ln(1 + s_j)|` over its range;
    for ``"channels"`` the share of the channels of either that only one operates (Jaccard); for
    every other attribute 0 where it is the same and 1 where not. Organizations that have no
    attribute in common are never peers. Peers as near as the last one are peers too, so that the
    order of the study decides nothing.

    Args:
        result: The scores.
        attributes: Names, or names with weights above 0; default industry, sector, size and
            channels, where organizations have them.
        count: How many peers.
        channel: The channel that is to be compared; None means all together.
        dimension: The dimension; None means all together.
        rules: Who counts as a peer.

    Returns:
        The assignment; its `farthest` is the distance of the farthest peer.

    Raises:
        DefinitionError: If nobody has an attribute.
        MethodError: If there is no attribute, a weight is not above 0, or the count is below 1.

    References:
        Gower (1971), doi 10.2307/2528823.
    """
    if count < 1:
        raise MethodError(f"expected 1 or more, got {count}", argument="count")
    organizations = result.study.organizations
    distance = _gower(organizations, _weights(organizations, attributes))
    counted = Subject.of(result, channel, dimension).reasons(rules.min_respondents_compare) == ""
    np.fill_diagonal(distance, np.inf)
    distance[:, ~counted] = np.inf
    last = np.sort(distance, axis=1)[:, min(count, len(distance)) - 1]
    near = np.isfinite(distance) & (distance <= last[:, None] + TIE_WIDTH)
    keys, others = np.array(result.organizations), near.sum(axis=1)
    return PeerAssignment(
        key="nearest",
        study=result.study,
        groups=("nearest",) * len(keys),
        sets=tuple(frozenset(keys[row].tolist()) for row in near),
        set_of=np.arange(len(keys)),
        others=others,
        farthest=np.where(
            others > 0, np.where(near, distance, -np.inf).max(axis=1, initial=-np.inf), np.nan
        ),
        reasons=first_reason(("few peers", others < count)),
    )


def _weights(
    organizations: Sequence[Organization], attributes: Sequence[str] | Mapping[str, float] | None
) -> dict[str, float]:
    """Return the weight of every attribute that distances are made of."""
    known = [name for name in _FIELDS if _has(organizations, name)]
    if attributes is None:
        attributes = known
    weights = (
        dict(attributes) if isinstance(attributes, Mapping) else dict.fromkeys(attributes, 1.0)
    )
    if not weights or not all(0 < weight < np.inf for weight in weights.values()):
        raise MethodError(
            f"expected at least one attribute with a weight above 0, got {weights}",
            argument="attributes",
        )
    further = {name for one in organizations for name, _ in one.attributes}
    for name in weights:
        if not _has(organizations, name):
            raise DefinitionError(
                f"no organization has a value for {name!r}",
                field="nearest_peers.attributes",
                key=name,
                nearest=nearest_key(name, sorted({*known, *further} - {name})),
            )
    return weights


def _value(organization: Organization, name: str) -> object:
    return getattr(organization, name) if name in _FIELDS else organization.attribute(name)


def _has(organizations: Sequence[Organization], name: str) -> bool:
    return any(_value(one, name) not in (None, "", ()) for one in organizations)


def _gower(organizations: Sequence[Organization], weights: Mapping[str, float]) -> FloatArray:
    """Return the distances (o, o), infinite where nothing is known of both."""
    size = len(organizations)
    total, weight = np.zeros((size, size)), np.zeros((size, size))
    for name, share in weights.items():
        parts, known = _parts([_value(one, name) for one in organizations], name)
        total += share * np.where(known, parts, 0.0)
        weight += share * known
    return np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), np.inf)


def _parts(values: list[object], name: str) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the distances in one attribute (o, o), and of whom it is known."""
    held = np.array([value not in (None, "", ()) for value in values])
    known = held[:, None] & held
    if name == "size":
        logs = np.log1p(
            np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        )
        span = np.nanmax(logs) - np.nanmin(logs)
        return np.abs(logs[:, None] - logs) / (span or 1.0), known
    if name == "channels":
        sets = [frozenset(_channels(value)) for value in values]
        every = sorted(frozenset[str]().union(*sets))
        member = np.array([[float(key in held) for key in every] for held in sets])
        both = member @ member.T
        either = member.sum(axis=1)[:, None] + member.sum(axis=1) - both
        return 1 - both / np.where(either > 0, either, 1.0), known
    texts = np.array([str(value) for value in values])
    return (texts[:, None] != texts).astype(np.float64), known


def _channels(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


# -- groups that give a member away ---------------------------------------------------------------


def group_differencing(
    groups: Mapping[str, Iterable[str]],
    *,
    least: int = 2,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> tuple[Notice, ...]:
    """Warn where one published group holds another and only a few members more.

    From the means and sizes of both, anybody can subtract, and is left with the mean of the
    difference: with one member more, that member's score. Groups too small to be shown are left
    aside. Three or more groups together can give away more than any two; that is not searched.

    Args:
        groups: The keys of the members of every group, such as those of a norm and of next year's.
        least: The smallest difference that is safe.
        rules: Groups below `rules.min_peers_mean` are not shown.

    Returns:
        One notice for every such pair; its keys are the members that are given away.

    >>> six = ["a", "b", "c", "d", "e", "f"]
    >>> [notice.keys for notice in group_differencing({"all": six, "old": six[:5]})]
    [('f',)]
    """
    sets = {name: frozenset(members) for name, members in groups.items()}
    large = [(name, held) for name, held in sets.items() if len(held) >= rules.min_peers_mean]
    return tuple(
        Notice(
            code="differencing",
            message=(
                f"{wide!r} and {narrow!r} differ by {len(more - held)} of {len(more)}: their means "
                "together give away the difference; publish one of them"
            ),
            keys=tuple(sorted(more - held)),
        )
        for narrow, held in large
        for wide, more in large
        if held < more and len(more - held) < least
    )


def report_differencing(
    result: IndexResult,
    by: Sequence[Peers],
    *,
    channel: str | None = None,
    dimension: str | None = None,
    least: int = 2,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> tuple[Notice, ...]:
    """Warn whose own report, with several peer groups in it, gives away another's score.

    An organization sees figures of every group, itself left out. Where one group holds another and
    fewer than `least` more, it can subtract; see `group_differencing`.

    Args:
        result: The scores.
        by: The peer groups that one report shows.
        channel: The channel compared; None means all together.
        dimension: The dimension; None means all together.
        least: The smallest difference that is safe.
        rules: Who counts as a peer, and how many are needed to be shown.

    Returns:
        One notice for every pair of groups; its keys are the organizations whose report it is.
    """
    subject = Subject.of(result, channel, dimension)
    counted = subject.reasons(rules.min_respondents_compare) == ""
    found = [peer_sets_of(result.study, peers) for peers in by]
    member = [_membership(sets, counted) for sets in found]
    keys = np.array(result.organizations)
    notices = []
    for first, wide in enumerate(member):
        for second, narrow in enumerate(member):
            more, held = wide.sum(axis=1), narrow.sum(axis=1)
            inside = ~(narrow & ~wide).any(axis=1)
            close = inside & (more > held) & (more - held < least) & (held >= rules.min_peers_mean)
            if close.any():
                message = (
                    f"the peers {found[first].key!r} are the peers {found[second].key!r} and fewer "
                    f"than {least} more: both means together give those away; show one of them"
                )
                notices.append(
                    Notice(code="differencing", message=message, keys=tuple(keys[close].tolist()))
                )
    return tuple(notices)


def _membership(sets: PeerSets, counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return who is a peer of whom, (o, o)."""
    table = np.zeros((len(sets.sets) + 1, len(counted)), dtype=bool)
    for number, members in enumerate(sets.sets):
        table[number, members] = counted[members]
    # Those of no set point to the last row, which is empty.
    member: NDArray[np.bool_] = table[sets.set_of]
    np.fill_diagonal(member, val=False)
    return member
