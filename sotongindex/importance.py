"""Importance and performance: what counts much and is done badly, and how sure that is.

Importance here is how much the index itself counts a part. What moves customers is found elsewhere,
and the two must not be mixed: raising a part by a point changes the index by its weight, whatever
else it is important for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._disclosure import DisclosureRules, Reasons, Subject, first_of, peer_reasons
from sotongindex._importance_map import QUADRANTS, Center, ImportanceMap, Quadrant
from sotongindex._peers import find_peers
from sotongindex._plan_levers import LeverLevel, climbed, levers_of, with_kept
from sotongindex.aggregation import Hierarchy
from sotongindex.errors import MethodError
from sotongindex.models import PeerStatistic
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

__all__ = ["Center", "ImportanceMap", "Quadrant", "importance_performance"]

_NUMBERS_AT_A_TIME = 1_000_000


def importance_performance(
    result: IndexResult,
    level: LeverLevel = "dimensions",
    *,
    center: Center = "data",
    rules: DisclosureRules = DisclosureRules(),  # frozen
    draws: int = 1000,
    rng: int | np.random.Generator | None = 0,
) -> ImportanceMap:
    """Lay out the parts of the index by their importance and performance.

    Importance is the derivative of the index by the part: the index's own weights, not what
    statistics or customers say. The cross of importance stands at the mean over the organization's
    parts; with equal weights it tells nothing. The cross of performance stands where `center` says:

    - ``"scale"``: at 50 points, the middle of the scale;
    - ``"data"``: at the mean of the organization's own parts;
    - a number: at that target;
    - a `PeerStatistic`: at that figure of the peers, for every part.

    Where a point lies near a cross, its quadrant is chance. So the probability of every quadrant is
    told, from draws of the true scores: with the covariance among the parts and with the peers,
    and with importance computed anew where means are not arithmetic.

    Args:
        result: The scores.
        level: "channels", "dimensions" or "cells".
        center: Where the cross of performance stands.
        rules: What may be shown.
        draws: How many draws.
        rng: A seed or generator; the same seed gives the same bytes.

    Returns:
        The map of every organization.

    Raises:
        MethodError: If the level or the center is unknown, or `draws` is below 2.

    References:
        Martilla and James (1977), doi:10.2307/1250495; Abalo, Varela and Manzano (2007),
        doi:10.1016/j.jbusres.2006.10.009, for the diagonal.
    """
    parts = levers_of(result, level)
    if draws < 2:
        raise MethodError(f"expected 2 or more, got {draws}", argument="draws")
    if isinstance(center, str) and center not in {"scale", "data"}:
        raise MethodError(
            f"expected 'scale', 'data', points or a PeerStatistic, got {center!r}",
            argument="center",
        )
    kept = with_kept(result, [level])
    scores: Estimates = getattr(kept, level)
    subjects = [Subject.of(kept, one.channel, one.dimension) for one in parts]
    reasons = np.stack([one.reasons(rules.min_respondents_show) for one in subjects], axis=1)
    performance = _flat(scores, reasons.shape)
    cross, few = _cross(result, center, subjects, performance=performance.values, rules=rules)
    reasons = first_of(reasons, few)
    importance = _importance(result.structure, level)
    own = _Points(
        performance=performance.values,
        importance=importance,
        performance_center=cross.at(performance.values, performance.values),
        present=~np.isnan(performance.values),
    )
    blocks = _draws(result, performance, importance, level=level, draws=draws, rng=rng)
    chances, above = _chances(own, cross, blocks)
    known = (reasons == "") & ~np.isnan(performance.variance)
    return ImportanceMap(
        result=result,
        level=level,
        center=center,
        parts=parts,
        importance=importance,
        performance=performance,
        importance_center=np.broadcast_to(own.importance_center, reasons.shape),
        performance_center=own.performance_center,
        quadrant=np.where(reasons == "", np.array(QUADRANTS)[own.places()[0]], ""),
        probabilities=np.where(known[..., None], chances, np.nan),
        above_diagonal=np.where(known, above, np.nan),
        reasons=reasons,
    )


def _flat(scores: Estimates, shape: tuple[int, ...]) -> Estimates:
    """Return estimates in another shape."""
    names = ("values", "variance", "degrees_of_freedom")
    return attrs.evolve(scores, **{name: getattr(scores, name).reshape(shape) for name in names})


def _importance(tree: Hierarchy, level: LeverLevel) -> FloatArray:
    """Return the derivative of the index by every part, (..., k)."""
    by_cell = np.nan_to_num(tree.index_by_cell)
    if level == "channels":
        return np.nan_to_num(tree.index_by_channel)
    if level == "cells":
        flat: FloatArray = by_cell.reshape(len(by_cell), -1)
        return flat
    moved = np.nan_to_num(tree.dimension_by_cell).sum(axis=1)
    slopes: FloatArray = by_cell.sum(axis=1) / np.where(moved > 0, moved, 1.0)
    return slopes


def _draws(
    result: IndexResult,
    performance: Estimates,
    importance: FloatArray,
    *,
    level: LeverLevel,
    draws: int,
    rng: int | np.random.Generator | None,
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield blocks of drawn performance and the importance that goes with it, (b, o, k) each."""
    random, powers = np.random.default_rng(rng), result.method.power
    linear = powers.dimensions == powers.channels == 1
    source = performance if linear else result.cells.kept()
    step = max(1, _NUMBERS_AT_A_TIME // source.size)
    for start in range(0, draws, step):
        drawn = source.draws(min(step, draws - start), rng=random)
        if linear:
            yield drawn, importance
            continue
        places = np.tile(np.arange(drawn.shape[1]), len(drawn))
        cells = np.clip(drawn, 0.0, 100.0).reshape(-1, *drawn.shape[2:])
        tree = climbed(result, cells, places)
        shape = (*drawn.shape[:2], -1)
        yield getattr(tree, level).reshape(shape), _importance(tree, level).reshape(shape)


# -- crosses -------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class _Cross:
    """Where performance counts as high: linear in the scores near those that were measured.

    Attributes:
        values: At the measured scores, (o, k).
        slopes: The derivatives of each column by its scores, (o, o) each; none where the cross
            stands still.
        own_mean: Whether it is the mean of the organization's own parts.
    """

    values: FloatArray
    slopes: Sequence[sparse.csr_array] = ()
    own_mean: bool = False

    def at(self, performance: FloatArray, measured: FloatArray) -> FloatArray:
        """Return the cross where the scores are `performance`, (..., o, k)."""
        if self.own_mean:
            return np.broadcast_to(_mean(performance, ~np.isnan(measured)), performance.shape)
        moved = np.nan_to_num(performance - measured)
        cross = np.broadcast_to(self.values, performance.shape).copy()
        for column, slope in enumerate(self.slopes):
            cross[..., column] += (slope @ moved[..., column].T).T
        return cross


def _cross(
    result: IndexResult,
    center: Center,
    subjects: Sequence[Subject],
    *,
    performance: FloatArray,
    rules: DisclosureRules,
) -> tuple[_Cross, Reasons]:
    """Return the cross of performance, and why it is not known."""
    nothing = np.full(performance.shape, "", dtype="<U1")
    if center == "data":
        return _Cross(values=performance, own_mean=True), nothing
    if not isinstance(center, PeerStatistic):
        at = 50.0 if center == "scale" else float(center)
        return _Cross(values=np.full(performance.shape, at)), nothing
    peers = find_peers(result.study.organizations, center.peers)
    columns, slopes, reasons = [], [], []
    for subject in subjects:
        placement, _ = subject.place(peers, rules)
        figure = placement.figure(center.statistic)
        columns.append(figure.values)
        pooled = (
            0 if figure.pools is None or figure.shares is None else figure.shares @ figure.pools
        )
        slopes.append(sparse.csr_array(figure.direct + pooled))
        reasons.append(peer_reasons(peers, placement.others, rules.min_peers_mean))
    cross = _Cross(values=np.stack(columns, axis=1), slopes=slopes)
    return cross, np.stack(reasons, axis=1)


def _mean(values: FloatArray, present: NDArray[np.bool_]) -> FloatArray:
    """Return the mean over the last axis of what is present, the axis kept."""
    total = np.where(present, values, 0.0).sum(axis=-1, keepdims=True)
    count = present.sum(axis=-1, keepdims=True)
    mean: FloatArray = total / np.where(count > 0, count, np.nan)
    return mean


# -- points on the map ---------------------------------------------------------------------------


def _chances(
    own: _Points, cross: _Cross, blocks: Iterable[tuple[FloatArray, FloatArray]]
) -> tuple[FloatArray, FloatArray]:
    """Return how often points lie in each quadrant, (o, k, 4), and above the diagonal, (o, k)."""
    counts, above, draws = np.zeros((*own.performance.shape, 4)), np.zeros(own.present.shape), 0
    for drawn, worth in blocks:
        points = attrs.evolve(
            own,
            performance=drawn,
            importance=worth,
            performance_center=cross.at(drawn, own.performance),
        )
        places, beyond = points.places()
        counts += (places[..., None] == np.arange(4)).sum(axis=0)
        above += beyond.sum(axis=0)
        draws += len(drawn)
    return counts / draws, above / draws


@attrs.frozen(kw_only=True, eq=False)
class _Points:
    """Points, measured or drawn, (..., o, k)."""

    performance: FloatArray
    importance: FloatArray
    performance_center: FloatArray
    present: NDArray[np.bool_]

    @property
    def importance_center(self) -> FloatArray:
        """The mean importance, (..., o, 1)."""
        return _mean(self.importance, self.present)

    def places(self) -> tuple[IntArray, NDArray[np.bool_]]:
        """Return the number of every point's quadrant, and whether it is above the diagonal."""
        worth = self.importance - self.importance_center
        good = self.performance - self.performance_center
        important, high = worth >= -TIE_WIDTH, good >= -TIE_WIDTH
        number = np.where(important, np.where(high, 1, 0), np.where(high, 3, 2))
        return number, self._standard(worth) > self._standard(good) + TIE_WIDTH

    def _standard(self, distance: FloatArray) -> FloatArray:
        """Return distances in standard deviations of the parts; 0 where all are equal."""
        middle = _mean(distance, self.present)
        deviation = np.sqrt(_mean((distance - middle) ** 2, self.present))
        return np.divide(
            distance, deviation, out=np.zeros_like(distance), where=deviation > TIE_WIDTH
        )
