"""Checking: what a check finds in a table that an engine holds, from counts alone.

The engine counts how often combinations of values occur, and the rooms of `_reading` look at these
as at any rows, except that every row stands for many. No key of a respondent comes back.
"""

from __future__ import annotations

import attrs
import numpy as np

from sotongindex._lazy.answers import answer_columns, ask_answers, ask_long_answers
from sotongindex._lazy.columns import any_given
from sotongindex._lazy.designs import ask_design_faults
from sotongindex._lazy.engine import LazyTable
from sotongindex._lazy.evaluations import (
    Evaluations,
    bound_evaluations,
    flag_name,
    wide_evaluations,
)
from sotongindex._lazy.long_evaluations import long_evaluations, used_rows
from sotongindex._lazy.opening import lazy_source
from sotongindex._lazy.roles import Roles, ask_dates
from sotongindex._reading.answers import Answers
from sotongindex._reading.cells import Cells
from sotongindex._reading.plausibility import look
from sotongindex._reading.source import Source
from sotongindex.checks import CheckReport, by_severity
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
    roles, rated, cells = _long(table, source) if layout.is_long else _wide(table, source)
    rows = int(roles.source.frame.counts.sum())
    source = attrs.evolve(source, frame=attrs.evolve(source.frame, rows=rows))
    answers = Answers.of(source, cells)
    findings = [
        *source.check(),
        *roles.rows.findings,
        *ask_dates(table, source),
        *ask_design_faults(table, layout),
        *rated.findings,
        *cells.findings,
        *rated.not_operated(),
        *answers.findings,
    ]
    if rows and not any(finding.code == "missing_column" for finding in findings):
        findings += look(
            study,
            answers.counted,
            evaluations=rated.by_channel,
            respondents=rated.people.by_organization,
            silent=rated.silent,
        )
    return CheckReport(
        findings=by_severity(findings),
        rows=rows,
        evaluations=int(rated.times.sum()),
        respondents=rated.people.number,
        organizations=int(np.count_nonzero(rated.people.by_organization)),
        answers=sum(counted.total for counted in answers.counted),
    )


def _wide(table: LazyTable, source: Source) -> tuple[Roles, Evaluations, Cells]:
    """Ask for the roles, the evaluations and the answers of a wide table."""
    columns = answer_columns(table, source)
    answered = {
        channel: any_given(column.answer for column in columns if column.channel == channel)
        for channel in dict.fromkeys(column.channel for column in columns)
    }
    flags = {flag_name(channel): given for channel, given in answered.items()}
    roles = Roles.ask(table, source, flags)
    rated = (bound_evaluations if source.layout.is_bound else wide_evaluations)(roles, answered)
    return roles, rated, ask_answers(roles, columns)


def _long(table: LazyTable, source: Source) -> tuple[Roles, Evaluations, Cells]:
    """Ask for the roles, the evaluations and the answers of a long table."""
    roles = Roles.ask(table, source, {})
    used = used_rows(roles)
    return roles, long_evaluations(roles, used), ask_long_answers(roles, used)
