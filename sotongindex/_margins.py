"""Margins: the shares or counts that categories shall have, as they are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, distinct
from sotongindex._frames import Frame, Numbers
from sotongindex._weighting_units import Coded, Units, category_name, known_column
from sotongindex.errors import CalibrationError, MethodError

__all__ = ["ROUNDING", "Category", "Margin", "Variable", "read_margins"]

Variable: TypeAlias = "tuple[str, ...]"
Category: TypeAlias = "tuple[str | None, ...]"
Table: TypeAlias = "dict[Category, float]"

# What published shares and counts may be off by rounding, as a share.
ROUNDING = 1e-6
_SHOWN = 5


@attrs.frozen(kw_only=True, eq=False)
class Margin:
    """What the categories of a variable, or of crossed variables, shall have.

    Attributes:
        variable: The columns; several where they are crossed.
        categories: The categories, a value for every column.
        targets: Shares or counts, (g, k); NaN where the margin of a group lacks a category.
        is_share: Whether they are shares, (g,).
    """

    variable: Variable
    categories: tuple[Category, ...]
    targets: FloatArray
    is_share: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """The columns with " x " between them."""
        return " x ".join(self.variable)

    def category(self, position: int) -> str:
        """Return a category as text."""
        return " x ".join(value or "(missing)" for value in self.categories[position])


def read_margins(
    margins: object,
    units: Units,
    *,
    variables: Iterable[Any] | None = None,
    count: str | None = None,
    crossed: bool = False,
) -> list[Margin]:
    """Read margins of every group from a mapping, or count them in a population.

    Args:
        margins: The mapping, or the population.
        units: Who is weighted.
        variables: The columns of the population that are margins; default each.
        count: The column of the population that says how many people a row stands for.
        crossed: Whether there is one margin, of all variables crossed.

    Raises:
        MethodError: If they have no known form.
        CalibrationError: If numbers are neither shares nor counts, or a group has no margins.
    """
    counts = False
    if isinstance(margins, Mapping) and any(isinstance(one, Mapping) for one in margins.values()):
        if variables is not None or count is not None:
            raise MethodError(
                "variables and count are columns of a population; these margins are a mapping",
                argument="variables" if count is None else "count",
            )
        tables = _from_mapping(margins, units)
    else:
        frame = Frame.of(margins)
        asked = (variables,) if isinstance(variables, str) else variables
        wanted = tuple(asked or (name for name in frame.names if name not in (count, units.by)))
        wanted = (wanted,) if crossed else wanted
        tables = _from_population(frame, units, variables=wanted, count=count)
        counts = count is None
    if not tables[0] or (crossed and len(tables[0]) > 1):
        raise MethodError(
            f"expected {'one margin' if crossed else 'at least one margin'}, got {len(tables[0])}"
            + ("; cross variables as a tuple, or rake to several margins" if crossed else ""),
            argument="margins",
        )
    for group, table in zip(units.groups, tables, strict=True):
        if table.keys() != tables[0].keys():
            raise CalibrationError(
                f"expected the same variables in every group; {group!r} has "
                f"{', '.join(map(repr, table))}, {units.groups[0]!r} has "
                f"{', '.join(map(repr, tables[0]))}"
            )
    return [
        _margin(variable, [table[variable] for table in tables], units.groups, counts=counts)
        for variable in tables[0]
    ]


# -- from mappings -------------------------------------------------------------------------------


def _from_mapping(margins: Mapping[Any, Any], units: Units) -> list[dict[Variable, Table]]:
    """Return the tables of every group."""
    inner = [
        one for table in margins.values() if isinstance(table, Mapping) for one in table.values()
    ]
    if units.by is None or not any(isinstance(one, Mapping) for one in inner):
        return [_tables(margins)] * len(units.groups)
    named = {category_name(group): table for group, table in margins.items()}
    _same_groups(named, units)
    return [_tables(named[group]) for group in units.groups]


def _same_groups(named: Iterable[str | None], units: Units) -> None:
    """Every group of the data has margins, and the reverse."""
    absent = [group for group in units.groups if group not in named]
    if absent:
        raise CalibrationError(
            f"no margins for {len(absent)} of {len(units.groups)} groups of {units.by!r} "
            f"({_few(absent)}); give them, or leave these respondents out",
            variable=units.by,
            categories=absent,
        )
    unknown = [str(group) for group in named if group not in units.groups]
    if unknown:
        raise CalibrationError(
            f"margins for {len(unknown)} groups of {units.by!r} that have no respondents "
            f"({_few(unknown)}); leave them out",
            variable=units.by,
            categories=unknown,
        )


def _tables(margins: Mapping[Any, Any]) -> dict[Variable, Table]:
    """Return the table of every variable."""
    tables: dict[Variable, Table] = {}
    for key, table in margins.items():
        variable = (key,) if isinstance(key, str) else key
        if not (isinstance(variable, tuple) and all(isinstance(name, str) for name in variable)):
            raise MethodError(
                f"expected a column, or a tuple of columns to cross, got {key!r}",
                argument="margins",
            )
        if not isinstance(table, Mapping) or not table:
            raise MethodError(
                f"expected a mapping of categories to shares or counts for {key!r}, got {table!r}",
                argument="margins",
            )
        tables[variable] = _table(variable, table)
    return tables


def _table(variable: Variable, given: Mapping[Any, Any]) -> Table:
    """Return the numbers of a variable by its categories as they are written."""
    table: Table = {}
    for key, value in given.items():
        parts = key if len(variable) > 1 and isinstance(key, tuple) else (key,)
        category = tuple(map(category_name, parts))
        fits = isinstance(value, int | float | np.number) and 0 <= value < np.inf
        if len(category) != len(variable) or category in table or not fits:
            raise CalibrationError(
                f"expected every category of {' x '.join(variable)!r} once, with a number of 0 or "
                f"more, got {key!r}: {value!r}",
                variable=" x ".join(variable),
                categories=[str(key)],
            )
        table[category] = float(value)
    return table


# -- from a population ---------------------------------------------------------------------------


def _from_population(
    frame: Frame, units: Units, *, variables: Iterable[Any], count: str | None
) -> list[dict[Variable, Table]]:
    """Count the people, or add up a column of counts, in every category of every group."""
    weight = None
    if count is not None:
        column = frame.column(known_column(count, frame.names, "count"))
        if not isinstance(column, Numbers) or column.is_null.any() or column.values.min() < 0:
            raise MethodError(
                f"expected counts of 0 or more in {count!r} of the population", argument="count"
            )
        weight = column.values.astype(np.float64)
    group, named = np.zeros(frame.rows, dtype=np.int64), list(units.groups)
    if units.by is not None:
        group, values = _plain(frame, units.by)
        named = [str(value) for value in values]
        _same_groups(named, units)
    tables: dict[str, dict[Variable, Table]] = {name: {} for name in named}
    for one in variables:
        variable = (one,) if isinstance(one, str) else tuple(one)
        counted = _counts(frame, variable, group, groups=len(named), weight=weight)
        for place, table in zip(named, counted, strict=True):
            tables[place][variable] = table
    return [tables[name] for name in units.groups]


def _plain(frame: Frame, name: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the codes and names of a column of the population that has no blanks."""
    coded = Coded.of(frame.column(known_column(name, frame.names, "margins")))
    codes = coded.codes.astype(np.int64) - coded.offset
    counts = np.bincount(codes, minlength=len(coded.values))
    names = [category_name(value) for value in coded.values]
    blank = sum(int(n) for n, value in zip(counts, names, strict=True) if value is None)
    if blank:
        raise CalibrationError(
            f"{blank} of {len(codes)} rows of the population have no {name!r}; fill it, or leave "
            "the rows out",
            variable=name,
            counts=[blank],
        )
    used = np.flatnonzero(counts)
    place = np.zeros(len(counts), dtype=np.int64)
    place[used] = np.arange(len(used))
    return place[codes], tuple(str(names[code]) for code in used)


