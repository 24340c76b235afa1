"""Alpha from a tally: as from the evaluations, by groups, at its edges; its coverage."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from support import answered, small_study

from sotongindex._evaluations import Evaluations
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.reliability import cronbach_alpha, tally_alpha
from sotongindex.responses import Responses
from sotongindex.tally import Tally, jackknife_groups, learn_weights
from sotongindex.weighting import DeviationWeights, FixedWeights

ITEMS = [("q1", "open"), ("q2", "open"), ("q3", "open"), ("q4", "useful"), ("q5", "useful")]
STUDY = small_study([f"o{k}" for k in range(6)], channels=("blog", "video"), items=ITEMS)


def responses(seed=1, people=120, each=3, missing=0.0, weighted=False) -> Responses:
    """Make answers of people who rate `each` organizations, the blog always, the video by some."""
    rng = np.random.default_rng(seed)
    person, visit = np.divmod(np.arange(people * each), each)
    kind, view = rng.normal(size=(people, 1)), rng.normal(size=(people * each, 1))
    means = 4 + 0.8 * kind[person] + 0.4 * view + rng.normal(size=(people * each, 5))
    answers = np.clip(np.rint(means), 1, 7)
    answers[rng.random(answers.shape) < missing] = np.nan
    return Responses.from_arrays(
        STUDY,
        answers=answers,
        organization=(person + visit) % 6,
        channel=(person + visit) % 2,
        respondent=person,
        weight=rng.gamma(3.0, 0.3, people)[person] if weighted else None,
    )


def scores_of(given: Responses) -> np.ndarray:
    points, found = Evaluations.of(given).block(np.arange(len(given)))
    return np.where(found > 0, points, np.nan)


@pytest.mark.parametrize("weighted", [False, True])
def test_complete_answers_give_the_alpha_of_the_evaluations(weighted):
    given = responses(weighted=weighted)
    tally = Tally.from_responses(given, moments=True)
    for channel, rows in ((None, given.channel >= 0), ("video", given.channel == 1)):
        found = tally_alpha(tally, channel=channel)
        weights = None if given.weight is None else given.weight[rows]
        expected = cronbach_alpha(scores_of(given)[rows], weights=weights)
        assert found.alpha == pytest.approx(expected.alpha, rel=1e-12)
        np.testing.assert_allclose(found.item_total, expected.item_total, rtol=1e-12)
        np.testing.assert_allclose(found.if_dropped, expected.if_dropped, rtol=1e-12)
        assert (found.units, found.left_out) == (rows.sum(), 0)
        assert found.low < found.alpha < found.high


def test_items_are_chosen_by_key_or_by_dimension():
    given = responses()
    tally = Tally.from_responses(given, moments=True)
    expected = cronbach_alpha(scores_of(given)[:, :3]).alpha
    assert tally_alpha(tally, dimension="open").alpha == pytest.approx(expected, rel=1e-12)
    assert tally_alpha(tally, items=["q3", "q1", "q2"]).alpha == pytest.approx(expected, rel=1e-12)
    assert tally_alpha(tally, items=["q4", "q1"]).units == len(given)


def test_the_error_is_that_of_leaving_out_every_group():
    given = responses(weighted=True)
    scores, groups = scores_of(given), 16
    group = jackknife_groups(given.respondent_keys, groups)[given.respondent]
    whole = cronbach_alpha(scores, weights=given.weight).alpha
    others = [
        cronbach_alpha(scores[group != left_out], weights=given.weight[group != left_out]).alpha
        for left_out in range(groups)
    ]
    expected = np.sqrt(15 / 16 * np.sum((np.array(others) - whole) ** 2))
    found = tally_alpha(Tally.from_responses(given, groups=groups, moments=True))
    assert found.standard_error == pytest.approx(expected, rel=1e-9)


def test_the_interval_has_the_degrees_of_freedom_of_the_groups():
    found = tally_alpha(Tally.from_responses(responses(), groups=4, moments=True))
    quantile = 3.182446305  # of t with 3 degrees of freedom, at 0.975
    ratio = np.exp(quantile * found.standard_error / (1 - found.alpha))
    assert found.low == pytest.approx(1 - (1 - found.alpha) * ratio, rel=1e-6)
    assert found.high == pytest.approx(1 - (1 - found.alpha) / ratio, rel=1e-6)


def test_with_one_evaluation_each_the_error_agrees_with_that_of_units():
    ratios = []
    for seed in range(40):
        given = responses(seed, each=1)
        expected = cronbach_alpha(scores_of(given)).standard_error
        found = tally_alpha(Tally.from_responses(given, groups=32, moments=True))
        ratios.append(found.standard_error / expected)
    # 31 degrees of freedom: one ratio spreads by an eighth, the root mean square by a fiftieth.
    assert np.sqrt(np.mean(np.square(ratios))) == pytest.approx(1.0, abs=0.06)


def test_missing_answers_leave_pairs():
    given = responses(missing=0.2)
    tally = Tally.from_responses(given, moments=True)
    scores = scores_of(given)
    found = tally_alpha(tally)
    covariance = tally.moments.covariance()
    expected = 5 / 4 * (1 - np.trace(covariance) / covariance.sum())
    assert found.alpha == pytest.approx(expected, rel=1e-12)
    both = (~np.isnan(scores)).astype(int)
    assert found.units == (both.T @ both).min()
    assert found.units + found.left_out == len(given)
    assert found.units > cronbach_alpha(scores).units


def test_one_group_leaves_the_error_unknown():
    found = tally_alpha(Tally.from_responses(responses(), groups=1, moments=True))
    assert np.isnan([found.standard_error, found.low, found.high]).all()
    assert str(found).startswith(f"alpha {found.alpha:.3f} (error not known), 5 items")


def test_differences_that_hang_on_one_group_have_no_finite_error():
    rows = [(k, "o0", "blog", *([7, 6] if k == 0 else [4, 4]), 1, 1, 1) for k in range(20)]
    tally = Tally.from_responses(answered(STUDY, rows), moments=True)
    found = tally_alpha(tally, items=["q1", "q2"])
    assert found.standard_error == np.inf
    assert (found.low, found.high) == (-np.inf, 1)


def test_two_items_and_items_that_do_not_differ():
    rows = [(k, "o0", "blog", k % 7 + 1, (k + k % 2) % 7 + 1, 4, 1, 1) for k in range(20)]
    tally = Tally.from_responses(answered(STUDY, rows), moments=True)
    assert np.isnan(tally_alpha(tally, items=["q1", "q2"]).if_dropped).all()
    found = tally_alpha(tally, items=["q1", "q2", "q3"])
    assert np.isnan(found.item_total).tolist() == [False, False, True]
    with pytest.raises(MethodError, match="does not differ between units: alpha is not defined"):
        tally_alpha(tally, dimension="useful")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"items": ["q1"]}, MethodError, "expected 2 or more items, got 1"),
        ({"items": ["q1", "q1"]}, DefinitionError, "'q1' is used twice"),
        ({"items": ["q1", "q9"]}, DefinitionError, "unknown item 'q9'"),
        ({"dimension": "opne"}, DefinitionError, "unknown dimension 'opne'; did you mean 'open'"),
        ({"items": ["q1", "q2"], "dimension": "open"}, MethodError, "got both"),
        ({"channel": "vide"}, DefinitionError, "unknown channel 'vide'; did you mean 'video'"),
        ({"level": 1.0}, MethodError, "a share between 0 and 1, got 1.0"),
    ],
)
def test_faults(options, error, message):
    tally = Tally.from_responses(responses(), moments=True)
    with pytest.raises(error, match=message):
        tally_alpha(tally, **options)


def test_a_tally_without_moments_or_without_answers():
    tally = Tally.from_responses(responses(), moments=True)
    with pytest.raises(MethodError, match=r"no moments; make it with Tally\.from_responses"):
        tally_alpha(attrs.evolve(tally, moments=None))
    rows = [(1, "o0", "blog", 1, np.nan, 3, 4, 5), (2, "o0", "blog", np.nan, 1, 3, 4, 5)]
    apart = Tally.from_responses(answered(STUDY, rows), moments=True)
    with pytest.raises(MethodError, match="'q1' and 'q2' were never answered together"):
        tally_alpha(apart)
    with pytest.raises(MethodError, match="'q1' was never answered, and so 15 of 15"):
        tally_alpha(apart, channel="video")


def test_pairs_that_contradict_each_other():
    """Every two of three items oppose each other, which no three answers of one person could."""
    rows = []
    for k in range(30):
        answers = [np.nan, np.nan, np.nan, 1, 1]
        one, other = k % 3, (k + 1) % 3
        answers[one], answers[other] = k % 7 + 1, 7 - k % 7
        rows.append((k, "o0", "blog", *answers))
    tally = Tally.from_responses(answered(STUDY, rows), moments=True)
    with pytest.raises(MethodError, match=r"contradict each other.*variance of the sum .* is -"):
        tally_alpha(tally, dimension="open")
    shares = FixedWeights({"q1": 0.4, "q2": 0.3, "q3": 0.3, "q4": 1.0, "q5": 0.0})
    with pytest.raises(MethodError, match=r"variance of a dimension is -.*seldom answered"):
        learn_weights(tally.moments, DeviationWeights(), level="dimensions", item_weights=shares)


def test_intervals_cover_the_truth_where_respondents_rate_several():
    """The error of units takes the evaluations of one respondent for independent."""
    truth = tally_alpha(Tally.from_responses(responses(0, people=60_000), moments=True)).alpha
    by_groups, by_units, spread = [], [], []
    for seed in range(400):
        given = responses(seed + 1, people=60, each=6)
        found = tally_alpha(Tally.from_responses(given, moments=True))
        plain = cronbach_alpha(scores_of(given))
        by_groups.append(found.low <= truth <= found.high)
        by_units.append(plain.low <= truth <= plain.high)
        spread.append((found.alpha, found.standard_error, plain.standard_error))
    alphas, grouped, single = np.array(spread).T
    assert 0.92 <= np.mean(by_groups) <= 0.97
    assert np.mean(by_units) < 0.88
    assert np.sqrt(np.mean(grouped**2)) == pytest.approx(alphas.std(), rel=0.12)
    assert np.sqrt(np.mean(single**2)) < 0.8 * alphas.std()
