"""What an analysis of robustness gives: scores and ranks over all runs, and what drives them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, float_array, read_only
from sotongindex._banding import grade_by_cuts, grade_shares
from sotongindex._choices import Choice
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons
from sotongindex._html import View
from sotongindex._rank_result import rank_set_words
from sotongindex._render import Rendered, prefixed, rows_view
from sotongindex._run_ranks import rank_shares, run_quantiles
from sotongindex._shrunken import whole_numbers
from sotongindex._sobol import SobolIndices
from sotongindex._text import Language
from sotongindex.models import GradeScale, Study
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult, Notice

Output: TypeAlias = Literal["scores", "ranks"]


@attrs.frozen(kw_only=True, eq=False)
class Sensitivity(Rendered):
    """Which choice, or the sampling, drives scores and ranks: k choices, o organizations.

    Attributes:
        study: What was measured.
        choices: What was varied, (k,).
        scores: Of the scores of all organizations together, (k,).
        ranks: Of the ranks of all organizations together, (k,).
        organization_scores: Of the score of every organization, (k, o); NaN where left out.
        organization_ranks: Of the rank of every organization, (k, o); NaN where left out.
        level: The level of the intervals.
    """

    study: Study
    choices: tuple[Choice, ...]
    scores: SobolIndices
    ranks: SobolIndices
    organization_scores: SobolIndices
    organization_ranks: SobolIndices
    level: float

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every choice and output, "scores" or "ranks"."""
        rows: list[dict[str, object]] = []
        for name in ("scores", "ranks"):
            shares = attrs.asdict(getattr(self, name))
            choices = [choice.key for choice in self.choices]
            rows += rows_from_columns(
                {"output": [name] * len(choices), "choice": choices, **shares}
            )
        return rows

    def driver(self, output: Output = "ranks") -> list[str | None]:
        """Return the choice with the largest total index for every organization.

        None where an organization is left out, or nothing varies.
        """
        total = np.nan_to_num(getattr(self, f"organization_{output}").total)
        largest = total.argmax(axis=0)
        return [
            self.choices[place].key if total[place, one] > 0 else None
            for one, place in enumerate(largest)
        ]

    def _view(self, language: Language) -> View:
        rows = [
            {key: 100 * value if isinstance(value, float) else value for key, value in row.items()}
            for row in self.to_rows()
        ]
        return rows_view(
            "sensitivity",
            rows,
            language=language,
            study=self.study,
            level=self.level,
            names={name: prefixed(name, language) for name in ("choice", "output")},
        )

    def __str__(self) -> str:
        lines = []
        for name in ("scores", "ranks"):
            shares = getattr(self, name)
            order = np.argsort(-shares.total, kind="stable")
            told = (
                f"{self.choices[k].key} {shares.first[k]:.2f} alone, {shares.total[k]:.2f} in all"
                for k in order
            )
            lines.append(f"shares of the variance of {name}: {'; '.join(told)}")
        return "\n".join(lines)


