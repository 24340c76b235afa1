"""From answers to points: every answer becomes a number from 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._arrays import FloatArray, is_missing, round_half_up
from sotongindex.models import Scale, SurveyItem

__all__ = ["points", "round_half_up"]


def points(answers: ArrayLike, scale: Scale, *, reverse: bool = False) -> FloatArray:
    r"""Convert answers to points.

    With answer :math:`x` on a scale from :math:`l` to :math:`h`: linear
    :math:`100 (x - l) / (h - l)`, fraction of top :math:`100 x / h`, top box 100 or 0. A reversed
    item gives 100 minus that.

    Args:
        answers: Answers of any shape; NaN and the scale's missing codes mean "no answer".
        scale: The answer scale with its conversion.
        reverse: Whether a high answer is a bad one.

    Returns:
        Points from 0 to 100 in the shape of `answers`; NaN where there is no answer. An answer
        outside the scale is converted all the same: `check_responses` is where it is found.

    References:
        Linear: Fornell et al. (1996), doi:10.1177/002224299606000403.

    >>> points([1, 4, 7], Scale(low=1, high=7)).tolist()
    [0.0, 50.0, 100.0]
    >>> points([5, 6, 9], Scale(low=1, high=7, conversion="top box", boxes=2, missing=[9])).tolist()
    [0.0, 100.0, nan]
    """
    values = np.array(answers, dtype=np.float64)
    values[np.isin(values, scale.missing)] = np.nan
    if scale.conversion == "linear":
        # Multiplied before it is divided, so that the top answer gives exactly 100.
        result = 100.0 * (values - scale.low) / (scale.high - scale.low)
    elif scale.conversion == "fraction of top":
        result = 100.0 * values / scale.high
    else:
        in_box = values > scale.high - (scale.boxes or 0)
        result = np.where(np.isnan(values), np.nan, np.where(in_box, 100.0, 0.0))
    converted: FloatArray = 100.0 - result if reverse else result
    return converted


@attrs.frozen(kw_only=True, eq=False)
class _Converter:
    """The items that share one scale, and their answers' points as a table where answers allow."""

    columns: NDArray[np.intp]
    scale: Scale
    reverse: bool
    table: FloatArray | None

    def __call__(self, answers: NDArray[Any]) -> FloatArray:
        if self.table is not None:
            return self.table.take(answers.view(np.uint8))
        values = np.where(is_missing(answers), np.nan, answers)
        return np.nan_to_num(points(values, self.scale, reverse=self.reverse))


@attrs.frozen(kw_only=True, eq=False)
class Scorer:
    """Converts blocks of answers to points, item by item.

    One-byte answers go through a table of 256 points per scale: one look-up an answer, whatever
    the conversion.
    """

    converters: tuple[_Converter, ...]

    @classmethod
    def of(cls, items: Sequence[SurveyItem], dtype: np.dtype[Any]) -> Scorer:
        """Prepare the conversion of `items` stored as `dtype`."""
        kinds: dict[tuple[Scale, bool], list[int]] = {}
        for position, item in enumerate(items):
            kinds.setdefault((item.scale, item.reverse), []).append(position)
        codes = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.float64)
        codes[codes == -128] = np.nan
        return cls(
            converters=tuple(
                _Converter(
                    columns=np.array(columns),
                    scale=scale,
                    reverse=reverse,
                    table=np.nan_to_num(points(codes, scale, reverse=reverse))
                    if dtype == np.int8
                    else None,
                )
                for (scale, reverse), columns in kinds.items()
            ),
        )

    def __call__(self, answers: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """Return points (n, i), 0 where missing, and 1.0 or 0.0 for answered or not (n, i)."""
        answered = (~is_missing(answers)).astype(np.float64)
        if len(self.converters) == 1:
            return self.converters[0](answers), answered
        result = np.empty(answers.shape)
        for converter in self.converters:
            result[:, converter.columns] = converter(
                np.ascontiguousarray(answers[:, converter.columns])
            )
        return result, answered
