"""Which share of organizations operates a channel, out of how many, and how that changed."""

from __future__ import annotations

import math
from collections.abc import Iterable

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._claims import adjust_p_values, check_share
from sotongindex._columns import rows_from_columns
from sotongindex._html import View
from sotongindex._peers import find_peers
from sotongindex._render import Rendered, peers_words, rows_view
from sotongindex._student import t_probability, t_quantile
from sotongindex._text import Language, say
from sotongindex.errors import MethodError
from sotongindex.models import Organization, PeerGroup, Study
from sotongindex.results import Notice

_EVERYBODY = PeerGroup(key="all")


@attrs.frozen(kw_only=True, eq=False)
class AdoptionResult(Rendered):
    """Shares of organizations that operate each channel. Arrays are (c,).

    Attributes:
        study: The study that declares who operates what.
        base: The key of the group of organizations that the shares are of.
        population: How many organizations these stand for; inf for any such organizations.
        organizations: The keys of those whose channels are declared: the base, (n).
        channels: The keys of the channels.
        operate: How many of them operate the channel.
        share: Their shares, 0 to 1.
        low: Lower ends of the intervals.
        high: Upper ends.
        level: The level of the intervals, a share.
        notices: What a reader should know.
    """

    study: Study
    base: str
    population: float
    organizations: tuple[str, ...]
    channels: tuple[str, ...]
    operate: IntArray = attrs.field(converter=read_only)
    share: FloatArray = attrs.field(converter=float_array)
    low: FloatArray = attrs.field(converter=float_array)
    high: FloatArray = attrs.field(converter=float_array)
    level: float
    notices: tuple[Notice, ...] = ()

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every channel."""
        count = len(self.channels)
        return rows_from_columns(
            {
                "channel": self.channels,
                "base_group": [self.base] * count,
                "base": [len(self.organizations)] * count,
                "operate": self.operate,
                "share": self.share,
                "low": self.low,
                "high": self.high,
            }
        )

    def _view(self, language: Language) -> View:
        return rows_view(
            "adoption",
            _in_per_cent(self.to_rows(), ("share", "low", "high")),
            study=self.study,
            language=language,
            level=self.level,
            facts=_facts(self, language),
            notices=self.notices,
        )

    def __str__(self) -> str:
        base = f"{len(self.organizations)} organizations ({self.base})"
        shares = zip(self.channels, self.operate.tolist(), self.share.tolist(), strict=True)
        lines = [f"channels operated by {base}"]
        lines += [f"  {key}: {count} ({100 * share:.1f} %)" for key, count, share in shares]
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])


@attrs.frozen(kw_only=True, eq=False)
class AdoptionChange(Rendered):
    """How shares of organizations changed between two waves. Arrays are (c,).

    The change is that of the organizations in both waves; `before` and `after` have shares of all.

    Attributes:
        before: The shares before, of the organizations then.
        after: The shares after.
        organizations: The keys of those in both waves: the base of the change, (n).
        channels: The keys of the channels that both waves have.
        adopted: How many operate the channel after and did not before.
        dropped: How many operated it before and do not after.
        change: The change of the share, -1 to 1.
        low: Lower ends of the intervals.
        high: Upper ends.
        p: Two-sided p-values of the hypothesis that as many adopt as drop.
        adjusted_p: The same, adjusted for the channels by Holm.
    """

    before: AdoptionResult
    after: AdoptionResult
    organizations: tuple[str, ...]
    channels: tuple[str, ...]
    adopted: IntArray = attrs.field(converter=read_only)
    dropped: IntArray = attrs.field(converter=read_only)
    change: FloatArray = attrs.field(converter=float_array)
    low: FloatArray = attrs.field(converter=float_array)
    high: FloatArray = attrs.field(converter=float_array)
    p: FloatArray = attrs.field(converter=float_array)
    adjusted_p: FloatArray = attrs.field(converter=float_array)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every channel."""
        sides = {"before": self.before, "after": self.after}
        columns: dict[str, Iterable[object]] = {"channel": self.channels}
        for name, side in sides.items():
            at = [side.channels.index(key) for key in self.channels]
            columns[f"base_{name}"] = [len(side.organizations)] * len(at)
            columns[f"share_{name}"] = side.share[at]
        return rows_from_columns(
            {
                **columns,
                "both": [len(self.organizations)] * len(self.channels),
                "adopted": self.adopted,
                "dropped": self.dropped,
                "change": self.change,
                "low": self.low,
                "high": self.high,
                "p": self.p,
                "adjusted_p": self.adjusted_p,
            }
        )

    def _view(self, language: Language) -> View:
        shares = ("share_before", "share_after", "change", "low", "high")
        return rows_view(
            "adoption_change",
            _in_per_cent(self.to_rows(), shares),
            study=self.after.study,
            language=language,
            level=self.after.level,
            facts=_facts(self.after, language),
            notices=self.after.notices,
        )

    def __str__(self) -> str:
        lines = [f"channels of {len(self.organizations)} organizations in both waves"]
        for row in self.to_rows():
            change = 100 * float(str(row["change"]))
            lines.append(
                f"  {row['channel']}: {change:+.1f} points ({row['adopted']} adopted, "
                f"{row['dropped']} dropped)"
            )
        return "\n".join(lines)


