"""Laws of errors under any design: what must hold whatever the weights and clusters."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import small_study

from sotongindex.calibration import rake
from sotongindex.index import IndexMethod, compute_index
from sotongindex.responses import Responses
from sotongindex.variance import Bootstrap, GroupJackknife, Jackknife, Linearization

STUDY = small_study(
    organizations=("a", "b"), channels=("blog", "app"), items=(("q1", "d1"), ("q2", "d2"))
)
MARGINS = {"sex": {"f": 0.55, "m": 0.45}, "age": {"old": 0.3, "young": 0.7}}
WAYS = (
    Linearization(),
    Linearization(correction="design"),
    GroupJackknife(groups=4),
    Jackknife(),
    Bootstrap(replicates=12),
)
# Some of the few people of a category can all be left out; that is told, and not a law broken.
CALIBRATED = (Linearization(), Linearization(correction="design"))


def sample(seed: int, answers: np.ndarray | None = None, *, strata: bool = False) -> Responses:
    """Eight or more people, at least two in every category, who rate something each."""
    rng = np.random.default_rng(seed)
    people = int(rng.integers(8, 25))
    person = np.repeat(np.arange(people), 4)
    keep = rng.random(len(person)) < 0.7
    keep[::4] = True
    given_answers = rng.integers(1, 8, (len(person), 2)) if answers is None else answers
    columns = {
        "respondent": person,
        "organization": np.tile(["a", "a", "b", "b"], people),
        "channel": np.tile(["blog", "app"], 2 * people),
        "weight": rng.uniform(0.2, 5.0, people)[person],
        "stratum": (person % 2).astype(str),
        "sex": np.where(np.arange(people) % 2, "f", "m")[person],
        "age": np.where(np.arange(people) // 2 % 2, "old", "young")[person],
        "q1": np.broadcast_to(given_answers, (len(person), 2))[:, 0],
        "q2": np.broadcast_to(given_answers, (len(person), 2))[:, 1],
    }
    return Responses.from_frame(
        {name: column[keep] for name, column in columns.items()},
        STUDY,
        weight="weight",
        stratum="stratum" if strata else None,
        keep=("sex", "age"),
    )


@pytest.mark.parametrize("variance", WAYS, ids=lambda way: type(way).__name__)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), answer=st.integers(1, 7), strata=st.booleans())
def test_a_constant_answer_has_error_0_under_any_weights_and_design(variance, seed, answer, strata):
    responses = sample(seed, np.array([answer, answer]), strata=strata)
    cases = [responses]
    if variance in CALIBRATED:
        cases.append(rake(responses, MARGINS))
    for case in cases:
        result = compute_index(case, method=IndexMethod(variance=variance))
        np.testing.assert_allclose(result.index.values, (answer - 1) / 6 * 100, atol=1e-9)
        known = ~np.isnan(result.index.variance)
        np.testing.assert_allclose(result.index.variance[known], 0.0, atol=1e-12)
        np.testing.assert_allclose(result.items.covariance(result.index)[:, known], 0, atol=1e-9)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(1e-3, 1e3))
def test_weights_times_a_number_change_nothing(seed, factor):
    responses = sample(seed, strata=True)
    scaled = attrs.evolve(responses, weight=responses.weight * factor)
    for one, other in ((responses, scaled), (rake(responses, MARGINS), rake(scaled, MARGINS))):
        first, second = compute_index(one).index, compute_index(other).index
        np.testing.assert_allclose(first.values, second.values, rtol=1e-9)
        np.testing.assert_allclose(first.variance, second.variance, rtol=1e-7, atol=1e-12)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing(seed):
    responses = rake(sample(seed, strata=True), MARGINS)
    order = np.random.default_rng(seed).permutation(len(responses))
    names = ("answers", "organization", "channel", "respondent", "weight", "stratum")
    shuffled = attrs.evolve(
        responses,
        calibration=attrs.evolve(responses.calibration, unit=responses.calibration.unit[order]),
        **{name: getattr(responses, name)[order] for name in names},
    )
    first, second = (compute_index(one).items for one in (responses, shuffled))
    np.testing.assert_allclose(first.values, second.values, rtol=1e-10)
    np.testing.assert_allclose(first.covariance(), second.covariance(), atol=1e-9)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_calibrated_to_has_no_error(seed):
    """Everybody of one sex gives one answer: its share is known, so the overall mean is too."""
    responses = sample(seed)
    kind = responses.kept["sex"] == "f"
    answers = np.where(kind, 7, 1).astype(responses.answers.dtype)[:, None].repeat(2, axis=1)
    one = attrs.evolve(
        responses,
        answers=answers,
        organization=np.zeros_like(responses.organization),
        channel=np.zeros_like(responses.channel),
    )
    # One row a person: the mean over people is the mean over the population.
    first = np.unique(one.respondent, return_index=True)[1]
    names = ("answers", "organization", "channel", "respondent", "weight")
    people = attrs.evolve(
        one,
        kept={name: values[first] for name, values in one.kept.items()},
        **{name: getattr(one, name)[first] for name in names},
    )
    raked = compute_index(rake(people, MARGINS)).items
    assert raked.values[0, 0, 0] == pytest.approx(55.0)
    assert raked.variance[0, 0, 0] < 1e-12
    assert compute_index(people).items.variance[0, 0, 0] > 1
