"""Ranks and quantiles over many runs, runs in rows; ties within 1e-9 share the better rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._standing import Counts, count_peers

# Stands for a score that is missing in a run: below all others.
_LOWEST = -1e9


def run_ranks(scores: FloatArray) -> FloatArray:
    """Return the ranks (r, o) of scores (r, o), 1 for the highest; NaN for a missing one."""
    present, counts = _counted(scores)
    return np.where(present, counts.above + 1.0, np.nan)


def rank_shares(scores: FloatArray) -> FloatArray:
    """Return how often an organization (row) has a rank (column), (o, o), of the runs it is in.

    Tied organizations share the ranks that they hold together.
    """
    present, counts = _counted(scores)
    width = scores.shape[1] + 1
    first = counts.above + np.arange(scores.shape[1]) * width
    share = np.where(present, 1 / (counts.ties + 1), 0.0)
    steps = np.zeros(width * (width - 1))
    # A tie adds its share from its first rank on, and takes it back behind its last.
    for place, sign in ((first, 1.0), (first + counts.ties + 1, -1.0)):
        steps += sign * np.bincount(place.ravel(), share.ravel(), minlength=len(steps))
    held = np.cumsum(steps.reshape(-1, width), axis=1)[:, :-1]
    runs = present.sum(axis=0)[:, None]
    shares: FloatArray = np.divide(held, runs, out=np.full_like(held, np.nan), where=runs > 0)
    # Adding up leaves -1e-17 where 0 is meant.
    return np.clip(shares, 0.0, 1.0)


def run_quantiles(
    numbers: FloatArray, probabilities: Sequence[float], *, whole: bool = False
) -> FloatArray:
    """Return quantiles (p, o) over the runs in which a number is present; NaN where it never is.

    Args:
        numbers: The numbers, (r, o).
        probabilities: Shares from 0 to 1.
        whole: Whether a quantile must be one of the numbers, as ranks are.
    """
    method: Any = "inverted_cdf" if whole else "linear"
    missing = np.isnan(numbers).any(axis=0)
    quantiles = np.full((len(probabilities), numbers.shape[1]), np.nan)
    quantiles[:, ~missing] = np.quantile(numbers[:, ~missing], probabilities, axis=0, method=method)
    for place in np.flatnonzero(missing & ~np.isnan(numbers).all(axis=0)):
        present = numbers[~np.isnan(numbers[:, place]), place]
        quantiles[:, place] = np.quantile(present, probabilities, method=method)
    return quantiles


def _counted(scores: FloatArray) -> tuple[NDArray[np.bool_], Counts]:
    present = ~np.isnan(scores)
    everybody = np.arange(scores.shape[1])
    return present, count_peers(np.where(present, scores, _LOWEST), everybody, everybody)
