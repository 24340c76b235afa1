"""The mix-adjusted benchmark: peers as they would score with the organization's own respondents."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray, float_array
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import DisclosureRules, Reason, Subject, first_of, peer_reasons
from sotongindex._html import View
from sotongindex._peer_assignment import PeerAssignment, peer_sets_of
from sotongindex._peers import Peers, PeerSets
from sotongindex._render import Rendered, notice_words, study_facts, study_names
from sotongindex._sums import check_respondents_kept
from sotongindex._table import Column, Table
from sotongindex._text import Language, say
from sotongindex.errors import DefinitionError, MethodError, nearest_key
from sotongindex.index import compute_index
from sotongindex.method import IndexMethod
from sotongindex.models import Study
from sotongindex.responses import Responses
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates, combine
from sotongindex.weighting import WeightingScheme

Mixing: TypeAlias = Literal["organizations", "respondents"]


@attrs.frozen(kw_only=True, eq=False)
class MixAdjustment(Rendered):
    """One organization beside peers with its own mix of respondents.

    Attributes:
        study: What was measured.
        organization: Whose mix.
        attribute: The attribute of the respondents.
        peers: The key of the peer group.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        mixing: How peers count.
        categories: The values of the attribute, "" where not known, (k).
        own_shares: The organization's share of respondents in each, (k,).
        peer_shares: The peers' share before the adjustment, (k,).
        score: The organization's score.
        plain: The peers' mean as they are.
        adjusted: The peers' mean under the organization's mix.
        distance: The score minus `adjusted`.
        effect: `adjusted` minus `plain`: what the mix alone does.
        others: How many peers.
        reason: Why nothing is shown; "" where it is.
        notices: What a reader should know.
    """

    study: Study
    organization: str
    attribute: str
    peers: str
    channel: str | None
    dimension: str | None
    mixing: Mixing
    categories: tuple[str, ...]
    own_shares: FloatArray = attrs.field(converter=float_array)
    peer_shares: FloatArray = attrs.field(converter=float_array)
    score: Estimates
    plain: Estimates
    adjusted: Estimates
    distance: Estimates
    effect: Estimates
    others: int
    reason: Reason
    notices: tuple[Notice, ...]

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every figure: score, plain, adjusted, distance, effect."""
        figures = ("score", "plain", "adjusted", "distance", "effect")
        estimates = [getattr(self, name) for name in figures]
        return rows_from_columns(
            {
                "organization": [self.organization] * len(figures),
                "peers": [self.peers] * len(figures),
                "figure": figures,
                "value": [one.values.item() for one in estimates],
                "standard_error": [one.standard_error.item() for one in estimates],
                "low": [one.low.item() for one in estimates],
                "high": [one.high.item() for one in estimates],
                "others": [self.others] * len(figures),
                "reason": [self.reason] * len(figures),
            }
        )

    def _view(self, language: Language) -> View:
        row = {
            "organization": self.organization,
            "score": self.score.values.item(),
            "others": self.others,
            "mean": self.adjusted.values.item(),
            "gap": self.distance.values.item(),
            "low": self.distance.low.item(),
            "high": self.distance.high.item(),
        }
        names = study_names(self.study, language)
        return View(
            title=say("title.peers", language),
            facts=study_facts(self.study, language),
            table=Table(
                columns=(
                    Column("organization"),
                    Column("score", "points"),
                    Column("others", "count"),
                    Column("mean", "points"),
                    Column("gap", "signed"),
                    Column("interval", "interval", ("low", "high")),
                ),
                rows=rows_from_columns({name: [value] for name, value in row.items()}),
                language=language,
                names=names,
                level=self.score.level,
            ),
            notices=notice_words(self.notices, language, names["organization"]),
        )

    def __str__(self) -> str:
        if self.reason:
            return f"{self.organization} beside {self.peers}: {self.reason}"
        return (
            f"{self.organization} beside {self.others} peers ({self.peers}) with its own mix of "
            f"{self.attribute}: {self.distance.values.item():+.2f}, the mix itself "
            f"{self.effect.values.item():+.2f}"
        )


