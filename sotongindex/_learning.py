"""What the rules that learn weights from scores share: checks, moments, and sums that may be 0."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, float_array
from sotongindex._pair_sums import PairSums
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


@attrs.frozen(kw_only=True, eq=False)
class PartMoments:
    """What most rules need to know of the scores of units: of every part, and of every pair.

    Attributes:
        means: The mean of every part, (k,).
        deviations: Its standard deviation (divisor n), (k,); 0 where it does not differ.
        correlations: The correlation of every pair, (k, k); 0 where it is not known.
        units: How many units have a score of the part, (k,).
        spans: Its highest less its lowest score, (k,); None where they are not known.

    Raises:
        MethodError: If the shapes do not fit each other, or a number is not finite.

    >>> PartMoments.of([[40, 20], [50, 50], [60, 80]]).means.tolist()
    [50.0, 50.0]
    """

    means: FloatArray = attrs.field(converter=float_array)
    deviations: FloatArray = attrs.field(converter=float_array)
    correlations: FloatArray = attrs.field(converter=float_array)
    units: FloatArray = attrs.field(converter=float_array)
    spans: FloatArray | None = attrs.field(
        default=None, converter=attrs.converters.optional(float_array)
    )

    def __attrs_post_init__(self) -> None:
        parts = self.means.size
        for field in attrs.fields(PartMoments):
            array = getattr(self, field.name)
            shape = (parts, parts) if field.name == "correlations" else (parts,)
            if array is not None and (array.shape != shape or not np.isfinite(array).all()):
                raise MethodError(
                    f"expected finite numbers of shape {shape}, as there are {parts} means, got "
                    f"shape {array.shape}, {int((~np.isfinite(array)).sum())} not finite",
                    argument=field.name,
                )

    @classmethod
    def of(cls, scores: ArrayLike, counts: ArrayLike | None = None) -> PartMoments:
        """Take the moments of scores (u, k), NaN where missing, of units that count (u,).

        Raises:
            MethodError: If scores are infinite, or counts do not fit.
        """
        values, number = checked_scores(scores, counts)
        return cls(
            means=column_means(values, number),
            deviations=column_deviations(values, number),
            correlations=correlations(values, number),
            units=(~np.isnan(values)).sum(axis=0),
            spans=column_spans(values),
        )


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


def shares_of(amounts: FloatArray, units: ArrayLike, *, reason: str) -> dict[str, Any]:
    """Return the fields of `Learned`: shares of `amounts` (k,), equal where all of them are 0."""
    total = amounts.sum()
    parts = len(amounts)
    return {
        "weights": amounts / total if total > 0 else np.full(parts, 1.0 / parts),
        "units": units,
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
    present = ~np.isnan(scores)
    centred = np.where(present, scores - column_means(scores, counts), 0.0)
    found = PairSums.of(centred, present.astype(np.float64), counts).correlations()
    flat = column_spans(scores) == 0
    found[:, flat] = found[flat] = 0.0
    return known_correlations(found)


def known_correlations(found: FloatArray) -> FloatArray:
    """Return correlations (k, k) with 0 for those that are not known, and 1 with oneself."""
    known = np.nan_to_num(found)
    np.fill_diagonal(known, 1.0)
    return known
