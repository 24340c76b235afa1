"""Why totals cannot be met: which categories conflict, and the tightest bounds that can be met."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray
from sotongindex._calibration_kernel import Constraints

__all__ = ["conflict"]

_SHOWN = 6
_TOLERANCE = 1e-7  # what a linear program is sure of


@attrs.frozen(kw_only=True, eq=False)
class _Program:
    """The weights of a group's cells as unknowns of a linear program.

    Attributes:
        matrix: Totals by cell, (p, c).
        totals: What they shall be, (p,).
        is_whole: Whether weights add up to 1, whatever totals are met.
        unit: What bounds are multiples of, (c,).
        bounds: The lowest and the highest multiple.
    """

    matrix: sparse.csr_array
    totals: FloatArray
    is_whole: bool
    unit: FloatArray
    bounds: tuple[float, float]

    def nearest(self) -> FloatArray:
        """Return the totals nearest to those wanted that any weights have, (p,)."""
        rows, cells = self.matrix.shape
        slack = sparse.eye_array(rows)
        matrix, totals = sparse.hstack([self.matrix, slack, -slack]), self.totals
        if self.is_whole:
            ones = sparse.csr_array(np.repeat([[1.0, 0.0]], [cells, 2 * rows], axis=1))
            matrix, totals = sparse.vstack([matrix, ones]), np.append(totals, 1.0)
        found = _solved(
            np.concatenate([np.zeros(cells), np.ones(2 * rows)]), equal=(matrix, totals)
        )
        return self.totals if found is None else self.matrix @ found[:cells]

    def miss(self) -> float:
        """Return the largest miss of these totals."""
        return float(np.abs(self.nearest() - self.totals).max(initial=0.0))

    def without(self, rows: NDArray[np.bool_]) -> _Program:
        """Return the program without some totals."""
        return attrs.evolve(self, matrix=self.matrix[~rows], totals=self.totals[~rows])

    def lowest_upper(self, low: float) -> float | None:
        """Return the lowest upper bound that can be met with this lower one; None if none can."""
        return self._extreme(1, low)

    def highest_lower(self, high: float) -> float | None:
        """Return the highest lower bound that can be met with this upper one; None if none can."""
        return self._extreme(-1, high)

    def _extreme(self, sign: int, other: float) -> float | None:
        """Return the least multiple that is no bound from above (1), or the greatest from below."""
        rows, cells = self.matrix.shape
        eye, column = sparse.eye_array(cells), sparse.csr_array(self.unit[:, None])
        fixed = other * self.unit
        found = _solved(
            np.concatenate([np.zeros(cells), [sign]]),
            equal=(sparse.hstack([self.matrix, sparse.csr_array((rows, 1))]), self.totals),
            below=sign * sparse.hstack([eye, -column]),
            bounds=np.column_stack(
                [
                    np.append(fixed if sign > 0 else np.zeros(cells), 0.0),
                    np.append(fixed if sign < 0 else np.full(cells, np.inf), np.inf),
                ]
            ),
        )
        return None if found is None else float(found[-1])


def _solved(
    cost: FloatArray,
    *,
    equal: tuple[sparse.csr_array, FloatArray],
    below: sparse.csr_array | None = None,
    bounds: FloatArray | None = None,
) -> FloatArray | None:
    """Return the cheapest unknowns, or None where there are none."""
    from scipy import optimize  # noqa: PLC0415  # slow to import, and rarely needed

    result = optimize.linprog(
        cost,
        A_eq=equal[0],
        b_eq=equal[1],
        A_ub=below,
        b_ub=None if below is None else np.zeros(below.shape[0]),
        bounds=(0, None) if bounds is None else bounds,
        method="highs",
    )
    return result.x if result.success else None


def conflict(
    constraints: Constraints,
    group: int,
    *,
    weight: FloatArray,
    totals: FloatArray,
    names: Sequence[tuple[str, str]],
    bounded: tuple[FloatArray, tuple[float, float]] | None,
) -> str:
    """Return in words why the totals of a group cannot be met.

    Args:
        constraints: The calibration variables of all groups.
        group: The group.
        weight: The starting weights of all cells, (c,).
        totals: What was wanted, (p,).
        names: Variable and category of every column, (p,).
        bounded: What bounds are multiples of, (c,), and which multiples; None where there are no
            bounds or two kinds.
    """
    rows = np.flatnonzero(constraints.cell_group == group)
    columns = np.flatnonzero(constraints.group == group)
    part = constraints.variables[rows][:, columns].T
    size = constraints.sizes(weight[:, None], totals[:, None])[group, 0]
    largest = constraints.largest[columns]
    unit, bounds = bounded or (np.ones(len(weight)), (0.0, np.inf))
    program = _Program(
        matrix=sparse.csr_array(part.multiply(1 / largest[:, None])),
        totals=totals[columns] / (size * largest),
        is_whole=bool((constraints.margin == 0).any()),
        unit=unit[rows] / size,
        bounds=bounds,
    )
    if program.miss() > _TOLERANCE:
        return _contradiction(program, largest, [names[column] for column in columns.tolist()])
    if bounded is None:
        return "they can only be met with weights of 0, or huge ones, or beyond the bounds"
    return _tightest(program)


def _contradiction(program: _Program, largest: FloatArray, names: Sequence[tuple[str, str]]) -> str:
    """Return the totals nearest to those wanted, and which variables stand in the way."""
    nearest = program.nearest()
    miss = np.abs(nearest - program.totals)
    worst = sorted(range(len(miss)), key=lambda k: -miss[k])
    told = ", ".join(
        f"{' '.join(map(repr, filter(None, names[k])))} {nearest[k] * largest[k]:.5g} instead of "
        f"{program.totals[k] * largest[k]:.5g}"
        for k in worst[: min(_SHOWN, int((miss > _TOLERANCE).sum()))]
    )
    variables = [variable for variable, _ in names]
    guilty = [
        repr(one)
        for one in dict.fromkeys(variables)
        if program.without(np.array([one == variable for variable in variables])).miss()
        <= _TOLERANCE
    ]
    way_out = f"; they can be met without {' or without '.join(guilty)}" if guilty else ""
    return f"no weights of these respondents meet all margins, the nearest: {told}{way_out}"


def _tightest(program: _Program) -> str:
    """Return the tightest bounds that can be met: one moved, or if that is not enough both."""
    low, high = program.bounds
    ways = _ways(program, low, high) or _ways(program, 0.0, np.inf)
    return (
        f"the bounds ({low:g}, {high:g}) are too tight; the tightest that can be met: "
        + " or ".join(ways)
    )


def _ways(program: _Program, low: float, high: float) -> list[str]:
    """Return the bounds that can be met, told on the side on which they can."""
    upper, lower = program.lowest_upper(low), program.highest_lower(high)
    ways = []
    if upper is not None:
        ways.append(f"({low:g}, {np.ceil(1000 * upper) / 1000:g})")
    if lower is not None:
        ways.append(f"({np.floor(1000 * lower) / 1000:g}, {high:g})")
    return ways
