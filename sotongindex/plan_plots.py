"""Pictures of targets and plans with matplotlib (extra `plot`), in the manner of `plots`.

Every function takes axes, or makes a figure of its own, and returns the axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from sotongindex._disclosure import DisclosureRules, Subject, peer_reasons
from sotongindex._importance_map import QUADRANTS, ImportanceMap
from sotongindex._marks import height_of
from sotongindex._peers import Peers, find_peers, named_peers
from sotongindex._plan_levers import LeverLevel, levers_of
from sotongindex._plan_marks import (
    Bullets,
    Scatter,
    Steps,
    bullet_rows,
    scatter_points,
    waterfall_steps,
)
from sotongindex._plan_result import ImprovementPlan, lever_names
from sotongindex._plotting import Pen, part_name, percent, places_of, short, told
from sotongindex._render import peers_words
from sotongindex._target_cases import TargetCase, measure
from sotongindex._text import Language, number
from sotongindex.errors import MethodError
from sotongindex.models import Target
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bullet_chart", "gap_waterfall", "importance_map"]

_QUARTERS = ("lowest", "p25", "median", "p75", "best")


def gap_waterfall(
    plan: ImprovementPlan,
    *,
    axes: Axes | None = None,
    language: Language = "en",
    most: int = 12,
) -> Axes:
    """Draw the way from the score to the plan, lever by lever, the largest gain first.

    Args:
        plan: The plan.
        axes: Where to draw; None makes a figure.
        language: "ko" or "en".
        most: How many levers to draw; the rest is one step.

    Returns:
        The axes.

    Raises:
        MethodError: If the language is unknown, `most` is below 1, matplotlib is not installed, or
            no font has the Korean letters that are needed.
    """
    if most < 1:
        raise MethodError(f"expected 1 or more, got {most}", argument="most")
    names = lever_names(plan, language)
    raised = np.flatnonzero(plan.rise > TIE_WIDTH)
    raised = raised[np.argsort(-plan.gain[raised], kind="stable")]
    gains = plan.gain[raised]
    labels = [short(names[plan.levers[at].name]) for at in raised]
    if len(gains) > most:
        labels = [*labels[:most], told("more", language, count=len(gains) - most)]
        gains = np.append(gains[:most], gains[most:].sum())
    score = plan.gap.score
    pen = Pen.on(axes, language, size=(7.5, height_of(1.4 * (len(gains) + 2))))
    steps = Steps(
        start=float(score.values[0]),
        low=float(score.low[0]),
        high=float(score.high[0]),
        gains=gains,
        aim=float(plan.gap.aim.values[0]),
    )
    waterfall_steps(pen, steps)
    rows = [told("waterfall.score", language), *labels, told("waterfall.planned", language)]
    pen.name_rows(np.arange(len(rows)), rows)
    place = plan.result.organizations.index(plan.organization)
    pen.title(short(plan.result.study.organizations[place].name(language)))
    left = plan.gap.aim.values[0] - plan.planned
    pen.under(
        told("waterfall", language, level=percent(score.level)),
        told("waterfall.short", language, points=number(left)) if left > TIE_WIDTH else "",
    )
    return pen.axes


def bullet_chart(
    result: IndexResult,
    organization: str,
    target: Target | float,
    *,
    level: LeverLevel = "dimensions",
    peers: Peers = "everyone",
    axes: Axes | None = None,
    language: Language = "en",
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> Axes:
    """Draw every part of the index against its target, over the quarters of the peers.

    Args:
        result: The scores.
        organization: The organization's key.
        target: What is asked of every part: points, or a target whose rule is put to each.
        level: "channels", "dimensions" or "cells".
        peers: Whose quarters; see `compare_to_peers`.
        axes: Where to draw; None makes a figure.
        language: "ko" or "en".
        rules: What may be shown.

    Returns:
        The axes.

    Raises:
        DefinitionError: If nobody has an attribute the peers are found by.
        MethodError: If the organization, the level or the language is unknown, matplotlib is not
            installed, or no font has the Korean letters that are needed.
    """
    place = int(places_of(result, organization)[0])
    parts = levers_of(result, level)
    asked = target if isinstance(target, Target) else Target(score=target)
    sets = find_peers(result.study.organizations, named_peers(peers))
    gaps, quarters = [], np.full((len(parts), len(_QUARTERS)), np.nan)
    for row, part in enumerate(parts):
        one = attrs.evolve(
            asked, organization=organization, channel=part.channel, dimension=part.dimension
        )
        gaps.append(measure(TargetCase.of(result, one, baseline=None, rules=rules)))
        subject = Subject.of(result, part.channel, part.dimension)
        placement, own = subject.place(sets, rules)
        few = peer_reasons(sets, placement.others, rules.min_peers_rank)
        if not (own[place] or few[place]):
            quarters[row] = [placement.figure(name).values[place] for name in _QUARTERS]
    pen = Pen.on(axes, language, size=(7.5, height_of(1.7 * len(parts))))
    columns = {
        name: np.array([getattr(gap.score, name)[0] for gap in gaps])
        for name in ("values", "low", "high")
    }
    reasons = [str(gap.reasons[0]) for gap in gaps]
    bullets = Bullets(
        score=columns["values"],
        low=columns["low"],
        high=columns["high"],
        aim=np.array([gap.aim.values[0] for gap in gaps]),
        quarters=quarters,
        reasons=reasons,
    )
    bullet_rows(pen, bullets)
    named = [part_name(result, one.channel, one.dimension, language=language) for one in parts]
    pen.name_rows(np.arange(len(parts)), named)
    pen.title(short(result.study.organizations[place].name(language)))
    key = "bullet.plain" if np.isnan(quarters).all() else "bullet"
    peers_named = short(peers_words(sets.key, language))
    pen.under(told(key, language, level=percent(result.method.level), peers=peers_named))
    return pen.axes


def importance_map(
    found: ImportanceMap,
    organization: str,
    *,
    axes: Axes | None = None,
    language: Language = "en",
) -> Axes:
    """Draw the parts of one organization by performance and importance, with their uncertainty.

    Beside every name stands the probability that the part truly lies in its quadrant. Where the
    cross of performance differs by part (that of peers), a tick on each line marks it, and there is
    no diagonal.

    Args:
        found: The result of `importance_performance`.
        organization: The organization's key.
        axes: Where to draw; None makes a figure.
        language: "ko" or "en".

    Returns:
        The axes.

    Raises:
        MethodError: If the organization or the language is unknown, no part of it may be shown,
            matplotlib is not installed, or no font has the Korean letters that are needed.
    """
    result = found.result
    place = int(places_of(result, organization)[0])
    shown = np.flatnonzero(found.reasons[place] == "")
    if not len(shown):
        why = ", ".join(sorted(set(found.reasons[place].tolist())))
        raise MethodError(f"no part of {organization!r} is shown: {why}", argument="organization")
    score, parts = found.performance, [found.parts[at] for at in shown]
    scatter = Scatter(
        names=[part_name(result, one.channel, one.dimension, language=language) for one in parts],
        performance=score.values[place, shown],
        low=score.low[place, shown],
        high=score.high[place, shown],
        importance=found.importance[place, shown],
        center=found.performance_center[place, shown],
        importance_center=float(found.importance_center[place, 0]),
        probabilities=found.probabilities[place, shown],
        quadrant=np.array([QUADRANTS.index(name) for name in found.quadrant[place, shown]]),
    )
    pen = Pen.on(axes, language, size=(8.5, 5.2))
    scatter_points(pen, scatter)
    pen.beside(told("importance", language))
    pen.under(
        told("importance.under", language, level=percent(result.method.level)),
        told("importance.diagonal", language),
    )
    pen.title(short(result.study.organizations[place].name(language)))
    return pen.axes
