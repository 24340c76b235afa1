"""Weights from the best-worst method: every key beside the most and the least important one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, float_array
from sotongindex._judgements import (
    Agreement,
    Comparisons,
    JudgedRule,
    Rows,
    amounts_for,
    check_comparisons,
    comparisons_of,
    mean_of_judges,
    told,
)
from sotongindex._validators import are_known
from sotongindex.errors import DefinitionError

_BEST, _WORST = "BestWorstWeights.best_to_others", "BestWorstWeights.others_to_worst"

# The largest acceptable input-based ratio of 3, 4, ... 9 keys, by how the best compares with the
# worst; Liang, Brunelli and Rezaei found them by simulation.
_THRESHOLDS: Mapping[float, tuple[float, ...]] = {
    2: (0.0,) * 7,
    3: (0.1667, 0.1667, 0.1667, 0.1667, 0.1667, 0.1667, 0.1667),
    4: (0.1121, 0.1529, 0.1898, 0.2206, 0.2527, 0.2577, 0.2683),
    5: (0.1354, 0.1994, 0.2306, 0.2546, 0.2716, 0.2844, 0.2960),
    6: (0.1330, 0.1990, 0.2643, 0.3044, 0.3144, 0.3221, 0.3262),
    7: (0.1294, 0.2457, 0.2819, 0.3029, 0.3144, 0.3251, 0.3403),
    8: (0.1309, 0.2521, 0.2958, 0.3154, 0.3408, 0.3620, 0.3657),
    9: (0.1359, 0.2681, 0.3062, 0.3337, 0.3517, 0.3620, 0.3662),
}


@attrs.frozen(kw_only=True, eq=False)
class BestWorstDiagnostics:
    r"""Weights from the best-worst method, and how consistent the judgements are.

    Attributes:
        agreement: The weights with their errors, and how far the judges agree.
        ksi: For every judge the largest distance :math:`\xi` of a judgement from the weights, (j,);
            0 where the judgements are consistent.
        input_ratio: For every judge the input-based consistency ratio, the largest
            :math:`|a_{Bj} a_{jW} - a_{BW}| / (a_{BW}^2 - a_{BW})`, 0 to 1, (j,); NaN with fewer
            than three keys, where nothing can be checked.
        threshold: The largest acceptable ratio, (j,); NaN beyond the published table: 3 to 9 keys,
            and 2 to 9 for the best beside the worst.
        least_consistent: For every judge the key with the largest ratio; None where all agree.
    """

    agreement: Agreement
    ksi: FloatArray = attrs.field(converter=float_array)
    input_ratio: FloatArray = attrs.field(converter=float_array)
    threshold: FloatArray = attrs.field(converter=float_array)
    least_consistent: tuple[str | None, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The weights as plain numbers."""
        return self.agreement.shares

    def __str__(self) -> str:
        lines = [str(self.agreement)]
        for place, judge in enumerate(self.agreement.judges):
            ratio, most = self.input_ratio[place], self.threshold[place]
            key = self.least_consistent[place]
            lines.append(
                f"  {judge}: ksi {self.ksi[place]:.3f}, input-based ratio {told(ratio)}"
                + ("" if math.isnan(most) else f" (up to {most:.3f})")
                + (f", reconsider {key}" if key and not ratio <= most else "")
            )
        return "\n".join(lines)


