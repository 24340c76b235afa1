"""The change of an index as a game: what scores, weights, channels and items put into it.

Every part of the measurement is turned from the earlier to the later wave in every order there is;
a part's term is its mean effect. So the terms add up to the change whatever the means are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import factorial
from typing import Literal, TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray
from sotongindex._wave_sheets import BoolArray, Sheets
from sotongindex.weighting import ImportanceWeights

Term: TypeAlias = Literal[
    "scores",
    "channel weights",
    "dimension and item weights",
    "channels entered",
    "channels left",
    "items entered",
    "items left",
    "organizations entered",
    "organizations left",
]
TERMS: tuple[Term, ...] = (
    "scores",
    "channel weights",
    "dimension and item weights",
    "channels entered",
    "channels left",
    "items entered",
    "items left",
)


@attrs.frozen(kw_only=True, eq=False)
class Shares:
    """What every term is made of.

    Axes: t terms, and those of the sheets.

    Attributes:
        values: The terms, (t, o); NaN where the waves have nothing in common.
        by_before: Their derivatives by the earlier scores, (t, o, c, u).
        by_after: Their derivatives by the later scores, (t, o, c, u).
        flat: Where a derivative does not exist, (o,).
    """

    values: FloatArray
    by_before: FloatArray
    by_after: FloatArray
    flat: BoolArray


def shapley_terms(sheets: Sheets) -> Shares:
    r"""Return the mean effect of every term over all orders.

    With :math:`n` terms that differ between the waves, and the index :math:`v(T)` with the terms in
    :math:`T` turned: :math:`\sum_{T \not\ni j} |T|! (n - |T| - 1)! / n!\, [v(T + j) - v(T)]`.
    """
    board = _Board.of(sheets)
    active: list[Term] = [term for term in TERMS if board.differs(term)]
    rows = [TERMS.index(term) for term in active]
    shape = sheets.before.scores.shape
    states = np.empty((2 ** len(active), shape[0]))
    by_before, by_after = np.zeros((2, len(TERMS), *shape))
    flat = np.zeros(shape[0], dtype=bool)
    for code in range(len(states)):
        turned = [bool(code >> place & 1) for place in range(len(active))]
        now: dict[Term, bool] = dict(zip(active, turned, strict=True))
        states[code], gradient, from_after = board.index(now)
        flat |= np.isnan(gradient).any(axis=(1, 2))
        gradient = np.nan_to_num(gradient)
        for row, share in zip(rows, _coefficients(turned), strict=True):
            by_after[row] += share * gradient * from_after
            by_before[row] += share * gradient * ~from_after
    values = np.zeros((len(TERMS), shape[0]))
    values[rows] = _mean_effects(states)
    values[:, np.isnan(states).any(axis=0)] = np.nan
    return Shares(values=values, by_before=by_before, by_after=by_after, flat=flat)


def _mean_effects(states: FloatArray) -> FloatArray:
    """Return the mean effect of every term (t, o) from the index in every state (2^t, o)."""
    code = np.arange(len(states))
    count = int(code[-1]).bit_length()
    size = np.array([int(one).bit_count() for one in code])
    effects = np.zeros((count, states.shape[1]))
    for place in range(count):
        before = code[code >> place & 1 == 0]
        # Differences first: a term that changes nothing is exactly 0.
        risen = states[before + 2**place] - states[before]
        share = [_weight(others, count) for others in size[before].tolist()]
        effects[place] = share @ risen
    return effects


def _coefficients(turned: Sequence[bool]) -> list[float]:
    """Return how a state counts in each term."""
    count, size = len(turned), sum(turned)
    return [_weight(size - 1, count) if on else -_weight(size, count) for on in turned]


def _weight(others: int, count: int) -> float:
    """Return the share of orders in which a term comes right after certain others."""
    return factorial(others) * factorial(count - others - 1) / factorial(count)


@attrs.frozen(kw_only=True, eq=False)
class _Board:
    """What can be turned: masks (o, c, u), (o, c) and weights of both waves."""

    sheets: Sheets
    common: BoolArray
    entered: dict[str, BoolArray]
    left: dict[str, BoolArray]
    opened: BoolArray
    closed: BoolArray
    weights: tuple[ImportanceWeights, ImportanceWeights]

    @classmethod
    def of(cls, sheets: Sheets) -> _Board:
        """Tell what both waves have from what one of them has."""
        early, late = sheets.before, sheets.after
        # Who has an index in one wave alone has no change to explain.
        both = np.asarray(~np.isnan(early.index + late.index))[:, None, None]
        first, second = early.present & both, late.present & both
        before, after = (np.asarray(found.any(axis=2)) for found in (first, second))
        new, gone = after & ~before, before & ~after
        added, dropped = second & ~first, first & ~second
        return cls(
            sheets=sheets,
            common=first & second,
            entered={"channels": added & new[..., None], "items": added & ~new[..., None]},
            left={"channels": dropped & gone[..., None], "items": dropped & ~gone[..., None]},
            opened=late.operated & ~early.operated & both[..., 0],
            closed=early.operated & ~late.operated & both[..., 0],
            weights=_common_weights(sheets),
        )

    def differs(self, term: Term) -> bool:
        """Whether a term differs between the waves for anybody."""
        first, second = self.weights
        if term == "scores":
            return True
        if term == "channel weights":
            return not np.allclose(first.channels, second.channels, rtol=0, atol=1e-12)
        if term == "dimension and item weights":
            pairs = ((first.dimensions, second.dimensions), (first.items, second.items))
            return not all(np.allclose(*pair, rtol=0, atol=1e-12) for pair in pairs)
        what, way = term.split()
        units = self.entered[what] if way == "entered" else self.left[what]
        channels = self.opened if way == "entered" else self.closed
        return bool(units.any() or (what == "channels" and channels.any()))

    def index(self, turned: Mapping[Term, bool]) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Return the index, its derivatives, and whether a score is of the later wave."""

        def on(term: Term) -> bool:
            return turned.get(term, False)

        entered = self.entered["channels"] & on("channels entered")
        entered = entered | (self.entered["items"] & on("items entered"))
        left = self.left["channels"] & (not on("channels left"))
        left = left | (self.left["items"] & (not on("items left")))
        early, late = self.sheets.before, self.sheets.after
        from_after = entered | (self.common & on("scores"))
        first, second = self.weights
        other = second if on("dimension and item weights") else first
        index, gradient = self.sheets.index(
            np.where(from_after, late.scores, early.scores),
            self.common | entered | left,
            operated=(early.operated & late.operated)
            | (self.opened & on("channels entered"))
            | (self.closed & (not on("channels left"))),
            weights=attrs.evolve(
                other, channels=(second if on("channel weights") else first).channels
            ),
        )
        return index, gradient, from_after


