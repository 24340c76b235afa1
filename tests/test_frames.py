from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sotongindex._frames import Dates, Frame, Numbers, Text, frame_from_columns
from sotongindex._reading.coding import days, keyed, numbers, recode, sorted_keys
from sotongindex.errors import MethodError

DATA: dict[str, list[Any]] = {
    "whole": [1, 2, None, 4],
    "float": [1.5, None, 2.0, 3.0],
    "text": ["b", None, "a", "b"],
    "day": [date(2020, 1, 1), None, date(1970, 1, 1), date(2020, 1, 2)],
    "moment": [
        datetime.fromisoformat("2020-01-01T05:00"),
        None,
        datetime.fromisoformat("1970-01-01"),
        datetime.fromisoformat("2020-01-02"),
    ],
    "truth": [True, None, False, True],
    "empty": [None] * 4,
}
POLARS = pl.DataFrame(DATA)
FRAMES: dict[str, Callable[[], Any]] = {
    "polars": lambda: POLARS,
    "polars categorical": lambda: POLARS.with_columns(pl.col("text").cast(pl.Categorical)),
    "polars enum": lambda: POLARS.with_columns(pl.col("text").cast(pl.Enum(["z", "a", "b"]))),
    "polars int8": lambda: POLARS.with_columns(pl.col("whole").cast(pl.Int8)),
    "polars uint8": lambda: POLARS.with_columns(pl.col("whole").cast(pl.UInt8)),
    "polars decimal": lambda: POLARS.with_columns(pl.col("float").cast(pl.Decimal(10, 2))),
    "polars zone": lambda: POLARS.with_columns(pl.col("moment").dt.replace_time_zone("Asia/Seoul")),
    "pyarrow": POLARS.to_arrow,
    "pyarrow chunks": lambda: pa.concat_tables([POLARS[:2].to_arrow(), POLARS[2:].to_arrow()]),
    "pyarrow dictionary": lambda: POLARS.with_columns(
        pl.col("text").cast(pl.Categorical)
    ).to_arrow(),
    "pandas": POLARS.to_pandas,
    "pandas objects": lambda: pd.DataFrame(DATA, dtype=object),
    "pandas categorical": lambda: POLARS.to_pandas().astype({"text": "category"}),
    "pandas nullable": lambda: POLARS.to_pandas().convert_dtypes(),
    "pandas arrow": lambda: POLARS.to_pandas(use_pyarrow_extension_array=True),
    "lists": lambda: DATA,
    "arrays": lambda: {name: np.array(values, dtype=object) for name, values in DATA.items()},
    "masked": lambda: (
        DATA | {"whole": np.ma.MaskedArray([1, 2, 7, 4], mask=[False, False, True, False])}
    ),
}


@pytest.fixture(params=FRAMES)
def frame(request: pytest.FixtureRequest) -> Frame:
    return Frame.of(FRAMES[request.param]())


def test_every_frame_has_the_same_shape(frame: Frame) -> None:
    assert frame.names == tuple(DATA)
    assert frame.rows == 4


@pytest.mark.parametrize(
    ("name", "expected", "kind"),
    [
        ("whole", [1, 2, None, 4], "i"),
        ("truth", [1, None, 0, 1], "i"),
        ("float", [1.5, None, 2.0, 3.0], "f"),
    ],
)
def test_every_frame_gives_the_same_numbers(
    frame: Frame, name: str, expected: list[float | None], kind: str
) -> None:
    values = numbers(frame.column(name)).values
    assert values.dtype == (np.int8 if kind == "i" else np.float64)
    found = recode(values, np.dtype(float)).tolist()
    assert [None if np.isnan(value) else value for value in found] == expected


def test_every_frame_gives_the_same_labels(frame: Frame) -> None:
    text = keyed(frame.column("text"))
    assert [None if code < 0 else text.labels[code] for code in text.codes] == DATA["text"]
    codes, keys = sorted_keys(frame.column("text"))
    assert codes.tolist() == [1, -1, 0, 1]
    assert keys.tolist() == ["a", "b"]


