"""How well two sets of scores agree on the order: Spearman's and Kendall's correlations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex.percentiles import TIE_WIDTH


def order_signs(scores: FloatArray) -> NDArray[np.int8]:
    """Return of every pair whether the first is higher (1), lower (-1) or tied (0), (n, n)."""
    distance = scores[:, None] - scores[None, :]
    signs: NDArray[np.int8] = np.sign(distance).astype(np.int8)
    signs[np.abs(distance) <= TIE_WIDTH] = 0
    return signs


def spearman(first: NDArray[np.int8], second: NDArray[np.int8]) -> float:
    """Return the correlation of mid-ranks, from the signs of pairs; NaN where all are tied."""
    # A mid-rank is half of how many more are below than above, but for a constant.
    one, other = first.sum(axis=1, dtype=np.float64), second.sum(axis=1, dtype=np.float64)
    return _correlation(one @ other, one @ one, other @ other)


def kendall(first: NDArray[np.int8], second: NDArray[np.int8]) -> float:
    """Return tau-b, the correlation of the signs of pairs; NaN where all are tied."""
    return _correlation(
        float(np.sum(first * second, dtype=np.int64)),
        float(np.count_nonzero(first)),
        float(np.count_nonzero(second)),
    )


def _correlation(product: float, first: float, second: float) -> float:
    size = first * second
    return float(product / np.sqrt(size)) if size > 0 else float("nan")
