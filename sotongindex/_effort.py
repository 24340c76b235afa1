"""The arithmetic of plans: how far to raise levers, for many organizations at once, exactly.

Rows are organizations (or draws of one), columns are levers. A lever adds its weight times its rise
to the score, and rises from its least rise to its room. Under a quadratic cost the best rises grow
together like water in basins; under a linear cost they fill one after the other. Both are solved by
sorting, not by iteration.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, IntArray
from sotongindex.errors import MethodError, nearest_key

Strategy: TypeAlias = Literal["least squares", "cheapest", "uniform", "single lever"]


def least_effort(
    weights: ArrayLike,
    room: ArrayLike,
    gain: ArrayLike,
    *,
    strategy: Strategy = "least squares",
    costs: ArrayLike = 1.0,
    least: ArrayLike = 0.0,
) -> FloatArray:
    r"""Return the rises of levers that gain a number of points with the least effort.

    With weights :math:`w_k`, costs :math:`c_k`, least rises :math:`l_k` and room :math:`h_k`, the
    rises :math:`x_k` within :math:`l_k \le x_k \le h_k` gain :math:`\sum w_k x_k \ge G` and

    - ``"least squares"``: make :math:`\sum c_k x_k^2` smallest: :math:`x_k = \lambda w_k / c_k`
      within its bounds, with one water level :math:`\lambda`;
    - ``"cheapest"``: make :math:`\sum c_k x_k` smallest: the levers are filled in the order of
      :math:`c_k / w_k`, the fractional knapsack; of ties the first in order;
    - ``"uniform"``: rise together by the same points, each as far as it can;
    - ``"single lever"``: one lever rises, that with the smallest :math:`c_k x_k` of those that gain
      enough, else the one that gains most.

    Where even the full room gains less than is wanted, the levers take all of it.

    Args:
        weights: Points of the score for one point of a lever, 0 or more, (k,) or (n, k).
        room: The largest rises in points, 0 or more, broadcast to the weights.
        gain: The points wanted, a number or (n,).
        strategy: What the least effort is.
        costs: The cost of a point (under "least squares" of its square), broadcast to the weights.
        least: The least rises in points, 0 to the room, broadcast to the weights.

    Returns:
        The rises in points, in the shape of the weights; 0 for a lever without weight, unless its
        least rise is more.

    Raises:
        MethodError: If a number is negative, not finite, or out of range, a cost is 0 under "least
            squares", or the strategy is unknown.

    References:
        Boyd and Vandenberghe (2004), Convex Optimization, example 5.2 (water-filling); Dantzig
        (1957), doi:10.1287/opre.5.2.266 (the fractional knapsack).

    >>> least_effort([0.3, 0.2], [23.0, 20.0], 8.0).round(2).tolist()
    [18.46, 12.31]
    >>> least_effort([0.25, 0.5], [20.0, 20.0], 8.0, strategy="cheapest", costs=[1, 4]).tolist()
    [20.0, 6.0]
    """
    if strategy not in get_args(Strategy):
        near = nearest_key(strategy, get_args(Strategy))
        raise MethodError(
            f"expected one of {', '.join(map(repr, get_args(Strategy)))}, got {strategy!r}"
            + (f"; did you mean {near!r}?" if near else ""),
            argument="strategy",
        )
    weight, upper, cost, lower = _levers(weights, room, costs, least=least)
    if strategy == "least squares" and (cost == 0).any():
        raise MethodError(
            'a cost of 0 has no least square; give it a small cost, or use strategy "cheapest"',
            argument="costs",
        )
    wanted = np.broadcast_to(_finite(gain, "gain"), weight.shape[:-1])
    rows, further = np.atleast_2d(weight), np.atleast_1d(wanted) - (weight * lower).sum(axis=-1)
    ends = np.atleast_2d(lower), np.atleast_2d(upper)
    costs_of = np.atleast_2d(cost)
    if strategy == "single lever":
        rises = _single(rows, *ends, costs=costs_of, gain=further)
    elif strategy == "cheapest":
        rises = _in_order(_ratio(costs_of, rows), rows, ends[0], upper=ends[1], amount=further)
    else:
        slopes = np.where(rows > 0, 1.0 if strategy == "uniform" else rows / costs_of, 0.0)
        rises = _filled(rows, slopes, ends[0], upper=ends[1], gain=further)
    return rises.reshape(weight.shape)


def best_use(
    weights: ArrayLike,
    room: ArrayLike,
    budget: ArrayLike,
    *,
    costs: ArrayLike = 1.0,
    least: ArrayLike = 0.0,
) -> FloatArray:
    r"""Return the rises of levers that gain the most points for a budget.

    :math:`\sum w_k x_k` is largest under :math:`\sum c_k x_k \le B` where the levers are filled in
    the order of :math:`w_k / c_k`; see `least_effort` for the symbols.

    Args:
        weights: Points of the score for one point of a lever, 0 or more, (k,) or (n, k).
        room: The largest rises in points, 0 or more, broadcast to the weights.
        budget: What may be spent, a number or (n,), 0 or more.
        costs: The cost of a point, 0 or more, broadcast to the weights.
        least: The least rises in points, 0 to the room, broadcast to the weights; they are bought
            first, whether the budget allows for them or not.

    Returns:
        The rises in points, in the shape of the weights.

    Raises:
        MethodError: If a number is negative, not finite, or out of range.

    References:
        Dantzig (1957), doi:10.1287/opre.5.2.266.

    >>> best_use([0.3, 0.2], [23.0, 20.0], 30.0, costs=[1, 1.4]).tolist()
    [23.0, 5.0]
    """
    weight, upper, cost, lower = _levers(weights, room, costs, least=least)
    given = np.broadcast_to(_finite(budget, "budget"), weight.shape[:-1])
    if (given < 0).any():
        raise MethodError(f"expected 0 or more, got {given.min():g}", argument="budget")
    rows, costs_of = np.atleast_2d(weight), np.atleast_2d(cost)
    left = np.atleast_1d(given) - (cost * lower).sum(axis=-1)
    rises = _in_order(
        _ratio(costs_of, rows),
        costs_of,
        np.atleast_2d(lower),
        upper=np.atleast_2d(upper),
        amount=left,
    )
    return rises.reshape(weight.shape)


# -- what comes in -------------------------------------------------------------------------------


def _finite(value: ArrayLike, argument: str) -> FloatArray:
    numbers = np.asarray(value, dtype=np.float64)
    if not np.isfinite(numbers).all():
        raise MethodError(
            f"expected finite numbers, got {int((~np.isfinite(numbers)).sum())} that are not",
            argument=argument,
        )
    return numbers


def _levers(
    weights: ArrayLike, room: ArrayLike, costs: ArrayLike, *, least: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return weights, room, costs and least rises of one shape; no room without weight."""
    given = {"weights": weights, "room": room, "costs": costs, "least": least}
    found = {name: _finite(value, name) for name, value in given.items()}
    for name, numbers in found.items():
        if (numbers < 0).any():
            raise MethodError(f"expected 0 or more, got {numbers.min():g}", argument=name)
    try:
        weight, upper, cost, lower = np.broadcast_arrays(*found.values())
    except ValueError as error:
        shapes = ", ".join(f"{name} {numbers.shape}" for name, numbers in found.items())
        raise MethodError(f"expected shapes that fit, got {shapes}", argument="weights") from error
    if weight.ndim not in {1, 2}:
        raise MethodError(f"expected (k,) or (n, k), got {weight.shape}", argument="weights")
    if (lower > upper).any():
        raise MethodError(
            f"{int((lower > upper).sum())} least rises are larger than their room", argument="least"
        )
    return weight, np.where(weight > 0, upper, lower), cost, lower


