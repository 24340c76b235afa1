from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pytest
from support import small_study

from sotongindex.errors import DefinitionError, MethodError, ResponseError
from sotongindex.layout import ItemColumn, Layout
from sotongindex.models import (
    Channel,
    Dimension,
    Framework,
    Organization,
    Scale,
    Study,
    SurveyItem,
)
from sotongindex.responses import Responses, check_responses

M = -128


def make_study(*channels: str, scale: Scale | None = None, items: int = 2) -> Study:
    scale = scale or Scale(low=1, high=7, missing=(9,))
    framework = Framework(
        key="mini",
        version="1",
        channels=[Channel(key=key) for key in channels or ("blog", "twitter")],
        dimensions=[Dimension(key="openness")],
        items=[
            SurveyItem(key=f"q{number + 1}", dimension="openness", scale=scale)
            for number in range(items)
        ],
    )
    organizations = [Organization(key=key) for key in ("kt", "skt", "naver")]
    return Study(key="mini", framework=framework, organizations=organizations)


STUDY = make_study()
WIDE: dict[str, Any] = {
    "organization": ["skt", "kt", "kt", "naver"],
    "channel": ["twitter", "blog", "twitter", "blog"],
    "respondent": [40, 20, 20, 30],
    "q1": [1, None, 3, 9],
    "q2": [4, 5, 6, 7],
}


# -- wide ----------------------------------------------------------------------------------------


def test_a_well_named_file_needs_no_arguments() -> None:
    responses = Responses.from_frame(WIDE, STUDY)
    assert responses.answers.tolist() == [[1, 4], [M, 5], [3, 6], [M, 7]]
    assert responses.organization.tolist() == [1, 0, 0, 2]
    assert responses.channel.tolist() == [1, 0, 1, 0]
    assert responses.respondent.tolist() == [2, 0, 0, 1]
    assert responses.respondent_keys.tolist() == [20, 30, 40]
    assert responses.weight is responses.stratum is responses.cluster is None
    assert responses.clusters is responses.respondent
    assert responses.cluster_labels is responses.respondent_keys
    assert responses.missing == M
    assert len(responses) == 4
    assert responses.report.answers == 6


def test_codes_are_small_and_answers_lie_row_by_row() -> None:
    responses = Responses.from_frame(WIDE, STUDY)
    assert responses.answers.dtype == np.int8
    assert responses.answers.flags.c_contiguous
    for codes in (responses.organization, responses.channel, responses.respondent):
        assert codes.dtype == np.int32


def test_arrays_are_read_only() -> None:
    frame = WIDE | {"w": [1, 2, 3, 4], "s": ["a"] * 4, "c": [1, 2, 2, 3]}
    responses = Responses.from_frame(
        frame, STUDY, weight="w", stratum="s", cluster="c", keep=["s", "w"]
    )
    fields = attrs.asdict(responses, recurse=False).values()
    arrays = [value for value in fields if isinstance(value, np.ndarray)]
    for array in [*arrays, *responses.kept.values()]:
        assert not array.flags.writeable
    assert len(arrays) == 9


def test_the_frame_is_neither_changed_nor_shared() -> None:
    array = np.array([1, 2, 3, 4], dtype=np.int8)
    weight = np.array([1.0, 2.0, 3.0, 4.0])
    frame = WIDE | {"q1": array, "w": weight}
    responses = Responses.from_frame(frame, STUDY, weight="w", keep="w")
    array[:] = 7
    weight[:] = 7
    assert array.flags.writeable
    assert weight.flags.writeable
    assert responses.answers[:, 0].tolist() == [1, 2, 3, 4]
    assert responses.weight is not None
    assert responses.weight.tolist() == [1, 2, 3, 4]
    assert responses.kept["w"].tolist() == [1, 2, 3, 4]


def test_columns_are_renamed_by_role() -> None:
    names = {"organization": "firm", "channel": "where", "respondent": "who", "q2": "Q 2"}
    frame = {names.get(name, name): values for name, values in WIDE.items()}
    responses = Responses.from_frame(
        frame, STUDY, organization="firm", channel="where", respondent="who", columns={"q2": "Q 2"}
    )
    assert_same(responses, Responses.from_frame(WIDE, STUDY))


