"""The evaluations of a lazy table with one row per answer."""

from __future__ import annotations

import functools
import operator

import attrs
import narwhals as nw
import numpy as np

from sotongindex._frames import Frame
from sotongindex._lazy.columns import key_of, number_of, without
from sotongindex._lazy.engine import Query
from sotongindex._lazy.evaluations import Evaluations, repeated
from sotongindex._lazy.items import sum_in
from sotongindex._lazy.people import People, added, ask_people
from sotongindex._lazy.roles import Roles
from sotongindex.checks import Finding, told

__all__ = ["long_evaluations", "used_rows"]

_WHOM, _CHANNEL, _ITEM = "whom", "channel of the row", "item of the row"
_UNIT = ("who", _WHOM, _CHANNEL)
_SUMS = ("evaluations", "silent", "repeated", "rows")


def used_rows(roles: Roles) -> nw.Expr | None:
    """Return whether a row belongs to an evaluation: all its keys are known; None if none does."""
    keys = _keys(roles)
    if keys is None:
        return None
    return functools.reduce(operator.and_, [~key.is_null() for key in keys.values()])


def long_evaluations(roles: Roles, used: nw.Expr | None) -> Evaluations:
    """Put answers of the same respondent, organization and channel together.

    Where repeated answers are kept, an item answered twice makes two evaluations. Which answers
    belong together is not known then: as many of the evaluations as can are taken to have one.

    Args:
        roles: The roles.
        used: Whether a row belongs to an evaluation.
    """
    source, layout = roles.source, roles.source.layout
    keys, compared = _keys(roles), _compared(roles)
    if keys is None or used is None:
        return _none(roles)
    columns = {**keys, "given": nw.when(_is_given(roles)).then(1).otherwise(0), **compared}
    answer = roles.table.ask(
        lambda frame: _units(
            frame.filter(used).select(**columns), [*compared], kept=layout.duplicates == "keep"
        )
    )
    times = sum_in(answer, "evaluations").astype(np.int64)
    frame = attrs.evolve(answer, times=times)
    people = attrs.evolve(
        ask_people(roles, used),
        repeated=int(sum_in(answer, "repeated").sum()),
        rows=int(sum_in(answer, "rows").sum()),
    )
    return Evaluations(
        source=attrs.evolve(source, frame=frame),
        row=np.arange(answer.rows),
        organization=roles.positions("organization", answer, _WHOM),
        channel=roles.positions("channel", answer, _CHANNEL),
        times=times,
        silent=int(sum_in(answer, "silent").sum()),
        people=people,
        findings=(*repeated(source, people, people.rows), *_differences(answer, [*compared])),
    )


def _none(roles: Roles) -> Evaluations:
    """Return no evaluations, where a column is missing that tells them apart."""
    nobody, size = np.zeros(0, dtype=np.int32), len(roles.source.study.organizations)
    none = np.zeros(0, dtype=np.int64)
    return Evaluations(
        source=roles.source,
        row=none,
        organization=nobody,
        channel=nobody,
        times=none,
        silent=0,
        people=People(number=0, by_organization=added(nobody, none, size)),
        findings=(),
    )


def _keys(roles: Roles) -> dict[str, nw.Expr] | None:
    """Return what tells answers apart, null where unknown; None where a column is missing."""
    channels = roles.source.study.framework.channels
    alone = roles.source.layout.channel is None and len(channels) == 1
    keys = {
        "who": roles.key("respondent"),
        _WHOM: roles.known("organization"),
        _CHANNEL: nw.lit(0) if alone else roles.known("channel"),
        _ITEM: roles.known("item"),
    }
    present = {name: key for name, key in keys.items() if key is not None}
    return present if len(present) == len(keys) else None


def _compared(roles: Roles) -> dict[str, nw.Expr]:
    """Return what must be the same in all answers of an evaluation, by column."""
    table, layout = roles.table, roles.source.layout
    sizes, keys = (layout.weight, layout.stratum_population), (layout.stratum, layout.cluster)
    order = (layout.weight, *keys, layout.stratum_population, *layout.keep)
    return {
        name: number_of(table, name) if name in sizes else key_of(table, name)
        for name in order
        if name is not None and name in table.kinds
    }


def _is_given(roles: Roles) -> nw.Expr:
    """Return whether a row has an answer that is no missing code of its item."""
    name, items = str(roles.source.layout.answer), roles.source.study.framework.items
    if name not in roles.table.kinds:
        return nw.lit(value=False)
    number = number_of(roles.table, name)
    tests = [~number.is_null()]
    for codes in dict.fromkeys(item.scale.missing for item in items if item.scale.missing):
        own = [place for place, item in enumerate(items) if item.scale.missing == codes]
        coded = without(number, codes).is_null()
        tests.append(~(coded & roles.is_one_of("item", own)))
    return functools.reduce(operator.and_, tests)


def _units(rows: Query, compared: list[str], *, kept: bool) -> Query:
    """Count evaluations by organization and channel."""
    least = [nw.col(name).min().alias(f"least {name}") for name in compared]
    greatest = [nw.col(name).max().alias(f"greatest {name}") for name in compared]
    counts = [nw.col(name).count().alias(f"count {name}") for name in compared]
    cells = rows.group_by(*_UNIT, _ITEM).agg(
        nw.len().alias("times"), nw.col("given").sum(), *least, *greatest, *counts
    )
    again = nw.col("times") > 1
    cells = cells.with_columns(
        repeated=nw.when(again).then(1).otherwise(0),
        rows=nw.when(again).then(nw.col("times")).otherwise(0),
    )
    units = cells.group_by(*_UNIT).agg(
        nw.col("times").max().alias("most"),
        nw.col("given").max(),
        nw.col("times", "repeated", "rows", *(f"count {name}" for name in compared)).sum(),
        *(nw.col(f"least {name}").min() for name in compared),
        *(nw.col(f"greatest {name}").max() for name in compared),
    )
    most, given = nw.col("most"), nw.col("given")
    silent = nw.when(given == 0).then(1).otherwise(0)
    sums = {
        "evaluations": most if kept else most * 0 + 1,
        "silent": most - given if kept else silent,
        "repeated": nw.col("repeated"),
        "rows": nw.col("rows"),
        **{f"differs {name}": _differs(name) for name in compared},
    }
    counted = units.select(_WHOM, _CHANNEL, **sums).group_by(_WHOM, _CHANNEL)
    return counted.agg(nw.col(*sums).sum())


def _differs(name: str) -> nw.Expr:
    """Return 1 where an evaluation has several values, or one in some of its answers only."""
    several = nw.col(f"least {name}") != nw.col(f"greatest {name}")
    count = nw.col(f"count {name}")
    part = (count > 0) & (count < nw.col("times"))
    return nw.when(part).then(1).otherwise(nw.when(several).then(1).otherwise(0))


def _differences(answer: Frame, compared: list[str]) -> list[Finding]:
    """Find what differs between the answers of an evaluation.

    Rows have no order, so that there is no first answer from which others differ: evaluations are
    counted instead of rows.
    """
    found = []
    for name in compared:
        count = int(sum_in(answer, f"differs {name}").sum())
        if count:
            found.append(
                Finding(
                    code="differs_within_evaluation",
                    severity="error",
                    message=f"not the same in all answers of {told(count, 'evaluation')}",
                    column=name,
                    count=count,
                )
            )
    return found
