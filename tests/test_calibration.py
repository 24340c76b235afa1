"""Respondent weights: forms of margins, what is wrong with them, policies, distances, bounds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sotongindex.calibration import (
    calibrate,
    post_stratify,
    rake,
)
from sotongindex.errors import CalibrationError, CalibrationWarning, MethodError

RNG = np.random.default_rng(20)
SEX = RNG.choice(["f", "m"], 400, p=[0.6, 0.4])
AGE = RNG.integers(1, 5, 400)
PEOPLE = {"sex": SEX, "age": AGE}
SEX_SHARES = {"f": 0.5, "m": 0.5}
AGE_SHARES = {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4}
MARGINS = {"sex": SEX_SHARES, "age": AGE_SHARES}


def shares(weight, column, keys):
    return [weight[np.asarray(column) == key].sum() / weight.sum() for key in keys]


# -- forms of data and of margins ----------------------------------------------------------------


@pytest.mark.parametrize("frame", [dict, pd.DataFrame, pl.DataFrame])
def test_every_kind_of_table_gives_the_same_weights(frame):
    found = rake(frame(PEOPLE), MARGINS)
    np.testing.assert_allclose(found.weight, rake(PEOPLE, MARGINS).weight, rtol=1e-12)
    assert shares(found.weight, SEX, "fm") == pytest.approx([0.5, 0.5], abs=1e-12)
    assert shares(found.weight, AGE, [1, 2, 3, 4]) == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=1e-9)


@pytest.mark.parametrize(
    "ages",
    [
        AGE.astype(np.int8),
        AGE.astype(float),
        AGE.astype(str),
        AGE + 10**6,
        AGE * 10**6,
        AGE / 2 + 0.25,
        pd.Series(AGE).astype("category"),
        pl.Series(AGE.astype(str)).cast(pl.Categorical),
        np.datetime64("2020-01-01") + AGE,
    ],
    ids=["int8", "float", "text", "offset", "wide", "fractions", "pandas", "polars", "dates"],
)
def test_categories_of_any_kind_are_matched_as_they_are_written(ages):
    kinds = {str(one): position for position, one in enumerate(np.unique(np.asarray(ages)))}
    written = {
        (key.removesuffix(".0")): AGE_SHARES[position + 1] for key, position in kinds.items()
    }
    frame = pl.DataFrame({"age": ages}) if isinstance(ages, pl.Series) else {"age": ages}
    if isinstance(ages, pd.Series):
        frame = pd.DataFrame({"age": ages})
    found = rake(frame, {"age": written}).weight
    np.testing.assert_allclose(found, rake(PEOPLE, {"age": AGE_SHARES}).weight, rtol=1e-12)


@pytest.mark.parametrize(
    ("column", "keys"),
    [
        ([True, True, False], (True, False)),
        ([True, True, False], (np.bool_(True), np.int64(0))),
        ([1.0, 1.0, 2.0], (np.int8(1), np.float32(2))),
        ([1e6, 1e6, -1e6], (10**6, -1e6)),
        (pl.Series([10**6, 10**6, 3]), ("1000000", "3")),
    ],
)
def test_keys_of_any_kind_mean_the_same_category(column, keys):
    found = rake(pl.DataFrame({"a": column}), {"a": dict(zip(keys, (0.5, 0.5), strict=True))})
    assert found.weight.tolist() == [0.75, 0.75, 1.5]


@pytest.mark.parametrize("column", [[10**6, None, 3], [10, None, 3], [None, None, None]])
def test_nulls_of_any_kind_are_missing(column):
    frame = pl.DataFrame({"a": pl.Series(column, dtype=pl.Int64)})
    for one in (frame, frame.cast(pl.Float64)):
        with pytest.raises(CalibrationError, match=r"without a category .*: [13]\)"):
            rake(one, {"a": {10**6: 0.4, 10: 0.1, 3: 0.5}})


def test_counts_set_the_total_and_shares_keep_it():
    counts = {"f": 2500, "m": 2500}
    assert rake(PEOPLE, {"sex": counts}).weight.sum() == pytest.approx(5000)
    assert rake(PEOPLE, MARGINS).weight.sum() == pytest.approx(400)
    mixed = rake(PEOPLE, {"age": AGE_SHARES, "sex": counts})
    assert mixed.weight.sum() == pytest.approx(5000)
    np.testing.assert_allclose(
        rake(PEOPLE, MARGINS, population_size=5000).weight, mixed.weight, rtol=1e-9
    )
    assert mixed.calibration.relative.tolist() == [False] * 6


def test_a_population_is_counted():
    population = {"sex": ["f", "f", "m", "m"], "age": [1, 2, 3, 4], "people": [10, 20, 30, 40]}
    found = rake(PEOPLE, population, count="people", variables="age")
    assert found.report.margins.target.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert found.weight.sum() == pytest.approx(100)
    people = {name: np.repeat(population[name], population["people"]) for name in ("sex", "age")}
    both = rake(PEOPLE, pd.DataFrame(people))
    expected = rake(PEOPLE, {"sex": {"f": 30, "m": 70}, "age": {1: 10, 2: 20, 3: 30, 4: 40}})
    np.testing.assert_allclose(both.weight, expected.weight, rtol=1e-9)
    crossed = rake(PEOPLE, people | {"age": np.repeat([1, 2], 50)}, variables=[("sex",)])
    assert crossed.report.margins.variable == ("sex", "sex")


def test_crossed_margins_are_post_stratification():
    cells = {(sex, age): s * a for sex, s in SEX_SHARES.items() for age, a in AGE_SHARES.items()}
    found = post_stratify(PEOPLE, {("sex", "age"): cells})
    np.testing.assert_allclose(found.weight, rake(PEOPLE, {("sex", "age"): cells}).weight)
    first = (SEX == "f") & (AGE == 1)
    assert found.weight[first] == pytest.approx(400 * 0.05 / first.sum())
    assert (found.report.iterations, found.report.error_after) == (0, 0.0)
    assert found.report.margins.category[0] == "f x 1"
    population = {
        "sex": ["f", "m"] * 4,
        "age": [1, 1, 2, 2, 3, 3, 4, 4],
        "n": [5, 5, 10, 10, 15, 15, 20, 20],
    }
    by_people = post_stratify(PEOPLE, population, count="n", population_size=100)
    np.testing.assert_allclose(by_people.weight * 4, found.weight)


def test_starting_weights_come_as_a_column_or_an_array():
    start = RNG.gamma(4, 0.25, 400)
    column = rake(PEOPLE | {"w": start}, MARGINS, weight="w")
    np.testing.assert_array_equal(column.weight, rake(PEOPLE, MARGINS, weight=start).weight)
    assert column.weight.sum() == pytest.approx(start.sum())
    ratio = column.weight / start
    same = (SEX == "f") & (AGE == 3)
    assert np.ptp(ratio[same]) < 1e-12


def test_many_categories_need_no_table_of_all_their_combinations():
    frame = {f"v{k}": RNG.integers(0, 50, 3000) for k in range(5)}  # 312 million combinations
    margins = {name: dict.fromkeys(range(50), 1 / 50) for name in frame}
    found = rake(frame, margins, empty="redistribute")
    assert found.report.error_after < 1e-9
    assert len(found.calibration.ratio) > 2900


@pytest.mark.parametrize("bounds", [None, (0.01, 40.0)])
def test_numbers_that_all_differ_make_a_cell_each(bounds):
    rng = np.random.default_rng(8)
    people = {
        "x": rng.normal(10, 2, 2000),
        "y": rng.normal(5, 1, 2000),
        "a": rng.integers(3, size=2000),
    }
    found = calibrate(
        people,
        {"a": {0: 0.2, 1: 0.3, 2: 0.5}},
        means={"x": 10.5, "y": 4.8},
        distance="raking",
        weight=rng.gamma(4, 0.25, 2000),
        weight_bounds=bounds,
    )
    assert len(found.calibration.ratio) == 2000
    for name, mean in (("x", 10.5), ("y", 4.8)):
        assert np.average(people[name], weights=found.weight) == pytest.approx(mean, abs=1e-8)


# -- what is wrong with margins ------------------------------------------------------------------

BLANK = np.where(np.arange(400) < 50, np.nan, AGE)


@pytest.mark.parametrize(
    ("data", "margins", "message"),
    [
        ({"age": BLANK}, {"age": AGE_SHARES}, r"'age': respondents without a category .*: 50\)"),
        (PEOPLE, {"age": {1: 0.2, 2: 0.3, 3: 0.5}}, r"categories that the margin lacks \('4': "),
        ({"age": AGE.clip(1, 3)}, {"age": AGE_SHARES}, r"no respondents in .*\('4': 0.4\)"),
        (PEOPLE, {"age": {1: 0, 2: 0.3, 3: 0.3, 4: 0.4}}, r"whose share is 0 \('1': "),
        (PEOPLE, {"age": {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.38}}, "add up to 0.98: shares add up to 1"),
        (PEOPLE, {"sex": {"f": 50, "m": 50}, "age": {1: 1, 2: 2, 3: 3, 4: 4}}, "'sex' to 100"),
        (PEOPLE, {"sex": {"f": 0.6, "F": 0.4, "f ": 0.0}}, r"margin lacks \('m'"),
        (PEOPLE, {"age": {1: 0.5, "1": 0.5}}, "every category of 'age' once"),
        (PEOPLE, {"age": {1: 1.5, 2: -0.5}}, "a number of 0 or more, got 2: -0.5"),
        (PEOPLE, {("sex", "age"): {"f": 1.0}}, "every category of 'sex x age' once"),
        ({"sex": AGE, "age": AGE}, {"sex": {1: 1.0}, "age": AGE_SHARES}, "margin lacks"),
    ],
)
def test_margins_that_do_not_fit_are_named(data, margins, message):
    with pytest.raises(CalibrationError, match=message) as caught:
        rake(data, margins)
    assert caught.value.argument == "margins"
    assert caught.value.variable in margins or caught.value.variable == "sex x age"


def test_errors_carry_category_and_count():
    with pytest.raises(CalibrationError) as caught:
        rake(PEOPLE, {"age": {1: 0.2, 2: 0.3, 3: 0.5}})
    assert caught.value.categories == ("4",)
    assert caught.value.counts == (float((AGE == 4).sum()),)


@pytest.mark.parametrize(
    ("margins", "message"),
    [
        ({}, "at least one margin"),
        ({"agee": AGE_SHARES}, "no column 'agee'; there are: 'sex', 'age'; did you mean 'age'"),
        ({7: AGE_SHARES}, "expected a column, or a tuple of columns"),
        ({"age": {}, "sex": SEX_SHARES}, "expected a mapping of categories"),
        (5, "expected a pandas, Polars"),
    ],
)
def test_margins_without_form_are_refused(margins, message):
    with pytest.raises(MethodError, match=message):
        rake(PEOPLE, margins)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"missing": "drop"}, "expected one of 'error', 'own category', 'redistribute'"),
        ({"not_converged": "ignore"}, "expected one of 'error', 'warning'"),
        ({"ratio_bounds": (2, 1)}, "0 <= lower < upper"),
        ({"weight": "w"}, "no column 'w'"),
        ({"weight": np.ones(3)}, "expected 400 numbers"),
        ({"weight": np.arange(400.0)}, "above 0, got 0 in row 0; 1 of 400"),
        ({"weight": "sex"}, "expected 400 numbers"),
        ({"population_size": -1}, "a number above 0"),
        ({"by": "region"}, "no column 'region'"),
    ],
)
def test_options_are_checked(option, message):
    with pytest.raises(MethodError, match=message):
        rake(PEOPLE, MARGINS, **option)


@pytest.mark.parametrize(
    ("population", "options", "message"),
    [
        ({"sex": ["f", None]}, {}, "1 of 2 rows of the population have no 'sex'"),
        ({"sex": ["f", "m"], "n": [1, -1]}, {"count": "n"}, "counts of 0 or more"),
        ({"sex": ["f", "m"]}, {"variables": ["age"]}, "no column 'age'"),
    ],
)
def test_populations_are_checked(population, options, message):
    with pytest.raises(MethodError, match=message):
        rake(PEOPLE, population, **options)


def test_options_that_would_do_nothing_are_refused():
    for option in ({"variables": ["age"]}, {"count": "n"}):
        with pytest.raises(MethodError, match="columns of a population"):
            rake(PEOPLE, MARGINS, **option)


def test_a_population_of_one_person_in_a_group_is_a_count():
    people = {"g": [1, 1, 2], "sex": ["f", "m", "f"]}
    found = rake({"g": [1, 1, 2, 2], "sex": ["f", "m", "f", "f"]}, people, by="g")
    assert found.weight.tolist() == [1, 1, 0.5, 0.5]


def test_no_rows_are_an_error():
    with pytest.raises(MethodError, match="at least one row"):
        rake({"sex": []}, {"sex": SEX_SHARES})


def test_post_stratification_has_one_margin():
    with pytest.raises(MethodError, match="expected one margin, got 2; cross variables"):
        post_stratify(PEOPLE, MARGINS)


# -- policies ------------------------------------------------------------------------------------


def test_a_missing_category_of_its_own_keeps_its_share():
    people = {"sex": SEX, "age": BLANK}
    found = rake(people, MARGINS, missing="own category")
    blank = np.isnan(BLANK)
    assert found.weight[blank].sum() == pytest.approx(50)
    known = found.weight[~blank]
    assert shares(known, BLANK[~blank], [1, 2, 3, 4]) == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert found.report.missing == (("age", 50),)
    assert found.report.margins.category[-1] == "(missing)"


def test_missing_categories_are_redistributed():
    people = {"sex": SEX, "age": BLANK}
    found = rake(people, MARGINS, missing="redistribute")
    blank = np.isnan(BLANK)
    known = found.weight[~blank]
    assert shares(known, BLANK[~blank], [1, 2, 3, 4]) == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert shares(found.weight, SEX, "fm") == pytest.approx([0.5, 0.5])
    ratio = [found.weight[blank & (sex == SEX)] for sex in "fm"]
    assert all(np.ptp(one) < 1e-12 for one in ratio)  # weighted by their sex alone
    assert "age: category missing for 50" in str(found.report)


def test_the_share_of_an_empty_category_goes_to_the_others():
    people = {"sex": SEX, "age": AGE.clip(1, 3)}
    found = rake(people, MARGINS, empty="redistribute")
    expected = rake(people, {"sex": SEX_SHARES, "age": {1: 1 / 6, 2: 2 / 6, 3: 3 / 6}})
    np.testing.assert_allclose(found.weight, expected.weight, rtol=1e-9)
    assert found.report.empty == ("age=4",)


def test_a_variable_that_is_missing_everywhere_is_an_error_under_every_policy():
    with pytest.raises(CalibrationError, match="no respondents in categories"):
        rake({"a": [None, None]}, {"a": {1: 1.0}}, missing="redistribute", empty="redistribute")


def test_a_number_that_is_zero_everywhere_can_only_add_up_to_zero():
    people = PEOPLE | {"none": np.zeros(400)}
    found = calibrate(people, MARGINS, totals={"none": 0.0}, distance="raking")
    np.testing.assert_allclose(found.weight, rake(PEOPLE, MARGINS).weight, rtol=1e-9)
    with pytest.raises(CalibrationError, match="without 'none'"):
        calibrate(people, MARGINS, totals={"none": 1.0}, distance="raking")


def test_categories_without_share_and_respondents_are_no_matter():
    found = rake(PEOPLE, {"age": AGE_SHARES | {9: 0}})
    assert found.report.margins.category == ("1", "2", "3", "4")


CONTRADICTING = {"sex": np.where(AGE <= 2, "f", "m"), "age": AGE}


def test_contradictory_margins_are_told():
    with pytest.raises(CalibrationError, match="without 'sex' or without 'age'") as caught:
        rake(CONTRADICTING, {"sex": {"f": 0.6, "m": 0.4}, "age": AGE_SHARES})
    assert "0.3 as a share" in str(caught.value) or "instead of" in str(caught.value)


def test_a_contradiction_can_be_a_warning():
    margins = {"sex": {"f": 0.6, "m": 0.4}, "age": AGE_SHARES}
    with pytest.warns(CalibrationWarning, match="no weights of these respondents meet"):
        found = rake(CONTRADICTING, margins, not_converged="warning")
    assert found.report.error_after > 0.05
    assert len(found.report.not_converged) == 1
    assert "margins are missed" in str(found.report)


def test_margins_that_only_weights_of_zero_meet_are_told():
    people = {"a": [1, 1, 2], "b": [1, 2, 2]}
    with pytest.raises(CalibrationError, match="only be met with weights of 0 or less for 1 of 3"):
        rake(people, {"a": {1: 0.5, 2: 0.5}, "b": {1: 0.5, 2: 0.5}})


def test_nested_and_repeated_margins_are_redundant_not_contradictory():
    cells = {(sex, age): s * a for sex, s in SEX_SHARES.items() for age, a in AGE_SHARES.items()}
    both = rake(PEOPLE | {"again": SEX}, MARGINS | {("sex", "age"): cells, "again": SEX_SHARES})
    np.testing.assert_allclose(both.weight, post_stratify(PEOPLE, {("sex", "age"): cells}).weight)


# -- calibration ---------------------------------------------------------------------------------

NUMBER = RNG.gamma(3, 1.0, 400)


@pytest.mark.parametrize("distance", ["linear", "raking"])
def test_totals_and_means_of_numbers_are_met(distance):
    people = PEOPLE | {"posts": NUMBER}
    found = calibrate(people, {"sex": SEX_SHARES}, means={"posts": 3.2}, distance=distance)
    assert found.weight @ NUMBER / 400 == pytest.approx(3.2, abs=1e-9)
    again = calibrate(people, {"sex": SEX_SHARES}, totals={"posts": 1280}, distance=distance)
    np.testing.assert_allclose(again.weight, found.weight, rtol=1e-8)
    assert again.calibration.relative.tolist() == [True, True, False]
    assert found.report.to_rows()[-1]["after"] == pytest.approx(3.2)


def test_linear_calibration_is_the_formula_of_generalized_regression():
    x = np.column_stack([np.ones(400), NUMBER])
    totals = np.array([500.0, 1600.0])
    gain = np.linalg.solve(x.T @ x, totals - x.sum(axis=0))
    found = calibrate({"posts": NUMBER}, totals={"posts": 1600}, population_size=500)
    np.testing.assert_allclose(found.weight, 1 + x @ gain, rtol=1e-9)


def test_a_total_alone_needs_no_margin():
    found = calibrate({"posts": NUMBER}, totals={"posts": 1300})
    np.testing.assert_allclose(
        found.weight, 1 + NUMBER * (1300 - NUMBER.sum()) / (NUMBER @ NUMBER), rtol=1e-9
    )


def test_totals_that_contradict_each_other_are_told():
    people = {"x": NUMBER, "twice": 2 * NUMBER}
    with pytest.raises(CalibrationError, match="without 'x' or without 'twice'"):
        calibrate(people, totals={"x": 1300, "twice": 3000}, distance="raking")


def test_numbers_far_from_zero_are_met():
    year = 1960 + AGE + 3 * (NUMBER > 3)
    found = calibrate({"year": year}, means={"year": 1964.5}, population_size=1e6)
    assert found.weight @ year / 1e6 == pytest.approx(1964.5, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"totals": {"posts": 3}, "means": {"posts": 3}}, "as a total or as a mean"),
        ({"totals": {"posts": np.nan}}, "one finite number"),
        ({"means": {"posts": 3}}, "need margins, or a stated population_size"),
        ({"totals": {"sex": 3}}, "'sex': 400 respondents without a number"),
        ({}, "expected margins, totals or means"),
        ({"margins": MARGINS, "distance": "logit"}, "needs ratio_bounds around 1"),
        ({"margins": MARGINS, "distance": "ranking"}, "did you mean 'raking'"),
        ({"margins": MARGINS, "means": {"posts": 9.0}}, "weights of 0 or less"),
    ],
)
def test_calibration_is_checked(options, message):
    with pytest.raises(MethodError, match=message):
        calibrate(PEOPLE | {"posts": NUMBER}, **options)


# -- bounds --------------------------------------------------------------------------------------

BOUNDED = [("linear", (0.37, 1.85)), ("raking", (0.37, 1.85)), ("logit", (0.3, 1.9))]


@pytest.mark.parametrize(("distance", "bounds"), BOUNDED)
def test_bounds_of_ratios_and_margins_hold_together(distance, bounds):
    free = calibrate(PEOPLE, MARGINS, distance="raking")
    low, high = free.report.ratio_range
    assert low < bounds[0] or high > bounds[1]
    found = calibrate(PEOPLE, MARGINS, distance=distance, ratio_bounds=bounds)
    low, high = found.report.ratio_range
    assert bounds[0] - 1e-12 <= low < high <= bounds[1] + 1e-12
    assert found.report.error_after < 1e-9
    cut = sum(found.report.bounded)
    assert cut == 0 if distance == "logit" else cut > 0


def test_bounds_of_weights_hold_for_each_starting_weight():
    start = RNG.gamma(2, 0.5, 400) + 0.05
    found = rake(PEOPLE, MARGINS, weight=start, weight_bounds=(0.2, 3.0))
    assert 0.2 - 1e-12 <= found.weight.min() < found.weight.max() <= 3 + 1e-12
    assert found.report.error_after < 1e-9
    inside = (found.weight > 0.2 + 1e-9) & (found.weight < 3 - 1e-9)
    ratio = found.weight / start
    same = inside & (SEX == "f") & (AGE == 3)
    assert np.ptp(ratio[same]) < 1e-9  # the product of factors, where no bound is in the way
    assert found.report.bounded[1] > 0


@pytest.mark.parametrize("bounds", [(0.3, 1.3), (0.5, 1.3), (0.5, 1.9)])
def test_the_tightest_bounds_are_told_and_can_be_met(bounds):
    with pytest.raises(CalibrationError, match="too tight") as caught:
        rake(PEOPLE, MARGINS, ratio_bounds=bounds)
    told = str(caught.value).partition("that can be met: ")[2].split(" or ")
    ways = [tuple(map(float, one.strip("()").split(", "))) for one in told]
    assert ways
    for low, high in ways:
        assert rake(PEOPLE, MARGINS, ratio_bounds=(low, high)).report.error_after < 1e-9
        kept = {low, high} & {*bounds, 0.0, np.inf}
        closer = (low, high - 0.01) if low in kept else (low + 0.01, high)
        with pytest.raises(CalibrationError):
            rake(PEOPLE, MARGINS, ratio_bounds=closer)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"weight_bounds": (0.0, 1.01)}, r"bounds \(0, 1.01\) are too tight"),
        ({"weight_bounds": (0.99, 1.01)}, r"that can be met: \(0, 1.[0-9]+\) or \(0.[0-9]+, inf\)"),
        ({"ratio_bounds": (0.9, 1.1), "weight_bounds": (0.9, 1.1)}, "beyond the bounds"),
    ],
)
def test_bounds_that_cannot_be_met_are_told(bounds, message):
    with pytest.raises(CalibrationError, match=message):
        rake(PEOPLE, MARGINS, **bounds)


def test_both_kinds_of_bounds_hold():
    found = rake(PEOPLE, MARGINS, ratio_bounds=(0.4, 3.0), weight_bounds=(0.1, 1.9))
    assert found.report.ratio_range == pytest.approx((0.4, 1.9), abs=0.2)
    assert found.weight.max() <= 1.9 + 1e-12
