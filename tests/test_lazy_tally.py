"""Tallies that an engine makes: every layout, conversion and refusal, on Polars and DuckDB."""

from __future__ import annotations

from typing import Any

import attrs
import duckdb
import numpy as np
import polars as pl
import pytest
from lazy import Engine, assert_same_tally, engines, in_duckdb

from sotongindex.datasets import sample_panel
from sotongindex.errors import EngineError, MethodError, ResponseError
from sotongindex.index import IndexMethod, compute_index
from sotongindex.models import Scale
from sotongindex.tally import Tally
from sotongindex.variance import GroupJackknife

PANEL = sample_panel(respondents=120)
FRAMEWORK = PANEL.study.framework
KEYS = FRAMEWORK.item_keys
BOX = Scale(low=1, high=7, conversion="top box", boxes=2, missing=(9,))
PART = Scale(low=1, high=7, conversion="fraction of top")
ITEMS = [
    attrs.evolve(FRAMEWORK.items[0], reverse=True),
    attrs.evolve(FRAMEWORK.items[1], scale=BOX),
    attrs.evolve(FRAMEWORK.items[2], scale=PART),
    *FRAMEWORK.items[3:],
]
STUDY = attrs.evolve(PANEL.study, framework=attrs.evolve(FRAMEWORK, items=ITEMS))
ANSWERS = PANEL.to_frame("polars").with_columns(
    pl.when(pl.int_range(pl.len()) % 11 == 0).then(9).otherwise(pl.col(KEYS[1])).alias(KEYS[1])
)
SMALL = ANSWERS.with_columns(pl.col(*KEYS).cast(pl.Int8))


@engines
@pytest.mark.parametrize("frame", [ANSWERS, SMALL], ids=["floats", "bytes"])
@pytest.mark.parametrize("weight", [None, "weight"])
def test_wide(engine: Engine, frame, weight):
    options: dict[str, Any] = {"weight": weight, "frequencies": True}
    lazy = Tally.from_frame(engine(frame), STUDY, **options)
    assert_same_tally(lazy, Tally.from_frame(frame, STUDY, **options))


@engines
@pytest.mark.parametrize("weight", [None, "weight"])
def test_long(engine: Engine, weight):
    index = ["respondent", "organization", "channel", "weight"]
    long = ANSWERS.unpivot(KEYS, index=index, variable_name="item", value_name="answer")
    long = long.filter(pl.col("answer").is_not_null())
    roles: dict[str, Any] = {"item": "item", "answer": "answer", "weight": weight}
    lazy = Tally.from_frame(engine(long), STUDY, **roles)
    assert_same_tally(lazy, Tally.from_frame(long, STUDY, **roles))
    twice = pl.concat([long, long.head(700)])
    again = Tally.from_frame(engine(twice), STUDY, duplicates="keep", **roles)
    assert_same_tally(again, Tally.from_frame(twice, STUDY, duplicates="keep", **roles))


@engines
def test_columns_bound_to_channels(engine: Engine):
    wide = ANSWERS.pivot("channel", index=["respondent", "organization"], values=KEYS)
    columns = {(key, one): f"{key}_{one}" for key in KEYS for one in FRAMEWORK.channel_keys}
    roles: dict[str, Any] = {"columns": columns, "channel": None}
    lazy = Tally.from_frame(engine(wide), STUDY, **roles)
    assert_same_tally(lazy, Tally.from_frame(wide, STUDY, **roles))


@engines
def test_the_same_index_with_the_same_errors(engine: Engine):
    method = IndexMethod(variance=GroupJackknife(groups=16))
    lazy = compute_index(Tally.from_frame(engine(SMALL), STUDY, groups=16), method=method)
    both = compute_index(Tally.from_frame(SMALL, STUDY, groups=16), method=method)
    np.testing.assert_allclose(lazy.index.values, both.index.values, rtol=1e-12)
    np.testing.assert_allclose(lazy.index.variance, both.index.variance, rtol=1e-9)


