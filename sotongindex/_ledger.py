"""What may be shown of every organization, row by row: the base of tables and reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._disclosure import respondents_of
from sotongindex._levels import Level
from sotongindex.attainment import GapResult
from sotongindex.benchmark import BenchmarkResult, DisclosureRules, compare_to_peers
from sotongindex.recipe import Findings
from sotongindex.results import IndexResult

__all__ = ["Ledger", "Row", "disclosed_rows", "rules_of"]

Row = dict[str, object]

# What reads as 0.0 points is nothing to improve.
_LEAST_GAIN = 0.05
_HIDDEN = ("score", "standard_error", "low", "high", "degrees_of_freedom")


def rules_of(findings: Findings) -> DisclosureRules:
    """Return what the findings allow to be shown; the default rules where they state none."""
    stated = findings.benchmarks or findings.gaps
    return stated.rules if stated is not None else DisclosureRules()


def disclosed_rows(result: IndexResult, level: Level, rules: DisclosureRules) -> list[Row]:
    """Return the rows of a level; scores of too few respondents are None, with the reason."""
    minimum, framework = rules.min_respondents_show, result.study.framework
    few = {
        (result.organizations[place], *part)
        for part in product((None, *framework.channel_keys), (None, *framework.dimension_keys))
        for place in np.flatnonzero(respondents_of(result, *part) < minimum)
    }
    rows = []
    for row in result.to_rows(level):
        hidden = (row["organization"], row.get("channel"), row.get("dimension")) in few
        reason = "few respondents" if hidden else None
        reason = "missing score" if row["score"] is None else reason
        blank = dict.fromkeys(_HIDDEN) if hidden else {}
        rows.append({**row, **blank, "reason": reason})
    return rows


@attrs.frozen(kw_only=True, eq=False)
class Ledger:
    """Rows about every organization, by its key.

    Attributes:
        findings: What they are taken from.
        rules: What may be shown.
        league: One row an organization, ranked first to last, then those without a rank.
        channels: Channel scores.
        dimensions: Dimension scores.
        standing: The index beside each group of peers.
        gaps: Gaps to targets.
        priorities: Channels, then dimensions, that would raise the index, most first.
    """

    findings: Findings
    rules: DisclosureRules
    league: Sequence[Row]
    channels: Mapping[str, Sequence[Row]]
    dimensions: Mapping[str, Sequence[Row]]
    standing: Mapping[str, Sequence[Row]]
    gaps: Mapping[str, Sequence[Row]]
    priorities: Mapping[str, Sequence[Row]]

    @classmethod
    def of(cls, findings: Findings) -> Ledger:
        """Sort the rows of the findings by organization."""
        rules, index = rules_of(findings), findings.index
        standing = _by_organization(_standing(findings.benchmarks))
        return cls(
            findings=findings,
            rules=rules,
            league=_league(index, standing, rules),
            channels=_by_organization(disclosed_rows(index, "channels", rules)),
            dimensions=_by_organization(disclosed_rows(index, "dimensions", rules)),
            standing=standing,
            gaps=_by_organization(findings.gaps.to_rows() if findings.gaps else ()),
            priorities=_by_organization(_priorities(findings.gaps)),
        )

    def row(self, organization: str) -> Row:
        """Return the row of an organization in the league."""
        return next(row for row in self.league if row["organization"] == organization)


def _by_organization(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["organization"]), []).append(row)
    return found


def _standing(benchmarks: BenchmarkResult | None) -> Iterable[Row]:
    """Return the rows of the index beside each group of peers."""
    if benchmarks is not None:
        compared = tuple(benchmarks.comparison(peers) for peers in benchmarks.peers)
        yield from attrs.evolve(benchmarks, comparisons=compared).to_rows()


def _league(
    index: IndexResult, standing: Mapping[str, Sequence[Row]], rules: DisclosureRules
) -> list[Row]:
    """Return every organization with its rank among all and its place among its first peers."""
    everyone = compare_to_peers(index, by="everyone", rules=rules, levels=["index"]).to_rows()
    overlaps = _overlaps(index, np.array([row["rank"] is not None for row in everyone]))
    rows = []
    for place, (own, score, organization) in enumerate(
        zip(everyone, disclosed_rows(index, "index", rules), index.study.organizations, strict=True)
    ):
        peers = standing.get(organization.key, [{}])[0]
        rows.append(
            {
                **score,
                "industry": organization.industry,
                "rank": own["rank"],
                "of": own["of"],
                "overlaps": None if own["low"] is None else int(overlaps[place]),
                "percentile": peers.get("percentile"),
                "others": peers.get("others"),
            }
        )
    return sorted(rows, key=_rank_then_score)


def _overlaps(index: IndexResult, ranked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count for every organization the ranked others whose interval overlaps its own, (o,)."""
    low, high = np.where(ranked, (index.index.low, index.index.high), np.nan)
    # Of the others, those that do not lie wholly above or wholly below; NaN sorts last.
    lows, highs = np.sort(low[~np.isnan(low)]), np.sort(high[~np.isnan(high)])
    above = len(lows) - np.searchsorted(lows, high, side="right")
    below = np.searchsorted(highs, low, side="left")
    return np.where(np.isnan(low), 0, len(lows) - above - below - 1)


def _rank_then_score(row: Row) -> tuple[float, float]:
    rank, score = row["rank"], row["score"]
    return (
        float("inf") if rank is None else float(str(rank)),
        1.0 if score is None else -float(str(score)),
    )


def _priorities(gaps: GapResult | None) -> Iterable[Row]:
    """Return the levers that would raise the index: channels first, then dimensions."""
    rows = gaps.priorities() if gaps else []
    useful = [
        row for row in rows if isinstance(row["regained"], float) and row["regained"] >= _LEAST_GAIN
    ]
    return sorted(useful, key=lambda row: str(row["level"]) != "channel")
