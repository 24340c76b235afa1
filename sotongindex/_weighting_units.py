"""Who is weighted: the units, the group and starting weight of each, and their columns as codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._arrays import FloatArray, IntArray, distinct
from sotongindex._frames import Column, Frame, Numbers, Text
from sotongindex.errors import MethodError, nearest_key
from sotongindex.responses import Responses

__all__ = [
    "NO_GROUPS",
    "Coded",
    "Unit",
    "Units",
    "category_name",
    "differing",
    "known_column",
    "lacking",
    "no_rows",
    "numbered",
    "positive_weights",
    "units_of_frame",
    "units_of_responses",
]

Unit: TypeAlias = Literal["respondent", "evaluation"]
Codes: TypeAlias = "NDArray[np.integer[Any]]"

NO_GROUPS: tuple[None, tuple[str, ...]] = None, ("",)
_WIDEST = 2**16  # whole numbers that lie closer together are their own codes


# -- columns as codes ----------------------------------------------------------------------------


def category_name(value: object) -> str | None:
    """Return how a category is written; None where it is missing."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value == "" or value != value:  # noqa: PLR0124  # only NaN differs from itself
        return None
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    return str(value)


@attrs.frozen(kw_only=True, eq=False)
class Coded:
    """A column as codes.

    Attributes:
        codes: For every unit the position of its value, plus `offset`, (u,).
        offset: The code of the first value.
        values: The values, as they came.
    """

    codes: Codes
    offset: int
    values: tuple[object, ...]

    @classmethod
    def of(cls, column: Column) -> Coded:
        """Number the values of a column; whole numbers that lie close together are their code."""
        if isinstance(column, Text):
            return cls(codes=column.codes, offset=-1, values=(None, *column.labels))
        if not isinstance(column, Numbers):
            return cls.sorted(column.values)
        if column.values.dtype.kind == "f":
            return _whole(column.values) or cls.sorted(column.values)
        low, high = (int(end) for end in (column.values.min(), column.values.max()))
        if high - low < _WIDEST:
            values = (None if value == column.null else value for value in range(low, high + 1))
            return cls(codes=column.values, offset=low, values=tuple(values))
        if column.null is None:
            return cls.sorted(column.values)
        return cls.of(Numbers(values=np.where(column.is_null, np.nan, column.values)))

    @classmethod
    def sorted(cls, values: NDArray[Any]) -> Coded:
        """Code values by their place among the distinct ones; NaN and NaT are one, the last."""
        keys = np.unique(values)
        return cls(codes=np.searchsorted(keys, values), offset=0, values=tuple(keys.tolist()))


def _whole(values: FloatArray) -> Coded | None:
    """Code floats that are whole numbers close together, or missing; None where they are not."""
    missing = np.isnan(values)
    with np.errstate(invalid="ignore"):
        codes = values.astype(np.int64)
    given = codes[~missing]
    if len(given) == 0 or not np.array_equal(given, values[~missing]):
        return None
    low, high = int(given.min()), int(given.max())
    if high - low >= _WIDEST:
        return None
    codes[missing] = low - 1
    return Coded(codes=codes, offset=low - 1, values=(None, *range(low, high + 1)))


# -- units ---------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Units:
    """The units that are weighted.

    Attributes:
        unit: The unit of every evaluation or row, (n,); None where every row is one.
        count: How many units there are.
        weight: The starting weights, of all respondents of a unit together, (u,); None where all
            are 1.
        by: What the groups are; None where there is one group.
        group: The group of every unit, (u,); None where there is one.
        groups: The names of the groups.
        names: The columns that margins may name.
        column: Reads a column, one value a unit.
        times: How many respondents each unit is, (u,); None where each is one.
    """

    unit: IntArray | None
    count: int
    weight: FloatArray | None
    by: str | None
    group: Codes | None
    groups: tuple[str, ...]
    names: tuple[str, ...]
    column: Callable[[str], Column]
    times: IntArray | None = None

    @property
    def respondents(self) -> int:
        """How many respondents the units are."""
        return self.count if self.times is None else int(self.times.sum())

    def coded(self, name: str) -> Coded:
        """Return a column as codes.

        Raises:
            MethodError: If there is no such column.
        """
        return Coded.of(self.column(known_column(name, self.names, "margins")))


