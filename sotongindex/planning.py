"""Planning: from a gap to what to raise, how far, in answers, and how sure that reaches the target.

A plan rests on the index's own weights: it says what the index would be if a lever rose. What moves
customers' satisfaction is another question, and importance that statistics found has no place here.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import numpy as np
from scipy import sparse

from sotongindex._disclosure import DisclosureRules, Subject
from sotongindex._effort import Strategy, best_use, least_effort
from sotongindex._peers import Peers, find_peers, named_peers
from sotongindex._plan_desk import Effort
from sotongindex._plan_levers import (
    LeverLevel,
    PlanLever,
    category_points,
    found_channels,
    levers_of,
)
from sotongindex._plan_result import ImprovementPlan
from sotongindex._planner import Planner, target_of
from sotongindex._role_models import RoleModels, find_risers, find_role_models
from sotongindex._target_cases import Baseline
from sotongindex._validators import are_known
from sotongindex.errors import MethodError
from sotongindex.models import PeerStatistic, Study, Target
from sotongindex.results import IndexResult, result_from_cells
from sotongindex.variance import Estimates, combine

__all__ = [
    "ImprovementPlan",
    "LeverLevel",
    "PlanLever",
    "RoleModels",
    "Strategy",
    "best_use",
    "category_points",
    "find_risers",
    "find_role_models",
    "least_effort",
    "open_channel",
    "plan_improvement",
]

_P90 = PeerStatistic(statistic="p90")


def plan_improvement(
    result: IndexResult,
    organization: str,
    target: Target | float,
    *,
    levers: LeverLevel | Iterable[PlanLever] = "dimensions",
    strategy: Strategy = "least squares",
    budget: float | None = None,
    caps: PeerStatistic = _P90,
    probability: float = 0.5,
    baseline: Baseline = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
    draws: int = 1000,
    rng: int | np.random.Generator | None = 0,
) -> ImprovementPlan:
    r"""Plan how an organization reaches a target with the least effort.

    A lever's weight :math:`w_k` is the derivative of the score by it: the points that the score
    gains with one point of the lever, exact where means are arithmetic. The plan gains the gap,
    :math:`\sum w_k x_k = T - s`, within the room that the caps leave; see `least_effort` for the
    strategies. Where means are not arithmetic, the gain at first order is corrected until the score
    itself reaches the target within 1e-9.

    Planned for a gain of just the gap, the true score reaches the target with even odds, as the
    measured one has an error. Planned for a `probability` :math:`p`, the plan gains the gap and its
    standard error times the :math:`p` quantile of its t distribution.

    Caps are what peers have reached, of scores with their noise taken away (`shrink`), never the
    noisy best. If the caps do not suffice, the plan raises all levers to them, and says by how much
    it falls short.

    How stable the plan is comes from draws of other samples: how often each lever would gain most,
    and the interval of its rise.

    Args:
        result: The scores.
        organization: The organization's key.
        target: A target, or points of the index.
        levers: "channels", "dimensions", "cells" (a dimension on a channel), or levers with costs,
            caps, floors and commitments of their own.
        strategy: What the least effort is.
        budget: What may be spent; then the plan gains the most for it, and `strategy` plays no
            role.
        caps: What of the peers' shrunken scores a lever can be raised to, where it names no cap.
        probability: The probability of truly reaching the target to plan for.
        baseline: Where the way to the target began, for a `GapClosure`; see `find_gaps`.
        rules: What may be shown.
        draws: How many draws; 0 for none.
        rng: A seed or generator; the same seed gives the same bytes.

    Returns:
        The plan; empty where the target is met already and nothing was committed.

    Raises:
        DefinitionError: If an organization, channel or dimension is not known.
        MethodError: If the gap may not be shown, no lever moves the score, levers overlap, a
            commitment exceeds its cap, or a number is out of range.

    References:
        Boyd and Vandenberghe (2004), Convex Optimization, example 5.2; Dantzig (1957),
        doi:10.1287/opre.5.2.266; Efron and Morris (1977), doi:10.1038/scientificamerican0577-119,
        for shrunken scores.
    """
    are_known(
        (organization,),
        result.organizations,
        field="plan_improvement.organization",
        what="organization",
    )
    plans = Planner.of(
        result,
        target_of(target, organization),
        levers=levers_of(result, levers),
        caps=caps,
        baseline=baseline,
        rules=rules,
    )
    return plans.plan(
        organization,
        Effort(strategy=strategy, budget=budget, probability=probability, draws=draws, rng=rng),
    )


# -- a channel that is not operated --------------------------------------------------------------


def open_channel(
    result: IndexResult,
    organization: str,
    channel: str,
    *,
    assumed: float | None = None,
    peers: Peers = "everyone",
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> IndexResult:
    """Return the scores as they would be if an organization opened a channel.

    Its scores there are assumed: the medians of the peers on that channel, with their sampling
    errors, or a number of points, taken as exact. Compare the index, and plan on, as with any
    result. Where channels that are not operated are left out ("renormalize"), opening one that is
    weaker than the others lowers the index; where they count 0, it raises it.

    Args:
        result: The scores.
        organization: The organization's key.
        channel: The channel's key.
        assumed: The points assumed for every dimension of the channel; None means the medians.
        peers: Whose medians; see `compare_to_peers`.
        rules: Who counts as a peer, and how many are needed for a median.

    Returns:
        The scores of all organizations; items are missing, for they are not assumed.

    Raises:
        DefinitionError: If the organization or the channel is not known.
        MethodError: If it operates the channel already, `assumed` is out of range, peers are too
            few, or respondents were averaged before items.
    """
    framework = result.study.framework
    field = "open_channel"
    are_known(
        (organization,), result.organizations, field=f"{field}.organization", what="organization"
    )
    are_known((channel,), framework.channel_keys, field=f"{field}.channel", what="channel")
    if assumed is not None and not 0 <= assumed <= 100:
        raise MethodError(f"expected 0 to 100 points, got {assumed}", argument="assumed")
    place = result.organizations.index(organization)
    row = framework.channel_keys.index(channel)
    opened = found_channels(result)
    if opened[place, row]:
        raise MethodError(
            f"{organization!r} operates {channel!r} already; plan to raise it instead",
            argument="channel",
        )
    if result.method.order == "respondents first":
        raise MethodError(
            "answers to a channel that is not there cannot be averaged by respondent; compute the "
            'index with order="items first"',
            argument="result",
        )
    opened[place, row] = True
    return result_from_cells(
        _with_channel(result, place, row, assumed=assumed, peers=peers, rules=rules),
        _opened_study(result, place, channel),
        # Weights that were learned stay as they are: one opened channel is no new survey.
        scheme=result.scheme.fixed(result.weights.learned),
        method=result.method,
        rated=opened,
        counts=result.counts,
        source=result.source,
    )


def _opened_study(result: IndexResult, place: int, channel: str) -> Study:
    """Return the study with a further channel, where the organization declares its channels."""
    organizations = list(result.study.organizations)
    declared = organizations[place].channels
    if declared is not None:
        organizations[place] = attrs.evolve(organizations[place], channels=(*declared, channel))
    return attrs.evolve(result.study, organizations=organizations)


def _with_channel(
    result: IndexResult,
    place: int,
    row: int,
    *,
    assumed: float | None,
    peers: Peers,
    rules: DisclosureRules,
) -> Estimates:
    """Return the cells (o, c, d) with those of one channel of an organization assumed."""
    framework, cells = result.study.framework, result.cells
    values, keys = cells.values.copy(), framework.channel_keys
    asked = result.weights.dimensions[row] > 0
    columns = np.flatnonzero(asked)
    if assumed is not None:
        values[place, row, columns] = assumed
    size = cells.size
    at = np.arange(size).reshape(cells.shape)[place, row]
    kept = np.ones(size)
    kept[at] = 0.0
    terms = [(cells, sparse.diags_array(kept, format="csr"))]
    for column in columns if assumed is None else ():
        subject = Subject.of(result, keys[row], framework.dimension_keys[column])
        sets = find_peers(result.study.organizations, named_peers(peers))
        placement, _ = subject.place(sets, rules)
        if sets.set_of[place] < 0 or placement.others[place] < rules.min_peers_mean:
            raise MethodError(
                f"{result.organizations[place]!r} has {placement.others[place]} peers with a score "
                f"on {keys[row]!r}, of {rules.min_peers_mean} needed for a median; choose wider "
                "peers, or assume a number of points",
                argument="peers",
            )
        figure = placement.figure("median")
        values[place, row, column] = figure.values[place]
        for estimates, jacobian in figure.terms(subject.estimates, np.array([place])):
            spread = sparse.csr_array(([1.0], ([at[column]], [0])), (size, 1))
            terms.append((estimates, spread @ jacobian))
    return combine(terms, values=values, shape=cells.shape, lower=0.0)