def _common_weights(sheets: Sheets) -> tuple[ImportanceWeights, ImportanceWeights]:
    """Return both waves' weights, each with the other's for what it does not ask.

    What only one wave asks has no weight in the other. It takes the one it has there, beside what
    both ask; so that a new item is a new item, and no change of weights.
    """
    early, late = sheets.before, sheets.after
    pairs = []
    for own, other in ((early, late), (late, early)):
        of_dimension = sheets.dimension_of == np.arange(len(sheets.dimensions))[:, None]
        items = np.zeros(own.weights.items.shape)
        for units in of_dimension:
            items[:, units] = _filled(
                own.weights.items[:, units],
                other.weights.items[:, units],
                own.asked[2][:, units],
                also=other.asked[2][:, units],
            )
        pairs.append(
            ImportanceWeights(
                channels=_filled(
                    own.weights.channels, other.weights.channels, own.asked[0], also=other.asked[0]
                ),
                dimensions=_filled(
                    own.weights.dimensions,
                    other.weights.dimensions,
                    own.asked[1],
                    also=other.asked[1],
                ),
                items=items,
            )
        )
    return pairs[0], pairs[1]


def _filled(own: FloatArray, other: FloatArray, has: BoolArray, *, also: BoolArray) -> FloatArray:
    """Fill weights along the last axis with the other wave's, and let them add up to 1."""
    both = has & also
    mine = np.where(both, own, 0.0).sum(axis=-1, keepdims=True)
    theirs = np.where(both, other, 0.0).sum(axis=-1, keepdims=True)
    scale = np.divide(mine, theirs, out=np.ones_like(mine), where=(theirs > 0) & (mine > 0))
    filled = np.where(has, own, np.where(also, other * scale, 0.0))
    total = filled.sum(axis=-1, keepdims=True)
    shares: FloatArray = np.divide(filled, total, out=np.zeros_like(filled), where=total > 0)
    return shares