@attrs.frozen
class BestWorstWeights(JudgedRule):
    r"""Weights from the linear best-worst method.

    A judge names the best (most important) key :math:`B` and the worst one :math:`W` and says how
    many times as important the best is as every key, :math:`a_{Bj}`, and every key as the worst,
    :math:`a_{jW}`: some :math:`2 n` judgements in place of :math:`n (n - 1) / 2`. The weights have
    the smallest :math:`\xi` with

    .. math:: |w_B - a_{Bj} w_j| \le \xi, \quad |w_j - a_{jW} w_W| \le \xi, \quad \sum_j w_j = 1 .

    They are unique, and found without a solver. With weights in units of :math:`\xi`, their sum is
    to be made large, so that :math:`w_j = \min((w_B + 1) / a_{Bj}, a_{jW} w_W + 1)`. What is left
    are lines in the plane of :math:`(w_W, w_B)`, two for each key, :math:`w_B = s w_W \pm t` with
    :math:`s = a_{Bj} a_{jW}, t = a_{Bj} + 1` (and :math:`s = a_{BW}, t = 1`). Between them lies a
    cone; as both weights grow towards its tip, the tip is the answer. Lines that never meet have
    one slope: then the judgements are consistent and :math:`\xi` is 0.

    Weights are the mean over judges, who may name different best and worst keys.

    Attributes:
        best_to_others: For every judge the best key, and how many times as important it is as each
            other one, 1 or more; or those of a single judge. For items one best in each dimension.
        others_to_worst: For every judge the worst key, and how many times as important each other
            one is.

    Raises:
        DefinitionError: If a judgement is below 1 or not finite, or the judges of both differ.

    References:
        Rezaei (2016), doi 10.1016/j.omega.2015.12.001. Liang, Brunelli and Rezaei (2020),
        doi 10.1016/j.omega.2019.102175, for the input-based ratio and its thresholds.

    >>> rule = BestWorstWeights(
    ...     {"price": {"quality": 2, "comfort": 4, "style": 8}},
    ...     {"style": {"price": 8, "quality": 4, "comfort": 2}},
    ... )
    >>> [round(share, 3) for share in rule.shares(["price", "quality", "comfort", "style"])]
    [0.533, 0.267, 0.133, 0.067]
    """

    best_to_others: Comparisons = attrs.field(converter=comparisons_of)
    others_to_worst: Comparisons = attrs.field(converter=comparisons_of)

    def __attrs_post_init__(self) -> None:
        check_comparisons(self.best_to_others, field=_BEST, expected="of 1 or more")
        check_comparisons(self.others_to_worst, field=_WORST, expected="of 1 or more")
        bests, worsts = dict(self.best_to_others), dict(self.others_to_worst)
        are_known(worsts, bests, field=_WORST, what="judge")
        are_known(bests, worsts, field=_BEST, what="judge")

    def _said(self) -> Comparisons:
        return self.best_to_others + self.others_to_worst

    def diagnostics(self, keys: Sequence[str]) -> BestWorstDiagnostics:
        """Return the weights of `keys`, how consistent the judges are and how far they agree."""
        said = [self._vectors(judge, keys) for judge in self.judges]
        solved = [_linear_best_worst(one) for one in said]
        ratios = [one.input_ratios() for one in said]
        return BestWorstDiagnostics(
            agreement=mean_of_judges(keys, self.judges, [weights for weights, _ in solved]),
            ksi=[ksi for _, ksi in solved],
            input_ratio=[ratio.max() if len(keys) > 2 else np.nan for ratio in ratios],
            threshold=[_threshold(one) for one in said],
            least_consistent=tuple(
                keys[int(ratio.argmax())] if ratio.max() > 1e-9 else None for ratio in ratios
            ),
        )

    def _vectors(self, judge: str, keys: Sequence[str]) -> _Vectors:
        """Return what a judge said of `keys`."""
        if len(keys) == 1:
            return _Vectors(best=0, worst=0, from_best=np.ones(1), to_worst=np.ones(1))
        best, from_best = _named(judge, dict(self.best_to_others)[judge], keys, field=_BEST)
        worst, to_worst = _named(judge, dict(self.others_to_worst)[judge], keys, field=_WORST)
        field = f"{_WORST}[{judge}].{worst}"
        if best == worst:
            raise DefinitionError(f"{best!r} is the best as well", field=field, key=worst)
        # The best beside the worst belongs to both lists, and may be left out of one.
        said = [
            judged[key] for judged, key in ((from_best, worst), (to_worst, best)) if key in judged
        ]
        if len(set(said)) != 1:
            got = " and ".join(f"{number:g}" for number in said) or "none"
            raise DefinitionError(
                f"expected one judgement of {best!r} beside {worst!r}, got {got}",
                field=f"{field}.{best}",
            )
        extreme = from_best[worst] = to_worst[best] = said[0]
        return _Vectors(
            best=keys.index(best),
            worst=keys.index(worst),
            from_best=_numbers(from_best, keys, most=extreme, field=f"{_BEST}[{judge}].{best}"),
            to_worst=_numbers(to_worst, keys, most=extreme, field=field),
        )


