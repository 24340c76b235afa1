"""Documents: round trips, strictness, every fault with its path, and documents of old versions."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import attrs
import numpy as np
import pytest

from sotongindex._converter import make_converter
from sotongindex._documents import read_document
from sotongindex.benchmark import DisclosureRules, compare_to_peers
from sotongindex.checks import CheckReport, Finding
from sotongindex.errors import MethodError, SchemaError
from sotongindex.gaps import find_gaps
from sotongindex.index import IndexMethod, IndexResult, Powers
from sotongindex.layout import Layout
from sotongindex.models import (
    Band,
    Channel,
    Dimension,
    Framework,
    GapClosure,
    GradeCut,
    GradeScale,
    Label,
    Organization,
    PeerGroup,
    PeerStatistic,
    RoleModel,
    Scale,
    Study,
    SurveyItem,
    Target,
)
from sotongindex.presets import scsi_2017
from sotongindex.recipe import Findings, Recipe
from sotongindex.serialize import from_json, to_json
from sotongindex.variance import (
    BalancedRepeatedReplication,
    Bootstrap,
    Estimates,
    GroupJackknife,
    Jackknife,
    Linearization,
    ReplicateWeights,
)
from sotongindex.weighting import (
    BestWorstWeights,
    BudgetWeights,
    CriticWeights,
    DeviationWeights,
    EntropyWeights,
    EqualWeights,
    FactorWeights,
    FixedWeights,
    OutcomeWeights,
    PairwiseWeights,
    RankOrderWeights,
    SwingWeights,
    WeightingScheme,
)

GOLDEN = Path(__file__).parent / "golden" / "documents" / "1"

FRAMEWORK = Framework(
    key="mini",
    version="2025.1",
    channels=[
        Channel(key="blog", kind="social", label=Label(ko="블로그", en="Blog")),
        Channel(key="app"),
    ],
    dimensions=[Dimension(key="openness", label="개방성"), Dimension(key="usefulness")],
    items=[
        SurveyItem(key="q1", dimension="openness", label=Label(ko="문항 1")),
        SurveyItem(
            key="q2",
            dimension="usefulness",
            scale=Scale(low=0, high=10, conversion="top box", boxes=3, missing=[88, 99.5]),
            reverse=True,
            channels=["blog"],
        ),
        SurveyItem(key="q3", dimension="usefulness", scale=Scale(low=1, high=5)),
    ],
)
STUDY = Study(
    key="wave-1",
    framework=FRAMEWORK,
    organizations=[
        Organization(
            key="one",
            industry="bank",
            sector="company",
            size=1250.5,
            channels=["blog", "app"],
            attributes={"region": "서울 <b>"},
            label=Label(ko="하나", en='"One" & Co.'),
        ),
        Organization(key="two", industry="bank"),
        Organization(key="three", industry="insurer"),
    ],
    wave="2025-1",
    population="customers aged 15 to 64",
)
GRADES = GradeScale(
    key="2025", bands={"S": 90, "A": 70}, valid_from=date(2025, 1, 1), note="no full ladder"
)
SCHEME = WeightingScheme(
    channels=FixedWeights({"blog": 60, "app": 40}, total=100),
    dimensions={
        "blog": FixedWeights({"usefulness": 0.7, "openness": 0.3}),
        "app": EqualWeights(),
    },
)
SAME = PeerGroup(key="same", same="industry", label=Label(ko="동종업종"))
OTHER = PeerGroup(key="north", different=["industry"], where={"region": ["north", "east"]})
CLOSURE = GapClosure(
    since=date(2025, 6, 30), benchmark=PeerStatistic(statistic="top decile mean", peers=SAME)
)
RECIPE = Recipe(
    study=STUDY,
    scheme=SCHEME,
    method=IndexMethod(
        power=Powers(items=1, dimensions=0.5, channels=-1.0),
        order="respondents first",
        min_share=0.25,
        absent_channels="zero",
        variance=GroupJackknife(groups=16),
        level=0.9,
    ),
    peers=[SAME, OTHER],
    rules=DisclosureRules(min_peers_mean=3, max_share=0.5),
    targets=[
        Target(score=70),
        Target(score=62.5, organization="one", channel="app", due=date(2026, 6, 30)),
        Target(score=PeerStatistic(statistic="p90", peers=SAME), dimension="openness"),
        Target(score=GradeCut(grade="A", scale=GRADES)),
        Target(score=RoleModel(organization="two"), channel="blog", item="q1"),
        Target(score=CLOSURE, due=date(2027, 6, 30)),
    ],
    layout=Layout(
        organization="firm", weight="w", columns={"q1": "Q 1"}, keep=["age"], duplicates="last"
    ),
)
REPORT = CheckReport(
    findings=(
        Finding(
            code="few_respondents",
            severity="warning",
            message="few",
            count=2,
            rows=[3, 5],
            values=["one", 7, 0.5],
        ),
    ),
    rows=9,
    answers=20,
)


def definitions() -> dict[str, object]:
    """One definition of every kind of document, by its file's name."""
    return {
        "balanced-repeated-replication": BalancedRepeatedReplication(fay=0.3, center="mean"),
        "band": Band(grade="A", at_least=70),
        "bootstrap": Bootstrap(replicates=200, kind="canty-davison", rng=7),
        "best-worst-weights": BestWorstWeights(
            {"kim": {"blog": {"app": 2, "video": 6.5}}}, {"kim": {"video": {"app": 3}}}
        ),
        "budget-weights": BudgetWeights(
            {"kim": {"blog": 60, "app": 40}, "이": {"blog": 55.5, "app": 44.5}}
        ),
        "channel": FRAMEWORK.channels[0],
        "check-report": REPORT,
        "critic-weights": CriticWeights(scaling="points"),
        "deviation-weights": DeviationWeights(measure="coefficient of variation"),
        "dimension": FRAMEWORK.dimensions[0],
        "disclosure-rules": RECIPE.rules,
        "entropy-weights": EntropyWeights(counting="respondents"),
        "equal-weights": EqualWeights(),
        "factor-weights": FactorWeights(retain="share", components=2, rotation="none"),
        "fixed-weights": SCHEME.channels,
        "framework": FRAMEWORK,
        "gap-closure": CLOSURE,
        "grade-cut": GradeCut(grade="S", scale=GRADES),
        "grade-scale": GRADES,
        "group-jackknife": GroupJackknife(groups=16),
        "index-method": RECIPE.method,
        "item-column": RECIPE.layout.columns[0],
        "jackknife": Jackknife(center="mean"),
        "label": Label(ko="블로그", en="Blog"),
        "layout": RECIPE.layout,
        "linearization": Linearization(correction="design", lonely="adjust"),
        "organization": STUDY.organizations[0],
        "outcome-weights": OutcomeWeights("q1", method="regression"),
        "pairwise-weights": PairwiseWeights(
            {"kim": {"openness": {"usefulness": 0.5}}, "lee": {}},
            method="geometric mean",
            random_index="alonso-lamata",
        ),
        "peer-group": OTHER,
        "peer-statistic": PeerStatistic(statistic="best"),
        "powers": Powers(items=0, dimensions=1, channels=-0.5),
        "preset": scsi_2017(),
        "rank-order-weights": RankOrderWeights({"blog": 1, "app": 2}, method="sum"),
        "recipe": RECIPE,
        "replicate-weights": ReplicateWeights(
            columns=("w1", "w2"), scale=0.5, replicate_scales=(1, 0.75), combined=False
        ),
        "role-model": RoleModel(organization="two"),
        "scale": Scale(low=0, high=10, conversion="fraction of top", missing=[-1]),
        "study": STUDY,
        "survey-item": FRAMEWORK.items[1],
        "swing-weights": SwingWeights({"kim": {"blog": 10, "app": 4}}, top=10),
        "target": RECIPE.targets[1],
        "weighting-scheme": SCHEME,
    }