@attrs.frozen(kw_only=True, eq=False)
class RobustnessResult(Rendered):
    """How scores and ranks depend on what was chosen, and on who was asked.

    Axes: r runs, o organizations. Numbers are NaN where an organization is left out.

    Attributes:
        result: The recorded result.
        choices: What was varied.
        scores: The index in every run, (r, o).
        compared: What organizations are ranked by in every run, (r, o): the scores, or under
            `Sampling` and the normal prior true scores as they may be.
        ranks: The rank in every run, (r, o), 1 is best, ties share the better.
        rank: The ranks of the recorded result, (o,).
        score_median: The median score, (o,).
        score_low: The lower end of the interval of the score, (o,).
        score_high: The upper end.
        rank_median: The median rank over the runs, (o,).
        rank_low: The best rank of the interval of the rank, (o,).
        rank_high: The worst rank.
        level: The level of the intervals.
        sensitivity: Which choice drives what; None where not asked for.
        reasons: Why an organization is left out; "" where it is not.
        notices: What a reader should know.
    """

    result: IndexResult
    choices: tuple[Choice, ...]
    scores: FloatArray = attrs.field(converter=read_only, repr=False)
    compared: FloatArray = attrs.field(converter=read_only, repr=False)
    ranks: FloatArray = attrs.field(converter=read_only, repr=False)
    rank: FloatArray = attrs.field(converter=float_array)
    score_median: FloatArray = attrs.field(converter=float_array)
    score_low: FloatArray = attrs.field(converter=float_array)
    score_high: FloatArray = attrs.field(converter=float_array)
    rank_median: FloatArray = attrs.field(converter=float_array)
    rank_low: FloatArray = attrs.field(converter=float_array)
    rank_high: FloatArray = attrs.field(converter=float_array)
    level: float
    sensitivity: Sensitivity | None
    reasons: Reasons = attrs.field(converter=read_only)
    notices: tuple[Notice, ...]

    @property
    def present(self) -> FloatArray:
        """The share of runs in which an organization has a score, (o,); NaN where left out."""
        return np.where(self.reasons == "", (~np.isnan(self.scores)).mean(axis=0), np.nan)

    def probable_ranks(self) -> tuple[FloatArray, FloatArray]:
        """Return the best and the worst rank between the quantiles over the runs, (o,) both.

        Where respondents stay these are `rank_low` and `rank_high`. Under `Sampling` and the normal
        prior they hold true ranks at the level on average over organizations, but not for every
        organization by itself, and are narrower.
        """
        tail = (1 - self.level) / 2
        low, high = run_quantiles(self.ranks, [tail, 1 - tail], whole=True)
        return low, high

    def rank_probability(self) -> FloatArray:
        """Return the share of runs in which an organization (row) has a rank (column), (o, o).

        Tied organizations come in any order with equal probability. Rows add up to 1 and, where all
        have a score in every run, so do the columns of as many ranks as there are organizations;
        rows are NaN where left out.
        """
        used = np.flatnonzero(self.reasons == "")
        probability = np.full((len(self.reasons),) * 2, np.nan)
        probability[used] = 0.0
        probability[used, : len(used)] = rank_shares(self.compared[:, used])
        return probability

    def grade_probability(self, scale: GradeScale) -> FloatArray:
        """Return the share of runs in which every grade is earned, (o, grades + 1), best first.

        The last column is that of no grade, a score below the lowest bound or none at all.
        """
        cuts = np.array([[band.at_least for band in scale.bands]])
        grades = len(scale.bands) + 1
        shares = grade_shares(
            iter([self.scores]), lambda scores: grade_by_cuts(scores, cuts), grades
        )
        return np.where((self.reasons == "")[:, None], shares, np.nan)

    def order_shares(self) -> FloatArray:
        """Return the share of runs in which an organization (row) is above another, (o, o).

        Ties count half, and only runs in which both have a score count; an organization and itself
        are 0.5, and a pair that is never seen together, or left out, NaN. Time grows with the runs
        times the square of the organizations.
        """
        scores = self.compared
        above = np.empty((scores.shape[1],) * 2)
        for place, own in enumerate(scores.T):
            above[place] = (own[:, None] > scores + TIE_WIDTH).sum(axis=0)
        present = (~np.isnan(scores)).astype(np.float64)
        both = present.T @ present
        return np.divide(
            (above + both - above.T) / 2, both, out=np.full_like(both, np.nan), where=both > 0
        )

    def stable_orders(self) -> FloatArray:
        """Return the share of the others with whom an organization never changes order, (o,).

        An order is stable where one of the two is above in every run, without a tie.
        """
        share = self.order_shares()
        known = ~np.isnan(share)
        others = known.sum(axis=1) - known.diagonal()
        stable = ((share == 0) | (share == 1)).sum(axis=1)
        shares: FloatArray = np.full(len(share), np.nan)
        np.divide(stable, others, out=shares, where=others > 0)
        return shares

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization, in the order of the study; None where left out."""
        count = len(self.reasons)
        low, high = self.probable_ranks()
        driver = [None] * count if self.sensitivity is None else self.sensitivity.driver()
        return rows_from_columns(
            {
                "organization": self.result.organizations,
                "score": self.result.index.values,
                "score_median": self.score_median,
                "score_low": self.score_low,
                "score_high": self.score_high,
                "rank": whole_numbers(self.rank),
                "rank_median": self.rank_median,
                "rank_low": whole_numbers(self.rank_low),
                "rank_high": whole_numbers(self.rank_high),
                "probable_low": whole_numbers(low),
                "probable_high": whole_numbers(high),
                "present": self.present,
                "driver": driver,
                "reason": self.reasons,
            }
        )

    def _view(self, language: Language) -> View:
        """Return the best recorded ranks first."""
        last = len(self.rank)
        rows = [
            {**row, "rank_set": None if row["rank_low"] is None else rank_set_words(row)}
            for row in self.to_rows()
        ]
        order = np.argsort(np.nan_to_num(self.rank, nan=last + 1), kind="stable")
        return rows_view(
            "robustness",
            [rows[place] for place in order],
            language=language,
            study=self.result.study,
            notices=self.notices,
            level=self.level,
            names={"driver": prefixed("choice", language)},
        )

    def __str__(self) -> str:
        used = self.reasons == ""
        width = self.rank_high - self.rank_low + 1
        middle = f"{np.nanmedian(width):g}" if used.any() else "no"
        varied = ", ".join(choice.key for choice in self.choices)
        first = (
            f"{used.sum()} of {len(used)} organizations in {len(self.scores)} runs; varied: "
            f"{varied}; rank intervals at {100 * self.level:g}% hold {middle} ranks (median)"
        )
        lines = [first]
        if self.sensitivity is not None:
            lines += [f"  {line}" for line in str(self.sensitivity).splitlines()]
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])
