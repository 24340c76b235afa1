"""Laws of tallies that add up, however answers are split."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support import small_study

from sotongindex.tally import Tally

STUDY = small_study(channels=("blog", "video"), items=[("q1", "d1"), ("q2", "d1")])
ROWS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["blog", "video"]),
        st.sampled_from([1.0, 0.1, 3.7]),
        st.sampled_from([np.nan, 1.0, 4.0, 7.0]),
        st.sampled_from([np.nan, 2.0, 6.0]),
    ),
    min_size=1,
    max_size=25,
)
NAMES = ("organization", "channel", "weight", "q1", "q2")
COUNTS = ("organization", "channel", "group", "evaluations", "answers")
SUMS = ("weight", "squared_weight", "answer_weight", "points", "frequencies")


def frame(rows, start):
    columns = dict(zip(NAMES, zip(*rows, strict=True), strict=True)) if rows else {}
    respondents = np.arange(start, start + len(rows))
    return {"respondent": respondents, **{name: np.array(columns.get(name, [])) for name in NAMES}}


def tally(*batches):
    return Tally.from_batches(batches, STUDY, weight="weight", groups=3, frequencies=True)


def same(one, other):
    for name in COUNTS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in SUMS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12)


@settings(deadline=None, max_examples=40)
@given(ROWS, st.data())
def test_split_anywhere_is_the_whole(rows, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=8)))
    ends = zip([0, *cuts], [*cuts, len(rows)], strict=True)
    same(tally(*(frame(rows[start:stop], start) for start, stop in ends)), tally(frame(rows, 0)))


@settings(deadline=None, max_examples=40)
@given(ROWS, ROWS, ROWS)
def test_order_and_brackets_do_not_matter(first, second, third):
    one, two = tally(frame(first, 0)), tally(frame(second, 100))
    three = tally(frame(third, 200))
    same(one + two, two + one)
    same((one + two) + three, one + (two + three))
