"""From rows of item influences to rows of every level: cells, channels, dimensions, index.

A row belongs to one place (a unit, which is an organization on a channel; or an organization) and
one source of error (a cluster of respondents, or a jackknife group). The same climb serves both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, Groups, IntArray, group_sums
from sotongindex.aggregation import Hierarchy
from sotongindex.variance import Estimates

Positions: TypeAlias = NDArray[np.integer[Any]]
Level: TypeAlias = Literal["items", "cells", "channels", "dimensions", "index"]
LEVELS: tuple[Level, ...] = ("items", "cells", "channels", "dimensions", "index")


@attrs.frozen(kw_only=True, eq=False)
class Tree:
    """The derivatives of a hierarchy, laid out for rows.

    Axes: u units (organization times channel), o, d, i as everywhere.

    Attributes:
        channels: Number of channels.
        items_of: The positions of every dimension's items.
        cell_by_item: For every dimension, (u, items of it).
        channel_by_cell: (u, d).
        dimension_by_cell: (u, d).
        index_by_channel: (u,).
        respondents_first: Whether base columns hold cells and channel after the items.
    """

    channels: int
    items_of: tuple[IntArray, ...]
    cell_by_item: tuple[FloatArray, ...]
    channel_by_cell: FloatArray
    dimension_by_cell: FloatArray
    index_by_channel: FloatArray
    respondents_first: bool

    @classmethod
    def of(
        cls,
        hierarchy: Hierarchy,
        *,
        dimension_of: NDArray[np.integer[Any]],
        respondents_first: bool,
    ) -> Tree:
        """Lay out `hierarchy`; a derivative that does not exist becomes 0."""
        organizations, channels = hierarchy.channels.shape

        def flat(array: FloatArray) -> FloatArray:
            return np.nan_to_num(array).reshape(organizations * channels, *array.shape[2:])

        items_of = tuple(
            np.flatnonzero(dimension_of == d) for d in range(hierarchy.cells.shape[-1])
        )
        return cls(
            channels=channels,
            items_of=items_of,
            cell_by_item=tuple(flat(hierarchy.cell_by_item[..., items]) for items in items_of),
            channel_by_cell=flat(hierarchy.channel_by_cell),
            dimension_by_cell=flat(hierarchy.dimension_by_cell),
            index_by_channel=flat(hierarchy.index_by_channel),
            respondents_first=respondents_first,
        )

    def width(self, level: Level) -> int:
        """Return how many numbers the level has for one place."""
        if level == "items":
            return sum(map(len, self.items_of))
        return self.channel_by_cell.shape[1] if level in ("cells", "dimensions") else 1

    def places(self, level: Level) -> int:
        """Return how many places the level has."""
        units = len(self.channel_by_cell)
        return units // self.channels if level in ("dimensions", "index") else units


@attrs.frozen(kw_only=True, eq=False)
class Rows:
    """Influences of sources of error on places, one row a pair of them.

    Attributes:
        place: The place, (n,).
        source: The cluster, group, stratum or variable, (n,).
        values: The influences on the numbers of the place, (n, k).
    """

    place: Positions
    source: Positions
    values: FloatArray

    @classmethod
    def joined(cls, parts: Iterable[Rows], width: int) -> Rows:
        """Put parts together; with no parts there are no rows."""
        none = np.array([], dtype=np.int32)
        found = [*parts] or [cls(place=none, source=none, values=np.zeros((0, width)))]
        return cls(
            place=np.concatenate([part.place for part in found]),
            source=np.concatenate([part.source for part in found]),
            values=np.concatenate([part.values for part in found]),
        )

    def kept(self) -> Rows:
        """Return a copy to keep: small numbers, and no view of what else was computed."""
        place, source = (column.astype(np.int32) for column in (self.place, self.source))
        return Rows(place=place, source=source, values=self.values.copy())

    def merged(self, sources: int) -> Rows:
        """Add up the rows of the same place and source, out of so many `sources`."""
        groups = Groups.of(self.place.astype(np.int64) * sources + self.source)
        if len(groups) == len(self.place):
            return self
        place, source = np.divmod(groups.keys, sources)
        sums = group_sums(self.values[groups.order], groups.rank, len(groups))
        return Rows(place=place, source=source, values=sums)

    def add_squares(self, total: FloatArray) -> None:
        """Add the squared values to the total of every place, (places, k)."""
        if len(self.place) == 0:
            return
        first, stop = int(self.place.min()), int(self.place.max()) + 1
        total[first:stop] += group_sums(self.values**2, self.place - first, stop - first)

    def projected(self, variables: sparse.csr_array) -> Rows:
        """Add up the rows of every place, each times every variable (sources, q) of its source.

        In the result the source is the variable.
        """
        own = variables[self.source]
        count = variables.shape[1]
        first = int(self.place.min(initial=0))
        key = np.repeat(self.place - first, np.diff(own.indptr)) * count + own.indices
        occurs = np.bincount(key) > 0
        rank = np.cumsum(occurs) - 1
        place, source = np.divmod(np.flatnonzero(occurs), count)
        gather = sparse.csc_array(
            (own.data, rank[key], own.indptr), shape=(len(place), len(self.place))
        )
        return Rows(place=place + first, source=source, values=gather @ self.values)

    def matrix(self, at: IntArray, sources: int) -> sparse.csc_array:
        """Return a row for each source and a column for each flattened position in `at`."""
        width = self.values.shape[1]
        columns = self.place[:, None] * width + np.arange(width)
        last = max(int(columns.max(initial=-1)), int(at.max(initial=-1)))
        full = sparse.csc_array(
            (self.values.ravel(), (np.repeat(self.source, width), columns.ravel())),
            shape=(sources, last + 1),
        )
        return full[:, at]


def _stretch(positions: IntArray) -> slice | IntArray:
    """Return positions that follow each other as a slice, which copies nothing."""
    if len(positions) == 0 or positions[-1] - positions[0] + 1 != len(positions):
        return positions
    return slice(int(positions[0]), int(positions[-1]) + 1)


def climb(base: Rows, tree: Tree, *, sources: int, single: bool = False) -> Mapping[Level, Rows]:
    """Return the rows of every level from rows of base columns.

    Args:
        base: One row for every unit and source.
        tree: The derivatives.
        sources: The number of sources there are.
        single: Whether every organization and source has one row only, so that none are added up.

    Returns:
        Rows for every level.
    """
    count = tree.width("items")
    unit = base.place
    if tree.respondents_first:
        cells, channel = base.values[:, count:-1], base.values[:, -1]
    else:
        # Not a matrix product: its threads cost more than the few sums when processors are busy.
        cells = np.column_stack(
            [
                np.einsum("ni,ni->n", base.values[:, _stretch(items)], gradient.take(unit, axis=0))
                for items, gradient in zip(tree.items_of, tree.cell_by_item, strict=True)
            ]
        )
        channel = np.einsum("nd,nd->n", cells, tree.channel_by_cell.take(unit, axis=0))
    across = Rows(
        place=unit // tree.channels,
        source=base.source,
        values=np.column_stack(
            [
                cells * tree.dimension_by_cell.take(unit, axis=0),
                channel * tree.index_by_channel[unit],
            ]
        ),
    )
    if not single:
        across = across.merged(sources)
    return {
        "items": attrs.evolve(base, values=base.values[:, :count]),
        "cells": attrs.evolve(base, values=cells),
        "channels": attrs.evolve(base, values=channel[:, None]),
        "dimensions": attrs.evolve(across, values=across.values[:, :-1]),
        "index": attrs.evolve(across, values=across.values[:, -1:]),
    }


def climbed_levels(cells: Estimates, tree: Hierarchy) -> dict[Level, Estimates]:
    """Return every level as a function of the cells; items are missing."""
    o, c, d = cells.shape
    organization, channel, dimension = np.indices(cells.shape).reshape(3, -1)

    def climbed(gradient: FloatArray, to: NDArray[np.intp], values: FloatArray) -> Estimates:
        jacobian = sparse.csr_array(
            (np.nan_to_num(gradient).ravel(), (to, np.arange(o * c * d))), (values.size, o * c * d)
        )
        return cells.transform(jacobian, values=values, shape=values.shape)

    return {
        "index": climbed(tree.index_by_cell, organization, tree.index),
        "channels": climbed(tree.channel_by_cell, organization * c + channel, tree.channels),
        "dimensions": climbed(
            tree.dimension_by_cell, organization * d + dimension, tree.dimensions
        ),
        "cells": cells,
        "items": Estimates.independent(np.full(tree.cell_by_item.shape, np.nan), level=cells.level),
    }