def adjust_for_mix(
    responses: Responses,
    organization: str,
    *,
    by: str,
    peers: Peers | PeerAssignment = "industry",
    channel: str | None = None,
    dimension: str | None = None,
    mixing: Mixing = "organizations",
    scheme: WeightingScheme | None = None,
    method: IndexMethod | None = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> MixAdjustment:
    r"""Compare an organization with peers that are given its own mix of respondents.

    Young customers may be kinder; an organization with many of them then looks good for that alone.
    With :math:`a_k` the organization's share of (weighted) evaluations in category :math:`k` and
    :math:`b_{jk}` that of peer :math:`j`, the answers about the peer are weighted by
    :math:`a_k / b_{jk}`, the index is computed anew, and the peers are averaged, equally. With
    ``mixing="respondents"`` the pool of all peers is weighted, :math:`a_k / b_k`, and peers count
    by their weighted evaluations: the benchmark of the UK's National Student Survey. The mix is
    taken as given: its own sampling error is no part of the errors.

    Respondents whose category is not known make up a category of their own. A peer without
    respondents in a category is weighted over the categories it has; a notice names it.

    Args:
        responses: The answers, with the attribute in `kept`.
        organization: The key of the organization.
        by: The name of the attribute in `kept`.
        peers: Whom it is compared with.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        mixing: "organizations" weights every peer, "respondents" their pool.
        scheme: How parts count; default all equally.
        method: How the index is made.
        rules: What may be shown: `min_peers_mean` peers, and under "respondents" none above
            `max_share`.

    Returns:
        The peers' mean before and after, and the distances, with their errors.

    Raises:
        DefinitionError: If the organization, the channel or the dimension is not known, or nobody
            has an attribute that peers are found by.
        MethodError: If the attribute was not kept, or the mixing is unknown.

    References:
        Kitagawa (1955), doi 10.1080/01621459.1955.10501299, for direct standardization.
    """
    own = _position(responses.study, organization)
    if mixing not in get_args(Mixing):
        raise MethodError(
            f'expected "organizations" or "respondents", got {mixing!r}', argument="mixing"
        )
    categories, codes = _categories(responses, by)
    plain = compute_index(responses, scheme=scheme, method=method)
    subject = Subject.of(plain, channel, dimension)
    sets = peer_sets_of(responses.study, peers)
    found, unfit = _members(subject, sets, own, rules=rules)
    mass = _mass(responses, codes, len(categories), channel=channel)
    factors = _factors(mass, own, found, mixing=mixing)
    weight = _weight(responses) * factors[responses.organization, codes]
    scheme = plain.scheme.fixed(plain.weights.learned)  # not learned again from another mix
    after = compute_index(attrs.evolve(responses, weight=weight), scheme=scheme, method=method)
    adjusted = after.estimates(channel=channel, dimension=dimension)
    members = found[~np.isnan(adjusted.values[found])]
    shares = _shares(mass * factors, members, mixing=mixing)
    reason = unfit or _reason(shares, rules, mixing=mixing)
    return MixAdjustment(
        study=responses.study,
        organization=organization,
        attribute=by,
        peers=sets.key,
        channel=channel,
        dimension=dimension,
        mixing=mixing,
        categories=categories,
        own_shares=_part(mass[own]),
        peer_shares=_peer_shares(mass, members, mixing=mixing),
        **_figures(
            _Pair(before=subject.estimates, after=adjusted, own=own, members=members),
            before=_shares(mass, members, mixing=mixing),
            after=shares,
            shown=reason == "",
        ),
        others=len(members),
        reason=reason,
        notices=_notices(plain, found, members, mass=mass, own=own),
    )


# -- parts ---------------------------------------------------------------------------------------


def _position(study: Study, organization: str) -> int:
    keys = study.organization_keys
    if organization not in keys:
        raise DefinitionError(
            f"unknown organization {organization!r}",
            field="adjust_for_mix.organization",
            key=organization,
            nearest=nearest_key(organization, keys),
        )
    return keys.index(organization)


def _categories(responses: Responses, by: str) -> tuple[tuple[str, ...], IntArray]:
    """Return the values of the attribute, and that of every evaluation, (n,)."""
    check_respondents_kept(responses, "responses")
    if by not in responses.kept:
        known = ", ".join(map(repr, responses.kept)) or "nothing"
        raise MethodError(
            f"expected a column that was kept with the answers ({known}), got {by!r}; read them "
            f"with keep=[{by!r}]",
            argument="by",
        )
    values = responses.kept[by]
    distinct, codes = np.unique(values, return_inverse=True)
    numbers = distinct.dtype.kind == "f"
    names = (
        ("" if np.isnan(value) else f"{value:g}" for value in distinct)
        if numbers
        else map(str, distinct)
    )
    return tuple(names), codes.ravel()


def _weight(responses: Responses) -> FloatArray:
    return np.ones(len(responses)) if responses.weight is None else responses.weight


def _mass(
    responses: Responses, codes: IntArray, categories: int, *, channel: str | None
) -> FloatArray:
    """Return the weighted evaluations of every organization and category, (o, k)."""
    weight = _weight(responses)
    if channel is not None:
        position = responses.study.framework.channel_keys.index(channel)
        weight = weight * (responses.channel == position)
    organizations = len(responses.study.organizations)
    cell = responses.organization.astype(np.int64) * categories + codes
    mass = np.bincount(cell, weight, organizations * categories).astype(np.float64)
    return mass.reshape(organizations, categories)


def _members(
    subject: Subject, sets: PeerSets, own: int, *, rules: DisclosureRules
) -> tuple[IntArray, Reason]:
    """Return the positions of the peers, and why they or the organization cannot be compared."""
    placement, reasons = subject.place(sets, rules)
    few = peer_reasons(sets, placement.others, rules.min_peers_mean)
    start, size = placement.start[own], placement.size[own]
    inside = placement.members[start : start + size]
    reason: Reason = str(first_of(reasons, few)[own])  # type: ignore[assignment]  # one of these
    return np.sort(inside[inside != own]), reason


def _part(mass: FloatArray) -> FloatArray:
    """Return shares of the last axis, 0 where there is nothing."""
    total = mass.sum(axis=-1, keepdims=True)
    shares: FloatArray = np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)
    return shares