def test_one_channel_needs_no_channel_column() -> None:
    frame = {name: values for name, values in WIDE.items() if name != "channel"}
    responses = Responses.from_frame(frame, make_study("blog"), channel=None, respondent=None)
    assert responses.channel.tolist() == [0, 0, 0, 0]


def test_without_respondent_every_row_is_one() -> None:
    responses = Responses.from_frame(WIDE, STUDY, respondent=None)
    assert responses.respondent.tolist() == [0, 1, 2, 3]
    assert responses.respondent_keys.tolist() == [0, 1, 2, 3]


def test_design_and_kept_columns() -> None:
    frame = WIDE | {
        "w": [1, 2.5, 2.5, 4],
        "s": ["b", "a", "a", "b"],
        "c": [9, 8, 8, 7],
        "age": ["old", None, "young", "old"],
        "year": [1950, None, 2000, 1960],
    }
    responses = Responses.from_frame(
        frame, STUDY, weight="w", stratum="s", cluster="c", keep=("age", "year")
    )
    assert responses.weight is not None
    assert responses.stratum is not None
    assert responses.cluster is not None
    assert responses.weight.tolist() == [1, 2.5, 2.5, 4]
    assert responses.stratum.tolist() == [1, 0, 0, 1]
    assert responses.stratum_keys == ("a", "b")
    assert responses.clusters.tolist() == [2, 1, 1, 0]
    assert responses.cluster_labels.tolist() == [7, 8, 9]
    assert responses.kept["age"].tolist() == ["old", "", "young", "old"]


def test_kept_numbers_keep_their_type() -> None:
    frame = pl.DataFrame(WIDE | {"year": [1950, None, 2000, 1960], "age": [3, 4, 5, 6]})
    kept = Responses.from_frame(frame, STUDY, keep=["year", "age"]).kept
    np.testing.assert_array_equal(kept["year"], [1950, np.nan, 2000, 1960])
    assert kept["age"].dtype == np.int64


@pytest.mark.parametrize(
    ("answers", "dtype", "scale"),
    [
        ([1, 7], np.int8, Scale(low=1, high=7)),
        ([0, 100], np.int8, Scale(low=0, high=100)),
        ([0, 1000], np.int16, Scale(low=0, high=1000)),
        ([0, 70_000], np.int32, Scale(low=0, high=70_000)),
        ([2, 6.5], np.float64, Scale(low=1, high=7)),
        ([5, 9999], np.int8, Scale(low=1, high=7, missing=(9999,))),
        ([5, -128], np.int8, Scale(low=1, high=7, missing=(-128,))),
    ],
)
def test_answers_take_the_smallest_type(
    answers: list[float], dtype: type[np.generic], scale: Scale
) -> None:
    study = make_study("blog", scale=scale, items=1)
    frame = {"organization": ["kt", "kt"], "q1": answers}
    responses = Responses.from_frame(frame, study, channel=None, respondent=None)
    assert responses.answers.dtype == dtype
    coded = [responses.missing if value in scale.missing else value for value in answers]
    assert responses.answers[:, 0].tolist() == coded


def test_items_of_several_types_share_the_widest() -> None:
    study = make_study("blog", scale=Scale(low=0, high=1000))
    frame = {"organization": ["kt", "kt"], "q1": [1, None], "q2": [0.5, 1000]}
    answers = Responses.from_frame(frame, study, channel=None, respondent=None).answers
    np.testing.assert_array_equal(answers, [[1, 0.5], [np.nan, 1000]])
    frame["q2"] = [300, 1000]
    answers = Responses.from_frame(frame, study, channel=None, respondent=None).answers
    assert answers.dtype == np.int16
    assert answers.tolist() == [[1, 300], [-(2**15), 1000]]


