"""The scores that the runs of an analysis start from, and their sampling errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._choices import Choice, ConversionOptions, MethodOptions
from sotongindex._climb import Ladder, RunWeights
from sotongindex.errors import MethodError
from sotongindex.index import compute_index
from sotongindex.method import IndexMethod
from sotongindex.responses import Responses
from sotongindex.results import IndexResult, operated_channels
from sotongindex.variance import Estimates
from sotongindex.weighting import ImportanceWeights, WeightingScheme

Order: TypeAlias = Literal["items first", "respondents first"]

# Points by which an index that was computed may differ from the same index computed here.
_SAME = 1e-6


@attrs.frozen(kw_only=True, eq=False)
class Start:
    """Item scores, or cells where a result has no items, under one conversion of answers.

    Attributes:
        estimates: The scores, (o, c, k).
        scores: The same with channels first, (c, o, k).
        answers: How many answers each score rests on, (c, o, k); None where they are cells.
        shifts: For every order of averaging, by how much it moves channel scores, (c, o).
    """

    estimates: Estimates
    scores: FloatArray
    answers: IntArray | None
    shifts: Mapping[Order, FloatArray]

    def enough(self, method: IndexMethod) -> FloatArray:
        """Return the scores that rest on enough answers, the others missing, (1, c, o, k).

        Where respondents are averaged first there is no such rule.
        """
        first = method.order == "respondents first"
        if self.answers is None or method.min_answers == 1 or first:
            return self.scores[None]
        return np.where(self.answers >= method.min_answers, self.scores, np.nan)[None]

    def errors(self, runs: int, rng: np.random.Generator) -> FloatArray:
        """Draw sampling errors of the scores, (r, c, o, k); 0 where they are missing."""
        drawn = self.estimates.draws(runs, rng=rng) - self.estimates.values
        return np.ascontiguousarray(np.swapaxes(np.nan_to_num(drawn), 1, 2))


def ladder_of(result: IndexResult) -> Ladder:
    """Return the way from item scores, or from cells where there are none, to the index."""
    framework = result.study.framework
    dimension_of = np.array(framework.item_dimensions)
    rated = (result.counts.evaluations > 0) | ~np.isnan(result.cells.values).all(axis=2)
    dimensions = range(len(framework.dimensions))
    return Ladder(
        operated=operated_channels(result.study, rated),
        items_of=tuple(np.flatnonzero(dimension_of == d) for d in dimensions)
        if has_items(result)
        else None,
    )


def has_items(result: IndexResult) -> bool:
    """Return whether a result was made from items, not from scores of dimensions."""
    return result.source in {"answers", "tally"}


def weights_under(
    scheme: WeightingScheme, result: IndexResult, operated: NDArray[np.bool_]
) -> ImportanceWeights:
    """Return the weights of a scheme, learned from the scores of the result where it learns."""
    if scheme == result.scheme:
        return result.weights
    method, items = result.method, has_items(result)
    scores = result.items.values if items else result.cells.values
    counted = operated[..., None]
    if items:
        counted = counted & (result.counts.answers >= method.min_answers)
    return scheme.resolve(
        result.study.framework,
        **{"items" if items else "cells": np.where(counted, scores, np.nan)},
        evaluations=result.counts.evaluations,
        powers=(method.power.items, method.power.dimensions),
        min_share=method.min_share,
    )


def starts_of(
    result: IndexResult,
    choices: tuple[Choice, ...],
    answers: Responses | None,
    *,
    ladder: Ladder,
) -> tuple[Start, ...]:
    """Return the scores to start from under every conversion.

    Raises:
        MethodError: If the choices need answers that are not given, or are not those of the result.
    """
    orders: dict[Order, None] = {result.method.order: None}
    for choice in choices:
        if isinstance(choice, MethodOptions) and choice.field == "order":
            orders.update(dict.fromkeys(choice.options))
    conversion = next((one for one in choices if isinstance(one, ConversionOptions)), None)
    if conversion is None and len(orders) == 1:
        return (_start(result, {result.method.order: result}, ladder),)
    found = _checked(answers, result)
    if conversion is None:
        return (_recomputed(found, result, tuple(orders), ladder=ladder),)
    study = result.study
    return tuple(
        _recomputed(
            attrs.evolve(
                found,
                study=attrs.evolve(study, framework=conversion.framework(study.framework, option)),
            ),
            result,
            tuple(orders),
            ladder=ladder,
        )
        for option in conversion.options
    )


def _checked(answers: Responses | None, result: IndexResult) -> Responses:
    """Return the answers, which are those of the result."""
    if not isinstance(answers, Responses):
        raise MethodError(
            "the conversion and the order of averaging need the responses that the result was made "
            f"from, got {type(answers).__name__}; give answers=..., or leave these choices out",
            argument="answers",
        )
    if answers.study != result.study:
        raise MethodError(
            f"expected answers to the study {result.study.key!r} as the result defines it, got "
            f"answers to {answers.study.key!r}, defined otherwise",
            argument="answers",
        )
    return answers


def _recomputed(
    answers: Responses, result: IndexResult, orders: tuple[Order, ...], *, ladder: Ladder
) -> Start:
    """Compute the index anew under every order of averaging, with the weights as recorded."""
    scheme = result.scheme.fixed(result.weights.learned)
    results: dict[Order, IndexResult] = {
        order: compute_index(
            answers, scheme=scheme, method=attrs.evolve(result.method, order=order)
        )
        for order in orders
    }
    return _start(results[orders[0]], results, ladder)


def _start(result: IndexResult, by_order: Mapping[Order, IndexResult], ladder: Ladder) -> Start:
    items = has_items(result)
    estimates = result.items if items else result.cells
    start = Start(
        estimates=estimates.kept(),
        scores=_channels_first(estimates.values),
        answers=_channels_first(result.counts.answers) if items else None,
        shifts={},
    )
    weights = RunWeights(
        channels=result.weights.channels[None],
        dimensions=result.weights.dimensions[None],
        items=result.weights.items[None],
    )
    shifts: dict[Order, FloatArray] = {}
    for order, one in by_order.items():
        climbed = ladder.channels(start.enough(one.method), weights, one.method)[0]
        first = order == "respondents first"
        shifts[order] = one.channels.values.T - climbed if first else np.zeros_like(climbed)
        moved = (climbed + shifts[order])[None]
        _check_made(one, ladder.index(moved, weights, one.method)[0])
    return attrs.evolve(start, shifts=shifts)


def _check_made(result: IndexResult, index: FloatArray) -> None:
    """Check that the index is what the method makes of the scores."""
    other = np.abs(index - result.index.values) > _SAME
    if other.any():
        raise MethodError(
            f"the index of {other.sum()} organizations, the first "
            f"{result.organizations[int(np.argmax(other))]!r}, is not what the method makes of "
            "their scores, so choices cannot be varied; read the scores without a published index",
            argument="result",
        )


def _channels_first(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(np.swapaxes(array, 0, 1))
