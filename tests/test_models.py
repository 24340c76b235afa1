from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotongindex import models
from sotongindex.errors import DefinitionError
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

BLOG, FACEBOOK = Channel(key="blog"), Channel(key="facebook")
OPENNESS, USEFULNESS = Dimension(key="openness"), Dimension(key="usefulness")
Q1 = SurveyItem(key="q1", dimension="openness")
Q2 = SurveyItem(key="q2", dimension="usefulness", channels=["facebook"])
GRADES = GradeScale(key="2025", bands={"A": 70, "S": 90})


def framework(**changes: Any) -> Framework:
    parts = {
        "channels": [BLOG, FACEBOOK],
        "dimensions": [OPENNESS, USEFULNESS],
        "items": [Q1, Q2],
    }
    return Framework(key="mini", version="1", **(parts | changes))


def study(**changes: Any) -> Study:
    parts = {"framework": framework(), "organizations": [Organization(key="a")]}
    return Study(key="mini", **(parts | changes))


EXAMPLES = [
    Label(ko="블로그", en="Blog"),
    Scale(missing=[9]),
    BLOG,
    OPENNESS,
    Q2,
    framework(),
    Organization(key="a", attributes={"region": "north"}),
    study(),
    PeerGroup(key="same", same="industry", where={"size": ["large"]}),
    Band(grade="S", at_least=90),
    GRADES,
    PeerStatistic(statistic="median"),
    GradeCut(grade="A", scale=GRADES),
    GapClosure(since=date(2026, 1, 1), benchmark=80.0),
    RoleModel(organization="kt"),
    Target(score=70, due=date(2027, 1, 1)),
]


# -- all records ---------------------------------------------------------------------------------


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda record: type(record).__name__)
def test_records_are_frozen_values_with_a_hash(record: Any) -> None:
    twin = attrs.evolve(record)
    assert twin == record
    assert hash(twin) == hash(record)
    name = attrs.fields(type(record))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(record, name, None)


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda record: type(record).__name__)
def test_records_take_keywords_only(record: Any) -> None:
    values = attrs.asdict(record, recurse=False)
    with pytest.raises(TypeError, match="positional"):
        type(record)(*values.values())


def test_every_record_class_has_an_example() -> None:
    classes = {name for name in models.__all__ if attrs.has(getattr(models, name))}
    assert classes == {type(record).__name__ for record in EXAMPLES}


# -- what cannot be made -------------------------------------------------------------------------

