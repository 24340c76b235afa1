"""The Mazziotta-Pareto index: a mean with a penalty for being unbalanced."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from sotongindex._arrays import FloatArray, float_array
from sotongindex._power_mean import part_weights, power_mean, score_table
from sotongindex.errors import MethodError

Penalty: TypeAlias = Literal["downward", "upward"]


@attrs.frozen(kw_only=True, eq=False)
class MazziottaPareto:
    """Means with a penalty for imbalance, on a scale where about 100 is usual.

    Attributes:
        scores: The index, (u,); NaN where too little is present.
        means: The means before the penalty, (u,).
        share: The share of the weight that is present, (u,).
        rescaled: The parts that were averaged, (u, k): 100 is the mean of the units or the middle
            of the goalposts.
        gradient: The derivative of every score by its rescaled parts, (u, k).
        slopes: The rescaled points of one point of a part, (k,).
        standardized: Whether parts were rescaled by the units' own mean and spread.
    """

    scores: FloatArray = attrs.field(converter=float_array)
    means: FloatArray = attrs.field(converter=float_array)
    share: FloatArray = attrs.field(converter=float_array)
    rescaled: FloatArray = attrs.field(converter=float_array)
    gradient: FloatArray = attrs.field(converter=float_array)
    slopes: FloatArray = attrs.field(converter=float_array)
    standardized: bool

    def jacobian(self) -> sparse.csr_array:
        """Return the derivative of every score by every part of every unit, (u, u * k).

        Between goalposts only the unit's own parts matter. Standardized parts move with the mean
        and the spread of all units, so the matrix is full: u * u * k numbers.
        """
        units, parts = self.gradient.shape
        own = self.gradient * self.slopes
        every = np.arange(units)
        full = np.zeros((units, units, parts))
        full[every, every] = own
        if self.standardized:
            present = ~np.isnan(self.rescaled)
            deviation = np.where(present, (self.rescaled - 100) / 10, 0.0)
            shared = (1 + deviation[:, None] * deviation[None]) / present.sum(axis=0)
            full -= own[:, None] * shared * present[None]
        return sparse.csr_array(full.reshape(units, units * parts))


def mazziotta_pareto(
    scores: ArrayLike,
    weights: ArrayLike,
    *,
    goalposts: tuple[ArrayLike, ArrayLike] | None = None,
    penalty: Penalty = "downward",
    min_share: float = 0.0,
) -> MazziottaPareto:
    r"""Average the parts of every unit, with a penalty where they are unbalanced.

    With rescaled parts :math:`z_i` and weights :math:`w_i` that sum to 1, their mean :math:`M` and
    variance :math:`S^2 = \sum_i w_i (z_i - M)^2`:

    .. math:: \text{MPI}^{\mp} = M \mp S^2 / M

    Without goalposts, :math:`z = 100 + 10 (x - \bar x) / s` by the mean and the spread of the units
    (divisor n), and the index tells where a unit stands among these units. With goalposts :math:`a`
    and :math:`b`, :math:`z = 70 + 60 (x - a) / (b - a)`: the adjusted index, which can be compared
    between waves. Goalposts at equal distances from a reference value give it 100.

    Errors travel by the derivative: ``estimates.transform(result.jacobian(),
    values=result.scores, lower=..., upper=...)``.

    Args:
        scores: The parts of every unit, (u, k), the more the better; NaN means missing.
        weights: Non-negative weights of the parts, (k,).
        goalposts: The values that become 70 and 130: two numbers, or one of each for every part.
        penalty: "downward" takes imbalance off a score, where more is better; "upward" adds it,
            for an index of something bad.
        min_share: The least share of the weight that must be present; else the score is missing.

    Returns:
        The scores, with the means that the penalty was put on.

    Raises:
        MethodError: If the scores are not a table of finite numbers, the weights do not fit, a part
            is the same for all units and cannot be standardized, goalposts do not ascend, or a mean
            is not above 0.

    References:
        Mazziotta and Pareto (2016), doi:10.1007/s11205-015-0998-2. De Muro, Mazziotta and Pareto
        (2011), doi:10.1007/s11205-010-9727-z. Weights: Mazziotta and Pareto (2022), Rivista
        Italiana di Economia Demografia e Statistica 76(1).

    >>> even, uneven = [56.0, 56.0], [36.0, 76.0]
    >>> result = mazziotta_pareto([even, uneven], [0.5, 0.5], goalposts=(0.0, 100.0))
    >>> result.means.round(2).tolist(), result.scores.round(2).tolist()
    ([103.6, 103.6], [103.6, 102.21])
    """
    if penalty not in get_args(Penalty):
        raise MethodError(f'expected "downward" or "upward", got {penalty!r}', argument="penalty")
    given = score_table(scores)
    weight = part_weights(weights, given.shape[1])
    standardized = goalposts is None
    origin, slopes = _standard(given) if goalposts is None else _between(goalposts, given.shape[1])
    rescaled = origin + slopes * given
    mean = power_mean(rescaled, weight, min_share=min_share)
    if (mean.value <= 0).any():
        raise MethodError(
            f"the penalty needs means above 0 on the scale around 100, got "
            f"{np.nanmin(mean.value):.4g} for unit {np.nanargmin(mean.value)}; widen the goalposts",
            argument="goalposts",
        )
    sign = -1.0 if penalty == "downward" else 1.0
    middle = mean.value[:, None]
    variance = power_mean((rescaled - middle) ** 2, weight).value
    ratio = (variance / mean.value**2)[:, None]
    steepness = 2 * (rescaled - middle) / middle - ratio
    present = mean.gradient > 0
    return MazziottaPareto(
        scores=mean.value + sign * variance / mean.value,
        means=mean.value,
        share=mean.share,
        rescaled=rescaled,
        gradient=np.where(present, mean.gradient * (1 + sign * steepness), 0.0),
        slopes=slopes,
        standardized=standardized,
    )


def _standard(given: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return origin and slopes (k,) that give every part the mean 100 and the spread 10."""
    present = ~np.isnan(given)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, given, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(present, (given - mean) ** 2, 0.0).sum(axis=0) / count)
    flat = spread <= 1e-12 * np.maximum(np.abs(mean), 1.0)
    if flat.any():
        raise MethodError(
            f"part {np.argmax(flat)} is the same for all units, so it has no standard units; leave "
            "it out, or give goalposts",
            argument="scores",
        )
    slopes = 10 / spread
    return 100 - slopes * mean, slopes


def _between(goalposts: tuple[ArrayLike, ArrayLike], parts: int) -> tuple[FloatArray, FloatArray]:
    """Return origin and slopes (k,) that put goalposts at 70 and 130."""
    low, high = (np.broadcast_to(np.asarray(post, dtype=np.float64), parts) for post in goalposts)
    if not (low < high).all():
        raise MethodError(
            f"expected low goalposts below the high ones, got {low.tolist()} and {high.tolist()}",
            argument="goalposts",
        )
    slopes = 60 / (high - low)
    return 70 - slopes * low, slopes
