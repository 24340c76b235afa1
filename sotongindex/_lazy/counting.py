"""Counting: the answers of a lazy table as cells that each stand for many evaluations."""

from __future__ import annotations

from typing import Any

import attrs
import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from sotongindex._frames import Frame
from sotongindex._lazy.columns import parsed_labels
from sotongindex._lazy.engine import LazyTable
from sotongindex._lazy.items import sum_in
from sotongindex._reading.cells import Cells, Piece
from sotongindex._reading.coding import numbers
from sotongindex._reading.rows import match, match_channels, text_faults
from sotongindex._reading.source import Source
from sotongindex.checks import Finding

__all__ = ["LazyCells"]


@attrs.frozen(kw_only=True, eq=False)
class LazyCells:
    """The different answers to every item on every channel, and how often each was given.

    Attributes:
        cells: A row for every item, channel and answer.
        frame: As many rows as there are cells.
    """

    cells: Cells
    frame: Frame

    @classmethod
    def of(cls, table: LazyTable, source: Source) -> LazyCells:
        """Ask for the answers of every item column, or of the one that holds all."""
        found: list[Finding] = []
        parts = (
            _long(table, source, found) if source.layout.is_long else _wide(table, source, found)
        )
        channel = np.concatenate([part.channel for part in parts] or [np.zeros(0, np.int32)])
        times = np.concatenate([part.times for part in parts] or [np.zeros(0, np.int64)])
        pieces: dict[str, list[Piece]] = {key: [] for key in source.study.framework.item_keys}
        start = 0
        for part in parts:
            at = slice(start, start + len(part.values))
            start = at.stop
            if part.item in pieces:
                pieces[part.item].append(
                    Piece(
                        values=part.values,
                        rows=slice(None),
                        at=at,
                        column=part.column,
                        channel=part.bound,
                    )
                )
        cells = Cells(
            row=np.arange(len(channel)),
            channel=channel,
            pieces=tuple(map(tuple, pieces.values())),
            findings=tuple(found),
            times=times,
        )
        return cls(cells=cells, frame=attrs.evolve(source.frame, rows=len(channel), times=times))

    @staticmethod
    def plain(channel: NDArray[Any], answer: Frame) -> Cells:
        """Return the rows of an answer as cells without answers to items."""
        return Cells(row=np.arange(answer.rows), channel=channel, pieces=(), times=answer.times)


@attrs.frozen(kw_only=True, eq=False)
class _Part:
    """Different answers in one column to one item, by channel."""

    item: str
    column: str
    bound: str | None
    values: NDArray[Any]
    channel: NDArray[np.int32]
    times: NDArray[np.int64]


def _wide(table: LazyTable, source: Source, found: list[Finding]) -> list[_Part]:
    layout, channels = source.layout, source.study.framework.channel_keys
    parts = []
    for column in source.item_columns:
        by = {column.column: _answer(table, column.column)}
        if layout.channel is not None and not layout.is_bound:
            by = {layout.channel: nw.col(layout.channel), **by}
        counted = table.count(by)
        own = attrs.evolve(source, frame=counted)
        if column.channel is None:
            channel = match_channels(own, [])
        else:
            place = channels.index(column.channel) if column.channel in channels else -1
            channel = np.full(counted.rows, place, dtype=np.int32)
        values = _values(own, column.column, found)
        parts.append(
            _Part(
                item=column.item,
                column=column.column,
                bound=column.channel,
                values=values,
                channel=channel,
                times=sum_in(counted, "times").astype(np.int64),
            )
        )
    return parts


def _long(table: LazyTable, source: Source, found: list[Finding]) -> list[_Part]:
    layout, keys = source.layout, source.study.framework.item_keys
    name = str(layout.answer)
    by = {str(layout.item): nw.col(str(layout.item)), name: _answer(table, name)}
    if layout.channel is not None:
        by = {layout.channel: nw.col(layout.channel), **by}
    counted = table.count(by)
    own = attrs.evolve(source, frame=counted)
    item, channel = match(own, "item", keys, found=[]), match_channels(own, [])
    values, times = _values(own, name, found), sum_in(counted, "times").astype(np.int64)
    return [
        _Part(
            item=key,
            column=name,
            bound=None,
            values=values[item == place],
            channel=channel[item == place],
            times=times[item == place],
        )
        for place, key in enumerate(keys)
    ]


def _answer(table: LazyTable, name: str) -> nw.Expr:
    """Return a column of answers as it is; texts must be few."""
    if table.kinds[name] in ("whole", "number"):
        return nw.col(name)
    parsed_labels(table, name)
    return nw.col(name).cast(nw.String)


def _values(own: Source, name: str, found: list[Finding]) -> NDArray[Any]:
    parsed = numbers(own.frame.column(name))
    found += text_faults(parsed, name, times=own.frame.times, show=True)
    return parsed.values
