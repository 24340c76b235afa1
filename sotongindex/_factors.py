"""The thin factor of a covariance, and its one law: if y = J x, the factor of y is F J'.

A factor is kept as named blocks of rows; the covariance is the sum over blocks of F' F. The rows of
a block are labelled, by respondent, by jackknife group or by replicate, so that factors made in
different places (two levels, two waves, two studies) know which of their rows are the same people.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any, Protocol, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray
from sotongindex.errors import MethodError

Labels: TypeAlias = NDArray[Any]

# Names of the blocks whose rows can be matched between results.
CLUSTERS, GROUPS = "clusters", "jackknife groups"
# With more inputs than this their covariance costs more than the columns of the results, unless an
# input goes into more results than that.
_MANY, _FEW = 1000, 8
_METHODS: Mapping[Hashable, str] = {CLUSTERS: "Linearization", GROUPS: "GroupJackknife"}


def _nothing(block: Block) -> sparse.sparray:
    return sparse.csr_array((block.matrix.shape[0], 0))


def _no_loads(block: Block) -> sparse.sparray:
    return sparse.csr_array((0, block.matrix.shape[1]))


@attrs.frozen(eq=False)
class Block:
    """Rows of a factor: a sparse matrix, less what a few variables explain of it.

    The rows are ``matrix - variables @ loads``. A respondent touches few numbers, so `matrix` has
    few entries; what is taken off everybody (the mean of a stratum, the effect of a calibration
    variable) has a value for every row, and is kept as a product.

    Attributes:
        labels: Whose rows they are, unique, (r,).
        matrix: What each row puts into each number, (r, k).
        variables: What is known of every row, (r, q).
        loads: What every variable explains of each number, (q, k).
    """

    labels: Labels
    matrix: sparse.sparray
    variables: sparse.sparray = attrs.field(default=attrs.Factory(_nothing, takes_self=True))
    loads: sparse.sparray = attrs.field(default=attrs.Factory(_no_loads, takes_self=True))

    def select(self, at: NDArray[np.integer[Any]]) -> Block:
        """Return the columns `at`."""
        return attrs.evolve(self, matrix=self.matrix[:, at], loads=self.loads[:, at])

    def mapped(self, transposed: sparse.sparray) -> Block:
        """Return the block after a step with this transposed Jacobian (k, m)."""
        return attrs.evolve(self, matrix=self.matrix @ transposed, loads=self.loads @ transposed)

    def squares(self) -> FloatArray:
        """Return the sums of squares of the columns, (k,)."""
        explained = self.variables.T @ self.matrix
        product = (self.variables.T @ self.variables) @ self.loads
        taken = (product - 2 * explained).multiply(self.loads).sum(axis=0)
        return np.asarray(self.matrix.power(2).sum(axis=0) + taken)

    def draw(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Draw normal deviations with the covariance F' F, (count, k)."""
        chance = rng.standard_normal((count, len(self.labels)))
        explained = self.loads.T @ (self.variables.T @ chance.T)
        drawn: FloatArray = (self.matrix.T @ chance.T - explained).T
        return drawn


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
        return {name: block.select(at) for name, block in self.blocks.items()}


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
                mapped = block.mapped(transposed)
                result[name] = _add(result[name], mapped) if name in result else mapped
        return result

    def variance(self) -> FloatArray:
        """Return the variances, (m,), without making the covariance of the results.

        Raises:
            MethodError: If terms rest on respondents but cannot be matched.
        """
        maps = [jacobian for _, jacobian in self.terms]
        used = [np.unique(jacobian.indices) for jacobian in maps]
        blocks = [factor.columns(at) for (factor, _), at in zip(self.terms, used, strict=True)]
        parts = [jacobian[:, at] for jacobian, at in zip(maps, used, strict=True)]
        few = all(part.nnz <= _FEW * part.shape[1] for part in parts)
        if few and max(map(len, used)) > _MANY:
            total = _own_squares(blocks, parts)
        else:
            total = _through_covariance(blocks, parts)
        # Rounding can leave -1e-18 where 0 is meant.
        return np.maximum(total, 0.0)


