"""The result of planning: how far to raise what, what it gains, and how sure all that is."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons
from sotongindex._html import View
from sotongindex._plan_levers import PlanLever
from sotongindex._render import Rendered, rows_view, study_names, target_words
from sotongindex._text import Language, chance, number, say, signed
from sotongindex.attainment import TargetGap, describe
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates


@attrs.frozen(kw_only=True, eq=False)
class ImprovementPlan(Rendered):
    """How far an organization has to raise which levers to reach a target. Arrays are (k,).

    Attributes:
        result: The scores.
        organization: The organization's key.
        gap: The target, with the score, the aim and the gap of the organization.
        strategy: What the least effort is; "best use" where a budget was given.
        budget: What may be spent; None where there is no limit.
        probability: The probability of truly reaching the target that was planned for.
        levers: What can be raised.
        score: The scores of the levers.
        cap: The scores that they can be raised to.
        weight: The points that the score gains with one point of each.
        rise: The planned rises in points.
        rise_low: The lower end of the rises that other samples might have led to.
        rise_high: The upper end.
        gain: The points that the score gains by each.
        alone: The points that each would have to rise if nothing else did; inf without weight.
        answers: The share of the lever's answers that have to be one category better.
        probability_first: The probability that the lever gains most in the plan of the true scores;
            levers that tie share it.
        reachable: The largest score that all levers together can reach.
        wanted: The points that the plan set out to gain.
        reasons: Why a lever is not used; "" where it can be.
        notices: What a reader should know.
    """

    result: IndexResult
    organization: str
    gap: TargetGap
    strategy: str
    budget: float | None
    probability: float
    levers: tuple[PlanLever, ...]
    score: Estimates
    cap: Estimates
    weight: FloatArray = attrs.field(converter=float_array)
    rise: FloatArray = attrs.field(converter=float_array)
    rise_low: FloatArray = attrs.field(converter=float_array)
    rise_high: FloatArray = attrs.field(converter=float_array)
    gain: FloatArray = attrs.field(converter=float_array)
    alone: FloatArray = attrs.field(converter=float_array)
    answers: FloatArray = attrs.field(converter=float_array)
    probability_first: FloatArray = attrs.field(converter=float_array)
    reachable: float
    wanted: float
    reasons: Reasons = attrs.field(converter=read_only)
    notices: tuple[Notice, ...]

    @property
    def planned(self) -> float:
        """The score after the plan."""
        return float(self.gap.score.values[0] + self.gain.sum())

    @property
    def shortfall(self) -> float:
        """The points that the plan gains less than it set out to; 0 where it gains enough."""
        missing = self.wanted - float(self.gain.sum())
        return missing if missing > TIE_WIDTH else 0.0

    @property
    def is_feasible(self) -> bool:
        """Whether the plan gains what it set out to."""
        return self.shortfall == 0

    @property
    def probability_now(self) -> float:
        """The probability that the true score is at the target already."""
        return float(self.gap.probability_met[0])

    @property
    def probability_after(self) -> float:
        """The probability that it is after the plan, every lever raised exactly as planned."""
        closed = attrs.evolve(self.gap.gap, values=self.gap.gap.values - self.gain.sum())
        return float(attrs.evolve(self.gap, gap=closed).probability_met[0])

    @property
    def cost(self) -> float:
        """What the rises cost, point by point."""
        return float(sum(lever.cost * x for lever, x in zip(self.levers, self.rise, strict=True)))

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every lever; None where missing or not known."""
        known = np.where(self.reasons == "", 1.0, np.nan)
        columns: dict[str, Any] = {
            "organization": [self.organization] * len(self.levers),
            "lever": [lever.name for lever in self.levers],
            "channel": [lever.channel for lever in self.levers],
            "dimension": [lever.dimension for lever in self.levers],
            "score": self.score.values * known,
            "score_low": self.score.low * known,
            "score_high": self.score.high * known,
            "cap": self.cap.values,
            "cap_standard_error": self.cap.standard_error,
            "cost": [lever.cost for lever in self.levers],
            "weight": self.weight,
            "rise": self.rise,
            "rise_low": self.rise_low,
            "rise_high": self.rise_high,
            "planned": (self.score.values + self.rise) * known,
            "gain": self.gain,
            "alone": np.where(np.isfinite(self.alone), self.alone, np.nan),
            "answers": self.answers,
            "probability_first": self.probability_first,
            "reason": self.reasons,
        }
        return rows_from_columns(columns)

    def _facts(self, language: Language) -> list[tuple[str, str]]:
        names = study_names(self.result.study, language)
        facts = [
            ("plan.organization", names["organization"][self.organization]),
            ("targets", target_words(self.gap.target, language)),
            ("plan.score", number(self.gap.score.values[0])),
            ("plan.aim", number(self.gap.aim.values[0])),
            ("plan.planned", number(self.planned)),
            ("plan.reachable", number(self.reachable)),
            ("plan.strategy", say(f"strategy.{self.strategy}", language)),
            ("plan.now", chance(self.probability_now)),
            ("plan.after", chance(self.probability_after)),
        ]
        return [(say(f"fact.{key}", language), text) for key, text in facts]

    def _view(self, language: Language) -> View:
        """Return the levers, what gains most first."""
        rows = sorted(self.to_rows(), key=lambda row: -float(str(row["gain"] or 0.0)))
        return rows_view(
            "plan",
            rows,
            language=language,
            study=self.result.study,
            facts=self._facts(language),
            notices=self.notices,
            names={"lever": lever_names(self, language)},
            level=self.result.method.level,
        )

    def __str__(self) -> str:
        end = "reaches" if self.is_feasible else f"misses by {self.shortfall:.2f}"
        first = (
            f"{self.organization}: {number(self.gap.score.values[0])} to {number(self.planned)} "
            f"({self.strategy}) {end} {number(self.gap.aim.values[0])} "
            f"({describe(self.gap.target)}), chance {chance(self.probability_after)}"
        )
        raised = sorted(np.flatnonzero(self.rise > 0), key=lambda place: -self.gain[place])
        lines = [
            f"  {self.levers[place].name}: {signed(self.rise[place])} points, gains "
            f"{signed(self.gain[place], 2)}"
            for place in raised
        ]
        return "\n".join([first, *lines, *(f"  note: {notice.message}" for notice in self.notices)])


def lever_names(plan: ImprovementPlan, language: Language) -> dict[str, str]:
    """Return for the names of levers the names people know."""
    names = study_names(plan.result.study, language)
    return {
        lever.name: " · ".join(
            names[kind][key]
            for kind, key in (("channel", lever.channel), ("dimension", lever.dimension))
            if key
        )
        for lever in plan.levers
    }
