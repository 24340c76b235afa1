"""From the study file of the airlines to index, peers and gaps, on real answers."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sotongindex.checks import CheckReport
from sotongindex.recipe import Findings, Recipe, load_recipe, run_recipe
from sotongindex.report import write_report
from sotongindex.responses import Responses, check_responses

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "airlines"


@pytest.fixture(scope="module")
def data(shared: Path) -> Path:
    return shared / "data" / "airline_reviews.csv"


@pytest.fixture(scope="module")
def table(data: Path) -> pd.DataFrame:
    return pd.read_csv(data)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_recipe(EXAMPLE / "study.json")


@pytest.fixture(scope="module")
def responses(table: pd.DataFrame, recipe: Recipe) -> Responses:
    return Responses.read(table, recipe.study, recipe.layout)


@pytest.fixture(scope="module")
def findings(recipe: Recipe, responses: Responses) -> Findings:
    return run_recipe(recipe, responses)


def counts(report: CheckReport, code: str) -> list[int]:
    return [finding.count for finding in report.findings if finding.code == code]


def test_the_study_files_are_what_the_script_makes(data: Path, recipe: Recipe) -> None:
    script = runpy.run_path(str(EXAMPLE / "make_study.py"))
    airlines = script["read_airlines"](data)
    assert script["make_recipe"](airlines) == recipe
    assert script["make_naive_recipe"](airlines) == load_recipe(EXAMPLE / "naive-study.json")


def test_the_naive_study_meets_the_faults(table: pd.DataFrame) -> None:
    naive = load_recipe(EXAMPLE / "naive-study.json")
    report = check_responses(table, naive.study, naive.layout)
    assert not report.ok
    assert sorted(counts(report, "out_of_range")) == [8, 8, 19, 24, 29, 44, 110, 128]
    assert counts(report, "duplicate_evaluation") == [260]
    assert counts(report, "epoch_date") == [26]
    assert counts(report, "suspect_scale") == [67]
    assert sorted(counts(report, "sparse_item")) == [62, 113]
    assert counts(report, "few_respondents") == [69, 26]


def test_the_study_reads_the_file(responses: Responses) -> None:
    report = responses.report
    assert report.ok
    assert (report.rows, report.evaluations, report.organizations) == (3522, 3522, 122)
    assert (report.respondents, report.answers) == (2696, 21_685)
    assert sum(counts(report, "missing_code")) == 370


def test_every_airline_has_an_index(findings: Findings, table: pd.DataFrame) -> None:
    result = findings.index
    index = result.index
    assert index.shape == (122,)
    assert ((index.values >= 0) & (index.values <= 100)).all()
    # 122 - 69 - 26 airlines have 30 respondents or more; all of their errors are known.
    assert np.count_nonzero(result.counts.respondents >= 30) == 27
    assert (index.standard_error[result.counts.respondents >= 30] > 0).all()
    assert (np.isnan(result.channels.values).sum(axis=0) == [25, 25]).all()
    both = ~np.isnan(result.channels.values).any(axis=1)
    assert both.sum() == 72
    # An airline with one touchpoint has that touchpoint's score.
    np.testing.assert_allclose(
        index.values[~both], np.nanmean(result.channels.values[~both], axis=1), rtol=1e-12
    )
    rated = table.groupby("organization")["respondent"].nunique()
    np.testing.assert_array_equal(result.counts.respondents, rated.sort_index().to_numpy())


def test_scores_are_the_means_of_the_file(findings: Findings, table: pd.DataFrame) -> None:
    result = findings.index
    one = "qatar-airways"
    rows = table[(table["organization"] == one) & (table["channel"] == "seat")]
    points = 25 * (rows.loc[:, "seat_legroom":"viewing_tv"].replace(0, np.nan).mean() - 1)
    room = points[["seat_legroom", "seat_width", "aisle_space"]].mean()
    place = result.organizations.index(one)
    expected = np.mean([room, points["seat_recline"], points["viewing_tv"]])
    assert result.estimates(channel="seat").values[place] == pytest.approx(expected, rel=1e-12)


def test_percentiles_among_airlines_are_left_out_where_too_few(findings: Findings) -> None:
    assert findings.benchmarks is not None
    comparison = findings.benchmarks.comparison("airlines")
    shown = ~np.isnan(comparison.percentile)
    assert shown.sum() == 27
    assert comparison.percentile[shown].mean() == pytest.approx(50)
    assert (comparison.others[shown] == 26).all()
    reasons = comparison.suppressions
    assert set(reasons.standing[~shown]) == {"few respondents"}
    assert (reasons.score == "few respondents").sum() == 69


def test_gaps_to_the_upper_quartile_of_the_airlines(findings: Findings) -> None:
    assert findings.gaps is not None
    assert findings.benchmarks is not None
    gap = findings.gaps.gaps[0]
    shown = gap.reasons == ""
    assert shown.sum() == 27
    upper = findings.benchmarks.comparison("airlines").figures.p75
    np.testing.assert_allclose(
        gap.gap.values[shown], (upper - findings.index.index.values)[shown], atol=1e-9
    )
    assert 0.2 < (gap.gap.values[shown] <= 0).mean() < 0.3


def test_the_report_says_why_a_score_is_missing(
    findings: Findings, responses: Responses, tmp_path: Path
) -> None:
    page = write_report(findings, tmp_path, check=responses.report)
    assert page.is_file()
    table = pd.read_csv(tmp_path / "index.csv")
    assert len(table) == 122
    assert table["score"].isna().sum() == 69
