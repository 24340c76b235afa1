"""Files of answers: CSV with the standard library, other formats with pandas."""

from __future__ import annotations

import csv
import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from io import TextIOBase
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sotongindex.errors import MethodError

__all__ = ["read_table"]

# Korean spreadsheets save CSV in the code page of Windows, unless asked for UTF-8.
_ENCODINGS = ("utf-8-sig", "cp949")
_DELIMITERS = {".csv": ",", ".txt": ",", ".tsv": "\t"}
_READERS = {
    ".parquet": "read_parquet",
    ".feather": "read_feather",
    ".arrow": "read_feather",
    ".xlsx": "read_excel",
    ".xls": "read_excel",
    ".sav": "read_spss",
    ".dta": "read_stata",
}
_BLOCK_ROWS = 50_000
# Not 007, nor more digits than a float holds: these are keys.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?(e-\d+)?", re.ASCII | re.IGNORECASE)


def read_table(path: Path, progress: Callable[[str], None]) -> Any:
    """Read a table of answers.

    CSV is read here: blank cells are missing, columns of nothing but numbers are numbers, and
    everything else is text. Codes such as 007 stay text. For other formats pandas is asked.

    Args:
        path: The file; its ending tells the format.
        progress: Told what takes long.

    Returns:
        A mapping of column names to arrays, or a data frame.

    Raises:
        MethodError: If the format is unknown, its package is not installed, or the table is
            broken.
        OSError: If the file cannot be read.
    """
    ending = path.suffix.lower()
    if ending in _DELIMITERS:
        return _read_delimited(path, _DELIMITERS[ending], progress)
    if ending not in _READERS:
        known = ", ".join([*_DELIMITERS, *_READERS])
        raise MethodError(f"expected a file ending in {known}, got {path.name}", argument="data")
    try:
        return getattr(importlib.import_module("pandas"), _READERS[ending])(path)
    except ImportError as error:
        raise MethodError(
            f"{path.name} cannot be read without further packages ({error}); install them, or "
            "save the table as CSV",
            argument="data",
        ) from error
    except ValueError as error:
        raise MethodError(f"{path.name} cannot be read: {error}", argument="data") from error


def _read_delimited(
    path: Path, delimiter: str, progress: Callable[[str], None]
) -> Mapping[str, NDArray[Any]]:
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
        f"{path.name} is neither UTF-8 nor CP949 text; save it as CSV in UTF-8", argument="data"
    )


def _columns(
    file: TextIOBase, name: str, *, delimiter: str, progress: Callable[[str], None]
) -> Mapping[str, NDArray[Any]]:
    """Read block by block, so that a long file takes little more memory than its numbers."""
    try:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        header = [cell.strip() for cell in next(reader, [])]
        _check_header(header, name)
        blocks: list[list[NDArray[Any]]] = [[] for _ in header]
        rows = 0
        for block in _blocks(reader, len(header), name):
            for column, cells in zip(blocks, zip(*block, strict=True), strict=True):
                column.append(_array(cells))
            rows += len(block)
            if len(block) == _BLOCK_ROWS:
                progress(f"{name}: {rows:,} rows read")
    except csv.Error as error:
        raise MethodError(f"{name} is not a readable table: {error}", argument="data") from error
    return {key: _joined(parts) for key, parts in zip(header, blocks, strict=True)}


def _check_header(header: list[str], name: str) -> None:
    if not header:
        raise MethodError(
            f"{name} is empty: expected a first line of column names", argument="data"
        )
    twice = [key for position, key in enumerate(header) if key in header[:position]]
    if twice:
        raise MethodError(f"{name} has the column {twice[0]!r} twice", argument="data")


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
                argument="data",
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
