"""Opening: a lazy table read by a layout. Its columns are known, its rows are in the engine."""

from __future__ import annotations

from sotongindex._frames import Column, Frame
from sotongindex._lazy.engine import LazyTable
from sotongindex._reading.source import Source
from sotongindex.errors import MethodError
from sotongindex.layout import Layout
from sotongindex.models import Study

__all__ = ["lazy_source", "unread"]


def lazy_source(table: LazyTable, study: Study, layout: Layout) -> Source:
    """Return the columns of a table; what they hold is asked of the engine, not read."""
    if layout.duplicates == "last":
        raise MethodError(
            'rows of a lazy frame have no order, so that duplicates="last" has no meaning; leave '
            "out the earlier ones in the engine",
            argument="duplicates",
        )
    return Source(
        frame=Frame(names=tuple(table.kinds), rows=0, column=unread), study=study, layout=layout
    )


def unread(name: str) -> Column:
    """Stand for the columns of a table that stay in the engine."""
    raise NotImplementedError(f"{name!r} is in the engine")
