"""What scores are held against: peers, grades and targets."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Literal, TypeAlias, cast

import attrs

from sotongindex._labels import Label, keys_of, label_of, pairs_of
from sotongindex._validators import (
    are_all,
    are_known,
    are_unique,
    field_name,
    is_a,
    is_finite,
    is_key,
    is_one_of,
    is_text,
    is_text_or_none,
)
from sotongindex.errors import DefinitionError

Statistic: TypeAlias = Literal["mean", "median", "p75", "p90", "top decile mean", "best"]


def _conditions(
    value: Mapping[str, Iterable[str]] | Iterable[tuple[str, Iterable[str]]],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((name, keys_of(allowed)) for name, allowed in pairs_of(value)))


@attrs.frozen(kw_only=True)
class PeerGroup:
    """Whom an organization is compared with, told by attributes.

    Another organization is a peer when it has the same value in every attribute of `same`, another
    value in every attribute of `different`, and one of the allowed values in every attribute of
    `where`. An organization whose value is not known is never a peer on that attribute.

    >>> PeerGroup(key="same_industry", same="industry").same
    ('industry',)
    """

    key: str = attrs.field(validator=is_key)
    same: tuple[str, ...] = attrs.field(default=(), converter=keys_of, validator=are_all(is_text))
    different: tuple[str, ...] = attrs.field(
        default=(), converter=keys_of, validator=are_all(is_text)
    )
    where: tuple[tuple[str, tuple[str, ...]], ...] = attrs.field(default=(), converter=_conditions)
    label: Label | None = attrs.field(default=None, converter=label_of)

    def __attrs_post_init__(self) -> None:
        for name in self.same:
            if name in self.different:
                raise DefinitionError(
                    f"{name!r} is asked to be the same too: nobody would be a peer",
                    field="PeerGroup.different",
                    key=name,
                )


@attrs.frozen(kw_only=True)
class Band:
    """A grade and the lowest score that earns it (inclusive, 이상)."""

    grade: str = attrs.field(validator=is_text)
    at_least: float = attrs.field(validator=is_finite)


def _bands(value: Mapping[str, float] | Iterable[Band]) -> tuple[Band, ...]:
    if isinstance(value, Mapping):
        bounds = cast("Mapping[str, float]", value)
        value = [Band(grade=grade, at_least=bound) for grade, bound in bounds.items()]
    return tuple(sorted(value, key=lambda band: -band.at_least))


@attrs.frozen(kw_only=True)
class GradeScale:
    """Grades by score, valid from a date: grade scales drift, so they are dated data.

    Attributes:
        key: The name of the scale.
        bands: Grades with inclusive lower bounds, best first; scores below all have no grade.
        valid_from: The first day it applies.
        note: Where the numbers come from, and which grades are not published.

    Raises:
        DefinitionError: If there is no band, or two bands share a grade or a bound.

    >>> scale = GradeScale(key="2025", bands={"S": 90, "A": 70})
    >>> scale.grade(90), scale.grade(89.9), scale.grade(12)
    ('S', 'A', None)
    """

    key: str = attrs.field(validator=is_key)
    bands: tuple[Band, ...] = attrs.field(converter=_bands)
    valid_from: date | None = None
    note: str | None = attrs.field(default=None, validator=is_text_or_none)

    def __attrs_post_init__(self) -> None:
        if not self.bands:
            raise DefinitionError("expected at least one band", field="GradeScale.bands")
        are_unique((band.grade for band in self.bands), field="GradeScale.bands")
        are_unique((f"{band.at_least:.17g}" for band in self.bands), field="GradeScale.bands")

    def grade(self, score: float) -> str | None:
        """Return the grade of `score`, or None below the lowest band and for a missing score."""
        # Sums of weights leave 69.99999999999999 where 70 is meant; 1e-9 is the house's tie width.
        return next((band.grade for band in self.bands if score >= band.at_least - 1e-9), None)


@attrs.frozen(kw_only=True)
class PeerStatistic:
    """A target that peers set: for example the upper quartile of the same industry.

    Attributes:
        statistic: Which statistic of the peers' scores.
        peers: Whose scores.
    """

    statistic: Statistic = attrs.field(
        validator=is_one_of("mean", "median", "p75", "p90", "top decile mean", "best")
    )
    peers: PeerGroup = attrs.field(default=PeerGroup(key="everyone"), validator=is_a(PeerGroup))


@attrs.frozen(kw_only=True)
class GradeCut:
    """A target that a grade sets: the lowest score that earns it.

    Raises:
        DefinitionError: If the scale has no such grade.
    """

    grade: str
    scale: GradeScale = attrs.field(validator=is_a(GradeScale))

    def __attrs_post_init__(self) -> None:
        are_known(
            (self.grade,),
            [band.grade for band in self.scale.bands],
            field="GradeCut.grade",
            what="grade",
        )

    @property
    def score(self) -> float:
        """The lowest score that earns the grade."""
        return next(band.at_least for band in self.scale.bands if band.grade == self.grade)


@attrs.frozen(kw_only=True)
class RoleModel:
    """A target that one named organization sets: its score.

    Attributes:
        organization: The key of the organization.
    """

    organization: str = attrs.field(validator=is_key)


def _is_points(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A number of points lies within 0 and 100; other rules check themselves."""
    if attrs.has(type(value)):
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 <= value <= 100):  # type: ignore[operator]  # a number, just checked
        raise DefinitionError(
            f"expected 0 to 100 points, or a rule such as PeerStatistic, got {value!r}",
            field=field_name(instance, attribute),
            key=value,
        )


