"""Percentile bands of published hospital scores, by ownership.

No standard errors are published. For quietness, a single question, the published shares of answers
give one: the points of the boxes are 100, 66.7 and, for the two lowest answers together, 16.7.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from support import small_study

from sotongindex.bands import BandResult, PercentileRule, percentile_bands
from sotongindex.models import Organization
from sotongindex.results import IndexResult

STARS = {"5": 80, "4": 60, "3": 30, "2": 15, "1": 0}
SECTORS = ("nonprofit", "for-profit", "government")


@pytest.fixture(scope="module")
def hospitals(shared: Path) -> IndexResult:
    with (shared / "data" / "hcahps_hospitals.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    boxes = np.array(
        [[float(row[f"h_quiet_{box}"]) for box in ("top", "mid", "bot")] for row in rows]
    )
    share = boxes / boxes.sum(axis=1, keepdims=True)
    points = np.array([100, 200 / 3, 50 / 3])
    variance = share @ points**2 - (share @ points) ** 2
    surveys = np.array([float(row["n_completed"]) for row in rows])
    keys = [row["facility_id"] for row in rows]
    study = small_study(
        [
            Organization(key=key, sector=row["sector"] or None)
            for key, row in zip(keys, rows, strict=True)
        ]
    )
    frame = {
        "organization": keys,
        "d1": np.array([float(row["h_quiet_linear"]) for row in rows]),
        "error": np.sqrt(variance / surveys),
        "n": surveys,
    }
    return IndexResult.from_scores(frame, study, standard_errors={"d1": "error"}, respondents="n")


def bands(result: IndexResult, **options: object) -> BandResult:
    rule = PercentileRule(bands=STARS, **options)  # type: ignore[arg-type]
    return percentile_bands(result, rule, "sector", draws=200)


def test_bands_by_ownership_move_towards_the_middle(hospitals: IndexResult) -> None:
    found = bands(hospitals)
    graded = found.reasons == ""
    assert (found.reasons == "unknown attribute").sum() == 231
    assert set(found.reasons) <= {"", "unknown attribute", "low reliability", "few respondents"}
    assert found.moved is not None
    base = found.moved.base
    for sector in SECTORS:
        held = graded & (np.array(found.groups) == sector)
        share = (base[held] == "5").mean()
        # Whole points tie, and ties on a cut point are in the better band.
        assert 0.18 < share < 0.35
        assert (found.grade[held] == "5").mean() <= share
        assert (found.grade[held] == "1").mean() <= (base[held] == "1").mean()
    # Quietness tells hospitals apart: most scores are reliable.
    assert np.nanmedian(found.moved.reliability) > 0.8
    extreme = np.isin(found.grade, ["5", "1"])
    assert (found.moved.adjusted_p[extreme] <= 0.05).all()


def test_adjusting_for_thousands_of_tests_keeps_fewer_at_the_ends(hospitals: IndexResult) -> None:
    adjusted, published = bands(hospitals), bands(hospitals, adjustment=None)
    ends = [np.isin(found.grade, ["5", "1"]).sum() for found in (adjusted, published)]
    assert ends[0] < ends[1]
    middle = [(found.grade == "3").sum() for found in (adjusted, published)]
    assert middle[0] > middle[1]


def test_large_samples_have_surer_bands(hospitals: IndexResult) -> None:
    found = bands(hospitals)
    surveys = hospitals.counts.respondents
    graded = found.reasons == ""
    many, few = graded & (surveys > 1000), graded & (surveys < 200)
    sure = [np.mean(found.probability[held].max(axis=1)) for held in (many, few)]
    assert sure[0] > sure[1] + 0.05
