"""Published hospital scores: peer percentiles, stars as grades, and peers by ownership."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sotongindex._arrays import round_half_up
from sotongindex.benchmark import compare_to_peers, grades, peer_quantiles
from sotongindex.gaps import find_gaps
from sotongindex.models import (
    Channel,
    Dimension,
    Framework,
    GradeScale,
    Organization,
    PeerGroup,
    PeerStatistic,
    Study,
    SurveyItem,
    Target,
)
from sotongindex.results import IndexResult

COMPOSITES = tuple(f"h_comp_{number}" for number in (1, 2, 3, 5, 6, 7))
MEASURES = (*COMPOSITES, "h_clean", "h_quiet", "h_hsp_rating", "h_recmnd")

Rows = list[dict[str, str]]


def read(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def hospitals(shared: Path) -> Rows:
    return read(shared / "data" / "hcahps_hospitals.csv")


@pytest.fixture(scope="module")
def result(hospitals: Rows) -> IndexResult:
    framework = Framework(
        key="hcahps",
        version="2017",
        channels=[Channel(key="stay")],
        dimensions=[Dimension(key=measure) for measure in MEASURES],
        items=[SurveyItem(key=measure, dimension=measure) for measure in MEASURES],
    )
    study = Study(
        key="hcahps",
        framework=framework,
        organizations=[
            Organization(
                key=row["facility_id"],
                sector=row["sector"] or None,
                attributes={"ownership": row["ownership"], "state": row["state"]},
            )
            for row in hospitals
        ],
    )
    frame: dict[str, Any] = {
        measure: np.array([float(row[f"{measure}_linear"]) for row in hospitals])
        for measure in MEASURES
    }
    frame["organization"] = [row["facility_id"] for row in hospitals]
    frame["surveys"] = np.array([float(row["n_completed"]) for row in hospitals])
    return IndexResult.from_scores(frame, study, respondents="surveys")


def test_peer_percentiles(shared: Path, hospitals: Rows, result: IndexResult) -> None:
    sectors = np.array([row["sector"] for row in hospitals])
    for row in read(shared / "data" / "hcahps_peer_percentiles.csv"):
        chosen = np.full(len(sectors), True) if row["group"] == "all" else sectors == row["group"]
        scores = result.estimates(dimension=row["measure"]).values[chosen]
        assert len(scores) == int(row["n"])
        assert scores.mean() == pytest.approx(float(row["mean"]), rel=1e-12)
        for number in (5, 7):
            names = [name for name in row if name.startswith(f"t{number}_p")]
            shares = [int(name.rpartition("p")[2]) / 100 for name in names]
            found = peer_quantiles(scores, shares, type=number)
            np.testing.assert_allclose(found, [float(row[name]) for name in names], atol=1e-9)


def test_cut_points_reproduce_every_star(
    shared: Path, hospitals: Rows, result: IndexResult
) -> None:
    ranges = read(shared / "data" / "hcahps_star_ranges.csv")
    for measure in MEASURES:
        bands = {
            row["star"]: float(row["min_linear"])
            for row in ranges
            if row["measure"].lower() == measure
        }
        scale = GradeScale(key=measure.replace("_", "-"), bands=bands)
        stars = grades(result.estimates(dimension=measure), scale)
        assert stars.tolist() == [row[f"{measure}_star"] for row in hospitals]


def test_the_summary_star_is_rounded_half_up(hospitals: Rows) -> None:
    # CMS: the mean of the composites' stars, of cleanliness with quietness, and of the two
    # global items: eight parts, rounded half up.
    def stars(*measures: str) -> np.ndarray[Any, Any]:
        return np.array([[float(row[f"{name}_star"]) for name in measures] for row in hospitals])

    parts = np.column_stack(
        [
            stars(*COMPOSITES),
            stars("h_clean", "h_quiet").mean(axis=1),
            stars("h_hsp_rating", "h_recmnd").mean(axis=1),
        ]
    )
    published = [float(row["summary_star"]) for row in hospitals]
    right = round_half_up(parts.mean(axis=1)) == published
    assert right.sum() == len(hospitals) == 3462
    # numpy rounds half to even, which is another star for some.
    assert (np.round(parts.mean(axis=1)) != published).any()


def test_same_and_other_ownership(hospitals: Rows, result: IndexResult) -> None:
    other = PeerGroup(key="other ownership", different="sector")
    benchmark = compare_to_peers(result, ["sector", other], levels=["index"])
    same, different = benchmark.comparisons
    sectors = [row["sector"] for row in hospitals]
    counts = Counter(sectors)
    known = len(sectors) - counts[""]
    assert counts[""] == 231
    assert same.others.tolist() == [counts[sector] - 1 if sector else 0 for sector in sectors]
    assert different.others.tolist() == [
        known - counts[sector] if sector else 0 for sector in sectors
    ]
    blank = np.array([sector == "" for sector in sectors])
    for comparison in benchmark.comparisons:
        assert (comparison.suppressions.figures[blank] == "unknown attribute").all()
        assert (comparison.suppressions.standing[~blank] == "").all()
    assert [len(notice.keys) for notice in benchmark.notices] == [231, 231]
    for sector in ("nonprofit", "for-profit", "government"):
        held = np.array([own == sector for own in sectors])
        assert same.percentile[held].mean() == pytest.approx(50)
        place = int(np.argmax(held))
        outside = result.index.values[~held & ~blank]
        assert different.figures.median[place] == pytest.approx(np.median(outside))


def test_every_hospital_has_a_gap_to_its_peers(result: IndexResult) -> None:
    rule = PeerStatistic(statistic="p75", peers=PeerGroup(key="state", same="state"))
    gaps = find_gaps(result, Target(score=rule, dimension="h_quiet")).gaps[0]
    shown = gaps.reasons == ""
    assert set(gaps.reasons[~shown]) <= {"few peers"}
    assert 0.2 < (gaps.gap.values[shown] <= 0).mean() < 0.4
