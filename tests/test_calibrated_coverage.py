"""Statistical claims about calibrated weights, against a known truth.

The young answer the survey far more often than the old, and are kinder; women answer a little more
often. The margins of the population are known. Raking makes the index unbiased, and the error that
knows of it is narrower than one that does not, and still covers.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import attrs
import numpy as np
import pytest
from scipy import special

from sotongindex.calibration import rake
from sotongindex.index import IndexMethod, compute_index
from sotongindex.models import Channel, Dimension, Framework, Organization, Study, SurveyItem
from sotongindex.responses import Responses
from sotongindex.variance import Bootstrap, GroupJackknife, Linearization, VarianceMethod

ORGANIZATIONS, RATED, PEOPLE, REPLICATES = 6, 2, 450, 250
AGES = {"young": 0.25, "middle": 0.35, "old": 0.40}
SEXES = {"female": 0.52, "male": 0.48}
WILLING = np.array([0.9, 0.4, 0.15])[:, None] * np.array([1.0, 0.7])  # to answer, (age, sex)
KINDNESS = np.array([1.0, 0.2, -1.0])[:, None] + np.array([0.2, -0.2])
QUALITY = np.linspace(3.4, 5.0, ORGANIZATIONS)
NOISE = 1.2
STUDY = Study(
    key="simulation",
    framework=Framework(
        key="simulation",
        version="1",
        channels=[Channel(key="blog")],
        dimensions=[Dimension(key="all")],
        items=[SurveyItem(key="q0", dimension="all"), SurveyItem(key="q1", dimension="all")],
    ),
    organizations=[Organization(key=f"o{o}") for o in range(ORGANIZATIONS)],
)
SHARES = np.outer(list(AGES.values()), list(SEXES.values()))  # of the population, (age, sex)


def truth() -> np.ndarray:
    """The expected points of every organization in the population."""
    cuts = np.arange(1.5, 7.0)  # an answer is 1 plus the number of cuts below it
    middle = QUALITY[:, None, None, None] + KINDNESS[..., None]
    points = 100.0 * special.ndtr((middle - cuts) / NOISE).sum(axis=-1) / 6.0
    return (points * SHARES).sum(axis=(1, 2))


def sample(rng: np.random.Generator) -> Responses:
    """Those who were asked and were willing to answer."""
    chance = (SHARES * WILLING / (SHARES * WILLING).sum()).ravel()
    kind = rng.choice(chance.size, PEOPLE, p=chance)
    age, sex = np.unravel_index(kind, SHARES.shape)
    person = np.repeat(np.arange(PEOPLE), RATED)
    rated = np.argsort(rng.random((PEOPLE, ORGANIZATIONS)), axis=1)[:, :RATED].ravel()
    middle = QUALITY[rated] + KINDNESS[age, sex][person]
    answers = np.clip(np.rint(middle[:, None] + rng.normal(0, NOISE, (len(person), 2))), 1, 7)
    frame = {
        "respondent": person,
        "organization": np.array(STUDY.organization_keys)[rated],
        "age": np.array(list(AGES))[age][person],
        "sex": np.array(list(SEXES))[sex][person],
        "q0": answers[:, 0],
        "q1": answers[:, 1],
    }
    return Responses.from_frame(frame, STUDY, channel=None, keep=("age", "sex"))


class Found(NamedTuple):
    """What the replicates of one way to weight say, (replicates, organizations)."""

    values: np.ndarray
    errors: np.ndarray
    covered: np.ndarray


@functools.cache
def found(weighting: str, variance: VarianceMethod, replicates: int = REPLICATES) -> Found:
    rows = []
    for seed in range(replicates):
        responses = sample(np.random.default_rng(seed))
        if weighting != "none":
            responses = rake(responses, {"age": AGES, "sex": SEXES})
        if weighting == "forgotten":
            responses = attrs.evolve(responses, calibration=None)
        index = compute_index(responses, method=IndexMethod(variance=variance)).index
        hit = (index.low <= truth()) & (truth() <= index.high)
        rows.append((index.values, index.standard_error, hit))
    return Found(*map(np.array, zip(*rows, strict=True)))


LINEAR = Linearization()


def test_raking_removes_the_bias_of_who_answers():
    unweighted, raked = (found(way, LINEAR).values - truth() for way in ("none", "raked"))
    assert (unweighted.mean(axis=0) > 5).all()
    error = raked.std(axis=0) / np.sqrt(REPLICATES)
    # Ratios of weighted sums have a bias of the order of 1 / n, a tenth of a point here.
    assert (np.abs(raked.mean(axis=0)) < 3 * error + 0.1).all()
    assert found("none", LINEAR).covered.mean() < 0.3


def test_intervals_of_raked_scores_cover():
    assert 0.93 <= found("raked", LINEAR).covered.mean() <= 0.97


def test_an_error_that_knows_of_the_raking_is_narrower_and_right():
    raked, forgotten = (found(way, LINEAR) for way in ("raked", "forgotten"))
    np.testing.assert_array_equal(raked.values, forgotten.values)
    spread = raked.values.std(axis=0).mean()
    assert raked.errors.mean() < 0.93 * forgotten.errors.mean()
    assert raked.errors.mean() == pytest.approx(spread, rel=0.05)
    assert forgotten.errors.mean() > 1.04 * spread


@pytest.mark.parametrize(
    ("method", "replicates"), [(GroupJackknife(), REPLICATES), (Bootstrap(replicates=100), 100)]
)
def test_replicates_that_are_raked_again_say_the_same(method, replicates):
    again = found("raked", method, replicates)
    linear = found("raked", LINEAR)
    assert again.errors.mean() == pytest.approx(linear.errors[:replicates].mean(), rel=0.06)
    assert again.covered.mean() > 0.92
