"""A small study that has everything a report must cope with, and what its recipe finds."""

from __future__ import annotations

import attrs
import numpy as np

from sotongindex.benchmark import compare_to_peers
from sotongindex.gaps import find_gaps
from sotongindex.models import (
    Channel,
    Dimension,
    Framework,
    Label,
    Organization,
    PeerGroup,
    PeerStatistic,
    Study,
    SurveyItem,
    Target,
)
from sotongindex.recipe import Findings, Recipe, run_recipe
from sotongindex.responses import Responses
from sotongindex.results import IndexResult

NASTY = "<script>alert(\"x\")</script> & '따옴표'"
LONG = "아주 긴 이름의 기관 " * 30

# Twelve comparable organizations, one with 20 respondents, one with 4, one that nobody rated.
FULL = tuple(f"org-{number:02d}" for number in range(12))
MIDDLING, SMALL, SILENT = "middling", "small", "silent"


def recipe() -> Recipe:
    """Make the recipe."""
    labels: dict[str, str] = {"org-00": NASTY, "org-01": LONG, "org-02": "한국 기관"}
    framework = Framework(
        key="mini",
        version="1",
        channels=[Channel(key="blog", label=Label(ko="블로그", en="Blog")), Channel(key="video")],
        dimensions=[
            Dimension(key="open", label=Label(ko="공개성", en=NASTY)),
            Dimension(key="use"),
        ],
        items=[SurveyItem(key="q1", dimension="open"), SurveyItem(key="q2", dimension="use")],
    )
    organizations = [
        Organization(key=key, industry="=2+3" if key == FULL[-1] else "air", label=labels.get(key))
        for key in (*FULL, MIDDLING, SMALL, SILENT)
    ]
    study = Study(
        key="mini", framework=framework, organizations=organizations, population=NASTY, wave="2011"
    )
    same = PeerGroup(key="same_industry", same="industry")
    return Recipe(
        study=study,
        peers=[same, PeerGroup(key="everyone")],
        targets=[
            Target(score=PeerStatistic(statistic="p75", peers=same)),
            Target(score=60, organization="org-03", channel="blog"),
        ],
    )


def columns() -> dict[str, list[object]]:
    """Return the answers, as a file would hold them."""
    random = np.random.default_rng(7)
    rows: list[tuple[object, ...]] = []
    for place, key in enumerate((*FULL, MIDDLING, SMALL)):
        people = {MIDDLING: 20, SMALL: 4}.get(key, 40)
        for person in range(people):
            for channel in ("blog", "video"):
                answers = np.clip(np.rint(random.normal(3 + 0.15 * place, 1.2, 2)), 1, 7)
                rows.append((1000 * place + person, key, channel, *answers.astype(int).tolist()))
    names = ("respondent", "organization", "channel", "q1", "q2")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def responses() -> Responses:
    """Return the answers as read by the recipe."""
    made = recipe()
    return Responses.read(columns(), made.study, made.layout)


def findings() -> Findings:
    """Return what the recipe finds."""
    return run_recipe(recipe(), responses())


def published() -> Findings:
    """Return what is found in scores that came without errors, respondents and industries."""
    study = recipe().study
    plain = [Organization(key=one.key) for one in study.organizations]
    scores = np.linspace(40, 68, len(plain))
    result = IndexResult.from_scores(
        {
            "organization": [one.key for one in plain for _ in range(2)],
            "channel": ["blog", "video"] * len(plain),
            "open": scores.repeat(2),
            "use": scores.repeat(2) + 2,
        },
        attrs.evolve(study, organizations=plain),
        channel="channel",
    )
    return Findings(
        index=result,
        benchmarks=compare_to_peers(result, by="everyone"),
        gaps=find_gaps(result, Target(score=60)),
    )
