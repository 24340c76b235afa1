"""The answers of a lazy table as few answers, each of which stands for many.

One pass over all item columns asks for the number, the ends and the halves of the answers on every
channel. That is all a check needs where answers are whole, written as numbers and within their
scale; only of other columns the different answers are counted, which takes a pass each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import IntArray
from sotongindex._frames import Frame, Numbers
from sotongindex._lazy.columns import any_given, key_of, number_of, without
from sotongindex._lazy.engine import Kind, LazyTable, Query
from sotongindex._lazy.items import sum_in
from sotongindex._lazy.roles import Roles
from sotongindex._reading.cells import Cells, Piece
from sotongindex._reading.coding import compact, numbers
from sotongindex._reading.rows import Codes, text_faults
from sotongindex._reading.source import Source
from sotongindex.checks import Finding
from sotongindex.errors import MethodError
from sotongindex.models import Scale

__all__ = ["AnswerColumn", "answer_columns", "ask_answers", "ask_long_answers"]

_MOST_ANSWERS = 100_000  # different answers by channel in one column that are counted
_CHANNEL, _USED, _ANSWER, _ITEM = "channel of the row", "row is used", "answer", "item of the row"


@attrs.frozen(kw_only=True, eq=False)
class AnswerColumn:
    """A column with the answers to one item.

    Attributes:
        name: Its name.
        item: The position of the item.
        scale: Its scale.
        channel: The position of the channel that the column is bound to, or None.
        number: The answers as numbers, missing codes among them.
        answer: The answers without these.
        kind: What the column holds.
    """

    name: str
    item: int
    scale: Scale
    channel: int | None
    number: nw.Expr
    answer: nw.Expr
    kind: Kind

    def _name(self, what: object) -> str:
        return f"{what} of {self.item}"

    def columns(self) -> dict[str, nw.Expr]:
        """Return what is counted of the answers, and the answers, by name."""
        inside = nw.when(self.answer.is_between(self.scale.low, self.scale.high)).then(self.answer)
        middle = (self.scale.low + self.scale.high) / 2
        tests = {
            "low": self.answer <= middle,
            **({} if self.kind == "whole" else {"fraction": inside.floor() != inside}),
            **{f"code {code:g}": self.number == code for code in self.scale.missing},
        }
        counted = {self._name(what): nw.when(test).then(1) for what, test in tests.items()}
        return counted | {self._name("answer"): self.answer}

    def aggregates(self) -> list[nw.Expr]:
        """Return the counts, and the ends of the answers."""
        counts = [nw.col(name).count() for name in self.columns()]
        answer = nw.col(self._name("answer"))
        least, greatest = self._name("least"), self._name("greatest")
        return [*counts, answer.min().alias(least), answer.max().alias(greatest)]

    def read(self, answer: Frame) -> tuple[NDArray[Any], IntArray] | None:
        """Return answers that stand for those given, and for how many, both (v, channels).

        On each channel they have the number, the ends, the halves and the missing codes of the
        answers given. None if there are fractions or answers outside the scale.
        """
        count, low, least, greatest = (
            sum_in(answer, self._name(what)) for what in ("answer", "low", "least", "greatest")
        )
        outside = (least < self.scale.low) | (greatest > self.scale.high)
        fractions = 0 if self.kind == "whole" else sum_in(answer, self._name("fraction")).sum()
        if fractions or outside[count > 0].any():
            return None
        # Where there are two answers or more, one at least is the least and one the greatest.
        low = np.clip(low, 1, np.maximum(count - 1, 1))
        values, times = [least, greatest], [np.minimum(low, count), np.maximum(count - low, 0)]
        for code in self.scale.missing:
            values.append(np.full(answer.rows, float(code)))
            times.append(sum_in(answer, self._name(f"code {code:g}")))
        return np.array(values), np.array(times).astype(np.int64)


def answer_columns(table: LazyTable, source: Source) -> list[AnswerColumn]:
    """Return the columns of answers that the framework and the table have."""
    framework, found = source.study.framework, []
    for column in source.item_columns:
        bound = column.channel is not None
        if (
            column.item in framework.item_keys
            and (not bound or column.channel in framework.channel_keys)
            and column.column in table.kinds
        ):
            item = framework.item_keys.index(column.item)
            scale = framework.items[item].scale
            number = number_of(table, column.column).cast(nw.Float64)
            found.append(
                AnswerColumn(
                    name=column.column,
                    item=item,
                    scale=scale,
                    channel=framework.channel_keys.index(str(column.channel)) if bound else None,
                    number=number,
                    answer=without(number, scale.missing),
                    kind=table.kinds[column.column],
                )
            )
    return found


@attrs.frozen(kw_only=True, eq=False)
class _Part:
    """Different answers in one column to one item, by channel, and how often each was given."""

    name: str
    item: int
    bound: str | None
    values: NDArray[Any]
    channel: Codes
    times: IntArray


def ask_answers(roles: Roles, columns: Sequence[AnswerColumn]) -> Cells:
    """Ask for the answers of a wide table, in bound columns those of rows that rate the channel."""
    found: list[Finding] = []
    shares = _shares(roles, columns)
    parts = []
    for column in columns:
        own = [other.answer for other in columns if other.channel == column.channel]
        used = any_given(own) if roles.source.layout.is_bound else None
        parts.append(shares.get(column.name) or _detail(roles, column, used=used, found=found))
    return _cells(roles.source, parts, found)


def _shares(roles: Roles, columns: Sequence[AnswerColumn]) -> dict[str, _Part]:
    """Ask for the number, ends and halves of answers, and return what can be told of these."""
    found: dict[str, _Part] = {}
    for channel in dict.fromkeys(column.channel for column in columns):
        own = [column for column in columns if column.channel == channel]
        used = None if channel is None else any_given(column.answer for column in own)
        plain = [column for column in own if column.kind in ("whole", "number")]
        size = max((len(column.aggregates()) for column in plain), default=1)
        step = max(1, roles.table.most_sums // size)
        for start in range(0, len(plain), step):
            found |= _chunk(roles, plain[start : start + step], used)
    return found


def _chunk(roles: Roles, columns: Sequence[AnswerColumn], used: nw.Expr | None) -> dict[str, _Part]:
    """Ask for some columns together."""
    channel, bound = _channel(roles), columns[0].channel

    def build(frame: Query) -> Query:
        rows = frame if used is None else frame.filter(used)
        each = {name: one for column in columns for name, one in column.columns().items()}
        answers = rows.select(**channel, **each)
        asked = [one for column in columns for one in column.aggregates()]
        # Groups of one are not added up in pieces by every engine.
        return answers.group_by(*channel).agg(*asked) if channel else answers.select(*asked)

    answer = roles.table.ask(build)
    codes = _positions(roles, answer, bound)
    found: dict[str, _Part] = {}
    for column in columns:
        read = column.read(answer)
        if read is not None:
            values, times = (part.ravel() for part in read)
            given = times > 0
            found[column.name] = _Part(
                name=column.name,
                item=column.item,
                bound=_bound(roles.source, bound),
                values=compact(Numbers(values=values[given])),
                channel=np.tile(codes, len(read[0]))[given],
                times=times[given],
            )
    return found


def _detail(
    roles: Roles, column: AnswerColumn, *, used: nw.Expr | None, found: list[Finding]
) -> _Part:
    """Ask how often each different answer in a column was given."""
    used = nw.lit(value=True) if used is None else used
    by = {**_channel(roles), _USED: used, _ANSWER: key_of(roles.table, column.name)}
    answer = _counted(roles.table, column.name, by)
    values, mask = _parsed(answer, column.name, found), sum_in(answer, _USED) > 0
    return _Part(
        name=column.name,
        item=column.item,
        bound=_bound(roles.source, column.channel),
        values=values[mask],
        channel=_positions(roles, answer, column.channel)[mask],
        times=answer.counts[mask],
    )


def ask_long_answers(roles: Roles, used: nw.Expr | None) -> Cells:
    """Ask how often each different answer of a long table was given, in rows that are used."""
    found: list[Finding] = []
    source, name = roles.source, str(roles.source.layout.answer)
    if name not in roles.table.kinds:
        return _cells(source, [], found)
    item = roles.written("item")
    by = {
        **_channel(roles),
        _ITEM: nw.lit(0) if item is None else item,
        _USED: nw.lit(value=False) if used is None else used,
        _ANSWER: key_of(roles.table, name),
    }
    answer = _counted(roles.table, name, by)
    values, mask = _parsed(answer, name, found), sum_in(answer, _USED) > 0
    items = roles.positions("item", answer, _ITEM)
    parts = [
        _Part(
            name=name,
            item=place,
            bound=None,
            values=values[own],
            channel=_positions(roles, answer, None)[own],
            times=answer.counts[own],
        )
        for place in range(len(source.study.framework.items))
        for own in [mask & (items == place)]
    ]
    return _cells(source, parts, found)


# -- what is asked, and what is made of it ---------------------------------------------------------


def _channel(roles: Roles) -> dict[str, nw.Expr]:
    """Return the channel of every row, where a column tells it."""
    key = roles.written("channel")
    return {} if key is None else {_CHANNEL: key}


def _counted(table: LazyTable, name: str, by: dict[str, nw.Expr]) -> Frame:
    answer = table.count(by, most=_MOST_ANSWERS + 1)
    if answer.rows > _MOST_ANSWERS:
        raise MethodError(
            f"column {name!r} holds more than {_MOST_ANSWERS:,} different answers; round them in "
            "the engine, or leave the check out, check=False",
            argument="frame",
        )
    return answer


def _parsed(answer: Frame, name: str, found: list[Finding]) -> NDArray[Any]:
    parsed = numbers(answer.column(_ANSWER))
    found += text_faults(parsed, name, times=answer.times, show=True)
    return parsed.values


def _positions(roles: Roles, answer: Frame, bound: int | None) -> Codes:
    """Return the channel of every row of an answer, -1 where it is unknown."""
    if bound is not None:
        return np.full(answer.rows, bound, dtype=np.int32)
    return roles.positions("channel", answer, _CHANNEL)


def _bound(source: Source, channel: int | None) -> str | None:
    return None if channel is None else source.study.framework.channel_keys[channel]


def _cells(source: Source, parts: Sequence[_Part], found: Sequence[Finding]) -> Cells:
    """Put the answers of all columns one below the other."""
    ends = np.cumsum([0, *(len(part.values) for part in parts)]).tolist()
    pieces: list[list[Piece]] = [[] for _ in source.study.framework.items]
    for part, start, end in zip(parts, ends, ends[1:], strict=False):
        at = slice(start, end)
        pieces[part.item].append(
            Piece(values=part.values, rows=slice(None), at=at, column=part.name, channel=part.bound)
        )
    return Cells(
        row=np.arange(ends[-1]),
        channel=np.concatenate([np.zeros(0, np.int32), *(part.channel for part in parts)]),
        pieces=tuple(map(tuple, pieces)),
        findings=tuple(found),
        times=np.concatenate([np.zeros(0, np.int64), *(part.times for part in parts)]),
    )
