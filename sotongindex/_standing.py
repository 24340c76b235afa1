"""Where true scores may stand among peers: draws of them, counted and summed up.

Scores are drawn from their joint distribution, so that errors which organizations share move them
together. What can be told in closed form (the expected percentile, the finite number of peers) is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, float_array
from sotongindex._student import special
from sotongindex.percentiles import TIE_WIDTH, percentile_of_counts
from sotongindex.variance import Estimates

# Draws that are sorted at a time.
_BLOCK = 500
# Rounding leaves the eigenvalues of a singular covariance a little below 0.
_RIDGE = 1e-8

Record = TypeVar("Record")


@attrs.frozen(kw_only=True, eq=False)
class PercentileEstimate:
    """A percentile with its uncertainty, 0 to 100, each (o,); NaN where not shown or not known.

    Attributes:
        expected: The mean of its distribution.
        standard_deviation: The standard deviation of it.
        low: The lower end of the interval that holds it with the stated probability.
        high: The upper end.
    """

    expected: FloatArray = attrs.field(converter=float_array)
    standard_deviation: FloatArray = attrs.field(converter=float_array)
    low: FloatArray = attrs.field(converter=float_array)
    high: FloatArray = attrs.field(converter=float_array)


@attrs.frozen(kw_only=True, eq=False)
class Chances:
    """Probabilities about true scores, each (o,), 0 to 1; NaN where not shown or not known.

    Attributes:
        above_median: That the true percentile rank is above 50; exactly 50 counts half.
        top_quartile: That the true percentile rank is 75 or more.
        top: That fewer peers than the wanted number of places are truly higher.
        best: That no peer is truly higher.
    """

    above_median: FloatArray = attrs.field(converter=float_array)
    top_quartile: FloatArray = attrs.field(converter=float_array)
    top: FloatArray = attrs.field(converter=float_array)
    best: FloatArray = attrs.field(converter=float_array)


def masked(record: Record, shown: NDArray[np.bool_]) -> Record:
    """Return a record of arrays with NaN where not `shown`."""
    fields = attrs.fields(type(record))  # type: ignore[arg-type]  # an attrs record
    return type(record)(
        **{field.name: np.where(shown, getattr(record, field.name), np.nan) for field in fields}
    )


# -- draws ---------------------------------------------------------------------------------------


def posterior_scale(degrees_of_freedom: FloatArray) -> FloatArray:
    """Return by what a standard error grows to the standard deviation of the t distribution.

    NaN where that does not exist: at 2 degrees of freedom or fewer.
    """
    known = degrees_of_freedom > 2
    share = 2 / np.where(known, degrees_of_freedom, np.inf)
    return np.where(known, 1 / np.sqrt(1 - share), np.nan)


def posterior_covariance(estimates: Estimates) -> FloatArray:
    """Return the covariance of the true scores (o, o) under a flat prior; NaN where not known."""
    scale = posterior_scale(estimates.degrees_of_freedom)
    covariance: FloatArray = estimates.covariance() * np.outer(scale, scale)
    return covariance


def normal_draws(draws: int, size: int, rng: np.random.Generator) -> FloatArray:
    """Return standard normal draws (draws, size), each with its mirror image: their mean is 0."""
    half = rng.standard_normal((-(-draws // 2), size))
    return np.concatenate([half, -half])[:draws]


def joint_draws(
    values: FloatArray, covariance: FloatArray, *, draws: int, rng: np.random.Generator
) -> FloatArray:
    """Draw true scores, (draws, o); an exact score stays, NaN where the error is not known."""
    variance = np.diag(covariance)
    moving = np.flatnonzero(variance > 0)
    part = covariance[np.ix_(moving, moving)]
    root = np.linalg.cholesky(part + _RIDGE * np.diag(variance[moving]))
    drawn = np.tile(np.where(np.isnan(variance), np.nan, values), (draws, 1))
    drawn[:, moving] += normal_draws(draws, len(moving), rng) @ root.T
    return drawn


# -- counts --------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Counts:
    """How many peers are below, tied and above in every draw, (draws, u), of `peers` (u,)."""

    below: IntArray
    ties: IntArray
    above: IntArray
    peers: IntArray


def count_peers(draws: FloatArray, users: IntArray, members: IntArray) -> Counts:
    """Count for the columns `users` those among the columns `members`, themselves left out."""
    taking = np.union1d(users, members)
    counted = np.isin(taking, members)
    at, own = np.searchsorted(taking, users), np.isin(users, members)
    blocks = [
        _bounds(draws[start : start + _BLOCK, taking], counted)
        for start in range(0, len(draws), _BLOCK)
    ]
    below, up_to = (np.concatenate(parts)[:, at] for parts in zip(*blocks, strict=True))
    return Counts(
        below=below,
        ties=up_to - below - own,
        above=len(members) - up_to,
        peers=np.full(len(users), len(members)) - own,
    )


def _bounds(scores: FloatArray, counted: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Return for every score how many of the counted are below it, and not above it, by row."""
    rows, width = scores.shape
    order = np.argsort(scores, axis=1)
    ordered = np.take_along_axis(scores, order, axis=1)
    before = np.zeros((rows, width + 1), dtype=np.int64)
    np.cumsum(counted[order], axis=1, out=before[:, 1:])
    place = np.arange(width)
    step = np.diff(ordered, axis=1) > TIE_WIDTH
    edge = np.ones((rows, 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, step]), place, 0), axis=1)
    ends = np.where(np.hstack([step, edge]), place, width)[:, ::-1]
    last = np.minimum.accumulate(ends, axis=1)[:, ::-1]
    below, up_to = np.empty_like(order), np.empty_like(order)
    np.put_along_axis(below, order, np.take_along_axis(before, first, axis=1), axis=1)
    np.put_along_axis(up_to, order, np.take_along_axis(before, last + 1, axis=1), axis=1)
    return below, up_to


