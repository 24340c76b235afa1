"""The one way from data and options to new weights that every verb of calibration takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, get_args

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray
from sotongindex._calibrated import Bounds, CalibratedWeights
from sotongindex._calibrating import Design
from sotongindex._calibration_kernel import Distance
from sotongindex._margins import Margin, read_margins
from sotongindex._numbers import NumberTarget, number_block, population_block, read_numbers
from sotongindex._sums import check_respondents_kept
from sotongindex._targets import Block, Empty, Missing, Policies, Sizes, block_of
from sotongindex._validators import check_choice
from sotongindex._weighting_cells import Cells
from sotongindex._weighting_units import Unit, Units, units_of_frame, units_of_responses
from sotongindex.errors import MethodError
from sotongindex.responses import Responses

__all__ = ["Asked", "NotConverged", "Options", "Table", "weighed"]

NotConverged: TypeAlias = Literal["error", "warning"]


class _DataFrame(Protocol):
    """A dataframe of any kind, as type checkers see it."""

    @property
    def shape(self) -> Any: ...


Table: TypeAlias = "Mapping[str, Any] | _DataFrame"


class Asked(TypedDict, total=False):
    """The fields of `Options` as keyword arguments."""

    by: str | None
    unit: Unit
    weight: str | ArrayLike | None
    variables: Iterable[Any] | None
    count: str | None
    population_size: float | Mapping[str, float] | None
    ratio_bounds: Bounds | None
    weight_bounds: Bounds | None
    missing: Missing
    empty: Empty
    not_converged: NotConverged


@attrs.frozen(kw_only=True, eq=False)
class Options:
    """What the verbs have in common; see `rake`."""

    by: str | None = None
    unit: Unit = "respondent"
    weight: str | ArrayLike | None = None
    variables: Iterable[Any] | None = None
    count: str | None = None
    population_size: float | Mapping[str, float] | None = None
    ratio_bounds: Bounds | None = None
    weight_bounds: Bounds | None = None
    missing: Missing = "error"
    empty: Empty = "error"
    not_converged: NotConverged = "error"

    def __attrs_post_init__(self) -> None:
        check_choice(self.unit, get_args(Unit), "unit")
        check_choice(self.missing, get_args(Missing), "missing")
        check_choice(self.empty, get_args(Empty), "empty")
        check_choice(self.not_converged, get_args(NotConverged), "not_converged")
        _check_bounds(self.ratio_bounds, "ratio_bounds")
        _check_bounds(self.weight_bounds, "weight_bounds")

    def units(self, data: object) -> Units:
        """Return who is weighted."""
        check_respondents_kept(data, "data")
        if not isinstance(data, Responses):
            return units_of_frame(data, weight=self.weight, by=self.by)
        if self.weight is not None:
            raise MethodError("answers have their own starting weights", argument="weight")
        return units_of_responses(data, unit=self.unit, by=self.by)

    def population(self, units: Units) -> FloatArray | None:
        """Return the size of the population of every group, (g,)."""
        if self.population_size is None:
            return None
        given = self.population_size
        named = given if isinstance(given, Mapping) else dict.fromkeys(units.groups, given)
        absent = [group for group in units.groups if group not in named]
        sizes = np.array([named.get(group, np.nan) for group in units.groups], dtype=np.float64)
        if absent or not (np.isfinite(sizes) & (sizes > 0)).all():
            raise MethodError(
                f"expected a number above 0 for every group, got {given!r}"
                + (f"; none for {absent[0]!r}" if absent else ""),
                argument="population_size",
            )
        return sizes


def _check_bounds(bounds: Bounds | None, argument: str) -> None:
    if bounds is None:
        return
    fits = isinstance(bounds, tuple) and len(bounds) == 2 and 0 <= bounds[0] < bounds[1]
    if not fits:
        raise MethodError(
            f"expected (lower, upper) with 0 <= lower < upper, got {bounds!r}", argument=argument
        )


def weighed(
    data: object,
    options: Options,
    *,
    method: str,
    distance: Distance,
    margins: object = None,
    totals: Mapping[str, Any] | None = None,
    means: Mapping[str, Any] | None = None,
) -> Responses | CalibratedWeights:
    """Return answers with new weights, or the new weights of a table."""
    units = options.units(data)
    read: list[Margin] = []
    if margins is not None:
        read = read_margins(
            margins,
            units,
            variables=options.variables,
            count=options.count,
            crossed=method == "post_stratify",
        )
    targets = read_numbers(totals, means, units)
    names = dict.fromkeys(name for margin in read for name in margin.variable)
    names |= dict.fromkeys(targets)
    cells = Cells.of(units, names, by_weight=options.weight_bounds is not None)
    population = options.population(units)
    sizes = Sizes.of(read, cells, population=population, groups=units.groups)
    if means and not read and population is None:
        raise MethodError("means need margins, or a stated population_size", argument="means")
    design = Design(
        method=method,
        units=units,
        cells=cells,
        sizes=sizes,
        blocks=_blocks(options, cells, sizes, margins=read, targets=targets),
        distance=distance,
        ratio_bounds=options.ratio_bounds,
        weight_bounds=options.weight_bounds,
        warn=options.not_converged == "warning",
    )
    weight, calibration = design.solve()
    if not isinstance(data, Responses):
        return CalibratedWeights(weight=weight, report=calibration.report, calibration=calibration)
    spread = weight if units.unit is None else weight[units.unit]
    return attrs.evolve(data, weight=spread, calibration=calibration)


def _blocks(
    options: Options,
    cells: Cells,
    sizes: Sizes,
    *,
    margins: list[Margin],
    targets: Mapping[str, NumberTarget],
) -> list[Block]:
    """Return the margins, or the size of the population where there are none, and the numbers."""
    policies = Policies(missing=options.missing, empty=options.empty)
    blocks = [block_of(margin, cells, sizes=sizes, policies=policies) for margin in margins]
    if not blocks and not sizes.relative.any():
        blocks.append(population_block(cells, sizes))
    blocks += [number_block(name, target, cells, sizes=sizes) for name, target in targets.items()]
    if not blocks:
        raise MethodError("expected margins, totals or means, got none", argument="margins")
    return blocks
