"""Claims about differences: p-values, their adjustment for many tests, and verdicts in words."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._student import t_probability
from sotongindex.errors import MethodError, nearest_key
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.variance import Estimates

Adjustment: TypeAlias = Literal[
    "benjamini-hochberg", "holm", "bonferroni", "benjamini-yekutieli"
]  # fmt: skip
Verdict: TypeAlias = Literal["better", "about the same", "worse", "not known"]


def adjust_p_values(p: ArrayLike, *, method: Adjustment = "benjamini-hochberg") -> FloatArray:
    r"""Adjust the p-values of one family of tests for being many.

    With :math:`p_{(1)} \le \dots \le p_{(m)}`, each at most 1:

    - ``"bonferroni"``: :math:`m\,p_{(i)}`;
    - ``"holm"``: :math:`\max_{j \le i} (m - j + 1)\,p_{(j)}`, never above Bonferroni's;
    - ``"benjamini-hochberg"``: :math:`\min_{j \ge i} (m / j)\,p_{(j)}`;
    - ``"benjamini-yekutieli"``: the same times :math:`\sum_{k=1}^m 1/k`.

    Claiming where the adjusted value is at most :math:`\alpha` keeps the chance of any false claim
    (Bonferroni, Holm) or the expected share of false claims among all claims at :math:`\alpha`.
    Holm and Benjamini-Yekutieli ask nothing of how the tests depend on each other;
    Benjamini-Hochberg asks that they are independent or positively dependent.

    Args:
        p: P-values, 0 to 1, of any shape; NaN means not tested: it is not counted.
        method: The adjustment.

    Returns:
        Adjusted p-values in the shape of `p`, never below it; NaN where not tested.

    Raises:
        MethodError: If a p-value is outside 0 to 1, or the method is unknown.

    References:
        Holm (1979), Scandinavian Journal of Statistics 6, 65-70. Benjamini and Hochberg (1995),
        doi 10.1111/j.2517-6161.1995.tb02031.x. Benjamini and Yekutieli (2001),
        doi 10.1214/aos/1013699998.

    >>> adjust_p_values([0.01, 0.04, 0.03], method="holm").tolist()
    [0.03, 0.06, 0.06]
    """
    check_adjustment(method)
    given = np.asarray(p, dtype=np.float64)
    tested = ~np.isnan(given)
    if ((given[tested] < 0) | (given[tested] > 1)).any():
        raise MethodError("expected p-values from 0 to 1, or NaN where not tested", argument="p")
    order = np.argsort(given[tested], kind="stable")
    adjusted = np.empty(len(order))
    adjusted[order] = _adjusted(given[tested][order], method)
    result = np.full(given.shape, np.nan)
    result[tested] = adjusted
    return result


def _adjusted(ascending: FloatArray, method: Adjustment) -> FloatArray:
    count = len(ascending)
    rank = np.arange(1, count + 1)
    if method == "bonferroni":
        raised = count * ascending
    elif method == "holm":
        raised = np.maximum.accumulate((count - rank + 1) * ascending)
    else:
        factor = (1 / rank).sum() if method == "benjamini-yekutieli" else 1.0
        raised = np.minimum.accumulate((factor * (count / rank) * ascending)[::-1])[::-1]
    return np.minimum(raised, 1.0)


def check_adjustment(method: str) -> None:
    """Raise a MethodError if there is no such adjustment."""
    known = get_args(Adjustment)
    if method not in known:
        near = nearest_key(method, known)
        raise MethodError(
            f"expected one of {', '.join(map(repr, known))}, got {method!r}"
            + (f"; did you mean {near!r}?" if near else ""),
            argument="adjustment",
        )


def check_share(value: float, argument: str) -> None:
    """Raise a MethodError unless the value is a share between 0 and 1."""
    if not 0 < value < 1:
        raise MethodError(f"expected a share between 0 and 1, got {value}", argument=argument)


def adjust_families(p: FloatArray, family: IntArray, method: Adjustment) -> FloatArray:
    """Adjust p-values (k,) within each of their families (k,)."""
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(family, kind="stable")
    bounds = np.flatnonzero(np.diff(family[order])) + 1
    for members in np.split(order, bounds):
        adjusted[members] = adjust_p_values(p[members], method=method)
    return adjusted


def p_values(differences: Estimates, *, relevant: float = 0.0) -> FloatArray:
    """Return two-sided p-values of the hypothesis that a true difference is within `relevant`."""
    size, error = np.abs(differences.values), differences.standard_error
    exact = error == 0
    scale = np.where(exact, 1.0, error)
    freedom = differences.degrees_of_freedom
    tails = t_probability(freedom, (relevant - size) / scale) + t_probability(
        freedom, (-relevant - size) / scale
    )
    certain = np.where(size > relevant + TIE_WIDTH, 0.0, 1.0)
    return np.where(exact, certain, np.minimum(tails, 1.0))


def verdicts(
    differences: FloatArray, adjusted: FloatArray, *, false_claims: float
) -> NDArray[np.str_]:
    """Return a verdict for every difference, "" where there is no difference to judge."""
    claimed = np.where(differences > 0, "better", "worse")
    found = np.where(adjusted <= false_claims, claimed, "about the same")
    found = np.where(np.isnan(adjusted), "not known", found)
    return np.where(np.isnan(differences), "", found)
