"""What the rules that learn weights from scores share: checks, moments, and sums that may be 0."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex._validators import is_one_of
from sotongindex.errors import DefinitionError, MethodError

Counting: TypeAlias = Literal["organizations", "respondents"]


@attrs.frozen(kw_only=True, eq=False)
class Learned:
    """Weights with what every rule knows of how they came about.

    Attributes:
        weights: The weight of every part, (k,), sums to 1.
        units: How many units have a score of the part, (k,).
        fallback: Why the weights are equal after all; None where they were learned.
    """

    weights: FloatArray = attrs.field(converter=float_array)
    units: FloatArray = attrs.field(converter=float_array)
    fallback: str | None = None


@attrs.frozen(kw_only=True)
class LearningRule(abc.ABC):
    """A rule that makes weights of the scores of units.

    Attributes:
        counting: "organizations" counts every organization once, "respondents" by its evaluations.
    """

    counting: Counting = attrs.field(
        default="organizations", validator=is_one_of("organizations", "respondents")
    )

    def shares(self, keys: Sequence[str]) -> tuple[float, ...]:
        """Raise: there are no shares of `keys` before scores were seen.

        Raises:
            DefinitionError: Always.
        """
        raise no_scores(self, f"{', '.join(keys)}")

    @abc.abstractmethod
    def learn(self, scores: ArrayLike, *, counts: ArrayLike | None = None) -> Any:
        """Return the weights of the columns of `scores`, and what they were made of."""


def no_scores(rule: LearningRule, needed: str) -> DefinitionError:
    """Return the error of a rule that has nothing to learn from."""
    return DefinitionError(
        f"{type(rule).__name__} learns weights from scores, and there are none of {needed}; give "
        "them (`compute_index` does), or use a rule that needs no scores",
        field="WeightingScheme",
    )


def checked_scores(
    scores: ArrayLike, counts: ArrayLike | None, *, argument: str = "counts"
) -> tuple[FloatArray, FloatArray]:
    """Return scores (u, k) and counts (u,) of the units that count, or say what is wrong."""
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise MethodError(
            f"expected a table of units by parts, got shape {values.shape}", argument="scores"
        )
    if np.isinf(values).any():
        raise MethodError(
            f"expected finite scores or NaN for missing, got {int(np.isinf(values).sum())} that "
            "are infinite",
            argument="scores",
        )
    number = np.ones(len(values)) if counts is None else np.asarray(counts, dtype=np.float64)
    if number.shape != (len(values),) or not (np.isfinite(number) & (number >= 0)).all():
        raise MethodError(
            f"expected {len(values)} finite numbers of 0 or more, one for every unit, got "
            f"{number.size} of which the least is {number.min(initial=np.inf):g}",
            argument=argument,
        )
    used = number > 0
    return values[used], number[used]


def shares_of(amounts: FloatArray, scores: FloatArray, *, reason: str) -> dict[str, Any]:
    """Return the fields of `Learned`: shares of `amounts` (k,), equal where all of them are 0."""
    total = amounts.sum()
    parts = len(amounts)
    return {
        "weights": amounts / total if total > 0 else np.full(parts, 1.0 / parts),
        "units": (~np.isnan(scores)).sum(axis=0),
        "fallback": reason if total == 0 and parts > 1 else None,
    }


def column_means(scores: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the mean of every column over the units that have a score, (k,); 0 without any."""
    present = ~np.isnan(scores)
    weight = counts @ present
    means: FloatArray = np.divide(
        counts @ np.where(present, scores, 0.0), weight, out=np.zeros_like(weight), where=weight > 0
    )
    return means


def column_spans(scores: FloatArray) -> FloatArray:
    """Return the highest less the lowest score of every column, (k,); 0 where they are equal."""
    high = np.where(np.isnan(scores), -np.inf, scores).max(axis=0, initial=-np.inf)
    low = np.where(np.isnan(scores), np.inf, scores).min(axis=0, initial=np.inf)
    # Equal scores may differ by their rounding.
    differs = high - low > 1e-12 * np.maximum(np.abs(high), np.abs(low))
    return np.where(differs, high - low, 0.0)


def column_deviations(scores: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the standard deviation (divisor n) of every column that has scores, (k,); else 0."""
    deviations: FloatArray = np.sqrt(
        column_means((scores - column_means(scores, counts)) ** 2, counts)
    )
    return np.where(column_spans(scores) > 0, deviations, 0.0)


def correlations(scores: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the correlation of every pair of columns, (k, k), over units that have both.

    It is 0 where nothing is known of it: a column that does not differ on these units, or none.
    """
    present = (~np.isnan(scores)).astype(np.float64)
    centred = np.where(present > 0, scores - column_means(scores, counts), 0.0)
    weighted = counts[:, None] * present
    both = np.maximum(present.T @ weighted, np.finfo(np.float64).tiny)
    means = (counts[:, None] * centred).T @ present / both  # of the row's part
    squares = (counts[:, None] * centred**2).T @ present / both
    variances = squares - means**2
    # A difference of squares this small is their rounding.
    variances[variances <= 1e-12 * squares] = 0.0
    covariances = (counts[:, None] * centred).T @ centred / both - means * means.T
    scale = np.sqrt(variances * variances.T)
    found = np.divide(covariances, scale, out=np.zeros_like(scale), where=scale > 0)
    flat = column_spans(scores) == 0
    found[:, flat] = found[flat] = 0.0
    np.fill_diagonal(found, 1.0)
    correlation: FloatArray = np.clip(found, -1.0, 1.0)
    return correlation
