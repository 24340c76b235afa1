"""Points for achievement and for improvement, in the manner of value-based purchasing.

Who does well earns points for it; who does badly but gets better earns points too; the higher of
both counts. Medicare pays hospitals by it.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array, read_only, round_half_up
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import DisclosureRules, Reasons, first_of
from sotongindex._html import View
from sotongindex._joint import stacked
from sotongindex._render import Rendered, rows_view
from sotongindex._target_cases import TargetCase, check_target, measure
from sotongindex._text import Language
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import GradeCut, PeerStatistic, Target
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

__all__ = [
    "PointsResult",
    "PointsRule",
    "achievement_points",
    "improvement_points",
    "score_improvement",
]

_MEDIAN = PeerStatistic(statistic="median")
_TOP_DECILE = PeerStatistic(statistic="top decile mean")


@attrs.frozen(kw_only=True)
class PointsRule:
    """How much of a way makes how many points; by default as Medicare gives them to hospitals.

    Attributes:
        full: The points of the benchmark.
        achievement_span: The points of the way from the threshold to the benchmark.
        achievement_shift: Added to them.
        improvement_span: The points of the way from the own baseline to the benchmark.
        improvement_shift: Added to them.
        rounded: Whether points are rounded, half up, and stop short of `full` below the benchmark.

    Raises:
        DefinitionError: If a span or the full points are not above 0.
    """

    full: float = 10.0
    achievement_span: float = 9.0
    achievement_shift: float = 0.5
    improvement_span: float = 10.0
    improvement_shift: float = -0.5
    rounded: bool = True

    def __attrs_post_init__(self) -> None:
        for name in ("full", "achievement_span", "improvement_span"):
            if not getattr(self, name) > 0:
                raise DefinitionError(
                    f"expected more than 0, got {getattr(self, name)}", field=f"PointsRule.{name}"
                )

    def points(self, way: FloatArray, *, span: float, shift: float) -> FloatArray:
        """Return the points of shares of a way that is not done yet."""
        earned = span * way + shift
        if self.rounded:
            earned = np.minimum(round_half_up(earned), np.ceil(self.full) - 1)
        return np.clip(earned, 0.0, self.full)


def achievement_points(
    score: ArrayLike,
    threshold: ArrayLike,
    benchmark: ArrayLike,
    *,
    rule: PointsRule = PointsRule(),  # frozen
) -> FloatArray:
    r"""Return the points for achievement.

    With the score :math:`s`, the threshold :math:`T` and the benchmark :math:`B`: all points from
    :math:`B` on, none below :math:`T`, and between them :math:`9 (s - T)/(B - T) + 0.5` of 10,
    rounded half up.

    Args:
        score: Scores.
        threshold: From where on there are points.
        benchmark: From where on there are all points.
        rule: The numbers of the formula.

    Returns:
        Points, 0 to `rule.full`, in the shape the three broadcast to; NaN where one is missing.

    References:
        42 CFR 412.165; 76 FR 26490 (2011).

    >>> achievement_points([49.0, 50.0, 65.0, 80.0], 50.0, 80.0).tolist()
    [0.0, 1.0, 5.0, 10.0]
    """
    return _points(
        score, threshold, benchmark, rule=rule, span=rule.achievement_span,
        shift=rule.achievement_shift,
    )  # fmt: skip


def improvement_points(
    score: ArrayLike,
    baseline: ArrayLike,
    benchmark: ArrayLike,
    *,
    rule: PointsRule = PointsRule(),  # frozen
) -> FloatArray:
    r"""Return the points for improvement since the own baseline.

    With the baseline :math:`b`: none up to :math:`b`, all from the benchmark :math:`B` on, and
    between them :math:`10 (s - b)/(B - b) - 0.5` of 10, rounded half up.

    Args:
        score: Scores.
        baseline: Earlier scores of the same organizations.
        benchmark: From where on there are all points.
        rule: The numbers of the formula.

    Returns:
        Points, 0 to `rule.full`, in the shape the three broadcast to; NaN where one is missing.

    References:
        42 CFR 412.165; 76 FR 26490 (2011).

    >>> improvement_points([40.0, 50.0, 65.0], 40.0, 80.0).tolist()
    [0.0, 2.0, 6.0]
    """
    start = np.asarray(baseline, dtype=np.float64)
    earned = _points(
        score, start, benchmark, rule=rule, span=rule.improvement_span, shift=rule.improvement_shift
    )
    unchanged = (np.asarray(score) <= start) & (np.asarray(score) < np.asarray(benchmark))
    return np.where(unchanged, 0.0, earned)


def _points(
    score: ArrayLike,
    start: ArrayLike,
    benchmark: ArrayLike,
    *,
    rule: PointsRule,
    span: float,
    shift: float,
) -> FloatArray:
    here, first, last = (np.asarray(part, dtype=np.float64) for part in (score, start, benchmark))
    way = last - first
    share = (here - first) / np.where(way > 0, way, 1.0)
    earned = rule.points(share, span=span, shift=shift)
    points = np.where(here >= last, rule.full, np.where(here < first, 0.0, earned))
    return np.where(np.isnan(here + first + last), np.nan, points)


# -- of an index ---------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class PointsResult(Rendered):
    """Points of every organization. Arrays are (o,), NaN where not shown or not known.

    Attributes:
        result: The scores.
        score: The scores that points are given for.
        threshold: From where on achievement counts.
        benchmark: From where on there are all points.
        baseline: The organizations' own earlier scores.
        achievement: Points for achievement.
        improvement: Points for improvement; NaN without a baseline.
        points: The higher of both.
        expected: The mean of the points over what the true scores may be.
        low: The lower end of their interval.
        high: The upper end.
        rule: The numbers of the formula.
        reasons: Why there are no points; "" where there are.
    """

    result: IndexResult
    score: Estimates
    threshold: Estimates
    benchmark: Estimates
    baseline: Estimates
    achievement: FloatArray = attrs.field(converter=float_array)
    improvement: FloatArray = attrs.field(converter=float_array)
    points: FloatArray = attrs.field(converter=float_array)
    expected: FloatArray = attrs.field(converter=float_array)
    low: FloatArray = attrs.field(converter=float_array)
    high: FloatArray = attrs.field(converter=float_array)
    rule: PointsRule
    reasons: Reasons = attrs.field(converter=read_only)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None where not shown or not known."""
        return rows_from_columns(
            {
                "organization": self.result.organizations,
                "score": self.score.values,
                "threshold": self.threshold.values,
                "benchmark": self.benchmark.values,
                "baseline": self.baseline.values,
                "achievement": self.achievement,
                "improvement": self.improvement,
                "points": self.points,
                "expected": self.expected,
                "low": self.low,
                "high": self.high,
                "reason": self.reasons,
            }
        )

    def _view(self, language: Language) -> View:
        rows = sorted(self.to_rows(), key=lambda row: -float(str(row["points"] or -1)))
        return rows_view(
            "value_points",
            rows,
            language=language,
            study=self.result.study,
            level=self.result.method.level,
        )

    def __str__(self) -> str:
        known = self.reasons == ""
        middle = f"{np.median(self.points[known]):g}" if known.any() else "not known"
        return f"points of {known.sum()} of {len(known)} organizations, median {middle}"


