"""Weights from principal components: how much of the shared variance a part carries."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._learning import Learned, LearningRule, PartMoments, shares_of
from sotongindex._validators import is_one_of
from sotongindex.errors import DefinitionError

Retention: TypeAlias = Literal["eigenvalue", "share", "cumulative"]
Rotation: TypeAlias = Literal["varimax", "none"]

_MOST_SWEEPS = 100


@attrs.frozen(kw_only=True, eq=False)
class FactorDiagnostics(Learned):
    """Factor weights and what they were made of.

    Attributes:
        eigenvalues: Of the correlations of the parts that differ, descending.
        loadings: The correlation of every part with every retained factor after rotation, (k, m);
            a factor is turned so that its loadings sum to 0 or more; where they sum to 0, parts
            of both directions belong to it.
        explained: The share of the variance of the parts that every factor explains, (m,).
        factor: The factor that every part belongs to, (k,), from 0; -1 where it rises with none.
    """

    eigenvalues: FloatArray = attrs.field(converter=float_array)
    loadings: FloatArray = attrs.field(converter=float_array)
    explained: FloatArray = attrs.field(converter=float_array)
    factor: IntArray = attrs.field(converter=read_only)


@attrs.frozen(kw_only=True)
class FactorWeights(LearningRule):
    r"""Weights by shared variance: they reward parts that vary together with others.

    Principal components of the correlations are retained, rotated, and every part is given to the
    factor that it rises with most. The parts of a factor make an intermediate composite by their
    squared loadings :math:`\lambda_{jf}^2` as shares of the variance :math:`v_f` that the factor
    explains, and intermediate composites count by :math:`v_f`:

    .. math:: w_j \propto \frac{\lambda_{jf}^2}{v_f} \cdot \frac{v_f}{\sum_g v_g}
        \propto \lambda_{jf}^2

    A weight is never negative. A part that falls where every factor rises gets 0: look whether its
    scale is reversed. Changing the unit or the zero of a column changes nothing. Missing scores
    are left out pair by pair.

    Attributes:
        counting: "organizations" counts every organization once, "respondents" by its evaluations.
        retain: Which components: "eigenvalue", those of 1 or more (Kaiser); "share", those that
            explain more than 10 % of the variance; "cumulative", the first that together explain
            more than 60 %. One at least.
        components: How many components instead; None means by `retain`.
        rotation: "varimax", with Kaiser's normalization, or "none".

    Raises:
        DefinitionError: If `components` is not a whole number of 1 or more.

    References:
        OECD and JRC (2008), Handbook on Constructing Composite Indicators, pages 89-91,
        doi:10.1787/9789264043466-en; Kaiser (1958), doi:10.1007/BF02289233.

    >>> scores = [[1, 2, 1], [2, 1, 2], [3, 4, 3], [4, 3, 5]]
    >>> FactorWeights().learn(scores).weights.round(2).tolist()
    [0.39, 0.24, 0.37]
    """

    retain: Retention = attrs.field(
        default="eigenvalue", validator=is_one_of("eigenvalue", "share", "cumulative")
    )
    components: int | None = None
    rotation: Rotation = attrs.field(default="varimax", validator=is_one_of("varimax", "none"))

    def __attrs_post_init__(self) -> None:
        number = self.components
        if number is not None and (type(number) is not int or number < 1):
            raise DefinitionError(
                f"expected a whole number of 1 or more, got {number!r}",
                field="FactorWeights.components",
                key=number,
            )

    def learn(self, scores: ArrayLike, *, counts: ArrayLike | None = None) -> FactorDiagnostics:
        """Return the weights of the columns of `scores`, and what they were made of.

        Args:
            scores: Scores, (u, k); NaN means missing.
            counts: How much every unit counts, (u,); default all once.

        Raises:
            MethodError: If scores are infinite, or counts do not fit.
        """
        return self.learn_from(PartMoments.of(scores, counts))

    def learn_from(self, moments: PartMoments) -> FactorDiagnostics:
        """Return the weights of parts of which the moments are known, not the scores."""
        differs = moments.deviations > 0
        eigenvalues, part_loadings = self._factors(moments.correlations[differs][:, differs])
        loadings = np.zeros((len(differs), part_loadings.shape[1]))
        loadings[differs] = part_loadings
        # Where loadings cancel, neither direction of the factor is its own.
        balanced = np.abs(loadings.sum(axis=0)) <= 1e-9
        rising = np.where(balanced, np.abs(loadings), loadings)
        highest = rising.max(axis=1, initial=0.0)
        return FactorDiagnostics(
            **shares_of(highest**2, moments.units, reason="no part differs between units"),
            eigenvalues=eigenvalues,
            loadings=loadings,
            explained=(loadings**2).sum(axis=0) / max(differs.sum(), 1),
            factor=np.where(highest > 0, rising.argmax(axis=1) if rising.size else -1, -1),
        )

    def _factors(self, correlation: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return eigenvalues and the loadings on the retained factors, by what they explain."""
        ascending, vectors = np.linalg.eigh(correlation)
        eigenvalues = ascending[::-1]
        kept = self._retained(eigenvalues)
        loadings = vectors[:, ::-1][:, :kept] * np.sqrt(eigenvalues[:kept])
        if self.rotation == "varimax":
            loadings = varimax(loadings)
        loadings *= np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)
        return eigenvalues, loadings[:, np.argsort(-(loadings**2).sum(axis=0), kind="stable")]

    def _retained(self, eigenvalues: FloatArray) -> int:
        """Return how many components are kept."""
        if self.components is not None:
            return min(self.components, int((eigenvalues > 1e-9).sum()))
        shares = eigenvalues / max(len(eigenvalues), 1)
        kept = {
            "eigenvalue": (eigenvalues >= 1.0 - 1e-9).sum(),
            "share": (shares > 0.1).sum(),
            "cumulative": (shares.cumsum() <= 0.6).sum() + 1,
        }[self.retain]
        return min(max(int(kept), 1), len(eigenvalues))


def varimax(loadings: FloatArray) -> FloatArray:
    """Rotate loadings (k, m) so that each is near 0 or far from it: Kaiser's planar rotations."""
    size = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    rotated = np.divide(loadings, size, out=np.zeros_like(loadings), where=size > 0)
    parts, factors = rotated.shape
    for _ in range(_MOST_SWEEPS):
        largest = 0.0
        for first in range(factors):
            for second in range(first + 1, factors):
                x, y = rotated[:, first].copy(), rotated[:, second].copy()
                u, v = x**2 - y**2, 2 * x * y
                angle = (
                    np.arctan2(
                        2 * (u @ v) - 2 * u.sum() * v.sum() / parts,
                        u @ u - v @ v - (u.sum() ** 2 - v.sum() ** 2) / parts,
                    )
                    / 4
                )
                rotated[:, first] = np.cos(angle) * x + np.sin(angle) * y
                rotated[:, second] = np.cos(angle) * y - np.sin(angle) * x
                largest = max(largest, abs(angle))
        if largest < 1e-12:
            break
    turned: FloatArray = rotated * size
    return turned
