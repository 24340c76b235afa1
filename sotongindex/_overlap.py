"""Two samples that share some of their members: degrees of freedom, and the classic t test."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray
from sotongindex._claims import check_share
from sotongindex._factors import shared_rows
from sotongindex._student import t_probability, t_quantile
from sotongindex.errors import MethodError
from sotongindex.variance import Estimates


@attrs.frozen(kw_only=True)
class OverlapTest:
    """A t test of two samples that share some members.

    Attributes:
        difference: The mean of the second sample minus that of the first.
        standard_error: Its standard error.
        t: The difference by its standard error; without an error infinite, or 0 for no difference.
        degrees_of_freedom: Of the t distribution.
        p: The two-sided p-value.
        low: The lower end of the interval at `level`.
        high: The upper end.
        level: The level of the interval, a share.
    """

    difference: float
    standard_error: float
    t: float
    degrees_of_freedom: float
    p: float
    low: float
    high: float
    level: float


def overlapping_t_test(
    before: ArrayLike,
    after: ArrayLike,
    *,
    paired: ArrayLike = ((), ()),
    equal_variances: bool = False,
    level: float = 0.95,
) -> OverlapTest:
    r"""Test two means whose samples share some of their members.

    With :math:`n_1, n_2` members, :math:`n_c` of them in both, standard deviations
    :math:`s_1, s_2` and the correlation :math:`r` of the pairs

    .. math::
        t = \frac{\bar x_2 - \bar x_1}
        {\sqrt{s_1^2 / n_1 + s_2^2 / n_2 - 2 r s_1 s_2 n_c / (n_1 n_2)}}, \qquad
        \nu = w (n_c - 1) + (1 - w) \gamma, \quad w = \frac{2 n_c}{n_1 + n_2}

    with Welch's :math:`\gamma`; under equal variances both :math:`s` are the pooled one and
    :math:`\gamma = n_1 + n_2 - 2`. Without pairs it is Welch's (or Student's) test, with pairs
    alone the paired t test. `compare_waves` needs none of this: its covariance comes from the
    respondents' own influences, and it takes the same weighted degrees of freedom.

    Args:
        before: Values of the members of the first sample alone, (a,).
        after: Values of the members of the second sample alone, (b,).
        paired: Values of the members of both, a pair (before, after) of equal length, (c,) each.
        equal_variances: Whether to take the two variances as equal.
        level: The level of the interval.

    Returns:
        The test.

    Raises:
        MethodError: If the pairs do not fit, a value is missing, a sample has fewer than two
            members, or the level is no share.

    References:
        Derrick, Russ, Toher and White (2017), doi 10.22237/jmasm/1493597280; Derrick, Toher and
        White (2017), doi 10.20982/tqmp.13.2.p120, whose example the tests compute.

    >>> test = overlapping_t_test([20, 21, 16, 18], [10, 16, 18, 16], paired=([14, 15], [15, 10]))
    >>> round(test.difference, 3), round(test.degrees_of_freedom, 2)
    (-3.167, 6.79)
    """
    check_share(level, "level")
    first, second, pairs = _samples(before, after, paired)
    sizes = np.array([len(first), len(second)])
    variances = np.array([first.var(ddof=1), second.var(ddof=1)])
    common = pairs.shape[1]
    if equal_variances:
        variances[:] = ((sizes - 1) * variances).sum() / (sizes.sum() - 2)
        gamma = float(sizes.sum() - 2)
    else:
        gamma = _welch(variances / sizes, sizes - 1)
    covariance = _correlation(pairs) * np.sqrt(variances.prod()) * common / sizes.prod()
    error = float(np.sqrt(max((variances / sizes).sum() - 2 * covariance, 0.0)))
    share = 2 * common / sizes.sum()
    freedom = share * (common - 1) + (1 - share) * gamma
    difference = float(second.mean() - first.mean())
    ratio = difference / error if error > 0 else _certain(difference)
    margin = float(t_quantile(np.array(freedom), 0.5 + level / 2)) * error
    return OverlapTest(
        difference=difference,
        standard_error=error,
        t=ratio,
        degrees_of_freedom=float(freedom),
        p=float(2 * t_probability(np.array(freedom), np.array(-abs(ratio)))),
        low=difference - margin,
        high=difference + margin,
        level=level,
    )


def _samples(
    before: ArrayLike, after: ArrayLike, paired: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return both samples with the paired members first, and the pairs (2, c)."""
    try:
        pairs = np.array(paired, dtype=np.float64).reshape(2, -1)
    except ValueError as error:
        raise MethodError(
            "expected two rows of values of equal length: before, after", argument="paired"
        ) from error
    samples = []
    for name, alone, both in (("before", before, pairs[0]), ("after", after, pairs[1])):
        values = np.concatenate([both, np.asarray(alone, dtype=np.float64).ravel()])
        if len(values) < 2 or not np.isfinite(values).all():
            raise MethodError(
                f"expected two values or more, all finite, got {len(values)} of which "
                f"{int((~np.isfinite(values)).sum())} are not; leave missing values out",
                argument=name,
            )
        samples.append(values)
    return samples[0], samples[1], pairs


def _certain(difference: float) -> float:
    return math.copysign(math.inf, difference) if difference else 0.0


def _welch(pieces: FloatArray, freedom: FloatArray) -> float:
    spread = (pieces**2 / freedom).sum()
    return float(pieces.sum() ** 2 / spread) if spread > 0 else float(freedom.sum())


def _correlation(pairs: FloatArray) -> float:
    """Return the correlation of the pairs (2, c); 0 where one side does not vary."""
    centred = pairs - pairs.mean(axis=1, keepdims=True) if pairs.size else pairs
    size = np.sqrt((centred**2).sum(axis=1).prod())
    return float(centred.prod(axis=0).sum() / size) if size > 0 else 0.0


def overlapping_freedom(change: Estimates, before: Estimates, after: Estimates) -> FloatArray:
    """Return degrees of freedom of after - before, (k,), by the share of respondents in both."""
    everything = np.arange(change.size)
    shared, later, earlier = shared_rows(
        after.factor.columns(everything), before.factor.columns(everything)
    )
    total = later + earlier
    share = np.divide(2 * shared, total, out=np.zeros(len(total)), where=total > 0)
    paired = np.minimum(np.maximum(shared - 1, 0), before.degrees_of_freedom)
    paired = np.minimum(paired, after.degrees_of_freedom)
    # Where everybody is in both, nothing is left of Welch's, which may be infinite.
    apart = np.zeros(len(share))
    np.multiply(1 - share, change.degrees_of_freedom, out=apart, where=share < 1)
    freedom: FloatArray = share * paired + apart
    return freedom