def _factors(mass: FloatArray, own: int, members: IntArray, *, mixing: Mixing) -> FloatArray:
    """Return by what the weights of peers' evaluations are multiplied, (o, k); others keep 1."""
    base = mass[members] if mixing == "organizations" else mass[members].sum(axis=0)
    share = np.broadcast_to(_part(base), (len(members), mass.shape[1]))
    factors = np.ones_like(mass)
    factors[members] = np.divide(
        _part(mass[own]), share, out=np.zeros(share.shape), where=share > 0
    )
    return factors


def _shares(mass: FloatArray, members: IntArray, *, mixing: Mixing) -> FloatArray:
    """Return what every peer counts in the mean, (m,)."""
    if mixing == "organizations":
        return np.full(len(members), 1 / max(len(members), 1))
    return _part(mass[members].sum(axis=1))


def _peer_shares(mass: FloatArray, members: IntArray, *, mixing: Mixing) -> FloatArray:
    """Return the mix of the peers before the adjustment, (k,)."""
    if mixing == "organizations":
        return _part(_part(mass[members]).sum(axis=0))
    return _part(mass[members].sum(axis=0))


def _reason(shares: FloatArray, rules: DisclosureRules, *, mixing: Mixing) -> Reason:
    if len(shares) < rules.min_peers_mean:
        return "few peers"
    if mixing == "respondents" and shares.max() > rules.max_share + 1e-12:
        return "dominated"
    return ""


@attrs.frozen(kw_only=True, eq=False)
class _Pair:
    """Scores before and after the adjustment, the organization and its peers."""

    before: Estimates
    after: Estimates
    own: int
    members: IntArray

    def row(self, *, own: float = 0.0, peers: FloatArray | float = 0.0) -> FloatArray:
        """Return one row of a Jacobian."""
        row = np.zeros((1, self.before.size))
        row[0, self.members] = peers
        row[0, self.own] = own
        return row


def _figures(
    pair: _Pair, *, before: FloatArray, after: FloatArray, shown: bool
) -> dict[str, Estimates]:
    """Return score, means, distance and effect; missing where not shown."""
    rows = {
        "score": (pair.row(own=1.0), pair.row()),
        "plain": (pair.row(peers=before), pair.row()),
        "adjusted": (pair.row(), pair.row(peers=after)),
        "distance": (pair.row(own=1.0), pair.row(peers=-after)),
        "effect": (pair.row(peers=-before), pair.row(peers=after)),
    }
    hidden = None if shown else np.nan
    return {
        name: combine(
            [(pair.before, first), (pair.after, second)],
            values=hidden,
            shape=(),
            lower=-100.0 if name in {"distance", "effect"} else 0.0,
        )
        for name, (first, second) in rows.items()
    }


def _notices(
    result: IndexResult, found: IntArray, members: IntArray, *, mass: FloatArray, own: int
) -> tuple[Notice, ...]:
    """Say which peers lack a category, and which could not be weighted at all."""
    keys = np.array(result.organizations)
    lost = np.setdiff1d(found, members)
    lacking = members[((mass[members] == 0) & (mass[own] > 0)).any(axis=1)]
    cases = (
        ("mix not found", "peers have no score under the organization's mix: left out", lost),
        (
            "category missing",
            "peers have no respondents in a category of the organization's mix",
            lacking,
        ),
    )
    return tuple(
        Notice(code=code, message=f"{len(where)} {told}", keys=tuple(keys[where].tolist()))
        for code, told, where in cases
        if len(where)
    )
