"""Weights from pairwise comparisons: the analytic hierarchy process, complete or not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray
from sotongindex._judgements import (
    ONLY_JUDGE,
    Agreement,
    Comparisons,
    JudgedRule,
    Rows,
    check_comparisons,
    comparisons_of,
    told,
)
from sotongindex._pairwise_matrix import (
    PairwiseConsistency,
    PairwiseMethod,
    RandomIndex,
    groups_of,
    log_ratios_of_others,
    mean_judgements,
    pairwise_consistency,
    pairwise_weights,
)
from sotongindex._validators import are_unique, is_one_of
from sotongindex.errors import DefinitionError, nearest_key

_MOST_INCONSISTENT = 0.1
_FIELD = "PairwiseWeights.judgements"


@attrs.frozen(kw_only=True)
class Reconsideration:
    """A judgement that disagrees with the judge's other ones.

    Attributes:
        judge: Who judged.
        row: The key that was judged,
        column: beside this one.
        given: How many times as important, as the judge said.
        consistent: The ratio that the other judgements of this judge give, by least squares of
            logarithms. Weights from all judgements would lean towards the one that is wrong.
    """

    judge: str
    row: str
    column: str
    given: float
    consistent: float

    @property
    def factor(self) -> float:
        """How far the judgement is off, as a factor of 1 or more."""
        ratio = self.given / self.consistent
        return max(ratio, 1 / ratio)


@attrs.frozen(kw_only=True, eq=False)
class PairwiseDiagnostics:
    """Weights from pairwise comparisons, and how consistent the comparisons are.

    Attributes:
        agreement: The weights with their errors, which are those of a jackknife over judges; NaN
            where the judgements without one of the judges do not reach all keys.
        consistency: Of the judges together: of the geometric mean of their judgements.
        by_judge: Of every judge; None where the judge's own comparisons do not reach all keys.
        reconsider: What judges might think over, the most inconsistent first.
    """

    agreement: Agreement
    consistency: PairwiseConsistency
    by_judge: tuple[PairwiseConsistency | None, ...]
    reconsider: tuple[Reconsideration, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The weights as plain numbers."""
        return self.agreement.shares

    def __str__(self) -> str:
        lines = [str(self.agreement), _consistency_told(self.consistency)]
        for judge, consistency in zip(self.agreement.judges, self.by_judge, strict=True):
            if len(self.by_judge) > 1:
                what = "comparisons do not reach all keys"
                told_of = _consistency_told(consistency) if consistency else what
                lines.append(f"  {judge}: {told_of}")
        lines += [
            f"  {one.judge} on {one.row} beside {one.column}: {one.given:.3g}, "
            f"consistent would be {one.consistent:.3g}"
            for one in self.reconsider[:3]
        ]
        return "\n".join(lines)


def _consistency_told(consistency: PairwiseConsistency) -> str:
    if consistency.checks == 0:
        return "consistency cannot be checked: no more comparisons than are needed"
    verdict = "above" if consistency.ratio > _MOST_INCONSISTENT else "within"
    end = "" if math.isnan(consistency.ratio) else f", {verdict} {_MOST_INCONSISTENT}"
    return f"consistency ratio {told(consistency.ratio)}{end}"


