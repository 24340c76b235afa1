"""Tally: the mergeable sums that every score is made of.

A tally has one row for every organization, channel and jackknife group that occurs. Two tallies of
one study add up to the tally of their answers together, whatever order they come in.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, Groups, IntArray, group_sums, read_only
from sotongindex._evaluations import Evaluations
from sotongindex.errors import MethodError
from sotongindex.models import Study
from sotongindex.responses import Responses

__all__ = ["Tally", "jackknife_groups"]

_PRIME = 2_147_483_647  # the Mersenne prime 2**31 - 1
_MULTIPLIER = 48_271  # Park, Miller and Stockmeyer (1993), doi:10.1145/159544.376068

Keys: TypeAlias = NDArray[np.integer[Any]] | NDArray[np.str_]


def jackknife_groups(keys: Keys, groups: int) -> IntArray:
    r"""Assign every key to one of `groups` groups by the key alone.

    With an integer key :math:`k`, or the polynomial :math:`k = \sum_j b_j 257^j` of the bytes of a
    text in UTF-8, and :math:`P = 2^{31} - 1`:

    .. math:: g = (48271\,(k \bmod P) \bmod P) \bmod G

    Products stay below :math:`2^{63}`, so any engine with 64-bit integers computes the same group
    of an integer key: the same respondent falls into the same group in every batch, on every
    machine and in every wave.

    Args:
        keys: Integer or text keys, (n,).
        groups: The number of groups, 2 or more.

    Returns:
        The groups, 0 to `groups` - 1, (n,).

    Raises:
        MethodError: If there are fewer than 2 groups, or keys are neither integers nor text.

    References:
        Kott (2001), The delete-a-group jackknife, Journal of Official Statistics 17, 521-526.

    >>> jackknife_groups(np.array([1, 2, 3]), 32).tolist()
    [15, 30, 13]
    """
    if groups < 2:
        raise MethodError(f"expected 2 or more, got {groups}", argument="groups")
    if keys.dtype.kind in "iu":
        number = keys.astype(np.int64) % _PRIME
    elif keys.dtype.kind == "U":
        encoded = np.char.encode(keys.astype(np.str_), "utf-8")
        letters = encoded.view(np.uint8).reshape(len(keys), -1).astype(np.int64)
        number = np.zeros(len(keys), dtype=np.int64)
        # From the last byte to the first: the zeros that pad short keys add nothing.
        for column in letters.T[::-1]:
            number = (number * 257 + column) % _PRIME
    else:
        raise MethodError(f"expected integers or text, got {keys.dtype}", argument="keys")
    return number * _MULTIPLIER % _PRIME % groups


@attrs.frozen(kw_only=True, eq=False)
class Tally:
    """Sums of points, weights and answers by organization, channel and jackknife group.

    Axes: r rows (the combinations that occur, sorted), i items, k answer categories.

    Attributes:
        study: What was measured.
        groups: The number of jackknife groups; 1 means that errors come from elsewhere.
        organization: Position of the organization in the study, (r,).
        channel: Position of the channel in the framework, (r,).
        group: The jackknife group, (r,).
        evaluations: Number of evaluations, (r,).
        weight: Sum of the evaluations' weights, (r,).
        squared_weight: Sum of their squares, (r,).
        answers: Number of answers, (r, i).
        answer_weight: Sum of the weights of the answers, (r, i).
        points: Sum of weight times points, (r, i).
        categories: The answers that are counted, (k,), or None.
        frequencies: Sum of weights by category, (r, i, k), or None.
    """

    study: Study
    groups: int
    organization: IntArray
    channel: IntArray
    group: IntArray
    evaluations: IntArray
    weight: FloatArray
    squared_weight: FloatArray
    answers: IntArray
    answer_weight: FloatArray
    points: FloatArray
    categories: IntArray | None = None
    frequencies: FloatArray | None = None

    def __attrs_post_init__(self) -> None:
        for array in _arrays_of(self).values():
            if array is not None:
                array.flags.writeable = False

    @classmethod
    def from_responses(
        cls, responses: Responses, *, groups: int = 32, frequencies: bool = False
    ) -> Tally:
        """Add up responses.

        Args:
            responses: The answers.
            groups: The number of jackknife groups, made from the keys of the clusters where there
                are any, else of the respondents; 1 for none.
            frequencies: Whether to count answer categories too (whole-number answers only).

        Returns:
            The tally.

        Raises:
            MethodError: If `groups` is below 1, or frequencies are asked of fractional answers.
        """
        return tally_columns(Evaluations.of(responses), groups=groups, frequencies=frequencies)

    def __add__(self, other: Tally) -> Tally:
        """Return the tally of both sets of answers together.

        Raises:
            MethodError: If the studies, the number of groups or the categories differ.
        """
        for name in ("study", "groups"):
            if getattr(self, name) != getattr(other, name):
                raise MethodError(f"the two tallies have different {name}", argument="other")
        if not np.array_equal(_categories_of(self), _categories_of(other)):
            raise MethodError("the two tallies count different categories", argument="other")
        mine, theirs = _arrays_of(self), _arrays_of(other)
        keys = np.concatenate([self._keys, other._keys])
        merged = Groups.of(keys)
        sums = {
            name: _add_rows(np.concatenate([mine[name], theirs[name]]), merged)
            for name in _SUMS
            if mine[name] is not None
        }
        return _from_keys(
            self.study, merged.keys, groups=self.groups, categories=self.categories, **sums
        )

    @property
    def _keys(self) -> IntArray:
        """One number for organization, channel and group, in the order of the rows."""
        channels = len(self.study.framework.channels)
        return (self.organization * channels + self.channel) * self.groups + self.group

    def dense(self, values: FloatArray | IntArray) -> NDArray[Any]:
        """Add up row values (r, ...) over groups into (organizations, channels, ...)."""
        shape = (len(self.study.organizations), len(self.study.framework.channels))
        result = np.zeros((shape[0] * shape[1], *values.shape[1:]), dtype=values.dtype)
        np.add.at(result, self.organization * shape[1] + self.channel, values)
        return result.reshape(*shape, *values.shape[1:])

    def item_means(self) -> FloatArray:
        """Return the weighted mean points of every item, (o, c, i); NaN without answers."""
        weight = self.dense(self.answer_weight)
        means: FloatArray = np.divide(
            self.dense(self.points), weight, out=np.full_like(weight, np.nan), where=weight > 0
        )
        return means


_SUMS = (
    "evaluations", "weight", "squared_weight", "answers", "answer_weight", "points", "frequencies"
)  # fmt: skip


def _categories_of(tally: Tally) -> IntArray:
    return np.array([], dtype=np.int64) if tally.categories is None else tally.categories


def _arrays_of(tally: Tally) -> dict[str, Any]:
    names = ("organization", "channel", "group", *_SUMS, "categories")
    return {name: getattr(tally, name) for name in names}


def _add_rows(values: NDArray[Any], groups: Groups) -> NDArray[Any]:
    result = np.zeros((len(groups), *values.shape[1:]), dtype=values.dtype)
    np.add.at(result, groups.rank, values[groups.order])
    return result


def _from_keys(
    study: Study, keys: IntArray, *, groups: int, categories: IntArray | None, **sums: NDArray[Any]
) -> Tally:
    units, group = np.divmod(keys, groups)
    organization, channel = np.divmod(units, len(study.framework.channels))
    return Tally(
        study=study,
        groups=groups,
        organization=organization,
        channel=channel,
        group=group,
        categories=categories,
        **sums,
    )


def tally_columns(evaluations: Evaluations, *, groups: int = 1, frequencies: bool = False) -> Tally:
    """Add up the columns of `evaluations`; with respondents first they are more than the items."""
    responses = evaluations.responses
    keys = _unit_keys(evaluations, groups)
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
    categories = _categories(responses) if frequencies else None
    return _from_keys(
        responses.study,
        grouped.keys,
        groups=groups,
        categories=categories,
        evaluations=np.bincount(ranks, minlength=count).astype(np.int64),
        weight=np.bincount(ranks, row_weight, count),
        squared_weight=np.bincount(ranks, row_weight**2, count),
        answers=np.rint(answers).astype(np.int64),
        answer_weight=answers if weight is None else answer_weight,
        points=points,
        **(
            {}
            if categories is None
            else {"frequencies": _frequencies(responses, ranks, count=count, categories=categories)}
        ),
    )


def _unit_keys(evaluations: Evaluations, groups: int) -> IntArray:
    """Return organization, channel and jackknife group of every evaluation as one number, (n,)."""
    if groups < 1:
        raise MethodError(f"expected 1 or more, got {groups}", argument="groups")
    keys = evaluations.units()
    if groups == 1:
        return keys
    responses = evaluations.responses
    group = jackknife_groups(responses.cluster_labels, groups)
    return keys * groups + group[responses.clusters]


def _categories(responses: Responses) -> IntArray:
    """Return the whole numbers from the lowest to the highest answer of any scale, (k,)."""
    if responses.answers.dtype.kind != "i":
        raise MethodError(
            "answers with fractions have no categories to count", argument="frequencies"
        )
    scales = [item.scale for item in responses.study.framework.items]
    low, high = min(scale.low for scale in scales), max(scale.high for scale in scales)
    return read_only(np.arange(int(low), int(high) + 1))


def _frequencies(
    responses: Responses, ranks: IntArray, *, count: int, categories: IntArray
) -> FloatArray:
    """Add up weights by row of the tally, item and answer category, (r, i, k)."""
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
