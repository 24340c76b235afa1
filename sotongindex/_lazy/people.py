"""The respondents of a lazy table: how many there are, and what they rate more than once."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping

import attrs
import narwhals as nw
import numpy as np

from sotongindex._arrays import IntArray
from sotongindex._lazy.engine import Query
from sotongindex._lazy.items import sum_in
from sotongindex._lazy.roles import Roles
from sotongindex._reading.rows import Codes

__all__ = ["People", "added", "ask_people", "ask_repeated_rows"]

_WHO, _WHOM = "who", "whom"
_ROWS = "rows"


@attrs.frozen(kw_only=True, eq=False)
class People:
    """The respondents of a table.

    Attributes:
        number: How many there are; all without a key are one.
        by_organization: How many with a key each organization has, (o,).
        repeated: How many evaluations are there more than once.
        rows: In how many rows, each counted on every channel that it repeats.
    """

    number: int
    by_organization: IntArray
    repeated: int = 0
    rows: int = 0


def added(codes: Codes, times: IntArray, size: int) -> IntArray:
    """Add up how many each code stands for, (size,); -1 counts for nothing."""
    known = codes >= 0
    counts: IntArray = np.bincount(codes[known], times[known], size).astype(np.int64)
    return counts


def ask_people(
    roles: Roles, where: nw.Expr | None, rates: Mapping[int | None, nw.Expr] | None = None
) -> People:
    """Ask who rates whom in the rows `where` something holds.

    Args:
        roles: The roles.
        where: Which rows; None for all.
        rates: Whether a row is an evaluation, by channel.
    """
    whom = roles.known("organization")
    nobody = np.zeros(len(roles.source.study.organizations), dtype=np.int64)
    if roles.key("respondent") is None:  # all without a key
        return People(number=1, by_organization=nobody)

    def everybody(frame: Query) -> Query:
        rows = _rows(roles, {}, frame, where=where).select(_WHO).unique()
        return rows.select(nw.len().alias(_ROWS))

    number = roles.table.number(everybody)
    if whom is None:
        return People(number=number, by_organization=nobody)
    rates = {} if rates is None else rates

    def pairs(frame: Query) -> Query:
        rows = _rows(roles, rates, frame, where=where).drop_nulls([_WHO, _WHOM])
        pairs = rows.group_by(_WHO, _WHOM).agg(
            nw.len().alias(_ROWS), *(nw.col(name).sum() for name in names)
        )
        again = [nw.when(nw.col(name) > 1).then(1).otherwise(0) for name in names]
        repeated = [one * nw.col(name) for one, name in zip(again, names, strict=True)]
        sums = {"repeated": _sum(again), _ROWS: _sum(repeated)}
        counted = pairs.select(_WHOM, **sums).group_by(_WHOM)
        return counted.agg(nw.len().alias("people"), nw.col("repeated", _ROWS).sum())

    names = [_name(channel) for channel in rates]
    answer = roles.table.ask(pairs)
    organization = roles.positions("organization", answer, _WHOM)
    people = sum_in(answer, "people").astype(np.int64)
    return People(
        number=number,
        by_organization=added(organization, people, len(nobody)),
        repeated=int(sum_in(answer, "repeated").sum()),
        rows=int(sum_in(answer, _ROWS).sum()),
    )


def ask_repeated_rows(roles: Roles, rates: Mapping[int | None, nw.Expr]) -> int:
    """Ask how many rows rate a channel that another row rates for the same respondent."""
    times = {f"{_name(one)} times": nw.col(_name(one)).sum().over(_WHO, _WHOM) for one in rates}
    again = [(nw.col(_name(one)) == 1) & (nw.col(f"{_name(one)} times") > 1) for one in rates]

    def build(frame: Query) -> Query:
        rows = _rows(roles, rates, frame).drop_nulls([_WHO, _WHOM]).with_columns(**times)
        rows = rows.filter(nw.any_horizontal(*again, ignore_nulls=True))
        return rows.select(nw.len().alias(_ROWS))

    return roles.table.number(build)


def _rows(
    roles: Roles, rates: Mapping[int | None, nw.Expr], frame: Query, *, where: nw.Expr | None = None
) -> Query:
    """Return who rates whom, and 1 for every channel that is rated."""
    rows = frame if where is None else frame.filter(where)
    flags = {_name(one): nw.when(rated).then(1).otherwise(0) for one, rated in rates.items()}
    who, whom = roles.key("respondent"), roles.known("organization")
    keys = {_WHO: who, _WHOM: whom}
    return rows.select(**{name: key for name, key in keys.items() if key is not None}, **flags)


def _name(channel: int | None) -> str:
    return f"rates channel {channel}"


def _sum(columns: list[nw.Expr]) -> nw.Expr:
    return functools.reduce(operator.add, columns, nw.lit(0))
