"""What designs cost: calibrated weights, and the whole index again from every replicate.

The rival of a bootstrap is the same library called once for every set of replicate weights, which
is how a loop around any estimator does it; it runs some replicates, and is scaled up to all.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from functools import partial

import attrs
import numpy as np
from samples import ITEMS, ORGANIZATIONS, Sample
from timing import allocated, medians, number, seconds, show_table

from sotongindex import Bootstrap, IndexMethod, Linearization, Responses, compute_index
from sotongindex.calibration import rake

REPLICATES, LOOPED = 500, 5
CATEGORIES = {"sex": 2, "age": 6, "region": 17, "education": 4}


def with_margins(responses: Responses) -> tuple[Responses, dict[str, dict[str, float]]]:
    """Return the responses with four kept columns, and margins a little off theirs."""
    rng = np.random.default_rng(7)
    kept, margins = {}, {}
    for name, count in CATEGORIES.items():
        code = rng.integers(count, size=len(responses))
        kept[name] = np.array([f"{name}{k}" for k in range(count)])[code]
        share = np.bincount(code, minlength=count) * rng.uniform(0.7, 1.4, count)
        share /= share.sum()
        margins[name] = {f"{name}{k}": float(share[k]) for k in range(count)}
    return attrs.evolve(responses, kept=kept), margins


def looped(responses: Responses) -> float:
    """Return the seconds of a loop over all replicates, from a few."""
    rng = np.random.default_rng(0)
    count = len(responses)
    method = IndexMethod(variance=Linearization(correction="design"))

    def once() -> None:
        drawn = np.bincount(rng.integers(count, size=count), minlength=count)
        rows = np.flatnonzero(drawn)
        names = ("answers", "organization", "channel", "respondent")
        part = {name: getattr(responses, name)[rows] for name in names}
        weight = (responses.weight * drawn)[rows]
        compute_index(attrs.evolve(responses, weight=weight, **part), method=method)

    return statistics.median(seconds(once) for _ in range(LOOPED)) * REPLICATES


def rows(sheets: int) -> Iterator[tuple[str, ...]]:
    """Time every way to errors."""
    plain, margins = with_margins(Sample.make(sheets, missing=0.03).responses())
    raked = rake(plain, margins)
    bootstrap = IndexMethod(variance=Bootstrap(replicates=REPLICATES))
    fast = {
        "linearization": partial(compute_index, plain),
        "linearization, raked weights": partial(compute_index, raked),
    }
    found = medians(fast, runs=7)
    for name, work in fast.items():
        ratio = number(found[name] / found["linearization"])
        yield name, number(found[name]), ratio, number(allocated(work) / plain.answers.nbytes)
    slow = {
        f"bootstrap, {REPLICATES}": partial(compute_index, plain, method=bootstrap),
        f"bootstrap, {REPLICATES}, raked again": partial(compute_index, raked, method=bootstrap),
    }
    for name, work in slow.items():
        took = seconds(work)
        yield name, number(took), number(took / found["linearization"]), ""
    took = looped(plain)
    name = f"a loop over {REPLICATES} replicates, not raked again"
    yield name, number(took), number(took / found["linearization"]), ""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheets", type=int, default=100_000)
    sheets = parser.parse_args().sheets
    show_table(
        f"Ways to errors, {sheets:,} sheets x {ITEMS} items, {ORGANIZATIONS} organizations",
        ("", "seconds", "times linearization", "allocated, times the answers"),
        rows(sheets),
    )


if __name__ == "__main__":
    main()