def known_column(name: str, names: tuple[str, ...], argument: str) -> str:
    """Return `name` if it is one of `names`.

    Raises:
        MethodError: If it is not.
    """
    if name not in names:
        near = nearest_key(name, names)
        raise MethodError(
            f"no column {name!r}; there are: {', '.join(map(repr, names)) or 'none'}"
            + (f"; did you mean {near!r}?" if near else "")
            + "; columns of answers are kept by reading them with keep=[...]",
            argument=argument,
        )
    return name


def units_of_frame(
    frame: object, *, weight: str | ArrayLike | None, by: str | None, respondent: str | None
) -> Units:
    """Take every row of a frame as a unit, or the rows of a respondent together."""
    table = Frame.of(frame)
    if table.rows == 0:
        raise no_rows()
    start = weight
    if isinstance(weight, str):
        column = table.column(known_column(weight, table.names, "weight"))
        start = column.values if isinstance(column, Numbers) else np.array([np.nan])
    weights = None if start is None else positive_weights(start, table.rows)
    group, groups = NO_GROUPS
    if by is not None:
        coded = Coded.of(table.column(known_column(by, table.names, "by")))
        group, groups = numbered(coded, by, argument="by")
    once = _Once.rows(table.rows)
    if respondent is not None:
        coded = Coded.of(table.column(known_column(respondent, table.names, "respondent")))
        who, people = numbered(coded, respondent, argument="respondent")
        once = _Once.of(*_within(who, len(people), group))
    return Units(
        unit=once.unit,
        count=once.count,
        weight=None if weights is None else once.values(weights, "weight"),
        by=by,
        group=None if group is None else group[once.first],
        groups=groups,
        names=table.names,
        column=lambda name: once.column(table.column(name), name),
    )


def no_rows() -> MethodError:
    """Return the error of a table without rows."""
    return MethodError("expected at least one row, got none", argument="data")


def positive_weights(weight: ArrayLike, rows: int) -> FloatArray:
    """Return weights of rows, each above 0 and finite."""
    weights = np.asarray(weight)
    if rows == 0 or weights.shape != (rows,) or weights.dtype.kind not in "iuf":
        raise MethodError(
            f"expected {rows or 'some'} numbers, one a row, got {weights.dtype} of shape "
            f"{weights.shape}",
            argument="weight",
        )
    weights = weights.astype(np.float64, copy=False)
    if not (weights.min() > 0 and weights.max() < np.inf):
        wrong = np.flatnonzero(~((weights > 0) & (weights < np.inf)))
        raise MethodError(
            f"expected starting weights above 0, got {weights[wrong[0]]:g} in row {wrong[0]}; "
            f"{len(wrong)} of {rows} rows; whoever stands for nobody is left out, not weighted 0",
            argument="weight",
        )
    return weights


def numbered(
    coded: Coded, name: str, *, argument: str, times: IntArray | None = None
) -> tuple[Codes, tuple[str, ...]]:
    """Number the values that have units; missing ones are an error."""
    codes = coded.codes - coded.offset
    counts = np.bincount(codes, times, minlength=len(coded.values)).astype(np.int64)
    names = [category_name(value) for value in coded.values]
    missing = sum(int(count) for name, count in zip(names, counts, strict=True) if name is None)
    if missing:
        raise lacking(name, missing, int(counts.sum()), argument=argument)
    used = np.flatnonzero(counts)
    renumbered = np.zeros(len(counts), dtype=np.int64)
    renumbered[used] = np.arange(len(used))
    return renumbered[codes], tuple(str(names[code]) for code in used)


def lacking(name: str, missing: int, count: int, *, argument: str) -> MethodError:
    """Return the error of units whose group or key is missing."""
    return MethodError(
        f"{missing} of {count} units have no {name!r}; fill it or leave them out", argument=argument
    )


