"""The check of real answers finds what is known to be wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.csv
import pytest

from sotongindex.checks import CheckReport, Finding
from sotongindex.models import (
    Channel,
    Dimension,
    Framework,
    Organization,
    Scale,
    Study,
    SurveyItem,
)
from sotongindex.responses import Responses, check_responses

ITEMS = (
    "comfort", "cleanliness", "bar_beverages", "catering", "washrooms", "wifi_connectivity",
    "staff_service", "seat_legroom", "seat_recline", "seat_width", "aisle_space", "viewing_tv",
    "power_supply", "seat_storage",
)  # fmt: skip
ZEROS = {
    "comfort": 8, "cleanliness": 8, "bar_beverages": 19, "catering": 29, "washrooms": 110,
    "wifi_connectivity": 128, "staff_service": 24, "viewing_tv": 44,
}  # fmt: skip
READERS: dict[str, Callable[[Path], Any]] = {
    "pandas": pd.read_csv,
    "polars": pl.read_csv,
    "pyarrow": pyarrow.csv.read_csv,
}


@pytest.fixture(params=READERS)
def frame(request: pytest.FixtureRequest, shared: Path) -> Any:
    return READERS[request.param](shared / "data" / "airline_reviews.csv")


@pytest.fixture(scope="module")
def airlines(shared: Path) -> list[str]:
    return sorted(pd.read_csv(shared / "data" / "airline_reviews.csv")["organization"].unique())


def make_study(airlines: list[str], *, missing: tuple[float, ...], overall: bool) -> Study:
    scale = Scale(low=1, high=5, missing=missing)
    items = [SurveyItem(key=key, dimension="quality", scale=scale) for key in ITEMS]
    if overall:
        ten = Scale(low=1, high=10)
        items.append(SurveyItem(key="overall", dimension="quality", scale=ten))
    framework = Framework(
        key="airlines",
        version="1",
        channels=[Channel(key="lounge"), Channel(key="seat")],
        dimensions=[Dimension(key="quality")],
        items=items,
    )
    organizations = [Organization(key=key) for key in airlines]
    return Study(key="airlines", framework=framework, organizations=organizations)


def found(report: CheckReport, code: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == code]


def test_a_naive_study_meets_every_known_fault(frame: Any, airlines: list[str]) -> None:
    study = make_study(airlines, missing=(), overall=True)
    report = check_responses(frame, study, date="date")
    assert (report.rows, report.respondents, report.organizations) == (3522, 2696, 122)

    zeros = found(report, "out_of_range")
    assert {finding.column: finding.count for finding in zeros} == ZEROS
    assert {finding.values for finding in zeros} == {(0,)}
    assert all("declare 0 in Scale.missing" in finding.message for finding in zeros)

    (duplicates,) = found(report, "duplicate_evaluation")
    assert duplicates.count == 260
    assert "640 rows" in duplicates.message
    assert set(report.errors) == {*zeros, duplicates}

    (epoch,) = found(report, "epoch_date")
    assert epoch.count == 26
    (mixed,) = found(report, "suspect_scale")
    assert (mixed.item, mixed.channel, mixed.count) == ("overall", "lounge", 67)
    sparse = {
        (finding.item, finding.channel): finding.count for finding in found(report, "sparse_item")
    }
    assert sparse == {("power_supply", "seat"): 62, ("seat_storage", "seat"): 113}
    assert [finding.count for finding in found(report, "few_respondents")] == [69, 26]
    assert len(found(report, "empty_item")) == 14


def test_with_zeros_declared_the_answers_are_read(frame: Any, airlines: list[str]) -> None:
    study = make_study(airlines, missing=(0,), overall=False)
    responses = Responses.from_frame(
        frame, study, date="date", keep=("country", "segment"), duplicates="keep"
    )
    assert responses.answers.shape == (3522, 14)
    assert responses.answers.dtype == np.int8
    assert len(responses.respondent_keys) == 2696
    given = responses.answers != responses.missing
    assert given.sum() == responses.report.answers == 21_860
    assert {f.item: f.count for f in found(responses.report, "missing_code")} == ZEROS
    assert responses.answers[given].min() == 1
    assert responses.answers[given].max() == 5
    assert np.count_nonzero(responses.kept["country"] == "") == 489
    assert np.count_nonzero(responses.kept["segment"] == "") == 306


def test_the_means_are_those_of_the_file(shared: Path, airlines: list[str]) -> None:
    frame = pd.read_csv(shared / "data" / "airline_reviews.csv")
    study = make_study(airlines, missing=(0,), overall=False)
    responses = Responses.from_frame(frame, study, duplicates="keep")
    answers = np.where(responses.answers == responses.missing, np.nan, responses.answers)
    expected = frame[list(ITEMS)].replace(0, np.nan)
    np.testing.assert_array_equal(answers, expected.to_numpy())


def test_the_last_of_each_duplicate_can_be_used(frame: Any, airlines: list[str]) -> None:
    study = make_study(airlines, missing=(0,), overall=False)
    responses = Responses.from_frame(frame, study, duplicates="last")
    assert len(responses) == 3522 - 380
    assert len(responses.respondent_keys) == 2696
