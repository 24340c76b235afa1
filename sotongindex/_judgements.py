"""What judges said about importance: taken, checked, and how far the judges agree."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, float_array
from sotongindex._columns import rows_from_columns
from sotongindex._labels import pairs_of
from sotongindex._validators import are_unique, number_of
from sotongindex.errors import DefinitionError, nearest_key
from sotongindex.percentiles import competition_rank

Amounts: TypeAlias = tuple[tuple[str, float], ...]
Opinions: TypeAlias = tuple[tuple[str, Amounts], ...]
Rows: TypeAlias = tuple[tuple[str, Amounts], ...]  # of one judge, for every key beside others
Comparisons: TypeAlias = tuple[tuple[str, Rows], ...]

ONLY_JUDGE = "judge"


# -- taken ---------------------------------------------------------------------------------------


def opinions_of(value: Mapping[str, float | Mapping[str, float]] | Opinions) -> Opinions:
    """Take an amount for every key from every judge, or from one judge who is not named."""
    opinions: Opinions = _by_judge(value, depth=2)
    return opinions


def comparisons_of(
    value: Mapping[str, Mapping[str, float | Mapping[str, float]]] | Comparisons,
) -> Comparisons:
    """Take amounts for pairs of keys from every judge, or from one judge who is not named."""
    comparisons: Comparisons = _by_judge(value, depth=3)
    return comparisons


def _by_judge(value: Any, *, depth: int) -> Any:
    frozen = _frozen(value)
    return frozen if _depth(frozen) >= depth else ((ONLY_JUDGE, frozen),)


def _frozen(value: Any) -> Any:
    """Turn mappings and pairs into tuples all the way down; leave what is neither."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        parts = pairs_of(value)
        if all(isinstance(part, list | tuple) and len(part) == 2 for part in parts):
            return tuple((key, _frozen(part)) for key, part in parts)
    return value


def _depth(value: Any) -> int:
    return 1 + max((_depth(part) for _, part in value), default=0) if _is_pairs(value) else 0


def _is_pairs(value: Any) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(part, tuple) and len(part) == 2 for part in value
    )


class Diagnosed(Protocol):
    """Weights with what is known of how they came about."""

    @property
    def shares(self) -> tuple[float, ...]: ...


class JudgedRule(abc.ABC):
    """A rule that makes weights of what judges said."""

    __slots__ = ()

    @property
    def judges(self) -> tuple[str, ...]:
        """Who judged."""
        return tuple(dict.fromkeys(judge for judge, _ in self._said()))

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that the judges named."""
        return tuple(dict.fromkeys(key for _, part in self._said() for key in _names_in(part)))

    @abc.abstractmethod
    def _said(self) -> Opinions | Comparisons:
        """Return what the judges said."""

    @abc.abstractmethod
    def diagnostics(self, keys: Sequence[str]) -> Diagnosed:
        """Return the weights of `keys`, and what is known of how they came about."""

    def shares(self, keys: Sequence[str]) -> tuple[float, ...]:
        """Return one share for each of `keys`; they sum to 1.

        Raises:
            DefinitionError: If what was said of a key is missing or does not fit the rule.
        """
        return self.diagnostics(keys).shares


# -- checked -------------------------------------------------------------------------------------

Expected: TypeAlias = Literal["of 0 or more", "above 0", "of 1 or more"]

_ALLOWED: Mapping[Expected, Callable[[float], bool]] = {
    "of 0 or more": lambda number: 0 <= number < math.inf,
    "above 0": lambda number: 0 < number < math.inf,
    "of 1 or more": lambda number: 1 <= number < math.inf,
}


def check_opinions(opinions: Opinions, *, field: str, expected: Expected) -> None:
    """Every judge gives keys numbers of the kind that is expected."""
    _check_names(opinions, field=field)
    for judge, amounts in opinions:
        _check_amounts(amounts, field=f"{field}[{judge}]", expected=expected)


def check_comparisons(comparisons: Comparisons, *, field: str, expected: Expected) -> None:
    """Every judge gives pairs of keys numbers of the kind that is expected, a key itself 1."""
    _check_names(comparisons, field=field)
    for judge, rows in comparisons:
        _check_names(rows, field=f"{field}[{judge}]")
        for row, amounts in rows:
            where = f"{field}[{judge}].{row}"
            _check_amounts(amounts, field=where, expected=expected)
            itself = dict(amounts).get(row, 1)
            if itself != 1:
                raise DefinitionError(
                    f"expected 1 for {row!r} beside itself, got {itself!r}",
                    field=f"{where}.{row}",
                    key=itself,
                )


def _check_amounts(amounts: Amounts, *, field: str, expected: Expected) -> None:
    _check_names(amounts, field=field)
    for key, amount in amounts:
        if not _ALLOWED[expected](number_of(amount)):
            raise DefinitionError(
                f"expected a number {expected} for {key!r}, got {amount!r}",
                field=f"{field}.{key}",
                key=amount,
            )


def _check_names(pairs: Any, *, field: str) -> None:
    """A mapping has been given; its keys are text, each used once."""
    if not _is_pairs(pairs) or not all(isinstance(name, str) for name, _ in pairs):
        raise DefinitionError(
            f"expected a mapping with text for keys, got {pairs!r}", field=field, key=pairs
        )
    are_unique((name for name, _ in pairs), field=field)


def _names_in(pairs: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Tell the names in pairs, and in pairs within them."""
    for name, part in pairs:
        yield name
        if isinstance(part, tuple):
            yield from _names_in(part)


