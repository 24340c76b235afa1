"""The arithmetic of calibration: ratios of new to old weights that meet totals.

Cells have starting weights d, variables A (c, p) and totals t (p,). The weights nearest to d that
meet the totals are d F(u) with u = A l, where the distance gives F (Deville and Sarndal 1992, doi
10.1080/01621459.1992.10475217) and l is where the convex function sum(d Phi(u)) - l't, whose Phi
has the slope F, is lowest. Two sweeps of proportional fitting come near, damped Newton steps do the
rest. All groups, which share neither cells nor variables, and all R sets of starting weights are
solved side by side; what belongs to a group and a set is (g, R).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs
import numpy as np
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray

__all__ = ["MET", "NOTHING", "Constraints", "Distance", "Fit"]

Distance: TypeAlias = Literal["linear", "raking", "logit"]

# The largest miss of a total, in shares: where steps end, and what still counts as met.
EXACT, MET = 1e-12, 1e-9
NOTHING = 1e-7  # a ratio so far below the usual one counts as 0
_MOST_STEPS, _MOST_HALVINGS = 100, 30
_RIDGE = 1e-12  # redundant variables make the matrix of a step singular, but never the step
_FLAT = 1e-9  # the least that the matrix counts as: where no ratio moves it is 0
_ROUNDING = 1e-14
_FAR = 300.0  # no weight is exp(300) times another
_BATCH = 2**22  # numbers that are worked on at a time


# -- distances -----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Link:
    """How the ratio of new to old weight follows u, within bounds.

    Attributes:
        distance: What is smallest: squares ("linear"), relative entropy ("raking"), or the logit
            distance, which has bounds of its own.
        low: The lowest ratio of every cell, (c, 1).
        high: The highest, (c, 1).
    """

    distance: Distance
    low: FloatArray
    high: FloatArray

    @property
    def is_cut(self) -> bool:
        """Whether ratios beyond a bound are cut to it."""
        return self.distance != "logit" and bool(
            (self.low > -np.inf).any() or (self.high < np.inf).any()
        )

    def at(self, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the ratio F(u), its slope, and Phi(u)."""
        if self.distance == "logit":
            return self._logit(u)
        inside = np.clip(u, self._reach(self.low), self._reach(self.high))
        if self.distance == "raking":
            ratio = slope = potential = np.exp(inside)
        else:
            ratio, slope, potential = 1 + inside, np.ones_like(u), inside + 0.5 * inside**2
        if self.is_cut:
            slope = np.where(inside == u, slope, 0.0)
            potential = potential + ratio * (u - inside)
        return ratio, slope, potential

    def _logit(self, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        width = self.high - self.low
        rate = width / ((1 - self.low) * (self.high - 1))
        z = rate * u + np.log((1 - self.low) / (self.high - 1))
        share = 0.5 + 0.5 * np.tanh(0.5 * z)
        potential = self.low * u + width / rate * np.logaddexp(0.0, z)
        return self.low + width * share, rate * width * share * (1 - share), potential

    def _reach(self, bound: FloatArray) -> FloatArray:
        """Return the u at which the ratio reaches `bound`."""
        if self.distance == "linear":
            return bound - 1
        with np.errstate(divide="ignore"):
            return np.clip(np.log(np.maximum(bound, 0.0)), -_FAR, _FAR)


# -- constraints ---------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Fit:
    """Ratios that meet constraints, or come near.

    Attributes:
        ratio: New by old weight, (c, R).
        miss: The largest miss of a total, in shares, (g, R).
        steps: Newton steps.
    """

    ratio: FloatArray
    miss: FloatArray
    steps: int


@attrs.frozen(kw_only=True, eq=False)
class Constraints:
    """What weights of cells are calibrated on; cells and columns are sorted by group.

    Attributes:
        variables: A, (c, p); every cell has a value in some column of its group, and in no other.
        group: The group of every column, (p,).
        margin: The margin of every column, (p,); below 0 for numbers.
        distance: What is smallest.
        low: The lowest ratio of new to old weight, (c,).
        high: The highest, (c,).
    """

    variables: sparse.csr_array
    group: IntArray
    margin: IntArray
    distance: Distance
    low: FloatArray
    high: FloatArray

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.group[-1]) + 1

    @property
    def cell_group(self) -> IntArray:
        """The group of every cell, (c,)."""
        first: IntArray = self.group[self.variables.indices[self.variables.indptr[:-1]]]
        return first

    @property
    def largest(self) -> FloatArray:
        """The largest number of every column, which its misses are parts of, (p,); 1 for none."""
        largest = np.zeros(len(self.group))
        np.maximum.at(largest, self.variables.indices, np.abs(self.variables.data))
        largest[largest == 0] = 1.0
        return largest

    def sizes(self, weight: FloatArray, totals: FloatArray) -> FloatArray:
        """Return the new total weight, (g, R): that of a margin, or where none is, the old one."""
        first = self.margin == 0
        if first.any():
            return _by_group(totals[first], self.group[first])
        return _by_group(weight, self.cell_group)

    def fit(self, weight: FloatArray, totals: FloatArray) -> Fit:
        """Return the ratios that take starting weights (c, R) to totals (p, R).

        Where totals cannot be met, these are the nearest that were found.
        """
        size = self.sizes(weight, totals)
        if self.is_partition:
            return self._poststratified(weight, totals, size)
        system = _System.of(self)
        scaled = totals / system.unit[:, None] / size[self.group]
        own = weight / size[self.cell_group]
        largest = max(len(weight), self.groups * system.widest**2)
        batch = max(1, _BATCH // largest)
        found = [
            system.solve(own[:, start : start + batch], scaled[:, start : start + batch])
            for start in range(0, weight.shape[1], batch)
        ]
        return Fit(
            ratio=np.concatenate([fit.ratio for fit in found], axis=1),
            miss=np.concatenate([fit.miss for fit in found], axis=1),
            steps=max(fit.steps for fit in found),
        )

    @property
    def is_partition(self) -> bool:
        """Whether every cell is in one category alone and no bound is set: a closed form."""
        values = self.variables
        return (
            values.nnz == values.shape[0]
            and bool((self.margin == 0).all() and (values.data == 1).all())
            and bool((self.low == -np.inf).all() and (self.high == np.inf).all())
        )

    def _poststratified(self, weight: FloatArray, totals: FloatArray, size: FloatArray) -> Fit:
        """Return totals by starting weights of every category."""
        before = self.variables.T @ weight
        factor = np.divide(totals, before, out=np.ones_like(before), where=before > 0)
        gap = np.abs(before * factor - totals) / size[self.group]
        return Fit(ratio=factor[self.variables.indices], miss=_largest(gap, self.group), steps=0)


def _largest(gap: FloatArray, group: IntArray) -> FloatArray:
    """Return the largest of rows (k, R), sorted by group, within every group, (g, R)."""
    return np.maximum.reduceat(gap, np.searchsorted(group, np.arange(group[-1] + 1)))


def _by_group(values: FloatArray, group: IntArray) -> FloatArray:
    """Add up rows (k, R), sorted by group, within every group, (g, R)."""
    return np.add.reduceat(values, np.searchsorted(group, np.arange(group[-1] + 1)))


# -- the search ----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class _Point:
    """Where a search stands."""

    u: FloatArray  # (c, R)
    paid: FloatArray  # l't, (g, R)
    ratio: FloatArray  # (c, R)
    slope: FloatArray  # (c, R)
    gap: FloatArray  # (p, R)
    miss: FloatArray  # (g, R)
    height: FloatArray  # of the convex function, (g, R)


@attrs.frozen(kw_only=True, eq=False)
class _System:
    """Constraints with the sizes of columns evened out, ready to be solved.

    Attributes:
        variables: A, (c, p), no number above 1.
        pairs: From weights of cells to half of A'diag(w)A of every group, (g m m, c).
        unit: What columns were divided by, (p,).
        place: The place of every column in its group, (p,).
        group: The group of every column, (p,).
        cell_group: The group of every cell, (c,).
        margin: The margin of every column, (p,).
        link: How ratios follow u.
    """

    variables: sparse.csr_array
    pairs: sparse.csr_array
    unit: FloatArray
    place: IntArray
    group: IntArray
    cell_group: IntArray
    margin: IntArray
    link: Link

    @classmethod
    def of(cls, constraints: Constraints) -> _System:
        """Prepare constraints."""
        variables, group, unit = constraints.variables, constraints.group, constraints.largest
        place = np.arange(len(group)) - np.searchsorted(group, group)
        scaled = sparse.csr_array(
            (variables.data / unit[variables.indices], variables.indices, variables.indptr),
            shape=variables.shape,
        )
        return cls(
            variables=scaled,
            pairs=_pairs(scaled, group, place),
            unit=unit,
            place=place,
            group=group,
            cell_group=constraints.cell_group,
            margin=constraints.margin,
            link=Link(
                distance=constraints.distance,
                low=constraints.low[:, None],
                high=constraints.high[:, None],
            ),
        )

    @property
    def widest(self) -> int:
        """The most columns of a group."""
        return int(self.place.max()) + 1

    def solve(self, weight: FloatArray, totals: FloatArray) -> Fit:
        """Return the ratios that take `weight` (c, R) to `totals` (p, R), both in shares."""
        search = _Search(system=self, weight=weight, totals=totals)
        point, steps = search.point(search.swept(), np.zeros(1)), 0
        done = point.miss <= EXACT
        while steps < _MOST_STEPS and not done.all():
            further = search.step(point)
            # At the limit of rounding nothing more is gained.
            settled = (further.miss <= MET) & (further.miss > 0.5 * point.miss)
            done = (further.miss <= EXACT) | settled | (further.height == point.height)
            point, steps = further, steps + 1
        return Fit(ratio=point.ratio, miss=point.miss, steps=steps)


def _pairs(variables: sparse.csr_array, group: IntArray, place: IntArray) -> sparse.csr_array:
    """Return what gives half of A'diag(w)A: products of values that a cell has in two columns."""
    counts = np.diff(variables.indptr)
    row = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.arange(len(row)), counts[row])
    start = np.repeat(np.cumsum(counts[row]) - counts[row], counts[row])
    second = np.arange(len(first)) - start + variables.indptr[row[first]]
    once = first <= second
    first, second = first[once], second[once]
    left, right = variables.indices[first], variables.indices[second]
    widest = int(place.max()) + 1
    data = variables.data[first] * variables.data[second]
    data[first == second] *= 0.5
    where = (group[left].astype(np.int64) * widest + place[left]) * widest + place[right]
    shape = (int(group[-1] + 1) * widest**2, len(counts))
    return sparse.csr_array((data, (where, row[first])), shape=shape)


