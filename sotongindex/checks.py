"""Findings: what a check of answers has to say, as values."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["CheckReport", "Code", "Finding", "Severity"]

Severity: TypeAlias = Literal["error", "warning", "note"]
Code: TypeAlias = Literal[
    # the file
    "empty_frame",
    "missing_column",
    "channel_needed",
    "channel_not_read",
    "null_role",
    "unknown_organization",
    "unknown_channel",
    "unknown_item",
    "not_operated",
    "duplicate_evaluation",
    "differs_within_evaluation",
    # weights and design
    "missing_weight",
    "non_positive_weight",
    "infinite_weight",
    "stratum_differs",
    "cluster_differs",
    "missing_population",
    "non_positive_population",
    "population_differs",
    "population_exceeded",
    # dates
    "epoch_date",
    "unreadable_date",
    # answers
    "text_in_number",
    "number_as_text",
    "out_of_range",
    "not_asked",
    "missing_code",
    "fractional_answer",
    "empty_channel",
    "empty_item",
    "sparse_item",
    "constant_item",
    "suspect_scale",
    "evaluation_without_answer",
    "row_without_answer",
    "organization_without_answers",
    "few_respondents",
]

_FEW = 5
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


def told(number: int, noun: str) -> str:
    """Return a number with its noun: "1 row", "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def few(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return the first few values, as plain Python values."""
    first = [value for _, value in zip(range(_FEW), values, strict=False)]
    return tuple(value.item() if hasattr(value, "item") else value for value in first)


@attrs.frozen(kw_only=True)
class Finding:
    """One thing that a check found.

    Attributes:
        code: What kind of thing, one word of `Code`.
        severity: ``"error"``: the answers cannot be used so; ``"warning"``: they can, but look;
            ``"note"``: what was done with them.
        message: The finding in words, with the next step.
        column: The column it is about.
        item: The key of the item it is about.
        channel: The key of the channel it is about.
        count: How many rows, answers, organizations or whatever the message counts.
        rows: The positions of the first few rows in the frame, from 0.
        values: The first few values or keys at fault; never a respondent's key.
        expected: What was expected instead.
        nearest: The nearest name or key that would have fitted.
    """

    code: Code
    severity: Severity
    message: str
    column: str | None = None
    item: str | None = None
    channel: str | None = None
    count: int = 0
    rows: tuple[int, ...] = attrs.field(default=(), converter=few)
    values: tuple[str | float, ...] = attrs.field(default=(), converter=few)
    expected: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        place = "/".join(part for part in (self.column or self.item, self.channel) if part)
        parts = [self.message]
        if self.rows:
            more = ", ..." if self.count > len(self.rows) else ""
            rows = "row" if len(self.rows) == 1 else "rows"
            parts.append(f"at {rows} {', '.join(map(str, self.rows))}{more}")
        if self.nearest is not None:
            parts.append(f"did you mean {self.nearest!r}?")
        return f"{self.severity}: {place + ': ' if place else ''}{'; '.join(parts)}"


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put errors first, then warnings, each in the order they came."""
    return tuple(sorted(findings, key=lambda finding: _SEVERITIES.index(finding.severity)))


def count_in(mask: NDArray[np.bool_], times: NDArray[np.integer[Any]] | None) -> int:
    """Count the rows where `mask` holds, each as often as it stands for."""
    return int(np.count_nonzero(mask) if times is None else times[mask].sum())


class _Details(TypedDict, total=False):
    column: str | None
    item: str | None
    channel: str | None
    values: Iterable[Any]
    expected: str | None
    nearest: str | None


def finding_in(
    mask: NDArray[np.bool_],
    what: str,
    *,
    code: Code,
    severity: Severity,
    advice: str | None = None,
    times: NDArray[np.integer[Any]] | None = None,
    **details: Unpack[_Details],
) -> Finding:
    """Make a finding of the rows where `mask` holds, and say `what` it is and how many they are.

    Where every row stands for several, `times`, only their number is known.
    """
    count = count_in(mask, times)
    return Finding(
        code=code,
        severity=severity,
        message=f"{what} ({told(count, 'row')})" + (f"; {advice}" if advice else ""),
        count=count,
        rows=np.flatnonzero(mask) if times is None else (),
        **details,
    )


@attrs.frozen(kw_only=True)
class CheckReport:
    """What a check of answers found, and how much there is.

    Attributes:
        findings: Every finding, errors first.
        rows: The rows of the frame.
        evaluations: Ratings of an organization on a channel by a respondent.
        respondents: The different respondents.
        organizations: The organizations of the study that were rated.
        answers: The answers given, without missing codes.
    """

    findings: tuple[Finding, ...] = ()
    rows: int = 0
    evaluations: int = 0
    respondents: int = 0
    organizations: int = 0
    answers: int = 0

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid using the answers."""
        return self._of("error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that call for a look."""
        return self._of("warning")

    @property
    def notes(self) -> tuple[Finding, ...]:
        """The findings that only tell what was done."""
        return self._of("note")

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    def _of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one plain record per finding."""
        return [
            attrs.asdict(finding, value_serializer=lambda _, __, value: value)
            for finding in self.findings
        ]

    def _repr_html_(self) -> str:
        """Show the report in a notebook; its values are clients' text."""
        return f"<pre>{html.escape(str(self))}</pre>"

    def __str__(self) -> str:
        found = ", ".join(
            told(len(group), severity) for severity in _SEVERITIES if (group := self._of(severity))
        )
        head = (
            f"{told(self.rows, 'row')}: {told(self.evaluations, 'evaluation')} of "
            f"{told(self.organizations, 'organization')} by "
            f"{told(self.respondents, 'respondent')}, {told(self.answers, 'answer')}; "
            f"{found or 'nothing to report'}"
        )
        return "\n".join([head, *map(str, self.findings)])
