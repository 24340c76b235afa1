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
from sotongindex._lazy import CellWeights, LazyTable
from sotongindex._lazy_units import LazyPeople
from sotongindex._margins import Margin, read_margins
from sotongindex._numbers import NumberTarget, number_block, population_block, read_numbers
from sotongindex._sums import check_respondents_kept
from sotongindex._targets import Block, Empty, Missing, Policies, Sizes, block_of
from sotongindex._validators import check_choice
from sotongindex._weighting_cells import Cells
from sotongindex._weighting_units import Unit, Units, units_of_frame, units_of_responses
from sotongindex.errors import MethodError
from sotongindex.responses import Responses

__all__ = ["Asked", "LazyFrame", "NotConverged", "Options", "Request", "Table", "weighed"]

NotConverged: TypeAlias = Literal["error", "warning"]


class _DataFrame(Protocol):
    """A dataframe of any kind, as type checkers see it."""

    @property
    def shape(self) -> Any: ...


class LazyFrame(Protocol):
    """A lazy frame of any engine, as type checkers see it: it can tell its plan."""

    def explain(self, *arguments: Any, **options: Any) -> Any: ...


Table: TypeAlias = "Mapping[str, Any] | _DataFrame"


class Asked(TypedDict, total=False):
    """The fields of `Options` as keyword arguments."""

    by: str | None
    unit: Unit
    respondent: str | None
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
    respondent: str | None = None
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
            return units_of_frame(data, weight=self.weight, by=self.by, respondent=self._respondent)
        if self.weight is not None:
            raise MethodError("answers have their own starting weights", argument="weight")
        if self.respondent is not None:
            raise MethodError("answers have their own respondents", argument="respondent")
        return units_of_responses(data, unit=self.unit, by=self.by)

    def people(self, table: LazyTable) -> LazyPeople:
        """Return who is weighted in a lazy table."""
        if self.weight_bounds is not None:
            raise MethodError(
                "the cells of a lazy frame are not told apart by starting weight; give "
                "ratio_bounds, which is the same where all start at 1",
                argument="weight_bounds",
            )
        return LazyPeople.of(table, weight=self.weight, by=self.by, respondent=self._respondent)

    @property
    def _respondent(self) -> str | None:
        return self.respondent if self.unit == "respondent" else None

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


@attrs.frozen(kw_only=True, eq=False)
class Aims:
    """What weights are to meet.

    Attributes:
        margins: The margins.
        numbers: The totals and means of numbers.
    """

    margins: list[Margin]
    numbers: Mapping[str, NumberTarget]

    @property
    def names(self) -> dict[str, None]:
        """The columns that are looked at."""
        names = dict.fromkeys(name for margin in self.margins for name in margin.variable)
        return names | dict.fromkeys(self.numbers)


@attrs.frozen(kw_only=True, eq=False)
class Request:
    """What a verb of calibration was asked for.

    Attributes:
        method: The verb.
        options: What the verbs have in common.
        distance: What is smallest.
        margins: The margins or the population as given.
        totals: The totals as given.
        means: The means as given.
    """

    method: str
    options: Options
    distance: Distance
    margins: object = None
    totals: Mapping[str, Any] | None = None
    means: Mapping[str, Any] | None = None

    def aims(self, units: Units) -> Aims:
        """Read what is to be met in every group of units."""
        margins: list[Margin] = []
        if self.margins is not None:
            margins = read_margins(
                self.margins,
                units,
                variables=self.options.variables,
                count=self.options.count,
                crossed=self.method == "post_stratify",
            )
        return Aims(margins=margins, numbers=read_numbers(self.totals, self.means, units))

    def design(self, units: Units, aims: Aims) -> Design:
        """Put units and aims together."""
        options = self.options
        cells = Cells.of(units, aims.names, by_weight=options.weight_bounds is not None)
        population = options.population(units)
        sizes = Sizes.of(aims.margins, cells, population=population, groups=units.groups)
        if self.means and not aims.margins and population is None:
            raise MethodError("means need margins, or a stated population_size", argument="means")
        return Design(
            method=self.method,
            units=units,
            cells=cells,
            sizes=sizes,
            blocks=_blocks(options, cells, sizes, aims=aims),
            distance=self.distance,
            ratio_bounds=options.ratio_bounds,
            weight_bounds=options.weight_bounds,
            warn=options.not_converged == "warning",
        )


def weighed(data: object, request: Request) -> Responses | CalibratedWeights | CellWeights:
    """Return answers with new weights, or the new weights of a table."""
    table = LazyTable.of(data)
    if table is not None:
        people = request.options.people(table)
        aims = request.aims(people.grouped())
        cells = people.cells(aims.names)
        _, calibration = request.design(cells.units, aims).solve()
        return cells.weights(calibration)
    units = request.options.units(data)
    weight, calibration = request.design(units, request.aims(units)).solve()
    spread = weight if units.unit is None else weight[units.unit]
    if isinstance(data, Responses):
        return attrs.evolve(data, weight=spread, calibration=calibration)
    return CalibratedWeights(weight=spread, report=calibration.report, calibration=calibration)


def _blocks(
    options: Options,
    cells: Cells,
    sizes: Sizes,
    *,
    aims: Aims,
) -> list[Block]:
    """Return the margins, or the size of the population where there are none, and the numbers."""
    policies = Policies(missing=options.missing, empty=options.empty)
    blocks = [block_of(margin, cells, sizes=sizes, policies=policies) for margin in aims.margins]
    if not blocks and not sizes.relative.any():
        blocks.append(population_block(cells, sizes))
    blocks += [
        number_block(name, target, cells, sizes=sizes) for name, target in aims.numbers.items()
    ]
    if not blocks:
        raise MethodError("expected margins, totals or means, got none", argument="margins")
    return blocks
