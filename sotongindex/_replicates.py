"""Replicate weights: factors per cluster and per cell, made for some replicates at a time.

A weight in a replicate is the starting weight, times the factor of the cluster, times the ratio of
the calibration cell where weights are calibrated: never a matrix of respondents by replicates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._design import lonely_strata, sampled_shares, strata_of
from sotongindex._factors import GROUPS, Replicated
from sotongindex._jackknife_groups import jackknife_groups
from sotongindex._variance_methods import (
    BalancedRepeatedReplication,
    Bootstrap,
    GroupJackknife,
    Jackknife,
    ReplicateMethod,
    ReplicateWeights,
)
from sotongindex.errors import MethodError, nearest_key
from sotongindex.responses import Responses

_MOST_CLUSTERS = 5_000  # that are left out one at a time


@attrs.frozen(kw_only=True, eq=False)
class Replicates:
    """The replicates of a sample.

    Attributes:
        name: The name of the rows they make in a factor.
        scales: The weight of every squared deviation, (R,).
        around_mean: Whether deviations are taken from the mean of the replicates.
        source: The row of the factors that an evaluation takes, (n,).
        factors: Gives the factors (sources, b) of some replicates (b,).
        freedom: The most degrees of freedom that the replicates allow.
    """

    name: Replicated | str
    scales: FloatArray
    around_mean: bool
    source: NDArray[np.integer]
    factors: Callable[[IntArray], FloatArray]
    freedom: float

    def __len__(self) -> int:
        return len(self.scales)

    def weights(self, responses: Responses, replicates: IntArray) -> Weights:
        """Return the weights of some replicates, calibrated again where weights are calibrated."""
        factors, calibration = self.factors(replicates), responses.calibration
        base = np.ones(len(self.source)) if responses.weight is None else responses.weight
        if calibration is None:
            return Weights(base=base, source=self.source, factors=factors, cell=None, ratios=None)
        cell = calibration.cell[calibration.unit]
        start = calibration.start[:, None] * factors[self.source[calibration.first]]
        return Weights(
            base=base / calibration.ratio[cell],
            source=self.source,
            factors=factors,
            cell=cell,
            ratios=calibration.again(start),
        )


@attrs.frozen(kw_only=True, eq=False)
class Weights:
    """The weights of evaluations in some replicates.

    Attributes:
        base: The starting weight, times what was done to weights after calibration, (n,).
        source: The row of the factors, (n,).
        factors: (sources, b).
        cell: The row of the ratios, (n,), or None.
        ratios: New over old weight by calibration cell, (cells, b), or None.
    """

    base: FloatArray
    source: NDArray[np.integer]
    factors: FloatArray
    cell: IntArray | None
    ratios: FloatArray | None

    def of(self, rows: IntArray) -> FloatArray:
        """Return the weights of some evaluations, (rows, b)."""
        weights = self.factors.take(self.source[rows], axis=0)
        weights *= self.base[rows, None]
        if self.cell is not None and self.ratios is not None:
            weights *= self.ratios.take(self.cell[rows], axis=0)
        return weights


def replicates_of(responses: Responses, method: ReplicateMethod | GroupJackknife) -> Replicates:
    """Return the replicates that `method` asks for.

    Raises:
        MethodError: If the design of the sample does not have them.
    """
    match method:
        case GroupJackknife():
            return _groups(responses, method)
        case Jackknife():
            return _jackknife(responses, method)
        case BalancedRepeatedReplication():
            return _balanced(responses, method)
        case Bootstrap():
            return _bootstrap(responses, method)
        case ReplicateWeights():
            return _supplied(responses, method)


def _name(responses: Responses, method: ReplicateMethod) -> Replicated:
    """Return a name that is the same for the same replicates of the same clusters."""
    stratum, _ = strata_of(responses)
    digest = hashlib.blake2b(stratum.tobytes(), digest_size=16)
    digest.update(np.ascontiguousarray(responses.cluster_labels).tobytes())
    return Replicated(method=type(method).__name__, setting=method, sample=digest.hexdigest())


def _groups(responses: Responses, method: GroupJackknife) -> Replicates:
    count = method.groups
    group = jackknife_groups(responses.cluster_labels, count)

    def factors(replicates: IntArray) -> FloatArray:
        return np.where(group[:, None] != replicates, count / (count - 1), 0.0)

    return Replicates(
        name=GROUPS,
        scales=np.full(count, (count - 1) / count),
        around_mean=False,
        source=responses.clusters,
        factors=factors,
        freedom=count - 1.0,
    )


def _jackknife(responses: Responses, method: Jackknife) -> Replicates:
    stratum, sizes = strata_of(responses)
    count = len(stratum)
    if count > _MOST_CLUSTERS:
        raise MethodError(
            f"leaving out {count:,} clusters one at a time is refused beyond {_MOST_CLUSTERS:,}; "
            "use Linearization, which comes to the same, or GroupJackknife",
            argument="variance",
        )
    lonely_strata(responses, sizes, fails=True)
    size = sizes[stratum]
    rest = np.divide(size, size - 1, out=np.ones(count), where=size > 1)

    def factors(replicates: IntArray) -> FloatArray:
        beside = stratum[:, None] == stratum[replicates]
        result = np.where(beside, rest[:, None], 1.0)
        result[replicates, np.arange(len(replicates))] = 0.0
        return result

    shares = sampled_shares(responses, sizes)
    return Replicates(
        name=_name(responses, method),
        scales=((1 - shares) * (sizes - 1) / np.maximum(sizes, 1))[stratum],
        around_mean=method.center == "mean",
        source=responses.clusters,
        factors=factors,
        freedom=float(count - len(sizes)),
    )


def _balanced(responses: Responses, method: BalancedRepeatedReplication) -> Replicates:
    stratum, sizes = strata_of(responses)
    odd = np.flatnonzero(sizes != 2)
    if len(odd):
        named = ", ".join(repr(responses.stratum_keys[h]) for h in odd[:5])
        raise MethodError(
            f"balanced half-samples need 2 clusters in every stratum; {len(odd)} of {len(sizes)} "
            f"strata have another number{': ' + named if responses.stratum_keys else ''}; use "
            "Jackknife or Bootstrap",
            argument="variance",
        )
    signs = hadamard(len(sizes) + 1)  # its first column is constant: no stratum takes it
    count = len(signs)
    order = np.argsort(stratum, kind="stable")
    second = np.empty(len(stratum), dtype=np.int64)
    second[order] = np.arange(len(stratum)) % 2
    side = np.where(second == 1, -1.0, 1.0) * np.sqrt(1 - sampled_shares(responses, sizes))[stratum]

    def factors(replicates: IntArray) -> FloatArray:
        half = signs[replicates][:, 1 + stratum].T
        result: FloatArray = 1.0 + (1.0 - method.fay) * side[:, None] * half
        return result

    return Replicates(
        name=_name(responses, method),
        scales=np.full(count, 1.0 / (count * (1.0 - method.fay) ** 2)),
        around_mean=method.center == "mean",
        source=responses.clusters,
        factors=factors,
        freedom=float(len(sizes)),
    )


def hadamard(least: int) -> NDArray[np.float64]:
    """Return the smallest Hadamard matrix of Sylvester's kind with at least so many columns.

    Sylvester (1867), doi:10.1080/14786446708639914.
    """
    matrix = np.ones((1, 1))
    while len(matrix) < least:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def _bootstrap(responses: Responses, method: Bootstrap) -> Replicates:
    stratum, sizes = strata_of(responses)
    lonely_strata(responses, sizes, fails=True)
    shares = sampled_shares(responses, sizes)
    draw = _rao_wu if method.kind == "rao-wu" else _canty_davison
    order = np.argsort(stratum, kind="stable")

    def factors(replicates: IntArray) -> FloatArray:
        result = np.empty((len(stratum), len(replicates)))
        for column, replicate in enumerate(replicates.tolist()):
            # A generator for each replicate: any of them can be made again by itself.
            random = np.random.default_rng((method.rng, replicate))
            result[order, column] = draw(sizes, shares, random)
        return result

    average = 1.0 / np.mean(1.0 / sizes)
    own = average / (average - 1.0) if method.kind == "canty-davison" and average > 1 else 1.0
    return Replicates(
        name=_name(responses, method),
        scales=np.full(method.replicates, own / (method.replicates - 1)),
        around_mean=method.center == "mean",
        source=responses.clusters,
        factors=factors,
        freedom=min(float(len(stratum) - len(sizes)), method.replicates - 1.0),
    )


def _times_drawn(sizes: IntArray, draws: IntArray, random: np.random.Generator) -> FloatArray:
    """Draw clusters within strata with replacement; return how often each was drawn."""
    first = np.cumsum(sizes) - sizes
    within = (random.random(int(draws.sum())) * np.repeat(sizes, draws)).astype(np.int64)
    drawn = np.bincount(np.repeat(first, draws) + within, minlength=int(sizes.sum()))
    return drawn.astype(np.float64)


def _rao_wu(sizes: IntArray, shares: FloatArray, random: np.random.Generator) -> FloatArray:
    """Return the factors of clusters sorted by stratum."""
    drawn = _times_drawn(sizes, sizes - 1, random)
    scaled = np.repeat(sizes / np.maximum(sizes - 1, 1), sizes) * drawn
    factors: FloatArray = 1.0 + np.repeat(np.sqrt(1.0 - shares), sizes) * (scaled - 1.0)
    return factors


def _canty_davison(sizes: IntArray, shares: FloatArray, random: np.random.Generator) -> FloatArray:
    """Return the factors of clusters sorted by stratum."""
    drawn = _times_drawn(sizes, sizes, random)
    last = np.cumsum(sizes)
    for h in np.flatnonzero(shares > 0):
        # The sample is repeated up to the population; some clusters once more than others.
        size, population = int(sizes[h]), round(sizes[h] / shares[h])
        times = np.full(size, population // size)
        times[random.permutation(size)[: population % size]] += 1
        drawn[last[h] - size : last[h]] = random.multivariate_hypergeometric(times, size)
    return drawn


def _supplied(responses: Responses, method: ReplicateWeights) -> Replicates:
    for name in method.columns:
        if name not in responses.kept or responses.kept[name].dtype.kind not in "iuf":
            raise MethodError(
                f"expected a kept column of numbers {name!r}; keep it with Layout.keep when "
                f"reading{_nearest(name, responses)}",
                argument="columns",
            )
    table = np.stack([responses.kept[name] for name in method.columns], axis=1).astype(np.float64)
    if not (table >= 0).all() or np.isinf(table).any():
        raise MethodError(
            f"expected weights of 0 or more; {int((~(table >= 0)).sum())} of {table.size} are "
            "negative or missing",
            argument="columns",
        )
    if method.combined:
        base = np.ones(len(table)) if responses.weight is None else responses.weight
        calibration = responses.calibration
        table /= (base if calibration is None else calibration.start[calibration.unit])[:, None]
    scales = np.ones(table.shape[1]) if method.replicate_scales is None else method.replicate_scales
    return Replicates(
        name=Replicated(method="ReplicateWeights", setting=method, sample=""),
        scales=method.scale * np.asarray(scales),
        around_mean=method.center == "mean",
        source=np.arange(len(table)),
        factors=lambda replicates: table[:, replicates],
        freedom=float(np.linalg.matrix_rank(table.T @ table, hermitian=True) - 1),
    )


def _nearest(name: str, responses: Responses) -> str:
    nearest = nearest_key(name, responses.kept)
    return f"; did you mean {nearest!r}?" if nearest else ""
