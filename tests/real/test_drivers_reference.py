"""Relative importance against R's relaimpo, and drivers in real answers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import pytest
from support import small_study

from sotongindex.drivers import (
    find_drivers,
    relative_weights,
    shapley_importance,
    standardized_slopes,
    weighted_correlations,
)
from sotongindex.models import Scale, SurveyItem
from sotongindex.recipe import load_recipe
from sotongindex.responses import Responses

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def read(path: Path) -> dict[str, list[str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def numbers(column: list[str]) -> np.ndarray:
    return np.array(column, dtype=float)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (shapley_importance, "lmg"),
        (relative_weights, "genizi"),
        (relative_weights, "johnson_rw"),
        (standardized_slopes, "std_beta"),
        (lambda among, outcome: standardized_slopes(among, outcome) ** 2, "betasq"),
        (lambda among, outcome: standardized_slopes(among, outcome) * outcome, "pratt"),
        (lambda among, outcome: outcome, "r_xy"),
    ],
)
def test_swiss_fertility_is_that_of_relaimpo(
    shared: Path, function: Callable[..., np.ndarray], name: str
) -> None:
    swiss = read(shared / "reference" / "importance" / "swiss.csv")
    expected = read(shared / "reference" / "importance" / "swiss_relative_importance.csv")
    columns = [*expected["variable"], "Fertility"]
    matrix = weighted_correlations(np.column_stack([numbers(swiss[key]) for key in columns]))
    found = function(matrix[:-1, :-1], matrix[:-1, -1])
    np.testing.assert_allclose(found, numbers(expected[name]), rtol=0, atol=1e-12)


def test_azen_and_budescu_to_every_digit(shared: Path) -> None:
    folder = shared / "reference" / "importance"
    table = read(folder / "azen_budescu2003_cor.csv")
    expected = read(folder / "azen_budescu2003_importance.csv")
    names = ["y", *expected["variable"]]
    matrix = np.column_stack([numbers(table[name]) for name in names])
    among, outcome = matrix[1:, 1:], matrix[0, 1:]
    for function, name in (
        (shapley_importance, "lmg"),
        (relative_weights, "johnson_rw"),
        (standardized_slopes, "std_beta"),
    ):
        np.testing.assert_allclose(function(among, outcome), numbers(expected[name]), atol=1e-12)
    levels = read(folder / "azen_budescu2003_levels.csv")
    overall = [float(levels[name][levels["level"].index("NA")]) for name in expected["variable"]]
    np.testing.assert_allclose(shapley_importance(among, outcome), overall, atol=1e-12)


@pytest.fixture(scope="module")
def airlines(shared: Path) -> Responses:
    recipe = load_recipe(EXAMPLES / "airlines" / "study.json")
    layout = attrs.evolve(recipe.layout, keep=("recommended",))
    table = read(shared / "data" / "airline_reviews.csv")
    numbered = {**table, "recommended": numbers(table["recommended"])}
    return Responses.read(numbered, recipe.study, layout)


@pytest.mark.parametrize(
    ("channel", "first", "last"), [("lounge", "catering", "connectivity"),
                                   ("seat", "room", "entertainment")]
)  # fmt: skip
def test_what_goes_with_recommending_an_airline(
    airlines: Responses, channel: str, first: str, last: str
) -> None:
    for method in ("johnson", "shapley"):
        found = find_drivers(airlines, "recommended", channel=channel, method=method)
        order = np.argsort(-found.importance.values)
        assert (found.drivers[order[0]], found.drivers[order[-1]]) == (first, last)
        # Shares of one R squared, by either method; every slope is far from 0.
        table = found.to_rows()
        assert sum(row["share"] for row in table) == pytest.approx(1.0)
        assert (found.adjusted_p < 0.01).all()


def test_an_outcome_by_hand(airlines: Responses) -> None:
    # The seat's items without a gap, straight from the answers.
    items = ["seat_legroom", "seat_width", "aisle_space", "seat_recline", "viewing_tv"]
    at = [airlines.study.framework.item_keys.index(key) for key in items]
    seat = airlines.channel == airlines.study.framework.channel_keys.index("seat")
    answers = airlines.answers[seat][:, at].astype(float)
    complete = ((answers >= 1) & (answers <= 5)).all(axis=1)
    outcome = airlines.kept["recommended"][seat][complete]
    matrix = np.corrcoef(np.column_stack([answers[complete], outcome]).T)
    found = find_drivers(airlines, "recommended", channel="seat", by="items", drivers=items)
    assert found.used == complete.sum()
    np.testing.assert_allclose(
        found.importance.values, relative_weights(matrix[:-1, :-1], matrix[:-1, -1]), atol=1e-12
    )


def test_satisfaction_with_mobile_phones(shared: Path) -> None:
    table = read(shared / "data" / "ecsi_mobi.csv")
    blocks = {"image": "IMAG", "quality": "PERQ", "value": "PERV", "satisfaction": "CUSA"}
    items = [
        SurveyItem(key=column, dimension=block, scale=Scale(low=1, high=10))
        for column in table
        for block, start in blocks.items()
        if column.startswith(start)
    ]
    study = small_study(["a"], items=items)
    answers = np.array([numbers(table[item.key]) for item in items]).T
    responses = Responses.from_arrays(
        study, answers=answers, organization=np.zeros(len(answers), dtype=int)
    )
    found = find_drivers(
        responses, "CUSA1", drivers=["image", "quality", "value"], method="shapley"
    )
    assert (found.used, found.considered) == (250, 250)
    by_block = [
        np.mean([numbers(table[i.key]) for i in items if i.dimension == block], axis=0)
        for block in ("image", "quality", "value")
    ]
    matrix = np.corrcoef([*by_block, numbers(table["CUSA1"])])
    np.testing.assert_allclose(
        found.importance.values, shapley_importance(matrix[:-1, :-1], matrix[:-1, -1]), atol=1e-12
    )
    assert found.drivers[int(found.importance.values.argmax())] == "quality"
