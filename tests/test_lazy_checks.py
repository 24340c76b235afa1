"""Checks of lazy frames: the findings of memory, without the rows."""

from __future__ import annotations

from typing import Any

import attrs
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lazy import Engine, engines, in_polars
from support import small_study
from test_checks import FAULTS as PLANTED
from test_checks import STUDY as PLANTED_STUDY
from test_checks import Fault

from sotongindex.checks import CheckReport
from sotongindex.datasets import sample_panel
from sotongindex.errors import EngineError, MethodError, ResponseError
from sotongindex.models import Organization, Scale, SurveyItem
from sotongindex.responses import check_responses
from sotongindex.tally import Tally

STUDY = small_study(
    organizations=("a", "b", Organization(key="c", channels=["blog"])),
    channels=("blog", "video"),
    items=[
        ("q1", "d1"),
        SurveyItem(key="q2", dimension="d1", scale=Scale(low=1, high=7, missing=(9,))),
        SurveyItem(key="q3", dimension="d2", channels=["blog"]),
    ],
)


def plain(report: CheckReport) -> list[Any]:
    """Return findings without rows, which a lazy frame does not have."""
    return [attrs.evolve(one, rows=()) for one in report.findings]


def assert_same(engine: Engine, frame: pl.DataFrame, study=STUDY, **roles: Any) -> CheckReport:
    memory = check_responses(frame, study, **roles)
    lazy = check_responses(engine(frame), study, **roles)
    assert plain(lazy) == plain(memory)
    assert attrs.evolve(lazy, findings=()) == attrs.evolve(memory, findings=())
    return lazy


GOOD = pl.DataFrame(
    {
        "respondent": [1, 1, 2, 3, 4, 5],
        "organization": ["a", "a", "b", "b", "c", "a"],
        "channel": ["blog", "video", "blog", "video", "blog", "blog"],
        "q1": [1, 2, 3, 4, 5, 6],
        "q2": [7, None, 9, 1, 2, 3],
        "q3": [1, None, 2, None, 3, 4],
        "weight": [1.0, 1.0, 2.0, 0.5, 1.0, 3.0],
        "date": ["2024-05-01"] * 6,
        "stratum": ["s", "s", "s", "t", "t", "t"],
        "cluster": [1, 1, 1, 2, 2, 3],
        "population": [100.0, 100.0, 100.0, 50.0, 50.0, 50.0],
    }
)
DESIGN = {"stratum": "stratum", "cluster": "cluster", "stratum_population": "population"}
ROLES: dict[str, Any] = {"weight": "weight", "date": "date", **DESIGN}


@engines
def test_nothing_wrong(engine: Engine):
    report = assert_same(engine, GOOD, **ROLES)
    assert report.ok
    assert report.answers == 15 - 1
    assert_same(engine, GOOD, respondent=None)
    assert_same(engine, sample_panel(respondents=60).to_frame("polars"), sample_panel().study)


FAULTS = {
    "unknown organization": pl.lit("kt").alias("organization"),
    "blank channel": pl.lit(" ").alias("channel"),
    "unknown channel": pl.lit("vidoe").alias("channel"),
    "blank respondent": pl.lit(None, pl.Int64).alias("respondent"),
    "not operated": pl.lit("c").alias("organization"),
    "no weight": pl.lit(None, pl.Float64).alias("weight"),
    "negative weight": pl.lit(-1.0).alias("weight"),
    "infinite weight": pl.lit(float("inf")).alias("weight"),
    "out of range": pl.lit(99).alias("q1"),
    "not asked": pl.lit(3).alias("q3"),
    "silent": [pl.lit(None, pl.Int64).alias(key) for key in ("q1", "q2", "q3")],
    "epoch": pl.lit("1970-01-01").alias("date"),
    "odd date": pl.lit("soon").alias("date"),
    "cluster in two strata": pl.lit(1).alias("cluster"),
    "population": pl.lit(0.5).alias("population"),
    "text": pl.lit("good").alias("q2"),
    "numbers as text": pl.lit("3").alias("q2"),
    "fractions": pl.lit(2.5).alias("q1"),
}


