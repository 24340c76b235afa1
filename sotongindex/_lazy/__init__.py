"""Lazy: what an engine that holds the answers is asked, and what is made of its replies."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from sotongindex._frames import Column, Frame
from sotongindex._jackknife_groups import check_groups
from sotongindex._lazy.columns import group_of, number_of
from sotongindex._lazy.engine import LazyTable
from sotongindex._lazy.long_sums import long_sums
from sotongindex._lazy.query import SumQuery
from sotongindex._lazy.wide_sums import wide_sums
from sotongindex._reading.source import Source
from sotongindex._sums import Sums
from sotongindex.checks import CheckReport
from sotongindex.errors import MethodError, ResponseError
from sotongindex.layout import Layout
from sotongindex.models import Study

__all__ = ["LazyTable", "sum_lazily"]


def sum_lazily(
    table: LazyTable,
    study: Study,
    layout: Layout,
    *,
    groups: int,
    group: str | None,
    categories: Sequence[int],
) -> Sums:
    """Let the engine add up a table's answers.

    Raises:
        ResponseError: If columns are missing, keys unknown or weights not above 0.
        MethodError: If the layout asks for what engines cannot do, or groups cannot be told.
    """
    source = lazy_source(table, study, layout)
    findings = tuple(finding for finding in source.check_columns() if finding.severity == "error")
    if findings:
        raise ResponseError(CheckReport(findings=findings))
    weight = None if layout.weight is None else number_of(table, layout.weight)
    query = SumQuery(
        table=table,
        source=source,
        groups=groups,
        group=_group(table, layout, groups=groups, group=group),
        weight=None if weight is None else weight.cast(nw.Float64),
        categories=categories,
    )
    return long_sums(query) if layout.is_long else wide_sums(query)


def lazy_source(table: LazyTable, study: Study, layout: Layout) -> Source:
    """Return the columns of a table; what they hold is asked of the engine, not read."""
    if layout.duplicates == "last":
        raise MethodError(
            'rows of a lazy frame have no order, so that duplicates="last" has no meaning; leave '
            "out the earlier ones in the engine",
            argument="duplicates",
        )
    return Source(
        frame=Frame(names=tuple(table.kinds), rows=0, column=_unread), study=study, layout=layout
    )


def _unread(name: str) -> Column:
    raise NotImplementedError(f"{name!r} is in the engine")


def _group(table: LazyTable, layout: Layout, *, groups: int, group: str | None) -> nw.Expr:
    """Return the jackknife group of every row: given, or made of the keys of who was sampled."""
    check_groups(groups)
    if group is not None:
        return nw.col(group)
    if groups == 1:
        return nw.lit(0)
    name = layout.respondent if layout.cluster is None else layout.cluster
    if name is None:
        raise MethodError(
            "rows of a lazy frame have no keys to make jackknife groups of; name the respondent "
            "column, give a column with the group, `group=`, or use groups=1",
            argument="groups",
        )
    return group_of(table, name, groups)