def _ratio(costs: FloatArray, weights: FloatArray) -> FloatArray:
    """Return what a point of the score costs through each lever, infinite without weight."""
    without = np.full(weights.shape, np.inf)
    ratio: FloatArray = np.divide(costs, weights, out=without, where=weights > 0)
    return ratio


# -- rises, (n, k) -------------------------------------------------------------------------------


def _filled(
    weights: FloatArray,
    slopes: FloatArray,
    lower: FloatArray,
    *,
    upper: FloatArray,
    gain: FloatArray,
) -> FloatArray:
    """Raise all levers along their slopes to the one level that gains `gain` above `lower`."""
    moving = slopes > 0
    steps = np.where(moving, slopes, 1.0)
    starts, stops = (np.where(moving, end / steps, 0.0) for end in (lower, upper))
    points = np.concatenate([starts, stops], axis=1)  # (n, 2k)
    order = np.argsort(points, axis=1, kind="stable")
    ordered = np.take_along_axis(points, order, axis=1)
    bends = np.concatenate([weights * slopes, -weights * slopes], axis=1)
    slope = np.cumsum(np.take_along_axis(bends, order, axis=1), axis=1)[:, :-1]
    gained = np.cumsum(np.maximum(slope, 0.0) * np.diff(ordered, axis=1), axis=1)
    segment = (gained < gain[:, None]).sum(axis=1)  # of the level; one too many where out of reach
    inside = np.minimum(segment, slope.shape[1] - 1)[:, None]
    middle = np.take_along_axis((ordered[:, 1:] + ordered[:, :-1]) / 2, inside, axis=1)
    # From what rises in that segment the level follows to the last digit.
    rising = moving & (starts < middle) & (stops > middle)
    still = np.where(stops <= middle, upper, lower)
    speed = (weights * slopes * rising).sum(axis=1)
    reached = (weights * np.where(rising, 0.0, still - lower)).sum(axis=1)
    reached -= (weights * lower * rising).sum(axis=1)
    level = (gain - reached) / np.where(speed > 0, speed, 1.0)
    rises = np.where(rising, np.clip(slopes * level[:, None], lower, upper), still)
    rises = np.where((segment >= slope.shape[1])[:, None], upper, rises)
    return np.where((gain <= 0)[:, None], lower, rises)


