"""Spreadsheets: one sheet of an Excel workbook as columns, with openpyxl."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import ZipFile

from numpy.typing import NDArray

from sotongindex._files import array_of, column_names, opened, reader_package
from sotongindex.errors import MethodError, nearest_key

__all__ = ["read_spreadsheet"]

Rows: TypeAlias = list[tuple[Any, ...]]


def read_spreadsheet(path: Path, sheet: str | None) -> Mapping[str, NDArray[Any]]:
    """Read a sheet, the first unless another is named; its first row that is not blank has names.

    Raises:
        MethodError: If openpyxl is not installed, the file is no workbook, or the sheet is not
            there, has merged cells, or formulas that were never computed.
        OSError: If the file cannot be read.
    """
    openpyxl = reader_package("openpyxl", "excel")
    with opened(path):
        _refuse_merged(openpyxl, path, sheet)
        rows = _rows(openpyxl, path, sheet)
        if any(_is_formula(cell) for row in rows for cell in row):
            rows = _computed(path, rows, _rows(openpyxl, path, sheet, data_only=True))
    filled = [row for row in rows if any(cell is not None for cell in row)]
    columns = list(zip_longest(*filled))
    used = [column for column in columns if any(cell is not None for cell in column)]
    names = column_names((column[0] for column in used), path.name)
    return {name: array_of(column[1:]) for name, column in zip(names, used, strict=True)}


def _rows(openpyxl: Any, path: Path, sheet: str | None, *, data_only: bool = False) -> Rows:
    """Return the cells of a sheet: formulas, or what they came to."""
    workbook = openpyxl.load_workbook(path, read_only=True, data_only=data_only)
    try:
        worksheet = _sheet(workbook, sheet, path.name)
        worksheet.reset_dimensions()  # some writers state a wrong size
        return list(worksheet.iter_rows(values_only=True))
    finally:
        workbook.close()


def _sheet(workbook: Any, sheet: str | None, name: str) -> Any:
    worksheets = {worksheet.title: worksheet for worksheet in workbook.worksheets}
    if sheet is None:
        return workbook.worksheets[0]
    if sheet not in worksheets:
        nearest = nearest_key(sheet, worksheets)
        raise MethodError(
            f"{name} has no sheet {sheet!r}, only {', '.join(map(repr, worksheets))}"
            + (f"; did you mean {nearest!r}?" if nearest else ""),
            argument="sheet",
        )
    return worksheets[sheet]


def _refuse_merged(openpyxl: Any, path: Path, sheet: str | None) -> None:
    """Refuse merged cells, of which only the first has a value; few need a second look."""
    with ZipFile(path) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        if not any(b"<mergeCell " in archive.read(part) for part in parts):
            return
    worksheet = _sheet(openpyxl.load_workbook(path), sheet, path.name)
    ranges = sorted(map(str, worksheet.merged_cells.ranges))
    if ranges:
        raise MethodError(
            f"sheet {worksheet.title!r} of {path.name} has merged cells ({', '.join(ranges[:5])}"
            f"{', ...' if len(ranges) > 5 else ''}); unmerge them and fill in every cell",
            argument="path",
        )


def _is_formula(cell: object) -> bool:
    """Say whether a cell may be a formula; array formulas are objects of their own."""
    if isinstance(cell, str):
        return cell.startswith("=")
    return hasattr(cell, "ref")


def _computed(path: Path, formulas: Rows, values: Rows) -> Rows:
    """Take what formulas came to, unless nobody computed them."""
    if all(value is None for value in _results(formulas, values)):
        raise MethodError(
            f"{path.name} has formulas that were never computed; open it in Excel and save it, or "
            "replace the formulas by their values",
            argument="path",
        )
    return values


def _results(formulas: Rows, values: Rows) -> Iterable[object]:
    for asked, given in zip(formulas, values, strict=True):
        yield from (value for cell, value in zip(asked, given, strict=True) if _is_formula(cell))
