"""Statistical claims against a known truth: intervals cover at their level.

A population of respondents rates organizations on 7-point items; every respondent rates several
organizations on two channels, so that scores are correlated between organizations and channels.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy import special

from sotongindex.index import IndexMethod, compute_index
from sotongindex.models import Channel, Dimension, Framework, Organization, Study, SurveyItem
from sotongindex.responses import Responses
from sotongindex.variance import GroupJackknife, Linearization

ORGANIZATIONS, RATED, ITEMS, REPLICATES = 24, 4, 4, 250
CHANNELS = ("blog", "video")
PERSON, NOISE = 0.9, 1.1
STUDY = Study(
    key="simulation",
    framework=Framework(
        key="simulation",
        version="1",
        channels=[Channel(key=key) for key in CHANNELS],
        dimensions=[Dimension(key="d0"), Dimension(key="d1")],
        items=[SurveyItem(key=f"q{i}", dimension=f"d{i % 2}") for i in range(ITEMS)],
    ),
    organizations=[Organization(key=f"o{o}") for o in range(ORGANIZATIONS)],
)


def latent_means() -> np.ndarray:
    """The middle of every item's latent answers, (o, c, i); the same in every replicate."""
    rng = np.random.default_rng(20261123)
    quality = rng.normal(4.3, 0.5, (ORGANIZATIONS, 1, 1))
    return quality + rng.normal(0, 0.2, (ORGANIZATIONS, len(CHANNELS), ITEMS))


def truth() -> np.ndarray:
    """The expected points of every item: a rounded normal answer, kept within 1 to 7."""
    spread = np.hypot(PERSON, NOISE)
    cuts = np.arange(1.5, 7.0)  # an answer is 1 plus the number of cuts below it
    above = special.ndtr((latent_means()[..., None] - cuts) / spread)
    return 100.0 * above.sum(axis=-1) / 6.0


def sample(rng: np.random.Generator, respondents_each: int) -> Responses:
    people = ORGANIZATIONS * respondents_each // RATED
    rated = np.argsort(rng.random((people, ORGANIZATIONS)), axis=1)[:, :RATED]
    organization = np.repeat(rated.ravel(), len(CHANNELS))
    respondent = np.repeat(np.arange(people), RATED * len(CHANNELS))
    channel = np.tile(np.arange(len(CHANNELS)), people * RATED)
    taste = rng.normal(0, PERSON, people)[respondent][:, None]
    noise = rng.normal(0, NOISE, (len(respondent), ITEMS))
    answers = np.clip(np.rint(latent_means()[organization, channel] + taste + noise), 1, 7)
    answers[rng.random(answers.shape) < 0.05] = np.nan
    weight = rng.gamma(8.0, 1 / 8.0, people)[respondent]
    return Responses.from_arrays(
        STUDY,
        answers=answers,
        organization=organization,
        channel=channel,
        respondent=respondent,
        weight=weight,
    )


@functools.cache
def covered(method: IndexMethod, respondents_each: int) -> dict[str, float]:
    """Return the share of intervals that hold the truth."""
    true = truth()
    index, blog = true.mean(axis=(1, 2)), true[:, 0].mean(axis=1)
    pairs = np.eye(ORGANIZATIONS) - np.roll(np.eye(ORGANIZATIONS), 1, axis=1)
    everyone = np.full((1, ORGANIZATIONS), 1 / ORGANIZATIONS)
    hits: dict[str, list[np.ndarray]] = {}
    for seed in range(REPLICATES):
        result = compute_index(sample(np.random.default_rng(seed), respondents_each), method=method)
        naive = result.index.independent(
            result.index.values,
            result.index.standard_error,
            degrees_of_freedom=result.index.degrees_of_freedom,
        )
        for name, estimates, target in (
            ("index", result.index, index),
            ("channel", result.channels.select((slice(None), 0)), blog),
            ("difference", result.index.transform(pairs, lower=-100), pairs @ index),
            ("mean", result.index.transform(everyone), everyone @ index),
            ("mean, shared respondents ignored", naive.transform(everyone), everyone @ index),
        ):
            hit = (estimates.low <= target) & (target <= estimates.high)
            hits.setdefault(name, []).append(hit)
    return {name: float(np.mean(hit)) for name, hit in hits.items()}


METHODS = {
    "linearization": IndexMethod(variance=Linearization()),
    "jackknife": IndexMethod(variance=GroupJackknife()),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("respondents_each", [16, 48])
@pytest.mark.parametrize("number", ["index", "channel", "difference"])
def test_95_percent_intervals_cover(name, respondents_each, number):
    assert 0.93 <= covered(METHODS[name], respondents_each)[number] <= 0.97


@pytest.mark.parametrize("name", METHODS)
def test_the_mean_of_all_organizations_covers_only_with_shared_respondents(name):
    shares = covered(METHODS[name], 48)
    # 250 replicates of one number each: three Monte-Carlo standard errors are 4 points.
    assert 0.91 <= shares["mean"] <= 0.99
    assert shares["mean, shared respondents ignored"] < 0.85


def test_the_design_correction_alone_is_too_short_for_small_organizations():
    design = IndexMethod(variance=Linearization(correction="design"))
    assert covered(design, 16)["index"] < covered(METHODS["linearization"], 16)["index"] - 0.01
