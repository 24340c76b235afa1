"""Student's t distribution with degrees of freedom from 0 (unknown) to infinity (normal)."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from sotongindex._arrays import FloatArray

# stdtr and stdtrit lose digits far out; from here on the normal is the same to 1e-10.
_NORMAL = 1e10


def special() -> ModuleType:
    """Import late: it takes a tenth of the time that importing this library takes."""
    import scipy.special  # noqa: PLC0415

    module: ModuleType = scipy.special
    return module


def t_quantile(freedom: FloatArray, probability: float) -> FloatArray:
    """Return quantiles of the t distribution; NaN where the degrees of freedom are 0."""
    normal = special().ndtri(probability)
    finite = np.where((freedom > 0) & (freedom < _NORMAL), freedom, 1.0)
    quantile = np.where(freedom >= _NORMAL, normal, special().stdtrit(finite, probability))
    return np.where(freedom > 0, quantile, np.nan)


def t_probability(freedom: FloatArray, ratio: FloatArray) -> FloatArray:
    """Return the distribution function of t; NaN where the degrees of freedom are 0."""
    finite = np.where((freedom > 0) & (freedom < _NORMAL), freedom, 1.0)
    probability = np.where(
        freedom >= _NORMAL, special().ndtr(ratio), special().stdtr(finite, ratio)
    )
    return np.where(freedom > 0, probability, np.nan)
