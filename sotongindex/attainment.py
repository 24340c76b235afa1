"""The result of measuring scores against targets: gaps, attainment, and levers in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, read_only
from sotongindex._columns import columns_from_rows, rows_from_columns
from sotongindex._disclosure import DisclosureRules, Reasons
from sotongindex._frames import Backend, frame_from_columns
from sotongindex._html import View
from sotongindex._render import (
    Rendered,
    notice_words,
    show,
    study_facts,
    study_names,
    target_words,
)
from sotongindex._score_columns import with_error
from sotongindex._text import Language, say
from sotongindex.models import GapClosure, GradeCut, PeerStatistic, RoleModel, Target
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates

__all__ = ["Attainment", "GapResult", "GapTable", "Lever", "TargetGap"]

GapTable: TypeAlias = Literal["gaps", "priorities"]


@attrs.frozen(kw_only=True, eq=False)
class Attainment:
    """How much of the way to a target is done, (k,).

    Attributes:
        share: Shares: 0 at the start, 1 at the target, more beyond it, less than 0 behind the
            start; NaN where not shown.
        reasons: Why a share is not shown.
    """

    share: Estimates
    reasons: Reasons = attrs.field(converter=read_only)


@attrs.frozen(kw_only=True, eq=False)
class TargetGap:
    """One target and the k organizations it is for. Arrays are (k,).

    Attributes:
        target: The target.
        organizations: The keys of the organizations.
        score: Their scores.
        aim: The score that the target asks of each.
        start: Where the way to the target began; NaN where there is no baseline.
        gap: The aim minus the score, in points; negative is a surplus.
        ratio: Score by aim.
        progress: Attainment since the baseline.
        range: Attainment from the lowest peer.
        reasons: Why a gap is not shown, "" where it is.
    """

    target: Target
    organizations: tuple[str, ...]
    score: Estimates
    aim: Estimates
    start: Estimates
    gap: Estimates
    ratio: Attainment
    progress: Attainment
    range: Attainment
    reasons: Reasons = attrs.field(converter=read_only)

    @property
    def probability_met(self) -> FloatArray:
        """The probability that the true score is at the true target or above it, (k,)."""
        # Without error there is nothing to weigh: at the target, within a tie, is met.
        certain = (self.gap.variance == 0) & (self.gap.values <= TIE_WIDTH)
        return np.where(certain, 1.0, 1.0 - self.gap.probability_at_least(0.0))

    def of(self, organization: str) -> TargetGap:
        """Return the gap of one of the organizations.

        Raises:
            ValueError: If the target is not for it.
        """
        row = [self.organizations.index(organization)]
        forms = {name: getattr(self, name) for name in ("ratio", "progress", "range")}
        return TargetGap(
            target=attrs.evolve(self.target, organization=organization),
            organizations=(organization,),
            score=self.score.select(row),
            aim=self.aim.select(row),
            start=self.start.select(row),
            gap=self.gap.select(row),
            reasons=self.reasons[row],
            **{
                name: Attainment(share=form.share.select(row), reasons=form.reasons[row])
                for name, form in forms.items()
            },
        )

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None where not shown."""
        return rows_from_columns(
            {
                **named_columns(self),
                **with_error("score", self.score),
                **with_error("aim", self.aim),
                **with_error("gap", self.gap),
                "to_close": np.maximum(self.gap.values, 0.0),
                "surplus": np.maximum(-self.gap.values, 0.0),
                "probability_met": self.probability_met,
                **with_error("ratio", self.ratio.share),
                **with_error("progress", self.progress.share),
                **with_error("range", self.range.share),
                "reason": self.reasons,
                "ratio_reason": self.ratio.reasons,
                "progress_reason": self.progress.reasons,
                "range_reason": self.range.reasons,
            }
        )