@attrs.frozen(eq=False)
class DetachedFactor:
    """A factor whose rows are nobody else's: another source's respondent 7 is another person."""

    factor: Factor
    source: Hashable

    def columns(self, at: NDArray[np.integer[Any]]) -> Blocks:
        """Return the blocks under names of their own."""
        return {(self.source, name): block for name, block in self.factor.columns(at).items()}


@attrs.frozen(kw_only=True)
class Replicated:
    """The name of rows that are replicates; they match the same replicates of the same sample only.

    Attributes:
        method: The kind of replicates.
        setting: All that makes them.
        sample: A digest of the sample they were made from.
    """

    method: str
    setting: object
    sample: str


def independent_factor(standard_error: FloatArray) -> StoredFactor:
    """Return the factor of numbers whose errors have nothing to do with each other."""
    size = len(standard_error)
    # A name that equals no other: two tables of scores share no respondents that we know of.
    name = object()
    matrix = sparse.diags_array(np.nan_to_num(standard_error)).tocsc()
    return StoredFactor({name: Block(np.arange(size), matrix)})


@attrs.frozen(eq=False)
class Covariance:
    """A covariance (k, l) as a sparse matrix plus the product of two thin ones.

    Attributes:
        near: Through rows that touch both, (k, l).
        left: (k, q).
        right: (q, l).
    """

    near: sparse.sparray
    left: sparse.sparray
    right: sparse.sparray

    def toarray(self) -> FloatArray:
        """Return the matrix."""
        dense: FloatArray = self.near.toarray() + (self.left @ self.right).toarray()
        return dense

    def diagonal(self, first: sparse.csr_array, second: sparse.csr_array) -> FloatArray:
        """Return the diagonal of ``first @ covariance @ second.T`` without making the matrix."""
        near = (first @ self.near).multiply(second).sum(axis=1)
        far = (first @ self.left).multiply(second @ self.right.T).sum(axis=1)
        return np.asarray(near + far)


def covariance(first: Blocks, second: Blocks) -> Covariance:
    """Return the covariance between two sets of columns.

    Raises:
        MethodError: If both rest on respondents but their rows cannot be matched: one was found by
            linearization and the other by replicates, or each by replicates of its own.
    """
    _check_matchable(first, second)
    near = sparse.csr_array((_width(first), _width(second)))
    left, right = [near[:, :0]], [near[:0]]
    for name in first.keys() & second.keys():
        here, there = _matched(first[name], second[name])
        between = there.variables.T @ here.matrix
        explained = here.variables.T @ there.matrix
        explained -= (here.variables.T @ there.variables) @ there.loads
        near += here.matrix.T @ there.matrix
        left += [between.T, here.loads.T]
        right += [-there.loads, -explained]
    return Covariance(near, sparse.hstack(left, format="csr"), sparse.vstack(right, format="csr"))


def _through_covariance(blocks: Sequence[Blocks], maps: Sequence[sparse.csr_array]) -> FloatArray:
    """Return the diagonal of sum J Cov J' from the covariance of the inputs."""
    total = np.zeros(maps[0].shape[0])
    for first, left in enumerate(maps):
        for second in range(first, len(maps)):
            cross = covariance(blocks[first], blocks[second]).diagonal(left, maps[second])
            total += cross if first == second else 2 * cross
    return total


def _own_squares(blocks: Sequence[Blocks], maps: Sequence[sparse.csr_array]) -> FloatArray:
    """Return the same from the columns of the results."""
    # Where each input goes into few results, these are not much fuller than those of the inputs.
    for first, second in combinations_with_replacement(blocks, 2):
        _check_matchable(first, second)
    terms = tuple((StoredFactor(one), jacobian) for one, jacobian in zip(blocks, maps, strict=True))
    everything = np.arange(maps[0].shape[0])
    own = LinearFactor(terms).columns(everything).values()
    return sum((block.squares() for block in own), start=np.zeros(len(everything)))


