"""Targets over time and among themselves: their status by probability, and whether they fit.

How far scores are from their targets is found in `gaps`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._disclosure import DisclosureRules, Subject
from sotongindex._goals import years_between
from sotongindex._peers import picked, scaled
from sotongindex._plan_levers import PlanLever, cell_rises, lever_caps, levers_of, subject_slopes
from sotongindex._target_cases import Baseline, TargetCase, check_target, measure
from sotongindex._target_results import (
    CheckResult,
    Status,
    StatusResult,
    StatusRules,
    TargetCheck,
    TargetStatus,
    Verdict,
)
from sotongindex.attainment import GapResult, TargetGap
from sotongindex.errors import MethodError
from sotongindex.models import GapClosure, PeerStatistic, Target
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates, combine

__all__ = [
    "CheckResult",
    "Status",
    "StatusResult",
    "StatusRules",
    "TargetCheck",
    "TargetStatus",
    "Verdict",
    "check_targets",
    "interim_values",
    "judge_targets",
]


def interim_values(gap: TargetGap, day: date, *, since: date | None = None) -> Estimates:
    r"""Return what the straight path from the baseline to the target asks on a day.

    With the baseline :math:`b` on the day :math:`t_0` and the target :math:`T` on the day due
    :math:`t_1`: :math:`b + (T - b)(t - t_0)/(t_1 - t_0)`, the baseline before and the target after.
    Whoever began above the target is asked for the target.

    Args:
        gap: The gap of a target with a day due, measured with a baseline.
        day: The day.
        since: The day of the baseline; a `GapClosure` knows its own.

    Returns:
        Points with their error, (k,); missing where there is no baseline.

    Raises:
        MethodError: If the target has no day due, or `since` is missing or not before it.
    """
    due, first = gap.target.due, _first_day(gap, since)
    if due is None or first is None or not first < due:
        raise MethodError(
            f"expected a day of the baseline before the day due, got {first} and {due}",
            argument="since",
        )
    share = min(1.0, max(0.0, years_between(first, day) / years_between(first, due)))
    rows = np.arange(len(gap.organizations))
    shares = np.where(gap.start.values < gap.aim.values, share, 1.0)
    known = ~np.isnan(gap.start.values)
    values = gap.start.values + shares * (gap.aim.values - gap.start.values)
    return combine(
        scaled(picked(gap.start, rows), np.where(known, 1 - shares, np.nan))
        + scaled(picked(gap.aim, rows), np.where(known, shares, np.nan)),
        values=values,
        lower=0.0,
    )


def _first_day(gap: TargetGap, since: date | None) -> date | None:
    rule = gap.target.score
    return rule.since if isinstance(rule, GapClosure) and since is None else since


def judge_targets(
    gaps: GapResult,
    *,
    day: date | None = None,
    since: date | None = None,
    rules: StatusRules = StatusRules(),  # frozen
) -> StatusResult:
    """Say of every target whether it is met, on track, uncertain or missed.

    The status is told by probability, not by the measured score: a target counts as met where the
    true score is likely enough to be there. Before the day due, and where a baseline gives a path,
    the path decides between on track, uncertain and missed; else the target itself does, and
    nothing is on track.

    Args:
        gaps: The gaps.
        day: The day to judge on; None leaves paths out.
        since: The day of the baseline; a `GapClosure` knows its own.
        rules: The probabilities that make a status.

    Returns:
        The status of every target and organization.
    """
    return StatusResult(
        result=gaps.result,
        statuses=tuple(_judged(gap, day, since, rules=rules) for gap in gaps.gaps),
        day=day,
        rules=rules,
    )


def _judged(
    gap: TargetGap, day: date | None, since: date | None, *, rules: StatusRules
) -> TargetStatus:
    due, first = gap.target.due, _first_day(gap, since)
    count = len(gap.organizations)
    if day is None or due is None or first is None or not first < due or day >= due:
        interim = Estimates.independent(np.full(count, np.nan))
    else:
        interim = interim_values(gap, day, since=first)
    rows = np.arange(count)
    to_path = combine(
        picked(interim, rows) + scaled(picked(gap.score, rows), -1.0),
        values=interim.values - gap.score.values,
    )
    on_path = attrs.evolve(gap, gap=to_path).probability_met
    met = gap.probability_met
    deciding = np.where(np.isnan(on_path), met, on_path)
    status = np.select(
        [np.isnan(met), met >= rules.met, on_path >= rules.on_track, deciding <= rules.missed],
        ["", "met", "on track", "missed"],
        default="uncertain",
    )
    return TargetStatus(gap=gap, interim=interim, probability_on_path=on_path, status=status)


# -- targets beside targets ----------------------------------------------------------------------


def check_targets(
    result: IndexResult,
    targets: Iterable[Target],
    *,
    baseline: Baseline = None,
    caps: PeerStatistic | None = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> CheckResult:
    r"""Check whether targets of the whole and targets of its parts can all be kept.

    A target of the index asks its parts for an average gain; targets of channels, dimensions and
    cells say what they are to gain. With the gaps :math:`g_p^+` still open and the derivative
    :math:`w_p` of the whole by each part, the whole comes to :math:`s + \sum w_p g_p^+`, exact
    where means are arithmetic. Where two targets raise the same cell, the larger rise counts. Parts
    without a target can help up to their caps. The same is done for channels and dimensions.

    Args:
        result: The scores.
        targets: The targets; those of items are left aside.
        baseline: Where the way began, for a `GapClosure`.
        caps: What of the peers' shrunken scores cells without a target can be raised to; None means
            100 points.
        rules: What may be shown.

    Returns:
        For each target of an index, channel or dimension: the average gain it asks for, what the
        targets of its parts leave short, and whether it can be reached.

    Raises:
        DefinitionError: If a target names what is not known.
        MethodError: If no target is of an index, a channel or a dimension.
    """
    wanted = [target for target in targets if target.item is None]
    for number, target in enumerate(wanted):
        check_target(result, target, field=f"targets[{number}]")
    gaps = [
        measure(TargetCase.of(result, target, baseline=baseline, rules=rules)) for target in wanted
    ]
    wholes = [gap for gap in gaps if None in (gap.target.channel, gap.target.dimension)]
    if not wholes:
        raise MethodError(
            "expected a target of the index, of a channel or of a dimension: cells have no parts",
            argument="targets",
        )
    room = _room(result, caps, rules)
    return CheckResult(
        result=result,
        checks=tuple(_checked(result, whole, gaps, room=room) for whole in wholes),
    )


def _room(result: IndexResult, caps: PeerStatistic | None, rules: DisclosureRules) -> FloatArray:
    """Return how far cells can rise, (o, c, d)."""
    cells = result.cells.values
    if caps is None:
        top = np.full(cells.shape, 100.0)
    else:
        levers = levers_of(result, "cells")
        kept = attrs.evolve(result, cells=result.cells.kept())
        columns = [
            lever_caps(
                result, one, Subject.of(kept, one.channel, one.dimension), rule=caps, rules=rules
            ).values
            for one in levers
        ]
        top = np.stack(columns, axis=1).reshape(cells.shape)
    return np.nan_to_num(np.maximum(top - cells, 0.0))


def _is_part(part: Target, whole: Target) -> bool:
    """Whether a target is about a part of what another is about."""
    inside = all(
        getattr(whole, name) in (None, getattr(part, name)) for name in ("channel", "dimension")
    )
    return inside and (part.channel, part.dimension) != (whole.channel, whole.dimension)


def _checked(
    result: IndexResult, whole: TargetGap, gaps: Sequence[TargetGap], *, room: FloatArray
) -> TargetCheck:
    parts = [gap for gap in gaps if _is_part(gap.target, whole.target)]
    count = len(whole.organizations)
    shares = np.zeros((count, len(parts)))  # of the whole, for a point of each part's gap
    free, slopes = np.zeros(count), np.zeros(count)
    for row, organization in enumerate(whole.organizations):
        place = result.organizations.index(organization)
        slope = subject_slopes(result, place, whole.target)
        shares[row], covered = _shares(result, place, slope, parts=parts)
        free[row] = (slope * room[place])[~covered].sum()
        slopes[row] = slope.sum()
    rows = np.arange(count)
    terms, closed = picked(whole.gap, rows), np.zeros(count)
    for number, part in enumerate(parts):
        at = np.array([_row_of(part, organization) for organization in whole.organizations])
        weight = np.where(at >= 0, shares[:, number], 0.0)
        terms += scaled(picked(part.gap, np.maximum(at, 0)), -weight)
        closed += np.where(weight > 0, weight * part.gap.values[at], 0.0)
    short = whole.gap.values - closed
    reachable = whole.score.values + closed + free
    verdict = np.select(
        [np.isnan(short), short <= TIE_WIDTH, reachable >= whole.aim.values - TIE_WIDTH],
        ["", "enough", "open"],
        default="conflict",
    )
    return TargetCheck(
        gap=whole,
        parts=len(parts),
        required=np.maximum(whole.gap.values, 0.0) / np.where(slopes > 0, slopes, np.nan),
        shortfall=combine(terms, values=short),
        reachable=reachable,
        verdict=verdict,
    )


def _row_of(gap: TargetGap, organization: str) -> int:
    """Return where an organization is among those of a target, -1 where it is not."""
    keys = gap.organizations
    return keys.index(organization) if organization in keys else -1


def _shares(
    result: IndexResult,
    place: int,
    slope: FloatArray,
    *,
    parts: Sequence[TargetGap],
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return what the whole gains by a point of each part's gap, and which cells have a target."""
    if not parts:
        return np.zeros(0), np.zeros(slope.shape, dtype=bool)
    levers = [PlanLever(channel=p.target.channel, dimension=p.target.dimension) for p in parts]
    at = [_row_of(part, result.organizations[place]) for part in parts]
    open_gaps = np.array(
        [part.gap.values[row] if row >= 0 else np.nan for part, row in zip(parts, at, strict=True)]
    )
    steps = cell_rises(result, place, levers)
    rises = steps * np.nan_to_num(np.maximum(open_gaps, 0.0))[:, None, None]
    # A cell that two targets raise is raised by the larger one.
    owned = (rises.argmax(axis=0) == np.arange(len(parts))[:, None, None]) & (rises > 0)
    covered = np.asarray((steps[~np.isnan(open_gaps)] > 0).any(axis=0))
    return (slope * steps * owned).sum(axis=(1, 2)), covered
