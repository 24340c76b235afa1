"""How many respondents an organization needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray
from sotongindex._student import t_quantile
from sotongindex.errors import MethodError


def respondents_for_reliability(
    reliability: float, *, between_variance: float, respondent_variance: ArrayLike
) -> FloatArray:
    r"""Return how many respondents an organization needs for a reliability.

    .. math:: n = \left\lceil \frac{\sigma^2}{A} \cdot \frac{R}{1 - R} \right\rceil

    Args:
        reliability: The reliability :math:`R` wanted, between 0 and 1.
        between_variance: The variance :math:`A` of true scores between organizations.
        respondent_variance: The variance :math:`\sigma^2` of one respondent's score: the squared
            standard error times the respondents, which keeps the effect of weights. Any shape.

    Returns:
        Numbers of respondents, 1 or more; inf where organizations do not differ.

    Raises:
        MethodError: If the reliability is not between 0 and 1, or a variance is negative.

    References:
        Spearman (1910) and Brown (1910), doi:10.1111/j.2044-8295.1910.tb00206.x and .tb00207.x.

    >>> respondents_for_reliability(0.8, between_variance=25.0, respondent_variance=400.0).item()
    64.0
    """
    if not 0 < reliability < 1:
        raise MethodError(
            f"expected a share between 0 and 1, got {reliability}", argument="reliability"
        )
    variance = _variances(respondent_variance)
    if not between_variance >= 0:
        raise MethodError(
            f"expected 0 or more, got {between_variance}", argument="between_variance"
        )
    if between_variance == 0:
        return np.where(variance > 0, np.inf, 1.0)
    needed = variance / between_variance * reliability / (1 - reliability)
    return np.maximum(np.ceil(needed - 1e-9), 1.0)


def respondents_for_width(
    width: float, *, respondent_variance: ArrayLike, level: float = 0.95
) -> FloatArray:
    r"""Return how many respondents an organization needs for an interval of a width.

    The smallest :math:`n` with :math:`2 t_{n-1} \sigma / \sqrt n \le` width.

    Args:
        width: The distance between the ends of the interval wanted, in points.
        respondent_variance: The variance of one respondent's score; see
            `respondents_for_reliability`. Any shape.
        level: The level of the interval.

    Returns:
        Numbers of respondents, 2 or more.

    Raises:
        MethodError: If the width is not positive, the level not a share, or a variance negative.

    >>> respondents_for_width(10.0, respondent_variance=400.0).item()
    64.0
    """
    if not width > 0 or not 0 < level < 1:
        raise MethodError(
            f"expected a positive width and a level between 0 and 1, got {width} and {level}",
            argument="width",
        )
    error = 2 * np.sqrt(_variances(respondent_variance)) / width
    normal = t_quantile(np.array(np.inf), 0.5 + level / 2)
    needed = np.maximum(np.ceil((normal * error) ** 2), 2.0)
    while True:
        short = t_quantile(needed - 1, 0.5 + level / 2) * error > np.sqrt(needed) * (1 + 1e-12)
        if not short.any():
            return needed
        needed = needed + short


def _variances(numbers: ArrayLike) -> FloatArray:
    variance: FloatArray = np.asarray(numbers, dtype=np.float64)
    if (variance < 0).any() or np.isinf(variance).any():
        raise MethodError(
            "expected finite numbers of 0 or more, or NaN where not known",
            argument="respondent_variance",
        )
    return variance
