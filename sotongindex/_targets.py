"""Targets: margins as calibration variables of cells, with what they shall add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, distinct
from sotongindex._margins import ROUNDING, Category, Margin, Variable
from sotongindex._weighting_cells import Cells
from sotongindex._weighting_units import category_name
from sotongindex.errors import CalibrationError

__all__ = ["Block", "Empty", "Missing", "Policies", "Sizes", "block_of"]

Missing: TypeAlias = Literal["error", "own category", "redistribute"]
Empty: TypeAlias = Literal["error", "redistribute"]

_SHOWN = 5
_UNKNOWN, _MISSING = -2, -1


@attrs.frozen(kw_only=True)
class Policies:
    """What to do with what margins do not say.

    Attributes:
        missing: With units whose category is missing.
        empty: With categories that have a share but no units.
    """

    missing: Missing = "error"
    empty: Empty = "error"


@attrs.frozen(kw_only=True, eq=False)
class Sizes:
    """The total weight of every group.

    Attributes:
        groups: The names of the groups.
        before: Under the starting weights, (g,).
        after: Under the new weights, (g,).
        relative: Whether nothing but the starting weights says how much that is, (g,).
    """

    groups: tuple[str, ...]
    before: FloatArray
    after: FloatArray
    relative: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        margins: Sequence[Margin],
        cells: Cells,
        *,
        population: FloatArray | None,
        groups: tuple[str, ...],
    ) -> Sizes:
        """Take totals from the population, else from margins that are counts, else as they are.

        Raises:
            CalibrationError: If these differ.
        """
        before = np.bincount(cells.group, cells.weight, len(groups)).astype(np.float64)
        after = np.full(len(groups), np.nan) if population is None else population
        source = "population_size"
        for margin in margins:
            counted = np.where(margin.is_share, np.nan, np.nansum(margin.targets, axis=1))
            differs = np.abs(counted - after) > ROUNDING * np.fmax(counted, after)
            if differs.any():
                at = int(np.argmax(differs))
                raise CalibrationError(
                    f"{margin.name!r} adds up to {counted[at]:,.10g}{_within(groups[at])}, "
                    f"{source!r} to {after[at]:,.10g}; counts must agree in total, or be given as "
                    "shares",
                    variable=margin.name,
                    counts=[float(counted[at]), float(after[at])],
                )
            if np.isnan(after).any() and not np.isnan(counted).all():
                after, source = np.where(np.isnan(after), counted, after), margin.name
        relative = np.isnan(after)
        return cls(
            groups=groups,
            before=before,
            after=np.where(relative, before, after),
            relative=relative,
        )


@attrs.frozen(kw_only=True, eq=False)
class Block:
    """The calibration variables of one margin, or of one number, in all groups.

    Attributes:
        name: The variable.
        categories: The categories, (k,); "" alone for a number.
        totals: What they shall add up to, (g, k).
        used: Which of them there are in a group, (g, k).
        relative: Whether totals follow the starting weights, (g,).
        count: The units of each, (g, k).
        rows: The cells of the values below, (z,).
        places: Their categories, (z,).
        data: The values: 1, a part of 1 where a missing category is spread, or a number, (z,).
        missing: How many units miss the category.
        empty: Categories whose share went to the others.
    """

    name: str
    categories: tuple[str, ...]
    totals: FloatArray
    used: NDArray[np.bool_]
    relative: NDArray[np.bool_]
    count: IntArray
    rows: IntArray
    places: IntArray
    data: FloatArray
    missing: int = 0
    empty: tuple[str, ...] = ()
    is_number: bool = False

    def margin(self, position: int) -> IntArray:
        """Return the number of the margin for every column, -1 for a number, (g, k)."""
        return np.full(self.used.shape, -1 if self.is_number else position)

    @property
    def follows(self) -> NDArray[np.bool_]:
        """Whether totals follow the starting weights, (g, k)."""
        return np.broadcast_to(self.relative[:, None], self.used.shape)


def _within(group: str) -> str:
    return f" in {group!r}" if group else ""


def block_of(margin: Margin, cells: Cells, *, sizes: Sizes, policies: Policies) -> Block:
    """Make the variables of a margin, and settle what is missing or empty.

    Raises:
        CalibrationError: If the categories of the units do not fit those of the margin.
    """
    table = _Table.of(margin, cells, sizes.groups)
    missing = int(cells.count[table.place == _MISSING].sum())
    if missing:
        table = table.with_missing(policies.missing)
    count = table.counted(cells.count)
    table, empty = table.without_empty(count, policies.empty)
    rows, places, data = table.values(count > 0)
    return Block(
        name=margin.name,
        categories=table.categories,
        totals=table.shares * sizes.after[:, None],
        used=count > 0,
        relative=sizes.relative,
        count=count,
        rows=rows,
        places=places,
        data=data,
        missing=missing,
        empty=empty,
    )


@attrs.frozen(kw_only=True, eq=False)
class _Table:
    """A margin beside the cells.

    Attributes:
        name: The variable.
        categories: The categories, (k,).
        shares: The share of each, (g, k); 0 where a group lacks it.
        place: The category of every cell, (c,); -1 where it is missing.
        cells: The cells.
        groups: The names of the groups.
    """

    name: str
    categories: tuple[str, ...]
    shares: FloatArray
    place: IntArray
    cells: Cells
    groups: tuple[str, ...]

    @classmethod
    def of(cls, margin: Margin, cells: Cells, groups: tuple[str, ...]) -> _Table:
        """Find the category of every cell; each is one of the margin's, or missing."""
        found, which = _crossed(cells, margin.variable)
        position = {category: k for k, category in enumerate(margin.categories)}
        place = np.array(
            [position.get(one, _MISSING if None in one else _UNKNOWN) for one in found]
        )[which]
        own = np.flatnonzero(place >= 0)
        absent = np.isnan(margin.targets)[cells.group[own], place[own]]
        place[own[absent]] = _UNKNOWN
        shares = np.nan_to_num(margin.targets)
        table = cls(
            name=margin.name,
            categories=tuple(margin.category(k) for k in range(len(margin.categories))),
            shares=shares / shares.sum(axis=1, keepdims=True),
            place=place,
            cells=cells,
            groups=groups,
        )
        odd = place == _UNKNOWN
        if odd.any():
            texts = [" x ".join(map(str, found[code])) for code in which[odd]]
            table.fail(
                "respondents in categories that the margin lacks ({}); add them to the margin, or "
                "recode them",
                zip(cells.group[odd], texts, cells.count[odd], strict=True),
            )
        return table

    def with_missing(self, policy: Missing) -> _Table:
        """Settle cells whose category is missing."""
        lacking = self.place == _MISSING
        if policy == "error":
            self.fail(
                "respondents without a category ({}); leave them out, or say "
                'missing="redistribute" or missing="own category"',
                ((group, "(missing)", count) for group, count in self._lacking(lacking)),
            )
        if policy == "redistribute":
            return self
        missed = np.bincount(self.cells.group, self.cells.weight * lacking, len(self.groups))
        own = missed / np.bincount(self.cells.group, self.cells.weight, len(self.groups))
        return attrs.evolve(
            self,
            categories=(*self.categories, "(missing)"),
            shares=np.column_stack([self.shares * (1 - own[:, None]), own]),
            place=np.where(lacking, len(self.categories), self.place),
        )

    def _lacking(self, lacking: NDArray[np.bool_]) -> Iterable[tuple[int, float]]:
        return zip(self.cells.group[lacking], self.cells.count[lacking], strict=True)

    def counted(self, of: NDArray[np.int64]) -> IntArray:
        """Add up whole numbers of cells by group and category, (g, k)."""
        seat = self.place >= 0
        index = self.cells.group[seat] * len(self.categories) + self.place[seat]
        sums = np.bincount(index, of[seat], self.shares.size)
        return sums.astype(np.int64).reshape(self.shares.shape)

    def without_empty(self, count: IntArray, policy: Empty) -> tuple[_Table, tuple[str, ...]]:
        """Settle categories with units but no share, and with a share but no units."""
        self._fail_where(
            (self.shares == 0) & (count > 0),
            count,
            "respondents in categories whose share is 0 ({}); leave these respondents out, for "
            "nobody has weight 0",
        )
        hollow = (self.shares > 0) & (count == 0)
        nobody = ~(count > 0).any(axis=1, keepdims=True)  # there is no other category
        self._fail_where(
            hollow & ((policy == "error") | nobody),
            self.shares,
            "no respondents in categories that have a share ({}); merge them with others, or say "
            'empty="redistribute" where there are others',
        )
        shares = np.where(hollow, 0.0, self.shares)
        names = tuple(
            f"{self.name}={self.categories[k]}{_within(self.groups[g])}"
            for g, k in np.argwhere(hollow)
        )
        return attrs.evolve(self, shares=shares / shares.sum(axis=1, keepdims=True)), names

    def _fail_where(self, wrong: NDArray[np.bool_], of: NDArray[Any], message: str) -> None:
        if wrong.any():
            at = np.argwhere(wrong)
            self.fail(message, ((g, self.categories[k], float(of[g, k])) for g, k in at))

    def values(self, used: NDArray[np.bool_]) -> tuple[IntArray, IntArray, FloatArray]:
        """Return cells, categories and values: a missing category is spread by the shares."""
        seat, spread = np.flatnonzero(self.place >= 0), np.flatnonzero(self.place == _MISSING)
        which, across = np.nonzero(used[self.cells.group[spread]])
        rows = spread[which]
        return (
            np.concatenate([seat, rows]),
            np.concatenate([self.place[seat], across]),
            np.concatenate([np.ones(len(seat)), self.shares[self.cells.group[rows], across]]),
        )

    def fail(self, message: str, cases: Iterable[tuple[int, str, float]]) -> None:
        """Raise an error about respondents by group and category."""
        sums: dict[tuple[str, str], float] = {}
        for group, category, count in cases:
            case = category, _within(self.groups[group])
            sums[case] = sums.get(case, 0) + float(count)
        ranked = sorted(sums.items(), key=lambda pair: -pair[1])
        told = ", ".join(f"{name!r}{where}: {n:g}" for (name, where), n in ranked[:_SHOWN])
        more = f", ... ({len(ranked)} in all)" if len(ranked) > _SHOWN else ""
        raise CalibrationError(
            f"{self.name!r}: {message.format(told + more)}",
            variable=self.name,
            categories=[name + where for (name, where), _ in ranked],
            counts=[count for _, count in ranked],
        )


def _crossed(cells: Cells, variable: Variable) -> tuple[list[Category], IntArray]:
    """Return the crossed categories that occur, and which of them every cell has, (c,)."""
    key = np.zeros(len(cells.count), dtype=np.int64)
    for name in variable:
        key = key * len(cells.values[name]) + cells.codes[name]
    keys = distinct(key)
    which, parts = np.searchsorted(keys, key), []
    for name in reversed(variable):
        keys, code = np.divmod(keys, len(cells.values[name]))
        parts.append([category_name(cells.values[name][k]) for k in code])
    return list(zip(*reversed(parts), strict=True)), which
