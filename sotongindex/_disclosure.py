"""What may be shown: minima of peers and respondents, and the reason for every cell left empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._peers import PeerSets, Placement
from sotongindex.errors import DefinitionError
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates

Reason: TypeAlias = Literal[
    "",
    "missing score",
    "few respondents",
    "unknown attribute",
    "few peers",
    "dominated",
    "below the lowest grade",
    "no grade scale",
    "no baseline",
    "start not below the target",
    "only before",
    "only after",
    "nothing in common",
    "no history as long",
    "no link",
    "no target",
    "no weight",
]
Reasons: TypeAlias = NDArray[np.str_]


def _is_count(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise DefinitionError(
            f"expected a whole number of 1 or more, got {value!r}",
            field=f"DisclosureRules.{attribute.name}",
            key=value,
        )


def _is_share(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 < value <= 1):  # type: ignore[operator]  # a number, just checked
        raise DefinitionError(
            f"expected a share above 0 and up to 1, got {value!r}",
            field=f"DisclosureRules.{attribute.name}",
            key=value,
        )


@attrs.frozen(kw_only=True)
class DisclosureRules:
    """What may be shown of organizations and their peers.

    Few peers give away a peer; few respondents give away a person, or say next to nothing. An
    organization with too few respondents to be compared is no peer of others either. Where the
    number of respondents is not known, the rules about respondents cannot apply.

    Attributes:
        min_peers_mean: Peers needed for their mean, median and quartiles, and for distances.
        min_peers_rank: Peers needed for percentile ranks, ranks, P10, P90, the top decile and the
            best.
        max_share: The largest share an organization may have in a weighted mean.
        min_respondents_show: Respondents needed to show a score.
        min_respondents_compare: Respondents needed to compare a score, and to be a peer.
        min_respondents_band: Respondents needed to give a grade.

    Raises:
        DefinitionError: If a minimum is not a whole number of 1 or more, or the share is not
            within 0 and 1.

    >>> DisclosureRules(min_peers_mean=8).min_peers_rank
    10
    """

    min_peers_mean: int = attrs.field(default=5, validator=_is_count)
    min_peers_rank: int = attrs.field(default=10, validator=_is_count)
    max_share: float = attrs.field(default=0.25, validator=_is_share)
    min_respondents_show: int = attrs.field(default=10, validator=_is_count)
    min_respondents_compare: int = attrs.field(default=30, validator=_is_count)
    min_respondents_band: int = attrs.field(default=100, validator=_is_count)


def first_reason(*cases: tuple[Reason, NDArray[np.bool_]]) -> Reasons:
    """Return for every place the first reason that holds, "" where none does."""
    chosen: Reasons = np.select(
        [holds for _, holds in cases], [np.array(reason) for reason, _ in cases], default=""
    )
    return chosen


def first_of(*reasons: Reasons) -> Reasons:
    """Return for every place the first reason that is not empty."""
    chosen = reasons[0]
    for other in reasons[1:]:
        chosen = np.where(chosen == "", other, chosen)
    return chosen


def shown(values: FloatArray, reasons: Reasons) -> FloatArray:
    """Return the values where there is no reason to leave them out, NaN elsewhere."""
    return np.where(reasons == "", values, np.nan)


@attrs.frozen(kw_only=True, eq=False)
class Subject:
    """One number an organization: the index, a channel, a dimension, a cell or an item, (o,).

    Attributes:
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        estimates: The scores.
        respondents: How many respondents each rests on; NaN where not known.
    """

    channel: str | None
    dimension: str | None
    estimates: Estimates
    respondents: FloatArray

    @classmethod
    def of(
        cls,
        result: IndexResult,
        channel: str | None,
        dimension: str | None,
        *,
        item: str | None = None,
    ) -> Subject:
        """Take one number of every organization out of a result."""
        estimates = result.estimates(channel=channel, dimension=dimension, item=item)
        respondents = respondents_of(result, channel, dimension)
        if item is not None:
            framework = result.study.framework
            at = framework.channel_keys.index(str(channel)), framework.item_keys.index(item)
            respondents = np.fmin(respondents, result.counts.answers[:, *at])
        return cls(
            channel=channel,
            dimension=dimension,
            estimates=estimates.kept(),
            respondents=respondents,
        )

    def reasons(self, minimum: int) -> Reasons:
        """Return why scores may not be used: missing, or from fewer respondents than the minimum.

        Respondents that are not known are no reason.
        """
        return first_reason(
            ("missing score", np.isnan(self.estimates.values)),
            ("few respondents", self.respondents < minimum),
        )

    def place(
        self, peers: PeerSets, rules: DisclosureRules, *, include_self: bool = False
    ) -> tuple[Placement, Reasons]:
        """Place the scores among their peers, and say which cannot be compared."""
        reasons = self.reasons(rules.min_respondents_compare)
        counted = reasons == ""
        placement = Placement.of(self.estimates, peers, counted=counted, include_self=include_self)
        return placement, reasons


def respondents_of(
    result: IndexResult, channel: str | None = None, dimension: str | None = None
) -> FloatArray:
    """Return how many respondents a score rests on, (o,); NaN where not known.

    A score has no more respondents than the channels that it was measured on have evaluations: what
    hides a small channel hides a dimension that only this channel asks.
    """
    if channel is None and dimension is None:
        return result.counts.respondents
    measured = ~np.isnan(result.cells.values)
    if dimension is not None:
        measured &= np.array(result.study.framework.dimension_keys) == dimension
    if channel is not None:
        measured &= (np.array(result.study.framework.channel_keys) == channel)[:, None]
    evaluations = (result.counts.evaluations * measured.any(axis=2)).sum(axis=1)
    # A published score without counts has 0 evaluations: not known.
    return np.fmin(result.counts.respondents, np.where(evaluations > 0, evaluations, np.nan))


def peer_reasons(peers: PeerSets, others: IntArray, minimum: int) -> Reasons:
    """Return why figures of the peers are not shown."""
    return first_reason(("unknown attribute", peers.set_of < 0), ("few peers", others < minimum))


def respondent_notices(result: IndexResult, rules: DisclosureRules) -> list[Notice]:
    """Say whose respondents are not known or too few."""
    respondents, least = respondents_of(result), rules.min_respondents_compare
    unknown, few = np.isnan(respondents), respondents < least
    cases = (
        (
            "respondents not known",
            "organizations have no known number of respondents: no rule about it applies",
            unknown,
        ),
        (
            "few respondents",
            f"organizations have fewer than {least} respondents: not compared, no peers of others",
            few,
        ),
    )
    keys = np.array(result.organizations)
    return [
        Notice(code=code, message=f"{holds.sum()} {told}", keys=tuple(keys[holds].tolist()))
        for code, told, holds in cases
        if holds.any()
    ]


def attribute_notices(result: IndexResult, groups: Sequence[PeerSets]) -> list[Notice]:
    """Say who lacks an attribute that peers are found by."""
    keys = np.array(result.organizations)
    return [
        Notice(
            code="unknown attribute",
            message=(
                f"{len(group.unknown)} organizations lack an attribute that the peers "
                f"{group.key!r} are found by, and are no peers of others"
            ),
            keys=tuple(keys[group.unknown].tolist()),
        )
        for group in groups
        if len(group.unknown)
    ]
