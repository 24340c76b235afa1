"""Engines: lazy frames, what their columns hold, and failures that happen inside an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import attrs
import narwhals as nw
import numpy as np

from sotongindex._frames import Frame
from sotongindex._lazy.items import sum_in
from sotongindex.errors import EngineError, SotongIndexError

__all__ = ["Kind", "LazyTable", "Query"]

_TIMES = "times"
# Spark does not compile stages of more than 100 fields. In pieces of 48 sums it took 2.2 s for
# 1,000,000 sheets of 60 items; 4.9, 2.6 and 4.0 s in pieces of 12, 24 and all at once.
_MOST_SUMS = {"pyspark": 48, "pyspark[connect]": 48}

Kind: TypeAlias = Literal["whole", "number", "text", "day", "moment", "other"]
Query: TypeAlias = "nw.LazyFrame[Any]"


@attrs.frozen(kw_only=True, eq=False)
class LazyTable:
    """A table that an engine holds: it is asked for sums, never for its rows.

    Attributes:
        frame: The table.
        kinds: What every column holds, by name.
    """

    frame: Query
    kinds: Mapping[str, Kind]

    @classmethod
    def of(cls, frame: object) -> LazyTable | None:
        """Open a lazy frame that narwhals knows; None if `frame` is none.

        Raises:
            EngineError: If the engine cannot tell the columns.
        """
        table = nw.from_native(frame, pass_through=True)
        if not isinstance(table, nw.LazyFrame):
            return None
        with engine_failures(_name(table)):
            schema = table.collect_schema()
        return cls(frame=table, kinds={str(name): _kind(kind) for name, kind in schema.items()})

    @property
    def engine(self) -> str:
        """The name of the engine."""
        return _name(self.frame)

    @property
    def most_sums(self) -> int:
        """How many sums the engine is asked for at a time."""
        return _MOST_SUMS.get(self.engine, 10**6)

    def ask(self, build: Callable[[Query], Query]) -> Frame:
        """Run the query that `build` makes of the table, whose answer is small.

        Raises:
            EngineError: If the engine fails; its own error is the cause.
        """
        with engine_failures(self.engine):
            query = build(self.frame)
            if query.implementation.is_polars():
                # In pieces, so that files may be larger than memory.
                return Frame.of(query.collect(engine="streaming").to_native())
            return Frame.of(query.collect().to_native())

    def number(self, build: Callable[[Query], Query]) -> int:
        """Run the query that `build` makes of the table, whose answer is one whole number, or none.

        Raises:
            EngineError: If the engine fails.
        """
        answer = self.ask(build)
        (name,) = answer.names
        return int(sum_in(answer, name).sum())

    def count(self, columns: Mapping[str, nw.Expr], *, most: int | None = None) -> Frame:
        """Ask how many rows have each combination of values, in order of these, `most` at most.

        Raises:
            EngineError: If the engine fails.
        """

        def build(frame: Query) -> Query:
            if not columns:
                return frame.select(nw.len().alias(_TIMES))
            counted = frame.select(**columns).group_by(*columns).agg(nw.len().alias(_TIMES))
            return (counted if most is None else counted.head(most)).sort(*columns)

        answer = self.ask(build)
        return attrs.evolve(answer, times=sum_in(answer, _TIMES).astype(np.int64))


@contextmanager
def engine_failures(engine: str) -> Iterator[None]:
    """Make an `EngineError` of whatever an engine raises: engines share no class of errors."""
    try:
        yield
    except SotongIndexError:
        raise
    except Exception as error:
        said = str(error).strip().splitlines() or ["no message"]
        raise EngineError(
            f"{engine} could not answer ({type(error).__name__}): {said[0][:200]}", engine=engine
        ) from error


def _kind(kind: nw.dtypes.DType) -> Kind:
    """Return what a column of this type is read as."""
    if kind == nw.Boolean or kind.is_integer():
        return "whole"
    if kind.is_numeric():
        return "number"
    if kind in (nw.Date, nw.Datetime):
        return "day" if kind == nw.Date else "moment"
    return "text" if kind in (nw.String, nw.Categorical, nw.Enum) else "other"


def _name(frame: Query) -> str:
    return str(frame.implementation.value)
