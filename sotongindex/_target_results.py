"""The results of judging targets, and of checking a set of targets against itself."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._html import View
from sotongindex._render import Rendered, prefixed, rows_view
from sotongindex._text import Language
from sotongindex.attainment import TargetGap, describe, named_columns, part_of, target_names
from sotongindex.errors import DefinitionError
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

Status: TypeAlias = Literal["met", "on track", "uncertain", "missed"]
Verdict: TypeAlias = Literal["enough", "open", "conflict"]


@attrs.frozen(kw_only=True)
class StatusRules:
    """From which probability on a target has a status.

    Attributes:
        met: That the true score is at the target or above: "met" from here on.
        on_track: Before the day due, that it is on the path from the baseline: "on track" from here
            on.
        missed: "missed" where neither is likelier than this: the target, or before the day due the
            path.

    Raises:
        DefinitionError: If they are not probabilities with `missed` below the others.
    """

    met: float = 0.9
    on_track: float = 0.5
    missed: float = 0.1

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.missed < min(self.met, self.on_track) <= max(self.met, self.on_track) <= 1:
            raise DefinitionError(
                "expected probabilities with missed below met and on_track, got met "
                f"{self.met}, on_track {self.on_track}, missed {self.missed}",
                field="StatusRules.missed",
                key=self.missed,
            )


@attrs.frozen(kw_only=True, eq=False)
class TargetStatus:
    """One target and the status of the k organizations it is for. Arrays are (k,).

    Attributes:
        gap: The target, with scores, aims and gaps.
        interim: What the path from the baseline asks on the day; NaN where there is no path.
        probability_on_path: The probability that the true score is on the path or above it.
        status: The status; "" where it is not known.
    """

    gap: TargetGap
    interim: Estimates
    probability_on_path: FloatArray = attrs.field(converter=float_array)
    status: NDArray[np.str_] = attrs.field(converter=read_only)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None where not shown or not known."""
        gap = self.gap
        reason = np.where(
            (gap.reasons == "") & np.isnan(gap.probability_met), "error not known", gap.reasons
        )
        return rows_from_columns(
            {
                **named_columns(gap),
                "score": gap.score.values,
                "score_low": gap.score.low,
                "score_high": gap.score.high,
                "aim": gap.aim.values,
                "interim": self.interim.values,
                "interim_standard_error": self.interim.standard_error,
                "probability_met": gap.probability_met,
                "probability_on_path": self.probability_on_path,
                "status": self.status,
                "reason": reason,
            }
        )


@attrs.frozen(kw_only=True, eq=False)
class StatusResult(Rendered):
    """How targets stand, told by probability.

    Attributes:
        result: The scores.
        statuses: The status under every target.
        day: The day they are judged on; None where no path counts.
        rules: The probabilities that make a status.
    """

    result: IndexResult
    statuses: tuple[TargetStatus, ...]
    day: date | None
    rules: StatusRules

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every target and organization; None where not shown or not known."""
        return [row for one in self.statuses for row in one.to_rows()]

    def _view(self, language: Language) -> View:
        return rows_view(
            "status",
            self.to_rows(),
            language=language,
            study=self.result.study,
            names={
                "target": target_names((one.gap for one in self.statuses), language),
                "status": prefixed("status", language),
            },
            level=self.result.method.level,
        )

    def __str__(self) -> str:
        lines = [f"{len(self.statuses)} targets" + (f" on {self.day}" if self.day else "")]
        for one in self.statuses:
            names, counts = np.unique(one.status[one.status != ""], return_counts=True)
            told = ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True))
            lines.append(
                f"  {part_of(one.gap.target)} to {describe(one.gap.target)}: {told or 'not known'}"
            )
        return "\n".join(lines)


@attrs.frozen(kw_only=True, eq=False)
class TargetCheck:
    """One target beside the targets of its parts, for k organizations. Arrays are (k,).

    Attributes:
        gap: The target of the whole.
        parts: How many targets of parts count.
        required: The points that its parts have to gain on average.
        shortfall: The aim minus what the score would be once every part is at its target; negative
            where the parts ask for more than the whole does.
        reachable: What the score would be if the parts without a target rose to their caps too.
        verdict: "enough" where the targets of the parts bring the whole to its target, "open" where
            parts without a target have to help, "conflict" where even these do not suffice; ""
            where the gap is not shown.
    """

    gap: TargetGap
    parts: int
    required: FloatArray = attrs.field(converter=float_array)
    shortfall: Estimates
    reachable: FloatArray = attrs.field(converter=float_array)
    verdict: NDArray[np.str_] = attrs.field(converter=read_only)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None where not shown."""
        gap = self.gap
        return rows_from_columns(
            {
                **named_columns(gap),
                "score": gap.score.values,
                "aim": gap.aim.values,
                "parts": [self.parts] * len(gap.organizations),
                "required": self.required,
                "shortfall": self.shortfall.values,
                "shortfall_standard_error": self.shortfall.standard_error,
                "shortfall_low": self.shortfall.low,
                "shortfall_high": self.shortfall.high,
                "reachable": self.reachable,
                "unreachable": np.maximum(gap.aim.values - self.reachable, 0.0),
                "verdict": self.verdict,
                "reason": gap.reasons,
            }
        )


@attrs.frozen(kw_only=True, eq=False)
class CheckResult(Rendered):
    """Whether targets of the whole and of its parts can all be kept.

    Attributes:
        result: The scores.
        checks: One check for every target of an index, a channel or a dimension.
    """

    result: IndexResult
    checks: tuple[TargetCheck, ...]

    def conflicts(self) -> list[dict[str, object]]:
        """Return the rows of targets that cannot be reached as they stand."""
        return [row for row in self.to_rows() if row["verdict"] == "conflict"]

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every target of a whole and organization; None where not shown."""
        return [row for one in self.checks for row in one.to_rows()]

    def _view(self, language: Language) -> View:
        return rows_view(
            "target_check",
            self.to_rows(),
            language=language,
            study=self.result.study,
            names={
                "target": target_names((one.gap for one in self.checks), language),
                "verdict": prefixed("verdict.parts", language),
            },
            level=self.result.method.level,
        )

    def __str__(self) -> str:
        lines = [f"{len(self.checks)} targets of a whole"]
        for one in self.checks:
            clash = np.flatnonzero(one.verdict == "conflict")
            named = ", ".join(
                f"{one.gap.organizations[at]} lacks "
                f"{one.gap.aim.values[at] - one.reachable[at]:.1f}"
                for at in clash[:5]
            ) + (", ..." if len(clash) > 5 else "")
            told = f"{len(clash)} in conflict ({named})" if len(clash) else "no conflict"
            lines.append(f"  {part_of(one.gap.target)} to {describe(one.gap.target)}: {told}")
        return "\n".join(lines)