@attrs.frozen(kw_only=True)
class GapClosure:
    r"""A target from an organization's own past: a share of its distance to a benchmark each year.

    From the baseline :math:`b` (given to `find_gaps`) and the benchmark :math:`B`, after :math:`t`
    years the target is :math:`b + \min(1, r t) (B - b)`: with the rate :math:`r = 0.2` a fifth of
    the first distance every year, all of it after five. Whoever began above the benchmark is asked
    to stay where it was.

    Attributes:
        since: The day of the baseline.
        rate: The share of the first distance that is closed in a year, above 0 and up to 1.
        benchmark: What the distance is measured to: points, peers, a grade or a role model.

    Raises:
        DefinitionError: If the rate or a number of points is out of range.

    >>> closure = GapClosure(since=date(2025, 10, 1), benchmark=80.0)
    >>> round(closure.share(date(2027, 10, 1)), 6)
    0.4
    """

    since: date = attrs.field(validator=is_a(date))
    rate: float = attrs.field(default=0.2, validator=is_finite)
    benchmark: float | PeerStatistic | GradeCut | RoleModel = attrs.field(
        default=PeerStatistic(statistic="top decile mean"), validator=_is_points
    )

    def __attrs_post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise DefinitionError(
                f"expected a share above 0 and up to 1, got {self.rate}", field="GapClosure.rate"
            )

    def share(self, day: date) -> float:
        """Return the share of the first distance that is to be closed on a day, 0 to 1."""
        return min(1.0, max(0.0, self.rate * years_between(self.since, day)))


def years_between(start: date, end: date) -> float:
    """Return years: whole ones by the calendar, and the part of the last one that has passed."""
    years = end.year - start.year
    last, following = (_anniversary(start, years + step) for step in (0, 1))
    if last > end:
        years, last, following = years - 1, _anniversary(start, years - 1), last
    return years + (end - last).days / (following - last).days


def _anniversary(day: date, years: int) -> date:
    """Return the same day of another year; 1 March for 29 February where there is none."""
    leap_day = (day.month, day.day) == (2, 29) and not isleap(day.year + years)
    return date(day.year + years, 3, 1) if leap_day else day.replace(year=day.year + years)


@attrs.frozen(kw_only=True)
class Target:
    """A score to reach (목표치): of the index, a channel, a dimension, both together, or an item.

    Attributes:
        score: A number of points from 0 to 100, a statistic of the peers, a grade's cut-off, the
            score of a role model, or a part of the way from the organization's own past.
        organization: The organization it is for; None means every organization.
        channel: The channel it is for; None means all channels together.
        dimension: The dimension it is for; None means all dimensions together.
        item: The item it is for, on the channel; None means all items together.
        due: The day it is to be reached.

    Raises:
        DefinitionError: If a number lies outside 0 to 100, an item comes without its channel or
            with a dimension, or a `GapClosure` has no day due after it began.
    """

    score: float | PeerStatistic | GradeCut | RoleModel | GapClosure = attrs.field(
        validator=_is_points
    )
    organization: str | None = attrs.field(default=None, validator=is_text_or_none)
    channel: str | None = attrs.field(default=None, validator=is_text_or_none)
    dimension: str | None = attrs.field(default=None, validator=is_text_or_none)
    item: str | None = attrs.field(default=None, validator=is_text_or_none)
    due: date | None = None

    def __attrs_post_init__(self) -> None:
        if self.item is not None and (self.channel is None or self.dimension is not None):
            raise DefinitionError(
                "an item is scored on a channel: name its channel, and no dimension",
                field="Target.item",
                key=self.item,
            )
        if isinstance(self.score, GapClosure) and (self.due is None or self.due < self.score.since):
            raise DefinitionError(
                f"expected a day after {self.score.since}, got {self.due}: how much of the "
                "distance is to be closed depends on the time",
                field="Target.due",
                key=self.due,
            )
