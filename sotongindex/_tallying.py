"""Tallying: from the answers in memory to their sums, block by block."""

from __future__ import annotations

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, Groups, IntArray, distinct, group_sums, read_only
from sotongindex._evaluations import Evaluations
from sotongindex._jackknife_groups import check_groups, given_groups, jackknife_groups
from sotongindex._replicate_sums import ReplicateSums, left_out, refuse_several_groups
from sotongindex._sums import Sums
from sotongindex.errors import MethodError
from sotongindex.models import Framework
from sotongindex.responses import Responses

__all__ = ["answer_categories", "evaluation_groups", "sum_evaluations", "sum_replicates"]


def sum_evaluations(
    evaluations: Evaluations,
    *,
    groups: int = 1,
    group: IntArray | None = None,
    categories: IntArray | None = None,
) -> Sums:
    """Add up the columns of `evaluations`; with respondents first they are more than the items.

    Groups are those of `evaluation_groups`, or any others from 0; None where there is one.
    """
    responses = evaluations.responses
    keys = evaluations.units() if group is None else evaluations.units() * groups + group
    grouped = Groups.of(keys)
    weight = responses.weight
    count, columns = len(grouped), evaluations.columns
    answers, answer_weight, points = (np.zeros((count, columns)) for _ in range(3))
    for block in grouped.row_blocks():
        rows, rank = grouped.order[block], grouped.rank[block]
        here = slice(int(rank[0]), int(rank[-1]) + 1)
        local, number = rank - rank[0], here.stop - here.start
        scores, answered = evaluations.block(rows)
        weights = None if weight is None else weight[rows]
        points[here] += group_sums(scores, local, number, weights=weights)
        answers[here] += group_sums(answered, local, number)
        if weights is not None:
            answer_weight[here] += group_sums(answered, local, number, weights=weights)
    row_weight = np.ones(len(keys)) if weight is None else weight
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[grouped.order] = grouped.rank
    return Sums(
        keys=grouped.keys,
        evaluations=np.bincount(ranks, minlength=count).astype(np.int64),
        weight=np.bincount(ranks, row_weight, count).astype(np.float64),
        squared_weight=np.bincount(ranks, row_weight**2, count).astype(np.float64),
        answers=np.rint(answers).astype(np.int64),
        answer_weight=answers if weight is None else answer_weight,
        points=points,
        frequencies=None
        if categories is None
        else _frequencies(responses, ranks, count=count, categories=categories),
    )


def answer_categories(framework: Framework) -> IntArray:
    """Return the whole numbers from the lowest to the highest answer of any scale, (k,)."""
    scales = [item.scale for item in framework.items]
    low, high = min(scale.low for scale in scales), max(scale.high for scale in scales)
    return read_only(np.arange(int(low), int(high) + 1))


def sum_replicates(
    evaluations: Evaluations, *, groups: int, group: IntArray | None
) -> ReplicateSums | None:
    """Add up every replicate of the grouped jackknife; None unless weights are calibrated again.

    Raises:
        MethodError: If what is left without a group cannot be calibrated, or respondents are in
            several groups.
    """
    responses = evaluations.responses
    known = responses.calibration
    if group is None or known is None or responses.weight is None:
        return None
    cells, own = len(known.ratio), group[known.first]
    refuse_several_groups(len(distinct(known.unit[own[known.unit] != group])))
    in_cell = known.cell * groups + own
    start = np.bincount(in_cell, known.start, cells * groups).reshape(cells, groups)
    ratios = known.again_by_cell(left_out(start))
    cell = known.cell[known.unit]
    # The starting weight, times what was done to weights after calibration.
    base = responses.weight / known.ratio[cell]

    def sums(weight: FloatArray, groups: int, group: IntArray) -> Sums:
        weighted = attrs.evolve(responses, weight=weight)
        return sum_evaluations(
            attrs.evolve(evaluations, responses=weighted), groups=groups, group=group
        )

    return ReplicateSums.of(
        sums(base, cells, cell), sums(base * ratios[cell, group], groups, group), ratios
    )


def evaluation_groups(
    responses: Responses, groups: int, group: str | None = None
) -> IntArray | None:
    """Return the jackknife group of every evaluation, given in a kept column or by key, (n,).

    Where there is one group, there is none to tell: None.
    """
    check_groups(groups)
    if groups == 1:
        return None
    if group is None:
        return jackknife_groups(responses.cluster_labels, groups)[responses.clusters]
    if group not in responses.kept:
        raise MethodError(f"expected a kept column {group!r}, found none", argument="group")
    return given_groups(responses.kept[group], groups)


def _frequencies(
    responses: Responses, ranks: IntArray, *, count: int, categories: IntArray
) -> FloatArray:
    """Add up weights by row of the sums, item and answer category, (r, i, k)."""
    if responses.answers.dtype.kind != "i":
        raise MethodError(
            "answers with fractions have no categories to count", argument="frequencies"
        )
    number = len(categories)
    items = responses.answers.shape[1]
    result = np.zeros((count, items, number))
    for item in range(items):
        code = responses.answers[:, item].astype(np.int64) - categories[0]
        valid = (code >= 0) & (code < number)
        weights = None if responses.weight is None else responses.weight[valid]
        cells = np.bincount((ranks * number + code)[valid], weights, count * number)
        result[:, item] = cells.reshape(count, number)
    return result
