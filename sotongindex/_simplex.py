"""A revised simplex for many small covering programs at once, one for every unit.

Unit u asks for the weights that favour it most, and their dual asks who sets its limit:

    max y'w   with  Y w <= 1,  A w <= 0,  w >= 0
    min sum l with  Y'l + A'm - s = y,  l, m, s >= 0

Y (n, k) is shared, y is row u of it, and A (m, k) is the unit's own. The dual has k rows, so a
basis is a matrix (k, k) whatever the number of units, and all units change theirs in step.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import BLOCK_ROWS, FloatArray, IntArray, distinct
from sotongindex.errors import MethodError

# A reduced cost or an amount below this is rounding. Numbers are at most about 1.
TOLERANCE = 1e-10
LONGEST = 2000
_CHECKED = 1e-9
_BLOCK_NUMBERS = 500 * BLOCK_ROWS

Flags: TypeAlias = NDArray[np.bool_]


@attrs.frozen(kw_only=True, eq=False)
class Optima:
    """What every unit's program comes to.

    Attributes:
        weights: The best weights found, (u, k).
        peers: The numbers of the units that set the limit, (u, k); -1 where there is none.
        intensities: How much of each peer, (u, k).
        limits: The multipliers of the unit's own restrictions, (u, m).
        unique: Whether it is certain that no other weights are as good, (u,).
        pool: The numbers of the units that were worth being a peer, (p,).
    """

    weights: FloatArray
    peers: IntArray
    intensities: FloatArray
    limits: FloatArray
    unique: Flags
    pool: IntArray


@attrs.define(kw_only=True, eq=False)
class _Bases:
    """The basis of every unit, changed in place: which columns, the inverse, the amounts.

    Columns are numbered 0 for the ideal unit, then restrictions, then surplus, then peers.
    """

    scores: FloatArray  # (n, k)
    restrictions: FloatArray  # (n, m, k)
    pool: IntArray  # the units that are columns so far
    columns: IntArray  # (n, k)
    inverse: FloatArray  # (n, k, k)
    amounts: FloatArray  # (n, k)

    @classmethod
    def of(cls, scores: FloatArray, restrictions: FloatArray) -> _Bases:
        """Start from the ideal unit, which has the best of everything and is never worth its cost.

        It costs k + 1, and the best units in each score do the same for k. So no optimum has it.
        """
        count, width = scores.shape
        columns = np.tile(1 + restrictions.shape[1] + np.arange(width), (count, 1))
        every, highest = np.arange(count), scores.argmax(axis=1)
        columns[every, highest] = 0
        inverse = np.tile(-np.eye(width), (count, 1, 1))
        inverse[every, :, highest] = 1.0
        return cls(
            scores=scores,
            restrictions=restrictions,
            pool=distinct(scores.argmax(axis=0)),
            columns=columns,
            inverse=inverse,
            amounts=np.einsum("uij,uj->ui", inverse, scores),
        )

    @property
    def first_peer(self) -> int:
        """The number of the first column that is a unit."""
        return 1 + int(self.restrictions.shape[1] + self.scores.shape[1])

    def costs(self, columns: IntArray) -> FloatArray:
        """Return what the columns cost, in any shape."""
        ideal = self.scores.shape[1] + 1.0
        return np.where(columns >= self.first_peer, 1.0, np.where(columns == 0, ideal, 0.0))

    def weights(self, units: IntArray) -> FloatArray:
        """Return the prices of the scores under the units' bases, (u, k)."""
        costs = self.costs(self.columns[units])
        prices: FloatArray = np.einsum("uk,uki->ui", costs, self.inverse[units])
        return prices

    def vectors(self, units: IntArray, columns: IntArray) -> FloatArray:
        """Return the columns themselves, (u, k), one for every unit."""
        asked, width = self.restrictions.shape[1], self.scores.shape[1]
        held = np.ones((len(units), width))
        peer, surplus = columns >= self.first_peer, columns > asked
        held[surplus] = 0.0
        held[surplus & ~peer, columns[surplus & ~peer] - asked - 1] = -1.0
        held[peer] = self.scores[self.pool[columns[peer] - self.first_peer]]
        limit = ~surplus & (columns > 0)
        held[limit] = self.restrictions[units[limit], columns[limit] - 1]
        return held

    def gains(self, units: IntArray, weights: FloatArray) -> FloatArray:
        """Return how much each column would save, negative reduced costs, (u, columns)."""
        asked = self.restrictions.shape[1]
        gains = np.empty((len(units), self.first_peer + len(self.pool)))
        gains[:, 0] = -1.0
        gains[:, 1 : 1 + asked] = np.einsum("umk,uk->um", self.restrictions[units], weights)
        gains[:, 1 + asked : self.first_peer] = -weights
        np.matmul(weights, self.scores[self.pool].T, out=gains[:, self.first_peer :])
        gains[:, self.first_peer :] -= 1.0
        return gains


