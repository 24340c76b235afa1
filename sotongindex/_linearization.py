"""Linearized errors of every level: variances, and the factor that carries them on.

The factor's rows are the clusters' influences, less the means of their strata and what calibration
explains of them. The variances of all levels come from one walk over the answers; columns of the
factor are made again from the answers when asked for, but for levels that are asked for again and
again.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray, distinct
from sotongindex._factors import CLUSTERS, Block, Blocks, Factor, StoredFactor
from sotongindex._influence import Influence
from sotongindex._levels import LEVELS, Level, Rows, climb
from sotongindex._residuals import Auxiliary

# One number an evaluation at most, and asked for again and again.
_KEPT: tuple[Level, ...] = ("channels", "index")


def linearize(
    influence: Influence, auxiliary: Auxiliary | None
) -> tuple[dict[Level, FloatArray], dict[Level, Factor]]:
    """Return the variances of every level (places, k), and their factors.

    Args:
        influence: The influences of clusters.
        auxiliary: The variables that weights were calibrated to; None where they were not.
    """
    sums = _Sums.of(influence, auxiliary)
    sums.take_means_off(influence)
    calibrated = None if auxiliary is None else sums.take_explained_off(influence, auxiliary)
    variables = sums.strata
    if auxiliary is not None:
        variables = sparse.hstack([variables, auxiliary.clusters], format="csr")
    factors: dict[Level, Factor] = {}
    for level in LEVELS:
        factor = LevelFactor(influence, variables, calibrated, level)
        factors[level] = factor
        if level in sums.kept:
            rows = Rows.joined(sums.kept.pop(level), influence.tree.width(level))
            everything = np.arange(sums.squares[level].size)
            factors[level] = StoredFactor(factor.blocks(rows, everything))
    # Rounding can leave -1e-18 where 0 is meant.
    return {level: np.maximum(total, 0.0) for level, total in sums.squares.items()}, factors


@attrs.frozen(kw_only=True, eq=False)
class _Sums:
    """What one walk over the influences adds up.

    Attributes:
        squares: Of every level, (places, k).
        kept: The influences on the levels that are asked for again and again.
        strata: Whether a cluster lies in a stratum, (clusters, h); None where no mean is taken off.
        by_stratum: Sums by unit and stratum; no rows where no mean is taken off.
        by_variable: Sums of products by unit and calibration variable.
    """

    squares: dict[Level, FloatArray]
    kept: dict[Level, list[Rows]]
    strata: sparse.csr_array | None
    by_stratum: Rows
    by_variable: Rows

    @classmethod
    def of(cls, influence: Influence, auxiliary: Auxiliary | None) -> _Sums:
        """Walk over the answers once."""
        tree, count = influence.tree, len(influence.design.sizes)
        squares: dict[Level, FloatArray] = {
            level: np.zeros((tree.places(level), tree.width(level))) for level in LEVELS
        }
        kept: dict[Level, list[Rows]] = {level: [] for level in _KEPT}
        by_stratum, by_variable = [], []
        # In one stratum influences add up to 0, unless calibration takes something off.
        centred = count > 1 or auxiliary is not None
        strata = influence.design.strata() if centred else None
        for base, levels in influence.walk():
            for level, rows in levels.items():
                rows.add_squares(squares[level])
            for level, parts in kept.items():
                parts.append(levels[level].kept())
            if strata is not None:
                by_stratum.append(base.projected(strata))
            if auxiliary is not None:
                by_variable.append(base.projected(auxiliary.clusters))
        return cls(
            squares=squares,
            kept=kept,
            strata=strata,
            by_stratum=Rows.joined(by_stratum, influence.columns).merged(count),
            by_variable=Rows.joined(by_variable, influence.columns),
        )

    def take_means_off(self, influence: Influence) -> None:
        """Take the squared means of strata off the sums of squares."""
        design = influence.design
        climbed = climb(self.by_stratum, influence.tree, sources=len(design.sizes))
        for level, rows in climbed.items():
            share = np.sqrt(design.centred[rows.source])[:, None]
            squares = np.zeros_like(self.squares[level])
            attrs.evolve(rows, values=share * rows.values).add_squares(squares)
            self.squares[level] -= squares

    def take_explained_off(self, influence: Influence, auxiliary: Auxiliary) -> Calibrated:
        """Take what calibration explains off the sums of squares, and return it."""
        loads = auxiliary.explain(influence.of_evaluations(), columns=influence.columns)
        sums = self.by_stratum
        means = attrs.evolve(sums, values=-sums.values).projected(auxiliary.means)
        products = Rows.joined([self.by_variable, means], influence.columns)
        merged = products.merged(auxiliary.variables.shape[1])
        for explained in auxiliary.explained(loads, merged, influence.tree):
            for level, (places, taken) in explained.items():
                self.squares[level][places] -= taken
        return Calibrated(auxiliary=auxiliary, loads=loads)


@attrs.frozen(kw_only=True, eq=False)
class Calibrated:
    """Calibration variables, and what they explain of the columns of every unit."""

    auxiliary: Auxiliary
    loads: Rows


@attrs.frozen(eq=False)
class LevelFactor:
    """The factor of one level, made from the answers whenever it is asked for."""

    influence: Influence
    variables: sparse.csr_array | None
    calibrated: Calibrated | None
    level: Level

    def columns(self, at: NDArray[np.integer[Any]]) -> Blocks:
        """Return the blocks restricted to the columns `at`."""
        wanted: IntArray = np.asarray(at, dtype=np.int64)
        places = wanted // self.influence.tree.width(self.level)
        if self.level not in ("dimensions", "index"):
            places //= self.influence.tree.channels
        walk = self.influence.walk(distinct(places))
        parts = [levels[self.level] for _, levels in walk]
        return self.blocks(Rows.joined(parts, self.influence.tree.width(self.level)), wanted)

    def blocks(self, rows: Rows, at: IntArray) -> Blocks:
        """Lay out rows as columns `at` of the factor, and what is taken off them."""
        tree, design = self.influence.tree, self.influence.design
        matrix = rows.matrix(at, len(design.stratum))
        labels = self.influence.evaluations.responses.cluster_labels
        if self.variables is None:
            return {CLUSTERS: Block(labels, matrix)}
        strata = self.variables[:, : len(design.sizes)]
        means = sparse.diags_array(design.centred) @ (strata.T @ matrix)
        if self.calibrated is None:
            return {CLUSTERS: Block(labels, matrix, self.variables, means)}
        auxiliary, count = self.calibrated.auxiliary, self.calibrated.auxiliary.variables.shape[1]
        loads = climb(self.calibrated.loads, tree, sources=count)[self.level].matrix(at, count)
        loads = sparse.vstack([means - auxiliary.means @ loads, loads], format="csr")
        return {CLUSTERS: Block(labels, matrix, self.variables, loads)}
