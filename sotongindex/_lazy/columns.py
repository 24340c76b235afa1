"""Columns of a lazy table as expressions: numbers, and jackknife groups made of keys."""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Iterable, Sequence

import narwhals as nw
import numpy as np

from sotongindex._arrays import is_missing
from sotongindex._frames import Frame, Numbers, Text
from sotongindex._jackknife_groups import BASE, MULTIPLIER, PRIME
from sotongindex._lazy.engine import LazyTable
from sotongindex._lazy.items import sum_in
from sotongindex._reading.coding import Parsed, numbers
from sotongindex.errors import MethodError

__all__ = [
    "any_given",
    "category_of",
    "day_of",
    "group_of",
    "key_of",
    "missing_keys",
    "number_of",
    "parsed_labels",
    "start_of",
    "without",
    "written",
]

# All that Python strips from the ends of a text; engines strip less unless told.
_BLANKS = "".join(filter(str.isspace, map(chr, range(sys.maxunicode + 1))))
_MOST_LABELS = 1_000  # different texts in a column of numbers that are read one by one
_TEXT = ("text", "other")
_WIDEST = 200  # letters between the first and the last that are all looked for


# -- numbers ---------------------------------------------------------------------------------------


def number_of(table: LazyTable, name: str, missing: Sequence[float] = ()) -> nw.Expr:
    """Return a column as numbers, null where it is blank, no number, or one of `missing`."""
    kind, column = table.kinds[name], nw.col(name)
    value = column
    if kind == "number":
        value = nw.when(~column.is_nan()).then(column)
    elif kind != "whole":
        labels, parsed = parsed_labels(table, name)
        read = ~is_missing(parsed.values)
        value = column.cast(nw.String).replace_strict(
            np.array(labels)[read].tolist(),
            parsed.values[read].astype(np.float64).tolist(),
            default=np.nan,  # Dask makes no float of a missing text
            return_dtype=nw.Float64,
        )
        value = nw.when(~value.is_nan()).then(value)
    return without(value, missing)


def without(value: nw.Expr, missing: Sequence[float]) -> nw.Expr:
    """Return numbers, null where they are one of `missing`."""
    if not missing:
        return value
    value = value.cast(nw.Float64)
    return nw.when(~value.is_in([float(code) for code in missing])).then(value)


def any_given(answers: Iterable[nw.Expr]) -> nw.Expr:
    """Return whether any of the answers is given."""
    return nw.any_horizontal(*(~answer.is_null() for answer in answers), ignore_nulls=True)


def start_of(table: LazyTable, name: str) -> nw.Expr:
    """Return a column of weights as floats, null where there is none."""
    return number_of(table, name).cast(nw.Float64)


def parsed_labels(table: LazyTable, name: str) -> tuple[tuple[str, ...], Parsed]:
    """Return the different texts of a column and what they are as numbers.

    Raises:
        MethodError: If there are so many that the column holds no answers.
    """
    labels = _distinct(table, nw.col(name).cast(nw.String), most=_MOST_LABELS + 1)
    if len(labels) > _MOST_LABELS:
        raise MethodError(
            f"column {name!r} holds more than {_MOST_LABELS:,} different texts where numbers are "
            "expected",
            argument="frame",
        )
    return labels, numbers(Text(codes=np.arange(len(labels), dtype=np.int32), labels=labels))


# -- keys ------------------------------------------------------------------------------------------


def key_of(table: LazyTable, name: str) -> nw.Expr:
    """Return a column as keys: the same or not as in memory, null where it is blank."""
    kind, column = table.kinds[name], nw.col(name)
    if kind == "whole":
        return column
    if kind == "number":
        return nw.when(~column.is_nan()).then(column)
    if kind in ("day", "moment"):
        return day_of(table, name).cast(nw.String)
    text = _stripped(table, column.cast(nw.String))
    return nw.when(text != "").then(text)


def day_of(table: LazyTable, name: str) -> nw.Expr:
    """Return a column of days or moments as days."""
    return nw.col(name).dt.date() if table.kinds[name] == "moment" else nw.col(name)


def written(table: LazyTable, name: str) -> nw.Expr:
    """Return a column as it is written: text with the blanks around it, which takes no time."""
    return nw.col(name).cast(nw.String) if table.kinds[name] in _TEXT else key_of(table, name)


# -- categories ------------------------------------------------------------------------------------


def category_of(table: LazyTable, name: str) -> nw.Expr:
    """Return a column as text that all engines write alike, "" where it is missing.

    Raises:
        MethodError: If it holds neither text nor whole numbers.
    """
    if table.kinds[name] == "text":
        return nw.col(name).cast(nw.String).fill_null("")
    number = _whole_number(table, name)
    if number is None:
        raise MethodError(
            f"column {name!r} holds neither text nor whole numbers, and {table.engine} writes it "
            "in a way of its own; cast it to text, or to whole numbers, in the engine",
            argument="margins",
        )
    text = number.fill_null(0).cast(nw.Int64).cast(nw.String)
    return nw.when(~number.is_null()).then(text).otherwise(nw.lit(""))


