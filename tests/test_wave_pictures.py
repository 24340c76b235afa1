"""Pictures of waves: what is drawn, what may not be shown, and texts as they are."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import attrs
import numpy as np
import pytest
from waves import LOOSE, answered, published, study_of

pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'sotongindex[plot]'")

from matplotlib.axes import Axes
from matplotlib.text import Text

from sotongindex import _plotting, plots
from sotongindex.change import decompose_change, link_waves, project
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import IndexMethod
from sotongindex.models import Organization
from sotongindex.results import IndexResult


@pytest.fixture(autouse=True)
def some_korean_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let texts be written on a machine without Korean letters too: only drawing needs them."""
    if _plotting.korean_font() is None:
        monkeypatch.setattr(_plotting, "korean_font", lambda: "DejaVu Sans")


def texts(axes: Axes) -> str:
    return "\n".join(text.get_text() for text in axes.findobj(Text))


def drawn(axes: Axes) -> bytes:
    page = io.BytesIO()
    axes.figure.savefig(page, format="svg")
    return page.getvalue()


def series(**more: Any) -> list[IndexResult]:
    scores = {"a": [50, 52, 55], "b $x_1$": [60, 58, 59], "c": [40, np.nan, 44]}
    return [
        published({key: values[n] for key, values in scores.items()}, wave=f"201{n}", **more)
        for n in range(3)
    ]


# -- waves ---------------------------------------------------------------------------------------


def test_lines_stand_at_their_dates_with_their_intervals() -> None:
    waves = series()
    axes = plots.wave_lines(waves, ["a", "b $x_1$"], target=57)
    line = axes.lines[0]
    np.testing.assert_allclose(line.get_ydata(), [50, 52, 55])
    days = [date(2010 + n, 1, 1).toordinal() for n in range(3)]
    np.testing.assert_allclose(np.diff(line.get_xdata()), np.diff(days))
    segments = axes.collections[0].get_segments()  # type: ignore[attr-defined]
    np.testing.assert_allclose(
        [one[:, 1] for one in segments],
        np.c_[[wave.index.low[0] for wave in waves], [wave.index.high[0] for wave in waves]],
    )
    assert {"b $x_1$", "target 57.0", "2011"} <= set(texts(axes).split("\n"))
    assert drawn(axes)


def test_a_projection_is_hollow_and_in_the_legend() -> None:
    waves = series()
    found = project(waves, 57.0, due=date(2013, 1, 1), rules=LOOSE)
    axes = plots.wave_lines(waves, "a", projection=found, language="ko")
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_ydata()[0] for line in hollow] == [55.0]  # type: ignore[index]
    assert "a · 목표 달성" in texts(axes)
    assert "2013-01-01" in texts(axes)
    assert "목표 57.0" in texts(axes)
    no_target = project(waves, due=date(2013, 1, 1), rules=LOOSE)
    assert "목표" not in texts(plots.wave_lines(waves, "a", projection=no_target, language="ko"))


def test_waves_without_dates_stand_at_equal_distances() -> None:
    waves = [attrs.evolve(one, study=attrs.evolve(one.study, wave=None)) for one in series()]
    axes = plots.wave_lines(waves, "a")
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [0, 1, 2])
    found = project(series(), 57.0, due=date(2013, 1, 1), rules=LOOSE)
    with pytest.raises(MethodError, match="expected a projection of these waves, named by dates"):
        plots.wave_lines(waves, "a", projection=found)


def test_unknown_errors_are_hollow_and_missing_scores_are_gaps() -> None:
    unknown = [published({"a": 50 + n}, None, wave=f"201{n}") for n in range(2)]
    axes = plots.wave_lines(unknown, "a")
    assert [line.get_markerfacecolor() for line in axes.lines[1:]] == ["white"]
    gap = plots.wave_lines(series(), "c").lines[0].get_ydata()
    np.testing.assert_array_equal(np.isnan(gap), [False, True, False])


def test_scores_of_few_respondents_are_not_drawn() -> None:
    study = study_of()
    waves = [
        answered(study, np.random.default_rng(n), people=range(people))
        for n, people in ((1, 40), (2, 5))
    ]
    values = plots.wave_lines(waves, "a").lines[0].get_ydata()
    np.testing.assert_array_equal(np.isnan(values), [False, True])
    both = plots.wave_lines(waves, "a", rules=LOOSE, channel="blog").lines[0].get_ydata()
    assert not np.isnan(both).any()