@engines
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("rows", [[1], [1, 3, 4]])
def test_every_fault(engine: Engine, fault, rows):
    change = FAULTS[fault]
    expressions = change if isinstance(change, list) else [change]
    place = pl.int_range(pl.len()).is_in(rows)
    kinds = {one.meta.output_name(): GOOD.select(one).dtypes[0] for one in expressions}
    frame = GOOD.with_columns(pl.col(name).cast(kind, strict=False) for name, kind in kinds.items())
    frame = frame.with_columns(
        pl.when(place)
        .then(one)
        .otherwise(pl.col(one.meta.output_name()))
        .alias(one.meta.output_name())
        for one in expressions
    )
    assert_same(engine, frame, **ROLES)


# Rows have no order: neither a first answer nor a last one.
IN_ORDER = [
    fault
    for fault in PLANTED
    if fault.code == "differs_within_evaluation"
    or fault.roles.get("duplicates") == "last"
    or (fault.code == "duplicate_evaluation" and fault.roles.get("item"))
]


@engines
@pytest.mark.parametrize(
    "fault", [one for one in PLANTED if one not in IN_ORDER], ids=lambda fault: fault.code
)
def test_every_planted_fault(engine: Engine, fault: Fault):
    assert_same(engine, pl.DataFrame(fault.frame(), strict=False), PLANTED_STUDY, **fault.roles)


@engines
def test_an_answer_that_is_there_twice_in_a_long_table_counts_twice(engine: Engine):
    (fault,) = (
        one for one in IN_ORDER if one.code == "duplicate_evaluation" and "item" in one.roles
    )
    frame = pl.DataFrame(fault.frame(), strict=False)
    memory = check_responses(frame, PLANTED_STUDY, **fault.roles)
    lazy = check_responses(engine(frame), PLANTED_STUDY, **fault.roles)
    assert plain(lazy) == plain(memory)
    assert (lazy.answers, memory.answers) == (5, 4)  # which one is the last is not known


@engines
def test_columns(engine: Engine):
    assert_same(engine, GOOD.drop("q1", "weight"), weight="weight")
    assert_same(engine, GOOD.drop("q1", "q2", "q3"))
    assert_same(engine, GOOD.drop("channel"), channel=None)
    assert_same(engine, GOOD.head(0))
    assert_same(engine, pl.concat([GOOD, GOOD.head(3)]))
    assert_same(engine, pl.concat([GOOD, GOOD.head(3)]), duplicates="keep")


@engines
def test_long_tables(engine: Engine):
    index = ["respondent", "organization", "channel"]
    long = GOOD.unpivot(["q1", "q2", "q3"], index=index, variable_name="item", value_name="answer")
    roles = {"item": "item", "answer": "answer"}
    known = long.filter(pl.col("answer").is_not_null())
    assert_same(engine, known, **roles)
    assert_same(engine, pl.concat([known, known.head(2)]), duplicates="keep", **roles)
    odd = known.with_columns(answer=pl.when(pl.col("item") == "q1").then(88).otherwise("answer"))
    assert_same(engine, odd, **roles)
    assert_same(engine, known.with_columns(pl.col("item").replace("q1", "q11")), **roles)
    for name in ("respondent", "organization", "channel", "item", "answer"):
        assert_same(engine, known.drop(name), **roles)
    codes = long.with_columns(answer=pl.lit(9))  # a missing code of one item only
    assert_same(engine, codes, **roles)
    assert_same(engine, codes.filter(pl.col("item") == "q2"), **roles)


@engines
def test_weights_that_differ_within_an_evaluation(engine: Engine):
    index = ["respondent", "organization", "channel"]
    long = GOOD.unpivot(["q1", "q2"], index=index, variable_name="item", value_name="answer")
    weight = pl.when(pl.col("respondent") == 1).then(pl.int_range(pl.len()) + 1.0).otherwise(2.0)
    roles: dict[str, Any] = {"item": "item", "answer": "answer", "weight": "weight"}
    frame = long.with_columns(weight=weight)
    (memory,) = check_responses(frame, STUDY, **roles).errors
    (lazy,) = check_responses(engine(frame), STUDY, **roles).errors
    assert (lazy.code, lazy.column) == (memory.code, memory.column)
    assert lazy.count == 2  # evaluations: rows have no first


@engines
def test_a_population_without_strata(engine: Engine):
    report = assert_same(engine, GOOD, cluster="cluster", stratum_population="population")
    assert report.errors[0].code == "population_differs"
    small = GOOD.with_columns(population=pl.lit(5.0))
    report = assert_same(engine, small, respondent=None, stratum_population="population")
    assert report.errors[0].code == "population_exceeded"  # every row is a respondent
    assert_same(engine, small.drop("respondent"), stratum_population="population")


