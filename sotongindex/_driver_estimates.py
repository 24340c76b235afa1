"""From a table of drivers to estimates: everything is a function of one correlation matrix."""

from __future__ import annotations

from typing import get_args

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray, group_sums
from sotongindex._claims import Adjustment, adjust_p_values, check_adjustment, p_values
from sotongindex._design import Design
from sotongindex._driver_result import DriverMethod, DriverResult, Unit
from sotongindex._driver_table import DriverTable
from sotongindex._factors import CLUSTERS, Block, Blocks, Factor, Labels, StoredFactor, covariance
from sotongindex._relative_importance import (
    Derived,
    Standardized,
    derived_together,
    johnson,
    shapley,
    slopes,
    with_outcome,
)
from sotongindex._validators import check_choice
from sotongindex.errors import MethodError
from sotongindex.models import Study
from sotongindex.results import Notice
from sotongindex.variance import Estimates

# With fewer, intervals of importance were measured to hold the truth in 88 to 95 of 100 samples.
_FEW = 100


@attrs.frozen(kw_only=True)
class Choices:
    """How importance is shared out, and how it is claimed."""

    method: DriverMethod
    adjustment: Adjustment
    level: float

    def __attrs_post_init__(self) -> None:
        check_choice(self.method, get_args(DriverMethod), "method")
        check_adjustment(self.adjustment)


@attrs.frozen(kw_only=True, eq=False)
class Analysis:
    """A table with its correlations, and all that is made of them.

    Attributes:
        table: The table.
        sample: Its columns, standardized.
        matrix: Their correlations, the outcome last.
        derived: Importance, slopes and correlations with the outcome, one after the other, (3 k,).
        units: How many independent units the rows come from.
        what: What the units are.
        freedom: The degrees of freedom.
    """

    table: DriverTable
    sample: Standardized
    matrix: FloatArray
    derived: Derived
    units: int
    what: str
    freedom: float

    @classmethod
    def of(
        cls,
        table: DriverTable,
        method: DriverMethod,
        *,
        weight: FloatArray | None,
        units: int,
        means: int,
        what: str,
    ) -> Analysis:
        """Analyse a table.

        Args:
            table: The table.
            method: How importance is shared out.
            weight: The weight of every row; None means that all count the same.
            units: How many independent units the rows come from.
            means: How many means are taken off them.
            what: What the units are.

        Raises:
            MethodError: If there are too few units, or a column does not vary.
        """
        drivers = len(table.names) - 1
        if units <= drivers + means:
            raise MethodError(
                f"{drivers} drivers need complete answers of {drivers + means + 1} or more {what}, "
                f"got {units}; leave drivers out",
                argument="drivers",
            )
        sample = Standardized.of(table.columns, weight, table.names)
        matrix = sample.correlations()
        importance = {"johnson": johnson, "shapley": shapley}[method]
        return cls(
            table=table,
            sample=sample,
            matrix=matrix,
            derived=derived_together([part(matrix) for part in (importance, slopes, with_outcome)]),
            units=units,
            what=what,
            freedom=float(units - means - drivers),
        )

    def influence(self) -> FloatArray:
        """Return the influence of every row, (n, 3 k)."""
        return self.sample.influence(self.derived, self.matrix)

    def clustered(self, design: Design, cluster: IntArray, labels: Labels) -> Factor:
        """Return the factor of `derived` where rows come from these clusters of a design, (n,)."""
        used, position = np.unique(cluster, return_inverse=True)
        sums = group_sums(self.influence(), position, len(used))
        gather = sparse.csr_array(
            (design.stretch[used], (used, np.arange(len(used)))), (len(labels), len(used))
        )
        matrix, strata = gather @ sparse.csr_array(sums), design.strata()
        means = sparse.diags_array(design.centred) @ (strata.T @ matrix)
        return StoredFactor({CLUSTERS: Block(labels, matrix, strata, means)})

    def by_outcome(self) -> FloatArray:
        """Return the derivatives by every row's outcome, (3 k, n)."""
        spread = float(self.table.columns[:, -1].std())
        return self.sample.by_outcome(self.derived, self.matrix, spread)

    def result(
        self,
        study: Study,
        factor: Factor,
        *,
        choices: Choices,
        unit: Unit,
        ceiling: float | None = None,
        notices: tuple[Notice, ...] = (),
    ) -> DriverResult:
        """Put the result together; `factor` is that of the covariance of `derived`."""
        values = self.derived.values
        known = ~np.isnan(values)
        blocks = factor.columns(np.arange(len(values)))
        variance = covariance(blocks, blocks).toarray().diagonal()
        every = Estimates(
            values=values,
            # Rounding can leave -1e-18 where 0 is meant.
            variance=np.where(known, np.maximum(variance, 0.0), np.nan),
            degrees_of_freedom=np.where(known, self.freedom, 0.0),
            factor=factor,
            level=choices.level,
            lower=-np.inf,
            upper=np.inf,
        )
        table, count = self.table, len(self.table.drivers)
        importance, slope, alone = (
            every.select(slice(first, first + count)) for first in range(0, 3 * count, count)
        )
        p = p_values(slope)
        return DriverResult(
            study=study,
            outcome=table.names[-1],
            drivers=table.drivers,
            method=choices.method,
            unit=unit,
            importance=attrs.evolve(importance, lower=0.0, upper=1.0),
            slopes=slope,
            correlations=attrs.evolve(alone, lower=-1.0, upper=1.0),
            p=p,
            adjusted_p=adjust_p_values(p, method=choices.adjustment),
            adjustment=choices.adjustment,
            considered=table.considered,
            used=len(table.rows),
            missing=table.missing[:-1],
            ceiling=ceiling,
            notices=(*self._notices(unit), *notices),
        )

    def _notices(self, unit: Unit) -> list[Notice]:
        table, notices = self.table, []
        left_out = table.considered - len(table.rows)
        if left_out:
            message = (
                f"{left_out:,} of {table.considered:,} {unit} lack the outcome or a driver: left "
                "out"
            )
            lacking = [
                name for name, count in zip(table.names, table.missing, strict=True) if count
            ]
            notices.append(Notice(code="incomplete rows", message=message, keys=tuple(lacking)))
        slope = self.derived.values[len(table.drivers) : 2 * len(table.drivers)]
        if np.isnan(slope).any():
            message = "drivers that determine each other have no slopes; their importance is shared"
            together = np.array(table.drivers)[np.isnan(slope)].tolist()
            notices.append(Notice(code="collinear drivers", message=message, keys=tuple(together)))
        if self.units < _FEW:
            message = (
                f"{self.units} {self.what} are few: R squared comes out too high, and intervals of "
                "importance are somewhat too short"
            )
            notices.append(Notice(code="few units", message=message))
        return notices


