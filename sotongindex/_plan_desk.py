"""One organization's plan: room, rises, and what other samples would have led to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from sotongindex._arrays import FloatArray
from sotongindex._disclosure import DisclosureRules, Reasons, Subject, first_reason
from sotongindex._effort import Strategy, best_use, least_effort
from sotongindex._joint import stacked
from sotongindex._plan_levers import (
    PlanLever,
    answers_per_point,
    cell_rises,
    climbed,
    subject_slopes,
)
from sotongindex._plan_result import ImprovementPlan
from sotongindex._student import t_quantile
from sotongindex.attainment import TargetGap
from sotongindex.errors import MethodError
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates

_STEPS = 80  # halvings: from 100 points to less than the last digit


@attrs.frozen(kw_only=True)
class Effort:
    """How rises are chosen: the least effort to a gain, or the best use of a budget."""

    strategy: Strategy
    budget: float | None
    probability: float
    draws: int
    rng: int | np.random.Generator | None

    def __attrs_post_init__(self) -> None:
        if not 0.5 <= self.probability < 1:
            raise MethodError(
                f"expected a probability from 0.5 to below 1, got {self.probability}",
                argument="probability",
            )

    def rises(
        self,
        weights: FloatArray,
        room: FloatArray,
        gain: FloatArray,
        *,
        costs: FloatArray,
        least: FloatArray,
    ) -> FloatArray:
        """Return the rises of levers, (..., k)."""
        if self.budget is not None:
            return best_use(weights, room, self.budget, costs=costs, least=least)
        return least_effort(weights, room, gain, strategy=self.strategy, costs=costs, least=least)


@attrs.frozen(kw_only=True, eq=False)
class Desk:
    """One organization, its target and its levers on the table. Arrays are (k,)."""

    result: IndexResult
    place: int
    gap: TargetGap
    levers: tuple[PlanLever, ...]
    score: Estimates
    cap: Estimates
    cells: FloatArray  # how far cells rise with a point of each lever, (k, c, d)
    weight: FloatArray
    reasons: Reasons

    @classmethod
    def of(
        cls,
        result: IndexResult,
        gap: TargetGap,
        *,
        levers: tuple[PlanLever, ...],
        subjects: Sequence[Subject],
        cap: Estimates,
        rules: DisclosureRules,
    ) -> Desk:
        """Lay out what is known.

        Raises:
            MethodError: If no lever that can be used moves the score.
        """
        place = result.organizations.index(gap.organizations[0])
        score = stacked([one.estimates.select([place]) for one in subjects])
        cells = cell_rises(result, place, levers)
        slopes = subject_slopes(result, place, gap.target)
        weight = (cells * slopes).sum(axis=(1, 2))
        people = np.array([one.respondents[place] for one in subjects])
        reasons = first_reason(
            ("missing score", np.isnan(score.values)),
            ("few respondents", people < rules.min_respondents_show),
            ("no weight", weight <= 0),
        )
        if not (reasons == "").any():
            told = ", ".join(sorted(set(reasons.tolist())))
            raise MethodError(
                f"none of {len(levers)} levers moves the score of {gap.organizations[0]!r} "
                f"({told}); name levers within what the target is about",
                argument="levers",
            )
        return cls(
            result=result,
            place=place,
            gap=gap,
            levers=levers,
            score=score,
            cap=cap,
            cells=cells,
            weight=np.where(reasons == "", weight, 0.0),
            reasons=reasons,
        )

    def plan(self, effort: Effort) -> ImprovementPlan:
        """Choose the rises."""
        margin = self._margin(effort.probability)
        wanted = float(self.gap.gap.values[0]) + margin
        room, least = self._limits(self.score.values)
        notices = self._faults(room)
        choose = self._chooser(effort, room, least)
        rise = choose(wanted) if effort.budget is not None else self._enough(choose, wanted, room)
        gain = self._gain(rise)
        shares = self.weight * rise
        usable = np.where(self.weight > 0, self.weight, np.nan)
        first, low, high = self._spread(effort, margin)
        return ImprovementPlan(
            result=self.result,
            organization=self.gap.organizations[0],
            gap=self.gap,
            strategy=effort.strategy if effort.budget is None else "best use",
            budget=effort.budget,
            probability=effort.probability,
            levers=self.levers,
            score=self.score,
            cap=self.cap,
            weight=self.weight,
            rise=rise,
            rise_low=low,
            rise_high=high,
            gain=shares * (gain / shares.sum() if shares.sum() > 0 else 1.0),
            alone=np.nan_to_num(max(wanted, 0.0) / usable, nan=np.inf),
            answers=rise * answers_per_point(self.result, self.levers),
            probability_first=first,
            reachable=float(self.gap.score.values[0]) + self._gain(room),
            wanted=wanted,
            reasons=self.reasons,
            notices=notices,
        )

    def _margin(self, probability: float) -> float:
        """Return what a plan must gain beyond the gap to reach the true target this probably.

        Raises:
            MethodError: If the error of the gap is not known.
        """
        if probability == 0.5:
            return 0.0
        gap = self.gap.gap
        margin = float((t_quantile(gap.degrees_of_freedom, probability) * gap.standard_error)[0])
        if np.isnan(margin):
            raise MethodError(
                "the error of the gap is not known: plan for the probability 0.5",
                argument="probability",
            )
        return margin

    # -- bounds ------------------------------------------------------------------------------

    def _own(self, name: str) -> FloatArray:
        """Return a number of every lever, NaN where it has none."""
        given = [getattr(lever, name) for lever in self.levers]
        return np.array([np.nan if number is None else number for number in given])

    def _room(self, score: FloatArray) -> FloatArray:
        """Return how far levers can rise from scores (..., k): to the cap, no cell beyond 100."""
        cells = np.nan_to_num(self.result.structure.cells[self.place])
        steps = np.where(self.cells > 0, self.cells, np.nan)
        below_top = np.nan_to_num((100.0 - cells) / steps, nan=np.inf).min(axis=(1, 2))
        room = np.minimum(np.maximum(self.cap.values - score, 0.0), below_top)
        return np.where(self.reasons == "", room, 0.0)

    def _limits(self, score: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the room and the least rises, (..., k)."""
        committed, floor = self._own("commitment"), np.nan_to_num(self._own("floor"))
        is_fixed = ~np.isnan(committed)
        room = np.where(is_fixed, committed, self._room(score))
        least = np.where(is_fixed, committed, np.clip(floor - np.nan_to_num(score), 0.0, room))
        return room, least

    def _faults(self, room: FloatArray) -> tuple[Notice, ...]:
        """Say which floors cannot be reached, and which levers have no cap.

        Raises:
            MethodError: If a commitment goes beyond a cap.
        """
        left = self._room(self.score.values)
        beyond = np.flatnonzero(np.nan_to_num(self._own("commitment")) > left + TIE_WIDTH)
        if len(beyond):
            number = beyond[0]
            raise MethodError(
                f"the commitment of {self.levers[number].commitment:g} points to "
                f"{self.levers[number].name!r} is more than the {left[number]:.4g} that its cap "
                "leaves; raise its cap",
                argument=f"levers[{number}].commitment",
            )
        used, exact = self.reasons == "", self.cap.standard_error == 0
        low = used & (self._own("floor") > self.score.values + room + TIE_WIDTH)
        free = used & exact & (self.cap.values == 100) & np.isnan(self._own("cap"))
        cases = (
            ("floor not reached", "floors lie above their caps: raised as far as these", low),
            ("no cap", "levers have too few peers for a cap: they may rise to 100 points", free),
        )
        return tuple(
            Notice(
                code=code,
                message=f"{holds.sum()} {told}",
                keys=tuple(self.levers[number].name for number in np.flatnonzero(holds)),
            )
            for code, told, holds in cases
            if holds.any()
        )

    # -- rises -------------------------------------------------------------------------------

    def _chooser(
        self, effort: Effort, room: FloatArray, least: FloatArray
    ) -> Callable[[float], FloatArray]:
        costs = self._own("cost")

        def choose(gain: float) -> FloatArray:
            return effort.rises(self.weight, room, np.array(gain), costs=costs, least=least)

        return choose

    def _enough(
        self, choose: Callable[[float], FloatArray], wanted: float, room: FloatArray
    ) -> FloatArray:
        """Return the rises that gain what is wanted.

        Where means are not arithmetic, the points at first order are raised or lowered until the
        score itself is reached: it never falls as they grow, so halving finds them.
        """
        if self._is_linear or wanted <= 0:
            return choose(wanted)
        # Twice what there is at first order takes all of it, should nothing less suffice.
        low, high = 0.0, 2 * float(self.weight @ room)
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (low, middle) if self._gain(choose(middle)) >= wanted else (middle, high)
        return choose(high)

    @property
    def _is_linear(self) -> bool:
        powers = self.result.method.power
        return powers.dimensions == 1 and powers.channels == 1

    def _gain(self, rise: FloatArray) -> float:
        """Return the points that the score gains with rises."""
        if self._is_linear:
            return float(self.weight @ rise)
        cells = self.result.structure.cells[self.place]
        risen = cells + np.tensordot(rise, self.cells, axes=1)
        before, after = self._ascended(np.array([cells, np.minimum(risen, 100.0)]))
        return float(after - before)

    def _ascended(self, cells: FloatArray) -> FloatArray:
        """Return the score that the target is about, from cells (n, c, d)."""
        result, target = self.result, self.gap.target
        framework = result.study.framework
        tree = climbed(result, cells, np.full(len(cells), self.place))
        if target.channel is None and target.dimension is None:
            return tree.index
        if target.channel is None:
            return tree.dimensions[:, framework.dimension_keys.index(str(target.dimension))]
        channel = framework.channel_keys.index(target.channel)
        if target.dimension is None:
            return tree.channels[:, channel]
        return cells[:, channel, framework.dimension_keys.index(target.dimension)]

    # -- other samples -----------------------------------------------------------------------

    def _spread(self, effort: Effort, margin: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return for each lever the chance to be first, and the ends of its rise, over draws.

        Caps stay what they are. To first order where means are not arithmetic.
        """
        nothing = np.full(len(self.levers), np.nan)
        if not effort.draws:
            return nothing, nothing, nothing
        used = np.flatnonzero(self.reasons == "")
        joint = stacked([self.score.select(used), self.gap.gap])
        drawn = joint.draws(effort.draws, rng=effort.rng)
        if np.isnan(drawn).any():
            return nothing, nothing, nothing
        score = np.tile(self.score.values, (effort.draws, 1))
        score[:, used] = drawn[:, :-1]
        room, least = self._limits(np.clip(score, 0.0, 100.0))
        weights = np.broadcast_to(self.weight, score.shape)
        rises = effort.rises(
            weights, room, drawn[:, -1] + margin, costs=self._own("cost"), least=least
        )
        tail = (1 - self.result.method.level) / 2
        low, high = np.quantile(rises, [tail, 1 - tail], axis=0)
        return _first(weights * rises), low, high


def _first(gains: FloatArray) -> FloatArray:
    """Return how often each column has the largest gain, (k,); those that tie share it."""
    most = gains.max(axis=1, keepdims=True)
    is_first = (gains >= most - TIE_WIDTH) & (most > TIE_WIDTH)
    shares = is_first / np.maximum(is_first.sum(axis=1, keepdims=True), 1)
    often: FloatArray = shares.mean(axis=0)
    return often
