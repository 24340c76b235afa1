"""Cells of a lazy table: respondents who share every value that weighting looks at, counted."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import narwhals as nw
import numpy as np

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._lazy.engine import LazyTable, Query
from sotongindex._lazy.items import sum_in, texts_in

__all__ = ["CellQuery", "CellSums"]

_NO_WEIGHT = -1.0


@attrs.frozen(kw_only=True, eq=False)
class CellSums:
    """The cells that occur, with sums over their respondents. Arrays are (c,).

    Attributes:
        labels: For every column the text of every cell.
        times: How many respondents a cell has.
        weight: Their starting weights together.
        squares: The squares of their weights together.
        lowest: The lowest weight.
        highest: The highest weight.
        faulty: How many have a weight that is not above 0 and finite.
        differing: For every column, and "weight", how many have different values in different rows.
    """

    labels: Mapping[str, tuple[str, ...]]
    times: IntArray
    weight: FloatArray
    squares: FloatArray
    lowest: FloatArray
    highest: FloatArray
    faulty: int
    differing: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.times)


@attrs.frozen(kw_only=True, eq=False)
class CellQuery:
    """What is asked of an engine to count cells.

    Attributes:
        table: The lazy frame.
        keys: Every column that tells cells apart, as text.
        weight: The starting weight of every row; None where all are 1.
        respondent: The column with the respondent; None where every row is one.
        within: The column within which a respondent is one; None where there is none.
    """

    table: LazyTable
    keys: Mapping[str, nw.Expr]
    weight: nw.Expr | None = None
    respondent: str | None = None
    within: str | None = None

    def run(self, most: int) -> CellSums:
        """Ask the engine, for one cell more than `most` at most.

        Raises:
            EngineError: If the engine fails.
        """
        answer = self.table.ask(lambda frame: self._counted(frame).head(most + 1))
        return CellSums(
            labels={name: texts_in(answer, key) for name, key in self._names.items()},
            times=sum_in(answer, "times").astype(np.int64),
            weight=sum_in(answer, "weight sum"),
            squares=sum_in(answer, "squares"),
            lowest=sum_in(answer, "lowest"),
            highest=sum_in(answer, "highest"),
            faulty=int(sum_in(answer, "faulty").sum()),
            differing={
                name: int(sum_in(answer, f"differing {column}").sum())
                for name, column in self._compared.items()
            },
        )

    @property
    def _names(self) -> dict[str, str]:
        """The names of the keys in the query, which cannot be those of other columns."""
        return {name: f"key {place}" for place, name in enumerate(self.keys)}

    @property
    def _compared(self) -> dict[str, str]:
        """The columns that must be alike in all rows of a respondent, the weight first."""
        if self.respondent is None:
            return {}
        keys = {name: key for name, key in self._names.items() if name != self.within}
        return {"weight": "weight"} | keys

    def _counted(self, frame: Query) -> Query:
        """Count respondents by cell."""
        people = self._people(frame)
        weight = nw.col("weight")
        fits = (weight > 0) & weight.is_finite()
        people = people.with_columns(
            squared=weight * weight, faulty=nw.when(fits).then(nw.lit(0)).otherwise(nw.lit(1))
        )
        return people.group_by(*self._names.values()).agg(
            nw.len().alias("times"),
            weight.sum().alias("weight sum"),
            nw.col("squared").sum().alias("squares"),
            weight.min().alias("lowest"),
            weight.max().alias("highest"),
            nw.col("faulty", *(f"differing {name}" for name in self._compared.values())).sum(),
        )

    def _people(self, frame: Query) -> Query:
        """Return a row for every respondent, with what differs between the rows of each."""
        columns = {self._names[name]: text for name, text in self.keys.items()}
        columns["weight"] = (
            nw.lit(1.0) if self.weight is None else self.weight.fill_null(_NO_WEIGHT)
        )
        if self.respondent is None:
            return frame.select(**columns)
        rows = frame.select(respondent=nw.col(self.respondent), **columns)
        within = [] if self.within is None else [self._names[self.within]]
        compared = list(self._compared.values())
        people = rows.group_by("respondent", *within).agg(
            *(nw.col(name).min() for name in compared),
            *(nw.col(name).max().alias(f"most {name}") for name in compared),
        )
        return people.with_columns(
            **{
                f"differing {name}": nw.when(nw.col(name) == nw.col(f"most {name}"))
                .then(nw.lit(0))
                .otherwise(nw.lit(1))
                for name in compared
            }
        )
