"""Two waves side by side: what both have, whether they may be compared, whose error is whose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import attrs
import numpy as np
from scipy import sparse

from sotongindex._arrays import IntArray
from sotongindex._disclosure import Subject
from sotongindex._levels import LEVELS, Level
from sotongindex._overlap import overlapping_freedom
from sotongindex._score_columns import check_level
from sotongindex.errors import MethodError
from sotongindex.models import Framework, Organization, SurveyItem
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates, combine

Respondents: TypeAlias = Literal["matched", "different"]


@attrs.frozen(kw_only=True)
class Score:
    """What a number is about; None means all together."""

    channel: str | None = None
    dimension: str | None = None
    item: str | None = None


@attrs.frozen(kw_only=True, eq=False)
class Waves:
    """Two waves put beside each other.

    Attributes:
        before: The earlier wave; its respondents are nobody else's, if told so.
        after: The later wave.
        organizations: Those of the later wave, then those of the earlier wave alone, (o).
        first: Their positions in the earlier wave, (o,); -1 where they are not in it.
        second: Their positions in the later wave, (o,); -1 where they are not in it.
        notices: What keeps the waves apart.
    """

    before: IndexResult
    after: IndexResult
    organizations: tuple[Organization, ...]
    first: IntArray
    second: IntArray
    notices: tuple[Notice, ...]

    @classmethod
    def of(
        cls,
        before: IndexResult,
        after: IndexResult,
        *,
        respondents: Respondents = "matched",
        comparable: bool = False,
    ) -> Waves:
        """Put two waves beside each other.

        Raises:
            MethodError: If they were measured by different frameworks and are not said to be
                comparable, or the second is the earlier by its date.
        """
        check_respondents(respondents)
        check_order([before, after])
        _check_frameworks(before, after, comparable=comparable)
        if respondents == "different":
            before = other_people(before, "before")
        early, late = before.study, after.study
        places = {key: place for place, key in enumerate(early.organization_keys)}
        count, current = len(late.organizations), set(late.organization_keys)
        ended = [one for one in early.organizations if one.key not in current]
        organizations = (*late.organizations, *ended)
        return cls(
            before=before,
            after=after,
            organizations=organizations,
            first=np.array([places.get(one.key, -1) for one in organizations]),
            second=np.where(
                np.arange(len(organizations)) < count, np.arange(len(organizations)), -1
            ),
            notices=tuple(_notices(before, after)),
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the organizations."""
        return tuple(one.key for one in self.organizations)

    def scores(self, levels: Iterable[Level]) -> list[Score]:
        """Return the scores of some levels that both waves have, in the order of the later."""
        wanted = [levels] if isinstance(levels, str) else list(levels)
        for level in wanted:
            check_level(level)
        if not wanted:
            raise MethodError("expected one level or more, got none", argument="levels")
        early, late = self.before.study.framework, self.after.study.framework
        known = set(framework_scores(early))
        both = [score for score in framework_scores(late) if score in known]
        found = [
            score
            for level in LEVELS[::-1]
            if level in wanted
            for score in both
            if _level(score) == level
        ]
        if not found:
            raise MethodError(
                f"both waves measured nothing of {', '.join(map(repr, wanted))}", argument="levels"
            )
        return found


def check_respondents(respondents: str) -> None:
    """Refuse what is neither "matched" nor "different"."""
    if respondents not in get_args(Respondents):
        raise MethodError(
            f'expected "matched" or "different", got {respondents!r}', argument="respondents"
        )


def other_people(result: IndexResult, source: str) -> IndexResult:
    """Return a result whose respondents are those of `source` and nobody else's."""
    return attrs.evolve(
        result, **{level: getattr(result, level).detached(source) for level in LEVELS}
    )


def subject_of(result: IndexResult, score: Score) -> Subject:
    """Take one number of every organization out of a result."""
    if score.item is None:
        return Subject.of(result, score.channel, score.dimension)
    framework = result.study.framework
    at = (
        slice(None),
        framework.channel_keys.index(str(score.channel)),
        framework.item_keys.index(score.item),
    )
    return Subject(
        channel=score.channel,
        dimension=score.dimension,
        estimates=result.items.select(at).kept(),
        respondents=result.counts.answers[at].astype(np.float64),
    )


def framework_scores(framework: Framework) -> list[Score]:
    """Return every number that a framework has for an organization."""
    channels, dimensions = framework.channel_keys, framework.dimension_keys
    asked = dict(zip(channels, framework.asked, strict=True))
    items = [
        Score(channel=channel, dimension=item.dimension, item=item.key)
        for channel in channels
        for item, is_asked in zip(framework.items, asked[channel], strict=True)
        if is_asked
    ]
    cells = [Score(channel=score.channel, dimension=score.dimension) for score in items]
    return [
        Score(),
        *(Score(channel=channel) for channel in channels),
        *(Score(dimension=dimension) for dimension in dimensions),
        *dict.fromkeys(cells),
        *items,
    ]


def _level(score: Score) -> Level:
    if score.item is not None:
        return "items"
    if score.channel is None:
        return "index" if score.dimension is None else "dimensions"
    return "channels" if score.dimension is None else "cells"