def expected_percentiles(
    scores: FloatArray, others: FloatArray, variance: FloatArray, *, counted: NDArray[np.bool_]
) -> FloatArray:
    r"""Return :math:`100/n \sum_j P(\theta_i > \theta_j)`, ties half.

    Args:
        scores: Scores (u,).
        others: Scores of the members (m,).
        variance: Of the differences, (u, m).
        counted: Which members are peers of whom, (u, m).
    """
    difference = scores[:, None] - others
    difference = np.where(np.abs(difference) <= TIE_WIDTH, 0.0, difference)
    exact = variance <= TIE_WIDTH**2
    ratio = difference / np.sqrt(np.where(exact, 1.0, variance))
    chance = np.where(exact, 0.5 + 0.5 * np.sign(difference), special().ndtr(ratio))
    return percentile_of_counts((chance * counted).sum(axis=1), 0, counted.sum(axis=1))


# -- sums ----------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Standings:
    """Percentiles of some organizations, with both sources of error apart and together."""

    sampling: PercentileEstimate
    finite_peers: PercentileEstimate
    both: PercentileEstimate
    chances: Chances

    @classmethod
    def joined(cls, parts: Sequence[tuple[IntArray, Standings]], size: int) -> Standings:
        """Put the standings of some rows each together to `size` rows, NaN where there is none."""

        def join(name: str, kind: type[Record]) -> Record:
            columns = {}
            for field in attrs.fields(kind):  # type: ignore[arg-type]  # an attrs record
                column = np.full(size, np.nan)
                for rows, part in parts:
                    column[rows] = getattr(getattr(part, name), field.name)
                columns[field.name] = column
            return kind(**columns)

        return cls(
            sampling=join("sampling", PercentileEstimate),
            finite_peers=join("finite_peers", PercentileEstimate),
            both=join("both", PercentileEstimate),
            chances=join("chances", Chances),
        )

    def where(self, shown: NDArray[np.bool_], known: NDArray[np.bool_]) -> Standings:
        """Hide what is not shown, and what rests on errors that are not known."""
        return Standings(
            sampling=masked(self.sampling, shown & known),
            finite_peers=masked(self.finite_peers, shown),
            both=masked(self.both, shown & known),
            chances=masked(self.chances, shown & known),
        )


