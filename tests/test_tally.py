"""Tallies and jackknife groups."""

from __future__ import annotations

import numpy as np
import pytest
from support import answered, small_study

from sotongindex.errors import MethodError
from sotongindex.models import Scale, SurveyItem
from sotongindex.tally import Tally, jackknife_groups

STUDY = small_study(
    channels=("blog", "video"),
    items=[("q1", "d1"), SurveyItem(key="q2", dimension="d1", reverse=True)],
)
ROWS = [
    (1, "a", "blog", 7, 1),
    (2, "a", "blog", 4, np.nan),
    (3, "a", "video", 1, 7),
    (1, "b", "blog", np.nan, 4),
]


def test_sums_by_organization_channel_and_group():
    tally = Tally.from_responses(answered(STUDY, ROWS, weight=[1, 2, 1, 3]), groups=1)
    assert tally.organization.tolist() == [0, 0, 1]
    assert tally.channel.tolist() == [0, 1, 0]
    assert tally.evaluations.tolist() == [2, 1, 1]
    assert tally.weight.tolist() == [3, 1, 3]
    assert tally.squared_weight.tolist() == [5, 1, 9]
    assert tally.answers.tolist() == [[2, 1], [1, 1], [0, 1]]
    assert tally.answer_weight.tolist() == [[3, 1], [1, 1], [0, 3]]
    np.testing.assert_allclose(tally.points, [[200, 100], [0, 0], [0, 150]])
    means = tally.item_means()
    np.testing.assert_allclose(means[0, 0], [200 / 3, 100])
    assert np.isnan(means[1, 0, 0])
    assert np.isnan(means[1, 1]).all()


def test_categories_are_counted_with_weights():
    tally = Tally.from_responses(
        answered(STUDY, ROWS, weight=[1, 2, 1, 3]), groups=1, frequencies=True
    )
    assert tally.categories.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert tally.frequencies[0, 0].tolist() == [0, 0, 0, 2, 0, 0, 1]
    assert tally.frequencies[2, 1].tolist() == [0, 0, 0, 3, 0, 0, 0]


def test_groups_divide_the_same_sums():
    responses = answered(STUDY, ROWS)
    whole = Tally.from_responses(responses, groups=1)
    divided = Tally.from_responses(responses, groups=8)
    np.testing.assert_allclose(divided.dense(divided.points), whole.dense(whole.points))
    one, two, three = jackknife_groups(np.array([1, 2, 3]), 8).tolist()
    rows = zip(divided.organization, divided.channel, divided.group, strict=True)
    assert set(rows) == {(0, 0, one), (0, 0, two), (0, 1, three), (1, 0, one)}


def test_tallies_of_different_studies_do_not_add_up():
    tally = Tally.from_responses(answered(STUDY, ROWS))
    other = small_study(items=[("q1", "d1")])
    for wrong, what in (
        (Tally.from_responses(answered(other, [(1, "a", "blog", 7)])), "study"),
        (Tally.from_responses(answered(STUDY, ROWS), groups=8), "groups"),
        (Tally.from_responses(answered(STUDY, ROWS), frequencies=True), "categories"),
    ):
        with pytest.raises(MethodError, match=what):
            tally + wrong


def test_what_a_tally_cannot_be_asked():
    with pytest.raises(MethodError, match="groups"):
        Tally.from_responses(answered(STUDY, ROWS), groups=0)
    fractional = small_study(
        items=[SurveyItem(key="q", dimension="d", scale=Scale(low=0, high=10))]
    )
    with pytest.raises(MethodError, match="categories"):
        Tally.from_responses(answered(fractional, [(1, "a", "blog", 3.5)]), frequencies=True)


def test_arrays_cannot_be_changed():
    tally = Tally.from_responses(answered(STUDY, ROWS))
    with pytest.raises(ValueError, match="read-only"):
        tally.points[0] = 1


def test_groups_depend_on_the_key_alone_and_spread_evenly():
    keys = np.arange(100_000)
    groups = jackknife_groups(keys, 32)
    np.testing.assert_array_equal(jackknife_groups(keys[::-7], 32), groups[::-7])
    counts = np.bincount(groups, minlength=32)
    assert counts.min() > 2900
    assert counts.max() < 3350


def test_text_keys_of_any_length_and_script():
    keys = np.array(["a", "respondent-17", "응답자"])
    groups = jackknife_groups(keys, 32)
    for position, key in enumerate(keys):
        assert jackknife_groups(np.array([key]), 32)[0] == groups[position]
    # One polynomial of the code points, as in the docstring.
    number = sum(ord(letter) * 257**power for power, letter in enumerate("응답자"))
    assert groups[2] == number % (2**31 - 1) * 48271 % (2**31 - 1) % 32


def test_negative_and_huge_keys_have_a_group():
    keys = np.array([-1, 0, 2**62], dtype=np.int64)
    groups = jackknife_groups(keys, 5)
    expected = [int(key) % (2**31 - 1) * 48271 % (2**31 - 1) % 5 for key in keys.tolist()]
    assert groups.tolist() == expected


@pytest.mark.parametrize(
    ("keys", "groups", "argument"),
    [(np.array([1]), 1, "groups"), (np.array([0.5]), 8, "keys")],
)
def test_faulty_groups(keys, groups, argument):
    with pytest.raises(MethodError) as caught:
        jackknife_groups(keys, groups)
    assert caught.value.argument == argument
