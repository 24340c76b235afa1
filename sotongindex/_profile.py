"""One organization in sentences: where it stands, its gap, and what to improve first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sotongindex._ledger import Ledger, Row
from sotongindex._plan_sentences import Plans
from sotongindex._render import peers_words, study_names
from sotongindex._text import Language, chance, count, interval, number, say, signed
from sotongindex.attainment import target_names

__all__ = ["Names", "profile_sentences", "row_names"]


Names = Mapping[str, Mapping[str, str]]


def row_names(ledger: Ledger, language: Language) -> Names:
    """Return for keys that rows hold the names people know; for targets, what they ask for."""
    findings = ledger.findings
    gaps = findings.gaps.gaps if findings.gaps else ()
    return {
        **study_names(findings.index.study, language),
        "target": target_names(gaps, language),
    }


def profile_sentences(
    ledger: Ledger, organization: str, language: Language, *, names: Names, plans: Plans
) -> list[str]:
    """Return what the findings say about an organization, and no more than they hold.

    Args:
        ledger: The rows of all organizations.
        organization: The key of the one wanted.
        language: The language.
        names: Of `row_names`.
        plans: Plans to the target of the index.
    """
    row = ledger.row(organization)
    if row["score"] is None:
        return [say("profile.hidden", language, reason=_reason(row, "reason", language))]
    sentences = [_score(row, ledger, language)]
    if row["rank"] is not None:
        sentences.append(
            say(
                "profile.rank" if row["overlaps"] is not None else "profile.rank.plain",
                language,
                rank=count(row["rank"]),
                of=count(row["of"]),
                overlaps=count(row["overlaps"]),
            )
        )
    sentences += [_peers(one, language) for one in ledger.standing.get(organization, ())]
    gaps = ledger.gaps.get(organization, ())
    sentences += [_gap(one, language, names) for one in gaps]
    if gaps:
        sentences += _first(ledger.priorities.get(organization, ()), language, names)
        sentences += plans.sentences(organization, language, names=names["organization"])
    return sentences


def _score(row: Row, ledger: Ledger, language: Language) -> str:
    level = f"{100 * ledger.findings.index.method.level:g}%"
    key = "profile.score" if row["low"] is not None else "profile.score.plain"
    return say(
        key,
        language,
        score=number(row["score"]),
        level=level,
        interval=interval(row["low"], row["high"], language=language),
        respondents=count(row["respondents"]),
    )


def _reason(row: Row, key: str, language: Language) -> str:
    return say(f"reason.{row[key]}", language) if row[key] else number(None)


def _peers(row: Row, language: Language) -> str:
    peers = peers_words(str(row["peers"]), language)
    if row["to_median"] is None:
        reason = _reason(row, "distances_reason", language)
        return say("profile.peers.hidden", language, peers=peers, reason=reason)
    key = "profile.peers" if row["percentile"] is not None else "profile.peers.unranked"
    return say(
        key,
        language,
        peers=peers,
        others=count(row["others"]),
        percentile=number(row["percentile"], 0),
        distance=signed(row["to_median"]),
        interval=_between(row, "to_median", language),
        verdict=_verdict(row, "to_median", language),
    )


def _between(row: Row, name: str, language: Language) -> str:
    return interval(row[f"{name}_low"], row[f"{name}_high"], language=language)


def _verdict(row: Row, name: str, language: Language) -> str:
    """Return whether a difference is clear: whether its interval leaves out 0."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if not (isinstance(low, float) and isinstance(high, float)):
        return say("verdict.unknown", language)
    if low > 0:
        return say("verdict.above", language)
    return say("verdict.below" if high < 0 else "verdict.unclear", language)


def _gap(row: Row, language: Language, names: Names) -> str:
    part = _part(row, language, names)
    target = names["target"][str(row["target"])]
    if row["gap"] is None:
        reason = _reason(row, "reason", language)
        return say("profile.gap.hidden", language, part=part, target=target, reason=reason)
    reached = isinstance(row["gap"], float) and row["gap"] <= 0
    return say(
        "profile.surplus" if reached else "profile.gap",
        language,
        part=part,
        target=target,
        aim=number(row["aim"]),
        gap=number(row["surplus"] if reached else row["gap"]),
        interval=_turned(row, language) if reached else _between(row, "gap", language),
        chance=chance(row["probability_met"]),
    )


def _turned(row: Row, language: Language) -> str:
    """Return the interval of a surplus, which is a gap with its sign turned."""
    low, high = row["gap_low"], row["gap_high"]
    if not (isinstance(low, float) and isinstance(high, float)):
        return interval(None, None, language=language)
    return interval(-high, -low, language=language)


def _part(row: Row, language: Language, names: Names) -> str:
    parts = [names[key][str(row[key])] for key in ("channel", "dimension", "item") if row[key]]
    return " / ".join(parts) or say("empty.subject", language)


def _first(rows: Sequence[Row], language: Language, names: Names) -> Iterable[str]:
    """Yield the channel and the dimension that would raise the index most."""
    if not rows:
        yield say("profile.nothing", language)
    for level in ("channel", "dimension", "cell"):
        row = next((row for row in rows if row["level"] == level), None)
        if row is not None:
            yield say(
                f"profile.first.{level}",
                language,
                part=_part(row, language, names),
                gap=number(row["gap"]),
                regained=number(row["regained"]),
                interval=_between(row, "regained", language),
                verdict=_gap_verdict(row, language),
            )


def _gap_verdict(row: Row, language: Language) -> str:
    """Return whether a gap is clear or may be chance."""
    low = row["gap_low"]
    if not isinstance(low, float):
        return say("verdict.unknown", language)
    return say("verdict.gap.clear" if low > 0 else "verdict.gap.unclear", language)