@engines
@pytest.mark.parametrize(
    "key",
    [
        pl.col("respondent").cast(pl.String),
        pl.format(" 응답자-{}\u3000", pl.col("respondent")),
        pl.format("{}", pl.col("respondent").hash(1) % 10**9).str.slice(0, 3).str.pad_end(2, "é"),
        pl.col("respondent") * -(2**40),
        pl.col("respondent").cast(pl.Float64),
        pl.format("😀{}", pl.col("respondent")).cast(pl.Categorical),
    ],
    ids=["digits", "Korean", "short", "negative", "float", "categories"],
)
def test_groups_are_those_of_memory(engine: Engine, key):
    frame = SMALL.with_columns(respondent=key)
    if isinstance(frame["respondent"].dtype, pl.Categorical) and engine is in_duckdb:
        frame = frame.with_columns(pl.col("respondent").cast(pl.String))
    lazy = Tally.from_frame(engine(frame), STUDY, duplicates="keep")
    assert_same_tally(lazy, Tally.from_frame(frame, STUDY, duplicates="keep"))


@engines
def test_clusters_and_supplied_groups(engine: Engine):
    frame = SMALL.with_columns(
        town=pl.format("town {}", pl.col("respondent") % 40), group=pl.col("respondent") % 7
    )
    lazy = Tally.from_frame(engine(frame), STUDY, cluster="town")
    assert_same_tally(lazy, Tally.from_frame(frame, STUDY, cluster="town"))
    given = Tally.from_frame(engine(frame), STUDY, respondent=None, groups=7, group="group")
    assert_same_tally(given, Tally.from_frame(frame, STUDY, groups=7, group="group"))
    assert np.unique(given.group).tolist() == [0, 1, 2, 3, 4, 5, 6]
    for one in (frame, engine(frame)):
        with pytest.raises(MethodError, match="from 0 to 2, got 0 to 6"):
            Tally.from_frame(one, STUDY, groups=3, group="group")
        with pytest.raises(ResponseError, match="did you mean 'group'"):
            Tally.from_frame(one, STUDY, groups=7, group="groups")
    one = Tally.from_frame(engine(frame), STUDY, respondent=None, groups=1)
    assert one.evaluations.sum() == len(frame)


@engines
def test_answers_written_as_text(engine: Engine):
    frame = SMALL.with_columns(pl.format(" {}", pl.col(KEYS[3])).alias(KEYS[3]))
    assert_same_tally(Tally.from_frame(engine(frame), STUDY), Tally.from_frame(SMALL, STUDY))


@engines
def test_what_is_refused(engine: Engine):
    first = SMALL["organization"][0]
    wrong = SMALL.with_columns(pl.col("organization").replace(first, "nobody"))
    keyless = SMALL.with_columns(respondent=pl.col("respondent") + 0.5)
    for frame, roles, kind, message in (
        (SMALL.drop(KEYS[0]), {}, ResponseError, KEYS[0]),
        (wrong, {}, ResponseError, "unknown organization 'nobody'"),
        (SMALL, {"respondent": None}, MethodError, "no keys to make jackknife groups of"),
        (SMALL, {"duplicates": "last"}, MethodError, "no order"),
        (SMALL, {"groups": 0}, MethodError, "1 or more"),
        (SMALL, {"moments": True}, MethodError, "from_batches"),
        (keyless, {}, MethodError, "neither whole numbers nor text"),
    ):
        with pytest.raises(kind, match=message):
            Tally.from_frame(engine(frame), STUDY, **roles)


def test_an_engine_that_fails():
    connection = duckdb.connect()
    connection.execute("create table answers as select 'x' as organization")
    relation = connection.table("answers").filter("error('the disk is gone') = organization")
    columns = {name: name for name in ("channel", "respondent", *KEYS)}
    frame = relation.select(f"organization, {', '.join(f'1 as {name}' for name in columns)}")
    with pytest.raises(EngineError, match=r"duckdb could not answer.*the disk is gone") as caught:
        Tally.from_frame(frame, STUDY)
    assert caught.value.engine == "duckdb"
    assert isinstance(caught.value.__cause__, duckdb.Error)
