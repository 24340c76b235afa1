"""Why an index changed: terms by hand, terms that add up, and what entered and left."""

from __future__ import annotations

import re
from typing import Any

import attrs
import numpy as np
import pytest
from test_html import parse
from waves import LOOSE, answered, published, study_of

from sotongindex._html import view_html
from sotongindex.change import Decomposition, compare_waves, decompose_change, decompose_mean
from sotongindex.errors import MethodError
from sotongindex.index import IndexMethod, Powers, blend
from sotongindex.models import Organization
from sotongindex.results import IndexResult
from sotongindex.weighting import DeviationWeights, FixedWeights, WeightingScheme

# Four channels of a service desk; rate and mix by Kitagawa, from the base, and by log means.
SHARES = ([0.3, 0.25, 0.3, 0.15], [0.25, 0.15, 0.45, 0.15])
SCORES = ([70.0, 78.0, 62.0, 85.0], [72.0, 77.0, 66.0, 84.0])
GOLDEN = {
    "symmetric": ([0.55, -0.2, 1.5, -0.15], [0.0425, -0.565, -1.1775, 0.0]),
    "base": ([0.6, -0.25, 1.2, -0.15], [0.0925, -0.615, -1.4775, 0.0]),
    "logarithmic": (
        [0.5482468906059556, -0.19586859395460957, 1.482900675900456, -0.15],
        [-3.548246890605953, -7.754131406045392, 9.61709932409954, 0.0],
    ),
}


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def adds_up(found: Decomposition) -> None:
    shown = found.reasons == ""
    assert shown.any()
    total = found.effects.values.sum(axis=1)
    np.testing.assert_allclose(total[shown], found.change.values[shown], rtol=0, atol=1e-11)
    np.testing.assert_allclose(
        found.mean_effects.values.sum(), found.mean_change.values, rtol=0, atol=1e-11
    )
    if found.by_cell is not None:
        cells = np.nansum(found.by_cell.values, axis=(1, 2))
        np.testing.assert_allclose(cells[shown], found.effects.values[shown, 0], atol=1e-11)
    # The errors add up too: the terms' sum has the error of the change.
    count = found.change.size
    summed = found.effects.transform(np.kron(np.eye(count), np.ones(len(found.terms))))
    np.testing.assert_allclose(summed.variance[shown], found.change.variance[shown], atol=1e-10)


def term(found: Decomposition, name: Any) -> np.ndarray:
    return found.effects.values[:, found.terms.index(name)]


# -- arrays --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", GOLDEN)
def test_rate_and_mix_of_four_channels(rule: Any) -> None:
    found = decompose_mean(*SCORES, shares_before=SHARES[0], shares_after=SHARES[1], rule=rule)
    np.testing.assert_allclose(found.rate, GOLDEN[rule][0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.mix, GOLDEN[rule][1], rtol=0, atol=1e-12)
    interaction = [-0.1, 0.1, 0.6, 0.0] if rule == "base" else np.zeros(4)
    np.testing.assert_allclose(found.interaction, interaction, rtol=0, atol=1e-12)
    assert found.change == pytest.approx(0.0, abs=1e-12)
    if rule == "symmetric":
        np.testing.assert_allclose([found.rate.sum(), found.mix.sum()], [1.7, -1.7])


def test_many_means_at_once() -> None:
    scores = rng().uniform(0, 100, (2, 5, 3))
    shares = rng(2).dirichlet(np.ones(3), (2, 5))
    found = decompose_mean(*scores, shares_before=shares[0], shares_after=shares[1])
    np.testing.assert_allclose((found.rate + found.mix).sum(axis=1), found.change)
    np.testing.assert_allclose(found.change, (scores[1] * shares[1] - scores[0] * shares[0]).sum(1))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"rule": "kitagawa"}, "rule: expected one of 'symmetric', 'base', 'logarithmic'"),
        ({"shares_before": [0.5, 0.4]}, "shares_before: expected shares of 0 or more that add up"),
        ({"shares_after": [1.5, -0.5]}, "shares_after: expected shares of 0 or more"),
        ({"before": [np.nan, 1.0]}, "before: expected finite scores"),
        ({"before": [0.0, 1.0], "rule": "logarithmic"}, 'the rule "logarithmic" needs scores'),
    ],
)
def test_what_is_no_mean_is_refused(more: dict[str, Any], message: str) -> None:
    halves = [0.5, 0.5]
    given = {"before": [1.0, 2.0], "after": [2.0, 3.0], "shares_before": halves}
    given |= {"shares_after": halves, **more}
    with pytest.raises(MethodError, match=re.escape(message)):
        decompose_mean(given.pop("before"), given.pop("after"), **given)


