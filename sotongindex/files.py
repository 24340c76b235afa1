"""Files that fieldwork delivers: CSV, Excel, Parquet, SPSS and Stata as columns to be checked.

Whatever is read here goes to `check_responses` or `Responses.from_frame` as any other frame does.
Packages are imported when a format needs them, and an error says which to install.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from sotongindex._delimited import read_delimited
from sotongindex._files import opened, reader_package
from sotongindex._spreadsheet import read_spreadsheet
from sotongindex._spss import LabelledTable, read_labelled
from sotongindex.errors import MethodError

__all__ = ["LabelledTable", "read_spss", "read_table"]

_DELIMITERS = {".csv": ",", ".txt": ",", ".tsv": "\t"}
_ARROW = {".parquet": "pyarrow.parquet", ".feather": "pyarrow.feather", ".arrow": "pyarrow.feather"}
_LABELLED = (".sav", ".zsav", ".dta")


def read_table(
    path: str | PathLike[str],
    *,
    sheet: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Any:
    r"""Read a table of answers by the ending of its file.

    - ``.csv``, ``.txt``, ``.tsv``: UTF-8, or CP949 as Korean spreadsheets write it. Blank cells are
      missing, columns of nothing but numbers are numbers, codes such as 007 stay text.
    - ``.xlsx``: one sheet, with openpyxl.
    - ``.parquet``, ``.feather``, ``.arrow``: with pyarrow.
    - ``.sav``, ``.zsav``, ``.dta``: the codes; `read_spss` returns their labels too.

    Args:
        path: The file.
        sheet: The sheet of a workbook; default the first.
        progress: Told what takes long.

    Returns:
        Columns by name, or an Arrow table: what `check_responses` takes.

    Raises:
        MethodError: If the format is unknown, its package is not installed, or the table is
            damaged; what the package said is the cause.
        OSError: If the file cannot be read.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "answers.csv"
    >>> _ = path.write_text("respondent,q1\n007,5\n008,\n")
    >>> table = read_table(path)
    >>> table["respondent"].tolist(), table["q1"].tolist()
    (['007', '008'], [5.0, nan])
    """
    path = Path(path)
    ending = path.suffix.lower()
    if sheet is not None and ending != ".xlsx":
        raise MethodError(f"only workbooks (.xlsx) have sheets, not {path.name}", argument="sheet")
    if ending in _DELIMITERS:
        return read_delimited(path, _DELIMITERS[ending], progress or _silent)
    if ending == ".xlsx":
        return read_spreadsheet(path, sheet)
    if ending in _ARROW:
        reader_package("pyarrow", "parquet")
        with opened(path):
            return importlib.import_module(_ARROW[ending]).read_table(path)
    if ending in _LABELLED:
        return read_labelled(path, None).columns
    known = ", ".join([*_DELIMITERS, ".xlsx", *_ARROW, *_LABELLED])
    raise MethodError(f"expected a file ending in {known}, got {path.name}", argument="path")


def read_spss(path: str | PathLike[str], *, encoding: str | None = None) -> LabelledTable:
    """Read an SPSS (or Stata) file with value labels and user-missing codes.

    Args:
        path: A file ending in ``.sav``, ``.zsav`` or ``.dta``.
        encoding: What its text is written in, where the file says it wrongly: ``"cp949"`` for
            older Korean files.

    Returns:
        The columns, their labels, and the codes that mean "no answer".

    Raises:
        MethodError: If pyreadstat is not installed, or the file is damaged.
        OSError: If the file cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() not in _LABELLED:
        raise MethodError(
            f"expected a file ending in {', '.join(_LABELLED)}, got {path.name}", argument="path"
        )
    return read_labelled(path, encoding)


def _silent(_: str) -> None:
    """Tell nobody."""
