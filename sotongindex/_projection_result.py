"""What a projection says: the forecast, the chance of a target, and the record of the peers."""

from __future__ import annotations

from datetime import date

import attrs

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._chain import WaveChain
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons
from sotongindex._html import View
from sotongindex._render import Rendered, peers_words, rows_view
from sotongindex._score_columns import with_error
from sotongindex._text import Language, number, say
from sotongindex.results import Notice
from sotongindex.variance import Estimates


@attrs.frozen(kw_only=True, eq=False)
class PeerGains:
    """How often peers gained as much as is needed over as long. Arrays are (o,).

    Attributes:
        peers: The key of the peer group.
        share: The share of their observed stretches with such a gain, 0 to 1; NaN where not shown.
        low: Lower ends of Wilson's intervals, each peer counted once.
        high: Upper ends.
        organizations: How many peers have been observed over as long.
        reasons: Why there is no share.
    """

    peers: str
    share: FloatArray = attrs.field(converter=float_array)
    low: FloatArray = attrs.field(converter=float_array)
    high: FloatArray = attrs.field(converter=float_array)
    organizations: IntArray = attrs.field(converter=read_only)
    reasons: Reasons = attrs.field(converter=read_only)


@attrs.frozen(kw_only=True, eq=False)
class Projection(Rendered):
    """Where scores may be at a later date. Arrays are (o,).

    Attributes:
        chain: The waves.
        organizations: The keys of the organizations.
        due: The date.
        years: How far away it is, in years.
        last: The last scores with their sampling errors.
        forecast: The same scores with the error of the date; NaN where not shown.
        measured: Whether the error has that of the survey at the date too.
        step: The standard deviation of a year's change of true scores, in points, all
            organizations together; NaN where no error is known.
        steps: How many observed changes it rests on.
        target: The scores to reach; NaN without one.
        probability_reached: The probability of being at the target or above it at the date.
        gains: The record of the peers.
        reasons: Why there is no forecast.
        notices: What a reader should know.
    """

    chain: WaveChain
    organizations: tuple[str, ...]
    due: date
    years: float
    last: Estimates
    forecast: Estimates
    measured: bool
    step: float
    steps: int
    target: FloatArray = attrs.field(converter=float_array)
    probability_reached: FloatArray = attrs.field(converter=float_array)
    gains: PeerGains
    reasons: Reasons = attrs.field(converter=read_only)
    notices: tuple[Notice, ...]

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None where not known."""
        count = len(self.organizations)
        return rows_from_columns(
            {
                "organization": self.organizations,
                "due": [self.due.isoformat()] * count,
                "last": self.last.values,
                "last_standard_error": self.last.standard_error,
                **with_error("forecast", self.forecast),
                "target": self.target,
                "probability_reached": self.probability_reached,
                "peers_gained": self.gains.share,
                "peers_low": self.gains.low,
                "peers_high": self.gains.high,
                "peers": self.gains.organizations,
                "reason": self.reasons,
                "peers_reason": self.gains.reasons,
            }
        )

    def _facts(self, language: Language) -> list[tuple[str, str]]:
        step = say("fact.step.points", language, points=number(self.step), steps=self.steps)
        facts = [
            ("due", self.due.isoformat()),
            ("step", step),
            ("peers", peers_words(self.gains.peers, language)),
        ]
        return [(say(f"fact.{name}", language), text) for name, text in facts]

    def _view(self, language: Language) -> View:
        """Return the forecasts, the most probable to reach its target first."""
        rows = sorted(
            self.to_rows(), key=lambda row: -float(str(row["probability_reached"] or "-1"))
        )
        return rows_view(
            "projection",
            rows,
            study=self.chain.waves[-1].study,
            language=language,
            level=self.forecast.level,
            facts=self._facts(language),
            notices=self.notices,
        )

    def __str__(self) -> str:
        known = int((self.reasons == "").sum())
        lines = [
            f"{known} of {len(self.reasons)} organizations projected to {self.due.isoformat()}",
            f"  years ahead: {self.years:.2f}",
            f"  a year's step: {self.step:.2f} points (from {self.steps} changes)",
        ]
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])
