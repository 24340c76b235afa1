"""The sampling design of a lazy table: in how many groups it contradicts itself."""

from __future__ import annotations

from collections.abc import Iterable

import narwhals as nw

from sotongindex._lazy.columns import key_of, number_of
from sotongindex._lazy.engine import LazyTable, Query
from sotongindex._reading.design import Sampled, contradictions, exceeded
from sotongindex.checks import Finding
from sotongindex.layout import Layout

__all__ = ["ask_design_faults"]

_VALUE, _WITHIN, _UNIT, _ROWS = "value", "within", "unit", "rows"


def ask_design_faults(table: LazyTable, layout: Layout) -> Iterable[Finding]:
    """Find clusters in two strata, respondents in two clusters, and populations that cannot be."""
    sampled: Sampled = "respondent" if layout.cluster not in table.kinds else "cluster"
    for one in contradictions(sampled):
        value, within = _column(table, layout, one.value), _column(table, layout, one.within)
        if getattr(layout, one.value) in table.kinds and value is not None and within is not None:
            count = _differing(table, value, within)
            if count:
                yield one.finding(layout, count)
    size = _column(table, layout, "stratum_population")
    if size is not None:
        beyond = _beyond(table, layout, size, sampled=sampled)
        if beyond:
            yield exceeded(layout, sampled, beyond)


def _column(table: LazyTable, layout: Layout, role: str) -> nw.Expr | None:
    """Return the column of a role, null where it tells nothing; without strata, all are one."""
    name = getattr(layout, role)
    if name is None or name not in table.kinds:
        return nw.lit(0) if role == "stratum" else None
    if role != "stratum_population":
        return key_of(table, name)
    size = number_of(table, name)
    return nw.when(size >= 0).then(size)


def _differing(table: LazyTable, value: nw.Expr, within: nw.Expr) -> int:
    """Ask within how many groups a value is not the same."""

    def build(frame: Query) -> Query:
        rows = frame.select(**{_VALUE: value, _WITHIN: within}).drop_nulls()
        ends = [nw.col(_VALUE).min().alias("least"), nw.col(_VALUE).max().alias("greatest")]
        groups = rows.group_by(_WITHIN).agg(*ends)
        odd = groups.filter(nw.col("least") != nw.col("greatest"))
        return odd.select(nw.len().alias(_ROWS))

    return table.number(build)


def _beyond(table: LazyTable, layout: Layout, size: nw.Expr, *, sampled: Sampled) -> int:
    """Ask in how many strata more were sampled than there are."""
    stratum, unit = _column(table, layout, "stratum"), _column(table, layout, sampled)
    alone = getattr(layout, sampled) is None  # every row is a respondent of its own
    if stratum is None or (unit is None and not alone):
        return 0
    columns = {_WITHIN: stratum, _VALUE: nw.when(size > 0).then(size)}
    if unit is not None:
        columns[_UNIT] = unit

    def build(frame: Query) -> Query:
        units = frame.select(**columns).drop_nulls()
        if unit is not None:
            units = units.group_by(_WITHIN, _UNIT).agg(nw.col(_VALUE).min())
        strata = units.group_by(_WITHIN).agg(nw.len().alias("units"), nw.col(_VALUE).min())
        return strata.filter(nw.col("units") > nw.col(_VALUE)).select(nw.len().alias(_ROWS))

    return table.number(build)
