"""Benefit of the doubt against R's Compind and the Handbook's Technology Achievement Index."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from sotongindex.weighting import ShareLimits, benefit_of_the_doubt


def table(path: Path, first: int = 0) -> np.ndarray:
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([row[first:] for row in rows], dtype=float)


@pytest.mark.parametrize(
    ("column", "limits"), [(0, None), (1, ShareLimits(low=0.05, high=0.30))], ids=["free", "limits"]
)
def test_scores_are_those_of_compind(shared: Path, column: int, limits: ShareLimits | None) -> None:
    folder = shared / "reference" / "composite"
    result = benefit_of_the_doubt(table(folder / "bodY_200.csv"), limits=limits)
    assert np.abs(result.scores - table(folder / "bodR_200.csv")[:, column]).max() < 1e-9


def test_technology_achievement_within_the_rounding_of_its_tables(shared: Path) -> None:
    """The Handbook scales from 0 to 1 and lets a weight be 10 to 15 % of all weights.

    Its scores have two decimals, and so have the logarithms in the published data: a score may be
    off by half of the last digit, and by what half of the last digit of the logarithms makes.
    """
    folder = shared / "reference" / "composite"
    raw = table(folder / "tai_raw_23.csv", first=2)
    published = table(folder / "tai_bod_table19.csv", first=9)[:, 0]
    spread = raw.max(axis=0) - raw.min(axis=0)
    scaled = (raw - raw.min(axis=0)) / spread
    result = benefit_of_the_doubt(scaled, limits=ShareLimits(low=0.10, high=0.15, of="weight"))
    half_digit = np.array([0.5, 0.05, 0.05, 0.05, 0.005, 0.005, 0.05, 0.05]) / spread
    room = np.abs(result.jacobian) @ np.tile(half_digit, len(raw))
    assert (np.abs(result.scores - published) <= 0.005 + room).all()
    assert np.abs(result.scores - published).max() < 0.008
    weights = result.weights / result.weights.sum(axis=1, keepdims=True)
    assert 0.10 - 1e-9 <= weights.min() < weights.max() <= 0.15 + 1e-9
