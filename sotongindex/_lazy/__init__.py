"""Lazy: what an engine that holds the answers is asked, and what is made of its replies."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from sotongindex._jackknife_groups import check_groups
from sotongindex._lazy.calibrated_sums import sum_calibrated
from sotongindex._lazy.cell_weights import CellWeights
from sotongindex._lazy.cells import CellQuery, CellSums
from sotongindex._lazy.checking import check_lazily
from sotongindex._lazy.columns import category_of, group_of, missing_keys, start_of
from sotongindex._lazy.engine import LazyTable
from sotongindex._lazy.opening import lazy_source, unread
from sotongindex._lazy.query import SumQuery
from sotongindex._lazy.sums import add_up
from sotongindex._replicate_sums import ReplicateSums
from sotongindex._sums import Sums
from sotongindex.checks import CheckReport
from sotongindex.errors import MethodError, ResponseError
from sotongindex.layout import Layout
from sotongindex.models import Study

__all__ = [
    "CellQuery",
    "CellSums",
    "CellWeights",
    "LazyTable",
    "category_of",
    "check_lazily",
    "missing_keys",
    "start_of",
    "sum_lazily",
    "unread",
]


def sum_lazily(
    table: LazyTable,
    study: Study,
    layout: Layout,
    *,
    groups: int,
    group: str | None,
    categories: Sequence[int],
    weights: CellWeights | None,
) -> tuple[Sums, ReplicateSums | None]:
    """Let the engine add up a table's answers, and those of replicates of calibrated weights.

    Raises:
        ResponseError: If columns are missing, keys unknown or weights not above 0.
        MethodError: If the layout asks for what engines cannot do, groups cannot be told, or
            weights are those of others.
    """
    source = lazy_source(table, study, layout)
    findings = tuple(finding for finding in source.check_columns() if finding.severity == "error")
    if findings:
        raise ResponseError(CheckReport(findings=findings))
    if weights is not None and layout.weight not in (None, weights.weight):
        raise MethodError(
            f"the starting weights of `weights` are in {weights.weight!r}, those of the layout in "
            f"{layout.weight!r}; leave out the second",
            argument="weights",
        )
    query = SumQuery(
        table=table,
        source=source,
        groups=groups,
        group=_group(table, layout, groups=groups, group=group),
        weight=None if layout.weight is None else start_of(table, layout.weight),
        categories=categories,
    )
    return (add_up(query), None) if weights is None else sum_calibrated(query, weights)


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
