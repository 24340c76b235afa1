"""Where a score may be at a later date, told by its last level and how much scores have moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import attrs
import numpy as np
from scipy import sparse

from sotongindex._adoption import wilson_interval
from sotongindex._arrays import FloatArray, IntArray
from sotongindex._chain import WaveChain, link_waves
from sotongindex._claims import check_share
from sotongindex._difference_result import error_notices
from sotongindex._disclosure import DisclosureRules, Reasons, first_reason, shown
from sotongindex._peers import Peers, PeerSets, find_peers, named_peers
from sotongindex._projection_result import PeerGains, Projection
from sotongindex._straight_line import YEAR, wave_dates
from sotongindex._validators import are_known
from sotongindex._waves import Score, chosen, subject_of
from sotongindex.errors import MethodError
from sotongindex.models import (
    GapClosure,
    GradeCut,
    Organization,
    PeerStatistic,
    RoleModel,
    Target,
)
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

# A stretch of history counts as long as the way ahead within a quarter of it.
_AS_LONG = 0.25


def project(
    waves: Sequence[IndexResult] | WaveChain,
    target: Target | float | None = None,
    *,
    due: date | None = None,
    dates: Sequence[date] | None = None,
    peers: Peers = "everyone",
    level: float = 0.8,
    measured: bool = False,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> Projection:
    r"""Tell where scores may be at a date: at their last level, give or take.

    A local level: a true score moves by a random step of variance :math:`\sigma^2` a year, up or
    down alike. So the forecast at :math:`h` years is the last score :math:`x` with

    .. math::
        V = V_x + h \sigma^2, \qquad
        \sigma^2 = \max\Bigl(0,\;
        \frac{\sum (d^2 - \operatorname{Var} d)}{\sum \Delta t}\Bigr)

    over the observed changes :math:`d` of all organizations from wave to wave, their sampling
    variances taken off. One organization's few waves say next to nothing about :math:`\sigma`; all
    together do. No trend is continued: see `straight_line`. What moves everybody at once is in
    :math:`\sigma` as far as it happened before, and is no more foreseen than anything else.

    Beside the model stands the record: how often peers' measured scores gained as much over as
    long. Their sampling errors are in these gains, so small gains look more common than they are.

    Args:
        waves: Results in the order of time, of one framework, or a chain of them.
        target: The score to reach: a number of points, or a `Target` with its organization, channel
            and date.
        due: The date; default that of the target.
        dates: The dates of the waves; default their names, such as 2011, 2011-07, 2011-07-15.
        peers: Whose record; see `compare_to_peers`.
        level: The level of the forecast's intervals.
        measured: Whether to forecast the score that a survey like the last will measure, with its
            sampling error, instead of the true score.
        rules: What may be shown: a forecast needs `min_respondents_show` respondents in the last
            wave, a peers' record `min_peers_mean` peers.

    Returns:
        One forecast for every organization with a score in the last wave.

    Raises:
        DefinitionError: If the target names an organization that there is not.
        MethodError: If there is no date, it is not after the last wave, waves have no dates, the
            target is set by peers, or the target is of another score than a given chain.

    References:
        Harvey (1989), Forecasting, structural time series models and the Kalman filter, for the
        local level. Makridakis, Spiliotis and Assimakopoulos (2020),
        doi 10.1016/j.ijforecast.2019.04.014, for how simple methods hold up.

    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.index import compute_index
    >>> panel = sample_panel(respondents=1200)
    >>> waves = [compute_index(panel.before), compute_index(panel.responses)]
    >>> days = [date(2011, 5, 1), date(2011, 11, 1)]
    >>> found = project(waves, 60.0, due=date(2012, 5, 1), dates=days)
    >>> np.array_equal(found.forecast.values, found.last.values, equal_nan=True)
    True
    >>> round(found.years, 1), found.forecast.level
    (0.5, 0.8)
    """
    check_share(level, "level")
    chain = _chain(waves, target)
    aim = _aims(chain, target)
    days = wave_dates(chain, dates)
    day = _due(target, due, after=days[-1])
    years = (day - days[-1]).days / YEAR
    step, steps = _step_variance(chain, days)
    reasons = _reasons(chain, rules)
    last = chosen(chain.linked.select(-1), np.where(reasons == "", np.arange(len(reasons)), -1))
    forecast = _forecast(last, years * step, steps=steps, measured=measured, level=level)
    return Projection(
        chain=chain,
        organizations=chain.organizations,
        due=day,
        years=years,
        last=last,
        forecast=forecast,
        measured=measured,
        step=float(np.sqrt(step)),
        steps=steps,
        target=aim,
        probability_reached=forecast.probability_at_least(aim - TIE_WIDTH),
        gains=_peer_gains(
            _Record.of(chain, days, years),
            find_peers(_listed(chain), named_peers(peers)),
            aim - last.values,
            rules=rules,
            level=level,
        ),
        reasons=reasons,
        notices=(
            *chain.notices,
            *error_notices(chain.waves[-1], [(chain.channel, chain.dimension)]),
        ),
    )


# -- what is asked -------------------------------------------------------------------------------


def _chain(waves: Sequence[IndexResult] | WaveChain, target: Target | float | None) -> WaveChain:
    about = (target.channel, target.dimension) if isinstance(target, Target) else (None, None)
    if not isinstance(waves, WaveChain):
        return link_waves(waves, channel=about[0], dimension=about[1])
    if isinstance(target, Target) and about != (waves.channel, waves.dimension):
        raise MethodError(
            f"the target is of channel {about[0]!r} and dimension {about[1]!r}, the chain of "
            f"{waves.channel!r} and {waves.dimension!r}",
            argument="target",
        )
    return waves


def _listed(chain: WaveChain) -> list[Organization]:
    """Return the organizations of the chain, as the last wave that has them tells."""
    known = {one.key: one for wave in chain.waves for one in wave.study.organizations}
    return [known[key] for key in chain.organizations]


def _reasons(chain: WaveChain, rules: DisclosureRules) -> Reasons:
    """Return why there is no forecast, (o,): those of the last wave come first in a chain."""
    subject = subject_of(chain.waves[-1], Score(channel=chain.channel, dimension=chain.dimension))
    own = subject.reasons(rules.min_respondents_show)
    return np.concatenate([own, np.full(len(chain.organizations) - len(own), "missing score")])


def _due(target: Target | float | None, due: date | None, *, after: date) -> date:
    day = due or (target.due if isinstance(target, Target) else None)
    if day is None or day <= after:
        raise MethodError(
            f"expected a date after the last wave ({after.isoformat()}), got {day}",
            argument="due",
        )
    return day


def _aims(chain: WaveChain, target: Target | float | None) -> FloatArray:
    """Return the score that each organization is to reach, (o,); NaN where none."""
    goal = target.score if isinstance(target, Target) else target
    if isinstance(goal, PeerStatistic | RoleModel | GapClosure):
        raise MethodError(
            "others or an own past set this target, and it moves by then; give points or a grade",
            argument="target",
        )
    points = goal.score if isinstance(goal, GradeCut) else goal
    if points is not None and not 0 <= points <= 100:
        raise MethodError(f"expected 0 to 100 points, got {points}", argument="target")
    aims = np.full(len(chain.organizations), np.nan if points is None else float(points))
    if isinstance(target, Target) and target.organization is not None:
        are_known(
            [target.organization],
            chain.organizations,
            field="Target.organization",
            what="organization",
        )
        aims[[key != target.organization for key in chain.organizations]] = np.nan
    return aims


# -- the local level -----------------------------------------------------------------------------


def _step_variance(chain: WaveChain, days: Sequence[date]) -> tuple[float, int]:
    """Return the variance of a year's step, NaN where no error is known, and how many are seen."""
    count, size = chain.linked.shape
    jacobian = np.diff(np.eye(count), axis=0)
    change = chain.linked.transform(
        sparse.kron(jacobian, sparse.eye_array(size)),
        shape=(count - 1, size),
        lower=-np.inf,
        upper=np.inf,
    )
    known = ~np.isnan(change.variance)
    if not known.any():
        return np.nan, 0
    years = np.array([(late - early).days / YEAR for early, late in pairwise(days)])
    excess = np.where(known, change.values**2 - change.variance, 0.0).sum()
    return max(float(excess / (known * years[:, None]).sum()), 0.0), int(known.sum())


