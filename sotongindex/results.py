"""The result of an index: scores at every level with their errors, counts and notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray, float_array
from sotongindex._columns import columns_from_rows, rows_from_columns
from sotongindex._frames import Backend, frame_from_columns
from sotongindex._html import View
from sotongindex._levels import Level, climbed_levels
from sotongindex._notices import Notice, find_notices
from sotongindex._published import PublishedScores
from sotongindex._render import Rendered, rows_view, study_facts
from sotongindex._score_columns import check_level, score_columns
from sotongindex._text import Language, count, number, say
from sotongindex._version import __version__
from sotongindex._wording import method_sentences
from sotongindex.aggregation import Hierarchy, aggregate_cells
from sotongindex.errors import DefinitionError, nearest_key
from sotongindex.method import IndexMethod
from sotongindex.models import Study
from sotongindex.variance import Estimates, combine
from sotongindex.weighting import ImportanceWeights, WeightingScheme

__all__ = ["Counts", "IndexResult", "Level", "Notice", "Source"]

Source: TypeAlias = Literal["answers", "tally", "scores", "blend"]


@attrs.frozen(kw_only=True, eq=False)
class Counts:
    """How many answers a result rests on.

    Attributes:
        respondents: Distinct respondents of every organization, (o,); NaN where not known.
        evaluations: Evaluations of every organization and channel, (o, c).
        answers: Answers to every item, (o, c, i).
        effective: Effective number of evaluations after weighting (Kish), (o,).
    """

    respondents: FloatArray = attrs.field(converter=float_array)
    evaluations: IntArray
    answers: IntArray
    effective: FloatArray = attrs.field(converter=float_array)


@attrs.frozen(kw_only=True, eq=False)
class IndexResult(Rendered):
    """Scores of every organization at every level, with their errors.

    Axes: o organizations, c channels, d dimensions, i items, in the order of the study.

    Attributes:
        study: What was measured.
        scheme: How parts were weighted.
        method: How the index was made.
        weights: What every part counted, and what was learned from the scores.
        index: The index, (o,).
        channels: Channel scores, (o, c).
        dimensions: Dimension scores over channels, (o, d).
        cells: Dimension scores in a channel, (o, c, d).
        items: Item scores, (o, c, i).
        structure: The derivatives of every level by the one below.
        counts: What the scores rest on.
        notices: What a reader should know.
        source: What the result was made from.
        version: The version of sotongindex that made it; None where not known.
    """

    study: Study
    scheme: WeightingScheme
    method: IndexMethod
    weights: ImportanceWeights = attrs.field(repr=False)
    index: Estimates
    channels: Estimates
    dimensions: Estimates
    cells: Estimates
    items: Estimates
    structure: Hierarchy = attrs.field(repr=False)
    counts: Counts = attrs.field(repr=False)
    notices: tuple[Notice, ...]
    source: Source
    version: str | None = None

    @classmethod
    def from_scores(
        cls,
        frame: object,
        study: Study,
        *,
        organization: str = "organization",
        channel: str | None = None,
        columns: Mapping[str, str] | None = None,
        standard_errors: Mapping[str, str] | None = None,
        index: str | None = None,
        respondents: str | None = None,
        scheme: WeightingScheme | None = None,
        method: IndexMethod | None = None,
    ) -> IndexResult:
        """Take scores that somebody else computed, so that peers and gaps work on them.

        Scores of dimensions are given; channels and the index are made of them by the scheme. No
        covariance between scores is known, so they count as independent.

        Args:
            frame: A table with one row an organization, or an organization and channel.
            study: What was measured.
            organization: The column with the organization's key.
            channel: The column with the channel's key; None where the framework has one channel.
            columns: The column of every dimension's scores, 0 to 100; default the dimensions' keys.
            standard_errors: The columns of the dimensions' standard errors, where known.
            index: The column of a published index, which then replaces the computed one; its
                error is not known.
            respondents: The column with the number of respondents.
            scheme: How channels and dimensions count; default all equally.
            method: How scores are averaged; its `variance` has nothing to do here.

        Returns:
            The result; items are missing.

        Raises:
            DefinitionError: If a key or a column is not known.
            MethodError: If an organization and channel has two rows, or a score is no number from
                0 to 100.
        """
        published = PublishedScores.read(
            frame,
            study,
            organization=organization,
            channel=channel,
            columns=columns,
            standard_errors=standard_errors,
            index=index,
            respondents=respondents,
        )
        return _published_result(
            published,
            study,
            scheme=scheme or WeightingScheme(),
            method=method or IndexMethod(),
        )

    @property
    def organizations(self) -> tuple[str, ...]:
        """The keys of the organizations."""
        return self.study.organization_keys

    def estimates(
        self,
        *,
        channel: str | None = None,
        dimension: str | None = None,
        item: str | None = None,
    ) -> Estimates:
        """Return one number an organization: index, channel, dimension, one of both, or an item.

        Args:
            channel: A channel's key; None means all channels together.
            dimension: A dimension's key; None means all dimensions together.
            item: An item's key, on the channel that is named.

        Returns:
            Estimates, (o,).

        Raises:
            DefinitionError: If there is no such channel, dimension or item.
        """
        framework = self.study.framework
        if item is not None:
            at = (_at(channel, framework.channel_keys), _at(item, framework.item_keys))
            return self.items.select((slice(None), *at))
        if channel is None and dimension is None:
            return self.index
        if dimension is None:
            return self.channels.select((slice(None), _at(channel, framework.channel_keys)))
        d = _at(dimension, framework.dimension_keys)
        if channel is None:
            return self.dimensions.select((slice(None), d))
        return self.cells.select((slice(None), _at(channel, framework.channel_keys), d))

    def contributions(self) -> Estimates:
        r"""Return the points that every channel and dimension puts into the index, (o, c, d).

        A contribution is the cell's score times the derivative of the index by it. Power means are
        homogeneous of degree one, so contributions add up to the index (Euler); under power 1 they
        are weight times score. Cells that are missing contribute 0.

        Returns:
            Estimates that add up to the index, (o, c, d).
        """
        tree, powers = self.structure, self.method.power
        cells, channels = np.nan_to_num(tree.cells), np.nan_to_num(tree.channels)[..., None]
        index = np.nan_to_num(tree.index)[:, None, None]
        gradient = np.nan_to_num(tree.index_by_cell)
        # Averaging respondents first, a channel is not quite the mean of its cells.
        sums = (cells * np.nan_to_num(tree.channel_by_cell)).sum(axis=2, keepdims=True)
        gradient = gradient * np.divide(channels, sums, out=np.ones_like(sums), where=sums > 0)
        values = cells * gradient
        by_channel = np.divide(values, channels, out=np.zeros_like(values), where=channels > 0)
        by_index = np.divide(values, index, out=np.zeros_like(values), where=index > 0)
        return combine(
            [
                (self.cells, sparse.diags_array((powers.dimensions * gradient).ravel())),
                (self.channels, _spread((powers.channels - powers.dimensions) * by_channel, 1)),
                (self.index, _spread((1 - powers.channels) * by_index, 2)),
            ],
            values=values,
            shape=values.shape,
            lower=0.0,
        )

    def to_rows(self, level: Level = "index") -> list[dict[str, object]]:
        """Return the scores of a level as rows of plain values, in the order of the study.

        Args:
            level: "index", "channels", "dimensions", "cells" (a dimension in a channel) or
                "items".

        Returns:
            One row for every organization (and channel, dimension, item where the level has
            them): score, standard_error, low, high, degrees_of_freedom, and respondents beside
            the index. None where missing or not known.

        Raises:
            MethodError: If there is no such level.
        """
        check_level(level)
        return rows_from_columns(
            score_columns(
                getattr(self, level), self.study, level=level, respondents=self.counts.respondents
            )
        )

    def to_frame(
        self, backend: Backend = "pandas", *, level: Level = "index"
    ) -> Any:  # any backend's frame
        """Return the rows of a level as a dataframe of "pandas", "polars" or "pyarrow".

        Raises:
            MethodError: If the backend is unknown or not installed, or there is no such level.
        """
        return frame_from_columns(columns_from_rows(self.to_rows(level)), backend)

    def __str__(self) -> str:
        facts = [*study_facts(self.study, "en"), *self._facts("en")]
        return "\n".join(f"{name}: {text}" for name, text in facts)

    def _facts(self, language: Language) -> list[tuple[str, str]]:
        """Return how much there is, as names and contents."""
        scored = int((~np.isnan(self.index.values)).sum())
        numbers = [
            ("organizations", say("scored", language, scored=scored, all=len(self.organizations))),
            ("mean", number(np.nanmean(self.index.values) if scored else None)),
            ("evaluations", count(int(self.counts.evaluations.sum()) or None)),
        ]
        return [(say(f"fact.{name}", language), text) for name, text in numbers]

    def _view(self, language: Language) -> View:
        """Return the highest scores first, with what they rest on."""
        sentences = method_sentences(
            self.study.framework,
            self.scheme,
            self.method,
            learned=self.weights.learned,
            source=self.source,
            language=language,
        )
        rows = sorted(self.to_rows(), key=lambda row: -float(str(row["score"] or "-1")))
        return rows_view(
            "index",
            rows,
            language=language,
            study=self.study,
            facts=[*self._facts(language), (say("fact.method", language), " ".join(sentences))],
            notices=self.notices,
            level=self.method.level,
        )


def _at(key: str | None, known: tuple[str, ...]) -> int:
    if key not in known:
        raise DefinitionError(
            f"expected one of {', '.join(known)}, got {key!r}",
            field="IndexResult.estimates",
            key=key,
            nearest=nearest_key(key, known),
        )
    return known.index(key)


def _spread(coefficients: FloatArray, axes: int) -> sparse.csr_array:
    """Return the Jacobian of an array by another that lacks its last `axes` axes."""
    size = coefficients.size
    inner = int(np.prod(coefficients.shape[-axes:]))
    rows = np.arange(size)
    return sparse.csr_array(
        (coefficients.ravel(), (rows, rows // inner)), shape=(size, size // inner)
    )


def _published_result(
    published: PublishedScores, study: Study, *, scheme: WeightingScheme, method: IndexMethod
) -> IndexResult:
    """Climb from published cells, whose errors are independent, to the index."""
    known = ~np.isnan(published.respondents)
    respondents = np.nan_to_num(published.respondents)
    result = result_from_cells(
        Estimates.independent(published.cells, published.errors, level=method.level),
        study,
        scheme=scheme,
        method=method,
        rated=published.listed,
        counts=Counts(
            respondents=np.where(known.any(axis=1), respondents.max(axis=1), np.nan),
            evaluations=respondents.astype(np.int64),
            answers=np.zeros((*respondents.shape, len(study.framework.items)), dtype=np.int64),
            effective=np.full(len(respondents), np.nan),
        ),
        source="scores",
    )
    if published.index is None:
        return result
    index = Estimates.independent(published.index, level=method.level)
    structure = attrs.evolve(result.structure, index=index.values)
    return attrs.evolve(result, index=index, structure=structure)


def result_from_cells(
    cells: Estimates,
    study: Study,
    *,
    scheme: WeightingScheme,
    method: IndexMethod,
    rated: NDArray[np.bool_],
    counts: Counts,
    source: Source,
) -> IndexResult:
    """Climb from cells (o, c, d) with their errors to channels, dimensions and the index."""
    o, c, _ = cells.shape
    items = len(study.framework.items)
    operated = operated_channels(study, rated)
    weights = scheme.resolve(
        study.framework,
        cells=np.where(operated[..., None], cells.values, np.nan),
        evaluations=counts.evaluations,
        powers=(method.power.items, method.power.dimensions),
        min_share=method.min_share,
    )
    tree = aggregate_cells(
        cells.values,
        weights,
        operated=operated,
        powers=(method.power.dimensions, method.power.channels),
        min_share=method.min_share,
        absent_is_zero=method.absent_channels == "zero",
        cell_by_item=np.zeros((o, c, items)),
    )
    levels = climbed_levels(cells, tree)
    return IndexResult(
        study=study,
        scheme=scheme,
        method=method,
        weights=weights,
        structure=tree,
        counts=counts,
        notices=find_notices(
            study,
            levels,
            tree,
            weights=weights,
            operated=operated,
            rated=rated,
            min_share=method.min_share,
        ),
        source=source,
        version=__version__,
        **levels,
    )


def operated_channels(study: Study, found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the channels that organizations declare, or were `found` on, (o, c)."""
    operated = found.copy()
    for position, organization in enumerate(study.organizations):
        if organization.channels is not None:
            operated[position] = [
                key in organization.channels for key in study.framework.channel_keys
            ]
    return operated
