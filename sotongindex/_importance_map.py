"""The map of importance and performance."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons
from sotongindex._html import View
from sotongindex._plan_levers import LeverLevel, PlanLever
from sotongindex._render import Rendered, prefixed, rows_view
from sotongindex._text import Language
from sotongindex.models import PeerStatistic
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

Center: TypeAlias = Literal["scale", "data"] | float | PeerStatistic
Quadrant: TypeAlias = Literal["concentrate here", "keep up", "low priority", "possible overkill"]
QUADRANTS: tuple[Quadrant, ...] = get_args(Quadrant)


@attrs.frozen(kw_only=True, eq=False)
class ImportanceMap(Rendered):
    """The parts of the index by importance and performance. Arrays are (o, k).

    Attributes:
        result: The scores.
        level: What the parts are.
        center: Where the cross of performance stands.
        parts: The k parts.
        importance: The points that the index gains with one point of the part.
        performance: The scores of the parts.
        importance_center: The mean importance of an organization's parts.
        performance_center: Where performance counts as high.
        quadrant: "concentrate here" (important, low), "keep up" (important, high), "low priority"
            or "possible overkill" (unimportant, high); "" where not shown.
        probabilities: Of the true place of each part in these four quadrants, (o, k, 4).
        above_diagonal: The probability that a part is more important than it is well done, both in
            standard deviations of the organization's parts from the centers.
        reasons: Why a part is not shown; "" where it is.
    """

    result: IndexResult
    level: LeverLevel
    center: Center
    parts: tuple[PlanLever, ...]
    importance: FloatArray = attrs.field(converter=float_array)
    performance: Estimates
    importance_center: FloatArray = attrs.field(converter=float_array)
    performance_center: FloatArray = attrs.field(converter=float_array)
    quadrant: NDArray[np.str_] = attrs.field(converter=read_only)
    probabilities: FloatArray = attrs.field(converter=float_array)
    above_diagonal: FloatArray = attrs.field(converter=float_array)
    reasons: Reasons = attrs.field(converter=read_only)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization and part; None where not shown or not known."""
        count = len(self.parts)
        hidden = np.where(self.reasons == "", 0.0, np.nan).ravel()
        score = self.performance
        columns: dict[str, Any] = {
            "organization": np.repeat(self.result.organizations, count),
            "channel": [part.channel for part in self.parts] * len(self.reasons),
            "dimension": [part.dimension for part in self.parts] * len(self.reasons),
            "importance": self.importance.ravel() + hidden,
            "performance": score.values.ravel() + hidden,
            "performance_low": score.low.ravel() + hidden,
            "performance_high": score.high.ravel() + hidden,
            "importance_center": self.importance_center.ravel() + hidden,
            "performance_center": self.performance_center.ravel() + hidden,
            "quadrant": self.quadrant.ravel(),
        }
        for number, name in enumerate(QUADRANTS):
            key = f"probability_{name.replace(' ', '_')}"
            columns[key] = self.probabilities[..., number].ravel() + hidden
        columns["probability_above_diagonal"] = self.above_diagonal.ravel() + hidden
        columns["reason"] = self.reasons.ravel()
        return rows_from_columns(columns)

    def _view(self, language: Language) -> View:
        rows = [
            {**row, "probability": row.get(f"probability_{str(row['quadrant']).replace(' ', '_')}")}
            for row in self.to_rows()
        ]
        return rows_view(
            "importance_performance",
            rows,
            language=language,
            study=self.result.study,
            names={"quadrant": prefixed("quadrant", language)},
            level=self.result.method.level,
        )

    def __str__(self) -> str:
        names, counts = np.unique(self.quadrant[self.quadrant != ""], return_counts=True)
        told = ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True))
        return f"{len(self.parts)} {self.level} of {len(self.reasons)} organizations: {told}"
