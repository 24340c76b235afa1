"""Text tables for the terminal, in Korean or English, aligned for wide characters too."""

from __future__ import annotations

from collections.abc import Sequence

from sotongindex._ledger import Ledger
from sotongindex._plan_sentences import Plans
from sotongindex._profile import profile_sentences, row_names
from sotongindex._render import TableKind, peers_words, show
from sotongindex._table import Row
from sotongindex._terminal import text_lines, wrapped
from sotongindex._text import Language, say
from sotongindex.averages import group_means
from sotongindex.benchmark import DisclosureRules
from sotongindex.errors import MethodError, nearest_key
from sotongindex.recipe import Findings
from sotongindex.results import IndexResult

__all__ = [
    "channel_table",
    "group_table",
    "league_table",
    "organization_text",
]


def league_table(findings: Findings, *, language: Language = "en", limit: int | None = 20) -> str:
    """Return every organization, best first, with its interval and its place among its peers.

    Args:
        findings: The result of a recipe.
        language: "ko" or "en".
        limit: How many organizations; None means all.

    Returns:
        Lines of text. Scores, ranks and percentiles that may not be shown are a dash.

    Raises:
        MethodError: If the language is unknown.
    """
    rows = Ledger.of(findings).league
    benchmarks, without = findings.benchmarks, ["industry", "others"]
    if benchmarks is None:
        without.append("percentile")
    table = _lines("league", rows, findings.index, language=language, without=without, limit=limit)
    if benchmarks is None:
        return table
    peers = peers_words(benchmarks.peers[0], language)
    return f"{table}\n{say('terminal.percentile', language, peers=peers)}"


def channel_table(
    result: IndexResult,
    *,
    language: Language = "en",
    rules: DisclosureRules = DisclosureRules(),
) -> str:
    """Return the means over organizations of the index and of every channel.

    Args:
        result: The scores.
        language: "ko" or "en".
        rules: What may be shown.

    Returns:
        Lines of text.

    Raises:
        MethodError: If the language is unknown.
    """
    rows = [row for row in group_means(result, rules=rules).to_rows() if row["dimension"] is None]
    return _lines("means", rows, result, language=language, without=("group",))


def group_table(
    result: IndexResult,
    by: str = "industry",
    *,
    language: Language = "en",
    rules: DisclosureRules = DisclosureRules(),
) -> str:
    """Return the mean index of every industry, sector or other attribute, highest first.

    Args:
        result: The scores.
        by: The attribute.
        language: "ko" or "en".
        rules: What may be shown.

    Returns:
        Lines of text.

    Raises:
        DefinitionError: If no organization has the attribute.
        MethodError: If the language is unknown.
    """
    means = group_means(result, by, rules=rules).to_rows()
    rows = [row for row in means if row["channel"] is None and row["dimension"] is None]
    rows.sort(key=lambda row: -float(str(row["mean"] or 0)))
    return _lines("means", rows, result, language=language, without=("subject",))


def organization_text(findings: Findings, organization: str, *, language: Language = "en") -> str:
    """Return where an organization stands, in sentences, and a table of what to improve first.

    Args:
        findings: The result of a recipe.
        organization: The organization's key.
        language: "ko" or "en".

    Returns:
        Lines of text. What may not be shown is left out, with the reason.

    Raises:
        MethodError: If the organization or the language is unknown.
    """
    _check(organization, findings.index)
    ledger = Ledger.of(findings)
    names = row_names(ledger, language)
    sentences = profile_sentences(
        ledger, organization, language, names=names, plans=Plans.of(findings)
    )
    levers = ledger.priorities.get(organization, ())
    table = (
        _lines("priorities", levers, findings.index, language=language, without=())
        if levers
        else ""
    )
    lines = [line for one in sentences for line in wrapped(one)]
    return "\n".join([*lines, *(["", table] if table else [])])


def _check(organization: str, result: IndexResult) -> None:
    if organization not in result.organizations:
        near = nearest_key(organization, result.organizations)
        raise MethodError(
            f"unknown organization {organization!r}"
            + (f"; did you mean {near!r}?" if near else ""),
            argument="organization",
        )


def _lines(
    kind: TableKind,
    rows: Sequence[Row],
    result: IndexResult,
    *,
    language: Language,
    without: Sequence[str],
    limit: int | None = None,
) -> str:
    """Return a table of a kind as lines of text."""
    table = show(
        kind,
        rows,
        language=language,
        study=result.study,
        level=result.method.level,
        limit=limit,
        without=without,
    )
    return text_lines(table)
