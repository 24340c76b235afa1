"""Sharing: sums that may leave the house, and several houses' sums as one.

The rows of a tally with a few respondents in them are these respondents' answers. `share_tally`
makes a tally of which every number rests on enough of them; `pool_tallies` adds up what several
firms share, without a single answer changing hands.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, distinct
from sotongindex._disclosure import DisclosureRules
from sotongindex._pooling import coarsen_groups, pool_studies, pool_tallies
from sotongindex._student import t_quantile
from sotongindex.errors import MethodError
from sotongindex.results import Notice
from sotongindex.tally import Tally, add_tallies, units_of

__all__ = [
    "SharedTally",
    "coarsen_groups",
    "pool_studies",
    "pool_tallies",
    "share_tally",
    "tally_differencing",
]

# What is shared of a row. Whatever else a tally may hold (answer categories) is not: a category
# with one answer in it gives that answer away.
_OF_ROWS = ("evaluations", "weight", "squared_weight")
_OF_ITEMS = ("answers", "answer_weight", "points")
_EQUAL = 1e-9  # sums of equal numbers differ by less, relative to their size


@attrs.frozen(kw_only=True, eq=False)
class SharedTally:
    """A tally that may be handed on, and what was done to make it so.

    Attributes:
        tally: What may be handed on; nothing else of this record is.
        rules: What the rules were.
        rounding: What unequally weighted sums were rounded to.
        notices: What was withheld or changed; their keys are organization/channel, and
            organization/channel/item.
    """

    tally: Tally
    rules: DisclosureRules
    rounding: float
    notices: tuple[Notice, ...]

    def __str__(self) -> str:
        shared = f"{len(self.tally.study.organizations)} organizations shared"
        return "\n".join([shared, *(f"- {notice.message}" for notice in self.notices)])


def share_tally(
    tally: Tally,
    *,
    groups: int = 1,
    rules: DisclosureRules = DisclosureRules(),  # frozen
    rounding: float = 0.01,
) -> SharedTally:
    r"""Make a tally of which every number rests on enough respondents.

    With :math:`m` the least number `rules.min_respondents_show`:

    - an organization's channel is shared from :math:`m` evaluations, if they weigh as much as
      :math:`m` equal ones: :math:`(\sum w)^2 / \sum w^2 \ge m`;
    - an item of it is shared from :math:`m` answers;
    - jackknife groups are coarsened, and where one of the channel's groups has too few evaluations,
      or too few answers to a shared item, all go into one group: its scores are exact and their
      errors not known;
    - where weights are unequal, sums are rounded to `rounding` of the channel's mean weight (points
      to 100 times that), because sums of unequal numbers in all their digits can be taken apart.
      An item's mean moves by 1 / answers points at most under the default;
    - answer categories, sums over pairs of items and organizations without a shared row are left
      out.

    Args:
        tally: The tally.
        groups: The number of jackknife groups that all sources agreed on, a divisor of the tally's;
            1 shares scores without errors.
        rules: What may be shown.
        rounding: The share of a mean weight that unequally weighted sums are rounded to; 0 for
            none, where the receiver may know the answers.

    Returns:
        The tally to hand on, and what was done.

    Raises:
        MethodError: If nothing is left to share, `groups` does not divide the number of groups,
            weights were calibrated and groups are kept, or `rounding` is not within 0 and 1.

    References:
        Kish (1965), Survey Sampling, for the effective number. Hundepool and others (2012),
        Statistical Disclosure Control, doi:10.1002/9781118348239, for minimum frequencies and
        dominance.

    >>> from sotongindex.datasets import sample_panel
    >>> whole = Tally.from_responses(sample_panel(respondents=4000).responses)
    >>> shared = share_tally(whole, groups=2).tally
    >>> bool(whole.evaluations.min() >= 10), bool(shared.evaluations.min() >= 10)
    (False, True)
    """
    _check(tally, groups=groups, rounding=rounding)
    least = rules.min_respondents_show
    coarse, whole = coarsen_groups(tally, groups), coarsen_groups(tally, 1)
    row = np.searchsorted(units_of(whole), units_of(coarse))
    items = whole.answers >= least
    shown = _enough(whole, least) & items.any(axis=1)
    if not shown.any():
        raise MethodError(
            f"nothing can be shared: {least} respondents are needed, and no organization has as "
            "many on a channel; collect more, or agree on other rules",
            argument="rules",
        )
    few = items[row] & (coarse.answers > 0) & (coarse.answers < least)
    folded = shown & (np.bincount(row, ~_enough(coarse, least) | few.any(axis=1)) > 0)
    merged = _rows(
        coarse,
        shown[row],
        group=np.where(folded[row], 0, coarse.group),
        hidden=~items[row],
    )
    withheld = shown[:, None] & (whole.answers > 0) & ~items
    found = (
        _few_respondents(whole, ~shown, least),
        _few_answers(whole, withheld, least),
        _small_groups(whole, folded, least),
    )
    return SharedTally(
        tally=_narrowed(_rounded(merged, rounding)),
        rules=rules,
        rounding=rounding,
        notices=(*(notice for notice in found if notice.keys), _errors(groups)),
    )


def _check(tally: Tally, *, groups: int, rounding: float) -> None:
    """Raise where what is asked cannot be shared."""
    if not 0 <= rounding <= 1:
        raise MethodError(f"expected a share from 0 to 1, got {rounding}", argument="rounding")
    if tally.replicates is not None and groups > 1:
        raise MethodError(
            "errors of calibrated weights hang on everybody's answers and cannot be shared group "
            "by group; share the scores, with groups=1",
            argument="groups",
        )


def tally_differencing(
    earlier: Tally,
    later: Tally,
    *,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> tuple[Notice, ...]:
    """Warn where a tally that grew gives away the few respondents who came since.

    Whoever holds both subtracts the earlier from the later, and is left with the sums of those who
    came in between; of one, these are the answers. Where something changed, the difference must
    hold `rules.min_respondents_show` evaluations of an organization's channel, in every jackknife
    group that both have, and as many answers to every item that changed. Corrected answers and new
    weights of the same respondents are changes that nobody came with.

    Args:
        earlier: What was shared before.
        later: What is to be shared now, of the same framework.
        rules: How many are enough.

    Returns:
        One notice where organizations are given away, none elsewhere; its keys are
        organization/channel.

    Raises:
        DefinitionError: If the frameworks differ or an organization is described in two ways.
        MethodError: If only one of them counts answer categories.

    >>> from sotongindex.datasets import sample_panel
    >>> tally = Tally.from_responses(sample_panel(respondents=200).responses)
    >>> tally_differencing(tally, tally)
    ()
    """
    least, found = rules.min_respondents_show, dict[str, None]()
    for groups in sorted({1, gcd(earlier.groups, later.groups)}):
        before, after = (coarsen_groups(tally, groups) for tally in (earlier, later))
        gained, both = _sum(after, before, sign=-1), _sum(after, before, sign=1)
        moved = {name: _moved(gained, both, name) for name in (*_OF_ROWS, *_OF_ITEMS)}
        people = np.any([moved[name] for name in _OF_ROWS], axis=0)
        answers = np.any([moved[name] for name in _OF_ITEMS], axis=0)
        few = people & (abs(gained.evaluations) < least)
        few |= (answers & (abs(gained.answers) < least)).any(axis=1)
        found |= dict.fromkeys(_keys(gained, few))
    message = (
        f"{len(found)} pairs of organization and channel changed by fewer than {least} respondents "
        "since the earlier tally: both together give them away; keep the earlier rows until more "
        "have come"
    )
    return (Notice(code="differencing", message=message, keys=tuple(found)),) if found else ()


def _sum(later: Tally, earlier: Tally, *, sign: int) -> Tally:
    """Return the later tally plus or minus the earlier one, over the organizations of both."""
    names = {name: getattr(later.study, name) for name in ("key", "wave", "population")}
    study = attrs.evolve(earlier.study, **names)
    sums = {name: sign * getattr(earlier, name) for name in (*_OF_ROWS, *_OF_ITEMS)}
    return pool_tallies([later, attrs.evolve(earlier, study=study, **sums)])


def _moved(gained: Tally, both: Tally, name: str) -> NDArray[np.bool_]:
    """Return which sums differ by more than rounding."""
    moved: NDArray[np.bool_] = abs(getattr(gained, name)) > _EQUAL * abs(getattr(both, name))
    return moved


# -- making rows safe ----------------------------------------------------------------------------


def _enough(tally: Tally, least: int) -> NDArray[np.bool_]:
    """Return which rows hold enough evaluations, of enough equal weight, (r,)."""
    weighty = tally.weight**2 >= least * tally.squared_weight * (1 - _EQUAL)
    enough: NDArray[np.bool_] = (tally.evaluations >= least) & weighty & (tally.weight > 0)
    return enough


def _rows(
    tally: Tally, chosen: NDArray[np.bool_], *, group: IntArray, hidden: NDArray[np.bool_]
) -> Tally:
    """Return the chosen rows in other groups, without the items that are hidden."""
    sums = {name: getattr(tally, name)[chosen] for name in _OF_ROWS}
    for name in _OF_ITEMS:
        values = getattr(tally, name)
        sums[name] = np.where(hidden, values.dtype.type(0), values)[chosen]
    return add_tallies(
        [
            Tally(
                study=tally.study,
                groups=tally.groups,
                organization=tally.organization[chosen],
                channel=tally.channel[chosen],
                group=group[chosen],
                **sums,
            )
        ]
    )


def _rounded(tally: Tally, rounding: float) -> Tally:
    """Return the tally with the sums of unequally weighted units rounded."""
    whole = coarsen_groups(tally, 1)
    equal = whole.evaluations * whole.squared_weight <= whole.weight**2 * (1 + _EQUAL)
    step = np.where(equal, 0.0, rounding * whole.weight / whole.evaluations)
    step = step[np.searchsorted(units_of(whole), units_of(tally))]
    return attrs.evolve(
        tally,
        weight=_round_to(tally.weight, step),
        squared_weight=_round_to(tally.squared_weight, step**2),
        answer_weight=_round_to(tally.answer_weight, step[:, None]),
        points=_round_to(tally.points, 100 * step[:, None]),
    )


def _round_to(values: FloatArray, step: FloatArray) -> FloatArray:
    """Return the nearest multiples of the step; the values themselves where it is 0."""
    multiples = np.rint(values / np.where(step > 0, step, 1.0)) * step
    return np.where(step > 0, multiples, values)


def _narrowed(tally: Tally) -> Tally:
    """Return the tally with a study of the organizations that occur."""
    used = distinct(tally.organization)
    organizations = [tally.study.organizations[place] for place in used]
    return attrs.evolve(
        tally,
        study=attrs.evolve(tally.study, organizations=organizations),
        organization=np.searchsorted(used, tally.organization),
    )


# -- telling what was done -----------------------------------------------------------------------


def _few_respondents(whole: Tally, where: NDArray[np.bool_], least: int) -> Notice:
    keys = tuple(_keys(whole, where))
    message = (
        f"{len(keys)} pairs of organization and channel are withheld: they have fewer than {least} "
        "respondents, or weights so unequal that they count as fewer"
    )
    return Notice(code="few respondents", message=message, keys=keys)


def _few_answers(whole: Tally, where: NDArray[np.bool_], least: int) -> Notice:
    names = whole.study.framework.item_keys
    rows, items = where.nonzero()
    keys = tuple(
        f"{unit}/{names[item]}" for unit, item in zip(_keys(whole, rows), items, strict=True)
    )
    message = f"{len(keys)} items of a pair are withheld: they have fewer than {least} answers"
    return Notice(code="few answers", message=message, keys=keys)


def _small_groups(whole: Tally, where: NDArray[np.bool_], least: int) -> Notice:
    keys = tuple(_keys(whole, where))
    message = (
        f"{len(keys)} pairs are shared without errors: one of their jackknife groups has fewer "
        f"than {least} respondents, so all are put into one"
    )
    return Notice(code="small groups", message=message, keys=keys)


def _errors(groups: int) -> Notice:
    freedom = groups - 1
    wider = t_quantile(np.array(float(freedom)), 0.975).item() / t_quantile(np.array(np.inf), 0.975)
    message = (
        f"errors rest on {freedom} degrees of freedom at most: intervals at 95 % are {wider:.1f} "
        "times as wide as with many"
        if freedom
        else "one jackknife group gives no errors"
    )
    return Notice(code="errors", message=message)


def _keys(tally: Tally, rows: NDArray[np.bool_] | IntArray) -> Iterator[str]:
    """Yield organization/channel of the chosen rows."""
    study = tally.study
    for organization, channel in zip(tally.organization[rows], tally.channel[rows], strict=True):
        yield f"{study.organization_keys[organization]}/{study.framework.channel_keys[channel]}"
