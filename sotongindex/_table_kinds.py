"""The columns of every kind of table that results are shown in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from sotongindex._table import Column

__all__ = ["TABLES", "TableKind"]

TableKind: TypeAlias = Literal[
    "index", "league", "channels", "dimensions", "means", "peers", "standing", "gaps",
    "priorities", "findings", "ranks", "shrinkage", "respondent_plan", "differences", "bands",
    "robustness", "sensitivity", "importance", "methods",
    "margins",
    "changes", "relative_changes", "decomposition", "chain", "adoption", "adoption_change",
    "projection", "straight_line",
    "drivers",
]  # fmt: skip

_SCORE = (
    Column("score", "points"),
    Column("interval", "interval", ("low", "high")),
    Column("bar", "bar", ("score", "low", "high")),
)
_SUBJECT = Column("subject", "text", ("dimension", "channel"))
_CHANGE = (
    Column("organization"),
    Column("subject", "text", "about"),
    Column("score_before", "points", "before"),
    Column("score_after", "points", "after"),
    Column("change", "signed"),
    Column("interval", "interval", ("low", "high")),
    Column("adjusted_p", "chance"),
    Column("verdict"),
)
_GAP = (
    Column("gap", "signed"),
    Column("interval", "interval", ("gap_low", "gap_high")),
)

TABLES: Mapping[TableKind, tuple[Column, ...]] = {
    "index": (
        Column("organization"),
        Column("index", "points", "score"),
        *_SCORE[1:],
        Column("respondents", "count"),
    ),
    "league": (
        Column("rank", "count"),
        Column("organization"),
        Column("industry"),
        Column("index", "points", "score"),
        *_SCORE[1:],
        Column("respondents", "count"),
        Column("percentile", "percentile"),
        Column("others", "count"),
    ),
    "channels": (Column("channel"), *_SCORE),
    "dimensions": (Column("dimension"), *_SCORE),
    "means": (
        Column("group"),
        _SUBJECT,
        Column("mean", "points"),
        Column("interval", "interval", ("low", "high")),
        Column("bar", "bar", ("mean", "low", "high")),
        Column("organizations", "count"),
    ),
    "peers": (
        Column("organization"),
        Column("peers"),
        _SUBJECT,
        *_SCORE,
        Column("others", "count"),
        Column("percentile", "percentile"),
        Column("rank", "count"),
        Column("to_median", "signed"),
        Column("interval", "interval", ("to_median_low", "to_median_high")),
    ),
    "standing": (
        Column("peers"),
        Column("others", "count"),
        Column("percentile", "percentile"),
        Column("rank", "count"),
        Column("peer_median", "points"),
        Column("to_median", "signed"),
        Column("interval", "interval", ("to_median_low", "to_median_high")),
        Column("probability_above_mean", "chance"),
    ),
    "gaps": (
        Column("organization"),
        _SUBJECT,
        Column("target"),
        *_SCORE[:1],
        Column("aim", "points"),
        *_GAP,
        Column("probability_met", "chance"),
    ),
    "priorities": (
        Column("level"),
        Column("order", "count"),
        _SUBJECT,
        *_GAP,
        Column("regained", "signed"),
        Column("interval", "interval", ("regained_low", "regained_high")),
    ),
    "findings": (
        Column("severity"),
        Column("where", "text", ("column", "item")),
        Column("channel"),
        Column("message"),
        Column("count", "count"),
        Column("nearest"),
    ),
    "ranks": (
        Column("organization"),
        Column("rank", "count"),
        Column("rank_set"),
        Column("index", "points", "score"),
        Column("expected_percentile", "percentile"),
    ),
    "shrinkage": (
        Column("organization"),
        Column("score", "points"),
        Column("toward", "points"),
        Column("shrunken", "points"),
        Column("interval", "interval", ("shrunken_low", "shrunken_high")),
    ),
    "respondent_plan": (
        Column("organization"),
        Column("respondents", "count"),
        Column("needed", "count"),
    ),
    "differences": (
        Column("organization"),
        Column("against"),
        _SUBJECT,
        Column("difference", "signed"),
        Column("interval", "interval", ("low", "high")),
        Column("adjusted_p", "chance"),
        Column("verdict"),
    ),
    "changes": _CHANGE,
    "relative_changes": (
        *_CHANGE[:-2],
        Column("peers_change", "signed"),
        Column("relative", "signed"),
        Column("relative_interval", "interval", ("relative_low", "relative_high")),
        Column("relative_verdict"),
    ),
    "decomposition": (
        Column("organization"),
        Column("term"),
        Column("effect", "signed"),
        Column("interval", "interval", ("effect_low", "effect_high")),
    ),
    "chain": (
        Column("organization"),
        Column("wave"),
        Column("linked", "points"),
        Column("interval", "interval", ("linked_low", "linked_high")),
        Column("since_first", "signed"),
        Column("since_first_interval", "interval", ("since_first_low", "since_first_high")),
    ),
    "adoption": (
        Column("channel"),
        Column("operate", "count"),
        Column("base", "count"),
        Column("adoption_share", "points", "share"),
        Column("interval", "interval", ("low", "high")),
    ),
    "adoption_change": (
        Column("channel"),
        Column("share_before", "points"),
        Column("share_after", "points"),
        Column("both", "count"),
        Column("adopted", "count"),
        Column("dropped", "count"),
        Column("change", "signed"),
        Column("interval", "interval", ("low", "high")),
    ),
    "projection": (
        Column("organization"),
        Column("last", "points"),
        Column("forecast_interval", "interval", ("forecast_low", "forecast_high")),
        Column("target", "points"),
        Column("probability_reached", "chance"),
        Column("peers_gained", "chance"),
    ),
    "straight_line": (
        Column("organization"),
        Column("waves", "count"),
        Column("slope", "signed"),
        Column("interval", "interval", ("slope_low", "slope_high")),
    ),
    "bands": (
        Column("organization"),
        Column("group"),
        *_SCORE,
        Column("grade"),
        Column("probability_right", "chance"),
    ),
    "robustness": (
        Column("organization"),
        Column("rank", "count"),
        Column("rank_set"),
        Column("index", "points", "score"),
        Column("interval", "interval", ("score_low", "score_high")),
        Column("driver"),
    ),
    "sensitivity": (
        Column("output"),
        Column("choice"),
        Column("first", "points"),
        Column("interval", "interval", ("first_low", "first_high")),
        Column("total", "points"),
        Column("interval", "interval", ("total_low", "total_high")),
    ),
    "importance": (
        Column("subject", "text", ("channel", "dimension", "item")),
        Column("weight", "points"),
        Column("share", "points"),
        Column("ratio", "points"),
        Column("interval", "interval", ("ratio_low", "ratio_high")),
    ),
    "methods": (
        Column("organization"),
        Column("first_score", "points"),
        Column("second_score", "points"),
        Column("difference", "signed"),
        Column("interval", "interval", ("low", "high")),
        Column("first_rank", "count"),
        Column("second_rank", "count"),
    ),
    "margins": (
        Column("group"),
        Column("variable"),
        Column("category"),
        Column("respondents", "count"),
        Column("wanted", "written", "target"),
        Column("before", "written"),
        Column("after", "written"),
    ),
    "drivers": (
        Column("outcome_driver", "text", "driver"),
        Column("explains", "points", "importance"),
        Column("interval", "interval", ("low", "high")),
        Column("bar", "bar", ("importance", "low", "high")),
        Column("share_explained", "share", "share"),
        Column("standardized_slope", "hundredths", "slope"),
        Column("adjusted_p", "chance"),
    ),
}
