"""Recipes: parts that must fit, running, and the study file with its schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import attrs
import jsonschema
import numpy as np
import pytest

from sotongindex.benchmark import DisclosureRules
from sotongindex.datasets import SamplePanel, sample_panel
from sotongindex.errors import DefinitionError, MethodError, SchemaError
from sotongindex.layout import Layout
from sotongindex.models import Organization, PeerGroup, PeerStatistic, Study, Target
from sotongindex.presets import scsi_2017
from sotongindex.recipe import Recipe, load_recipe, run_recipe, save_recipe
from sotongindex.schemas import make_study_file_schema, study_file_schema
from sotongindex.serialize import to_json
from sotongindex.tally import Tally
from sotongindex.variance import GroupJackknife
from sotongindex.weighting import (
    BestWorstWeights,
    BudgetWeights,
    FixedWeights,
    PairwiseWeights,
    RankOrderWeights,
    WeightingScheme,
)

GOLDEN = Path(__file__).parent / "golden" / "documents" / "1"


@pytest.fixture(scope="module")
def panel() -> SamplePanel:
    return sample_panel(respondents=600, organizations_each=6)


@pytest.fixture
def recipe() -> Recipe:
    preset = scsi_2017(["blog", "twitter"])
    organizations = [
        Organization(key="a", industry="bank", attributes={"region": "north"}),
        Organization(key="b", industry="bank"),
    ]
    study = Study(key="mini", framework=preset.framework, organizations=organizations)
    return Recipe(study=study, scheme=preset.scheme)


# -- parts that must fit -------------------------------------------------------------------------

MISFITS = {
    "weights for an unknown channel": (
        {"scheme": WeightingScheme(channels=FixedWeights({"blgo": 0.5, "twitter": 0.5}))},
        "Recipe.scheme.channels.weights.blgo",
        "blog",
    ),
    "weights for an unknown dimension": (
        {"scheme": WeightingScheme(dimensions=FixedWeights({"opennes": 1}))},
        "Recipe.scheme.dimensions.weights.opennes",
        "openness",
    ),
    "a rule for an unknown channel": (
        {"scheme": WeightingScheme(dimensions={"twiter": FixedWeights({"openness": 1})})},
        "Recipe.scheme.dimensions.twiter",
        "twitter",
    ),
    "points for an unknown channel": (
        {"scheme": WeightingScheme(channels=BudgetWeights({"kim": {"blgo": 50, "twitter": 50}}))},
        "Recipe.scheme.channels.points.kim.blgo",
        "blog",
    ),
    "a rank for an unknown dimension on a channel": (
        {"scheme": WeightingScheme(dimensions={"blog": RankOrderWeights({"opennes": 1})})},
        "Recipe.scheme.dimensions.blog.ranks.judge.opennes",
        "openness",
    ),
    "a comparison with an unknown item": (
        {"scheme": WeightingScheme(items=PairwiseWeights({"openness_1": {"openess_2": 3}}))},
        "Recipe.scheme.items.judgements.judge.openness_1.openess_2",
        "openness_2",
    ),
    "an unknown best channel": (
        {
            "scheme": WeightingScheme(
                channels=BestWorstWeights({"bolg": {"twitter": 3}}, {"twitter": {}})
            )
        },
        "Recipe.scheme.channels.best_to_others.judge.bolg",
        "blog",
    ),
    "points that do not add up": (
        {"scheme": WeightingScheme(channels=BudgetWeights({"kim": {"blog": 50, "twitter": 60}}))},
        "Recipe.scheme",
        None,
    ),
    "weights that do not add up": (
        {"scheme": WeightingScheme(channels=FixedWeights({"blog": 0.5, "twitter": 0.6}))},
        "Recipe.scheme",
        None,
    ),
    "a target for an unknown organization": (
        {"targets": [Target(score=60), Target(score=60, organization="c")]},
        "Recipe.targets[1].organization",
        None,
    ),
    "a target for an unknown channel": (
        {"targets": Target(score=60, channel="twiter")},
        "Recipe.targets[0].channel",
        "twitter",
    ),
    "a target for an unknown dimension": (
        {"targets": [Target(score=60, dimension="useful")]},
        "Recipe.targets[0].dimension",
        "usefulness",
    ),
    "peers by an unknown attribute": (
        {"peers": PeerGroup(key="near", same="regoin")},
        "Recipe.peers[0].same[0]",
        "region",
    ),
    "peers unlike in an unknown attribute": (
        {"peers": [PeerGroup(key="far", different="sektor")]},
        "Recipe.peers[0].different[0]",
        "sector",
    ),
    "peers where an unknown attribute holds": (
        {"peers": [PeerGroup(key="big", where={"siz": ["big"]})]},
        "Recipe.peers[0].where.siz",
        None,
    ),
    "a target's peers by an unknown attribute": (
        {
            "targets": [
                Target(score=PeerStatistic(statistic="best", peers=PeerGroup(key="x", same="y")))
            ]
        },
        "Recipe.targets[0].score.peers.same[0]",
        None,
    ),
    "a column of an unknown item": (
        {"layout": Layout(columns={"openness_9": "Q9"})},
        "Recipe.layout.columns[0].item",
        "openness_2",
    ),
    "a column of an unknown channel": (
        {"layout": Layout(columns={("openness_1", "blogs"): "Q1"})},
        "Recipe.layout.columns[0].channel",
        "blog",
    ),
    "two peer groups of one key": (
        {"peers": [PeerGroup(key="x"), PeerGroup(key="x", same="industry")]},
        "Recipe.peers[1].key",
        None,
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_parts_that_do_not_fit_are_refused(case: str, recipe: Recipe) -> None:
    change, field, nearest = MISFITS[case]
    with pytest.raises(DefinitionError) as caught:
        attrs.evolve(recipe, **change)
    assert caught.value.field == field
    assert caught.value.nearest == nearest


def test_known_attributes_fit(recipe: Recipe) -> None:
    peers = [PeerGroup(key="near", same="region", different="sector", where={"industry": ["x"]})]
    assert attrs.evolve(recipe, peers=peers).peers == tuple(peers)


# -- running -------------------------------------------------------------------------------------


def test_a_recipe_gives_index_benchmarks_and_gaps(panel: SamplePanel) -> None:
    findings = run_recipe(panel.recipe, panel.responses)
    assert findings.index.scheme == panel.recipe.scheme
    assert findings.benchmarks.peers == ("same_industry", "other_industries")
    assert findings.benchmarks.rules == panel.recipe.rules
    assert findings.gaps.result is findings.index


def test_without_peers_and_targets_there_is_the_index_alone(panel: SamplePanel) -> None:
    findings = run_recipe(attrs.evolve(panel.recipe, peers=[], targets=[]), panel.responses)
    assert findings.benchmarks is None
    assert findings.gaps is None


def test_running_again_gives_the_same_bytes(panel: SamplePanel, tmp_path: Path) -> None:
    small = attrs.evolve(panel.recipe, peers=[])
    save_recipe(small, tmp_path / "study.json")
    first = run_recipe(small, panel.responses)
    second = run_recipe(load_recipe(tmp_path / "study.json"), panel.responses)
    assert to_json(first) == to_json(second)


def test_running_again_with_one_thing_changed(panel: SamplePanel) -> None:
    base = attrs.evolve(panel.recipe, peers=[], targets=[])
    other = attrs.evolve(base, scheme=WeightingScheme())
    one, two = (run_recipe(r, panel.responses).index.index.values for r in (base, other))
    assert np.nanmax(np.abs(one - two)) > 0.1
    assert other.study is base.study


def test_a_tally_runs_too(panel: SamplePanel) -> None:
    method = attrs.evolve(panel.recipe.method, variance=GroupJackknife(groups=8))
    recipe = attrs.evolve(panel.recipe, method=method, peers=[], targets=[])
    tally = Tally.from_responses(panel.responses, groups=8)
    one, two = run_recipe(recipe, panel.responses), run_recipe(recipe, tally)
    np.testing.assert_allclose(one.index.index.values, two.index.index.values, rtol=1e-12)
    assert two.index.source == "tally"


def test_answers_to_another_study_are_refused(panel: SamplePanel) -> None:
    with pytest.raises(MethodError, match=r"wave 'synthetic wave 1'.*own study") as caught:
        run_recipe(panel.recipe, panel.before)
    assert caught.value.argument == "answers"


# -- the study file ------------------------------------------------------------------------------


def test_a_study_file_comes_back_equal(panel: SamplePanel, tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    save_recipe(panel.recipe, path)
    assert load_recipe(path) == panel.recipe
    assert "통신" in path.read_text(encoding="utf-8")
    assert b"\r" not in path.read_bytes()


def test_a_study_file_of_another_kind_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text(to_json(recipe.study), encoding="utf-8")
    with pytest.raises(SchemaError, match='expected one of "recipe", got "study"'):
        load_recipe(path)


def test_a_broken_study_file_tells_every_fault(recipe: Recipe, tmp_path: Path) -> None:
    whole = json.loads(to_json(recipe))
    whole["study"]["framework"]["items"][3]["dimension"] = "opennes"
    whole["rules"]["min_peers_mean"] = "5"
    whole["targts"] = []
    path = tmp_path / "study.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        load_recipe(path)
    assert [where for where, _ in caught.value.faults] == [
        "study.framework.items[3].dimension",
        "rules.min_peers_mean",
        "targts",
    ]


def test_weights_that_do_not_add_up_are_found_in_a_file(recipe: Recipe, tmp_path: Path) -> None:
    whole = json.loads(to_json(recipe))
    whole["scheme"]["dimensions"]["weights"]["openness"] = 0.5
    path = tmp_path / "study.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        load_recipe(path)
    ((where, what),) = caught.value.faults
    assert where == "scheme"
    assert "add up to 1.274" in what


# -- the schema ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = study_file_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_published_schema_is_in_step_with_the_classes() -> None:
    assert study_file_schema() == make_study_file_schema()


def test_the_module_prints_the_schema() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "sotongindex.schemas"], capture_output=True, check=True, text=True
    ).stdout
    assert json.loads(printed) == study_file_schema()


def test_study_files_fit_the_schema(
    validator: jsonschema.Draft202012Validator, panel: SamplePanel, recipe: Recipe
) -> None:
    golden = (GOLDEN / "recipe.json").read_text(encoding="utf-8")
    for text in (golden, to_json(panel.recipe), to_json(recipe)):
        validator.validate(json.loads(text))


@pytest.mark.parametrize(
    ("path", "bad"),
    [
        (("study", "key"), 5),
        (("study", "framework", "items", 0, "reverse"), 1),
        (("study", "framework", "items", 0, "dimensio"), "openness"),
        (("method", "order"), "items last"),
        (("method", "variance"), {"kind": "guesswork"}),
        (("rules", "min_peers_mean"), 7.5),
        (("targets",), [{"score": "70"}]),
        (("targets",), [{"score": 70, "due": "tomorrow"}]),
        (("schema",), 2),
    ],
)
def test_the_schema_refuses_what_reading_refuses(
    path: tuple[str | int, ...],
    bad: object,
    validator: jsonschema.Draft202012Validator,
    recipe: Recipe,
    tmp_path: Path,
) -> None:
    whole = json.loads(to_json(recipe))
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = bad
    assert not validator.is_valid(whole)
    file = tmp_path / "study.json"
    file.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(SchemaError):
        load_recipe(file)


def test_an_unknown_version_has_no_schema() -> None:
    with pytest.raises(FileNotFoundError):
        study_file_schema(99)


def test_rules_are_kept(recipe: Recipe, tmp_path: Path) -> None:
    changed = attrs.evolve(recipe, rules=DisclosureRules(min_respondents_show=1))
    save_recipe(changed, tmp_path / "study.json")
    assert load_recipe(tmp_path / "study.json").rules.min_respondents_show == 1
