"""Ranks and shrinkage against csranks, exact probabilities, and R's sae."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sotongindex.ranking import posterior_ranks, rank_confidence_sets, tau_best, tau_worst
from sotongindex.shrinkage import shrink

SETS: dict[str, dict[str, Any]] = {
    "simul_stepdown": {"simultaneous": True},
    "marg_stepdown": {},
    "simul_singlestep": {"simultaneous": True, "stepdown": False},
    "marg_singlestep": {"stepdown": False},
    "simul_lower": {"simultaneous": True, "side": "lower"},
    "simul_upper": {"simultaneous": True, "side": "upper"},
}


def read(path: Path) -> dict[str, list[str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def numbers(column: list[str]) -> np.ndarray:
    return np.array(column, dtype=float)


@pytest.fixture(scope="module")
def csranks(shared: Path) -> dict[str, list[str]]:
    return read(shared / "reference" / "ranks" / "csranks_small8.csv")


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("seed", [1, 2])
def test_sets_are_those_of_csranks(csranks: dict[str, list[str]], name: str, seed: int) -> None:
    values, errors = numbers(csranks["theta"]), numbers(csranks["se"])
    # Some ratios are 0.02 from the critical value, which 1,000 draws find to 0.05.
    sets = rank_confidence_sets(values, errors, rng=seed, draws=200_000, **SETS[name])
    stable = np.array(csranks[f"{name}_stable"]) == "TRUE"
    assert stable.any()
    np.testing.assert_array_equal(sets.rank, numbers(csranks["rank"]))
    np.testing.assert_array_equal(sets.low[stable], numbers(csranks[f"{name}_L"])[stable])
    np.testing.assert_array_equal(sets.high[stable], numbers(csranks[f"{name}_U"])[stable])


@pytest.mark.parametrize("tau", [1, 3, 5])
@pytest.mark.parametrize(("function", "name"), [(tau_best, "taubest"), (tau_worst, "tauworst")])
def test_the_best_and_worst_are_those_of_csranks(
    csranks: dict[str, list[str]], function: Any, name: str, tau: int
) -> None:
    values, errors = numbers(csranks["theta"]), numbers(csranks["se"])
    found = function(values, errors, tau=tau, rng=1, draws=20_000)
    stable = np.array(csranks[f"{name}_{tau}_stable"]) == "TRUE"
    assert stable.any()
    np.testing.assert_array_equal(found[stable], numbers(csranks[f"{name}_{tau}"])[stable] == 1)


@pytest.mark.parametrize(("prior", "label"), [("flat", "flat"), ("normal", "PM")])
def test_probabilities_are_the_exact_ones(shared: Path, prior: Any, label: str) -> None:
    scores = read(shared / "reference" / "ranks" / "csranks_small8.csv")
    table = read(shared / "reference" / "ranks" / "posterior_ranks_small8.csv")
    rows = np.array(table["prior"]) == label
    expected = {name: np.array(column)[rows] for name, column in table.items()}
    found = posterior_ranks(numbers(scores["theta"]), numbers(scores["se"]), prior=prior)
    for rank in range(8):
        exact = numbers(expected[f"p_rank{rank + 1}"])
        np.testing.assert_allclose(found.probability[:, rank], exact, atol=1e-6)
    for name, values in (
        ("expected_rank", found.expected_rank),
        ("p_best", found.probability_top(1)),
        ("p_top3", found.probability_top(3)),
        ("p_bottom2", found.probability_bottom(2)),
        ("post_mean", found.mean),
        ("post_sd", found.error),
    ):
        np.testing.assert_allclose(values, numbers(expected[name]), atol=1e-6)
    if prior == "normal":
        assert found.between_variance == pytest.approx(float(expected["tau2"][0]), abs=1e-6)


@pytest.mark.parametrize(
    ("method", "label"), [("reml", "REML"), ("ml", "ML"), ("paule-mandel", "FH")]
)
@pytest.mark.parametrize("covariate", [True, False])
def test_shrinkage_is_that_of_sae(shared: Path, method: Any, label: str, covariate: bool) -> None:
    milk = read(shared / "reference" / "ranks" / "fay_herriot_milk.csv")
    found = shrink(
        numbers(milk["yi"]),
        np.sqrt(numbers(milk["V"])),
        groups=milk["MajorArea"] if covariate else None,
        method=method,
    )
    suffix = "" if covariate else "0"
    for name, values in (
        ("A", found.between_variance),
        ("eblup", found.values),
        ("mse", found.mean_squared_error),
    ):
        expected = numbers(milk[f"{name}{suffix}_{label}"])
        np.testing.assert_allclose(np.broadcast_to(values, expected.shape), expected, atol=1e-6)
    if not covariate:
        np.testing.assert_allclose(found.toward, numbers(milk[f"mu0_{label}"]), atol=1e-6)
