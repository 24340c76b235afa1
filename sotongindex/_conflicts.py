"""Why totals cannot be met: which categories conflict, and the tightest bounds that can be met."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
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
        totals: What they shall be, shares, (p,).
        unit: What bounds are multiples of, (c,).
        bounds: The lowest and the highest multiple.
    """

    matrix: sparse.csr_array
    totals: FloatArray
    unit: FloatArray
    bounds: tuple[float, float]

    def nearest(self) -> FloatArray:
        """Return the totals nearest to those wanted that any weights have, (p,)."""
        rows, cells = self.matrix.shape
        slack = sparse.eye_array(rows)
        found = _solved(
            np.concatenate([np.zeros(cells), np.ones(2 * rows)]),
            equal=(sparse.hstack([self.matrix, slack, -slack]), self.totals),
        )
        return self.totals if found is None else self.matrix @ found[:cells]

    def lowest_upper(self) -> float | None:
        """Return the lowest upper bound with which the lower can be met; None if there is none."""
        return self._extreme(1, self.bounds[0])

    def highest_lower(self) -> float | None:
        """Return the highest lower bound with which the upper can be met; None if there is none."""
        return self._extreme(-1, self.bounds[1])

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
                    np.append(np.full(cells, np.inf) if sign > 0 else fixed, np.inf),
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
    names: Sequence[str],
    bounded: tuple[FloatArray, tuple[float, float]] | None,
) -> str:
    """Return in words why the totals of a group cannot be met.

    Args:
        constraints: The calibration variables of all groups.
        group: The group.
        weight: The starting weights of all cells, (c,).
        totals: What was wanted, (p,).
        names: What the columns are called, (p,).
        bounded: What bounds are multiples of, (c,), and which multiples; None without bounds.
    """
    rows = np.flatnonzero(constraints.cell_group == group)
    columns = np.flatnonzero(constraints.group == group)
    part = constraints.variables[rows][:, columns].T
    size = constraints.sizes(weight[:, None], totals[:, None])[group, 0]
    scale = size * np.maximum(np.abs(part).max(axis=1).toarray(), 1e-300)
    unit, bounds = bounded or (np.ones(len(weight)), (0.0, np.inf))
    program = _Program(
        matrix=sparse.csr_array(part.multiply(1 / scale[:, None])),
        totals=totals[columns] / scale,
        unit=unit[rows],
        bounds=bounds,
    )
    nearest = program.nearest()
    miss = np.abs(nearest - program.totals)
    if miss.max() > _TOLERANCE:
        order = np.argsort(-miss)[: min(_SHOWN, int((miss > _TOLERANCE).sum()))]
        told = ", ".join(
            f"{names[columns[k]]} {nearest[k]:.4g} instead of {program.totals[k]:.4g}"
            for k in order
        )
        return f"the margins contradict each other for these respondents; nearest would be {told}"
    if bounded is None:
        return "they can only be met if some respondents get a weight of 0 or a huge one"
    upper, lower = program.lowest_upper(), program.highest_lower()
    # A bound is told on the side on which it can be met.
    tight = [
        f"an upper of {np.ceil(1000 * upper) / 1000:g} with a lower of {bounds[0]:g}"
        if upper is not None
        else "",
        f"a lower of {np.floor(1000 * lower) / 1000:g} with an upper of {bounds[1]:g}"
        if lower is not None
        else "",
    ]
    told = " or ".join(text for text in tight if text)
    return "the bounds are too tight; the tightest that can be met: " + (told or "none like these")