@pytest.mark.parametrize("name", ["day", "moment"])
def test_every_frame_gives_the_same_days(frame: Frame, name: str) -> None:
    expected = ["2020-01-01", "NaT", "1970-01-01", "2020-01-02"]
    assert days(frame.column(name)).astype(str).tolist() == expected


def test_every_frame_gives_an_empty_column(frame: Frame) -> None:
    assert keyed(frame.column("empty")).codes.tolist() == [-1] * 4


def test_numpy_arrays_are_taken_as_they_are() -> None:
    frame = Frame.of(
        {
            "small": np.array([1, 2], dtype=np.int16),
            "truth": np.array([True, False]),
            "day": np.array(["2024-01-01T23:00", "NaT"], dtype="datetime64[m]"),
        }
    )
    assert isinstance(small := frame.column("small"), Numbers)
    assert small.values.dtype == np.int16
    assert isinstance(truth := frame.column("truth"), Numbers)
    assert truth.values.tolist() == [1, 0]
    assert isinstance(day := frame.column("day"), Dates)
    assert day.values.astype(str).tolist() == ["2024-01-01", "NaT"]


def test_labels_of_a_frame_without_hash_become_text() -> None:
    column = Frame.of(pl.DataFrame({"a": [[1], [2], [1]]})).column("a")
    assert isinstance(column, Text)
    assert column.codes.tolist() == [0, 1, 0]
    assert column.labels == ("[1]", "[2]")


def test_a_column_of_wide_integers_with_nulls_loses_nothing() -> None:
    wide = 2**53 + 1
    column = Frame.of(pl.DataFrame({"a": [wide, None]})).column("a")
    assert isinstance(column, Numbers)
    assert column.values[0] == wide
    lowest = pl.Series([-128, None], dtype=pl.Int8)  # the code for null is taken
    column = Frame.of(pl.DataFrame({"a": lowest})).column("a")
    assert isinstance(column, Numbers)
    assert column.is_null.tolist() == [False, True]
    assert column.values[0] == -128


def test_moments_are_days_on_their_own_clock() -> None:
    moment = datetime(2024, 5, 31, 23, 30, tzinfo=UTC)
    frame = pl.DataFrame({"a": [moment]}).with_columns(
        pl.col("a").dt.convert_time_zone("Asia/Seoul")
    )
    assert days(Frame.of(frame).column("a")).astype(str).tolist() == ["2024-06-01"]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (POLARS.lazy(), "collect it first"),
        (3, "got int"),
        ([1, 2], "got list"),
        (pd.Series([1]), "got Series"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "every column name once"),
        ({"a": [1, 2], "b": [1, 2], "c": [1]}, "expected 2 rows in every column, got 1 in 'c'"),
        ({"a": np.zeros((2, 2))}, "one dimension"),
        ({"a": [1, [2]]}, "column 'a' is no array"),
    ],
)
def test_what_is_no_frame_is_refused(frame: object, words: str) -> None:
    with pytest.raises(MethodError, match=words) as caught:
        Frame.of(frame)
    assert caught.value.argument == "frame"


def test_a_query_is_refused_until_it_is_collected() -> None:
    with duckdb.connect() as connection:
        query = connection.sql("select 1 as a")
        with pytest.raises(MethodError, match="collect it first"):
            Frame.of(query)
        assert Frame.of(query.pl()).names == ("a",)


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_columns_become_a_frame(backend: Any) -> None:
    columns = {"key": ["a", "b"], "score": np.array([56.5, np.nan]), "n": np.array([3, 4])}
    frame = frame_from_columns(columns, backend)
    assert type(frame).__module__.startswith(backend)
    again = Frame.of(frame)
    assert again.names == ("key", "score", "n")
    assert isinstance(score := again.column("score"), Numbers)
    assert score.is_null.tolist() == [False, True]
    assert isinstance(count := again.column("n"), Numbers)
    assert count.values.tolist() == [3, 4]


def test_missing_numbers_are_nulls_not_nan() -> None:
    assert frame_from_columns({"a": np.array([1, np.nan])}, "polars")["a"].null_count() == 1


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(MethodError, match="did you mean 'polars'") as caught:
        frame_from_columns({"a": [1]}, "pollars")  # type: ignore[arg-type]
    assert caught.value.argument == "backend"


