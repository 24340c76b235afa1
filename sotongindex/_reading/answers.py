"""Answers: every item's answers counted by channel, checked against its scale, and put together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import BLOCK_ROWS, is_missing, missing_code
from sotongindex._frames import Numbers
from sotongindex._reading.cells import Cells
from sotongindex._reading.coding import compact, recode
from sotongindex._reading.source import Source
from sotongindex.checks import Code, Finding, told
from sotongindex.models import Framework, Scale, SurveyItem

__all__ = ["Answers", "Counted"]

_BYTE = 256
# Numbers that questionnaires use for "don't know", "not rated" or "refused".
_USUAL_CODES = (0, 7, 8, 9, 66, 77, 88, 96, 97, 98, 99, 666, 777, 888, 998, 999, 9999)


@attrs.frozen(kw_only=True, eq=False)
class Counted:
    """The distinct answers to an item and how often each was given.

    Attributes:
        values: The distinct answers, ascending, (v,).
        counts: How often, by channel; the last row is for unknown channels, (channels + 1, v).
    """

    values: NDArray[Any]
    counts: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        answers: NDArray[Any],
        channel: NDArray[np.int64],
        channels: int,
        *,
        times: NDArray[np.int64] | None = None,
    ) -> Counted:
        """Count `answers` (n,) by `channel` (n,), which is `channels` where unknown.

        Where every answer stands for several, these are counted, `times` (n,).
        """
        if answers.dtype == np.int8:
            code = answers.view(np.uint8) + channel * _BYTE
            counts = _counts(code, times, (channels + 1) * _BYTE).reshape(-1, _BYTE)
            values = np.arange(_BYTE, dtype=np.uint8).view(np.int8)
            order = np.argsort(values)[1:]  # the lowest is the missing code
            return cls(values=values[order], counts=counts[:, order]).used()
        given = ~is_missing(answers)
        values, code = np.unique(answers[given], return_inverse=True)
        code += channel[given] * len(values)
        times = None if times is None else times[given]
        counts = _counts(code, times, (channels + 1) * len(values))
        return cls(values=values, counts=counts.reshape(channels + 1, len(values)))

    def used(self) -> Counted:
        """Leave out values that nobody gave."""
        return self.where(np.logical_or.reduce(self.counts > 0, axis=0))

    def where(self, mask: NDArray[np.bool_]) -> Counted:
        """Keep the values for which `mask` holds."""
        return Counted(values=self.values[mask], counts=self.counts[:, mask])

    def __str__(self) -> str:
        """Tell values with their counts, the most frequent first: "0 (8), 9 (2)"."""
        counts = self.counts.sum(axis=0)
        order = np.argsort(-counts, kind="stable")
        told = [f"{self.values[place]:g} ({counts[place]:,})" for place in order[:5]]
        return ", ".join(told) + (", ..." if len(order) > 5 else "")

    @property
    def total(self) -> int:
        """The number of answers."""
        return int(self.counts.sum())


@attrs.frozen(kw_only=True, eq=False)
class Answers:
    """The answers of a frame, item by item.

    Attributes:
        columns: For every item its answers, "no answer" for missing codes, each (n,).
        counted: For every item its answers without missing codes, counted.
        answered: Whether an evaluation has any answer, (n,).
        findings: Answers that the study does not allow, and what became of the others.
    """

    columns: tuple[NDArray[Any], ...]
    counted: tuple[Counted, ...]
    answered: NDArray[np.bool_]
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, source: Source, cells: Cells) -> Answers:
        """Read and check the answers to every item."""
        framework = source.study.framework
        channels = len(framework.channels)
        channel = np.where(cells.channel < 0, channels, cells.channel).astype(np.int64)
        answered = np.zeros(len(cells.row), dtype=np.bool_)
        asked = np.array(framework.asked)  # (channels, items)
        columns, tables, found = [], [], list[Finding]()
        for position, item in enumerate(framework.items):
            answers = cells.answers(position)
            counted = Counted.of(answers, channel, channels, times=cells.times)
            found += _codes_and_fractions(counted, item)
            answers, counted = _without_codes(answers, counted, item.scale)
            unasked = ~asked[:, position] & np.logical_or.reduce(counted.counts[:-1] > 0, axis=1)
            for place in np.flatnonzero(unasked).tolist():
                found += _not_asked(cells, position, framework=framework, channel=place)
            inside = (counted.values >= item.scale.low) & (counted.values <= item.scale.high)
            if not inside.all():
                found += _outside(cells, position, item)
            answered |= ~is_missing(answers)
            columns.append(answers)
            tables.append(counted)
        return cls(
            columns=tuple(columns),
            counted=tuple(tables),
            answered=answered,
            findings=tuple(found),
        )

    def together(self) -> NDArray[Any]:
        """Put the items side by side in the smallest type that holds them all, (n, items)."""
        columns = [
            column if column.dtype == np.int8 else compact(_numbers(column))
            for column in self.columns
        ]
        dtype = np.result_type(np.int8, *(column.dtype for column in columns))
        answers = np.empty((len(self.answered), len(columns)), dtype=dtype)
        columns = [recode(column, dtype) for column in columns]
        for start in range(0, len(answers), BLOCK_ROWS):  # a block's columns stay in the cache
            block = slice(start, start + BLOCK_ROWS)
            np.stack([column[block] for column in columns], axis=1, out=answers[block])
        return answers


def _counts(
    codes: NDArray[np.int64], times: NDArray[np.int64] | None, size: int
) -> NDArray[np.int64]:
    """Count how often each code from 0 to `size` - 1 occurs."""
    counts = np.bincount(codes, times, size)
    return counts if times is None else counts.astype(np.int64)


def _numbers(column: NDArray[Any]) -> Numbers:
    return Numbers(
        values=column, null=None if column.dtype.kind == "f" else missing_code(column.dtype)
    )


# -- one item --------------------------------------------------------------------------------------


def _without_codes(
    answers: NDArray[Any], counted: Counted, scale: Scale
) -> tuple[NDArray[Any], Counted]:
    """Make missing codes "no answer"."""
    coded = np.isin(counted.values, scale.missing)
    if not coded.any():
        return answers, counted
    answers = answers.copy()
    answers[np.isin(answers, counted.values[coded])] = missing_code(answers.dtype)
    return answers, counted.where(~coded)


def _codes_and_fractions(counted: Counted, item: SurveyItem) -> Iterable[Finding]:
    """Say how many answers are missing codes, and how many lie between whole numbers."""
    coded = np.isin(counted.values, item.scale.missing)
    fractional = ~coded & (np.rint(counted.values) != counted.values)
    kinds: tuple[tuple[Code, NDArray[np.bool_], str], ...] = (
        ("missing_code", coded, "missing codes, counted as no answer"),
        ("fractional_answer", fractional, "no whole numbers, used as they are"),
    )
    for code, mask, message in kinds:
        if mask.any():
            chosen = counted.where(mask)
            yield Finding(
                code=code,
                severity="note",
                message=f"{message} ({told(chosen.total, 'answer')}): {chosen}",
                item=item.key,
                count=chosen.total,
                values=chosen.values,
            )


def _outside(cells: Cells, position: int, item: SurveyItem) -> Iterable[Finding]:
    """Find answers beyond the ends of the scale that are no missing codes."""
    scale = item.scale

    def outside(values: NDArray[Any], _: NDArray[np.int32]) -> NDArray[np.bool_]:
        beyond = (values < scale.low) | (values > scale.high)
        return beyond & ~np.isin(values, scale.missing) if scale.missing else beyond

    for hits in cells.find(position, outside):
        channel = np.zeros(len(hits.values), dtype=np.int64)
        found = Counted.of(hits.values, channel, 0, times=hits.times)
        codes = found.values[np.isin(np.abs(found.values), _USUAL_CODES)]
        hint = (
            f'; declare {codes[0]:g} in Scale.missing if it means "not rated"' if len(codes) else ""
        )
        yield Finding(
            code="out_of_range",
            severity="error",
            message=f"outside {scale.low:g} to {scale.high:g} "
            f"({told(len(hits), 'answer')}): {found}{hint}",
            column=hits.piece.column,
            item=item.key,
            channel=hits.piece.channel,
            count=len(hits),
            rows=hits.rows,
            values=found.values,
            expected=f"{scale.low:g} to {scale.high:g}",
        )


def _not_asked(
    cells: Cells, position: int, *, framework: Framework, channel: int
) -> Iterable[Finding]:
    """Find the answers on a channel of which the item is not asked."""
    item = framework.items[position]

    def misplaced(values: NDArray[Any], channels: NDArray[np.int32]) -> NDArray[np.bool_]:
        return np.asarray((channels == channel) & ~np.isin(values, item.scale.missing))

    for hits in cells.find(position, misplaced):
        yield Finding(
            code="not_asked",
            severity="error",
            message=f"item not asked on this channel ({told(len(hits), 'answer')}); empty "
            "the cells, or add the channel to SurveyItem.channels",
            column=hits.piece.column,
            item=item.key,
            channel=framework.channel_keys[channel],
            count=len(hits),
            rows=hits.rows,
            expected=f"answers on {', '.join(item.channels or ())}",
        )