# The call, the field at fault, the value at fault, the nearest value that would do.
BAD: dict[str, tuple[Callable[[], object], str, object, str | None]] = {
    "key empty": (lambda: Channel(key=""), "Channel.key", "", None),
    "key Korean": (lambda: Channel(key="블로그"), "Channel.key", "블로그", None),
    "key padded": (lambda: Dimension(key=" a"), "Dimension.key", " a", None),
    "key with a line break": (lambda: Dimension(key="a\nb"), "Dimension.key", "a\nb", None),
    "key too long": (
        lambda: Organization(key="a" * 101),
        "Organization.key",
        "a" * 101,
        None,
    ),
    "key a number": (lambda: Organization(key=7), "Organization.key", 7, None),
    "item key": (lambda: SurveyItem(key="", dimension="d"), "SurveyItem.key", "", None),
    "framework key": (lambda: attrs.evolve(framework(), key=""), "Framework.key", "", None),
    "study key": (lambda: attrs.evolve(study(), key=None), "Study.key", None, None),
    "peer group key": (lambda: PeerGroup(key="\t"), "PeerGroup.key", "\t", None),
    "grade scale key": (lambda: attrs.evolve(GRADES, key=""), "GradeScale.key", "", None),
    "label language": (
        lambda: Channel(key="a", label={"eng": "Blog"}),
        "Label",
        "eng",
        "en",
    ),
    "scale upside down": (lambda: Scale(low=7, high=1), "Scale.low", None, None),
    "scale of one point": (lambda: Scale(low=1, high=1), "Scale.low", None, None),
    "low not finite": (lambda: Scale(low=float("-inf")), "Scale.low", float("-inf"), None),
    "high text": (lambda: Scale(high="7"), "Scale.high", "7", None),
    "low a truth value": (lambda: Scale(low=True), "Scale.low", True, None),
    "conversion misspelt": (
        lambda: Scale(conversion="top-box"),
        "Scale.conversion",
        "top-box",
        "top box",
    ),
    "fraction of top below zero": (
        lambda: Scale(low=-3, high=3, conversion="fraction of top"),
        "Scale.conversion",
        "fraction of top",
        None,
    ),
    "top box without boxes": (lambda: Scale(conversion="top box"), "Scale.boxes", None, None),
    "boxes without top box": (lambda: Scale(boxes=2), "Scale.boxes", 2, None),
    "no box": (lambda: Scale(conversion="top box", boxes=0), "Scale.boxes", 0, None),
    "every box": (lambda: Scale(conversion="top box", boxes=7), "Scale.boxes", 7, None),
    "missing code inside": (lambda: Scale(missing=[9, 7]), "Scale.missing", 7, None),
    "no channel": (lambda: framework(channels=[]), "Framework.channels", None, None),
    "no dimension": (lambda: framework(dimensions=()), "Framework.dimensions", None, None),
    "no item": (lambda: framework(items=iter([])), "Framework.items", None, None),
    "channel twice": (lambda: framework(channels=[BLOG, BLOG]), "Framework.channels", "blog", None),
    "dimension twice": (
        lambda: framework(dimensions=[OPENNESS, OPENNESS]),
        "Framework.dimensions",
        "openness",
        None,
    ),
    "item twice": (lambda: framework(items=[Q1, Q2, Q1]), "Framework.items", "q1", None),
    "unknown dimension": (
        lambda: framework(items=[Q1, Q2, SurveyItem(key="q3", dimension="opennes")]),
        "Framework.items[q3].dimension",
        "opennes",
        "openness",
    ),
    "unknown channel of an item": (
        lambda: framework(items=[Q1, attrs.evolve(Q2, channels="face_book")]),
        "Framework.items[q2].channels",
        "face_book",
        "facebook",
    ),
    "channel without item": (
        lambda: framework(items=[attrs.evolve(Q1, channels=["facebook"]), Q2]),
        "Framework.channels",
        "blog",
        None,
    ),
    "dimension without item": (
        lambda: framework(items=[Q1]),
        "Framework.dimensions",
        "usefulness",
        None,
    ),
    "size negative": (lambda: Organization(key="a", size=-1), "Organization.size", None, None),
    "size not a number": (
        lambda: Organization(key="a", size="large"),
        "Organization.size",
        "large",
        None,
    ),
    "attribute that is a field": (
        lambda: Organization(key="a", attributes={"sector": "public"}),
        "Organization.attributes",
        "sector",
        None,
    ),
    "no organization": (lambda: study(organizations=[]), "Study.organizations", None, None),
    "organization twice": (
        lambda: study(organizations=[Organization(key="a"), Organization(key="a", size=1)]),
        "Study.organizations",
        "a",
        None,
    ),
    "unknown channel of an organization": (
        lambda: study(organizations=[Organization(key="a", channels="blogs")]),
        "Study.organizations[a].channels",
        "blogs",
        "blog",
    ),
    "bound not finite": (
        lambda: GradeScale(key="g", bands={"S": float("nan")}),
        "Band.at_least",
        ...,
        None,
    ),
    "no band": (lambda: GradeScale(key="g", bands=()), "GradeScale.bands", None, None),
    "grade twice": (
        lambda: GradeScale(key="g", bands=[Band(grade="S", at_least=b) for b in (80, 90)]),
        "GradeScale.bands",
        "S",
        None,
    ),
    "bound twice": (
        lambda: GradeScale(key="g", bands={"S": 80, "A": 80.0}),
        "GradeScale.bands",
        "80",
        None,
    ),
    "statistic misspelt": (
        lambda: PeerStatistic(statistic="p57"),
        "PeerStatistic.statistic",
        "p57",
        "p75",
    ),
    "unknown grade": (lambda: GradeCut(grade="B", scale=GRADES), "GradeCut.grade", "B", None),
    "target below 0": (lambda: Target(score=-0.1), "Target.score", -0.1, None),
    "target above 100": (lambda: Target(score=101), "Target.score", 101, None),
    "target not a number": (lambda: Target(score=float("nan")), "Target.score", ..., None),
    "target text": (lambda: Target(score="median"), "Target.score", "median", None),
    "target truth value": (lambda: Target(score=True), "Target.score", True, None),
}


