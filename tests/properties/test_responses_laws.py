"""Laws of reading: the frame, its shape and the order of its rows do not matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sotongindex.models import (
    Channel,
    Dimension,
    Framework,
    Organization,
    Scale,
    Study,
    SurveyItem,
)
from sotongindex.responses import Responses

ITEMS = ("q1", "q2", "q3")
CHANNELS = ("blog", "twitter")
ORGANIZATIONS = ("kt", "skt", "naver")
SCALE = Scale(low=1, high=7, missing=(9,))
STUDY = Study(
    key="laws",
    framework=Framework(
        key="laws",
        version="1",
        channels=[Channel(key=key) for key in CHANNELS],
        dimensions=[Dimension(key="openness")],
        items=[SurveyItem(key=key, dimension="openness", scale=SCALE) for key in ITEMS],
    ),
    organizations=[Organization(key=key) for key in ORGANIZATIONS],
)
whole_answers = st.sampled_from([1, 2, 3, 4, 5, 6, 7, 9, None])
any_answers = whole_answers | st.floats(1, 7, width=16)


@st.composite
def wide_frames(draw: st.DrawFn, *, silent: bool = True) -> dict[str, list[Any]]:
    """Draw rows, each of another respondent, organization and channel."""
    keys = draw(
        st.lists(
            st.tuples(st.integers(0, 6), st.sampled_from(ORGANIZATIONS), st.sampled_from(CHANNELS)),
            min_size=1,
            max_size=20,
            unique=True,
        )
    )
    answers = draw(st.sampled_from([whole_answers, any_answers]))
    rows = st.tuples(answers, answers, answers)
    if not silent:
        rows = rows.filter(lambda row: any(value not in (None, 9) for value in row))
    values = draw(st.lists(rows, min_size=len(keys), max_size=len(keys)))
    who = draw(st.sampled_from([int, "person {}".format]))
    frame: dict[str, list[Any]] = {
        "organization": [organization for _, organization, _ in keys],
        "channel": [channel for _, _, channel in keys],
        "respondent": [who(respondent) for respondent, _, _ in keys],
        "weight": [1.0 + respondent for respondent, _, _ in keys],
    }
    return frame | {item: [row[place] for row in values] for place, item in enumerate(ITEMS)}


def arrays(responses: Responses) -> dict[str, Any]:
    """Return what was read, row by row."""
    assert responses.weight is not None
    return {
        "answers": responses.answers,
        "organization": responses.organization,
        "channel": responses.channel,
        "respondent": responses.respondent_keys[responses.respondent],
        "weight": responses.weight,
    }


def in_order(responses: Responses) -> dict[str, Any]:
    """Return what was read, sorted by respondent, organization and channel."""
    read = arrays(responses)
    order = np.lexsort([read["channel"], read["organization"], read["respondent"]])
    return {name: values[order] for name, values in read.items()}


def assert_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    for name, values in one.items():
        assert values.dtype.kind == other[name].dtype.kind, name
        np.testing.assert_array_equal(values, other[name], err_msg=name)


@given(frame=wide_frames())
def test_every_backend_gives_the_same_arrays(frame: dict[str, list[Any]]) -> None:
    table = pl.DataFrame(frame, strict=False)
    expected = Responses.from_frame(table, STUDY, weight="weight")
    categories = table.with_columns(pl.col("organization", "channel").cast(pl.Categorical))
    for other in (
        frame,
        categories,
        table.to_arrow(),
        pd.DataFrame(frame),
        pd.DataFrame(frame).astype({"organization": "category", "respondent": "category"}),
        pd.DataFrame(frame).convert_dtypes(),
        {name: np.array(values, dtype=object) for name, values in frame.items()},
    ):
        responses = Responses.from_frame(other, STUDY, weight="weight")
        assert_equal(arrays(responses), arrays(expected))
        assert responses.answers.dtype == expected.answers.dtype
        assert responses.report == expected.report


@given(frame=wide_frames(silent=False))
def test_wide_and_long_give_the_same_responses(frame: dict[str, list[Any]]) -> None:
    wide = Responses.from_frame(frame, STUDY, weight="weight")
    table = pl.DataFrame(frame, strict=False)
    roles = ["organization", "channel", "respondent", "weight"]
    table = table.with_columns(pl.col(ITEMS).cast(pl.Float64))
    long = table.unpivot(ITEMS, index=roles, variable_name="item", value_name="answer")
    for answers in (long, long.drop_nulls("answer"), long.reverse()):
        responses = Responses.from_long(answers, STUDY, weight="weight")
        assert_equal(in_order(responses), in_order(wide))
        assert responses.answers.dtype == wide.answers.dtype
        assert responses.report.answers == wide.report.answers


@given(frame=wide_frames(silent=False))
def test_columns_bound_to_channels_give_the_same_responses(frame: dict[str, list[Any]]) -> None:
    wide = Responses.from_frame(frame, STUDY, weight="weight")
    table = pl.DataFrame(frame, strict=False)
    roles = ["organization", "respondent", "weight"]
    bound = table.pivot("channel", index=roles, values=ITEMS)
    columns = {
        (item, channel): f"{item}_{channel}"
        for item in ITEMS
        for channel in CHANNELS
        if f"{item}_{channel}" in bound.columns
    }
    for item in ITEMS:  # a channel that nobody rated has no columns after the pivot
        for channel in CHANNELS:
            if (item, channel) not in columns:
                columns[item, channel] = f"{item}_{channel}"
                bound = bound.with_columns(pl.lit(None).alias(f"{item}_{channel}"))
    responses = Responses.from_frame(bound, STUDY, weight="weight", columns=columns)
    assert_equal(in_order(responses), in_order(wide))


@given(frame=wide_frames(), data=st.data())
def test_permuting_rows_permutes_the_result(
    frame: dict[str, list[Any]], data: st.DataObject
) -> None:
    rows = len(frame["channel"])
    order = data.draw(st.permutations(range(rows)))
    shuffled = {name: [values[row] for row in order] for name, values in frame.items()}
    one = Responses.from_frame(frame, STUDY, weight="weight")
    other = Responses.from_frame(shuffled, STUDY, weight="weight")
    assert_equal({name: values[order] for name, values in arrays(one).items()}, arrays(other))
    np.testing.assert_array_equal(one.respondent_keys, other.respondent_keys)
    assert one.report.answers == other.report.answers


@given(frame=wide_frames(), data=st.data())
def test_what_is_read_can_be_read_again(frame: dict[str, list[Any]], data: st.DataObject) -> None:
    one = Responses.from_frame(frame, STUDY, weight="weight")
    again = Responses.from_arrays(STUDY, **arrays(one))
    assert_equal(arrays(again), arrays(one))
