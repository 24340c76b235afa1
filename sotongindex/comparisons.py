"""The result of a comparison with peers: ranks, distances, and reasons for what is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import DisclosureRules, Reasons
from sotongindex._html import View
from sotongindex._render import (
    Rendered,
    notice_words,
    peers_words,
    show,
    study_facts,
    study_names,
)
from sotongindex._text import Language, say
from sotongindex.errors import MethodError, nearest_key
from sotongindex.models import GradeScale
from sotongindex.percentiles import CountKind
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates

__all__ = ["BenchmarkResult", "Comparison", "PeerDistances", "PeerFigures", "Suppressions"]


@attrs.frozen(kw_only=True, eq=False)
class PeerFigures:
    """Figures of every organization's peers, each (o,), in points; NaN where not shown."""

    mean: FloatArray = attrs.field(converter=float_array)
    median: FloatArray = attrs.field(converter=float_array)
    p10: FloatArray = attrs.field(converter=float_array)
    p25: FloatArray = attrs.field(converter=float_array)
    p75: FloatArray = attrs.field(converter=float_array)
    p90: FloatArray = attrs.field(converter=float_array)
    best: FloatArray = attrs.field(converter=float_array)


@attrs.frozen(kw_only=True, eq=False)
class PeerDistances:
    """Every organization's score minus a figure of its peers, each (o,), -100 to 100."""

    mean: Estimates
    median: Estimates
    p75: Estimates
    best: Estimates


@attrs.frozen(kw_only=True, eq=False)
class Suppressions:
    """Why cells are not shown, each (o,): a `Reason`, or "" where the cells are shown.

    Attributes:
        score: Of the score itself.
        figures: Of the peers' mean, median and quartiles.
        extremes: Of the peers' P10, P90 and best.
        distances: Of the distances to mean, median and P75.
        standing: Of percentile, rank and the distance to the best.
        grade: Of the grade.
    """

    score: Reasons = attrs.field(converter=read_only)
    figures: Reasons = attrs.field(converter=read_only)
    extremes: Reasons = attrs.field(converter=read_only)
    distances: Reasons = attrs.field(converter=read_only)
    standing: Reasons = attrs.field(converter=read_only)
    grade: Reasons = attrs.field(converter=read_only)


@attrs.frozen(kw_only=True, eq=False)
class Comparison:
    """One score of every organization, beside one group of peers. Arrays are (o,).

    Attributes:
        peers: The key of the peer group.
        channel: The channel compared; None means all together.
        dimension: The dimension compared; None means all together.
        score: The organizations' scores; NaN where not shown.
        others: How many peers each has, itself never counted.
        percentile: Percentile ranks, 0 to 100; NaN where not shown.
        rank: Ranks among the peers and itself, 1 is best, ties share the better; NaN where not
            shown.
        figures: Figures of the peers.
        distances: The scores minus figures of the peers.
        grade: Grades, None where there is none.
        suppressions: Why cells are not shown.
    """

    peers: str
    channel: str | None
    dimension: str | None
    score: Estimates
    others: IntArray = attrs.field(converter=read_only)
    percentile: FloatArray = attrs.field(converter=float_array)
    rank: FloatArray = attrs.field(converter=float_array)
    figures: PeerFigures
    distances: PeerDistances
    grade: NDArray[np.object_] = attrs.field(converter=read_only)
    suppressions: Suppressions

    @property
    def probability_above_mean(self) -> FloatArray:
        """The probability that the true score is above the peers' true mean, (o,)."""
        return self.distances.mean.probability_at_least(0.0)

    def columns(self, organizations: Sequence[str]) -> dict[str, Sequence[Any] | NDArray[Any]]:
        """Return the table of this comparison, one column a name."""
        count = len(organizations)
        ranked = ~np.isnan(self.rank)
        columns: dict[str, Sequence[Any] | NDArray[Any]] = {
            "organization": organizations,
            "peers": [self.peers] * count,
            "channel": [self.channel] * count,
            "dimension": [self.dimension] * count,
            "score": self.score.values,
            "standard_error": self.score.standard_error,
            "low": self.score.low,
            "high": self.score.high,
            "others": self.others,
            "percentile": self.percentile,
            "rank": _whole(self.rank, ranked),
            "of": _whole(self.others + 1, ranked),
        }
        for field in attrs.fields(PeerFigures):
            columns[f"peer_{field.name}"] = getattr(self.figures, field.name)
        for field in attrs.fields(PeerDistances):
            estimates: Estimates = getattr(self.distances, field.name)
            columns[f"to_{field.name}"] = estimates.values
            columns[f"to_{field.name}_standard_error"] = estimates.standard_error
            columns[f"to_{field.name}_low"] = estimates.low
            columns[f"to_{field.name}_high"] = estimates.high
        columns["probability_above_mean"] = self.probability_above_mean
        columns["grade"] = self.grade
        for field in attrs.fields(Suppressions):
            columns[f"{field.name}_reason"] = getattr(self.suppressions, field.name)
        return columns