@pytest.mark.parametrize(("make", "field", "key", "nearest"), BAD.values(), ids=BAD)
def test_a_contradiction_cannot_be_made(
    make: Callable[[], object], field: str, key: object, nearest: str | None
) -> None:
    with pytest.raises(DefinitionError) as caught:
        make()
    assert caught.value.field == field
    # ... stands for NaN, which equals nothing.
    assert key is ... or (caught.value.key, type(caught.value.key)) == (key, type(key))
    assert caught.value.nearest == nearest
    assert str(caught.value).startswith(field)


# -- what is accepted, and as what it is stored --------------------------------------------------


@pytest.mark.parametrize("key", ["a", "company-001", "two words", "~", "a" * 100])
def test_keys_are_printable_ascii(key: str) -> None:
    assert Channel(key=key).key == key


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (None, None),
        (Label(en="Blog"), Label(en="Blog")),
        ("Blog", Label(ko="Blog", en="Blog")),
        ({"ko": "블로그"}, Label(ko="블로그")),
        ({"ko": "블로그", "en": "Blog"}, Label(ko="블로그", en="Blog")),
    ],
)
def test_a_label_may_be_text_or_a_mapping(given: Any, stored: Label | None) -> None:
    assert Channel(key="blog", label=given).label == stored


@pytest.mark.parametrize(
    ("label", "ko", "en"),
    [
        (Label(ko="블로그", en="Blog"), "블로그", "Blog"),
        (Label(ko="블로그"), "블로그", "블로그"),
        (Label(en="Blog"), "Blog", "Blog"),
        (Label(ko="", en="Blog"), "Blog", "Blog"),
        (Label(), None, None),
    ],
)
def test_a_missing_language_falls_back_to_the_other(
    label: Label, ko: str | None, en: str | None
) -> None:
    assert (label.text("ko"), label.text("en"), label.text()) == (ko, en, en)


@pytest.mark.parametrize(
    "make",
    [
        lambda label: Channel(key="blog", label=label),
        lambda label: Dimension(key="blog", label=label),
        lambda label: SurveyItem(key="blog", dimension="openness", label=label),
        lambda label: Organization(key="blog", label=label),
    ],
)
def test_the_name_is_the_label_or_else_the_key(make: Callable[[Any], Any]) -> None:
    labelled = make({"ko": "블로그", "en": "Blog"})
    assert (labelled.name("ko"), labelled.name("en"), labelled.name()) == ("블로그", "Blog", "Blog")
    assert make(None).name("ko") == "blog"
    assert make(Label()).name("ko") == "blog"


def test_sequences_are_stored_as_tuples() -> None:
    parts = framework()
    assert parts.channels == (BLOG, FACEBOOK)
    assert parts.items == (Q1, Q2)
    assert Scale(missing=[0, 9]).missing == (0, 9)
    assert study(organizations=iter([Organization(key="a")])).organization_keys == ("a",)


def test_a_lone_text_is_one_key_not_its_letters() -> None:
    assert SurveyItem(key="q", dimension="d", channels="blog").channels == ("blog",)
    assert Organization(key="a", channels="blog").channels == ("blog",)
    group = PeerGroup(key="g", same="industry", different="sector", where={"size": "large"})
    assert (group.same, group.different) == (("industry",), ("sector",))
    assert group.where == (("size", ("large",)),)


