"""Benefit of the doubt: every unit is scored by the weights that favour it most."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from sotongindex._arrays import FloatArray, float_array, read_only
from sotongindex._nearest_weights import nearest_weights
from sotongindex._power_mean import score_table
from sotongindex._share_limits import ShareLimits
from sotongindex._simplex import TOLERANCE, Flags, Optima, solve_units
from sotongindex.errors import MethodError

# A score this near to 1 is 1.
_BEST = 1 - 1e-9


@attrs.frozen(kw_only=True, eq=False)
class BenefitOfTheDoubt:
    """Scores of units under the weights that favour each of them most.

    Attributes:
        scores: The scores, 0 to 1, (u,); NaN where a unit has nothing, or `limits` leave no room
            for what it has.
        weights: The weights of every unit, (u, k): of all that give the score, those whose
            contributions are nearest to equal. The score is the sum of weights times parts.
        shares: What every part contributes, (u, k), adding up to 1; 0 where the score is 0.
        unique: Whether it is certain that no other weights give the score, (u,).
        peers: How much of each peer it takes to be at least as good in every part, (u, u): with
            intensities l, the score is their sum. A unit that scores 1 is its own peer.
        jacobian: The derivative of every score by every part of every unit, (u, u * k), in the
            order of the flattened scores.
    """

    scores: FloatArray = attrs.field(converter=float_array)
    weights: FloatArray = attrs.field(converter=float_array)
    shares: FloatArray = attrs.field(converter=float_array)
    unique: Flags = attrs.field(converter=read_only)
    peers: sparse.csr_array = attrs.field(repr=False)
    jacobian: sparse.csr_array = attrs.field(repr=False)

    def peers_of(self, unit: int) -> dict[int, float]:
        """Return the positions of a unit's peers with their intensities, the largest first."""
        row = self.peers[[unit]].tocoo()
        found = zip(row.coords[1].tolist(), row.data.tolist(), strict=True)
        return dict(sorted(found, key=lambda pair: -pair[1]))


def benefit_of_the_doubt(
    scores: ArrayLike, *, limits: ShareLimits | None = None
) -> BenefitOfTheDoubt:
    r"""Score every unit by the weights that favour it most.

    .. math::
        s_u = \max_{w \ge 0} \sum_i w_i y_{ui}
        \quad \text{with} \quad \sum_i w_i y_{ji} \le 1 \text{ for every unit } j

    A unit of score 1 is best under some weights. A lower score says that under *any* weights
    somebody else is better by that ratio; its peers are those who are. `limits` keep the weights
    from being too strange.

    A missing part counts 0: it neither helps its unit nor makes it anybody's peer, and limits ask
    nothing of it. Where a unit has 0 in a part that must contribute, its score is 0. Scaling a part
    changes nothing, but for limits on weights.

    Errors travel by the derivative under the best weights and peers found (the envelope theorem):
    ``estimates.transform(result.jacobian, values=result.scores, lower=0.0, upper=1.0)``. To the
    first order a score of 1 is certain, and chance that lifts the best of many is not seen; see
    the page on penalties and majorities for when that is good enough.

    Args:
        scores: The parts of every unit, (u, k), 0 or more and the more the better, in any unit of
            measurement; NaN means missing.
        limits: Limits on the shares of the parts; None means none.

    Returns:
        The scores, weights and peers.

    Raises:
        MethodError: If the scores are not a table, or one is negative or infinite.
        DefinitionError: If the limits do not fit the parts, or no shares keep them.

    References:
        Melyn and Moesen (1991), Towards a synthetic indicator of macroeconomic performance, KU
        Leuven. Cherchye, Moesen, Rogge and Van Puyenbroeck (2007), doi:10.1007/s11205-006-9029-7.
        Zeros for what is missing: Kuosmanen (2009), doi:10.1057/jors.2008.132.

    >>> result = benefit_of_the_doubt([[80.0, 40.0], [40.0, 80.0], [50.0, 50.0]])
    >>> result.scores.round(4).tolist()
    [1.0, 1.0, 0.8333]
    >>> result.peers_of(2)
    {0: 0.4166..., 1: 0.4166...}
    """
    given = _table(scores)
    limits = limits or ShareLimits()
    limits.check(given.shape[1])
    present = ~np.isnan(given)
    filled = np.where(present, given, 0.0)
    highest = filled.max(axis=0)
    scale = np.where(highest > 0, highest, 1.0)
    # Limits hold for contributions, or for weights in the parts' own units.
    measure = filled / scale if limits.of == "contribution" else present / scale
    rows = limits.rows(present)
    restrictions = rows * measure[:, None, :]
    optima = solve_units(filled / scale, restrictions)
    value = optima.intensities.sum(axis=1)
    value = np.where(value >= _BEST, 1.0, np.where(value > TOLERANCE, value, 0.0))
    optima = _own_peers(optima, value == 1)
    weights = nearest_weights(filled / scale, restrictions, optima, best=value) / scale
    weights = np.where(value[:, None] > 0, weights, 0.0)
    moved = rows if limits.of == "contribution" else np.zeros_like(rows)
    scored = present.any(axis=1) & limits.leave_room(present)
    own = weights * (1 - np.einsum("um,umk->uk", optima.limits, moved)) * scored[:, None]
    peers = _peers(optima, scored)
    return BenefitOfTheDoubt(
        scores=np.where(scored, value, np.nan),
        weights=np.where(scored[:, None], weights, np.nan),
        shares=np.where(scored[:, None], _shares(weights * filled), np.nan),
        unique=optima.unique,
        peers=peers,
        jacobian=_jacobian(peers, own, weights=weights, present=present),
    )


