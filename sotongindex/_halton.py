"""Points that fill the unit cube more evenly than chance: a randomized Halton sequence."""

from __future__ import annotations

import numpy as np

from sotongindex._arrays import FloatArray

_SMALLEST = 1e-12


def halton_points(count: int, dimensions: int, rng: np.random.Generator) -> FloatArray:
    r"""Return points (count, dimensions), each uniform in (0, 1).

    Column :math:`j` writes the numbers 0, 1, 2, ... in base :math:`b`, the j-th prime, permutes
    every digit by a random permutation of its own, and reads the digits backwards behind the point.
    Any :math:`b` points in a row fall into different :math:`b`-ths of the column. A column whose
    base exceeds the count is a random choice of these, and goes with no other column: however many
    dimensions there are, points are no worse than random ones.

    References:
        Owen (2017), A randomized Halton algorithm in R, doi:10.48550/arXiv.1706.02808.

    >>> halton_points(4, 1, np.random.default_rng(0)).ravel().round(2).tolist()
    [0.07, 0.57, 0.32, 0.82]
    """
    points = np.zeros((count, dimensions))
    for column, base in enumerate(_primes(dimensions)):
        digits, size = np.arange(count), 1.0
        while digits.any():
            size /= base
            points[:, column] += size * rng.permutation(base)[digits % base]
            digits //= base
        # All further digits are 0: permuted, they are the same random number for all points.
        points[:, column] += size * rng.uniform()
    # Rounding must not make a 0 or a 1, whose logarithms do not exist.
    return np.clip(points, _SMALLEST, 1 - _SMALLEST)


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found if prime * prime <= number):
            found.append(number)
        number += 1
    return found
