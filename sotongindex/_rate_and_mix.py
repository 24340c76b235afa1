"""The change of a weighted mean, split into changed scores and changed shares: plain arrays."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex.errors import MethodError

MixRule: TypeAlias = Literal["symmetric", "base", "logarithmic"]


@attrs.frozen(kw_only=True, eq=False)
class RateAndMix:
    """The change of a weighted mean by parts; all terms add up to the change.

    Attributes:
        rate: What changed scores did, (..., k).
        mix: What changed shares did, (..., k).
        interaction: What both did together, (..., k); 0 but for the rule "base".
        change: The change of the mean, (...).
    """

    rate: FloatArray = attrs.field(converter=float_array)
    mix: FloatArray = attrs.field(converter=float_array)
    interaction: FloatArray = attrs.field(converter=float_array)
    change: FloatArray = attrs.field(converter=float_array)


def decompose_mean(
    before: ArrayLike,
    after: ArrayLike,
    *,
    shares_before: ArrayLike,
    shares_after: ArrayLike,
    rule: MixRule = "symmetric",
) -> RateAndMix:
    r"""Split the change of a weighted mean into changed scores and changed shares.

    With scores :math:`s_k`, shares :math:`w_k` that add up to 1, their means over both times
    :math:`\bar s_k, \bar w_k`, and the mean :math:`m` at either time and :math:`\bar m` over both:

    - ``"symmetric"`` (Kitagawa; for two factors the same as Shapley and Das Gupta):
      rate :math:`\bar w_k \Delta s_k`, mix :math:`\Delta w_k (\bar s_k - \bar m)`;
    - ``"base"``: rate :math:`w_{k1} \Delta s_k`, mix :math:`\Delta w_k (s_{k1} - m_1)`,
      interaction :math:`\Delta w_k \Delta s_k`;
    - ``"logarithmic"`` (mean Divisia): rate :math:`L_k \Delta \ln s_k`, mix
      :math:`L_k \Delta \ln w_k` with the logarithmic mean :math:`L_k` of :math:`w_k s_k` at both
      times. Its mix is not taken from the mean, so single parts say little.

    Args:
        before: Scores at first, (..., k).
        after: Scores later, (..., k).
        shares_before: Shares at first, (..., k), summing to 1; 0 where a part is not there.
        shares_after: Shares later.
        rule: Which split.

    Returns:
        The terms of every part, and the change.

    Raises:
        MethodError: If the rule is unknown, a number is missing, shares do not add up to 1, or the
            logarithmic rule meets a score or share of 0.

    References:
        Kitagawa (1955), doi 10.1080/01621459.1955.10501299. Das Gupta (1993), Standardization and
        decomposition of rates, U.S. Bureau of the Census P23-186. Ang (2004),
        doi 10.1016/S0301-4215(03)00076-4, for the logarithmic mean.

    >>> split = decompose_mean(
    ...     [70.0, 60.0], [72.0, 60.0], shares_before=[0.5, 0.5], shares_after=[0.4, 0.6]
    ... )
    >>> split.rate.tolist(), split.mix.sum().round(6).item(), split.change.round(6).item()
    ([0.9, 0.0], -1.1, -0.2)
    """
    if rule not in get_args(MixRule):
        known = ", ".join(map(repr, get_args(MixRule)))
        raise MethodError(f"expected one of {known}, got {rule!r}", argument="rule")
    given = [np.asarray(part, dtype=np.float64) for part in (before, after)]
    given += [_shares(shares_before, "shares_before"), _shares(shares_after, "shares_after")]
    start, end, first, second = np.broadcast_arrays(*given)
    if not np.isfinite(start + end).all():
        raise MethodError(
            "expected finite scores; give a part that is not there any score and the share 0",
            argument="before",
        )
    old, new = ((s * w).sum(axis=-1, keepdims=True) for s, w in ((start, first), (end, second)))
    risen, shifted = end - start, second - first
    nothing = np.zeros(risen.shape)
    if rule == "symmetric":
        rate = (first + second) / 2 * risen
        mix = shifted * ((start + end) / 2 - (old + new) / 2)
        terms = (rate, mix, nothing)
    elif rule == "base":
        terms = (first * risen, shifted * (start - old), shifted * risen)
    else:
        terms = (*_logarithmic(start, end, first, second=second), nothing)
    rate, mix, interaction = terms
    return RateAndMix(rate=rate, mix=mix, interaction=interaction, change=(new - old)[..., 0])


def _shares(values: ArrayLike, argument: str) -> FloatArray:
    shares = np.asarray(values, dtype=np.float64)
    total = shares.sum(axis=-1)
    if not ((shares >= 0).all() and np.allclose(total, 1, rtol=0, atol=1e-6)):
        raise MethodError(
            f"expected shares of 0 or more that add up to 1, got sums from {np.min(total):g} to "
            f"{np.max(total):g}; divide them by their sum",
            argument=argument,
        )
    return shares


def _logarithmic(
    start: FloatArray, end: FloatArray, first: FloatArray, *, second: FloatArray
) -> tuple[FloatArray, FloatArray]:
    if (np.minimum(start, end) <= 0).any() or (np.minimum(first, second) <= 0).any():
        raise MethodError(
            'the rule "logarithmic" needs scores and shares above 0; use "symmetric"',
            argument="rule",
        )
    rates, mixes = np.log(end / start), np.log(second / first)
    growth = rates + mixes
    # (b - a) / ln(b / a), whose limit is a where nothing grows.
    steady = np.abs(growth) < 1e-12
    mean = start * first * np.where(steady, 1.0, np.expm1(growth) / np.where(steady, 1.0, growth))
    return mean * rates, mean * mixes