@attrs.frozen(kw_only=True, eq=False)
class Lever:
    """One channel, dimension or item brought to its target.

    Attributes:
        rule: The target that asks for it; a target of the index asks for each part.
        gap: The gap of the channel, dimension or item.
        regained: The points the index would gain, (k,); 0 where there is no gap to close.
    """

    rule: Target
    gap: TargetGap
    regained: Estimates

    @property
    def level(self) -> str:
        """What is brought to its target: "channel", "dimension", "cell" (both) or "item"."""
        target = self.gap.target
        if target.item is not None:
            return "item"
        if target.channel is None:
            return "dimension"
        return "channel" if target.dimension is None else "cell"

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None where not shown."""
        gap = self.gap
        return rows_from_columns(
            {
                **named_columns(gap),
                "level": [self.level] * len(gap.organizations),
                **with_error("gap", gap.gap),
                **with_error("regained", self.regained),
                "reason": gap.reasons,
            }
        )


@attrs.frozen(kw_only=True, eq=False)
class GapResult(Rendered):
    """Scores against targets, and what to improve first.

    Attributes:
        result: The scores.
        gaps: The gaps, target after target.
        levers: Channels and dimensions brought to their targets.
        rules: What was allowed to be shown.
        notices: What a reader should know.
    """

    result: IndexResult
    gaps: tuple[TargetGap, ...]
    levers: tuple[Lever, ...]
    rules: DisclosureRules
    notices: tuple[Notice, ...]

    def priorities(self, organization: str | None = None) -> list[dict[str, object]]:
        """Return the levers in order: what to improve first.

        Channels and dimensions are two views of one index, so each level has an order of its own.
        The levers of a target of the index are ordered among themselves; so are all targets of
        channels and dimensions together.

        Args:
            organization: The organization wanted; None means all, in the order of the study.

        Returns:
            Rows; `order` 1 regains most, None where nothing is to be regained or it is not known.
        """
        groups: dict[tuple[object, ...], list[dict[str, object]]] = {}
        for lever in self.levers:
            expanded = lever.rule.channel is None and lever.rule.dimension is None
            group = describe(lever.rule) if expanded else None
            for row in lever.to_rows():
                if organization in (None, row["organization"]):
                    key = (row["organization"], group, row["due"], row["level"])
                    groups.setdefault(key, []).append(row)
        place = {key: position for position, key in enumerate(self.result.organizations)}
        ordered = sorted(groups.items(), key=lambda group: place[str(group[0][0])])
        return [row for _, rows in ordered for row in _ordered(rows)]

    def to_rows(self, table: GapTable = "gaps") -> list[dict[str, object]]:
        """Return the gaps, or the priorities, as rows; None where not shown."""
        if table == "priorities":
            return self.priorities()
        return [row for gap in self.gaps for row in gap.to_rows()]

    def to_frame(
        self, backend: Backend = "pandas", *, table: GapTable = "gaps"
    ) -> Any:  # any backend's frame
        """Return the rows as a dataframe of "pandas", "polars" or "pyarrow".

        Raises:
            MethodError: If the backend is unknown or not installed.
        """
        return frame_from_columns(columns_from_rows(self.to_rows(table)), backend)

    def _view(self, language: Language) -> View:
        """Return the gaps, the largest of each target first."""
        study = self.result.study
        rows = []
        for gap in self.gaps:
            rows += sorted(
                gap.to_rows(), key=lambda row: (row["gap"] is None, -_number(row["gap"]))
            )
        words = target_names(self.gaps, language)
        targets = ", ".join(words.values())
        names = study_names(study, language)["organization"]
        return View(
            title=say("title.gaps", language),
            facts=[*study_facts(study, language), (say("fact.targets", language), targets)],
            table=show(
                "gaps",
                rows,
                language=language,
                study=study,
                names={"target": words},
                level=self.result.method.level,
            ),
            notices=notice_words(self.notices, language, names),
        )

    def __str__(self) -> str:
        lines = [f"{len(self.gaps)} targets"]
        for gap in self.gaps:
            known = gap.reasons == ""
            met = int((gap.gap.values[known] <= TIE_WIDTH).sum())
            told = f"{met} of {int(known.sum())} meet it"
            lines.append(f"  {part_of(gap.target)} to {describe(gap.target)}: {told}")
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])


def target_names(gaps: Iterable[TargetGap], language: Language) -> dict[str, str]:
    """Return for the descriptions of targets what they ask for, in words."""
    return {describe(gap.target): target_words(gap.target, language) for gap in gaps}


def part_of(target: Target) -> str:
    """Return the keys of what a target is about.

    >>> part_of(Target(score=70, channel="blog", dimension="openness"))
    'blog/openness'
    """
    return "/".join(filter(None, (target.channel, target.dimension, target.item))) or "index"


def describe(target: Target) -> str:
    """Return in a few words what a target asks for.

    >>> describe(Target(score=70))
    '70'
    """
    return _described(target.score)


def _described(rule: object) -> str:
    if isinstance(rule, PeerStatistic):
        return f"{rule.statistic} of {rule.peers.key}"
    if isinstance(rule, GradeCut):
        return f"grade {rule.grade} of {rule.scale.key}"
    if isinstance(rule, RoleModel):
        return f"score of {rule.organization}"
    if isinstance(rule, GapClosure):
        return f"{rule.rate:g} a year of the way to {_described(rule.benchmark)}"
    return f"{rule:g}"


def named_columns(gap: TargetGap) -> dict[str, Any]:
    """Return the columns that say whose score a row is about, and which target."""
    target, count = gap.target, len(gap.organizations)
    due = None if target.due is None else target.due.isoformat()
    return {
        "organization": gap.organizations,
        "channel": [target.channel] * count,
        "dimension": [target.dimension] * count,
        "item": [target.item] * count,
        "target": [describe(target)] * count,
        "due": [due] * count,
    }


def _ordered(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return rows by what they regain, most first, each with its `order`."""
    gains = [row["regained"] for row in rows]
    places = sorted(range(len(rows)), key=lambda place: -_number(gains[place]))
    return [
        {**rows[place], "order": order if _number(gains[place]) > 0 else None}
        for order, place in enumerate(places, 1)
    ]


def _number(value: object) -> float:
    return value if isinstance(value, float) else 0.0
