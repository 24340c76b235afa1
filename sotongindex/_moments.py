"""Moments: sums over pairs of items, which covariances and reliability are made of."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import BLOCK_ROWS, FloatArray, Groups, IntArray, distinct, read_only
from sotongindex._evaluations import Evaluations
from sotongindex._pair_sums import PairSums
from sotongindex._validators import are_known
from sotongindex.errors import MethodError
from sotongindex.models import Framework

__all__ = [
    "MIDDLE",
    "ItemMoments",
    "add_moments",
    "add_up_pairs",
    "check_answered",
    "held",
    "jackknife_error",
    "pairs_of",
    "pairs_without_groups",
    "rows_of",
]

# Points are taken from the middle of their range, the same in every batch, so that sums add up
# and squares stay near the variances that are made of them.
MIDDLE = 50.0


@attrs.frozen(kw_only=True, eq=False)
class ItemMoments:
    """Sums over pairs of items, by channel and jackknife group, over all organizations.

    For items i and j they count the evaluations that answered both; so every covariance rests on
    pairs, and where answers are missing, different pairs rest on different evaluations. There are
    no sums by organization: they would be hundreds of millions of numbers where there are millions
    of answers. So covariances hold differences between organizations and respondents alike.

    Axes: m rows (the combinations that occur, sorted), i items.

    Attributes:
        framework: What was measured.
        groups: The number of jackknife groups.
        channel: Position of the channel in the framework, (m,).
        group: The jackknife group, (m,).
        sums: Sums over the evaluations that answered both items i and j, (m, i, i) each: how many
            (`units`), their `weight`, and with the points of i less 50 the sums of weight times
            these (`values`), their `squares`, and their `products` with those of j.

    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.tally import Tally
    >>> tally = Tally.from_responses(sample_panel(rng=1).responses, moments=True)
    >>> tally.moments.correlation("blog")[:2, :2].round(2).tolist()
    [[1.0, 0.27], [0.27, 1.0]]
    """

    framework: Framework
    groups: int
    channel: IntArray = attrs.field(converter=read_only)
    group: IntArray = attrs.field(converter=read_only)
    sums: PairSums

    def covariance(self, channel: str | None = None) -> FloatArray:
        r"""Return the weighted covariances of the items' points.

        Over the evaluations :math:`r` that answered both items, with their means,

        .. math:: c_{ij} = \frac{\sum_r w_r (x_{ri} - \bar x_i)(x_{rj} - \bar x_j)}{\sum_r w_r}

        With missing answers they need not be those of any complete answers.

        Args:
            channel: A channel's key; None means the evaluations of all channels.

        Returns:
            Covariances in squared points, (i, i); NaN where nobody answered both items.

        Raises:
            DefinitionError: If the channel is not known.
        """
        return pairs_of(self, channel).covariances()

    def correlation(self, channel: str | None = None) -> FloatArray:
        """Return the correlations of the items' points, pair by pair.

        Covariance and deviations are those of the evaluations that answered both items.

        Args:
            channel: A channel's key; None means the evaluations of all channels.

        Returns:
            Correlations, -1 to 1, (i, i); NaN where nobody answered both items, or all who did
            gave one of them the same answer.

        Raises:
            DefinitionError: If the channel is not known.
        """
        return pairs_of(self, channel).correlations()


def add_up_pairs(
    evaluations: Evaluations, *, groups: int = 1, group: IntArray | None = None
) -> ItemMoments:
    """Add up pairs of items of evaluations, block by block with products of matrices."""
    responses = evaluations.responses
    framework = responses.study.framework
    channel = responses.channel.astype(np.int64)
    grouped = Groups.of(channel if group is None else channel * groups + group)
    sums = _nothing(len(grouped), len(framework.items))
    for row, (_, stretch) in enumerate(grouped.stretches()):
        for start in range(stretch.start, stretch.stop, BLOCK_ROWS):
            rows = grouped.order[start : min(start + BLOCK_ROWS, stretch.stop)]
            points, answered = evaluations.block(rows)
            weights = None if responses.weight is None else responses.weight[rows]
            block = PairSums.of((points - MIDDLE) * answered, answered, weights)
            for name, array in sums.items():
                array[row] += getattr(block, name)
    return _moments_of(grouped.keys, sums, framework, groups=groups)


def add_moments(parts: Sequence[ItemMoments]) -> ItemMoments:
    """Add up the moments of tallies that fit each other, one or more."""
    first = parts[0]
    keys = [part.channel * part.groups + part.group for part in parts]
    every = distinct(np.concatenate(keys))
    sums = _nothing(len(every), len(first.framework.items))
    for part, own in zip(parts, keys, strict=True):
        at = np.searchsorted(every, own)
        for name, array in sums.items():
            np.add.at(array, at, getattr(part.sums, name))
    return _moments_of(every, sums, first.framework, groups=first.groups)


def pairs_of(moments: ItemMoments, channel: str | None) -> PairSums:
    """Return the sums over all groups, of one channel or all, (i, i) each."""
    rows = rows_of(moments.channel, moments.framework, channel)
    return moments.sums.mapped(lambda sums: sums[rows].sum(axis=0))


def pairs_without_groups(moments: ItemMoments, channel: str | None) -> PairSums:
    """Return the sums without every group that occurs, (g, i, i) each."""
    rows = rows_of(moments.channel, moments.framework, channel)
    group = moments.group[rows]
    # Added up anew: a difference of sums would not be 0 where a group holds every answer.
    others = (group != distinct(group)[:, None]).astype(np.float64)
    return moments.sums.mapped(lambda sums: np.einsum("gm,mij->gij", others, sums[rows]))


def _moments_of(
    keys: IntArray, sums: dict[str, FloatArray], framework: Framework, *, groups: int
) -> ItemMoments:
    """Return sums as moments, the keys being channel and group as one number."""
    channel, group = np.divmod(keys, groups)
    return ItemMoments(
        framework=framework,
        groups=groups,
        channel=channel,
        group=group,
        sums=PairSums(**sums).mapped(read_only),
    )


def _nothing(rows: int, items: int) -> dict[str, FloatArray]:
    """Return sums of nothing, to add to."""
    return {field.name: np.zeros((rows, items, items)) for field in attrs.fields(PairSums)}


def rows_of(channels: IntArray, framework: Framework, channel: str | None) -> NDArray[np.bool_]:
    """Return which positions of channels are that of one, or all of them, (m,)."""
    if channel is None:
        return np.ones(len(channels), dtype=bool)
    keys = framework.channel_keys
    are_known([channel], keys, field="channel", what="channel")
    return np.asarray(channels == keys.index(channel))


def check_answered(pairs: PairSums, keys: Sequence[str]) -> None:
    """Raise unless every pair of the items `keys` was answered by somebody."""
    lacking = np.argwhere(np.triu(pairs.units == 0))
    if len(lacking) == 0:
        return
    # An item that was never answered at all says more than a pair.
    one, other = min(lacking.tolist(), key=lambda pair: pair[0] != pair[1])
    never = f"{keys[one]!r} and {keys[other]!r} were never answered together"
    if one == other:
        never = f"{keys[one]!r} was never answered"
    raise MethodError(
        f"{never}, and so {len(lacking)} of {len(keys) * (len(keys) + 1) // 2} covariances are not "
        "known; leave items out, or name another channel",
        argument="items",
    )


def jackknife_error(whole: FloatArray, without: FloatArray, *, groups: int) -> FloatArray:
    """Return the error of numbers (...) from those without every group that occurs, (g, ...).

    It is NaN where there are no two groups, because nothing is left without the one.
    """
    if len(without) < 2:
        return np.full(whole.shape, np.nan)
    squares = ((without - whole) ** 2).sum(axis=0)
    errors: FloatArray = np.sqrt((groups - 1) / groups * squares)
    return errors


def held(moments: ItemMoments | None) -> ItemMoments:
    """Return the moments of a tally that has some."""
    if moments is None:
        raise MethodError(
            "the tally has no moments; make it with Tally.from_responses(..., moments=True)",
            argument="tally",
        )
    return moments
