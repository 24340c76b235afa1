"""Shrunken scores, reliability, and the respondents that the next wave needs."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from support import small_study

from sotongindex.benchmark import DisclosureRules
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import Organization
from sotongindex.results import IndexResult
from sotongindex.shrinkage import (
    plan_respondents,
    respondents_for_reliability,
    respondents_for_width,
    shrink,
    shrink_scores,
)

VALUES = [50.0, 60.0, 70.0, 55.0, 64.0]
ERRORS = [2.0, 1.0, 4.0, 3.0, 2.0]
METHODS = ("paule-mandel", "reml", "ml")
LOOSE = DisclosureRules(min_respondents_show=1)


# -- arrays --------------------------------------------------------------------------------------


def test_equal_errors_have_the_textbook_answer() -> None:
    # Equal errors of 2: A = variance of the scores - 4, and every score moves by 4 / variance.
    found = shrink(VALUES, [2.0] * 5)
    spread = np.var(VALUES, ddof=1)
    assert found.between_variance == pytest.approx(spread - 4)
    middle = np.mean(VALUES)
    np.testing.assert_allclose(found.toward, middle)
    np.testing.assert_allclose(found.reliability, 1 - 4 / spread)
    np.testing.assert_allclose(
        found.values, middle + (1 - 4 / spread) * (np.array(VALUES) - middle)
    )
    assert found.between_variance == pytest.approx(
        shrink(VALUES, [2.0] * 5, method="reml").between_variance
    )


@pytest.mark.parametrize("method", METHODS)
def test_scores_that_differ_less_than_their_errors_become_the_mean(method: Any) -> None:
    found = shrink([50.0, 50.1, 49.9], [3.0, 4.0, 5.0], method=method)
    assert found.between_variance == 0
    np.testing.assert_allclose(found.values, found.toward)
    np.testing.assert_array_equal(found.reliability, 0.0)
    assert (found.mean_squared_error > 0).all()


def test_groups_have_means_of_their_own() -> None:
    values = [10.0, 12.0, 11.0, 90.0, 92.0, 85.0]
    found = shrink(values, [1.0] * 6, groups=["a"] * 3 + ["b"] * 3)
    np.testing.assert_allclose(found.toward, [11.0] * 3 + [89.0] * 3)
    numbered = shrink(values, [1.0] * 6, covariates=[0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(numbered.values, found.values)
    both = shrink(values, [1.0] * 6, groups=["a"] * 3 + ["b"] * 3, covariates=[[1], [2], [3]] * 2)
    assert both.toward[0] != both.toward[1]


@pytest.mark.parametrize("method", ["paule-mandel", "reml"])
def test_an_exact_score_stays_as_it_is(method: Any) -> None:
    found = shrink(VALUES, [0.0, 1.0, 4.0, 3.0, 2.0], method=method)
    assert found.values[0] == 50.0
    assert found.reliability[0] == 1.0
    assert found.mean_squared_error[0] == 0.0
    assert (found.reliability[1:] < 1).all()
    exact = shrink(VALUES, [0.0] * 5, method=method)
    np.testing.assert_array_equal(exact.values, VALUES)
    assert exact.between_variance == pytest.approx(np.var(VALUES, ddof=1))


def test_equal_exact_scores() -> None:
    found = shrink([50.0, 50.0], [0.0, 0.0])
    assert found.between_variance == 0
    assert found.values.tolist() == [50.0, 50.0]
    assert found.reliability.tolist() == [1.0, 1.0]
    assert found.mean_squared_error.tolist() == [0.0, 0.0]
    assert shrink([0.0, 0.0, 0.0], [1.0, 2.0, 0.0]).values.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("unit", [1e-100, 1e100])
def test_the_unit_does_not_matter(method: Any, unit: float) -> None:
    expected = shrink(VALUES, ERRORS, method=method)
    found = shrink(np.array(VALUES) * unit, np.array(ERRORS) * unit, method=method)
    np.testing.assert_allclose(found.values, expected.values * unit)
    np.testing.assert_allclose(found.reliability, expected.reliability)
    np.testing.assert_allclose(found.mean_squared_error, expected.mean_squared_error * unit**2)


def test_one_outlier_among_small_errors_is_found_by_every_method() -> None:
    values, errors = [0.0] * 30 + [1000.0], [0.01] * 31
    for method in METHODS:
        assert shrink(values, errors, method=method).between_variance > 1e4  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"values": [1.0]}, "values"),
        ({"values": [1.0, np.nan]}, "values"),
        ({"standard_error": [1.0]}, "standard_error"),
        ({"standard_error": [1.0, -1.0]}, "standard_error"),
        ({"standard_error": [1.0, np.nan]}, "standard_error"),
        ({"method": "rem"}, "method"),
        ({"method": "ml", "standard_error": [1.0, 0.0]}, "method"),
        ({"groups": ["a"]}, "groups"),
        ({"groups": ["a", "b"]}, "values"),
        ({"covariates": [1.0]}, "covariates"),
        ({"covariates": [1.0, np.nan]}, "covariates"),
        ({"covariates": 1.0}, "covariates"),
        ({"covariates": [2.0, 2.0]}, "values"),
    ],
)  # fmt: skip
def test_what_cannot_be_shrunken_is_an_error(change: dict[str, Any], argument: str) -> None:
    values = change.pop("values", [1.0, 2.0])
    if argument == "values" and len(values) == 1:
        change["standard_error"] = [1.0]
    errors = change.pop("standard_error", [1.0, 1.0])
    with pytest.raises(MethodError) as caught:
        shrink(values, errors, **change)
    assert caught.value.argument == argument


# -- planning ------------------------------------------------------------------------------------


def test_respondents_for_a_reliability() -> None:
    needed = respondents_for_reliability(
        0.9, between_variance=25.0, respondent_variance=[400.0, 0.0, 25.0, np.nan]
    )
    np.testing.assert_array_equal(needed, [144.0, 1.0, 9.0, np.nan])
    none = respondents_for_reliability(0.9, between_variance=0.0, respondent_variance=[400.0, 0.0])
    assert none.tolist() == [np.inf, 1.0]


def test_respondents_for_a_width_are_the_fewest_that_do() -> None:
    from sotongindex._student import t_quantile

    variances = np.array([0.0, 1.0, 30.0, 400.0, 2500.0])
    needed = respondents_for_width(8.0, respondent_variance=variances, level=0.9)

    def width(count: np.ndarray) -> np.ndarray:
        return 2 * t_quantile(count - 1, 0.95) * np.sqrt(variances / count)

    assert (width(needed) <= 8).all()
    more = needed > 2
    assert more.any()
    assert (width(np.maximum(needed - 1, 2))[more] > 8).all()
    assert needed[0] == 2


@pytest.mark.parametrize(
    "ask",
    [
        lambda: respondents_for_reliability(1.0, between_variance=1.0, respondent_variance=1.0),
        lambda: respondents_for_reliability(0.5, between_variance=-1.0, respondent_variance=1.0),
        lambda: respondents_for_reliability(0.5, between_variance=1.0, respondent_variance=-1.0),
        lambda: respondents_for_width(0.0, respondent_variance=1.0),
        lambda: respondents_for_width(1.0, respondent_variance=1.0, level=1.0),
        lambda: respondents_for_width(1.0, respondent_variance=np.inf),
    ],
)
def test_plans_out_of_range_are_errors(ask: Any) -> None:
    with pytest.raises(MethodError, match="expected"):
        ask()


# -- of an index ---------------------------------------------------------------------------------


def published(
    scores: list[float], errors: list[float], respondents: list[float], **more: list[Any]
) -> IndexResult:
    organizations = [
        Organization(key=f"o{n}", **{name: held[n] for name, held in more.items()})
        for n in range(len(scores))
    ]
    frame = {
        "organization": [one.key for one in organizations],
        "d1": scores,
        "error": errors,
        "n": respondents,
    }
    return IndexResult.from_scores(
        frame,
        small_study(organizations),
        standard_errors={"d1": "error"},
        respondents="n",
    )


def test_an_index_is_shrunken() -> None:
    result = published(VALUES, ERRORS, [50] * 5)
    found = shrink_scores(result)
    expected = shrink(VALUES, ERRORS)
    np.testing.assert_allclose(found.shrunken.values, expected.values)
    np.testing.assert_allclose(found.shrunken.variance, expected.mean_squared_error)
    row = found.to_rows()[2]
    assert (row["organization"], row["score"], row["reason"]) == ("o2", 70.0, None)
    assert 0 < row["reliability"] < 1  # type: ignore[operator]
    assert len(found.to_frame("polars")) == 5
    assert "5 of 5 organizations shrunken toward the overall mean" in str(found)
    assert "o2" in found._repr_html_()
    numbers = shrink_scores(result, covariates=[1, 2, 3, 4, 6], method="reml")
    np.testing.assert_allclose(
        numbers.shrunken.values,
        shrink(VALUES, ERRORS, covariates=[1, 2, 3, 4, 6], method="reml").values,
    )


def test_scores_are_drawn_toward_their_industry_and_the_rest_is_left_out() -> None:
    result = published(
        [*VALUES, 58.0, np.nan, 60.0, 61.0],
        [*ERRORS, 2.0, 2.0, np.nan, 2.0],
        [50, 50, 50, 50, 50, 5, 50, 50, 50],
        industry=["a", "a", "b", "b", "b", "a", "a", "a", None],
    )
    found = shrink_scores(result, "industry", covariates=np.arange(9.0) ** 2)
    expected = shrink(
        VALUES, ERRORS, groups=["a", "a", "b", "b", "b"], covariates=np.arange(5.0) ** 2
    )
    np.testing.assert_allclose(found.shrunken.values[:5], expected.values)
    assert found.reasons[5:].tolist() == [
        "few respondents",
        "missing score",
        "error not known",
        "unknown attribute",
    ]
    assert np.isnan(found.shrunken.values[5:]).all()
    assert [notice.keys for notice in found.notices] == [("o6",), ("o5",), ("o7",), ("o8",)]
    assert "the means by industry" in str(found)
    assert found.to_rows()[6]["shrunken"] is None
    with pytest.raises(MethodError, match="9 rows"):
        shrink_scores(result, covariates=[1.0, 2.0])
    with pytest.raises(MethodError, match="9 rows"):
        shrink_scores(result, covariates=1.0)
    with pytest.raises(DefinitionError, match="industri"):
        shrink_scores(result, "industri")


def test_the_next_wave_is_planned() -> None:
    result = published(VALUES, ERRORS, [25, 100, 25, 25, 25])
    between = shrink(VALUES, ERRORS).between_variance
    plan = plan_respondents(result, reliability=0.8)
    np.testing.assert_allclose(
        plan.needed, np.ceil(np.array([100, 100, 400, 225, 100]) / between * 4)
    )
    wide = plan_respondents(result, width=6.0)
    np.testing.assert_array_equal(
        wide.needed, respondents_for_width(6.0, respondent_variance=[100, 100, 400, 225, 100])
    )
    assert wide.to_rows()[0]["needed"] == int(wide.needed[0])
    assert "an interval 6 points wide" in str(wide)
    assert "a reliability of 0.8" in str(plan)
    assert "o3" in plan._repr_html_()
    np.testing.assert_allclose(wide.width, result.index.high - result.index.low)


def test_a_plan_says_where_there_is_no_number() -> None:
    result = published([50.0, 50.1, 49.9], [3.0, 3.0, np.nan], [50, 50, 50])
    unknown = attrs.evolve(result, counts=attrs.evolve(result.counts, respondents=[50, np.nan, 50]))
    plan = plan_respondents(unknown, reliability=0.8, rules=LOOSE)
    assert plan.reasons.tolist() == ["", "respondents not known", "error not known"]
    assert plan.needed[0] == np.inf
    assert [row["needed"] for row in plan.to_rows()] == [None, None, None]
    assert "not known" in str(plan)
    for given in ({}, {"reliability": 0.8, "width": 5.0}):
        with pytest.raises(MethodError, match="one of reliability and width"):
            plan_respondents(result, **given)  # type: ignore[arg-type]
    with pytest.raises(MethodError, match="none of 3 organizations can be used: few"):
        shrink_scores(result, rules=DisclosureRules(min_respondents_show=99))
