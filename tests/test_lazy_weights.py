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
