"""Trimming: weights cut to limits, and the excess given to the others, or margins met again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, TypedDict

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, IntArray, distinct
from sotongindex._calibrated import Bounds, CalibratedWeights, Calibration
from sotongindex._calibration_kernel import MET
from sotongindex._calibration_report import CalibrationReport, kish_design_effect
from sotongindex._sums import check_respondents_kept
from sotongindex._weighting_units import Unit, positive_weights, units_of_responses
from sotongindex.errors import MethodError
from sotongindex.responses import Responses

__all__ = ["Limits", "Spread", "Subject", "Trimming"]

Cut: TypeAlias = "tuple[FloatArray, Calibration | None] | None"

Spread: TypeAlias = Literal["proportional", "equal"]

_HALVINGS = 50


@attrs.frozen(kw_only=True)
class Limits:
    """What weights are cut to: one of three rules.

    Attributes:
        lower: The lowest weight.
        upper: The highest weight.
        quantiles: Quantiles of the weights that are the lowest and the highest.
        design_effect: The largest design effect; the upper limit follows.
    """

    lower: float | None = None
    upper: float | None = None
    quantiles: tuple[float, float] | None = None
    design_effect: float | None = None

    def __attrs_post_init__(self) -> None:
        absolute = self.lower is not None or self.upper is not None
        rules = (absolute, self.quantiles is not None, self.design_effect is not None)
        if sum(rules) != 1:
            raise MethodError(
                "expected one rule: lower and upper, quantiles, or design_effect, got "
                f"{sum(rules)}",
                argument="upper",
            )
        if absolute and not 0 <= (self.lower or 0.0) < self._upper:
            raise MethodError(
                f"expected 0 <= lower < upper, got {self.lower} and {self.upper}", argument="upper"
            )
        if self.quantiles is not None and not 0 <= self.quantiles[0] < self.quantiles[1] <= 1:
            raise MethodError(
                f"expected 0 <= lower < upper <= 1, got {self.quantiles}", argument="quantiles"
            )
        if self.design_effect is not None and not self.design_effect > 1:
            raise MethodError(
                f"expected a number above 1, got {self.design_effect}", argument="design_effect"
            )

    @property
    def _upper(self) -> float:
        return np.inf if self.upper is None else self.upper

    def of(self, weight: FloatArray, cut: Callable[[Bounds], Cut]) -> Bounds:
        """Return the limits of weights, (u,).

        Args:
            weight: The weights.
            cut: Cuts them to limits; None where that cannot be done.
        """
        if self.quantiles is not None:
            low, high = np.quantile(weight, self.quantiles)
            return float(low), float(high)
        if self.design_effect is None:
            return self.lower or 0.0, self._upper
        return 0.0, self._cap(weight, cut, most=self.design_effect)

    def _cap(self, weight: FloatArray, cut: Callable[[Bounds], Cut], *, most: float) -> float:
        """Return the highest upper limit whose design effect is at most that wanted."""
        low, high = float(weight.mean()), float(weight.max())
        if kish_design_effect(weight) <= most:
            return high
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            result = cut((0.0, middle))
            # Where weights cannot be cut that far, the limit is higher.
            lower = result is None or kish_design_effect(result[0]) <= most
            low, high = (middle, high) if lower else (low, middle)
        result = cut((0.0, low))
        if result is None or kish_design_effect(result[0]) > most * (1 + 1e-9):
            raise MethodError(
                f"no upper limit brings the design effect down to {most:g} while the margins hold; "
                "allow more, or use fewer margins",
                argument="design_effect",
            )
        return low


# -- whose weights ---------------------------------------------------------------------------------


class Trimming(TypedDict, total=False):
    """The arguments of `trim_weights`."""

    lower: float | None
    upper: float | None
    quantiles: tuple[float, float] | None
    design_effect: float | None
    spread: Spread
    strict: bool
    unit: Unit


@attrs.frozen(kw_only=True, eq=False)
class Subject:
    """Weights to be trimmed.

    Attributes:
        weight: The weights of the units, (u,).
        unit: The unit of every evaluation, (n,); None where every row is one.
        calibration: How they were made, if they were calibrated.
    """

    weight: FloatArray
    unit: IntArray | None = None
    calibration: Calibration | None = None

    @classmethod
    def of(cls, data: Responses | CalibratedWeights | ArrayLike, unit: Unit) -> Subject:
        """Find the units of answers, calibrated weights or an array."""
        check_respondents_kept(data, "data")
        if not isinstance(data, Responses | CalibratedWeights):
            return cls(weight=positive_weights(data, np.size(data)))
        known = data.calibration
        if known is not None and data.weight is not None:
            own = np.empty(len(known.start))
            own[known.unit] = data.weight
            return cls(weight=own, unit=known.unit, calibration=known)
        if isinstance(data, CalibratedWeights):
            return cls(weight=data.weight)
        units = units_of_responses(data, unit=unit, by=None)
        if units.weight is None:
            raise MethodError("the answers have no weights to trim", argument="data")
        return cls(weight=units.weight, unit=units.unit)

    def spread(self, weight: FloatArray) -> FloatArray:
        """Return the weights of units for every evaluation."""
        return weight if self.unit is None else weight[self.unit]

    def trim(
        self, limits: Limits, *, spread: Spread, strict: bool
    ) -> tuple[FloatArray, CalibrationReport, Calibration | None]:
        """Return new weights, (u,), what to say of them, and how they were made."""
        known = self.calibration
        group = np.zeros(len(self.weight), dtype=np.int64)
        if known is not None:
            group = known.constraints.cell_group[known.cell]

        def cut(bounds: Bounds) -> Cut:
            if strict and known is not None:
                return recalibrated(known, bounds)
            new = trimmed(self.weight, group, bounds, spread=spread, strict=strict)
            return None if new is None else (new, known)

        bounds = limits.of(self.weight, cut)
        found = cut(bounds)
        if found is None:
            raise MethodError(
                f"weights cannot stay within {bounds[0]:.6g} and {bounds[1]:.6g} and keep "
                f"{'their total' if known is None or not strict else 'the margins'}; widen the "
                "limits",
                argument="upper",
            )
        weight, calibration = found
        report = reported(weight, self.weight, calibration=calibration, limits=bounds)
        if calibration is not None:
            calibration = attrs.evolve(calibration, report=report)
        return weight, report, calibration


# -- the excess goes to the others ---------------------------------------------------------------


def trimmed(
    weight: FloatArray, group: IntArray, limits: Bounds, *, spread: Spread, strict: bool
) -> FloatArray | None:
    """Cut weights (u,) to limits and give the excess of every group to its others.

    Strictly, what is pushed out of the limits is cut again; None where a group has nobody left to
    take the excess.
    """
    total, new = np.bincount(group, weight), weight
    free = np.ones(len(weight), dtype=np.bool_)
    outside = (new < limits[0]) | (new > limits[1])
    while outside.any():
        free &= ~outside  # fewer each time, so this ends
        new = np.clip(new, *limits)
        excess = total - np.bincount(group, new)
        share = new * free if spread == "proportional" else free.astype(np.float64)
        takers = np.bincount(group, share, len(total))
        if (np.abs(excess[takers == 0]) > MET * total[takers == 0]).any():
            return None
        given = np.divide(excess, takers, out=np.zeros_like(total), where=takers > 0)
        new = new + share * given[group]
        outside = ((new < limits[0]) | (new > limits[1])) & strict
    return new if (new > 0).all() else None


# -- margins are met again -----------------------------------------------------------------------


def recalibrated(calibration: Calibration, limits: Bounds) -> tuple[FloatArray, Calibration] | None:
    """Calibrate the starting weights again, the new weights within limits.

    Units of a cell may have different starting weights, so cells are told apart by them.
    """
    own = calibration.start
    before = calibration.weight_bounds or limits
    starts = np.unique(own)
    key = calibration.cell * len(starts) + np.searchsorted(starts, own)
    keys = distinct(key)
    cell, parent = np.searchsorted(keys, key), keys // len(starts)
    finer = attrs.evolve(
        calibration,
        cell=cell,
        ratio=calibration.ratio[parent],
        variables=calibration.variables[parent],
        distance="linear" if calibration.distance == "linear" else "raking",
        weight_bounds=(max(before[0], limits[0]), min(before[1], limits[1])),
    )
    start = np.bincount(cell, own)[:, None].astype(np.float64)
    fit = finer.constraints.fit(start, calibration.totals[:, None])
    if (fit.miss > MET).any() or (fit.ratio <= 0).any():
        return None
    ratio = fit.ratio[:, 0]
    return own * ratio[cell], attrs.evolve(finer, ratio=ratio)


def reported(
    weight: FloatArray, before: FloatArray, *, calibration: Calibration | None, limits: Bounds
) -> CalibrationReport:
    """Return the report of trimmed weights, (u,); margins stand beside those before trimming."""
    ratio = weight / before
    report = CalibrationReport(
        method="trim_weights",
        units=len(weight),
        weight_range=(float(weight.min()), float(weight.max())),
        ratio_range=(float(ratio.min()), float(ratio.max())),
        design_effect=kish_design_effect(weight),
        bounded=(int((weight <= limits[0]).sum()), int((weight >= limits[1]).sum())),
    )
    if calibration is None:
        return report
    constraints, group = calibration.constraints, calibration.group
    shares = [_shares(calibration, one) for one in (before, weight)]
    target = calibration.report.margins.target
    largest = constraints.largest
    totals = np.bincount(constraints.cell_group[calibration.cell], weight)
    return attrs.evolve(
        report,
        margins=attrs.evolve(
            calibration.report.margins, before=shares[0], after=shares[1], total=totals[group]
        ),
        error_before=float((np.abs(shares[0] - target) / largest).max()),
        error_after=float((np.abs(shares[1] - target) / largest).max()),
    )


def _shares(calibration: Calibration, weight: FloatArray) -> FloatArray:
    """Return what calibration variables add up to under weights (u,), as shares, (p,)."""
    cells = np.bincount(calibration.cell, weight, len(calibration.ratio))
    totals = np.bincount(calibration.constraints.cell_group, cells)
    shares: FloatArray = (cells @ calibration.variables) / totals[calibration.group]
    return shares