@attrs.frozen(kw_only=True, eq=False)
class _Search:
    """The search for the lowest point of the convex function."""

    system: _System
    weight: FloatArray
    totals: FloatArray

    def point(self, u: FloatArray, paid: FloatArray) -> _Point:
        """Return what holds at u."""
        system = self.system
        ratio, slope, potential = system.link.at(u)
        gap = system.variables.T @ (self.weight * ratio) - self.totals
        return _Point(
            u=u,
            paid=paid,
            ratio=ratio,
            slope=slope,
            gap=gap,
            miss=_largest(np.abs(gap), system.group),
            height=_by_group(self.weight * potential, system.cell_group) - paid,
        )

    def swept(self) -> FloatArray:
        """Return u after two sweeps of proportional fitting over the margins."""
        system = self.system
        u = np.zeros_like(self.weight)
        if system.link.distance != "raking" or system.link.is_cut:
            return u
        for margin in 2 * list(range(int(system.margin.max(initial=-1)) + 1)):
            fitted = system.variables.T @ (self.weight * np.exp(u))
            use = (system.margin == margin)[:, None] & (fitted > 0) & (self.totals > 0)
            factor = np.divide(self.totals, fitted, out=np.ones_like(fitted), where=use)
            u = np.clip(u + system.variables @ np.log(factor), -_FAR, _FAR)
        return u

    def step(self, point: _Point) -> _Point:
        """Return where a Newton step leads, halved until it gains ground."""
        system = self.system
        move = self._move(point)
        uphill = _by_group(move * point.gap, system.group)
        paid = _by_group(move * self.totals, system.group)
        du = system.variables @ move
        length, gained = self._reach(point, du), np.zeros(paid.shape, dtype=np.bool_)
        for _ in range(_MOST_HALVINGS):
            there = self.point(point.u + length[system.cell_group] * du, point.paid + length * paid)
            lower = there.height <= point.height + 1e-4 * length * uphill + _ROUNDING
            gained = lower | (there.miss < 0.5 * point.miss)
            if gained.all():
                return there
            length = np.where(gained, length, 0.5 * length)
        length = np.where(gained, length, 0.0)
        return self.point(point.u + length[system.cell_group] * du, point.paid + length * paid)

    def _reach(self, point: _Point, du: FloatArray) -> FloatArray:
        """Return how far to go at most, (g, R): where all ratios are cut a step has no measure."""
        group = self.system.cell_group
        if not self.system.link.is_cut:
            return np.ones((int(group[-1]) + 1, du.shape[1]))
        far = 10 * (1 + _largest(np.abs(point.u), group))
        return far / np.maximum(_largest(np.abs(du), group), far)

    def _move(self, point: _Point) -> FloatArray:
        """Return the Newton step of l, (p, R)."""
        system, widest = self.system, self.system.widest
        half = system.pairs @ (self.weight * point.slope)
        half = np.moveaxis(half.reshape(-1, widest, widest, half.shape[1]), -1, 1)
        matrix = half + np.swapaxes(half, -1, -2)  # (g, R, m, m)
        diagonal = np.einsum("...ii->...i", matrix)
        top = np.maximum(diagonal.max(axis=-1, keepdims=True), _FLAT)
        # Where ratios are cut, cells without slope leave the matrix singular: the ridge then
        # shrinks with the miss, so that the last steps are Newton's own.
        damping = 1e-3 * point.miss[..., None] if system.link.is_cut else 0.0
        diagonal += top * (_RIDGE + damping)
        right = np.zeros((*matrix.shape[:-1], 1))
        right[system.group, :, system.place, 0] = -point.gap
        move: FloatArray = np.linalg.solve(matrix, right)[system.group, :, system.place, 0]
        return move
