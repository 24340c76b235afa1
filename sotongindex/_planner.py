"""Plans of many organizations for one target: levers and caps are found once."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from sotongindex._disclosure import DisclosureRules, Subject
from sotongindex._joint import stacked
from sotongindex._plan_desk import Desk, Effort
from sotongindex._plan_levers import PlanLever, lever_caps, with_kept
from sotongindex._plan_result import ImprovementPlan
from sotongindex._target_cases import Baseline, TargetCase, check_target, measure
from sotongindex.attainment import TargetGap
from sotongindex.errors import MethodError
from sotongindex.models import PeerStatistic, Target
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates


@attrs.frozen(kw_only=True, eq=False)
class Planner:
    """What the plans of all organizations have in common: target, levers and caps.

    Attributes:
        result: The scores.
        gap: The target, with the gaps of the organizations it is for.
        rules: What may be shown.
        levers: What can be raised.
        subjects: The scores of the levers.
        caps: What peers have reached, for each lever (o,).
    """

    result: IndexResult
    gap: TargetGap
    rules: DisclosureRules
    levers: tuple[PlanLever, ...]
    subjects: tuple[Subject, ...]
    caps: tuple[Estimates, ...]

    @classmethod
    def of(
        cls,
        result: IndexResult,
        target: Target,
        *,
        levers: tuple[PlanLever, ...],
        caps: PeerStatistic,
        baseline: Baseline,
        rules: DisclosureRules,
    ) -> Planner:
        """Take the scores of levers, and find the caps that they do not name themselves."""
        check_target(result, target, field="target")
        kept = with_kept(result, _levels(levers))
        subjects = tuple(Subject.of(kept, one.channel, one.dimension) for one in levers)
        return cls(
            result=result,
            gap=measure(TargetCase.of(result, target, baseline=baseline, rules=rules)),
            rules=rules,
            levers=levers,
            subjects=subjects,
            caps=tuple(
                lever_caps(result, one, subject, rule=caps, rules=rules)
                for one, subject in zip(levers, subjects, strict=True)
            ),
        )

    def plan(self, organization: str, effort: Effort) -> ImprovementPlan:
        """Return the plan of an organization.

        Raises:
            MethodError: If its gap may not be shown, or no lever moves its score.
        """
        gap = self.gap.of(organization)
        if gap.reasons[0]:
            raise MethodError(
                f"the gap of {organization!r} is not shown: {gap.reasons[0]}", argument="target"
            )
        place = self.result.organizations.index(organization)
        cap = stacked([one.select([place]) for one in self.caps])
        desk = Desk.of(
            self.result,
            gap,
            levers=self.levers,
            subjects=self.subjects,
            cap=cap,
            rules=self.rules,
        )
        return desk.plan(effort)


def _levels(levers: Iterable[PlanLever]) -> set[str]:
    """Return the levels of a result that hold the scores of levers."""
    names = {(True, True): "cells", (True, False): "channels", (False, True): "dimensions"}
    return {names[one.channel is not None, one.dimension is not None] for one in levers}


def target_of(target: Target | float, organization: str) -> Target:
    """Return the target of one organization.

    Raises:
        MethodError: If the target is of another organization, or of an item.
    """
    if not isinstance(target, Target):
        target = Target(score=target)
    if target.organization not in (None, organization):
        raise MethodError(
            f"the target is for {target.organization!r}, not for {organization!r}",
            argument="target",
        )
    if target.item is not None:
        raise MethodError(
            "plans raise channels, dimensions and cells: name the item's dimension",
            argument="target",
        )
    return attrs.evolve(target, organization=organization)
