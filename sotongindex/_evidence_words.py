"""Words and tables of what differences and grades show in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from sotongindex._html import View
from sotongindex._render import NOTEBOOK_ROWS, notice_words, study_facts, study_names
from sotongindex._table import Column, Row, Table
from sotongindex._text import Language
from sotongindex.results import IndexResult, Notice

_SUBJECT = Column("subject", "text", ("dimension", "channel"))

DIFFERENCES = (
    Column("organization"),
    Column("against"),
    _SUBJECT,
    Column("difference", "signed"),
    Column("interval", "interval", ("low", "high")),
    Column("adjusted_p", "chance"),
    Column("verdict"),
)
BANDS = (
    Column("organization"),
    Column("group"),
    Column("score", "points"),
    Column("interval", "interval", ("low", "high")),
    Column("bar", "bar", ("score", "low", "high")),
    Column("grade"),
    Column("probability_right", "chance"),
)

WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "column.against": "Compared with",
        "column.difference": "Difference",
        "column.adjusted_p": "Adjusted p",
        "column.verdict": "Verdict",
        "column.grade": "Grade",
        "column.probability_right": "Chance that it is right",
        "title.differences": "Which differences are real",
        "title.bands": "Grades and how sure they are",
        "fact.false_claims": "False claims",
        "fact.false_claims.holm": "at most {share} chance of any ({method})",
        "fact.false_claims.rate": "at most {share} of the claims on average ({method})",
        "fact.relevant": "Claimed only beyond",
        "fact.relevant.points": "{points} points",
        "verdict.better": "better",
        "verdict.about the same": "about the same",
        "verdict.worse": "worse",
        "verdict.not known": "not known",
        "against.all": "all organizations",
    },
    "ko": {
        "column.against": "비교 대상",
        "column.difference": "차이",
        "column.adjusted_p": "보정 p값",
        "column.verdict": "판정",
        "column.grade": "등급",
        "column.probability_right": "등급이 맞을 확률",
        "title.differences": "실제로 다른 차이",
        "title.bands": "등급과 그 확실성",
        "fact.false_claims": "잘못된 판정",
        "fact.false_claims.holm": "하나라도 있을 확률 최대 {share} ({method})",
        "fact.false_claims.rate": "판정 중 평균 최대 {share} ({method})",
        "fact.relevant": "판정의 최소 차이",
        "fact.relevant.points": "{points}점",
        "verdict.better": "높음",
        "verdict.about the same": "비슷함",
        "verdict.worse": "낮음",
        "verdict.not known": "알 수 없음",
        "against.all": "전체 기관",
    },
}


@attrs.frozen(kw_only=True)
class EvidenceTable(Table):
    """A table whose headings are looked up here first."""

    def heading(self, column: Column) -> str:
        """Return the heading of a column."""
        own = WORDS[self.language].get(f"column.{column.name}")
        return own or super().heading(column)


def evidence_view(
    title: str,
    rows: Sequence[Row],
    *,
    columns: tuple[Column, ...],
    result: IndexResult,
    language: Language,
    level: float,
    facts: Sequence[tuple[str, str]] = (),
    notices: Sequence[Notice] = (),
    names: Mapping[str, Mapping[str, str]] | None = None,
) -> View:
    """Return what a notebook shows: the study, the first rows, the notices."""
    known = study_names(result.study, language)
    shown = rows[:NOTEBOOK_ROWS]
    table = EvidenceTable(
        columns=columns,
        rows=shown,
        language=language,
        names={**known, **(names or {})},
        level=level,
        omitted=len(rows) - len(shown),
    )
    return View(
        title=WORDS[language][f"title.{title}"],
        facts=[*study_facts(result.study, language), *facts],
        table=table,
        notices=notice_words(notices, language, known["organization"]),
    )


def prefixed(prefix: str, language: Language) -> dict[str, str]:
    """Return the words of the keys that begin with a prefix."""
    start = len(prefix) + 1
    return {
        key[start:]: text for key, text in WORDS[language].items() if key.startswith(f"{prefix}.")
    }
