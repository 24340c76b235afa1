"""Cells: which evaluations there are, and where in the frame the answers to an item lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import is_missing, missing_code
from sotongindex._reading.coding import numbers, recode
from sotongindex._reading.rows import Codes, Rows, text_faults
from sotongindex._reading.source import Source
from sotongindex.checks import Finding, finding_in, told
from sotongindex.layout import ItemColumn
from sotongindex.models import Scale

__all__ = ["Cells", "Hits", "Piece", "duplicates", "silent_rows"]

Positions: TypeAlias = NDArray[np.int64]
Test: TypeAlias = Callable[[NDArray[Any], Codes], NDArray[np.bool_]]


@attrs.frozen(kw_only=True, eq=False)
class Piece:
    """Answers to one item that stand in one column.

    Attributes:
        values: The whole column as numbers, (rows of the frame,).
        rows: The rows of the frame that are used.
        at: The evaluations they belong to.
        column: The name of the column.
        channel: The channel that the column is bound to, if it is.
    """

    values: NDArray[Any]
    rows: Positions | slice
    at: Positions | slice
    column: str
    channel: str | None = None


@attrs.frozen(kw_only=True, eq=False)
class Hits:
    """The answers in one column that a search found, and their rows in order.

    Where each of them stands for several, `times`, their rows are not known.
    """

    piece: Piece
    values: NDArray[Any]
    rows: Positions
    times: Positions | None = None

    def __len__(self) -> int:
        return len(self.values) if self.times is None else int(self.times.sum())


@attrs.frozen(kw_only=True, eq=False)
class Cells:
    """The evaluations of a frame and the whereabouts of their answers.

    Attributes:
        row: The (first) row of every evaluation, (n,).
        channel: Its channel, -1 where unknown, (n,).
        pieces: For every item the columns that hold its answers.
        findings: What is wrong with the columns and with the rows as evaluations.
        times: How many evaluations each stands for, (n,); None where each is one.
    """

    row: Positions
    channel: Codes
    pieces: tuple[tuple[Piece, ...], ...]
    findings: tuple[Finding, ...] = ()
    times: Positions | None = None

    @classmethod
    def of(cls, source: Source, rows: Rows) -> Cells:
        """Find the evaluations of a wide, a channel-bound or a long frame."""
        if source.layout.is_long:
            return _long(source, rows)
        if source.layout.is_bound:
            return _bound(source, rows)
        return _wide(source, rows)

    def answers(self, item: int) -> NDArray[Any]:
        """Return the answers to an item, coded by `missing_code` where there is none, (n,)."""
        pieces = self.pieces[item]
        dtype = np.result_type(np.int8, *(piece.values.dtype for piece in pieces))
        answers = np.full(len(self.row), missing_code(dtype), dtype=dtype)
        for piece in pieces:
            answers[piece.at] = recode(piece.values[piece.rows], dtype)
        return answers

    def find(self, item: int, test: Test) -> Iterable[Hits]:
        """Find the answers to an item for which `test` of answer and channel holds."""
        for piece in self.pieces[item]:
            values = piece.values[piece.rows]
            hits = test(values, self.channel[piece.at]) & ~is_missing(values)
            if hits.any():
                rows, times = np.arange(len(piece.values))[piece.rows], self.times
                yield Hits(
                    piece=piece,
                    values=values[hits],
                    rows=np.sort(rows[hits]) if times is None else rows[:0],
                    times=None if times is None else times[piece.at][hits],
                )


def _parse(source: Source, name: str, found: list[Finding]) -> NDArray[Any] | None:
    """Read an answer column as numbers."""
    column = source.column(name)
    if column is None:
        return None
    parsed = numbers(column)
    found += text_faults(parsed, name, times=source.frame.times, show=True)
    return parsed.values


# -- wide frames ---------------------------------------------------------------------------------


def _wide(source: Source, rows: Rows) -> Cells:
    """Take every row as an evaluation."""
    found: list[Finding] = []
    key = _evaluation_keys(source, rows, channel=rows.channel)
    chosen = _resolve(source, key, rows=None, found=found)
    every = slice(None) if chosen is None else chosen
    row = np.arange(source.frame.rows)[every]
    pieces: list[tuple[Piece, ...]] = []
    for column in source.item_columns:
        values = _parse(source, column.column, found)
        if values is None:  # the missing column is a finding already
            pieces.append(())
        else:
            piece = Piece(values=values, rows=every, at=slice(None), column=column.column)
            pieces.append((piece,))
    return Cells(row=row, channel=rows.channel[every], pieces=tuple(pieces), findings=tuple(found))


def _bound(source: Source, rows: Rows) -> Cells:
    """Take every row as one evaluation per channel on which it has an answer."""
    framework = source.study.framework
    found: list[Finding] = []
    columns = [
        (column, values)
        for column in source.item_columns
        if column.item in framework.item_keys
        and column.channel in framework.channel_keys
        and (values := _parse(source, column.column, found)) is not None
    ]
    scales = {item.key: item.scale for item in framework.items}
    answered = np.zeros((len(framework.channels), source.frame.rows), dtype=np.bool_)
    for column, values in columns:
        answered[framework.channel_keys.index(str(column.channel))] |= _is_answer(
            values, scales[column.item]
        )
    silent = ~np.logical_or.reduce(answered, axis=0)
    if silent.any():
        found.append(silent_rows(silent, source.frame.times))
    channel, row = answered.nonzero()
    key = _evaluation_keys(source, rows, channel=channel.astype(np.int32), row=row)
    chosen = _resolve(source, key, rows=row, found=found)
    if chosen is not None:
        channel, row = channel[chosen], row[chosen]
    return Cells(
        row=row,
        channel=channel.astype(np.int32),
        pieces=_bound_pieces(source, columns, channel=channel, row=row),
        findings=tuple(found),
    )


def _bound_pieces(
    source: Source,
    columns: Sequence[tuple[ItemColumn, NDArray[Any]]],
    *,
    channel: Positions,
    row: Positions,
) -> tuple[tuple[Piece, ...], ...]:
    framework = source.study.framework
    ends = np.searchsorted(channel, np.arange(len(framework.channels) + 1))
    pieces: dict[str, list[Piece]] = {key: [] for key in framework.item_keys}
    for column, values in columns:
        place = framework.channel_keys.index(str(column.channel))
        at = slice(int(ends[place]), int(ends[place + 1]))
        pieces[column.item].append(
            Piece(values=values, rows=row[at], at=at, column=column.column, channel=column.channel)
        )
    return tuple(map(tuple, pieces.values()))


def _is_answer(values: NDArray[Any], scale: Scale) -> NDArray[np.bool_]:
    given = ~is_missing(values)
    return given & ~np.isin(values, scale.missing) if scale.missing else given


def silent_rows(silent: NDArray[np.bool_], times: Positions | None) -> Finding:
    """Say that rows have no answer on any channel."""
    return finding_in(
        silent,
        "no answer on any channel, so no evaluation",
        times=times,
        code="row_without_answer",
        severity="warning",
    )


# -- long frames ---------------------------------------------------------------------------------


def _long(source: Source, rows: Rows) -> Cells:
    """Put answers of the same respondent, organization and channel together."""
    found: list[Finding] = []
    items = len(source.study.framework.items)
    name = str(source.layout.answer)
    values = _parse(source, name, found)
    key = _evaluation_keys(source, rows, channel=rows.channel)
    cell = np.where((key >= 0) & (rows.item >= 0), key * items + rows.item, -1)
    chosen = _resolve(source, cell, rows=None, found=found)
    row = np.arange(len(cell)) if chosen is None else chosen
    row = row[cell[row] >= 0]
    if source.layout.duplicates == "keep":  # a repeated answer begins another evaluation
        again = _occurrences(cell[row])
        key[row] = key[row] * (int(again.max(initial=0)) + 1) + again
    evaluation, first = _evaluations(key[row])
    found += _differences(source, rows, row=row, first=row[first][evaluation])
    order = np.argsort(rows.item[row], kind="stable")
    ends = np.searchsorted(rows.item[row][order], np.arange(items + 1))
    pieces = [
        ()
        if values is None
        else (Piece(values=values, rows=row[part], at=evaluation[part], column=name),)
        for item in range(items)
        for part in [order[ends[item] : ends[item + 1]]]
    ]
    return Cells(
        row=row[first],
        channel=rows.channel[row[first]],
        pieces=tuple(pieces),
        findings=tuple(found),
    )


def _evaluations(key: Positions) -> tuple[Positions, Positions]:
    """Number the evaluations in order of appearance.

    Returns:
        The evaluation of every row, and the position of the first row of every evaluation.
    """
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(first), dtype=np.int64)
    rank[order] = np.arange(len(first))
    return rank[number], first[order]


def _occurrences(cell: Positions) -> Positions:
    """Count for every row the earlier rows of the same cell."""
    order = np.argsort(cell, kind="stable")
    ordered = cell[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
    lengths = np.diff(np.r_[starts, len(ordered)])
    occurrence = np.empty(len(cell), dtype=np.int64)
    occurrence[order] = np.arange(len(cell)) - np.repeat(starts, lengths)
    return occurrence


def _differences(
    source: Source, rows: Rows, *, row: Positions, first: Positions
) -> Iterable[Finding]:
    """Find weights and the like that are not the same in all answers of an evaluation."""
    layout = source.layout
    named = [
        (layout.weight, rows.weight),
        (layout.stratum, rows.stratum),
        (layout.cluster, rows.cluster),
        (layout.stratum_population, rows.stratum_population),
        *rows.kept.items(),
    ]
    for name, values in named:
        if values is None:
            continue
        differ = values[row] != values[first]
        if values.dtype.kind == "f":
            differ &= ~(np.isnan(values[row]) & np.isnan(values[first]))
        if differ.any():
            mask = np.zeros(source.frame.rows, dtype=np.bool_)
            mask[row[differ]] = True
            yield finding_in(
                mask,
                "other than in the first answer of the same evaluation",
                code="differs_within_evaluation",
                severity="error",
                column=name,
            )


# -- the same evaluation twice -------------------------------------------------------------------


def _evaluation_keys(
    source: Source, rows: Rows, *, channel: Codes, row: Positions | None = None
) -> Positions:
    """Number respondent x organization x channel; -1 where one of them is unknown."""
    pick = slice(None) if row is None else row
    respondent = rows.respondent[pick].astype(np.int64)
    organization = rows.organization[pick]
    key = respondent * len(source.study.organizations) + organization
    key = key * len(source.study.framework.channels) + channel
    key[(respondent < 0) | (organization < 0) | (channel < 0)] = -1
    return key


def _resolve(
    source: Source, key: Positions, *, rows: Positions | None, found: list[Finding]
) -> Positions | None:
    """Report repeated keys; return the positions to keep, or None for all."""
    ordered = np.sort(key)
    if not np.any((ordered[1:] == ordered[:-1]) & (ordered[1:] >= 0)):
        return None
    order = np.argsort(key, kind="stable")
    again = np.r_[False, (key[order][1:] == key[order][:-1]) & (key[order][1:] >= 0)]
    repeated = order[again | np.r_[again[1:], False]]
    groups = len(np.unique(key[repeated]))
    frame_rows = np.unique(repeated if rows is None else rows[repeated])
    found.append(duplicates(source, groups, len(frame_rows), rows=frame_rows))
    if source.layout.duplicates != "last":
        return None
    last = ~np.r_[again[1:], False]
    return np.sort(order[last])


def duplicates(source: Source, groups: int, count: int, *, rows: Iterable[int] = ()) -> Finding:
    """Say how many evaluations there are more than once, in how many rows."""
    unit = "respondent x organization x channel" + (" x item" if source.layout.is_long else "")
    done = {
        "error": 'remove them, or choose duplicates="last" or "keep"',
        "last": "only the last of each is used",
        "keep": "all are used",
    }[source.layout.duplicates]
    return Finding(
        code="duplicate_evaluation",
        severity="error" if source.layout.duplicates == "error" else "warning",
        message=f"{told(groups, 'combination')} of {unit} more than once, in "
        f"{told(count, 'row')}; {done}",
        count=groups,
        rows=rows,
    )
