"""The result of ranking the organizations of an index."""

from __future__ import annotations

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons
from sotongindex._html import View
from sotongindex._render import Rendered, rows_view
from sotongindex._shrunken import whole_numbers
from sotongindex._text import Language
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates


@attrs.frozen(kw_only=True, eq=False)
class RankResult(Rendered):
    """Every organization's rank among its peers, and which other ranks may be the true one.

    Arrays are (o,); NaN where an organization is left out.

    Attributes:
        result: The scores.
        peers: The key of the peer group; every set of peers is a league of its own.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        score: The scores.
        league: The number of every organization's league; NaN where it has none.
        of: How many are ranked in the league.
        rank: Observed ranks, 1 is best, ties share the better.
        low: The best rank in the confidence set.
        high: The worst rank in the confidence set.
        expected_rank: Posterior means of the rank.
        probability_best: The posterior probability of rank 1.
        probability_top: The posterior probability of being among the `top` best.
        top: How many are the top.
        level: The level of the confidence sets.
        simultaneous: Whether the level holds for all ranks of a league at once.
        reasons: Why an organization is not ranked; "" where it is.
        notices: What a reader should know.
    """

    result: IndexResult
    peers: str
    channel: str | None
    dimension: str | None
    score: Estimates
    league: FloatArray = attrs.field(converter=float_array)
    of: FloatArray = attrs.field(converter=float_array)
    rank: FloatArray = attrs.field(converter=float_array)
    low: FloatArray = attrs.field(converter=float_array)
    high: FloatArray = attrs.field(converter=float_array)
    expected_rank: FloatArray = attrs.field(converter=float_array)
    probability_best: FloatArray = attrs.field(converter=float_array)
    probability_top: FloatArray = attrs.field(converter=float_array)
    top: int
    level: float
    simultaneous: bool
    reasons: Reasons = attrs.field(converter=read_only)
    notices: tuple[Notice, ...]

    @property
    def expected_percentile(self) -> FloatArray:
        """Posterior means of the percentile rank among the others, 0 to 100."""
        percentile: FloatArray = 100 * (self.of - self.expected_rank) / (self.of - 1)
        return percentile

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization, in the order of the study; None where left out."""
        count = len(self.result.organizations)
        return rows_from_columns(
            {
                "organization": self.result.organizations,
                "peers": [self.peers] * count,
                "channel": [self.channel] * count,
                "dimension": [self.dimension] * count,
                "league": whole_numbers(self.league),
                "score": self.score.values,
                "standard_error": self.score.standard_error,
                "rank": whole_numbers(self.rank),
                "of": whole_numbers(self.of),
                "rank_low": whole_numbers(self.low),
                "rank_high": whole_numbers(self.high),
                "expected_rank": self.expected_rank,
                "expected_percentile": self.expected_percentile,
                "probability_best": self.probability_best,
                "probability_top": self.probability_top,
                "reason": self.reasons,
            }
        )

    def _view(self, language: Language) -> View:
        """Return league after league, the best rank first."""
        last = len(self.rank)
        rows = [
            {**row, "rank_set": None if row["rank"] is None else rank_set_words(row)}
            for row in self.to_rows()
        ]
        order = np.lexsort(
            (np.nan_to_num(self.rank, nan=last), np.nan_to_num(self.league, nan=last))
        )
        return rows_view(
            "ranks",
            [rows[place] for place in order],
            study=self.result.study,
            notices=self.notices,
            language=language,
            level=self.level,
        )

    def __str__(self) -> str:
        ranked = self.reasons == ""
        leagues = len(np.unique(self.league[ranked]))
        certain = int((self.low == self.high).sum())
        held = "all ranks at once" if self.simultaneous else "each rank"
        first = (
            f"{ranked.sum()} of {len(ranked)} organizations ranked in {leagues} "
            f"{'league' if leagues == 1 else 'leagues'} ({self.peers}); "
            f"sets hold {held} at {100 * self.level:g}%: {certain} ranks are certain"
        )
        return "\n".join([first, *(f"  note: {notice.message}" for notice in self.notices)])


def rank_set_words(row: dict[str, object]) -> str:
    """Return the ranks of a set, from its best to its worst."""
    low, high = row["rank_low"], row["rank_high"]
    return f"{low}" if low == high else f"{low}\N{EN DASH}{high}"
