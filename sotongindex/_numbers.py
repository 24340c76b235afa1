"""Numbers to calibrate to: totals or means of numeric columns, and the size of the population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from sotongindex._arrays import FloatArray
from sotongindex._targets import Block, Sizes
from sotongindex._weighting_cells import Cells
from sotongindex._weighting_units import Units
from sotongindex.errors import CalibrationError, MethodError

__all__ = ["NumberTarget", "number_block", "population_block", "read_numbers"]


@attrs.frozen(kw_only=True, eq=False)
class NumberTarget:
    """What a numeric column shall come to in every group.

    Attributes:
        values: Totals or means, (g,).
        is_mean: Whether they are means.
    """

    values: FloatArray
    is_mean: bool


def read_numbers(
    totals: Mapping[str, Any] | None, means: Mapping[str, Any] | None, units: Units
) -> dict[str, NumberTarget]:
    """Read totals and means of every group: ``{column: number}`` or ``{group: {column: number}}``.

    Raises:
        MethodError: If they are no numbers, a group lacks them, or a column has both.
    """
    targets: dict[str, NumberTarget] = {}
    for argument, given in (("totals", totals), ("means", means)):
        tables = _by_group(given or {}, units, argument)
        for name in tables[0]:
            values = [table.get(name) for table in tables]
            numeric = all(isinstance(value, int | float | np.number) for value in values)
            if name in targets or not numeric or not np.isfinite(np.array(values, float)).all():
                raise MethodError(
                    f"expected one finite number for {name!r} in every group, as a total or as a "
                    f"mean, got {values[0] if len(values) == 1 else values!r}",
                    argument=argument,
                )
            targets[name] = NumberTarget(
                values=np.array(values, dtype=np.float64), is_mean=argument == "means"
            )
    return targets


def _by_group(given: Mapping[str, Any], units: Units, argument: str) -> list[Mapping[str, Any]]:
    """Return the numbers of every group."""
    if units.by is None or not any(isinstance(table, Mapping) for table in given.values()):
        return [given] * len(units.groups)
    differing = set(given).symmetric_difference(units.groups)
    if differing:
        raise MethodError(
            f"expected a mapping for each of the {len(units.groups)} groups of {units.by!r}; "
            f"{min(map(str, differing))!r} is not in both",
            argument=argument,
        )
    return [given[group] for group in units.groups]


def number_block(name: str, target: NumberTarget, cells: Cells, *, sizes: Sizes) -> Block:
    """Make the variable of a numeric column.

    Raises:
        CalibrationError: If a unit has no number.
    """
    numbers = np.array(
        [value if isinstance(value, int | float) else np.nan for value in cells.values[name]],
        dtype=np.float64,
    )[cells.codes[name]]
    lacking = int(cells.count[~np.isfinite(numbers)].sum())
    if lacking:
        raise CalibrationError(
            f"{name!r}: {lacking} respondents without a number; leave them out, or put the mean of "
            "the others in its place",
            argument="means" if target.is_mean else "totals",
            variable=name,
            counts=[lacking],
        )
    totals = target.values * sizes.after if target.is_mean else target.values
    return _of_all(
        name,
        cells,
        data=numbers,
        totals=totals,
        relative=sizes.relative & target.is_mean,
        is_number=True,
    )


def population_block(cells: Cells, sizes: Sizes) -> Block:
    """Make the variable that counts everybody."""
    return _of_all(
        "population",
        cells,
        data=np.ones(len(cells.count)),
        totals=sizes.after,
        relative=sizes.relative,
        is_number=False,
    )


def _of_all(
    name: str,
    cells: Cells,
    *,
    data: FloatArray,
    totals: FloatArray,
    relative: np.ndarray[Any, np.dtype[np.bool_]],
    is_number: bool,
) -> Block:
    count = np.bincount(cells.group, cells.count, len(totals)).astype(np.int64)
    return Block(
        name=name,
        categories=("",),
        totals=totals[:, None],
        used=np.ones((len(totals), 1), dtype=np.bool_),
        relative=relative,
        count=count[:, None],
        rows=np.arange(len(data)),
        places=np.zeros(len(data), dtype=np.int64),
        data=data,
        is_number=is_number,
    )