def solve_units(scores: FloatArray, restrictions: FloatArray) -> Optima:
    """Solve the program of every unit.

    Columns are made when they are wanted: a unit that is best under some unit's weights becomes
    one. So dominated units never do, and the pool stays far smaller than the number of units.
    What fails its check is solved again by HiGHS.

    Args:
        scores: Scores (n, k) from 0 to 1, each column's highest 1, or 0 throughout.
        restrictions: The units' own restrictions, (n, m, k).

    Returns:
        The optima.

    Raises:
        MethodError: If HiGHS fails too.

    References:
        Dantzig (1963), Linear Programming and Extensions. Bland (1977), doi:10.1287/moor.2.2.103.
        Huangfu and Hall (2018), doi:10.1007/s12532-017-0130-5.
    """
    bases = _Bases.of(scores, restrictions)
    waiting = np.arange(len(scores))
    while len(waiting):
        for units in np.array_split(waiting, 1 + len(waiting) // BLOCK_ROWS):
            _improve(bases, units)
        highest, best = highest_scores(scores, bases.weights(waiting))
        violated = highest > 1 + TOLERANCE
        fresh = np.setdiff1d(best[violated], bases.pool)
        waiting = waiting[violated] if len(fresh) else waiting[:0]
        bases.pool = np.concatenate([bases.pool, fresh])
    optima = _optima(bases)
    for unit in np.flatnonzero(~_sound(bases.scores, restrictions, optima)):
        _solve_again(scores, restrictions[unit], optima, unit=int(unit))
    return optima


def highest_scores(scores: FloatArray, weights: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the highest weighted score of any unit under each weights (u, k), and whose it is."""
    highest, best = np.empty(len(weights)), np.empty(len(weights), dtype=np.int64)
    blocks = 1 + len(weights) * len(scores) // _BLOCK_NUMBERS
    for rows in np.array_split(np.arange(len(weights)), blocks):
        weighted = weights[rows] @ scores.T
        best[rows] = weighted.argmax(axis=1)
        highest[rows] = weighted[np.arange(len(rows)), best[rows]]
    return highest, best


def _improve(bases: _Bases, units: IntArray) -> None:
    """Pivot until no column of the pool would improve any of the units.

    The column that saves most comes in. After a step that saved nothing, Bland's rule takes over:
    the first column that would save comes in, the first of those at 0 goes. So nothing cycles.
    """
    stalled = np.zeros(len(units), dtype=bool)
    for _ in range(LONGEST):
        gains = bases.gains(units, bases.weights(units))
        useful = gains > TOLERANCE
        coming = np.where(stalled, useful.argmax(axis=1), gains.argmax(axis=1))
        going_on = useful[np.arange(len(units)), coming]
        units, coming, stalled = units[going_on], coming[going_on], stalled[going_on]
        if not len(units):
            return
        stalled = _pivot(bases, units, coming, stalled=stalled)


def _pivot(bases: _Bases, units: IntArray, coming: IntArray, *, stalled: Flags) -> Flags:
    """Bring a column into the basis of every unit; return which of them gained nothing."""
    inverse, amounts = bases.inverse[units], bases.amounts[units]
    columns = bases.columns[units]
    direction = np.einsum("uij,uj->ui", inverse, bases.vectors(units, coming))
    # What saves has a falling amount; a unit where all fall slowly pivots on the fastest.
    fast = np.minimum(TOLERANCE, direction.max(axis=1, keepdims=True) / 2)
    falling = direction > fast
    step = np.full(direction.shape, np.inf)
    np.divide(amounts, direction, out=step, where=falling)
    shortest = step.min(axis=1)
    tied = step <= shortest[:, None] + 1e-14
    # Of those that reach 0 together the largest pivot is the safest; Bland takes the first column.
    preferred = np.where(stalled[:, None], -columns, direction)
    going = np.where(tied & falling, preferred, -np.inf).argmax(axis=1)
    every = np.arange(len(units))
    row = inverse[every, going] / direction[every, going, None]
    inverse -= direction[:, :, None] * row[:, None, :]
    inverse[every, going] = row
    amounts = np.maximum(amounts - direction * shortest[:, None], 0.0)
    amounts[every, going] = shortest
    columns[every, going] = coming
    bases.inverse[units], bases.amounts[units], bases.columns[units] = inverse, amounts, columns
    return np.asarray(shortest <= TOLERANCE)


def _optima(bases: _Bases) -> Optima:
    """Read the optima from the bases."""
    count, width = bases.scores.shape
    every = np.arange(count)
    matrix = np.stack([bases.vectors(every, bases.columns[:, c]) for c in range(width)], axis=2)
    # One step of Newton takes off what rounding the pivots left in the inverse.
    bases.inverse = bases.inverse @ (2 * np.eye(width) - matrix @ bases.inverse)
    amounts = np.einsum("uij,uj->ui", bases.inverse, bases.scores)
    is_peer = bases.columns >= bases.first_peer
    number = np.where(is_peer, bases.columns - bases.first_peer, 0)
    limits = np.zeros((count, bases.restrictions.shape[1]))
    unit, place = np.nonzero((bases.columns > 0) & (bases.columns <= limits.shape[1]))
    limits[unit, bases.columns[unit, place] - 1] = amounts[unit, place]
    return Optima(
        weights=bases.weights(every),
        peers=np.where(is_peer, bases.pool[number], -1),
        intensities=np.where(is_peer, amounts, 0.0),
        limits=limits,
        unique=np.asarray((amounts > TOLERANCE).all(axis=1)),
        pool=bases.pool,
    )


def _sound(scores: FloatArray, restrictions: FloatArray, optima: Optima) -> Flags:
    """Check of every unit that both its programs are kept and come to the same."""
    weights, intensities, limits = optima.weights, optima.intensities, optima.limits
    reached = np.einsum("up,upk->uk", intensities, scores[optima.peers])
    reached += np.einsum("um,umk->uk", limits, restrictions)
    gap = (weights * scores).sum(axis=1) - intensities.sum(axis=1)
    beyond = np.stack(
        [
            -weights.min(axis=1),
            highest_scores(scores, weights)[0] - 1,
            np.einsum("umk,uk->um", restrictions, weights).max(axis=1, initial=0.0),
            -intensities.min(axis=1),
            -limits.min(axis=1, initial=0.0),
            (scores - reached).max(axis=1),
            np.abs(gap),
        ]
    )
    return np.asarray((beyond <= _CHECKED).all(axis=0))


def _solve_again(
    scores: FloatArray, restrictions: FloatArray, optima: Optima, *, unit: int
) -> None:
    """Put the optimum that HiGHS finds for a unit into the place of one that failed its check."""
    from scipy.optimize import linprog  # noqa: PLC0415  # seldom wanted, and slow to import

    count, width = scores.shape
    found = linprog(
        -scores[unit],
        A_ub=np.vstack([scores, restrictions]),
        b_ub=np.repeat([1.0, 0.0], [count, len(restrictions)]),
        method="highs",
    )
    if not found.success:
        raise MethodError(
            f"no best weights were found for unit {unit}: {found.message}; look at its scores "
            "beside the others for numbers of very different size",
            argument="scores",
        )
    multipliers = -found.ineqlin.marginals
    peers = np.argsort(-multipliers[:count], kind="stable")[:width]
    optima.weights[unit] = found.x
    optima.peers[unit, : len(peers)] = peers
    optima.intensities[unit] = 0.0
    optima.intensities[unit, : len(peers)] = multipliers[peers]
    optima.limits[unit] = multipliers[count:]
    optima.unique[unit] = False