# -- scores and weights --------------------------------------------------------------------------


def channels(scores: list[float], shares: dict[str, float], errors: float = 1.0) -> IndexResult:
    """One organization with published scores of channels."""
    study = study_of(["a"], channels=list(shares), items=[("q1", "d1")])
    frame = {
        "organization": ["a"] * len(scores),
        "channel": list(shares),
        "d1": scores,
        "error": [errors] * len(scores),
    }
    return IndexResult.from_scores(
        frame,
        study,
        channel="channel",
        standard_errors={"d1": "error"},
        scheme=WeightingScheme(channels=FixedWeights(shares)),
    )


def test_scores_and_channel_weights_are_kitagawas_split() -> None:
    keys = ("email", "phone", "web", "branch")
    before, after = (
        channels(scores, dict(zip(keys, shares, strict=True)))
        for scores, shares in zip(SCORES, SHARES, strict=True)
    )
    found = decompose_change(before, after)
    adds_up(found)
    assert term(found, "scores").item() == pytest.approx(1.7, abs=1e-9)
    assert term(found, "channel weights").item() == pytest.approx(-1.7, abs=1e-9)
    assert found.by_cell is not None
    np.testing.assert_allclose(found.by_cell.values[0, :, 0], GOLDEN["symmetric"][0], atol=1e-9)
    # The error of the rate: mean shares, both waves independent.
    mean = np.mean(SHARES, axis=0)
    expected = np.sqrt(2 * (mean**2).sum())
    assert found.effects.standard_error[0, 0] == pytest.approx(expected)


def test_weights_of_dimensions_and_items_are_a_term() -> None:
    study = study_of()
    first = WeightingScheme(dimensions=FixedWeights({"d1": 0.8, "d2": 0.2}))
    second = WeightingScheme(items=FixedWeights({"q1": 0.9, "q2": 0.1, "q3": 1.0}))
    found = decompose_change(
        answered(study, rng(1), scheme=first), answered(study, rng(2), scheme=second)
    )
    adds_up(found)
    assert (np.abs(term(found, "dimension and item weights")) > 0).all()
    assert (term(found, "channel weights") == 0).all()


@pytest.mark.parametrize(
    "method",
    [
        IndexMethod(power=0.0),
        IndexMethod(power=Powers(items=1.0, dimensions=2.0, channels=-1.0)),
        IndexMethod(order="respondents first"),
        IndexMethod(absent_channels="zero"),
        IndexMethod(min_answers=30, min_share=0.3),
    ],
)
def test_terms_add_up_under_any_method(method: IndexMethod) -> None:
    changing = Organization(key="b", channels=["blog"])
    scheme = WeightingScheme(channels=FixedWeights({"blog": 0.7, "video": 0.3}))
    early = answered(study_of(["a", changing, "c"]), rng(1), method=method)
    late = answered(study_of(["a", "b", "c"]), rng(2), method=method, scheme=scheme)
    found = decompose_change(early, late)
    adds_up(found)
    assert term(found, "channels entered")[1] != 0
    assert (term(found, "channels entered")[[0, 2]] == 0).all()
    assert (found.by_cell is None) == (method.power != Powers())


def test_the_terms_of_the_same_wave_are_0_with_error_0() -> None:
    wave = answered(study_of(), rng())
    found = decompose_change(wave, wave)
    np.testing.assert_allclose(found.effects.values, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.effects.variance, 0.0, atol=1e-12)


def test_scores_of_a_blend_decompose_by_source() -> None:
    study = study_of()
    waves = [
        blend(
            {"mystery": (answered(study, rng(n)), 0.5), "web": (answered(study, rng(n + 9)), 0.5)}
        )
        for n in (1, 2)
    ]
    found = decompose_change(*waves)
    adds_up(found)
    assert found.dimensions == ("mystery", "web")


def test_other_people_have_other_errors() -> None:
    study = study_of()
    early, late = answered(study, rng(1)), answered(study, rng(2))
    apart = decompose_change(early, late, respondents="different")
    adds_up(apart)
    assert (
        decompose_change(early, late).effects.variance[:, 0] < apart.effects.variance[:, 0]
    ).all()


