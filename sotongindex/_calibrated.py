"""What calibrated weights remember: how they were made, so that errors can account for it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray, float_array, group_sums, read_only
from sotongindex._calibration_kernel import MET, NOTHING, Constraints
from sotongindex._calibration_report import CalibrationReport
from sotongindex.errors import MethodError

__all__ = ["Bounds", "CalibratedWeights", "Calibration", "ratio_limits"]

Bounds: TypeAlias = "tuple[float, float]"


def _int_array(array: ArrayLike) -> IntArray:
    return read_only(np.asarray(array, dtype=np.int64))


def _float_array(array: ArrayLike) -> FloatArray:
    return read_only(np.asarray(array, dtype=np.float64))


def _bool_array(array: ArrayLike) -> NDArray[np.bool_]:
    return read_only(np.asarray(array, dtype=np.bool_))


@attrs.frozen(kw_only=True, eq=False)
class Calibration:
    """How calibrated weights were made: enough to calibrate other starting weights likewise.

    With n evaluations, u weighting units (respondents) and p calibration variables:

    Attributes:
        unit: The weighting unit of every evaluation, (n,).
        cell: The cell of every unit, (u,): units of one cell share all calibration variables, their
            group, and their starting weight where weights themselves are bounded.
        start: The weight of every unit before, (u,).
        ratio: New by old weight of every cell, (cells,).
        variables: Indicators of categories and numbers, a column belongs to one group, (cells, p).
        totals: What they were calibrated to, (p,).
        group: The calibration group of every column, (p,); zeros where there is one group.
        margin: The margin of every column, (p,): columns of one margin and group are the categories
            of one variable; -1 for numbers.
        relative: Whether the total is a share of the starting weights' own total, (p,).
        distance: What was smallest: squares of ratios less 1 ("linear"), their relative entropy
            ("raking"), or the logit distance.
        ratio_bounds: Bounds of new by old weight.
        weight_bounds: Bounds of the new weight itself.
        report: How it went.
    """

    unit: IntArray = attrs.field(converter=_int_array)
    cell: IntArray = attrs.field(converter=_int_array)
    start: FloatArray = attrs.field(converter=_float_array)
    ratio: FloatArray = attrs.field(converter=float_array)
    variables: sparse.csr_array
    totals: FloatArray = attrs.field(converter=float_array)
    group: IntArray = attrs.field(converter=_int_array)
    margin: IntArray = attrs.field(converter=_int_array)
    relative: NDArray[np.bool_] = attrs.field(converter=_bool_array)
    distance: Literal["linear", "raking", "logit"]
    ratio_bounds: Bounds | None = None
    weight_bounds: Bounds | None = None
    report: CalibrationReport

    @property
    def first(self) -> IntArray:
        """The first evaluation of every unit, (u,)."""
        rows = np.empty(len(self.start), dtype=np.int64)
        rows[self.unit[::-1]] = np.arange(len(self.unit))[::-1]
        return rows

    @property
    def constraints(self) -> Constraints:
        """What any starting weights are calibrated on, to be solved."""
        by_cell = np.ones(len(self.ratio))
        by_cell[self.cell] = self.start
        low, high = ratio_limits(by_cell, self.ratio_bounds, self.weight_bounds)
        return Constraints(
            variables=self.variables,
            group=self.group,
            margin=self.margin,
            distance=self.distance,
            low=low,
            high=high,
        )

    def again(self, start: ArrayLike) -> FloatArray:
        """Calibrate other starting weights, such as those of replicates, to the same totals.

        Totals that were shares are shares of each replicate's own total. Bounds of weights hold as
        the bounds of ratios that they were for the starting weights of this record.

        Args:
            start: Other starting weights of the units, 0 or more, (u, replicates).

        Returns:
            New by old weight of every cell, (cells, replicates).

        Raises:
            MethodError: If the shape does not fit, a weight is negative or not finite, or a
                replicate cannot be calibrated, or only with weights that vanish.
        """
        weights = np.asarray(start, dtype=np.float64)
        units = len(self.start)
        if weights.ndim != 2 or len(weights) != units:
            raise MethodError(
                f"expected shape ({units}, replicates), a row for every weighting unit, got "
                f"{weights.shape}",
                argument="start",
            )
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise MethodError("expected weights of 0 or more, all finite", argument="start")
        return self.again_by_cell(group_sums(weights, self.cell, len(self.ratio)))

    def again_by_cell(self, cells: FloatArray) -> FloatArray:
        """Calibrate other starting weights, of which only the sums by cell are known.

        Args:
            cells: The sums of the starting weights of every cell, 0 or more, (cells, replicates).

        Returns:
            As `again`.

        Raises:
            MethodError: If a replicate cannot be calibrated, or only with weights that vanish.
        """
        constraints = self.constraints
        groups = constraints.cell_group
        own = group_sums(cells, groups, constraints.groups)
        before = np.bincount(groups[self.cell], self.start, constraints.groups)
        factor = np.where(self.relative[:, None], (own / before[:, None])[self.group], 1.0)
        fit = constraints.fit(cells, self.totals[:, None] * factor)
        size = constraints.sizes(cells, self.totals[:, None] * factor)
        usual = np.divide(size, own, out=np.zeros_like(own), where=own > 0)
        vanished = (cells > 0) & (np.abs(fit.ratio) <= NOTHING * usual[groups])
        missed = int(np.count_nonzero((fit.miss > MET).any(axis=0) | vanished.any(axis=0)))
        if missed:
            raise MethodError(
                f"{missed} of {cells.shape[1]} replicates cannot be calibrated to the totals: "
                "their starting weights leave a category without respondents, or bounds without a "
                "solution; merge small categories, widen the bounds, or use a jackknife",
                argument="start",
            )
        return fit.ratio


@attrs.frozen(kw_only=True, eq=False)
class CalibratedWeights:
    """Weights for the rows of a table.

    Attributes:
        weight: The new weights, (n,).
        report: How it went.
        calibration: How they were made; None where weights were only trimmed.
    """

    weight: FloatArray = attrs.field(converter=_float_array)
    report: CalibrationReport
    calibration: Calibration | None = None

    def __str__(self) -> str:
        return str(self.report)


def ratio_limits(
    start: FloatArray, ratio_bounds: Bounds | None, weight_bounds: Bounds | None
) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and the highest ratio for starting weights, (cells,) each."""
    low, high = ratio_bounds or (-np.inf, np.inf)
    lows, highs = np.full(len(start), low), np.full(len(start), high)
    if weight_bounds is not None:
        lows = np.maximum(lows, weight_bounds[0] / start)
        highs = np.minimum(highs, weight_bounds[1] / start)
    return lows, highs
