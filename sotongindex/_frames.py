"""Frames: the one module that knows dataframes. Columns in, columns out, through narwhals."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs
import narwhals as nw
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._columns import plain_value
from sotongindex.errors import MethodError, nearest_key

__all__ = ["Backend", "Column", "Dates", "Frame", "Numbers", "Text", "frame_from_columns"]

Backend: TypeAlias = Literal["pandas", "polars", "pyarrow"]

_BACKENDS = ("pandas", "polars", "pyarrow")
_MILLISECONDS_A_DAY = 86_400_000


@attrs.frozen(kw_only=True, eq=False)
class Numbers:
    """A column of numbers.

    Attributes:
        values: Integers, or floats with NaN for null, (n,).
        null: The integer that stands for null, where integers have one.
    """

    values: NDArray[Any]
    null: int | None = None

    @property
    def is_null(self) -> NDArray[np.bool_]:
        """Whether each value is missing, (n,)."""
        if self.values.dtype.kind == "f":
            return np.asarray(np.isnan(self.values))
        if self.null is None:
            return np.zeros(len(self.values), dtype=np.bool_)
        return np.asarray(self.values == self.null)


@attrs.frozen(kw_only=True, eq=False)
class Text:
    """A column of labels, each kept once.

    Attributes:
        codes: For every row the position of its label, -1 for null, (n,).
        labels: The distinct labels, in any order, some of them perhaps unused; mostly text, but any
            object may come.
    """

    codes: NDArray[np.int32]
    labels: tuple[object, ...]


@attrs.frozen(kw_only=True, eq=False)
class Dates:
    """A column of days, NaT for null, (n,)."""

    values: NDArray[np.datetime64]


Column: TypeAlias = Numbers | Text | Dates


@attrs.frozen(kw_only=True, eq=False)
class Frame:
    """A table whose columns are read one at a time.

    Attributes:
        names: The column names.
        rows: The number of rows.
        column: Reads the column of a name.
        times: How many rows of a larger table each row stands for, (rows,); None where every row
            is one.
    """

    names: tuple[str, ...]
    rows: int
    column: Callable[[str], Column]
    times: NDArray[np.int64] | None = None

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many rows each row stands for, (rows,)."""
        return np.ones(self.rows, dtype=np.int64) if self.times is None else self.times

    @classmethod
    def of(cls, frame: object) -> Frame:
        """Open a dataframe of any eager kind, or a mapping of column names to arrays.

        Raises:
            MethodError: If the frame is lazy or of an unknown kind, or its columns differ in
                length or share a name.
        """
        if isinstance(frame, Frame):
            return frame
        if isinstance(frame, Mapping):
            return _from_arrays(frame)
        return _from_dataframe(frame)


def _from_arrays(arrays: Mapping[Any, ArrayLike | Column]) -> Frame:
    """Open a mapping of names to one-dimensional arrays of one length."""
    columns = {
        str(name): array if isinstance(array, Numbers | Text | Dates) else _from_array(name, array)
        for name, array in arrays.items()
    }
    lengths = [_length(column) for column in columns.values()]
    rows = max(lengths, key=lengths.count, default=0)
    for name, length in zip(columns, lengths, strict=True):
        if length != rows:
            raise MethodError(
                f"expected {rows} rows in every column, got {length} in {name!r}", argument="frame"
            )
    return Frame(names=tuple(columns), rows=rows, column=columns.__getitem__)


def _length(column: Column) -> int:
    return len(column.codes if isinstance(column, Text) else column.values)


def _from_array(name: object, array: ArrayLike) -> Column:
    """Make a column of a numpy array or anything that becomes one."""
    if isinstance(array, np.ma.MaskedArray):
        return _from_objects(array.tolist())  # masked values come out as None
    try:
        values = np.asarray(array)
    except ValueError as error:  # lists of unequal length
        raise MethodError(f"column {name!r} is no array: {error}", argument="frame") from error
    if values.ndim != 1:
        raise MethodError(
            f"expected one dimension in column {name!r}, got shape {values.shape}", argument="frame"
        )
    if values.dtype.kind == "b":
        return Numbers(values=values.view(np.int8))
    if values.dtype.kind in "iuf":
        return Numbers(values=values)
    if values.dtype.kind == "M":
        return Dates(values=values.astype("datetime64[D]"))
    return _from_objects(values.tolist())


def _from_objects(values: Sequence[object]) -> Text:
    """Number the distinct objects in order of appearance; None and NaN are null."""
    try:
        codes = {value: -1 if _is_null(value) else 0 for value in dict.fromkeys(values)}
    except TypeError:  # lists and the like have no hash
        return _from_objects([str(value) for value in values])
    labels = tuple(value for value, code in codes.items() if code == 0)
    codes.update({label: code for code, label in enumerate(labels)})
    return Text(
        codes=np.fromiter(map(codes.__getitem__, values), dtype=np.int32, count=len(values)),
        labels=labels,
    )


def _is_null(value: object) -> bool:
    if value is None or isinstance(value, str):
        return value is None
    return str(value) in {"nan", "NaT", "<NA>"}  # as numpy, pandas and plain floats call it


