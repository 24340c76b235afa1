"""One target put to a result: what it asks for, where the way to it began, and the gap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._disclosure import (
    DisclosureRules,
    Reasons,
    Subject,
    first_of,
    first_reason,
    peer_reasons,
)
from sotongindex._peers import Placement, Terms, find_peers, picked, scaled
from sotongindex._validators import are_known
from sotongindex.attainment import Attainment, TargetGap
from sotongindex.models import GapClosure, GradeCut, PeerGroup, PeerStatistic, RoleModel, Target
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates, combine

Baseline: TypeAlias = IndexResult | Sequence[IndexResult] | float | None

_FEW_PEERS_WILL_DO = ("mean", "median", "p75")


def check_target(result: IndexResult, target: Target, *, field: str) -> None:
    """Raise a `DefinitionError` where a target names what the result does not have."""
    framework, rule = result.study.framework, target.score
    asked = rule.benchmark if isinstance(rule, GapClosure) else rule
    model = asked.organization if isinstance(asked, RoleModel) else None
    for name, key, known in (
        ("organization", target.organization, result.organizations),
        ("score.organization", model, result.organizations),
        ("channel", target.channel, framework.channel_keys),
        ("dimension", target.dimension, framework.dimension_keys),
        ("item", target.item, framework.item_keys),
    ):
        named = () if key is None else (key,)
        are_known(named, known, field=f"{field}.{name}", what=name.rpartition(".")[2])


@attrs.frozen(kw_only=True, eq=False)
class Quantity:
    """Numbers (k,) and the linear maps that give them their error."""

    values: FloatArray
    terms: Terms

    def estimates(self, reasons: Reasons, *, lower: float, upper: float) -> Estimates:
        """Return the numbers with their error, missing where there is a reason."""
        values = np.where(reasons == "", self.values, np.nan)
        return combine(self.terms, values=values, lower=lower, upper=upper)


def _constant(value: float, like: Quantity) -> Quantity:
    return Quantity(values=np.full(len(like.values), value), terms=scaled(like.terms, 0.0))


@attrs.frozen(kw_only=True, eq=False)
class TargetCase:
    """One target put to a result. Arrays (k,) are over the organizations the target is for."""

    result: IndexResult
    target: Target
    baseline: Baseline
    rules: DisclosureRules
    subject: Subject

    @classmethod
    def of(
        cls,
        result: IndexResult,
        target: Target,
        *,
        baseline: Baseline,
        rules: DisclosureRules,
    ) -> TargetCase:
        """Take the scores the target is about."""
        subject = Subject.of(result, target.channel, target.dimension, item=target.item)
        return cls(result=result, target=target, baseline=baseline, rules=rules, subject=subject)

    def part(self, *, channel: str | None = None, dimension: str | None = None) -> TargetCase:
        """Put the same target to a channel or a dimension."""
        target = attrs.evolve(self.target, channel=channel, dimension=dimension)
        return TargetCase.of(self.result, target, baseline=self.baseline, rules=self.rules)

    @property
    def rows(self) -> IntArray:
        """Positions of the organizations, (k,)."""
        keys, key = self.result.organizations, self.target.organization
        return np.arange(len(keys)) if key is None else np.array([keys.index(key)])

    @property
    def organizations(self) -> tuple[str, ...]:
        """Keys of the organizations, (k)."""
        keys = self.result.organizations
        return tuple(keys[row] for row in self.rows)

    @property
    def score(self) -> Quantity:
        """The scores."""
        return self._score_of(self.rows)

    @property
    def hidden(self) -> Reasons:
        """Why scores are not shown, (k,)."""
        return self.subject.reasons(self.rules.min_respondents_show)[self.rows]

    def aims(self) -> Aims:
        """Find what the target asks for, where the way began, and the lowest peer."""
        rule, rules = self.target.score, self.rules
        asked = rule.benchmark if isinstance(rule, GapClosure) else rule
        group = asked.peers if isinstance(asked, PeerStatistic) else PeerGroup(key="everyone")
        peers = find_peers(self.result.study.organizations, group)
        placement, own = self.subject.place(peers, rules)
        reasons = {
            minimum: first_of(own, peer_reasons(peers, placement.others, minimum))[self.rows]
            for minimum in (rules.min_peers_mean, rules.min_peers_rank)
        }
        lowest = self._peer_figure(placement, "lowest")
        if isinstance(asked, PeerStatistic):
            aim = self._peer_figure(placement, asked.statistic)
            few_will_do = asked.statistic in _FEW_PEERS_WILL_DO
            why = reasons[rules.min_peers_mean if few_will_do else rules.min_peers_rank]
        elif isinstance(asked, RoleModel):
            model = np.full(len(self.rows), self.result.organizations.index(asked.organization))
            aim, why = self._score_of(model), first_of(self.hidden, own[model])
        else:
            aim = _constant(asked.score if isinstance(asked, GradeCut) else float(asked), lowest)
            why = self.hidden
        start, no_start = self._start()
        if isinstance(rule, GapClosure):
            aim = between(start, aim, rule.share(self.target.due or rule.since))
            why = first_of(why, no_start)
        return Aims(
            aim=aim,
            reasons=why,
            start=start,
            start_reasons=no_start,
            lowest=lowest,
            lowest_reasons=reasons[rules.min_peers_rank],
        )

    def _score_of(self, rows: IntArray) -> Quantity:
        column = self.subject.estimates
        return Quantity(values=column.values[rows], terms=picked(column, rows))

    def _peer_figure(self, placement: Placement, statistic: str) -> Quantity:
        figure = placement.figure(statistic)
        terms = figure.terms(self.subject.estimates, self.rows)
        return Quantity(values=figure.values[self.rows], terms=terms)

    def _start(self) -> tuple[Quantity, Reasons]:
        """Find where the way to the target began, and why that is not known."""
        if self.baseline is None or isinstance(self.baseline, int | float):
            number = np.nan if self.baseline is None else float(self.baseline)
            start = _constant(number, self.score)
        else:
            waves = [self.baseline] if isinstance(self.baseline, IndexResult) else self.baseline
            start = _best([self._earlier(wave) for wave in waves])
        return start, first_reason(("no baseline", np.isnan(start.values)))

    def _earlier(self, wave: IndexResult) -> Quantity:
        """Return the scores of an earlier wave, missing where an organization was not in it."""
        target = self.target
        earlier = wave.estimates(
            channel=target.channel, dimension=target.dimension, item=target.item
        )
        places = {key: place for place, key in enumerate(wave.organizations)}
        found = np.array([places.get(key, -1) for key in self.organizations])
        values = np.where(found >= 0, earlier.values[found], np.nan)
        return Quantity(values=values, terms=picked(earlier, np.maximum(found, 0)))


def _best(quantities: Sequence[Quantity]) -> Quantity:
    """Return for each organization the highest of several scores."""
    values = np.array([one.values for one in quantities])
    best = np.where(np.isnan(values), -np.inf, values).argmax(axis=0)
    terms = [
        term
        for number, one in enumerate(quantities)
        for term in scaled(one.terms, (best == number).astype(np.float64))
    ]
    return Quantity(values=values[best, np.arange(len(best))], terms=terms)


def between(start: Quantity, end: Quantity, share: float) -> Quantity:
    """Return what lies a share of the way from a start to a higher end; else the start."""
    shares = np.where(end.values > start.values, share, 0.0)
    return Quantity(
        values=start.values + shares * (end.values - start.values),
        terms=scaled(start.terms, 1 - shares) + scaled(end.terms, shares),
    )


@attrs.frozen(kw_only=True, eq=False)
class Aims:
    """What a target asks for, where the way began, the lowest peer, and why any is not shown."""

    aim: Quantity
    reasons: Reasons
    start: Quantity
    start_reasons: Reasons
    lowest: Quantity
    lowest_reasons: Reasons


def measure(case: TargetCase) -> TargetGap:
    """Return the gap of every organization the target is for, and how much of the way is done."""
    score, aims = case.score, case.aims()
    aim, reasons = aims.aim, aims.reasons
    gap = Quantity(values=aim.values - score.values, terms=aim.terms + scaled(score.terms, -1.0))
    start, no_start = aims.start, first_of(reasons, aims.start_reasons)
    few = first_of(reasons, aims.lowest_reasons)
    return TargetGap(
        target=case.target,
        organizations=case.organizations,
        score=score.estimates(case.hidden, lower=0.0, upper=100.0),
        aim=aim.estimates(reasons, lower=0.0, upper=100.0),
        start=start.estimates(no_start, lower=0.0, upper=100.0),
        gap=gap.estimates(reasons, lower=-100.0, upper=100.0),
        ratio=_attainment(score, aim, start=_constant(0.0, score), reasons=reasons),
        progress=_attainment(score, aim, start=start, reasons=no_start),
        range=_attainment(score, aim, start=aims.lowest, reasons=few),
        reasons=reasons,
    )


def _attainment(score: Quantity, aim: Quantity, *, start: Quantity, reasons: Reasons) -> Attainment:
    r"""Return the share of the way from the start to the target, with its first-order error.

    With :math:`r = (x - s) / (T - s)` the derivatives by x, T and s are :math:`1 / (T - s)`,
    :math:`-r / (T - s)` and :math:`(r - 1) / (T - s)`.
    """
    way = aim.values - start.values
    why = first_of(reasons, first_reason(("start not below the target", ~(way > TIE_WIDTH))))
    way = np.where(why == "", way, np.nan)
    share = (score.values - start.values) / way
    terms = (
        scaled(score.terms, 1 / way)
        + scaled(aim.terms, -share / way)
        + scaled(start.terms, (share - 1) / way)
    )
    quantity = Quantity(values=share, terms=terms)
    return Attainment(share=quantity.estimates(why, lower=-np.inf, upper=np.inf), reasons=why)
