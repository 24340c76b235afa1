"""Importance weights as arrays, and what was found where they were learned from scores."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from sotongindex._arrays import FloatArray
from sotongindex._dispersion_weights import (
    CriticDiagnostics,
    DeviationDiagnostics,
    EntropyDiagnostics,
)
from sotongindex._factor_weights import FactorDiagnostics
from sotongindex._outcome_weights import OutcomeDiagnostics

WeightLevel: TypeAlias = Literal["items", "dimensions", "channels"]
Diagnostics: TypeAlias = (
    EntropyDiagnostics
    | CriticDiagnostics
    | DeviationDiagnostics
    | FactorDiagnostics
    | OutcomeDiagnostics
)


@attrs.frozen(kw_only=True, eq=False)
class LearnedWeights:
    """Weights that a rule learned from scores.

    Attributes:
        level: What the weights are for: "items", "dimensions" or "channels".
        channel: The channel, where dimensions have rules of their own in every channel.
        dimension: The dimension of the items.
        keys: The keys of the parts, (k,).
        diagnostics: Their weights, and what these were made of.
        standard_error: The sampling errors of the weights, (k,), where they were learned from a
            tally's moments; None where they were learned from scores.
    """

    level: WeightLevel
    channel: str | None = None
    dimension: str | None = None
    keys: tuple[str, ...]
    diagnostics: Diagnostics
    standard_error: FloatArray | None = None

    @property
    def where(self) -> str:
        """What the weights are for, as one text such as ``items/openness``."""
        return "/".join(filter(None, (self.level, self.channel, self.dimension)))

    def __str__(self) -> str:
        weights = self.diagnostics.weights.tolist()
        listed = ", ".join(
            f"{key} {weight:.3f}" for key, weight in zip(self.keys, weights, strict=True)
        )
        return f"{self.where}: {listed}"


@attrs.frozen(kw_only=True, eq=False)
class ImportanceWeights:
    """The weights of a scheme as arrays.

    Attributes:
        channels: Share of every channel, (c,), sums to 1.
        dimensions: Share of every dimension in a channel, (c, d), rows sum to 1; 0 where no item
            of the dimension is asked of the channel.
        items: Share of every item in its dimension and channel, (c, i), sums to 1 per dimension.
        learned: What was learned from scores, with its diagnostics; none where every rule is
            given.
    """

    channels: FloatArray
    dimensions: FloatArray
    items: FloatArray
    learned: tuple[LearnedWeights, ...] = ()
