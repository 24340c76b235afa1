"""Files of answers: what all their readers share."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sotongindex.errors import MethodError, SotongIndexError

__all__ = ["array_of", "column_names", "opened", "reader_package"]


@contextmanager
def opened(path: Path) -> Iterator[None]:
    """Let every failure of a reader be an error of ours, but a file that is not there.

    Raises:
        MethodError: If the file cannot be read as what its ending says.
        OSError: If it cannot be opened.
    """
    path.open("rb").close()
    try:
        yield
    except SotongIndexError:
        raise
    except Exception as error:
        raise MethodError(
            f"{path.name} cannot be read: {error}; is it damaged, protected by a password, or of "
            "another format than its name says?",
            argument="path",
        ) from error


def reader_package(name: str, extra: str) -> ModuleType:
    """Import the package that reads a format, now that it is needed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MethodError(
            f"{name} is not installed; run: pip install 'sotongindex[{extra}]', or save the table "
            "as CSV",
            argument="path",
        ) from error


def column_names(header: Iterable[object], name: str) -> list[str]:
    """Return the names in a first line; a column without one is called by its place, from 1."""
    cells = ["" if cell is None else str(cell).strip() for cell in header]
    names = [cell or f"column {place}" for place, cell in enumerate(cells, start=1)]
    if not any(cells):
        raise MethodError(
            f"{name} is empty: expected a first line of column names", argument="path"
        )
    twice = [key for position, key in enumerate(names) if key in names[:position]]
    if twice:
        raise MethodError(
            f"{name} has the column {twice[0]!r} twice; rename one of them", argument="path"
        )
    return names


def array_of(cells: Sequence[Any]) -> NDArray[Any]:
    """Return numbers, or days, where there is nothing else; blank cells are missing."""
    values = [(cell.strip() or None) if isinstance(cell, str) else cell for cell in cells]
    kinds = {type(value) for value in values if value is not None}
    if all(issubclass(kind, int | float) for kind in kinds):
        return np.array(values, dtype=np.float64)
    if all(issubclass(kind, date) for kind in kinds):
        return np.array(values, dtype="datetime64[D]")
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
