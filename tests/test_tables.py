"""Text tables: aligned for Korean, honest about what is not shown, within 100 columns."""

from __future__ import annotations

import attrs
import pytest
import reported

from sotongindex import _profile, tables
from sotongindex._table import Column, Table
from sotongindex._terminal import clipped, text_lines, text_width, wrapped
from sotongindex._text import number
from sotongindex.errors import MethodError
from sotongindex.recipe import Findings

LANGUAGES = ("ko", "en")


@pytest.fixture(scope="module")
def findings() -> Findings:
    return reported.findings()


def row(text: str, name: str) -> str:
    """Return the line that starts or goes on with a name."""
    return next(line for line in text.splitlines() if name in line)


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("abc", 3), ("지수", 4), ("ｱ1", 2), ("e\u0301", 1), ("–", 1)]
)
def test_width_counts_columns_of_the_terminal(text: str, width: int) -> None:
    assert text_width(text) == width


@pytest.mark.parametrize("name", ["Telecom", "통신 기업", "통신 company"])
def test_columns_stand_below_each_other_whatever_the_script(name: str) -> None:
    text = text_lines(
        Table(
            columns=(Column("organization"), Column("index", "points", "score")),
            rows=[{"organization": name, "score": 5.0}, {"organization": "b", "score": 56.25}],
            language="ko",
        )
    )
    assert {text_width(line) for line in text.splitlines()} == {max(text_width(name), 4) + 2 + 4}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_fits_a_hundred_columns(findings: Findings, language: str) -> None:
    texts = [
        tables.league_table(findings, language=language, limit=None),
        tables.channel_table(findings.index, language=language),
        tables.group_table(findings.index, language=language),
        *(
            tables.organization_text(findings, key, language=language)
            for key in findings.index.organizations
        ),
    ]
    widths = {text_width(line) for text in texts for line in text.splitlines()}
    assert max(widths) <= 100


def test_a_league_is_ranked_and_hides_what_rests_on_too_few(findings: Findings) -> None:
    text = tables.league_table(findings, limit=None)
    lines = text.splitlines()[2:-1]
    assert [line[:4].strip() for line in lines] == [*map(str, range(1, 13)), "–", "–", "–"]
    assert "–" not in row(text, "org-05")
    # 20 respondents: a score, but no rank and no percentile; 4 respondents: no score either.
    shown = dict(zip(findings.index.organizations, findings.index.index.values, strict=True))
    assert f"{shown[reported.MIDDLING]:.1f}" in row(text, reported.MIDDLING)
    assert row(text, reported.MIDDLING).split()[-1] == "–"
    assert f"{shown[reported.SMALL]:.1f}" not in row(text, reported.SMALL)


def test_a_league_says_how_many_are_left_out(findings: Findings) -> None:
    assert "… and 12 more rows" in tables.league_table(findings, limit=3)


def test_names_are_cut_and_stay_on_their_line() -> None:
    assert clipped("가" * 40, 11) == "가가가가가…"
    assert clipped("a\nb\tc\x1b[31m", 30) == "a b c [31m"


def test_means_state_channels_and_industries(findings: Findings) -> None:
    channels = tables.channel_table(findings.index, language="ko")
    assert "블로그" in channels
    assert "종합 지수" in channels
    groups = tables.group_table(findings.index)
    # One organization is no group to show.
    assert row(groups, "=2+3").split()[1:] == ["–", "–", "–", "1"]


def test_an_organization_is_told_where_it_stands(findings: Findings) -> None:
    text = tables.organization_text(findings, "org-03")
    assert "from 40 respondents" in text
    assert "Compared with the same industry (10 peers): percentile" in text
    assert "points below the target (60 points: 60.0)" in text
    assert "What" not in text
    assert "Improve first among channels" in text


def test_sentences_claim_no_more_than_the_intervals_hold(findings: Findings) -> None:
    comparison = findings.benchmarks.comparison("everyone")
    to_median = comparison.distances.median
    for place, key in enumerate(reported.FULL):
        text = " ".join(tables.organization_text(findings, key).split())
        told = text.split("Compared with everyone else")[1].split("Index:")[0]
        low, high = to_median.low[place], to_median.high[place]
        assert ("clearly above" in told) == (low > 0)
        assert ("clearly below" in told) == (high < 0)
        assert ("not clearly different" in told) == (low <= 0 <= high)


