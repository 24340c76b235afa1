"""Arrays: read-only views, display rounding, and sums by group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias, TypeVar

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
AnyInteger = TypeVar("AnyInteger", bound=np.integer[Any])

# Rows that are worked on at a time: 4,096 rows of some 60 numbers stay in the processor's cache.
BLOCK_ROWS = 4096


def read_only(array: ArrayLike) -> NDArray[Any]:
    """Return a read-only view of `array`, or a read-only copy where the view would be writable."""
    result = np.asarray(array)
    if result.flags.writeable:
        result = result.copy() if result is array else result
        result.flags.writeable = False
    return result


def float_array(array: ArrayLike) -> FloatArray:
    """Return `array` as a read-only array of floats."""
    return read_only(np.array(array, dtype=np.float64))


def missing_code(dtype: np.dtype[Any]) -> Any:
    """Return what stands for "no answer" in an array of `dtype`: the lowest integer, or NaN."""
    return np.iinfo(dtype).min if dtype.kind == "i" else np.nan


def is_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which of the coded `values` stand for "no answer"."""
    missing: NDArray[np.bool_] = (
        np.isnan(values) if values.dtype.kind == "f" else values == missing_code(values.dtype)
    )
    return missing


def round_half_up(values: ArrayLike, digits: int = 0) -> FloatArray:
    """Round for display: halves go up (0.5 -> 1), as people expect and published tables do.

    >>> round_half_up([2.5, 56.25, -0.5], 0).tolist()
    [3.0, 56.0, 0.0]
    """
    factor = 10.0**digits
    # 1.005 * 100 is 100.49999999999999: a nudge far below any digit shown puts it right.
    nudged = np.floor(np.asarray(values, dtype=np.float64) * factor + 0.5 + 1e-9)
    rounded: FloatArray = nudged / factor
    return rounded


def distinct(keys: NDArray[AnyInteger]) -> NDArray[AnyInteger]:
    """Return the distinct keys, ascending: sorting beats numpy's hashing ten times over."""
    ordered = np.sort(keys)
    first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


@attrs.frozen(kw_only=True, eq=False)
class Groups:
    """Rows sorted by an integer key, so that every group is one stretch of rows.

    Attributes:
        order: The rows in sorted order, (n,).
        rank: For every sorted row the number of its group, (n,).
        keys: The key of every group, ascending, (g,).
    """

    order: IntArray
    rank: IntArray
    keys: IntArray

    @classmethod
    def of(cls, keys: NDArray[np.integer[Any]]) -> Groups:
        """Sort the rows by `keys`."""
        order = np.argsort(keys)
        ordered = keys[order]
        changes = np.empty(len(keys), dtype=bool)
        changes[:1] = True
        np.not_equal(ordered[1:], ordered[:-1], out=changes[1:])
        return cls(order=order, rank=np.cumsum(changes) - 1, keys=ordered[changes].astype(np.int64))

    def __len__(self) -> int:
        return len(self.keys)

    def row_blocks(self) -> Iterator[slice]:
        """Cut the sorted rows into blocks that fit the cache."""
        for start in range(0, len(self.order), BLOCK_ROWS):
            yield slice(start, min(start + BLOCK_ROWS, len(self.order)))

    def stretches(self) -> Iterator[tuple[int, slice]]:
        """Yield every group's key and its sorted rows."""
        starts = np.flatnonzero(np.diff(self.rank, prepend=-1)).tolist()
        for key, start, stop in zip(
            self.keys.tolist(), starts, [*starts[1:], len(self.rank)], strict=True
        ):
            yield key, slice(start, stop)

    def whole_blocks(self) -> Iterator[slice]:
        """Cut the sorted rows into blocks of so many whole groups."""
        for first in range(0, len(self), BLOCK_ROWS):
            start, stop = np.searchsorted(self.rank, [first, first + BLOCK_ROWS])
            yield slice(int(start), int(stop))


def group_sums(
    matrix: FloatArray,
    groups: NDArray[np.integer[Any]],
    count: int,
    *,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Add up the rows of `matrix` (n, k) within `groups` (n,), giving (count, k)."""
    rows = len(groups)
    if weights is None:
        weights = np.ones(rows)
    indicator = sparse.csc_array(
        (weights, groups.astype(np.int32), np.arange(rows + 1, dtype=np.int32)), shape=(count, rows)
    )
    sums: FloatArray = indicator @ matrix
    return sums
