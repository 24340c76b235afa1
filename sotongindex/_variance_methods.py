"""The ways to standard errors, as data: linearization, and replicates of several kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import attrs

from sotongindex._labels import keys_of
from sotongindex._validators import is_one_of
from sotongindex.errors import MethodError

Center: TypeAlias = Literal["estimate", "mean"]


def _is_positive(value: float, argument: str) -> None:
    if not 0 < value < float("inf"):
        raise MethodError(f"expected a positive number, got {value!r}", argument=argument)


def _at_least(value: int, least: int, argument: str) -> None:
    if value < least:
        raise MethodError(f"expected {least} or more, got {value}", argument=argument)


@attrs.frozen(kw_only=True)
class Linearization:
    r"""Standard errors from the influence of every respondent.

    The influence of respondent :math:`r` on an item mean :math:`m = \sum w x / \sum w` is
    :math:`z_r = \sum w (x - m) / \sum w` over the respondent's own answers; on anything computed
    from item means it is the same combination of these as its derivative. With clusters
    :math:`c`, influences are summed within them, and with :math:`m_h` clusters in stratum
    :math:`h`

    .. math:: V = \sum_h (1 - f_h) \frac{m_h}{m_h - 1} \sum_{c \in h} (z_c - \bar z_h)^2 .

    The sampled share :math:`f_h = m_h / M_h` counts where the answers tell the population
    :math:`M_h` of every stratum. Where weights are calibrated, what the calibration variables
    explain of an influence is taken off it first (residual linearization).

    That treats an organization as a domain of a large sample, and is too small where few
    respondents rate it. The default corrects for that: an item that :math:`n` clusters answered,
    out of :math:`m` clusters in the strata they come from, has its influences multiplied by
    :math:`\sqrt{n (m - 1) / ((n - 1) m)}`, and its t distribution has about :math:`n - 1` degrees
    of freedom. Where an organization holds the whole sample, both rules agree.

    Attributes:
        correction: ``"organization"``, the default above, or ``"design"``: the formula alone with
            (clusters - strata) degrees of freedom, as R survey does.
        lonely: What to do with a stratum of one cluster: ``"error"``; ``"remove"`` or
            ``"certainty"``, it adds no variance; ``"adjust"``, its influence is taken from the
            overall mean of 0; ``"average"``, it adds the average of the other strata.

    References:
        Binder (1983), doi:10.2307/1402588. Woodruff (1971), doi:10.1080/01621459.1971.10482279.
        Calibrated weights: Deville and Särndal (1992), doi:10.1080/01621459.1992.10475217. Strata
        of one cluster: Lumley (2010), Complex Surveys, doi:10.1002/9780470580066.
    """

    correction: Literal["organization", "design"] = attrs.field(
        default="organization", validator=is_one_of("organization", "design")
    )
    lonely: Literal["error", "remove", "certainty", "adjust", "average"] = attrs.field(
        default="error", validator=is_one_of("error", "remove", "certainty", "adjust", "average")
    )


@attrs.frozen(kw_only=True)
class GroupJackknife:
    r"""Standard errors from leaving out one group of respondents at a time.

    With :math:`G` groups and :math:`\theta_{(g)}` the item mean without group :math:`g`,

    .. math:: V = \frac{G - 1}{G} \sum_g (\theta_{(g)} - \theta)^2 .

    A group depends on the respondent's key alone, so one group-by of any engine gives every error
    and covariance. Degrees of freedom: the groups an organization's respondents fall into, less
    one. Strata are not used, which makes errors a little too large where strata differ. Calibrated
    weights are calibrated again without every group.

    Attributes:
        groups: The number of groups, 2 or more.

    References:
        Kott (2001), The delete-a-group jackknife, Journal of Official Statistics 17, 521-526.
    """

    groups: int = 32

    def __attrs_post_init__(self) -> None:
        _at_least(self.groups, 2, "groups")


@attrs.frozen(kw_only=True)
class Jackknife:
    r"""Standard errors from leaving out one cluster at a time: JK1, and JKn where there are strata.

    Without cluster :math:`c` of stratum :math:`h`, the other :math:`m_h - 1` clusters of the
    stratum count :math:`m_h / (m_h - 1)` times, and the whole index is computed again:

    .. math::
        V = \sum_h (1 - f_h) \frac{m_h - 1}{m_h} \sum_{c \in h} (\theta_{(hc)} - \bar\theta)^2 .

    Calibrated weights are calibrated again in every replicate. It is for designs of some dozens
    to a few thousand clusters; more are refused, since `Linearization` gives the same faster.

    Attributes:
        center: Deviations are taken from the ``"estimate"`` itself, or from the ``"mean"`` of the
            replicates, which is what R survey does unless told otherwise.

    References:
        Rust and Rao (1996), doi:10.1177/096228029600500305.
    """

    center: Center = attrs.field(default="estimate", validator=is_one_of("estimate", "mean"))


@attrs.frozen(kw_only=True)
class BalancedRepeatedReplication:
    r"""Standard errors from balanced half-samples, for strata of two clusters each (BRR).

    In replicate :math:`r` one cluster of every stratum counts :math:`2 - \rho` times and the other
    :math:`\rho` times, balanced over strata by the columns of a Hadamard matrix; with :math:`R`
    replicates

    .. math:: V = \frac{1}{R (1 - \rho)^2} \sum_r (\theta_r - \bar\theta)^2 .

    Attributes:
        fay: Fay's factor :math:`\rho`, 0 or above and below 1; above 0 no answer is ever left out.
        center: As for `Jackknife`.

    References:
        McCarthy (1969), doi:10.2307/1402116. Judkins (1990), Fay's method for variance estimation,
        Journal of Official Statistics 6, 223-239.
    """

    fay: float = 0.0
    center: Center = attrs.field(default="estimate", validator=is_one_of("estimate", "mean"))

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.fay < 1:
            raise MethodError(f"expected 0 or more and less than 1, got {self.fay}", argument="fay")


@attrs.frozen(kw_only=True)
class Bootstrap:
    r"""Standard errors from drawing clusters again, within strata, with replacement.

    ``"rao-wu"`` draws :math:`m_h - 1` of the :math:`m_h` clusters of a stratum, and a cluster drawn
    :math:`k` times counts :math:`1 + \sqrt{1 - f_h}\,(k\, m_h / (m_h - 1) - 1)` times.
    ``"canty-davison"`` draws :math:`m_h`, from the sample repeated up to the population where that
    is told, and counts a cluster as often as it is drawn. The whole index is computed again from
    every replicate, weights are calibrated again, and

    .. math:: V = \frac{a}{R - 1} \sum_r (\theta_r - \bar\theta)^2,

    with :math:`a = 1`, or :math:`m / (m - 1)` for ``"canty-davison"`` with the harmonic mean
    :math:`m` of the strata's clusters. An organization that a replicate leaves without respondents
    has no score in it; its error comes from the other replicates, and is not known where fewer
    than half of them have a score.

    Attributes:
        replicates: The number of replicates :math:`R`, 2 or more.
        kind: ``"rao-wu"`` or ``"canty-davison"``.
        rng: The seed; the same seed and answers give the same bytes.
        center: As for `Jackknife`, by default the mean.

    References:
        Rao and Wu (1988), doi:10.1080/01621459.1988.10478591. Rao, Wu and Yue (1992), Survey
        Methodology 18, 209-217. Canty and Davison (1999), doi:10.1111/1467-9884.00196.
    """

    replicates: int = 500
    kind: Literal["rao-wu", "canty-davison"] = attrs.field(
        default="rao-wu", validator=is_one_of("rao-wu", "canty-davison")
    )
    rng: int = 0
    center: Center = attrs.field(default="mean", validator=is_one_of("estimate", "mean"))

    def __attrs_post_init__(self) -> None:
        _at_least(self.replicates, 2, "replicates")
        _at_least(self.rng, 0, "rng")


def _scales(value: Iterable[float] | None) -> tuple[float, ...] | None:
    return None if value is None else tuple(float(number) for number in value)


@attrs.frozen(kw_only=True)
class ReplicateWeights:
    r"""Standard errors from replicate weights that came with the answers.

    .. math:: V = s \sum_r s_r (\theta_r - \bar\theta)^2 .

    For :math:`R` columns the scale :math:`s` is :math:`(R - 1) / R` for JK1, :math:`1 / R` for BRR,
    :math:`1 / (R (1 - \rho)^2)` for Fay's factor :math:`\rho`, :math:`1 / (R - 1)` for a bootstrap;
    JKn has :math:`s = 1` and :math:`s_r = (m_h - 1) / m_h`. Weights that were calibrated after
    reading are calibrated again in every replicate.

    Attributes:
        columns: The names of the columns, 2 or more, among those kept with the answers
            (`Layout.keep`).
        scale: :math:`s`, a positive number.
        replicate_scales: :math:`s_r`, one for each column; None means 1.
        combined: Whether the columns hold whole weights, or factors of the weights.
        center: As for `Jackknife`.

    References:
        Wolter (2007), Introduction to Variance Estimation, doi:10.1007/978-0-387-35099-8.
    """

    columns: tuple[str, ...] = attrs.field(converter=keys_of)
    scale: float
    replicate_scales: tuple[float, ...] | None = attrs.field(default=None, converter=_scales)
    combined: bool = True
    center: Center = attrs.field(default="estimate", validator=is_one_of("estimate", "mean"))

    def __attrs_post_init__(self) -> None:
        _at_least(len(self.columns), 2, "columns")
        _is_positive(self.scale, "scale")
        if len(set(self.columns)) < len(self.columns):
            raise MethodError("a column is named twice", argument="columns")
        if self.replicate_scales is not None:
            if len(self.replicate_scales) != len(self.columns):
                raise MethodError(
                    f"expected {len(self.columns)} numbers, one for each column, got "
                    f"{len(self.replicate_scales)}",
                    argument="replicate_scales",
                )
            if min(self.replicate_scales) < 0:
                raise MethodError("expected numbers of 0 or more", argument="replicate_scales")


ReplicateMethod: TypeAlias = Jackknife | BalancedRepeatedReplication | Bootstrap | ReplicateWeights
VarianceMethod: TypeAlias = (
    Linearization
    | GroupJackknife
    | Jackknife
    | BalancedRepeatedReplication
    | Bootstrap
    | ReplicateWeights
)