def amounts_for(
    keys: Sequence[str], amounts: Amounts, *, field: str, what: str = "points"
) -> FloatArray:
    """Return the amounts of `keys`, (k,); every key has one."""
    known = dict(amounts)
    for key in keys:
        if key not in known:
            raise DefinitionError(
                f"no {what} for {key!r}; given for {', '.join(sorted(known)) or 'no key'}",
                field=field,
                key=key,
                nearest=nearest_key(key, [name for name in known if name not in keys]),
            )
    return np.array([known[key] for key in keys], dtype=np.float64)


def check_sum(amounts: Iterable[float], total: float, *, field: str, keys: Sequence[str]) -> None:
    """Amounts add up to `total`, within a millionth of it."""
    found = math.fsum(amounts)
    if abs(found - total) > 1e-6 * total:
        raise DefinitionError(
            f"the weights of {', '.join(keys)} add up to {found:g}, expected {total:g}",
            field=field,
        )


# -- compared ------------------------------------------------------------------------------------


def places(amounts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the first and the last place, 1 for the highest, that each amount shares, (k,)."""
    return competition_rank(amounts), len(amounts) + 1 - competition_rank(-amounts)


@attrs.frozen(kw_only=True, eq=False)
class Agreement:
    r"""The weights that several judges give together, and how far the judges agree.

    With one judge, errors, deviations and concordance are not known: NaN.

    Attributes:
        keys: What is weighed, (k).
        judges: Who judged, (j).
        weights: The weights of all judges together, (k,), sum to 1.
        by_judge: The weights of every judge, (j, k); NaN where a judge alone gives none.
        covariance: The sampling covariance of `weights`, (k, k), if the judges are a sample of
            those who could have been asked.

    References:
        Kendall and Babington Smith (1939), The problem of m rankings,
        doi 10.1214/aoms/1177732186, for the concordance.
    """

    keys: tuple[str, ...]
    judges: tuple[str, ...]
    weights: FloatArray = attrs.field(converter=float_array)
    by_judge: FloatArray = attrs.field(converter=float_array)
    covariance: FloatArray = attrs.field(converter=float_array)

    @property
    def shares(self) -> tuple[float, ...]:
        """The weights as plain numbers."""
        return tuple(self.weights.tolist())

    @property
    def standard_error(self) -> FloatArray:
        """The standard error of every weight, (k,)."""
        error: FloatArray = np.sqrt(np.diag(self.covariance))
        return error

    @property
    def standard_deviation(self) -> FloatArray:
        """How far the weights of single judges spread, (k,)."""
        known = self._known()
        if len(known) < 2:
            return np.full(len(self.keys), np.nan)
        deviation: FloatArray = known.std(axis=0, ddof=1)
        return deviation

    @property
    def coefficient_of_variation(self) -> FloatArray:
        """The standard deviation over the mean weight, (k,); NaN where every judge gives 0."""
        mean = self._known().mean(axis=0) if len(self._known()) else np.zeros(len(self.keys))
        empty = np.full(len(self.keys), np.nan)
        np.divide(self.standard_deviation, mean, out=empty, where=mean > 0)
        return empty

    @property
    def concordance(self) -> float:
        r"""Kendall's coefficient of concordance, from 0 (no agreement) to 1 (the same order).

        With :math:`R_i` the sum over :math:`m` judges of the mid-rank of key :math:`i` of
        :math:`n`, and :math:`t` keys in every group of ties of a judge,

        .. math:: W = \frac{12 \sum_i (R_i - \bar R)^2}{m^2 (n^3 - n) - m \sum (t^3 - t)} .

        NaN for one judge, one key, or judges who tell no key from another.
        """
        ordered = [places(row) for row in self._known()]
        judges, count = len(ordered), len(self.keys)
        if judges < 2:
            return math.nan
        sums = sum((first + last) / 2 for first, last in ordered)
        spread = 12 * float(np.sum((sums - judges * (count + 1) / 2) ** 2))
        # Each of t tied keys counts t * t - 1, together t ** 3 - t.
        ties = sum(float(np.sum((last - first + 1) ** 2 - 1)) for first, last in ordered)
        most = judges**2 * (count**3 - count) - judges * ties
        return spread / most if most > 0 else math.nan

    def _known(self) -> FloatArray:
        """Return the weights of the judges who alone give weights."""
        known: FloatArray = self.by_judge[~np.isnan(self.by_judge).any(axis=1)]
        return known

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row a key: weight, standard error, deviation, coefficient of variation."""
        return rows_from_columns(
            {
                "key": self.keys,
                "weight": self.weights,
                "standard_error": self.standard_error,
                "standard_deviation": self.standard_deviation,
                "coefficient_of_variation": self.coefficient_of_variation,
            }
        )

    def __str__(self) -> str:
        title, tails = "weights of 1 judge (their error is not known)", [""] * len(self.keys)
        if len(self.judges) > 1:
            title = f"weights of {len(self.judges)} judges, Kendall's W {told(self.concordance, 2)}"
            errors, spread = self.standard_error, self.standard_deviation
            tails = [
                f"  error {told(error)}, deviation {told(deviation)}"
                for error, deviation in zip(errors, spread, strict=True)
            ]
        width = max(map(len, self.keys))
        lines = [
            f"  {key:<{width}}  {weight:.3f}{tail}"
            for key, weight, tail in zip(self.keys, self.weights, tails, strict=True)
        ]
        return "\n".join([title, *lines])


def mean_of_judges(
    keys: Sequence[str], judges: Sequence[str], by_judge: Sequence[FloatArray]
) -> Agreement:
    """Let every judge count the same: the weights are the mean of the judges' weights (j, k)."""
    table = np.array(by_judge)
    mean = table.mean(axis=0)
    away = table - mean
    freedom = len(table) * (len(table) - 1) or np.nan
    return Agreement(
        keys=tuple(keys),
        judges=tuple(judges),
        weights=mean,
        by_judge=table,
        covariance=away.T @ away / freedom,
    )


def told(number: float, digits: int = 3) -> str:
    """Write a number, or that it is not known."""
    return "not known" if math.isnan(number) else f"{number:.{digits}f}"
