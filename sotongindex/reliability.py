"""Reliability of a set of items: whether they tell of one thing, so that their mean does."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex._learning import checked_scores, column_deviations, column_means, correlations
from sotongindex._student import t_quantile
from sotongindex.errors import MethodError

__all__ = ["CronbachAlpha", "cronbach_alpha"]


@attrs.frozen(kw_only=True, eq=False)
class CronbachAlpha:
    """Cronbach's alpha of some items.

    Attributes:
        alpha: The coefficient; 1 at most, and below 0 where items oppose each other.
        standard_error: Its standard error; infinite where differences hang on a single unit.
        low: The lower end of its interval.
        high: The upper end.
        level: The level of the interval, a share.
        item_total: Correlation of every item with the sum of the others, (k,); NaN where the item
            or that sum does not differ between units.
        if_dropped: Alpha of the others, (k,); NaN where fewer than two are left, or their sum
            does not differ.
        units: How many units it rests on: those that have every item.
        left_out: How many units lack an item.
    """

    alpha: float
    standard_error: float
    low: float
    high: float
    level: float
    item_total: FloatArray = attrs.field(converter=float_array)
    if_dropped: FloatArray = attrs.field(converter=float_array)
    units: int
    left_out: int

    def __str__(self) -> str:
        return (
            f"alpha {self.alpha:.3f} ({self.low:.3f} to {self.high:.3f}), "
            f"{len(self.item_total)} items, {self.units:,} units"
        )


def cronbach_alpha(
    scores: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    standardized: bool = False,
    level: float = 0.95,
) -> CronbachAlpha:
    r"""Return Cronbach's alpha with its error, and what it would be without each item.

    With variances :math:`s_i^2` of the items and :math:`s_T^2` of their sum,

    .. math:: \alpha = \frac{k}{k - 1} \Bigl(1 - \frac{\sum_i s_i^2}{s_T^2}\Bigr)

    The standard error is that of the jackknife, which leaves out every unit once: it assumes no
    distribution and no equal correlations. The interval is symmetric in :math:`\ln(1 - \alpha)`.

    Args:
        scores: Scores of units, such as respondents, on items, (u, k). A unit with a missing score
            (NaN) is left out whole.
        weights: The weight of every unit, (u,); default 1 each.
        standardized: Whether every item is divided by its standard deviation first; the error
            takes these as given.
        level: The level of the interval, a share.

    Returns:
        Alpha, its error and interval, and figures for every item.

    Raises:
        MethodError: If there are fewer than two items, fewer than two units with every item, or no
            differences between units.

    References:
        Cronbach (1951), doi:10.1007/BF02310555; Miller (1974), doi:10.1093/biomet/61.1.1, for the
        jackknife; Bonett (2002), doi:10.3102/10769986027004335, for the scale of the interval.

    >>> print(cronbach_alpha([[1, 2, 2], [2, 2, 3], [3, 4, 3], [4, 4, 5], [5, 4, 4], [2, 1, 2]]))
    alpha 0.923 (0.776 to 0.973), 3 items, 6 units
    """
    values, number = _complete(scores, weights, standardized=standardized)
    if not 0 < level < 1:
        raise MethodError(f"expected a share between 0 and 1, got {level}", argument="level")
    total = values.sum(axis=1)
    deviations = column_deviations(np.column_stack([values, total]), number)
    if deviations[-1] == 0:
        raise MethodError(
            "the sum of the items does not differ between units: alpha is not defined",
            argument="scores",
        )
    alpha, error = _alpha(values, number)
    spread = t_quantile(np.array([len(values) - 1.0]), 0.5 + level / 2).item()
    # The logarithm of 1 - alpha is nearer to normal than alpha; items that are one have no error.
    ratio = np.exp(spread * error / (1 - alpha)) if alpha < 1 - 1e-12 else 1.0
    return CronbachAlpha(
        alpha=alpha,
        standard_error=error,
        low=1 - (1 - alpha) * ratio,
        high=1 - (1 - alpha) / ratio,
        level=level,
        units=len(values),
        left_out=len(np.asarray(scores)) - len(values),
        **_of_items(values, number),
    )


def _complete(
    scores: ArrayLike, weights: ArrayLike | None, *, standardized: bool
) -> tuple[FloatArray, FloatArray]:
    """Return the scores of units that have every item, and their weights."""
    values, number = checked_scores(scores, weights, argument="weights")
    if values.shape[1] < 2:
        raise MethodError(f"expected 2 or more items, got {values.shape[1]}", argument="scores")
    complete = ~np.isnan(values).any(axis=1)
    values, number = values[complete], number[complete]
    if len(values) < 2:
        raise MethodError(
            f"expected 2 or more units that have every item, got {len(values)}", argument="scores"
        )
    if standardized:
        deviations = column_deviations(values, number)
        if (deviations == 0).any():
            raise MethodError(
                f"item {int(np.flatnonzero(deviations == 0)[0])} (from 0) does not differ between "
                "units and cannot be standardized; leave it out",
                argument="scores",
            )
        values = values / deviations
    return values, number


def _alpha(values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Return alpha and its standard error by leaving out every unit once."""
    count, parts = values.shape
    centred = values - column_means(values, weights)
    own = weights * (centred**2).sum(axis=1)
    whole = weights * centred.sum(axis=1) ** 2
    # What squares around the mean lose with a unit, the mean moving too.
    loss = weights.sum() / (weights.sum() - weights)
    own_without, whole_without = own.sum() - loss * own, whole.sum() - loss * whole
    factor = parts / (parts - 1)
    alpha = factor * (1 - own.sum() / whole.sum())
    if (whole_without <= 1e-12 * whole.sum()).any():
        return float(alpha), np.inf
    without = factor * (1 - own_without / whole_without)
    return float(alpha), float(np.sqrt((count - 1) * without.var()))


def _of_items(values: FloatArray, weights: FloatArray) -> dict[str, FloatArray]:
    """Return for every item how it goes with the others, and alpha without it."""
    parts = values.shape[1]
    item_total, if_dropped = np.full(parts, np.nan), np.full(parts, np.nan)
    for item in range(parts):
        others = np.delete(values, item, axis=1)
        pair = np.column_stack([values[:, item], others.sum(axis=1)])
        own, rest = column_deviations(pair, weights)
        if own > 0 and rest > 0:
            item_total[item] = correlations(pair, weights)[0, 1]
        if rest > 0 and parts > 2:
            if_dropped[item], _ = _alpha(others, weights)
    return {"item_total": item_total, "if_dropped": if_dropped}