def _counts(
    frame: Frame,
    variable: Variable,
    group: NDArray[np.int64],
    *,
    groups: int,
    weight: FloatArray | None,
) -> list[Table]:
    """Return the counts of every group; categories without people are left out."""
    key, columns = group, []
    for name in variable:
        codes, values = _plain(frame, name)
        key = key * len(values) + codes
        columns.append(values)
    keys = distinct(key)
    sums = np.bincount(np.searchsorted(keys, key), weight)
    tables: list[Table] = [{} for _ in range(groups)]
    for cell, people in zip(keys[sums > 0].tolist(), sums[sums > 0].tolist(), strict=True):
        place = cell
        category: Category = ()
        for values in reversed(columns):
            place, code = divmod(place, len(values))
            category = (values[code], *category)
        tables[place][category] = float(people)
    return tables


# -- shares or counts ----------------------------------------------------------------------------


def _margin(
    variable: Variable, tables: list[Table], groups: tuple[str, ...], *, counts: bool
) -> Margin:
    """Put the tables of all groups side by side; people are counts, numbers may be shares."""
    categories = tuple(dict.fromkeys(category for table in tables for category in table))
    targets = np.array([[table.get(one, np.nan) for one in categories] for table in tables])
    total = np.nansum(targets, axis=1)
    is_share = (np.abs(total - 1) <= ROUNDING) & (not counts)
    parts = (np.nan_to_num(targets) % 1 > 0).any(axis=1) | (total == 0)
    odd = np.flatnonzero(~is_share & parts & (np.nanmax(targets, axis=1) <= 1))
    if len(odd):
        where = f" in {groups[odd[0]]!r}" if groups[odd[0]] else ""
        raise CalibrationError(
            f"the numbers of {' x '.join(variable)!r}{where} add up to {total[odd[0]]:g}: shares "
            "add up to 1, counts to the population; nothing is rescaled unasked",
            variable=" x ".join(variable),
            categories=[str(one[0]) for one in categories],
            counts=targets[odd[0]].tolist(),
        )
    # What rounding left over is shared out, or the margins could not all be met.
    targets[is_share] /= total[is_share, None]
    return Margin(variable=variable, categories=categories, targets=targets, is_share=is_share)


def _few(names: list[str]) -> str:
    more = f", ... ({len(names)})" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
