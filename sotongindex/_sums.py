"""Sums by unit and jackknife group: what every tally holds, and how such sums add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, Groups, IntArray
from sotongindex.errors import MethodError

__all__ = ["KeepsNoRespondents", "Sums", "add_rows", "check_respondents_kept"]


class KeepsNoRespondents:
    """What holds sums over respondents, in rooms above that others below have to refuse."""

    __slots__ = ()


def check_respondents_kept(answers: object, argument: str) -> None:
    """Raise where there are sums instead of answers."""
    if isinstance(answers, KeepsNoRespondents):
        raise MethodError(
            f"this needs the respondents, and a {type(answers).__name__.lower()} keeps none; give "
            "the responses that it was made of",
            argument=argument,
        )


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
        first = attrs.asdict(parts[0], recurse=False)
        summed = {
            name: add_rows(np.concatenate([getattr(part, name) for part in parts]), groups)
            for name, values in first.items()
            if name != "keys" and values is not None
        }
        return cls(keys=groups.keys, **summed)


def add_rows(values: NDArray[Any], groups: Groups) -> NDArray[Any]:
    """Add up the rows of values (n, ...) within groups, (g, ...)."""
    if len(groups) == len(values):  # every row is a group of its own
        return values[groups.order]
    result = np.zeros((len(groups), *values.shape[1:]), dtype=values.dtype)
    np.add.at(result, groups.rank, values[groups.order])
    return result
