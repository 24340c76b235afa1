"""Two waves laid out on the same axes, so that the index can be made of parts of both.

Axes: o organizations of either wave, c channels, d dimensions, u units: what scores begin with,
which are items, or cells or channels where there are no items.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._waves import Waves, wave_name
from sotongindex.aggregation import aggregate_cells, aggregate_items
from sotongindex.errors import MethodError
from sotongindex.method import IndexMethod
from sotongindex.results import IndexResult, operated_channels
from sotongindex.variance import Estimates
from sotongindex.weighting import ImportanceWeights

BoolArray: TypeAlias = NDArray[np.bool_]
Start: TypeAlias = Literal["items", "cells", "channels"]
STARTS: tuple[Start, ...] = ("items", "cells", "channels")


@attrs.frozen(kw_only=True, eq=False)
class Sheet:
    """One wave on axes of its own or on common ones.

    Attributes:
        estimates: The scores of the units with their errors, in the wave's own order.
        place: Where a unit's score stands among them, (o, c, u); -1 where it is not.
        scores: The scores, (o, c, u); NaN where the wave has none.
        present: Which of them the index is made of, (o, c, u).
        operated: Channels that organizations operate, (o, c).
        weights: The importance weights; of no meaning where the wave does not ask.
        asked: Which channels, dimensions and units the wave asks: (c,), (c, d), (c, u).
        index: The index, (o,).
    """

    estimates: Estimates
    place: IntArray
    scores: FloatArray
    present: BoolArray
    operated: BoolArray
    weights: ImportanceWeights
    asked: tuple[BoolArray, BoolArray, BoolArray]
    index: FloatArray


@attrs.frozen(kw_only=True, eq=False)
class Sheets:
    """Both waves on common axes.

    Attributes:
        before: The earlier wave.
        after: The later wave.
        start: What scores begin with.
        channels: The keys of the channels of either wave.
        dimensions: The keys of the dimensions; None for a channel as a whole.
        dimension_of: The position of every unit's dimension, (u,).
        method: How scores are averaged.
    """

    before: Sheet
    after: Sheet
    start: Start
    channels: tuple[str, ...]
    dimensions: tuple[str | None, ...]
    dimension_of: IntArray
    method: IndexMethod

    @classmethod
    def of(cls, waves: Waves) -> Sheets:
        """Lay out two waves.

        Raises:
            MethodError: If they were averaged by different means, or an index is not made of its
                parts.
        """
        results = (waves.before, waves.after)
        methods = [result.method for result in results]
        if len({(one.power, one.order, one.absent_channels) for one in methods}) > 1:
            raise MethodError(
                "the waves were averaged by different methods, which no term stands for; compute "
                "both with the same IndexMethod",
                argument="after",
            )
        start = STARTS[max(STARTS.index(_start(result)) for result in results)]
        axes = [_axes(result, start) for result in results]
        channels, dimensions, units = (
            tuple(dict.fromkeys([*late, *early])) for early, late in zip(*axes, strict=True)
        )
        made = cls(
            before=_sheet(results[0], start, waves.first, union=(channels, dimensions, units)),
            after=_sheet(results[1], start, waves.second, union=(channels, dimensions, units)),
            start=start,
            channels=channels,
            dimensions=dimensions,
            dimension_of=np.array([dimensions.index(unit[1]) for unit in units]),
            method=methods[1],
        )
        for result, sheet in zip(results, (made.before, made.after), strict=True):
            made._check(result, sheet)
        return made

    def index(
        self,
        scores: FloatArray,
        present: BoolArray,
        *,
        operated: BoolArray,
        weights: ImportanceWeights,
    ) -> tuple[FloatArray, FloatArray]:
        """Make the index (o,) of units that are present, with its derivative by each (o, c, u)."""
        power = self.method.power
        cells, cell_by_unit = aggregate_items(
            np.where(present, scores, np.nan),
            weights,
            item_dimensions=self.dimension_of,
            power=power.items,
        )
        tree = aggregate_cells(
            cells,
            weights,
            operated=operated,
            powers=(power.dimensions, power.channels),
            absent_is_zero=self.method.absent_channels == "zero",
        )
        return tree.index, tree.index_by_cell[:, :, self.dimension_of] * cell_by_unit

    def _check(self, result: IndexResult, sheet: Sheet) -> None:
        made, _ = self.index(
            sheet.scores, sheet.present, operated=sheet.operated, weights=sheet.weights
        )
        known = ~np.isnan(sheet.index)
        if not np.allclose(made[known], sheet.index[known], rtol=0, atol=1e-8):
            raise MethodError(
                f"the index of wave {wave_name(result)} is not made of its parts: it was given "
                "beside them; leave index= out of IndexResult.from_scores",
                argument="after",
            )


def _start(result: IndexResult) -> Start:
    if result.method.order == "respondents first":
        return "channels"
    return "items" if result.source in ("answers", "tally") else "cells"


def _axes(
    result: IndexResult, start: Start
) -> tuple[Sequence[str], Sequence[str | None], Sequence[tuple[Hashable, ...]]]:
    """Return the keys of channels and dimensions, and what makes each unit the same elsewhere."""
    framework = result.study.framework
    if start == "channels":
        return framework.channel_keys, (None,), ((None, None),)
    dimensions = framework.dimension_keys
    if start == "cells":
        return framework.channel_keys, dimensions, [(key, key) for key in dimensions]
    # An item on another scale, or turned round, is another question.
    units = [(one.key, one.dimension, one.scale, one.reverse) for one in framework.items]
    return framework.channel_keys, dimensions, units


def _sheet(
    result: IndexResult,
    start: Start,
    rows: IntArray,
    *,
    union: tuple[Sequence[Any], Sequence[Any], Sequence[Any]],
) -> Sheet:
    """Lay out one wave on common axes; `rows` are its organizations, -1 where there is none."""
    own = _axes(result, start)
    c, d, u = (_places(mine, all_) for mine, all_ in zip(own, union, strict=True))
    estimates, present, weights = _units(result, start)
    shape = (len(result.organizations), len(own[0]), len(own[2]))
    flat = np.arange(int(np.prod(shape))).reshape(shape)
    there = rows >= 0
    outside = ~there[:, None, None] | (c < 0)[:, None] | (u < 0)
    place = np.where(outside, -1, flat[rows][:, c][:, :, u])
    asked = (np.ones(len(own[0]), dtype=bool), weights.dimensions > 0, weights.items > 0)
    rated = (result.counts.evaluations > 0) | ~np.isnan(result.channels.values)
    operated = operated_channels(result.study, rated)
    inside = there[:, None] & (c >= 0)
    return Sheet(
        estimates=estimates,
        place=place,
        scores=np.where(place >= 0, estimates.values.ravel()[place], np.nan),
        present=(place >= 0) & present.ravel()[place],
        operated=inside & operated[rows][:, c],
        weights=ImportanceWeights(
            channels=np.where(c >= 0, weights.channels[c], 0.0),
            dimensions=_grid(weights.dimensions, c, along=d),
            items=_grid(weights.items, c, along=u),
        ),
        asked=(
            c >= 0,
            _grid(asked[1], c, along=d) > 0,
            _grid(asked[2], c, along=u) > 0,
        ),
        index=np.where(there, result.index.values[rows], np.nan),
    )


def _places(own: Sequence[Any], union: Sequence[Any]) -> IntArray:
    """Return where each key of the union stands among the own ones, -1 where it does not."""
    position = {key: place for place, key in enumerate(own)}
    return np.array([position.get(key, -1) for key in union])


def _grid(array: NDArray[Any], columns: IntArray, *, along: IntArray) -> FloatArray:
    """Lay an array (c, k) out on common axes, 0 where the wave does not have it."""
    laid = array[columns][:, along].astype(np.float64)
    grid: FloatArray = np.where((columns < 0)[:, None] | (along < 0), 0.0, laid)
    return grid


def _units(result: IndexResult, start: Start) -> tuple[Estimates, BoolArray, ImportanceWeights]:
    """Return what scores begin with, which of it counts, and the weights, on its own axes."""
    weights = result.weights
    channel = ~np.isnan(result.channels.values)[..., None]
    cell = channel & ~np.isnan(result.cells.values)
    if start == "channels":
        one = np.ones((channel.shape[1], 1))
        alone = ImportanceWeights(channels=weights.channels, dimensions=one, items=one)
        return result.channels, channel, alone
    if start == "cells":
        measured = (weights.dimensions > 0).astype(np.float64)
        alone = attrs.evolve(weights, items=measured)
        return result.cells, cell, alone
    enough = result.counts.answers >= result.method.min_answers
    of_item = cell[..., np.array(result.study.framework.item_dimensions)]
    return result.items, enough & of_item & ~np.isnan(result.items.values), weights
