"""One table, held by every engine: the same tally, the same index, the same refusals."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from lazy import assert_same_tally
from support import small_study

from sotongindex.errors import EngineError, MethodError, ResponseError, SotongIndexError
from sotongindex.index import IndexMethod, compute_index
from sotongindex.models import Scale, SurveyItem
from sotongindex.tally import Tally
from sotongindex.variance import GroupJackknife

# What engines and narwhals say of their own coming versions is for their users to read.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Dask support is moving out of Narwhals:FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ibis"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
    pytest.mark.filterwarnings("ignore::UserWarning:pyspark"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

ROWS = 240
STUDY = small_study(
    organizations=("seoul", "busan", "c"),
    channels=("blog", "app"),
    items=[
        SurveyItem(key="q1", dimension="d1"),
        SurveyItem(key="q2", dimension="d1", reverse=True, scale=Scale(low=0, high=10)),
        SurveyItem(
            key="q3",
            dimension="d2",
            scale=Scale(low=1, high=7, conversion="top box", boxes=2, missing=(9, 99)),
        ),
        SurveyItem(
            key="q4", dimension="d2", scale=Scale(low=1, high=7, conversion="fraction of top")
        ),
    ],
)
KEYS = STUDY.framework.item_keys


def table(rows: int = ROWS) -> pl.DataFrame:
    """Answers of respondents who rate two channels each, some missing, some coded as missing."""
    rng = np.random.default_rng(5)
    row = np.arange(rows)
    answers = rng.integers(1, 8, (4, rows)).astype(np.int8)
    answers[2, row % 13 == 0] = 9
    frame = pl.DataFrame(
        {
            "respondent": row // 2 + 1,
            "organization": np.array(["seoul", "busan ", "c"])[row // 2 % 3],
            "channel": np.array(["blog", "app"])[row % 2],
            "weight": 0.25 + rng.random(rows),
            **dict(zip(KEYS, answers, strict=True)),
        }
    )
    blank = pl.int_range(pl.len()) % 7 == 3
    return frame.with_columns(
        pl.when(~blank).then(pl.col("q1")).alias("q1"),
        town=pl.format("읍 {}", pl.col("respondent") % 40),
        group=pl.col("respondent") % 5,
    )


TABLE = table()


def assert_agrees(engine, frame: pl.DataFrame, **options: Any) -> Tally:
    tally = Tally.from_frame(engine.hold(frame.to_arrow()), STUDY, **options)
    assert_same_tally(tally, Tally.from_frame(frame, STUDY, **options))
    return tally


# -- answers and weights ---------------------------------------------------------------------------

FLOATS = pl.col(*KEYS).cast(pl.Float64)
ANSWERS: dict[str, list[pl.Expr]] = {
    "bytes": [],
    "wide integers": [pl.col(*KEYS).cast(pl.Int64)],
    "floats": [FLOATS],
    "NaN": [FLOATS.fill_null(float("nan"))],
    "text": [pl.format(" {}.0", pl.col("q2")).alias("q2"), pl.col("q3").cast(pl.String)],
    "nothing": [pl.lit(None, dtype=pl.Int8).alias("q1"), pl.lit(None, pl.Float64).alias("q3")],
}


@pytest.mark.parametrize("answers", ANSWERS)
@pytest.mark.parametrize("weight", [None, "weight"])
def test_counts_points_and_frequencies(engine, answers, weight):
    frame = TABLE.with_columns(*ANSWERS[answers])
    tally = assert_agrees(engine, frame, weight=weight, frequencies=True)
    assert tally.evaluations.sum() == ROWS
    assert tally.answers[:, 2].sum() == (0 if answers == "nothing" else ROWS - 19)


@pytest.mark.parametrize("weight", [None, "weight"])
def test_fractional_answers(engine, weight):
    assert_agrees(
        engine, TABLE.with_columns((pl.col("q1", "q4") + 0.125).clip(1, 7)), weight=weight
    )


def test_weights_that_are_whole(engine):
    frame = TABLE.with_columns(weight=(pl.col("respondent") % 3 + 1).cast(pl.Int16))
    assert_agrees(engine, frame, weight="weight")


# -- keys ------------------------------------------------------------------------------------------

RESPONDENT = pl.col("respondent")
RESPONDENTS: dict[str, pl.Expr] = {
    "negative": -RESPONDENT,
    "huge": RESPONDENT * (2**53 + 1) - 2**62,
    "small": RESPONDENT.cast(pl.Int8),
    "whole floats": RESPONDENT.cast(pl.Float64),
    "digits": RESPONDENT.cast(pl.String),
    "ASCII": pl.format("r-{}", RESPONDENT),
    "Korean": pl.format("응답자{}", RESPONDENT),
    "blanks at the ends": pl.format(" \t응 {}\u3000\u00a0", RESPONDENT),
    "emoji": pl.format("😀{}é", RESPONDENT),
    "long and short": pl.lit("x").repeat_by(RESPONDENT % 70).list.join("")
    + RESPONDENT.cast(pl.String),
}


@pytest.mark.parametrize("key", RESPONDENTS)
def test_jackknife_groups_of_respondents(engine, key):
    assert_agrees(engine, TABLE.with_columns(RESPONDENTS[key]))


def test_columns_of_categories(engine):
    kind = pl.Categorical if engine.has_categories else pl.String
    keys = pl.col("organization", "channel", "town").cast(kind)
    assert_agrees(engine, TABLE.with_columns(keys), cluster="town")


def test_clusters(engine):
    tally = assert_agrees(engine, TABLE, cluster="town", groups=8)
    assert set(tally.group) == set(range(8))


def test_groups_that_are_supplied(engine):
    assert set(assert_agrees(engine, TABLE, groups=5, group="group").group) == set(range(5))


def test_no_groups(engine):
    assert assert_agrees(engine, TABLE, groups=1, respondent=None).group.max() == 0


# -- layouts and files -----------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, "weight"])
def test_columns_bound_to_channels(engine, weight):
    index = ["respondent", "organization"]
    wide = TABLE.with_columns(weight=pl.col("weight").first().over("respondent")).pivot(
        "channel", index=[*index, "weight"], values=KEYS
    )
    columns = {(key, one): f"{key}_{one}" for key in KEYS for one in ("blog", "app")}
    assert_agrees(engine, wide, columns=columns, channel=None, weight=weight, frequencies=True)


@pytest.mark.parametrize("weight", [None, "weight"])
def test_long(engine, weight):
    index = ["respondent", "organization", "channel", "weight"]
    long = TABLE.unpivot(KEYS, index=index, variable_name="item", value_name="answer")
    assert_agrees(engine, long.drop_nulls(), item="item", answer="answer", weight=weight)


def test_files(engine, parquet_file):
    frame = engine.scan(parquet_file(TABLE.to_arrow()))
    assert_same_tally(Tally.from_frame(frame, STUDY), Tally.from_frame(TABLE, STUDY))


def test_tables_of_one_file_in_two_engines_add_up(engine):
    first = Tally.from_frame(engine.hold(TABLE[:101].to_arrow()), STUDY)
    assert_same_tally(first + Tally.from_frame(TABLE[101:], STUDY), Tally.from_frame(TABLE, STUDY))


def test_the_same_index_with_the_same_errors(engine):
    method = IndexMethod(variance=GroupJackknife(groups=16))
    tallies = [
        Tally.from_frame(frame, STUDY, groups=16, weight="weight")
        for frame in (engine.hold(TABLE.to_arrow()), TABLE)
    ]
    found, expected = (compute_index(tally, method=method) for tally in tallies)
    np.testing.assert_allclose(found.index.values, expected.index.values, rtol=1e-12)
    np.testing.assert_allclose(found.index.variance, expected.index.variance, rtol=1e-9)
    assert np.all(found.index.variance > 0)


# -- what is refused -------------------------------------------------------------------------------

HALF = (pl.col("respondent") + 0.5).alias("respondent")
REFUSED: dict[str, tuple[pl.Expr, type[SotongIndexError], str]] = {
    "organization": (
        pl.col("organization").replace("c", "cc"),
        ResponseError,
        r"unknown organization 'cc' \(80 rows\)",
    ),
    "channel": (pl.col("channel").replace("app", "apps"), ResponseError, "did you mean 'app'"),
    "blank": (pl.when(RESPONDENT > 3).then("channel").alias("channel"), ResponseError, "blank"),
    "keys": (HALF, MethodError, "neither whole numbers nor text"),
    "no key": (
        pl.when(RESPONDENT > 3).then(RESPONDENT),
        ResponseError,
        r"respondent: blank \(6 rows\)",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(lazy_engine, what):
    change, kind, message = REFUSED[what]
    frame = lazy_engine.hold(TABLE.with_columns(change).to_arrow())
    with pytest.raises(kind, match=message):
        Tally.from_frame(frame, STUDY)


def test_a_missing_column_is_refused(engine):
    with pytest.raises(ResponseError, match=r"q3: expected a column"):
        Tally.from_frame(engine.hold(TABLE.drop("q3").to_arrow()), STUDY)


# -- engines that fail -----------------------------------------------------------------------------


def test_a_query_that_fails_when_it_is_run(lazy_engine):
    table = nw.from_native(lazy_engine.hold(TABLE.to_arrow()))
    frame = table.with_columns(q1=nw.col("town").cast(nw.Int64)).to_native()
    with pytest.raises(EngineError, match="could not answer") as caught:
        Tally.from_frame(frame, STUDY)
    assert caught.value.engine in lazy_engine.name + "pyspark"
    assert caught.value.argument == "frame"
    assert caught.value.__cause__ is not None
    assert not isinstance(caught.value.__cause__, SotongIndexError)


def test_a_view_whose_file_is_gone(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "answers.parquet"
    TABLE.write_parquet(path)
    frame = duckdb.connect().read_parquet(str(path))
    path.unlink()
    with pytest.raises(EngineError, match=r"duckdb could not answer.*answers\.parquet") as caught:
        Tally.from_frame(frame, STUDY)
    assert isinstance(caught.value.__cause__, duckdb.Error)


def test_a_connection_that_is_closed():
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    frame = connection.from_arrow(TABLE.to_arrow())
    connection.close()
    with pytest.raises(EngineError, match=r"duckdb could not answer.*[Cc]onnection") as caught:
        Tally.from_frame(frame, STUDY)
    assert isinstance(caught.value.__cause__, duckdb.Error)


def _fails(part: Any) -> Any:
    if len(part) and part["respondent"].max() > 100:
        raise ValueError("a disk of the cluster is gone")
    return part


def test_a_partition_that_fails():
    dask = pytest.importorskip("dask.dataframe")
    whole = dask.from_pandas(TABLE.to_pandas(), npartitions=3)
    frame = whole.map_partitions(_fails, meta=whole._meta)
    with pytest.raises(EngineError, match=r"dask could not answer.*disk of the cluster") as caught:
        Tally.from_frame(frame, STUDY)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.spark
def test_a_function_of_the_user_that_fails_in_spark(spark):
    from pyspark.sql import functions

    @functions.udf("long")
    def fails(value: int) -> int:
        raise ValueError("no such panel")

    frame = spark.createDataFrame(TABLE.to_arrow()).withColumn("q1", fails("q1"))
    with pytest.raises(EngineError, match=r"pyspark could not answer \(PythonException\)"):
        Tally.from_frame(frame, STUDY)


@pytest.mark.parametrize("code", ["", "from_frame(pl.DataFrame)", "from_frame(pl.LazyFrame)"])
def test_no_engine_is_imported_that_was_not_asked_for(code):
    lines = ["import sys", "import sotongindex as si"]
    others = {"pandas", "duckdb", "dask", "ibis", "pyspark", "distributed"}
    if code:
        data = {name: TABLE[name].to_list() for name in ("respondent", "organization", *KEYS)}
        lines += [
            "import polars as pl",
            "from support import small_study",
            "items = [(f'q{place}', 'd') for place in range(1, 5)]",
            "study = small_study(['seoul', 'busan', 'c'], items=items)",
            f"frame = {code[11:-1]}({data!r})",
            "frame = frame.with_columns(q3=pl.lit(5), channel=pl.lit('blog'))",
            "si.Tally.from_frame(frame, study, respondent=None, groups=1)",
        ]
    else:
        others |= {"polars", "pyarrow"}
    lines.append(f"print(sorted({others!r} & set(sys.modules)))")
    path = [one for one in sys.path if one]
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(path)},
    )
    assert run.stdout.strip() == "[]"
