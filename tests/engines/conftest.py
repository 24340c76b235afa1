"""The engines that the same tests run over; one that is not installed skips and says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pytest
from pyarrow import parquet


@attrs.frozen
class Engine:
    """A way to hold a table.

    Attributes:
        name: What it is called.
        hold: Makes its frame of an Arrow table.
        scan: Makes its frame of a Parquet file.
        has_categories: Whether its columns can be categories.
    """

    name: str
    hold: Callable[[pa.Table], Any]
    scan: Callable[[str], Any]
    has_categories: bool = True


def _pandas() -> Engine:
    pandas = pytest.importorskip("pandas")
    return Engine("pandas", pa.Table.to_pandas, pandas.read_parquet)


def _arrow() -> Engine:
    return Engine("arrow", lambda table: table, parquet.read_table)


def _polars() -> Engine:
    polars = pytest.importorskip("polars")
    return Engine("polars", polars.from_arrow, polars.read_parquet)


def _polars_lazy() -> Engine:
    polars = pytest.importorskip("polars")
    return Engine("polars lazy", lambda table: polars.from_arrow(table).lazy(), polars.scan_parquet)


def _duckdb() -> Engine:
    duckdb = pytest.importorskip("duckdb")
    return Engine(
        "duckdb",
        lambda table: duckdb.connect().from_arrow(table),
        lambda path: duckdb.connect().read_parquet(path),
    )


def _dask() -> Engine:
    dask = pytest.importorskip("dask.dataframe")
    return Engine(
        "dask", lambda table: dask.from_pandas(table.to_pandas(), npartitions=3), dask.read_parquet
    )


def _ibis() -> Engine:
    ibis = pytest.importorskip("ibis")
    return Engine("ibis", ibis.memtable, ibis.duckdb.connect().read_parquet, has_categories=False)


def _spark(request: pytest.FixtureRequest) -> Engine:
    session = request.getfixturevalue("spark")
    return Engine("spark", session.createDataFrame, session.read.parquet, has_categories=False)


EAGER = {"pandas": _pandas, "arrow": _arrow, "polars": _polars}
LAZY = {"polars lazy": _polars_lazy, "duckdb": _duckdb, "dask": _dask, "ibis": _ibis}


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session of Spark in this process, with little to start."""
    sql = pytest.importorskip("pyspark.sql")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark needs Java: set JAVA_HOME or put java on the PATH")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("spark")),
    }
    builder = sql.SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def _opened(name: str, request: pytest.FixtureRequest) -> Engine:
    return _spark(request) if name == "spark" else (EAGER | LAZY)[name]()


SPARK = pytest.param("spark", marks=pytest.mark.spark)


@pytest.fixture(params=[*EAGER, *LAZY, SPARK])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every engine and every frame in memory."""
    return _opened(request.param, request)


@pytest.fixture(params=[*LAZY, SPARK])
def lazy_engine(request: pytest.FixtureRequest) -> Engine:
    """Every engine that is asked for sums."""
    return _opened(request.param, request)


@pytest.fixture
def parquet_file(tmp_path: Path) -> Callable[[pa.Table], str]:
    """Write a table to a file of several row groups."""

    def write(table: pa.Table) -> str:
        path = str(tmp_path / "answers.parquet")
        parquet.write_table(table, path, row_group_size=64)
        return path

    return write
