"""Weights of lazy frames are those of memory, and errors know of them."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import polars as pl
import pytest
from lazy import Engine, engines

from sotongindex.calibration import calibrate, post_stratify, rake
from sotongindex.datasets import sample_panel
from sotongindex.errors import CalibrationError, MethodError
from sotongindex.index import IndexMethod, compute_index
from sotongindex.responses import Responses
from sotongindex.tally import Tally
from sotongindex.variance import GroupJackknife

PANEL = sample_panel(respondents=900)
TABLE = PANEL.to_frame("polars").with_columns(
    sex=pl.when(pl.col("respondent") % 3 > 0).then(pl.lit("여")).otherwise(pl.lit("남"))
)
AGES = sorted(TABLE["age_group"].unique().to_list())
MARGINS = {
    "age_group": {age: 1 / len(AGES) for age in AGES},
    "sex": {"여": 0.5, "남": 0.5},
}
METHOD = IndexMethod(variance=GroupJackknife(groups=8))


def in_memory(**options: Any) -> Responses:
    keep = ("age_group", "sex")
    responses = Responses.from_frame(TABLE, PANEL.study, keep=keep, **options)
    return rake(responses, MARGINS)


def by_row(frame: Any, name: str = "weight") -> dict[tuple[Any, ...], float]:
    table = frame.collect() if isinstance(frame, pl.LazyFrame) else frame.pl()
    keys = table.select("respondent", "organization", "channel").rows()
    return dict(zip(keys, table[name].to_list(), strict=True))


@engines
@pytest.mark.parametrize("weight", [None, "weight"])
def test_the_weights_of_memory_row_by_row(engine: Engine, weight):
    lazy = engine(TABLE)
    found = rake(lazy, MARGINS, weight=weight, respondent="respondent")
    memory = rake(TABLE, MARGINS, weight=weight, respondent="respondent")
    rows = TABLE.select("respondent", "organization", "channel").rows()
    expected = dict(zip(rows, memory.weight.tolist(), strict=True))
    weights = by_row(found.weighted(lazy, name="raked"), "raked")
    assert weights.keys() == expected.keys()
    np.testing.assert_allclose([weights[row] for row in rows], memory.weight, rtol=1e-12)
    assert str(found.report).splitlines()[1:3] == str(memory.report).splitlines()[1:3]


@engines
@pytest.mark.parametrize("weight", [None, "weight"])
def test_every_replicate_is_raked_again(engine: Engine, weight):
    lazy = engine(TABLE)
    weights = rake(lazy, MARGINS, weight=weight, respondent="respondent")
    tally = Tally.from_frame(lazy, PANEL.study, groups=8, weights=weights)
    responses = in_memory(weight=weight)
    expected = Tally.from_responses(responses, groups=8)
    for name in ("answer_weight", "points", "weight", "squared_weight"):
        np.testing.assert_allclose(
            getattr(tally, name), getattr(expected, name), rtol=1e-10, atol=1e-9
        )
    assert tally.replicates is not None
    assert expected.replicates is not None
    np.testing.assert_allclose(
        tally.replicates.points, expected.replicates.points, rtol=1e-10, atol=1e-8
    )
    results = [compute_index(one, method=METHOD) for one in (tally, expected, responses)]
    for one in results[:2]:
        for level in ("index", "channels", "items"):
            left, right = getattr(one, level), getattr(results[2], level)
            np.testing.assert_allclose(left.values, right.values, rtol=1e-10)
            # A tally is more careful: an item that one group alone answered has no known error.
            known = ~np.isnan(left.variance)
            assert known.sum() > 0.8 * (~np.isnan(right.variance)).sum()
            np.testing.assert_allclose(
                left.variance[known], right.variance[known], rtol=1e-8, atol=1e-10
            )
    plain = attrs.evolve(tally, replicates=None)
    ignoring = compute_index(plain, method=METHOD).index.variance
    assert not np.allclose(ignoring, results[0].index.variance, rtol=1e-3, equal_nan=True)


def test_calibrated_tallies_add_up():
    one, two = in_memory(), in_memory()
    whole = Tally.from_responses(one, groups=8) + Tally.from_responses(two, groups=8)
    assert whole.replicates is not None
    single = Tally.from_responses(one, groups=8).replicates
    assert single is not None
    np.testing.assert_allclose(whole.replicates.points, 2 * single.points)
    plain = Tally.from_responses(attrs.evolve(one, calibration=None), groups=8)
    with pytest.raises(MethodError, match="one tally has replicates and the other has none"):
        plain + Tally.from_responses(two, groups=8)


@engines
def test_other_ways_to_weights(engine: Engine):
    lazy = engine(TABLE)
    cells = {(age, sex): 10.0 for age in AGES for sex in ("여", "남")}
    people = {"age_group": AGES * 2, "sex": ["여"] * len(AGES) + ["남"] * len(AGES)}
    table = pl.DataFrame({**people, "population": list(cells.values())})
    for weigh in (
        lambda data: post_stratify(data, table.to_dict(as_series=False), respondent="respondent"),
        lambda data: calibrate(data, MARGINS, respondent="respondent"),
    ):
        try:
            memory = weigh(TABLE)
        except MethodError as error:
            with pytest.raises(type(error)):
                weigh(lazy)
            continue
        found = weigh(lazy)
        np.testing.assert_allclose(
            sorted(by_row(found.weighted(lazy, name="w"), "w").values()),
            sorted(memory.weight.tolist()),
            rtol=1e-10,
        )


@engines
@pytest.mark.parametrize(
    ("margins", "message"),
    [
        ({"sex": {"여": 0.5, "남": 0.4}}, "0.9"),
        ({"sex": {"여": 0.5, "남": 0.4, "etc": 0.1}}, "etc"),
        ({"sexes": {"여": 1.0}}, "sex"),
    ],
)
def test_margins_are_refused_as_in_memory(engine: Engine, margins, message):
    with pytest.raises(MethodError, match=message) as memory:
        rake(TABLE, margins, respondent="respondent")
    with pytest.raises(MethodError, match=message) as lazy:
        rake(engine(TABLE), margins, respondent="respondent")
    assert type(lazy.value) is type(memory.value)
    if isinstance(memory.value, CalibrationError):
        assert lazy.value.variable == memory.value.variable
        assert lazy.value.categories == memory.value.categories


@engines
def test_what_lazy_weights_cannot_do(engine: Engine):
    lazy = engine(TABLE)
    weights = rake(lazy, MARGINS, respondent="respondent")
    with pytest.raises(MethodError, match="no order"):
        rake(lazy, MARGINS, weight=np.ones(len(TABLE)))
    with pytest.raises(MethodError, match="respondents who were weighted"):
        Tally.from_frame(engine(TABLE.head(500)), PANEL.study, weights=weights)
    with pytest.raises(MethodError, match="expected a lazy frame"):
        Tally.from_frame(TABLE, PANEL.study, weights=weights)
    moved = TABLE.with_columns(
        sex=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("남")).otherwise(pl.lit("여"))
    )
    with pytest.raises(MethodError, match="respondent"):
        rake(engine(moved), {"sex": {"여": 0.5, "남": 0.5}}, respondent="respondent")


@engines
@pytest.mark.parametrize("by", [None, "sex"])
def test_groups_and_categories_that_are_numbers(engine: Engine, by):
    frame = TABLE.with_columns(
        size=pl.col("respondent") % 3, band=(pl.col("respondent") % 2).cast(pl.Float64)
    )
    margins = {"size": {0: 0.2, 1: 0.3, 2: 0.5}, "band": {0: 0.6, 1: 0.4}}
    if by is not None:
        frame = frame.with_columns(size=pl.col("respondent") // 6 % 3)
    memory = rake(frame, margins, by=by, respondent="respondent")
    lazy = engine(frame)
    found = rake(lazy, margins, by=by, respondent="respondent")
    weights = by_row(found.weighted(lazy, name="w"), "w")
    rows = frame.select("respondent", "organization", "channel").rows()
    np.testing.assert_allclose([weights[row] for row in rows], memory.weight, rtol=1e-10)
    cells = found.to_rows()
    assert sum(row["respondents"] for row in cells) == frame["respondent"].n_unique()
    assert str(found) == str(found.report)


@engines
def test_weights_on_another_frame(engine: Engine):
    weights = rake(engine(TABLE), MARGINS, respondent="respondent")
    half = TABLE.filter(pl.col("respondent") % 2 == 0)
    assert len(by_row(weights.weighted(engine(half), name="w"), "w")) == len(half)
    with pytest.raises(MethodError, match="has no column 'sex', which was weighted by"):
        weights.weighted(engine(TABLE.drop("sex")))
    strangers = TABLE.with_columns(sex=pl.lit("unknown"))
    with pytest.raises(CalibrationError, match=r"rows have no weight \(.*unknown"):
        weights.weighted(engine(strangers))
    with pytest.raises(MethodError, match="expected a lazy frame, got a DataFrame"):
        weights.weighted(TABLE)


@engines
def test_tallies_of_other_weights_and_groups(engine: Engine):
    lazy = engine(TABLE)
    weights = rake(lazy, MARGINS, weight="weight", respondent="respondent")
    one = Tally.from_frame(lazy, PANEL.study, groups=1, weights=weights)
    assert one.replicates is None
    odd = TABLE.with_columns(other=pl.col("weight") * 2, place=pl.int_range(pl.len()) % 4)
    with pytest.raises(MethodError, match="starting weights of `weights` are in 'weight'"):
        Tally.from_frame(engine(odd), PANEL.study, weight="other", weights=weights)
    with pytest.raises(MethodError, match="are in several jackknife groups") as lazy:
        Tally.from_frame(engine(odd), PANEL.study, groups=4, group="place", weights=weights)
    responses = Responses.from_frame(odd, PANEL.study, keep=("age_group", "sex", "place"))
    with pytest.raises(MethodError, match="are in several jackknife groups") as memory:
        Tally.from_responses(rake(responses, MARGINS), groups=4, group="place")
    assert str(memory.value) == str(lazy.value)


FAULTY = {
    "no respondent": (pl.lit(None, pl.Int64).alias("respondent"), {}, "respondent"),
    "no weight": (pl.lit(0.0).alias("weight"), {"weight": "weight"}, "starting weights above 0"),
    "fractions": (
        (pl.col("respondent") + 0.5).alias("sex"),
        {},
        "neither text nor whole numbers",
    ),
    "many cells": (pl.format("{}", pl.col("respondent") * 7).alias("sex"), {}, "sex"),
}


@engines
@pytest.mark.parametrize("fault", FAULTY)
def test_frames_that_cannot_be_weighted(engine: Engine, fault):
    change, options, message = FAULTY[fault]
    with pytest.raises(MethodError, match=message):
        rake(engine(TABLE.with_columns(change)), MARGINS, respondent="respondent", **options)


@engines
def test_other_arguments_of_lazy_weights(engine: Engine):
    lazy = engine(TABLE)
    with pytest.raises(MethodError, match="did you mean 'sex'"):
        rake(lazy, MARGINS, by="sexx")
    with pytest.raises(MethodError, match="row"):
        rake(engine(TABLE.head(0)), MARGINS, respondent="respondent")
    with pytest.raises(MethodError, match="expected a lazy frame"):
        Tally.from_frame(TABLE, PANEL.study, weights=rake(lazy, MARGINS))