@engines
def test_days_written_as_numbers(engine: Engine):
    frame = GOOD.with_columns(date=pl.Series([20240501, 19700101, 7, None, 20240502, 20240503]))
    report = assert_same(engine, frame, date="date")
    assert {"epoch_date", "unreadable_date"} < {one.code for one in report.warnings}


@engines
def test_columns_bound_to_channels(engine: Engine):
    keys = ["q1", "q2", "q3"]
    wide = GOOD.pivot("channel", index=["respondent", "organization"], values=keys)
    columns = {("q1", "blog"): "q1_blog", ("q1", "video"): "q1_video", ("q2", "blog"): "q2_blog"}
    columns |= {("q2", "video"): "q2_video", ("q3", "blog"): "q3_blog"}
    roles: dict[str, Any] = {"columns": columns, "channel": None}
    assert_same(engine, wide, **roles)
    assert_same(engine, wide.with_columns(q1_blog=pl.lit(12)), **roles)
    empty = wide.with_columns(pl.lit(None, pl.Int64).alias(name) for name in columns.values())
    assert_same(engine, pl.concat([wide, empty.head(1)]), **roles)
    assert_same(engine, pl.concat([wide, wide.head(2)]), **roles)
    assert_same(engine, wide, respondent=None, **roles)
    assert_same(engine, wide.drop("respondent"), **roles)
    coded = wide.with_columns(pl.lit(9).alias(name) for name in ("q2_blog", "q2_video"))
    assert_same(engine, coded.with_columns(q1_video=None), **roles)


@st.composite
def columns(draw: st.DrawFn) -> dict[str, pl.Series]:
    """Draw rows with every kind of fault, rated on two channels."""
    whole, some = st.sampled_from([1, 4, 7, 9, 0, 99, None]), st.sampled_from([1.0, 2.5, 9.0, -1.0])
    text = st.sampled_from(["1", " 2 ", "9", "", "x", None])
    answers, kind = draw(
        st.sampled_from([(whole, pl.Int64), (some | st.none(), pl.Float64), (text, pl.String)])
    )
    size = st.sampled_from([1.0, 0.0, -2.0, 50.0, float("inf"), None])
    who, key = draw(st.sampled_from([(st.integers(1, 3), pl.Int64), (st.just(" p"), pl.String)]))
    drawn: dict[str, tuple[st.SearchStrategy[Any], Any]] = {
        "respondent": (who | st.none(), key),
        "organization": (st.sampled_from(["a", "b ", "b", "c", "d", "", None]), pl.String),
        "channel": (st.sampled_from(["blog", "video", " video", "vlog", None]), pl.String),
        **dict.fromkeys(("q1", "q2", "q3", "v1", "v2"), (answers, kind)),
        "weight": (size, pl.Float64),
        "population": (size, pl.Float64),
        "stratum": (st.sampled_from(["s", "t", " ", None]), pl.String),
        "cluster": (st.sampled_from([1, 2, None]), pl.Int64),
        "date": (st.sampled_from(["2024-05-01", "1970-01-01T09", "soon", None]), pl.String),
    }
    rows = draw(st.integers(1, 12))
    return {
        name: pl.Series(name, draw(st.lists(values, min_size=rows, max_size=rows)), kind)
        for name, (values, kind) in drawn.items()
    }


BOUND = {("q1", "blog"): "q1", ("q2", "blog"): "q2", ("q3", "blog"): "q3"}
BOUND |= {("q1", "video"): "v1", ("q2", "video"): "v2"}
OPTIONS = st.fixed_dictionaries(
    {"duplicates": st.sampled_from(["error", "keep"])},
    optional={
        "weight": st.just("weight"),
        "stratum": st.just("stratum"),
        "cluster": st.just("cluster"),
        "stratum_population": st.just("population"),
        "date": st.just("date"),
    },
)


@settings(max_examples=60, deadline=None)
@given(
    columns=columns(),
    roles=OPTIONS,
    layout=st.sampled_from([{}, {"respondent": None}, {"columns": BOUND, "channel": None}]),
)
def test_any_wide_frame(columns, roles, layout):
    assert_same(in_polars, pl.DataFrame(columns), **roles, **layout)