@pytest.mark.parametrize("whole", [True, False])
def test_many_rows_are_put_together_in_their_places(whole: bool) -> None:
    rows = 10_000  # more than are put together at a time
    random = np.random.default_rng(20120720)
    answers = random.integers(1, 8, (rows, 2)).astype(float)
    answers[random.random(answers.shape) < 0.1] = np.nan
    frame = pl.DataFrame(
        {
            "organization": random.choice(["kt", "skt", "naver"], rows),
            "channel": random.choice(["blog", "twitter"], rows),
            "q1": answers[:, 0],
            "q2": answers[:, 1],
        }
    )
    if whole:
        frame = frame.with_columns(pl.col("q1", "q2").fill_nan(None).cast(pl.Int16))
    responses = Responses.from_frame(frame, STUDY, respondent=None)
    read = np.where(responses.answers == M, np.nan, responses.answers)
    np.testing.assert_array_equal(read, answers)
    keys = np.array(STUDY.organization_keys)[responses.organization]
    np.testing.assert_array_equal(keys, frame["organization"].to_numpy())


def test_keep_and_last_decide_about_duplicates() -> None:
    frame = {name: [*values, values[1]] for name, values in WIDE.items()} | {"q2": [1, 2, 3, 4, 5]}
    with pytest.raises(ResponseError, match="more than once"):
        Responses.from_frame(frame, STUDY)
    kept = Responses.from_frame(frame, STUDY, duplicates="keep")
    assert kept.answers[:, 1].tolist() == [1, 2, 3, 4, 5]
    last = Responses.from_frame(frame, STUDY, duplicates="last")
    assert last.answers[:, 1].tolist() == [1, 3, 4, 5]
    assert last.organization.tolist() == [1, 0, 2, 0]
    assert last.report.rows == 5
    assert last.report.evaluations == 4


# -- item columns bound to channels ----------------------------------------------------------------


BOUND = {
    "organization": ["kt", "skt", "naver", "kt"],
    "respondent": ["b", "a", "c", "d"],
    "weight": [1.0, 2.0, 3.0, 4.0],
    "q1b": [1, None, 9, 2],
    "q2b": [2, None, None, 3],
    "q1t": [None, 4, None, 5],
    "q2t": [None, 9, None, 6],
}
BOUND_COLUMNS = {
    ("q1", "blog"): "q1b",
    ("q2", "blog"): "q2b",
    ("q1", "twitter"): "q1t",
    ("q2", "twitter"): "q2t",
}


def test_a_row_becomes_an_evaluation_per_answered_channel() -> None:
    responses = Responses.from_frame(BOUND, STUDY, weight="weight", columns=BOUND_COLUMNS)
    assert responses.channel.tolist() == [0, 0, 1, 1]
    assert responses.organization.tolist() == [0, 0, 1, 0]
    assert responses.answers.tolist() == [[1, 2], [2, 3], [4, M], [5, 6]]
    assert responses.respondent_keys.tolist() == ["a", "b", "d"]  # "c" answered nothing
    assert responses.respondent.tolist() == [1, 2, 0, 2]
    assert responses.weight is not None
    assert responses.weight.tolist() == [1, 4, 2, 4]
    (silent,) = (f for f in responses.report.warnings if f.code == "row_without_answer")
    assert silent.rows == (2,)


def test_bound_rows_share_a_respondent_without_a_key() -> None:
    responses = Responses.from_frame(BOUND, STUDY, respondent=None, columns=BOUND_COLUMNS)
    assert responses.respondent.tolist() == [0, 2, 1, 2]
    assert responses.respondent_keys.tolist() == [0, 1, 3]


def test_the_last_of_bound_duplicates_is_kept_by_channel() -> None:
    frame = BOUND | {"respondent": ["b", "a", "c", "b"]}
    responses = Responses.from_frame(frame, STUDY, columns=BOUND_COLUMNS, duplicates="last")
    assert responses.answers.tolist() == [[2, 3], [4, M], [5, 6]]
    assert responses.channel.tolist() == [0, 1, 1]


# -- long ------------------------------------------------------------------------------------------


LONG = {
    "organization": ["kt", "skt", "kt", "kt", "kt"],
    "channel": ["blog", "blog", "blog", "twitter", "twitter"],
    "respondent": [2, 1, 2, 2, 2],
    "item": ["q1", "q1", "q2", "q2", "q1"],
    "answer": [1, 2, 9, 4, 5],
    "group": ["x", "y", "x", "x", "x"],
}


