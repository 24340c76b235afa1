"""Workbooks and SPSS files: the answers of memory, and what cannot be read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from sotongindex.datasets import sample_panel
from sotongindex.errors import MethodError
from sotongindex.files import read_spss, read_table
from sotongindex.responses import Responses

PANEL = sample_panel(respondents=40)
TABLE = PANEL.to_frame("pandas")


def same_answers(frame: object) -> None:
    found, expected = (Responses.from_frame(one, PANEL.study) for one in (frame, TABLE))
    np.testing.assert_array_equal(found.answers, expected.answers)
    np.testing.assert_array_equal(found.organization, expected.organization)
    np.testing.assert_array_equal(found.respondent_keys, expected.respondent_keys)


# -- workbooks -------------------------------------------------------------------------------------


def workbook(path: Path, *sheets: tuple[str, list[list[object]]]) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_a_workbook(tmp_path: Path):
    rows = TABLE.astype(object).where(TABLE.notna(), None).values.tolist()
    whole = [[], list(TABLE.columns), *rows]
    path = workbook(tmp_path / "x.xlsx", ("cover", [["a note"]]), ("응답", whole))
    same_answers(read_table(path, sheet="응답"))
    with pytest.raises(
        MethodError, match="has no sheet '응답지', only 'cover', '응답'; did you mean"
    ):
        read_table(path, sheet="응답지")


def test_cells_of_a_workbook(tmp_path: Path):
    rows = [["이름", None, "q1", "when"], ["007", "x", 5, date(2024, 5, 1)], [" ", None, None]]
    rows += [["b", None, 4.5, None]]
    table = read_table(workbook(tmp_path / "x.xlsx", ("s", rows)))
    assert table["이름"].tolist() == ["007", None, "b"]
    assert table["column 2"].tolist()[0] == "x"
    assert table["q1"].dtype == np.float64
    assert table["when"].dtype == "datetime64[D]"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "expected a first line of column names"),
        ([["a", "a"], [1, 2]], "has the column 'a' twice"),
        ([["a"], ["=1+1"]], "formulas that were never computed"),
    ],
)
def test_sheets_that_are_no_tables(tmp_path: Path, rows, message):
    with pytest.raises(MethodError, match=message):
        read_table(workbook(tmp_path / "x.xlsx", ("s", rows)))


def test_merged_cells(tmp_path: Path):
    openpyxl = pytest.importorskip("openpyxl")
    path = workbook(tmp_path / "x.xlsx", ("s", [["a", "b"], [1, 2], [None, 3]]))
    book = openpyxl.load_workbook(path)
    book["s"].merge_cells("A2:A3")
    book.save(path)
    with pytest.raises(MethodError, match=r"merged cells \(A2:A3\); unmerge them"):
        read_table(path)


def test_what_is_no_workbook(tmp_path: Path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"no workbook")
    with pytest.raises(MethodError, match=r"x\.xlsx cannot be read") as caught:
        read_table(path)
    assert caught.value.__cause__ is not None
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "y.xlsx")
    with pytest.raises(MethodError, match="only workbooks"):
        read_table(tmp_path / "x.csv", sheet="s")


# -- SPSS ------------------------------------------------------------------------------------------


def test_an_spss_file(tmp_path: Path):
    pyreadstat = pytest.importorskip("pyreadstat")
    path = tmp_path / "x.sav"
    pyreadstat.write_sav(TABLE, path)
    same_answers(read_table(path))
    pyreadstat.write_dta(TABLE, tmp_path / "x.dta")
    same_answers(read_spss(tmp_path / "x.dta").columns)


def test_labels_and_missing_codes(tmp_path: Path):
    pyreadstat = pytest.importorskip("pyreadstat")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "org": [1.0, 2.0, 3.0, np.nan],
            "q1": [1.0, 98.0, 7.0, np.nan],
            "q2": [-9.0, 4.0, 5.0, 0.0],
            "name": ["가", "", "나", "다"],
            "day": pandas.to_datetime(["2024-01-02", None, "2024-01-03", "2024-01-04"]),
        }
    )
    path = tmp_path / "x.sav"
    pyreadstat.write_sav(
        frame,
        path,
        column_labels={"q1": "소통 만족"},
        variable_value_labels={"org": {1: "acorn", 2: "birch"}, "q1": {7: "매우", 99: "모름"}},
        missing_ranges={"q1": [{"lo": 97, "hi": 99}], "q2": [-9, {"lo": 0, "hi": 0}]},
    )
    found = read_spss(path)
    assert found.labels == {"q1": "소통 만족"}
    assert found.missing == {"q1": (98.0, 99.0), "q2": (-9.0, 0.0)}
    assert found.columns["q1"].tolist()[:3] == [1.0, 98.0, 7.0]
    assert found.columns["name"].tolist() == ["가", None, "나", "다"]
    assert found.columns["day"].dtype == "datetime64[D]"
    assert found.labelled("org")["org"].tolist() == ["acorn", "birch", "3", None]
    with pytest.raises(MethodError, match="did you mean 'org'"):
        found.labelled("orgs")


def test_spss_files_that_are_none(tmp_path: Path):
    pytest.importorskip("pyreadstat")
    path = tmp_path / "x.sav"
    path.write_bytes(b"$FL2 and no more")
    with pytest.raises(MethodError, match=r"x\.sav cannot be read") as caught:
        read_spss(path)
    assert caught.value.__cause__ is not None
    with pytest.raises(MethodError, match=r"expected a file ending in \.sav"):
        read_spss(tmp_path / "x.csv")
    with pytest.raises(MethodError, match=r"expected a file ending in \.csv"):
        read_table(tmp_path / "x.xyz")
