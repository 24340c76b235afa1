"""The result of a comparison with a norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import Reasons, first_of
from sotongindex._html import View
from sotongindex._norm_set import BenchmarkSet, NormFigures
from sotongindex._render import Rendered, notice_words, study_facts, study_names
from sotongindex._standing import Chances, PercentileEstimate
from sotongindex._table import Column, Table
from sotongindex._text import Language, say
from sotongindex.errors import MethodError
from sotongindex.results import IndexResult, Notice
from sotongindex.standing import chance_columns, estimate_columns
from sotongindex.variance import Estimates

_SHOWN = 20


@attrs.frozen(kw_only=True, eq=False)
class NormDistances:
    """Every organization's score minus a figure of the norm, each (o,), -100 to 100."""

    mean: Estimates
    median: Estimates
    p25: Estimates
    p75: Estimates
    best: Estimates


@attrs.frozen(kw_only=True, eq=False)
class NormComparison:
    """One score of every organization, beside the norm. Arrays are (o,).

    Attributes:
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        score: The organizations' scores; NaN where not shown.
        members: How many members of the norm have the score.
        percentile: Percentile ranks among the members (kind "mean"); NaN where not shown.
        sampling: Among exactly these members, under the errors of all scores.
        finite_peers: In the field that the members are a sample of, scores taken as exact.
        both: In that field, under both errors.
        chances: Probabilities about the true scores.
        figures: Figures of the members; None where not shown.
        distances: The scores minus figures of the members.
        distance_reasons: Why distances are not shown; "" where they are.
        standing_reasons: Why percentiles are not shown; "not shared" where a published norm has no
            single scores.
        uncertain_reasons: Why percentiles have no interval.
    """

    channel: str | None
    dimension: str | None
    score: Estimates
    members: int
    percentile: FloatArray = attrs.field(converter=float_array)
    sampling: PercentileEstimate
    finite_peers: PercentileEstimate
    both: PercentileEstimate
    chances: Chances
    figures: NormFigures
    distances: NormDistances
    distance_reasons: Reasons = attrs.field(converter=read_only)
    standing_reasons: Reasons = attrs.field(converter=read_only)
    uncertain_reasons: Reasons = attrs.field(converter=read_only)

    def columns(
        self, organizations: Sequence[str], top: int
    ) -> dict[str, Sequence[Any] | NDArray[Any]]:
        """Return the table of this comparison, one column a name."""
        count = len(organizations)
        columns: dict[str, Sequence[Any] | NDArray[Any]] = {
            "organization": organizations,
            "channel": [self.channel] * count,
            "dimension": [self.dimension] * count,
            "score": self.score.values,
            "standard_error": self.score.standard_error,
            "members": [self.members] * count,
            "percentile": self.percentile,
            **estimate_columns(self.sampling, self.finite_peers, self.both),
            **chance_columns(self.chances, top),
        }
        for field in attrs.fields(NormFigures):
            figure = getattr(self.figures, field.name)
            columns[f"norm_{field.name}"] = [figure and figure.value] * count
        for field in attrs.fields(NormDistances):
            estimates: Estimates = getattr(self.distances, field.name)
            columns[f"to_{field.name}"] = estimates.values
            columns[f"to_{field.name}_standard_error"] = estimates.standard_error
            columns[f"to_{field.name}_low"] = estimates.low
            columns[f"to_{field.name}_high"] = estimates.high
        columns["distances_reason"] = self.distance_reasons
        columns["standing_reason"] = first_of(self.standing_reasons, self.uncertain_reasons)
        return columns


@attrs.frozen(kw_only=True, eq=False)
class NormResult(Rendered):
    """Organizations beside a norm.

    Attributes:
        result: The scores that were compared.
        norm: The norm.
        comparisons: One for every score of the norm, in its order.
        top: How many places `chances.top` is about.
        level: The probability of the intervals of percentiles.
        notices: What a reader should know.
    """

    result: IndexResult
    norm: BenchmarkSet
    comparisons: tuple[NormComparison, ...]
    top: int
    level: float
    notices: tuple[Notice, ...]

    def comparison(
        self, *, channel: str | None = None, dimension: str | None = None
    ) -> NormComparison:
        """Return one comparison.

        Raises:
            MethodError: If the norm does not hold this score.
        """
        for one in self.comparisons:
            if (one.channel, one.dimension) == (channel, dimension):
                return one
        raise MethodError(
            f"the norm {self.norm.key!r} holds no scores of channel {channel!r} and dimension "
            f"{dimension!r}",
            argument="comparison",
        )

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization and score; None where not shown or not known."""
        tables = [one.columns(self.result.organizations, self.top) for one in self.comparisons]
        return [row for table in tables for row in rows_from_columns(table)]

    def _view(self, language: Language) -> View:
        study = self.result.study
        count = len(self.result.organizations)
        rows = [{**row, "others": row["members"]} for row in self.to_rows()[:count]]
        rows.sort(key=lambda row: -float(str(row["score"] or -1)))
        names = study_names(study, language)
        label = self.norm.label and self.norm.label.text(language)
        norm = f"{label or self.norm.key} {self.norm.version}"
        return View(
            title=say("title.peers", language),
            facts=[*study_facts(study, language), (say("fact.peers", language), norm)],
            table=Table(
                columns=(
                    Column("organization"),
                    Column("subject", "text", ("dimension", "channel")),
                    Column("score", "points"),
                    Column("others", "count"),
                    Column("percentile", "percentile"),
                    Column("interval", "interval", ("low", "high")),
                    Column("to_median", "signed"),
                ),
                rows=rows[:_SHOWN],
                language=language,
                names=names,
                level=self.level,
                omitted=max(len(rows) - _SHOWN, 0),
            ),
            notices=notice_words(self.notices, language, names["organization"]),
        )

    def __str__(self) -> str:
        lines = [f"{len(self.result.organizations)} organizations beside {self.norm}"]
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])
