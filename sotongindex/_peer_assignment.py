"""An assignment of peers: for every organization by name whom it is compared with."""

from __future__ import annotations

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons
from sotongindex._html import View
from sotongindex._peers import Peers, PeerSets, find_peers, named_peers
from sotongindex._render import Rendered, peers_words, study_facts, study_names
from sotongindex._table import Column, Table
from sotongindex._text import Language, say
from sotongindex.models import Organization, Study


@attrs.frozen(kw_only=True, eq=False)
class PeerAssignment(Rendered):
    """Whom every organization is compared with, found once and said by name.

    It can be given wherever peers are asked for: called with an organization and another, it says
    whether the other is a peer.

    Attributes:
        key: The name of the assignment.
        study: Whose organizations.
        groups: The name of the group that each is compared with, (o).
        sets: The keys in every group; an organization's own key may be in its group.
        set_of: The group of every organization, (o,).
        others: How many peers with a usable score each has, (o,).
        farthest: The distance of the farthest peer, (o,); NaN where distances play no role.
        reasons: "few peers" where there are not enough, (o,); else "".
    """

    key: str
    study: Study
    groups: tuple[str, ...]
    sets: tuple[frozenset[str], ...] = attrs.field(repr=False)
    set_of: IntArray = attrs.field(converter=read_only)
    others: IntArray = attrs.field(converter=read_only)
    farthest: FloatArray = attrs.field(converter=float_array)
    reasons: Reasons = attrs.field(converter=read_only)

    @property
    def __name__(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        # What functions that say who is a peer are named by.
        return self.key

    def __call__(self, own: Organization, other: Organization) -> bool:
        """Return whether `other` is a peer of `own`."""
        keys = self.study.organization_keys
        if own.key == other.key or own.key not in keys:
            return False
        return other.key in self.sets[self.set_of[keys.index(own.key)]]

    def peers_of(self, organization: str) -> tuple[str, ...]:
        """Return the keys of the peers of an organization, in the order of the study."""
        keys = self.study.organization_keys
        held = self.sets[self.set_of[keys.index(organization)]]
        return tuple(key for key in keys if key in held and key != organization)

    def to_rows(self) -> list[dict[str, object]]:
        """Return for every organization its group, its number of peers, and a reason."""
        return rows_from_columns(
            {
                "organization": self.study.organization_keys,
                "peers": self.groups,
                "others": self.others,
                "farthest": self.farthest,
                "reason": self.reasons,
            }
        )

    def _view(self, language: Language) -> View:
        rows = self.to_rows()
        names = study_names(self.study, language)
        names["peers"] = {key: peers_words(key, language) for key in self.groups}
        return View(
            title=say("title.peers", language),
            facts=study_facts(self.study, language),
            table=Table(
                columns=(Column("organization"), Column("peers"), Column("others", "count")),
                rows=rows[:20],
                language=language,
                names=names,
                omitted=max(len(rows) - 20, 0),
            ),
        )

    def __str__(self) -> str:
        names, counts = np.unique(np.array(self.groups), return_counts=True)
        few = int((self.reasons != "").sum())
        told = ", ".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True))
        return f"peers of {len(self.groups)} organizations ({told}); {few} with too few"


def peer_sets_of(study: Study, peers: Peers | PeerAssignment) -> PeerSets:
    """Return the sets of peers of a study's organizations."""
    if not isinstance(peers, PeerAssignment):
        return find_peers(study.organizations, named_peers(peers))
    place = {key: position for position, key in enumerate(study.organization_keys)}
    assigned = {key: position for position, key in enumerate(peers.study.organization_keys)}
    return PeerSets(
        key=peers.key,
        sets=tuple(
            np.array(sorted(place[key] for key in members if key in place), dtype=np.int64)
            for members in peers.sets
        ),
        set_of=np.array(
            [
                peers.set_of[assigned[key]] if key in assigned else -1
                for key in study.organization_keys
            ],
            dtype=np.int64,
        ),
        unknown=np.array([place[key] for key in place if key not in assigned], dtype=np.int64),
    )


def group_names_of(study: Study, peers: Peers | PeerAssignment, key: str) -> tuple[str, ...]:
    """Return the name of each organization's group: `key`, or what it was assigned to, or ""."""
    if not isinstance(peers, PeerAssignment):
        return (key,) * len(study.organizations)
    named = dict(zip(peers.study.organization_keys, peers.groups, strict=True))
    return tuple(named.get(one, "") for one in study.organization_keys)
