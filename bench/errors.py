"""The index and its errors, beside the item means and errors of samplics, svy and R survey.

`compute_index` scores every level; the rivals only estimate item means by organization. They
run a dozen items, or as many as are bearable, and the median of their times is scaled up to all 60.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import statistics
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from samples import HIGH, ITEMS, LOW, ORGANIZATIONS, Sample, item_names
from timing import medians, number, show_table

from sotongindex import IndexMethod, Linearization, compute_index

BEARABLE = 15.0  # seconds for one of a rival's runs, which decides how many items it gets
DOZEN = 12  # items
REPEATS, RUNS = 3, 9  # of a rival, of our own work
Estimated = tuple[NDArray[np.float64], NDArray[np.float64]]  # means, errors: (items, organizations)
Estimate = Callable[[int], Estimated]  # of the first so many items, as answers from 1 to 7


@attrs.frozen(kw_only=True, eq=False)
class Timing:
    """How long a rival took, and what it found.

    Attributes:
        took: Seconds for the items that were run.
        estimated: Their means and errors.
    """

    took: float
    estimated: Estimated

    @property
    def items(self) -> int:
        """How many items were run."""
        return len(self.estimated[0])

    @property
    def seconds(self) -> float:
        """For all items, in proportion."""
        return self.took * ITEMS / self.items


def samplics_estimate(sample: Sample, *, clustered: bool) -> Estimate:
    """One estimator an item: there is no way to give it several."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that svy succeeds it
        from samplics import PopParam, TaylorEstimator

    design: dict[str, Any] = {"samp_weight": sample.weight, "domain": sample.organization}
    if clustered:
        design |= {"stratum": sample.stratum, "psu": sample.cluster}

    def estimate(items: int) -> Estimated:
        means, errors = np.empty((2, items, ORGANIZATIONS))
        for item in range(items):
            estimator = TaylorEstimator(PopParam.mean)
            estimator.estimate(y=sample.answers[:, item].astype(np.float64), **design)
            for organization in range(ORGANIZATIONS):
                means[item, organization] = estimator.point_est[organization]
                errors[item, organization] = estimator.stderror[organization]
        return means, errors

    return estimate


def svy_estimate(sample: Sample, *, clustered: bool) -> Estimate:
    """Several items in one call, on a sample design made beforehand."""
    import polars as pl
    import svy

    roles = {name: getattr(sample, name) for name in ("organization", "stratum", "cluster")}
    items = dict(zip(item_names(), np.ascontiguousarray(sample.answers.T), strict=True))
    frame = pl.DataFrame(roles | {"weight": sample.weight} | items)
    names = {"stratum": "stratum", "psu": "cluster"} if clustered else {}
    design = svy.Sample(data=frame, design=svy.Design(wgt="weight", **names))

    def estimate(items: int) -> Estimated:
        result = design.estimation.mean(item_names()[:items], by="organization")
        tables = [each.to_polars() for each in result]
        order = np.argsort(tables[0]["organization"].cast(pl.Int64).to_numpy())
        return (
            np.array([table["est"].to_numpy()[order] for table in tables]),
            np.array([table["se"].to_numpy()[order] for table in tables]),
        )

    return estimate


PYTHON = {"samplics": samplics_estimate, "svy": svy_estimate}


def time_python(name: str, sample: Sample, *, clustered: bool) -> Timing:
    """Time a rival in this process."""
    estimate = PYTHON[name](sample, clustered=clustered)
    results: list[Estimated] = []

    def run(items: int) -> float:
        start = time.perf_counter()
        with warnings.catch_warnings(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore")
            results.append(estimate(items))
        return time.perf_counter() - start

    took = run(1)
    items = min(DOZEN, int(BEARABLE / took))
    if items:  # the first was the warming up
        took = statistics.median(run(items) for _ in range(REPEATS))
    return Timing(took=took, estimated=results[-1])


def time_r(sample: Sample, *, clustered: bool) -> Timing:
    """Time svyby of R's survey package, in a process of its own.

    A call cuts out every organization, which is slow, and then computes the covariances of all its
    items, which is slow with many: in calls of a dozen items it is quickest.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample.weight.tofile(folder / "weight")
        np.ascontiguousarray(sample.answers[:, :DOZEN].T).tofile(folder / "answers")
        for role in ("organization", "stratum", "cluster"):
            getattr(sample, role).astype(np.int32).tofile(folder / role)
        script = str(Path(__file__).with_suffix(".R"))
        arguments = [str(len(sample.answers)), str(int(clustered)), "1", *[str(DOZEN)] * REPEATS]
        done = subprocess.run(
            ["Rscript", script, name, *arguments], capture_output=True, text=True, check=True
        )
        means, errors = (
            np.fromfile(folder / what).reshape(DOZEN, ORGANIZATIONS) for what in ("means", "errors")
        )
    took = statistics.median(map(float, done.stdout.split()[1:]))  # the first call warmed up
    return Timing(took=took, estimated=(means, errors))


def rivals(sample: Sample, *, clustered: bool) -> Iterator[tuple[str, Timing]]:
    """Time the rivals that are installed."""
    for name in PYTHON:
        if find_spec(name):
            yield name, time_python(name, sample, clustered=clustered)
    if shutil.which("Rscript"):
        yield "R survey", time_r(sample, clustered=clustered)


def differences(sample: Sample, rival: Estimated, *, clustered: bool) -> tuple[float, float]:
    """Return the largest relative differences of means and errors from a rival's."""
    method = IndexMethod(variance=Linearization(correction="design"))
    items = compute_index(sample.responses(clustered=clustered), method=method).items
    points = (HIGH - LOW) / 100
    count = len(rival[0])
    means = LOW + points * items.values[:, 0, :count].T
    errors = points * items.standard_error[:, 0, :count].T
    return float(np.abs(rival[0] / means - 1).max()), float(np.abs(rival[1] / errors - 1).max())


def main() -> None:
    """Time both designs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheets", type=int, default=100_000)
    sheets = parser.parse_args().sheets
    complete, holed = Sample.make(sheets), Sample.make(sheets, missing=0.03)

    def rows() -> Iterator[tuple[str, ...]]:
        for clustered in (False, True):
            design = "strata, clusters" if clustered else "weights only"
            own, other = (each.responses(clustered=clustered) for each in (complete, holed))
            index = {"full": partial(compute_index, own), "holed": partial(compute_index, other)}
            found = medians(index, runs=RUNS)
            yield design, "sotongindex, all levels", "60", number(found["full"]), "1", "", ""
            ratio = number(found["holed"] / found["full"])
            yield design, "... 3 % missing", "60", number(found["holed"]), ratio, "", ""
            for name, timing in rivals(complete, clustered=clustered):
                # Once more after the rival, which may have had a busier or a quieter time.
                again = medians(index, runs=RUNS)["full"]
                ratio = number(timing.seconds * 2 / (found["full"] + again))
                mean, error = differences(complete, timing.estimated, clustered=clustered)
                run, needed = str(timing.items), number(timing.seconds)
                yield design, name, run, needed, ratio, f"{mean:.0e}", f"{error:.0e}"

    show_table(
        f"Index with errors, {sheets:,} sheets x 60 items, 300 organizations",
        ("design", "", "items run", "seconds for 60", "ratio", "means differ", "errors differ"),
        rows(),
    )


if __name__ == "__main__":
    main()
