"""Design effects: closed forms, and where there are none."""

from __future__ import annotations

import numpy as np
import pytest
from support import answered, small_study

from sotongindex.design_effects import sampling_design_effects
from sotongindex.errors import MethodError
from sotongindex.index import IndexMethod, compute_index
from sotongindex.variance import Linearization

ROWS = [(r, "a", "blog", 1 + (r * 5) % 7) for r in range(21)]


def effects(**roles: object) -> np.ndarray:
    responses = answered(small_study(), ROWS, **roles)
    method = IndexMethod(variance=Linearization(lonely="certainty"))
    return sampling_design_effects(compute_index(responses, method=method), responses)


def test_a_simple_random_sample_has_the_design_effect_1():
    assert effects()[0, 0, 0] == pytest.approx(1.0)


def test_equal_answers_in_a_cluster_cost_as_many_answers_as_it_has():
    # Answers repeat every 7 people: clusters of the 3 people with the same answer.
    found = effects(cluster=[r % 7 for r in range(21)])[0, 0, 0]
    assert found == pytest.approx(3 * (20 / 21) * (7 / 6))


def test_unequal_weights_cost_what_kish_says_where_they_have_nothing_to_do_with_answers():
    # Three rounds of the same seven answers, each with its own weight.
    weight = np.repeat([1.0, 2.0, 3.0], 7)
    found = effects(weight=weight)[0, 0, 0]
    assert found == pytest.approx(21 * (weight**2).sum() / weight.sum() ** 2)


def test_unknown_errors_and_constant_answers_have_none():
    study = small_study(items=(("q1", "d1"), ("q2", "d1")))
    rows = [(0, "a", "blog", 4, 1), (1, "a", "blog", 4, 7), (2, "b", "blog", 2, np.nan)]
    responses = answered(study, rows)
    found = sampling_design_effects(compute_index(responses), responses)[:, 0]
    assert np.isnan(found).tolist() == [[True, False], [True, True]]


def test_other_responses_than_those_of_the_result_are_refused():
    responses = answered(small_study(), ROWS)
    result = compute_index(responses)
    for other in (
        answered(small_study(), ROWS[1:]),
        answered(small_study(organizations=("a", "c")), ROWS),
    ):
        with pytest.raises(MethodError, match="the responses that the result was computed from"):
            sampling_design_effects(result, other)
