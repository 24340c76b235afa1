"""Coding: columns of any kind become keys with codes, or numbers in the smallest type."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import is_missing, missing_code
from sotongindex._columns import label_text
from sotongindex._frames import Column, Dates, Numbers, Text

__all__ = ["Parsed", "days", "keyed", "numbers", "recode", "sorted_keys"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_INTEGERS = (np.int8, np.int16, np.int32)


def recode(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Store coded `values` as `dtype`, which holds them all."""
    if values.dtype == dtype:
        return values
    stored = values.astype(dtype)
    stored[is_missing(values)] = missing_code(dtype)
    return stored


def smallest(values: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
    """Store numbers in the smallest type that holds them and a code for the `missing` ones."""
    given = ~missing
    low = values.min(where=given, initial=0)
    high = values.max(where=given, initial=0)
    whole = values.dtype.kind in "iu" or bool(np.all(missing | (np.rint(values) == values)))
    for integer in _INTEGERS:
        bounds = np.iinfo(integer)
        if whole and bounds.min < low and high <= bounds.max:
            stored = np.where(missing, 0, values).astype(integer)
            stored[missing] = bounds.min
            return stored
    floats = values.astype(np.float64)
    floats[missing] = np.nan
    return floats


def compact(column: Numbers) -> NDArray[Any]:
    """Store a column of numbers in the smallest type; the usual cases take one pass or two."""
    values = column.values
    if values.dtype == np.int8 and (column.null is not None or values.min(initial=0) > -128):
        return values
    if values.dtype.kind != "f":
        return smallest(values, column.is_null)
    with np.errstate(invalid="ignore"):
        small = values.astype(np.int8)
    lost = small != values  # NaN, fractions, and whatever lies outside
    if not (np.isnan(values[lost]).all() and (small.min(initial=0) > -128)):
        return smallest(values, np.isnan(values))
    small[lost] = -128
    return small


@attrs.frozen(kw_only=True, eq=False)
class Parsed:
    """A column read as numbers.

    Attributes:
        values: The numbers in the smallest type, coded by `missing_code` where there is none, (n,).
        wrong: Which rows hold something that is no number, (n,); None where none does.
        wrong_labels: The distinct things that are no numbers, in order.
        written: Which rows hold a number written as text, (n,); None where none does.
    """

    values: NDArray[Any]
    wrong: NDArray[np.bool_] | None = None
    wrong_labels: tuple[str, ...] = ()
    written: NDArray[np.bool_] | None = None


def numbers(column: Column) -> Parsed:
    """Read a column as numbers; every distinct label is read once, blank text is no answer."""
    if isinstance(column, Numbers):
        return Parsed(values=compact(column))
    text = keyed(column) if isinstance(column, Dates) else column
    values = np.array([_number(label) for label in text.labels] + [np.nan])
    used = np.bincount(text.codes + 1, minlength=len(text.labels) + 1)[1:] > 0
    is_text = np.array([isinstance(label, str) for label in text.labels] + [False])
    blank = np.array([not label_text(label) for label in text.labels] + [True])
    wrong = np.isnan(values) & ~blank
    written = is_text & ~wrong & ~blank
    coded = smallest(values, np.isnan(values))[text.codes]
    # Libraries number labels in orders of their own; a report must not depend on that.
    faulty = sorted(
        {
            label_text(label)
            for label, bad in zip(text.labels, wrong[:-1] & used, strict=True)
            if bad
        }
    )
    return Parsed(
        values=coded,
        wrong=wrong[text.codes] if faulty else None,
        wrong_labels=tuple(faulty),
        written=written[text.codes] if (written[:-1] & used).any() else None,
    )


def _number(label: object) -> float:
    """Read a label as a number; NaN where it is none."""
    if isinstance(label, str):
        label = label.strip()
        return float(label) if _NUMBER.fullmatch(label) else np.nan
    try:
        return float(label)  # type: ignore[arg-type]  # objects of any kind may come
    except (TypeError, ValueError):
        return np.nan


def keyed(column: Column) -> Text:
    """Make the labels of a column distinct texts; blank text is null."""
    if not isinstance(column, Text):
        distinct, codes = np.unique(column.values, return_inverse=True)
        null = np.isnat(column.values) if isinstance(column, Dates) else column.is_null
        codes[null] = -1
        plain = distinct.astype(str) if isinstance(column, Dates) else distinct
        column = Text(codes=codes.astype(np.int32), labels=tuple(plain.tolist()))
    texts = [label_text(label) for label in column.labels]
    position = {text: code for code, text in enumerate(dict.fromkeys(filter(None, texts)))}
    renumbered = np.array([position.get(text, -1) for text in texts] + [-1], dtype=np.int32)
    return Text(codes=renumbered[column.codes], labels=tuple(position))


def sorted_keys(column: Column) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Return the code of every row, -1 for null, and the keys in order: whole numbers or text."""
    if isinstance(column, Text) and all(isinstance(label, int) for label in column.labels):
        # Integers in a column of objects: the same keys as in a column of integers.
        labels = np.array([*column.labels, np.iinfo(np.int64).min], dtype=np.int64)
        column = Numbers(values=labels[column.codes], null=np.iinfo(np.int64).min)
    if isinstance(column, Numbers) and _is_whole(column):
        null = column.is_null
        keys, codes = np.unique(column.values[~null].astype(np.int64), return_inverse=True)
        coded = np.full(len(null), -1, dtype=np.int32)
        coded[~null] = codes
        return coded, keys
    text = keyed(column)
    used = np.bincount(text.codes + 1, minlength=len(text.labels) + 1)[1:] > 0
    labels = np.array(text.labels, dtype=np.str_)
    order = np.argsort(labels)
    order = order[used[order]]
    rank = np.full(len(labels) + 1, -1, dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[text.codes], labels[order]


def _is_whole(column: Numbers) -> bool:
    values = column.values
    if values.dtype.kind in "iu":
        return True
    return bool(np.all(np.isnan(values) | ((np.rint(values) == values) & (abs(values) < 2**53))))


def days(column: Column) -> NDArray[np.datetime64]:
    """Read a column as days; NaT where there is no date or it cannot be read.

    Text is read as year, month, day: 2024-05-31, 2024.05.31, 2024/05/31 or 20240531; what follows
    the day is left out.
    """
    if isinstance(column, Dates):
        return column.values
    text = keyed(column)
    table = np.array([_day(str(label)) for label in text.labels] + [None], dtype="datetime64[D]")
    return table[text.codes]


def _day(label: str) -> date | None:
    day = label[:10].replace(".", "-").replace("/", "-")
    try:
        return date.fromisoformat(day[:8] if day[:8].isdigit() else day)
    except ValueError:
        return None
