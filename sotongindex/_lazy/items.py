"""One item's answers in a lazy table: which columns are added up, and what their sums mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._frames import Frame, Numbers, Text
from sotongindex.models import Scale

__all__ = ["ItemSums", "sum_in", "texts_in"]


@attrs.frozen(kw_only=True, eq=False)
class ItemSums:
    """The answers to one item in one column, and the sums that are asked of them.

    Attributes:
        position: The position of the item.
        scale: Its scale.
        reverse: Whether a high answer is a bad one.
        answer: The answers as numbers.
        weight: The weights, or None.
        exact: Whether answers are whole numbers, whose sums have no rounding.
        categories: The answers that are counted.
    """

    position: int
    scale: Scale
    reverse: bool
    answer: nw.Expr
    weight: nw.Expr | None
    exact: bool
    categories: Sequence[int]

    def columns(self) -> Mapping[str, nw.Expr]:
        """Return what is added up, by name: sums of plain columns are what every engine can."""
        given = ~self.answer.is_null()
        columns = {"gain": self._weighted(self._gain())}
        if self.weight is not None:
            columns["weight"] = nw.when(given).then(self.weight)
        for category in self.categories:
            counted = nw.when(self.answer == category).then(1.0)
            columns[f"category {category}"] = self._weighted(counted)
        return {self._name(name): column for name, column in columns.items()}

    def read(self, answer: Frame) -> dict[str, NDArray[Any]]:
        """Return answers, their weight and points, and frequencies where asked, of every row."""
        count = sum_in(answer, self._name("count"))
        weight = count if self.weight is None else sum_in(answer, self._name("weight"))
        gain = sum_in(answer, self._name("gain"))
        if self._shifts_later:
            gain = gain - self.scale.low * count
        points = gain * self._factor
        found = {
            "answers": count.astype(np.int64),
            "answer_weight": weight,
            "points": 100.0 * weight - points if self.reverse else points,
        }
        if self.categories:
            counts = [sum_in(answer, self._name(f"category {one}")) for one in self.categories]
            found["frequencies"] = np.stack(counts, axis=1)
        return found

    def aggregates(self) -> list[nw.Expr]:
        """Return the sums over the columns, and the count of answers."""
        sums = [nw.col(name).sum() for name in self.columns()]
        return [*sums, nw.col(self._name("gain")).count().alias(self._name("count"))]

    def _name(self, what: str) -> str:
        return f"{what} of {self.position}"

    @property
    def _shifts_later(self) -> bool:
        """Whether the low end of a linear scale is taken off the sum: exact, and less to do."""
        return self.scale.conversion == "linear" and self.exact and self.weight is None

    @property
    def _factor(self) -> float:
        """What one unit of gain is in points."""
        if self.scale.conversion == "linear":
            return 100.0 / (self.scale.high - self.scale.low)
        return 100.0 / self.scale.high if self.scale.conversion == "fraction of top" else 100.0

    def _gain(self) -> nw.Expr:
        if self.scale.conversion == "top box":
            in_box = self.answer > self.scale.high - (self.scale.boxes or 0)
            # In Dask a comparison with "no answer" is false, not unknown.
            return nw.when(~self.answer.is_null()).then(in_box.cast(nw.Int64))
        if self.scale.conversion == "linear" and not self._shifts_later:
            return self.answer.cast(nw.Float64) - self.scale.low
        return self.answer

    def _weighted(self, column: nw.Expr) -> nw.Expr:
        return column if self.weight is None else column.cast(nw.Float64) * self.weight


def sum_in(answer: Frame, name: str) -> FloatArray:
    """Return a column of sums of an answer; a sum over nothing is 0."""
    column = answer.column(name)
    if not isinstance(column, Numbers):  # all of them null
        return np.zeros(answer.rows)
    values: FloatArray = np.where(column.is_null, 0.0, column.values.astype(np.float64))
    return values


def texts_in(answer: Frame, name: str) -> tuple[str, ...]:
    """Return the text in every row of an answer, "" where it is missing."""
    column = answer.column(name)
    if not isinstance(column, Text):
        return ("",) * answer.rows
    labels = [*map(str, column.labels), ""]
    return tuple(labels[code] for code in column.codes.tolist())
