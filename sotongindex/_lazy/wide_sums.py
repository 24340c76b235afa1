"""The sums of a wide table as group-bys that the engine runs; only their rows come back."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw
import numpy as np

from sotongindex._arrays import Groups
from sotongindex._frames import Frame
from sotongindex._lazy.columns import any_given, number_of
from sotongindex._lazy.engine import Query
from sotongindex._lazy.items import ItemSums, sum_in
from sotongindex._lazy.query import SumQuery
from sotongindex._sums import Sums, add_rows
from sotongindex.errors import EngineError
from sotongindex.layout import ItemColumn

__all__ = ["wide_sums"]


def wide_sums(query: SumQuery) -> Sums:
    """Add up a table with one row per evaluation, or one per respondent with columns by channel.

    Raises:
        EngineError: If the engine fails.
        ResponseError: If keys are unknown or blank.
    """
    columns = query.source.item_columns
    if not query.source.layout.is_bound:
        return _part(query, columns, channel=None)
    parts = [
        _part(query, own, channel=position)
        for position, key in enumerate(query.source.study.framework.channel_keys)
        if (own := [column for column in columns if column.channel == key])
    ]
    return Sums.merged(parts)


def _part(query: SumQuery, columns: Sequence[ItemColumn], *, channel: int | None) -> Sums:
    """Add up the answers in columns that are about one channel, or about that of the row."""
    items = [_item(query, column) for column in columns]
    size = max(1, query.table.most_sums // len(items[0].aggregates()))
    chunks = [items[start : start + size] for start in range(0, len(items), size)]
    answers = [_ask(query, chunk, rated=items if channel is not None else ()) for chunk in chunks]
    grouped = [Groups.of(query.keys(answer, channel)) for answer in answers]
    if any(not np.array_equal(one.keys, grouped[0].keys) for one in grouped):
        raise EngineError(
            "the table changed between two queries; keep a copy of it and ask again",
            engine=query.table.engine,
        )
    found = {
        item.position: {
            name: add_rows(values, groups) for name, values in item.read(answer).items()
        }
        for chunk, answer, groups in zip(chunks, answers, grouped, strict=True)
        for item in chunk
    }
    evaluations, weight, squared_weight = (
        add_rows(sum_in(answers[0], "evaluations" if query.weight is None else name), grouped[0])
        for name in ("evaluations", "weight", "squared weight")
    )
    empty = {name: np.zeros_like(values) for name, values in next(iter(found.values())).items()}
    every = [found.get(item, empty) for item in range(len(query.source.study.framework.items))]
    return Sums(
        keys=grouped[0].keys,
        evaluations=evaluations.astype(np.int64),
        weight=weight,
        squared_weight=squared_weight,
        **{name: np.stack([item[name] for item in every], axis=1) for name in empty},
    )


def _item(query: SumQuery, column: ItemColumn) -> ItemSums:
    items = query.source.study.framework.items
    position = query.source.study.framework.item_keys.index(column.item)
    scale = items[position].scale
    return ItemSums(
        position=position,
        scale=scale,
        reverse=items[position].reverse,
        answer=number_of(query.table, column.column, scale.missing),
        exact=query.table.kinds[column.column] == "whole",
        weight=query.weight,
        categories=query.categories,
    )


def _ask(query: SumQuery, chunk: Sequence[ItemSums], *, rated: Sequence[ItemSums]) -> Frame:
    """Ask for the sums of some items; where `rated` is given, of rows that answer one of it."""
    columns: dict[str, nw.Expr] = {}
    if query.weight is not None:
        columns = {"weight": query.weight, "squared weight": query.weight * query.weight}
    sums = [nw.len().alias("evaluations"), *(nw.col(name).sum() for name in columns)]
    for item in chunk:
        columns |= item.columns()
        sums += item.aggregates()

    def build(frame: Query) -> Query:
        rows = frame.filter(any_given(item.answer for item in rated)) if rated else frame
        rows = rows.select(**query.roles, **columns)
        return rows.group_by(*query.roles).agg(*sums)

    return query.table.ask(build)
