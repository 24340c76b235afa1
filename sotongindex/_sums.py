"""Sums by unit and jackknife group: what every tally holds, and how such sums add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, Groups, IntArray

__all__ = ["Sums", "add_alike", "add_rows"]


@attrs.frozen(kw_only=True, eq=False)
class Sums:
    """Sums of evaluations, one row for every unit and jackknife group that occurs.

    Attributes:
        keys: Organization, channel and jackknife group as one number, ascending, (r,).
        evaluations: Number of evaluations, (r,).
        weight: Sum of the evaluations' weights, (r,).
        squared_weight: Sum of their squares, (r,).
        answers: Number of answers, (r, i).
        answer_weight: Sum of the weights of the answers, (r, i).
        points: Sum of weight times points, (r, i).
        frequencies: Sum of weights by answer category, (r, i, k), or None.
    """

    keys: IntArray
    evaluations: IntArray
    weight: FloatArray
    squared_weight: FloatArray
    answers: IntArray
    answer_weight: FloatArray
    points: FloatArray
    frequencies: FloatArray | None = None

    @classmethod
    def merged(cls, parts: Sequence[Sums]) -> Sums:
        """Add up the rows of the same key; there is at least one part, and all have the same."""
        groups = Groups.of(np.concatenate([part.keys for part in parts]))
        names = [
            name
            for name, values in attrs.asdict(parts[0], recurse=False).items()
            if name != "keys" and values is not None
        ]
        return cls(keys=groups.keys, **add_alike(parts, groups, names=names))


def add_alike(
    parts: Sequence[Any], groups: Groups, *, names: Sequence[str]
) -> dict[str, NDArray[Any]]:
    """Add up the arrays of the same name, one part's rows after another's, within groups."""
    return {
        name: add_rows(np.concatenate([getattr(part, name) for part in parts]), groups)
        for name in names
    }


def add_rows(values: NDArray[Any], groups: Groups) -> NDArray[Any]:
    """Add up the rows of values (n, ...) within groups, (g, ...)."""
    if len(groups) == len(values):  # every row is a group of its own
        return values[groups.order]
    result = np.zeros((len(groups), *values.shape[1:]), dtype=values.dtype)
    np.add.at(result, groups.rank, values[groups.order])
    return result
