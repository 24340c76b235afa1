"""Points for achievement and improvement."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import cells_of, panel

from sotongindex.errors import DefinitionError, MethodError
from sotongindex.value_based import (
    PointsRule,
    achievement_points,
    improvement_points,
    score_improvement,
)

CELLS = cells_of()
NAN = float("nan")


def test_achievement_as_42_cfr_412_165_gives_it() -> None:
    # From the threshold on 1 to 9 points, 10 from the benchmark on, 0 below the threshold.
    scores = np.array([49.999, 50, 79.999, 80, 95])
    assert achievement_points(scores, 50, 80).tolist() == [0, 1, 9, 10, 10]
    # 9 (s - T)/(B - T) + .5 at s = .8163, T = .6548, B = .9191, by hand: 5.9995, so 6.
    assert achievement_points(0.8163, 0.6548, 0.9191).item() == 6


def test_improvement_as_42_cfr_412_165_gives_it() -> None:
    # 0 to 9 points above the own baseline, 10 from the benchmark on, none at the baseline or below.
    scores = np.array([39, 40, 40.5, 79.99, 80])
    assert improvement_points(scores, 40, 80).tolist() == [0, 0, 0, 9, 10]
    # 10 (s - b)/(B - b) - .5 at s = .8163, b = .4297, B = .9191, by hand: 7.3995, so 7.
    assert improvement_points(0.8163, 0.4297, 0.9191).item() == 7
    # .70 from a baseline of .21: 10 * .49/.7091 - .5 = 6.41, so 6.
    assert improvement_points(0.70, 0.21, 0.9191).item() == 6


def test_halves_go_up_and_plain_points_are_not_rounded() -> None:
    plain = PointsRule(rounded=False)
    assert achievement_points(65, 50, 80).item() == 5
    assert achievement_points(66, 50, 80, rule=plain).item() == pytest.approx(5.3)
    assert improvement_points(66, 50, 80, rule=plain).item() == pytest.approx(10 * 16 / 30 - 0.5)
    bare = PointsRule(achievement_shift=0, achievement_span=1, full=1, rounded=False)
    assert achievement_points(65, 50, 80, rule=bare).item() == pytest.approx(0.5)


def test_more_is_never_fewer_points() -> None:
    scores = np.linspace(0, 100, 501)
    for points in (achievement_points(scores, 50, 80), improvement_points(scores, 30, 80)):
        assert (np.diff(points) >= 0).all()
        assert (points.min(), points.max()) == (0, 10)


@pytest.mark.parametrize("name", ["full", "achievement_span", "improvement_span"])
def test_rules_without_points(name: str) -> None:
    with pytest.raises(DefinitionError, match=f"PointsRule.{name}"):
        PointsRule(**{name: 0.0})


def test_missing_numbers_have_no_points() -> None:
    assert np.isnan(achievement_points([NAN, 60.0, 60.0], [50, NAN, 50], [80, 80, NAN])).all()
    assert np.isnan(improvement_points([60.0], [NAN], [80.0])).all()


def test_a_threshold_at_the_benchmark_gives_all_or_nothing() -> None:
    assert achievement_points([69.0, 70.0], 70, 70).tolist() == [0, 10]


# -- of an index ---------------------------------------------------------------------------------


def test_the_higher_of_both_counts() -> None:
    before, now = panel(CELLS), panel(CELLS + np.linspace(-2, 8, 24)[:, None, None])
    found = score_improvement(now, before)
    start, score = before.index.values, now.index.values
    for place in range(24):
        others = np.sort(np.delete(start, place))
        threshold, benchmark = np.median(others), others[-3:].mean()
        achieved = achievement_points(score[place], threshold, benchmark)
        improved = improvement_points(score[place], start[place], benchmark)
        assert found.achievement[place] == achieved
        assert found.improvement[place] == improved
        assert found.points[place] == max(achieved, improved)
    assert ((found.low <= found.points) & (found.points <= found.high)).all()


def test_points_without_error_are_certain() -> None:
    before, now = panel(CELLS, error=0.0), panel(CELLS + 2, error=0.0)
    found = score_improvement(now, before, threshold=55.0, benchmark=70.0)
    np.testing.assert_allclose(found.expected, found.points)
    np.testing.assert_allclose(found.low, found.high)


def test_numbers_leave_nobody_out() -> None:
    before = panel(CELLS)
    found = score_improvement(before, before, threshold=50.0, benchmark=80.0, channel="app")
    np.testing.assert_allclose(found.threshold.values, 50)
    np.testing.assert_allclose(found.score.values, before.channels.values[:, 1])
    assert (found.improvement == np.where(found.score.values >= 80, 10, 0)).all()


def test_newcomers_have_no_points() -> None:
    before, now = panel(CELLS[:20]), panel(CELLS)
    found = score_improvement(now, before)
    assert found.reasons.tolist() == [""] * 20 + ["no baseline"] * 4
    assert np.isnan(found.points[20:]).all()
    assert found.to_rows()[23]["points"] is None


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"draws": 1}, MethodError), ({"channel": "tv"}, DefinitionError)],
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        score_improvement(panel(CELLS), panel(CELLS), **arguments)


def test_points_are_shown() -> None:
    found = score_improvement(panel(CELLS), panel(CELLS - 1))
    assert "Points for achievement and improvement" in found._repr_html_()
    assert str(found).startswith("points of 24 of 24")
    none = score_improvement(panel(CELLS, respondents=4), panel(CELLS))
    assert str(none).endswith("not known")
