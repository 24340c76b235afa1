"""The spread of organizations: funnel limits with additive over-dispersion."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex._claims import check_share
from sotongindex._student import special, t_quantile
from sotongindex.errors import MethodError
from sotongindex.percentiles import peer_quantiles

FunnelRule: TypeAlias = Literal["published", "consistent"]

_HALVINGS = 60


@attrs.frozen(kw_only=True, eq=False)
class Funnel:
    r"""Where scores lie if organizations differ by no more than the usual spread.

    Attributes:
        values: The scores, (o,).
        standard_error: Their standard errors, (o,).
        target: The middle of the funnel.
        dispersion: The mean squared z-score phi; 1 where sampling error explains the spread.
        between_variance: The variance tau squared between organizations beyond sampling error.
        z: Distance from the target in standard errors, (o,).
        adjusted_z: Distance in units of the spread, :math:`(y - T) / \sqrt{s^2 + \tau^2}`, (o,).
        degrees_of_freedom: Of the adjusted z-scores, (o,); inf means normal.
        levels: The levels of the limits, (l).
        lower: Lower limits, (l, o).
        upper: Upper limits, (l, o).
    """

    values: FloatArray = attrs.field(converter=float_array)
    standard_error: FloatArray = attrs.field(converter=float_array)
    target: float
    dispersion: float
    between_variance: float
    z: FloatArray = attrs.field(converter=float_array)
    adjusted_z: FloatArray = attrs.field(converter=float_array)
    degrees_of_freedom: FloatArray = attrs.field(converter=float_array)
    levels: tuple[float, ...]
    lower: FloatArray = attrs.field(converter=float_array)
    upper: FloatArray = attrs.field(converter=float_array)

    @property
    def spread_error(self) -> FloatArray:
        """The standard deviation of a score around the target, (o,)."""
        return np.sqrt(self.standard_error**2 + self.between_variance)


def funnel_limits(
    values: ArrayLike,
    standard_error: ArrayLike,
    *,
    target: float | None = None,
    winsorize: float = 0.1,
    rule: FunnelRule = "published",
    levels: tuple[float, ...] = (0.95, 0.998),
    degrees_of_freedom: ArrayLike = np.inf,
) -> Funnel:
    r"""Return funnel limits of scores, widened by the spread between organizations.

    With :math:`z_i = (y_i - T) / s_i`, :math:`w_i = 1 / s_i^2` and :math:`\tilde z_i` the z-scores
    drawn in to their quantiles (type 7) at `winsorize` and 1 - `winsorize`, over :math:`I` scores

    .. math::
        \phi = \frac1I \sum \tilde z_i^2, \qquad
        \tau^2 = \max\Bigl(0, \frac{I \phi - (I - 1)}{\sum w_i - \sum w_i^2 / \sum w_i}\Bigr),
        \qquad T \pm q \sqrt{s_i^2 + \tau^2} .

    This is ``rule="published"`` with normal quantiles :math:`q`. Winsorizing makes :math:`\phi` too
    small where nobody is an outlier (by a third at 10 %), so these limits catch more than 5 and 0.2
    per cent of ordinary organizations. ``rule="consistent"`` takes the :math:`\tau^2` at which the
    winsorized :math:`(y_i - T) / \sqrt{s_i^2 + \tau^2}` have the mean square
    :math:`c (I - 1) / I`, with :math:`c` that of winsorized normal numbers, and t quantiles with
    :math:`v_i^2 / (s_i^4 / \nu_i + (I - 1)^2 / ((h - 1) (\sum 1/v_i)^2))` degrees of freedom,
    where :math:`v_i = s_i^2 + \tau^2` and winsorizing leaves :math:`h` scores as they are. Its
    :math:`\phi` is divided by :math:`c`.

    Args:
        values: Scores, (o,); NaN means missing.
        standard_error: Their standard errors, (o,). Where one is 0 or NaN (not known), the score
            does not help to find the spread; where it is NaN there are no limits.
        target: The middle; default the mean of the scores.
        winsorize: The share drawn in at each end, 0 to below one half.
        rule: "published" or "consistent".
        levels: The levels of the limits, shares.
        degrees_of_freedom: Of the standard errors, (o,) or one for all; for the consistent rule.

    Returns:
        The limits. With fewer than two scores of a known error above 0 the spread is not known,
        and z-scores and limits are NaN.

    Raises:
        MethodError: If shapes differ, a standard error is below 0, a share is out of range or the
            rule is unknown.

    References:
        Spiegelhalter (2005), doi 10.1136/qshc.2005.013755. Yuen (1974),
        doi 10.1093/biomet/61.1.165, for the degrees of freedom. Paule and Mandel (1982),
        doi 10.6028/jres.087.022, for the equation of the consistent rule.

    >>> funnel = funnel_limits([50.0, 52.0, 48.0, 60.0], [1.0, 1.0, 1.0, 1.0], winsorize=0.0)
    >>> funnel.target, round(funnel.between_variance, 2)
    (52.5, 26.67)
    """
    scores, errors = np.asarray(values, dtype=np.float64), np.asarray(standard_error, np.float64)
    _check(scores, errors, winsorize=winsorize, rule=rule, levels=levels)
    present = scores[~np.isnan(scores)]
    middle = float(present.mean() if len(present) else np.nan) if target is None else float(target)
    used = ~np.isnan(scores) & (errors > 0)
    z = np.full(scores.shape, np.nan)
    z[used] = (scores[used] - middle) / errors[used]
    if used.sum() < 2:
        dispersion = between = float("nan")
    elif rule == "published":
        dispersion = _dispersion(z[used], winsorize)
        between = _between_variance(errors[used], dispersion)
    else:
        dispersion = _dispersion(z[used], winsorize) / _normal_dispersion(winsorize)
        between = _solved_variance(scores[used] - middle, errors[used], winsorize)
    variance = errors**2 + between
    freedom = np.full(scores.shape, np.inf)
    if rule == "consistent":
        own = np.broadcast_to(np.asarray(degrees_of_freedom, dtype=np.float64), scores.shape)
        pieces = errors**4 / np.where(own > 0, own, np.nan)
        pieces += _variance_piece(variance[used], winsorize)
        freedom = np.divide(variance**2, pieces, out=freedom, where=variance != 0)
    known = ~np.isnan(variance) & ~np.isnan(freedom) & ~np.isnan(scores)
    spread = np.where(known, np.sqrt(variance), np.nan)
    margins = [t_quantile(np.where(known, freedom, 0.0), 0.5 + one / 2) * spread for one in levels]
    return Funnel(
        values=scores,
        standard_error=errors,
        target=middle,
        dispersion=dispersion,
        between_variance=between,
        z=z,
        adjusted_z=_ratio(scores - middle, spread),
        degrees_of_freedom=np.where(known, freedom, 0.0),
        levels=tuple(levels),
        lower=middle - np.array(margins),
        upper=middle + np.array(margins),
    )


def _check(
    scores: FloatArray,
    errors: FloatArray,
    *,
    winsorize: float,
    rule: str,
    levels: tuple[float, ...],
) -> None:
    if scores.ndim != 1 or errors.shape != scores.shape:
        raise MethodError(
            f"expected one axis of scores and as many standard errors, got the shapes "
            f"{scores.shape} and {errors.shape}",
            argument="standard_error",
        )
    if (errors < 0).any() or np.isinf(errors).any():
        raise MethodError(
            "expected finite numbers of 0 or more, or NaN where not known",
            argument="standard_error",
        )
    if not 0 <= winsorize < 0.5:
        raise MethodError(
            f"expected a share from 0 to below 0.5, got {winsorize}", argument="winsorize"
        )
    if rule not in get_args(FunnelRule):
        raise MethodError(f'expected "published" or "consistent", got {rule!r}', argument="rule")
    for level in levels:
        check_share(level, "levels")


def _dispersion(z: FloatArray, winsorize: float) -> float:
    """Return the mean of the squared winsorized z-scores."""
    low, high = peer_quantiles(z, [winsorize, 1 - winsorize])
    return float((np.clip(z, low, high) ** 2).mean())


def _normal_dispersion(winsorize: float) -> float:
    """Return the mean of the squares of standard normal numbers after winsorizing."""
    if winsorize == 0:
        return 1.0
    end = special().ndtri(1 - winsorize)
    density = np.exp(-(end**2) / 2) / np.sqrt(2 * np.pi)
    return float((1 - 2 * winsorize) - 2 * end * density + 2 * winsorize * end**2)


def _between_variance(errors: FloatArray, dispersion: float) -> float:
    """Return the published moment estimate."""
    weight = np.sort(1 / errors**2)
    # The sum less the sum of squares by the sum, without subtracting: one error may be tiny.
    before = np.concatenate([[0.0], np.cumsum(weight[:-1])])
    total = 2 * (weight * before).sum() / weight.sum()
    excess = len(errors) * dispersion - (len(errors) - 1)
    return max(0.0, float(excess / total))


def _solved_variance(distance: FloatArray, errors: FloatArray, winsorize: float) -> float:
    """Return the variance at which winsorized z-scores spread as normal ones do, by bisection."""
    count = len(errors)
    usual = _normal_dispersion(winsorize) * (count - 1) / count

    def spreads_more(between: float) -> bool:
        return _dispersion(distance / np.sqrt(errors**2 + between), winsorize) > usual

    # At the upper end the squares add up to less than what is usual.
    low, high = 0.0, float(count * (distance**2).max() / usual)
    if not spreads_more(low):
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if spreads_more(middle) else (low, middle)
    return (low + high) / 2


def _variance_piece(variance: FloatArray, winsorize: float) -> float:
    """Return the square of the between variance by its degrees of freedom; NaN where unknown."""
    count = len(variance)
    if count < 2:
        return float("nan")
    kept = count - 2 * np.floor(winsorize * count)
    # The sum of squares of about I - 1 has the variance 2 (I - 1) and falls by the sum of 1 / v for
    # every unit of the between variance; winsorizing leaves kept - 1 of the I - 1 degrees.
    return float((count - 1) ** 2 / (max(kept - 1, 1) * (1 / variance).sum() ** 2))


def _ratio(distance: FloatArray, spread: FloatArray) -> FloatArray:
    """Return distances in units of the spread; without any spread 0 at the target, else inf."""
    exact = spread == 0
    ratio = distance / np.where(exact, 1.0, spread)
    return np.where(exact & (distance != 0), np.copysign(np.inf, distance), ratio)
