"""What every result offers beside its numbers: rows, frames, and tables for people.

A result that inherits from `Rendered` writes `to_rows` and `_view`; the rest is here. `show` makes
the table of a kind ("index", "peers", "gaps", ...) from the rows of a result.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from sotongindex._columns import columns_from_rows
from sotongindex._frames import Backend, frame_from_columns
from sotongindex._html import View, notebook_html
from sotongindex._table import Row, Table
from sotongindex._table_kinds import TABLES, TableKind
from sotongindex._text import Language, say, share, words
from sotongindex.models import (
    GapClosure,
    GradeCut,
    PeerGroup,
    PeerStatistic,
    RoleModel,
    Study,
    Target,
)

__all__ = ["TABLES", "Rendered", "TableKind", "notice_words", "show", "study_facts", "target_words"]

NOTEBOOK_ROWS = 20
_SHOWN_KEYS = 5


class Rendered(abc.ABC):
    """A result that can be shown: rows, frames, and HTML in notebooks."""

    __slots__ = ()

    @abc.abstractmethod
    def to_rows(self) -> list[dict[str, object]]:
        """Return the result as rows of plain values; None where missing or not shown."""

    @abc.abstractmethod
    def _view(self, language: Language) -> View:
        """Return what a notebook shows."""

    def to_frame(self, backend: Backend = "pandas") -> Any:
        """Return the rows as a dataframe of "pandas", "polars" or "pyarrow".

        Raises:
            MethodError: If the backend is unknown or not installed.
        """
        return frame_from_columns(columns_from_rows(self.to_rows()), backend)

    def _repr_html_(self) -> str:
        return notebook_html(self._view)


def show(
    kind: TableKind,
    rows: Sequence[Row],
    *,
    language: Language,
    study: Study | None = None,
    names: Mapping[str, Mapping[str, str]] | None = None,
    level: float = 0.95,
    limit: int | None = NOTEBOOK_ROWS,
    without: Sequence[str] = (),
) -> Table:
    """Make the table of a kind.

    Args:
        kind: Which columns, in which order.
        rows: The rows of a result.
        language: The language of headings, names and numbers.
        study: Where labels of keys are found.
        names: Further names, such as those of targets: for a key in the rows, of its values.
        level: The level of the intervals.
        limit: How many rows to show; None means all.
        without: Names of columns to leave out.
    """
    shown = rows if limit is None else rows[:limit]
    known = {} if study is None else study_names(study, language)
    for prefix in ("peers", "severity", "group", "level"):
        known[prefix] = prefixed(prefix, language)
    return Table(
        columns=tuple(column for column in TABLES[kind] if column.name not in without),
        rows=shown,
        language=language,
        names={**known, **(names or {})},
        level=level,
        omitted=len(rows) - len(shown),
    )


def rows_view(
    kind: TableKind,
    rows: Sequence[Row],
    *,
    language: Language,
    study: Study | None = None,
    facts: Sequence[tuple[str, str]] = (),
    notices: Iterable[NoticeLike] = (),
    names: Mapping[str, Mapping[str, str]] | None = None,
    level: float = 0.95,
) -> View:
    """Return what a notebook shows of a result: its study, its first rows, its notices.

    Args:
        kind: Which columns, and which title.
        rows: The rows of the result.
        language: The language.
        study: What was measured.
        facts: Further names and contents.
        notices: What a reader should know.
        names: Further names; see `show`.
        level: The level of the intervals.
    """
    known = study_names(study, language)["organization"] if study else {}
    return View(
        title=say(f"title.{kind}", language),
        facts=[*(study_facts(study, language) if study else ()), *facts],
        table=show(kind, rows, language=language, study=study, names=names, level=level),
        notices=notice_words(notices, language, known),
    )


def study_names(study: Study, language: Language) -> dict[str, dict[str, str]]:
    """Return for the keys of a study the names people know."""
    framework = study.framework
    return {
        "organization": {one.key: one.name(language) for one in study.organizations},
        "channel": {one.key: one.name(language) for one in framework.channels},
        "dimension": {one.key: one.name(language) for one in framework.dimensions},
        "item": {one.key: one.name(language) for one in framework.items},
    }


def prefixed(prefix: str, language: Language) -> dict[str, str]:
    """Return the words for keys that the library itself gives, such as those of peer groups."""
    start = len(prefix) + 1
    return {
        key[start:]: text for key, text in words(language).items() if key.startswith(f"{prefix}.")
    }


def peers_words(key: str, language: Language) -> str:
    """Return the name of a peer group, or its key."""
    return words(language).get(f"peers.{key}", key)


def _peer_group_words(group: PeerGroup, language: Language) -> str:
    return (group.label and group.label.text(language)) or peers_words(group.key, language)


def target_words(target: Target, language: Language) -> str:
    """Return what a target asks for, in words.

    >>> target_words(Target(score=PeerStatistic(statistic="p75")), "en")
    'upper quartile (P75) of everyone else'
    """
    return _rule_words(target.score, language)


def _rule_words(rule: object, language: Language) -> str:
    if isinstance(rule, PeerStatistic):
        statistic = say(f"statistic.{rule.statistic}", language)
        peers = _peer_group_words(rule.peers, language)
        return say("target.peers", language, statistic=statistic, peers=peers)
    if isinstance(rule, GradeCut):
        return say("target.grade", language, grade=rule.grade, scale=rule.scale.key)
    if isinstance(rule, RoleModel):
        return say("target.role_model", language, organization=rule.organization)
    if isinstance(rule, GapClosure):
        benchmark = _rule_words(rule.benchmark, language)
        return say("target.closure", language, rate=share(rule.rate), benchmark=benchmark)
    return say("target.points", language, points=f"{rule:g}")


def study_facts(study: Study, language: Language) -> list[tuple[str, str]]:
    """Return the facts about a study that every page states."""
    framework = study.framework
    facts = [
        ("study", study.key),
        ("wave", study.wave),
        ("population", study.population),
        ("framework", f"{framework.key} {framework.version}"),
    ]
    return [(say(f"fact.{name}", language), text) for name, text in facts if text]


class NoticeLike(Protocol):
    """A notice: what is the matter, and whom it concerns."""

    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def keys(self) -> tuple[str, ...]: ...


def notice_words(
    notices: Iterable[NoticeLike], language: Language, names: Mapping[str, str] | None = None
) -> list[str]:
    """Return notices as sentences: what, and whom it concerns.

    Args:
        notices: The notices.
        language: The language; an unknown kind of notice keeps its own words.
        names: Names of the keys that notices mention.
    """
    names = names or {}
    sentences = []
    for notice in notices:
        # The English words of a notice are its own; Korean ones are found by its code.
        found = None if language == "en" else words(language).get(f"notice.{notice.code}")
        sentence = found or notice.message
        if notice.keys:
            first = ", ".join(_place(key, names) for key in notice.keys[:_SHOWN_KEYS])
            more = len(notice.keys) - _SHOWN_KEYS
            tail = say("and_more", language, count=f"{more:,}") if more > 0 else ""
            sentence += f" ({len(notice.keys):,}: {first}{tail})"
        sentences.append(sentence)
    return sentences


def _place(key: str, names: Mapping[str, str]) -> str:
    """Return the name of an organization, or of organization/channel."""
    organization, _, channel = key.partition("/")
    name = names.get(key) or names.get(organization, organization)
    return f"{name}/{channel}" if channel and key not in names else name
