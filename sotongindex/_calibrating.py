"""From units and margins to calibrated weights: variables, solution, report."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal, TypeAlias, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._calibrated import Bounds, Calibration, ratio_limits
from sotongindex._calibration_constraints import Constraints, Fit
from sotongindex._calibration_kernel import MET, Distance
from sotongindex._calibration_report import CalibrationReport, MarginTable, kish_design_effect
from sotongindex._targets import Block, Sizes
from sotongindex._weighting_cells import Cells
from sotongindex._weighting_units import Units
from sotongindex.errors import CalibrationError, CalibrationWarning

__all__ = ["Design", "NotConverged"]

NotConverged: TypeAlias = Literal["error", "warning"]
Value = TypeVar("Value", bound=np.generic)


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
        """Return the variables of every cell, (cells, p)."""
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
        method: Who asked for it.
        units: Who is weighted.
        cells: Their cells.
        sizes: The total weight of every group.
        blocks: The margins, then the numbers.
        distance: What is smallest.
        ratio_bounds: Bounds of new by old weight.
        weight_bounds: Bounds of the new weight.
    """

    method: str
    units: Units
    cells: Cells
    sizes: Sizes
    blocks: Sequence[Block]
    distance: Distance
    ratio_bounds: Bounds | None = None
    weight_bounds: Bounds | None = None

    def solve(self, not_converged: NotConverged) -> tuple[FloatArray, Calibration]:
        """Return the new weights of the units and how they were made.

        Raises:
            CalibrationError: If the totals cannot be met, or only with weights of 0 or less.
        """
        columns, cells = Columns.of(self.blocks), self.cells
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
        ratio = fit.ratio[:, 0]
        start = np.ones(self.units.count) if self.units.weight is None else self.units.weight
        weight = start * ratio[cells.cell]
        if (fit.miss > MET).any():
            self._complain(fit, not_converged)
        report = self._report(constraints, totals, columns=columns, fit=fit, weight=weight)
        calibration = Calibration(
            unit=np.arange(len(weight)) if self.units.unit is None else self.units.unit,
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
            report=report,
        )
        return weight, calibration

    def _complain(self, fit: Fit, not_converged: NotConverged) -> None:
        """Raise or warn that totals are missed."""
        missed = [
            group
            for group, miss in zip(self.sizes.groups, fit.miss[:, 0], strict=True)
            if miss > MET
        ]
        message = (
            f"the margins cannot all be met{' in ' + str(missed) if self.units.by else ''}: after "
            f"{fit.steps} steps the largest miss is {fit.miss.max():.2g} as a share"
        )
        if not_converged == "error":
            raise CalibrationError(message)
        warnings.warn(message, CalibrationWarning, stacklevel=3)

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
        ratio = fit.ratio[:, 0]
        total = np.bincount(cells.group, cells.weight * ratio, len(sizes.groups))
        target = totals / sizes.after[group]
        before = (cells.weight @ constraints.variables) / sizes.before[group]
        after = ((cells.weight * ratio) @ constraints.variables) / total[group]
        unit = np.maximum(np.abs(constraints.variables).max(axis=0).toarray(), np.abs(target))
        table = MarginTable(
            group=tuple(sizes.groups[g] for g in group),
            variable=tuple(self.blocks[b].name for b in columns.block),
            category=tuple(
                self.blocks[b].categories[k]
                for b, k in zip(columns.block, columns.place, strict=True)
            ),
            respondents=columns.take([block.count for block in self.blocks]),
            target=target,
            before=before,
            after=after,
            total=total[group],
        )
        return CalibrationReport(
            method=self.method,
            units=self.units.count,
            iterations=fit.steps,
            margins=table,
            error_before=float((np.abs(before - target) / unit).max()),
            error_after=float(fit.miss.max()),
            weight_range=(float(weight.min()), float(weight.max())),
            ratio_range=(float(ratio.min()), float(ratio.max())),
            design_effect=kish_design_effect(weight),
            bounded=(
                int(cells.count[ratio <= constraints.low].sum()),
                int(cells.count[ratio >= constraints.high].sum()),
            ),
            missing=tuple((block.name, block.missing) for block in self.blocks if block.missing),
            empty=tuple(name for block in self.blocks for name in block.empty),
        )