def test_overlaps_are_counted(findings: Findings) -> None:
    index = findings.index.index
    low, high = index.low[:12], index.high[:12]
    for place, key in enumerate(reported.FULL):
        expected = int(((low <= high[place]) & (high >= low[place])).sum()) - 1
        assert f"the intervals of {expected} others" in tables.organization_text(findings, key)


def test_what_is_not_shown_is_said_with_its_reason(findings: Findings) -> None:
    assert tables.organization_text(findings, reported.SMALL) == (
        "The index is not shown: too few respondents."
    )
    assert tables.organization_text(findings, reported.SILENT, language="ko") == (
        "지수를 표시하지 않음: 점수 없음."
    )
    middling = tables.organization_text(findings, reported.MIDDLING)
    assert "Rank" not in middling
    assert "Compared with the same industry: not shown, too few respondents." in middling


def test_unknown_words_are_errors(findings: Findings) -> None:
    with pytest.raises(MethodError, match="did you mean 'org-01'"):
        tables.organization_text(findings, "org01")
    with pytest.raises(MethodError, match="language"):
        tables.league_table(findings, language="jp")


# -- scores without errors, recipes without peers ------------------------------------------------


def test_scores_without_errors_get_no_intervals_and_no_verdicts() -> None:
    found = reported.published()
    text = " ".join(tables.organization_text(found, "org-03").split())
    assert "Rank 12 of 15." in text
    assert "Index 47.0; its sampling error is not known. Respondents: –." in text
    assert "error not known" in text
    assert "clear" not in text
    assert "chance that the true score meets it –" in text
    assert " to " not in row(tables.league_table(found), "org-03")


def test_a_surplus_is_called_so() -> None:
    assert "points above the target" in tables.organization_text(reported.published(), "silent")
    assert "No channel or dimension was measured below its target." in tables.organization_text(
        reported.published(), "silent"
    )


def test_a_surplus_has_the_interval_of_a_surplus(findings: Findings) -> None:
    gap = findings.gaps.gaps[0]
    place = gap.organizations.index("org-10")
    value, low, high = (-getattr(gap.gap, name)[place] for name in ("values", "high", "low"))
    assert value > 0
    told = f"{value:.1f} points above the target"
    between = f"interval {number(low)} to {number(high)};"
    text = " ".join(tables.organization_text(findings, "org-10").split())
    assert told in text
    assert between in text


def test_without_peers_there_are_no_percentiles(findings: Findings) -> None:
    alone = attrs.evolve(findings, benchmarks=None, gaps=None)
    text = tables.league_table(alone)
    assert "Percentile" not in text
    assert tables.organization_text(alone, "org-03").count("\n") == 1


def test_sentences_are_broken_into_lines_that_fit() -> None:
    lines = wrapped("지수 점수 " * 60)
    assert max(map(text_width, lines)) <= 100
    assert "".join(lines).split() == ["지수", "점수"] * 60


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.1, 2.0, "clearly above"),
        (-2.0, -0.1, "clearly below"),
        (-0.1, 0.1, "not clearly different"),
        (0.0, 2.0, "not clearly different"),
        (-2.0, 0.0, "not clearly different"),
        (None, None, "error not known"),
    ],
)
def test_a_difference_is_clear_where_its_interval_leaves_out_0(
    low: float | None, high: float | None, told: str
) -> None:
    assert _profile._verdict({"d_low": low, "d_high": high}, "d", "en") == told


@pytest.mark.parametrize(
    ("low", "told"),
    [(0.1, "is clear"), (0.0, "may be chance"), (-0.1, "may be chance"), (None, "not known")],
)
def test_a_gap_is_clear_where_its_interval_lies_above_0(low: float | None, told: str) -> None:
    assert told in _profile._gap_verdict({"gap_low": low}, "en")