# -- what enters and leaves ----------------------------------------------------------------------


def test_a_channel_that_enters_by_hand() -> None:
    before = channels([60.0, 50.0], {"blog": 0.5, "video": 0.5})
    with_app = channels([60.0, 50.0, 85.0], {"blog": 0.4, "video": 0.4, "app": 0.2})
    framework = attrs.evolve(with_app.study.framework, version="2")
    after = attrs.evolve(with_app, study=attrs.evolve(with_app.study, framework=framework))
    found = decompose_change(before, after)
    adds_up(found)
    # The weights of blog and video beside each other are as before; the app is 30 above their mean.
    assert term(found, "channels entered").item() == pytest.approx(0.2 * 30)
    assert (term(found, "scores"), term(found, "channel weights")) == (0.0, 0.0)
    back = decompose_change(after, before)
    assert term(back, "channels left").item() == pytest.approx(-0.2 * 30)


def test_items_that_enter_and_leave() -> None:
    early = answered(study_of(), rng(1))
    items = [("q1", "d1"), ("q3", "d2"), ("q4", "d2"), ("q5", "d3")]
    late = answered(study_of(items=items, version="2"), rng(2))
    found = decompose_change(early, late)
    adds_up(found)
    assert (np.abs(term(found, "items entered")) > 0).all()
    assert (np.abs(term(found, "items left")) > 0).all()
    assert found.dimensions == ("d1", "d2", "d3")


def test_a_new_item_that_scores_as_its_dimension_does_changes_nothing() -> None:
    early = answered(study_of(["a"], ["blog"], [("q1", "d1")]), rng(1))
    late = answered(study_of(["a"], ["blog"], [("q1", "d1"), ("q2", "d1")], version="2"), rng(1))
    same = late.items.values.copy()
    same[0, 0, :] = early.items.values[0, 0, 0]
    # Scores made equal by hand: the index of the later wave is then that of the earlier.
    cells = attrs.evolve(late.cells, values=early.cells.values)
    level = {
        name: attrs.evolve(getattr(late, name), values=getattr(early, name).values)
        for name in ("index", "channels", "dimensions")
    }
    items = attrs.evolve(late.items, values=same)
    equal = attrs.evolve(late, items=items, cells=cells, **level)
    found = decompose_change(early, equal)
    np.testing.assert_allclose(found.effects.values, 0.0, atol=1e-12)


def test_a_channel_in_common_with_no_item_in_common() -> None:
    study = study_of(["a"], ["blog", "video"], [("q1", "d1"), ("q2", "d1")])

    def wave(asked: list[str], seed: int) -> IndexResult:
        items = [
            attrs.evolve(item, channels=channels)
            for item, channels in zip(study.framework.items, asked, strict=True)
        ]
        framework = attrs.evolve(study.framework, items=items)
        return answered(attrs.evolve(study, framework=framework), rng(seed))

    early, late = wave([["blog", "video"], ["blog"]], 1), wave([["blog"], ["video"]], 2)
    found = decompose_change(early, late)
    adds_up(found)
    # The video channel is in both waves, measured by other items: these left and entered.
    assert term(found, "channels entered").item() == term(found, "channels left").item() == 0
    assert term(found, "items left").item() != 0


def test_organizations_that_enter_and_leave_are_terms_of_the_mean() -> None:
    before = published({"a": 50, "b": 60, "gone": 10})
    after = published({"a": 54, "b": 60, "new": 90, "newer": 80})
    found = decompose_change(before, after)
    adds_up(found)
    mean = dict(zip(found.mean_terms, found.mean_effects.values, strict=True))
    assert mean["scores"] == pytest.approx(2.0)
    assert mean["organizations entered"] == pytest.approx(2 / 4 * (85 - 57))
    assert mean["organizations left"] == pytest.approx(1 / 3 * (55 - 10))
    assert found.mean_change.values == pytest.approx(71 - 40)
    assert found.mean_change.variance == pytest.approx(4 / 16 + 3 / 9)
    assert found.reasons.tolist() == ["", "", "only after", "only after", "only before"]