@attrs.frozen
class PairwiseWeights(JudgedRule):
    r"""Weights from pairwise comparisons, as in the analytic hierarchy process (AHP).

    A judgement :math:`a_{ij}` says how many times as important key :math:`i` is as key :math:`j`;
    its reciprocal need not be given. By `method` the weights are

    - ``"eigenvector"``: the principal eigenvector, :math:`A w = \lambda w`. A missing judgement
      counts as :math:`w_i / w_j` (Harker): 0 in the matrix, and 1 more on the diagonal for each.
    - ``"geometric mean"``: the least squares of :math:`\log a_{ij} - \log w_i + \log w_j` over the
      judgements given, which for a complete matrix are the geometric means of its rows.

    Consistent judgements give the same weights by both. Of several judges the geometric mean of
    each judgement is taken over those who gave it, so that the order of a pair does not matter.

    Attributes:
        judgements: For every judge, key and other key the ratio; or those of a single judge. For
            items only pairs within a dimension.
        method: The rule that makes weights of judgements.
        random_index: What the consistency ratio divides by: "saaty" (the later table, with 0.52
            for 3 keys), "saaty 1980" (the first, with 0.58) or "alonso-lamata" (a line fitted to
            100,000 matrices of each size, for any number of keys).

    Raises:
        DefinitionError: If a ratio is not above 0, a pair is given twice and not as reciprocals, or
            a choice is unknown.

    References:
        Saaty (1980), The Analytic Hierarchy Process. Crawford and Williams (1985),
        doi 10.1016/0022-2496(85)90002-1. Harker (1987), doi 10.1016/0270-0255(87)90492-1, and
        Bozóki, Fülöp and Rónyai (2010), doi 10.1016/j.mcm.2010.02.047, for missing judgements.
        Aczél and Saaty (1983), doi 10.1016/0022-2496(83)90028-7, for several judges. Saaty and
        Özdemir (2003), doi 10.1016/S0895-7177(03)90083-5, and Alonso and Lamata (2006),
        doi 10.1142/S0218488506004114, for random indices. Ágoston and Csató (2022),
        doi 10.1016/j.omega.2021.102576, for those of incomplete matrices. Aguarón and
        Moreno-Jiménez (2003), doi 10.1016/S0377-2217(02)00255-2, for the geometric index.

    >>> rule = PairwiseWeights({"openness": {"design": 3, "service": 5}, "design": {"service": 2}})
    >>> [round(share, 3) for share in rule.shares(["openness", "design", "service"])]
    [0.648, 0.23, 0.122]
    >>> round(rule.diagnostics(["openness", "design", "service"]).consistency.ratio, 4)
    0.0036
    """

    judgements: Comparisons = attrs.field(converter=comparisons_of)
    method: PairwiseMethod = attrs.field(
        default="eigenvector", kw_only=True, validator=is_one_of("eigenvector", "geometric mean")
    )
    random_index: RandomIndex = attrs.field(
        default="saaty", kw_only=True, validator=is_one_of("saaty", "saaty 1980", "alonso-lamata")
    )

    def __attrs_post_init__(self) -> None:
        check_comparisons(self.judgements, field=_FIELD, expected="above 0")
        for judge, rows in self.judgements:
            _check_reciprocals(judge, rows)

    @classmethod
    def from_matrix(
        cls,
        keys: Sequence[str],
        matrix: ArrayLike,
        *,
        method: PairwiseMethod = "eigenvector",
        random_index: RandomIndex = "saaty",
    ) -> PairwiseWeights:
        """Make the rule of one judge's matrix of judgements.

        Args:
            keys: The keys of rows and columns, (k).
            matrix: How many times as important the row is as the column, (k, k); NaN where not
                judged.
            method: As in the class.
            random_index: As in the class.

        Returns:
            The rule.

        Raises:
            DefinitionError: If the matrix is not square, or as the class says.

        >>> PairwiseWeights.from_matrix(["a", "b"], [[1, 3], [1 / 3, 1]]).shares("ab")
        (0.75, 0.25)
        """
        are_unique(keys, field=_FIELD)
        ratios = np.asarray(matrix, dtype=np.float64)
        if ratios.shape != (len(keys), len(keys)):
            raise DefinitionError(
                f"expected a matrix of {len(keys)} rows and columns, got {ratios.shape}",
                field=_FIELD,
            )
        rows = {
            row: {key: value for key, value in zip(keys, line, strict=True) if not np.isnan(value)}
            for row, line in zip(keys, ratios.tolist(), strict=True)
        }
        return cls({ONLY_JUDGE: rows}, method=method, random_index=random_index)

    def _said(self) -> Comparisons:
        return self.judgements

    def diagnostics(self, keys: Sequence[str]) -> PairwiseDiagnostics:
        """Return the weights of `keys`, how consistent the judges are and how far they agree."""
        said = dict(self.judgements)
        alone = {judge: _logarithms(judge, rows, keys) for judge, rows in said.items()}
        every = np.stack(list(alone.values()))
        together = mean_judgements(every)
        _check_connected(together, keys)
        # A judge whose comparisons do not reach all keys gives no weights alone.
        whole = {judge: logs for judge, logs in alone.items() if not groups_of(logs).any()}
        own = {judge: pairwise_weights(logs, self.method) for judge, logs in whole.items()}
        found = [
            one
            for judge, logs in whole.items()
            for one in _inconsistent(judge, said[judge], dict(_ratios(keys, logs)))
        ]
        return PairwiseDiagnostics(
            agreement=Agreement(
                keys=tuple(keys),
                judges=self.judges,
                weights=pairwise_weights(together, self.method),
                by_judge=[own.get(judge, np.full(len(keys), np.nan)) for judge in alone],
                covariance=self._jackknife(every),
            ),
            consistency=pairwise_consistency(together, self.random_index),
            by_judge=tuple(
                pairwise_consistency(whole[judge], self.random_index) if judge in whole else None
                for judge in alone
            ),
            # Rounded, so that ties stay in the order they were given in.
            reconsider=tuple(sorted(found, key=lambda one: -round(one.factor, 9))),
        )

    def _jackknife(self, logs: FloatArray) -> FloatArray:
        """Return the covariance of the weights from leaving out each judge in turn, (k, k)."""
        count, size = logs.shape[:2]
        without = [mean_judgements(np.delete(logs, judge, axis=0)) for judge in range(count)]
        if count == 1 or any(groups_of(others).any() for others in without):
            return np.full((size, size), np.nan)
        weights = np.stack([pairwise_weights(others, self.method) for others in without])
        away = weights - weights.mean(axis=0)
        covariance: FloatArray = (count - 1) / count * away.T @ away
        return covariance