def summarize(
    counts: Counts,
    percentile: FloatArray,
    expected: FloatArray,
    *,
    top: int,
    level: float,
    rng: np.random.Generator,
) -> Standings:
    """Sum up the draws of organizations with peers.

    Args:
        counts: Counts in every draw.
        percentile: The observed percentile ranks, (u,).
        expected: The expected percentile ranks, (u,).
        top: How many places are at the top.
        level: The probability of the intervals.
        rng: Draws places in the wider field.
    """
    peers = counts.peers
    doubled = 2 * counts.below + counts.ties
    drawn = 50 * doubled / peers
    # Of whole numbers, so that draws that are all the same have a deviation of exactly 0.
    within = 50 * doubled.std(axis=0) / peers
    ends = _ends(drawn, level)
    field = 100 * _field_draws(doubled, peers, rng)
    return Standings(
        sampling=PercentileEstimate(
            expected=expected, standard_deviation=within, low=ends[0], high=ends[1]
        ),
        finite_peers=_field(percentile, peers, level),
        both=_both(expected, within, doubled, peers=peers, ends=_ends(field, level)),
        chances=Chances(
            above_median=(doubled > peers).mean(axis=0) + (doubled == peers).mean(axis=0) / 2,
            top_quartile=(2 * doubled >= 3 * peers).mean(axis=0),
            top=(counts.above < top).mean(axis=0),
            best=(counts.above == 0).mean(axis=0),
        ),
    )


def _ends(drawn: FloatArray, level: float) -> FloatArray:
    """Return both ends of the central interval, each a drawn value."""
    tail = (1 - level) / 2
    ends: FloatArray = np.quantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
    return ends


def _field_draws(doubled: IntArray, peers: IntArray, rng: np.random.Generator) -> FloatArray:
    """Draw the share of the field below, (draws, u): Beta(b + 1, n - b + 1) for b peers below.

    That is the b + 1st of n + 1 sorted uniform numbers; all with n peers take it from the same
    numbers, so that nobody's draws depend on who else is asked about. Half a peer is half-way.
    """
    field = np.empty(doubled.shape)
    for number in np.unique(peers):
        users = np.flatnonzero(peers == number)
        sorted_ = np.sort(rng.random((len(doubled), number + 1)), axis=1)
        lower = np.take_along_axis(sorted_, doubled[:, users] // 2, axis=1)
        upper = np.take_along_axis(sorted_, (doubled[:, users] + 1) // 2, axis=1)
        field[:, users] = (lower + upper) / 2
    return field


def _field(percentile: FloatArray, peers: IntArray, level: float) -> PercentileEstimate:
    """Return the percentile in a field that the peers are a sample of, scores taken as exact."""
    below = percentile * peers / 100
    above = peers - below
    tail = (1 - level) / 2
    return PercentileEstimate(
        expected=100 * (below + 1) / (peers + 2),
        standard_deviation=100 * np.sqrt(_beta_variance(below, peers)),
        low=100 * special().betaincinv(below + 1, above + 1, tail),
        high=100 * special().betaincinv(below + 1, above + 1, 1 - tail),
    )


def _both(
    expected: FloatArray, within: FloatArray, doubled: IntArray, *, peers: IntArray, ends: Any
) -> PercentileEstimate:
    """Return the percentile in the wider field under both errors, by the law of total variance."""
    shrink = peers / (peers + 2)
    variance = 1e4 * _beta_variance(doubled / 2, peers).mean(axis=0) + (shrink * within) ** 2
    return PercentileEstimate(
        expected=100 * (expected * peers / 100 + 1) / (peers + 2),
        standard_deviation=np.sqrt(variance),
        low=ends[0],
        high=ends[1],
    )


def _beta_variance(below: FloatArray, peers: IntArray) -> FloatArray:
    variance: FloatArray = (below + 1) * (peers - below + 1) / ((peers + 2) ** 2 * (peers + 3))
    return variance
