"""By simulation with known truth: changes and forecasts keep what their levels promise."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from support import small_study
from waves import LOOSE, published

from sotongindex.change import compare_waves, overlapping_t_test, project
from sotongindex.index import compute_index
from sotongindex.models import Study
from sotongindex.responses import Responses
from sotongindex.results import IndexResult

ORGANIZATIONS, SIZE = 3000, 12


def wave(
    study: Study, people: np.ndarray, kindness: np.ndarray, *, rng: np.random.Generator
) -> IndexResult:
    """Organizations (o,) rated by people (o, n) on two items; nothing differs between waves."""
    drawn = 4 + 0.9 * kindness[people][..., None] + rng.normal(0, 1, (*people.shape, 2))
    organization = np.repeat(np.arange(len(people)), people.shape[1])
    responses = Responses.from_arrays(
        study,
        respondent=people.ravel(),
        organization=organization,
        channel=np.zeros(people.size, dtype=int),
        answers=drawn.round().clip(1, 7).reshape(-1, 2),
    )
    return compute_index(responses)


def two_waves(shared: int) -> tuple[IndexResult, IndexResult]:
    """Two waves of unchanged organizations, so many of whose respondents are in both."""
    rng = np.random.default_rng(shared)
    study = small_study([f"o{n}" for n in range(ORGANIZATIONS)], items=[("q1", "d1"), ("q2", "d2")])
    first = np.arange(ORGANIZATIONS * SIZE).reshape(ORGANIZATIONS, SIZE)
    second = first + first.size
    second[:, :shared] = first[:, :shared]
    kindness = rng.normal(size=2 * first.size)
    return wave(study, first, kindness, rng=rng), wave(study, second, kindness, rng=rng)


@pytest.mark.parametrize("shared", [0, SIZE // 3, SIZE // 2, SIZE])
def test_changes_hold_their_level_whoever_is_shared(shared: int) -> None:
    early, late = two_waves(shared)
    found = compare_waves(early, late, levels=["index"], rules=LOOSE).score()
    false = (found.judgement.p < 0.05).mean()
    # Monte Carlo: 3,000 organizations, standard error .004. Partly shared small samples are a
    # little on the safe side: the small-sample correction leaves some of the covariance out.
    assert 0.03 < false < 0.06
    covered = (found.change.low <= 0) & (found.change.high >= 0)
    assert covered.mean() == pytest.approx(1 - false, abs=1e-12)


def test_taking_a_panel_for_other_people_claims_far_too_little() -> None:
    early, late = two_waves(SIZE)
    more = {"levels": ["index"], "rules": LOOSE}
    apart = compare_waves(early, late, respondents="different", **more)  # type: ignore[arg-type]
    assert (apart.score().judgement.p < 0.05).mean() < 0.015


def test_the_classic_test_holds_its_level() -> None:
    rng = np.random.default_rng(8)
    p = []
    for _ in range(1500):
        kind = rng.normal(size=6)
        pairs = kind + rng.normal(size=(2, 6))
        alone = rng.normal(0, np.sqrt(2), (2, 6))
        p.append(overlapping_t_test(*alone, paired=pairs).p)
    # Bradley's liberal criterion, by which its authors judged it.
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.075


def test_forecasts_cover_a_local_level_at_their_level() -> None:
    rng = np.random.default_rng(4)
    count, waves, error = 1500, 5, 1.0
    true = 50 + np.cumsum(rng.normal(0, 1.5, (waves + 2, count)), axis=0)
    seen = true + rng.normal(0, error, true.shape)
    series = [
        published({f"o{n}": score for n, score in enumerate(row)}, error, wave=f"{2010 + year}")
        for year, row in enumerate(seen[:waves])
    ]
    found = project(series, 55.0, due=date(2016, 1, 1))
    assert found.step == pytest.approx(1.5, rel=0.06)
    inside = (found.forecast.low <= true[-1]) & (true[-1] <= found.forecast.high)
    assert 0.77 < inside.mean() < 0.83
    measured = project(series, 55.0, due=date(2016, 1, 1), measured=True).forecast
    inside = (measured.low <= seen[-1]) & (seen[-1] <= measured.high)
    assert 0.77 < inside.mean() < 0.83
    # Where a chance is given, it comes true as often.
    chance, reached = found.probability_reached, true[-1] >= 55
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.7), (0.7, 0.9), (0.9, 1.0)):
        some = (chance >= low) & (chance < high)
        assert reached[some].mean() == pytest.approx(chance[some].mean(), abs=0.07)