def _ratios(keys: Sequence[str], logs: FloatArray) -> Iterator[tuple[tuple[str, str], float]]:
    """Tell for every pair that can be checked the ratio that the other judgements give."""
    others = log_ratios_of_others(logs)
    for i, j in np.argwhere(~np.isnan(others)).tolist():
        yield (keys[i], keys[j]), math.exp(others[i, j])


def _inconsistent(
    judge: str, rows: Rows, ratios: Mapping[tuple[str, str], float]
) -> Iterator[Reconsideration]:
    """Tell the judgements of a judge that the judge's other ones contradict."""
    for row, column, given in _pairs(rows):
        if (row, column) in ratios:
            consistent = ratios[row, column]
            one = Reconsideration(
                judge=judge, row=row, column=column, given=given, consistent=consistent
            )
            if one.factor > 1 + 1e-9:
                yield one


def _pairs(rows: Rows) -> Iterator[tuple[str, str, float]]:
    """Tell every pair of different keys once, as it was given first, with its ratio."""
    seen: set[tuple[str, str]] = set()
    for row, amounts in rows:
        for column, ratio in amounts:
            if row != column and (column, row) not in seen:
                seen.add((row, column))
                yield row, column, ratio


def _check_reciprocals(judge: str, rows: Rows) -> None:
    """A pair that was given twice was given as reciprocals."""
    given = {row: dict(amounts) for row, amounts in rows}
    for row, column, ratio in _pairs(rows):
        back = given.get(column, {}).get(row)
        if back is not None and abs(ratio * back - 1) > 1e-6:
            raise DefinitionError(
                f"expected {1 / ratio:.6g} for {column!r} beside {row!r}, since {row!r} beside "
                f"{column!r} is {ratio:g}, got {back:g}; give one of the two",
                field=f"{_FIELD}[{judge}].{column}.{row}",
                key=back,
            )


def _logarithms(judge: str, rows: Rows, keys: Sequence[str]) -> FloatArray:
    """Return the log ratios of a judge, (k, k), NaN where not judged."""
    at = {key: place for place, key in enumerate(keys)}
    logs = np.full((len(keys), len(keys)), np.nan)
    np.fill_diagonal(logs, 0.0)
    for row, column, ratio in _pairs(rows):
        if (row in at) != (column in at):
            inside, outside = (row, column) if row in at else (column, row)
            raise DefinitionError(
                f"{outside!r} is not among {', '.join(keys)}, which {inside!r} is weighed with",
                field=f"{_FIELD}[{judge}].{row}.{column}",
                key=outside,
                nearest=nearest_key(outside, keys),
            )
        if row in at:
            logs[at[row], at[column]] = math.log(ratio)
            logs[at[column], at[row]] = -math.log(ratio)
    return logs


def _check_connected(logs: FloatArray, keys: Sequence[str]) -> None:
    """Every key can be compared with every other, directly or through others."""
    groups = groups_of(logs)
    if groups.any():
        parts = [
            ", ".join(key for key, group in zip(keys, groups, strict=True) if group == number)
            for number in range(groups.max() + 1)
        ]
        raise DefinitionError(
            f"no judgement connects {' | '.join(parts)}; compare a key of each with one of another",
            field=_FIELD,
            key=keys[int(np.flatnonzero(groups)[0])],
        )
