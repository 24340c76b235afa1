"""Wave against wave: what changed, why, beside whom, and where it may lead.

Covariance between waves needs no asking: whoever answered both times is found by key, and what they
have in common cancels in the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

import attrs
import numpy as np

from sotongindex._adoption import (
    AdoptionChange,
    AdoptionResult,
    adoption_rates,
    compare_adoption,
)
from sotongindex._arrays import FloatArray, IntArray
from sotongindex._chain import WaveChain, link_waves
from sotongindex._change_result import (
    ChangeResult,
    Judgement,
    Membership,
    Middle,
    RelativeChange,
    ScoreChange,
)
from sotongindex._claims import Adjustment, adjust_families, p_values, verdicts
from sotongindex._decomposition import Decomposition, decompose_change
from sotongindex._difference_result import Claim, error_notices
from sotongindex._disclosure import (
    DisclosureRules,
    Reasons,
    Subject,
    first_of,
    first_reason,
    peer_reasons,
)
from sotongindex._levels import Level
from sotongindex._overlap import OverlapTest, overlapping_t_test
from sotongindex._peers import Peers, PeerSets, Placement, distance, find_peers, named_peers
from sotongindex._projection import project
from sotongindex._projection_result import PeerGains, Projection
from sotongindex._rate_and_mix import MixRule, RateAndMix, decompose_mean
from sotongindex._shapley import Term
from sotongindex._straight_line import StraightLine, straight_line
from sotongindex._waves import Respondents, Score, Waves, chosen, subject_of, subtracted
from sotongindex.differences import Family
from sotongindex.errors import MethodError
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates

__all__ = [
    "AdoptionChange",
    "AdoptionResult",
    "ChangeResult",
    "Decomposition",
    "Judgement",
    "Membership",
    "Middle",
    "MixRule",
    "OverlapTest",
    "PeerGains",
    "Projection",
    "RateAndMix",
    "RelativeChange",
    "Respondents",
    "ScoreChange",
    "StraightLine",
    "Term",
    "WaveChain",
    "adoption_rates",
    "compare_adoption",
    "compare_waves",
    "decompose_change",
    "decompose_mean",
    "link_waves",
    "overlapping_t_test",
    "project",
    "straight_line",
]


def compare_waves(
    before: IndexResult,
    after: IndexResult,
    *,
    levels: Iterable[Level] = ("index", "channels", "dimensions"),
    respondents: Respondents = "matched",
    peers: Peers | None = None,
    statistic: Middle = "mean",
    membership: Membership = "same organizations",
    family: Family = "organization",
    adjustment: Adjustment | None = None,
    false_claims: float = 0.05,
    relevant: float = 0.0,
    comparable: bool = False,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> ChangeResult:
    r"""Tell what changed between two waves.

    The change of a score is :math:`d = x_2 - x_1` with

    .. math:: \operatorname{Var} d = V_1 + V_2 - 2 \operatorname{Cov}(x_1, x_2)

    whose covariance comes from the respondents of both waves, found by their keys: independent
    samples, panels and partly overlapping samples are one case. With the share :math:`w` of
    respondents in both, out of both samples, the t distribution has
    :math:`w (n_c - 1) + (1 - w) \gamma` degrees of freedom (Welch's :math:`\gamma`, :math:`n_c`
    respondents in both).

    Beside peers the change is :math:`d - \bar d`, with the mean or the median of the peers'
    changes, the organization itself left out. With current members it is the change of the distance
    from whoever are peers in each wave.

    Args:
        before: The earlier wave.
        after: The later wave.
        levels: What to compare: "index", "channels", "dimensions", "cells", "items".
        respondents: "matched": the same key is the same person in both waves; "different": keys
            were given anew, nobody is in both.
        peers: Whom to compare changes with; see `compare_to_peers`. None compares with nobody.
        statistic: "mean" or "median" of the peers.
        membership: "same organizations": peers with a score in both waves. "current": the peers of
            each wave, so that peers who came or left move the figure.
        family: "organization": all that is said of an organization is adjusted together; "league":
            all organizations on one score.
        adjustment: Default "benjamini-hochberg" within an organization, "holm" in a league.
        false_claims: The share of false claims, or the chance of any, that is allowed.
        relevant: The smallest change worth a claim, in points.
        comparable: Whether waves of different frameworks may be compared where they ask the same.
        rules: What may be shown: a score needs `min_respondents_show` respondents, a change
            `min_respondents_compare` in both waves, figures of peers `min_peers_mean` peers.

    Returns:
        The changes of all organizations of either wave, with reasons where there is none.

    Raises:
        DefinitionError: If nobody has an attribute the peers are found by.
        MethodError: If frameworks differ and are not said to be comparable, the waves are in the
            wrong order of time, or an argument is not one of its choices.

    References:
        Derrick, Russ, Toher and White (2017), doi 10.22237/jmasm/1493597280, for the degrees of
        freedom. Kish (1965), Survey Sampling, section 12.4, for overlapping samples.

    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.index import compute_index
    >>> panel = sample_panel(respondents=1200)
    >>> found = compare_waves(compute_index(panel.before), compute_index(panel.responses))
    >>> len(found.organizations), len(found.changes)
    (312, 10)
    """
    choices = ((family, Family), (statistic, Middle), (membership, Membership))
    for name, (value, known) in zip(("family", "statistic", "membership"), choices, strict=True):
        if value not in get_args(known):
            told = " or ".join(f'"{one}"' for one in get_args(known))
            raise MethodError(f"expected {told}, got {value!r}", argument=name)
    default: Adjustment = "benjamini-hochberg" if family == "organization" else "holm"
    claim = Claim(adjustment=adjustment or default, false_claims=false_claims, relevant=relevant)
    waves = Waves.of(before, after, respondents=respondents, comparable=comparable)
    beside = None
    if peers is not None:
        beside = _Beside.of(waves, peers, statistic=statistic, membership=membership, rules=rules)
    drafts = [_draft(waves, score, beside, rules=rules) for score in waves.scores(levels)]
    return ChangeResult(
        before=before,
        after=after,
        organizations=waves.keys,
        changes=_judged(drafts, claim, family=family),
        peers=beside.key if beside else None,
        statistic=statistic,
        membership=membership,
        respondents=respondents,
        adjustment=claim.adjustment,
        family=family,
        false_claims=false_claims,
        relevant=relevant,
        rules=rules,
        notices=(*waves.notices, *_wave_notices(waves)),
    )


# -- one score of every organization -------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class _Draft:
    """The change of one score before anything is claimed of it."""

    score: Score
    before: Estimates
    after: Estimates
    change: Estimates
    reasons: Reasons
    relative: _Distance | None


@attrs.frozen(kw_only=True, eq=False)
class _Distance:
    """Changes minus those of the peers, (o,)."""

    peers: FloatArray
    others: IntArray
    change: Estimates
    reasons: Reasons


def _draft(waves: Waves, score: Score, beside: _Beside | None, *, rules: DisclosureRules) -> _Draft:
    start, end = subject_of(waves.before, score), subject_of(waves.after, score)
    least, shown = rules.min_respondents_compare, rules.min_respondents_show
    reasons = first_of(
        first_reason(("only after", waves.first < 0), ("only before", waves.second < 0)),
        start.reasons(least)[waves.first],
        end.reasons(least)[waves.second],
    )
    change = subtracted(start.estimates, end.estimates, first=waves.first, second=waves.second)
    return _Draft(
        score=score,
        before=chosen(_shown(start.estimates, start.reasons(shown)), waves.first),
        after=chosen(_shown(end.estimates, end.reasons(shown)), waves.second),
        change=_shown(change, reasons),
        reasons=reasons,
        relative=beside.distance(start, end, change=change, reasons=reasons) if beside else None,
    )


def _shown(estimates: Estimates, reasons: Reasons) -> Estimates:
    """Return the estimates, missing where there is a reason."""
    return chosen(estimates, np.where(reasons == "", np.arange(len(reasons)), -1))


@attrs.frozen(kw_only=True, eq=False)
class _Beside:
    """Whom changes are compared with: the peers among all, before and after."""

    waves: Waves
    sets: tuple[PeerSets, PeerSets, PeerSets]
    statistic: Middle
    membership: Membership
    rules: DisclosureRules

    @classmethod
    def of(
        cls,
        waves: Waves,
        peers: Peers,
        *,
        statistic: Middle,
        membership: Membership,
        rules: DisclosureRules,
    ) -> _Beside:
        group = named_peers(peers)
        listed = (
            waves.organizations,
            waves.before.study.organizations,
            waves.after.study.organizations,
        )
        everybody, early, late = (find_peers(one, group) for one in listed)
        return cls(
            waves=waves,
            sets=(everybody, early, late),
            statistic=statistic,
            membership=membership,
            rules=rules,
        )

    @property
    def key(self) -> str:
        return self.sets[0].key

    def distance(
        self, start: Subject, end: Subject, *, change: Estimates, reasons: Reasons
    ) -> _Distance:
        """Return the change minus that of the peers."""
        if self.membership == "same organizations":
            return self._same(change, reasons)
        return self._current(start, end, reasons)

    def _same(self, change: Estimates, reasons: Reasons) -> _Distance:
        placement = Placement.of(change, self.sets[0], counted=reasons == "")
        few = peer_reasons(self.sets[0], placement.others, self.rules.min_peers_mean)
        why = first_of(reasons, few)
        figure = placement.figure(self.statistic)
        return _Distance(
            peers=np.where(few == "", figure.values, np.nan),
            others=placement.others,
            change=distance(change, figure, why == ""),
            reasons=why,
        )

    def _current(self, start: Subject, end: Subject, reasons: Reasons) -> _Distance:
        sides, least = [], self.rules.min_peers_mean
        places = (self.waves.first, self.waves.second)
        for subject, peers, at in zip((start, end), self.sets[1:], places, strict=True):
            placement, own = subject.place(peers, self.rules)
            figure = placement.figure(self.statistic)
            away = distance(subject.estimates, figure, own == "")
            why = peer_reasons(peers, placement.others, least)[at]
            sides.append((away, figure.values[at], placement.others[at], why))
        (here, before, few, why_before), (there, after, several, why_after) = sides
        why = first_of(reasons, why_before, why_after)
        change = subtracted(here, there, first=places[0], second=places[1])
        return _Distance(
            peers=np.where(why == "", after - before, np.nan),
            others=np.minimum(few, several),
            change=_shown(change, why),
            reasons=why,
        )


# -- claims --------------------------------------------------------------------------------------


def _judged(drafts: Sequence[_Draft], claim: Claim, *, family: Family) -> tuple[ScoreChange, ...]:
    """Adjust the p-values of all changes within their families, and judge."""
    rows = [row for draft in drafts for row in (draft, draft.relative) if row is not None]
    p = np.array([p_values(row.change, relevant=claim.relevant) for row in rows])
    table, organization = np.indices(p.shape).reshape(2, -1)
    families = organization if family == "organization" else table
    adjusted = adjust_families(p.ravel(), families, claim.adjustment).reshape(p.shape)
    judgements = iter(
        Judgement(
            p=own,
            adjusted_p=raised,
            verdict=verdicts(row.change.values, raised, false_claims=claim.false_claims),
            reasons=row.reasons,
        )
        for row, own, raised in zip(rows, p, adjusted, strict=True)
    )
    return tuple(_finished(draft, judgements) for draft in drafts)


def _finished(draft: _Draft, judgements: Iterator[Judgement]) -> ScoreChange:
    judgement = next(judgements)
    beside = draft.relative
    relative = None
    if beside is not None:
        relative = RelativeChange(
            peers=beside.peers,
            others=beside.others,
            change=beside.change,
            judgement=next(judgements),
        )
    return ScoreChange(
        channel=draft.score.channel,
        dimension=draft.score.dimension,
        item=draft.score.item,
        before=draft.before,
        after=draft.after,
        change=draft.change,
        judgement=judgement,
        relative=relative,
    )


def _wave_notices(waves: Waves) -> list[Notice]:
    """Say who is in one wave alone, and whose errors are not known."""
    keys = np.array(waves.keys)
    cases = (
        ("only before", "in the earlier wave alone: no change", waves.second < 0),
        ("only after", "in the later wave alone: no change", waves.first < 0),
    )
    notices = [
        Notice(code=code, message=f"{holds.sum()} organizations {told}", keys=tuple(keys[holds]))
        for code, told, holds in cases
        if holds.any()
    ]
    for wave in (waves.before, waves.after):
        notices += error_notices(wave, [(None, None)])
    return notices
