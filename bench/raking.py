"""Raking a million respondents to four margins, beside rimpy, weightipy, leafblower, svy, samplics,
balance and R survey, as far as they are installed.

The margins (2, 6, 17 and 4 categories) are met to 1e-6 as shares. Then the same from text, out of
answers, within bounds, in groups, and for replicates.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import logging
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from samples import study
from timing import Work, medians, number, show_table

from sotongindex import Responses
from sotongindex.calibration import calibrate, rake

SIZES = {"sex": 2, "age": 6, "region": 17, "education": 4}
MET = 1e-6
BOUNDS = (0.2, 5.0)
REPLICATES = 500
SEED = 20261125

Weights = NDArray[np.float64]
Weigh = Callable[[], Weights]


@attrs.frozen(kw_only=True, eq=False)
class Panel:
    """Respondents with four associated categories, and a population that differs from them.

    Attributes:
        codes: The categories of every respondent from 1, each (n,).
        shares: The shares of the population.
        start: Unequal starting weights, (n,).
    """

    codes: Mapping[str, NDArray[np.int64]]
    shares: Mapping[str, Mapping[int, float]]
    start: Weights

    @classmethod
    def make(cls, respondents: int) -> Panel:
        """Draw respondents from a log-linear table of all categories."""
        rng = np.random.default_rng(SEED)
        shape = tuple(SIZES.values())
        logs = np.zeros(shape)
        for axis, size in enumerate(shape):
            logs += rng.normal(0, 0.5, size).reshape([-1 if a == axis else 1 for a in range(4)])
        for pair in itertools.combinations(range(4), 2):
            sides = [size if axis in pair else 1 for axis, size in enumerate(shape)]
            logs += rng.normal(0, 0.5, sides)
        table = np.exp(logs) / np.exp(logs).sum()
        codes = np.unravel_index(rng.choice(table.size, respondents, p=table.ravel()), shape)
        shares = {}
        for axis, name in enumerate(SIZES):
            margin = table.sum(axis=tuple(a for a in range(4) if a != axis))
            wanted = margin * np.exp(rng.normal(0, 0.45, len(margin)))
            shares[name] = dict(enumerate((wanted / wanted.sum()).tolist(), 1))
        return cls(
            codes={name: code + 1 for name, code in zip(SIZES, codes, strict=True)},
            shares=shares,
            start=rng.gamma(4.0, 0.25, respondents),
        )

    def labels(self) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
        """Return the categories as text, and the shares by text."""
        names = {name: [f"{name} group {k}" for k in table] for name, table in self.shares.items()}
        columns = {
            name: np.array(names[name], dtype=object)[codes - 1]
            for name, codes in self.codes.items()
        }
        shares = {
            name: dict(zip(names[name], table.values(), strict=True))
            for name, table in self.shares.items()
        }
        return columns, shares

    def responses(self) -> Responses:
        """Return answers of one item that keep the categories."""
        asked, rows = study(), len(self.start)
        frame: dict[str, Any] = dict.fromkeys(
            asked.framework.item_keys, np.full(rows, 5, dtype=np.int8)
        )
        frame |= self.codes
        frame["organization"] = np.resize(np.array(asked.organization_keys), rows)
        return Responses.from_frame(frame, asked, channel=None, respondent=None, keep=list(SIZES))

    def miss(self, weight: Weights) -> float:
        """Return the largest miss of a category, a share."""
        total = weight.sum()
        return max(
            abs(weight[codes == k].sum() / total - share)
            for name, codes in self.codes.items()
            for k, share in self.shares[name].items()
        )


# -- rivals: from category codes in the dataframe they like -------------------------------------


def rimpy_rake(panel: Panel) -> Weigh:
    import polars as pl
    import rimpy

    frame = pl.DataFrame(dict(panel.codes))

    def weigh() -> Weights:
        return rimpy.rake(frame, panel.shares, convergence_threshold=MET / 2)["weight"].to_numpy()

    return weigh


def weightipy_rake(panel: Panel) -> Weigh:
    import pandas as pd
    import weightipy

    frame = pd.DataFrame(dict(panel.codes))
    shares = {name: {k: 100 * s for k, s in t.items()} for name, t in panel.shares.items()}

    def weigh() -> Weights:
        scheme = weightipy.scheme_from_dict(shares)
        scheme.convcrit = 1e-3
        return weightipy.weight_dataframe(frame, scheme)["weights"].to_numpy()

    return weigh


def leafblower_rake(panel: Panel) -> Weigh:
    return _leafblower(panel, "raking", (0.0, 1e9))


def _leafblower(panel: Panel, method: str, bounds: tuple[float, float]) -> Weigh:
    import leafblower
    import pandas as pd

    frame = pd.DataFrame(dict(panel.codes))
    shares = {name: {str(k): s for k, s in t.items()} for name, t in panel.shares.items()}

    def weigh() -> Weights:
        result = leafblower.harvest(
            frame,
            shares,
            min_weight=bounds[0],
            max_weight=bounds[1],
            method=method,
            max_iterations=2000,
            convergence={"absolute": MET / 2},
            attach_weights=False,
        )
        return np.asarray(result["weights"], dtype=np.float64)

    return weigh


def svy_rake(panel: Panel) -> Weigh:
    import polars as pl
    import svy

    frame = pl.DataFrame({**panel.codes, "start": np.ones(len(panel.start))})

    def weigh() -> Weights:
        sample = svy.Sample(data=frame, design=svy.Design(wgt="start"))
        raked = sample.weighting.rake(shares=panel.shares, tol=MET, max_iter=2000, wgt_name="new")
        return raked.data["new"].to_numpy()

    return weigh


def samplics_rake(panel: Panel) -> Weigh:
    from samplics import SampleWeight

    start, rows = np.ones(len(panel.start)), len(panel.start)
    counts = {name: {k: rows * s for k, s in t.items()} for name, t in panel.shares.items()}

    def weigh() -> Weights:
        return SampleWeight().rake(
            samp_weight=start,
            margins=dict(panel.codes),
            control=counts,
            tol=MET,
            ctrl_tol=MET,
            max_iter=2000,
        )

    return weigh


def balance_rake(panel: Panel) -> Weigh:
    """It takes a population of people: one for every combination, with the product of shares."""
    import pandas as pd

    logging.disable(logging.CRITICAL)
    from balance.weighting_methods.rake import rake as balance_rake

    frame, start = pd.DataFrame(dict(panel.codes)).astype(str), pd.Series(np.ones(len(panel.start)))
    people = list(itertools.product(*panel.shares.values()))
    population = pd.DataFrame(people, columns=list(panel.shares)).astype(str)
    counts = [
        len(start) * np.prod([panel.shares[name][k] for name, k in zip(SIZES, one, strict=True)])
        for one in people
    ]

    def weigh() -> Weights:
        result = balance_rake(
            frame,
            start,
            population,
            pd.Series(counts),
            transformations=None,
            convergence_rate=MET,
            max_iteration=2000,
            rate_tolerance=0.0,
        )
        return result["weight"].to_numpy()

    return weigh


RIVALS = {
    "rimpy": rimpy_rake,
    "balance": balance_rake,
    "weightipy": weightipy_rake,
    "leafblower": leafblower_rake,
    "svy": svy_rake,
    "samplics": samplics_rake,
}


def time_r(panel: Panel) -> tuple[float, float]:
    """Return the seconds of R survey's rake, and its largest miss."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for column, codes in panel.codes.items():
            codes.astype(np.int32).tofile(folder / column)
            np.array([*panel.shares[column].values()]).tofile(folder / f"{column}.share")
        script = str(Path(__file__).with_suffix(".R"))
        arguments = ["Rscript", script, name, str(len(panel.start)), str(MET / 2)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
        weight = np.fromfile(folder / "weight")
    return float(done.stdout.split()[-1]), panel.miss(weight)


# -- tables --------------------------------------------------------------------------------------


def quietly(weigh: Weigh) -> Weigh:
    """Return the work without its warnings and printed lines."""

    def work() -> Weights:
        with warnings.catch_warnings(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore")
            return np.asarray(weigh(), dtype=np.float64)

    return work


def compare(title: str, works: Mapping[str, Weigh], miss: Callable[[Weights], float]) -> None:
    """Time works in turns and print a table; the first is ours."""
    quiet: dict[str, Work] = {name: quietly(work) for name, work in works.items()}
    missed = {name: miss(work()) for name, work in quiet.items()}  # type: ignore[arg-type]
    show_times(title, medians(quiet), missed)


def show_times(title: str, found: Mapping[str, float], missed: Mapping[str, float]) -> None:
    """Print seconds beside those of the first."""
    own = next(iter(found.values()))
    rows = (
        (name, number(time), number(time / own), f"{missed[name]:.0e}")
        for name, time in found.items()
    )
    show_table(title, ("", "seconds", "ratio", "largest miss"), rows)


def installed(names: Mapping[str, Callable[[Panel], Weigh]], panel: Panel) -> dict[str, Weigh]:
    """Return the rivals that are installed, made ready."""
    return {name: make(panel) for name, make in names.items() if find_spec(name)}


def codes_table(panel: Panel) -> None:
    """Category codes, and the same out of answers."""
    responses = panel.responses()
    works: dict[str, Weigh] = {
        "sotongindex, arrays": lambda: rake(panel.codes, panel.shares).weight,
        "sotongindex, answers": lambda: rake(responses, panel.shares).weight,
        **installed(RIVALS, panel),
    }
    title = f"Raking {len(panel.start):,} respondents to 4 margins, from category codes"
    compare(title, works, panel.miss)
    if shutil.which("Rscript"):
        own: dict[str, Work] = {"sotongindex, arrays": works["sotongindex, arrays"]}
        missed = {name: panel.miss(works[name]()) for name in own}
        time, missed["R survey"] = time_r(panel)
        show_times(title, medians(own) | {"R survey": time}, missed)


def labels_table(panel: Panel) -> None:
    """Text in the columns of several kinds of frames."""
    import pandas as pd
    import polars as pl

    columns, shares = panel.labels()
    text = pl.DataFrame({name: pl.Series(values) for name, values in columns.items()})
    enums = {name: pl.Enum(list(table)) for name, table in shares.items()}
    frames = {
        "polars String": text,
        "polars Enum": text.with_columns([pl.col(n).cast(kind) for n, kind in enums.items()]),
        "pandas str": pd.DataFrame(columns).astype("str"),
        "pandas category": pd.DataFrame(
            {n: pd.Categorical(values, categories=list(shares[n])) for n, values in columns.items()}
        ),
    }
    for kind, frame in frames.items():
        works: dict[str, Weigh] = {"sotongindex": partial(_labelled, frame, shares)}
        if find_spec("rimpy"):
            works["rimpy"] = partial(_rimpy_labelled, frame, shares)
        compare(f"The same from {kind}", works, panel.miss)


def _labelled(frame: Any, shares: Any) -> Weights:
    return rake(frame, shares).weight


def _rimpy_labelled(frame: Any, shares: Any) -> Weights:
    import rimpy

    return np.asarray(rimpy.rake(frame, shares, convergence_threshold=MET / 2)["weight"])


def bounded_table(panel: Panel) -> None:
    """Ratios within bounds."""
    works: dict[str, Weigh] = {
        f"sotongindex, {distance}": partial(_bounded, panel, distance)
        for distance in ("logit", "raking", "linear")
    }
    if find_spec("leafblower"):
        works |= {
            f"leafblower, {method}": _leafblower(panel, method, BOUNDS)
            for method in ("logit", "raking")
        }
    title = f"Ratios within {BOUNDS}, {len(panel.start):,} respondents"
    compare(title, works, panel.miss)


def _bounded(panel: Panel, distance: Any) -> Weights:
    return calibrate(panel.codes, panel.shares, distance=distance, ratio_bounds=BOUNDS).weight


def groups_table(panel: Panel, groups: int) -> None:
    """Every group raked for itself, all with the same margins."""
    group = np.random.default_rng(1).integers(groups, size=len(panel.start))
    frame = {**panel.codes, "group": group}
    works: dict[str, Weigh] = {
        "sotongindex": lambda: rake(frame, panel.shares, by="group", empty="redistribute").weight
    }
    if find_spec("rimpy"):
        import polars as pl

        works["rimpy"] = partial(_rimpy_groups, pl.DataFrame(frame), panel.shares)

    def miss(weight: Weights) -> float:
        total = np.bincount(group, weight)
        return max(
            float(np.abs(np.bincount(group, weight * (codes == k)) / total - share).max())
            for name, codes in panel.codes.items()
            for k, share in panel.shares[name].items()
        )

    compare(f"{groups} groups, {len(panel.start):,} respondents", works, miss)


def _rimpy_groups(frame: Any, shares: Any) -> Weights:
    import rimpy

    raked = rimpy.rake_by(frame, shares, by="group", convergence_threshold=MET / 2)
    return raked["weight"].to_numpy()


def replicates_table(panel: Panel) -> None:
    """Bootstrap weights, raked again."""
    rng, rows = np.random.default_rng(3), len(panel.start)
    record = rake(panel.codes, panel.shares, weight=panel.start).calibration
    assert record is not None
    replicates = np.empty((rows, REPLICATES))
    for column in replicates.T:
        column[:] = panel.start * np.bincount(rng.integers(rows, size=rows), minlength=rows)
    works: dict[str, Weigh] = {
        "sotongindex, ratios": lambda: record.again(replicates),
        "sotongindex, weights": lambda: replicates * record.again(replicates)[record.cell],
    }
    missed = {name: panel.miss(works["sotongindex, weights"]()[:, 7]) for name in works}
    if find_spec("svy"):
        import polars as pl
        import svy

        columns = {f"r{k + 1}": replicates[:, k] for k in range(REPLICATES)}
        frame = pl.DataFrame({**panel.codes, "start": panel.start, **columns})

        def again() -> Any:
            design = svy.Design(
                wgt="start", rep_wgts=svy.BootstrapWgts(prefix="r", n_reps=REPLICATES, wgt="start")
            )
            sample = svy.Sample(data=frame, design=design)
            return sample.weighting.rake(
                shares=panel.shares, tol=MET, max_iter=2000, wgt_name="new"
            ).data

        works["svy"] = again
        missed["svy"] = panel.miss(again()["new7"].to_numpy())
    title = f"{REPLICATES} replicates of {rows:,} respondents, raked again"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        show_times(title, medians(works, runs=3), missed)


def tables(respondents: int) -> Iterator[Callable[[], None]]:
    """Yield the tables that can be asked for."""
    panel = Panel.make(respondents)
    yield partial(codes_table, panel)
    yield partial(labels_table, panel)
    yield partial(bounded_table, panel)
    yield partial(groups_table, panel, 200)
    yield lambda: replicates_table(Panel.make(respondents // 10))


def main() -> None:
    """Print all tables, or those whose numbers are given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--respondents", type=int, default=1_000_000)
    parser.add_argument("tables", nargs="*", type=int, help="1 to 5: which tables; default all")
    asked = parser.parse_args()
    for place, table in enumerate(tables(asked.respondents), 1):
        if not asked.tables or place in asked.tables:
            table()


if __name__ == "__main__":
    main()