def test_long_answers_are_put_together() -> None:
    responses = Responses.from_long(LONG, STUDY, keep="group")
    assert responses.answers.tolist() == [[1, M], [2, M], [5, 4]]
    assert responses.organization.tolist() == [0, 1, 0]
    assert responses.channel.tolist() == [0, 0, 1]
    assert responses.respondent.tolist() == [1, 0, 1]
    assert responses.kept["group"].tolist() == ["x", "y", "x"]


def test_long_columns_are_renamed_by_role() -> None:
    names = {name: name.upper() for name in LONG}
    frame = {names[name]: values for name, values in LONG.items()}
    roles = {name: names[name] for name in names if name != "group"}
    assert_same(Responses.from_long(frame, STUDY, **roles), Responses.from_long(LONG, STUDY))


def test_keep_and_last_decide_about_long_duplicates() -> None:
    frame = {name: [*values, values[0]] for name, values in LONG.items()}
    frame["answer"] = [1, 2, 3, 4, 5, 6]
    with pytest.raises(ResponseError, match="x item more than once"):
        Responses.from_long(frame, STUDY)
    kept = Responses.from_long(frame, STUDY, duplicates="keep")
    assert kept.answers.tolist() == [[1, 3], [2, M], [5, 4], [6, M]]
    assert kept.organization.tolist() == [0, 1, 0, 0]
    last = Responses.from_long(frame, STUDY, duplicates="last")
    assert sorted(last.answers.tolist()) == [[2, M], [5, 4], [6, 3]]


# -- arrays ----------------------------------------------------------------------------------------


def test_arrays_take_positions_or_keys() -> None:
    answers = np.array([[1, 4], [np.nan, 5], [3, 6], [9, 7]])
    expected = Responses.from_frame(WIDE, STUDY)
    by_code = Responses.from_arrays(
        STUDY,
        answers=answers,
        organization=[1, 0, 0, 2],
        channel=np.array([1, 0, 1, 0], dtype=np.uint8),
        respondent=[40, 20, 20, 30],
    )
    by_key = Responses.from_arrays(
        STUDY,
        answers=answers,
        organization=WIDE["organization"],
        channel=np.array(WIDE["channel"]),
        respondent=WIDE["respondent"],
    )
    assert_same(by_code, expected)
    assert_same(by_key, expected)


def test_arrays_know_the_missing_code_of_whole_numbers() -> None:
    first = Responses.from_frame(WIDE, STUDY)
    again = Responses.from_arrays(
        STUDY,
        answers=first.answers,
        organization=first.organization,
        channel=first.channel,
        respondent=first.respondent_keys[first.respondent],
    )
    assert_same(again, first)


