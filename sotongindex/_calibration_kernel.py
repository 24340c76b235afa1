"""The arithmetic of calibration: ratios of new to old weights that meet totals, many at a time.

A problem has the starting weight of its cells d (c,), variables A (c, p) and totals t (p,). The
weights nearest to d that meet the totals are d F(u) with u = A l, where the distance gives F
(Deville and Sarndal 1992, doi 10.1080/01621459.1992.10475217) and l is where the convex function
sum(d Phi(u)) - l't, whose Phi has the slope F, is lowest. Two sweeps of proportional fitting come
near, damped Newton steps do the rest. Problems are solved side by side: b groups with variables of
their own, each from R starting weights.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray

__all__ = ["MET", "Distance", "Link", "Problems", "Solution"]

Distance: TypeAlias = Literal["linear", "raking", "logit"]

# The largest miss of a total, in shares: where steps end, and what still counts as met.
EXACT, MET = 1e-12, 1e-9
_MOST_STEPS, _MOST_HALVINGS = 100, 30
_RIDGE = 1e-12  # redundant variables make the matrix of a step singular, but never the step
_ROUNDING = 1e-14
_FAR = 300.0  # no weight is exp(300) times another


@attrs.frozen(kw_only=True, eq=False)
class Link:
    """How the ratio of new to old weight follows u, within bounds.

    Attributes:
        distance: What is smallest: squares ("linear"), relative entropy ("raking"), or the logit
            distance, which has bounds of its own.
        low: The lowest ratio, (b, 1, c) or one number.
        high: The highest ratio, likewise.
    """

    distance: Distance
    low: FloatArray
    high: FloatArray

    @property
    def is_cut(self) -> bool:
        """Whether ratios beyond a bound are cut to it."""
        return self.distance != "logit" and bool(
            (self.low > -np.inf).any() or (self.high < np.inf).any()
        )

    def at(self, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the ratio F(u), its slope, and Phi(u)."""
        if self.distance == "logit":
            return self._logit(u)
        inside = np.clip(u, self._reach(self.low), self._reach(self.high))
        if self.distance == "raking":
            ratio = slope = potential = np.exp(inside)
        else:
            ratio, slope, potential = 1 + inside, np.ones_like(u), inside + 0.5 * inside**2
        if self.is_cut:
            slope = np.where(inside == u, slope, 0.0)
            potential = potential + ratio * (u - inside)
        return ratio, slope, potential

    def _logit(self, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        width = self.high - self.low
        rate = width / ((1 - self.low) * (self.high - 1))
        z = rate * u + np.log((1 - self.low) / (self.high - 1))
        share = 0.5 + 0.5 * np.tanh(0.5 * z)
        potential = self.low * u + width / rate * np.logaddexp(0.0, z)
        return self.low + width * share, rate * width * share * (1 - share), potential

    def _reach(self, bound: FloatArray) -> FloatArray:
        """Return the u at which the ratio reaches `bound`."""
        if self.distance == "linear":
            return bound - 1
        with np.errstate(divide="ignore"):
            return np.clip(np.log(np.maximum(bound, 0.0)), -_FAR, _FAR)


@attrs.frozen(kw_only=True, eq=False)
class Solution:
    """Ratios, and how well they meet the totals.

    Attributes:
        ratio: New by old weight, (b, R, c).
        miss: The largest miss of a total, in shares, (b, R).
        steps: Newton steps.
    """

    ratio: FloatArray
    miss: FloatArray
    steps: int


@attrs.frozen(kw_only=True, eq=False)
class _Point:
    """Where a search stands: u, what follows from it, and the height of the convex function."""

    u: FloatArray
    paid: FloatArray  # l't
    ratio: FloatArray
    slope: FloatArray
    gap: FloatArray
    height: FloatArray

    @property
    def miss(self) -> FloatArray:
        miss: FloatArray = np.abs(self.gap).max(axis=-1, initial=0.0)
        return miss


@attrs.frozen(kw_only=True, eq=False)
class Problems:
    """Calibrations to solve side by side.

    Attributes:
        variables: A, (b, c, p), no number above 1.
        weight: d, (b, R, c), in shares of the new total.
        totals: t, (b, R, p), likewise.
        margin: The margin of every column, (b, p); below 0 where no sweep fits it.
        link: How ratios follow u.
    """

    variables: FloatArray
    weight: FloatArray
    totals: FloatArray
    margin: IntArray
    link: Link

    def solve(self) -> Solution:
        """Return the ratios; where totals cannot be met, the nearest that was found."""
        point = self._point(self._swept(), np.zeros(self.weight.shape[:2]))
        steps, done = 0, point.miss <= EXACT
        while steps < _MOST_STEPS and not done.all():
            further = self._step(point)
            # At the limit of rounding nothing more is gained.
            settled = (further.miss <= MET) & (further.miss > 0.5 * point.miss)
            done = (further.miss <= EXACT) | settled | (further.height == point.height)
            point, steps = further, steps + 1
        return Solution(ratio=point.ratio, miss=point.miss, steps=steps)

    def _point(self, u: FloatArray, paid: FloatArray) -> _Point:
        ratio, slope, potential = self.link.at(u)
        return _Point(
            u=u,
            paid=paid,
            ratio=ratio,
            slope=slope,
            gap=(self.weight * ratio) @ self.variables - self.totals,
            height=(self.weight * potential).sum(axis=-1) - paid,
        )

    def _swept(self) -> FloatArray:
        """Return u after two sweeps of proportional fitting over the margins."""
        u = np.zeros_like(self.weight)
        if self.link.distance != "raking" or self.link.is_cut:
            return u
        columns = np.swapaxes(self.variables, -1, -2)
        for margin in 2 * list(range(int(self.margin.max(initial=-1)) + 1)):
            fitted = (self.weight * np.exp(u)) @ self.variables
            usable = (self.margin == margin)[:, None] & (fitted > 0) & (self.totals > 0)
            factor = np.divide(self.totals, fitted, out=np.ones_like(fitted), where=usable)
            u = np.clip(u + np.log(factor) @ columns, -_FAR, _FAR)
        return u

    def _step(self, point: _Point) -> _Point:
        """Return where a Newton step leads, halved until it gains ground."""
        matrix = _gram(self.variables, self.weight * point.slope)
        diagonal = np.einsum("...ii->...i", matrix)
        top = diagonal.max(axis=-1, keepdims=True, initial=0.0)
        # Where ratios are cut, cells without slope leave the matrix singular: the ridge then
        # shrinks with the miss, so that the last steps are Newton's own.
        damping = 1e-3 * point.miss[..., None] if self.link.is_cut else 0.0
        diagonal += top * (_RIDGE + damping) + np.finfo(float).tiny
        move = -np.linalg.solve(matrix, point.gap[..., None])[..., 0]
        uphill = (move * point.gap).sum(axis=-1)
        du = move @ np.swapaxes(self.variables, -1, -2)
        paid = (move * self.totals).sum(axis=-1)
        length, gained = np.ones_like(paid), np.zeros(paid.shape, dtype=np.bool_)
        for _ in range(_MOST_HALVINGS):
            there = self._point(point.u + length[..., None] * du, point.paid + length * paid)
            lower = there.height <= point.height + 1e-4 * length * uphill + _ROUNDING
            gained = lower | (there.miss < 0.5 * point.miss)
            if gained.all():
                return there
            length = np.where(gained, length, 0.5 * length)
        length = np.where(gained, length, 0.0)
        return self._point(point.u + length[..., None] * du, point.paid + length * paid)


def _gram(variables: FloatArray, weight: FloatArray) -> FloatArray:
    """Return A'diag(w)A, (b, R, p, p), some cells at a time."""
    groups, replicates, cells = weight.shape
    columns = np.swapaxes(variables, -1, -2)[:, None]
    size = columns.shape[2]
    sums = np.zeros((groups, replicates, size, size))
    block = max(1, 2**21 // max(groups * replicates * size, 1))
    for start in range(0, cells, block):
        part = slice(start, start + block)
        scaled = columns[..., part] * weight[:, :, None, part]
        sums += scaled @ variables[:, None, part]
    return sums