def score_improvement(
    result: IndexResult,
    before: IndexResult,
    *,
    channel: str | None = None,
    dimension: str | None = None,
    threshold: float | PeerStatistic | GradeCut = _MEDIAN,
    benchmark: float | PeerStatistic | GradeCut = _TOP_DECILE,
    rule: PointsRule = PointsRule(),  # frozen
    rules: DisclosureRules = DisclosureRules(),  # frozen
    draws: int = 1000,
    rng: int | np.random.Generator | None = 0,
) -> PointsResult:
    """Give every organization the higher of its points for achievement and for improvement.

    Threshold and benchmark are known in advance: they are taken from the earlier scores, each
    organization left out of its own peers. Medicare leaves none out; give numbers to do so.

    Points jump. How sure they are is told by drawing what the true scores, the earlier ones, the
    threshold and the benchmark may be, together, and giving points for each draw.

    Args:
        result: The scores.
        before: The earlier scores.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        threshold: From where on achievement counts.
        benchmark: From where on there are all points.
        rule: The numbers of the formula.
        rules: What may be shown.
        draws: How many draws.
        rng: A seed or generator; the same seed gives the same bytes.

    Returns:
        The points. An organization that was not in the earlier wave has none.

    Raises:
        DefinitionError: If a channel or dimension is not known.
        MethodError: If `draws` is below 2.

    References:
        42 CFR 412.165.
    """
    if draws < 2:
        raise MethodError(f"expected 2 or more, got {draws}", argument="draws")
    aims = []
    for wave, score in ((before, threshold), (before, benchmark), (result, 100.0)):
        target = Target(score=score, channel=channel, dimension=dimension)
        check_target(wave, target, field="score_improvement")
        aims.append(measure(TargetCase.of(wave, target, baseline=before, rules=rules)))
    now = aims[2]
    places = {key: place for place, key in enumerate(before.organizations)}
    found = np.array([places.get(key, -1) for key in result.organizations])
    earlier = [_aligned(aims[number].aim, found) for number in (0, 1)]
    joint = stacked([now.score, *earlier, now.start])
    why = [np.where(found >= 0, aims[number].reasons[found], "no baseline") for number in (0, 1)]
    reasons = first_of(now.reasons, *why, np.where(np.isnan(now.start.values), "no baseline", ""))
    achieved, improved, points = _scored(joint.values.reshape(4, -1), rule)
    drawn = _scored(joint.draws(draws, rng=rng).reshape(draws, 4, -1).swapaxes(0, 1), rule)[2]
    tail = (1 - result.method.level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
    hidden = np.where(reasons == "", 0.0, np.nan)
    return PointsResult(
        result=result,
        score=now.score,
        threshold=earlier[0],
        benchmark=earlier[1],
        baseline=now.start,
        achievement=achieved + hidden,
        improvement=improved + hidden,
        points=points + hidden,
        expected=drawn.mean(axis=0) + hidden,
        low=low + hidden,
        high=high + hidden,
        rule=rule,
        reasons=reasons,
    )


def _scored(numbers: FloatArray, rule: PointsRule) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return both points and the higher, from (score, threshold, benchmark, baseline)."""
    score, threshold, benchmark, baseline = numbers
    achieved = achievement_points(score, threshold, benchmark, rule=rule)
    improved = improvement_points(score, baseline, benchmark, rule=rule)
    return achieved, improved, np.maximum(achieved, improved)


def _aligned(estimates: Estimates, found: FloatArray) -> Estimates:
    """Return estimates of another wave's organizations in this one's order, missing where -1."""
    chosen = estimates.select(np.maximum(found, 0))
    return attrs.evolve(
        chosen,
        values=np.where(found >= 0, chosen.values, np.nan),
        variance=np.where(found >= 0, chosen.variance, np.nan),
    )