def test_mappings_are_stored_as_sorted_pairs_so_that_order_does_not_matter() -> None:
    one = Organization(key="a", attributes={"b": "1", "a": "2"})
    two = Organization(key="a", attributes=[("a", "2"), ("b", "1")])
    assert one == two
    assert one.attributes == (("a", "2"), ("b", "1"))
    pairs = [("z", ["1"]), ("y", ["2", "3"])]
    assert PeerGroup(key="g", where=pairs) == PeerGroup(key="g", where=dict(pairs))


def test_scale_bounds_of_top_boxes() -> None:
    assert Scale(conversion="top box", boxes=1).boxes == 1
    assert Scale(conversion="top box", boxes=6).boxes == 6


# -- framework and study -------------------------------------------------------------------------


def test_framework_tells_keys_and_positions_in_order() -> None:
    parts = framework(items=[Q2, Q1])
    assert parts.channel_keys == ("blog", "facebook")
    assert parts.dimension_keys == ("openness", "usefulness")
    assert parts.item_keys == ("q2", "q1")
    assert parts.item_dimensions == (1, 0)
    assert parts.asked == ((False, True), (True, True))


def test_an_organization_may_operate_no_channel_or_not_say() -> None:
    silent, none = Organization(key="a"), Organization(key="b", channels=())
    assert study(organizations=[silent, none]).organization_keys == ("a", "b")
    assert (silent.channels, none.channels) == (None, ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("industry", "telecom"),
        ("sector", "company"),
        ("region", "north"),
        ("blank", None),
        ("unknown", None),
    ],
)
def test_attributes_are_asked_for_by_one_method(name: str, value: str | None) -> None:
    organization = Organization(
        key="a",
        industry="telecom",
        sector="company",
        attributes={"region": "north", "blank": ""},
    )
    assert organization.attribute(name) == value


def test_a_blank_industry_is_not_known() -> None:
    assert Organization(key="a", industry="").attribute("industry") is None
    assert Organization(key="a").attribute("sector") is None


# -- grades and targets --------------------------------------------------------------------------


def test_bands_are_stored_best_first() -> None:
    assert [band.grade for band in GRADES.bands] == ["S", "A"]
    assert GradeScale(key="2025", bands=reversed(GRADES.bands)) == GRADES


@pytest.mark.parametrize(
    ("score", "grade"),
    [
        (100, "S"),
        (90, "S"),
        (90 - 1e-10, "S"),
        (90 - 1e-8, "A"),
        (70, "A"),
        (69.9, None),
        (float("nan"), None),
    ],
)
def test_bounds_of_grades_are_inclusive(score: float, grade: str | None) -> None:
    assert GRADES.grade(score) == grade


@pytest.mark.parametrize(("grade", "score"), [("S", 90), ("A", 70)])
def test_a_grade_cut_is_the_bound_of_its_grade(grade: str, score: float) -> None:
    assert GradeCut(grade=grade, scale=GRADES).score == score


@pytest.mark.parametrize(
    "score", [0, 100, 56.1, PeerStatistic(statistic="p75"), GradeCut(grade="A", scale=GRADES)]
)
def test_a_target_is_points_or_set_by_peers_or_grades(score: Any) -> None:
    assert Target(score=score).score == score


def test_a_peer_statistic_is_about_everyone_unless_told() -> None:
    assert PeerStatistic(statistic="best").peers == PeerGroup(key="everyone")


# -- laws ----------------------------------------------------------------------------------------

points = st.floats(0, 100)
ladders = st.lists(points, min_size=1, max_size=8, unique_by=lambda bound: f"{bound:g}")


def position(scale: GradeScale, score: float) -> int:
    """Return how many bands lie above the score's own: 0 is best."""
    grades = [band.grade for band in scale.bands]
    grade = scale.grade(score)
    return len(grades) if grade is None else grades.index(grade)


@given(ladders, points, points)
def test_a_higher_score_never_has_a_lower_grade(
    bounds: list[float], one: float, other: float
) -> None:
    scale = GradeScale(key="g", bands={f"grade {bound!r}": bound for bound in bounds})
    assert position(scale, max(one, other)) <= position(scale, min(one, other))


