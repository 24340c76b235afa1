"""Alpha of the answers of 250 customers against R, and the Handbook's tables from their files."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from support import answered, small_study

from sotongindex.models import Scale, SurveyItem
from sotongindex.reliability import cronbach_alpha, tally_alpha
from sotongindex.tally import Tally
from sotongindex.weighting import FactorWeights

BLOCKS = {
    "Image": "IMAG",
    "Expectation": "CUEX",
    "Quality": "PERQ",
    "Value": "PERV",
    "Satisfaction": "CUSA",
    "Loyalty": "CUSL",
}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("block", BLOCKS)
def test_alpha_of_every_block(shared: Path, block: str) -> None:
    answers = read(shared / "data" / "ecsi_mobi.csv")
    columns = [name for name in answers[0] if name.startswith(BLOCKS[block])]
    scores = np.array([[float(row[name]) for name in columns] for row in answers])
    (expected,) = [
        row for row in read(shared / "data" / "ecsi_mobi_reliability.csv") if row["block"] == block
    ]
    assert cronbach_alpha(scores).alpha == pytest.approx(float(expected["alpha_raw"]), rel=1e-12)
    assert cronbach_alpha(scores, standardized=True).alpha == pytest.approx(
        float(expected["alpha_std"]), rel=1e-12
    )


def test_the_handbook_from_its_files(shared: Path) -> None:
    folder = shared / "reference" / "composite"
    rows = read(folder / "tai_raw_23.csv")
    scores = np.array([[float(value) for value in list(row.values())[2:]] for row in rows])
    table = {row.pop("method"): row for row in read(folder / "tai_weights_table22.csv")}
    printed = [float(value) for value in table["FA"].values()]
    weights = FactorWeights(retain="share").learn(scores).weights
    np.testing.assert_allclose(weights, printed, atol=0.012)
    found = cronbach_alpha(scores, standardized=True)
    *items, whole = read(folder / "tai_cronbach_table11.csv")
    assert found.alpha == pytest.approx(float(whole["alpha_if_deleted"]), abs=0.005)
    np.testing.assert_allclose(
        found.if_dropped, [float(row["alpha_if_deleted"]) for row in items], atol=0.0015
    )


@pytest.mark.parametrize("block", BLOCKS)
def test_alpha_of_every_block_from_a_tally(shared: Path, block: str) -> None:
    answers = read(shared / "data" / "ecsi_mobi.csv")
    columns = [name for name in answers[0] if name.startswith(BLOCKS[block])]
    study = small_study(
        ["mobile"],
        items=[
            SurveyItem(key=name, dimension="block", scale=Scale(low=1, high=10)) for name in columns
        ],
    )
    rows = [
        (number, "mobile", "blog", *(float(row[name]) for name in columns))
        for number, row in enumerate(answers)
    ]
    tally = Tally.from_responses(answered(study, rows), moments=True)
    (expected,) = [
        row for row in read(shared / "data" / "ecsi_mobi_reliability.csv") if row["block"] == block
    ]
    assert tally_alpha(tally).alpha == pytest.approx(float(expected["alpha_raw"]), rel=1e-11)
