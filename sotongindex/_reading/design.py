"""The sampling design: strata, clusters and populations that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._reading.rows import Codes, Rows
from sotongindex.checks import Code, Finding, Severity, told
from sotongindex.layout import Layout

__all__ = ["Contradiction", "contradictions", "design_faults", "exceeded", "populations"]

Sampled: TypeAlias = Literal["respondent", "cluster"]


@attrs.frozen(kw_only=True)
class Contradiction:
    """What must be the same within something else, both by their roles, and is not.

    Attributes:
        value: What must be the same.
        within: Within what.
        code: What to call it where it is not.
        severity: How bad that is.
        noun: What is counted.
        message: What is said of it.
    """

    value: str
    within: str
    code: Code
    severity: Severity
    noun: str
    message: str

    def finding(self, layout: Layout, count: int, rows: Iterable[int] = ()) -> Finding:
        """Say in how many groups the value is not the same."""
        return Finding(
            code=self.code,
            severity=self.severity,
            message=f"{told(count, self.noun)} {self.message}",
            column=getattr(layout, self.value),
            count=count,
            rows=rows,
        )


def contradictions(sampled: Sampled) -> tuple[Contradiction, ...]:
    """Return what can contradict each other, given what was sampled."""
    return (
        Contradiction(
            value="stratum",
            within=sampled,
            code="stratum_differs",
            severity="error",
            noun=sampled,
            message="in more than one stratum",
        ),
        Contradiction(
            value="cluster",
            within="respondent",
            code="cluster_differs",
            severity="warning",
            noun="respondent",
            message="in more than one cluster; make keys that start anew unique",
        ),
        Contradiction(
            value="stratum_population",
            within="stratum",
            code="population_differs",
            severity="error",
            noun="population",
            message="that differs within its stratum",
        ),
    )


def exceeded(layout: Layout, sampled: Sampled, count: int, *, rows: Iterable[int] = ()) -> Finding:
    """Say how many populations are smaller than the sample."""
    return Finding(
        code="population_exceeded",
        severity="error",
        message=f"{told(count, 'population')} smaller than the sample: give the number of "
        f"{sampled}s that the stratum has, not of people and not a share",
        column=layout.stratum_population,
        count=count,
        rows=rows,
    )


def design_faults(rows: Rows, layout: Layout) -> Iterable[Finding]:
    """Find clusters in two strata, respondents in two clusters, and populations that cannot be."""
    sampled: Sampled = "respondent" if rows.cluster is None else "cluster"
    for one in contradictions(sampled):
        value, within = getattr(rows, one.value), _groups(rows, one.within)
        odd = np.arange(0) if value is None else _differing(value, within)
        if len(odd):
            yield one.finding(layout, len(np.unique(within[odd])), odd)
    if rows.stratum_population is not None:
        beyond = _beyond(_groups(rows, sampled), _groups(rows, "stratum"), rows.stratum_population)
        if len(beyond):
            strata = np.unique(_groups(rows, "stratum")[beyond])
            yield exceeded(layout, sampled, len(strata), rows=beyond)


def populations(stratum: Codes, population: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the population of every stratum, (h,), from that of rows."""
    result = np.full(stratum.max(initial=0) + 1, np.inf)
    result[stratum] = population
    return result


def _groups(rows: Rows, role: str) -> Codes:
    """Return the codes of a role; without strata, all are one."""
    codes: Codes | None = getattr(rows, role)
    return np.zeros(len(rows.respondent), np.int32) if codes is None else codes


def _differing(value: NDArray[Any], within: Codes) -> NDArray[np.intp]:
    """Return the rows whose value is not that of the first row of their group."""
    rows = np.flatnonzero((value >= 0) & (within >= 0))
    first = np.full(within.max(initial=-1) + 1, -1)
    first[within[rows[::-1]]] = rows[::-1]
    odd: NDArray[np.intp] = rows[value[rows] != value[first[within[rows]]]]
    return odd


def _beyond(sampled: Codes, stratum: Codes, population: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the rows of strata from which more were sampled than there are."""
    known = np.flatnonzero((stratum >= 0) & (sampled >= 0) & (population > 0))
    pairs = np.unique(np.stack([stratum[known], sampled[known]]), axis=1)
    found = np.bincount(pairs[0], minlength=stratum.max(initial=0) + 1)
    return known[found[stratum[known]] > population[known]]
