"""The result of putting wave against wave: changes, what may be claimed of them, and peers."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._claims import Adjustment, Verdict
from sotongindex._columns import rows_from_columns
from sotongindex._difference_result import claim_facts
from sotongindex._disclosure import DisclosureRules, Reasons
from sotongindex._html import View
from sotongindex._render import Rendered, peers_words, prefixed, rows_view, study_names
from sotongindex._text import Language, say
from sotongindex._waves import Respondents
from sotongindex.errors import MethodError
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates

Middle: TypeAlias = Literal["mean", "median"]
Membership: TypeAlias = Literal["same organizations", "current"]


@attrs.frozen(kw_only=True, eq=False)
class Judgement:
    """What may be claimed of changes. Arrays are (o,).

    Attributes:
        p: Two-sided p-values of the hypothesis that the true change is within `relevant`.
        adjusted_p: The same, adjusted within the family.
        verdict: "better", "about the same", "worse", "not known"; "" where not shown.
        reasons: Why a change is not shown, "" where it is.
    """

    p: FloatArray = attrs.field(converter=float_array)
    adjusted_p: FloatArray = attrs.field(converter=float_array)
    verdict: NDArray[np.str_] = attrs.field(converter=read_only)
    reasons: Reasons = attrs.field(converter=read_only)


@attrs.frozen(kw_only=True, eq=False)
class RelativeChange:
    """Changes beside those of the peers. Arrays are (o,).

    Attributes:
        peers: The change of the peers' mean or median, in points; NaN where not shown.
        others: How many peers each has, itself never counted.
        change: The own change minus that of the peers, with its error.
        judgement: What may be claimed.
    """

    peers: FloatArray = attrs.field(converter=float_array)
    others: IntArray = attrs.field(converter=read_only)
    change: Estimates
    judgement: Judgement


@attrs.frozen(kw_only=True, eq=False)
class ScoreChange:
    """The change of one score of every organization. Arrays are (o,).

    Attributes:
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        item: The item, if it is one.
        before: The scores of the earlier wave; NaN where missing.
        after: The scores of the later wave.
        change: The later minus the earlier, with its error; NaN where not shown.
        judgement: What may be claimed.
        relative: The same beside the peers, if peers were asked for.
    """

    channel: str | None
    dimension: str | None
    item: str | None
    before: Estimates
    after: Estimates
    change: Estimates
    judgement: Judgement
    relative: RelativeChange | None = None


@attrs.frozen(kw_only=True, eq=False)
class ChangeResult(Rendered):
    """Wave against wave: for every score a `ScoreChange`, and what may be claimed.

    Attributes:
        before: The earlier wave.
        after: The later wave.
        organizations: The keys of those of the later wave, then of those of the earlier alone, (o).
        changes: The changes: index, channels, dimensions, cells, items, those asked for.
        peers: The key of the peer group; None without one.
        statistic: The figure of the peers.
        membership: "same organizations": peers that were in both waves; "current": those of each
            wave.
        respondents: "matched": the same keys are the same people; "different": they are not.
        adjustment: How p-values were adjusted.
        family: Whose p-values were adjusted together.
        false_claims: What is claimed has an adjusted p-value of at most this.
        relevant: The smallest change worth a claim, in points.
        rules: What was allowed to be shown.
        notices: What a reader should know.
    """

    before: IndexResult
    after: IndexResult
    organizations: tuple[str, ...]
    changes: tuple[ScoreChange, ...]
    peers: str | None
    statistic: Middle
    membership: Membership
    respondents: Respondents
    adjustment: Adjustment
    family: str
    false_claims: float
    relevant: float
    rules: DisclosureRules
    notices: tuple[Notice, ...]

    def score(
        self,
        *,
        channel: str | None = None,
        dimension: str | None = None,
        item: str | None = None,
    ) -> ScoreChange:
        """Return the change of one score.

        Args:
            channel: The channel; None means all together.
            dimension: The dimension; None means all together. An item needs none.
            item: The item.

        Returns:
            The change of every organization.

        Raises:
            MethodError: If it was not compared.
        """
        for change in self.changes:
            about = (change.channel, change.item or change.dimension)
            if about == (channel, item or dimension) and bool(item) == bool(change.item):
                return change
        told = f"channel {channel!r}, dimension {dimension!r} and item {item!r}"
        raise MethodError(
            f"no change of {told}; ask compare_waves for its level in levels=, and spell the keys "
            "as the framework does",
            argument="score",
        )

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization and score; None where not shown or not known."""
        tables = [_columns(change, self.organizations) for change in self.changes]
        return rows_from_columns(
            {name: [value for table in tables for value in table[name]] for name in tables[0]}
        )

    def _facts(self, language: Language) -> list[tuple[str, str]]:
        """Return the waves, how the respondents count, and how claims are made."""
        names = [wave.study.wave or say("wave.unnamed", language) for wave in self._waves]
        facts = [
            (
                say("fact.waves", language),
                say("fact.waves.pair", language, before=names[0], after=names[1]),
            ),
            (say("fact.same_people", language), say(f"respondents.{self.respondents}", language)),
            *claim_facts(
                self.adjustment, self.false_claims, relevant=self.relevant, language=language
            ),
        ]
        if self.peers:
            told = say(
                f"fact.peers_change.{self.membership}",
                language,
                statistic=say(f"statistic.{self.statistic}", language),
                peers=peers_words(self.peers, language),
            )
            facts.append((say("fact.peers", language), told))
        return facts

    @property
    def _waves(self) -> tuple[IndexResult, IndexResult]:
        return self.before, self.after

    def _view(self, language: Language) -> View:
        """Return the changes, the clearest first."""
        rows = sorted(self.to_rows(), key=lambda row: (row["p"] is None, row["p"] or 0.0))
        early, late = (study_names(wave.study, language) for wave in self._waves)
        for row in rows:
            parts = ("item" if row["item"] else "dimension", "channel")
            told = [late[part][str(row[part])] for part in parts if row[part]]
            row["about"] = " · ".join(told) or None
        verdict = prefixed("change_verdict", language)
        return rows_view(
            "changes" if self.peers is None else "relative_changes",
            rows,
            study=self.after.study,
            language=language,
            level=self.after.method.level,
            facts=self._facts(language),
            notices=self.notices,
            names={
                "organization": {**early["organization"], **late["organization"]},
                "verdict": verdict,
                "relative_verdict": verdict,
            },
        )

    def __str__(self) -> str:
        facts = self._facts("en")
        told = [f"{name}: {text}" for name, text in facts]
        verdict = np.concatenate([change.judgement.verdict for change in self.changes])
        counts = [f"{int((verdict == one).sum())} {one}" for one in get_args(Verdict)]
        counts += [f"{int((verdict == '').sum())} not shown"]
        lines = [f"{len(verdict)} changes: {', '.join(counts)}", *(f"  {line}" for line in told)]
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])


def _columns(change: ScoreChange, organizations: tuple[str, ...]) -> dict[str, Any]:
    """Return the table of one score, one column a name."""
    count = len(organizations)
    columns: dict[str, Any] = {
        "organization": organizations,
        "channel": [change.channel] * count,
        "dimension": [change.dimension] * count,
        "item": [change.item] * count,
        "before": change.before.values,
        "after": change.after.values,
        **_judged("change", change.change, change.judgement),
    }
    if change.relative is not None:
        relative = change.relative
        columns |= {
            "peers_change": relative.peers,
            "others": relative.others,
            **_judged("relative", relative.change, relative.judgement),
        }
    return columns


def _judged(name: str, change: Estimates, judgement: Judgement) -> dict[str, Any]:
    prefix = "" if name == "change" else f"{name}_"
    return {
        name: change.values,
        f"{prefix}standard_error": change.standard_error,
        f"{prefix}low": change.low,
        f"{prefix}high": change.high,
        f"{prefix}p": judgement.p,
        f"{prefix}adjusted_p": judgement.adjusted_p,
        f"{prefix}verdict": judgement.verdict,
        f"{prefix}reason": judgement.reasons,
    }
