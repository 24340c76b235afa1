"""What is asked of an engine: the grouping that all sums share, and how its replies are keyed."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import IntArray
from sotongindex._frames import Frame, Numbers
from sotongindex._jackknife_groups import given_groups
from sotongindex._lazy.engine import LazyTable
from sotongindex._lazy.items import sum_in
from sotongindex._reading.rows import match, match_channels
from sotongindex._reading.source import Source
from sotongindex.checks import CheckReport, Finding
from sotongindex.errors import EngineError, ResponseError

__all__ = ["GROUP", "SumQuery"]

GROUP = "jackknife group"  # what the group of a row is called in a query


@attrs.frozen(kw_only=True, eq=False)
class SumQuery:
    """What is asked of an engine to make a tally.

    Attributes:
        table: The lazy frame.
        source: Its columns, the study and the layout; the frame in it has no rows.
        groups: The number of jackknife groups.
        group: The jackknife group of every row.
        weight: The weight of every row, or None.
        categories: The answers that are counted.
    """

    table: LazyTable
    source: Source
    groups: int
    group: nw.Expr
    weight: nw.Expr | None
    categories: Sequence[int]

    @property
    def roles(self) -> dict[str, nw.Expr]:
        """What sums are grouped by: organization, channel where a column tells it, and group."""
        told = self.source.roles()
        names = [told[role] for role in ("organization", "channel") if role in told]
        return {**{name: nw.col(name) for name in names}, GROUP: self.group}

    def keys(self, answer: Frame, channel: int | None = None) -> IntArray:
        """Return organization, channel and group of every row of an answer as one number.

        Args:
            answer: The reply to a query that groups by `roles` and counts "evaluations".
            channel: The channel of all rows, where no column tells it.
        """
        study, found = self.source.study, list[Finding]()
        replied = self._replied(answer)
        organization = match(replied, "organization", study.organization_keys, found=found)
        channels = match_channels(replied, found) if channel is None else channel
        _refuse(found, replied)
        units = organization.astype(np.int64) * len(study.framework.channels) + channels
        return units * self.groups + self._groups(answer)

    def items(self, answer: Frame) -> NDArray[np.int32]:
        """Return the item of every row of an answer about a long table."""
        found: list[Finding] = []
        replied = self._replied(answer)
        items = match(replied, "item", self.source.study.framework.item_keys, found=found)
        _refuse(found, replied)
        return items

    def _replied(self, answer: Frame) -> Source:
        """Return the source with the reply as its frame, every row of which stands for many."""
        times = sum_in(answer, "evaluations").astype(np.int64)
        return attrs.evolve(self.source, frame=attrs.evolve(answer, times=times))

    def _groups(self, answer: Frame) -> IntArray:
        column = answer.column(GROUP)
        if not isinstance(column, Numbers) or column.is_null.any():
            raise EngineError(
                "some keys have no jackknife group: they are blank, or hold letters that the "
                "engine orders in a way of its own; give a column with the group, `group=`",
                engine=self.table.engine,
            )
        return given_groups(column.values, self.groups)


def _refuse(found: Sequence[Finding], replied: Source) -> None:
    if found:
        times = replied.frame.times
        rows = 0 if times is None else int(times.sum())
        raise ResponseError(CheckReport(findings=tuple(found), rows=rows))
