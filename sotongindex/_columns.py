"""Plain values: columns as rows of result tables, and labels as the text they are compared by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np


def rows_from_columns(columns: Mapping[str, Iterable[object]]) -> list[dict[str, object]]:
    """Return one dictionary a row, of plain Python values; None for NaN and for "".

    >>> rows_from_columns({"key": ["a", "b"], "score": [1.5, float("nan")]})
    [{'key': 'a', 'score': 1.5}, {'key': 'b', 'score': None}]
    """
    plain = [[plain_value(value) for value in values] for values in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]


def columns_from_rows(rows: Sequence[Mapping[str, object]]) -> dict[str, list[object]]:
    """Return the columns of rows that all have the same keys.

    >>> columns_from_rows([{"key": "a"}, {"key": "b"}])
    {'key': ['a', 'b']}
    """
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


def plain_value(value: object) -> object:
    """Return a plain Python value, None for NaN and for empty text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    return value


def label_text(label: object) -> str:
    """Return a label as the text that keys are compared with: 101.0 is "101"."""
    if isinstance(label, float):
        if math.isnan(label):
            return ""
        label = int(label) if label.is_integer() else label
    return "" if label is None else str(label).strip()
