"""Percentile ranks, quantiles and competition ranks of plain arrays of scores."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, IntArray
from sotongindex.errors import MethodError, nearest_key

__all__ = [
    "TIE_WIDTH",
    "CountKind",
    "PercentileKind",
    "PositionKind",
    "QuantileType",
    "competition_rank",
    "peer_quantiles",
    "percentile_of_counts",
    "percentile_rank",
    "quantile_position",
]

TIE_WIDTH = 1e-9
"""Scores that differ by no more than this are ties."""

CountKind: TypeAlias = Literal["mean", "strict", "weak", "rank"]
PositionKind: TypeAlias = Literal["inc", "exc", "hazen", "weibull", "blom", "median unbiased"]
PercentileKind: TypeAlias = CountKind | PositionKind
QuantileType: TypeAlias = Literal[1, 2, 3, 4, 5, 6, 7, 8, 9]

# Plotting positions 100 (r - a) / (n + b) of the mid-rank r: the pairs (a, b).
_POSITIONS = {
    "hazen": (1 / 2, 0.0),
    "weibull": (0.0, 1.0),
    "blom": (3 / 8, 1 / 4),
    "median unbiased": (1 / 3, 1 / 3),
}
# Hyndman and Fan's (alpha, beta) of the interpolating quantiles.
_INTERPOLATED = {
    4: (0.0, 1.0),
    5: (1 / 2, 1 / 2),
    6: (0.0, 0.0),
    7: (1.0, 1.0),
    8: (1 / 3, 1 / 3),
    9: (3 / 8, 3 / 8),
}


def percentile_rank(
    scores: ArrayLike,
    at: ArrayLike | None = None,
    *,
    kind: PercentileKind = "mean",
    include_self: bool = False,
    weights: ArrayLike | None = None,
) -> FloatArray:
    r"""Return the percentile rank of scores in a group, from 0 (worst) to 100 (best).

    With :math:`B` the number of scores below, :math:`E` the number of ties and :math:`n` the number
    of scores compared with (each without the score itself, unless `include_self`):

    - ``"strict"``: :math:`100 B / n`; ``"weak"``: :math:`100 (B + E) / n`;
    - ``"mean"``: :math:`100 (B + E/2) / n`, the mid-rank, symmetric under reversal;
    - ``"rank"``: :math:`100 (B + (E + [E > 0]) / 2) / n`;
    - ``"inc"``, ``"exc"``: Excel's PERCENTRANK.INC :math:`100 B / (n - 1)` and PERCENTRANK.EXC
      :math:`100 (B + 1) / (n + 1)`, interpolated between the scores;
    - with the mid-rank :math:`r = B + (E + 1) / 2`: ``"hazen"`` :math:`100 (r - 1/2) / n`,
      ``"weibull"`` :math:`100 r / (n + 1)`, ``"blom"`` :math:`100 (r - 3/8) / (n + 1/4)`,
      ``"median unbiased"`` :math:`100 (r - 1/3) / (n + 1/3)`.

    The definitions differ by up to 25 points in a group of twelve, so name the kind wherever a
    percentile is shown. The kinds from ``"inc"`` on are made for the members of a group and need
    `include_self` unless `at` is given.

    Args:
        scores: The scores of the group, (n,); NaN means missing and is not counted.
        at: Scores from outside to place in the group, any shape; None places every score of the
            group.
        kind: The definition.
        include_self: Whether a score is compared with itself too, where `at` is None.
        weights: A positive weight for every score, (n,); counts become sums of weights. For the
            kinds "strict", "weak" and "mean" only.

    Returns:
        Percentile ranks in the shape of the scores, or of `at`. NaN for a missing score, where
        nothing is left to compare with, where "inc" or "exc" would have to extrapolate, and for
        an outside score that is no member under the plotting positions.

    Raises:
        MethodError: If the kind is unknown, does not go with leaving out the score itself or with
            weights, or the scores or weights have the wrong shape or range.

    References:
        Roscoe (1975), Fundamental Research Statistics for the Behavioral Sciences; Hyndman and Fan
        (1996), doi 10.1080/00031305.1996.10473566.

    >>> percentile_rank([60.0, 70.0, 70.0, 80.0]).round(1).tolist()
    [0.0, 50.0, 50.0, 100.0]
    >>> percentile_rank([60.0, 70.0, 70.0, 80.0], 75.0).item()
    75.0
    """
    _check_kind(kind)
    group = _vector(scores)
    if kind not in get_args(CountKind):
        if at is None and not include_self:
            raise MethodError(
                f"kind {kind!r} counts the score itself; pass include_self=True, or use kind "
                '"mean", "strict", "weak" or "rank"',
                argument="include_self",
            )
        if weights is not None:
            raise MethodError(f"kind {kind!r} knows no weights", argument="weights")
        return _plotting_position(group, group if at is None else np.asarray(at, float), kind)
    if weights is not None and kind == "rank":
        raise MethodError('kind "rank" knows no weights; use "mean"', argument="weights")
    weight = np.ones(len(group)) if weights is None else _weights(weights, group)
    points = group if at is None else np.asarray(at, dtype=np.float64)
    below, ties, total = _counts(group, points, weight)
    if at is None and not include_self:
        ties, total = ties - weight, total - weight
    return percentile_of_counts(below, ties, total, kind=kind)


def percentile_of_counts(
    below: ArrayLike, ties: ArrayLike, total: ArrayLike, *, kind: PercentileKind = "mean"
) -> FloatArray:
    """Return percentile ranks from numbers (or weights) of scores below, tied and in all.

    Args:
        below: How many scores are below, any shape; NaN gives NaN.
        ties: How many are tied.
        total: How many there are; 0 gives NaN.
        kind: "mean", "strict", "weak" or "rank", as in `percentile_rank`.

    Returns:
        Percentile ranks, 0 to 100.

    Raises:
        MethodError: If the kind is not one of the four.

    >>> percentile_of_counts(3, 2, 8).item()
    50.0
    """
    if kind not in get_args(CountKind):
        raise MethodError(
            f'expected "mean", "strict", "weak" or "rank", got {kind!r}', argument="kind"
        )
    under, tied = np.asarray(below, dtype=np.float64), np.asarray(ties, dtype=np.float64)
    counted = {
        "strict": under,
        "weak": under + tied,
        "mean": under + tied / 2,
        "rank": under + (tied + (tied > 0)) / 2,
    }[kind]
    whole = np.asarray(total, dtype=np.float64)
    share = np.full(np.broadcast(counted, whole).shape, np.nan)
    np.divide(counted, whole, out=share, where=whole > 0)
    # Sums of weights can leave a share of 1 + 2e-16.
    percentile: FloatArray = 100 * np.clip(share, 0, 1)
    return percentile


def competition_rank(scores: ArrayLike) -> FloatArray:
    """Return ranks, 1 for the highest score; ties share the better rank (1, 2, 2, 4).

    Args:
        scores: Scores (n,); NaN means missing.

    Returns:
        Ranks (n,) from 1 to the number of scores present; NaN for a missing score.

    Raises:
        MethodError: If the scores have more than one axis.

    >>> competition_rank([84.9, 83.5, 84.9, 82.4]).tolist()
    [1.0, 3.0, 1.0, 4.0]
    """
    group = _vector(scores)
    ordered = np.sort(group[~np.isnan(group)])
    above = len(ordered) - np.searchsorted(ordered, group + TIE_WIDTH, side="right")
    return np.where(np.isnan(group), np.nan, above + 1.0)


def peer_quantiles(
    scores: ArrayLike,
    probabilities: ArrayLike,
    *,
    type: QuantileType = 7,  # noqa: A002  # the field calls them types
    weights: ArrayLike | None = None,
) -> FloatArray:
    r"""Return quantiles of scores by one of Hyndman and Fan's nine definitions.

    Type 7, the default of R, numpy and Excel's PERCENTILE.INC, is
    :math:`(1 - g) s_{(j)} + g s_{(j+1)}` with :math:`j + g = 1 + p (n - 1)`. Types 1 to 3 take a
    score as it stands (2: or the mean of two), types 4 to 9 interpolate.

    Args:
        scores: Scores (n,); NaN means missing and is not counted.
        probabilities: Shares from 0 to 1, any shape.
        type: The definition, 1 to 9.
        weights: A positive weight for every score, (n,); for the types 1 and 2, which invert the
            weighted distribution function.

    Returns:
        Quantiles in the shape of the probabilities.

    Raises:
        MethodError: If there is no score, a probability is outside 0 to 1, the type is unknown, or
            weights come with another type than 1 or 2.

    References:
        Hyndman and Fan (1996), doi 10.1080/00031305.1996.10473566.

    >>> peer_quantiles([50.0, 54.0, 58.0, 70.0], [0.25, 0.5]).tolist()
    [53.0, 56.0]
    """
    group = _vector(scores)
    if weights is not None:
        return _weighted_quantiles(group, probabilities, number=type, weights=weights)
    ordered = np.sort(group[~np.isnan(group)])
    lower, upper, share = quantile_position(len(ordered), probabilities, type=type)
    return (1 - share) * ordered[lower] + share * ordered[upper]


def quantile_position(
    count: ArrayLike,
    probabilities: ArrayLike,
    *,
    type: QuantileType = 7,  # noqa: A002  # as in peer_quantiles
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the two order statistics a quantile is made of, and the share of the upper one.

    Args:
        count: Number of scores, at least 1; broadcasts with the probabilities.
        probabilities: Shares from 0 to 1.
        type: The definition, 1 to 9, as in `peer_quantiles`.

    Returns:
        Positions of the lower and the upper score among the ascending scores, from 0, and the
        share of the upper score; the quantile is ``(1 - share) * s[lower] + share * s[upper]``.

    Raises:
        MethodError: If a count is below 1, a probability outside 0 to 1, or the type unknown.

    >>> [part.item() for part in quantile_position(4, 0.5)]
    [1, 2, 0.5]
    """
    number, share = np.asarray(count, dtype=np.int64), np.asarray(probabilities, dtype=np.float64)
    if (number < 1).any():
        raise MethodError("expected at least one score, got none", argument="scores")
    if not ((share >= 0) & (share <= 1)).all():
        raise MethodError(f"expected shares from 0 to 1, got {share}", argument="probabilities")
    # The products carry rounding: 0.1 * 30 is above 3.
    fuzz = 4 * np.finfo(np.float64).eps * np.maximum(number, 1)
    if type in _INTERPOLATED:
        alpha, beta = _INTERPOLATED[type]
        place = alpha + share * (number + 1 - alpha - beta)
        whole = np.floor(place + fuzz)
        upper_share = np.where(np.abs(place - whole) < fuzz, 0.0, place - whole)
    elif type in (1, 2, 3):
        place = share * number - (0.5 if type == 3 else 0.0)
        whole = np.floor(place + fuzz)
        between = place > whole + fuzz
        # Type 3 goes to the score of even rank where it lies half-way.
        at_score = whole % 2 if type == 3 else (type - 1) / 2
        upper_share = np.where(between, 1.0, at_score)
    else:
        raise MethodError(f"expected a type from 1 to 9, got {type!r}", argument="type")
    lower = np.clip(whole - 1, 0, number - 1).astype(np.int64)
    upper = np.clip(whole, 0, number - 1).astype(np.int64)
    return lower, upper, upper_share


