"""Sums over the units that have both of two parts: what covariances are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray

__all__ = ["PairSums"]

Number = TypeVar("Number", np.float64, np.bool_)

# A difference of squares this small, as a share of the squares, is their rounding.
_ROUNDING = 1e-12


@attrs.frozen(kw_only=True, eq=False)
class PairSums:
    """Sums for every pair of parts i, j over the units that have both; each (..., k, k).

    Values are taken from a number near their mean, so that squares and products do not cancel.

    Attributes:
        units: How many units have both.
        weight: Sum of their weights.
        values: Sum of weight times the value of i.
        squares: Sum of weight times the squared value of i.
        products: Sum of weight times the value of i times that of j.
    """

    units: FloatArray
    weight: FloatArray
    values: FloatArray
    squares: FloatArray
    products: FloatArray

    @classmethod
    def of(cls, values: FloatArray, present: FloatArray, weights: FloatArray | None) -> PairSums:
        """Add up units: values (u, k), 0 where missing, and 1.0 or 0.0 for present or not."""
        parts = values.shape[1]
        columns = np.hstack([present, values, values**2])
        weighted = columns if weights is None else columns * weights[:, None]
        # One product for all, because threads that wait for each other cost more than numbers.
        sums = weighted.T @ columns[:, : 2 * parts]
        weight, first, squares = sums[:, :parts].reshape(3, parts, parts)
        return cls(
            units=weight if weights is None else present.T @ present,
            weight=weight,
            values=first,
            squares=squares,
            products=sums[parts : 2 * parts, parts:],
        )

    def mapped(self, change: Callable[[FloatArray], FloatArray]) -> PairSums:
        """Return the sums with every array changed alike."""
        arrays = attrs.asdict(self, recurse=False)
        return PairSums(**{name: change(array) for name, array in arrays.items()})

    def of_parts(self, at: NDArray[np.integer[Any]]) -> PairSums:
        """Return the sums of some parts."""
        return self.mapped(lambda sums: sums[..., at[:, None], at])

    def means(self) -> FloatArray:
        """Return the mean of i over the units that have both; NaN where none has."""
        return self._over_weight(self.values)

    def covariances(self) -> FloatArray:
        """Return the covariance of every pair (divisor n); NaN where no unit has both."""
        means = self.means()
        covariances: FloatArray = self._over_weight(self.products) - means * _turned(means)
        flat = self._flat()
        return np.where(flat | _turned(flat), 0.0, covariances)

    def correlations(self) -> FloatArray:
        """Return the correlation of every pair; NaN where a part does not differ, or none has both.

        Deviations are those of the units that have both, so it stays between -1 and 1.
        """
        squares = self._over_weight(self.squares) - self.means() ** 2
        variances = np.where(self._flat(), 0.0, squares)
        scale = np.sqrt(variances * _turned(variances))
        found = np.divide(
            self.covariances(), scale, out=np.full_like(scale, np.nan), where=scale > 0
        )
        correlations: FloatArray = np.clip(found, -1.0, 1.0)
        return correlations

    def _flat(self) -> NDArray[np.bool_]:
        """Return where i does not differ between the units that have i and j."""
        squares = self._over_weight(self.squares)
        return np.asarray(squares - self.means() ** 2 <= _ROUNDING * squares)

    def _over_weight(self, sums: FloatArray) -> FloatArray:
        """Return sums as means; NaN where no unit has both."""
        means: FloatArray = np.divide(
            sums, self.weight, out=np.full(sums.shape, np.nan), where=self.weight > 0
        )
        return means


def _turned(pairs: NDArray[Number]) -> NDArray[Number]:
    """Return j, i for i, j."""
    return np.swapaxes(pairs, -1, -2)
