"""What is an evaluation in a lazy table, by its layout: how many there are, by whom and of whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from sotongindex._frames import Frame
from sotongindex._lazy.columns import key_of, number_of
from sotongindex._lazy.engine import LazyTable, Query
from sotongindex._lazy.items import sum_in
from sotongindex._reading.rows import match, match_channels
from sotongindex._reading.source import Source

__all__ = ["LazyEvaluations"]

_TIMES, _ROWS = "times", "rows"


@attrs.frozen(kw_only=True, eq=False)
class LazyEvaluations:
    """The evaluations of a table.

    Attributes:
        table: The lazy frame.
        source: Its columns, the study and the layout.
        answers: For every channel the answers that tell whether it was rated, where columns are
            bound to channels; else one entry, None, with all answers.
    """

    table: LazyTable
    source: Source
    answers: Mapping[int | None, tuple[nw.Expr, ...]]

    @classmethod
    def of(cls, table: LazyTable, source: Source) -> LazyEvaluations:
        """Find the answers of every channel."""
        framework = source.study.framework
        scales = {item.key: item.scale for item in framework.items}
        if source.layout.is_long:
            return cls(table=table, source=source, answers={None: (_long_answer(table, source),)})
        found: dict[int | None, list[nw.Expr]] = {}
        for column in source.item_columns:
            if column.column in table.kinds and column.item in scales:
                answer = number_of(table, column.column, scales[column.item].missing)
                bound = column.channel in framework.channel_keys
                place = framework.channel_keys.index(str(column.channel)) if bound else None
                found.setdefault(place, []).append(answer)
        if not source.layout.is_bound:
            found.setdefault(None, [])
        return cls(
            table=table,
            source=source,
            answers={place: tuple(found[place]) for place in sorted(found, key=lambda k: k or 0)},
        )

    @property
    def keys(self) -> dict[str, nw.Expr]:
        """Whose evaluation a row is of whom, as keys, by column."""
        layout = self.source.layout
        names = [layout.organization]
        if layout.channel is not None and not layout.is_bound:
            names.append(layout.channel)
        if layout.respondent is not None:
            names.append(layout.respondent)
        return {name: key_of(self.table, name) for name in names if name in self.table.kinds}

    @property
    def known(self) -> list[nw.Expr]:
        """Whether respondent, organization, channel and item of a row are known."""
        study, roles = self.source.study, self.source.roles()
        known = {
            "organization": study.organization_keys,
            "channel": study.framework.channel_keys,
            "item": study.framework.item_keys,
        }
        tests = [
            _is_in(self.table, roles[role], keys) for role, keys in known.items() if role in roles
        ]
        return [*tests, *(~key.is_null() for key in self.keys.values())]

    def given(self, channel: int | None) -> nw.Expr | None:
        """Return whether a row rates a channel; None where every row does."""
        return None if channel is None else _any(self.answers[channel])

    def silent_rows(self) -> int:
        """Ask how many rows of bound columns rate no channel."""
        every = [answer for answers in self.answers.values() for answer in answers]
        return self._number(~_any(every)) if self.source.layout.is_bound and every else 0

    def silent(self) -> int:
        """Ask how many evaluations have no answer."""
        if self.source.layout.is_bound or not self.answers[None]:
            return 0
        if not self.source.layout.is_long:
            return self._number(~_any(self.answers[None]))
        answer, keys = self.answers[None][0], self.keys

        def build(frame: Query) -> Query:
            counted = frame.filter(*self.known).select(**keys, answer=answer).group_by(*keys)
            people = counted.agg(nw.col("answer").count())
            return people.filter(nw.col("answer") == 0).select(nw.len().alias(_ROWS))

        return _one(self.table.ask(build), _ROWS)

    def by_channel(self) -> NDArray[np.int64]:
        """Ask how many evaluations each channel has, (channels,)."""
        counts = np.zeros(len(self.source.study.framework.channels), dtype=np.int64)
        for channel, where in ((one, self.given(one)) for one in self.answers):
            answer = self._people() if self.source.layout.is_long else self._rows(where)
            times = sum_in(answer, _TIMES).astype(np.int64)
            source = attrs.evolve(self.source, frame=attrs.evolve(answer, times=times))
            places = match_channels(source, []) if channel is None else np.full(len(times), channel)
            np.add.at(counts, places[places >= 0], times[places >= 0])
        return counts

    def total(self) -> int:
        """Ask how many evaluations there are, on unknown channels too."""
        if self.source.layout.is_long:
            return int(sum_in(self._people(), _TIMES).sum())
        return sum(
            int(sum_in(self._rows(self.given(channel)), _TIMES).sum()) for channel in self.answers
        )

    def by_organization(self) -> tuple[NDArray[np.int64], int]:
        """Ask how many respondents each organization has, (o,), and how many there are."""
        layout = self.source.layout
        organization, respondent = layout.organization, str(layout.respondent)
        every = [answer for answers in self.answers.values() for answer in answers]
        where = _any(every) if layout.is_bound else None
        if layout.respondent is None:
            answer = self.table.count({organization: self.keys[organization]}, where=where)
            return self._organizations(answer), _one(answer, _TIMES)

        def pairs(frame: Query) -> Query:
            rows = frame if where is None else frame.filter(where)
            return rows.select(**self.keys).select(organization, respondent).unique()

        def respondents(frame: Query) -> Query:
            return pairs(frame).select(respondent).unique().select(nw.len().alias(_ROWS))

        def build(frame: Query) -> Query:
            known = pairs(frame).filter(~nw.col(respondent).is_null())
            return known.group_by(organization).agg(nw.len().alias(_TIMES))

        answer = self.table.ask(build)
        return self._organizations(answer), _one(self.table.ask(respondents), _ROWS)

    def _organizations(self, answer: Frame) -> NDArray[np.int64]:
        source = attrs.evolve(self.source, frame=answer)
        places = match(source, "organization", self.source.study.organization_keys, found=[])
        counts = np.zeros(len(self.source.study.organizations), dtype=np.int64)
        known, times = places >= 0, sum_in(answer, _TIMES).astype(np.int64)
        np.add.at(counts, places[known], times[known])
        return counts

    def _rows(self, where: nw.Expr | None) -> Frame:
        """Count rows by channel."""
        layout = self.source.layout
        told = layout.channel is not None and not layout.is_bound
        by = {str(layout.channel): nw.col(str(layout.channel))} if told else {}
        return self.table.count(by, where=where)

    def _people(self) -> Frame:
        """Count the evaluations of a long table by channel; an item answered twice makes two."""
        layout, keys = self.source.layout, self.keys
        item, by = str(layout.item), [layout.channel] if layout.channel is not None else []

        def build(frame: Query) -> Query:
            cells = frame.filter(*self.known).select(nw.col(item), **keys).group_by(*keys, item)
            people = cells.agg(nw.len().alias(_TIMES)).group_by(*keys).agg(nw.col(_TIMES).max())
            if not by:
                return people.select(nw.col(_TIMES).sum())
            return people.group_by(*by).agg(nw.col(_TIMES).sum())

        return self.table.ask(build)

    def _number(self, where: nw.Expr) -> int:
        return _one(self.table.count({}, where=where), _TIMES)


def _is_in(table: LazyTable, name: str, keys: Sequence[str]) -> nw.Expr:
    """Return whether a column holds one of the keys, which may be written as numbers there."""
    key = key_of(table, name)
    if table.kinds[name] in ("whole", "number"):
        return key.is_in([int(one) for one in keys if one.lstrip("-").isdigit()])
    return key.is_in(list(keys))


def _any(answers: Sequence[nw.Expr]) -> nw.Expr:
    """Return whether any of the answers is given."""
    return nw.any_horizontal(*(~answer.is_null() for answer in answers), ignore_nulls=True)


def _one(answer: Frame, name: str) -> int:
    return int(sum_in(answer, name).sum())


def _long_answer(table: LazyTable, source: Source) -> nw.Expr:
    """Return the answers of a long table, null where they are missing codes of their item."""
    items, layout = source.study.framework.items, source.layout
    kinds = {item.scale.missing for item in items}
    answers = {missing: number_of(table, str(layout.answer), missing) for missing in kinds}
    if len(answers) == 1:
        return next(iter(answers.values()))
    item = key_of(table, str(layout.item))
    cases = [
        nw.when(item.is_in([one.key for one in items if one.scale.missing == missing])).then(answer)
        for missing, answer in answers.items()
    ]
    return nw.coalesce(*cases)