def results() -> dict[str, object]:
    """One result of every kind of document, by its file's name."""
    index = IndexResult.from_scores(
        {
            "organization": ["one", "two", "three", "one", "two"],
            "channel": ["blog", "blog", "blog", "app", "app"],
            "openness": [60.0, 55.5, 40.0, 70.0, float("nan")],
            "usefulness": [50.0, 52.0, 41.0, 64.0, 58.0],
            "error": [1.5, 2.0, float("nan"), 1.0, 2.5],
        },
        STUDY,
        channel="channel",
        standard_errors={"usefulness": "error", "openness": "error"},
        scheme=SCHEME,
    )
    rules = DisclosureRules(min_peers_mean=1, min_peers_rank=1)
    benchmarks = compare_to_peers(index, by=PeerGroup(key="everyone"), rules=rules)
    gaps = find_gaps(index, [Target(score=60), Target(score=70, channel="blog")], rules=rules)
    return {
        "estimates": index.channels,
        "index-result": index,
        "benchmark-result": benchmarks,
        "gap-result": gaps,
        "findings": Findings(index=index, benchmarks=benchmarks, gaps=gaps),
    }


def document(value: object) -> dict[str, object]:
    """The plain data of a document."""
    return json.loads(to_json(value))


def faults(text: str | bytes) -> tuple[tuple[str, str], ...]:
    """The faults of a document that cannot be read."""
    with pytest.raises(SchemaError) as caught:
        from_json(text)
    return caught.value.faults