@attrs.frozen(kw_only=True, eq=False)
class ScoreErrors:
    """The sampling errors of the scores that are the outcome.

    Attributes:
        scores: The scores, an unknown error counted as none.
        own: The variance of every score's error around the mean error, (n,).
        unknown: Whose error is not known, (n,).
    """

    scores: Estimates
    own: FloatArray
    unknown: NDArray[np.bool_]

    @classmethod
    def of(cls, scores: Estimates) -> ScoreErrors:
        """Take the errors of scores (n,)."""
        unknown = np.isnan(scores.variance)
        known = attrs.evolve(scores, variance=np.where(unknown, 0.0, scores.variance))
        mean = known.transform(np.full((1, known.size), 1.0 / known.size))
        own = known.variance - 2.0 * known.covariance(mean)[:, 0] + mean.variance
        return cls(scores=known, own=np.maximum(own, 0.0), unknown=unknown)

    @property
    def ceiling(self) -> float | None:
        """The share of the scores' variance that is no error; None where no error is known."""
        if self.unknown.all():
            return None
        return max(0.0, 1.0 - float(self.own.mean() / self.scores.values.var()))

    def factor(self, influence: FloatArray, by_outcome: FloatArray) -> Factor:
        """Return the factor of numbers (m,) that are computed from the scores.

        An organization's influence holds the own error of its score. That is taken off, and the
        errors of all scores with their covariances are put in its place.

        Args:
            influence: Of every organization, (n, m).
            by_outcome: The derivatives by the scores, (m, n).
        """
        between = influence.T @ influence - (by_outcome * self.own) @ by_outcome.T
        eigenvalues, vectors = np.linalg.eigh(between)
        rows = np.sqrt(np.maximum(eigenvalues, 0.0))[:, None] * vectors.T
        numbers = np.arange(len(rows))
        # A name that equals no other: other scores of the same organizations share errors alone.
        blocks: Blocks = {object(): Block(numbers, sparse.csr_array(rows))}
        errors = self.scores.transform(by_outcome).factor
        return StoredFactor({**blocks, **errors.columns(numbers)})

    def notices(self, keys: NDArray[np.str_]) -> tuple[Notice, ...]:
        """Say whose error is not known."""
        if not self.unknown.any():
            return ()
        message = (
            "scores whose sampling error is not known count as exact: the most that can be "
            "explained is lower than it seems"
        )
        return (Notice(code="taken as exact", message=message, keys=tuple(keys[self.unknown])),)