@attrs.frozen(kw_only=True, eq=False)
class _Vectors:
    """What a judge said: the best beside every key and every key beside the worst, (k,)."""

    best: int
    worst: int
    from_best: FloatArray
    to_worst: FloatArray

    @property
    def extreme(self) -> float:
        """The best beside the worst."""
        return float(self.from_best[self.worst])

    def input_ratios(self) -> FloatArray:
        """Return how far each key is from what consistent judgements say of it, (k,)."""
        between = np.ones(len(self.from_best), dtype=bool)
        between[[self.best, self.worst]] = False
        off = np.abs(self.from_best * self.to_worst - self.extreme) * between
        ratios: FloatArray = off / (self.extreme**2 - self.extreme or 1.0)
        return ratios


def _named(
    judge: str, rows: Rows, keys: Sequence[str], *, field: str
) -> tuple[str, dict[str, float]]:
    """Return the one among `keys` that a judge named, and the judgements about it."""
    found = [(row, dict(amounts)) for row, amounts in rows if row in keys]
    if len(found) != 1:
        raise DefinitionError(
            f"expected one of {', '.join(keys)}, got {' and '.join(r for r, _ in found) or 'none'}",
            field=f"{field}[{judge}]",
        )
    name, judged = found[0]
    are_known(judged, keys, field=f"{field}[{judge}].{name}", what="key")
    return name, {**judged, name: 1.0}


def _numbers(
    judged: Mapping[str, float], keys: Sequence[str], *, most: float, field: str
) -> FloatArray:
    """Return the judgements of `keys`, (k,), none of them above the best beside the worst."""
    numbers = amounts_for(keys, tuple(judged.items()), field=field, what="judgement")
    if numbers.max() > most:
        key = keys[int(numbers.argmax())]
        raise DefinitionError(
            f"{numbers.max():g} for {key!r} is more than the best beside the worst, {most:g}",
            field=f"{field}.{key}",
            key=float(numbers.max()),
        )
    return numbers


def _linear_best_worst(said: _Vectors) -> tuple[FloatArray, float]:
    """Return the weights (k,) nearest to the judgements, and how near: the tip of the cone."""
    others = np.delete(np.arange(len(said.from_best)), [said.best, said.worst])
    from_best, to_worst = said.from_best[others], said.to_worst[others]
    slope = np.append(from_best * to_worst, said.extreme)
    width = np.append(from_best + 1, 1.0)
    steeper = slope - slope[:, None]
    meet = steeper > 1e-9 * slope.max()
    if not meet.any():
        weights = 1 / said.from_best
        return weights / weights.sum(), 0.0
    worst = ((width + width[:, None])[meet] / steeper[meet]).min()
    best = (slope * worst + width).min()
    weights = np.empty(len(said.from_best))
    weights[others] = np.minimum((best + 1) / from_best, to_worst * worst + 1)
    weights[[said.best, said.worst]] = best, worst
    return weights / weights.sum(), float(1 / weights.sum())


def _threshold(said: _Vectors) -> float:
    """Return the largest acceptable ratio; NaN where none is published."""
    published = _THRESHOLDS.get(said.extreme, ())
    column = len(said.from_best) - 3
    return published[column] if 0 <= column < len(published) else math.nan
