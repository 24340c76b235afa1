"""Files of answers: what is a number, what is text, what is missing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import reported

from sotongindex import _delimited
from sotongindex.errors import MethodError
from sotongindex.files import read_table
from sotongindex.responses import Responses


def silent(text: str) -> None:
    raise AssertionError(text)


def read(path: Path, content: str, *, encoding: str = "utf-8") -> dict[str, list[object]]:
    path.write_bytes(content.encode(encoding))
    table = read_table(path)
    return {name: column.tolist() for name, column in table.items()}


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "2"], [1.0, 2.0]),
        (["1", ""], [1.0, None]),
        (["-1.5", " 2e-05 "], [-1.5, 2e-05]),
        (["007", "8"], ["007", "8"]),
        (["1234567890123456", "1"], ["1234567890123456", "1"]),
        (["nan", "1"], ["nan", "1"]),
        (["1_000", "1"], ["1_000", "1"]),
        (["a", " "], ["a", None]),
        (["１", "1"], ["１", "1"]),
    ],
)
def test_columns_of_nothing_but_numbers_are_numbers(
    tmp_path: Path, cells: list[str], values: list[object]
) -> None:
    content = "x,y\n" + "".join(f"{cell},z\n" for cell in cells)
    found = read(tmp_path / "x.csv", content)["x"]
    missing = [value is None or (isinstance(value, float) and math.isnan(value)) for value in found]
    assert [None if no else value for no, value in zip(missing, found, strict=True)] == values


def test_quotes_tabs_marks_and_blank_lines(tmp_path: Path) -> None:
    wanted = {"a": ["x,y", "z"], "b": [1.0, 2.0]}
    assert read(tmp_path / "x.csv", '\ufeffa, b\n"x,y",1\n\nz,2\n') == wanted
    assert read(tmp_path / "x.tsv", "a\tb\nx,y\t1\nz\t2\n") == wanted


def test_korean_spreadsheets_are_read_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("기관,점수\n가나,1\n".encode("cp949"))
    told: list[str] = []
    table = read_table(path, progress=told.append)
    assert table["기관"].tolist() == ["가나"]
    assert told == ["x.csv is not UTF-8: read as cp949"]


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path / "x.csv", "a,b\n") == {"a": [], "b": []}


def test_blocks_join_and_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_delimited, "_BLOCK_ROWS", 2)
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,5\n,6\nx,7\n", encoding="utf-8")
    told: list[str] = []
    table = read_table(path, progress=told.append)
    assert table["a"].tolist() == ["1", None, "x"]
    assert table["b"].tolist() == [5.0, 6.0, 7.0]
    assert told == ["x.csv: 2 rows read"]


def test_csv_and_parquet_give_the_same_answers(tmp_path: Path) -> None:
    recipe, frame = reported.recipe(), pd.DataFrame(reported.columns())
    frame.to_csv(tmp_path / "x.csv", index=False)
    frame.to_parquet(tmp_path / "x.parquet")
    one, two = (
        Responses.read(read_table(tmp_path / name), recipe.study, recipe.layout)
        for name in ("x.csv", "x.parquet")
    )
    np.testing.assert_array_equal(one.answers, two.answers)
    np.testing.assert_array_equal(one.respondent_keys, two.respondent_keys)
    assert one.respondent_keys.dtype == two.respondent_keys.dtype


def test_a_broken_parquet_file_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(MethodError, match=r"x\.parquet cannot be read"):
        read_table(path)


def test_a_format_whose_package_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(MethodError, match=r"run: pip install 'sotongindex\[excel\]'"):
        read_table(tmp_path / "x.xlsx")