@given(ladders)
def test_every_bound_earns_a_grade_at_least_its_own(bounds: list[float]) -> None:
    scale = GradeScale(key="g", bands={f"grade {bound!r}": bound for bound in bounds})
    for rank, band in enumerate(scale.bands):
        assert position(scale, band.at_least) <= rank
    assert scale.grade(min(bounds) - 1e-6) is None


@given(
    st.permutations(
        [Band(grade=grade, at_least=b) for grade, b in zip("SABC", (9, 7, 5, 3), strict=True)]
    )
)
def test_the_order_in_which_bands_are_given_does_not_matter(bands: list[Band]) -> None:
    assert GradeScale(key="g", bands=bands) == GradeScale(key="g", bands=bands[::-1])


names = st.text("abc", min_size=1, max_size=3)


@given(st.dictionaries(names, st.lists(names, min_size=1)), st.randoms())
def test_the_order_of_conditions_does_not_matter(conditions: Any, random: Any) -> None:
    pairs = list(conditions.items())
    random.shuffle(pairs)
    assert PeerGroup(key="g", where=pairs) == PeerGroup(key="g", where=conditions)


@given(st.text(max_size=120))
def test_a_key_is_either_kept_as_it_is_or_refused(key: str) -> None:
    usable = key.isascii() and key.isprintable() and key == key.strip() and 0 < len(key) <= 100
    if usable:
        assert Channel(key=key).key == key
    else:
        with pytest.raises(DefinitionError, match=r"Channel\.key"):
            Channel(key=key)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Scale(missing=["9"]), "Scale.missing"),
        (lambda: Scale(missing=[float("nan")]), "Scale.missing"),
        (lambda: Scale(conversion="top box", boxes=1.5), "Scale.boxes"),
        (lambda: Channel(key="blog", label=5), "Label"),
        (lambda: Label(ko=5), "Label.ko"),
        (lambda: Channel(key="blog", kind=5), "Channel.kind"),
        (lambda: SurveyItem(key="q", dimension="d", scale=None), "SurveyItem.scale"),
        (lambda: SurveyItem(key="q", dimension="d", reverse="no"), "SurveyItem.reverse"),
        (lambda: SurveyItem(key="q", dimension=None), "SurveyItem.dimension"),
        (
            lambda: SurveyItem(key="q", dimension="d", channels=["b", "b"]),
            "SurveyItem.channels",
        ),
        (lambda: Organization(key="a", industry=5), "Organization.industry"),
        (lambda: Organization(key="a", channels=[5]), "Organization.channels"),
        (lambda: Organization(key="a", attributes={"x": None}), "Organization.attributes"),
        (lambda: Study(key="s", framework=None, organizations=[]), "Study.framework"),
        (lambda: PeerGroup(key="p", same="x", different="x"), "PeerGroup.different"),
        (lambda: PeerStatistic(statistic="mean", peers="x"), "PeerStatistic.peers"),
        (lambda: Target(score=50, organization=7), "Target.organization"),
        (lambda: GradeScale(key="g", bands=[Band(grade=5, at_least=1)]), "Band.grade"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_its_field(make, field):
    with pytest.raises(DefinitionError) as caught:
        make()
    assert caught.value.field == field


def test_a_framework_of_nothing_or_of_names_cannot_be_made():
    channels, dimensions = [Channel(key="blog")], [Dimension(key="d")]
    items = [SurveyItem(key="q", dimension="d")]
    for name, part in (("channels", []), ("dimensions", ["d"]), ("items", [])):
        parts = {"channels": channels, "dimensions": dimensions, "items": items, name: part}
        with pytest.raises(DefinitionError) as caught:
            Framework(key="f", version="1", **parts)
        assert caught.value.field == f"Framework.{name}"
    with pytest.raises(DefinitionError, match="str"):
        Framework(key="f", version=None, channels=channels, dimensions=dimensions, items=items)


def test_bounds_that_differ_at_all_are_two_bounds():
    scale = GradeScale(key="g", bands={"A": 70.00002, "B": 70.00001})
    assert scale.grade(70.000015) == "B"
