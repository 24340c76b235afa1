"""Design effects: how much the sample's design changes the errors of item scores.

Two things carry the name. Kish's, from the weights alone, says what unequal weights cost at most;
it lives in `calibration`. The one here compares an error with that of a simple random sample of as
many answers, and has everything in it: weights, clusters, strata, shared respondents, calibration.
"""

from __future__ import annotations

import numpy as np

from sotongindex._arrays import FloatArray, Groups, group_sums
from sotongindex._evaluations import Evaluations
from sotongindex._sums import check_respondents_kept
from sotongindex.errors import MethodError
from sotongindex.responses import Responses
from sotongindex.results import IndexResult
from sotongindex.tally import Tally

__all__ = ["sampling_design_effects"]


def sampling_design_effects(result: IndexResult, responses: Responses) -> FloatArray:
    r"""Return the design effect of every item score, by comparison with simple random sampling.

    With the sampling variance :math:`V` of an item mean over :math:`n` answers of weights
    :math:`w` and points :math:`p`,

    .. math::
        \mathrm{deff} = \frac{V}{s^2 / n}, \qquad
        s^2 = \frac{n}{n - 1} \frac{\sum w (p - \bar p)^2}{\sum w} .

    Above 1 the design costs precision, below 1 it wins some; :math:`n / \mathrm{deff}` answers of a
    simple random sample, drawn with replacement, would have told as much.

    Args:
        result: The index, computed from the responses.
        responses: The answers.

    Returns:
        Design effects, 0 or more, (o, c, i); NaN where the error is not known, or all answers are
        the same.

    Raises:
        MethodError: If the responses belong to another study, or are not those of the result.

    References:
        Kish (1965), Survey Sampling, chapter 8. Lumley (2010), doi:10.1002/9780470580066.

    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.index import compute_index
    >>> responses = sample_panel(rng=1).responses
    >>> effects = sampling_design_effects(compute_index(responses), responses)
    >>> effects.shape, bool(1.0 < np.nanmedian(effects) < 1.5)
    ((312, 3, 12), True)
    """
    check_respondents_kept(responses, "responses")
    tally = Tally.from_responses(responses, groups=1)
    answers = tally.dense(tally.answers)
    if result.study != responses.study or not np.array_equal(result.counts.answers, answers):
        raise MethodError(
            "expected the responses that the result was computed from; these have another study or "
            "other numbers of answers",
            argument="responses",
        )
    means = tally.item_means()
    weight = tally.dense(tally.answer_weight)
    squares = _weighted_squares(responses, means.reshape(-1, means.shape[-1]))
    several = answers > 1
    spread = np.divide(
        squares.reshape(means.shape) * answers,
        weight * (answers - 1),
        out=np.full(means.shape, np.nan),
        where=several,
    )
    simple = spread / np.maximum(answers, 1)
    effects: FloatArray = np.full(means.shape, np.nan)
    np.divide(result.items.variance, simple, out=effects, where=simple > 0)
    return effects


def _weighted_squares(responses: Responses, means: FloatArray) -> FloatArray:
    """Return the weighted sum of squared deviations from the means of units, (u, i)."""
    evaluations = Evaluations.of(responses)
    groups = Groups.of(evaluations.units())
    result = np.zeros_like(means)
    for block in groups.row_blocks():
        rows, rank = groups.order[block], groups.rank[block]
        units = groups.keys[rank[0] : rank[-1] + 1]
        points, answered = evaluations.block(rows)
        squares = answered * (points - np.nan_to_num(means).take(groups.keys[rank], axis=0)) ** 2
        weights = None if responses.weight is None else responses.weight[rows]
        result[units] += group_sums(squares, rank - rank[0], len(units), weights=weights)
    return result
