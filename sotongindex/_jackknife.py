"""The grouped jackknife: what leaving out one group does to every item mean of a tally."""

from __future__ import annotations

import numpy as np

from sotongindex._arrays import FloatArray, IntArray, distinct
from sotongindex._factors import GROUPS, Block, StoredFactor
from sotongindex._levels import LEVELS, Level, Rows, Tree, climb
from sotongindex.tally import Tally, units_of


def group_deviations(tally: Tally) -> Rows:
    r"""Return :math:`\sqrt{(G-1)/G} (\theta_{(g)} - \theta)` for every unit and group."""
    weight, points = tally.dense(tally.answer_weight), tally.dense(tally.points)
    columns = weight.shape[-1]
    weight, points = weight.reshape(-1, columns), points.reshape(-1, columns)
    if tally.replicates is None:
        unit, group = units_of(tally), tally.group
        weight, points = weight[unit], points[unit]
        rest, rest_points = weight - tally.answer_weight, points - tally.points
    else:
        own = tally.replicates
        unit = np.repeat(own.unit, tally.groups)
        group = np.tile(np.arange(tally.groups), len(own.unit))
        weight, points = weight[unit], points[unit]
        rest, rest_points = (sums.reshape(weight.shape) for sums in (own.answer_weight, own.points))
    # A group that holds every answer leaves nothing to compare; its degrees of freedom are 0.
    comparable = rest > 1e-12 * weight
    mean = np.divide(points, weight, out=np.zeros_like(points), where=weight > 0)
    without = np.divide(rest_points, rest, out=mean.copy(), where=comparable)
    scale = np.sqrt((tally.groups - 1) / tally.groups)
    return Rows(place=unit, source=group, values=scale * (without - mean))


def jackknife_levels(
    tally: Tally, tree: Tree
) -> tuple[dict[Level, FloatArray], dict[Level, StoredFactor]]:
    """Return variances (places, k) and factors of every level."""
    variances: dict[Level, FloatArray] = {}
    factors: dict[Level, StoredFactor] = {}
    for level, rows in climb(group_deviations(tally), tree, sources=tally.groups).items():
        shape = (tree.places(level), tree.width(level))
        variances[level] = np.zeros(shape)
        rows.add_squares(variances[level])
        matrix = rows.matrix(np.arange(shape[0] * shape[1]), tally.groups)
        factors[level] = StoredFactor({GROUPS: Block(np.arange(tally.groups), matrix)})
    return {level: variances[level] for level in LEVELS}, factors


def occupied_groups(tally: Tally) -> tuple[IntArray, IntArray, IntArray]:
    """Return the groups that answered every column (o, c, p), unit (o, c), organization (o,)."""
    columns = tally.dense((tally.answers > 0).astype(np.int64))
    units = tally.dense((tally.evaluations > 0).astype(np.int64))
    pairs = distinct(tally.organization * tally.groups + tally.group)
    organizations = np.bincount(pairs // tally.groups, minlength=len(tally.study.organizations))
    return columns, units, organizations.astype(np.int64)