def test_nothing_in_common_is_leaving_and_entering() -> None:
    blog, video = (Organization(key="b", channels=[key]) for key in ("blog", "video"))
    found = decompose_change(
        answered(study_of(["a", blog]), rng(1)), answered(study_of(["a", video]), rng(2))
    )
    adds_up(found)
    assert found.reasons.tolist() == ["", "nothing in common"]
    assert np.isnan(found.effects.values[1]).all()
    assert not np.isnan(found.change.values[1])
    mean = dict(zip(found.mean_terms, found.mean_effects.values, strict=True))
    assert mean["organizations entered"] != 0
    assert mean["organizations left"] != 0


def test_nobody_in_both_waves() -> None:
    found = decompose_change(published({"a": 50}), published({"b": 60}))
    assert np.isnan(found.mean_effects.values).all()
    assert found.mean_change.values == pytest.approx(10)
    assert str(found).startswith("why the index changed: 0 of 2 organizations")


def test_missing_scores_have_a_reason() -> None:
    found = decompose_change(published({"a": 50, "b": np.nan}), published({"a": 51, "b": 60}))
    assert found.reasons.tolist() == ["", "missing score"]


# -- what cannot be told -------------------------------------------------------------------------


def test_unknown_errors_stay_unknown() -> None:
    found = decompose_change(published({"a": 50}, None), published({"a": 51}))
    assert found.effects.values[0, 0] == pytest.approx(1)
    assert np.isnan(found.effects.variance[0, 0])


def test_a_score_of_0_under_a_low_power_has_no_error() -> None:
    study = study_of(["a"], ["blog"], [("q1", "d1"), ("q2", "d2")])
    waves = []
    for score in (0.0, 10.0):
        frame = {"organization": ["a"], "d1": [score], "d2": [50.0], "error": [1.0]}
        waves.append(
            IndexResult.from_scores(
                frame,
                study,
                standard_errors={"d1": "error", "d2": "error"},
                method=IndexMethod(power=0.5),
            )
        )
    found = decompose_change(*waves)
    assert found.effects.values[0].sum() == pytest.approx(found.change.values[0])
    assert np.isnan(found.effects.variance[0]).all()


def test_different_methods_are_refused() -> None:
    study = study_of()
    early, late = answered(study, rng(1)), answered(study, rng(2), method=IndexMethod(power=0.0))
    with pytest.raises(MethodError, match="averaged by different methods, which no term stands"):
        decompose_change(early, late)


def test_an_index_given_beside_its_parts_is_refused() -> None:
    study = study_of(["a"], ["blog"], [("q1", "d1")])
    frame = {"organization": ["a"], "d1": [50.0], "total": [70.0]}
    given = IndexResult.from_scores(frame, study, index="total")
    with pytest.raises(MethodError, match=r"wave without a name is not made of its parts"):
        decompose_change(given, given)


# -- how it shows --------------------------------------------------------------------------------


def test_tables_and_pages() -> None:
    found = decompose_change(answered(study_of(), rng(1)), answered(study_of(), rng(2)))
    assert [row["term"] for row in found.to_rows()[:7]] == list(found.terms)
    assert len(found.to_rows("scores")) == 3 * 2 * 2
    assert found.to_rows("scores")[1]["dimension"] == "d2"
    assert found.to_rows("mean")[0]["organization"] == "all"
    assert found.to_frame("polars", table="mean").shape[0] == 9
    for language, words in (("ko", "점수 변화"), ("en", "changed scores")):
        page = view_html(found._view(language))  # type: ignore[arg-type]
        parse(page)
        assert words in page
    geometric = IndexMethod(power=0.0)
    waves = [answered(study_of(), rng(n), method=geometric) for n in (1, 2)]
    assert decompose_change(*waves).to_rows("scores") == []


def test_weights_that_were_learned_anew_are_a_term() -> None:
    rule = WeightingScheme(dimensions=DeviationWeights())
    items = [("q1", "d1"), ("q2", "d2"), ("q3", "d3")]
    waves = [
        answered(study_of(["a", "b", "c", "d"], items=items), rng(n), scheme=rule) for n in (1, 2)
    ]
    found = decompose_change(*waves)
    shown = found.reasons == ""
    total = found.effects.values.sum(axis=1)
    np.testing.assert_allclose(total[shown], found.change.values[shown], atol=1e-11)
    assert (np.abs(term(found, "dimension and item weights")) > 0).all()
    codes = [notice.code for notice in compare_waves(*waves, rules=LOOSE).notices]
    assert codes == ["weights changed"]
