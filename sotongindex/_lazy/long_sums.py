"""The sums of a long table, with one row per answer, as group-bys that the engine runs."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import Groups
from sotongindex._frames import Frame
from sotongindex._lazy.columns import number_of
from sotongindex._lazy.engine import Query
from sotongindex._lazy.items import ItemSums, sum_in
from sotongindex._lazy.query import SumQuery
from sotongindex._sums import Sums, add_rows

__all__ = ["long_sums"]

_TIMES = "times"


def long_sums(query: SumQuery) -> Sums:
    """Add up a table with one row per answer.

    Raises:
        EngineError: If the engine fails.
        ResponseError: If keys are unknown or blank.
    """
    rated = _evaluations(query)
    rows = Groups.of(query.keys(rated))
    totals = {
        name: add_rows(sum_in(rated, name), rows)
        for name in ("evaluations", "weight", "squared weight")
    }
    return Sums(
        keys=rows.keys,
        evaluations=np.rint(totals["evaluations"]).astype(np.int64),
        weight=totals["weight"],
        squared_weight=totals["squared weight"],
        **_answers(query, rows),
    )


def _evaluations(query: SumQuery) -> Frame:
    """Ask for the evaluations: an item answered twice by one respondent makes two of them."""
    layout = query.source.layout
    respondent, item = str(layout.respondent), str(layout.item)
    weight = nw.lit(1.0) if query.weight is None else query.weight

    def build(frame: Query) -> Query:
        answers = frame.select(nw.col(respondent, item), **query.roles, weight=weight)
        # The weight is the same in all answers of an evaluation.
        cells = answers.group_by(*query.roles, respondent, item).agg(
            nw.len().alias(_TIMES), nw.col("weight").min()
        )
        people = cells.group_by(*query.roles, respondent).agg(
            nw.col(_TIMES).max(), nw.col("weight").min()
        )
        times, own = nw.col(_TIMES), nw.col("weight")
        sums = {"evaluations": times, "weight": times * own, "squared weight": times * own * own}
        counted = people.select(*query.roles, **sums)
        return counted.group_by(*query.roles).agg(nw.col(*sums).sum())

    return query.table.ask(build)


def _answers(query: SumQuery, rows: Groups) -> dict[str, NDArray[Any]]:
    """Ask for the answers by item, as points of every scale; each item takes those of its own."""
    layout, items = query.source.layout, query.source.study.framework.items
    kinds = list(dict.fromkeys((item.scale, item.reverse) for item in items))
    sums = [
        ItemSums(
            position=place,
            scale=scale,
            reverse=reverse,
            answer=number_of(query.table, str(layout.answer), scale.missing),
            exact=query.table.kinds[str(layout.answer)] == "whole",
            weight=query.weight,
            categories=query.categories,
        )
        for place, (scale, reverse) in enumerate(kinds)
    ]

    def build(frame: Query) -> Query:
        columns = {name: column for kind in sums for name, column in kind.columns().items()}
        answers = frame.select(nw.col(str(layout.item)), **query.roles, **columns)
        return answers.group_by(*query.roles, str(layout.item)).agg(
            nw.len().alias("evaluations"), *(one for kind in sums for one in kind.aggregates())
        )

    answer = query.table.ask(build)
    place = np.searchsorted(rows.keys, query.keys(answer))
    item = query.items(answer)
    kind = np.array([kinds.index((one.scale, one.reverse)) for one in items])[item]
    found: dict[str, NDArray[Any]] = {}
    for number, one in enumerate(sums):
        own = kind == number
        for name, values in one.read(answer).items():
            shape = (len(rows), len(items), *values.shape[1:])
            table = found.setdefault(name, np.zeros(shape, dtype=values.dtype))
            np.add.at(table, (place[own], item[own]), values[own])
    return found
