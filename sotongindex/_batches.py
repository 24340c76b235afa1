"""Batches: answers in pieces that fit into memory, one after the other or in several processes."""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import attrs

from sotongindex.errors import MethodError

__all__ = ["Piece", "pieces_of", "work_through"]

Part = TypeVar("Part")

_BATCH_ROWS = 131_072  # rows of a file that are in memory at a time
_PIECE_ROWS = 1_000_000  # rows of a file that one process takes at a time
_WAITING = 2  # pieces a process that are ready or under way


@attrs.frozen(kw_only=True)
class Piece:
    """A frame, or a stretch of a Parquet file.

    Attributes:
        name: What to call it in messages.
        frame: The frame; None for a file.
        path: The file.
        row_groups: The row groups of the file.
        first: The first row.
        columns: The columns that are read.
    """

    name: str
    frame: object = None
    path: Path | None = None
    row_groups: tuple[int, ...] = ()
    first: int = 0
    columns: tuple[str, ...] = ()

    def frames(self) -> Iterator[tuple[str, object]]:
        """Yield frames of so many rows, each with what to call it.

        Raises:
            MethodError: If the file cannot be read.
        """
        if self.path is None:
            yield self.name, self.frame
            return
        start = self.first
        for batch in _read(self.path, self.row_groups, self.columns):
            yield f"{self.name}, rows from {start:,}", batch
            start += len(batch)


def pieces_of(batches: object, columns: Sequence[str]) -> Iterator[Piece]:
    """Yield the pieces of frames, Parquet files and folders of these.

    Raises:
        MethodError: If there is no such file.
    """
    if isinstance(batches, str | PathLike):
        batches = [batches]
    # A frame by itself is iterable too, over its columns or their names.
    if not isinstance(batches, Iterable) or hasattr(batches, "columns") or hasattr(batches, "keys"):
        raise MethodError(
            "expected frames or paths of Parquet files, one after the other, got one "
            f"{type(batches).__name__}; put a single frame into a list",
            argument="batches",
        )
    for place, batch in enumerate(batches):
        if isinstance(batch, str | PathLike):
            for path in _files(Path(batch)):
                yield from _stretches(path, tuple(columns))
        else:
            yield Piece(name=f"batch {place}", frame=batch)


def work_through(
    pieces: Iterable[Piece],
    work: Callable[[Piece], Part],
    *,
    processes: int,
    done: Callable[[Part], None],
) -> None:
    """Do the work of every piece, and hand on each result in the order of the pieces.

    Raises:
        MethodError: If `processes` is below 1, or a process is lost.
    """
    if processes < 1:
        raise MethodError(f"expected 1 or more, got {processes}", argument="processes")
    if processes == 1:
        for piece in pieces:
            done(work(piece))
        return
    # Started afresh: a copy of this process would hold its threads' locks.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        waiting: deque[Future[Part]] = deque()
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) == processes * _WAITING:
                done(waiting.popleft().result())
        for future in waiting:  # in the order of the pieces, so that sums have the same bits
            done(future.result())
    except BrokenProcessPool as error:
        raise MethodError(
            "a process was lost, perhaps for want of memory; use fewer processes or smaller "
            "batches",
            argument="processes",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


# -- Parquet files ---------------------------------------------------------------------------------


def _files(path: Path) -> list[Path]:
    found = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not found or not found[0].exists():
        raise MethodError(f"no Parquet file at {path}", argument="batches")
    return found


def _stretches(path: Path, columns: tuple[str, ...]) -> Iterator[Piece]:
    """Yield stretches of whole row groups of a file."""
    groups: list[int] = []
    first = rows = 0
    with _opened(path) as file:
        sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    for group, size in enumerate(sizes):
        groups.append(group)
        rows += size
        if rows >= _PIECE_ROWS or group == len(sizes) - 1:
            yield Piece(
                name=path.name, path=path, row_groups=tuple(groups), first=first, columns=columns
            )
            first, rows, groups = first + rows, 0, []


def _read(path: Path, row_groups: Sequence[int], columns: Sequence[str]) -> Iterator[Any]:
    """Yield Arrow tables of some rows of a file."""
    with _opened(path) as file:
        arrow = importlib.import_module("pyarrow")
        known = [name for name in columns if name in file.schema_arrow.names]
        batches = file.iter_batches(_BATCH_ROWS, row_groups=list(row_groups), columns=known)
        try:
            for batch in batches:
                yield arrow.Table.from_batches([batch])
        except (OSError, arrow.ArrowException) as error:
            raise _unreadable(path, error) from error


def _opened(path: Path) -> Any:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MethodError(
            "pyarrow is not installed, which reads Parquet; run: pip install pyarrow",
            argument="batches",
        ) from error
    try:
        return parquet.ParquetFile(path)
    except (OSError, ValueError) as error:  # pyarrow's own errors are these
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> MethodError:
    return MethodError(f"{path.name} cannot be read as Parquet: {error}", argument="batches")
