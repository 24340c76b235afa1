"""Grades: on absolute scales, by forced shares, and by percentile; and how sure each grade is.

A grade is a claim about a true score. So every grade comes with the probability of every other
grade, and of being right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._band_result import BandKind, BandResult, MovedBands
from sotongindex._banding import (
    apportion,
    draw_scores,
    grade_by_cuts,
    grade_by_place,
    grade_shares,
    named_grades,
    percentile_cuts,
)
from sotongindex._difference_result import error_notices
from sotongindex._disclosure import (
    DisclosureRules,
    Reasons,
    Subject,
    first_of,
    first_reason,
    shown,
)
from sotongindex._percentile_rule import PercentileRule, move_bands
from sotongindex.averages import grouped
from sotongindex.benchmark import grades as grades_of
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import GradeScale
from sotongindex.results import IndexResult

__all__ = [
    "BandResult",
    "MovedBands",
    "PercentileRule",
    "absolute_bands",
    "forced_bands",
    "percentile_bands",
    "scale_on",
]

GradeRule: TypeAlias = Callable[[FloatArray], IntArray]


# -- absolute scales -----------------------------------------------------------------------------


def scale_on(scales: GradeScale | Iterable[GradeScale], on: date | None = None) -> GradeScale:
    """Return the scale that is valid on a day: the last one to begin by then.

    Args:
        scales: One scale, which is valid whatever the day, or several.
        on: The day; needed where there are several scales.

    Returns:
        The scale. One without `valid_from` is valid from the beginning.

    Raises:
        MethodError: If there is no scale, the day is missing, all scales begin later, or two begin
            on the same day.

    >>> scales = [
    ...     GradeScale(key="2023", bands={"S": 85}, valid_from=date(2023, 1, 1)),
    ...     GradeScale(key="2025", bands={"S": 90}, valid_from=date(2025, 1, 1)),
    ... ]
    >>> scale_on(scales, date(2024, 11, 30)).key
    '2023'
    """
    if isinstance(scales, GradeScale):
        return scales
    known = sorted(scales, key=lambda scale: scale.valid_from or date.min)
    begins = [scale.valid_from or date.min for scale in known]
    if not known or (len(known) > 1 and on is None):
        what = "no scale" if not known else f"{len(known)} scales and no day"
        raise MethodError(f"expected one scale, or several and a day, got {what}", argument="on")
    if len(set(begins)) < len(begins):
        raise MethodError("two scales begin on the same day: leave one out", argument="scales")
    if on is None:
        return known[0]
    valid = [scale for scale, begin in zip(known, begins, strict=True) if begin <= on]
    if not valid:
        raise MethodError(
            f"no scale is valid on {on}: the first begins on {begins[0]}", argument="on"
        )
    return valid[-1]


def absolute_bands(
    result: IndexResult,
    scales: GradeScale | Iterable[GradeScale],
    *,
    on: date | None = None,
    channel: str | None = None,
    dimension: str | None = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> BandResult:
    r"""Grade scores on an absolute scale.

    The probability of a grade is that of the true score lying in its band, under the t
    distribution of the score: :math:`P(\theta \ge b_g) - P(\theta \ge b_{g+1})` for the bounds
    :math:`b_g` of the grade and :math:`b_{g+1}` of the next better one. A score that sits on a
    bound is right half the time.

    Args:
        result: The scores.
        scales: The scale, or scales of several years.
        on: The day whose scale is used; needed where there are several.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        rules: What may be shown: a grade needs `min_respondents_band` respondents.

    Returns:
        The grades; the last is None, below the lowest band.

    Raises:
        DefinitionError: If there is no such channel or dimension.
        MethodError: If no scale, or no single scale, is valid on the day.
    """
    scale = scale_on(scales, on)
    subject = Subject.of(result, channel, dimension)
    scores = subject.estimates
    names: tuple[str | None, ...] = (*(band.grade for band in scale.bands), None)
    given = grades_of(scores, scale)
    # P(at least each bound), and 1 for the bound that everybody reaches.
    reached = [scores.probability_at_least(band.at_least) for band in scale.bands]
    at_least = np.column_stack([*reached, np.where(np.isnan(scores.variance), np.nan, 1.0)])
    probability = np.diff(at_least, axis=1, prepend=0.0)
    exact = scores.variance == 0
    probability[exact] = given[exact, None] == np.array(names, dtype=object)
    own = subject.reasons(rules.min_respondents_band)
    given[own != ""] = None
    ungraded = np.array([grade is None for grade in given], dtype=bool)
    return _result(
        result,
        subject,
        kind="absolute",
        scale=scale.key,
        grades=names,
        groups=("",) * len(given),
        grade=given,
        probability=np.where((own == "")[:, None], probability, np.nan),
        reasons=first_of(own, first_reason(("below the lowest grade", ungraded))),
        rules=rules,
    )


# -- forced shares -------------------------------------------------------------------------------


def forced_bands(
    result: IndexResult,
    shares: Mapping[str, float],
    by: str | None = "industry",
    *,
    channel: str | None = None,
    dimension: str | None = None,
    draws: int = 2000,
    rng: np.random.Generator | None = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> BandResult:
    """Grade by forced shares within groups, such as S:A:B:C = 1:4:4:1.

    Of the n organizations that can be graded in a group, each grade gets its share of n, rounded by
    the largest remainder; equal remainders go to the larger share, then to the better grade. Grades
    are given in the order of the scores. Ties (within 1e-9) are never split: all get the grade of
    the middle of their places, of the better one where two places are in the middle. A group with
    fewer than `min_peers_mean` others has no grades.

    Probabilities are the shares of `draws` simulated groups in which the true score gets the grade:
    true scores are drawn around the observed ones with their joint covariance and t distributions.
    Nothing is assumed beforehand about true scores, so probabilities are too high where
    organizations differ by no more than their errors.

    Args:
        result: The scores.
        shares: The share of every grade, best first; they need not add up to 1.
        by: The attribute that makes the groups; None makes one group of all.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        draws: How many groups are simulated.
        rng: The source of randomness; default a new one, seeded with 0.
        rules: What may be shown: a grade needs `min_respondents_band` respondents; others with
            fewer are not counted in their group.

    Returns:
        The grades. Where the error of a score is not known, no probability in its group is.

    Raises:
        DefinitionError: If there is no such channel or dimension, nobody has the attribute, or the
            shares are not numbers of 0 or more with a positive sum.
        MethodError: If `draws` is below 1.
    """
    weights = np.array(list(shares.values()), dtype=np.float64)
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise DefinitionError(
            "expected a share of 0 or more for every grade and a positive sum, got "
            f"{dict(shares)!r}",
            field="shares",
        )
    subject = Subject.of(result, channel, dimension)
    groups, group_of = grouped(result, by)
    own = subject.reasons(rules.min_respondents_band)
    reasons = _group_reasons(own, group_of, rules.min_peers_mean)

    def by_shares(scores: FloatArray) -> IntArray:
        return grade_by_place(scores, apportion(scores.shape[1], weights.tolist()))

    given, probability = _relative(
        subject, group_of, reasons, rule=by_shares, grades=len(shares), draws=draws, rng=rng
    )
    return _result(
        result,
        subject,
        kind="forced",
        scale=":".join(f"{weight:g}" for weight in weights),
        grades=tuple(shares),
        groups=_group_names(groups, group_of),
        grade=named_grades(given, tuple(shares)),
        probability=probability,
        reasons=reasons,
        rules=rules,
    )


# -- percentile bands, moved by significance and reliability -------------------------------------


def percentile_bands(
    result: IndexResult,
    rule: PercentileRule,
    by: str | None = None,
    *,
    channel: str | None = None,
    dimension: str | None = None,
    draws: int = 2000,
    rng: np.random.Generator | None = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> BandResult:
    """Grade by percentile within groups, moved by significance and reliability.

    Cut points are quantiles (type 7) of the scores of the group, and inclusive. The test is that of
    the distance from the mean of the others, shared respondents included.

    A grade is called right where the true score lies in that percentile band of the true scores;
    probabilities are simulated as in `forced_bands`. Moving bands towards the middle is meant to
    make extreme grades right more often.

    Args:
        result: The scores.
        rule: The bands, and how they are moved.
        by: The attribute that makes the groups; None makes one group of all.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        draws: How many groups are simulated.
        rng: The source of randomness; default a new one, seeded with 0.
        rules: What may be shown: a grade needs `min_respondents_band` respondents, a group
            `min_peers_rank` others.

    Returns:
        The grades, and in `moved` what moved them. A score whose error is not known has no grade
        and does not count in its group; nor has one of too low reliability, which counts.

    Raises:
        DefinitionError: If there is no such channel or dimension, or nobody has the attribute.
        MethodError: If `draws` is below 1.
    """
    subject = Subject.of(result, channel, dimension)
    groups, group_of = grouped(result, by)
    own = subject.reasons(rules.min_respondents_band)
    unknown = (own == "") & np.isnan(subject.estimates.variance)
    own = np.where(unknown, "error not known", own)
    reasons = _group_reasons(own, group_of, rules.min_peers_rank)

    def by_percentile(scores: FloatArray) -> IntArray:
        return grade_by_cuts(scores, percentile_cuts(scores, rule.percentiles, rule.digits))

    base, probability = _relative(
        subject, group_of, reasons, rule=by_percentile, grades=5, draws=draws, rng=rng
    )
    moved, given = move_bands(subject, group_of, reasons, base=base, rule=rule)
    unreliable = (reasons == "") & (moved.reliability < rule.min_reliability)
    graded = np.where(unreliable, -1, given)
    return _result(
        result,
        subject,
        kind="percentile",
        scale="/".join(f"{at:g}" for at in reversed(rule.percentiles)),
        grades=rule.grades,
        groups=_group_names(groups, group_of),
        grade=named_grades(graded, rule.grades),
        probability=probability,
        reasons=np.where(unreliable, "low reliability", reasons),
        rules=rules,
        moved=moved,
    )


# -- what the three share ------------------------------------------------------------------------


def _group_reasons(own: Reasons, group_of: IntArray, minimum: int) -> Reasons:
    """Return why organizations have no grade among their group."""
    reasons = first_of(own, first_reason(("unknown attribute", group_of < 0)))
    size = np.bincount(group_of[reasons == ""], minlength=group_of.max(initial=0) + 1)
    return first_of(reasons, first_reason(("few peers", size[group_of] - 1 < minimum)))


def _group_names(groups: tuple[str, ...], group_of: IntArray) -> tuple[str, ...]:
    return tuple(groups[place] if place >= 0 else "" for place in group_of)


def _relative(
    subject: Subject,
    group_of: IntArray,
    reasons: Reasons,
    *,
    rule: GradeRule,
    grades: int,
    draws: int,
    rng: np.random.Generator | None,
) -> tuple[IntArray, FloatArray]:
    """Grade each group by its rule, and simulate the probability of every grade."""
    if draws < 1:
        raise MethodError(f"expected 1 draw or more, got {draws}", argument="draws")
    source = np.random.default_rng(0) if rng is None else rng
    given = np.full(len(reasons), -1)
    probability = np.full((len(reasons), grades), np.nan)
    for group in np.unique(group_of[reasons == ""]):
        members = np.flatnonzero((group_of == group) & (reasons == ""))
        scores = subject.estimates.select(members)
        given[members] = rule(scores.values[None])[0]
        if not np.isnan(scores.variance).any():
            drawn = draw_scores(scores, draws, source)
            probability[members] = grade_shares(drawn, rule, grades)
    return given, probability


def _result(
    result: IndexResult,
    subject: Subject,
    *,
    kind: BandKind,
    scale: str,
    grades: tuple[str | None, ...],
    groups: tuple[str, ...],
    grade: NDArray[np.object_],
    probability: FloatArray,
    reasons: Reasons,
    rules: DisclosureRules,
    moved: MovedBands | None = None,
) -> BandResult:
    scores = subject.estimates
    hidden = subject.reasons(rules.min_respondents_show)
    return BandResult(
        result=result,
        channel=subject.channel,
        dimension=subject.dimension,
        kind=kind,
        scale=scale,
        grades=grades,
        groups=groups,
        score=shown(scores.values, hidden),
        standard_error=shown(scores.standard_error, hidden),
        low=shown(scores.low, hidden),
        high=shown(scores.high, hidden),
        level=scores.level,
        grade=grade,
        probability=probability,
        reasons=reasons,
        moved=moved,
        notices=tuple(error_notices(result, [(subject.channel, subject.dimension)])),
    )