def _check_matchable(first: Blocks, second: Blocks) -> None:
    """Raise where two results rest on people who cannot be told to be the same or not."""
    known = [{_method_of(name) for name in blocks} - {None} for blocks in (first, second)]
    names = [set(blocks) for blocks in (first, second)]
    loose = {n for n in names[0] ^ names[1] if isinstance(n, Replicated)}
    here, there = known
    if (here and there and here != there) or (here == there and loose):
        methods = " and ".join(sorted(str(method) for method in here | there))
        raise MethodError(
            f"the errors of two results come from {methods}, made apart: the respondents they "
            "share cannot be matched; compute both with Linearization, or both with GroupJackknife"
        )


def _method_of(name: Hashable) -> str | None:
    return name.method if isinstance(name, Replicated) else _METHODS.get(name)


def _width(blocks: Blocks) -> int:
    return next((block.matrix.shape[1] for block in blocks.values()), 0)


def _matched(left: Block, right: Block) -> tuple[Block, Block]:
    """Return the rows of the labels that both have."""
    if left.labels is right.labels or np.array_equal(left.labels, right.labels):
        return left, right
    labels, here, there = np.intersect1d(
        left.labels, right.labels, assume_unique=True, return_indices=True
    )
    return _rows(left, here, labels), _rows(right, there, labels)


def _rows(block: Block, at: NDArray[np.integer[Any]], labels: Labels) -> Block:
    return attrs.evolve(
        block, labels=labels, matrix=block.matrix[at], variables=block.variables[at]
    )


def _add(left: Block, right: Block) -> Block:
    """Add two blocks of the same columns, row by row of the same label."""
    labels = left.labels
    if not (labels is right.labels or np.array_equal(labels, right.labels)):
        labels, position = np.unique(
            np.concatenate([left.labels, right.labels]), return_inverse=True
        )
        size, split = len(labels), len(left.labels)
        left, right = _placed(left, position[:split], size), _placed(right, position[split:], size)
    matrix = left.matrix + right.matrix
    if left.variables is right.variables:
        return Block(labels, matrix, left.variables, left.loads + right.loads)
    return Block(
        labels,
        matrix,
        sparse.hstack([left.variables, right.variables], format="csr"),
        sparse.vstack([left.loads, right.loads], format="csr"),
    )


def _placed(block: Block, position: NDArray[np.integer[Any]], size: int) -> Block:
    """Return the rows at their positions among more rows."""
    rows = np.arange(len(position))
    gather = sparse.csr_array((np.ones(len(rows)), (position, rows)), (size, len(rows)))
    return attrs.evolve(block, matrix=gather @ block.matrix, variables=gather @ block.variables)


def shared_rows(first: Blocks, second: Blocks) -> tuple[IntArray, IntArray, IntArray]:
    """Return how many sampled rows move both columns, the first, and the second, (k,)."""
    left, right = _sampled(first), _sampled(second)
    shared = np.zeros(_width(first), dtype=np.int64)
    for name in left.keys() & right.keys():
        here, there = _matched(left[name], right[name])
        shared += (here.matrix != 0).multiply(there.matrix != 0).sum(axis=0)
    return shared, _moving(left, len(shared)), _moving(right, len(shared))


def _sampled(blocks: Blocks) -> Blocks:
    """Return the blocks whose rows were drawn: scores of somebody else tell of no respondents."""

    def drawn(name: Hashable) -> bool:
        # A detached name is a pair of its source and the name.
        return drawn(name[1]) if isinstance(name, tuple) else _method_of(name) is not None

    return {name: block for name, block in blocks.items() if drawn(name)}


def _moving(blocks: Blocks, width: int) -> IntArray:
    counts = np.zeros(width, dtype=np.int64)
    for block in blocks.values():
        counts += (block.matrix != 0).sum(axis=0)
    return counts