def adoption_rates(
    study: Study,
    *,
    among: PeerGroup = _EVERYBODY,
    population: float = math.inf,
    level: float = 0.95,
) -> AdoptionResult:
    r"""Return the share of organizations that operate each channel, with its base.

    With :math:`a` of :math:`n`, Wilson's interval

    .. math::
        \frac{p + z^2 / 2n' \pm z \sqrt{p (1 - p) / n' + z^2 / 4 n'^2}}{1 + z^2 / n'},
        \qquad p = \frac a n, \quad n' = n \frac{N - 1}{N - n}

    with the finite population: drawn from :math:`N` organizations, :math:`n` of them count as
    :math:`n'` drawn from endlessly many; if they are all there are, the share is exact.

    Args:
        study: The study; organizations that declare no channels are not in the base.
        among: The organizations wanted, by `where`; its key names the base.
        population: How many organizations these were drawn from at random: their own number if
            they are all there are, inf if they stand for any such organizations.
        level: The level of the intervals.

    Returns:
        One share a channel of the framework.

    Raises:
        MethodError: If nobody wanted declares channels, the population is smaller than the base,
            or the level is no share.

    References:
        Wilson (1927), doi 10.1080/01621459.1927.10502953. Kish (1965), Survey Sampling, for the
        finite population.

    >>> from sotongindex.datasets import sample_panel
    >>> print(adoption_rates(sample_panel(respondents=2).study, population=312))
    channels operated by 312 organizations (all)
      blog: 210 (67.3 %)
      twitter: 243 (77.9 %)
      facebook: 284 (91.0 %)
    """
    check_share(level, "level")
    base, silent = _base(study.organizations, among)
    if not base:
        raise MethodError(
            f"no organization of {among.key!r} declares its channels; give Organization.channels",
            argument="among",
        )
    effective = _effective(len(base), population)
    channels = study.framework.channel_keys
    operate = np.array([sum(key in (one.channels or ()) for one in base) for key in channels])
    share = operate / len(base)
    low, high = wilson_interval(share, effective, level=level)
    return AdoptionResult(
        study=study,
        base=among.key,
        population=population,
        organizations=tuple(one.key for one in base),
        channels=channels,
        operate=operate,
        share=share,
        low=low,
        high=high,
        level=level,
        notices=_silent_notice(silent),
    )


def compare_adoption(
    before: Study,
    after: Study,
    *,
    among: PeerGroup = _EVERYBODY,
    population: float = math.inf,
    level: float = 0.95,
) -> AdoptionChange:
    r"""Return how the share of organizations that operate each channel changed.

    Organizations in both waves are pairs: :math:`b` of :math:`n` adopted the channel, :math:`c`
    dropped it. The change is :math:`(b - c) / n`, its p-value McNemar's, of
    :math:`z = (b - c) / \sqrt{b + c}`, its interval that of Bonett and Price:
    :math:`\hat d \pm z \sqrt{(\hat b + \hat c - \hat d^2) / (n + 2)}` with
    :math:`\hat b = (b + 1) / (n + 2)`, :math:`\hat c = (c + 1) / (n + 2)`,
    :math:`\hat d = \hat b - \hat c`. A finite population enters as in `adoption_rates`.

    Args:
        before: The study of the earlier wave.
        after: The study of the later wave.
        among: The organizations wanted, in either wave; see `adoption_rates`.
        population: How many organizations these were drawn from at random.
        level: The level of the intervals.

    Returns:
        One change for every channel that both frameworks have.

    Raises:
        MethodError: If no organization is in both waves; and as for `adoption_rates`.

    References:
        McNemar (1947), doi 10.1007/BF02295996. Bonett and Price (2012),
        doi 10.3102/1076998611411915. Fagerland, Lydersen and Laake (2014), doi 10.1002/sim.6148.

    >>> from sotongindex.datasets import sample_panel
    >>> panel = sample_panel(respondents=2)
    >>> compare_adoption(panel.before.study, panel.study).change.tolist()
    [0.0, 0.0, 0.0]
    """
    sides = [
        adoption_rates(study, among=among, population=population, level=level)
        for study in (before, after)
    ]
    held = [
        {one.key: one.channels or () for one in study.organizations} for study in (before, after)
    ]
    both = tuple(key for key in sides[1].organizations if key in set(sides[0].organizations))
    if not both:
        raise MethodError("no organization declares its channels in both waves", argument="after")
    channels = tuple(key for key in sides[1].channels if key in sides[0].channels)
    first, second = (
        np.array([[key in own[one] for key in channels] for one in both]).reshape(len(both), -1)
        for own in held
    )
    adopted, dropped = (second & ~first).sum(axis=0), (first & ~second).sum(axis=0)
    scale = _effective(len(both), population) / len(both)
    p = _mcnemar(adopted, dropped, scale=scale)
    low, high = _paired_interval(adopted, dropped, len(both), scale=scale, level=level)
    return AdoptionChange(
        before=sides[0],
        after=sides[1],
        organizations=both,
        channels=channels,
        adopted=adopted,
        dropped=dropped,
        change=(adopted - dropped) / len(both),
        low=low,
        high=high,
        p=p,
        adjusted_p=adjust_p_values(p, method="holm"),
    )