# -- the parts -----------------------------------------------------------------------------------


def _check_kind(kind: str) -> None:
    known = (*get_args(CountKind), *get_args(PositionKind))
    if kind not in known:
        nearest = nearest_key(kind, known)
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        raise MethodError(
            f"expected one of {', '.join(map(repr, known))}, got {kind!r}{hint}", argument="kind"
        )


def _vector(scores: ArrayLike) -> FloatArray:
    """Return the scores as a vector of floats."""
    group: FloatArray = np.asarray(scores, dtype=np.float64)
    if group.ndim != 1:
        raise MethodError(
            f"expected one axis of scores, got the shape {group.shape}", argument="scores"
        )
    return group


def _weights(weights: ArrayLike, group: FloatArray) -> FloatArray:
    """Return checked weights, 0 for missing scores."""
    weight: FloatArray = np.asarray(weights, dtype=np.float64)
    if weight.shape != group.shape:
        raise MethodError(
            f"expected {len(group)} weights, got the shape {weight.shape}", argument="weights"
        )
    bad = ~(np.isfinite(weight) & (weight > 0)) & ~np.isnan(group)
    if bad.any():
        raise MethodError(
            f"expected positive finite weights; {bad.sum()} of {len(group)} are not, the first at "
            f"position {np.argmax(bad)}",
            argument="weights",
        )
    return np.where(np.isnan(group), 0.0, weight)


