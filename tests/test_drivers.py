"""Drivers of an outcome: importance, slopes, their errors, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from math import factorial
from typing import Any

import attrs
import numpy as np
import pytest
from support import small_study

import sotongindex as si
from sotongindex._relative_importance import (
    Derived,
    Standardized,
    johnson,
    shapley,
    slopes,
    with_outcome,
)
from sotongindex.drivers import (
    DriverResult,
    find_drivers,
    find_organization_drivers,
    relative_weights,
    shapley_importance,
    standardized_slopes,
    weighted_correlations,
)
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import Organization, Scale, Study, SurveyItem
from sotongindex.responses import Responses
from sotongindex.results import IndexResult
from sotongindex.variance import Linearization
from sotongindex.weighting import EntropyWeights

KERNELS = {"johnson": johnson, "shapley": shapley, "slopes": slopes, "alone": with_outcome}
SCALE = Scale(low=0, high=100)
ITEMS = [
    SurveyItem(key="open1", dimension="openness", scale=SCALE),
    SurveyItem(key="open2", dimension="openness", scale=SCALE),
    SurveyItem(key="use1", dimension="usefulness", scale=SCALE),
    SurveyItem(key="use2", dimension="usefulness", scale=SCALE),
    SurveyItem(key="happy", dimension="satisfaction", scale=SCALE),
]
STUDY = small_study(["a", "b"], channels=["blog", "app"], items=ITEMS)


def correlations(drivers: int, *, rows: int = 60, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(rows, drivers + 1)) @ rng.normal(size=(drivers + 1, drivers + 1))
    matrix: np.ndarray = np.corrcoef(mixed.T)
    return matrix


def answers(rows: int = 120, *, seed: int = 0) -> np.ndarray:
    """Return answers to the items of `STUDY`, all correlated."""
    rng = np.random.default_rng(seed)
    common = rng.normal(50, 6, (rows, 1))
    return np.clip(common + rng.normal(0, 8, (rows, len(ITEMS))), 0, 100)


def responses(table: np.ndarray, study: Study = STUDY, **more: Any) -> Responses:
    given: dict[str, Any] = {"organization": np.arange(len(table)) % len(study.organizations)}
    if len(study.framework.channels) > 1:
        given["channel"] = np.zeros(len(table), dtype=int)
    return Responses.from_arrays(study, answers=table, **(given | more))


def keeping(kept: dict[str, np.ndarray], table: np.ndarray | None = None) -> Responses:
    """Return responses with kept columns."""
    return attrs.evolve(responses(answers() if table is None else table), kept=kept)


# -- correlations --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KERNELS)
def test_derivatives_are_those_of_differences(name: str) -> None:
    kernel: Callable[[np.ndarray], Derived] = KERNELS[name]
    matrix = correlations(5)
    gradient, step = kernel(matrix).gradient, 1e-6
    np.testing.assert_allclose(gradient, np.swapaxes(gradient, 1, 2), atol=1e-12)
    for a, b in itertools.combinations(range(6), 2):
        moved = np.zeros_like(matrix)
        moved[a, b] = moved[b, a] = step
        slope = (kernel(matrix + moved).values - kernel(matrix - moved).values) / (2 * step)
        np.testing.assert_allclose(2 * gradient[:, a, b], slope, rtol=1e-4, atol=1e-6)


def test_shapley_is_the_mean_over_all_orders() -> None:
    matrix = correlations(4)
    among, outcome = matrix[:-1, :-1], matrix[:-1, -1]

    def explained(subset: tuple[int, ...]) -> float:
        at = list(subset)
        return float(outcome[at] @ np.linalg.solve(among[np.ix_(at, at)], outcome[at]))

    expected = np.zeros(4)
    for order in itertools.permutations(range(4)):
        for place, driver in enumerate(order):
            before = order[:place]
            gain = explained((*before, driver)) - explained(before)
            expected[driver] += gain / factorial(4)
    np.testing.assert_allclose(shapley_importance(among, outcome), expected, atol=1e-12)
    np.testing.assert_allclose(shapley(matrix).values, expected, atol=1e-12)


def test_copies_of_a_driver_share_its_importance_and_have_no_slope() -> None:
    matrix = correlations(3)
    twice = matrix[np.ix_([0, 1, 2, 2, 3], [0, 1, 2, 2, 3])]
    among, outcome = twice[:-1, :-1], twice[:-1, -1]
    explained = standardized_slopes(matrix[:3, :3], matrix[:3, 3]) @ matrix[:3, 3]
    for function in (relative_weights, shapley_importance):
        found = function(among, outcome)
        assert found[2] == pytest.approx(found[3], abs=1e-12)
        assert found.sum() == pytest.approx(explained)
    # The other slopes are what they are with one copy.
    found = slopes(twice).values
    assert np.isnan(found).tolist() == [False, False, True, True]
    np.testing.assert_allclose(found[:2], standardized_slopes(matrix[:3, :3], matrix[:3, 3])[:2])
    with pytest.raises(MethodError, match=r"drivers \[2, 3\] determine each other"):
        standardized_slopes(among, outcome)


def test_many_drivers() -> None:
    matrix = correlations(20)
    found = shapley_importance(matrix[:-1, :-1], matrix[:-1, -1])
    assert found.sum() == pytest.approx(slopes(matrix).values @ matrix[:-1, -1])
    with pytest.raises(MethodError, match="expected 20 drivers or fewer, got 21"):
        shapley_importance(np.eye(21), np.zeros(21))
    assert relative_weights(np.eye(21), np.full(21, 0.1)).tolist() == pytest.approx([0.01] * 21)


@pytest.mark.parametrize(
    ("among", "outcome", "message"),
    [
        ([[1.0, 0.5]], [0.5], "expected a matrix"),
        ([], [], "expected a matrix"),
        ([[1.0]], 0.5, "expected a matrix"),
        ([[1.0, 0.5], [0.4, 1.0]], [0.1, 0.1], "the same on both sides"),
        ([[np.nan]], [0.5], "expected finite numbers"),
        ([[2.0]], [0.5], "no answers can have such correlations"),
        ([[1.0, 0.9], [0.9, 1.0]], [0.9, -0.9], "no answers can have such correlations"),
    ],
)
def test_impossible_correlations(among: Any, outcome: Any, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        relative_weights(among, outcome)


@pytest.mark.parametrize(
    ("table", "weight", "message"),
    [
        ([1.0, 2.0], None, r"expected finite numbers \(n, p\)"),
        ([[1.0, np.nan]], None, "1 that are not finite"),
        ([[1.0, 2.0], [1.0, 3.0]], None, "'column 0' does not vary over the 2 rows"),
        ([[1.0, 2.0], [3.0, 3.0]], [1.0], "expected 2 finite numbers"),
        ([[1.0, 2.0], [3.0, 3.0]], [1.0, -1.0], "expected 2 finite numbers"),
        ([[1.0, 2.0], [3.0, 3.0]], [0.0, 0.0], "not all 0"),
        ([[1.0, 2.0], [3.0, 3.0]], [0.0, 1.0], "does not vary over the 1 rows"),
    ],
)
def test_correlations_that_there_are_not(table: Any, weight: Any, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        weighted_correlations(table, weight)


def test_a_large_mean_loses_no_digits() -> None:
    table = answers(50)
    np.testing.assert_allclose(
        weighted_correlations(table + 1e9), np.corrcoef(table.T), atol=1e-6, rtol=0
    )


# -- from answers --------------------------------------------------------------------------------


def test_drivers_are_dimensions_without_the_outcome() -> None:
    table = answers()
    found = find_drivers(responses(table), "happy", channel="blog")
    assert found.drivers == ("openness", "usefulness")
    by_hand = np.column_stack([table[:, :2].mean(1), table[:, 2:4].mean(1), table[:, 4]])
    matrix = np.corrcoef(by_hand.T)
    np.testing.assert_allclose(
        found.importance.values, relative_weights(matrix[:2, :2], matrix[:2, 2]), atol=1e-12
    )
    np.testing.assert_allclose(found.correlations.values, matrix[:2, 2], atol=1e-12)
    assert found.r_squared.values[0] == pytest.approx(found.importance.values.sum())
    # An item that is the outcome leaves its own dimension with the others.
    own = find_drivers(responses(table), "use1", drivers=["usefulness", "openness"])
    matrix = np.corrcoef([table[:, 3], table[:, :2].mean(1), table[:, 2]])
    np.testing.assert_allclose(
        own.slopes.values, standardized_slopes(matrix[:2, :2], matrix[:2, 2])
    )
    assert find_drivers(responses(table), "use1", by="items").drivers == (
        "open1", "open2", "use2", "happy",
    )  # fmt: skip


def test_incomplete_rows_are_left_out_and_counted() -> None:
    table = answers()
    table[:5, 4] = np.nan
    table[3:9, 2:4] = np.nan
    table[20:30, 0] = np.nan  # half of a dimension is enough
    found = find_drivers(responses(table), "happy")
    assert (found.considered, found.used) == (120, 111)
    assert found.missing.tolist() == [0, 6]
    assert found.notices[0].code == "incomplete rows"
    assert "9 of 120 evaluations lack" in found.notices[0].message
    assert found.notices[0].keys == ("usefulness", "happy")
    kept = np.setdiff1d(np.arange(120), np.arange(9))
    same = find_drivers(responses(table[kept], organization=np.arange(120)[kept] % 2), "happy")
    np.testing.assert_allclose(found.importance.values, same.importance.values)
    strict = find_drivers(responses(table), "happy", min_share=1.0)
    assert strict.used == 101


def test_an_outcome_that_was_kept() -> None:
    table = answers()
    bought = (table[:, 4] > 50).astype(float)
    bought[:3] = np.nan
    found = find_drivers(keeping({"bought": bought}, table), "bought")
    assert found.drivers == ("openness", "usefulness", "satisfaction")
    assert (found.used, found.outcome) == (117, "bought")
    assert found.importance.values.argmax() == 2


def test_channels_and_organizations_that_count() -> None:
    table = answers()
    channel = np.repeat([0, 1], 60)
    both = responses(table, channel=channel)
    app = find_drivers(both, "happy", channel="app")
    alone = find_drivers(responses(table[60:]), "happy")
    np.testing.assert_allclose(app.importance.values, alone.importance.values)
    one = find_drivers(both, "happy", organizations=["b"])
    np.testing.assert_allclose(
        one.importance.values,
        find_drivers(responses(table[1::2]), "happy").importance.values,
    )
    assert (app.considered, one.considered) == (60, 60)


def test_weights_of_items_and_of_respondents() -> None:
    table = answers()
    fixed = si.FixedWeights({"open1": 1.0, "open2": 0.0, "use1": 0.5, "use2": 0.5, "happy": 1.0})
    found = find_drivers(responses(table), "happy", item_weights=fixed)
    expected = find_drivers(responses(table), "happy", by="items")
    assert found.correlations.values[0] == pytest.approx(expected.correlations.values[0])
    weight = np.repeat([1.0, 2.0], 60)
    weighted = find_drivers(responses(table, weight=weight), "happy")
    by_hand = np.column_stack([table[:, :2].mean(1), table[:, 2:4].mean(1), table[:, 4]])
    matrix = np.cov(by_hand.T, aweights=weight)
    spread = np.sqrt(matrix.diagonal())
    np.testing.assert_allclose(
        weighted.correlations.values, (matrix / spread / spread[:, None])[:2, 2]
    )


@pytest.mark.parametrize("method", ["johnson", "shapley"])
def test_errors_are_nearly_those_of_leaving_one_out(method: Any) -> None:
    table = answers(150, seed=3)
    respondent = np.repeat(np.arange(75), 2)
    weight = np.repeat(np.random.default_rng(1).gamma(8, 1 / 8, 75), 2)

    def found(rows: np.ndarray) -> DriverResult:
        return find_drivers(
            responses(
                table[rows],
                organization=np.arange(150)[rows] % 2,
                respondent=respondent[rows],
                weight=weight[rows],
            ),
            "happy",
            method=method,
        )

    whole = found(np.arange(150))
    without = [found(np.flatnonzero(respondent != one)) for one in range(75)]
    for name in ("importance", "slopes", "correlations", "r_squared", "shares"):
        replicates = np.array([getattr(one, name).values for one in without])
        jackknife = np.sqrt(74 / 75 * ((replicates - replicates.mean(0)) ** 2).sum(0))
        np.testing.assert_allclose(getattr(whole, name).standard_error, jackknife, rtol=0.05)
    assert (whole.importance.degrees_of_freedom == 75 - 1 - 2).all()
    assert (whole.r_squared.degrees_of_freedom == 72).all()
    assert np.isfinite(whole.adjusted_p).all()


def test_strata_take_their_means_off() -> None:
    table = answers()
    table[60:] -= 20
    stratum = np.repeat(["x", "y"], 60)
    plain = find_drivers(responses(table), "happy")
    strata = find_drivers(responses(table, stratum=stratum), "happy")
    np.testing.assert_allclose(strata.importance.values, plain.importance.values)
    sample = Standardized.of(
        np.column_stack([table[:, :2].mean(1), table[:, 2:4].mean(1), table[:, 4]]), None, "ouh"
    )
    matrix = sample.correlations()
    influence = sample.influence(johnson(matrix), matrix).reshape(2, 60, 2)
    centred = influence - influence.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(
        strata.importance.variance, 60 / 59 * (centred**2).sum(axis=(0, 1)), rtol=1e-9
    )
    assert (strata.importance.degrees_of_freedom == 120 - 2 - 2).all()
    stratum[0] = "z"
    with pytest.raises(MethodError, match="1 of 3 strata have one cluster: 'z'"):
        find_drivers(responses(table, stratum=stratum), "happy")
    certain = Linearization(lonely="certainty")
    assert find_drivers(responses(table, stratum=stratum), "happy", variance=certain).used == 120


def test_collinear_drivers_share_and_have_no_slope() -> None:
    table = answers()
    table[:, 1] = table[:, 0] / 2 + 20
    found = find_drivers(responses(table), "happy", by="items")
    assert found.importance.values[0] == pytest.approx(found.importance.values[1])
    assert np.isnan(found.slopes.values).tolist() == [True, True, False, False]
    assert np.isnan(found.adjusted_p).tolist() == [True, True, False, False]
    assert np.isfinite(found.importance.standard_error).all()
    notice = next(one for one in found.notices if one.code == "collinear drivers")
    assert notice.keys == ("open1", "open2")
    assert found.to_rows()[0]["slope"] is None
    # What is shared, and its error, are those of one driver.
    one = find_drivers(responses(table), "happy", by="items", drivers=["open1", "use1", "use2"])
    explained = one.r_squared
    assert found.r_squared.values[0] == pytest.approx(explained.values[0])
    # Leverage and errors count the rank, degrees of freedom the drivers.
    assert found.r_squared.standard_error[0] == pytest.approx(explained.standard_error[0])


def test_an_outcome_that_its_drivers_determine() -> None:
    table = answers()
    table[:, 4] = table[:, 0]
    found = find_drivers(responses(table), "happy", by="items")
    assert found.r_squared.values[0] == pytest.approx(1.0)
    assert found.r_squared.high[0] <= 1.0
    assert found.slopes.values.round(9).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert found.adjusted_p[0] < 1e-6


def test_nothing_is_explained() -> None:
    table = np.array([[0.0, 0.0], [0.0, 100.0], [100.0, 0.0], [100.0, 100.0]] * 10)
    items = [SurveyItem(key=key, dimension=key, scale=SCALE) for key in ("x", "y")]
    found = find_drivers(responses(table, small_study(items=items)), "y")
    assert found.importance.values.tolist() == [0.0]
    assert found.to_rows()[0]["share"] is None
    assert found.p.tolist() == [1.0]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"outcome": "hapy"}, MethodError, "did you mean 'happy'"),
        ({"outcome": "zzz"}, MethodError, r"kept: none.*name it in Layout\.keep"),
        ({"drivers": ["openess"]}, DefinitionError, "did you mean 'openness'"),
        ({"drivers": ["openness", "openness"]}, DefinitionError, "is used twice"),
        ({"drivers": ["satisfaction"]}, MethodError, "is not the outcome itself"),
        ({"drivers": []}, MethodError, "expected one driver or more, got none"),
        ({"item_weights": EntropyWeights()}, DefinitionError, "EntropyWeights learns weights"),
        ({"by": "item"}, MethodError, "did you mean 'items'"),
        ({"channel": "blogs"}, DefinitionError, "did you mean 'blog'"),
        ({"channel": "app"}, MethodError, "none of 120 evaluations is of this channel"),
        ({"organizations": ["c"]}, DefinitionError, "unknown organization 'c'"),
        ({"method": "johnsen"}, MethodError, "did you mean 'johnson'"),
        ({"adjustment": "hulm"}, MethodError, "did you mean 'holm'"),
        ({"level": 95}, MethodError, "expected a share"),
    ],
)
def test_what_is_refused(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        find_drivers(responses(answers()), **({"outcome": "happy"} | change))


def test_answers_that_cannot_tell() -> None:
    with pytest.raises(MethodError, match="2 drivers need complete answers of 4 or more respond"):
        find_drivers(responses(answers(3)), "happy")
    with pytest.raises(MethodError, match="4 or more clusters, got 2"):
        find_drivers(responses(answers(), cluster=np.arange(120) % 2), "happy")
    with pytest.raises(MethodError, match="got 1; leave drivers out"):
        find_drivers(responses(answers(), respondent=np.zeros(120, dtype=int), channel=[0, 1] * 60,
                               duplicates="keep"), "happy")  # fmt: skip
    constant = answers()
    constant[:, :2] = 70.0
    with pytest.raises(MethodError, match="drivers: 'openness' does not vary over the 120 rows"):
        find_drivers(responses(constant), "happy")
    constant = answers()
    constant[:, 4] = 70.0
    with pytest.raises(MethodError, match="outcome: 'happy' does not vary"):
        find_drivers(responses(constant), "happy")
    with pytest.raises(MethodError, match="expected a column of numbers, got text in 'sex'"):
        find_drivers(keeping({"sex": np.array(["f", "m"] * 60)}), "sex")
    items = [attrs.evolve(item, channels=[channel]) for item, channel in zip(
        ITEMS, ["blog", "app", "blog", "app", "blog"], strict=True)]  # fmt: skip
    study = small_study(["a", "b"], channels=["blog", "app"], items=items)
    table = answers()
    channel = np.repeat([0, 1], 60)
    table[np.ix_(channel == 0, [1, 3])] = np.nan
    table[np.ix_(channel == 1, [0, 2, 4])] = np.nan
    split = responses(table, study, channel=channel)
    with pytest.raises(MethodError, match=r"none of 120 rows has .*'open1' is missing most often"):
        find_drivers(split, "happy", by="items")
    assert find_drivers(split, "happy", by="items", channel="blog").drivers == ("open1", "use1")


# -- from organizations --------------------------------------------------------------------------


def scored(count: int = 60, *, error: float = 2.0, seed: int = 0) -> tuple[IndexResult, np.ndarray]:
    rng = np.random.default_rng(seed)
    staff = rng.normal(10, 3, count)
    scores = 40 + staff + rng.normal(0, np.hypot(2, error), count)
    organizations = [
        Organization(
            key=f"o{n}",
            size=float(n + 1) if n else None,
            attributes={"staff": f"{staff[n]}", "kind": "bank"} if n != 1 else {},
        )
        for n in range(count)
    ]
    frame = {
        "organization": [one.key for one in organizations],
        "d1": scores,
        "error": np.full(count, error),
    }
    study = small_study(organizations)
    return IndexResult.from_scores(frame, study, standard_errors={"d1": "error"}), staff


def test_attributes_sizes_and_numbers_drive_scores() -> None:
    result, staff = scored()
    found = find_organization_drivers(result, ["staff", "size"])
    assert (found.drivers, found.outcome, found.unit) == (
        ("staff", "size"), "index", "organizations",
    )  # fmt: skip
    assert (found.considered, found.used, found.missing.tolist()) == (60, 58, [1, 1])
    given = {"staff": staff, "size": {f"o{n}": n + 1.0 for n in range(60)}}
    whole = find_organization_drivers(result, given, dimension="d1", method="shapley")
    assert (whole.used, whole.outcome) == (60, "d1")
    matrix = np.corrcoef([staff, np.arange(60), result.index.values])
    np.testing.assert_allclose(
        whole.importance.values, shapley_importance(matrix[:2, :2], matrix[:2, 2]), atol=1e-12
    )
    assert find_organization_drivers(result, given, channel="blog").outcome == "blog"
    assert found.adjusted_p[0] < 0.001 < found.adjusted_p[1]


def test_the_ceiling_is_what_is_no_sampling_error() -> None:
    result, staff = scored()
    found = find_organization_drivers(result, {"staff": staff})
    # Independent errors of 2: around their own mean their variance is 4 (1 - 1 / 60).
    expected = 1 - 4 * (59 / 60) / result.index.values.var()
    assert found.ceiling == pytest.approx(expected)
    noisy = IndexResult.from_scores(
        {"organization": list(result.organizations), "d1": result.index.values, "e": [50.0] * 60},
        result.study,
        standard_errors={"d1": "e"},
    )
    assert find_organization_drivers(noisy, {"staff": staff}).ceiling == 0.0


def test_scores_without_an_error_count_as_exact() -> None:
    result, staff = scored()
    frame = {"organization": list(result.organizations), "d1": result.index.values}
    exact = IndexResult.from_scores(frame, result.study)
    found = find_organization_drivers(exact, {"staff": staff})
    assert found.ceiling is None
    assert found.notices[-1].code == "taken as exact"
    some = frame | {"error": np.where(np.arange(60) < 2, np.nan, 2.0)}
    partly = IndexResult.from_scores(some, result.study, standard_errors={"d1": "error"})
    notice = find_organization_drivers(partly, {"staff": staff}).notices[-1]
    assert notice.keys == ("o0", "o1")
    # Own errors are part of how far scores lie apart: known or not, errors are nearly the same.
    np.testing.assert_allclose(
        found.correlations.standard_error,
        find_organization_drivers(result, {"staff": staff}).correlations.standard_error,
        rtol=0.02,
    )


@pytest.mark.parametrize(
    ("drivers", "error", "message"),
    [
        (["kind"], DefinitionError, "attribute 'kind' has values that are no numbers"),
        (["staf"], DefinitionError, "did you mean 'staff'"),
        ([], MethodError, "expected one driver or more"),
        ({"x": [1.0, 2.0]}, MethodError, "expected 60 numbers for 'x'"),
        ({"x": [np.inf] * 2 + [1.0] * 58}, MethodError, "drivers: .*'x' has 2 that are infinite"),
        ({"x": {"p1": 1.0}}, DefinitionError, "unknown organization 'p1'"),
        ({"x": {"o1": 1.0, "o2": 2.0}}, MethodError, "3 or more organizations, got 2"),
        ({"x": {}}, MethodError, "none of 60 rows has the outcome and all 1 drivers"),
        ({"x": np.ones(60)}, MethodError, "'x' does not vary over the 60 rows"),
    ],
)
def test_what_organizations_cannot_tell(drivers: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        find_organization_drivers(scored()[0], drivers)


def test_organizations_without_a_score_are_left_out() -> None:
    result, staff = scored()
    values = result.index.values.copy()
    values[:4] = np.nan
    frame = {"organization": list(result.organizations), "d1": values}
    missing = IndexResult.from_scores(frame, result.study)
    found = find_organization_drivers(missing, {"staff": staff})
    assert (found.used, found.notices[0].keys) == (56, ("index",))


# -- what is shown -------------------------------------------------------------------------------


def test_rows_text_and_notebook() -> None:
    found = find_drivers(responses(answers()), "happy")
    rows = found.to_rows()
    assert list(rows[0]) == [
        "driver", "importance", "standard_error", "low", "high", "share", "correlation",
        "slope", "slope_low", "slope_high", "p", "adjusted_p", "missing",
    ]  # fmt: skip
    assert found.to_frame("polars").shape == (2, 13)
    text = str(found)
    assert text.startswith("drivers of happy: R squared 0.")
    assert "johnson, 120 of 120 evaluations" in text
    page = found._repr_html_()
    for words in (
        "Importance is not uplift",
        "중요도는 개선 효과가 아님",
        "relative weights",
        "Slope",
    ):
        assert words in page
    # The most important first.
    order = [text.index(found.drivers[at]) for at in np.argsort(-found.importance.values)]
    assert order == sorted(order)


def test_a_small_table_warns_and_a_ceiling_is_shown() -> None:
    result, staff = scored(20)
    found = find_organization_drivers(result, {"<staff>": staff})
    assert [notice.code for notice in found.notices] == ["few units"]
    page = found._repr_html_()
    assert "&lt;staff&gt;" in page
    assert "<staff>" not in page
    assert "No sampling error in the outcome" in page
    assert "note: 20 organizations are few" in str(found)


def test_nothing_turns_importance_into_points() -> None:
    names = {name for name in dir(DriverResult) if not name.startswith("_")}
    assert names == {
        "adjusted_p", "adjustment", "ceiling", "considered", "correlations", "drivers",
        "importance", "method", "missing", "notices", "outcome", "p", "r_squared", "shares",
        "slopes", "study", "to_frame", "to_rows", "unit", "used",
    }  # fmt: skip
    found = find_drivers(responses(answers()), "happy")
    assert (found.importance.lower, found.importance.upper) == (0.0, 1.0)
