"""Tables and sentences for a terminal, aligned for characters that take two columns."""

from __future__ import annotations

import unicodedata

from sotongindex._table import Column, Table
from sotongindex._text import MISSING, number, say

__all__ = ["clipped", "text_lines", "text_width", "wrapped"]

_BAR_WIDTH = 16
_LONGEST_CELL = 30
_LINE_WIDTH = 100
_GAP = "  "


def text_width(text: str) -> int:
    """Return how many columns of a terminal a text takes: Korean letters take two.

    >>> text_width("지수 56")
    7
    """
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )


def wrapped(text: str) -> list[str]:
    """Break a sentence into lines that fit a terminal of 100 columns."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}") <= _LINE_WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(f"  {word}" if lines else word)
    return lines


def text_lines(table: Table) -> str:
    """Return a table as lines of text."""
    axes = {column: table.axis(column) for column in table.columns if column.kind == "bar"}
    heads = [
        _axis_text(axes[column]) if column in axes else table.heading(column)
        for column in table.columns
    ]
    body = [
        [
            _bar_text(table.bar(row, column), axes[column])
            if column in axes
            else clipped(table.cell(row, column))
            for column in table.columns
        ]
        for row in table.rows
    ]
    widths = [max(map(text_width, cells)) for cells in zip(heads, *body, strict=True)]
    lines = [
        _GAP.join(
            _padded(cell, width, column)
            for cell, width, column in zip(cells, widths, table.columns, strict=True)
        ).rstrip()
        for cells in (heads, ["-" * width for width in widths], *body)
    ]
    more = [say("more", table.language, count=f"{table.omitted:,}")] if table.omitted else []
    return "\n".join([*lines, *more])


def clipped(text: str, width: int = _LONGEST_CELL) -> str:
    """Return a text on one line, cut to a width with an ellipsis."""
    text = "".join(one if one.isprintable() else " " for one in text)
    if text_width(text) <= width:
        return text
    while text_width(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def _padded(cell: str, width: int, column: Column) -> str:
    blanks = " " * (width - text_width(cell))
    return cell + blanks if column.is_left else blanks + cell


def _axis_text(axis: tuple[float, float]) -> str:
    low, high = (number(end, 0) for end in axis)
    return low + high.rjust(_BAR_WIDTH - len(low))


def _bar_text(bar: tuple[float, float, float] | None, axis: tuple[float, float]) -> str:
    """Draw an interval as ``|--o--|``; plain characters, which every terminal aligns."""
    if bar is None:
        return MISSING
    start, end = axis
    value, low, high = (round((point - start) / (end - start) * (_BAR_WIDTH - 1)) for point in bar)
    drawn = [" "] * _BAR_WIDTH
    drawn[low : high + 1] = "-" * (high + 1 - low)
    drawn[low] = drawn[high] = "|"
    drawn[value] = "o"
    return "".join(drawn)
