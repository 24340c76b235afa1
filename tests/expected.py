"""Expected values that R's survey package computed: tests/golden/survey."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "golden" / "survey"
NUMBERS = ("population_size", "weight", "age_years", "q1", "q2", "q3")


def survey_rows(name: str) -> dict[str, NDArray[Any]]:
    """Read the columns of a file such as "sample.csv"; a missing answer is NaN."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        key: np.array([float(row[key] or "nan") if key in NUMBERS else row[key] for row in rows])
        for key in rows[0]
    }


def survey_values(name: str) -> dict[str, Any]:
    """Read the values of a theme such as "linearization"."""
    values: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return values
