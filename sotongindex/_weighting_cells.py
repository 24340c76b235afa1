"""Cells: units that share every value that weighting looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray, distinct
from sotongindex._weighting_units import Coded, Units

__all__ = ["Cells"]

_DENSE = 4  # so many possible cells a unit are counted, whether they occur or not


@attrs.frozen(kw_only=True, eq=False)
class Cells:
    """The cells that occur, sorted by group.

    Attributes:
        cell: The cell of every unit, (u,).
        count: How many respondents a cell has, (c,).
        weight: Their starting weights together, (c,).
        group: The group of every cell, (c,).
        codes: For every column the position of the cell's value, (c,).
        values: For every column its values.
    """

    cell: IntArray
    count: IntArray
    weight: FloatArray
    group: IntArray
    codes: Mapping[str, IntArray]
    values: Mapping[str, tuple[object, ...]]

    @classmethod
    def of(cls, units: Units, names: Iterable[str], *, by_weight: bool = False) -> Cells:
        """Find the cells of units by columns, and by their starting weight where asked."""
        coded = {name: units.coded(name) for name in names}
        parts = [_groups(units), *coded.values()]
        if by_weight and units.weight is not None:
            parts.append(Coded.sorted(units.weight))
        key, size, kept = _key(parts, units.count)
        count = np.bincount(key, units.times, size).astype(np.int64)
        weight = count if units.weight is None else np.bincount(key, units.weight, size)
        occupied = np.flatnonzero(count)
        if len(occupied) < size:
            place = np.zeros(size, dtype=np.int64)
            place[occupied] = np.arange(len(occupied))
            key = place[key]
        group, *codes = _codes(occupied, parts, kept)
        return cls(
            cell=key,
            count=count[occupied],
            weight=weight[occupied].astype(np.float64),
            group=group,
            codes=dict(zip(coded, codes, strict=False)),
            values={name: column.values for name, column in coded.items()},
        )


def _groups(units: Units) -> Coded:
    codes = np.zeros(1, dtype=np.int64) if units.group is None else units.group
    return Coded(codes=codes, offset=0, values=units.groups)


def _key(parts: list[Coded], units: int) -> tuple[IntArray, int, list[IntArray | None]]:
    """Return a key that tells cells apart, how many it can be, and which keys were kept.

    The key is a number with a digit for every part. Where it could grow out of proportion to the
    units, those that occur are numbered anew and kept: before a part, or at last after all.
    """
    key, size, shift = np.zeros(units, dtype=np.int64), 1, 0
    kept: list[IntArray | None] = []
    for part in (*parts, None):
        radix, found = 1 if part is None else len(part.values), None
        if size * radix > max(_DENSE * units, 2**16):
            found = distinct(key)
            key, size = np.searchsorted(found, key), len(found)
            found, shift = found - shift, 0
        kept.append(found)
        if part is not None:
            if size > 1 or shift:
                key *= radix
            if radix > 1 or part.offset:
                key += part.codes
            size, shift = size * radix, shift * radix + part.offset
    key -= shift
    return key, size, kept


def _codes(keys: IntArray, parts: list[Coded], kept: list[IntArray | None]) -> list[IntArray]:
    """Take keys apart into the digits they were made of."""
    digits = []
    *before, last = kept
    if last is not None:
        keys = last[keys]
    for part, found in zip(reversed(parts), reversed(before), strict=True):
        keys, digit = np.divmod(keys, len(part.values))
        digits.append(digit)
        if found is not None:
            keys = found[keys]
    return digits[::-1]