def _in_order(
    ratio: FloatArray,
    units: FloatArray,
    lower: FloatArray,
    *,
    upper: FloatArray,
    amount: FloatArray,
) -> FloatArray:
    """Fill levers from the smallest ratio on while the amount lasts; a point takes its units."""
    order: IntArray = np.argsort(ratio, axis=1, kind="stable")
    takes = np.take_along_axis(units * (upper - lower), order, axis=1)
    before = np.zeros_like(takes)
    before[:, 1:] = np.cumsum(takes, axis=1)[:, :-1]
    left = np.empty_like(takes)
    np.put_along_axis(left, order, amount[:, None] - before, axis=1)
    free = units <= 0
    share = np.where(free, np.inf, left / np.where(free, 1.0, units))
    rises: FloatArray = lower + np.clip(share, 0.0, upper - lower)
    return rises


def _single(
    weights: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    costs: FloatArray,
    gain: FloatArray,
) -> FloatArray:
    """Raise the one lever that costs least, or gains most where none gains enough."""
    usable = np.where(weights > 0, weights, 1.0)
    needed = np.where(weights > 0, gain[:, None] / usable, np.inf)
    # The room of a rise that fits exactly may differ from it in the last digit.
    enough = needed <= (upper - lower) * (1 + 1e-12)
    effort = np.where(enough, costs * np.where(enough, needed, 0.0), np.inf)
    most = weights * (upper - lower)
    chosen = np.where(enough.any(axis=1), effort.argmin(axis=1), most.argmax(axis=1))
    is_chosen = chosen[:, None] == np.arange(weights.shape[1])
    rise = np.clip(np.where(is_chosen, needed, 0.0), 0.0, upper - lower)
    rises: FloatArray = np.where(is_chosen & (gain > 0)[:, None], lower + rise, lower)
    return rises
