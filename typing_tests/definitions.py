"""Definitions take lists, text and mappings where they are clear, and store one type."""

from __future__ import annotations

from typing import assert_type

from sotongindex.models import (
    Band,
    Channel,
    Conversion,
    Dimension,
    Framework,
    GradeCut,
    GradeScale,
    Label,
    Organization,
    PeerGroup,
    PeerStatistic,
    Scale,
    Study,
    SurveyItem,
    Target,
)
from sotongindex.weighting import (
    Agreement,
    BudgetWeights,
    PairwiseDiagnostics,
    PairwiseWeights,
    WeightingScheme,
)

blog = Channel(key="blog", label={"ko": "블로그", "en": "Blog"})
openness = Dimension(key="openness", label="Openness")
scale = Scale(low=1, high=7, missing=[0, 9])
item = SurveyItem(key="q1", dimension="openness", scale=scale, channels=["blog"])

assert_type(blog.label, Label | None)
assert_type(blog.name("ko"), str)
assert_type(scale.missing, tuple[float, ...])
assert_type(scale.conversion, Conversion)
assert_type(item.channels, tuple[str, ...] | None)
SurveyItem(key="q1", dimension="openness", channels="blog", label=Label(en="Open"))

framework = Framework(
    key="mini",
    version="1",
    channels=[blog],
    dimensions=(openness,),
    items=(question for question in [item]),
)
assert_type(framework.channels, tuple[Channel, ...])
assert_type(framework.items, tuple[SurveyItem, ...])
assert_type(framework.item_dimensions, tuple[int, ...])
assert_type(framework.asked, tuple[tuple[bool, ...], ...])

acorn = Organization(key="acorn", size=12, channels=["blog"], attributes={"region": "north"})
assert_type(acorn.attributes, tuple[tuple[str, str], ...])
assert_type(acorn.attribute("region"), str | None)
Organization(key="birch", attributes=[("region", "south")])

study = Study(key="study", framework=framework, organizations=[acorn])
assert_type(study.organizations, tuple[Organization, ...])
assert_type(study.organization_keys, tuple[str, ...])

peers = PeerGroup(key="peers", same="industry", different=["sector"], where={"region": ["north"]})
assert_type(peers.where, tuple[tuple[str, tuple[str, ...]], ...])
PeerGroup(key="peers", where=[("region", "north")])

grades = GradeScale(key="grades", bands={"S": 90, "A": 70})
assert_type(grades.bands, tuple[Band, ...])
assert_type(grades.grade(90), str | None)
GradeScale(key="grades", bands=[Band(grade="S", at_least=90)])

Target(score=70)
Target(score=PeerStatistic(statistic="p75", peers=peers), channel="blog")
Target(score=GradeCut(grade="A", scale=grades))
assert_type(GradeCut(grade="A", scale=grades).score, float)

budget = BudgetWeights({"blog": 60, "app": 40})
assert_type(budget.judges, tuple[str, ...])
assert_type(budget.shares(["blog", "app"]), tuple[float, ...])
assert_type(budget.diagnostics(["blog", "app"]), Agreement)
BudgetWeights({"kim": {"blog": 0.6, "app": 0.4}, "lee": {"blog": 1, "app": 0}}, total=1)
pairs = PairwiseWeights({"blog": {"app": 3}})
assert_type(pairs.diagnostics(["blog", "app"]), PairwiseDiagnostics)
PairwiseWeights({"kim": {"blog": {"app": 3}}}, method="geometric mean")
WeightingScheme(channels=budget, items=pairs, dimensions={"blog": pairs})
