"""Wider groups, nearest organizations, the mix of respondents, best practice, differencing."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from support import small_study

from sotongindex.benchmark import DisclosureRules, compare_to_peers
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import compute_index
from sotongindex.models import Organization, PeerGroup
from sotongindex.peer_groups import (
    adjust_for_mix,
    best_practice,
    group_differencing,
    nearest_peers,
    report_differencing,
    widen_peers,
)
from sotongindex.responses import Responses
from sotongindex.results import IndexResult
from sotongindex.standing import assess_standing

LOOSE = DisclosureRules(
    min_peers_mean=1,
    min_peers_rank=1,
    max_share=1.0,
    min_respondents_show=1,
    min_respondents_compare=1,
)


def scored(
    organizations: list[Organization], scores: list[float] | None = None, **more: Any
) -> IndexResult:
    values = np.array(scores or np.arange(len(organizations)) + 50.0, dtype=float)
    study = small_study(organizations)
    frame = {"organization": list(study.organization_keys), "d1": values, "error": values * 0 + 1}
    return IndexResult.from_scores(
        frame | more, study, standard_errors={"d1": "error"}, respondents=next(iter(more), None)
    )


def of_industries(*industries: str | None, sector: str | None = None) -> list[Organization]:
    return [
        Organization(key=f"o{n}", industry=industry, sector=sector)
        for n, industry in enumerate(industries)
    ]


# -- wider groups ----------------------------------------------------------------------------------


def test_a_small_industry_is_widened_to_its_sector_and_then_to_everyone() -> None:
    organizations = [
        *(Organization(key=f"a{n}", industry="a", sector="x") for n in range(4)),
        *(Organization(key=f"b{n}", industry="b", sector="x") for n in range(2)),
        *(Organization(key=f"c{n}", industry="c", sector="y") for n in range(2)),
        Organization(key="d"),
    ]
    found = widen_peers(scored(organizations), minimum=3)
    assert found.groups == (*["industry"] * 4, *["sector"] * 2, *["everyone"] * 3)
    assert found.others.tolist() == [3, 3, 3, 3, 5, 5, 8, 8, 8]
    assert found.peers_of("b0") == ("a0", "a1", "a2", "a3", "b1")
    assert found.reasons.tolist() == [""] * 9
    assert found.to_rows()[8] == {
        "organization": "d", "peers": "everyone", "others": 8, "farthest": None, "reason": None,
    }  # fmt: skip
    assert str(found) == (
        "peers of 9 organizations (everyone: 3, industry: 4, sector: 2); 0 with too few"
    )


def test_only_peers_that_can_be_compared_make_a_group_large_enough() -> None:
    organizations = of_industries(*["a"] * 4, *["b"] * 4)
    scores = [50.0, 51.0, 52.0, np.nan, 54.0, 55.0, 56.0, 57.0]
    respondents = np.array([100, 100, 5, 100, 100, 100, 100, 100.0])
    found = widen_peers(scored(organizations, scores, n=respondents), minimum=3)
    assert found.groups == (*["everyone"] * 4, *["industry"] * 4)
    assert found.others[0] == 5


def test_the_widest_group_is_kept_with_a_reason() -> None:
    found = widen_peers(scored(of_industries("a", "a", "b")))
    assert found.groups == ("everyone",) * 3
    assert found.reasons.tolist() == ["few peers"] * 3
    lacking = widen_peers(scored(of_industries("a", "a", None)), ["industry"], minimum=1)
    assert lacking.reasons.tolist() == ["", "", "few peers"]
    assert lacking.peers_of("o2") == ()


def test_ladders_are_of_any_peers() -> None:
    def neighbours(own: Organization, other: Organization) -> bool:
        return abs(int(own.key[1:]) - int(other.key[1:])) == 1

    group = PeerGroup(key="first", where={"industry": ["a"]})
    found = widen_peers(scored(of_industries("a", "a", "b", "b")), [neighbours, group], minimum=2)
    assert found.groups == ("first", "neighbours", "neighbours", "first")
    assert found.peers_of("o3") == ("o0", "o1")


def test_impossible_ladders_are_refused() -> None:
    result = scored(of_industries("a", "b"))
    with pytest.raises(MethodError, match="ladder"):
        widen_peers(result, [])
    with pytest.raises(MethodError, match="minimum"):
        widen_peers(result, minimum=0)
    with pytest.raises(DefinitionError, match="sector"):
        widen_peers(result, ["sector"])


def test_an_assignment_serves_a_comparison_and_another_wave() -> None:
    result = scored(of_industries(*["a"] * 3, *["b"] * 2))
    found = widen_peers(result, minimum=2)
    comparison = compare_to_peers(result, found, rules=LOOSE).comparison()
    assert comparison.peers == "widened"
    assert comparison.others.tolist() == found.others.tolist() == [2, 2, 2, 4, 4]
    page = found._repr_html_()
    assert "the same industry" in page
    assert "everyone else" in page
    # Next wave one organization is gone and another is new: nobody was assigned to it.
    later = scored(
        [
            *of_industries(*["a"] * 3, *["b"] * 2)[1:],
            Organization(key="new", industry="a"),
        ]
    )
    standing = assess_standing(later, found, rules=LOOSE)
    assert standing.groups == ("industry", "industry", "everyone", "everyone", "")
    assert standing.others.tolist() == [1, 1, 3, 3, 0]
    assert standing.reasons.tolist() == ["", "", "", "", "unknown attribute"]
    beside = compare_to_peers(later, found, rules=LOOSE).comparison()
    assert beside.others.tolist() == standing.others.tolist()


# -- nearest organizations -------------------------------------------------------------------------


def test_gowers_distance_by_hand() -> None:
    organizations = [
        Organization(key="a", industry="x", size=0, channels=["blog"]),
        Organization(key="b", industry="x", size=np.e - 1, channels=["blog"]),
        Organization(key="c", industry="y", size=np.e**2 - 1),
    ]
    found = nearest_peers(scored(organizations), count=1, rules=LOOSE)
    # a and b: same industry, half the range of log sizes, same channels.
    assert found.farthest[:2] == pytest.approx([0.5 / 3, 0.5 / 3])
    # Of c no channels are known: industry 1 and size 1/2 beside b.
    assert found.farthest[2] == pytest.approx(0.75)
    assert found.peers_of("c") == ("b",)
    weighted = nearest_peers(
        scored(organizations), {"industry": 3.0, "size": 1.0}, count=2, rules=LOOSE
    )
    assert weighted.farthest == pytest.approx([1.0, 3.5 / 4, 1.0])


def test_channels_differ_by_the_share_that_only_one_operates() -> None:
    study = small_study(["a", "b", "c"], channels=["blog", "video"])
    organizations = [
        attrs.evolve(one, channels=channels)
        for one, channels in zip(
            study.organizations, (["blog"], ["blog", "video"], ["video"]), strict=True
        )
    ]
    result = of_study(attrs.evolve(study, organizations=organizations))
    found = nearest_peers(result, ["channels"], count=1, rules=LOOSE)
    assert found.farthest.tolist() == [0.5, 0.5, 0.5]
    assert found.peers_of("b") == ("a", "c")


def of_study(study: Any) -> IndexResult:
    rows = [(one.key, channel) for one in study.organizations for channel in one.channels]
    frame = {
        "organization": [key for key, _ in rows],
        "channel": [channel for _, channel in rows],
        "d1": np.linspace(40, 60, len(rows)),
    }
    return IndexResult.from_scores(frame, study, channel="channel")


def test_equally_near_organizations_are_all_peers_and_unknown_ones_none() -> None:
    organizations = of_industries("a", "a", "a", "b", None)
    found = nearest_peers(scored(organizations), count=1, rules=LOOSE)
    assert found.others.tolist() == [2, 2, 2, 3, 0]
    assert found.reasons.tolist() == ["", "", "", "", "few peers"]
    assert np.isnan(found.farthest[4])
    assert (found.farthest[:4] == [0, 0, 0, 1]).all()


def test_organizations_without_a_score_are_not_the_nearest() -> None:
    scores = [50.0, np.nan, 52.0]
    found = nearest_peers(scored(of_industries("a", "a", "b"), scores), count=1, rules=LOOSE)
    assert found.peers_of("o0") == ("o2",)


def test_one_size_for_all_is_no_distance() -> None:
    organizations = [Organization(key=key, size=5) for key in "abc"]
    assert nearest_peers(scored(organizations), count=2, rules=LOOSE).farthest.tolist() == [0] * 3


@pytest.mark.parametrize(
    ("attributes", "count", "match"),
    [
        (None, 0, "count"),
        ([], 1, "attributes"),
        ({"industry": 0.0}, 1, "attributes"),
        ({"industry": np.inf}, 1, "attributes"),
    ],
)
def test_impossible_distances_are_refused(attributes: Any, count: int, match: str) -> None:
    with pytest.raises(MethodError, match=match):
        nearest_peers(scored(of_industries("a", "b")), attributes, count=count)


def test_an_unknown_attribute_is_told_with_the_nearest() -> None:
    organizations = [Organization(key="a", attributes={"region": "north"}), Organization(key="b")]
    with pytest.raises(DefinitionError, match="did you mean 'region'"):
        nearest_peers(scored(organizations), ["regio"])
    found = nearest_peers(
        scored([*organizations, Organization(key="c", attributes={"region": "north"})]),
        ["region"],
        count=1,
        rules=LOOSE,
    )
    assert found.peers_of("a") == ("c",)


# -- groups that give a member away ----------------------------------------------------------------


def test_two_groups_that_differ_by_one_give_it_away() -> None:
    seven = [f"o{n}" for n in range(7)]
    groups = {"all": seven, "old": seven[:6], "small": seven[:4], "other": [*seven[:5], "x"]}
    notices = group_differencing(groups)
    assert [(notice.code, notice.keys) for notice in notices] == [("differencing", ("o6",))]
    assert "'all' and 'old' differ by 1 of 7" in notices[0].message
    assert group_differencing({"all": seven, "same": seven}) == ()
    assert len(group_differencing(groups, least=4, rules=LOOSE)) == 4


def test_a_report_with_two_groups_is_searched_for_everyone() -> None:
    # In industry a the sector holds one organization more, in industry c two.
    organizations = [
        *(Organization(key=f"a{n}", industry="a", sector="x") for n in range(6)),
        Organization(key="b", industry="b", sector="x"),
        *(Organization(key=f"c{n}", industry="c", sector="y") for n in range(6)),
        *(Organization(key=f"d{n}", industry="d", sector="y") for n in range(2)),
    ]
    result = scored(organizations)
    (notice,) = report_differencing(result, ["industry", "sector"])
    assert notice.keys == tuple(f"a{n}" for n in range(6))
    assert "fewer than 2 more" in notice.message
    two = report_differencing(result, ["industry", "sector"], least=3)[0].keys
    assert two == (*(f"a{n}" for n in range(6)), *(f"c{n}" for n in range(6)))
    # Everyone but the other industries is the industry: for d, one other organization.
    (notice,) = report_differencing(result, ["other industries", "everyone"])
    assert notice.keys == ("d0", "d1")
    assert report_differencing(result, ["industry"]) == ()


# -- best practice ---------------------------------------------------------------------------------


def test_the_best_within_and_outside() -> None:
    organizations = of_industries("a", "a", "a", "b", "b")
    result = scored(organizations, [50.0, 60.0, 55.0, 70.0, 40.0])
    found = best_practice(result, named=True, rules=LOOSE)
    assert found.within.best.tolist() == [60, 55, 60, 40, 70]
    assert found.outside.best.tolist() == [70, 70, 70, 60, 60]
    assert found.within.organization.tolist() == ["o1", "o2", "o1", "o4", "o3"]
    assert found.outside.organization.tolist() == ["o3", "o3", "o3", "o1", "o1"]
    assert found.within.distance.values.tolist() == [-10, 5, -5, 30, -30]
    np.testing.assert_allclose(found.within.distance.standard_error, np.sqrt(2))
    higher = found.within.probability_higher
    assert higher[0] > 0.99
    assert higher[3] < 0.01
    rows = found.to_rows()
    assert len(rows) == 10
    assert rows[5]["where"] == "outside"
    assert rows[5]["best_organization"] == "o3"
    assert "other industries" in found._repr_html_()
    sectors = attrs.evolve(found, attribute="sector")._repr_html_()
    assert "other industries" not in sectors
    assert "outside" in sectors


def test_the_best_of_too_few_is_not_shown_nor_named() -> None:
    result = scored(of_industries("a", "a", "a", *["b"] * 12))
    found = best_practice(result)
    assert found.within.reasons[:3].tolist() == ["few peers"] * 3
    assert np.isnan(found.within.best[:3]).all()
    assert found.outside.best[:3].tolist() == [64.0] * 3
    assert set(found.outside.organization) == {None}
    named = best_practice(result, named=True)
    assert named.within.organization[:3].tolist() == [None] * 3
    assert named.outside.organization[0] == "o14"


# -- the mix of respondents ------------------------------------------------------------------------


def mixed(rows: list[tuple[str, str, float]], **more: Any) -> Responses:
    """Answers of (organization, age, answer), each by a respondent of its own."""
    organizations = list(dict.fromkeys(organization for organization, *_ in rows))
    study = small_study(of_keys(organizations))
    responses = Responses.from_arrays(
        study,
        answers=np.array([[answer] for *_, answer in rows], dtype=float),
        organization=np.array([organization for organization, *_ in rows]),
        respondent=np.arange(len(rows)),
        **more,
    )
    return attrs.evolve(responses, kept={"age": np.array([age for _, age, _ in rows])})


def of_keys(keys: list[str]) -> list[Organization]:
    return [Organization(key=key, industry="all") for key in keys]


# The young give 7 and 5, the old 3 and 1; a has half of each, b mostly young, c mostly old.
PEOPLE = [
    *[("a", "young", 7), ("a", "young", 5), ("a", "old", 3), ("a", "old", 1)],
    *[("b", "young", 7), ("b", "young", 5), ("b", "young", 6), ("b", "old", 2)],
    *[("c", "young", 6), ("c", "old", 3), ("c", "old", 1), ("c", "old", 2)],
]


def adjust(responses: Responses, **more: Any) -> Any:
    return adjust_for_mix(responses, "a", by="age", **{"rules": LOOSE, **more})


def test_peers_with_the_own_mix_score_as_by_hand() -> None:
    found = adjust(mixed(PEOPLE))
    assert found.categories == ("old", "young")
    assert found.own_shares.tolist() == [0.5, 0.5]
    assert found.peer_shares.tolist() == [0.5, 0.5]
    # Answers 6 and 2, half and half: 4 of 1 to 7.
    assert found.adjusted.values.item() == pytest.approx(50.0)
    assert found.plain.values.item() == pytest.approx(100 * (5 + 3 - 2) / 12)
    assert found.distance.values.item() == pytest.approx(0.0)
    assert found.effect.values.item() == pytest.approx(0.0)
    assert found.others == 2
    assert found.reason == ""
    assert found.notices == ()


@pytest.mark.parametrize("mixing", ["organizations", "respondents"])
def test_a_pure_difference_of_mix_disappears(mixing: Any) -> None:
    rows = [row for row in PEOPLE if row[0] != "c"] + [("d", "young", 6), ("d", "young", 6)]
    rows += [("d", "old", 2), ("d", "young", 6)]
    found = adjust(mixed(rows), mixing=mixing)
    assert found.plain.values.item() == pytest.approx(100 * 4 / 6)
    assert found.adjusted.values.item() == pytest.approx(50.0)
    assert found.effect.values.item() == pytest.approx(-100 / 6)
    assert found.peer_shares.tolist() == [0.25, 0.75]


def test_respondents_are_pooled_as_the_student_survey_does() -> None:
    rows = [*PEOPLE, ("c", "old", 4), ("c", "old", 4)]
    weights = np.linspace(1, 2, len(rows))
    found = adjust(mixed(rows, weight=weights), mixing="respondents")
    table = [(*row, weight) for row, weight in zip(rows, weights, strict=True)]
    own = {age: sum(w for o, g, _, w in table if o == "a" and g == age) for age in ("old", "young")}
    expected = 0.0
    for age, mass in own.items():
        cell = [(answer, w) for o, g, answer, w in table if o != "a" and g == age]
        mean = sum(answer * w for answer, w in cell) / sum(w for _, w in cell)
        expected += mass / sum(own.values()) * 100 * (mean - 1) / 6
    assert found.adjusted.values.item() == pytest.approx(expected)


def test_the_error_of_the_distance_is_that_of_score_and_peers() -> None:
    found = adjust(mixed(PEOPLE))
    error = np.hypot(found.score.standard_error, found.adjusted.standard_error)
    assert found.distance.standard_error == pytest.approx(error)
    assert found.effect.standard_error < np.hypot(
        found.plain.standard_error, found.adjusted.standard_error
    )


def test_one_mix_for_all_changes_nothing() -> None:
    rows = [(o, age, a) for o, _, a in PEOPLE for age in ("young", "old")]
    found = adjust(mixed(rows))
    assert found.effect.values.item() == pytest.approx(0.0)
    assert found.effect.standard_error.item() == pytest.approx(0.0, abs=1e-9)


def test_peers_without_a_category_are_named_and_those_without_any_left_out() -> None:
    rows = [*PEOPLE, *[("d", "young", 4)] * 3, *[("e", "", 4)] * 3]
    found = adjust(mixed(rows))
    assert found.categories == ("", "old", "young")
    assert {notice.code: notice.keys for notice in found.notices} == {
        "mix not found": ("e",),
        "category missing": ("d",),
    }
    assert found.others == 3
    assert found.adjusted.values.item() == pytest.approx((50 + 50 + 50) / 3)
    assert "mix not found" not in str(found)
    assert "left out" in found._repr_html_()


def test_numbers_are_categories_too() -> None:
    responses = mixed(PEOPLE)
    ages = np.where(responses.kept["age"] == "old", 60.0, np.nan)
    found = adjust(attrs.evolve(responses, kept={"age": ages}))
    assert found.categories == ("60", "")
    assert found.adjusted.values.item() == pytest.approx(50.0)


def test_few_or_dominating_peers_are_not_shown() -> None:
    few = adjust_for_mix(mixed(PEOPLE), "a", by="age")
    assert few.reason == "few respondents"
    rules = attrs.evolve(LOOSE, min_peers_mean=3)
    assert adjust(mixed(PEOPLE), rules=rules).reason == "few peers"
    # One of three peers cannot be weighted: two are left.
    lost = adjust(mixed([*PEOPLE, *[("e", "", 4)] * 3]), rules=rules)
    assert lost.reason == "few peers"
    found = adjust(mixed(PEOPLE), mixing="respondents", rules=attrs.evolve(LOOSE, max_share=0.4))
    assert found.reason == "dominated"
    assert [row["value"] for row in found.to_rows()] == [None] * 5
    assert str(found) == "a beside industry: dominated"
    assert np.isnan(found.score.values)


def test_one_channel_has_its_own_mix() -> None:
    study = small_study(of_keys(["a", "b"]), channels=["blog", "video"])
    rows = [
        ("a", "blog", "young", 7), ("a", "blog", "young", 5), ("a", "video", "old", 1),
        ("b", "blog", "young", 6), ("b", "blog", "young", 4), ("b", "blog", "old", 1),
        ("b", "blog", "old", 2), ("b", "video", "old", 3), ("a", "video", "old", 3),
        ("b", "video", "old", 5),
    ]  # fmt: skip
    responses = Responses.from_arrays(
        study,
        answers=np.array([[row[3]] for row in rows], dtype=float),
        organization=np.array([row[0] for row in rows]),
        channel=np.array([row[1] for row in rows]),
        respondent=np.arange(len(rows)),
    )
    responses = attrs.evolve(responses, kept={"age": np.array([row[2] for row in rows])})
    found = adjust(responses, channel="blog", dimension="d1")
    assert found.own_shares.tolist() == [0.0, 1.0]
    assert found.adjusted.values.item() == pytest.approx(100 * 4 / 6)
    assert compute_index(responses).estimates(channel="blog").values[1] == pytest.approx(37.5)


def test_mistakes_are_told() -> None:
    responses = mixed(PEOPLE)
    with pytest.raises(DefinitionError, match="unknown organization 'z'"):
        adjust_for_mix(responses, "z", by="age")
    with pytest.raises(MethodError, match=r"'age'.*keep="):
        adjust_for_mix(responses, "a", by="gender")
    with pytest.raises(MethodError, match="nothing"):
        adjust_for_mix(attrs.evolve(responses, kept={}), "a", by="gender")
    with pytest.raises(MethodError, match="mixing"):
        adjust(responses, mixing="people")


def test_rows_text_and_notebook_of_an_adjustment() -> None:
    found = adjust(mixed(PEOPLE))
    rows = found.to_rows()
    assert [row["figure"] for row in rows] == ["score", "plain", "adjusted", "distance", "effect"]
    assert rows[0]["value"] == found.score.values
    assert str(found).startswith("a beside 2 peers (industry) with its own mix of age: +0.00")
    assert "Mean" in found._repr_html_()
