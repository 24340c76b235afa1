"""A table for people: rows of plain values, and how each column is read, named and written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs

from sotongindex._text import Language, chance, count, interval, number, say, share, signed, words

__all__ = ["Column", "Kind", "Table"]

Kind: TypeAlias = Literal[
    "text",
    "points",
    "signed",
    "hundredths",
    "count",
    "percentile",
    "chance",
    "share",
    "written",
    "interval",
    "bar",
]
Row: TypeAlias = Mapping[str, object]

_ON_THE_LEFT = ("text", "bar")


def _keys(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@attrs.frozen
class Column:
    """One column of a table.

    Attributes:
        name: Its heading is the word ``column.<name>``.
        kind: How its values are written.
        keys: Where its values are in a row: one key; two for an interval (low, high); three for a
            bar (value, low, high); for text the first key that has a value. Default the name.
    """

    name: str
    kind: Kind = "text"
    keys: tuple[str, ...] = attrs.field(default=(), converter=_keys)

    @property
    def is_left(self) -> bool:
        """Whether the column is aligned to the left."""
        return self.kind in _ON_THE_LEFT

    def values(self, row: Row) -> tuple[object, ...]:
        """Return the values of a row that the column shows."""
        return tuple(row.get(key) for key in self.keys or (self.name,))


@attrs.frozen(kw_only=True)
class Table:
    """Rows to show, in one language.

    Attributes:
        columns: The columns.
        rows: The rows to show.
        language: The language of headings and numbers.
        names: For keys in rows (such as "organization") the names of their values.
        level: The level of the intervals, a share.
        omitted: How many more rows there are.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Row]
    language: Language
    names: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)
    level: float = 0.95
    omitted: int = 0

    def heading(self, column: Column) -> str:
        """Return the heading of a column."""
        return say(f"column.{column.name}", self.language, level=f"{100 * self.level:g}%")

    def cell(self, row: Row, column: Column) -> str:
        """Return a cell as plain text, not escaped; a bar has none."""
        if column.kind == "bar":
            return ""
        if column.kind in ("text", "written"):
            return self._text(row, column)
        first, *rest = column.values(row)
        if column.kind == "interval":
            return interval(first, *rest, language=self.language)
        if column.kind == "percentile":
            return number(first, 0)
        if column.kind == "hundredths":
            return signed(first, 2)
        write = {
            "points": number,
            "signed": signed,
            "count": count,
            "chance": chance,
            "share": share,
        }
        return write[column.kind](first)

    def _text(self, row: Row, column: Column) -> str:
        for key in column.keys or (column.name,):
            value = row.get(key)
            if value is not None:
                return str(self.names.get(key, {}).get(str(value), value))
        # A row about neither a channel nor a dimension is about the index.
        return words(self.language).get(f"empty.{column.name}", number(None))

    def bar(self, row: Row, column: Column) -> tuple[float, float, float] | None:
        """Return value, low and high of a bar; None where there is no value.

        Where the interval is not known, low and high are the value.
        """
        found = [_float(value) for value in column.values(row)]
        if math.isnan(found[0]):
            return None
        value, low, high = (found[0] if math.isnan(one) else one for one in found)
        return value, low, high

    def axis(self, column: Column) -> tuple[float, float]:
        """Return the ends of the axis that the bars of a column share: fives around all of them."""
        ends: list[float] = []
        for row in self.rows:
            ends += self.bar(row, column) or ()
        if not ends:
            return 0.0, 100.0
        low, high = 5.0 * math.floor(min(ends) / 5), 5.0 * math.ceil(max(ends) / 5)
        return (low, high) if low < high else (low - 5.0, high + 5.0)


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)
