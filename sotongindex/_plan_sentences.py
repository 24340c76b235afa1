"""A plan in sentences: what first, how much, and who shows the way."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np

from sotongindex._ledger import rules_of
from sotongindex._plan_desk import Effort
from sotongindex._plan_levers import levers_of
from sotongindex._plan_result import ImprovementPlan, lever_names
from sotongindex._planner import Planner
from sotongindex._role_models import find_role_models
from sotongindex._text import Language, chance, number, say, share
from sotongindex.errors import MethodError
from sotongindex.models import PeerStatistic
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.recipe import Findings

_CAPS = PeerStatistic(statistic="p90")
_EFFORT = Effort(strategy="least squares", budget=None, probability=0.5, draws=0, rng=0)
_STEPS, _MODELS = 3, 2


@attrs.frozen(kw_only=True, eq=False)
class Plans:
    """Plans to the first target of the index; none where the findings have no such target.

    Attributes:
        planner: Makes the plans.
    """

    planner: Planner | None

    @classmethod
    def of(cls, findings: Findings) -> Plans:
        """Find what the plans of all organizations have in common."""
        targets = [gap.target for gap in findings.gaps.gaps] if findings.gaps else []
        target = next(
            (one for one in targets if not (one.channel or one.dimension or one.item)), None
        )
        if target is None:
            return cls(planner=None)
        levers = levers_of(findings.index, "dimensions")
        planner = Planner.of(
            findings.index,
            target,
            levers=levers,
            caps=_CAPS,
            baseline=None,
            rules=rules_of(findings),
        )
        return cls(planner=planner)

    def sentences(
        self, organization: str, language: Language, *, names: Mapping[str, str]
    ) -> list[str]:
        """Return what an organization below the target should do first, and whom to ask."""
        if self.planner is None or organization not in self.planner.gap.organizations:
            return []
        try:
            plan = self.planner.plan(organization, _EFFORT)
        except MethodError:  # its gap, or all its dimensions, may not be shown
            return []
        if not plan.rise.any():
            return []
        found = [_plan(plan, language)]
        models = find_role_models(plan, count=_MODELS, rules=self.planner.rules, draws=0).to_rows()
        if models:
            listed = ", ".join(names[str(row["organization"])] for row in models)
            found.append(say("profile.models", language, names=listed))
        return found


def _plan(plan: ImprovementPlan, language: Language) -> str:
    """Return the first steps of a plan and where it leads."""
    parts = lever_names(plan, language)
    order = [at for at in np.argsort(-plan.gain, kind="stable") if plan.rise[at] > TIE_WIDTH]
    steps = ", ".join(
        say(
            "profile.plan.step",
            language,
            part=parts[plan.levers[at].name],
            rise=number(plan.rise[at]),
            answers=share(plan.answers[at]),
        )
        for at in order[:_STEPS]
    )
    return say(
        "profile.plan" if plan.is_feasible else "profile.plan.short",
        language,
        steps=steps,
        planned=number(plan.planned),
        short=number(plan.shortfall),
        chance=chance(plan.probability_after),
    )
