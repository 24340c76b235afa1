"""Reliability of a set of items: whether they tell of one thing, so that their mean does."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._arrays import FloatArray, float_array
from sotongindex._learning import checked_scores, column_deviations, column_means, column_spans
from sotongindex._moments import (
    check_answered,
    held,
    jackknife_error,
    pairs_of,
    pairs_without_groups,
    rows_of,
)
from sotongindex._student import t_quantile
from sotongindex._validators import are_known, are_unique
from sotongindex.errors import MethodError
from sotongindex.models import Framework
from sotongindex.tally import Tally

__all__ = ["CronbachAlpha", "cronbach_alpha", "tally_alpha"]

# A variance of the sum this small, as a share of the parts' variances, is their rounding.
_ROUNDING = 1e-12


@attrs.frozen(kw_only=True, eq=False)
class CronbachAlpha:
    """Cronbach's alpha of some items.

    Attributes:
        alpha: The coefficient; 1 at most, and below 0 where items oppose each other.
        standard_error: Its standard error; infinite where differences hang on a single unit or
            jackknife group, NaN where a tally has no two groups.
        low: The lower end of its interval.
        high: The upper end.
        level: The level of the interval, a share.
        item_total: Correlation of every item with the sum of the others, (k,); NaN where the item
            or that sum does not differ between units.
        if_dropped: Alpha of the others, (k,); NaN where fewer than two are left, or their sum
            does not differ.
        units: How many units it rests on: those that have every item; from a tally, the fewest
            that have any two of them.
        left_out: How many other units there are.
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
        known = not np.isnan(self.standard_error)
        interval = f"{self.low:.3f} to {self.high:.3f}" if known else "error not known"
        return (
            f"alpha {self.alpha:.3f} ({interval}), "
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
    if isinstance(scores, Tally):
        raise MethodError("a tally keeps no units; use tally_alpha", argument="scores")
    values, number = _complete(scores, weights, standardized=standardized)
    return _estimated(
        _covariance(values, number),
        error=_error_of_units(values, number),
        freedom=len(values) - 1,
        level=level,
        units=len(values),
        left_out=len(np.asarray(scores)) - len(values),
        argument="scores",
    )


def tally_alpha(
    tally: Tally,
    *,
    items: Sequence[str] | None = None,
    dimension: str | None = None,
    channel: str | None = None,
    level: float = 0.95,
) -> CronbachAlpha:
    r"""Return Cronbach's alpha of the items' points in a tally, and its error.

    It is the formula of `cronbach_alpha` with the weighted covariances of evaluations,

    .. math:: \alpha = \frac{k}{k - 1} \Bigl(1 - \frac{\sum_i c_{ii}}{\sum_{ij} c_{ij}}\Bigr)

    each of which rests on the evaluations that answered both items; where every answer is there, it
    is the same number. Units are evaluations of all organizations, so differences between
    organizations count as true ones. The error comes from leaving out one jackknife group at a
    time: respondents who rate several organizations are left out with all they said.

    Args:
        tally: A tally with moments.
        items: Keys of the items, two or more; default all.
        dimension: The key of a dimension, whose items it is then.
        channel: A channel's key; None means the evaluations of all channels.
        level: The level of the interval, a share.

    Returns:
        Alpha, its error and interval, and figures for every item.

    Raises:
        DefinitionError: If a key is not known, or used twice.
        MethodError: If the tally has no moments, both items and a dimension are given, there are
            fewer than two items, two of them were never answered together, the sum of the items
            does not differ between evaluations, or pairs contradict each other.

    References:
        Cronbach (1951), doi:10.1007/BF02310555; Kott (2001), Journal of Official Statistics 17,
        521-526, for the jackknife; Bonett (2002), doi:10.3102/10769986027004335, for the scale of
        the interval.

    >>> from sotongindex.datasets import sample_panel
    >>> tally = Tally.from_responses(sample_panel(rng=1).responses, moments=True)
    >>> print(tally_alpha(tally, channel="blog"))
    alpha 0.812 (0.808 to 0.816), 12 items, 11,901 units
    """
    moments = held(tally.moments)
    at = _chosen(moments.framework, items, dimension=dimension)
    pairs = pairs_of(moments, channel).of_parts(at)
    check_answered(pairs, [moments.framework.item_keys[item] for item in at])
    without = pairs_without_groups(moments, channel).of_parts(at)
    covariance = pairs.covariances()
    alpha = _alpha(covariance)
    error = jackknife_error(alpha, _alpha(without.covariances()), groups=moments.groups)
    groups, fewest = len(without.units), int(pairs.units.min())
    of_channel = rows_of(tally.channel, moments.framework, channel)
    return _estimated(
        covariance,
        # Not computable without some group is another thing than having no two of them.
        error=np.inf if groups > 1 and np.isnan(error) else float(error),
        freedom=groups - 1,
        level=level,
        units=fewest,
        left_out=int(tally.evaluations[of_channel].sum()) - fewest,
        argument="items",
    )


def _chosen(
    framework: Framework, items: Sequence[str] | None, *, dimension: str | None
) -> NDArray[np.intp]:
    """Return the positions of the items, two or more."""
    if items is not None and dimension is not None:
        raise MethodError("expected items or a dimension, got both", argument="items")
    keys = list(framework.item_keys if items is None else items)
    are_unique(keys, field="items")
    are_known(keys, framework.item_keys, field="items", what="item")
    at = np.array([framework.item_keys.index(key) for key in keys], dtype=np.intp)
    if dimension is not None:
        names = framework.dimension_keys
        are_known([dimension], names, field="dimension", what="dimension")
        at = np.flatnonzero(np.array(framework.item_dimensions) == names.index(dimension))
    if len(at) < 2:
        raise MethodError(f"expected 2 or more items, got {len(at)}", argument="items")
    return at


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


def _covariance(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the covariances of columns without missing values; 0 where one does not differ."""
    centred = (values - column_means(values, weights)) * (column_spans(values) > 0)
    covariance: FloatArray = (weights[:, None] * centred).T @ centred / weights.sum()
    return covariance


def _alpha(covariance: FloatArray) -> FloatArray:
    """Return alpha from covariances (..., k, k); NaN where the sum of the items does not differ."""
    parts = covariance.shape[-1]
    own = np.trace(covariance, axis1=-2, axis2=-1)
    whole = covariance.sum(axis=(-2, -1))
    share = np.divide(own, whole, out=np.full(own.shape, np.nan), where=whole > _ROUNDING * own)
    alpha: FloatArray = parts / (parts - 1) * (1 - share)
    return alpha


def _error_of_units(values: FloatArray, weights: FloatArray) -> float:
    """Return the standard error of alpha by leaving out every unit once."""
    count, parts = values.shape
    centred = values - column_means(values, weights)
    own = weights * (centred**2).sum(axis=1)
    whole = weights * centred.sum(axis=1) ** 2
    # What squares around the mean lose with a unit, the mean moving too.
    loss = weights.sum() / (weights.sum() - weights)
    own_without, whole_without = own.sum() - loss * own, whole.sum() - loss * whole
    if (whole_without <= _ROUNDING * whole.sum()).any():
        return np.inf
    without = parts / (parts - 1) * (1 - own_without / whole_without)
    return float(np.sqrt((count - 1) * without.var()))


def _estimated(
    covariance: FloatArray,
    *,
    error: float,
    freedom: int,
    level: float,
    units: int,
    left_out: int,
    argument: str,
) -> CronbachAlpha:
    """Return alpha with its interval and the figures of the items."""
    if not 0 < level < 1:
        raise MethodError(f"expected a share between 0 and 1, got {level}", argument="level")
    alpha = float(_alpha(covariance))
    if np.isnan(alpha):
        raise MethodError(f"{_why_undefined(covariance)}: alpha is not defined", argument=argument)
    spread = t_quantile(np.array([float(freedom)]), 0.5 + level / 2).item()
    # The logarithm of 1 - alpha is nearer to normal than alpha; items that are one have no error.
    ratio = np.exp(spread * error / (1 - alpha)) if alpha < 1 - 1e-12 else 1.0
    return CronbachAlpha(
        alpha=alpha,
        standard_error=error,
        low=1 - (1 - alpha) * ratio,
        high=1 - (1 - alpha) / ratio,
        level=level,
        units=units,
        left_out=left_out,
        **_of_items(covariance),
    )


def _why_undefined(covariance: FloatArray) -> str:
    """Return why the sum of the items has no variance to compare with."""
    whole = covariance.sum()
    if whole < -_ROUNDING * np.trace(covariance):
        return (
            "covariances that rest on different evaluations contradict each other, by them the "
            f"variance of the sum of the items is {whole:.3g}"
        )
    return "the sum of the items does not differ between units"


def _of_items(covariance: FloatArray) -> dict[str, FloatArray]:
    """Return for every item how it goes with the others, and alpha without it."""
    parts = len(covariance)
    item_total, if_dropped = np.full(parts, np.nan), np.full(parts, np.nan)
    for item in range(parts):
        others = np.delete(np.arange(parts), item)
        inner = covariance[np.ix_(others, others)]
        own, rest = covariance[item, item], inner.sum()
        if rest <= _ROUNDING * np.trace(inner):
            continue
        if own > 0:
            total = covariance[item, others].sum() / np.sqrt(own * rest)
            item_total[item] = np.clip(total, -1.0, 1.0)
        if parts > 2:
            if_dropped[item] = _alpha(inner)
    return {"item_total": item_total, "if_dropped": if_dropped}
