"""Kemeny's orders: those that agree with as much pairwise support as any order can.

An order goes against a majority wherever it puts the loser first, and pays the margin. Units split
where they can: groups between which nothing but ties stands are shuffled freely, groups of which
one beats the other throughout stand one after the other. What is left, units in one cycle, is
solved by dynamic programming over the sets that may stand at the top.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._arrays import FloatArray, IntArray, read_only
from sotongindex._majority import majority_margins
from sotongindex.errors import MethodError
from sotongindex.percentiles import TIE_WIDTH

Sets: TypeAlias = NDArray[np.uint64]  # sets of units, a bit for each

MOST_SETS = 1 << 21
_WIDEST = 62


@attrs.frozen(kw_only=True, eq=False)
class KemenyOrders:
    """The orders of units that agree with most of the pairwise support.

    Attributes:
        order: One of them, the positions of the units from the best; among ties the unit that was
            given first.
        low: The best place of every unit in any of them, from 1, (u,).
        high: The worst place of every unit in any of them, (u,).
        agreement: The support that the orders agree with: the sum over pairs of the support of the
            one that stands first.
        count: How many orders agree with as much.
    """

    order: tuple[int, ...]
    low: IntArray = attrs.field(converter=read_only)
    high: IntArray = attrs.field(converter=read_only)
    agreement: float
    count: int


@attrs.frozen(eq=False)
class _Ranked:
    """The optimal orders of some units: one of them, the places of each unit, how many."""

    order: tuple[int, ...]
    places: dict[int, tuple[int, int]]
    count: int


def kemeny(support: ArrayLike) -> KemenyOrders:
    r"""Find the orders that agree with most of the pairwise support.

    .. math:: \max_{\text{orders}} \sum_{a \text{ before } b} e_{ab}

    If everyone in a group beats everyone outside, the group comes first; a unit that beats every
    other comes first of all. The search is exact. It takes long only where many units beat each
    other in a circle: some 30 of them are about the limit.

    Args:
        support: The support of every unit over every other, (u, u), as `pairwise_support` finds it,
            or numbers of votes.

    Returns:
        One best order, and the places of every unit over all best orders.

    Raises:
        MethodError: If the support is no square matrix of finite numbers, or too many units beat
            each other in a circle.

    References:
        Kemeny (1959), Mathematics without numbers, Daedalus 88, 577-591. Young (1988),
        doi:10.2307/1961757. Groups: Truchon (1998), An extension of the Condorcet criterion and
        Kemeny orders, Université Laval. Sets: Held and Karp (1962), doi:10.1137/0110015.

    >>> votes = [[0, 33, 25], [27, 0, 42], [35, 18, 0]]  # Condorcet's sixty voters
    >>> found = kemeny(votes)
    >>> found.order, found.agreement, found.count
    ((1, 2, 0), 104.0, 1)
    """
    margins = majority_margins(support)
    given = np.asarray(support, dtype=np.float64)
    ranked = _rank(np.arange(len(margins)), margins)
    order = np.array(ranked.order)
    low, high = np.array([ranked.places[unit] for unit in range(len(margins))]).T
    return KemenyOrders(
        order=ranked.order,
        low=low,
        high=high,
        agreement=float(np.triu(given[np.ix_(order, order)], 1).sum()),
        count=ranked.count,
    )


def _rank(units: IntArray, margins: FloatArray) -> _Ranked:
    """Find the optimal orders of some of the units, in groups where they fall into groups."""
    if len(units) == 1:
        unit = int(units[0])
        return _Ranked((unit,), {unit: (1, 1)}, 1)
    inner = margins[np.ix_(units, units)]
    apart = _groups(inner != 0, strong=False)
    if len(apart) > 1:
        return _shuffled([_rank(units[group], margins) for group in apart])
    in_line = _groups(inner >= 0, strong=True)
    if len(in_line) > 1:
        # Whoever stands in an earlier group is ahead of more units than anyone in a later one.
        in_line.sort(key=lambda group: -int((inner[group[0]] >= 0).sum()))
        return _one_after_another([_rank(units[group], margins) for group in in_line])
    return _cycle(units, inner)


def _groups(linked: NDArray[np.bool_], *, strong: bool) -> list[IntArray]:
    """Return the connected groups of a graph, as positions."""
    from scipy.sparse import csgraph  # noqa: PLC0415  # a tenth of the library's import

    count, label = csgraph.connected_components(
        linked, directed=strong, connection="strong" if strong else "weak"
    )
    return [np.flatnonzero(label == group) for group in range(count)]


def _shuffled(groups: Sequence[_Ranked]) -> _Ranked:
    """Put together groups that are tied throughout: any shuffle of their orders is as good."""
    total = sum(len(group.order) for group in groups)
    places = {
        unit: (low, high + total - len(group.order))
        for group in groups
        for unit, (low, high) in group.places.items()
    }
    shuffles = math.factorial(total)
    for group in groups:
        shuffles //= math.factorial(len(group.order))
    order = tuple(unit for group in groups for unit in group.order)
    return _Ranked(order, places, shuffles * math.prod(group.count for group in groups))


def _one_after_another(groups: Sequence[_Ranked]) -> _Ranked:
    """Put together groups of which each beats all later ones."""
    places: dict[int, tuple[int, int]] = {}
    for group in groups:
        before = len(places)
        places |= {u: (low + before, high + before) for u, (low, high) in group.places.items()}
    order = tuple(unit for group in groups for unit in group.order)
    return _Ranked(order, places, math.prod(group.count for group in groups))


# -- units in one cycle --------------------------------------------------------------------------


def _cycle(units: IntArray, margins: FloatArray) -> _Ranked:
    """Find the optimal orders of units that cannot be split."""
    # Putting the row's unit before the column's costs the margin of the column's majority.
    price = np.maximum(-margins, 0.0)
    if len(units) > _WIDEST:
        raise _too_many(len(units))
    steps = _optimal_steps(list(_layers(price)), price)
    low, high = np.full(len(units), len(units) + 1), np.zeros(len(units), dtype=np.int64)
    ways: dict[int, int] = {0: 1}
    order: list[int] = []
    for place, moves in enumerate(steps, start=1):
        following: dict[int, int] = {}
        for before, unit in moves:
            after = before | 1 << unit
            following[after] = following.get(after, 0) + ways[before]
            low[unit], high[unit] = min(low[unit], place), max(high[unit], place)
        standing = sum(1 << unit for unit in order)
        order.append(min(unit for before, unit in moves if before == standing))
        ways = following
    places = {int(unit): (int(low[i]), int(high[i])) for i, unit in enumerate(units)}
    return _Ranked(tuple(int(units[i]) for i in order), places, next(iter(ways.values())))


def _too_many(count: int) -> MethodError:
    return MethodError(
        f"{count} units beat each other in a circle, too many for an exact order; rank by "
        "`copeland`, or fewer units at a time",
        argument="support",
    )


def _layers(price: FloatArray) -> Iterator[tuple[Sets, FloatArray]]:
    """Walk through the sets that may stand at the top, smaller ones first, with their least price.

    A set is dropped if what it has paid and what the rest must pay is more than an order that is
    known already.
    """
    count = len(price)
    known = _good_price(price) + TIE_WIDTH
    cycles = list(_disjoint_cycles(price))
    sets, paid = np.zeros(1, dtype=np.uint64), np.zeros(1)
    yield sets, paid
    for _ in range(count):
        rest = _rest(sets, count)
        following, costs = [], []
        for unit in range(count):
            free = rest[:, unit]
            following.append(sets[free] | np.uint64(1 << unit))
            costs.append(paid[free] + rest[free] @ price[unit])
        sets, paid = np.concatenate(following), np.concatenate(costs)
        hopeful = paid <= known
        sets, paid = _cheapest(sets[hopeful], paid[hopeful])
        kept = paid + _still_to_pay(sets, cycles) <= known
        sets, paid = sets[kept], paid[kept]
        if len(sets) > MOST_SETS:
            raise _too_many(count)
        yield sets, paid


def _rest(sets: Sets, count: int) -> NDArray[np.bool_]:
    """Return which units are not in the sets, (s, m)."""
    bits = np.uint64(1) << np.arange(count, dtype=np.uint64)
    return np.asarray((sets[:, None] & bits) == 0)


def _cheapest(sets: Sets, paid: FloatArray) -> tuple[Sets, FloatArray]:
    """Keep every set once, at its least price."""
    order = np.lexsort((paid, sets))
    sets, paid = sets[order], paid[order]
    first = np.ones(len(sets), dtype=bool)
    np.not_equal(sets[1:], sets[:-1], out=first[1:])
    return sets[first], paid[first]


def _still_to_pay(sets: Sets, cycles: Sequence[tuple[int, float]]) -> FloatArray:
    """Return what the units outside must pay at least: each circle of three breaks somewhere."""
    bound = np.zeros(len(sets))
    for members, least in cycles:
        bound += least * ((sets & np.uint64(members)) == 0)
    return bound


def _disjoint_cycles(price: FloatArray) -> Iterator[tuple[int, float]]:
    """Yield circles of three units and their smallest margin, no margin used twice."""
    left = price.T.copy()  # the margin by which the row's unit beats the column's
    for a, b in zip(*np.nonzero(left), strict=True):
        for c in np.argsort(-np.minimum(left[b], left[:, a]), kind="stable"):
            least = min(left[a, b], left[b, c], left[c, a])
            if least <= TIE_WIDTH:
                break
            left[a, b] -= least
            left[b, c] -= least
            left[c, a] -= least
            yield (1 << int(a)) | (1 << int(b)) | (1 << int(c)), float(least)


def _good_price(price: FloatArray) -> float:
    """Return what a good order costs: the number of wins, improved by moving single units."""
    order = list(np.argsort((price > 0).sum(axis=1) - (price > 0).sum(axis=0), kind="stable"))
    improved = True
    while improved:
        improved = False
        for unit in tuple(order):
            others = [other for other in order if other != unit]
            ahead = np.concatenate([[0.0], np.cumsum(price[others, unit])])
            behind = np.concatenate([np.cumsum(price[unit, others][::-1])[::-1], [0.0]])
            costs = ahead + behind
            place = int(costs.argmin())
            if costs[place] < costs[order.index(unit)] - TIE_WIDTH:
                order = [*others[:place], unit, *others[place:]]
                improved = True
    return float(np.triu(price[np.ix_(order, order)], 1).sum())


def _optimal_steps(
    layers: Sequence[tuple[Sets, FloatArray]], price: FloatArray
) -> list[list[tuple[int, int]]]:
    """Return for every place the steps (set before, unit) of all optimal orders."""
    count = len(price)
    goal = {(1 << count) - 1: float(layers[-1][1][0])}
    steps: list[list[tuple[int, int]]] = []
    for sets, paid in reversed(layers[:-1]):
        found: list[tuple[int, int]] = []
        earlier: dict[int, float] = {}
        for after, cost in goal.items():
            outside = [other for other in range(count) if not after >> other & 1]
            for unit in (one for one in range(count) if after >> one & 1):
                before = after & ~(1 << unit)
                at = int(np.searchsorted(sets, np.uint64(before)))
                if at == len(sets) or int(sets[at]) != before:
                    continue
                if abs(paid[at] + price[unit, outside].sum() - cost) <= TIE_WIDTH:
                    found.append((before, unit))
                    earlier[before] = float(paid[at])
        steps.append(found)
        goal = earlier
    return steps[::-1]
