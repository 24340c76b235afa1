"""The sums of a table of any layout."""

from __future__ import annotations

from sotongindex._lazy.long_sums import long_sums
from sotongindex._lazy.query import SumQuery
from sotongindex._lazy.wide_sums import wide_sums
from sotongindex._sums import Sums

__all__ = ["add_up"]


def add_up(query: SumQuery) -> Sums:
    """Ask the engine for the sums.

    Raises:
        EngineError: If the engine fails.
        ResponseError: If keys are unknown or blank.
    """
    return long_sums(query) if query.source.layout.is_long else wide_sums(query)
