"""The results of shrinking the scores of an index, and of planning its next wave."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, float_array, read_only
from sotongindex._between import BetweenMethod
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons
from sotongindex._html import View
from sotongindex._render import Rendered, rows_view
from sotongindex._text import Language
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates

_SHOWN = 20


@attrs.frozen(kw_only=True, eq=False)
class ShrinkageResult(Rendered):
    """The scores of every organization, drawn toward a mean. Arrays are (o,).

    Attributes:
        result: The scores.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        by: The attribute whose groups have means of their own; None means one mean.
        method: How the between variance was estimated.
        score: The scores as observed.
        shrunken: The shrunken scores, their variance the mean squared error; NaN where left out.
        toward: What each score is drawn toward.
        reliability: The share of the score's variance that is true, 0 to 1.
        between_variance: The variance of true scores around their means.
        reasons: Why an organization is left out; "" where it is not.
        notices: What a reader should know.
    """

    result: IndexResult
    channel: str | None
    dimension: str | None
    by: str | None
    method: BetweenMethod
    score: Estimates
    shrunken: Estimates
    toward: FloatArray = attrs.field(converter=float_array)
    reliability: FloatArray = attrs.field(converter=float_array)
    between_variance: float
    reasons: Reasons = attrs.field(converter=read_only)
    notices: tuple[Notice, ...]

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None where left out."""
        count = len(self.result.organizations)
        return rows_from_columns(
            {
                "organization": self.result.organizations,
                "channel": [self.channel] * count,
                "dimension": [self.dimension] * count,
                "score": self.score.values,
                "standard_error": self.score.standard_error,
                "toward": self.toward,
                "reliability": self.reliability,
                "shrunken": self.shrunken.values,
                "shrunken_error": self.shrunken.standard_error,
                "shrunken_low": self.shrunken.low,
                "shrunken_high": self.shrunken.high,
                "reason": self.reasons,
            }
        )

    def _view(self, language: Language) -> View:
        rows = sorted(self.to_rows(), key=lambda row: -float(str(row["shrunken"] or -1)))
        return rows_view(
            "shrinkage",
            rows,
            study=self.result.study,
            notices=self.notices,
            language=language,
            level=self.result.method.level,
        )

    def __str__(self) -> str:
        used = self.reasons == ""
        target = "the overall mean" if self.by is None else f"the means by {self.by}"
        middle = f"{np.median(self.reliability[used]):.2f}" if used.any() else "not known"
        return _lines(
            f"{used.sum()} of {len(used)} organizations shrunken toward {target}: between variance "
            f"{self.between_variance:.4g}, median reliability {middle}",
            self.notices,
        )


@attrs.frozen(kw_only=True, eq=False)
class RespondentPlan(Rendered):
    """How many respondents the next wave needs. Arrays are (o,).

    Attributes:
        result: The scores that the plan rests on.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        wanted_reliability: The reliability wanted; None where a width is.
        wanted_width: The width of the interval wanted, in points; None where a reliability is.
        respondents: The respondents now.
        reliability: The reliability now, 0 to 1.
        width: The width of the interval now, in points.
        needed: The respondents needed; NaN where left out, inf where no number is enough.
        reasons: Why there is no number; "" where there is.
        notices: What a reader should know.
    """

    result: IndexResult
    channel: str | None
    dimension: str | None
    wanted_reliability: float | None
    wanted_width: float | None
    respondents: FloatArray = attrs.field(converter=float_array)
    reliability: FloatArray = attrs.field(converter=float_array)
    width: FloatArray = attrs.field(converter=float_array)
    needed: FloatArray = attrs.field(converter=float_array)
    reasons: Reasons = attrs.field(converter=read_only)
    notices: tuple[Notice, ...]

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None where there is no number."""
        return rows_from_columns(
            {
                "organization": self.result.organizations,
                "respondents": whole_numbers(self.respondents),
                "reliability": self.reliability,
                "width": self.width,
                "needed": whole_numbers(self.needed),
                "reason": self.reasons,
            }
        )

    def _view(self, language: Language) -> View:
        return rows_view(
            "respondent_plan",
            self.to_rows(),
            study=self.result.study,
            notices=self.notices,
            language=language,
            level=self.result.method.level,
        )

    def __str__(self) -> str:
        known = self.needed[np.isfinite(self.needed)]
        aim = (
            f"an interval {self.wanted_width:g} points wide"
            if self.wanted_reliability is None
            else f"a reliability of {self.wanted_reliability:g}"
        )
        middle = f"median {np.median(known):.0f} respondents" if len(known) else "not known"
        return _lines(f"for {aim} an organization needs: {middle}", self.notices)


def _lines(first: str, notices: tuple[Notice, ...]) -> str:
    return "\n".join([first, *(f"  note: {notice.message}" for notice in notices)])


def whole_numbers(numbers: FloatArray) -> list[int | None]:
    """Return whole numbers, None where missing or infinite."""
    return [int(one) if np.isfinite(one) else None for one in numbers]


def scattered(values: FloatArray, used: NDArray[np.bool_]) -> FloatArray:
    """Return values at the places that are used, NaN elsewhere."""
    whole = np.full(len(used), np.nan)
    whole[used] = values
    return whole
