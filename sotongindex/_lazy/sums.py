"""The sums of a tally as group-bys that the engine runs; only their rows come back."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import narwhals as nw
import numpy as np

from sotongindex._arrays import Groups, IntArray
from sotongindex._frames import Frame, Numbers
from sotongindex._lazy.columns import number_of
from sotongindex._lazy.engine import LazyTable, Query
from sotongindex._lazy.items import ItemSums, sum_in
from sotongindex._reading.rows import match, match_channels
from sotongindex._reading.source import Source
from sotongindex._sums import Sums, add_rows
from sotongindex.checks import CheckReport, Finding
from sotongindex.errors import EngineError, MethodError, ResponseError
from sotongindex.layout import ItemColumn

__all__ = ["SumQuery"]

# Spark does not compile an aggregate of many sums; in pieces it reads the keys once a piece.
_MOST_SUMS = {"pyspark": 24, "pyspark[connect]": 24}
_GROUP = "jackknife group"


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

    def run(self) -> Sums:
        """Ask the engine and return the sums.

        Raises:
            EngineError: If the engine fails.
            ResponseError: If keys are unknown or blank.
        """
        columns = self.source.item_columns
        if not self.source.layout.is_bound:
            return self._part(columns, channel=None)
        parts = [
            self._part(own, channel=position)
            for position, key in enumerate(self.source.study.framework.channel_keys)
            if (own := [column for column in columns if column.channel == key])
        ]
        return Sums.merged(parts)

    def _part(self, columns: Sequence[ItemColumn], *, channel: int | None) -> Sums:
        """Add up the answers in columns that are about one channel, or about that of the row."""
        items = [self._item(column) for column in columns]
        size = max(1, _MOST_SUMS.get(self.table.engine, 10**6) // len(items[0].aggregates()))
        chunks = [items[start : start + size] for start in range(0, len(items), size)]
        answers = [self._ask(chunk, items if channel is not None else ()) for chunk in chunks]
        grouped = [Groups.of(self._keys(answer, channel)) for answer in answers]
        if any(not np.array_equal(one.keys, grouped[0].keys) for one in grouped):
            raise EngineError(
                "the table changed between two queries; keep a copy of it and ask again",
                engine=self.table.engine,
            )
        found = {
            item.position: {
                name: add_rows(values, groups) for name, values in item.read(answer).items()
            }
            for chunk, answer, groups in zip(chunks, answers, grouped, strict=True)
            for item in chunk
        }
        totals = {
            name: add_rows(sum_in(answers[0], name), grouped[0])
            for name in ("evaluations", "weight", "squared weight")
        }
        empty = {name: np.zeros_like(values) for name, values in next(iter(found.values())).items()}
        every = [found.get(item, empty) for item in range(len(self.source.study.framework.items))]
        return Sums(
            keys=grouped[0].keys,
            evaluations=totals["evaluations"].astype(np.int64),
            weight=totals["weight"],
            squared_weight=totals["squared weight"],
            **{name: np.stack([item[name] for item in every], axis=1) for name in empty},
        )

    def _item(self, column: ItemColumn) -> ItemSums:
        items = self.source.study.framework.items
        position = self.source.study.framework.item_keys.index(column.item)
        scale = items[position].scale
        return ItemSums(
            position=position,
            scale=scale,
            reverse=items[position].reverse,
            answer=number_of(self.table, column.column, scale.missing),
            exact=self.table.kinds[column.column] == "whole",
            weight=self.weight,
            categories=self.categories,
        )

    def _ask(self, chunk: Sequence[ItemSums], rated: Sequence[ItemSums]) -> Frame:
        """Ask for the sums of some items; where `rated` is given, of rows that answer one of it."""
        layout = self.source.layout
        roles = [layout.organization]
        if layout.channel is not None and not layout.is_bound:
            roles.append(layout.channel)
        weight = nw.lit(1.0) if self.weight is None else self.weight
        columns = {"weight": weight, "squared weight": weight * weight, _GROUP: self.group}
        sums = [nw.len().alias("evaluations"), nw.col("weight", "squared weight").sum()]
        for item in chunk:
            columns |= item.columns()
            sums += item.aggregates()
        given = [~item.answer.is_null() for item in rated]

        def build(frame: Query) -> Query:
            rows = frame.filter(nw.any_horizontal(*given, ignore_nulls=True)) if given else frame
            rows = rows.select(*map(nw.col, roles), **columns)
            return rows.group_by(*roles, _GROUP).agg(*sums)

        return self.table.ask(build)

    def _keys(self, answer: Frame, channel: int | None) -> IntArray:
        """Return organization, channel and group of every row of an answer as one number."""
        times = sum_in(answer, "evaluations").astype(np.int64)
        source = attrs.evolve(self.source, frame=attrs.evolve(answer, times=times))
        found: list[Finding] = []
        study = source.study
        organization = match(source, "organization", study.organization_keys, found=found)
        channels = match_channels(source, found) if channel is None else channel
        if found:
            raise ResponseError(CheckReport(findings=tuple(found), rows=int(times.sum())))
        units = organization.astype(np.int64) * len(study.framework.channels) + channels
        return units * self.groups + self._groups(answer)

    def _groups(self, answer: Frame) -> IntArray:
        column = answer.column(_GROUP)
        if not isinstance(column, Numbers) or column.is_null.any():
            raise EngineError(
                "some keys have no jackknife group: they are blank, or hold letters that the "
                "engine orders in a way of its own; give a column with the group, `group=`",
                engine=self.table.engine,
            )
        groups: IntArray = column.values.astype(np.int64)
        if not ((groups >= 0) & (groups < self.groups)).all():
            raise MethodError(
                f"expected groups 0 to {self.groups - 1}, got {groups.min()} to {groups.max()}",
                argument="group",
            )
        return groups
