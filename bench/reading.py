"""Reading a million rows with four text columns from a dataframe, and the memory it takes."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import Any

import numpy as np
from samples import ORGANIZATIONS, STRATA, Sample, item_names, study
from timing import Work, allocated, medians, number, show, show_table

from sotongindex import Responses, compute_index

CHANNELS = ("blog", "twitter", "facebook")
KINDS = ("pandas", "polars", "pyarrow")


def polars_frame(sample: Sample) -> Any:
    """Return a row per evaluation: four columns of text, and Int8 items with nulls.

    A respondent rates two organizations on three channels each.
    """
    import polars as pl
    from means import polars_frame as items

    sheet = np.arange(len(sample.answers))
    respondent = sheet // 6
    names = {
        "organization": (study().organization_keys, sheet // 3 % ORGANIZATIONS),
        "channel": (CHANNELS, sheet % 3),
        "respondent": ([f"person-{k:07d}" for k in range(respondent[-1] + 1)], respondent),
        "stratum": ([f"stratum {k:02d}" for k in range(STRATA)], respondent % STRATA),
    }
    text = {name: pl.Series(np.array(keys))[codes] for name, (keys, codes) in names.items()}
    return pl.DataFrame(text | {name: items(sample)[name] for name in item_names()})


def frame(kind: str, sample: Sample) -> tuple[Any, int]:
    """Return the frame of a kind, and its bytes."""
    made = polars_frame(sample)
    if kind == "pandas":
        table = made.to_pandas()  # items become floats, NaN where missing
        return table, int(table.memory_usage(deep=True).sum())
    if kind == "pyarrow":
        table = made.to_arrow()
        return table, table.nbytes
    return made, made.estimated_size()


def main() -> None:
    """Time and weigh one kind of frame, and the index of what was read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", nargs="?", default="polars", choices=KINDS)
    parser.add_argument("--sheets", type=int, default=1_000_000)
    arguments = parser.parse_args()
    if not (find_spec("polars") and find_spec(arguments.kind)):
        show(f"reading {arguments.kind}: not installed")
        return
    table, size = frame(arguments.kind, Sample.make(arguments.sheets, missing=0.03))
    asked = study(*CHANNELS)

    def read() -> Responses:
        return Responses.from_frame(table, asked, stratum="stratum")

    responses = read()
    works: dict[str, Work] = {
        f"from_frame, {arguments.kind}": read,
        "compute_index of it": lambda: compute_index(responses),
    }
    found, answers = medians(works, runs=3), responses.answers.nbytes
    show_table(
        f"Reading {arguments.sheets:,} rows of {arguments.kind}: 60 items, 4 columns of text",
        ("", "seconds", "input MB", "allocated MB", "times input"),
        [
            (name, number(found[name]), *map(number, memory(work, taken)))
            for (name, work), taken in zip(works.items(), (size, answers), strict=True)
        ],
    )


def memory(work: Work, taken: int) -> tuple[float, float, float]:
    """Return megabytes of input and allocated by numpy and Python, and their ratio."""
    most = allocated(work)
    return taken / 1e6, most / 1e6, most / taken


if __name__ == "__main__":
    main()
