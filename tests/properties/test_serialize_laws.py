"""Laws of documents: what is written can be read, and what cannot be read says so."""

from __future__ import annotations

import copy
import json
from datetime import date
from typing import Any

import jsonschema
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sotongindex.benchmark import DisclosureRules
from sotongindex.errors import SchemaError
from sotongindex.index import IndexMethod, Powers
from sotongindex.models import (
    Channel,
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
from sotongindex.recipe import Recipe
from sotongindex.schemas import study_file_schema
from sotongindex.serialize import from_json, to_json
from sotongindex.variance import Estimates, GroupJackknife, Linearization
from sotongindex.weighting import (
    BudgetWeights,
    EqualWeights,
    FixedWeights,
    PairwiseWeights,
    RankOrderWeights,
    Rule,
    SwingWeights,
    WeightingScheme,
)

keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
labels = st.none() | st.builds(Label, ko=st.none() | text, en=st.none() | text)
points = st.floats(0, 100) | st.integers(0, 100)
dates = st.none() | st.dates(min_value=date(1900, 1, 1))


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    low = draw(st.integers(0, 2))
    high = low + draw(st.integers(1, 10))
    conversion = draw(st.sampled_from(["linear", "fraction of top", "top box"]))
    boxes = draw(st.integers(1, high - low)) if conversion == "top box" else None
    missing = draw(st.lists(st.integers(50, 99) | st.floats(50, 99), max_size=2))
    return Scale(low=low, high=high, conversion=conversion, boxes=boxes, missing=missing)


@st.composite
def frameworks(draw: st.DrawFn) -> Framework:
    channels = draw(st.lists(keys, min_size=1, max_size=3, unique=True))
    dimensions = draw(st.lists(keys, min_size=1, max_size=3, unique=True))
    names = draw(st.lists(keys, min_size=len(dimensions), max_size=6, unique=True))
    # Every dimension has an item that is asked everywhere; further items may be asked of some.
    items = [
        SurveyItem(
            key=name,
            dimension=dimensions[i] if i < len(dimensions) else draw(st.sampled_from(dimensions)),
            scale=draw(scales()),
            reverse=draw(st.booleans()),
            channels=None
            if i < len(dimensions)
            else draw(st.lists(st.sampled_from(channels), min_size=1, unique=True)),
            label=draw(labels),
        )
        for i, name in enumerate(names)
    ]
    return Framework(
        key=draw(keys),
        version=draw(text),
        channels=[Channel(key=key, kind=draw(st.none() | text)) for key in channels],
        dimensions=[Dimension(key=key, label=draw(labels)) for key in dimensions],
        items=items,
    )


@st.composite
def studies(draw: st.DrawFn) -> Study:
    framework = draw(frameworks())
    attributes = st.dictionaries(st.sampled_from(["region", "owner"]), text, max_size=2)
    organizations = [
        Organization(
            key=key,
            industry=draw(st.none() | text),
            size=draw(st.none() | st.floats(0, 1e12)),
            channels=draw(
                st.none() | st.lists(st.sampled_from(framework.channel_keys), unique=True)
            ),
            attributes=draw(attributes),
            label=draw(labels),
        )
        for key in draw(st.lists(keys, min_size=1, max_size=4, unique=True))
    ]
    return Study(
        key=draw(keys),
        framework=framework,
        organizations=organizations,
        wave=draw(st.none() | text),
    )


@st.composite
def rules(draw: st.DrawFn, names: tuple[str, ...]) -> Rule:
    parts = draw(st.lists(st.integers(1, 9), min_size=len(names), max_size=len(names)))
    amounts = dict(zip(names, parts, strict=True))
    judges = dict.fromkeys(draw(st.lists(text, min_size=1, max_size=2, unique=True)), amounts)
    first = {names[0]: {name: one for name, one in amounts.items() if name != names[0]}}
    return draw(
        st.sampled_from(
            [
                EqualWeights(),
                FixedWeights(amounts, total=sum(parts)),
                BudgetWeights(judges, total=sum(parts)),
                SwingWeights(judges, top=max(parts)),
                RankOrderWeights(judges, method=draw(st.sampled_from(["sum", "centroid"]))),
                PairwiseWeights(dict.fromkeys(judges, first)),
            ]
        )
    )


methods = st.builds(
    IndexMethod,
    power=st.builds(Powers, items=st.floats(-3, 3), channels=st.integers(-3, 3)),
    order=st.sampled_from(["items first", "respondents first"]),
    min_share=st.floats(0, 1),
    absent_channels=st.sampled_from(["renormalize", "zero"]),
    variance=st.builds(GroupJackknife, groups=st.integers(2, 99))
    | st.builds(Linearization, correction=st.sampled_from(["organization", "design"])),
    level=st.floats(0.5, 0.99),
)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    study = draw(studies())
    framework = study.framework
    group = PeerGroup(key=draw(keys), same="industry", where={"sector": draw(st.lists(text))})
    grades = GradeScale(key="grades", bands={"S": 90, "A": draw(st.floats(0, 80))})
    scores = (
        points
        | st.just(PeerStatistic(statistic="p75", peers=group))
        | st.just(GradeCut(grade="A", scale=grades))
    )
    targets = st.builds(
        Target,
        score=scores,
        organization=st.none() | st.sampled_from(study.organization_keys),
        channel=st.none() | st.sampled_from(framework.channel_keys),
        dimension=st.none() | st.sampled_from(framework.dimension_keys),
        due=dates,
    )
    return Recipe(
        study=study,
        scheme=WeightingScheme(
            channels=draw(rules(framework.channel_keys)),
            dimensions=draw(rules(framework.dimension_keys)),
        ),
        method=draw(methods),
        peers=draw(st.just(()) | st.just((group,))),
        rules=draw(st.builds(DisclosureRules, min_peers_rank=st.integers(1, 99))),
        targets=draw(st.lists(targets, max_size=3)),
    )


@given(recipe=recipes())
def test_a_recipe_comes_back_equal(recipe: Recipe) -> None:
    written = to_json(recipe)
    again = from_json(written)
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert to_json(again) == written


@given(recipe=recipes())
def test_every_recipe_fits_the_published_schema(recipe: Recipe) -> None:
    schema = study_file_schema()
    jsonschema.Draft202012Validator(schema).validate(json.loads(to_json(recipe)))


@given(
    values=st.lists(st.floats(0, 100) | st.just(float("nan")), min_size=1), error=st.floats(0, 9)
)
def test_estimates_come_back_with_equal_numbers(values: list[float], error: float) -> None:
    estimates = Estimates.independent(values, np.full(len(values), error))
    again = from_json(to_json(estimates))
    for name in ("values", "variance", "degrees_of_freedom", "low", "high"):
        np.testing.assert_array_equal(getattr(again, name), getattr(estimates, name))


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of every part of plain data, the whole left out."""
    members = node.items() if isinstance(node, dict) else enumerate(node)
    found = []
    for step, part in members:
        found.append((*path, step))
        if isinstance(part, dict | list):
            found += places(part, (*path, step))
    return found


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
)


@given(recipe=recipes(), data=st.data())
def test_a_spoilt_document_is_read_or_refused_with_paths(
    recipe: Recipe, data: st.DataObject
) -> None:
    whole = json.loads(to_json(recipe))
    path = data.draw(st.sampled_from(places(whole)))
    spoilt = copy.deepcopy(whole)
    place = spoilt
    for step in path[:-1]:
        place = place[step]
    if data.draw(st.booleans()):
        place[path[-1]] = data.draw(anything)
    else:
        del place[path[-1]]
    read, faults = attempt(json.dumps(spoilt))
    if faults:
        assert all(where and what for where, what in faults)
    else:
        assert from_json(to_json(read)) == read


@given(st.binary(max_size=40) | text)
def test_no_text_breaks_the_reader(document: str | bytes) -> None:
    assert attempt(document)[1]


def attempt(document: str | bytes) -> tuple[object, tuple[tuple[str, str], ...]]:
    """What a document holds, or its faults."""
    try:
        return from_json(document), ()
    except SchemaError as error:
        return None, error.faults