# -- the parts -----------------------------------------------------------------------------------


def _base(
    organizations: Iterable[Organization], among: PeerGroup
) -> tuple[list[Organization], list[str]]:
    """Return the wanted organizations that declare their channels, and the keys of the others."""
    if among.same or among.different:
        raise MethodError(
            f"{among.key!r} asks for the same or another value, which takes somebody to compare "
            "with; choose organizations by where=",
            argument="among",
        )
    listed = list(organizations)
    wanted = [listed[place] for place in find_peers(listed, among).sets[0]]
    return (
        [one for one in wanted if one.channels is not None],
        [one.key for one in wanted if one.channels is None],
    )


def _effective(size: int, population: float) -> float:
    """Return of how many drawn from endlessly many a sample from the population is worth."""
    if not population >= size:
        raise MethodError(
            f"expected {size} or more, the number of organizations, got {population}",
            argument="population",
        )
    if population == size:
        return math.inf
    return size if math.isinf(population) else size * (population - 1) / (population - size)


def wilson_interval(
    share: ArrayLike, size: ArrayLike, *, level: float
) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's intervals of shares out of `size` cases; without a case, from 0 to 1."""
    p = np.asarray(share, dtype=np.float64)
    pull = _z(level) ** 2 / (np.asarray(size, dtype=np.float64) + _z(level) ** 2)
    middle = p * (1 - pull) + pull / 2
    half = np.sqrt(p * (1 - p) * pull * (1 - pull) + pull**2 / 4)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def _z(level: float) -> float:
    return float(t_quantile(np.array(np.inf), 0.5 + level / 2))


def _mcnemar(adopted: IntArray, dropped: IntArray, *, scale: float) -> FloatArray:
    moved, difference = adopted + dropped, np.abs(adopted - dropped)
    # Of all there are, a difference is certain; without one there is nothing to claim.
    with np.errstate(invalid="ignore"):
        ratio = np.where(
            difference > 0, difference / np.sqrt(np.maximum(moved, 1)) * math.sqrt(scale), 0.0
        )
    return 2 * t_probability(np.full(ratio.shape, np.inf), -ratio)


def _paired_interval(
    adopted: IntArray, dropped: IntArray, size: int, *, scale: float, level: float
) -> tuple[FloatArray, FloatArray]:
    """Return Bonett and Price's intervals, with every count worth `scale`."""
    added = 0.0 if math.isinf(scale) else 1 / scale
    total = size + 2 * added
    rise, fall = (adopted + added) / total, (dropped + added) / total
    change = rise - fall
    half = _z(level) * np.sqrt(np.maximum(rise + fall - change**2, 0.0) * added / total)
    return np.maximum(change - half, -1.0), np.minimum(change + half, 1.0)


def _silent_notice(silent: list[str]) -> tuple[Notice, ...]:
    if not silent:
        return ()
    message = f"{len(silent)} organizations declare no channels: not in the base"
    return (Notice(code="channels not declared", message=message, keys=tuple(silent)),)


def _facts(result: AdoptionResult, language: Language) -> list[tuple[str, str]]:
    told = peers_words(result.base, language)
    if result.base == _EVERYBODY.key:
        told = say("against.all", language)
    return [(say("fact.base", language), f"{told} ({len(result.organizations):,})")]


def _in_per_cent(rows: list[dict[str, object]], names: Iterable[str]) -> list[dict[str, object]]:
    return [{**row, **{name: 100 * float(str(row[name])) for name in names}} for row in rows]
