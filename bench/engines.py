"""The index with errors from files on disk, beside hand-written queries of the same sums.

    python bench/engines.py --sheets 20000000

Every work runs in a process of its own, so that its peak of memory is its own. They take turns.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from samples import MISSING, Sample, item_names, study
from timing import number, seconds, show, show_table

import sotongindex as si

PIECE = 1_000_000  # sheets of a file
GROUPS = 32
BAR, MEMORY = 1.3, 1000  # times the hand-written query; megabytes


def make(folder: Path, sheets: int) -> None:
    """Write the sheets as Parquet files of one-byte answers, piece by piece."""
    keys = pa.array(study().organization_keys)
    for first in range(0, sheets, PIECE):
        sample = Sample.make(min(PIECE, sheets - first), missing=0.03)
        answers = {
            name: pa.array(column, mask=column == MISSING)
            for name, column in zip(item_names(), sample.answers.T.copy(), strict=True)
        }
        columns = {
            "organization": pa.DictionaryArray.from_arrays(sample.organization, keys).cast(
                "string"
            ),
            "respondent": pa.array(range(first, first + len(sample.answers))),
            **answers,
        }
        pq.write_table(pa.table(columns), folder / f"{first:010d}.parquet", row_group_size=250_000)


def polars_query(folder: Path) -> object:
    """Sum and count every item by hand in Polars."""
    import polars as pl

    prime = 2**31 - 1
    group = (pl.col("respondent") % prime * 48271 % prime % GROUPS).alias("group")
    sums = [pl.col(name).sum() for name in item_names()]
    counts = [pl.col(name).count().alias(f"n {name}") for name in item_names()]
    table = pl.scan_parquet(folder / "*.parquet")
    return table.group_by("organization", group).agg(*sums, *counts).collect(engine="streaming")


def duckdb_query(folder: Path) -> object:
    """Sum and count every item by hand in DuckDB."""
    import duckdb

    group = f"respondent % {2**31 - 1} * 48271 % {2**31 - 1} % {GROUPS}"
    sums = ", ".join(f"sum({name}), count({name})" for name in item_names())
    table = f"read_parquet('{folder}/*.parquet')"
    query = f"select organization, {group}, {sums} from {table} group by 1, 2"
    return duckdb.sql(query).to_arrow_table()


def _index(tally: si.Tally) -> object:
    return si.compute_index(tally, method=si.IndexMethod(variance=si.GroupJackknife(groups=GROUPS)))


def _engine_index(table: object) -> object:
    return _index(si.Tally.from_frame(table, study(), channel=None, groups=GROUPS, check=False))


def polars_index(folder: Path) -> object:
    """Index with errors, summed by Polars; the table was checked before."""
    import polars as pl

    return _engine_index(pl.scan_parquet(folder / "*.parquet"))


def polars_check(folder: Path) -> object:
    """Check by Polars."""
    import polars as pl

    return si.check_responses(pl.scan_parquet(folder / "*.parquet"), study(), channel=None)


def duckdb_index(folder: Path) -> object:
    """Index with errors, summed by DuckDB; the table was checked before."""
    import duckdb

    return _engine_index(duckdb.read_parquet(f"{folder}/*.parquet"))


def duckdb_check(folder: Path) -> object:
    """Check by DuckDB."""
    import duckdb

    return si.check_responses(duckdb.read_parquet(f"{folder}/*.parquet"), study(), channel=None)


def _batches(folder: Path, processes: int) -> object:
    options = {"channel": None, "groups": GROUPS, "processes": processes}
    return _index(si.Tally.from_batches(folder, study(), **options))


def ibis_index(folder: Path) -> object:
    """Index with errors, summed by DuckDB through Ibis."""
    import ibis

    table = ibis.read_parquet(f"{folder}/*.parquet")
    return _engine_index(table)


def dask_index(folder: Path) -> object:
    """Index with errors, summed by Dask."""
    import dask.dataframe as dd

    table = dd.read_parquet(folder, engine="pyarrow")
    return _engine_index(table)


def spark_index(folder: Path) -> object:
    """Index with errors, summed by Spark in local mode."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.driver.memory", "4g").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    table = session.read.parquet(str(folder))
    return _engine_index(table)


WORKS: dict[str, Callable[[Path], object]] = {
    "Polars by hand": polars_query,
    "Polars": polars_index,
    "Polars, check": polars_check,
    "DuckDB by hand": duckdb_query,
    "DuckDB": duckdb_index,
    "DuckDB, check": duckdb_check,
    "batches": partial(_batches, processes=1),
    "batches, 2 processes": partial(_batches, processes=2),
    "Ibis": ibis_index,
    "Dask": dask_index,
    "Spark": spark_index,
}


def peak() -> float:
    """Return the peak of this process's memory in MB; NaN where the system does not tell it."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((float(line.split()[1]) / 1024 for line in lines if "VmHWM" in line), float("nan"))


def measure(name: str, folder: Path) -> tuple[float, float]:
    """Run a work in a process of its own; return its seconds and its peak of memory in MB."""
    command = [sys.executable, __file__, "--work", name, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    taken, memory = done.stdout.split()[-2:]
    return float(taken), float(memory)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheets", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--works", nargs="*", choices=WORKS, default=list(WORKS)[:8])
    parser.add_argument("--work", choices=WORKS)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    if chosen.work:
        taken = seconds(lambda: WORKS[chosen.work](chosen.folder))
        show(f"{taken} {peak()}")
        return
    with tempfile.TemporaryDirectory() as made:
        folder = chosen.folder or Path(made)
        if not any(folder.glob("*.parquet")):
            make(folder, chosen.sheets)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen.works}
        for _ in range(chosen.runs):
            for name in chosen.works:
                found[name].append(measure(name, folder))
    best = {name: sorted(runs)[len(runs) // 2] for name, runs in found.items()}
    rows = []
    for name, (taken, memory) in best.items():
        rival = best.get(f"{name.split(',')[0]} by hand") if "by hand" not in name else None
        ratio = number(taken / rival[0]) if rival else ""
        rows.append([name, number(taken), ratio, number(memory)])
    show_table(
        f"Index with errors from disk, {chosen.sheets:,} sheets x {len(item_names())} items "
        f"(bars: {BAR} x by hand, {MEMORY:,} MB)",
        ["work", "seconds", "times by hand", "peak, MB"],
        rows,
    )


if __name__ == "__main__":
    main()
