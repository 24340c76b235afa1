"""The result of giving grades."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons
from sotongindex._html import View
from sotongindex._render import Rendered, prefixed, rows_view
from sotongindex._text import Language
from sotongindex.results import IndexResult, Notice

BandKind: TypeAlias = Literal["absolute", "forced", "percentile"]


@attrs.frozen(kw_only=True, eq=False)
class MovedBands:
    """What moved percentile bands. Arrays are (o,).

    Attributes:
        base: The grade of the percentile alone; None where there is none.
        difference: The score minus the mean of the others in the group.
        p: Its two-sided p-value.
        adjusted_p: The same, adjusted for the number of tests.
        reliability: The reliability of the score, 0 to 1.
    """

    base: NDArray[np.object_] = attrs.field(converter=read_only)
    difference: FloatArray = attrs.field(converter=float_array)
    p: FloatArray = attrs.field(converter=float_array)
    adjusted_p: FloatArray = attrs.field(converter=float_array)
    reliability: FloatArray = attrs.field(converter=float_array)


@attrs.frozen(kw_only=True, eq=False)
class BandResult(Rendered):
    """Grades, with the probability of every grade. Arrays are (o,) unless said.

    Attributes:
        result: The scores.
        channel: The channel that was graded; None means all together.
        dimension: The dimension; None means all together.
        kind: "absolute", "forced" or "percentile".
        scale: The scale's key, the shares, or the percentiles.
        grades: The grades, best first; None stands for below the lowest.
        groups: The group each was graded in; "" where there is none.
        score: The scores; NaN where not shown.
        standard_error: Their standard errors.
        low: Lower ends of their intervals.
        high: Upper ends.
        level: The level of the intervals, a share.
        grade: The grades given; None where there is none.
        probability: The probability that the true score has each grade, (o, grades); NaN where not
            known or not shown.
        reasons: Why there is no grade, "" where there is one: a `Reason`, "error not known" or "low
            reliability".
        moved: For percentile bands what moved them.
        notices: What a reader should know.
    """

    result: IndexResult
    channel: str | None
    dimension: str | None
    kind: BandKind
    scale: str
    grades: tuple[str | None, ...]
    groups: tuple[str, ...]
    score: FloatArray = attrs.field(converter=float_array)
    standard_error: FloatArray = attrs.field(converter=float_array)
    low: FloatArray = attrs.field(converter=float_array)
    high: FloatArray = attrs.field(converter=float_array)
    level: float
    grade: NDArray[np.object_] = attrs.field(converter=read_only)
    probability: FloatArray = attrs.field(converter=float_array)
    reasons: Reasons = attrs.field(converter=read_only)
    moved: MovedBands | None
    notices: tuple[Notice, ...]

    @property
    def probability_right(self) -> FloatArray:
        """The probability that the grade given is the true one, (o,)."""
        own = self.grade[:, None] == np.array(self.grades, dtype=object)
        found = np.where(own, self.probability, 0.0).sum(axis=1)
        return np.where(own.any(axis=1), found, np.nan)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None where not shown or not known.

        The probability of grade G is in the column "P(G)", that of no grade in "P()".
        """
        columns: dict[str, Iterable[object]] = {
            "organization": self.result.organizations,
            "group": self.groups,
            "channel": [self.channel] * len(self.groups),
            "dimension": [self.dimension] * len(self.groups),
            "score": self.score,
            "standard_error": self.standard_error,
            "low": self.low,
            "high": self.high,
            "grade": self.grade,
            "probability_right": self.probability_right,
        }
        for name, chance in zip(self.grades, self.probability.T, strict=True):
            columns[f"P({name or ''})"] = chance
        if self.moved is not None:
            columns["base_grade"] = self.moved.base
            for name in ("difference", "p", "adjusted_p", "reliability"):
                columns[name] = getattr(self.moved, name)
        columns["reason"] = self.reasons
        return rows_from_columns(columns)

    def _view(self, language: Language) -> View:
        """Return the grades, the highest score first."""
        rows = sorted(
            self.to_rows(),
            key=lambda row: -float(str(-1 if row["score"] is None else row["score"])),
        )
        return rows_view(
            "bands",
            rows,
            study=self.result.study,
            language=language,
            level=self.level,
            notices=self.notices,
            names={"group": prefixed("against", language)},
        )

    def __str__(self) -> str:
        counts = ", ".join(
            f"{int((self.grade == name).sum())} {name}" for name in self.grades if name is not None
        )
        none = int(sum(grade is None for grade in self.grade))
        right = self.probability_right
        lines = [f"grades ({self.kind}, {self.scale}): {counts}; {none} without"]
        if not np.isnan(right).all():
            lines.append(f"  right on average with probability {np.nanmean(right):.2f}")
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])
