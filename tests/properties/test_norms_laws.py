"""Laws of standings, peer assignments and frozen norms."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support import small_study

from sotongindex.benchmark import DisclosureRules
from sotongindex.models import Organization
from sotongindex.norms import compare_to_norm, freeze_norm, norm_from_json, norm_to_json
from sotongindex.peer_groups import nearest_peers, report_differencing, widen_peers
from sotongindex.results import IndexResult
from sotongindex.standing import assess_standing

LOOSE = DisclosureRules(
    min_peers_mean=1, min_peers_rank=1, min_respondents_show=1, min_respondents_compare=1
)
# Tenths of a point: ties are common, and no two scores differ by about a billionth.
SCORES = st.integers(0, 1000).map(lambda tenths: tenths / 10)
ERRORS = st.integers(0, 50).map(lambda tenths: tenths / 10)
NAMES = st.sampled_from(["a", "b", "c", None])


def scored(rows: list[tuple[float, float, str | None]], keys: list[str]) -> IndexResult:
    scores, errors, industries = zip(*rows, strict=True)
    study = small_study(
        [
            Organization(key=key, industry=industry)
            for key, industry in zip(keys, industries, strict=True)
        ]
    )
    frame = {"organization": keys, "d1": np.array(scores), "error": np.array(errors)}
    return IndexResult.from_scores(frame, study, standard_errors={"d1": "error"})


def keys_of(rows: list[Any]) -> list[str]:
    return [f"o{n}" for n in range(len(rows))]


ROWS = st.lists(st.tuples(SCORES, ERRORS, NAMES), min_size=2, max_size=12)


@settings(max_examples=60)
@given(ROWS)
def test_percentiles_and_probabilities_are_within_their_bounds(rows: Any) -> None:
    standing = assess_standing(scored(rows, keys_of(rows)), "everyone", rules=LOOSE, draws=60)
    for part in (standing.sampling, standing.finite_peers, standing.both):
        assert ((part.low >= 0) & (part.low <= part.high) & (part.high <= 100)).all()
        assert ((part.expected >= 0) & (part.expected <= 100)).all()
    chances = standing.chances
    for chance in (chances.above_median, chances.top_quartile, chances.top, chances.best):
        assert ((chance >= 0) & (chance <= 1)).all()
    assert (chances.best <= chances.top).all()
    # Expected percentiles average 50, as observed ones do.
    np.testing.assert_allclose(standing.sampling.expected.mean(), 50)


@settings(max_examples=60)
@given(ROWS)
def test_without_errors_the_expected_percentile_is_the_percentile(rows: Any) -> None:
    exact = [(score, 0.0, name) for score, _, name in rows]
    standing = assess_standing(scored(exact, keys_of(rows)), "everyone", rules=LOOSE, draws=2)
    for found in (standing.sampling.expected, standing.sampling.low, standing.sampling.high):
        np.testing.assert_allclose(found, standing.percentile)


@settings(max_examples=40)
@given(ROWS, st.randoms(use_true_random=False))
def test_expected_percentiles_follow_permutation_and_reversal(rows: Any, random: Any) -> None:
    def expected(of: list[Any]) -> Any:
        return assess_standing(
            scored(of, keys_of(of)), "everyone", rules=LOOSE, draws=2
        ).sampling.expected

    order = list(range(len(rows)))
    random.shuffle(order)
    found = expected(rows)
    np.testing.assert_allclose(expected([rows[place] for place in order]), found[order], atol=1e-9)
    turned = [(100 - score, error, name) for score, error, name in rows]
    np.testing.assert_allclose(expected(turned), 100 - found, atol=1e-6)


@settings(max_examples=60)
@given(ROWS, st.integers(1, 6))
def test_widened_groups_are_the_narrowest_that_are_large_enough(rows: Any, least: int) -> None:
    result = scored(rows, keys_of(rows))
    found = widen_peers(result, minimum=least, rules=LOOSE)
    industries = [name for *_, name in rows]
    for own, name in enumerate(industries):
        same = industries.count(name) - 1 if name else 0
        reached = found.groups[own] == "industry"
        assert reached == (same >= least)
        assert found.others[own] == (same if reached else len(rows) - 1)
        assert len(found.peers_of(f"o{own}")) == found.others[own]
        assert (found.reasons[own] == "") == (found.others[own] >= least)


@settings(max_examples=60)
@given(ROWS, st.integers(1, 6))
def test_nobody_left_out_is_nearer_than_a_peer(rows: Any, count: int) -> None:
    rows = [(score, error, name or "a") for score, error, name in rows]
    found = nearest_peers(scored(rows, keys_of(rows)), count=count, rules=LOOSE)
    for own, (*_, name) in enumerate(rows):
        peers = found.peers_of(f"o{own}")
        assert len(peers) >= min(count, len(rows) - 1)
        outside = [n for n in range(len(rows)) if n != own and f"o{n}" not in peers]
        assert all((rows[n][2] != name) > found.farthest[own] for n in outside)


@settings(max_examples=60)
@given(ROWS)
def test_every_report_that_gives_another_away_is_found(rows: Any) -> None:
    result = scored([(score, error, name or "a") for score, error, name in rows], keys_of(rows))
    industries = [one.industry for one in result.study.organizations]
    told = report_differencing(result, ["everyone", "industry"], rules=LOOSE)
    found = {key for notice in told for key in notice.keys}
    # Everyone else holds one organization more than the rest of the industry.
    expected = {
        f"o{n}"
        for n, name in enumerate(industries)
        if industries.count(name) == len(rows) - 1 and industries.count(name) > 1
    }
    assert found == expected


@settings(max_examples=40)
@given(ROWS, ROWS)
def test_a_frozen_norm_answers_the_same_after_a_round_trip(rows: Any, later: Any) -> None:
    norm = freeze_norm(scored(rows, keys_of(rows)), key="norm", version="1", rules=LOOSE)
    again = norm_from_json(norm_to_json(norm))
    assert again == norm
    result = scored(later, [f"n{n}" for n in range(len(later))])
    first, second = (compare_to_norm(result, one, draws=20).to_rows() for one in (norm, again))
    assert first == second


@settings(max_examples=40)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_study_leaves_a_norm_as_it_is(rows: Any, random: Any) -> None:
    # No two alike: among equal scores the order tells whose error stands first.
    rows = list({row[0]: row for row in rows}.values())
    keys = keys_of(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    first, second = (
        freeze_norm(scored(list(part), list(names)), key="norm", version="1", rules=LOOSE)
        for part, names in (
            (rows, keys),
            ([rows[place] for place in order], [keys[place] for place in order]),
        )
    )
    assert attrs.evolve(first, content_hash="").content_hash == first.content_hash
    assert first.content_hash == second.content_hash