def _forecast(
    last: Estimates, moved: float, *, steps: int, measured: bool, level: float
) -> Estimates:
    """Return the last scores with the variance `moved` of the way ahead."""
    own = last.variance * (2 if measured else 1)
    variance = own + moved
    # Welch and Satterthwaite: the sampling error, and the steps it was learnt from.
    spread = own**2 / np.where(last.degrees_of_freedom > 0, last.degrees_of_freedom, 1.0)
    spread += moved**2 / max(steps, 1)
    freedom = np.divide(variance**2, spread, out=np.full(own.shape, np.inf), where=spread > 0)
    known = ~np.isnan(variance)
    return attrs.evolve(
        last,
        variance=variance,
        degrees_of_freedom=np.where(known, freedom, 0.0),
        level=level,
        lower=0.0,
        upper=100.0,
    )


# -- the record of the peers ---------------------------------------------------------------------


def _peer_gains(
    record: _Record,
    group: PeerSets,
    needed: FloatArray,
    *,
    rules: DisclosureRules,
    level: float,
) -> PeerGains:
    """Return how often peers gained what is needed, (o,)."""
    share, several = record.gained(group, needed)
    reasons = first_reason(
        ("no target", np.isnan(needed)),
        ("unknown attribute", group.set_of < 0),
        ("no history as long", np.full(len(needed), len(record.gains) == 0)),
        ("few peers", several < rules.min_peers_mean),
    )
    shown_share = shown(share, reasons)
    low, high = wilson_interval(shown_share, several, level=level)
    return PeerGains(
        peers=group.key,
        share=shown_share,
        low=low,
        high=high,
        organizations=several,
        reasons=reasons,
    )


@attrs.frozen(kw_only=True, eq=False)
class _Record:
    """Observed gains over stretches as long as the way ahead, (s, o)."""

    gains: FloatArray

    @classmethod
    def of(cls, chain: WaveChain, days: Sequence[date], years: float) -> _Record:
        """Take all pairs of waves that lie as far apart."""
        scores = chain.linked.values
        pairs = [
            (early, late)
            for late in range(len(days))
            for early in range(late)
            if abs((days[late] - days[early]).days / YEAR - years) <= _AS_LONG * years
        ]
        gains = [scores[late] - scores[early] for early, late in pairs]
        return cls(gains=np.array(gains).reshape(len(pairs), scores.shape[1]))

    def gained(self, group: PeerSets, needed: FloatArray) -> tuple[FloatArray, IntArray]:
        """Return how often peers gained as much, and how many have a record; 0 without a need."""
        rate, several = np.full(len(needed), np.nan), np.zeros(len(needed), dtype=np.int64)
        recorded = ~np.isnan(self.gains)
        for place in np.flatnonzero((group.set_of >= 0) & ~np.isnan(needed)):
            members = group.sets[group.set_of[place]]
            others = members[members != place]
            gains = self.gains[:, others][recorded[:, others]]
            several[place] = recorded[:, others].any(axis=0).sum()
            if len(gains):
                rate[place] = (gains >= needed[place] - TIE_WIDTH).mean()
        return rate, several
