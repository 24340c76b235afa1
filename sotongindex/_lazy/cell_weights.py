"""Weights of a lazy table: a factor for every cell, which the engine looks up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import narwhals as nw
import numpy as np

from sotongindex._arrays import FloatArray, IntArray, read_only
from sotongindex._calibrated import Calibration
from sotongindex._calibration_report import CalibrationReport
from sotongindex._columns import rows_from_columns
from sotongindex._lazy.columns import category_of, start_of
from sotongindex._lazy.engine import LazyTable, Query
from sotongindex._lazy.items import sum_in, texts_in
from sotongindex.errors import CalibrationError, MethodError

__all__ = ["CellWeights", "Lookup"]

_BETWEEN = "\x1f"  # the separator of units in ASCII, which categories do not hold
_SHOWN = 5


def _respondents(array: IntArray) -> IntArray:
    return read_only(array)


@attrs.frozen(kw_only=True, eq=False)
class CellWeights:
    """Weights for the rows of a lazy frame: the starting weight times a factor for every cell.

    Respondents of one cell share all that weighting looks at. Cells and factors are here, the rows
    stay in the engine.

    Attributes:
        report: How it went.
        calibration: How they were made; its units are the cells.
        cells: For every column the category of every cell, "" where it is missing.
        respondents: How many respondents a cell has, (cells,).
        weight: The column with the starting weights; None where all are 1.
        respondent: The column with the respondent; None where every row is one.
        by: The column with the groups; None where there is one.
        table: The frame.
    """

    report: CalibrationReport
    calibration: Calibration
    cells: Mapping[str, tuple[str, ...]]
    respondents: IntArray = attrs.field(converter=_respondents)
    weight: str | None
    respondent: str | None
    by: str | None
    table: LazyTable = attrs.field(repr=False)

    @property
    def factor(self) -> FloatArray:
        """New by old weight of every cell, (cells,)."""
        return self.calibration.ratio

    def weighted(self, frame: object = None, *, name: str = "weight") -> Any:
        """Return a lazy frame with the weights as a column.

        Nothing is computed but, for another frame, whether all its rows are in cells that were
        weighted.

        Args:
            frame: Another lazy frame with the same columns; default the one that was weighted.
            name: The name of the column; one of this name is replaced.

        Returns:
            A lazy frame of the same engine.

        Raises:
            CalibrationError: If rows of another frame are in other cells, or have no starting
                weight; it names the cells.
            MethodError: If it is no lazy frame, or lacks a column.
            EngineError: If the engine fails; its own error is the cause.
        """
        table = self.table
        if frame is not None:
            found = LazyTable.of(frame)
            if found is None:
                raise MethodError(
                    f"expected a lazy frame, got a {type(frame).__name__}", argument="frame"
                )
            table = found
        lookup = Lookup.of(self, table)
        if frame is not None:
            lookup.check()
        return table.frame.with_columns(lookup.weight.alias(name)).to_native()

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every cell: its categories, respondents and factor."""
        own = {"respondents": self.respondents, "factor": self.factor}
        return rows_from_columns({**self.cells, **own})

    def __str__(self) -> str:
        return str(self.report)


@attrs.frozen(kw_only=True, eq=False)
class Lookup:
    """The cells of weights in a lazy table.

    Attributes:
        table: The table.
        texts: The categories of every cell in one text.
        factor: New by old weight of every cell.
        keys: The columns that tell cells apart, as text.
        start: The starting weight of a row; None where all are 1.
    """

    table: LazyTable
    texts: Sequence[str]
    factor: FloatArray
    keys: Mapping[str, nw.Expr]
    start: nw.Expr | None

    @classmethod
    def of(cls, weights: CellWeights, table: LazyTable) -> Lookup:
        """Find the columns of weights in a table.

        Raises:
            MethodError: If the table lacks a column.
        """
        wanted = [*weights.cells, weights.weight, weights.respondent]
        absent = [name for name in wanted if name is not None and name not in table.kinds]
        if absent:
            raise MethodError(
                f"the frame has no column {absent[0]!r}, which was weighted by; there are: "
                f"{', '.join(map(repr, table.kinds))}",
                argument="frame",
            )
        return cls(
            table=table,
            texts=[*map(_BETWEEN.join, zip(*weights.cells.values(), strict=True))],
            factor=weights.factor,
            keys={name: category_of(table, name) for name in weights.cells},
            start=None if weights.weight is None else start_of(table, weights.weight),
        )

    @property
    def cell(self) -> nw.Expr:
        """The number of a row's cell; null where it was not weighted."""
        return self._found([*range(len(self.texts))], nw.Int64)

    @property
    def weight(self) -> nw.Expr:
        """The new weight of a row; null where its cell was not weighted."""
        return self.times_start(self._found(self.factor.tolist(), nw.Float64))

    def times_start(self, factor: nw.Expr) -> nw.Expr:
        """Return the starting weight times a factor."""
        return factor if self.start is None else factor * self.start

    def places(self, labels: Mapping[str, Sequence[str]]) -> IntArray:
        """Return the number of the cell of every row of labels; -1 where it was not weighted."""
        place = {text: number for number, text in enumerate(self.texts)}
        rows = zip(*(labels[name] for name in self.keys), strict=True)
        return np.array([place.get(_BETWEEN.join(row), -1) for row in rows], dtype=np.int64)

    def check(self) -> None:
        """Ask whether all rows of the table have a weight.

        Raises:
            CalibrationError: If they have not.
        """
        text, weight = self._text, self.weight

        def build(frame: Query) -> Query:
            lost = frame.select(cell=text, weight=weight).filter(nw.col("weight").is_null())
            return lost.group_by("cell").agg(nw.len().alias("rows"))

        answer = self.table.ask(build)
        if answer.rows == 0:
            return
        counts = sum_in(answer, "rows").tolist()
        cells = [text.replace(_BETWEEN, " x ") for text in texts_in(answer, "cell")]
        ranked = sorted(zip(counts, cells, strict=True), reverse=True)
        told = ", ".join(f"{cell or '(missing)'!r}: {count:g}" for count, cell in ranked[:_SHOWN])
        raise CalibrationError(
            f"{sum(counts):g} rows have no weight ({told}): nobody in their cell was weighted, or "
            "they have no starting weight; weight this frame for itself",
            variable=" x ".join(self.keys),
            categories=[cell for _, cell in ranked],
            counts=[count for count, _ in ranked],
        )

    @property
    def _text(self) -> nw.Expr:
        """The categories of a row's cell in one text."""
        keys = [*self.keys.values()]
        return keys[0] if len(keys) == 1 else nw.concat_str(*keys, separator=_BETWEEN)

    def _found(self, values: Sequence[float], kind: type[nw.Int64 | nw.Float64]) -> nw.Expr:
        """Return what belongs to a row's cell, of one value a cell."""
        return self._text.replace_strict(self.texts, values, default=None, return_dtype=kind)
