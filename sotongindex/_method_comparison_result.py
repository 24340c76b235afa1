"""The result of comparing two ways to make an index."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._changed_choices import ChangedChoice
from sotongindex._claims import Adjustment
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons
from sotongindex._html import View
from sotongindex._render import Rendered, rows_view
from sotongindex._shrunken import whole_numbers
from sotongindex._text import Language, number, say
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates


@attrs.frozen(kw_only=True, eq=False)
class Flips:
    """Pairs of organizations whose order differs between two results. Arrays are (f,).

    Attributes:
        above: Positions of the organizations that are higher in the first result.
        below: Positions of those that are higher in the second.
        first: By how many points the one is above the other in the first result.
        second: The same in the second result, below 0.
        p: P-values of the hypothesis that the true order is the same in both; NaN where an error
            is not known.
        adjusted_p: The same, adjusted for all pairs that could have flipped.
    """

    above: IntArray = attrs.field(converter=read_only)
    below: IntArray = attrs.field(converter=read_only)
    first: Estimates
    second: Estimates
    p: FloatArray = attrs.field(converter=float_array)
    adjusted_p: FloatArray = attrs.field(converter=float_array)

    def __len__(self) -> int:
        return len(self.above)


@attrs.frozen(kw_only=True, eq=False)
class MethodComparison(Rendered):
    """Two results of the same organizations, item by item. Arrays are (o,).

    Attributes:
        first: The result that is compared with.
        second: The result that is compared.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        changed: What differs in their recipes.
        first_score: The scores of the first.
        second_score: The scores of the second.
        difference: Second minus first; the errors know that the respondents are the same.
        first_rank: Ranks in the first, among those scored in both; 1 is best, ties share the
            better; NaN where not ranked.
        second_rank: The same in the second.
        spearman: The correlation of the ranks, ties at their middle; NaN where all are tied.
        kendall: Kendall's tau-b; NaN where all are tied.
        flips: The pairs whose order differs.
        pairs: How many pairs there are.
        adjustment: How the p-values of flips were adjusted.
        false_claims: A flip is real where its adjusted p-value is at most this.
        reasons: Why an organization is not compared, "" where it is.
        notices: What a reader should know.
    """

    first: IndexResult
    second: IndexResult
    channel: str | None
    dimension: str | None
    changed: tuple[ChangedChoice, ...]
    first_score: Estimates
    second_score: Estimates
    difference: Estimates
    first_rank: FloatArray = attrs.field(converter=float_array)
    second_rank: FloatArray = attrs.field(converter=float_array)
    spearman: float
    kendall: float
    flips: Flips
    pairs: int
    adjustment: Adjustment
    false_claims: float
    reasons: Reasons = attrs.field(converter=read_only)
    notices: tuple[Notice, ...]

    @property
    def real_flips(self) -> NDArray[np.bool_]:
        """Which of the flips are beyond the errors of both results, (f,)."""
        return np.asarray(self.flips.adjusted_p <= self.false_claims)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization, in the order of the study; None where missing."""
        count = len(self.first.organizations)
        return rows_from_columns(
            {
                "organization": self.first.organizations,
                "channel": [self.channel] * count,
                "dimension": [self.dimension] * count,
                "first_score": self.first_score.values,
                "second_score": self.second_score.values,
                "difference": self.difference.values,
                "standard_error": self.difference.standard_error,
                "low": self.difference.low,
                "high": self.difference.high,
                "first_rank": whole_numbers(self.first_rank),
                "second_rank": whole_numbers(self.second_rank),
                "reason": self.reasons,
            }
        )

    def flip_rows(self) -> list[dict[str, object]]:
        """Return one row for every pair whose order differs, the surest first."""
        keys, flips = np.array(self.first.organizations), self.flips
        order = np.argsort(flips.p, kind="stable")
        return rows_from_columns(
            {
                "organization": keys[flips.above[order]],
                "against": keys[flips.below[order]],
                "first_difference": flips.first.values[order],
                "second_difference": flips.second.values[order],
                "p": flips.p[order],
                "adjusted_p": flips.adjusted_p[order],
                "real": self.real_flips[order],
            }
        )

    def _view(self, language: Language) -> View:
        """Return those whose rank differs most first."""
        moved = np.nan_to_num(np.abs(self.first_rank - self.second_rank), nan=-1.0)
        rows = self.to_rows()
        changes = "; ".join(f"{one.field}: {one.first} → {one.second}" for one in self.changed)
        facts = [
            (say("fact.changed", language), changes or say("fact.changed.nothing", language)),
            (
                say("fact.rank_correlation", language),
                say(
                    "fact.rank_correlation.both",
                    language,
                    spearman=number(self.spearman, 3),
                    kendall=number(self.kendall, 3),
                ),
            ),
            (
                say("fact.flips", language),
                say(
                    "fact.flips.counted",
                    language,
                    flips=f"{len(self.flips):,}",
                    pairs=f"{self.pairs:,}",
                    real=f"{self.real_flips.sum():,}",
                ),
            ),
        ]
        return rows_view(
            "methods",
            [rows[place] for place in np.argsort(-moved, kind="stable")],
            study=self.first.study,
            language=language,
            level=self.difference.level,
            facts=facts,
            notices=self.notices,
        )

    def __str__(self) -> str:
        changes = [f"  {one.field}: {one.first} -> {one.second}" for one in self.changed]
        compared = int((self.reasons == "").sum())
        turned = f"{len(self.flips)} of {self.pairs} pairs change their order"
        beyond = f"{self.real_flips.sum()} beyond the errors"
        lines = [
            f"{compared} of {len(self.reasons)} organizations compared; what differs:",
            *(changes or ["  nothing in the recipe"]),
            f"rank correlation {self.spearman:.3f} (Spearman), {self.kendall:.3f} (Kendall)",
            f"{turned}, {beyond} ({self.false_claims:g} by {self.adjustment})",
        ]
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])
