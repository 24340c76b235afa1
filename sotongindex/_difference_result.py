"""The result of telling differences, and how it is put together from its parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._claims import (
    Adjustment,
    Verdict,
    adjust_families,
    check_adjustment,
    check_share,
    p_values,
    verdicts,
)
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons
from sotongindex._funnel import Funnel
from sotongindex._html import View
from sotongindex._render import Rendered, peers_words, prefixed, rows_view
from sotongindex._text import Language, number, say
from sotongindex.errors import MethodError
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates


@attrs.frozen(kw_only=True, eq=False)
class DifferenceResult(Rendered):
    """Differences, their evidence, and what may be claimed of them. Arrays are (k,).

    "better" and "worse" are claims: the true difference is beyond `relevant` points. "about the
    same" says that nothing could be shown, not that there is nothing: look at the interval. "not
    known" means that an error is not known. The interval is that of one difference by itself.

    Attributes:
        result: The scores.
        organizations: Whose score it is.
        against: The peer group, the group of the funnel, or the other organization.
        channels: The channel of each difference; None means all together.
        dimensions: The dimension of each; None means all together.
        difference: The differences in points; NaN where not shown.
        standard_error: Their standard errors; NaN where not known.
        low: Lower ends of their intervals.
        high: Upper ends.
        p: Two-sided p-values of the hypothesis that the true difference is within `relevant`.
        adjusted_p: The same, adjusted within the family.
        verdict: "better", "about the same", "worse", "not known"; "" where not shown.
        reasons: Why a difference is not shown, "" where it is.
        level: The level of the intervals, a share.
        adjustment: How p-values were adjusted.
        false_claims: What is claimed has an adjusted p-value of at most this.
        relevant: The smallest difference worth a claim, in points.
        funnels: For differences from the spread the funnel of every group.
        notices: What a reader should know.
    """

    result: IndexResult
    organizations: tuple[str, ...]
    against: tuple[str, ...]
    channels: tuple[str | None, ...]
    dimensions: tuple[str | None, ...]
    difference: FloatArray = attrs.field(converter=float_array)
    standard_error: FloatArray = attrs.field(converter=float_array)
    low: FloatArray = attrs.field(converter=float_array)
    high: FloatArray = attrs.field(converter=float_array)
    p: FloatArray = attrs.field(converter=float_array)
    adjusted_p: FloatArray = attrs.field(converter=float_array)
    verdict: NDArray[np.str_] = attrs.field(converter=read_only)
    reasons: Reasons = attrs.field(converter=read_only)
    level: float
    adjustment: Adjustment
    false_claims: float
    relevant: float
    funnels: tuple[tuple[str, Funnel], ...] = ()
    notices: tuple[Notice, ...] = ()

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every difference; None where not shown or not known."""
        return rows_from_columns(
            {
                "organization": self.organizations,
                "against": self.against,
                "channel": self.channels,
                "dimension": self.dimensions,
                "difference": self.difference,
                "standard_error": self.standard_error,
                "low": self.low,
                "high": self.high,
                "p": self.p,
                "adjusted_p": self.adjusted_p,
                "verdict": self.verdict,
                "reason": self.reasons,
            }
        )

    def _view(self, language: Language) -> View:
        """Return the differences, the clearest first."""
        rows = sorted(self.to_rows(), key=lambda row: (row["p"] is None, row["p"] or 0.0))
        facts = claim_facts(
            self.adjustment, self.false_claims, relevant=self.relevant, language=language
        )
        organizations = {one.key: one.name(language) for one in self.result.study.organizations}
        against = {key: peers_words(key, language) for key in set(self.against)}
        known = {**against, **prefixed("against", language), **organizations}
        return rows_view(
            "differences",
            rows,
            study=self.result.study,
            language=language,
            level=self.level,
            facts=facts,
            notices=self.notices,
            names={"against": known, "verdict": prefixed("verdict", language)},
        )

    def __str__(self) -> str:
        told = [f"{int((self.verdict == one).sum())} {one}" for one in get_args(Verdict)]
        told += [f"{int((self.verdict == '').sum())} not shown"]
        counts = ", ".join(told)
        lines = [
            f"{len(self.organizations)} differences: {counts}",
            f"  claims at {self.false_claims:g} by {self.adjustment}, beyond {self.relevant:g}",
        ]
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])