def _from_dataframe(frame: object) -> Frame:
    """Open a dataframe that narwhals knows."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(frame, arrow.RecordBatch):
        frame = arrow.Table.from_batches([frame])
    try:
        table = nw.from_native(frame)  # type: ignore[call-overload]  # any object may come
        names = tuple(str(name) for name in table.columns) if _is_eager(table) else ()
    except TypeError:
        raise MethodError(
            "expected a pandas, Polars or pyarrow table, another eager frame that narwhals "
            f"knows, or a mapping of names to arrays, got {type(frame).__name__}",
            argument="frame",
        ) from None
    except nw.exceptions.DuplicateError as error:
        raise MethodError(f"expected every column name once: {error}", argument="frame") from None
    if not _is_eager(table):
        raise MethodError(
            f"a {type(frame).__name__} is lazy and holds no rows yet; let its engine add it up, "
            "with Tally.from_frame, or collect it first, for example .collect() in Polars, .pl() "
            "or .arrow() in DuckDB",
            argument="frame",
        )
    return Frame(names=names, rows=len(table), column=lambda name: _from_series(table[name]))


def _is_eager(table: object) -> bool:
    return isinstance(table, nw.DataFrame)


def _from_series(series: nw.Series[Any]) -> Column:
    """Make a column of a narwhals series."""
    kind = series.dtype
    if kind == nw.Boolean:
        return _from_series(series.cast(nw.Int8))
    if kind.is_integer():
        return _from_integers(series)
    if kind.is_numeric():
        values = series if kind == nw.Float64 else series.cast(nw.Float64)
        return Numbers(values=np.asarray(values.to_numpy(), dtype=np.float64))
    if kind in (nw.Date, nw.Datetime):
        return _from_days(series)
    return _from_labels(series)


def _from_integers(series: nw.Series[Any]) -> Numbers:
    """Keep integers as they are; nulls become the lowest number of the type, if it is free."""
    if series.null_count() == 0:
        return Numbers(values=series.to_numpy())
    if series.dtype.is_signed_integer():
        lowest = np.iinfo(str(series.dtype).lower()).min
        if series.min() is None or series.min() > lowest:
            return Numbers(values=series.fill_null(lowest).to_numpy(), null=lowest)
    return Numbers(values=np.asarray(series.cast(nw.Float64).to_numpy(), dtype=np.float64))


def _from_days(series: nw.Series[Any]) -> Dates:
    """Cut moments to days on their own clock."""
    if series.dtype == nw.Datetime:
        series = series.dt.replace_time_zone(None)
    moments = _from_integers(series.dt.timestamp("ms"))
    days = np.floor_divide(moments.values, _MILLISECONDS_A_DAY)
    days[moments.is_null] = np.iinfo(np.int64).min  # NaT
    return Dates(values=days.astype("datetime64[D]"))


def _from_labels(series: nw.Series[Any]) -> Text:
    """Take category codes natively, or let the engine number the labels."""
    if series.null_count() == len(series):
        return Text(codes=np.full(len(series), -1, dtype=np.int32), labels=())
    native: Any = series.to_native()
    if series.implementation.is_pandas_like():
        if series.dtype in (nw.Categorical, nw.Enum):
            codes, labels = native.cat.codes, native.cat.categories
        else:
            codes, labels = native.factorize()
        return Text(codes=np.asarray(codes, dtype=np.int32), labels=tuple(labels.tolist()))
    if series.implementation.is_polars() and series.dtype in (nw.String, nw.Categorical, nw.Enum):
        return _from_polars(series)
    if series.implementation.is_pyarrow():
        encoded = native if hasattr(native.type, "index_type") else native.dictionary_encode()
        joined = encoded.unify_dictionaries().combine_chunks()
        indices = joined.indices.cast("int32").fill_null(-1).to_numpy(zero_copy_only=False)
        return Text(codes=indices, labels=tuple(joined.dictionary.to_pylist()))
    return _from_objects(series.to_list())


def _from_polars(series: nw.Series[Any]) -> Text:
    """Use the physical codes of a Polars categorical, whose categories may serve many columns."""
    native: Any = (series.cast(nw.Categorical) if series.dtype == nw.String else series).to_native()
    codes = native.to_physical()
    plain = (codes.cast(int).fill_null(-1) if series.null_count() else codes).to_numpy()
    physical = plain.astype(np.intp, copy=False)  # what indexing below would make of it each time
    row = np.full(int(physical.max()) + 2, -1)  # a row that shows each code; the end serves -1
    row[physical] = np.arange(len(physical))
    used = np.flatnonzero(row[:-1] >= 0)
    renumbered = np.full(len(row), -1, dtype=np.int32)
    renumbered[used] = np.arange(len(used), dtype=np.int32)
    return Text(codes=renumbered[physical], labels=tuple(native.gather(row[used]).to_list()))


def frame_from_columns(columns: Mapping[str, Iterable[object]], backend: Backend = "pandas") -> Any:
    """Make a dataframe of named columns; None and NaN become that library's null.

    Raises:
        MethodError: If the backend is unknown or its package is not installed.
    """
    if backend not in _BACKENDS:
        nearest = nearest_key(backend, _BACKENDS)
        raise MethodError(
            f"expected one of {', '.join(map(repr, _BACKENDS))}, got {backend!r}"
            + (f"; did you mean {nearest!r}?" if nearest else ""),
            argument="backend",
        )
    plain = {name: [plain_value(value) for value in values] for name, values in columns.items()}
    try:
        importlib.import_module(backend)
    except ImportError as error:
        raise MethodError(
            f"{backend} is not installed; run: pip install {backend}", argument="backend"
        ) from error
    return nw.from_dict(plain, backend=backend).to_native()
