"""A report for people who decide: one page of HTML, and the numbers as CSV files beside it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from sotongindex._ledger import Ledger, Row, disclosed_rows
from sotongindex._page import page
from sotongindex._text import Language, say, words
from sotongindex.averages import group_means
from sotongindex.checks import CheckReport
from sotongindex.recipe import Findings
from sotongindex.results import Level

__all__ = ["write_report"]

_LEVELS: tuple[Level, ...] = ("index", "channels", "dimensions", "cells", "items")
# A spreadsheet takes text that starts so for a formula and runs it.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_report(
    findings: Findings,
    directory: str | PathLike[str],
    *,
    language: Language = "en",
    check: CheckReport | None = None,
) -> Path:
    """Write ``report.html`` and CSV files into a folder.

    The page needs no network, no JavaScript and no other file; it follows the reader's choice of
    light or dark. The CSV files are UTF-8 with a byte order mark, which spreadsheets need to read
    Korean, and have one row an organization and whatever else the file is about. Scores of too few
    respondents are empty in both, with the reason in the files. Text that a spreadsheet would run
    as a formula gets an apostrophe in front.

    Args:
        findings: The result of `run_recipe`.
        directory: The folder; made if there is none. Files of the same names are replaced.
        language: The language of the page, "ko" or "en". The files are the same in both.
        check: The check of the answers, whose findings the page then lists.

    Returns:
        The path of the page.

    Raises:
        MethodError: If the language is unknown.
        OSError: If the folder cannot be written.
    """
    words(language)  # an unknown language is found before anything is written
    ledger = Ledger.of(findings)
    tables = {name: rows for name, rows in _tables(ledger).items() if rows}
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        _write_csv(folder / f"{name}.csv", rows)
    files = {f"{name}.csv": say(f"file.{name}", language) for name in tables}
    path = folder / "report.html"
    text = page(ledger, language, files=files, check=check)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _tables(ledger: Ledger) -> Mapping[str, Sequence[Row]]:
    """Return the rows of every file."""
    findings = ledger.findings
    benchmarks, gaps = findings.benchmarks, findings.gaps
    noticed = [
        (notice, key)
        for part in (findings.index, benchmarks, gaps)
        for notice in (part.notices if part else ())
        for key in notice.keys or ("",)
    ]
    return {
        **{level: disclosed_rows(findings.index, level, ledger.rules) for level in _LEVELS},
        "means": group_means(findings.index, rules=ledger.rules).to_rows(),
        "peers": benchmarks.to_rows() if benchmarks else [],
        "gaps": gaps.to_rows() if gaps else [],
        "priorities": gaps.priorities() if gaps else [],
        "notices": [
            {"code": notice.code, "key": key, "message": notice.message}
            for notice, key in dict.fromkeys(noticed)
        ],
    }


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows that all have the same keys; empty where there is no value."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        writer.writerows([_cell(value) for value in row.values()] for row in rows)


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
