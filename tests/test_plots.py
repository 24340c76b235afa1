"""Pictures: axes in and out, texts as they are, nothing hidden shown, nothing global touched."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import attrs
import numpy as np
import pytest
import reported
from support import answered, small_study

pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'sotongindex[plot]'")

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text

from sotongindex import _plotting, plots
from sotongindex._disclosure import DisclosureRules
from sotongindex._funnel import funnel_limits
from sotongindex._heat import heat_cells
from sotongindex._marks import _half_width
from sotongindex.benchmark import compare_to_peers
from sotongindex.change import decompose_change
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import compute_index
from sotongindex.models import Channel, Label, Organization
from sotongindex.recipe import Findings
from sotongindex.results import IndexResult

LANGUAGES = ("ko", "en")
needs_letters = pytest.mark.skipif(
    _plotting.korean_font() is None,
    reason="needs a font with Korean letters: apt-get install fonts-nanum",
)
MATH = "R$_{D}$ & $x^2"


@pytest.fixture(scope="module")
def findings() -> Findings:
    return reported.findings()


@pytest.fixture(scope="module")
def result(findings: Findings) -> IndexResult:
    return findings.index


@pytest.fixture(autouse=True)
def nothing_global_changes() -> Iterator[None]:
    before = dict(mpl.rcParams)
    had_pyplot = "matplotlib.pyplot" in sys.modules
    yield
    assert dict(mpl.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == had_pyplot


@pytest.fixture
def no_korean_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_plotting, "korean_font", lambda: None)


@pytest.fixture(autouse=True)
def some_korean_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let texts be written on a machine without Korean letters too: only drawing needs them."""
    if _plotting.korean_font() is None:
        monkeypatch.setattr(_plotting, "korean_font", lambda: "DejaVu Sans")


def texts(axes: Axes) -> list[str]:
    """Return every text of a picture."""
    return [text.get_text() for text in axes.findobj(Text) if text.get_text()]


