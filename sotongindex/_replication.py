"""Errors from replicates: the whole index computed again from every set of replicate weights."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, Groups, IntArray
from sotongindex._ascent import Ascent
from sotongindex._evaluations import Evaluations
from sotongindex._factors import Block, Blocks, Factor, StoredFactor
from sotongindex._levels import LEVELS, Level
from sotongindex._replicates import Replicates
from sotongindex.weighting import ImportanceWeights

# Sums of so many numbers are made at a time.
_NUMBERS = 2_000_000


@attrs.frozen(kw_only=True, eq=False)
class Replication:
    """All that is needed to compute the index again from replicates.

    Attributes:
        evaluations: The answers as columns of points.
        replicates: The replicate weights.
        ascent: The way from means to scores.
        weights: What parts count, unless every replicate learns that anew.
    """

    evaluations: Evaluations
    replicates: Replicates
    ascent: Ascent
    weights: ImportanceWeights

    def means(self, units: IntArray | None = None) -> Iterator[tuple[IntArray, FloatArray]]:
        """Yield replicates (b,) and their means of the columns of `units`, or all, (b, u, p)."""
        responses = self.evaluations.responses
        place = self.evaluations.units()
        rows = np.arange(len(place)) if units is None else np.flatnonzero(np.isin(place, units))
        groups = Groups.of(place[rows])
        count, columns = self.ascent.operated.size, self.evaluations.columns
        step = max(1, _NUMBERS // (count * columns))
        for start in range(0, len(self.replicates), step):
            chosen = np.arange(start, min(start + step, len(self.replicates)))
            weights = self.replicates.weights(responses, chosen)
            means = np.full((count, len(chosen), columns), np.nan)
            for unit, stretch in groups.stretches():
                at = rows[groups.order[stretch]]
                points, answered = self.evaluations.block(at)
                weight = weights.of(at).T
                total = weight @ answered
                np.divide(weight @ points, total, out=means[unit], where=total > 0)
            yield chosen, means.swapaxes(0, 1)

    def deviations(self, values: dict[Level, FloatArray]) -> dict[Level, Deviations]:
        """Return how the replicates of every level deviate from its values; items in sums only."""
        channels = self.ascent.operated.shape[1]
        sums: dict[Level, Deviations] = {
            level: Deviations.none(values[level].size, self.replicates) for level in LEVELS
        }
        for chosen, means in self.means():
            columns = means.reshape(len(chosen), -1, channels, means.shape[-1])
            for level, scores in self.ascent.repeated(columns, self.weights).items():
                sums[level].add(chosen, scores - values[level].ravel(), keep=level != "items")
        return sums

    def factor_of_items(self, at: IntArray, values: FloatArray, moments: Deviations) -> Blocks:
        """Return columns of the items' factor, made again from the answers."""
        items = values.shape[-1]
        units, item = np.divmod(at, items)
        rows = np.empty((len(self.replicates), len(at)))
        for chosen, means in self.means(np.unique(units)):
            rows[chosen] = means[:, units, item] - values.ravel()[at]
        return moments.blocks(rows, at)


@attrs.frozen(kw_only=True, eq=False)
class Deviations:
    """How the replicates of some numbers deviate from their values.

    Attributes:
        replicates: The replicates.
        counts: Replicates that have the number, (k,).
        sums: Sum of the deviations, (k,).
        weighted: Sum of scale times deviation, (k,).
        squares: Sum of scale times squared deviation, (k,).
        kept: The deviations, (R, k).
    """

    replicates: Replicates
    counts: IntArray
    sums: FloatArray
    weighted: FloatArray
    squares: FloatArray
    kept: list[FloatArray]

    @classmethod
    def none(cls, size: int, replicates: Replicates) -> Deviations:
        """Start with no replicates."""
        return cls(
            replicates=replicates,
            counts=np.zeros(size, dtype=np.int64),
            sums=np.zeros(size),
            weighted=np.zeros(size),
            squares=np.zeros(size),
            kept=[],
        )

    def add(self, chosen: IntArray, deviations: FloatArray, *, keep: bool) -> None:
        """Add the deviations (b, k) of some replicates; NaN where a replicate has no number."""
        found = ~np.isnan(deviations)
        filled = np.where(found, deviations, 0.0)
        scales = self.replicates.scales[chosen]
        self.counts[:] += found.sum(axis=0)
        self.sums[:] += filled.sum(axis=0)
        self.weighted[:] += scales @ filled
        self.squares[:] += scales @ filled**2
        if keep:
            self.kept.append(deviations)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether at least half of the replicates have the number, (k,)."""
        return 2 * self.counts >= len(self.replicates)

    @property
    def share(self) -> FloatArray:
        """The inverse of the share of replicates that have the number, (k,)."""
        return len(self.replicates) / np.maximum(self.counts, 1)

    @property
    def middle(self) -> FloatArray:
        """What deviations are taken from, (k,)."""
        if not self.replicates.around_mean:
            return np.zeros(len(self.sums))
        means: FloatArray = self.sums / np.maximum(self.counts, 1)
        return means

    @property
    def variance(self) -> FloatArray:
        """The variances, (k,)."""
        total = self.replicates.scales.sum() / self.share
        squares = self.squares - 2 * self.middle * self.weighted + self.middle**2 * total
        variances: FloatArray = np.maximum(squares * self.share, 0.0)
        return variances

    def blocks(self, rows: FloatArray, at: IntArray) -> Blocks:
        """Return deviations (R, columns `at`) as a factor."""
        scale = np.sqrt(self.replicates.scales)[:, None] * np.sqrt(self.share[at])
        matrix = np.nan_to_num((rows - self.middle[at]) * scale)
        labels = np.arange(len(self.replicates))
        return {self.replicates.name: Block(labels, sparse.csc_array(matrix))}

    def stored(self) -> Factor:
        """Return the factor of the kept deviations."""
        everything = np.arange(len(self.sums))
        return StoredFactor(self.blocks(np.concatenate(self.kept), everything))


@attrs.frozen(eq=False)
class ItemFactor:
    """The factor of the items, made from the answers whenever it is asked for."""

    replication: Replication
    values: FloatArray
    moments: Deviations

    def columns(self, at: NDArray[np.integer]) -> Blocks:
        """Return the blocks restricted to the columns `at`."""
        wanted = np.asarray(at, dtype=np.int64)
        return self.replication.factor_of_items(wanted, self.values, self.moments)


def replicate_levels(
    replication: Replication, values: dict[Level, FloatArray]
) -> tuple[dict[Level, FloatArray], dict[Level, Factor]]:
    """Return the variances and the factors of every level, in the shape of its values."""
    deviations = replication.deviations(values)
    variances: dict[Level, FloatArray] = {}
    factors: dict[Level, Factor] = {}
    for level, found in deviations.items():
        variances[level] = np.where(found.known, found.variance, np.nan)
        factors[level] = (
            ItemFactor(replication, values[level], found) if level == "items" else found.stored()
        )
    return variances, factors
