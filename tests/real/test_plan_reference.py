"""Plans of five dimensions against the project's reference results, column by column."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from sotongindex.planning import best_use, least_effort


def test_every_plan_of_the_reference(shared: Path) -> None:
    with (shared / "reference" / "plans" / "improvement_plan_golden.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    column = {
        name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != "name"
    }
    weight, cost, room = column["weight"], column["cost"], column["cap"]
    gain = 75 - weight @ column["score"]
    found = {
        "single_lever": gain / weight,
        "uniform": least_effort(weight, room, gain, strategy="uniform"),
        "min_norm": least_effort(weight, 100.0, gain),
        "quad_cost_capped": least_effort(weight, room, gain, costs=cost),
        "quad_unit_capped": least_effort(weight, room, gain),
        "linear_cost_capped": least_effort(weight, room, gain, strategy="cheapest", costs=cost),
        "budget20_max_uplift": best_use(weight, room, 20.0, costs=cost),
        "potential_uplift_to_frontier": weight * least_effort(weight, room, 99.0),
    }
    for name, rises in found.items():
        np.testing.assert_allclose(rises, column[name], rtol=0, atol=1e-9, err_msg=name)
