"""How grades are given: shares of a group, percentile bands, and draws of true scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, round_half_up
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.variance import Estimates

# So many numbers are drawn at a time: 32 MB.
_NUMBERS_DRAWN = 4_000_000

BoolArray: TypeAlias = NDArray[np.bool_]


def apportion(count: int, shares: Sequence[float]) -> IntArray:
    """Return how many of `count` get each grade, best first, by the largest remainder.

    Equal remainders go to the larger share, then to the better grade.

    >>> apportion(10, [1, 4, 4, 1]).tolist(), apportion(7, [1, 4, 4, 1]).tolist()
    ([1, 4, 4, 1], [1, 3, 3, 0])
    """
    share = np.asarray(shares, dtype=np.float64)
    quota = count * share / share.sum()
    whole = np.floor(quota + TIE_WIDTH)
    remainder = np.round(quota - whole, 9)
    order = np.lexsort((np.arange(len(share)), -share, -remainder))
    whole[order[: int(count - whole.sum())]] += 1
    seats: IntArray = whole.astype(np.int64)
    return seats


def grade_by_place(scores: FloatArray, seats: IntArray) -> IntArray:
    """Return the grade of every score in each row of scores (r, n), 0 for the best.

    Ties are not split: all get the grade of the middle of their places, of the better middle one
    where there are two.

    >>> grade_by_place(np.array([[9.0, 7.0, 7.0, 5.0]]), np.array([2, 2])).tolist()
    [[0, 0, 0, 1]]
    """
    rows, count = scores.shape
    order = np.argsort(-scores, axis=1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=1)
    place = np.broadcast_to(np.arange(count), (rows, count))
    starts = np.ones((rows, count), dtype=bool)
    starts[:, 1:] = ordered[:, :-1] - ordered[:, 1:] > TIE_WIDTH
    ends = np.ones((rows, count), dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, place, count)[:, ::-1], axis=1)[:, ::-1]
    grades = np.empty((rows, count), dtype=np.int64)
    by_place = np.repeat(np.arange(len(seats)), seats)
    np.put_along_axis(grades, order, by_place[(first + last) // 2], axis=1)
    return grades


def percentile_cuts(
    scores: FloatArray, percentiles: Sequence[float], digits: int | None
) -> FloatArray:
    """Return the cut points (r, cuts) of each row of scores (r, n), quantiles of type 7."""
    cuts: FloatArray = np.quantile(scores, np.asarray(percentiles) / 100, axis=1).T
    return cuts if digits is None else round_half_up(cuts, digits)


def grade_by_cuts(scores: FloatArray, cuts: FloatArray) -> IntArray:
    """Return the grade of every score in each row, 0 for the best; cuts are inclusive."""
    grades = np.full(scores.shape, cuts.shape[1])
    for cut in cuts.T:
        grades -= scores >= cut[:, None] - TIE_WIDTH
    return grades


def moved_grades(
    base: IntArray, *, above: BoolArray, below: BoolArray, low: BoolArray, beyond: BoolArray
) -> IntArray:
    """Move five percentile bands, 0 for the best, by significance and reliability.

    Args:
        base: The percentile bands, (n,).
        above: Whether the score is significantly above the mean.
        below: Whether it is significantly below.
        low: Whether its reliability is low.
        beyond: Whether it is clearly beyond the cut point of the best or the lowest band.
    """
    sure = ~low | beyond
    cases = [
        (base == 0) & ~(above & sure),
        (base == 1) & low & ~above,
        (base == 2) & above,
        (base == 2) & below,
        (base == 3) & low & ~below,
        (base == 4) & ~(below & sure),
    ]
    moved: IntArray = np.select(cases, [1, 2, 1, 3, 2, 3], default=base)
    return moved


def named_grades(grade: IntArray, names: Sequence[str]) -> NDArray[np.object_]:
    """Return the names of grades (n,); None for -1."""
    known = np.array([*names, None], dtype=object)
    found: NDArray[np.object_] = known[grade]
    return found


def draw_scores(scores: Estimates, draws: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """Draw true scores (r, n) around estimates (n,), in blocks of rows.

    Normal with the covariance of the estimates; each organization's deviations are then stretched
    to its t distribution.
    """
    error = scores.standard_error
    covariance = scores.covariance()
    if np.count_nonzero(covariance - np.diag(np.diag(covariance))):
        size, direction = np.linalg.eigh(covariance)
        root = direction * np.sqrt(np.maximum(size, 0.0))
    else:
        root = None
    freedom = scores.degrees_of_freedom
    finite = np.isfinite(freedom)
    rows = max(1, _NUMBERS_DRAWN // max(scores.size, 1))
    for start in range(0, draws, rows):
        shape = (min(rows, draws - start), scores.size)
        deviation = rng.standard_normal(shape)
        deviation = deviation * error if root is None else deviation @ root.T
        squares = rng.chisquare(freedom[finite], (shape[0], int(finite.sum())))
        deviation[:, finite] *= np.sqrt(freedom[finite] / squares)
        yield scores.values + deviation


def grade_shares(
    blocks: Iterator[FloatArray], grade: Callable[[FloatArray], IntArray], grades: int
) -> FloatArray:
    """Return how often every score gets every grade, (n, grades)."""
    total, counts = 0, np.zeros(())
    for block in blocks:
        given = grade(block)
        total += len(block)
        counts = counts + np.stack([(given == one).sum(axis=0) for one in range(grades)], axis=1)
    return counts / total