def tick_names(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def everybody(result: IndexResult) -> tuple[np.ndarray, np.ndarray]:
    """Return rank sets that say nothing."""
    count = len(result.organizations)
    return np.ones(count), np.full(count, count)


def drawn(name: str, findings: Findings, **more: object) -> Axes:
    """Draw one picture of each kind."""
    result = findings.index
    pictures = {
        "caterpillar": lambda: plots.caterpillar(result, **more),
        "league_table": lambda: plots.league_table(result, everybody(result), **more),
        "funnel": lambda: plots.funnel(result, **more),
        "percentile_strip": lambda: plots.percentile_strip(findings.benchmarks, "org-00", **more),
        "heat_map": lambda: plots.heat_map(result, "org-00", **more),
        "wave_lines": lambda: plots.wave_lines([result, result], "org-00", **more),
        "decomposition_bars": lambda: plots.decomposition_bars(
            decompose_change(result, result), "org-00", **more
        ),
    }
    return pictures[name]()


KINDS = [name for name in plots.__all__ if name.islower()]


# -- what all have in common ---------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_axes_are_taken_and_returned(kind: str, language: str, findings: Findings) -> None:
    axes = Figure().add_subplot()
    assert drawn(kind, findings, axes=axes, language=language) is axes
    assert axes.has_data() or axes.patches
    own = drawn(kind, findings, language=language)
    assert isinstance(own, Axes)
    assert own is not axes


@pytest.mark.parametrize("kind", KINDS)
def test_the_languages_differ(kind: str, findings: Findings) -> None:
    korean, english = (texts(drawn(kind, findings, language=one)) for one in LANGUAGES)
    assert any("가" <= letter <= "힣" for text in korean for letter in text)
    assert korean != english


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_language_is_an_error(kind: str, findings: Findings) -> None:
    with pytest.raises(MethodError, match="did you mean 'ko'"):
        drawn(kind, findings, language="kor")


def test_an_unknown_organization_is_an_error(findings: Findings) -> None:
    for picture, source in (
        (plots.heat_map, findings.index),
        (plots.percentile_strip, findings.benchmarks),
    ):
        with pytest.raises(MethodError, match="did you mean 'org-"):
            picture(source, "org-0")


def with_math(findings: Findings) -> Findings:
    """Name everything so that matplotlib would read mathematics, and fail."""
    result = findings.index
    label = Label(ko=MATH, en=MATH)
    framework = attrs.evolve(
        result.study.framework,
        channels=[Channel(key="blog", label=label), Channel(key="video", label=label)],
    )
    named = [
        Organization(key=one.key, industry=one.industry, label=label)
        for one in result.study.organizations
    ]
    study = attrs.evolve(result.study, framework=framework, organizations=named)
    changed = attrs.evolve(result, study=study)
    return Findings(index=changed, benchmarks=compare_to_peers(changed), gaps=findings.gaps)


@needs_letters
@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_never_read_as_mathematics(kind: str, findings: Findings) -> None:
    more = {"highlight": "org-00"} if kind in {"funnel", "caterpillar"} else {}
    axes = drawn(kind, with_math(findings), **more)
    with_label = [text for text in axes.findobj(Text) if "$" in text.get_text()]
    assert any(MATH in text.get_text() for text in with_label)
    assert not any(text.get_parse_math() or text.get_usetex() for text in with_label)
    # Where mathematics is read, this text cannot be drawn.
    axes.figure.savefig(io.BytesIO(), format="png", dpi=30)


@needs_letters
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_is_drawn(kind: str, language: str, findings: Findings) -> None:
    file = io.BytesIO()
    drawn(kind, findings, language=language).figure.savefig(file, format="png", dpi=40)
    assert file.getvalue().startswith(b"\x89PNG")


def test_without_matplotlib_the_error_says_what_to_install(
    result: IndexResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MethodError, match=r"pip install 'sotongindex\[plot\]'"):
        plots.caterpillar(result)


# -- fonts ---------------------------------------------------------------------------------------


def test_without_korean_letters_the_error_names_a_font(
    result: IndexResult, no_korean_font: None
) -> None:
    with pytest.raises(MethodError, match="NanumGothic") as caught:
        plots.caterpillar(result, language="ko")
    assert caught.value.argument == "language"
    # English text needs no Korean letters.
    assert plots.caterpillar(result, organizations=["org-05"], language="en")


def test_korean_labels_need_the_letters_in_english_too(
    result: IndexResult, no_korean_font: None
) -> None:
    with pytest.raises(MethodError, match="Korean letters"):
        plots.caterpillar(result, organizations=["org-02"], language="en")


def test_the_font_of_the_user_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts = {"Mine": "mine.ttf", "NanumGothic": "nanum.ttf", "Strange": "strange.ttf"}
    korean = {"nanum.ttf", "mine.ttf", "strange.ttf"}
    monkeypatch.undo()  # of the letters that are taken for granted elsewhere
    monkeypatch.setattr(_plotting, "_font_files", lambda: fonts)
    monkeypatch.setattr(_plotting, "_has_hangul", korean.__contains__)
    with mpl.rc_context({"font.family": ["Not installed", "Mine"]}):
        assert _plotting.korean_font() == "Mine"
        korean.remove("mine.ttf")
        assert _plotting.korean_font() == "NanumGothic"
        del fonts["NanumGothic"]
        assert _plotting.korean_font() == "Strange"
        korean.clear()
        assert _plotting.korean_font() is None


def test_letters_are_looked_up_in_the_font() -> None:
    files = _plotting._font_files()
    assert not _plotting._has_hangul(files["DejaVu Sans"])
    nanum = files.get("NanumGothic")
    if nanum is None:
        pytest.skip("needs NanumGothic: apt-get install fonts-nanum")
    assert _plotting._has_hangul(nanum)


# -- caterpillar ---------------------------------------------------------------------------------


def test_the_caterpillar_has_the_highest_score_at_the_top(result: IndexResult) -> None:
    axes = plots.caterpillar(result, organizations=["org-03", "org-11", "org-07"])
    assert tick_names(axes) == ["org-11", "org-07", "org-03"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    dots = axes.lines[0]
    places = [result.organizations.index(key) for key in ("org-11", "org-07", "org-03")]
    assert dots.get_xdata().tolist() == result.index.values[places].tolist()


def test_scores_of_too_few_respondents_are_counted_not_drawn(result: IndexResult) -> None:
    axes = plots.caterpillar(result)
    names = tick_names(axes)
    assert len(names) == len(result.organizations) - 2
    assert not {reported.SMALL, reported.SILENT} & set(names)
    assert axes.get_xlabel().endswith("not shown, for no score or too few respondents: 2")
    everything = plots.caterpillar(result, rules=DisclosureRules(min_respondents_show=1))
    assert reported.SMALL in tick_names(everything)


def test_many_organizations_are_drawn_and_some_are_named(result: IndexResult) -> None:
    axes = plots.caterpillar(result, most=4, highlight="org-00")
    # 13 rows, every fourth named; a neighbour makes room for the one that is marked.
    assert len(tick_names(axes)) <= 5
    marked = [name for name in tick_names(axes) if name.startswith(_plotting.MARK)]
    assert len(marked) == 1
    assert len(axes.lines[0].get_xdata()) == 13


def test_rank_sets_stand_beside_the_names(result: IndexResult) -> None:
    low, high = (end.copy() for end in everybody(result))
    one = result.organizations.index("org-07")
    low[one], high[one] = 2, 5
    alone = result.organizations.index("org-08")
    low[alone] = high[alone] = 3
    none = result.organizations.index("org-09")
    low = np.where(np.arange(len(low)) == none, np.nan, low)
    axes = plots.caterpillar(
        result, organizations=["org-07", "org-08", "org-09"], ranks=(low, high)
    )
    assert {"Ranks", "2–5", "3", "–"} <= set(texts(axes))


def test_unknown_errors_are_hollow_and_said() -> None:
    result = reported.published().index
    axes = plots.caterpillar(result, highlight="org-00")
    assert "hollow dot: error not known" in axes.get_xlabel()
    assert [line.get_markerfacecolor() for line in axes.lines[:2]] == ["black", "white"]
    assert len(axes.lines[0].get_xdata()) == 0


def test_nobody_to_draw_is_an_empty_picture(result: IndexResult) -> None:
    axes = plots.caterpillar(result, organizations=[reported.SILENT])
    assert tick_names(axes) == []
    assert (
        plots.league_table(
            result, everybody(result), rules=DisclosureRules(min_respondents_show=1000)
        )
        .get_xlabel()
        .endswith(str(len(result.organizations)))
    )
    assert plots.funnel(result, rules=DisclosureRules(min_respondents_show=1000))


@pytest.mark.parametrize(
    ("ranks", "message"),
    [
        (([1.0], [2.0]), "expected 15 lower and 15 upper ends"),
        (3, "expected a pair"),
        (([2.0] * 15, [1.0] * 15), "15 of 15 lower ends"),
    ],
)
def test_ranks_that_do_not_fit_are_errors(ranks: object, message: str, result: IndexResult) -> None:
    with pytest.raises(MethodError, match=message) as caught:
        plots.caterpillar(result, ranks=ranks)
    assert caught.value.argument == "ranks"


def test_an_unknown_channel_is_an_error(result: IndexResult) -> None:
    with pytest.raises(DefinitionError, match="did you mean 'blog'"):
        plots.caterpillar(result, channel="blogs")
    assert plots.caterpillar(result, channel="blog", dimension="use").get_title("left") == (
        "Blog · use"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_one_organization_alone(kind: str) -> None:
    study = small_study([Organization(key="only", industry="air")], channels=["blog"])
    result = compute_index(
        answered(study, [(person, "only", "blog", 1 + person % 7) for person in range(40)])
    )
    findings = Findings(index=result, benchmarks=compare_to_peers(result), gaps=None)
    pictures = {
        "percentile_strip": lambda: plots.percentile_strip(findings.benchmarks, "only"),
        "heat_map": lambda: plots.heat_map(result, "only"),
        "wave_lines": lambda: plots.wave_lines([result, result], "only"),
        "decomposition_bars": lambda: plots.decomposition_bars(
            decompose_change(result, result), "only"
        ),
    }
    axes = pictures[kind]() if kind in pictures else drawn(kind, findings)
    axes.figure.savefig(io.BytesIO(), format="png", dpi=30)
    assert any("only" in text for text in texts(axes)) or kind == "funnel"


# -- league table --------------------------------------------------------------------------------


def test_bars_reach_from_the_best_to_the_worst_rank(result: IndexResult) -> None:
    low, high = everybody(result)
    low[result.organizations.index("org-11")], high[result.organizations.index("org-11")] = 1, 4
    axes = plots.league_table(result, (low, high))
    order = [name.split("  ")[0] for name in tick_names(axes)]
    bar = axes.patches[order.index("org-11")]
    assert (bar.get_x(), bar.get_x() + bar.get_width()) == (0.5, 4.5)
    assert tick_names(axes)[0].endswith("  1")


def test_highlighted_organizations_are_drawn_below_the_best(result: IndexResult) -> None:
    axes = plots.league_table(result, everybody(result), most=3, highlight=["org-01", "org-11"])
    names = tick_names(axes)
    assert len(names) == 4
    assert names[-1].startswith(_plotting.MARK)
    assert "not drawn: 9 more" in axes.get_xlabel()
    places = axes.get_yticks()
    assert np.diff(places).round(2).tolist() == [1.0, 1.0, 1.7]


def test_ranks_are_counted_among_those_that_have_a_set(result: IndexResult) -> None:
    low, high = everybody(result)
    low[result.organizations.index("org-11")] = np.nan
    axes = plots.league_table(result, (low, high))
    ranks = [int(name.split("  ")[-1]) for name in tick_names(axes)]
    assert ranks == list(range(1, 13))
    assert not any("org-11" in name for name in tick_names(axes))
    assert "not shown, for no set of ranks: 1" in axes.get_xlabel()


def test_scores_without_error_have_no_interval() -> None:
    result = reported.published().index
    axes = plots.league_table(result, everybody(result))
    assert not any("(" in text for text in texts(axes) if text[0].isdigit())


# -- funnel --------------------------------------------------------------------------------------


def test_points_beyond_their_own_limits_are_told_apart(result: IndexResult) -> None:
    axes = plots.funnel(result, limits={0.95: (45.0, 52.0), 0.998: (40.0, 57.0)}, most=1)
    shown = result.index.values[result.counts.respondents >= 10]
    clouds = {line.get_label(): len(line.get_xdata()) for line in axes.lines}
    far = ((shown < 40) | (shown > 57)).sum()
    inside = ((shown >= 45) & (shown <= 52)).sum()
    assert 0 < far < len(shown)
    assert clouds["beyond its own 99.8% limits"] == far
    assert clouds["within its limits"] == inside
    assert clouds["beyond its own 95% limits"] == len(shown) - far - inside
    names = [text.get_text() for text in axes.findobj(Annotation)]
    farthest = np.nanargmax(np.abs(result.index.values - 48.5))
    assert names == [result.study.organizations[farthest].name("en")]


def test_the_record_of_the_limits_is_taken_as_it_is(result: IndexResult) -> None:
    limits = funnel_limits(result.index.values, result.index.standard_error, target=40.0)
    axes = plots.funnel(result, limits=limits)
    assert "middle 40.0" in [line.get_label() for line in axes.lines]


def test_limits_over_respondents_follow_their_errors() -> None:
    # With errors 10 / sqrt(n) and no other spread the curve is exact.
    respondents = np.array([25.0, 100.0, 400.0])
    at = np.array([25.0, 64.0, 400.0])
    assert _half_width(respondents, 10 / np.sqrt(respondents), at) == pytest.approx(
        [2.0, 1.25, 0.5]
    )
    assert _half_width(respondents[:1], np.array([3.0]), at).tolist() == [3.0, 3.0, 3.0]
    assert np.isnan(_half_width(respondents, np.full(3, np.nan), at)).all()


def test_limits_that_are_not_known_are_said() -> None:
    result = reported.findings().index
    error = result.index.standard_error.copy()
    error[0] = np.nan
    limits = funnel_limits(result.index.values, error)
    labels = [line.get_label() for line in plots.funnel(result, limits=limits).lines]
    assert "limits not known" in labels


def test_organizations_without_known_respondents_are_counted() -> None:
    axes = plots.funnel(reported.published().index)
    assert "for no known number of respondents: 15" in axes.get_xlabel()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({}, "one level or more"),
        ({95: (40.0, 60.0)}, "share between 0 and 1"),
        ({0.95: ([40.0], [60.0])}, "expected 15"),
    ],
)
def test_limits_that_do_not_fit_are_errors(
    limits: object, message: str, result: IndexResult
) -> None:
    with pytest.raises(MethodError, match=message):
        plots.funnel(result, limits=limits)


# -- percentiles ---------------------------------------------------------------------------------


def test_percentiles_have_their_intervals_or_are_hollow(findings: Findings) -> None:
    benchmarks = findings.benchmarks
    lines = [one for one in benchmarks.comparisons if one.peers == "same_industry"]
    places = np.array([one.percentile[2] for one in benchmarks.comparisons])
    low, high = np.full(len(lines), 10.0), np.full(len(lines), 60.0)
    low[1] = np.nan
    axes = plots.percentile_strip(
        benchmarks, benchmarks.result.organizations[2], peers="everyone", intervals=(low, high)
    )
    found = texts(axes)
    assert f"{places[-1]:.0f} (10 to 60)" in found
    assert "everyone else" in axes.get_xlabel()
    faces = [line.get_markerfacecolor() for line in axes.lines if line.get_marker() == "o"]
    assert faces.count("white") == 1
    plain = plots.percentile_strip(benchmarks, benchmarks.result.organizations[2])
    assert "its error is not given" in plain.get_xlabel()


def test_hidden_percentiles_say_why(findings: Findings) -> None:
    axes = plots.percentile_strip(findings.benchmarks, reported.SMALL)
    assert texts(axes).count("too few respondents") == 5
    silent = plots.percentile_strip(findings.benchmarks, reported.SILENT)
    assert texts(silent).count("no score") == 5


def test_unknown_peers_are_an_error(findings: Findings) -> None:
    with pytest.raises(MethodError, match="known are same_industry, everyone"):
        plots.percentile_strip(findings.benchmarks, "org-00", peers="rivals")


# -- heat map ------------------------------------------------------------------------------------


def test_squares_hold_the_distance_to_the_mean_of_the_peers(result: IndexResult) -> None:
    axes = plots.heat_map(result, "org-11", peers="everyone")
    comparison = compare_to_peers(result, "everyone").comparison()
    place = result.organizations.index("org-11")
    distance = comparison.distances.mean
    found = texts(axes)
    assert f"+{distance.values[place]:.1f} ▲" in found
    assert f"{distance.low[place]:.1f} to {distance.high[place]:.1f}" in found
    assert len(axes.patches) == 9
    assert {"All channels", "All dimensions", "Blog", "video"} <= set(found)


def test_claims_are_adjusted_for_being_many(result: IndexResult) -> None:
    place = np.array([result.organizations.index("org-07")])
    few = heat_cells(result, place, "everyone", rules=DisclosureRules(), false_claims=0.05)
    alone = (few.low > 0) | (few.high < 0)
    assert np.all(alone[few.claimed != 0])
    with pytest.raises(MethodError, match="false_claims"):
        plots.heat_map(result, "org-07", false_claims=5)


def test_hidden_squares_are_hatched_and_hold_no_number(result: IndexResult) -> None:
    axes = plots.heat_map(result, reported.MIDDLING, peers="everyone")
    squares = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert all(square.get_hatch() for square in squares)
    assert "hatched: too few respondents" in axes.get_xlabel()
    assert not any(text[0] in "+−" for text in texts(axes))
    silent = plots.heat_map(result, reported.SILENT, peers="everyone")
    assert not any(square.get_hatch() for square in silent.patches)
    assert "–: no score" in silent.get_xlabel()


def test_a_margin_does_not_show_what_a_square_hides() -> None:
    # d1 is asked on the blog, which 20 of 60 people rate; d2 everywhere.
    study = small_study(
        [Organization(key=f"o{number}") for number in range(8)],
        channels=["blog", "video"],
        items=[("q1", "d1"), ("q2", "d2")],
    )
    rows = []
    for place in range(8):
        for channel, people in (("blog", 50 if place else 20), ("video", 60)):
            for person in range(people):
                first = 1 + (person + place) % 7 if channel == "blog" else np.nan
                second = 1 + (2 * person + place) % 7
                rows.append((100 * place + person, f"o{place}", channel, first, second))
    result = compute_index(answered(study, rows))
    cells = heat_cells(
        result, np.array([0]), "everyone", rules=DisclosureRules(), false_claims=0.05
    )
    assert result.counts.respondents[0] == 60
    assert cells.reasons[0, 0] == cells.reasons[2, 0] == "few respondents"
    assert np.isnan(cells.distance[2, 0])
    assert cells.reasons[2, 1] == cells.reasons[2, 2] == ""
