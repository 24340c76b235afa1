"""The thin factor of a covariance, and its one law: if y = J x, the factor of y is F J'.

A factor is kept as named blocks of rows; the covariance is the sum over blocks of sign * F' F. The
rows of a block are labelled, by respondent or by jackknife group, so that factors made in different
places (two levels, two waves, two studies) know which of their rows are the same people.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Protocol, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray
from sotongindex.errors import MethodError

Labels: TypeAlias = NDArray[Any]

# Names of the blocks. Rows of strata are subtracted: they centre the clusters within their stratum.
CLUSTERS, STRATA, GROUPS = "clusters", "strata", "jackknife groups"


@attrs.frozen(eq=False)
class Block:
    """Rows of a factor: unique labels (r,), a matrix (r, k), and the sign of its contribution."""

    labels: Labels
    matrix: sparse.sparray
    sign: float = 1.0


Blocks: TypeAlias = Mapping[Hashable, Block]


class Factor(Protocol):
    """Something that gives the columns of a factor on demand."""

    def columns(self, at: NDArray[np.integer[Any]]) -> Blocks:
        """Return the blocks restricted to the columns `at`."""
        ...


@attrs.frozen(eq=False)
class StoredFactor:
    """A factor that is kept."""

    blocks: Blocks

    def columns(self, at: NDArray[np.integer[Any]]) -> Blocks:
        """Return the blocks restricted to the columns `at`."""
        return {
            name: attrs.evolve(block, matrix=block.matrix[:, at])
            for name, block in self.blocks.items()
        }


@attrs.frozen(eq=False)
class LinearFactor:
    """The factor of a sum of linear maps of other estimates."""

    terms: tuple[tuple[Factor, sparse.csr_array], ...]

    def columns(self, at: NDArray[np.integer[Any]]) -> Blocks:
        """Return the blocks restricted to the columns `at`, made from the terms' columns."""
        result: dict[Hashable, Block] = {}
        for factor, jacobian in self.terms:
            rows = jacobian[at]
            used = np.unique(rows.indices)
            transposed = rows[:, used].T
            for name, block in factor.columns(used).items():
                mapped = attrs.evolve(block, matrix=block.matrix @ transposed)
                result[name] = _add(result[name], mapped) if name in result else mapped
        return result


@attrs.frozen(eq=False)
class DetachedFactor:
    """A factor whose rows are nobody else's: another source's respondent 7 is another person."""

    factor: Factor
    source: Hashable

    def columns(self, at: NDArray[np.integer[Any]]) -> Blocks:
        """Return the blocks under names of their own."""
        return {(self.source, name): block for name, block in self.factor.columns(at).items()}


def independent_factor(standard_error: FloatArray) -> StoredFactor:
    """Return the factor of numbers whose errors have nothing to do with each other."""
    size = len(standard_error)
    # A name that equals no other: two tables of scores share no respondents that we know of.
    name = object()
    matrix = sparse.diags_array(np.nan_to_num(standard_error)).tocsc()
    return StoredFactor({name: Block(np.arange(size), matrix)})


def covariance(first: Blocks, second: Blocks) -> sparse.csr_array:
    """Return the covariance between two sets of columns.

    Raises:
        MethodError: If one was found by linearization and the other by a grouped jackknife.
    """
    if (CLUSTERS in first and GROUPS in second) or (GROUPS in first and CLUSTERS in second):
        raise MethodError(
            "one result has its errors from Linearization, the other from GroupJackknife: the "
            "respondents they share cannot be matched; compute both with the same variance"
        )
    total = sparse.csr_array((_width(first), _width(second)))
    for name in first.keys() & second.keys():
        left, right = first[name], second[name]
        here, there = _matched(left.labels, right.labels)
        total += (left.matrix[here].T @ right.matrix[there]) * left.sign
    return total


def _width(blocks: Blocks) -> int:
    return next((block.matrix.shape[1] for block in blocks.values()), 0)


def _matched(left: Labels, right: Labels) -> tuple[Any, Any]:
    """Return the positions of the labels that both have."""
    if left is right or np.array_equal(left, right):
        return slice(None), slice(None)
    _, here, there = np.intersect1d(left, right, assume_unique=True, return_indices=True)
    return here, there


def _add(left: Block, right: Block) -> Block:
    """Add two blocks of the same columns, row by row of the same label."""
    if left.labels is right.labels or np.array_equal(left.labels, right.labels):
        return attrs.evolve(left, matrix=left.matrix + right.matrix)
    labels, position = np.unique(np.concatenate([left.labels, right.labels]), return_inverse=True)
    rows = np.arange(len(position))
    gather = sparse.csr_array((np.ones(len(rows)), (position, rows)), (len(labels), len(rows)))
    return attrs.evolve(
        left, labels=labels, matrix=gather @ sparse.vstack([left.matrix, right.matrix])
    )
