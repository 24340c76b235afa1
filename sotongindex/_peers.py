"""Peers: who is compared with whom, and figures of the peers with the organization left out.

A figure of the peers is linear in the scores, at least near the scores there are. So each comes
with its Jacobian, and the error of a distance from it is one step of `variance.combine`. Figures of
many peers go through pools (weighted sums over a whole group, made once), because a Jacobian of
everybody by everybody is a large one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray
from sotongindex.errors import DefinitionError, nearest_key
from sotongindex.models import Organization, PeerGroup
from sotongindex.percentiles import TIE_WIDTH, quantile_position
from sotongindex.variance import Estimates, combine

BoolArray: TypeAlias = NDArray[np.bool_]
Terms: TypeAlias = list[tuple[Estimates, sparse.csr_array]]
PeerPredicate: TypeAlias = Callable[[Organization, Organization], bool]
Peers: TypeAlias = str | PeerGroup | PeerPredicate

_NAMED = {
    "other industries": PeerGroup(key="other industries", different="industry"),
    "everyone": PeerGroup(key="everyone"),
}
_QUANTILES = {"p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}
_QUANTILES |= {"lowest": 0.0, "best": 1.0}


# -- who is compared with whom -------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class PeerSets:
    """Who may be compared with whom.

    Organizations with the same peers (themselves aside) share one set.

    Attributes:
        key: The name of the peer group.
        sets: The positions of the organizations in every set; an organization's own position may
            be in its set.
        set_of: The set of every organization, (o,); -1 where an attribute is not known.
        unknown: Positions of the organizations that lack an attribute the group asks for.
    """

    key: str
    sets: tuple[IntArray, ...]
    set_of: IntArray
    unknown: IntArray


def named_peers(peers: Peers) -> PeerGroup | PeerPredicate:
    """Return the group behind a name; the name of an attribute means the same value in it."""
    if not isinstance(peers, str):
        return peers
    return _NAMED.get(peers) or PeerGroup(key=peers, same=peers)


def find_peers(organizations: Sequence[Organization], peers: PeerGroup | PeerPredicate) -> PeerSets:
    """Find everybody's peers.

    Raises:
        DefinitionError: If no organization has an attribute that the group asks for.
    """
    if isinstance(peers, PeerGroup):
        return _group_peers(organizations, peers)
    numbered = list(enumerate(organizations))
    chosen = [
        [place for place, other in numbered if other is not own and peers(own, other)]
        for own in organizations
    ]
    return PeerSets(
        key=getattr(peers, "__name__", "peers"),
        sets=tuple(np.array(members, dtype=np.int64) for members in chosen),
        set_of=np.arange(len(organizations)),
        unknown=np.empty(0, dtype=np.int64),
    )


def _group_peers(organizations: Sequence[Organization], group: PeerGroup) -> PeerSets:
    where = dict(group.where)
    values = {
        name: attribute_values(organizations, name, field=f"PeerGroup[{group.key}]")
        for name in (*group.same, *group.different, *where)
    }
    everybody = np.ones(len(organizations), dtype=bool)
    known = everybody.copy()
    for name in (*group.same, *group.different):
        known &= values[name] != ""
    fits = everybody.copy()
    for name, allowed in where.items():
        fits &= np.isin(values[name], allowed)
    told = np.array([everybody, *(values[name] for name in (*group.same, *group.different))])
    set_of = np.full(len(organizations), -1)
    set_of[known] = np.unique(told[:, known], axis=1, return_inverse=True)[1].ravel()
    sets = []
    for number in range(int(set_of.max(initial=-1)) + 1):
        model = np.argmax(set_of == number)
        member = fits & known
        for name in group.same:
            member &= values[name] == values[name][model]
        for name in group.different:
            member &= values[name] != values[name][model]
        sets.append(np.flatnonzero(member))
    lacking = ~everybody
    for held in values.values():
        lacking |= held == ""
    return PeerSets(key=group.key, sets=tuple(sets), set_of=set_of, unknown=np.flatnonzero(lacking))


def attribute_values(
    organizations: Sequence[Organization], name: str, *, field: str
) -> NDArray[np.str_]:
    """Return every organization's value of an attribute, "" where it is not known.

    Raises:
        DefinitionError: If no organization has the attribute.
    """
    values = np.array([organization.attribute(name) or "" for organization in organizations])
    if not (values != "").any():
        known = {"industry", "sector"}.union(
            *(dict(organization.attributes) for organization in organizations)
        )
        raise DefinitionError(
            f"no organization has a value for {name!r}",
            field=field,
            key=name,
            nearest=nearest_key(name, known - {name}),
        )
    return values


# -- one column of scores beside its peers -------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class PeerFigure:
    """One figure of the peers, such as their median, for every organization.

    Near the scores there are, the figure is ``direct @ scores + shares @ (pools @ scores)``.

    Attributes:
        values: The figure, (o,); NaN where there is no peer.
        direct: Its derivative by single scores, (o, o).
        pools: Sums of scores, (pools, o).
        shares: Its derivative by the pools, (o, pools).
    """

    values: FloatArray
    direct: sparse.csr_array
    pools: sparse.csr_array | None = None
    shares: sparse.csr_array | None = None

    def terms(self, scores: Estimates, rows: IntArray) -> Terms:
        """Return the figure of the organizations `rows` as linear maps, for `combine`."""
        terms = [(scores, self.direct[rows])]
        if self.pools is not None and self.shares is not None:
            shares = self.shares[rows]
            used = np.unique(shares.indices)
            terms.append((scores.transform(self.pools[used]), shares[:, used]))
        return terms


@attrs.frozen(kw_only=True, eq=False)
class Placement:
    """Scores placed among those of their peers. Every array but `members` is (o,).

    Attributes:
        scores: The scores; NaN where missing.
        members: Positions of the peers, set after set, ascending by score within each.
        start: Where the organization's set begins in `members`.
        size: How many are in the set, the organization itself too if it is in there.
        place: Its own position in its set, if it is to be left out of it; else `size`.
        others: How many peers it has, itself never counted.
        below: How many of those compared with have a lower score.
        ties: How many of them have the same score, within 1e-9.
        above: How many have a higher one.
        errors: Standard errors of the scores; NaN where not known.
    """

    scores: FloatArray
    members: IntArray
    start: IntArray
    size: IntArray
    place: IntArray
    others: IntArray
    below: IntArray
    ties: IntArray
    above: IntArray
    errors: FloatArray

    @classmethod
    def of(
        cls,
        estimates: Estimates,
        peers: PeerSets,
        *,
        counted: BoolArray,
        include_self: bool = False,
    ) -> Placement:
        """Place scores (o,) among their peers.

        Args:
            estimates: The scores; NaN where missing.
            peers: Who is compared with whom.
            counted: Which organizations count as peers, (o,); their scores are not missing.
            include_self: Whether an organization stays in its own set.
        """
        scores = estimates.values
        kept = [members[counted[members]] for members in peers.sets]
        sets = [members[np.argsort(scores[members], kind="stable")] for members in kept]
        sizes = np.array([len(members) for members in sets] + [0])
        starts = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        size = sizes[peers.set_of]
        place, inside = size.copy(), np.zeros(len(scores), dtype=bool)
        below, not_above = np.zeros_like(size), np.zeros_like(size)
        for number, users in _users(peers):
            members, held = sets[number], scores[sets[number]]
            own = members[peers.set_of[members] == number]
            inside[own] = True
            place[own] = np.flatnonzero(peers.set_of[members] == number)
            below[users] = np.searchsorted(held, scores[users] - TIE_WIDTH, side="left")
            not_above[users] = np.searchsorted(held, scores[users] + TIE_WIDTH, side="right")
        left_out = inside & (not include_self)
        return cls(
            scores=scores,
            members=np.concatenate([*sets, np.empty(0, dtype=np.int64)]).astype(np.int64),
            start=starts[peers.set_of],
            size=size,
            place=np.where(left_out, place, size),
            others=size - inside,
            below=below,
            ties=not_above - below - left_out,
            above=size - not_above,
            errors=estimates.standard_error,
        )

    @property
    def count(self) -> IntArray:
        """How many scores it is compared with."""
        return self.size - (self.place < self.size)

    def figure(self, statistic: str) -> PeerFigure:
        """Return a figure of the peers.

        Args:
            statistic: "mean", "median", "p10", "p25", "p75", "p90" (quantiles of type 7), "best",
                "lowest", or "top decile mean": the mean of the best tenth, its number of peers
                rounded up.
        """
        if statistic == "mean":
            return self._mean_of_best(self.count)
        if statistic == "top decile mean":
            return self._mean_of_best(-(-self.count // 10))
        return self._quantile(_QUANTILES[statistic])

    def _quantile(self, probability: float) -> PeerFigure:
        valid = np.flatnonzero(self.count > 0)
        lower, upper, share = quantile_position(self.count[valid], probability)
        rows, organizations = np.tile(valid, 2), len(self.scores)
        place = self._places(rows, np.concatenate([lower, upper]))
        below, above = self.scores[self.members[place]].reshape(2, -1)
        values = np.full(organizations, np.nan)
        values[valid] = below + share * (above - below)
        held, first, pool = np.unique(place, return_index=True, return_inverse=True)
        pools, crowd = self._holders(
            held, start=self.start[rows[first]], size=self.size[rows[first]]
        )
        nearness = _nearness(self.scores[self.members[place]], self.scores[rows], self.errors[rows])
        own = np.where(self.place[rows] < self.size[rows], nearness / crowd[pool], 0.0)
        weight = np.concatenate([1 - share, share]) / (1 - own)
        return PeerFigure(
            values=values,
            direct=sparse.csr_array((-weight * own, (rows, rows)), (organizations,) * 2),
            pools=pools,
            shares=sparse.csr_array((weight, (rows, pool)), (organizations, len(held))),
        )

    @property
    def best(self) -> IntArray:
        """Who has the best score among the peers, (o,); -1 where there is no peer."""
        found = np.full(len(self.scores), -1)
        valid = np.flatnonzero(self.count > 0)
        found[valid] = self.members[self._places(valid, self.count[valid] - 1)]
        return found

    def _places(self, rows: IntArray, position: IntArray) -> IntArray:
        """Return where in `members` an ascending position is held, the organization left out."""
        places: IntArray = self.start[rows] + position + (position >= self.place[rows])
        return places

    def _holders(
        self, held: IntArray, *, start: IntArray, size: IntArray
    ) -> tuple[sparse.csr_array, FloatArray]:
        r"""Return for every place `held` in `members` the weights of those who may hold it.

        With scores :math:`s_j` and standard errors :math:`\sigma_j`, the place of a score :math:`s`
        moves with the scores near it, by :math:`w_j \propto \phi(2 (s - s_j) / \sigma_j) /
        \sigma_j`. At half the standard error :math:`\sum w_j^2 \sigma_j^2` is the variance of a
        quantile of many noisy scores, :math:`\sum F_j (1 - F_j) / (\sum f_j)^2`; where scores lie
        far apart, all weight is on the holder. So it is where an error is 0 or not known. Second
        comes what the weights were divided by, infinite where all weight is on the holder.
        """
        rows = np.repeat(np.arange(len(held)), size)
        place = np.arange(len(rows)) + np.repeat(start - np.cumsum(size) + size, size)
        columns = self.members[place]
        errors = self.errors[columns]
        smooth = (np.bincount(rows, ~(errors > 0), len(held)) == 0)[rows]
        nearness = _nearness(self.scores[self.members[held]][rows], self.scores[columns], errors)
        weight = np.where(smooth, nearness, place == held[rows])
        total = np.bincount(rows, weight, len(held))
        pools = sparse.csr_array(
            (weight / total[rows], (rows, columns)), shape=(len(held), len(self.scores))
        )
        return pools, np.where(np.bincount(rows, smooth, len(held)) > 0, total, np.inf)

    def _mean_of_best(self, top: IntArray) -> PeerFigure:
        """Average the `top` best peers, through sums over the best of whole sets."""
        organizations = len(self.scores)
        valid = np.flatnonzero(self.count > 0)
        number, start, size = top[valid], self.start[valid], self.size[valid]
        # An organization among the best of its own set makes room for one more.
        among = (self.place[valid] < size) & (self.place[valid] >= size - number)
        pools, pool = np.unique(
            np.column_stack([start + size, number + among]), axis=0, return_inverse=True
        )
        length = pools[:, 1]
        rows = np.repeat(np.arange(len(pools)), length)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(length) - length, length)
        columns = self.members[np.repeat(pools[:, 0] - length, length) + within]
        sums = sparse.csr_array(
            (np.ones(len(rows)), (rows, columns)), shape=(len(pools), organizations)
        )
        shares = sparse.csr_array(
            (1 / number, (valid, pool.ravel())), shape=(organizations, len(pools))
        )
        own = valid[among]
        direct = sparse.csr_array(
            (-1 / number[among], (own, own)), shape=(organizations, organizations)
        )
        # Measured from the lowest of a pool, equal scores have exactly that score as their mean.
        origin = self.scores[self.members[pools[:, 0] - length]]
        risen = np.bincount(rows, self.scores[columns] - origin[rows], minlength=len(pools))
        values = np.full(organizations, np.nan)
        values[valid] = risen[pool.ravel()]
        values[own] -= self.scores[own] - origin[pool.ravel()[among]]
        values[valid] = origin[pool.ravel()] + values[valid] / number
        return PeerFigure(values=values, direct=direct, pools=sums, shares=shares)


def _nearness(held: FloatArray, scores: FloatArray, errors: FloatArray) -> FloatArray:
    """Return normal densities of `held` around scores, at half their errors; 0 without an error."""
    known = np.where(errors > 0, errors, 1.0)
    density: FloatArray = np.exp(-2 * ((held - scores) / known) ** 2) / known
    return np.where(errors > 0, density, 0.0)


def _users(peers: PeerSets) -> list[tuple[int, IntArray]]:
    """Return every set with the organizations that use it."""
    order = np.argsort(peers.set_of, kind="stable")
    bounds = np.searchsorted(peers.set_of[order], np.arange(len(peers.sets) + 1))
    return [
        (number, order[bounds[number] : bounds[number + 1]]) for number in range(len(peers.sets))
    ]


def scaled(terms: Terms, factors: FloatArray | float) -> Terms:
    """Return linear maps with every row multiplied by its factor; a missing factor counts 0.

    A row of zeros costs nothing, so hide what is not wanted by a missing factor.
    """
    rows = terms[0][1].shape[0]
    diagonal = sparse.diags_array(np.nan_to_num(np.broadcast_to(factors, (rows,)))).tocsr()
    return [(estimates, sparse.csr_array(diagonal @ jacobian)) for estimates, jacobian in terms]


def picked(estimates: Estimates, rows: IntArray) -> Terms:
    """Return some of the estimates as a linear map of all."""
    return [(estimates, sparse.eye_array(estimates.size, format="csr")[rows])]


def distance(scores: Estimates, figure: PeerFigure, shown: BoolArray) -> Estimates:
    """Return scores (o,) minus a figure of their peers, with error; missing where not `shown`."""
    everybody = np.arange(scores.size)
    return combine(
        picked(scores, everybody) + scaled(figure.terms(scores, everybody), -1.0),
        values=np.where(shown, scores.values - figure.values, np.nan),
    )