def _counts(
    group: FloatArray, points: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return for every point the weight below it and tied with it, and the whole weight."""
    present = np.flatnonzero(~np.isnan(group))
    order = present[np.argsort(group[present], kind="stable")]
    ordered = group[order]
    cumulative = np.concatenate([[0.0], np.cumsum(weight[order])])
    below = cumulative[np.searchsorted(ordered, points - TIE_WIDTH, side="left")]
    not_above = cumulative[np.searchsorted(ordered, points + TIE_WIDTH, side="right")]
    below = np.where(np.isnan(points), np.nan, below)
    return below, not_above - below, np.full(points.shape, cumulative[-1])


def _plotting_position(group: FloatArray, points: FloatArray, kind: PercentileKind) -> FloatArray:
    """Return the percentile ranks that are defined by the position among the members."""
    present = group[~np.isnan(group)]
    below, ties, total = _counts(present, points, np.ones(len(present)))
    if kind in _POSITIONS:
        shift, extra = _POSITIONS[kind]
        middle = below + (ties + 1) / 2
        return np.where(ties > 0, 100 * (middle - shift) / (total + extra), np.nan)
    members = np.unique(present)
    under = _counts(present, members, np.ones(len(present)))[0]
    if len(present) < 2:
        return np.full(points.shape, np.nan)
    count = len(present)
    place = under / (count - 1) if kind == "inc" else (under + 1) / (count + 1)
    return 100 * np.interp(points, members, place, left=np.nan, right=np.nan)


def _weighted_quantiles(
    group: FloatArray, probabilities: ArrayLike, *, number: QuantileType, weights: ArrayLike
) -> FloatArray:
    """Invert the weighted distribution function, averaging at its steps under type 2."""
    if number not in (1, 2):
        raise MethodError(
            f"weighted quantiles are defined for the types 1 and 2, got {number!r}", argument="type"
        )
    share = np.asarray(probabilities, dtype=np.float64)
    quantile_position(int((~np.isnan(group)).sum()), share)  # the same faults, the same errors
    weight = _weights(weights, group)
    order = np.argsort(np.where(np.isnan(group), np.inf, group), kind="stable")
    order = order[: int((~np.isnan(group)).sum())]
    reached = np.cumsum(weight[order]) / weight[order].sum()
    last = len(order) - 1
    lower = np.minimum(np.searchsorted(reached, share - TIE_WIDTH, side="left"), last)
    upper = np.minimum(np.searchsorted(reached, share + TIE_WIDTH, side="right"), last)
    ordered = group[order]
    return ordered[lower] if number == 1 else (ordered[lower] + ordered[upper]) / 2