def _table(scores: ArrayLike) -> FloatArray:
    """Return the scores as a table of numbers of 0 or more."""
    given = score_table(scores)
    if (given < 0).any():
        unit, part = np.argwhere(given < 0)[0].tolist()
        raise MethodError(
            f"expected scores of 0 or more; {(given < 0).sum()} are below, the first is "
            f"{given[unit, part]:g} of unit {unit} in part {part}; shift or reverse the part, so "
            "that 0 is its worst",
            argument="scores",
        )
    return given


def _own_peers(optima: Optima, best: Flags) -> Optima:
    """Return the optima with every unit that scores 1 as its own and only peer."""
    count = len(best)
    peers = np.where(best[:, None], -1, optima.peers)
    peers[:, 0] = np.where(best, np.arange(count), peers[:, 0])
    intensities = np.where(best[:, None], 0.0, optima.intensities)
    intensities[:, 0] = np.where(best, 1.0, intensities[:, 0])
    return attrs.evolve(
        optima,
        peers=peers,
        intensities=intensities,
        limits=np.where(best[:, None], 0.0, optima.limits),
    )


def _peers(optima: Optima, scored: Flags) -> sparse.csr_array:
    """Return the intensities of peers as a matrix, (u, u)."""
    count = len(scored)
    unit, place = np.nonzero((optima.intensities > TOLERANCE) & scored[:, None])
    return sparse.csr_array(
        (optima.intensities[unit, place], (unit, optima.peers[unit, place])), shape=(count, count)
    )


def _shares(contributions: FloatArray) -> FloatArray:
    total = contributions.sum(axis=1, keepdims=True)
    shares = np.zeros_like(contributions)
    np.divide(contributions, total, out=shares, where=total > 0)
    return shares


def _jacobian(
    peers: sparse.csr_array, own: FloatArray, *, weights: FloatArray, present: Flags
) -> sparse.csr_array:
    """Return the derivatives: own scores lift a unit's score, those of its peers lower it."""
    count, parts = weights.shape
    every = np.arange(count)
    pairs = peers.tocoo()
    unit = np.concatenate([every, pairs.coords[0]])
    whose = np.concatenate([every, pairs.coords[1]])
    slope = np.concatenate([own, -pairs.data[:, None] * weights[pairs.coords[0]]])
    slope = np.where(present[whose], slope, 0.0)
    column = whose[:, None] * parts + np.arange(parts)
    jacobian = sparse.csr_array(
        (slope.ravel(), (np.repeat(unit, parts), column.ravel())), shape=(count, count * parts)
    )
    jacobian.sum_duplicates()
    return jacobian