def changed(value: object, *path: str | int, to: object) -> str:
    """A document with one place changed."""
    whole = document(value)
    place: dict = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return json.dumps(whole)


# -- round trips ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", definitions())
def test_definitions_come_back_equal(name: str) -> None:
    value = definitions()[name]
    again = from_json(to_json(value))
    assert type(again) is type(value)
    assert again == value


def assert_same_numbers(one: object, other: object) -> None:
    """Equal in every array, number and text; factors are not compared."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype.kind == other.dtype.kind
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same_numbers(a, b)
    elif attrs.has(type(one)):
        for field in attrs.fields(type(one)):
            if field.name != "factor":
                assert_same_numbers(getattr(one, field.name), getattr(other, field.name))
    else:
        assert one == other


@pytest.mark.parametrize("name", results())
def test_results_come_back_with_equal_numbers(name: str) -> None:
    value = results()[name]
    text = to_json(value)
    again = from_json(text)
    assert_same_numbers(again, value)
    assert to_json(again) == text


def test_results_that_were_read_keep_intervals_but_refuse_covariances() -> None:
    index = results()["index-result"]
    again = from_json(to_json(index))
    np.testing.assert_array_equal(again.index.low, index.index.low)
    np.testing.assert_array_equal(
        again.estimates(channel="blog").variance, index.estimates(channel="blog").variance
    )
    with pytest.raises(MethodError, match="run the recipe again"):
        again.index.covariance()
    with pytest.raises(MethodError, match="run the recipe again"):
        compare_to_peers(again, by=PeerGroup(key="everyone"))


def test_findings_write_their_index_once_and_share_it_again() -> None:
    findings = results()["findings"]
    written = document(findings)
    assert "result" not in written["benchmarks"]
    assert "result" not in written["gaps"]
    again = from_json(to_json(findings))
    assert again.benchmarks.result is again.index
    assert again.gaps.result is again.index
    bare = Findings(index=findings.index, benchmarks=None, gaps=None)
    assert from_json(to_json(bare)).gaps is None


def test_a_fault_of_the_index_in_findings_is_told_once() -> None:
    text = changed(results()["findings"], "index", "source", to="hearsay")
    assert [path for path, _ in faults(text)] == ["index.source"]


def test_documents_are_standard_json() -> None:
    def refuse(token: str) -> None:
        raise AssertionError(token)

    estimates = Estimates.independent([50.0, np.nan], [1.0, np.nan])
    written = json.loads(to_json(estimates), parse_constant=refuse)
    assert written["values"] == [50.0, None]
    assert written["degrees_of_freedom"] == ["inf", 0.0]


def test_defaults_are_written_unless_they_are_nothing() -> None:
    assert document(Scale()) == {
        "sotongindex": "scale",
        "schema": 1,
        "low": 1,
        "high": 7,
        "conversion": "linear",
    }


def test_what_is_no_definition_is_refused() -> None:
    with pytest.raises(MethodError, match="got dict"):
        to_json({"study": 1})


def test_what_is_not_a_number_is_not_written() -> None:
    with pytest.raises(MethodError, match="got nan"):
        to_json(Powers(items=float("nan")))


@attrs.frozen
class Faulty:
    """A record whose making fails for a reason that is no fault of the document."""

    number: int

    def __attrs_post_init__(self) -> None:
        raise TypeError(self.number)


def test_a_mistake_of_the_library_is_not_blamed_on_the_document() -> None:
    text = '{"sotongindex": "faulty", "schema": 1, "number": 7}'
    with pytest.raises(TypeError, match="7"):
        read_document(text, {"faulty": Faulty}, make_converter())


# -- golden documents ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", definitions())
def test_golden_definitions_of_version_1(name: str) -> None:
    text = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    value = definitions()[name]
    assert from_json(text) == value
    assert to_json(value) == text


@pytest.mark.parametrize("name", results())
def test_golden_results_of_version_1_can_be_read(name: str) -> None:
    text = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    again = from_json(text)
    assert type(again) is type(results()[name])
    index = from_json((GOLDEN / "index-result.json").read_text(encoding="utf-8")).index
    np.testing.assert_allclose(index.values[:2], [58.6, 55.03], rtol=1e-12)


def test_every_golden_document_is_tested() -> None:
    names = {path.stem for path in GOLDEN.glob("*.json")}
    assert names == definitions().keys() | results().keys()


# -- broken documents ----------------------------------------------------------------------------

ITEM = ("framework", "items", 1)

BROKEN = {
    "text for a number": (STUDY, (*ITEM, "scale", "high"), "10", 'expected a number, got "10"'),
    "true for a number": (STUDY, (*ITEM, "scale", "low"), True, "expected a number, got true"),
    "a fraction for a whole number": (
        STUDY,
        (*ITEM, "scale", "boxes"),
        7.9,
        "expected a whole number, got 7.9",
    ),
    "7.0 for a whole number": (STUDY, (*ITEM, "scale", "boxes"), 7.0, "a whole number, got 7.0"),
    "true for a whole number": (STUDY, (*ITEM, "scale", "boxes"), True, "a whole number, got true"),
    "1 for true": (STUDY, (*ITEM, "reverse"), 1, "expected true or false, got 1"),
    "a number for text": (STUDY, ("framework", "version"), 2025, "expected text, got 2025"),
    "null for text": (STUDY, ("key",), None, "expected text, got null"),
    "text for a list": (STUDY, (*ITEM, "channels"), "blog", 'expected a list, got "blog"'),
    "an object for a list": (STUDY, ("organizations",), {}, "expected a list, got {}"),
    "a list for an object": (STUDY, ("framework",), [], "expected an object, got []"),
    "text for a label": (STUDY, (*ITEM, "label"), "q2", 'expected an object, got "q2"'),
    "a list for a key": (STUDY, ("organizations", 1, "key"), [], "expected text, got []"),
    "a number in a list": (STUDY, (*ITEM, "channels", 0), 3, "expected text, got 3"),
    "pairs for an object": (
        STUDY,
        ("organizations", 0, "attributes"),
        [["region", "north"]],
        "expected an object",
    ),
    "a value that is no text": (
        STUDY,
        ("organizations", 0, "attributes", "region"),
        1,
        "expected text, got 1",
    ),
    "a choice that does not exist": (
        STUDY,
        (*ITEM, "scale", "conversion"),
        "linea",
        "did you mean 'linear'?",
    ),
    "a misspelt key": (STUDY, ("framework", "itmes"), [], "unknown key; did you mean 'items'?"),
    "an unknown dimension": (
        STUDY,
        (*ITEM, "dimension"),
        "usefullness",
        "unknown dimension 'usefullness'; did you mean 'usefulness'?",
    ),
    "an unknown channel of an item": (STUDY, (*ITEM, "channels", 0), "blgo", "mean 'blog'?"),
    "an unknown channel of an organization": (
        STUDY,
        ("organizations", 0, "channels", 1),
        "ap",
        "unknown channel 'ap'; did you mean 'app'?",
    ),
    "a scale that contradicts itself": (
        STUDY,
        (*ITEM, "scale", "low"),
        12,
        "expected low below high, got 12 and 10",
    ),
    "an unknown kind": (
        RECIPE,
        ("scheme", "channels", "kind"),
        "fixed-weight",
        "did you mean 'fixed-weights'?",
    ),
    "a kind that is no text": (RECIPE, ("method", "variance", "kind"), 5, "got 5"),
    "a weight that is true": (
        RECIPE,
        ("scheme", "channels", "weights", "blog"),
        True,
        "expected a number, got true",
    ),
    "a negative weight": (RECIPE, ("scheme", "channels", "weights", "blog"), -1, "0 or more"),
    "a date of another form": (RECIPE, ("targets", 1, "due"), "30.06.2026", 'got "30.06.2026"'),
    "a day that does not exist": (RECIPE, ("targets", 1, "due"), "2026-02-30", "expected a date"),
    "text for a score": (RECIPE, ("targets", 0, "score"), "70", 'expected a number, got "70"'),
    "an unknown grade": (RECIPE, ("targets", 3, "score", "grade"), "B", "unknown grade 'B'"),
    "a method's bad number": (RECIPE, ("method", "variance", "groups"), 1, "expected 2 or more"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_document_names_the_path(case: str) -> None:
    value, path, bad, message = BROKEN[case]
    ((where, what),) = faults(changed(value, *path, to=bad))
    dotted = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
    # What contradicts itself is at fault as a whole: the constructor names the field.
    assert where == dotted
    assert message in what


def test_a_missing_key_is_named() -> None:
    whole = document(STUDY)
    del whole["framework"]["items"][2]["key"]
    assert faults(json.dumps(whole)) == (("framework.items[2].key", "is missing"),)


def test_faults_of_judges_have_their_paths() -> None:
    rule = BudgetWeights({"kim": {"blog": 60, "app": 40}})
    recipe = attrs.evolve(RECIPE, scheme=WeightingScheme(channels=rule))
    assert faults(changed(rule, "points", "kim", "blog", to=-1)) == (
        ("points.kim.blog", "expected a number of 0 or more for 'blog', got -1"),
    )
    assert faults(changed(rule, "points", "kim", to=50)) == (
        ("points.kim", "expected an object, got 50"),
    )
    path = ("scheme", "channels", "points", "kim")
    assert faults(changed(recipe, *path, to={"blgo": 60, "app": 40})) == (
        ("scheme.channels.points.kim.blgo", "unknown channel 'blgo'; did you mean 'blog'?"),
    )
    ((_, short),) = faults(changed(recipe, *path, to={"blog": 60, "app": 30}))
    assert "add up to 90, expected 100" in short


def test_a_record_of_unknown_kind_says_what_it_could_be() -> None:
    ((where, what),) = faults(changed(RECIPE, "scheme", "items", to={}))
    assert where == "scheme.items.kind"
    assert '"equal-weights", "fixed-weights", "budget-weights", ' in what
    assert what.endswith("got none")
    ((where, what),) = faults(changed(RECIPE, "targets", 0, "score", to={}))
    assert (where, what) == ("targets[0].score", 'expected an object with a "kind", got {}')
    ((where, what),) = faults(changed(RECIPE, "scheme", "items", to="equal"))
    assert (where, what) == ("scheme.items", 'expected an object with a "kind", got "equal"')


def test_every_fault_is_told_at_once_in_the_order_of_the_document() -> None:
    whole = document(RECIPE)
    study = whole["study"]
    study["framework"]["items"][0]["dimension"] = "opennes"
    study["framework"]["items"][1]["scale"]["high"] = "10"
    study["framework"]["items"][2]["colour"] = "red"
    study["organizations"][0]["channels"] = ["blgo", "apps"]
    del study["organizations"][1]["key"]
    whole["scheme"]["channels"]["weights"] = {"blog": 60, "apq": 40}
    whole["scheme"]["dimensions"]["app"] = {"kind": "fixed-weights", "weights": {"use": 1}}
    whole["peers"][0]["same"] = ["industri"]
    whole["targets"][1]["organization"] = "ones"
    whole["targets"][2]["score"]["peers"]["same"] = ["regoin"]
    whole["layout"]["columns"][0]["item"] = "q9"
    whole["lay-out"] = {}
    assert [path for path, _ in faults(json.dumps(whole))] == [
        "study.framework.items[0].dimension",
        "study.framework.items[1].scale.high",
        "study.framework.items[2].colour",
        "study.organizations[0].channels[0]",
        "study.organizations[0].channels[1]",
        "study.organizations[1].key",
        "scheme.channels.weights.apq",
        "scheme.dimensions.app.weights.use",
        "peers[0].same[0]",
        "targets[1].organization",
        "targets[2].score.peers.same[0]",
        "targets[4].score.organization",
        "layout.columns[0].item",
        "lay-out",
    ]


def test_a_key_used_twice_has_the_path_of_the_second() -> None:
    ((where, what),) = faults(changed(STUDY, "organizations", 1, "key", to="one"))
    assert where == "organizations"
    assert what == "key 'one' is used twice"
    ((where, what),) = faults('{"sotongindex": "label", "schema": 1, "ko": "a", "ko": "b"}')
    assert (where, what) == ("ko", "this key is used twice")


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", "document", "not valid JSON"),
        (b"\xff\xfe\x00", "document", "not valid JSON"),
        ("[" * 100_000, "document", "not valid JSON"),
        ("[1]", "document", "expected an object, got [1]"),
        ('{"sotongindex": "scale", "schema": 1, "low": NaN}', "document", "NaN is not standard"),
        ('{"sotongindex": "scale", "schema": 1, "low": 1e999}', "low", "expected a number"),
        (f'{{"sotongindex": "scale", "schema": 1, "low": {"9" * 400}}}', "low", "expected a num"),
        ('{"sotongindex": "scale", "schema": 1, "low": "inf"}', "low", "expected a finite number"),
        ('{"sotongindex": "scale", "schema": 1, "boxes": 2}', "boxes", "give the number of boxes"),
        ('{"schema": 1}', "sotongindex", "got nothing"),
        ('{"sotongindex": "stdy", "schema": 1}', "sotongindex", "did you mean 'study'?"),
        ('{"sotongindex": ["study"], "schema": 1}', "sotongindex", 'got ["study"]'),
        ('{"sotongindex": "scale"}', "schema", "expected 1, got nothing"),
        ('{"sotongindex": "scale", "schema": 2}', "schema", "upgrade sotongindex"),
        ('{"sotongindex": "scale", "schema": true}', "schema", "expected 1, got true"),
        ('{"sotongindex": "group-jackknife", "schema": 1, "groups": 1}', "groups", "2 or more"),
    ],
)
def test_what_is_no_document_is_refused(text: str | bytes, where: str, what: str) -> None:
    ((path, message),) = faults(text)
    assert path == where
    assert what in message


@pytest.mark.parametrize(
    "bad",
    [
        "fifty",
        50.0,
        ["50", "60"],
        [True, False],
        [[1.0, 2.0], [3.0]],
        [{"a": 1}, 2.0],
        ["nan", 1.0],
    ],
)
def test_arrays_are_read_strictly(bad: object) -> None:
    text = changed(Estimates.independent([50.0, 60.0], [1.0, 1.0]), "values", to=bad)
    ((path, message),) = faults(text)
    assert path == "values"
    assert message.startswith("expected an array of numbers")


def test_arrays_of_other_shapes_are_refused() -> None:
    text = changed(Estimates.independent([50.0, 60.0], [1.0, 1.0]), "variance", to=[1.0])
    ((path, message),) = faults(text)
    assert path == "variance"
    assert "expected the shape of the values" in message