def _whole_number(table: LazyTable, name: str) -> nw.Expr | None:
    """Return a column as numbers if all are whole, null where they are missing."""
    kind, column = table.kinds[name], nw.col(name)
    if kind == "whole":
        return column.cast(nw.Int64)
    if kind != "number" or not _is_whole(table, column):
        return None
    return nw.when(~column.is_nan()).then(column)


# -- jackknife groups ------------------------------------------------------------------------------


def missing_keys(table: LazyTable, name: str) -> tuple[int, int]:
    """Ask how many rows have no key, and how many there are."""
    key = nw.col(name)
    missing = key.is_null()
    if table.kinds[name] == "text":
        missing = missing | (key.cast(nw.String) == "")
    elif table.kinds[name] == "number":
        missing = missing | key.is_nan()
    marked = nw.when(missing).then(nw.lit(1)).otherwise(nw.lit(0))
    answer = table.ask(
        lambda frame: frame.select(missing=marked).select(
            nw.col("missing").sum(), rows=nw.col("missing").count()
        )
    )
    return int(sum_in(answer, "missing").sum()), int(sum_in(answer, "rows").sum())


def group_of(table: LazyTable, name: str, groups: int) -> nw.Expr:
    """Return the jackknife group of every key, null where it is blank.

    Raises:
        MethodError: If the engine cannot tell the groups that the keys have in memory.
    """
    if table.kinds[name] == "text":
        number = _text_number(table, key_of(table, name))
    else:
        whole = _whole_number(table, name)
        if whole is None:
            raise MethodError(
                f"keys in {name!r} are neither whole numbers nor text, and {table.engine} writes "
                "them in a way of its own; cast them to text, or give a column with the group of "
                "every respondent, `group=`",
                argument="frame",
            )
        number = whole.cast(nw.Int64)
    # Twice, because the remainder of a negative number is negative in SQL.
    return ((number % PRIME + PRIME) % PRIME * MULTIPLIER) % PRIME % groups


def _stripped(table: LazyTable, text: nw.Expr) -> nw.Expr:
    if table.engine == "ibis":  # it cannot be told what to strip
        return text.str.replace_all(f"^[{_BLANKS}]+|[{_BLANKS}]+$", "")
    return text.str.strip_chars(_BLANKS)


def _is_whole(table: LazyTable, column: nw.Expr) -> bool:
    part = (column - column.floor()).max()
    found = table.ask(lambda frame: frame.select(part=part)).column("part")
    return not (isinstance(found, Numbers) and found.values.max() > 0)


def _text_number(table: LazyTable, key: nw.Expr) -> nw.Expr:
    """Return the polynomial of a text's code points, letter by letter."""
    terms = [key.str.len_chars().cast(nw.Int64) * 0]  # null where the key is
    for place, letters in enumerate(_letters(table, key)):
        code = key.str.slice(place, 1).replace_strict(
            ["", *letters], [0, *map(ord, letters)], default=None, return_dtype=nw.Int64
        )
        terms.append(code * pow(BASE, place, PRIME))
    # A term is below 2**52, so that the sum of up to 2,048 stays below 2**63.
    return functools.reduce(operator.add, terms)


def _letters(table: LazyTable, key: nw.Expr) -> list[list[str]]:
    """Return for every place of the keys the letters that may stand there.

    Engines order texts by code points, so the first and the last letter tell the range. A letter
    beyond it, where an engine orders otherwise, has no code, and its key no group: that is found.
    """
    length = key.str.len_chars().max()
    longest = table.ask(lambda frame: frame.select(longest=length)).column("longest")
    places = range(int(np.nan_to_num(longest.values[0]))) if isinstance(longest, Numbers) else ()
    letters = [key.str.slice(place, 1) for place in places]
    given: list[nw.Expr] = [nw.when(letter != "").then(letter) for letter in letters]
    if not given:
        return []
    first = {f"first {place}": letter.min() for place, letter in enumerate(given)}
    last = {f"last {place}": letter.max() for place, letter in enumerate(given)}
    ends = table.ask(lambda frame: frame.select(**first, **last))
    found = []
    for place, letter in enumerate(given):
        low, high = (ord(_texts(ends, f"{end} {place}")[0]) for end in ("first", "last"))
        if high - low < _WIDEST:
            found.append([chr(code) for code in range(low, high + 1)])
        else:
            found.append([*_distinct(table, letter, most=sys.maxunicode)])
    return found


def _distinct(table: LazyTable, text: nw.Expr, *, most: int) -> tuple[str, ...]:
    """Ask for the different texts, so many at most."""
    return _texts(table.ask(lambda frame: frame.select(text=text).unique().head(most)), "text")


def _texts(answer: Frame, name: str) -> tuple[str, ...]:
    """Return the different texts in a column of an answer."""
    column = answer.column(name)
    return tuple(map(str, column.labels)) if isinstance(column, Text) else ()
