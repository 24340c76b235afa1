"""Tally: the mergeable sums that every score is made of.

A tally has one row for every organization, channel and jackknife group that occurs. Two tallies of
one study add up to the tally of their answers together, whatever order they come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from os import PathLike
from typing import Any, TypedDict, TypeVar, Unpack

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._batch_reading import read_piece
from sotongindex._batches import Piece, pieces_of, work_through
from sotongindex._evaluations import Evaluations
from sotongindex._jackknife_groups import jackknife_groups
from sotongindex._lazy import CellWeights, LazyTable, check_lazily, sum_lazily
from sotongindex._moment_weights import learn_weights
from sotongindex._moments import ItemMoments, add_moments, add_up_pairs
from sotongindex._reading.source import needed_columns
from sotongindex._replicate_sums import ReplicateSums
from sotongindex._sums import KeepsNoRespondents, Sums
from sotongindex._tallying import (
    answer_categories,
    evaluation_groups,
    sum_evaluations,
    sum_replicates,
)
from sotongindex.checks import CheckReport
from sotongindex.errors import MethodError, ResponseError
from sotongindex.layout import Layout, Roles
from sotongindex.models import Study
from sotongindex.responses import Responses

__all__ = ["ItemMoments", "ReplicateSums", "Tally", "jackknife_groups", "learn_weights"]


Part = TypeVar("Part")


_MERGED_AT_ONCE = 8  # tallies of batches, so that merging costs little and holds few


class _Options(TypedDict):
    groups: int
    group: str | None
    frequencies: bool
    moments: bool


@attrs.frozen(kw_only=True, eq=False)
class Tally(KeepsNoRespondents):
    """Sums of points, weights and answers by organization, channel and jackknife group.

    Axes: r rows (the combinations that occur, sorted), i items, k answer categories.

    Attributes:
        study: What was measured.
        groups: The number of jackknife groups; 1 means that errors come from elsewhere.
        organization: Position of the organization in the study, (r,).
        channel: Position of the channel in the framework, (r,).
        group: The jackknife group, (r,).
        evaluations: Number of evaluations, (r,).
        weight: Sum of the evaluations' weights, (r,).
        squared_weight: Sum of their squares, (r,).
        answers: Number of answers, (r, i).
        answer_weight: Sum of the weights of the answers, (r, i).
        points: Sum of weight times points, (r, i).
        categories: The answers that are counted, (k,), or None.
        frequencies: Sum of weights by category, (r, i, k), or None.
        moments: Sums over pairs of items, or None.
        replicates: The sums of every jackknife replicate where weights were calibrated, each with
            weights of its own; None where groups are left out as they are.
    """

    study: Study
    groups: int
    organization: IntArray
    channel: IntArray
    group: IntArray
    evaluations: IntArray
    weight: FloatArray
    squared_weight: FloatArray
    answers: IntArray
    answer_weight: FloatArray
    points: FloatArray
    categories: IntArray | None = None
    frequencies: FloatArray | None = None
    moments: ItemMoments | None = None
    replicates: ReplicateSums | None = None

    def __attrs_post_init__(self) -> None:
        for array in attrs.asdict(self, recurse=False).values():
            if isinstance(array, np.ndarray):
                array.flags.writeable = False

    @classmethod
    def from_responses(
        cls,
        responses: Responses,
        *,
        groups: int = 32,
        group: str | None = None,
        frequencies: bool = False,
        moments: bool = False,
    ) -> Tally:
        """Add up responses.

        Where their weights were calibrated, they are calibrated again without each jackknife group,
        so that errors know of the calibration. That takes a table of organizations times channels
        times calibration cells times items on the way, and of groups instead of cells in the tally.

        Args:
            responses: The answers.
            groups: The number of jackknife groups, made from the keys of the clusters where there
                are any, else of the respondents; 1 for none.
            group: Instead of keys: the kept column with the jackknife group, from 0.
            frequencies: Whether to count answer categories too (whole-number answers only).
            moments: Whether to add up pairs of items too: what reliability is computed from.

        Returns:
            The tally.

        Raises:
            MethodError: If `groups` is below 1, given groups are none, frequencies are asked of
                fractional answers, or weights cannot be calibrated again without a group.
        """
        categories = answer_categories(responses.study.framework) if frequencies else None
        evaluations = Evaluations.of(responses)
        of = evaluation_groups(responses, groups, group)
        sums = sum_evaluations(evaluations, groups=groups, group=of, categories=categories)
        return attrs.evolve(
            tally_of(sums, responses.study, groups=groups, categories=categories),
            moments=add_up_pairs(evaluations, groups=groups, group=of) if moments else None,
            replicates=sum_replicates(evaluations, groups=groups, group=of),
        )

    @classmethod
    def from_frame(
        cls,
        frame: object,
        study: Study,
        layout: Layout | None = None,
        *,
        groups: int = 32,
        group: str | None = None,
        weights: CellWeights | None = None,
        frequencies: bool = False,
        moments: bool = False,
        check: bool = True,
        **roles: Unpack[Roles],
    ) -> Tally:
        """Add up a frame; where it is lazy, its engine does.

        Polars, DuckDB, Dask, Ibis and PySpark are asked for sums by organization, channel and
        jackknife group, and only these come back. The groups are those that the keys have in
        memory, so that tallies of one study add up wherever they were made.

        Args:
            frame: A lazy frame that narwhals knows, or any frame that `Responses.read` takes.
            study: What was asked about whom.
            layout: Which column plays which role; default `Layout()`.
            groups: As for `from_responses`.
            group: Instead of keys: the column with the jackknife group, from 0.
            weights: What `rake`, `post_stratify` or `calibrate` made of this lazy frame. The engine
                adds up three times, once by cells of the weights instead of groups; errors know of
                the calibration, as those of calibrated answers do.
            frequencies: As for `from_responses`.
            moments: As for `from_responses`; engines are not asked for sums over pairs, of which 60
                items have thousands: let `from_batches` make them.
            check: Whether a lazy frame is checked first, by some more queries; without, only
                missing columns and unknown or blank organizations and channels are refused. Other
                frames are always checked.
            **roles: Fields of `Layout` that differ from it, as for `check_responses`.

        Returns:
            The tally.

        Raises:
            ResponseError: If the answers do not fit the study.
            EngineError: If the engine fails; its own error is the cause.
            MethodError: If groups cannot be told of the keys, the frame is of no known kind, or
                weights are those of others, or cannot be calibrated again without a group.
        """
        layout = _keeping(attrs.evolve(layout or Layout(), **roles), group)
        table = LazyTable.of(frame)
        if table is None:
            if weights is not None:
                raise MethodError(
                    "expected a lazy frame, for whose cells the weights are; calibrate answers in "
                    "memory, and give them to `from_responses`",
                    argument="weights",
                )
            responses = Responses.read(frame, study, layout)
            return cls.from_responses(
                responses, groups=groups, group=group, frequencies=frequencies, moments=moments
            )
        if moments:
            raise MethodError(
                "engines are not asked for sums over pairs of items; read the table in batches, "
                "with Tally.from_batches(..., moments=True)",
                argument="moments",
            )
        report = check_lazily(table, study, layout) if check else CheckReport()
        if not report.ok:
            raise ResponseError(report)
        categories = answer_categories(study.framework) if frequencies else None
        sums, replicates = sum_lazily(
            table,
            study,
            layout,
            groups=groups,
            group=group,
            categories=() if categories is None else categories.tolist(),
            weights=weights,
        )
        tally = tally_of(sums, study, groups=groups, categories=categories)
        return attrs.evolve(tally, replicates=replicates)

    @classmethod
    def from_batches(
        cls,
        batches: Iterable[object] | str | PathLike[str],
        study: Study,
        layout: Layout | None = None,
        *,
        groups: int = 32,
        group: str | None = None,
        frequencies: bool = False,
        moments: bool = False,
        processes: int = 1,
        progress: Callable[[int], None] | None = None,
        **roles: Unpack[Roles],
    ) -> Tally:
        """Add up answers that come in batches, of which few are in memory at a time.

        Every batch is checked as `Responses.read` checks a frame. What can be seen in several
        batches together alone is not found: a respondent who rates the same organization on the
        same channel in two of them, and warnings such as few respondents.

        Args:
            batches: Frames that `Responses.read` takes, paths of Parquet files, or of folders of
                them, one after the other; files are read some rows at a time, with pyarrow.
            study: What was asked about whom.
            layout: Which column plays which role; default `Layout()`.
            groups: As for `from_responses`.
            group: Instead of keys: the column with the jackknife group, from 0.
            frequencies: As for `from_responses`.
            moments: As for `from_responses`.
            processes: How many processes share the work; each keeps one batch and one tally. A
                program that asks for several is run under ``if __name__ == "__main__":``.
            progress: Told how many evaluations were added up so far.
            **roles: Fields of `Layout` that differ from it, as for `check_responses`.

        Returns:
            The tally.

        Raises:
            ResponseError: If the answers of a batch do not fit the study; it names the batch.
            MethodError: If there is no batch, a file cannot be read, or a process is lost.
        """
        layout = _keeping(attrs.evolve(layout or Layout(), **roles), group)
        found: list[Tally] = []

        def add(part: Tally | None) -> None:
            if part is not None:
                _add_to(found, part)
            if progress is not None:
                progress(sum(int(tally.evaluations.sum()) for tally in found))

        options = _Options(groups=groups, group=group, frequencies=frequencies, moments=moments)
        work = partial(_tally_piece, study=study, layout=layout, options=options)
        pieces = pieces_of(batches, needed_columns(study, layout))
        work_through(pieces, work, processes=processes, done=add)
        if not found:
            raise MethodError("expected one batch with rows or more, got none", argument="batches")
        return add_tallies(found)

    def __add__(self, other: Tally) -> Tally:
        """Return the tally of both sets of answers together.

        Weights that were calibrated are those of two samples, each calibrated by itself.

        Raises:
            MethodError: If the studies, the number of groups or the categories differ, or only one
                has moments, or calibrated weights.
        """
        return add_tallies([self, other])

    def dense(self, values: FloatArray | IntArray) -> NDArray[Any]:
        """Add up row values (r, ...) over groups into (organizations, channels, ...)."""
        shape = (len(self.study.organizations), len(self.study.framework.channels))
        result = np.zeros((shape[0] * shape[1], *values.shape[1:]), dtype=values.dtype)
        np.add.at(result, units_of(self), values)
        return result.reshape(*shape, *values.shape[1:])

    def item_means(self) -> FloatArray:
        """Return the weighted mean points of every item, (o, c, i); NaN without answers."""
        weight = self.dense(self.answer_weight)
        means: FloatArray = np.divide(
            self.dense(self.points), weight, out=np.full_like(weight, np.nan), where=weight > 0
        )
        return means


def _keeping(layout: Layout, group: str | None) -> Layout:
    """Return the layout with the column of the jackknife group among those to keep."""
    return layout if group is None else attrs.evolve(layout, keep=(*layout.keep, group))


def _tally_piece(piece: Piece, *, study: Study, layout: Layout, options: _Options) -> Tally | None:
    """Add up a piece batch by batch; None where it has no rows."""
    found: list[Tally] = []
    for responses in read_piece(piece, study, layout):
        _add_to(found, Tally.from_responses(responses, **options))
    return add_tallies(found) if found else None


def _add_to(found: list[Tally], tally: Tally) -> None:
    """Keep a tally with others, and add them up when there are many."""
    found.append(tally)
    if len(found) == _MERGED_AT_ONCE:
        found[:] = [add_tallies(found)]


def add_tallies(tallies: Sequence[Tally]) -> Tally:
    """Add up one tally or more; `Tally.__add__` tells the errors."""
    first, *others = tallies
    for other in others:
        for name in ("study", "groups"):
            if getattr(first, name) != getattr(other, name):
                raise MethodError(f"the two tallies have different {name}", argument="other")
        if not np.array_equal(_categories_of(first), _categories_of(other)):
            raise MethodError("the two tallies count different categories", argument="other")
    moments = _held_by_all([tally.moments for tally in tallies], "moments")
    replicates = _held_by_all([tally.replicates for tally in tallies], "replicates")
    sums = Sums.merged([_sums_of(tally) for tally in tallies])
    tally = tally_of(sums, first.study, groups=first.groups, categories=first.categories)
    return attrs.evolve(
        tally,
        moments=add_moments(moments) if moments else None,
        replicates=ReplicateSums.merged(replicates) if replicates else None,
    )


def _held_by_all(parts: Sequence[Part | None], name: str) -> list[Part]:
    """Return the parts that all tallies hold, or none of them."""
    held = [part for part in parts if part is not None]
    if len(held) not in (0, len(parts)):
        raise MethodError(
            f"one tally has {name} and the other has none; make both alike, or take them off with "
            f"attrs.evolve(tally, {name}=None)",
            argument="other",
        )
    return held


def tally_of(
    sums: Sums, study: Study, *, groups: int = 1, categories: IntArray | None = None
) -> Tally:
    """Make a tally of sums, which may have more columns than there are items."""
    units, group = np.divmod(sums.keys, groups)
    organization, channel = np.divmod(units, len(study.framework.channels))
    arrays = attrs.asdict(sums, recurse=False)
    del arrays["keys"]
    return Tally(
        study=study,
        groups=groups,
        organization=organization,
        channel=channel,
        group=group,
        categories=categories,
        **arrays,
    )


def units_of(tally: Tally) -> IntArray:
    """Return organization and channel of every row as one number, ascending, (r,)."""
    units: IntArray = tally.organization * len(tally.study.framework.channels) + tally.channel
    return units


def _sums_of(tally: Tally) -> Sums:
    """Return the sums alone, with organization, channel and group as one number."""
    names = [field.name for field in attrs.fields(Sums) if field.name != "keys"]
    arrays = {name: getattr(tally, name) for name in names}
    return Sums(keys=units_of(tally) * tally.groups + tally.group, **arrays)


def _categories_of(tally: Tally) -> IntArray:
    return np.array([], dtype=np.int64) if tally.categories is None else tally.categories
