"""Delimited text: CSV and its kin, with the standard library."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from io import TextIOBase
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sotongindex._files import column_names
from sotongindex.errors import MethodError

__all__ = ["read_delimited"]

# Korean spreadsheets save CSV in the code page of Windows, unless asked for UTF-8.
_ENCODINGS = ("utf-8-sig", "cp949")
_BLOCK_ROWS = 50_000
# Not 007, nor more digits than a float holds: these are keys.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?(e-\d+)?", re.ASCII | re.IGNORECASE)


def read_delimited(
    path: Path, delimiter: str, progress: Callable[[str], None]
) -> Mapping[str, NDArray[Any]]:
    """Read text whose columns are separated by `delimiter`.

    Raises:
        MethodError: If it is no such text.
        OSError: If the file cannot be read.
    """
    for encoding in _ENCODINGS:
        try:
            with path.open(encoding=encoding, newline="") as file:
                columns = _columns(file, path.name, delimiter=delimiter, progress=progress)
        except UnicodeDecodeError:
            continue
        if encoding != _ENCODINGS[0]:
            progress(f"{path.name} is not UTF-8: read as {encoding}")
        return columns
    raise MethodError(
        f"{path.name} is neither UTF-8 nor CP949 text; save it as CSV in UTF-8", argument="path"
    )


def _columns(
    file: TextIOBase, name: str, *, delimiter: str, progress: Callable[[str], None]
) -> Mapping[str, NDArray[Any]]:
    """Read block by block, so that a long file takes little more memory than its numbers."""
    try:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        header = column_names(next(reader, []), name)
        blocks: list[list[NDArray[Any]]] = [[] for _ in header]
        rows = 0
        for block in _blocks(reader, len(header), name):
            for column, cells in zip(blocks, zip(*block, strict=True), strict=True):
                column.append(_array(cells))
            rows += len(block)
            if len(block) == _BLOCK_ROWS:
                progress(f"{name}: {rows:,} rows read")
    except csv.Error as error:
        raise MethodError(f"{name} is not a readable table: {error}", argument="path") from error
    return {key: _joined(parts) for key, parts in zip(header, blocks, strict=True)}


def _blocks(reader: Any, width: int, name: str) -> Iterator[list[list[str]]]:
    """Yield rows, some thousands at a time."""
    rows = _rows(reader, width, name)
    while block := list(islice(rows, _BLOCK_ROWS)):
        yield block


def _rows(reader: Any, width: int, name: str) -> Iterator[list[str]]:
    """Yield the rows that are not blank, every one as wide as the header."""
    for row in reader:
        if row and len(row) != width:
            raise MethodError(
                f"{name}: expected {width} cells as in the first line, got {len(row)} in line "
                f"{reader.line_num}",
                argument="path",
            )
        if row:
            yield row


def _array(cells: tuple[str, ...]) -> NDArray[Any]:
    """Return cells as numbers where all are numbers or blank, else as text; blank is missing."""
    distinct = dict.fromkeys(cells)
    numbers: dict[str, float] = {}
    for cell in distinct:
        text = cell.strip()
        if text and not _NUMBER.fullmatch(text):
            return np.array([cell.strip() or None for cell in cells], dtype=object)
        numbers[cell] = float(text) if text else np.nan
    return np.fromiter(map(numbers.__getitem__, cells), dtype=np.float64, count=len(cells))


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Join the blocks of a column; text in one makes text of all."""
    if not parts:
        return np.empty(0)
    if len({part.dtype for part in parts}) > 1:
        parts = [_as_text(part) for part in parts]
    return np.concatenate(parts)


def _as_text(part: NDArray[Any]) -> NDArray[Any]:
    if part.dtype == object:
        return part
    return np.array([None if np.isnan(x) else f"{x:.15g}" for x in part.tolist()], dtype=object)
