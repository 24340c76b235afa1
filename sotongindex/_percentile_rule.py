"""Percentile bands that a significance test and a reliability check move towards the middle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._band_result import MovedBands
from sotongindex._banding import BoolArray, moved_grades, named_grades, percentile_cuts
from sotongindex._between import between_variance
from sotongindex._claims import (
    Adjustment,
    adjust_families,
    check_adjustment,
    check_share,
    p_values,
)
from sotongindex._disclosure import Reasons, Subject
from sotongindex._peers import PeerSets, Placement, distance
from sotongindex.errors import DefinitionError, MethodError


def _percentiles(
    value: Mapping[str, float] | Iterable[tuple[str, float]],
) -> tuple[tuple[str, float], ...]:
    pairs = [(grade, float(start)) for grade, start in dict(value).items()]
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))


@attrs.frozen(kw_only=True)
class PercentileRule:
    r"""Five bands by percentile, moved by a significance test and a reliability check.

    Each score begins in the band of its percentile. Then, as CAHPS measures are rated in the
    Medicare Advantage star ratings (the bands there are called 5 to 1):

    - the best band needs a score significantly above the mean, and where its reliability is low
      also one beyond the cut point by more than `margin` standard errors; else the second;
    - the second needs a reliability that is not low, or a score significantly above the mean; else
      the middle;
    - from the middle, a score significantly above the mean moves up to the second, one
      significantly below it down to the fourth;
    - the fourth and the lowest mirror the second and the best.

    The reliability of a score is :math:`\tau^2 / (\tau^2 + s^2)` with the variance
    :math:`\tau^2` between the organizations of the group. Low means below `low_reliability` and
    among the `low_share` least reliable scores of the group; below `min_reliability` there is no
    grade.

    Attributes:
        bands: The percentile from which each of five grades begins; the lowest begins at 0.
        significance: The level of the two-sided test against the mean of the others.
        adjustment: How the p-values of a call are adjusted; None tests each by itself, as
            published, and moves too many.
        min_reliability: The least reliability that is graded.
        low_reliability: Below this, reliability may be low.
        low_share: The share of the group that may be low.
        margin: How many standard errors beyond a cut point count as beyond it.
        digits: Digits that cut points are rounded to (half up); None leaves them.
        between_variance: The variance between organizations; None finds it in each group, by Paule
            and Mandel's equation.

    Raises:
        DefinitionError: If there are not five bands, or percentiles are not different numbers from
            0 to below 100 with 0 among them.
        MethodError: If another number is out of range, or the adjustment is unknown.

    References:
        42 CFR 422.166(a)(3), which has the percentiles 15, 30, 60 and 80.

    >>> rule = PercentileRule(bands={"5": 80, "4": 60, "3": 30, "2": 15, "1": 0})
    >>> rule.grades
    ('5', '4', '3', '2', '1')
    """

    bands: tuple[tuple[str, float], ...] = attrs.field(converter=_percentiles)
    significance: float = 0.05
    adjustment: Adjustment | None = "holm"
    min_reliability: float = 0.60
    low_reliability: float = 0.75
    low_share: float = 0.12
    margin: float = 1.0
    digits: int | None = None
    between_variance: float | None = None

    def __attrs_post_init__(self) -> None:
        starts = [start for _, start in self.bands]
        fits = len(set(starts)) == len(dict(self.bands)) == len(starts) == 5
        if not (fits and starts[-1] == 0 and starts[0] < 100):
            raise DefinitionError(
                f"expected five grades with different percentiles from 0 to below 100, the lowest "
                f"0, got {dict(self.bands)!r}",
                field="PercentileRule.bands",
            )
        check_share(self.significance, "significance")
        if self.adjustment is not None:
            check_adjustment(self.adjustment)
        for name in ("min_reliability", "low_reliability", "low_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise MethodError(
                    f"expected a share from 0 to 1, got {getattr(self, name)}", argument=name
                )
        for name in ("margin", "between_variance"):
            if getattr(self, name) is not None and not 0 <= getattr(self, name) < np.inf:
                raise MethodError(
                    f"expected a number of 0 or more, got {getattr(self, name)}", argument=name
                )

    @property
    def grades(self) -> tuple[str, ...]:
        """The grades, best first."""
        return tuple(grade for grade, _ in self.bands)

    @property
    def percentiles(self) -> tuple[float, ...]:
        """The percentiles of the four cut points, highest first."""
        return tuple(start for _, start in self.bands[:-1])


def move_bands(
    subject: Subject, group_of: IntArray, reasons: Reasons, *, base: IntArray, rule: PercentileRule
) -> tuple[MovedBands, IntArray]:
    """Return what moves the percentile bands (o,), and the moved ones; -1 stays -1."""
    scores = subject.estimates
    counted = reasons == ""
    groups = range(group_of.max(initial=-1) + 1)
    sets = tuple(np.flatnonzero((group_of == group) & counted) for group in groups)
    peers = PeerSets(key="", sets=sets, set_of=group_of, unknown=np.empty(0, dtype=np.int64))
    placement = Placement.of(scores, peers, counted=counted)
    difference = distance(scores, placement.figure("mean"), counted)
    p = p_values(difference)
    if rule.adjustment is None:
        adjusted = p
    else:
        adjusted = adjust_families(p, np.zeros(len(p), dtype=np.int64), rule.adjustment)
    reliability = np.full(scores.size, np.nan)
    low, beyond = np.zeros(scores.size, dtype=bool), np.zeros(scores.size, dtype=bool)
    for members in sets:
        if len(members):
            values, errors = scores.values[members], scores.standard_error[members]
            reliability[members] = _reliability(values, errors, rule)
            low[members] = _is_low(reliability[members], rule)
            beyond[members] = _is_beyond(values, errors, rule)
    significant = adjusted <= rule.significance
    moved = moved_grades(
        base,
        above=significant & (difference.values > 0),
        below=significant & (difference.values < 0),
        low=low,
        beyond=beyond,
    )
    evidence = MovedBands(
        base=named_grades(base, rule.grades),
        difference=difference.values,
        p=p,
        adjusted_p=adjusted,
        reliability=reliability,
    )
    return evidence, moved


def _reliability(values: FloatArray, errors: FloatArray, rule: PercentileRule) -> FloatArray:
    """Return the share of the variance that is not sampling error; 1 for a score without error."""
    between = rule.between_variance
    if between is None:
        mean = np.ones((len(values), 1))
        between = between_variance(values, errors**2, mean, method="paule-mandel")
    return np.where(errors == 0, 1.0, between / np.where(errors == 0, 1.0, between + errors**2))


def _is_low(reliability: FloatArray, rule: PercentileRule) -> BoolArray:
    """Return whose reliability is low: below the bound, and among the lowest of the group."""
    not_above = (reliability <= reliability[:, None]).sum(axis=1)
    low: BoolArray = (reliability < rule.low_reliability) & (
        not_above <= rule.low_share * len(reliability)
    )
    return low


def _is_beyond(values: FloatArray, errors: FloatArray, rule: PercentileRule) -> BoolArray:
    """Return which scores are clearly above the highest or below the lowest cut point."""
    cuts = percentile_cuts(values[None], rule.percentiles, rule.digits)[0]
    margin = rule.margin * errors
    beyond: BoolArray = (values > cuts[0] + margin) | (values < cuts[-1] - margin)
    return beyond
