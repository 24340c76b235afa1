"""Gaps: how far scores are from their targets, and which channel or dimension to improve first."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import numpy as np
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._disclosure import (
    DisclosureRules,
    Reasons,
    Subject,
    first_of,
    first_reason,
    peer_reasons,
    respondent_notices,
)
from sotongindex._peers import Placement, Terms, find_peers, picked, scaled
from sotongindex.attainment import Attainment, GapResult, Lever, TargetGap
from sotongindex.errors import DefinitionError, MethodError, nearest_key
from sotongindex.models import GradeCut, PeerGroup, PeerStatistic, Target
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates, combine

__all__ = ["Attainment", "GapResult", "Lever", "TargetGap", "find_gaps"]

_FEW_PEERS_WILL_DO = ("mean", "median", "p75")


def find_gaps(
    result: IndexResult,
    targets: Target | Iterable[Target],
    *,
    baseline: IndexResult | float | None = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> GapResult:
    r"""Measure scores :math:`x` against targets :math:`T`: the gap is :math:`T - x`.

    A target that peers set is found without the organization itself, and moves with the peers' own
    sampling errors; the error of the gap has both, and the covariance through shared respondents.

    Attainment comes in three named forms, as shares (1 = reached):

    - ratio: :math:`x / T`;
    - progress: :math:`(x - b) / (T - b)` from the baseline :math:`b`;
    - range: :math:`(x - l) / (T - l)` from the lowest peer :math:`l` (of the target's own peers,
      or of everyone where the target is a number or a grade).

    What to improve first: every target of a channel or dimension is a lever, and a target of the
    index is applied to each channel and each dimension. A lever regains :math:`(T - x)^+` times the
    derivative of the index by it: exact for arithmetic means, first order for others. A dimension
    is raised by the same points on every channel. What customers would do about it is another
    question: the index's own weights say what the index would be.

    Args:
        result: The scores.
        targets: One target or several.
        baseline: Where the way to the target began: an earlier result, or a number of points.
        rules: What may be shown; the same as for `compare_to_peers`.

    Returns:
        The gaps and the levers.

    Raises:
        DefinitionError: If a target names an unknown organization, channel or dimension.
        MethodError: If there is no target, or the baseline is no number from 0 to 100.

    References:
        42 CFR 412.165 for progress from a baseline; OECD and JRC (2008),
        doi 10.1787/9789264043466-en, for distance to a reference.
    """
    wanted = (targets,) if isinstance(targets, Target) else tuple(targets)
    if not wanted:
        raise MethodError("expected at least one target, got none", argument="targets")
    if isinstance(baseline, int | float) and not 0 <= baseline <= 100:
        raise MethodError(f"expected 0 to 100 points, got {baseline}", argument="baseline")
    for position, target in enumerate(wanted):
        _check(result, target, position)
    cases = [_Case.of(result, target, baseline=baseline, rules=rules) for target in wanted]
    gaps = tuple(map(_gap, cases))
    levers = [
        Lever(rule=case.target, gap=part, regained=_regained(result, part))
        for case, gap in zip(cases, gaps, strict=True)
        for part in _parts(case, gap)
    ]
    return GapResult(
        result=result,
        gaps=gaps,
        levers=tuple(levers),
        rules=rules,
        notices=(*_baseline_notices(result, baseline), *respondent_notices(result, rules)),
    )


def _check(result: IndexResult, target: Target, position: int) -> None:
    framework = result.study.framework
    known = {
        "organization": result.organizations,
        "channel": framework.channel_keys,
        "dimension": framework.dimension_keys,
    }
    for name, keys in known.items():
        key = getattr(target, name)
        if key is not None and key not in keys:
            raise DefinitionError(
                f"unknown {name} {key!r}",
                field=f"targets[{position}].{name}",
                key=key,
                nearest=nearest_key(key, keys),
            )


def _parts(case: _Case, gap: TargetGap) -> list[TargetGap]:
    """Return the gaps of each channel and dimension under a target of the index; else the gap."""
    target, framework = case.target, case.result.study.framework
    if target.channel is not None or target.dimension is not None:
        return [gap]
    parts = [
        *(case.part(channel=key) for key in framework.channel_keys),
        *(case.part(dimension=key) for key in framework.dimension_keys),
    ]
    return list(map(_gap, parts))


# -- one target ----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class _Quantity:
    """Numbers (k,) and the linear maps that give them their error."""

    values: FloatArray
    terms: Terms

    def estimates(self, reasons: Reasons, *, lower: float, upper: float) -> Estimates:
        """Return the numbers with their error, missing where there is a reason."""
        values = np.where(reasons == "", self.values, np.nan)
        return combine(self.terms, values=values, lower=lower, upper=upper)


def _constant(value: float, like: _Quantity) -> _Quantity:
    return _Quantity(values=np.full(len(like.values), value), terms=scaled(like.terms, 0.0))


@attrs.frozen(kw_only=True, eq=False)
class _Case:
    """One target put to a result. Arrays (k,) are over the organizations the target is for."""

    result: IndexResult
    target: Target
    baseline: IndexResult | float | None
    rules: DisclosureRules
    subject: Subject

    @classmethod
    def of(
        cls,
        result: IndexResult,
        target: Target,
        *,
        baseline: IndexResult | float | None,
        rules: DisclosureRules,
    ) -> _Case:
        """Take the scores the target is about."""
        subject = Subject.of(result, target.channel, target.dimension)
        return cls(result=result, target=target, baseline=baseline, rules=rules, subject=subject)

    def part(self, *, channel: str | None = None, dimension: str | None = None) -> _Case:
        """Put the same target to a channel or a dimension."""
        target = attrs.evolve(self.target, channel=channel, dimension=dimension)
        return _Case.of(self.result, target, baseline=self.baseline, rules=self.rules)

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
    def score(self) -> _Quantity:
        """The scores."""
        column = self.subject.estimates
        return _Quantity(values=column.values[self.rows], terms=picked(column, self.rows))

    @property
    def hidden(self) -> Reasons:
        """Why scores are not shown, (k,)."""
        return self.subject.reasons(self.rules.min_respondents_show)[self.rows]

    def aims(self) -> _Aims:
        """Find what the target asks for, and the lowest peer."""
        rule, rules = self.target.score, self.rules
        group = rule.peers if isinstance(rule, PeerStatistic) else PeerGroup(key="everyone")
        peers = find_peers(self.result.study.organizations, group)
        placement, own = self.subject.place(peers, rules)
        reasons = {
            minimum: first_of(own, peer_reasons(peers, placement.others, minimum))[self.rows]
            for minimum in (rules.min_peers_mean, rules.min_peers_rank)
        }
        lowest = self._peer_figure(placement, "lowest")
        if isinstance(rule, PeerStatistic):
            aim = self._peer_figure(placement, rule.statistic)
            few_will_do = rule.statistic in _FEW_PEERS_WILL_DO
            why = reasons[rules.min_peers_mean if few_will_do else rules.min_peers_rank]
        else:
            aim = _constant(rule.score if isinstance(rule, GradeCut) else float(rule), lowest)
            why = self.hidden
        few = reasons[rules.min_peers_rank]
        return _Aims(aim=aim, reasons=why, lowest=lowest, lowest_reasons=few)

    def _peer_figure(self, placement: Placement, statistic: str) -> _Quantity:
        figure = placement.figure(statistic)
        terms = figure.terms(self.subject.estimates, self.rows)
        return _Quantity(values=figure.values[self.rows], terms=terms)

    def start(self) -> tuple[_Quantity, Reasons]:
        """Find where the way to the target began, and why that is not known."""
        if isinstance(self.baseline, IndexResult):
            target = self.target
            earlier = self.baseline.estimates(channel=target.channel, dimension=target.dimension)
            places = {key: place for place, key in enumerate(self.baseline.organizations)}
            found = np.array([places.get(key, -1) for key in self.organizations])
            values = np.where(found >= 0, earlier.values[found], np.nan)
            start = _Quantity(values=values, terms=picked(earlier, np.maximum(found, 0)))
        else:
            number = np.nan if self.baseline is None else float(self.baseline)
            start = _constant(number, self.score)
        return start, first_reason(("no baseline", np.isnan(start.values)))


@attrs.frozen(kw_only=True, eq=False)
class _Aims:
    """What a target asks for and the lowest peer, with the reasons why either is not shown."""

    aim: _Quantity
    reasons: Reasons
    lowest: _Quantity
    lowest_reasons: Reasons


def _gap(case: _Case) -> TargetGap:
    score, aims = case.score, case.aims()
    aim, reasons = aims.aim, aims.reasons
    gap = _Quantity(values=aim.values - score.values, terms=aim.terms + scaled(score.terms, -1.0))
    start, no_start = case.start()
    few = first_of(reasons, aims.lowest_reasons)
    return TargetGap(
        target=case.target,
        organizations=case.organizations,
        score=score.estimates(case.hidden, lower=0.0, upper=100.0),
        aim=aim.estimates(reasons, lower=0.0, upper=100.0),
        gap=gap.estimates(reasons, lower=-100.0, upper=100.0),
        ratio=_attainment(score, aim, start=_constant(0.0, score), reasons=reasons),
        progress=_attainment(score, aim, start=start, reasons=first_of(reasons, no_start)),
        range=_attainment(score, aim, start=aims.lowest, reasons=few),
        reasons=reasons,
    )


def _attainment(
    score: _Quantity, aim: _Quantity, *, start: _Quantity, reasons: Reasons
) -> Attainment:
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
    quantity = _Quantity(values=share, terms=terms)
    return Attainment(share=quantity.estimates(why, lower=-np.inf, upper=np.inf), reasons=why)


# -- what to improve first -----------------------------------------------------------------------


def _regained(result: IndexResult, gap: TargetGap) -> Estimates:
    """Return the points of the index that closing the gap regains, 0 where there is none."""
    position = {key: place for place, key in enumerate(result.organizations)}
    rows = np.array([position[key] for key in gap.organizations])
    slope = _index_slope(result, gap.target)[rows]
    open_gap = np.maximum(gap.gap.values, 0.0)
    steep = np.where(open_gap > 0, np.nan_to_num(slope), 0.0)
    return gap.gap.transform(
        sparse.diags_array(steep),
        values=slope * open_gap,
        lower=0.0,
        upper=100.0,
    )


def _index_slope(result: IndexResult, target: Target) -> FloatArray:
    """Return the derivative of the index by the channel, dimension or cell, (o,)."""
    tree, framework = result.structure, result.study.framework
    if target.dimension is None:
        channel = framework.channel_keys.index(str(target.channel))
        by_channel: FloatArray = tree.index_by_channel[:, channel]
        return by_channel
    dimension = framework.dimension_keys.index(target.dimension)
    by_cell: FloatArray = tree.index_by_cell[:, :, dimension]
    if target.channel is not None:
        return by_cell[:, framework.channel_keys.index(target.channel)]
    risen = tree.dimension_by_cell[:, :, dimension].sum(axis=1)
    by_dimension: FloatArray = by_cell.sum(axis=1) / np.where(risen > 0, risen, np.nan)
    return by_dimension


def _baseline_notices(
    result: IndexResult, baseline: IndexResult | float | None
) -> tuple[Notice, ...]:
    if not isinstance(baseline, IndexResult):
        return ()
    now, then = result.study.framework, baseline.study.framework
    if (now.key, now.version) == (then.key, then.version):
        return ()
    message = (
        f"the baseline was measured by {then.key} {then.version}, the scores by {now.key} "
        f"{now.version}: progress holds only where the two are comparable"
    )
    return (Notice(code="framework differs", message=message),)