def subtracted(
    before: Estimates, after: Estimates, *, first: IntArray, second: IntArray
) -> Estimates:
    """Return the change of chosen places (k,), missing where a place is -1 in either wave."""
    start, end = chosen(before, first), chosen(after, second)
    same = sparse.eye_array(len(first), format="csr")
    change = combine([(end, same), (start, -same)])
    known = change.degrees_of_freedom > 0
    freedom = np.where(known, overlapping_freedom(change, start, end), 0.0)
    return attrs.evolve(change, degrees_of_freedom=freedom)


def chosen(estimates: Estimates, places: IntArray) -> Estimates:
    """Return the estimates (k,) at some places, missing where a place is -1."""
    there = places >= 0
    picked = estimates.select(np.maximum(places, 0))
    return attrs.evolve(
        picked,
        values=np.where(there, picked.values, np.nan),
        variance=np.where(there, picked.variance, np.nan),
        degrees_of_freedom=np.where(there, picked.degrees_of_freedom, 0.0),
    )


# -- whether they may be compared ----------------------------------------------------------------


def wave_name(result: IndexResult) -> str:
    """Return what a wave is called, for sentences."""
    return repr(result.study.wave) if result.study.wave else "without a name"


def wave_date(result: IndexResult) -> date | None:
    """Return the date that a wave is named by (2011, 2011-07 or 2011-07-15), or None."""
    parts = (result.study.wave or "").split("-")
    try:
        year, month, day = (int(part) for part in [*parts, "1", "1"][:3])
        return date(year, month, day) if len(parts) <= 3 and len(parts[0]) == 4 else None
    except ValueError:
        return None


def check_order(waves: Sequence[IndexResult]) -> None:
    """Refuse waves whose dates do not ascend."""
    for early, late in pairwise(waves):
        start, end = wave_date(early), wave_date(late)
        if start is not None and end is not None and start > end:
            raise MethodError(
                f"expected waves in the order of time, got {wave_name(late)} after "
                f"{wave_name(early)}; put the earlier first",
                argument="waves",
            )


def framework_name(framework: Framework) -> str:
    """Return the key and the version of a framework."""
    return f"{framework.key} {framework.version}"


def same_measurement(one: Framework, other: Framework) -> bool:
    """Whether two frameworks ask the same, labels aside."""
    return (
        (one.key, one.version) == (other.key, other.version)
        and one.channel_keys == other.channel_keys
        and [*map(item_identity, one.items)] == [*map(item_identity, other.items)]
    )


def item_identity(item: SurveyItem) -> tuple[object, ...]:
    """Return what makes an item the same question in two frameworks: all but its label."""
    return (item.key, item.dimension, item.scale, item.reverse, item.channels)


def _check_frameworks(before: IndexResult, after: IndexResult, *, comparable: bool) -> None:
    early, late = before.study.framework, after.study.framework
    if comparable or same_measurement(early, late):
        return
    names = [framework_name(early), framework_name(late)]
    told = (
        f"were measured by {names[0]} and {names[1]}"
        if names[0] != names[1]
        else f"ask different things under the same name {names[0]}"
    )
    raise MethodError(
        f"the waves {wave_name(before)} and {wave_name(after)} {told}; chain them with "
        "link_waves, or pass comparable=True if what both ask may be compared",
        argument="after",
    )


def _notices(before: IndexResult, after: IndexResult) -> Iterable[Notice]:
    early, late = before.study, after.study
    if not same_measurement(early.framework, late.framework):
        names = f"{framework_name(early.framework)} and {framework_name(late.framework)}"
        yield Notice(
            code="framework changed",
            message=(
                f"measured by {names}: what both ask is compared, on the word that it may be; "
                "what one alone asks is left out"
            ),
            keys=_only_in_one(early.framework, late.framework),
        )
    if early.population != late.population:
        yield Notice(
            code="population differs",
            message=(
                f"the respondents stand for {early.population!r} before and "
                f"{late.population!r} after: the change may be that of the population"
            ),
        )
    if _weights_differ(before, after):
        yield Notice(
            code="weights changed",
            message="importance weights changed: decompose_change tells their part of the change",
        )
    if _averaging(before) != _averaging(after):
        yield Notice(
            code="method changed",
            message="scores were averaged by different methods: the change may be that of method",
        )


def _weights_differ(before: IndexResult, after: IndexResult) -> bool:
    """Whether parts count otherwise; one rule that learns may have learned otherwise."""
    if before.scheme != after.scheme:
        return True
    sides = [(one.channels, one.dimensions, one.items) for one in (before.weights, after.weights)]
    pairs = [*zip(*sides, strict=True)]
    # Frameworks that ask other things are told apart by a notice of their own.
    alike = all(one.shape == other.shape for one, other in pairs)
    return alike and any((np.abs(one - other) > TIE_WIDTH).any() for one, other in pairs)


def _averaging(result: IndexResult) -> tuple[object, ...]:
    method = result.method
    return (method.power, method.order, method.min_share, method.absent_channels)


def _only_in_one(one: Framework, other: Framework) -> tuple[str, ...]:
    keys = [{*work.channel_keys, *work.dimension_keys, *work.item_keys} for work in (one, other)]
    return tuple(sorted(keys[0] ^ keys[1]))