def test_a_chain_marks_where_the_framework_changed() -> None:
    early = answered(study_of(wave="2011"), np.random.default_rng(1))
    items = [("q1", "d1"), ("q9", "d2")]
    late = answered(study_of(items=items, version="2", wave="2012"), np.random.default_rng(2))
    chain = link_waves([early, late], common_items=True)
    axes = plots.wave_lines(chain, "a")
    assert "another framework" in texts(axes)


def test_lines_are_checked() -> None:
    with pytest.raises(MethodError, match="expected 1 to 6 organizations, got 0"):
        plots.wave_lines(series(), [])
    with pytest.raises(MethodError, match="unknown organization 'aa'; did you mean 'a'"):
        plots.wave_lines(series(), "aa")
    with pytest.raises(DefinitionError, match="'vlog'"):
        plots.wave_lines(series(), "a", channel="vlog")


# -- parts of a change ---------------------------------------------------------------------------


def pair(**more: Any) -> tuple[IndexResult, IndexResult]:
    few = Organization(key="b", channels=["blog"])
    return (
        answered(study_of(["a", few]), np.random.default_rng(1), **more),
        answered(study_of(["a", "b", "new"]), np.random.default_rng(2), **more),
    )


@pytest.mark.parametrize("language", ["ko", "en"])
def test_bars_are_the_terms_that_did_something(language: Any) -> None:
    found = decompose_change(*pair())
    axes = plots.decomposition_bars(found, "b", language=language)
    widths = [bar.get_width() for bar in axes.patches]  # type: ignore[attr-defined]
    place = found.organizations.index("b")
    effects = found.effects.values[place]
    np.testing.assert_allclose(widths, effects[effects != 0])
    assert sum(widths) == pytest.approx(found.change.values[place])
    names = {"ko": "새로 들어온 채널", "en": "channels that entered"}
    assert names[language] in texts(axes)
    mean = plots.decomposition_bars(found, language=language)
    total = sum(bar.get_width() for bar in mean.patches)  # type: ignore[attr-defined]
    assert total == pytest.approx(float(found.mean_change.values))
    assert {"ko": "새로 들어온 기관", "en": "organizations that entered"}[language] in texts(mean)
    if language == "en":  # Korean letters are drawn where there is a font that has them
        assert drawn(axes)


def test_bars_of_scores_by_channel_and_dimension() -> None:
    found = decompose_change(*pair())
    axes = plots.decomposition_bars(found, "a", parts="scores")
    assert "d2 · video" in texts(axes)
    assert len(axes.patches) == 4
    alone = decompose_change(published({"a": 50}), published({"a": 55}))
    assert "d1" in texts(plots.decomposition_bars(alone, "a", parts="scores")).split("\n")
    same = decompose_change(published({"a": 50}), published({"a": 50}))
    assert len(plots.decomposition_bars(same, "a", parts="scores").patches) == 1
    assert len(plots.decomposition_bars(same, "a").patches) == 1


def test_what_may_not_be_shown_or_is_not_told_is_refused() -> None:
    found = decompose_change(*pair())
    with pytest.raises(MethodError, match="'new' cannot be shown: only after"):
        plots.decomposition_bars(found, "new")
    with pytest.raises(MethodError, match="unknown organization 'z'"):
        plots.decomposition_bars(found, "z")
    with pytest.raises(MethodError, match='expected "terms" or "scores", got \'items\''):
        plots.decomposition_bars(found, "a", parts="items")  # type: ignore[arg-type]
    with pytest.raises(MethodError, match="scores are told by organization"):
        plots.decomposition_bars(found, parts="scores")
    few = decompose_change(*pair(people=range(20)))
    with pytest.raises(MethodError, match="'a' cannot be shown: few respondents"):
        plots.decomposition_bars(few, "a")
    bent = decompose_change(*pair(method=IndexMethod(power=0.5)))
    with pytest.raises(MethodError, match="only where all means are arithmetic"):
        plots.decomposition_bars(bent, "a", parts="scores")