def units_of_responses(responses: Responses, *, unit: Unit, by: str | None) -> Units:
    """Take respondents, or respondents within a group, or evaluations as units."""
    group, groups = NO_GROUPS if by is None else _response_groups(responses, by)
    once = _Once.rows(len(responses))
    if unit == "respondent":
        keys = responses.respondent_keys
        once = _Once.of(*_within(responses.respondent, len(keys), group))
    kept = responses.kept
    return Units(
        unit=once.unit,
        count=once.count,
        weight=None if responses.weight is None else once.values(responses.weight, "weight"),
        by=by,
        group=None if group is None else group[once.first],
        groups=groups,
        names=tuple(kept),
        column=lambda name: Frame.of({name: once.values(kept[name], name)}).column(name),
    )


def _response_groups(responses: Responses, by: str) -> tuple[Codes, tuple[str, ...]]:
    """Return the group of every evaluation."""
    organizations = responses.study.organizations
    if by in responses.kept:
        column = Frame.of({by: responses.kept[by]}).column(by)
    else:
        names = [one.key if by == "organization" else one.attribute(by) for one in organizations]
        known = ("organization", "industry", "sector", *_attribute_names(responses))
        if by not in known:
            known_column(by, (*dict.fromkeys(known), *responses.kept), "by")
        labels = tuple(dict.fromkeys(name for name in names if name is not None))
        code = {label: position for position, label in enumerate(labels)}
        codes = np.array([code.get(name or "", -1) for name in names], dtype=np.int32)
        codes = codes[responses.organization]
        column = Text(codes=codes, labels=labels)
    return numbered(Coded.of(column), by, argument="by")


def _attribute_names(responses: Responses) -> list[str]:
    return [name for one in responses.study.organizations for name, _ in one.attributes]


def _within(respondent: Codes, count: int, group: Codes | None) -> tuple[IntArray, int]:
    """Number so many respondents, within groups where there are any."""
    if group is None:
        return respondent.astype(np.int64), count
    pair = group.astype(np.int64) * count + respondent
    pairs = distinct(pair)
    return np.searchsorted(pairs, pair), len(pairs)


@attrs.frozen(kw_only=True, eq=False)
class _Once:
    """Which unit evaluations belong to, and the first evaluation of each."""

    unit: IntArray | None
    count: int
    first: IntArray | slice

    @classmethod
    def rows(cls, count: int) -> _Once:
        """Take every evaluation as a unit."""
        return cls(unit=None, count=count, first=slice(None))

    @classmethod
    def of(cls, unit: IntArray, count: int) -> _Once:
        """Take units as they are numbered; where each has one evaluation, these are the units."""
        if count == len(unit):
            return cls.rows(count)
        first = np.empty(count, dtype=np.int64)
        first[unit[::-1]] = np.arange(len(unit))[::-1]
        return cls(unit=unit, count=count, first=first)

    def values(self, values: NDArray[Any], name: str) -> NDArray[Any]:
        """Return one value a unit.

        Raises:
            MethodError: If the evaluations of a unit differ.
        """
        own = values[self.first]
        if self.unit is not None:
            same = np.equal(values, own[self.unit])
            if values.dtype.kind in "fM":
                same |= np.isnan(values) & np.isnan(own[self.unit])
            if not same.all():
                units = len(distinct(self.unit[~same]))
                raise differing(name, units)
        return own

    def column(self, column: Column, name: str) -> Column:
        """Return a column with one value a unit."""
        if self.unit is None:
            return column
        if isinstance(column, Text):
            return attrs.evolve(column, codes=self.values(column.codes, name))
        return attrs.evolve(column, values=self.values(column.values, name))


def differing(name: str, units: int) -> MethodError:
    """Return the error of units whose evaluations differ."""
    return MethodError(
        f"column {name!r} differs between the evaluations of {units} respondents, who count once "
        "in the margins; make it the same, or weight every evaluation for itself with "
        'unit="evaluation"',
        argument="unit",
    )
