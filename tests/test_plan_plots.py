"""Pictures of targets and plans: what they hold, in both languages, and what they hide."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import reported
from panels import cells_of, panel

pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'sotongindex[plot]'")

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from sotongindex import _plotting, plan_plots
from sotongindex.errors import MethodError
from sotongindex.importance import importance_performance
from sotongindex.models import PeerStatistic, Target
from sotongindex.planning import PlanLever, plan_improvement
from sotongindex.results import IndexResult

LANGUAGES = ("ko", "en")
KINDS = plan_plots.__all__
MEDIAN = PeerStatistic(statistic="median")


@pytest.fixture(scope="module")
def result() -> IndexResult:
    return panel(cells_of())


@pytest.fixture(autouse=True)
def nothing_global_changes() -> Iterator[None]:
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before


@pytest.fixture(autouse=True)
def some_korean_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let texts be written on a machine without Korean letters too: only drawing needs them."""
    if _plotting.korean_font() is None:
        monkeypatch.setattr(_plotting, "korean_font", lambda: "DejaVu Sans")


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.findobj(Text) if text.get_text()]


def drawn(kind: str, result: IndexResult, organization: str = "o3", **more: Any) -> Axes:
    """Draw one picture of each kind."""
    pictures = {
        "gap_waterfall": lambda: plan_plots.gap_waterfall(
            plan_improvement(result, organization, 75.0), **more
        ),
        "bullet_chart": lambda: plan_plots.bullet_chart(result, organization, 75.0, **more),
        "importance_map": lambda: plan_plots.importance_map(
            importance_performance(result), organization, **more
        ),
    }
    return pictures[kind]()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_axes_are_taken_and_returned(kind: str, language: str, result: IndexResult) -> None:
    axes = Figure().add_subplot()
    assert drawn(kind, result, axes=axes, language=language) is axes
    assert axes.has_data()
    own = drawn(kind, result, language=language)
    assert own is not axes
    own.figure.savefig(io.BytesIO(), format="png", dpi=30)


@pytest.mark.parametrize("kind", KINDS)
def test_the_languages_differ(kind: str, result: IndexResult) -> None:
    korean, english = (texts(drawn(kind, result, language=one)) for one in LANGUAGES)
    assert any("가" <= letter <= "힣" for text in korean for letter in text)
    assert korean != english
    with pytest.raises(MethodError, match="did you mean 'ko'"):
        drawn(kind, result, language="kor")


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_never_read_as_mathematics(kind: str) -> None:
    found = reported.findings().index
    axes = drawn(kind, found, organization="org-00")
    nasty = [text for text in axes.findobj(Text) if "<script>" in text.get_text()]
    assert nasty
    assert not any(text.get_parse_math() for text in axes.findobj(Text) if text in nasty)


# -- the waterfall -------------------------------------------------------------------------------


def test_steps_add_up_to_the_plan(result: IndexResult) -> None:
    plan = plan_improvement(result, "o3", 72.0)
    axes = plan_plots.gap_waterfall(plan)
    found = texts(axes)
    assert f"{plan.planned:.1f}" in found
    assert "aim 72.0" in found
    bars = [patch for patch in axes.patches if patch.get_height() == pytest.approx(0.56)]
    widths = [bar.get_width() for bar in bars]
    raised = np.sort(plan.gain[plan.rise > 0])[::-1]
    np.testing.assert_allclose(widths[2:], raised)
    assert "short of the aim" in axes.get_xlabel()


def test_many_levers_share_one_step(result: IndexResult) -> None:
    levers = [
        PlanLever(channel=c, dimension=d, cap=100)
        for c in ("blog", "app")
        for d in ("openness", "usefulness", "response")
    ]
    plan = plan_improvement(result, "o3", 72.0, levers=levers)
    axes = plan_plots.gap_waterfall(plan, most=2)
    assert len(axes.get_yticks()) == 5
    assert "not drawn: 4 more" in texts(axes)
    assert "short" not in axes.get_xlabel()
    with pytest.raises(MethodError, match="most"):
        plan_plots.gap_waterfall(plan, most=0)


def test_an_empty_plan_has_no_steps(result: IndexResult) -> None:
    axes = plan_plots.gap_waterfall(plan_improvement(result, "o3", 1.0))
    assert len(axes.get_yticks()) == 2


# -- bullets -------------------------------------------------------------------------------------


def test_bullets_hold_scores_targets_and_quarters(result: IndexResult) -> None:
    axes = plan_plots.bullet_chart(result, "o3", Target(score=MEDIAN), level="channels")
    scores = result.channels.values
    for column in range(2):
        aim = np.median(np.delete(scores[:, column], 3))
        gap = aim - scores[3, column]
        sign = "+" if gap > 0 else "−"
        assert f"{scores[3, column]:.1f} / {aim:.1f} ({sign}{abs(gap):.1f})" in texts(axes)
    shades = [patch for patch in axes.patches if patch.get_height() == pytest.approx(0.7)]
    assert len(shades) == 8
    assert "everyone else" in axes.get_xlabel()


def test_few_peers_have_no_quarters() -> None:
    axes = plan_plots.bullet_chart(panel(cells_of(6)), "o3", 70.0)
    assert not [patch for patch in axes.patches if patch.get_height() == pytest.approx(0.7)]
    assert "quarters" not in axes.get_xlabel()


def test_hidden_scores_say_why() -> None:
    cells = cells_of()
    cells[3, 1] = np.nan
    axes = plan_plots.bullet_chart(panel(cells), "o3", 70.0, level="channels")
    assert "no score" in texts(axes)
    nothing = plan_plots.bullet_chart(panel(cells_of(), respondents=4), "o3", 70.0)
    assert texts(nothing).count("too few respondents") == 3


# -- importance and performance ------------------------------------------------------------------


def test_the_map_names_quadrants_and_chances(result: IndexResult) -> None:
    found = importance_performance(result)
    axes = plan_plots.importance_map(found, "o3")
    words = texts(axes)
    assert {"concentrate here", "keep up", "low priority", "possible overkill"} <= set(words)
    assert any(text.startswith("1  openness (") for text in words)
    assert len([text for text in words if text in {"1", "2", "3"}]) == 3


def test_crosses_of_peers_are_ticks(result: IndexResult) -> None:
    found = importance_performance(result, center=MEDIAN)
    axes = plan_plots.importance_map(found, "o3")
    ticks = next(line for line in axes.lines if line.get_marker() == "|")
    np.testing.assert_allclose(ticks.get_xdata(), found.performance_center[3])


def test_maps_of_nothing(result: IndexResult) -> None:
    hidden = importance_performance(panel(cells_of(), respondents=4))
    with pytest.raises(MethodError, match="no part of 'o3' is shown: few respondents"):
        plan_plots.importance_map(hidden, "o3")
    with pytest.raises(MethodError, match="unknown organization 'o33'"):
        plan_plots.importance_map(importance_performance(result), "o33")
    flat = importance_performance(panel(np.full((12, 2, 3), 60.0), error=0.0))
    assert plan_plots.importance_map(flat, "o0").has_data()
    bare = importance_performance(panel(cells_of(), error=None))
    assert plan_plots.importance_map(bare, "o0").has_data()