def test_a_backend_that_is_not_installed_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MethodError, match="pip install polars") as caught:
        frame_from_columns({"a": [1]}, "polars")
    assert caught.value.argument == "backend"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["2024-05-31", "2024.05.31", "2024/05/31", "20240531"], ["2024-05-31"] * 4),
        (["2024-05-31 10:11:12", "2024-05-31T10:11Z"], ["2024-05-31"] * 2),
        (["31.05.2024", "yesterday", "2024-13-01", None], ["NaT"] * 4),
    ],
)
def test_text_is_read_as_days(labels: list[str | None], expected: list[str]) -> None:
    assert days(Frame.of({"a": labels}).column("a")).astype(str).tolist() == expected


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 7], np.int8),
        ([-127, 127], np.int8),
        ([-128, 7], np.int16),
        ([1, 128], np.int16),
        ([1, 70_000], np.int32),
        ([1, 2**40], np.float64),
        ([1, 1.5], np.float64),
        ([1, np.inf], np.float64),
        ([np.nan, np.nan], np.int8),
    ],
)
@pytest.mark.parametrize("null", [True, False])
def test_numbers_are_stored_in_the_smallest_type(
    values: list[float], dtype: type[np.generic], null: bool
) -> None:
    given = np.array([*values, np.nan] if null else values)
    stored = numbers(Frame.of({"a": given}).column("a")).values
    assert stored.dtype == dtype
    np.testing.assert_array_equal(recode(stored, np.dtype(float)), given)
    if not null and np.isfinite(given).all() and np.all(given == np.trunc(given)):
        integers = numbers(Frame.of({"a": given.astype(np.int64)}).column("a")).values
        np.testing.assert_array_equal(integers, stored)


def test_what_cannot_be_a_number_is_told() -> None:
    parsed = numbers(Frame.of({"a": [1, date(2024, 1, 1), "x", True, None]}).column("a"))
    assert parsed.wrong is not None
    assert parsed.wrong.tolist() == [False, True, True, False, False]
    parsed = numbers(Frame.of(pd.DataFrame({"a": [1, date(2024, 1, 1), "1"]})).column("a"))
    assert parsed.wrong_labels == ("2024-01-01",)
    assert parsed.written is not None
    assert parsed.written.tolist() == [False, False, True]
    day = np.array(["2024-01-01", "NaT"], dtype="datetime64[D]")
    parsed = numbers(Frame.of({"a": day}).column("a"))
    assert parsed.wrong_labels == ("2024-01-01",)


def test_the_words_for_nothing_are_labels() -> None:
    text = keyed(Frame.of({"a": ["NaT", "nan", "None", None, float("nan")]}).column("a"))
    assert text.codes.tolist() == [0, 1, 2, -1, -1]


def test_keys_are_compared_as_trimmed_text() -> None:
    text = keyed(Frame.of({"a": [101.0, " 101", "101", "  ", None]}).column("a"))
    assert text.labels == ("101",)
    assert text.codes.tolist() == [0, 0, 0, -1, -1]


@pytest.mark.parametrize(
    ("values", "codes", "keys"),
    [
        (np.array([30, 10, 30]), [1, 0, 1], [10, 30]),
        (np.array([30.0, np.nan, 10.0]), [1, -1, 0], [10, 30]),
        (np.array([1.5, 0.5]), [1, 0], ["0.5", "1.5"]),
        (np.array(["b", "a", ""]), [1, 0, -1], ["a", "b"]),
        (np.array([30, 10, None], dtype=object), [1, 0, -1], [10, 30]),
        (np.array([1.5, np.nan]), [0, -1], ["1.5"]),
        (np.array(["2024-01-02", "NaT"], dtype="datetime64[D]"), [0, -1], ["2024-01-02"]),
    ],
)
def test_keys_come_in_order(values: Any, codes: list[int], keys: list[object]) -> None:
    found, names = sorted_keys(Frame.of({"a": values}).column("a"))
    assert found.tolist() == codes
    assert names.tolist() == keys
