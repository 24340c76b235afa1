"""The runs of an analysis: a design, and for Sobol indices another and all that mix the two."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._choices import Sampling
from sotongindex._halton import halton_points
from sotongindex._run_ranks import run_ranks
from sotongindex._scenarios import Noise, Scenarios

# A reliability of 0 would leave no order at all.
_LEAST_RELIABLE = 1e-10


@attrs.frozen(kw_only=True, eq=False)
class Runs:
    """The runs of one design. Arrays are (r, used).

    Attributes:
        scores: The index.
        compared: What organizations are ranked by.
        ranks: Their ranks.
    """

    scores: FloatArray
    compared: FloatArray
    ranks: FloatArray

    @classmethod
    def joined(cls, parts: Sequence[Runs]) -> Runs:
        """Put blocks of runs together."""
        names = [field.name for field in attrs.fields(cls)]
        return cls(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        )


def run_designs(
    scenarios: Scenarios,
    runs: int,
    *,
    used: NDArray[np.bool_],
    reliability: FloatArray | None,
    mixed: bool,
    rng: np.random.Generator,
) -> list[Runs]:
    """Return the runs of a design and, where `mixed`, of another one and of all that mix them.

    Args:
        scenarios: What is varied.
        runs: How many runs a design has.
        used: Which organizations are not left out, (o,).
        reliability: Of the index of those, (used,); None where scores are compared as they are.
        mixed: Whether to add the second design and, for every choice, the first one with the
            columns of that choice taken from the second.
        rng: The source of randomness.
    """
    points = halton_points(runs, 2 * scenarios.width, rng)
    blocks = []
    for start in range(0, runs, scenarios.at_once):
        block = points[start : start + scenarios.at_once]
        base, other = block[:, : scenarios.width], block[:, scenarios.width :]
        noise = scenarios.noise(len(block), rng)
        designs = [(base, noise)]
        if mixed:
            noise_of_other = scenarios.noise(len(block), rng)
            designs.append((other, noise_of_other))
            for choice, columns in zip(scenarios.choices, scenarios.columns, strict=True):
                swapped = base.copy()
                swapped[:, columns] = other[:, columns]
                sampled = isinstance(choice, Sampling)
                designs.append((swapped, noise_of_other if sampled else noise))
        blocks.append(
            [
                _run(scenarios, at, errors, used=used, reliability=reliability)
                for at, errors in designs
            ]
        )
    return [Runs.joined(parts) for parts in zip(*blocks, strict=True)]


def _run(
    scenarios: Scenarios,
    points: FloatArray,
    noise: Noise | None,
    *,
    used: NDArray[np.bool_],
    reliability: FloatArray | None,
) -> Runs:
    """Return the runs at points with sampling errors."""
    scores = scenarios.scores(points, noise)[:, used]
    compared = scores
    if reliability is not None:
        observed = scenarios.scores(points, None)[:, used]
        compared = _true_scores(observed, scores - observed, reliability)
    return Runs(scores=scores, compared=compared, ranks=run_ranks(compared))


def _true_scores(observed: FloatArray, errors: FloatArray, reliability: FloatArray) -> FloatArray:
    """Draw true scores: observed ones drawn toward their mean, with what is left of the errors.

    Under the normal prior a true score lies around the observed one, drawn toward the mean by its
    reliability R, and its error is smaller by the square root of R.
    """
    kept = np.maximum(reliability, _LEAST_RELIABLE)
    share = np.where(np.isnan(observed), 0.0, kept)
    total = share.sum(axis=1, keepdims=True)
    centre = (share * np.nan_to_num(observed)).sum(axis=1, keepdims=True) / np.where(
        total > 0, total, 1.0
    )
    drawn: FloatArray = centre + kept * (observed - centre) + np.sqrt(kept) * errors
    return drawn
