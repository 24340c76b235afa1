"""From units and margins to calibrated weights: variables, solution, report."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._calibrated import Bounds, Calibration, ratio_limits
from sotongindex._calibration_kernel import MET, NOTHING, Constraints, Distance, Fit
from sotongindex._calibration_report import CalibrationReport, MarginTable, kish_design_effect
from sotongindex._conflicts import conflict
from sotongindex._targets import Block, Sizes
from sotongindex._weighting_cells import Cells
from sotongindex._weighting_units import Units
from sotongindex.errors import CalibrationError, CalibrationWarning

__all__ = ["Design"]

Value = TypeVar("Value", bound=np.generic)

_MOST_CONFLICTS = 3  # groups whose conflict is told; each takes a linear program


@attrs.frozen(kw_only=True, eq=False)
class Columns:
    """The calibration variables of all groups, sorted by group. Arrays are (p,).

    Attributes:
        group: The group.
        block: The position of the margin or number among the blocks.
        place: The position of the category in its block.
    """

    group: IntArray
    block: IntArray
    place: IntArray

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> Columns:
        """List the columns that are used."""
        found = [np.nonzero(block.used) for block in blocks]
        group = np.concatenate([group for group, _ in found])
        order = np.argsort(group, kind="stable")
        block = np.repeat(np.arange(len(blocks)), [len(group) for group, _ in found])
        place = np.concatenate([place for _, place in found])
        return cls(group=group[order], block=block[order], place=place[order])

    def take(self, arrays: Sequence[NDArray[Value]]) -> NDArray[Value]:
        """Return of one array (g, k) a block what belongs to each column, (p,)."""
        values = np.empty(len(self.group), dtype=arrays[0].dtype)
        for position, array in enumerate(arrays):
            own = self.block == position
            values[own] = array[self.group[own], self.place[own]]
        return values

    def matrix(self, blocks: Sequence[Block], cells: Cells) -> sparse.csr_array:
        """Return the variables of every cell, (c, p)."""
        rows, columns, data = [], [], []
        for position, block in enumerate(blocks):
            number = np.full(block.used.shape, -1)
            own = np.flatnonzero(self.block == position)
            number[self.group[own], self.place[own]] = own
            rows.append(block.rows)
            columns.append(number[cells.group[block.rows], block.places])
            data.append(block.data)
        where = (np.concatenate(rows), np.concatenate(columns))
        shape = (len(cells.count), len(self.group))
        return sparse.coo_array((np.concatenate(data), where), shape=shape).tocsr()


@attrs.frozen(kw_only=True, eq=False)
class Design:
    """A calibration to be solved.

    Attributes:
        method: The function that was called.
        units: Who is weighted.
        cells: Their cells.
        sizes: The total weight of every group.
        blocks: The margins, then the numbers.
        distance: What is smallest.
        ratio_bounds: Bounds of new by old weight.
        weight_bounds: Bounds of the new weight.
        warn: Whether totals that cannot be met are a warning instead of an error.
    """

    method: str
    units: Units
    cells: Cells
    sizes: Sizes
    blocks: Sequence[Block]
    distance: Distance
    ratio_bounds: Bounds | None
    weight_bounds: Bounds | None
    warn: bool

    def solve(self) -> tuple[FloatArray, Calibration]:
        """Return the new weights of the units, and how they were made.

        Raises:
            CalibrationError: If the totals cannot be met, or only with weights of 0 or less.
        """
        columns, cells, units = Columns.of(self.blocks), self.cells, self.units
        totals = columns.take([block.totals for block in self.blocks])
        low, high = ratio_limits(cells.weight / cells.count, self.ratio_bounds, self.weight_bounds)
        constraints = Constraints(
            variables=columns.matrix(self.blocks, cells),
            group=columns.group,
            margin=columns.take([block.margin(k) for k, block in enumerate(self.blocks)]),
            distance=self.distance,
            low=low,
            high=high,
        )
        fit = constraints.fit(cells.weight[:, None], totals[:, None])
        missed = self._missed(fit, constraints, totals=totals, columns=columns)
        ratio = fit.ratio[:, 0]
        self._check_positive(ratio)
        weight = ratio[cells.cell]
        start = np.ones(units.count)
        if units.weight is not None:
            start, weight = units.weight, weight * units.weight
        unit = np.arange(len(weight)) if units.unit is None else units.unit
        for array in (cells.cell, start, weight, unit):
            array.flags.writeable = False  # it is ours: no copy is needed to protect it
        report = self._report(constraints, totals, columns=columns, fit=fit, weight=weight)
        calibration = Calibration(
            unit=unit,
            cell=cells.cell,
            start=start,
            ratio=ratio,
            variables=constraints.variables,
            totals=totals,
            group=columns.group,
            margin=constraints.margin,
            relative=columns.take([block.follows for block in self.blocks]),
            distance=self.distance,
            ratio_bounds=self.ratio_bounds,
            weight_bounds=self.weight_bounds,
            report=attrs.evolve(report, not_converged=missed),
        )
        return weight, calibration

    def _missed(
        self, fit: Fit, constraints: Constraints, *, totals: FloatArray, columns: Columns
    ) -> tuple[str, ...]:
        """Return what misses its totals, and why; raise or warn."""
        groups = np.flatnonzero(fit.miss[:, 0] > MET)
        if len(groups) == 0:
            return ()
        told = [
            conflict(
                constraints,
                int(group),
                weight=self.cells.weight,
                totals=totals,
                names=self._names(columns),
                bounded=self._bounded(),
            )
            for group in groups[:_MOST_CONFLICTS]
        ]
        where = [self.sizes.groups[group] for group in groups]
        if self.units.by is not None:
            told = [f"{name!r}: {text}" for name, text in zip(where, told, strict=False)]
            told += [repr(name) for name in where[_MOST_CONFLICTS:]]
        message = (
            f"the largest miss after {fit.steps} steps is {fit.miss.max():.2g} as a share; "
            + "; ".join(told[: _MOST_CONFLICTS + 2])
            + (f"; {len(told)} groups in all" if len(told) > _MOST_CONFLICTS + 2 else "")
        )
        if not self.warn:
            raise CalibrationError(
                message, variable=self.units.by, categories=where if self.units.by else ()
            )
        warnings.warn(message, CalibrationWarning, stacklevel=5)
        return tuple(told)

    def _bounded(self) -> tuple[FloatArray, Bounds] | None:
        """Return what bounds are multiples of, and which; None for no bounds or two kinds."""
        if self.ratio_bounds is not None and self.weight_bounds is not None:
            return None
        if self.weight_bounds is not None:
            return self.cells.count.astype(np.float64), self.weight_bounds
        return None if self.ratio_bounds is None else (self.cells.weight, self.ratio_bounds)

    def _names(self, columns: Columns) -> list[tuple[str, str]]:
        """Return variable and category of every column."""
        return [
            (self.blocks[block].name, self.blocks[block].categories[place])
            for block, place in zip(columns.block, columns.place, strict=True)
        ]

    def _check_positive(self, ratio: FloatArray) -> None:
        """Nobody stands for nobody: a vanishing weight is what a margin leaves no room for."""
        usual = self.sizes.after / self.sizes.before
        wrong = ratio <= NOTHING * usual[self.cells.group]
        if wrong.any():
            way_out = (
                'give ratio_bounds with a lower above 0, or distance="raking"'
                if self.distance == "linear"
                else "merge categories, or use fewer margins"
            )
            raise CalibrationError(
                f"they can only be met with weights of 0 or less for "
                f"{int(self.cells.count[wrong].sum())} of {self.units.respondents} respondents, "
                f"the lowest {ratio.min():.3g} times the old one; {way_out}",
                counts=[float(self.cells.count[wrong].sum())],
            )

    def _report(
        self,
        constraints: Constraints,
        totals: FloatArray,
        *,
        columns: Columns,
        fit: Fit,
        weight: FloatArray,
    ) -> CalibrationReport:
        cells, sizes, group = self.cells, self.sizes, columns.group
        ratio, names = fit.ratio[:, 0], self._names(columns)
        # Where all start at 1, the weights of a cell are its ratio: a million need no look.
        values, times = (ratio, cells.count) if self.units.weight is None else (weight, None)
        total = np.bincount(cells.group, cells.weight * ratio, len(sizes.groups))
        target = totals / sizes.after[group]
        before = (cells.weight @ constraints.variables) / sizes.before[group]
        after = ((cells.weight * ratio) @ constraints.variables) / total[group]
        return CalibrationReport(
            method=self.method,
            units=self.units.respondents,
            iterations=fit.steps,
            margins=MarginTable(
                group=tuple(sizes.groups[g] for g in group),
                variable=tuple(name for name, _ in names),
                category=tuple(category for _, category in names),
                respondents=columns.take([block.count for block in self.blocks]),
                target=target,
                before=before,
                after=after,
                total=total[group],
            ),
            error_before=float((np.abs(before - target) / constraints.largest).max()),
            error_after=float(fit.miss.max()),
            weight_range=(float(values.min()), float(values.max())),
            ratio_range=(float(ratio.min()), float(ratio.max())),
            design_effect=kish_design_effect(values, times),
            bounded=(
                int(cells.count[ratio <= constraints.low].sum()),
                int(cells.count[ratio >= constraints.high].sum()),
            ),
            missing=tuple((block.name, block.missing) for block in self.blocks if block.missing),
            empty=tuple(name for block in self.blocks for name in block.empty),
        )
