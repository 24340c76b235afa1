"""Funnel limits and adjusted p-values beside those of other software."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from sotongindex.differences import adjust_p_values, funnel_limits


def columns(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != "org"}


def test_the_published_funnel(shared: Path) -> None:
    known = columns(shared / "reference" / "ranks" / "funnel_overdispersion_mean.csv")
    funnel = funnel_limits(known["score"], known["se"])
    assert funnel.target == pytest.approx(known["target"][0], abs=1e-9)
    assert funnel.dispersion == pytest.approx(known["phi"][0], abs=1e-9)
    assert funnel.between_variance == pytest.approx(known["tau2"][0], abs=1e-9)
    np.testing.assert_allclose(funnel.z, known["uz"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(funnel.adjusted_z, known["z_od"], rtol=0, atol=1e-9)
    limits = known["target"] + 3.090232306167813 * np.sqrt(known["se"] ** 2 + known["tau2"])
    np.testing.assert_allclose(funnel.upper[1], limits, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("method", "column"),
    [
        ("bonferroni", "bonferroni"),
        ("holm", "holm"),
        ("benjamini-hochberg", "BH"),
        ("benjamini-yekutieli", "BY"),
    ],
)
def test_adjusted_p_values(shared: Path, method: str, column: str) -> None:
    known = columns(shared / "reference" / "change" / "p_adjust_bh1995.csv")
    found = adjust_p_values(known["p"], method=method)
    np.testing.assert_allclose(found, known[column], rtol=0, atol=1e-9)
