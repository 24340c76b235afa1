"""Grades: absolute, forced and by percentile, with the probability of every grade."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from scipy import special
from support import answered, small_study
from test_html import parse

from sotongindex import _banding
from sotongindex._banding import (
    apportion,
    draw_scores,
    grade_by_cuts,
    grade_by_place,
    moved_grades,
    percentile_cuts,
)
from sotongindex._html import view_html
from sotongindex.bands import (
    PercentileRule,
    absolute_bands,
    forced_bands,
    percentile_bands,
    scale_on,
)
from sotongindex.benchmark import DisclosureRules
from sotongindex.differences import adjust_p_values
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import compute_index
from sotongindex.models import GradeScale, Organization
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

SABC = {"S": 1, "A": 4, "B": 4, "C": 1}
STARS = {"5": 80, "4": 60, "3": 30, "2": 15, "1": 0}
LOOSE = DisclosureRules(
    min_peers_mean=1,
    min_peers_rank=1,
    min_respondents_show=1,
    min_respondents_compare=1,
    min_respondents_band=1,
)


def scored(
    scores: Sequence[float],
    errors: Sequence[float] | float | None = 1.0,
    *,
    respondents: Sequence[float] | None = None,
    industries: Sequence[str | None] | None = None,
) -> IndexResult:
    keys = [f"o{n:02d}" for n in range(len(scores))]
    study = small_study(
        [
            Organization(key=key, industry=industry)
            for key, industry in zip(keys, industries or ["all"] * len(keys), strict=True)
        ]
    )
    frame: dict[str, Any] = {
        "organization": keys,
        "n": np.array(respondents or [100.0] * len(keys)),
        "d1": np.array(scores, dtype=float),
    }
    given = {}
    if errors is not None:
        frame["error"] = np.broadcast_to(np.array(errors, dtype=float), len(keys)).copy()
        given = {"d1": "error"}
    return IndexResult.from_scores(frame, study, standard_errors=given, respondents="n")


# -- absolute scales -----------------------------------------------------------------------------

SCALES = [
    GradeScale(key="2025", bands={"S": 90, "A": 70}, valid_from=date(2025, 1, 1)),
    GradeScale(key="2012", bands={"AA": 65, "A": 60, "B": 55}, valid_from=date(2012, 1, 1)),
    GradeScale(key="2023", bands={"S": 85, "A": 70}, valid_from=date(2023, 1, 1)),
]


@pytest.mark.parametrize(
    ("day", "key"),
    [
        (date(2012, 1, 1), "2012"),
        (date(2022, 12, 31), "2012"),
        (date(2024, 6, 1), "2023"),
        (date(2030, 1, 1), "2025"),
    ],
)
def test_the_scale_is_the_last_to_begin(day: date, key: str) -> None:
    assert scale_on(SCALES, day).key == key


def test_one_scale_needs_no_day() -> None:
    always = GradeScale(key="always", bands={"S": 90})
    assert scale_on(SCALES[0]) is SCALES[0]
    assert scale_on(SCALES[0], date(1999, 1, 1)) is SCALES[0]
    assert scale_on([always]) is always
    assert scale_on([*SCALES, always], date(1999, 1, 1)) is always


@pytest.mark.parametrize(
    ("scales", "day", "match"),
    [
        (SCALES, None, "3 scales and no day"),
        ([], None, "no scale"),
        (SCALES, date(2011, 12, 31), "no scale is valid on 2011-12-31: the first begins on 2012"),
        ([SCALES[0], SCALES[0]], date(2026, 1, 1), "same day"),
    ],
)
def test_scales_that_leave_open_which_is_valid(scales: Any, day: Any, match: str) -> None:
    with pytest.raises(MethodError, match=match):
        scale_on(scales, day)


def test_absolute_grades_and_their_probabilities_by_hand() -> None:
    result = scored([91.0, 90.0, 69.0, 20.0], [1.0, 2.0, 4.0, 1.0])
    found = absolute_bands(result, SCALES, on=date(2025, 11, 1))
    assert found.grade.tolist() == ["S", "S", None, None]
    assert found.grades == ("S", "A", None)
    at_least_s = special.ndtr([1.0, 0.0, -21 / 4, -70.0])
    at_least_a = special.ndtr([21.0, 10.0, -1 / 4, -50.0])
    np.testing.assert_allclose(found.probability[:, 0], at_least_s, atol=1e-15)
    np.testing.assert_allclose(found.probability[:, 1], at_least_a - at_least_s, atol=1e-15)
    np.testing.assert_allclose(found.probability.sum(axis=1), 1)
    right = [special.ndtr(1.0), 0.5, 1 - special.ndtr(-0.25), 1.0]
    np.testing.assert_allclose(found.probability_right, right)
    assert found.reasons.tolist() == ["", "", *["below the lowest grade"] * 2]
    row = found.to_rows()[0]
    assert list(row)[-4:] == ["P(S)", "P(A)", "P()", "reason"]
    assert (row["grade"], row["score"], row["group"]) == ("S", 91.0, None)
    assert str(found).startswith("grades (absolute, 2025): 2 S, 0 A; 2 without\n  right on average")


def test_an_exact_score_has_its_grade_for_sure_even_on_the_bound() -> None:
    found = absolute_bands(scored([90.0, 70.0 - 1e-12, 69.0], 0.0), SCALES[0])
    assert found.grade.tolist() == ["S", "A", None]
    assert found.probability.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert found.probability_right.tolist() == [1, 1, 1]


def test_few_respondents_have_no_grade_and_unknown_errors_no_probability() -> None:
    result = scored([91.0, 91.0, 91.0, np.nan], [1, 1, np.nan, 1], respondents=[99, 5, 100, 100])
    found = absolute_bands(result, SCALES[0])
    assert found.grade.tolist() == [None, None, "S", None]
    assert found.reasons.tolist() == ["few respondents"] * 2 + ["", "missing score"]
    assert np.isnan(found.probability).all()
    assert np.isnan(found.probability_right).all()
    # Five respondents are too few to show even the score.
    assert np.isnan(found.score).tolist() == [False, True, False, True]
    assert np.isnan(found.low).tolist() == [False, True, True, True]
    assert [notice.code for notice in found.notices] == ["error not known"]
    assert "right on average" not in str(found)


# -- forced shares -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "seats"),
    [
        (0, [0, 0, 0, 0]),
        (1, [0, 1, 0, 0]),
        (2, [0, 1, 1, 0]),
        (3, [1, 1, 1, 0]),
        (4, [0, 2, 2, 0]),
        (5, [1, 2, 2, 0]),
        (6, [1, 2, 2, 1]),
        (9, [1, 4, 3, 1]),
        (10, [1, 4, 4, 1]),
        (15, [2, 6, 6, 1]),
        (20, [2, 8, 8, 2]),
    ],
)
def test_seats_go_by_the_largest_remainder(count: int, seats: list[int]) -> None:
    assert apportion(count, list(SABC.values())).tolist() == seats


def test_seats_do_not_depend_on_the_size_of_the_shares() -> None:
    for count in range(30):
        seats = apportion(count, [0.1, 0.4, 0.4, 0.1]).tolist()
        assert seats == apportion(count, [1, 4, 4, 1]).tolist()
    assert apportion(7, [0, 1, 0]).tolist() == [0, 7, 0]


@pytest.mark.parametrize(
    ("scores", "seats", "grades"),
    [
        ([5.0, 9.0, 7.0], [1, 1, 1], [2, 0, 1]),
        ([9.0, 9.0, 7.0], [1, 1, 1], [0, 0, 2]),
        ([9.0, 7.0, 7.0], [1, 1, 1], [0, 1, 1]),
        ([9.0, 9.0, 9.0], [1, 1, 1], [1, 1, 1]),
        ([9.0, 9.0 - 5e-10, 7.0], [1, 2, 0], [0, 0, 1]),
        ([7.0] * 10, [1, 4, 4, 1], [1] * 10),
    ],
)
def test_ties_get_the_grade_of_their_better_middle_place(
    scores: list[float], seats: list[int], grades: list[int]
) -> None:
    assert grade_by_place(np.array([scores]), np.array(seats))[0].tolist() == grades


def test_forced_grades_within_groups() -> None:
    scores = [*range(50, 60), *range(80, 90), 70, 70, 70, 70]
    industries = ["a"] * 10 + ["b"] * 10 + ["c"] * 3 + [None]
    found = forced_bands(scored(scores, 0.1, industries=industries), SABC, draws=50)
    ladder = ["C", *"BBBB", *"AAAA", "S"]
    assert found.grade.tolist() == [*ladder, *ladder, None, None, None, None]
    assert found.reasons[20:].tolist() == ["few peers"] * 3 + ["unknown attribute"]
    assert found.groups == (*industries[:23], "")
    assert found.scale == "1:4:4:1"
    # Ten standard errors apart, nothing else is possible.
    np.testing.assert_array_equal(found.probability_right[:20], 1)
    assert np.isnan(found.probability[20:]).all()


def test_those_who_cannot_be_graded_do_not_count_in_their_group() -> None:
    scores = [90.0, *range(50, 60)]
    found = forced_bands(scored(scores, respondents=[99] + [100] * 10), SABC, None, draws=10)
    assert found.grade.tolist() == [None, "C", *"BBBB", *"AAAA", "S"]
    assert found.groups[0] == "all"


def test_probabilities_of_two_are_those_of_the_normal_distribution() -> None:
    found = forced_bands(
        scored([51.0, 50.0], [1.0, 2.0]), {"up": 1, "down": 1}, rules=LOOSE, draws=40_000
    )
    expected = special.ndtr(1 / np.sqrt(5))
    np.testing.assert_allclose(found.probability_right, expected, atol=0.01)
    np.testing.assert_allclose(found.probability.sum(axis=1), 1)


def shared_result(people: int = 200) -> IndexResult:
    """Two organizations that everybody rates, b a little better, with a strong common taste."""
    rng = np.random.default_rng(3)
    taste = rng.integers(2, 6, people)
    lift = rng.random((people, 2)) < (0.30, 0.42)
    rows = [(n, o, 0, taste[n] + lift[n, o]) for n in range(people) for o in (0, 1)]
    return compute_index(answered(small_study(["a", "b"]), rows))


def test_shared_respondents_make_grades_surer() -> None:
    result = shared_result()
    found = forced_bands(result, {"up": 1, "down": 1}, None, rules=LOOSE, draws=20_000)
    difference = result.index.transform([[-1.0, 1.0]], lower=-100)
    expected = difference.probability_at_least(0.0)[0]
    alone = special.ndtr(difference.values[0] / np.sqrt(result.index.variance.sum()))
    assert alone < expected - 0.05
    np.testing.assert_allclose(found.probability_right, expected, atol=0.02)


def test_probabilities_repeat_and_follow_the_generator() -> None:
    result = scored([50.0, 50.5, 51.0], 1.0)
    make = [
        forced_bands(result, SABC, rules=LOOSE, draws=200, rng=rng).probability
        for rng in (None, np.random.default_rng(0), np.random.default_rng(1))
    ]
    np.testing.assert_array_equal(make[0], make[1])
    assert (make[0] != make[2]).any()


def test_where_an_error_is_not_known_no_probability_of_the_group_is() -> None:
    industries = ["a", "a", "b", "b"]
    result = scored([50.0, 60.0, 50.0, 60.0], [1, np.nan, 1, 1], industries=industries)
    found = forced_bands(result, {"up": 1, "down": 1}, rules=LOOSE, draws=10)
    assert found.grade.tolist() == ["down", "up", "down", "up"]
    assert np.isnan(found.probability_right).tolist() == [True, True, False, False]


@pytest.mark.parametrize("shares", [{}, {"S": 0}, {"S": -1, "A": 2}, {"S": np.nan}, {"S": np.inf}])
def test_shares_are_numbers_with_a_sum(shares: dict[str, float]) -> None:
    with pytest.raises(DefinitionError, match="shares: expected a share"):
        forced_bands(scored([50.0, 60.0]), shares)


def test_at_least_one_draw() -> None:
    with pytest.raises(MethodError, match="draws: expected 1"):
        forced_bands(scored([50.0, 60.0]), SABC, draws=0)


# -- draws of true scores ------------------------------------------------------------------------


def test_draws_have_the_covariance_and_the_t_distribution(monkeypatch: Any) -> None:
    monkeypatch.setattr(_banding, "_NUMBERS_DRAWN", 7000)
    pair = Estimates.independent(
        [50.0, 60.0, 70.0], [1.0, 2.0, 3.0], degrees_of_freedom=[8, 1e3, 5]
    )
    sums = pair.transform([[1.0, 0, 0], [0.5, 1, 0], [0, 0, 0.0]], values=[50.0, 60.0, 70.0])
    for scores in (pair, sums):
        blocks = list(draw_scores(scores, 60_000, np.random.default_rng(5)))
        assert len(blocks) > 20
        drawn = np.concatenate(blocks)
        assert drawn.shape == (60_000, 3)
        np.testing.assert_allclose(drawn.mean(axis=0), scores.values, atol=0.06)
        freedom = scores.degrees_of_freedom
        error = scores.standard_error
        many = np.where(np.isfinite(freedom), freedom, 1e9)
        heavier = np.sqrt(many / (many - 2))
        np.testing.assert_allclose(drawn.std(axis=0), error * heavier, rtol=0.05)
        covariance = scores.covariance()
        correlation = covariance[0, 1] / max(error[0] * error[1], 1e-9)
        assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(correlation, abs=0.03)
    assert (drawn[:, 2] == 70).all()


# -- percentile bands ----------------------------------------------------------------------------


def test_cut_points_are_quantiles_of_type_7_and_inclusive() -> None:
    scores = np.array([[10.0, 20.0, 30.0, 40.0, 50.0]])
    cuts = percentile_cuts(scores, [75, 50], None)
    assert cuts.tolist() == [[40, 30]]
    assert grade_by_cuts(scores, cuts).tolist() == [[2, 2, 1, 0, 0]]
    assert percentile_cuts(scores + 0.5, [75, 50], 0).tolist() == [[41, 31]]


# The regulation's cases: base star, above or below the mean, low reliability, beyond the cut.
CASES = [
    (5, "above", False, False, 5),
    (5, "", False, False, 4),
    (5, "above", True, False, 4),
    (5, "above", True, True, 5),
    (5, "", True, True, 4),
    (4, "", False, False, 4),
    (4, "above", False, False, 4),
    (4, "", True, False, 3),
    (4, "below", True, False, 3),
    (4, "above", True, False, 4),
    (3, "", False, False, 3),
    (3, "", True, False, 3),
    (3, "above", False, False, 4),
    (3, "below", True, False, 2),
    (2, "", False, False, 2),
    (2, "", True, False, 3),
    (2, "above", True, False, 3),
    (2, "below", True, False, 2),
    (1, "below", False, False, 1),
    (1, "", False, False, 2),
    (1, "below", True, False, 2),
    (1, "below", True, True, 1),
]


@pytest.mark.parametrize(("star", "side", "low", "beyond", "expected"), CASES)
def test_bands_are_moved_as_the_regulation_says(
    star: int, side: str, low: bool, beyond: bool, expected: int
) -> None:
    moved = moved_grades(
        np.array([5 - star]),
        above=np.array([side == "above"]),
        below=np.array([side == "below"]),
        low=np.array([low]),
        beyond=np.array([beyond]),
    )
    assert 5 - moved[0] == expected


SPREAD = [*np.linspace(50, 70, 20)]
RULE = PercentileRule(bands=STARS)


def test_small_errors_leave_the_ends_and_empty_the_middle() -> None:
    found = percentile_bands(scored(SPREAD, 0.01), RULE, draws=20)
    moved = found.moved
    assert moved is not None
    assert "".join(moved.base) == "11122233333344445555"
    # Every score differs from the mean, so the middle band moves up or down.
    assert "".join(found.grade) == "11122222224444445555"
    np.testing.assert_allclose(moved.reliability, 1, atol=1e-4)
    np.testing.assert_allclose(moved.difference, (np.array(SPREAD) - 60) * 20 / 19, atol=1e-9)
    np.testing.assert_allclose(found.probability.max(axis=1), 1)


def test_large_errors_move_the_ends_to_the_middle() -> None:
    rule = PercentileRule(bands=STARS, between_variance=100, adjustment=None)
    found = percentile_bands(scored(SPREAD, 6.0), rule, draws=400)
    assert set(found.grade) == {"4", "3", "2"}
    np.testing.assert_allclose(found.moved.reliability, 100 / 136)
    np.testing.assert_array_equal(found.moved.p, found.moved.adjusted_p)
    assert found.to_rows()[0]["base_grade"] == "1"
    # The true band is wide open.
    assert found.probability_right.max() < 0.7
    np.testing.assert_allclose(found.probability.sum(axis=1), 1)


def test_p_values_are_adjusted_unless_told() -> None:
    result = scored(SPREAD, 1.5)
    plain, holm, hochberg = (
        percentile_bands(result, PercentileRule(bands=STARS, adjustment=name), draws=1)
        for name in (None, "holm", "benjamini-hochberg")
    )
    np.testing.assert_array_equal(
        holm.moved.adjusted_p, adjust_p_values(plain.moved.p, method="holm")
    )
    np.testing.assert_array_equal(hochberg.moved.adjusted_p, adjust_p_values(plain.moved.p))
    assert (plain.grade != holm.grade).any()


def test_low_reliability_moves_and_too_low_has_no_grade() -> None:
    errors = [0.5] * 20
    errors[-1], errors[0], errors[10] = 7.0, 7.0, 20.0
    rule = PercentileRule(bands=STARS, between_variance=100, low_share=0.15, adjustment=None)
    found = percentile_bands(scored(SPREAD, errors), rule, draws=20)
    reliability = found.moved.reliability
    assert reliability[[0, 10, 19]] == pytest.approx([100 / 149, 100 / 500, 100 / 149])
    # Not significant at an error of 7: from the ends into the next bands.
    assert (found.grade[0], found.grade[19]) == ("2", "4")
    assert (found.grade[10], found.reasons[10]) == (None, "low reliability")
    assert np.isnan(found.probability_right[10])
    # Significant, low, and not far enough beyond the cut point.
    rule = PercentileRule(
        bands=STARS, between_variance=1.0, low_share=0.15, adjustment=None, margin=9.0,
        min_reliability=0.0,
    )  # fmt: skip
    found = percentile_bands(scored(SPREAD, [0.9] + [0.3] * 19), rule, draws=20)
    assert found.moved.p[0] < 1e-6
    assert (found.moved.base[0], found.grade[0], found.grade[1]) == ("1", "2", "1")
    near = PercentileRule(
        bands=STARS, between_variance=1.0, low_share=0.15, adjustment=None, min_reliability=0.0
    )
    assert percentile_bands(scored(SPREAD, [0.9] + [0.3] * 19), near, draws=20).grade[0] == "1"


def test_only_so_many_are_of_low_reliability() -> None:
    rule = PercentileRule(bands=STARS, between_variance=1.0, adjustment=None, min_reliability=0.0)
    # Everybody is as unreliable as everybody: nobody is among the lowest 12 per cent.
    found = percentile_bands(scored(SPREAD, 1.0), rule, draws=1)
    assert found.grade[0] == "1"
    some = percentile_bands(scored(SPREAD, [1.0, 1.1, 1.2] + [0.9] * 17), rule, draws=1)
    base = some.moved.base
    assert base[:3].tolist() == ["1", "1", "1"]
    assert some.grade[:3].tolist() == ["1", "1", "2"]


def test_reliability_is_found_from_the_group() -> None:
    found = percentile_bands(scored(SPREAD, 2.0), RULE, draws=1)
    between = np.var(SPREAD, ddof=1) - 4
    np.testing.assert_allclose(found.moved.reliability, between / (between + 4), rtol=1e-9)
    exact = percentile_bands(scored(SPREAD, 0.0), RULE, draws=1)
    assert (exact.moved.reliability == 1).all()
    assert exact.grade[-1] == "5"
    mixed = percentile_bands(scored(SPREAD, [1.0] + [0.0] * 19), RULE, draws=1)
    assert mixed.moved.reliability[0] == pytest.approx(
        1 - 1 / (1 + np.var(SPREAD, ddof=1)), rel=0.01
    )


def test_groups_need_peers_and_known_errors() -> None:
    industries = ["a"] * 20 + ["b"] * 10 + [None]
    errors = [1.0] * 31
    errors[19] = np.nan
    result = scored([*SPREAD, *range(50, 60), 50], errors, industries=industries)
    found = percentile_bands(result, RULE, "industry", draws=5)
    assert found.reasons.tolist() == [
        *[""] * 19,
        "error not known",
        *["few peers"] * 10,
        "unknown attribute",
    ]
    alone = percentile_bands(scored(SPREAD[:19], 1.0), RULE, draws=5)
    assert found.grade[:19].tolist() == alone.grade.tolist()
    assert np.isnan(found.moved.difference[19:]).all()
    assert found.moved.base[19] is None
    nobody = percentile_bands(scored([50.0, 60.0], None), RULE, draws=5)
    assert nobody.grade.tolist() == [None, None]
    assert nobody.scale == "15/30/60/80"


@pytest.mark.parametrize(
    "bands",
    [
        {"A": 50, "B": 0},
        {**STARS, "1": 5},
        {**STARS, "5": 100},
        {**STARS, "5": 60},
        [*STARS.items()][1:],
    ],
)
def test_five_bands(bands: Any) -> None:
    with pytest.raises(DefinitionError, match="expected five grades"):
        PercentileRule(bands=bands)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("significance", 0.0),
        ("adjustment", "none"),
        ("min_reliability", 1.1),
        ("low_reliability", -0.1),
        ("low_share", 2.0),
        ("margin", -1.0),
        ("between_variance", np.inf),
    ],
)
def test_numbers_of_a_rule(field: str, value: Any) -> None:
    with pytest.raises(MethodError, match=f"^{field}: expected"):
        PercentileRule(bands=STARS, **{field: value})


def test_notebooks_show_grades_in_both_languages() -> None:
    found = forced_bands(scored([50.0, 60.0, np.nan], 1.0), SABC, None, rules=LOOSE, draws=10)
    parse(found._repr_html_())
    english, korean = view_html(found._view("en")), view_html(found._view("ko"))
    assert english.index("o01") < english.index("o00") < english.index("o02")
    assert "Chance that it is right" in english
    assert "all organizations" in english
    assert "등급이 맞을 확률" in korean
    assert found.to_frame("polars")["P(S)"].to_list() == [0, 0, None]
