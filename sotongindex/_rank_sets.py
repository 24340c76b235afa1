"""Which of two organizations is better, told for many pairs at once.

For every pair the observed difference, in standard errors, is held against the largest one that
chance alone makes among all pairs of a family. That maximum is drawn from the normal distribution
with the covariance of the scores. After each step the pairs that are told drop out, and the maximum
of the rest is smaller (stepdown).
"""

from __future__ import annotations

from typing import TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._rank_inputs import difference_variances
from sotongindex._student import special, t_probability
from sotongindex.errors import MethodError
from sotongindex.percentiles import TIE_WIDTH

BoolArray: TypeAlias = NDArray[np.bool_]
Rng: TypeAlias = int | np.random.Generator | None

# Numbers in a block that several passes go over: half a megabyte stays in the processor's cache.
_BLOCK = 65_536


def observed_ratios(values: FloatArray, covariance: FloatArray, freedom: FloatArray) -> FloatArray:
    """Return by how many standard errors j (column) is above i (row), (n, n).

    A ratio from few degrees of freedom is turned into the normal ratio of the same probability.
    Ties are 0; where the error of a difference is 0, the ratio is infinite.
    """
    variance = difference_variances(covariance)
    above = values[None, :] > values[:, None] + TIE_WIDTH
    with np.errstate(over="ignore"):  # a difference of very many errors is infinitely many
        size = np.abs(values[None, :] - values[:, None])
        exact = variance == 0
        size = np.where(exact, np.inf, size / np.sqrt(np.where(exact, 1.0, variance)))
    if np.isfinite(freedom).any():
        pieces = covariance.diagonal()
        sums = pieces[:, None] + pieces
        # Shares of the variance, so that squares of very small or large numbers stay numbers.
        shares = np.where(sums > 0, pieces[:, None] / np.where(sums > 0, sums, 1.0), 0.5)
        spread = shares**2 / freedom[:, None] + shares.T**2 / freedom
        pairs = np.divide(1.0, spread, out=np.full_like(spread, np.inf), where=spread > 0)
        size = -special().ndtri(t_probability(pairs, -size))
    return np.where(above, size, np.where(above.T, -size, 0.0))


def chance_draws(covariance: FloatArray, values: FloatArray, *, draws: int, rng: Rng) -> FloatArray:
    """Draw errors with this covariance, up to one common factor, (n, draws).

    Organizations get their random numbers by the size of their error, then by their distance from
    the median: the order they come in, and the direction of the scale, make no difference.

    Raises:
        MethodError: If the matrix is no covariance: an eigenvalue is negative.
    """
    variance = covariance.diagonal()
    order = np.lexsort((values, np.abs(values - np.median(values)), variance))
    random = np.random.default_rng(rng).standard_normal((len(values), draws))
    scale = variance.max()
    drawn = np.zeros_like(random)
    if scale == 0:
        return drawn
    scaled = covariance[np.ix_(order, order)] / scale
    if np.count_nonzero(scaled) == np.count_nonzero(scaled.diagonal()):
        drawn[order] = np.sqrt(scaled.diagonal())[:, None] * random
        return drawn
    drawn[order] = _root(scaled) @ random
    return drawn


def _root(covariance: FloatArray) -> FloatArray:
    """Return a matrix R with R R' = covariance."""
    try:
        lower = np.linalg.cholesky(covariance).astype(np.float64)
    except np.linalg.LinAlgError:  # fewer respondents than organizations, or not a covariance
        values, vectors = np.linalg.eigh(covariance)
    else:
        return lower
    if values[0] < -1e-8 * values[-1]:
        raise MethodError(
            "expected a covariance matrix; its smallest eigenvalue is "
            f"{values[0] / values[-1]:.2g} times its largest",
            argument="covariance",
        )
    root: FloatArray = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


