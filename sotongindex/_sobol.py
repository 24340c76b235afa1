"""Sobol indices of groups of inputs, with bootstrap intervals over rows."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, float_array

_RESAMPLES = 200
# A variance this small is what adding up leaves where scores do not differ.
_ROUNDING = 1e-18


@attrs.frozen(kw_only=True, eq=False)
class SobolIndices:
    """Shares of a variance, k choices in rows; (k,), or (k, o) for every organization by itself.

    Attributes:
        first: The share that vanishes on average when the choice alone is settled.
        first_low: The lower end of its interval.
        first_high: The upper end.
        total: The share that remains on average when everything but the choice is settled.
        total_low: The lower end of its interval.
        total_high: The upper end.
    """

    first: FloatArray = attrs.field(converter=float_array)
    first_low: FloatArray = attrs.field(converter=float_array)
    first_high: FloatArray = attrs.field(converter=float_array)
    total: FloatArray = attrs.field(converter=float_array)
    total_low: FloatArray = attrs.field(converter=float_array)
    total_high: FloatArray = attrs.field(converter=float_array)

    def scattered(self, places: NDArray[np.intp], size: int) -> SobolIndices:
        """Return indices (k, size) with these (k, o) at `places`, NaN elsewhere."""
        columns = {}
        for field in attrs.fields(SobolIndices):
            found = getattr(self, field.name)
            columns[field.name] = np.full((len(found), size), np.nan)
            columns[field.name][:, places] = found
        return SobolIndices(**columns)


def sobol_indices(
    base: FloatArray,
    other: FloatArray,
    swapped: Sequence[FloatArray],
    *,
    level: float,
    rng: np.random.Generator,
    together: bool = False,
) -> SobolIndices:
    r"""Return Sobol indices of outputs (n, o), for each organization or for all together.

    With the centred outputs :math:`a, b` of two independent designs and :math:`a^k` of the first
    with the columns of choice :math:`k` taken from the second,

    .. math:: S_k = \frac{\sum b (a^k - a) + \tilde S_k \sum a b}{n V}, \qquad
        T_k = \frac{\sum (a - a^k)^2}{2 n V}.

    The second sum, expected to be 0, takes away noise; its weight is :math:`S_k` without it, kept
    within 0 and 1. For all together, sums and variances are added up over organizations before they
    are divided. Where nothing varies all indices are 0.

    References:
        Saltelli et al. (2010), doi:10.1016/j.cpc.2009.09.018, for the first sum and, after Jansen
        (1999), doi:10.1016/S0010-4655(98)00154-4, for the total. Gamboa, Janon, Klein and Lagnoux
        (2014), doi:10.1214/14-EJS895, for many outputs.
    """
    resampled = rng.multinomial(len(base), np.full(len(base), 1 / len(base)), _RESAMPLES)
    # The first row is the sample itself.
    counts = np.vstack([np.ones(len(base)), resampled]) / len(base)

    def sums(rows: FloatArray) -> FloatArray:
        return counts @ (rows.sum(axis=1) if together else rows)

    centre = (base + other).mean(axis=0) / 2
    first, second = base - centre, other - centre
    shift = (counts @ (first + second)) / 2
    variance = sums(first**2 + second**2) / 2 - ((shift**2).sum(axis=1) if together else shift**2)
    # Nothing varies: what is divided is 0 too.
    variance = np.where(variance > _ROUNDING, variance, np.inf)
    noise = sums(first * second) / variance
    columns: dict[str, list[FloatArray]] = {field.name: [] for field in attrs.fields(SobolIndices)}
    for one in swapped:
        alone = sums(second * (one - base)) / variance
        shares = {
            "first": alone + np.clip(alone, 0, 1) * noise,
            "total": sums((base - one) ** 2) / 2 / variance,
        }
        for name, share in shares.items():
            ends = np.quantile(share[1:], [(1 - level) / 2, (1 + level) / 2], axis=0)
            for key, value in zip(
                (name, f"{name}_low", f"{name}_high"), (share[0], *ends), strict=True
            ):
                columns[key].append(value)
    return SobolIndices(**{key: np.stack(values) for key, values in columns.items()})
