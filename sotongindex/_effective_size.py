"""What unequal weights cost: Kish's design effect and effective sample size."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray
from sotongindex._calibration_report import kish_design_effect
from sotongindex.errors import MethodError

__all__ = ["design_effect", "effective_sample_size"]


def design_effect(weight: ArrayLike) -> float:
    r"""Return Kish's design effect of weights: what unequal weights alone cost.

    :math:`n \sum_k w_k^2 / (\sum_k w_k)^2`, 1 where all are equal: the factor by which the variance
    of a mean grows if weights have nothing to do with the answers.

    Args:
        weight: Weights of the respondents, each once, (n,).

    Raises:
        MethodError: If there are none, or one is negative or not finite, or all are 0.

    References:
        Kish (1965), Survey Sampling; Kish (1992), Journal of Official Statistics 8, 183-200.

    >>> round(design_effect([1, 1, 2]), 3)
    1.125
    """
    return kish_design_effect(_weights(weight))


def effective_sample_size(weight: ArrayLike) -> float:
    r"""Return Kish's effective sample size, :math:`(\sum_k w_k)^2 / \sum_k w_k^2`.

    Args:
        weight: Weights of the respondents, each once, (n,).

    Raises:
        MethodError: As for `design_effect`.

    >>> round(effective_sample_size([1, 1, 2]), 3)
    2.667
    """
    weights = _weights(weight)
    return len(weights) / kish_design_effect(weights)


def _weights(weight: ArrayLike) -> FloatArray:
    weights = np.asarray(weight, dtype=np.float64)
    fits = weights.ndim == 1 and np.isfinite(weights).all() and (weights >= 0).all()
    if not fits or not weights.any():
        raise MethodError(
            f"expected one axis of weights of 0 or more, not all 0, got shape {weights.shape}",
            argument="weight",
        )
    return weights
