"""Weighted item means by organization, beside one np.sum, pandas, Polars and DuckDB."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from samples import HIGH, LOW, MISSING, ORGANIZATIONS, Sample, item_names
from timing import Work, medians, number, show_table

from sotongindex import Tally

Means = Callable[[], NDArray[np.float64]]  # (organizations, items), as answers from 1 to 7


def pandas_means(sample: Sample) -> Means:
    """Weighted sums of float columns (NaN where missing), grouped by a code."""
    import pandas as pd

    answers = np.where(sample.answers == MISSING, np.nan, sample.answers)
    frame = pd.DataFrame(answers, columns=item_names())
    answered = pd.DataFrame(~np.isnan(answers), columns=item_names())
    weight = pd.Series(sample.weight)

    def means() -> NDArray[np.float64]:
        points = frame.mul(weight, axis=0).groupby(sample.organization).sum()
        total = answered.mul(weight, axis=0).groupby(sample.organization).sum()
        return (points / total).to_numpy()

    return means


def polars_frame(sample: Sample) -> Any:
    """Return Int8 columns with nulls, the weight and the code of the organization."""
    import polars as pl

    columns = {
        name: pl.Series(column).set(pl.Series(column == MISSING), None)
        for name, column in zip(item_names(), np.ascontiguousarray(sample.answers.T), strict=True)
    }
    codes = sample.organization.astype(np.int32)
    return pl.DataFrame({"organization": codes, "weight": sample.weight, **columns})


def polars_means(sample: Sample) -> Means:
    """One group-by with two sums an item."""
    import polars as pl

    frame, weight = polars_frame(sample), pl.col("weight")
    wanted = [
        ((pl.col(name) * weight).sum() / (pl.col(name).is_not_null() * weight).sum()).alias(name)
        for name in item_names()
    ]

    def means() -> NDArray[np.float64]:
        return frame.group_by("organization").agg(wanted).sort("organization")[:, 1:].to_numpy()

    return means


def duckdb_means(sample: Sample) -> Means:
    """One group-by over a table in DuckDB's own memory."""
    import duckdb

    frame = polars_frame(sample).to_arrow()
    connection = duckdb.connect()
    connection.register("frame", frame)
    connection.execute("create table sheets as select * from frame")
    connection.unregister("frame")
    wanted = ", ".join(
        f"sum({name} * weight) / sum(weight) filter ({name} is not null)" for name in item_names()
    )
    query = f"select {wanted} from sheets group by organization order by organization"

    def means() -> NDArray[np.float64]:
        return np.column_stack([*connection.execute(query).fetchnumpy().values()])

    return means


RIVALS = {"pandas": pandas_means, "polars": polars_means, "duckdb": duckdb_means}


def agreeing(own: NDArray[np.float64], rival: Means) -> Work:
    """Return the rival's work after checking that it computes the same."""
    np.testing.assert_allclose(rival(), own, rtol=1e-9)
    return rival


def main() -> None:
    """Time them in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheets", type=int, default=1_000_000)
    sheets = parser.parse_args().sheets
    sample = Sample.make(sheets, missing=0.03)
    responses = sample.responses()

    def own() -> NDArray[np.float64]:
        return Tally.from_responses(responses, groups=1).item_means()

    answers = LOW + (HIGH - LOW) / 100 * own().reshape(ORGANIZATIONS, -1)
    works: dict[str, Work] = {"np.sum of the array": responses.answers.sum, "sotongindex": own}
    works |= {
        name: agreeing(answers, prepare(sample))
        for name, prepare in RIVALS.items()
        if find_spec(name)
    }
    found = medians(works)

    def rows() -> Iterator[tuple[str, ...]]:
        for name, time in found.items():
            to_sum, to_own = time / found["np.sum of the array"], time / found["sotongindex"]
            yield name, number(time), number(to_sum), number(to_own)

    show_table(
        f"Weighted item means, {sheets:,} sheets x 60 items, 300 organizations, 3 % missing",
        ("", "seconds", "times np.sum", "times sotongindex"),
        rows(),
    )


if __name__ == "__main__":
    main()
