"""Laws of grades and their probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support import small_study

from sotongindex._banding import apportion, grade_by_place, moved_grades
from sotongindex.bands import (
    BandResult,
    PercentileRule,
    absolute_bands,
    forced_bands,
    percentile_bands,
)
from sotongindex.benchmark import DisclosureRules
from sotongindex.models import GradeScale
from sotongindex.results import IndexResult

LOOSE = DisclosureRules(min_peers_mean=1, min_peers_rank=1)
SCORES = st.integers(0, 1000).map(lambda tenths: tenths / 10)
ERRORS = st.sampled_from([0.0, 0.5, 1.0, 4.0])
PAIRS = st.lists(st.tuples(SCORES, ERRORS), min_size=2, max_size=14)
SHARES = st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(any)
STARS = {"5": 80, "4": 60, "3": 30, "2": 15, "1": 0}
SABC = {"S": 1, "A": 4, "B": 4, "C": 1}


def graded(pairs: list[tuple[float, float]], kind: str, draws: int = 20) -> BandResult:
    keys = [f"o{n}" for n in range(len(pairs))]
    scores, errors = np.array(pairs).T
    frame = {"organization": keys, "d1": scores, "error": errors}
    result = IndexResult.from_scores(frame, small_study(keys), standard_errors={"d1": "error"})
    if kind == "absolute":
        scale = GradeScale(key="scale", bands={"S": 80, "A": 60, "B": 30})
        return absolute_bands(result, scale, rules=LOOSE)
    if kind == "forced":
        return forced_bands(result, SABC, None, draws=draws, rules=LOOSE)
    rule = PercentileRule(bands=STARS, min_reliability=0.0)
    return percentile_bands(result, rule, draws=draws, rules=LOOSE)


KINDS = st.sampled_from(["absolute", "forced", "percentile"])


@settings(max_examples=50)
@given(PAIRS, KINDS)
def test_probabilities_of_grades_add_up_to_1(pairs: Any, kind: str) -> None:
    found = graded(pairs, kind)
    assert ((found.probability >= 0) & (found.probability <= 1)).all()
    np.testing.assert_allclose(found.probability.sum(axis=1), 1, atol=1e-12)
    assert ((found.probability_right >= 0) & (found.probability_right <= 1)).all()


@settings(max_examples=50)
@given(PAIRS, KINDS, st.randoms(use_true_random=False))
def test_permuting_organizations_permutes_grades(pairs: Any, kind: str, random: Any) -> None:
    order = list(range(len(pairs)))
    random.shuffle(order)
    found, shuffled = graded(pairs, kind), graded([pairs[place] for place in order], kind)
    if kind == "percentile":
        p = found.moved.adjusted_p[order]
        sure = ~(np.abs(p - 0.05) < 1e-6)
        np.testing.assert_array_equal(shuffled.moved.base, found.moved.base[order])
    else:
        sure = np.ones(len(pairs), dtype=bool)
    np.testing.assert_array_equal(shuffled.grade[sure], found.grade[order][sure])


@given(PAIRS, st.sampled_from(["absolute", "forced"]))
def test_a_better_score_never_has_a_worse_grade(pairs: Any, kind: str) -> None:
    found = graded(pairs, kind, draws=1)
    place = [found.grades.index(grade) for grade in found.grade]
    order = np.argsort(-found.score, kind="stable")
    assert (np.diff(np.array(place)[order]) >= 0).all()


@given(st.integers(0, 60), SHARES)
def test_seats_are_the_quota_rounded_up_or_down(count: int, shares: list[int]) -> None:
    seats, quota = apportion(count, shares), count * np.array(shares) / sum(shares)
    assert seats.sum() == count
    assert (np.abs(seats - quota) < 1).all()


@given(st.lists(SCORES, min_size=1, max_size=30), SHARES)
def test_shares_are_kept_up_to_ties(scores: list[float], shares: list[int]) -> None:
    seats = apportion(len(scores), shares)
    given_ = grade_by_place(np.array([scores]), seats)[0]
    # Up to any grade, as many as it should be, give or take those tied across the bound.
    wanted = np.cumsum(seats)
    reached = np.cumsum(np.bincount(given_, minlength=len(seats)))
    ordered = np.sort(scores)[::-1]
    for bound, got in zip(wanted, reached, strict=True):
        tied = np.sum(ordered == ordered[min(bound, len(scores) - 1)])
        assert abs(got - bound) < max(tied, 1)
    # Ties are not split.
    for score in set(scores):
        assert len(set(given_[np.array(scores) == score])) == 1


@given(st.lists(SCORES, min_size=1, max_size=30, unique=True))
def test_without_ties_shares_are_exact_and_reverse(scores: list[float]) -> None:
    seats = apportion(len(scores), [1, 4, 4, 1])
    given_ = grade_by_place(np.array([scores]), seats)[0]
    np.testing.assert_array_equal(np.bincount(given_, minlength=4), seats)
    mirrored = grade_by_place(-np.array([scores]), seats[::-1])[0]
    np.testing.assert_array_equal(mirrored, 3 - given_)


@given(st.integers(0, 4), st.sampled_from([-1, 0, 1]), st.booleans(), st.booleans())
def test_moving_bands_is_symmetric_and_moves_towards_the_evidence(
    base: int, side: int, low: bool, beyond: bool
) -> None:
    def moved(band: int, direction: int) -> int:
        return int(
            moved_grades(
                np.array([band]),
                above=np.array([direction > 0]),
                below=np.array([direction < 0]),
                low=np.array([low]),
                beyond=np.array([beyond]),
            )[0]
        )

    found = moved(base, side)
    assert abs(found - base) <= 1
    assert moved(4 - base, -side) == 4 - found
    if base != 2:
        assert abs(found - 2) <= abs(base - 2)


@given(PAIRS)
def test_errors_of_0_make_every_grade_sure(pairs: Any) -> None:
    exact = [(score, 0.0) for score, _ in pairs]
    for kind in ("absolute", "forced"):
        found = graded(exact, kind, draws=3)
        np.testing.assert_array_equal(found.probability_right, 1)
