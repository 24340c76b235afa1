"""An index in three levels, its method varied, and Sobol indices; beside loops and SALib."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import partial

import numpy as np
from timing import Work, allocated, medians, number, show_table

from sotongindex.aggregation import Hierarchy, aggregate_cells, aggregate_items
from sotongindex.benchmark import DisclosureRules
from sotongindex.index import IndexResult, compute_index
from sotongindex.models import Channel, Dimension, Framework, Organization, Study, SurveyItem
from sotongindex.responses import Responses
from sotongindex.robustness import (
    AnyWeights,
    DropOne,
    MethodOptions,
    Sampling,
    WeightSpread,
    assess_robustness,
)
from sotongindex.weighting import ImportanceWeights

RUNS = 500
POWERS = MethodOptions(field="power", options=(1.0, 0.5))
METHOD = (WeightSpread(level="dimensions"), WeightSpread(level="items"), POWERS)
SOBOL = (AnyWeights(level="dimensions"), DropOne(level="items"), POWERS, Sampling())
OPEN = DisclosureRules(min_respondents_compare=1)
# What must not be exceeded, in seconds, where a 2,000 x 2,000 product takes 0.35 s.
BARS = {"index": 0.35, "method 1,000": 0.5, "method 10,000": 3.0, "Sobol": 5.0}


def answered(organizations: int, *, items: int, dimensions: int, each: int) -> IndexResult:
    """Return an index of `each` respondents an organization, who answer all of the items."""
    study = Study(
        key="bench",
        framework=Framework(
            key="bench",
            version="1",
            channels=[Channel(key="blog")],
            dimensions=[Dimension(key=f"d{place}") for place in range(dimensions)],
            items=[
                SurveyItem(key=f"q{place}", dimension=f"d{place % dimensions}")
                for place in range(items)
            ],
        ),
        organizations=[Organization(key=f"o{place}") for place in range(organizations)],
    )
    rows = organizations * each
    keys = np.array(study.organization_keys)
    rng = np.random.default_rng(20261125)
    return compute_index(
        Responses.from_arrays(
            study,
            respondent=np.arange(rows),
            organization=np.repeat(keys, each),
            channel=np.full(rows, "blog"),
            answers=rng.integers(1, 8, (rows, items)).astype(float),
        )
    )


def climbed(
    scores: np.ndarray, weights: ImportanceWeights, dimension_of: np.ndarray, power: float = 1.0
) -> Hierarchy:
    """Return every level above items (o, c, i)."""
    cells, gradient = aggregate_items(scores, weights, item_dimensions=dimension_of, power=power)
    return aggregate_cells(
        cells,
        weights,
        operated=np.ones(scores.shape[:2], dtype=bool),
        powers=(power, power),
        cell_by_item=gradient,
    )


def loop(result: IndexResult) -> np.ndarray:
    """Vary the method as a loop over the house's own functions does, one run after another."""
    rng = np.random.default_rng(1)
    weights = result.scheme.resolve(result.study.framework)
    dimension_of = np.array(result.study.framework.item_dimensions)
    scores = []
    for _ in range(RUNS):
        varied = ImportanceWeights(
            channels=weights.channels,
            dimensions=weights.dimensions * rng.uniform(0.75, 1.25, weights.dimensions.shape),
            items=weights.items * rng.uniform(0.75, 1.25, weights.items.shape),
        )
        power = rng.choice([1.0, 0.5])
        scores.append(climbed(result.items.values, varied, dimension_of, power).index)
    return np.argsort(np.argsort(-np.array(scores), axis=1), axis=1)


def index_works() -> dict[str, Work]:
    """Return the index of 100,000 organizations x 40 items in three levels."""
    scores = np.random.default_rng(0).uniform(20, 80, (100_000, 1, 40))
    weights = ImportanceWeights(
        channels=np.ones(1), dimensions=np.full((1, 8), 1 / 8), items=np.full((1, 40), 1 / 5)
    )
    return {"index": partial(climbed, scores, weights, np.arange(40) % 8)}


def method_works() -> dict[str, Work]:
    """Return 500 runs of an analysis of the method, and a loop."""
    found: dict[str, Work] = {}
    for size in (1_000, 10_000):
        result = answered(size, items=40, dimensions=8, each=30 if size == 1_000 else 2)
        settings = {"runs": RUNS, "sensitivity": False, "rng": 1, "rules": OPEN}
        found[f"method {size:,}"] = partial(assess_robustness, result, METHOD, **settings)
        if size == 1_000:
            found["loop 1,000"] = partial(loop, result)
            both = (*METHOD, Sampling())
            found["method and sampling 1,000"] = partial(
                assess_robustness, result, both, **settings
            )
    return found


def sobol_works() -> dict[str, Work]:
    """Return 3,000 runs on 51 organizations x 49 items, and SALib on their outputs."""
    result = answered(51, items=49, dimensions=7, each=30)
    found: dict[str, Work] = {
        "Sobol": partial(assess_robustness, result, SOBOL, runs=RUNS, rng=1),
    }
    if importlib.util.find_spec("SALib") is not None:
        found["SALib, indices only"] = partial(salib_indices, result)
    return found


def salib_indices(result: IndexResult) -> list[object]:
    """Let SALib find the indices of every organization from outputs of the same number of runs."""
    from SALib.analyze import sobol

    size = len(result.organizations)
    outputs = np.random.default_rng(1).normal(size=(RUNS * (len(SOBOL) + 2), size))
    problem = {"num_vars": len(SOBOL), "names": [choice.key for choice in SOBOL]}
    problem["bounds"] = [[0, 1]] * len(SOBOL)
    settings = {"calc_second_order": False, "num_resamples": 200}
    return [sobol.analyze(problem, column, **settings) for column in outputs.T]


def rows() -> Iterator[tuple[str, ...]]:
    """Time every work."""
    for make, runs in ((index_works, 5), (method_works, 3), (sobol_works, 3)):
        works = make()
        found = medians(works, runs=runs)
        for name, work in works.items():
            bar = BARS.get(name)
            yield (
                name, number(found[name]), "" if bar is None else number(bar),
                number(allocated(work) / 2**20),
            )  # fmt: skip


def main() -> None:
    """Print the table."""
    show_table("Robustness", ("", "seconds", "bar", "MB"), rows())


if __name__ == "__main__":
    main()
