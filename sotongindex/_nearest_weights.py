"""Best weights are seldom the only ones: of all that are as good, those nearest to equal shares."""

from __future__ import annotations

import numpy as np

from sotongindex._arrays import FloatArray
from sotongindex._simplex import TOLERANCE, Optima, highest_scores


def nearest_weights(
    scores: FloatArray, restrictions: FloatArray, optima: Optima, *, best: FloatArray
) -> FloatArray:
    r"""Return for every unit the best weights whose shares are nearest to equal, (n, k).

    With the unit's scores :math:`y > 0`, of which there are :math:`k`, and its best :math:`s`:
    :math:`\min \sum_i (w_i y_i - s / k)^2` over all weights that give :math:`s`; where
    :math:`y_i = 0`, :math:`w_i^2` takes the place of the term. Strictly convex, so there is one.
    """
    weights = np.maximum(optima.weights, 0.0)  # rounding leaves -1e-17 where 0 is meant
    pool = optima.pool
    open_units = np.flatnonzero(~optima.unique)
    while len(open_units):
        for unit in open_units:
            weights[unit] = _nearest(
                scores[unit], scores[pool], restrictions[unit], best=float(best[unit])
            )
        # Other weights may be limited by units that did not limit the first ones.
        highest, whose = highest_scores(scores, weights[open_units])
        beyond = highest > 1 + 10 * TOLERANCE
        fresh = np.setdiff1d(whose[beyond], pool)
        open_units = open_units[beyond] if len(fresh) else open_units[:0]
        pool = np.concatenate([pool, fresh])
    return weights


def _nearest(
    own: FloatArray, peers: FloatArray, restrictions: FloatArray, *, best: float
) -> FloatArray:
    """Solve one unit's least distance program by non-negative least squares (Lawson, Hanson)."""
    from scipy.optimize import nnls  # noqa: PLC0415  # slow to import

    positive = own > 0
    measure = np.where(positive, own, 1.0)
    target = np.where(positive, best / max(int(positive.sum()), 1), 0.0)
    # Rows of g'z >= h with z = measure * weights - target; a hair of room for rounding.
    rows = np.vstack([-peers, -restrictions, np.eye(len(own)), own]) / measure
    least = np.zeros(len(rows))
    least[: len(peers)] = -1.0
    least[-1] = best
    size = np.linalg.norm(rows, axis=1)
    rows, least = rows[size > 0], least[size > 0]
    size = size[size > 0]
    least = (least - 1e-12 - rows @ target) / size
    rows /= size[:, None]
    system = np.vstack([rows.T, least])
    aim = np.zeros(len(system))
    aim[-1] = 1.0
    binding = nnls(system, aim, maxiter=100 * len(rows))[0] > 0
    # Which rows bind is known now; the shortest way onto them keeps more digits than the residual.
    distance = np.linalg.lstsq(rows[binding], least[binding])[0]
    nearest: FloatArray = np.maximum((target + distance) / measure, 0.0)
    return nearest