@attrs.frozen(kw_only=True, eq=False)
class PairTests:
    """Tests of which of two organizations is better.

    Attributes:
        ratios: How many standard errors j is above i, (n, n).
        scales: One by the standard error of the difference, in the units of the draws, (n, n); 0
            where that error is 0.
        draws: Errors by chance, (n, draws).
        level: The level at which no pair of a family is told wrongly.
        stepdown: Whether pairs that are told drop out.
    """

    ratios: FloatArray
    scales: FloatArray
    draws: FloatArray
    level: float
    stepdown: bool

    @classmethod
    def of(
        cls,
        values: FloatArray,
        covariance: FloatArray,
        *,
        freedom: FloatArray,
        draws: int,
        rng: Rng,
        level: float,
        stepdown: bool,
    ) -> PairTests:
        """Prepare the tests of scores with this covariance."""
        return cls(
            ratios=observed_ratios(values, covariance, freedom),
            scales=_scales(covariance),
            draws=chance_draws(covariance, values, draws=draws, rng=rng),
            level=level,
            stepdown=stepdown,
        )

    @classmethod
    def of_draws(cls, scores: FloatArray, *, level: float, stepdown: bool) -> PairTests:
        """Prepare the tests of scores (n, draws) that were drawn around what is told of them."""
        centre = scores.mean(axis=1)
        covariance = np.atleast_2d(np.cov(scores, bias=True))
        largest = covariance.diagonal().max()
        return cls(
            ratios=observed_ratios(centre, covariance, np.full(len(scores), np.inf)),
            scales=_scales(covariance),
            draws=(scores - centre[:, None]) / np.sqrt(largest if largest > 0 else 1.0),
            level=level,
            stepdown=stepdown,
        )

    def tell(
        self, rows: NDArray[np.integer], up: BoolArray, down: BoolArray
    ) -> tuple[BoolArray, BoolArray]:
        """Tell pairs apart, with one level for the whole family.

        Args:
            rows: The organizations i of the family, (r,).
            up: Whether "j is better than i" is asked, (r, n).
            down: Whether "i is better than j" is asked, (r, n).

        Returns:
            Which of these are told, both (r, n).
        """
        up, down = up.copy(), down.copy()
        told_up, told_down = np.zeros_like(up), np.zeros_like(down)
        ratios, draws = self.ratios[rows], self.draws
        maxima = self._maxima(rows, up, down, draws=draws)
        while up.any() or down.any():
            # A low level must not tell what the scores themselves do not say.
            critical = max(float(np.quantile(maxima, self.level)), 0.0)
            new_up, new_down = up & (ratios > critical), down & (ratios < -critical)
            told_up |= new_up
            told_down |= new_down
            if not self.stepdown or not (new_up.any() or new_down.any()):
                break
            up &= ~new_up
            down &= ~new_down
            # A maximum changes only where one of the pairs that drop out held it.
            held = self._maxima(rows, new_up, new_down, draws=draws) >= maxima
            maxima[held] = self._maxima(rows, up, down, draws=draws[:, held])
        return told_up, told_down

    def _maxima(
        self, rows: NDArray[np.integer], up: BoolArray, down: BoolArray, *, draws: FloatArray
    ) -> FloatArray:
        """Return the largest ratio by chance in every draw; -inf where nothing is asked."""
        largest = np.full(draws.shape[1], -np.inf)
        for place, row in enumerate(rows):
            both, one = up[place] & down[place], up[place] ^ down[place]
            signed = np.where(down[place], -self.scales[row], self.scales[row])
            _raise(
                largest,
                draws,
                row,
                columns=np.flatnonzero(both),
                scales=self.scales[row],
                absolute=True,
            )
            _raise(largest, draws, row, columns=np.flatnonzero(one), scales=signed, absolute=False)
        return largest


def _scales(covariance: FloatArray) -> FloatArray:
    """Return one by the error of every difference, in units of the largest error, (n, n)."""
    scale = covariance.diagonal().max()
    variance = difference_variances(covariance / scale if scale > 0 else covariance)
    scales = np.zeros_like(variance)
    np.divide(1.0, np.sqrt(variance), out=scales, where=variance > 0)
    return scales


def _raise(
    largest: FloatArray,
    draws: FloatArray,
    row: int,
    *,
    columns: NDArray[np.integer],
    scales: FloatArray,
    absolute: bool,
) -> None:
    """Raise the maxima by the ratios of a row with some columns, in blocks."""
    step = max(1, _BLOCK // max(1, draws.shape[1]))
    for start in range(0, len(columns), step):
        block = columns[start : start + step]
        ratio = draws[block]
        ratio -= draws[row]
        ratio *= scales[block, None]
        if absolute:
            np.abs(ratio, out=ratio)
        np.maximum(largest, ratio.max(axis=0), out=largest)
