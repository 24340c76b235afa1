"""The sampling design: strata, clusters and populations that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sotongindex._reading.rows import Codes, Rows
from sotongindex.checks import Code, Finding, Severity, told
from sotongindex.layout import Layout

__all__ = ["design_faults", "populations"]


def design_faults(rows: Rows, layout: Layout) -> Iterable[Finding]:
    """Find clusters in two strata, respondents in two clusters, and populations that cannot be."""
    if rows.stratum is not None:
        within, what = _sampled(rows)
        yield from _differing(
            rows.stratum,
            within,
            (what, "in more than one stratum"),
            code="stratum_differs",
            severity="error",
            column=layout.stratum,
        )
    if rows.cluster is not None:
        yield from _differing(
            rows.cluster,
            rows.respondent,
            ("respondent", "in more than one cluster; make keys that start anew unique"),
            code="cluster_differs",
            severity="warning",
            column=layout.cluster,
        )
    if rows.stratum_population is not None:
        yield from _population_faults(rows, rows.stratum_population, layout.stratum_population)


def populations(stratum: Codes, population: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the population of every stratum, (h,), from that of rows."""
    result = np.full(stratum.max(initial=0) + 1, np.inf)
    result[stratum] = population
    return result


def _sampled(rows: Rows) -> tuple[Codes, str]:
    """Return what was sampled in every row, and what it is called."""
    if rows.cluster is None:
        return rows.respondent, "respondent"
    return rows.cluster, "cluster"


def _strata(rows: Rows) -> Codes:
    return np.zeros(len(rows.respondent), np.int32) if rows.stratum is None else rows.stratum


def _population_faults(
    rows: Rows, population: NDArray[np.float64], column: str | None
) -> Iterable[Finding]:
    stratum, (sampled, what) = _strata(rows), _sampled(rows)
    yield from _differing(
        population,
        stratum,
        ("population", "that differs within its stratum"),
        code="population_differs",
        severity="error",
        column=column,
    )
    known = np.flatnonzero((stratum >= 0) & (sampled >= 0) & (population > 0))
    pairs = np.unique(np.stack([stratum[known], sampled[known]]), axis=1)
    found = np.bincount(pairs[0], minlength=stratum.max(initial=0) + 1)
    beyond = known[found[stratum[known]] > population[known]]
    if len(beyond):
        count = len(np.unique(stratum[beyond]))
        yield Finding(
            code="population_exceeded",
            severity="error",
            message=f"{told(count, 'population')} smaller than the sample: give the number of "
            f"{what}s that the stratum has, not of people and not a share",
            column=column,
            count=count,
            rows=beyond,
        )


def _differing(
    value: NDArray[Any],
    within: Codes,
    message: tuple[str, str],
    *,
    code: Code,
    severity: Severity,
    column: str | None,
) -> Iterable[Finding]:
    """Find the groups `within` which `value` is not the same."""
    rows = np.flatnonzero((value >= 0) & (within >= 0))
    first = np.full(within.max(initial=-1) + 1, -1)
    first[within[rows[::-1]]] = rows[::-1]
    odd = rows[value[rows] != value[first[within[rows]]]]
    if len(odd):
        count = len(np.unique(within[odd]))
        yield Finding(
            code=code,
            severity=severity,
            message=f"{told(count, message[0])} {message[1]}",
            column=column,
            count=count,
            rows=odd,
        )
