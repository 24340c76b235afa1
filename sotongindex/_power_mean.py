"""Weighted power means with a rule for what is missing, and their gradients."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray
from sotongindex.errors import MethodError


def score_table(scores: ArrayLike) -> FloatArray:
    """Return scores as a table of units and parts (u, k); NaN means missing.

    Raises:
        MethodError: If they are no table, an empty one, or one is infinite.
    """
    given = np.asarray(scores, dtype=np.float64)
    if given.ndim != 2 or 0 in given.shape:
        raise MethodError(
            "expected a table with a row for every unit and a column for every part, got the shape "
            f"{given.shape}",
            argument="scores",
        )
    if np.isinf(given).any():
        unit, part = np.argwhere(np.isinf(given))[0].tolist()
        raise MethodError(
            f"expected finite numbers, or NaN where missing; unit {unit} has "
            f"{given[unit, part]:g} in part {part}",
            argument="scores",
        )
    return given


def part_weights(weights: ArrayLike, parts: int) -> FloatArray:
    """Return one weight for each of so many parts, (k,).

    Raises:
        MethodError: If there are more or fewer, one is negative or infinite, or all are 0.
    """
    given = np.asarray(weights, dtype=np.float64)
    if given.shape != (parts,):
        raise MethodError(
            f"expected one weight for each of {parts} parts, got the shape {given.shape}",
            argument="weights",
        )
    if not ((given >= 0) & np.isfinite(given)).all() or not given.any():
        raise MethodError(
            f"expected finite weights of 0 or more, one of them positive, got {given.tolist()}",
            argument="weights",
        )
    return given


@attrs.frozen(kw_only=True, eq=False)
class PowerMean:
    """Weighted power means along the last axis.

    Attributes:
        value: The means, (...); NaN where too little is present.
        gradient: The derivative of every mean by every score, (..., k); 0 for missing scores, NaN
            where the mean has no derivative (a score of 0 under a power below 1).
        share: The share of the weight that is present, (...).
    """

    value: FloatArray
    gradient: FloatArray
    share: FloatArray


def power_mean(
    scores: ArrayLike, weights: ArrayLike, *, power: float = 1.0, min_share: float = 0.0
) -> PowerMean:
    r"""Average scores along the last axis by a weighted power mean.

    .. math:: M_p = \Bigl(\sum_k w_k s_k^p\Bigr)^{1/p}, \qquad M_0 = \prod_k s_k^{w_k}

    with the weights of the present scores scaled to sum to 1. Power 1 is the arithmetic mean, 0
    the geometric, -1 the harmonic; a lower power punishes weak scores more.

    Args:
        scores: Scores (..., k), 0 or above unless the power is 1; NaN means missing.
        weights: Non-negative weights that broadcast to the scores.
        power: The power, a finite number.
        min_share: The least share of the weight that must be present, 0 to 1; below it, and where
            no weight is present at all, the mean is missing.

    Returns:
        The means with gradients and present shares.

    Raises:
        MethodError: If the power is not finite, or scores are negative under a power other than 1.

    References:
        Hardy, Littlewood and Pólya (1952), Inequalities, chapter 2.

    >>> power_mean([40.0, 90.0], [0.5, 0.5], power=0).value.round(6).item()
    60.0
    >>> power_mean([40.0, float("nan")], [0.4, 0.6], min_share=0.5).value.item()
    nan
    """
    if not np.isfinite(power):
        raise MethodError(f"expected a finite number, got {power}", argument="power")
    values, weight = np.broadcast_arrays(
        np.asarray(scores, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    )
    if power != 1 and (values < 0).any():
        raise MethodError(
            f"a power of {power:g} needs scores of 0 or more, got {np.nanmin(values):g}; "
            "use power 1 for scores that can be negative",
            argument="power",
        )
    present = ~np.isnan(values) & (weight > 0)
    held = np.where(present, weight, 0.0)
    total, sum_present = weight.sum(axis=-1), held.sum(axis=-1)
    share = np.divide(sum_present, total, out=np.zeros_like(total), where=total > 0)
    # A share of 0.3 + 0.2 must pass a minimum of 0.5.
    enough = (share > 0) & (share >= min_share - 1e-12)
    divisor = np.where(sum_present > 0, sum_present, 1.0)[..., None]
    held = held / divisor
    filled = np.where(present, values, 0.0)
    value, gradient = _power_mean(filled, held, power)
    return PowerMean(
        value=np.where(enough, value, np.nan),
        gradient=np.where(enough[..., None], gradient, 0.0),
        share=share,
    )


def _power_mean(
    scores: FloatArray, weights: FloatArray, power: float
) -> tuple[FloatArray, FloatArray]:
    """Return power means and gradients of scores whose weights sum to 1, 0 meaning absent."""
    if power == 1:
        return (scores * weights).sum(axis=-1), weights
    counted = weights > 0
    # Scores relative to their largest (or smallest, for a negative power) cannot overflow.
    extreme = np.where(counted, scores, -np.inf if power > 0 else np.inf)
    unit = extreme.max(axis=-1) if power > 0 else extreme.min(axis=-1)
    usable = np.isfinite(unit) & (unit > 0)
    unit = np.where(usable, unit, 1.0)
    relative = np.where(counted & (scores > 0), scores / unit[..., None], 1.0)
    zero = counted & (scores == 0)
    logarithm = np.log(relative)
    if abs(power) < 1e-12:  # the geometric mean, to more digits than a smaller power leaves
        mean = np.exp((weights * logarithm).sum(axis=-1))
    else:
        # expm1 and log1p keep the digits of a power near 0.
        growth = np.where(zero & (power > 0), -1.0, np.expm1(power * logarithm))
        total = np.where(usable, (weights * growth).sum(axis=-1), 0.0)
        mean = np.exp(np.log1p(total) / power)
    gradient = weights * (relative / mean[..., None]) ** (power - 1)
    if power < 1e-12:
        usable = usable & ~zero.any(axis=-1)
    value = np.where(usable, mean * unit, 0.0)
    # With every score 0 the mean is 0 and homogeneous, and has no derivative unless the power is 1.
    flat = counted & ~usable[..., None]
    steep = zero & (power < 1)
    gradient = np.where(flat | steep, np.nan, np.where(zero, 0.0, gradient))
    return value, gradient
