"""Two ways to make an index from the same answers, compared."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from support import answered, small_study

from sotongindex.datasets import sample_panel
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import IndexMethod, IndexResult, compute_index
from sotongindex.method_comparison import _flips, compare_methods
from sotongindex.models import Study
from sotongindex.responses import Responses
from sotongindex.variance import Estimates, GroupJackknife
from sotongindex.weighting import FixedWeights, WeightingScheme

ITEMS = (("q1", "d1"), ("q2", "d2"))


def panel(people: int = 40, *, study: Study | None = None, order: str = "abc") -> Responses:
    """Answers with organization a strong in d1, b in d2, c in neither; each rated by all."""
    study = study or small_study(order, items=ITEMS)
    rng = np.random.default_rng(5)
    level = {"a": (6, 3), "b": (3, 5), "c": (2, 2)}
    rows = [
        (f"r{person}", key, "blog", *(np.clip(np.array(level[key]) + rng.integers(-1, 2, 2), 1, 7)))
        for person in range(people)
        for key in "abc"
    ]
    return answered(study, rows)


def weighted(first: float, **more: Any) -> IndexResult:
    scheme = WeightingScheme(dimensions=FixedWeights({"d1": first, "d2": 1 - first}))
    return compute_index(panel(**more), scheme=scheme)


# -- what differs --------------------------------------------------------------------------------


def test_a_flip_that_is_real() -> None:
    found = compare_methods(weighted(0.8), weighted(0.2))
    assert [change.field for change in found.changed] == ["scheme.dimensions.weights"]
    assert found.first_rank.tolist() == [1, 2, 3]
    assert found.second_rank.tolist() == [2, 1, 3]
    assert (len(found.flips), found.pairs) == (1, 3)
    assert found.real_flips.tolist() == [True]
    assert found.kendall == pytest.approx(1 / 3)
    assert found.spearman == pytest.approx(0.5)
    row = found.flip_rows()[0]
    assert (row["organization"], row["against"], row["real"]) == ("a", "b", True)
    assert row["first_difference"] > 0 > row["second_difference"]


def test_a_flip_within_the_errors_is_not_claimed() -> None:
    whole = weighted(0.5).dimensions.values
    tie = float(
        (whole[1, 1] - whole[0, 1]) / (whole[0, 0] - whole[1, 0] + whole[1, 1] - whole[0, 1])
    )
    found = compare_methods(weighted(tie + 0.001), weighted(tie - 0.001))
    assert len(found.flips) == 1
    assert found.flips.p[0] > 0.3
    assert not found.real_flips.any()


def test_differences_know_that_the_respondents_are_the_same() -> None:
    one, other = weighted(0.55), weighted(0.45)
    found = compare_methods(one, other)
    assert found.difference.values == pytest.approx(other.index.values - one.index.values)
    # 0.1 (d2 - d1), respondent by respondent: the same as the index of that contrast.
    step = one.dimensions.values @ [-0.1, 0.1]
    assert found.difference.values == pytest.approx(step)
    apart = np.hypot(one.index.standard_error, other.index.standard_error)
    assert (found.difference.standard_error < apart / 3).all()


def test_a_result_beside_itself() -> None:
    result = weighted(0.5)
    found = compare_methods(result, result)
    assert found.changed == ()
    assert found.difference.values.tolist() == [0, 0, 0]
    assert found.difference.standard_error == pytest.approx([0, 0, 0], abs=1e-6)
    assert (found.spearman, found.kendall, len(found.flips)) == (1, 1, 0)
    assert "nothing in the recipe" in str(found)


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        (IndexMethod(power=0.0), ["items", "dimensions", "channels"]),
        (IndexMethod(order="respondents first"), ["method.order"]),
        (IndexMethod(min_share=1.0), ["method.min_share"]),
    ],
)
def test_the_method_is_compared_field_by_field(method: IndexMethod, fields: list[str]) -> None:
    responses = panel()
    found = compare_methods(compute_index(responses), compute_index(responses, method=method))
    told = [change.field for change in found.changed]
    assert [name.removeprefix("method.power.") for name in told] == fields


def test_a_conversion_is_found_in_the_items() -> None:
    study = small_study("abc", items=ITEMS)
    items = [
        attrs.evolve(item, scale=attrs.evolve(item.scale, conversion="fraction of top"))
        for item in study.framework.items
    ]
    other = attrs.evolve(study, framework=attrs.evolve(study.framework, items=items))
    found = compare_methods(compute_index(panel()), compute_index(panel(study=other)))
    assert [(change.field, change.first, change.second) for change in found.changed] == [
        (f"items[{key}].scale.conversion", "'linear'", "'fraction of top'") for key in ("q1", "q2")
    ]


def test_other_answers_and_other_weights_are_told() -> None:
    result = weighted(0.5)
    fewer = compare_methods(result, weighted(0.5, people=30))
    assert [(c.field, c.first, c.second) for c in fewer.changed] == [("answers", "240", "180")]
    responses = panel()
    weight = np.where(np.arange(len(responses.respondent)) % 2, 1.0, 3.0)
    heavier = compute_index(attrs.evolve(responses, weight=weight))
    changed = compare_methods(compute_index(responses), heavier).changed
    assert [change.field for change in changed] == ["respondent weights"]


def test_part_of_the_index() -> None:
    found = compare_methods(weighted(0.8), weighted(0.2), dimension="d1")
    assert found.difference.values == pytest.approx([0, 0, 0])
    assert found.to_rows()[0]["dimension"] == "d1"
    with pytest.raises(DefinitionError, match="expected one of d1, d2"):
        compare_methods(weighted(0.8), weighted(0.2), dimension="d3")


# -- edges ---------------------------------------------------------------------------------------


def test_who_is_not_scored_in_both_is_left_out() -> None:
    study = small_study("ab", channels=("blog", "app"))
    rows = [(f"r{n}", key, "blog", 3 + n % 3) for n in range(5) for key in "ab"]
    rows += [(f"r{n}", "a", "app", 5) for n in range(5)]
    responses = answered(attrs.evolve(study, organizations=[
        attrs.evolve(one, channels=["blog", "app"]) for one in study.organizations
    ]), rows)  # fmt: skip
    lenient = compute_index(responses, method=IndexMethod(min_share=0.4))
    strict = compute_index(responses, method=IndexMethod(min_share=1.0))
    found = compare_methods(lenient, strict)
    assert found.reasons.tolist() == ["", "missing score"]
    assert np.isnan(found.first_rank[1])
    assert np.isnan(found.difference.values[1])
    assert found.pairs == 0
    assert np.isnan(found.kendall)
    assert [(notice.code, notice.keys) for notice in found.notices] == [
        ("not scored in both", ("b",))
    ]
    assert "note: organizations that are not scored in both" in str(found)


def published(scores: tuple[float, ...], errors: tuple[float, ...] | None = None) -> IndexResult:
    study = small_study(tuple("abcd"[: len(scores)]))
    frame = {"organization": list("abcd"[: len(scores)]), "d1": list(scores)}
    if errors:
        frame["error"] = list(errors)
    import pandas as pd

    given = {"d1": "error"} if errors else None
    return IndexResult.from_scores(pd.DataFrame(frame), study, standard_errors=given)


def test_scores_of_others_count_as_independent_with_a_notice() -> None:
    found = compare_methods(published((60, 50), (3, 4)), published((50, 60), (4, 3)))
    assert found.difference.standard_error == pytest.approx([5, 5])
    assert [notice.code for notice in found.notices] == ["no common respondents"]
    # One-sided: both distances are 10 with error 5.
    assert found.flips.p == pytest.approx([0.02275], abs=1e-5)


def test_unknown_errors_and_ties() -> None:
    found = compare_methods(published((60, 50, 50)), published((50, 60, 60)))
    assert len(found.flips) == 2
    assert np.isnan(found.flips.p).all()
    assert not found.real_flips.any()
    assert found.second_rank.tolist() == [3, 1, 1]
    assert found.flip_rows()[0]["p"] is None
    assert found.kendall == -1


def test_rank_correlations_of_four() -> None:
    # By hand: ranks 1 2 3 4 against 2 1 4 3: rho = 1 - 6 * 4 / 60, tau = (4 - 2) / 6.
    found = compare_methods(published((80, 70, 60, 50)), published((70, 80, 50, 60)))
    assert found.spearman == pytest.approx(0.6)
    assert found.kendall == pytest.approx(1 / 3)


def test_the_p_value_of_a_flip_keeps_its_level() -> None:
    rng = np.random.default_rng(2)
    pairs = 4000
    # In truth the first of a pair is level with the other in one result and behind in the second.
    results = tuple(
        Estimates.independent(rng.normal([ahead, 0.0], 1.0, (pairs, 2)).ravel(), 1.0, lower=-100.0)
        for ahead in (0.0, -8.0)
    )
    distance = results[0].values.reshape(pairs, 2) @ [1.0, -1.0]
    flipped = np.flatnonzero(distance > 0)
    flips = _flips(
        results, 2 * flipped, 2 * flipped + 1, pairs=pairs, adjustment="benjamini-hochberg"
    )
    claimed = (flips.p <= 0.05).sum() / pairs
    assert claimed == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / pairs))
    assert (flips.adjusted_p >= flips.p).all()


# -- shown ---------------------------------------------------------------------------------------


def test_rows_frames_text_and_html() -> None:
    responses = sample_panel(rng=1).responses
    geometric = compute_index(responses, method=IndexMethod(power=-2.0))
    found = compare_methods(compute_index(responses), geometric)
    assert len(found.to_rows()) == len(found.first.organizations)
    assert found.to_frame("polars").shape == (len(found.first.organizations), 12)
    text = str(found)
    assert "method.power.items: 1.0 -> -2.0" in text
    assert "0 beyond the errors (0.05 by benjamini-hochberg)" in text
    page = found._repr_html_()
    assert "Two ways to make the index" in page
    assert "지수를 만드는 두 방법" in page
    assert "method.power.items: 1.0 → -2.0" in page


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["key", "wave", "population"])
def test_other_studies_are_an_error(field: str) -> None:
    result = weighted(0.5)
    other = attrs.evolve(result, study=attrs.evolve(result.study, **{field: "other"}))
    name = "study" if field == "key" else field
    with pytest.raises(MethodError, match=f"expected two results of one {name}, got") as caught:
        compare_methods(result, other)
    assert caught.value.argument == "second"


def test_other_frameworks_are_an_error() -> None:
    result = weighted(0.5)
    framework = attrs.evolve(result.study.framework, key="other")
    other = attrs.evolve(result, study=attrs.evolve(result.study, framework=framework))
    with pytest.raises(MethodError, match="of one framework, got 'small' and 'other'"):
        compare_methods(result, other)


def test_other_organizations_are_an_error() -> None:
    result = published((60, 50))
    with pytest.raises(MethodError, match="1 are in one of them only, such as 'c'"):
        compare_methods(result, published((60, 50, 40)))
    with pytest.raises(MethodError, match="they are the same in another order"):
        compare_methods(weighted(0.5), weighted(0.5, order="bac"))


def test_errors_that_cannot_be_matched_are_an_error() -> None:
    responses = panel()
    other = compute_index(responses, method=IndexMethod(variance=GroupJackknife(groups=8)))
    with pytest.raises(MethodError, match="cannot be matched"):
        compare_methods(compute_index(responses), other)


def test_bad_settings() -> None:
    result = weighted(0.5)
    with pytest.raises(MethodError, match="expected a share between 0 and 1, got 0"):
        compare_methods(result, result, false_claims=0)
    with pytest.raises(MethodError, match="did you mean 'holm'"):
        compare_methods(result, result, adjustment="hol")  # type: ignore[arg-type]
