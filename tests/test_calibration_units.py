"""Respondent weights of answers: units, groups, calibrating again, trimming, reports."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from support import small_study

import sotongindex as si
from sotongindex.calibration import (
    CalibratedWeights,
    calibrate,
    design_effect,
    effective_sample_size,
    post_stratify,
    rake,
    trim_weights,
)
from sotongindex.datasets import sample_panel
from sotongindex.errors import CalibrationError, MethodError
from sotongindex.models import Organization
from sotongindex.responses import Responses

AGES = ("15-24", "25-34", "35-44", "45-54", "55-64")
CENSUS = dict(zip(AGES, (0.16, 0.18, 0.22, 0.24, 0.20), strict=True))
SEX = {"sex": {"f": 0.5, "m": 0.5}}


def panel(**kept):
    """Make six evaluations by three respondents; the first two respondents rate two or three."""
    study = small_study([Organization(key="a", industry="x"), Organization(key="b", industry="y")])
    frame = {
        "organization": ["a", "b", "a", "b", "a", "b"],
        "respondent": [1, 1, 2, 2, 3, 4],
        "q1": [5, 6, 7, 3, 4, 2],
        "sex": ["f", "f", "m", "m", "f", "m"],
        "weight": [1.0, 1.0, 2.0, 2.0, 1.0, 4.0],
        **kept,
    }
    keep = [name for name in frame if name not in ("organization", "respondent", "q1", "weight")]
    return Responses.from_frame(frame, study, channel=None, weight="weight", keep=keep)


@pytest.fixture(scope="module")
def survey():
    return sample_panel(respondents=300, organizations_each=3).responses


# -- who is weighted -----------------------------------------------------------------------------


def test_a_respondent_counts_once_however_many_organizations_were_rated():
    found = rake(panel(), SEX)
    # Respondents 1 and 3 (f) weigh 1 each, 2 and 4 (m) weigh 2 and 4: 8 in all, 4 for each sex.
    np.testing.assert_allclose(found.weight, [2, 2, 4 / 3, 4 / 3, 2, 8 / 3])
    record = found.calibration
    assert record.unit.tolist() == [0, 0, 1, 1, 2, 3]
    assert record.start.tolist() == [1, 2, 1, 4]
    np.testing.assert_allclose(record.start * record.ratio[record.cell], [2, 4 / 3, 2, 8 / 3])
    assert record.report.units == 4


def test_evaluations_can_be_the_units():
    found = rake(panel(), SEX, unit="evaluation")
    assert found.weight[:2].sum() + found.weight[4] == pytest.approx(found.weight.sum() / 2)
    assert found.calibration.unit.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("column", ["sex", "weight", "size"])
def test_what_differs_within_a_respondent_is_named(column):
    values = {"sex": ["f", "m", "m", "m", "f", "m"], "weight": [1.0, 2.0, 2.0, 2.0, 1.0, 4.0]}
    kept = {"size": [1.0, 1.0, np.nan, np.nan, 2.0, 1.0]}
    kept |= {column: values[column]} if column in values else {}
    if column == "size":
        kept["size"] = [1.0, np.nan, np.nan, np.nan, 2.0, 1.0]
    answers, margins = panel(**kept), SEX if column != "size" else {"size": {1: 0.5, 2: 0.5}}
    with pytest.raises(MethodError, match=f"'{column}' differs .* of 1 respondents") as caught:
        rake(answers, margins, missing="redistribute")
    assert caught.value.argument == "unit"
    rake(answers, margins, missing="redistribute", unit="evaluation")


def test_columns_must_have_been_kept():
    with pytest.raises(MethodError, match=r"no column 'age'; there are: 'sex'; .* keep="):
        rake(panel(), {"age": CENSUS})
    with pytest.raises(MethodError, match="have their own starting weights"):
        rake(panel(), SEX, weight="weight")
    with pytest.raises(MethodError, match="expected one of 'respondent', 'evaluation'"):
        rake(panel(), SEX, unit="person")


def test_blank_text_is_missing():
    answers = panel(sex=["", "", "m", "m", "f", "m"])
    with pytest.raises(CalibrationError, match="without a category"):
        rake(answers, SEX)


def test_answers_of_single_evaluations_are_their_own_units():
    study = small_study()
    frame = {"organization": ["a", "b"], "respondent": [2, 1], "q1": [1, 2], "sex": ["f", "m"]}
    answers = Responses.from_frame(frame, study, channel=None, keep="sex")
    found = rake(answers, {"sex": {"f": 3, "m": 1}})
    assert found.weight.tolist() == [3, 1]
    assert found.calibration.unit.tolist() == [0, 1]


def test_calibrating_again_starts_from_the_weights_as_they_are(survey):
    first = rake(survey, {"age_group": CENSUS})
    even = dict.fromkeys(AGES, 0.2)
    second = rake(first, {"age_group": even})
    np.testing.assert_allclose(second.weight, rake(survey, {"age_group": even}).weight, rtol=1e-9)
    np.testing.assert_array_equal(second.calibration.start[second.calibration.unit], first.weight)


def test_the_index_of_weighted_answers_moves(survey):
    older = rake(survey, {"age_group": {**CENSUS, "15-24": 0.02, "55-64": 0.34}})
    before, after = si.compute_index(survey).index, si.compute_index(older).index
    assert np.nanmean(after.values) < np.nanmean(before.values)  # the old are less kind


# -- groups --------------------------------------------------------------------------------------


def test_groups_have_their_own_margins():
    answers = panel()
    margins = {"a": {"sex": {"f": 0.25, "m": 0.75}}, "b": SEX}
    found = rake(answers, margins, by="organization")
    for position, share in ((0, 0.25), (1, 0.5)):
        own = answers.organization == position
        women = own & (answers.kept["sex"] == "f")
        assert found.weight[women].sum() / found.weight[own].sum() == pytest.approx(share)
        assert found.weight[own].sum() == pytest.approx(answers.weight[own].sum())
    assert found.calibration.group.tolist() == [0, 0, 1, 1]
    assert found.calibration.report.margins.group == ("a", "a", "b", "b")
    assert len(found.calibration.start) == 6  # respondents within an organization
    by_industry = rake(answers, {"x": margins["a"], "y": SEX}, by="industry")
    np.testing.assert_array_equal(by_industry.weight, found.weight)


def test_groups_may_be_kept_columns_and_share_margins(survey):
    found = rake(survey, {"age_group": CENSUS}, by="sector")
    sectors = [survey.study.organizations[o].sector for o in survey.organization]
    for sector in set(sectors):
        own = np.array(sectors) == sector
        each = [found.weight[own & (survey.kept["age_group"] == age)].sum() for age in AGES]
        unit = found.calibration.unit[own]
        assert len(unit)
        assert len(each) == 5
    report = found.calibration.report
    assert set(report.margins.group) == {"company", "public"}
    assert report.margins.after == pytest.approx([*CENSUS.values()] * 2)
    columns = rake(panel(region=["n", "n", "s", "s", "s", "n"]), SEX, by="region")
    assert columns.calibration.report.margins.group == ("n", "n", "s", "s")


def test_a_population_has_groups_too():
    people = {"g": ["a", "a", "b", "b"], "sex": ["f", "m", "f", "m"], "n": [1, 3, 2, 2]}
    table = {"g": ["a", "a", "b", "b"], "sex": ["f", "m", "f", "m"]}
    found = rake(table, people, by="g", count="n")
    assert found.weight.tolist() == [1, 3, 2, 2]
    sized = rake(table, people, by="g", count="n", population_size={"a": 4, "b": 4})
    np.testing.assert_allclose(sized.weight, found.weight)


def test_numbers_of_groups_are_met():
    table = {"g": ["a"] * 4 + ["b"] * 4, "x": [1, 2, 3, 4, 2, 3, 4, 6.5]}
    found = calibrate(table, means={"a": {"x": 2.6}, "b": {"x": 3.5}}, population_size=10, by="g")
    assert found.weight[:4] @ table["x"][:4] == pytest.approx(26)
    assert found.weight[4:] @ table["x"][4:] == pytest.approx(35)


@pytest.mark.parametrize(
    ("margins", "options", "message"),
    [
        ({"a": SEX}, {"by": "organization"}, "no margins for 1 of 2 groups .*'b'"),
        ({"a": SEX, "b": SEX, "c": SEX}, {"by": "organization"}, "1 groups .* have no respondents"),
        ({"a": SEX, "b": {"age": {1: 1}}}, {"by": "organization"}, "same variables in every group"),
        (SEX, {"by": "industri"}, "no column 'industri'; .* did you mean 'industry'"),
        (SEX, {"by": "sector"}, "6 of 6 units have no 'sector'"),
        (SEX, {"by": "organization", "population_size": {"a": 1}}, "none for 'b'"),
    ],
)
def test_groups_that_do_not_fit_are_named(margins, options, message):
    with pytest.raises(MethodError, match=message):
        rake(panel(), margins, **options)


def test_totals_of_groups_that_do_not_fit_are_named():
    table = {"g": ["a", "b"], "x": [1.0, 2.0]}
    with pytest.raises(MethodError, match="for each of the 2 groups of 'g'; 'b' is not in both"):
        calibrate(table, totals={"a": {"x": 1}}, by="g")


def test_groups_that_cannot_be_met_are_told_apart_from_those_that_can():
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(8), 50)
    a, b = rng.integers(2, size=400), rng.integers(2, size=400)
    a[group >= 3] = b[group >= 3]  # one decides the other
    margins = {"a": {0: 0.4, 1: 0.6}, "b": {0: 0.5, 1: 0.5}}
    with pytest.raises(CalibrationError, match=r"'3': no weights .* '7'") as caught:
        rake({"a": a, "b": b, "g": group}, margins, by="g")
    assert caught.value.categories == ("3", "4", "5", "6", "7")
    assert caught.value.variable == "g"


# -- again ---------------------------------------------------------------------------------------


def test_other_starting_weights_are_checked(survey):
    record = rake(survey, {"age_group": CENSUS}).calibration
    start = record.start[:, None]
    with pytest.raises(MethodError, match=r"expected shape \(300, replicates\)"):
        record.again(record.start)
    with pytest.raises(MethodError, match="0 or more"):
        record.again(-start)
    old = survey.kept["age_group"] == AGES[4]
    gone = start.copy()
    gone[np.unique(record.unit[old])] = 0
    with pytest.raises(MethodError, match="1 of 2 replicates cannot be calibrated"):
        record.again(np.hstack([start, gone]))


def test_counts_stay_and_shares_follow_the_replicate(survey):
    start = np.full((300, 1), 2.0)
    shares = rake(survey, {"age_group": CENSUS}).calibration
    counts = post_stratify(survey, {"age_group": {age: 1e6 * s for age, s in CENSUS.items()}})
    for record, total in ((shares, 600.0), (counts.calibration, 1e6)):
        ratio = record.again(start)[record.cell]
        assert (start * ratio).sum() == pytest.approx(total)


def test_bounds_hold_again(survey):
    record = rake(survey, {"age_group": CENSUS}, weight_bounds=(0.4, 2.5)).calibration
    ratio = record.again(record.start[:, None])
    np.testing.assert_allclose(ratio[:, 0], record.ratio, rtol=1e-9)


# -- trimming ------------------------------------------------------------------------------------


def test_the_excess_goes_to_the_others():
    weight = np.array([1.0, 2.0, 3.0, 10.0])
    assert trim_weights(weight, upper=7.0).weight.tolist() == [1.5, 3.0, 4.5, 7.0]
    assert trim_weights(weight, upper=7.0, spread="equal").weight.tolist() == [2, 3, 4, 7]
    assert trim_weights(weight, lower=2.0).weight.sum() == pytest.approx(16)


@pytest.mark.parametrize("spread", ["proportional", "equal"])
def test_strict_limits_hold_for_all(spread):
    weight = np.random.default_rng(4).lognormal(0, 1, 500)
    loose = trim_weights(weight, quantiles=(0.05, 0.8), spread=spread)
    tight = trim_weights(weight, quantiles=(0.05, 0.8), spread=spread, strict=True)
    low, high = np.quantile(weight, [0.05, 0.8])
    assert loose.weight.max() > high + 1e-6
    assert low - 1e-9 <= tight.weight.min() < tight.weight.max() <= high + 1e-9
    assert tight.weight.sum() == pytest.approx(weight.sum())
    assert tight.report.bounded[1] > 100


def test_a_design_effect_is_kept_by_the_highest_limit():
    weight = np.random.default_rng(5).lognormal(0, 1, 500)
    found = trim_weights(weight, design_effect=1.5)
    assert design_effect(found.weight) == pytest.approx(1.5, abs=1e-6)
    assert effective_sample_size(found.weight) == pytest.approx(500 / 1.5, rel=1e-6)
    assert trim_weights(weight, design_effect=9.0).weight.tolist() == weight.tolist()


def test_trimming_moves_margins_and_strict_trimming_keeps_them(survey):
    raked = rake(survey, {"age_group": CENSUS})
    upper = 0.9 * raked.weight.max()
    loose, strict = (trim_weights(raked, upper=upper, strict=one) for one in (False, True))
    assert loose.calibration.report.error_after > 1e-3
    np.testing.assert_array_equal(loose.calibration.ratio, raked.calibration.ratio)
    report = strict.calibration.report
    assert report.error_after < 1e-9
    assert report.bounded[1] > 0
    assert strict.weight.max() <= upper + 1e-9
    record = strict.calibration
    np.testing.assert_allclose(
        (record.start * record.ratio[record.cell])[record.unit], strict.weight
    )
    bounded = rake(survey, {"age_group": CENSUS}, weight_bounds=(0, upper))
    np.testing.assert_allclose(strict.weight, bounded.weight, rtol=1e-9)
    assert "trim_weights" in str(report)


def test_strict_trimming_of_a_table_meets_margins_and_design_effect():
    rng = np.random.default_rng(6)
    people = {"a": rng.integers(2, size=500), "b": rng.integers(3, size=500)}
    margins = {"a": {0: 0.7, 1: 0.3}, "b": {0: 0.2, 1: 0.3, 2: 0.5}}
    raked = rake(people, margins, weight=rng.lognormal(0, 0.7, 500))
    found = trim_weights(raked, design_effect=1.5, strict=True)
    assert isinstance(found, CalibratedWeights)
    assert found.report.design_effect == pytest.approx(1.5, abs=1e-4)
    assert found.report.error_after < 1e-9
    with pytest.raises(MethodError, match="no upper limit brings the design effect down"):
        trim_weights(raked, design_effect=1.01, strict=True)
    with pytest.raises(MethodError, match="keep the margins; widen the limits"):
        trim_weights(raked, upper=1.01, strict=True)


def test_weights_of_answers_are_trimmed_by_respondent():
    found = trim_weights(panel(), upper=3.0)
    np.testing.assert_allclose(found.weight, [1.25, 1.25, 2.5, 2.5, 1.25, 3.0])
    assert found.calibration is None
    with pytest.raises(MethodError, match="no weights to trim"):
        trim_weights(attrs.evolve(panel(), weight=None), upper=3.0)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({}, "expected one rule: .* got 0"),
        ({"upper": 2, "design_effect": 1.5}, "got 2"),
        ({"lower": 3, "upper": 2}, "0 <= lower < upper"),
        ({"quantiles": (0.9, 0.1)}, "0 <= lower < upper <= 1"),
        ({"design_effect": 1.0}, "a number above 1"),
        ({"upper": 2, "spread": "even"}, "expected one of 'proportional', 'equal'"),
        ({"upper": 2, "unit": "person"}, "expected one of 'respondent', 'evaluation'"),
        ({"upper": 1.5, "strict": True}, "keep their total; widen the limits"),
        ({"upper": 0.5}, "keep their total; widen the limits"),
        ({"lower": 3.0, "spread": "equal"}, "keep their total; widen the limits"),
    ],
)
def test_trimming_is_checked(rule, message):
    with pytest.raises(MethodError, match=message):
        trim_weights([1.0, 2.0, 3.0], **rule)


def test_there_must_be_weights_to_trim():
    with pytest.raises(MethodError, match="expected some numbers"):
        trim_weights([], upper=1.0)


def test_strict_trimming_keeps_the_bounds_there_were(survey):
    bounded = rake(survey, {"age_group": CENSUS}, weight_bounds=(0.4, 2.6))
    found = trim_weights(bounded, upper=2.5, strict=True)
    assert found.calibration.weight_bounds == (0.4, 2.5)


@pytest.mark.parametrize("weight", [[], [0.0, 0.0], [-1.0, 2.0], [np.nan, 1.0], [[1.0]]])
def test_kish_needs_weights(weight):
    with pytest.raises(MethodError, match="weights of 0 or more"):
        design_effect(weight)


# -- reports -------------------------------------------------------------------------------------


def test_the_report_tells_every_margin_and_reads_in_two_languages(survey):
    report = rake(survey, {"age_group": CENSUS}).calibration.report
    rows = report.to_rows()
    assert [row["category"] for row in rows] == list(AGES)
    assert [row["target"] for row in rows] == pytest.approx([*CENSUS.values()])
    assert sum(row["before"] for row in rows) == pytest.approx(1)
    assert rows[0]["respondents"] > 0
    largest = max(abs(row["before"] - row["target"]) for row in rows)
    assert report.error_before == pytest.approx(largest)
    html = report._repr_html_()
    for word in ("Margins before and after weighting", "가중 전후", "설계효과", "55-64", "20.0%"):
        assert word in html
    text = str(report)
    assert text.startswith("rake\n  weighted: 300\n")
    assert f"effective sample size: {report.effective_sample_size:.0f}" in text


def test_means_are_not_shown_in_per_cent_and_trimming_shows_no_margins():
    people = {"sex": ["f", "f", "m"], "posts": [1.0, 2.0, 3.0]}
    report = calibrate(people, {"sex": {"f": 0.5, "m": 0.5}}, means={"posts": 2.25}).report
    assert "50.0%" in report._repr_html_()
    assert "2.250" in report._repr_html_()
    assert "225" not in report._repr_html_()
    assert "miss" not in str(trim_weights([1.0, 2.0], upper=1.8))


def test_labels_of_others_are_escaped():
    found = rake({"<b>": ["<i>", "x"]}, {"<b>": {"<i>": 0.5, "x": 0.5}})
    assert "<i>" not in found.report._repr_html_()
    assert str(found) == str(found.report)


def test_the_report_tells_bounds_and_empty_categories():
    people = {"a": [1] * 30 + [2] * 70, "b": [1, 2] * 50}
    margins = {"a": {1: 0.6, 2: 0.4}, "b": {1: 0.3, 2: 0.6, 3: 0.1}}
    report = rake(people, margins, ratio_bounds=(0.4, 2.8), empty="redistribute").report
    assert report.bounded == (35, 0)
    assert "at a bound: 35 at the lower, 0 at the upper" in str(report)
    assert "nobody in b=3: the share went to the others" in str(report)
