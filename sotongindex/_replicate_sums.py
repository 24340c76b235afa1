"""Sums of jackknife replicates whose weights are calibrated again: what leaves no trace in a tally.

Leaving out group g changes the weights of everybody. With starting weights w, cells c and ratios
f_g[c] of new to old weight, a sum over the respondents of the replicate is the sum over cells of
f_g[c] times the sum of w, less the sum of w f_g over group g itself: two small tables, not a table
for every group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, Groups, IntArray, read_only
from sotongindex._sums import Sums, add_rows
from sotongindex.errors import MethodError

__all__ = ["ReplicateSums", "left_out", "refuse_several_groups"]


def _array(array: NDArray[np.float64]) -> FloatArray:
    return read_only(array)


@attrs.frozen(kw_only=True, eq=False)
class ReplicateSums:
    r"""Sums of answers in every replicate of a grouped jackknife of calibrated weights.

    Replicate :math:`g` leaves out group :math:`g`, scales the starting weights of the others by
    :math:`G/(G-1)`, and calibrates them again.

    Axes: u units (an organization on a channel), g groups, i items.

    Attributes:
        unit: Organization times the number of channels, plus channel, ascending, (u,).
        answer_weight: Sum of the weights of the answers in every replicate, (u, g, i).
        points: Sum of weight times points, (u, g, i).
    """

    unit: IntArray
    answer_weight: FloatArray = attrs.field(converter=_array)
    points: FloatArray = attrs.field(converter=_array)

    @classmethod
    def of(cls, by_cell: Sums, own: Sums, ratios: FloatArray) -> ReplicateSums:
        """Make the sums of replicates.

        Args:
            by_cell: Sums by unit and calibration cell, of starting weights.
            own: Sums by unit and group, of the weights that a group has in its own replicate.
            ratios: New by old weight in every replicate, (cells, g).
        """
        cells, groups = ratios.shape
        unit, cell = np.divmod(by_cell.keys, cells)
        grouped = Groups.of(unit)
        at, group = np.divmod(own.keys, groups)
        place = np.searchsorted(grouped.keys, at)

        def replicated(values: FloatArray, of_group: FloatArray) -> FloatArray:
            sums = np.empty((len(grouped), groups, values.shape[1]))
            for number, (_, rows) in enumerate(grouped.stretches()):
                sums[number] = ratios[cell[rows]].T @ values[rows]
            sums[place, group] -= of_group
            sums *= groups / (groups - 1)
            return sums

        return cls(
            unit=grouped.keys,
            answer_weight=replicated(by_cell.answer_weight, own.answer_weight),
            points=replicated(by_cell.points, own.points),
        )

    @classmethod
    def merged(cls, parts: Sequence[ReplicateSums]) -> ReplicateSums:
        """Add up the replicates of several samples, each calibrated by itself."""
        grouped = Groups.of(np.concatenate([part.unit for part in parts]))

        def added(arrays: Sequence[FloatArray]) -> FloatArray:
            return add_rows(np.concatenate(arrays), grouped)

        return cls(
            unit=grouped.keys,
            answer_weight=added([part.answer_weight for part in parts]),
            points=added([part.points for part in parts]),
        )


def refuse_several_groups(respondents: int) -> None:
    """Raise where respondents, who are weighted as one, are left out with several groups."""
    if respondents:
        raise MethodError(
            f"{respondents} respondents are in several jackknife groups; give them one cluster "
            "each",
            argument="group",
        )


def left_out(sums: NDArray[Any]) -> FloatArray:
    """Return what sums (k, g) of groups are with each group left out and the others scaled up."""
    groups = sums.shape[1]
    others = (1.0 - np.eye(groups)) * (groups / (groups - 1))
    # A product, for a difference would leave a trace of rounding where nothing is left.
    left: FloatArray = sums @ others
    return left
