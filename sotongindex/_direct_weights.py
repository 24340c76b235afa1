"""Weights that judges give directly: points of a budget, points for swings, an order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray
from sotongindex._judgements import (
    Agreement,
    Amounts,
    JudgedRule,
    Opinions,
    amounts_for,
    check_opinions,
    check_sum,
    mean_of_judges,
    opinions_of,
    places,
)
from sotongindex._validators import is_one_of, is_positive
from sotongindex.errors import DefinitionError

RankMethod: TypeAlias = Literal["sum", "reciprocal", "centroid"]


@attrs.frozen
class BudgetWeights(JudgedRule):
    r"""Weights from a budget: every judge allots `total` points to the keys.

    With :math:`p_{ji}` the points that judge :math:`j` of :math:`m` gives to key :math:`i` and
    :math:`T` the total,

    .. math:: w_i = \frac1m \sum_j p_{ji} / T .

    Easy to explain, and the usual way of panels. Beyond some ten keys people lose sight of the
    whole and points cluster at round numbers; weigh dimensions first, then items within them.
    For items the points of every dimension add up to `total`.

    Attributes:
        points: For every judge the points of every key, 0 or more; or those of a single judge.
        total: What the points of each judge add up to, within 1e-6 of it.

    Raises:
        DefinitionError: If points are negative or not finite, or `total` is not positive.

    References:
        OECD and JRC (2008), Handbook on Constructing Composite Indicators, section 6,
        doi 10.1787/9789264043466-en.

    >>> rule = BudgetWeights({
    ...     "kim": {"blog": 60, "app": 40}, "lee": {"blog": 40, "app": 60},
    ...     "park": {"blog": 80, "app": 20},
    ... })
    >>> [round(share, 3) for share in rule.shares(["blog", "app"])]
    [0.6, 0.4]
    >>> print(rule.diagnostics(["blog", "app"]))
    weights of 3 judges, Kendall's W 0.11
      blog  0.600  error 0.115, deviation 0.200
      app   0.400  error 0.115, deviation 0.200
    """

    points: Opinions = attrs.field(converter=opinions_of)
    total: float = attrs.field(default=100.0, kw_only=True, validator=is_positive)

    def __attrs_post_init__(self) -> None:
        check_opinions(self.points, field="BudgetWeights.points", expected="of 0 or more")

    def _said(self) -> Opinions:
        return self.points

    def diagnostics(self, keys: Sequence[str]) -> Agreement:
        """Return the weights of `keys`, and how far the judges agree."""
        return _agreement(self.points, keys, field="BudgetWeights.points", weigh=self._weigh)

    def _weigh(self, points: FloatArray, keys: Sequence[str], field: str) -> FloatArray:
        check_sum(points, self.total, field=field, keys=keys)
        return points / math.fsum(points)


@attrs.frozen
class SwingWeights(JudgedRule):
    r"""Weights from swings: how much is it worth to move a key from its worst to its best level?

    A judge gives the most valuable swing `top` points and the others as many as they are worth
    beside it. With :math:`p_{ji}` the points,

    .. math:: w_i = \frac1m \sum_j p_{ji} / \sum_k p_{jk} .

    Unlike the other methods it asks for the range that scores really have, so that a key on which
    all organizations are alike gets little. For items, one item of every dimension gets `top`.

    Attributes:
        points: For every judge the points of every key, 0 to `top`; or those of a single judge.
        top: The points of the most valuable swing of each judge.

    Raises:
        DefinitionError: If points are negative or not finite, or `top` is not positive.

    References:
        von Winterfeldt and Edwards (1986), Decision Analysis and Behavioral Research, section 8.

    >>> SwingWeights({"openness": 100, "usefulness": 60, "design": 40}).shares(
    ...     ["openness", "usefulness", "design"]
    ... )
    (0.5, 0.3, 0.2)
    """

    points: Opinions = attrs.field(converter=opinions_of)
    top: float = attrs.field(default=100.0, kw_only=True, validator=is_positive)

    def __attrs_post_init__(self) -> None:
        check_opinions(self.points, field="SwingWeights.points", expected="of 0 or more")

    def _said(self) -> Opinions:
        return self.points

    def diagnostics(self, keys: Sequence[str]) -> Agreement:
        """Return the weights of `keys`, and how far the judges agree."""
        return _agreement(self.points, keys, field="SwingWeights.points", weigh=self._weigh)

    def _weigh(self, points: FloatArray, keys: Sequence[str], field: str) -> FloatArray:
        if abs(points.max() - self.top) > 1e-6 * self.top:
            raise DefinitionError(
                f"the most points among {', '.join(keys)} are {points.max():g}, "
                f"expected {self.top:g} for the most valuable swing",
                field=field,
            )
        return points / math.fsum(points)


@attrs.frozen
class RankOrderWeights(JudgedRule):
    r"""Weights from an order of importance alone.

    The key at place :math:`r` of :math:`n` gets, by `method`,

    - ``"sum"``: :math:`2 (n + 1 - r) / (n (n + 1))`, a straight line down;
    - ``"reciprocal"``: :math:`r^{-1} / \sum_k k^{-1}`, the steepest at the top;
    - ``"centroid"``: :math:`\frac1n \sum_{k=r}^n k^{-1}`, the middle of all weights that have this
      order, and in simulations the nearest to weights that people would have given.

    Tied keys share the weights of the places that they take together. Of ranks only the order
    counts: 1, 2, 2, 5 is 1, 2, 2, 4. Weights are the mean over judges.

    Attributes:
        ranks: For every judge the rank of every key, 1 for the most important; or those of a single
            judge. For items ranks are compared within a dimension.
        method: The rule that makes weights of places.

    Raises:
        DefinitionError: If a rank is below 1 or not finite, or the method is unknown.

    References:
        Barron and Barrett (1996), doi 10.1287/mnsc.42.11.1515. Stillwell, Seaver and Edwards
        (1981), doi 10.1016/0030-5073(81)90015-5.

    >>> rule = RankOrderWeights({"openness": 1, "usefulness": 2, "design": 3}, method="sum")
    >>> [round(share, 3) for share in rule.shares(["openness", "usefulness", "design"])]
    [0.5, 0.333, 0.167]
    """

    ranks: Opinions = attrs.field(converter=opinions_of)
    method: RankMethod = attrs.field(
        default="centroid", kw_only=True, validator=is_one_of("sum", "reciprocal", "centroid")
    )

    def __attrs_post_init__(self) -> None:
        check_opinions(self.ranks, field="RankOrderWeights.ranks", expected="of 1 or more")

    def _said(self) -> Opinions:
        return self.ranks

    def diagnostics(self, keys: Sequence[str]) -> Agreement:
        """Return the weights of `keys`, and how far the judges agree."""
        return _agreement(
            self.ranks, keys, field="RankOrderWeights.ranks", weigh=self._weigh, what="rank"
        )

    def _weigh(self, ranks: FloatArray, keys: Sequence[str], _: str) -> FloatArray:
        by_place = _PLACE_WEIGHTS[self.method](np.arange(1.0, len(keys) + 1))
        first, last = (place.astype(int) for place in places(-ranks))
        upto = np.concatenate([[0.0], np.cumsum(by_place / math.fsum(by_place))])
        weights: FloatArray = (upto[last] - upto[first - 1]) / (last - first + 1)
        return weights


_PLACE_WEIGHTS: Mapping[RankMethod, Callable[[FloatArray], FloatArray]] = {
    "sum": lambda place: place[::-1],
    "reciprocal": lambda place: 1 / place,
    "centroid": lambda place: np.cumsum(1 / place[::-1])[::-1],
}


def _agreement(
    opinions: Opinions,
    keys: Sequence[str],
    *,
    field: str,
    weigh: Callable[[FloatArray, Sequence[str], str], FloatArray],
    what: str = "points",
) -> Agreement:
    """Make weights of what every judge said of `keys`, and average them."""

    def weights_of(judge: str, amounts: Amounts) -> FloatArray:
        where = f"{field}[{judge}]"
        return weigh(amounts_for(keys, amounts, field=where, what=what), keys, where)

    judges = [judge for judge, _ in opinions]
    return mean_of_judges(keys, judges, [weights_of(*opinion) for opinion in opinions])
