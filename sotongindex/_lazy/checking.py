"""Checking: what a check finds in a table that an engine holds, from counts alone.

The engine counts how often each combination of values occurs, and the rooms of `_reading` look at
these as at any rows, except that every row stands for many. No key of a respondent comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import narwhals as nw
import numpy as np

from sotongindex._frames import Frame, Numbers
from sotongindex._lazy.columns import key_of, number_of, parsed_labels
from sotongindex._lazy.counting import LazyCells
from sotongindex._lazy.engine import LazyTable, Query
from sotongindex._lazy.evaluations import LazyEvaluations
from sotongindex._lazy.items import sum_in
from sotongindex._lazy.opening import lazy_source
from sotongindex._reading.answers import Answers
from sotongindex._reading.cells import duplicates, silent_rows
from sotongindex._reading.design import Sampled, contradictions, exceeded
from sotongindex._reading.operated import not_operated
from sotongindex._reading.plausibility import look
from sotongindex._reading.rows import (
    date_faults,
    match,
    match_channels,
    null_role,
    stratum_populations,
    weights,
)
from sotongindex._reading.source import Source
from sotongindex.checks import CheckReport, Finding, by_severity, told
from sotongindex.layout import Layout
from sotongindex.models import Study

__all__ = ["check_lazily"]


def check_lazily(table: LazyTable, study: Study, layout: Layout) -> CheckReport:
    """Check a table, and report as `check_responses` does of rows in memory.

    Raises:
        EngineError: If the engine fails.
        MethodError: If the layout asks for what engines cannot do.
    """
    source = lazy_source(table, study, layout)
    rows = int(sum_in(table.ask(lambda frame: frame.select(rows=nw.len())), "rows").sum())
    source = attrs.evolve(source, frame=attrs.evolve(source.frame, rows=rows))
    findings = [*source.check()]
    if any(finding.code in {"missing_column", "empty_frame"} for finding in findings):
        return CheckReport(findings=by_severity(findings), rows=rows)
    rated = LazyEvaluations.of(table, source)
    cells = LazyCells.of(table, source)
    answers = Answers.of(attrs.evolve(source, frame=cells.frame), cells.cells)
    respondents, people = rated.by_organization()
    findings += [
        *_role_faults(table, source),
        *_design_faults(table, layout),
        *_repeated(table, source, rated),
        *_differences(table, rated),
        *cells.cells.findings,
        *_not_operated(table, source, rated),
        *answers.findings,
        *look(
            study,
            answers.counted,
            evaluations=rated.by_channel(),
            respondents=respondents,
            silent=rated.silent(),
        ),
    ]
    return CheckReport(
        findings=by_severity(findings),
        rows=rows,
        evaluations=rated.total(),
        respondents=people,
        organizations=int(np.count_nonzero(respondents)),
        answers=sum(counted.total for counted in answers.counted),
    )


# -- roles -----------------------------------------------------------------------------------------


def _role_faults(table: LazyTable, source: Source) -> Iterable[Finding]:
    """Find blank and unknown keys, faulty weights, populations and dates."""
    found, layout = list[Finding](), source.layout
    for name in (layout.respondent, layout.stratum, layout.cluster):
        if name is not None:
            found += _blank(table, source, name)
    known = {
        "organization": source.study.organization_keys,
        "channel": source.study.framework.channel_keys,
        "item": source.study.framework.item_keys,
    }
    for role, keys in known.items():
        if role in source.roles():
            column = source.roles()[role]
            counted = table.count({column: nw.col(column)})
            match(attrs.evolve(source, frame=counted), role, keys, found=found)
    for name, read in ((layout.weight, weights), (layout.stratum_population, stratum_populations)):
        if name is not None:
            read(attrs.evolve(source, frame=_classes(table, name)), found)
    if layout.date is not None:
        days = table.count({layout.date: nw.col(layout.date)})
        found += date_faults(attrs.evolve(source, frame=days))
    return found


def _blank(table: LazyTable, source: Source, name: str) -> Iterable[Finding]:
    """Find rows without a key."""
    counted = table.count({"blank": key_of(table, name).is_null().cast(nw.Int8)})
    blank = sum_in(counted, "blank") == 1
    if blank.any():
        yield null_role(attrs.evolve(source, frame=counted), name, blank)


def _classes(table: LazyTable, name: str) -> Frame:
    """Count positive numbers, others and none, each by one number that stands for all."""
    if table.kinds[name] not in ("whole", "number"):
        parsed_labels(table, name)  # so many are not read
        return table.count({name: nw.col(name).cast(nw.String)})
    value = number_of(table, name)
    finite = value.is_finite() if table.kinds[name] == "number" else ~value.is_null()
    positive = nw.when(finite).then(1).otherwise(2)
    kind = nw.when(value <= 0).then(0).otherwise(positive)
    answer = table.count({name: nw.when(~value.is_null()).then(kind).otherwise(3)})
    values = np.array([0.0, 1.0, np.inf, np.nan])[sum_in(answer, name).astype(np.int64)]
    return attrs.evolve(answer, column={name: Numbers(values=values)}.__getitem__)


# -- the design ------------------------------------------------------------------------------------


def _design_faults(table: LazyTable, layout: Layout) -> Iterable[Finding]:
    """Find strata, clusters and populations that contradict each other."""
    sampled: Sampled = "respondent" if layout.cluster is None else "cluster"
    for one in contradictions(sampled):
        value, within = getattr(layout, one.value), getattr(layout, one.within)
        if value is not None and (within is not None or one.within == "stratum"):
            # Without strata, all are one.
            groups = nw.lit("all") if within is None else key_of(table, within)
            several = _several(table, _key(table, value, one.value), {"within": groups})
            if several:
                yield one.finding(layout, several)
    unit = getattr(layout, sampled)
    if layout.stratum_population is not None and unit is not None:
        beyond = _beyond(table, layout, unit)
        if beyond:
            yield exceeded(layout, sampled, beyond)


def _key(table: LazyTable, name: str, role: str) -> nw.Expr:
    return number_of(table, name) if role == "stratum_population" else key_of(table, name)


def _several(table: LazyTable, value: nw.Expr, within: Mapping[str, nw.Expr]) -> int:
    """Ask within how many keys a value is not the same."""
    value = value.alias("different value")

    def build(frame: Query) -> Query:
        pairs = frame.select(value, **within).drop_nulls().unique()
        counted = pairs.group_by(*within).agg(nw.len().alias("values"))
        return counted.filter(nw.col("values") > 1).select(rows=nw.len())

    return int(sum_in(table.ask(build), "rows").sum())


def _beyond(table: LazyTable, layout: Layout, unit: str) -> int:
    """Ask in how many strata more were sampled than there are."""
    stratum = nw.lit("all") if layout.stratum is None else key_of(table, layout.stratum)
    size = number_of(table, str(layout.stratum_population))

    def build(frame: Query) -> Query:
        rows = frame.select(stratum=stratum, unit=key_of(table, unit), size=size).drop_nulls()
        units = rows.group_by("stratum", "unit").agg(nw.col("size").min())
        strata = units.group_by("stratum").agg(nw.len().alias("units"), nw.col("size").min())
        beyond = (nw.col("size") > 0) & (nw.col("units") > nw.col("size"))
        return strata.filter(beyond).select(rows=nw.len())

    return int(sum_in(table.ask(build), "rows").sum())


# -- evaluations -----------------------------------------------------------------------------------


def _differences(table: LazyTable, rated: LazyEvaluations) -> Iterable[Finding]:
    """Find weights and the like that are not the same in all answers of an evaluation.

    Rows have no order, so that there is no first answer from which others differ: evaluations are
    counted instead of rows.
    """
    layout = rated.source.layout
    roles = ("weight", "stratum", "cluster", "stratum_population")
    named = [(role, getattr(layout, role)) for role in roles]
    for role, name in [*named, *(("keep", name) for name in layout.keep)]:
        if name is None or not layout.is_long:
            continue
        numeric = role in ("weight", "stratum_population")
        value = number_of(table, name) if numeric else key_of(table, name)
        several = _several(table, value, rated.keys)
        if several:
            yield Finding(
                code="differs_within_evaluation",
                severity="error",
                message=f"not the same in all answers of {told(several, 'evaluation')}",
                column=name,
                count=several,
            )


def _repeated(table: LazyTable, source: Source, rated: LazyEvaluations) -> Iterable[Finding]:
    """Find evaluations that are there twice, and rows that are none."""
    silent = rated.silent_rows()
    if silent:
        yield silent_rows(np.array([True]), np.array([silent]))
    layout, channels = source.layout, len(source.study.framework.channels)
    unknown = layout.channel is None and not layout.is_bound and channels > 1
    if layout.respondent is None or unknown:
        return
    found = [_more_than_once(table, rated, channel) for channel in rated.answers]
    groups = sum(counted for counted, _ in found)
    if groups:
        rows = sum(rows for _, rows in found)
        yield duplicates(source, groups, _repeated_rows(table, rated) if len(found) > 1 else rows)


def _more_than_once(
    table: LazyTable, rated: LazyEvaluations, channel: int | None
) -> tuple[int, int]:
    """Ask for keys that occur more than once, and in how many rows."""
    layout, where = rated.source.layout, rated.given(channel)
    keys, known = dict(rated.keys), [*rated.known, *([] if where is None else [where])]
    if layout.is_long:
        keys[str(layout.item)] = key_of(table, str(layout.item))

    def build(frame: Query) -> Query:
        counted = frame.filter(*known).select(**keys).group_by(*keys).agg(nw.len().alias("times"))
        again = counted.filter(nw.col("times") > 1)
        return again.select(nw.len().alias("groups"), nw.col("times").sum().alias("rows"))

    answer = table.ask(build)
    return int(sum_in(answer, "groups").sum()), int(sum_in(answer, "rows").sum())


def _repeated_rows(table: LazyTable, rated: LazyEvaluations) -> int:
    """Ask how many rows rate a channel that another row rates for the same respondent."""
    given = {
        f"rates {channel}": where.cast(nw.Int64)
        for channel in rated.answers
        if (where := rated.given(channel)) is not None
    }
    times = [nw.col(name).sum().over(*rated.keys).alias(f"{name} times") for name in given]
    again = [(nw.col(name) == 1) & (nw.col(f"{name} times") > 1) for name in given]

    def build(frame: Query) -> Query:
        rows = frame.filter(*rated.known).select(**rated.keys, **given).with_columns(*times)
        return rows.filter(nw.any_horizontal(*again, ignore_nulls=True)).select(rows=nw.len())

    return int(sum_in(table.ask(build), "rows").sum())


def _not_operated(table: LazyTable, source: Source, rated: LazyEvaluations) -> Iterable[Finding]:
    """Find evaluations of channels that an organization does not operate."""
    layout = source.layout
    by = [layout.organization]
    if layout.channel is not None and not layout.is_bound:
        by.append(layout.channel)
    for channel in rated.answers:
        where = rated.given(channel)
        answer = table.count({name: nw.col(name) for name in by}, where=where)
        own = attrs.evolve(source, frame=answer)
        organization = match(own, "organization", source.study.organization_keys, found=[])
        places = match_channels(own, []) if channel is None else np.full(answer.rows, channel)
        yield from not_operated(own, organization, LazyCells.plain(places, answer))
