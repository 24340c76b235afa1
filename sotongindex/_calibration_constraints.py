"""Constraints on the weights of cells, group by group, solved in batches of one shape."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._calibration_kernel import Distance, Link, Problems

__all__ = ["Constraints", "Fit"]

_BATCH = 2**22  # numbers in a batch


@attrs.frozen(kw_only=True, eq=False)
class Fit:
    """Ratios that meet constraints, or come near.

    Attributes:
        ratio: New by old weight, (cells, R).
        miss: The largest miss of every group, in shares, (g, R).
        steps: The most Newton steps that a group took.
    """

    ratio: FloatArray
    miss: FloatArray
    steps: int


@attrs.frozen(kw_only=True, eq=False)
class Constraints:
    """What weights of cells are calibrated on; cells and columns are sorted by group.

    Attributes:
        variables: (cells, p); every cell has a value in some column of its group, and no other.
        group: The group of every column, (p,).
        margin: The margin of every column, (p,); below 0 for numbers.
        distance: What is smallest.
        low: The lowest ratio of new to old weight, (cells,).
        high: The highest, (cells,).
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
        return int(self.group.max(initial=0)) + 1

    @property
    def cell_group(self) -> IntArray:
        """The group of every cell, (cells,)."""
        first: IntArray = self.group[self.variables.indices[self.variables.indptr[:-1]]]
        return first

    def sizes(self, weight: FloatArray, totals: FloatArray) -> FloatArray:
        """Return the new total weight of every group, (g, R).

        It is the sum of a margin, or of the starting weights (cells, R) where there is none.
        """
        first = self.margin == 0
        if not first.any():
            return _sums(self.cell_group, weight, self.groups)
        return _sums(self.group[first], totals[first], self.groups)

    def fit(self, weight: FloatArray, totals: FloatArray) -> Fit:
        """Return the ratios that take starting weights (cells, R) to totals (p, R)."""
        edges = np.arange(self.groups + 1)
        cells = np.searchsorted(self.cell_group, edges)
        columns = np.searchsorted(self.group, edges)
        size = self.sizes(weight, totals)
        ratio, miss, steps = np.ones_like(weight), np.zeros_like(size), 0
        for first, last, some in _batches(cells, columns, weight.shape[1]):
            rows, across = (
                _Stretch.of(cells[first : last + 1]),
                _Stretch.of(columns[first : last + 1]),
            )
            scale = size[first:last, some, None]
            scaled = _Batch(constraints=self, rows=rows, columns=across)
            solution = scaled.problems(
                rows.spread(weight[rows.where, some]) / scale,
                across.spread(totals[across.where, some]) / scale,
            ).solve()
            ratio[rows.where, some] = rows.gather(solution.ratio)
            miss[first:last, some] = solution.miss
            steps = max(steps, solution.steps)
        return Fit(ratio=ratio, miss=miss, steps=steps)


def _sums(groups: IntArray, values: FloatArray, count: int) -> FloatArray:
    """Add up values (k, R) by group, (count, R)."""
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, groups, values)
    return sums


def _batches(
    cells: IntArray, columns: IntArray, replicates: int
) -> Iterator[tuple[int, int, slice]]:
    """Cut groups, and where one is large its replicates, into batches that fit the memory."""
    groups = len(cells) - 1
    first = 0
    while first < groups:
        last, widest, most = first, 0, 0
        while last < groups:
            widest = max(widest, int(columns[last + 1] - columns[last]))
            most = max(most, int(cells[last + 1] - cells[last]))
            if last > first and (last + 1 - first) * most * widest > _BATCH:
                break
            last += 1
        together = max(1, _BATCH // max((last - first) * (most + widest**2), 1))
        for start in range(0, replicates, together):
            yield first, last, slice(start, start + together)
        first = last


@attrs.frozen(kw_only=True, eq=False)
class _Stretch:
    """A stretch of cells or columns of some groups, and their places when each group has a row.

    Attributes:
        where: The stretch.
        group: The row of every member, (k,).
        place: The place in that row, (k,).
        shape: How many rows, and of which length.
    """

    where: slice
    group: IntArray
    place: IntArray
    shape: tuple[int, int]

    @classmethod
    def of(cls, edges: IntArray) -> _Stretch:
        """Return the stretch of the groups between `edges`."""
        counts = np.diff(edges)
        group = np.repeat(np.arange(len(counts)), counts)
        return cls(
            where=slice(int(edges[0]), int(edges[-1])),
            group=group,
            place=np.arange(edges[0], edges[-1]) - edges[group],
            shape=(len(counts), int(counts.max(initial=0))),
        )

    def spread(self, values: FloatArray, fill: float = 0.0) -> FloatArray:
        """Return values (k, R) as rows, (g, R, longest)."""
        rows, longest = self.shape
        spread = np.full((rows, values.shape[1], longest), fill)
        spread[self.group, :, self.place] = values
        return spread

    def gather(self, spread: FloatArray) -> FloatArray:
        """Return rows (g, R, longest) as values, (k, R)."""
        values: FloatArray = spread[self.group, :, self.place]
        return values


@attrs.frozen(kw_only=True, eq=False)
class _Batch:
    """Some groups of constraints."""

    constraints: Constraints
    rows: _Stretch
    columns: _Stretch

    def problems(self, weight: FloatArray, totals: FloatArray) -> Problems:
        """Return the problems of weights (g, R, c) and totals (g, R, p), in shares."""
        part = self.constraints.variables[self.rows.where].tocoo()
        column = part.col - self.columns.where.start
        variables = np.zeros((*self.rows.shape, self.columns.shape[1]))
        variables[
            self.rows.group[part.row], self.rows.place[part.row], self.columns.place[column]
        ] = part.data
        # Columns of numbers in units of their largest, as indicators are by nature.
        unit = np.abs(variables).max(axis=1, initial=0.0)
        unit[unit == 0] = 1.0
        numbers = self.constraints.margin[self.columns.where, None].astype(np.float64)
        margin = self.columns.spread(numbers, -1.0)
        return Problems(
            variables=variables / unit[:, None],
            weight=weight,
            totals=totals / unit[:, None],
            margin=margin[:, 0].astype(np.int64),
            link=self._link(),
        )

    def _link(self) -> Link:
        bounds = self.constraints
        low, high = (
            self.rows.spread(bound[self.rows.where, None], bound[self.rows.where.start])
            for bound in (bounds.low, bounds.high)
        )
        return Link(distance=bounds.distance, low=low, high=high)