@settings(max_examples=60, deadline=None)
@given(columns=columns(), roles=OPTIONS, silent=st.booleans())
def test_any_long_frame(columns, roles, silent):
    wide = pl.DataFrame(columns).drop("v1", "v2")
    wide = wide.unique(["respondent", "organization", "channel"], maintain_order=True)
    index = [name for name in wide.columns if name not in {"q1", "q2", "q3"}]
    long = wide.unpivot(["q1", "q2", "q3"], index=index, variable_name="item", value_name="answer")
    long = long if silent else long.filter(pl.col("answer").is_not_null())
    keys = [pl.col("organization").str.strip_chars(), pl.col("channel").str.strip_chars()]
    if long.select("respondent", "item", *keys).is_duplicated().any():
        long = long.head(1)  # which of two answers is the last is known in memory only
    assert_same(in_polars, long, item="item", answer="answer", **roles)


@engines
def test_a_tally_refuses_what_the_check_finds(engine: Engine):
    wrong = GOOD.with_columns(q1=pl.lit(99))
    with pytest.raises(ResponseError, match="outside 1 to 7") as caught:
        Tally.from_frame(engine(wrong), STUDY)
    assert caught.value.report.errors[0].code == "out_of_range"
    assert Tally.from_frame(engine(GOOD), STUDY, check=False).evaluations.sum() == 6


@engines
def test_text_without_end_is_no_column_of_numbers(engine: Engine):
    frame = pl.DataFrame({"organization": ["a"] * 1200, "respondent": range(1200)}).with_columns(
        channel=pl.lit("blog"), q1=pl.format("words {}", "respondent"), q2=1, q3=1
    )
    with pytest.raises(MethodError, match="more than 1,000 different texts"):
        check_responses(engine(frame), STUDY)


@engines
def test_weights_and_keys_of_other_kinds(engine: Engine):
    text = GOOD.with_columns(pl.format(" {}", "weight").alias("weight"))
    assert_same(engine, text, weight="weight")
    wrong = text.with_columns(
        weight=pl.when(pl.col("q1") > 3).then(pl.lit("x")).otherwise("weight")
    )
    assert_same(engine, wrong, weight="weight")
    study = small_study(organizations=("1", "2"), items=[("q1", "d1")])
    frame = pl.DataFrame({"organization": [1, 2, 2], "respondent": [5, 6, 6], "q1": [1, 2, 3]})
    report = assert_same(engine, frame, study=study, channel=None)
    assert [finding.code for finding in report.errors] == ["duplicate_evaluation"]
    long = frame.unpivot(["q1"], index=["organization", "respondent"], variable_name="item")
    roles: dict[str, Any] = {"item": "item", "answer": "value", "channel": None}
    assert_same(engine, long, study=study, duplicates="keep", **roles)


@engines
def test_without_a_check_keys_are_looked_at_all_the_same(engine: Engine):
    unknown = GOOD.with_columns(pl.col("organization").replace("a", "kt"))
    with pytest.raises(ResponseError, match=r"unknown organization 'kt' \(3 rows\)"):
        Tally.from_frame(engine(unknown), STUDY, check=False)
    keyless = GOOD.with_columns(respondent=pl.lit(None, pl.Int64))
    with pytest.raises(EngineError, match="some keys have no jackknife group"):
        Tally.from_frame(engine(keyless), STUDY, check=False)


@engines
def test_numbers_without_end_are_no_answers(engine: Engine):
    many = pl.DataFrame({"respondent": range(100_001)}).with_columns(
        organization=pl.lit("a"), channel=pl.lit("blog"), q2=1, q3=1, q1=pl.col("respondent") + 0.5
    )
    with pytest.raises(MethodError, match="more than 100,000 different answers"):
        check_responses(engine(many), STUDY)


@engines
def test_moments_count_by_day(engine: Engine):
    moments = pl.datetime(2024, 5, 1, 23, pl.int_range(pl.len()))
    frame = GOOD.with_columns(date=moments, stratum=moments)
    assert_same(engine, frame, date="date", stratum="stratum")
    first = pl.datetime(1970, 1, 1, pl.int_range(pl.len()))
    report = assert_same(engine, GOOD.with_columns(date=first), date="date")
    assert "epoch_date" in {one.code for one in report.warnings}
