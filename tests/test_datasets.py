"""The sample panel: synthetic, reproducible, and near the published means."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from sotongindex.datasets import SamplePanel, sample_panel
from sotongindex.errors import MethodError
from sotongindex.index import compute_index


@pytest.fixture(scope="module")
def panel() -> SamplePanel:
    return sample_panel()


@pytest.fixture(scope="module")
def small() -> SamplePanel:
    return sample_panel(respondents=300, organizations_each=3)


def test_organizations_are_200_companies_and_112_public_bodies(panel: SamplePanel) -> None:
    organizations = panel.study.organizations
    assert Counter(o.sector for o in organizations) == {"company": 200, "public": 112}
    assert organizations[0].key == "company-001"
    assert all(o.name("en").startswith("Synthetic") for o in organizations)
    assert all(o.name("ko").startswith("가상") for o in organizations)


def test_channels_are_partly_adopted(panel: SamplePanel) -> None:
    operated = Counter(key for o in panel.study.organizations for key in o.channels)
    shares = {key: count / 312 for key, count in operated.items()}
    assert shares == pytest.approx({"blog": 0.66, "twitter": 0.78, "facebook": 0.91}, abs=0.02)
    assert all(o.channels for o in panel.study.organizations)


@pytest.mark.parametrize("rng", [2011, 1, 2])
def test_the_second_wave_comes_out_near_the_published_means(rng: int) -> None:
    panel = sample_panel(rng=rng)
    after = compute_index(panel.responses, scheme=panel.recipe.scheme)
    before = compute_index(panel.before, scheme=panel.recipe.scheme)
    assert after.index.values.mean() == pytest.approx(56, abs=0.8)
    channels = np.nanmean(after.channels.values, axis=0)
    assert channels == pytest.approx([58.9, 54.8, 53.3], abs=0.4)
    rise = after.index.values.mean() - before.index.values.mean()
    assert 0.4 < rise < 1.4
    assert 66 < after.index.values.max() < 74
    industry = np.array([o.industry for o in panel.study.organizations])
    ranges = [np.ptp(after.index.values[industry == name]) for name in set(industry)]
    assert 4 < np.mean(ranges) < 10


def test_answers_have_the_shape_of_a_survey(panel: SamplePanel) -> None:
    responses = panel.responses
    missing = responses.answers == responses.missing
    assert missing.mean() == pytest.approx(0.05, abs=0.005)
    given = responses.answers[~missing]
    assert (given.min(), given.max()) == (1, 7)
    assert np.ptp(responses.weight) > 0.5
    rated = {*zip(responses.respondent.tolist(), responses.organization.tolist(), strict=True)}
    each = Counter(respondent for respondent, _ in rated)
    assert max(each.values()) == 6
    assert len(responses.respondent_keys) == pytest.approx(4800, abs=20)


def test_half_of_the_respondents_take_part_twice(panel: SamplePanel) -> None:
    shared = np.intersect1d(panel.before.respondent_keys, panel.responses.respondent_keys)
    assert len(shared) == pytest.approx(2400, abs=20)


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, other = (sample_panel(rng=7, respondents=50) for _ in range(2))
    for a, b in ((one.before, other.before), (one.responses, other.responses)):
        assert a.answers.tobytes() == b.answers.tobytes()
        assert a.weight.tobytes() == b.weight.tobytes()
    assert one.recipe == other.recipe
    assert sample_panel(rng=8, respondents=50).responses.answers.tobytes() != (
        one.responses.answers.tobytes()
    )


def test_a_generator_is_taken_as_it_is() -> None:
    generator = np.random.default_rng(7)
    first = sample_panel(rng=generator, respondents=50).responses.answers
    second = sample_panel(rng=generator, respondents=50).responses.answers
    assert first.tobytes() != second.tobytes()
    seeded = sample_panel(rng=7, respondents=50).responses.answers
    assert first.tobytes() == seeded.tobytes()


@pytest.mark.parametrize(
    ("argument", "bad"),
    [("respondents", 1), ("organizations_each", 0), ("organizations_each", 313)],
)
def test_sizes_that_cannot_be_are_refused(argument: str, bad: int) -> None:
    with pytest.raises(MethodError) as caught:
        sample_panel(**{argument: bad})
    assert caught.value.argument == argument


def test_a_respondent_may_rate_every_organization() -> None:
    responses = sample_panel(respondents=2, organizations_each=312).responses
    assert len(np.unique(responses.organization)) > 290


def test_columns_hold_what_the_responses_hold(small: SamplePanel) -> None:
    responses = small.responses
    columns = small.to_columns()
    assert {len(column) for column in columns.values()} == {len(responses.answers)}
    keys = small.study.framework.item_keys
    table = np.column_stack([columns[key] for key in keys])
    np.testing.assert_array_equal(np.isnan(table), responses.answers == responses.missing)
    np.testing.assert_array_equal(
        table[~np.isnan(table)], responses.answers[responses.answers != responses.missing]
    )
    assert columns["organization"][0] == small.study.organization_keys[responses.organization[0]]
    assert set(columns["age_group"]) <= {"15-24", "25-34", "35-44", "45-54", "55-64"}
    assert len(small.to_columns(small.before)["weight"]) == len(small.before.answers)


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_frames_have_the_same_columns(small: SamplePanel, backend: str) -> None:
    pytest.importorskip(backend)
    frame = small.to_frame(backend)
    names = frame.column_names if backend == "pyarrow" else list(frame.columns)
    assert names == list(small.to_columns())


def test_reading_the_columns_gives_the_responses_again(small: SamplePanel) -> None:
    again = type(small.responses).from_frame(
        small.to_columns(), small.study, weight="weight", keep=["age_group"]
    )
    np.testing.assert_array_equal(again.answers, small.responses.answers)
    np.testing.assert_array_equal(again.organization, small.responses.organization)
    np.testing.assert_array_equal(again.respondent_keys, small.responses.respondent_keys)
    np.testing.assert_array_equal(again.weight, small.responses.weight)