def test_arrays_take_the_design() -> None:
    responses = Responses.from_arrays(
        make_study("blog"),
        answers=[[1, 2], [3, 4]],
        organization=[0, 1],
        weight=[1.5, 2],
        stratum=["b", "a"],
        cluster=[7, 3],
    )
    assert responses.weight is not None
    assert responses.weight.tolist() == [1.5, 2]
    assert responses.stratum_keys == ("a", "b")
    assert responses.cluster_labels.tolist() == [3, 7]
    assert responses.respondent_keys.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "argument", "words"),
    [
        ({"answers": [[1], [2]]}, "answers", r"shape \(n, 2\)"),
        ({"answers": [1, 2]}, "answers", "one column per item"),
        ({"answers": [["a", "b"]]}, "answers", "expected numbers"),
        ({"organization": [0, 3]}, "organization", "0 to 2, got 3 in row 1"),
        ({"organization": [0, -1]}, "organization", "1 of 2 rows point nowhere"),
        ({"organization": [0.0, 1.0]}, "organization", "got floats"),
        ({"channel": [0, 2]}, "channel", "0 to 1"),
        ({"weight": [1.0]}, "frame", "expected 2 rows in every column, got 1 in 'weight'"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    arguments: dict[str, Any], argument: str, words: str
) -> None:
    good = {"answers": [[1, 2], [3, 4]], "organization": [0, 1], "channel": [0, 1]}
    with pytest.raises(MethodError, match=words) as caught:
        Responses.from_arrays(STUDY, **(good | arguments))
    assert caught.value.argument == argument


def test_arrays_are_checked() -> None:
    with pytest.raises(ResponseError) as caught:
        Responses.from_arrays(STUDY, answers=[[1, 8]], organization=[0], channel=[0])
    assert caught.value.report.errors[0].code == "out_of_range"
    repeated = {"answers": [[1, 2]] * 2, "organization": [0, 0], "channel": [0, 0]}
    with pytest.raises(ResponseError, match="more than once"):
        Responses.from_arrays(STUDY, respondent=[5, 5], **repeated)
    kept = Responses.from_arrays(STUDY, respondent=[5, 5], duplicates="keep", **repeated)
    assert len(kept) == 2


# -- layout ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"item": "item"}, "Layout.answer"),
        ({"answer": "answer"}, "Layout.item"),
        ({"item": "i", "answer": "a", "respondent": None}, "Layout.respondent"),
        ({"item": "i", "answer": "a", "columns": {"q1": "x"}}, "Layout.columns"),
        ({"columns": {"q1": "x", "q2": "x"}}, "Layout.columns"),
        ({"columns": [ItemColumn(item="q1", column=name) for name in "xy"]}, "Layout.columns"),
        (
            {
                "columns": [
                    ItemColumn(item="q1", column="x", channel="blog"),
                    ItemColumn(item="q2", column="y"),
                ]
            },
            "Layout.columns",
        ),
        ({"duplicates": "first"}, "Layout.duplicates"),
    ],
)
def test_a_layout_that_contradicts_itself_cannot_be_made(
    arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        Layout(**arguments)
    assert caught.value.field == field


def test_layouts_are_values() -> None:
    layout = Layout(columns=BOUND_COLUMNS, keep="age")
    assert layout == Layout(columns=layout.columns, keep=["age"])
    assert hash(layout) == hash(Layout(columns=BOUND_COLUMNS, keep=("age",)))
    assert layout.is_bound
    assert not layout.is_long
    assert Layout(item="i", answer="a").is_long


def test_reading_by_a_layout_is_the_same() -> None:
    layout = Layout(columns=BOUND_COLUMNS, weight="weight")
    read = Responses.read(BOUND, STUDY, layout)
    assert_same(read, Responses.from_frame(BOUND, STUDY, columns=BOUND_COLUMNS, weight="weight"))
    assert check_responses(BOUND, STUDY, layout) == read.report
    assert check_responses(BOUND, STUDY, columns=BOUND_COLUMNS, weight="weight") == read.report
    assert check_responses(BOUND, STUDY, Layout(weight="weight"), columns=BOUND_COLUMNS).ok


def test_the_text_is_short_and_names_nobody() -> None:
    responses = Responses.from_frame(pd.DataFrame(WIDE), STUDY)
    assert repr(responses) == (
        "Responses(study='mini', evaluations=4, items=2, respondents=3, answers=int8)"
    )


def assert_same(one: Responses, other: Responses) -> None:
    """Compare the arrays of two responses."""
    for name in ("answers", "organization", "channel", "respondent", "respondent_keys", "weight"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.answers.dtype == other.answers.dtype


def test_unused_categories_of_pandas_are_nobody() -> None:
    category = pd.Categorical
    frame = pd.DataFrame(
        {
            "organization": category(["a", "b"], categories=["unknown", "b", "a"]),
            "respondent": category(["x", "y"], categories=["nobody", "y", "x"]),
            "stratum": category(["s", None], categories=["t", "s"]).fillna("s"),
            "q1": category(["1", "2"], categories=["n/a", "2", "1"]),
            "sex": category(["f", None], categories=["m", "f"]),
        }
    )
    made = Responses.from_frame(frame, small_study(), channel=None, stratum="stratum", keep="sex")
    assert made.respondent_keys.tolist() == ["x", "y"]
    assert made.organization.tolist() == [0, 1]
    assert made.stratum_keys == ("s",)
    assert made.answers.ravel().tolist() == [1, 2]
    assert made.kept["sex"].tolist() == ["f", ""]