def claim_facts(
    adjustment: Adjustment, false_claims: float, *, relevant: float, language: Language
) -> list[tuple[str, str]]:
    """Return how differences are claimed, as names and contents."""
    kind = "holm" if adjustment in {"holm", "bonferroni"} else "rate"
    share = f"{100 * false_claims:g}%"
    told = say(f"fact.false_claims.{kind}", language, share=share, method=adjustment)
    facts = [(say("fact.false_claims", language), told)]
    if relevant:
        points = say("fact.relevant.points", language, points=number(relevant))
        facts.append((say("fact.relevant", language), points))
    return facts


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """Differences on one score against one thing or several."""

    organizations: Sequence[str]
    against: Sequence[str]
    channel: str | None
    dimension: str | None
    difference: Estimates
    reasons: Reasons


@attrs.frozen(kw_only=True)
class Claim:
    """How differences are claimed."""

    adjustment: Adjustment
    false_claims: float
    relevant: float

    def __attrs_post_init__(self) -> None:
        check_adjustment(self.adjustment)
        check_share(self.false_claims, "false_claims")
        if not 0 <= self.relevant < np.inf:
            raise MethodError(
                f"expected a number of points of 0 or more, got {self.relevant}",
                argument="relevant",
            )


def claimed(
    result: IndexResult,
    parts: Sequence[Part],
    families: IntArray,
    *,
    claim: Claim,
    notices: Sequence[Notice],
    funnels: Sequence[tuple[str, Funnel]] = (),
) -> DifferenceResult:
    """Put the parts one below the other, adjust within the families, and judge."""

    def column(name: str) -> FloatArray:
        return np.concatenate([getattr(part.difference, name) for part in parts])

    p = np.concatenate([p_values(part.difference, relevant=claim.relevant) for part in parts])
    adjusted = adjust_families(p, families, claim.adjustment)
    difference = column("values")
    return DifferenceResult(
        result=result,
        organizations=tuple(key for part in parts for key in part.organizations),
        against=tuple(key for part in parts for key in part.against),
        channels=tuple(part.channel for part in parts for _ in part.organizations),
        dimensions=tuple(part.dimension for part in parts for _ in part.organizations),
        difference=difference,
        standard_error=column("standard_error"),
        low=column("low"),
        high=column("high"),
        p=p,
        adjusted_p=adjusted,
        verdict=verdicts(difference, adjusted, false_claims=claim.false_claims),
        reasons=np.concatenate([part.reasons for part in parts]),
        level=parts[0].difference.level,
        adjustment=claim.adjustment,
        false_claims=claim.false_claims,
        relevant=claim.relevant,
        funnels=tuple(funnels),
        notices=tuple(notices),
    )


def error_notices(
    result: IndexResult, scores: Iterable[tuple[str | None, str | None]]
) -> list[Notice]:
    """Say whose error is not known on any of the scores."""
    unknown = np.zeros(len(result.organizations), dtype=bool)
    for channel, dimension in scores:
        estimates = result.estimates(channel=channel, dimension=dimension)
        unknown |= np.isnan(estimates.variance) & ~np.isnan(estimates.values)
    if not unknown.any():
        return []
    return [
        Notice(
            code="error not known",
            message=(
                f"{unknown.sum()} organizations have a score whose error is not known: what rests "
                "on it cannot be judged"
            ),
            keys=tuple(np.array(result.organizations)[unknown].tolist()),
        )
    ]
