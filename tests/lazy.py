"""Lazy frames of what is in memory, and tallies that should be the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from sotongindex.tally import Tally

Engine = Callable[[pl.DataFrame], Any]


def in_polars(frame: pl.DataFrame) -> pl.LazyFrame:
    return frame.lazy()


def in_duckdb(frame: pl.DataFrame) -> duckdb.DuckDBPyRelation:
    connection = duckdb.connect()
    connection.register("answers", frame.to_arrow())
    return connection.table("answers")


engines = pytest.mark.parametrize("engine", [in_polars, in_duckdb])


def assert_same_tally(tally: Tally, expected: Tally) -> None:
    """Compare counts exactly and sums to 1e-12; points go up to 100 and may cancel."""
    for name in ("organization", "channel", "group", "evaluations", "answers"):
        np.testing.assert_array_equal(getattr(tally, name), getattr(expected, name))
    for name in ("weight", "squared_weight", "answer_weight", "points", "frequencies"):
        value, wanted = getattr(tally, name), getattr(expected, name)
        if wanted is None:
            assert value is None
        else:
            np.testing.assert_allclose(value, wanted, rtol=1e-12, atol=1e-10)
