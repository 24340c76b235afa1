"""Levers of a plan: what can be raised, what each is worth, and how far peers have come with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._disclosure import DisclosureRules, Subject
from sotongindex._left_out import unusable
from sotongindex._peers import Placement, find_peers
from sotongindex._shrunken import scattered
from sotongindex._validators import are_known, field_name, is_finite, is_text_or_none
from sotongindex.aggregation import Hierarchy, aggregate_cells
from sotongindex.errors import DefinitionError, MethodError, nearest_key
from sotongindex.models import PeerStatistic, Scale, Target
from sotongindex.results import IndexResult, operated_channels
from sotongindex.shrinkage import shrink
from sotongindex.variance import Estimates, combine

LeverLevel: TypeAlias = Literal["channels", "dimensions", "cells"]


def _is_points_or_none(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    is_finite(instance, attribute, value)
    if not 0 <= value <= 100:  # type: ignore[operator]  # a number, just checked
        raise DefinitionError(
            f"expected 0 to 100 points, got {value!r}",
            field=field_name(instance, attribute),
            key=value,
        )


@attrs.frozen(kw_only=True)
class PlanLever:
    """Something that a plan can raise: a channel, a dimension on all channels, or one cell.

    Attributes:
        channel: The channel; None means all channels together.
        dimension: The dimension; None means all dimensions together.
        cost: What a point of it costs, 0 or more; under "least squares" its square.
        cap: The score it can be raised to; None means what peers have reached.
        floor: The score that it must reach at least.
        commitment: The points that it rises whatever the plan, no more and no less.

    Raises:
        DefinitionError: If neither channel nor dimension is named, a number is out of range, or
            there is both a floor and a commitment.

    >>> PlanLever(dimension="openness", cost=2.0).cap is None
    True
    """

    channel: str | None = attrs.field(default=None, validator=is_text_or_none)
    dimension: str | None = attrs.field(default=None, validator=is_text_or_none)
    cost: float = attrs.field(default=1.0, validator=is_finite)
    cap: float | None = attrs.field(default=None, validator=_is_points_or_none)
    floor: float | None = attrs.field(default=None, validator=_is_points_or_none)
    commitment: float | None = attrs.field(default=None, validator=_is_points_or_none)

    def __attrs_post_init__(self) -> None:
        if self.channel is None and self.dimension is None:
            raise DefinitionError("name a channel, a dimension or both", field="PlanLever.channel")
        if self.cost < 0:
            raise DefinitionError(
                f"expected a cost of 0 or more, got {self.cost}", field="PlanLever.cost"
            )
        if self.floor is not None and self.commitment is not None:
            raise DefinitionError(
                "a commitment fixes the rise: give a floor or a commitment, not both",
                field="PlanLever.floor",
                key=self.floor,
            )

    @property
    def name(self) -> str:
        """Its keys in one text."""
        return "/".join(key for key in (self.channel, self.dimension) if key)


def levers_of(
    result: IndexResult, levers: LeverLevel | Iterable[PlanLever]
) -> tuple[PlanLever, ...]:
    """Return the levers of a level, or those that are given once they are known to fit.

    Raises:
        DefinitionError: If a lever names an unknown channel or dimension.
        MethodError: If there is none, the level is unknown, or two levers move the same cell.
    """
    framework = result.study.framework
    channels, dimensions = framework.channel_keys, framework.dimension_keys
    if isinstance(levers, str):
        levels = {
            "channels": [PlanLever(channel=key) for key in channels],
            "dimensions": [PlanLever(dimension=key) for key in dimensions],
            "cells": [PlanLever(channel=c, dimension=d) for c in channels for d in dimensions],
        }
        if levers not in levels:
            near = nearest_key(levers, levels)
            raise MethodError(
                f"expected one of {', '.join(get_args(LeverLevel))}, or levers, got {levers!r}"
                + (f"; did you mean {near!r}?" if near else ""),
                argument="levers",
            )
        return tuple(levels[levers])
    chosen = tuple(levers)
    if not chosen:
        raise MethodError("expected at least one lever, got none", argument="levers")
    held = np.full((len(channels), len(dimensions)), -1)
    for number, lever in enumerate(chosen):
        where = f"levers[{number}]"
        for name, known in (("channel", channels), ("dimension", dimensions)):
            key = getattr(lever, name)
            named = () if key is None else (key,)
            are_known(named, known, field=f"{where}.{name}", what=name)
        cells = _cells(result, lever)
        if (held[cells] >= 0).any():
            other = chosen[int(held[cells].max())]
            raise MethodError(
                f"{lever.name!r} and {other.name!r} move the same scores: a plan cannot tell whose "
                "rise it is; keep one of them",
                argument="levers",
            )
        held[cells] = number
    return chosen


def _cells(result: IndexResult, lever: PlanLever) -> Any:
    """Return what of (c, d) a lever moves, as an index."""
    framework = result.study.framework
    channel, dimension = lever.channel, lever.dimension
    return np.ix_(
        *(
            range(len(keys)) if key is None else [keys.index(key)]
            for key, keys in (
                (channel, framework.channel_keys),
                (dimension, framework.dimension_keys),
            )
        )
    )


# -- what levers are worth to one organization ---------------------------------------------------


def cell_rises(result: IndexResult, place: int, levers: Sequence[PlanLever]) -> FloatArray:
    """Return how far every cell rises with a point of each lever, (k, c, d).

    A channel's cells rise by as much as the channel. So do a dimension's, unless channels that are
    not operated count 0: then its cells must rise by more.
    """
    tree = result.structure
    measured = ~np.isnan(tree.cells[place])
    moved = np.nan_to_num(tree.dimension_by_cell[place]).sum(axis=0)
    rises = np.zeros((len(levers), *measured.shape))
    for number, lever in enumerate(levers):
        at = _cells(result, lever)
        rises[number][at] = measured[at]
        if lever.channel is None:
            share = moved[result.study.framework.dimension_keys.index(str(lever.dimension))]
            rises[number] /= share if share > 0 else 1.0
    return rises


def subject_slopes(result: IndexResult, place: int, target: Target) -> FloatArray:
    """Return the derivative of what the target is about by every cell, (c, d)."""
    tree, framework = result.structure, result.study.framework
    slopes = np.zeros(tree.cells.shape[1:])
    if target.channel is None and target.dimension is None:
        slopes += np.nan_to_num(tree.index_by_cell[place])
        return slopes
    if target.channel is None:
        column = framework.dimension_keys.index(str(target.dimension))
        slopes[:, column] = np.nan_to_num(tree.dimension_by_cell[place, :, column])
        return slopes
    row = framework.channel_keys.index(target.channel)
    if target.dimension is None:
        slopes[row] = np.nan_to_num(tree.channel_by_cell[place, row])
    else:
        slopes[row, framework.dimension_keys.index(target.dimension)] = 1.0
    return slopes


def with_kept(result: IndexResult, levels: Iterable[str]) -> IndexResult:
    """Return the same result with the errors of some levels made of the answers once."""
    kept: dict[str, Any] = {level: getattr(result, level).kept() for level in levels}
    return attrs.evolve(result, **kept)


def climbed(result: IndexResult, cells: FloatArray, places: IntArray) -> Hierarchy:
    """Return the scores that the method makes of other cells (n, c, d), of organizations (n,)."""
    method = result.method
    return aggregate_cells(
        cells,
        result.weights,
        operated=found_channels(result)[places],
        powers=(method.power.dimensions, method.power.channels),
        min_share=method.min_share,
        absent_is_zero=method.absent_channels == "zero",
    )


def found_channels(result: IndexResult) -> NDArray[np.bool_]:
    """Return the channels that organizations operate, (o, c)."""
    found = (result.counts.evaluations > 0) | ~np.isnan(result.structure.channels)
    return operated_channels(result.study, found)


def answers_per_point(result: IndexResult, levers: Sequence[PlanLever]) -> FloatArray:
    r"""Return the share of answers, one category better, that makes a point of each lever, (k,).

    On a linear scale with :math:`K` categories one category is :math:`100 / (K - 1)` points; under
    "top box" a step into the top is 100. A lever with several items has the mean of theirs.
    """
    framework = result.study.framework
    needed = np.array([1 / category_points(item.scale) for item in framework.items])
    asked, dimension_of = np.array(framework.asked), np.array(framework.item_dimensions)
    shares = []
    for lever in levers:
        chosen = asked.copy()
        if lever.channel is not None:
            chosen &= (np.array(framework.channel_keys) == lever.channel)[:, None]
        if lever.dimension is not None:
            chosen &= dimension_of == framework.dimension_keys.index(lever.dimension)
        weight = chosen.sum(axis=0)
        shares.append((weight * needed).sum() / weight.sum() if weight.any() else np.nan)
    return np.array(shares)


def category_points(scale: Scale) -> float:
    """Return the points between two neighbouring answers of a scale.

    >>> round(category_points(Scale(low=1, high=7)), 2)
    16.67
    """
    steps = {
        "linear": scale.high - scale.low,
        "fraction of top": scale.high,
        "top box": 1.0,
    }
    return 100 / steps[scale.conversion]


# -- how far peers have come ---------------------------------------------------------------------


def lever_caps(
    result: IndexResult,
    lever: PlanLever,
    subject: Subject,
    *,
    rule: PeerStatistic,
    rules: DisclosureRules,
) -> Estimates:
    """Return the scores that a lever of each organization can be raised to, (o,).

    That is the cap it names; else what the peers have reached. The best of many noisy scores is
    mostly luck; shrunken scores have that part taken away. Where too few peers have a score with a
    known error, it is 100 points.
    """
    everybody = np.arange(len(result.organizations))
    used = unusable(subject, rules.min_respondents_compare) == ""
    exact = Estimates.independent(
        np.full(len(everybody), 100.0 if lever.cap is None else lever.cap), 0.0
    )
    if lever.cap is not None or used.sum() <= rules.min_peers_rank:
        return exact
    scores = subject.estimates
    found = shrink(scores.values[used], scores.standard_error[used])
    shrunken = Estimates.independent(
        scattered(found.values, used), scattered(np.sqrt(found.mean_squared_error), used)
    )
    peers = find_peers(result.study.organizations, rule.peers)
    placement = Placement.of(shrunken, peers, counted=used)
    figure = placement.figure(rule.statistic)
    cap = combine(figure.terms(shrunken, everybody), values=figure.values, lower=0.0)
    enough = (placement.others >= rules.min_peers_rank) & (peers.set_of >= 0)
    return attrs.evolve(
        cap,
        values=np.where(enough, cap.values, exact.values),
        variance=np.where(enough, cap.variance, 0.0),
    )
