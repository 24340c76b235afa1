"""Respondent weights: whom an answer stands for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex._calibrated import Bounds, Calibration
from sotongindex._calibrating import Design, NotConverged
from sotongindex._calibration_report import CalibrationReport
from sotongindex._margins import read_margins
from sotongindex._targets import Empty, Missing, Policies, Sizes, block_of
from sotongindex._weighting_cells import Cells
from sotongindex._weighting_units import Unit, units_of_frame, units_of_responses
from sotongindex.responses import Responses

__all__ = ["CalibratedWeights", "Calibration", "CalibrationReport", "rake"]


@attrs.frozen(kw_only=True, eq=False)
class CalibratedWeights:
    """Weights of the rows of a table.

    Attributes:
        weight: The new weights, (n,).
        calibration: How they were made.
    """

    weight: FloatArray = attrs.field(converter=float_array)
    calibration: Calibration

    @property
    def report(self) -> CalibrationReport:
        """How it went."""
        return self.calibration.report


def rake(
    data: Any,
    margins: Any,
    *,
    by: str | None = None,
    unit: Unit = "respondent",
    weight: str | ArrayLike | None = None,
    variables: Iterable[Any] | None = None,
    count: str | None = None,
    population_size: float | None = None,
    ratio_bounds: Bounds | None = None,
    weight_bounds: Bounds | None = None,
    missing: Missing = "error",
    empty: Empty = "error",
    not_converged: NotConverged = "error",
) -> Any:
    """Weight respondents to margins."""
    is_responses = isinstance(data, Responses)
    units = (
        units_of_responses(data, unit=unit, by=by)
        if is_responses
        else units_of_frame(data, weight=weight, by=by)
    )
    read = read_margins(margins, units, variables=variables, count=count)
    names = dict.fromkeys(name for margin in read for name in margin.variable)
    cells = Cells.of(units, names, by_weight=weight_bounds is not None)
    population = None if population_size is None else np.full(len(units.groups), population_size)
    sizes = Sizes.of(read, cells, population=population, groups=units.groups)
    policies = Policies(missing=missing, empty=empty)
    design = Design(
        method="rake",
        units=units,
        cells=cells,
        sizes=sizes,
        blocks=[block_of(margin, cells, sizes=sizes, policies=policies) for margin in read],
        distance="raking",
        ratio_bounds=ratio_bounds,
        weight_bounds=weight_bounds,
    )
    new, calibration = design.solve(not_converged)
    if not is_responses:
        return CalibratedWeights(weight=new, calibration=calibration)
    return attrs.evolve(data, weight=new[calibration.unit], calibration=calibration)
