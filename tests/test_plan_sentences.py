"""What the report says of a plan."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
import reported

from sotongindex._plan_sentences import Plans
from sotongindex.gaps import find_gaps
from sotongindex.models import Target
from sotongindex.recipe import Findings


@pytest.fixture(scope="module")
def findings() -> Findings:
    return reported.findings()


def told(findings: Findings, organization: str, language: str = "en") -> list[str]:
    names = {one.key: one.key for one in findings.index.study.organizations}
    return Plans.of(findings).sentences(organization, language, names=names)  # type: ignore[arg-type]


def to(findings: Findings, *targets: Target) -> Findings:
    return attrs.evolve(findings, gaps=find_gaps(findings.index, targets))


def test_who_is_below_learns_what_first_how_much_and_from_whom(findings: Findings) -> None:
    plan, models = told(to(findings, Target(score=52)), "org-03")
    assert plan.startswith("Least effort to the target: ")
    assert "points (" in plan
    assert "The index then comes to 52.0; chance" in plan
    assert models.startswith("Who shows the way: org-")
    korean = told(to(findings, Target(score=52)), "org-03", "ko")
    assert korean[0].startswith("목표까지 최소 노력: ")


def test_a_target_out_of_reach_says_what_is_missing(findings: Findings) -> None:
    (plan, _) = told(to(findings, Target(score=95)), "org-03")
    assert plan.startswith("Even if all dimensions rise to what peers have truly reached")
    assert "short of the target" in plan


def test_who_is_beyond_its_peers_has_nobody_to_follow(findings: Findings) -> None:
    best = findings.index.organizations[int(np.nanargmax(findings.index.index.values))]
    assert told(to(findings, Target(score=99.9)), best) == []


def test_nothing_is_said_where_there_is_nothing_to_plan(findings: Findings) -> None:
    assert told(to(findings, Target(score=1)), "org-03") == []  # met
    assert told(to(findings, Target(score=60)), reported.SILENT) == []
    assert told(to(findings, Target(score=60)), reported.SMALL) == []
    assert told(to(findings, Target(score=60, channel="blog")), "org-03") == []
    assert told(to(findings, Target(score=60, organization="org-04")), "org-03") == []
    assert told(attrs.evolve(findings, gaps=None), "org-03") == []