@attrs.frozen(kw_only=True, eq=False)
class BenchmarkResult(Rendered):
    """Organizations beside their peers: for every peer group and every score one `Comparison`.

    Attributes:
        result: The scores that were compared.
        comparisons: Peer group after peer group; in each the index, the channels, the dimensions.
        kind: The definition of the percentile rank.
        include_self: Whether organizations were compared with themselves too.
        rules: What was allowed to be shown.
        scale: The grade scale, if grades were given.
        notices: What a reader should know.
    """

    result: IndexResult
    comparisons: tuple[Comparison, ...]
    kind: CountKind
    include_self: bool
    rules: DisclosureRules
    scale: GradeScale | None
    notices: tuple[Notice, ...]

    @property
    def peers(self) -> tuple[str, ...]:
        """The keys of the peer groups, in order."""
        return tuple(dict.fromkeys(comparison.peers for comparison in self.comparisons))

    def comparison(
        self, peers: str | None = None, *, channel: str | None = None, dimension: str | None = None
    ) -> Comparison:
        """Return one comparison.

        Args:
            peers: The key of the peer group; default the first.
            channel: The channel; None means all together.
            dimension: The dimension; None means all together.

        Returns:
            The comparison.

        Raises:
            MethodError: If it was not made.
        """
        wanted = (self.peers[0] if peers is None else peers, channel, dimension)
        for comparison in self.comparisons:
            if (comparison.peers, comparison.channel, comparison.dimension) == wanted:
                return comparison
        keys = [*self.peers]
        for comparison in self.comparisons:
            keys += [key for key in (comparison.channel, comparison.dimension) if key]
        known = list(dict.fromkeys(keys))
        strange = next((key for key in wanted if key is not None and key not in known), None)
        near = nearest_key(strange, known) if strange else None
        raise MethodError(
            f"no comparison with peers {wanted[0]!r} for channel {channel!r} and dimension "
            f"{dimension!r}; known are {', '.join(known)}"
            + (f"; did you mean {near!r}?" if near else ""),
            argument="comparison",
        )

    def columns(self) -> dict[str, list[Any]]:
        """Return the table of every comparison, one below the other."""
        tables = [comparison.columns(self.result.organizations) for comparison in self.comparisons]
        return {name: [value for table in tables for value in table[name]] for name in tables[0]}

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization, peer group and score; None where not shown."""
        return rows_from_columns(self.columns())

    def _view(self, language: Language) -> View:
        """Return the index, or what was compared first, beside the peers, highest first."""
        study = self.result.study
        first = self.comparisons[0]
        rows = [
            row
            for part in self.comparisons
            if (part.channel, part.dimension) == (first.channel, first.dimension)
            for row in rows_from_columns(part.columns(self.result.organizations))
        ]
        rows.sort(key=lambda row: -float(str(row["score"] or -1)))
        peers = ", ".join(peers_words(key, language) for key in self.peers)
        names = study_names(study, language)["organization"]
        return View(
            title=say("title.peers", language),
            facts=[*study_facts(study, language), (say("fact.peers", language), peers)],
            table=show(
                "peers", rows, language=language, study=study, level=self.result.method.level
            ),
            notices=notice_words(self.notices, language, names),
        )

    def __str__(self) -> str:
        count = len(self.result.organizations)
        lines = [f"{count} organizations beside their peers ({', '.join(self.peers)})"]
        for comparison in self.comparisons:
            if comparison.channel is None and comparison.dimension is None:
                compared = int((comparison.suppressions.distances == "").sum())
                ranked = int((comparison.suppressions.standing == "").sum())
                lines.append(
                    f"  {comparison.peers}: {compared} compared, {ranked} with a percentile rank"
                )
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])


def _whole(numbers: NDArray[Any], shown: NDArray[np.bool_]) -> list[int | None]:
    return [int(number) if show else None for number, show in zip(numbers, shown, strict=True)]
