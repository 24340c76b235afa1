"""What results show of themselves: rows, frames, short text and notebooks."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pytest
import reported
from test_html import parse

from sotongindex._html import notebook_html
from sotongindex._render import notice_words, rows_view, target_words
from sotongindex._wording import method_sentences
from sotongindex.averages import group_means
from sotongindex.errors import MethodError
from sotongindex.index import IndexMethod, IndexResult, Powers, compute_index
from sotongindex.models import GradeCut, GradeScale, Label, PeerGroup, PeerStatistic, Scale, Target
from sotongindex.recipe import Findings
from sotongindex.results import Notice
from sotongindex.variance import (
    BalancedRepeatedReplication,
    Bootstrap,
    GroupJackknife,
    Jackknife,
    Linearization,
    ReplicateWeights,
)
from sotongindex.weighting import (
    BestWorstWeights,
    BudgetWeights,
    FixedWeights,
    PairwiseWeights,
    RankOrderWeights,
    SwingWeights,
    WeightingScheme,
)


@pytest.fixture(scope="module")
def findings() -> Findings:
    return reported.findings()


@pytest.fixture(scope="module")
def index(findings: Findings) -> IndexResult:
    return findings.index


# -- rows and frames of an index -----------------------------------------------------------------

NUMBERS = ["score", "standard_error", "low", "high", "degrees_of_freedom"]


@pytest.mark.parametrize(
    ("level", "keys"),
    [
        ("index", ["organization", "respondents"]),
        ("channels", ["organization", "channel"]),
        ("dimensions", ["organization", "dimension"]),
        ("cells", ["organization", "channel", "dimension"]),
        ("items", ["organization", "channel", "dimension", "item"]),
    ],
)
def test_rows_of_a_level_have_its_keys_and_its_numbers_in_order(
    index: IndexResult, level: str, keys: list[str]
) -> None:
    rows, estimates = index.to_rows(level), getattr(index, level)
    assert [list(row) for row in rows] == [[*keys, *NUMBERS]] * estimates.size
    for name, known in (
        ("score", estimates.values),
        ("standard_error", estimates.standard_error),
        ("low", estimates.low),
        ("high", estimates.high),
    ):
        written = [math.nan if row[name] is None else row[name] for row in rows]
        np.testing.assert_array_equal(written, known.ravel())


def test_rows_name_the_right_places(index: IndexResult) -> None:
    row = index.to_rows("items")[4 * 3 + 2 + 1]
    names = ("org-03", "video", "use", "q2")
    assert tuple(row[key] for key in ("organization", "channel", "dimension", "item")) == names
    assert row["score"] == index.items.values[3, 1, 1]
    assert index.to_rows("cells")[4 * 3 + 2]["score"] == index.cells.values[3, 1, 0]


def test_rows_hold_plain_values_and_none_for_missing(index: IndexResult) -> None:
    first, *_, last = index.to_rows()
    assert [type(value) for value in first.values()] == [str, int, *[float] * 5]
    assert last == {
        "organization": "silent",
        "respondents": 0,
        **dict.fromkeys(NUMBERS),
    }


def test_unknown_levels_are_errors(index: IndexResult) -> None:
    with pytest.raises(MethodError, match="did you mean 'channels'") as caught:
        index.to_rows("channel")
    assert caught.value.argument == "level"


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_frames_have_the_rows(index: IndexResult, backend: str) -> None:
    frame = index.to_frame(backend, level="channels")
    assert frame.shape == (30, 2 + len(NUMBERS))


def test_an_index_says_in_a_few_lines_what_it_is(index: IndexResult) -> None:
    text = str(index)
    assert "Study: mini" in text
    assert "14 of 15 with an index" in text
    assert len(text.splitlines()) < 10


# -- notebooks -----------------------------------------------------------------------------------


def test_an_index_shows_itself_in_both_languages_escaped(index: IndexResult) -> None:
    html = index._repr_html_()
    tags = parse(html)
    assert "script" not in tags.seen
    for told in ("소통지수", "Communication index", "2011", "Method", "not rated at all"):
        assert told in html
    assert reported.NASTY in "".join(tags.text)
    assert html.count("<tr>") == 2 * (1 + 15)


def test_a_notebook_shows_the_highest_twenty_and_counts_the_rest(index: IndexResult) -> None:
    organizations = [
        attrs.evolve(one, key=f"{one.key}-{copy}", label=None)
        for one in index.study.organizations
        for copy in ("x", "y")
    ]
    study = attrs.evolve(index.study, organizations=organizations)
    rows = [{"organization": key, "score": 1.0} for key in study.organization_keys]
    html = notebook_html(lambda language: rows_view("index", rows, language=language, study=study))
    assert html.count("<tr>") == 2 * (1 + 20)
    assert "and 10 more rows" in html
    shown = index._view("en").table.rows
    scores = [row["score"] for row in shown if row["score"] is not None]
    assert scores == sorted(scores, reverse=True)
    assert shown[-1]["score"] is None


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_kind_of_result_has_a_view(findings: Findings, language: str) -> None:
    check = reported.responses().report
    study, means = findings.index.study, group_means(findings.index, "industry")
    for kind, rows in (
        ("peers", findings.benchmarks.to_rows()),
        ("gaps", findings.gaps.to_rows()),
        ("means", means.to_rows()),
        ("findings", check.to_rows()),
    ):
        view = rows_view(kind, rows, language=language, study=study)
        html = notebook_html(lambda _, view=view: view)
        assert "script" not in parse(html).seen
        assert view.title
        assert rows


# -- in words ------------------------------------------------------------------------------------


def sentences(language: str = "en", source: str = "answers", **changes: object) -> str:
    framework = reported.recipe().study.framework
    scheme = changes.pop("scheme", WeightingScheme())
    method = IndexMethod(**changes)
    return " ".join(method_sentences(framework, scheme, method, source=source, language=language))


def test_the_method_is_told_in_words() -> None:
    text = sentences()
    assert "Answers from 1 to 7 become points from 0 to 100" in text
    assert "Means are arithmetic." in text
    assert "Channels count equally." in text
    assert "Intervals (95%) by linearization, corrected" in text
    assert "산술평균을 씁니다" in sentences("ko")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"power": 0.0}, "Means are geometric."),
        ({"power": Powers(channels=-1.0, items=0.5)}, "power means of power 0.5 over items"),
        ({"order": "respondents first"}, "Every respondent's answers are averaged first"),
        ({"absent_channels": "zero"}, "does not operate count 0"),
        ({"min_share": 0.75}, "needs 75% of its weight"),
        ({"variance": GroupJackknife(groups=16)}, "jackknife over 16 groups"),
        ({"variance": Jackknife()}, "leaves out one cluster of the sample at a time"),
        ({"variance": BalancedRepeatedReplication()}, "from balanced half-samples"),
        ({"variance": Bootstrap(replicates=200)}, "bootstrap of 200 replicates (rao-wu)"),
        ({"variance": ReplicateWeights(columns=("a", "b"), scale=1.0)},
         "from 2 replicate weights that came with the answers"),
        ({"variance": Linearization(correction="design")}, "the whole sample's design"),
        ({"level": 0.9}, "Intervals (90%)"),
        ({"source": "scores"}, "scores that somebody else computed"),
        ({"source": "blend"}, "A blend of several sources."),
        ({"scheme": WeightingScheme(channels=FixedWeights({"blog": 0.195, "video": 0.805}))},
         "Channels count Blog 19.5%, video 80.5%."),
        ({"scheme": WeightingScheme(channels=BudgetWeights({"blog": 20, "video": 80}))},
         "Channel weights come from points that judges allotted; judges: 1."),
            ({"scheme": WeightingScheme(channels=BudgetWeights({"blog": 20, "video": 80}))},
         "video 80.0%."),
        ({"scheme": WeightingScheme(dimensions=SwingWeights({"open": 100, "use": 25}))},
         "Dimension weights come from points that judges gave to swings"),
        ({"scheme": WeightingScheme(channels=RankOrderWeights(
            {"kim": {"blog": 1, "video": 2}, "lee": {"blog": 2, "video": 1}}))},
         "come from judges' orders of importance; judges: 2."),
        ({"scheme": WeightingScheme(channels=PairwiseWeights({"blog": {"video": 3}}))},
         "come from judges' pairwise comparisons"),
        ({"scheme": WeightingScheme(channels=BestWorstWeights({"blog": {"video": 3}},
                                                              {"video": {}}))},
         "comparisons with the most and the least important"),
        ({"scheme": WeightingScheme(dimensions={
            "blog": FixedWeights({"open": 0.5, "use": 0.5}),
            "video": FixedWeights({"open": 0.2, "use": 0.8})})},
         "weights of their own in every channel"),
    ],
)  # fmt: skip
def test_every_choice_of_the_method_is_told(changes: dict[str, object], told: str) -> None:
    assert told in sentences(**changes)
    assert told not in sentences()


def test_scores_of_others_claim_no_conversion() -> None:
    assert "become points" not in sentences(source="scores")


@pytest.mark.parametrize(
    ("score", "told"),
    [
        (70, "70 points"),
        (PeerStatistic(statistic="best"), "best of everyone else"),
        (PeerStatistic(statistic="median", peers=PeerGroup(key="x", label=Label(en="rivals"))),
         "median of rivals"),
        (GradeCut(grade="A", scale=GradeScale(key="2025", bands={"A": 70})), "grade A (2025)"),
    ],
)  # fmt: skip
def test_targets_are_told_in_words(score: object, told: str) -> None:
    assert target_words(Target(score=score), "en") == told


def test_notices_name_the_first_few_and_count_the_others() -> None:
    keys = ("a", "b/blog", "c", "d", "e", "f", "g")
    notice = Notice(code="no answers", message="not rated", keys=keys)
    assert notice_words([notice], "en", {"a": "Alpha", "b": "Beta"}) == [
        "not rated (7: Alpha, Beta/blog, c, d, e and 2 more)"
    ]
    assert notice_words([notice], "ko") == ["평가가 없어 점수가 없음 (7: a, b/blog, c, d, e 외 2)"]
    assert notice_words([Notice(code="new", message="as it is")], "ko") == ["as it is"]


def test_a_scale_of_top_boxes_is_told() -> None:
    recipe = reported.recipe()
    framework = recipe.study.framework
    items = [
        attrs.evolve(item, scale=Scale(conversion="top box", boxes=2)) for item in framework.items
    ]
    study = attrs.evolve(recipe.study, framework=attrs.evolve(framework, items=items))
    answers = attrs.evolve(reported.responses(), study=study)
    assert "the 2 highest are 100 points" in compute_index(answers)._repr_html_()
