"""Responses: the answers of a survey as codes, checked against the study they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Unpack

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._arrays import missing_code, read_only
from sotongindex._calibrated import Calibration
from sotongindex._frames import Column, Frame, Numbers, Text
from sotongindex._lazy import LazyTable, check_lazily
from sotongindex._reading import Reading
from sotongindex.checks import CheckReport, Finding
from sotongindex.errors import MethodError, ResponseError
from sotongindex.layout import ColumnNames, Duplicates, ItemColumn, Layout, Roles
from sotongindex.models import Study

__all__ = ["CheckReport", "Finding", "ItemColumn", "Layout", "Responses", "check_responses"]


def _array(array: NDArray[Any]) -> NDArray[Any]:
    return read_only(array)


def _array_or_none(array: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if array is None else read_only(array)


def _arrays(arrays: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    return MappingProxyType({name: read_only(array) for name, array in arrays.items()})


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Responses:
    """The answers of a survey: one row per evaluation, that is respondent x organization x channel.

    Make them with `from_frame`, `from_long`, `from_arrays` or `read`, which check them; the fields
    are the checked answers as read-only arrays. With n evaluations, i items and R respondents:

    Attributes:
        study: What was asked about whom.
        answers: Whole numbers in the smallest type that holds all, or floats, (n, i), stored row by
            row; `missing` where there is no answer.
        organization: Positions in ``study.organizations``, (n,).
        channel: Positions in ``study.framework.channels``, (n,).
        respondent: Positions in `respondent_keys`, (n,).
        respondent_keys: The different keys in order, whole numbers or text, (R,).
        weight: Whom an evaluation stands for, (n,); None means that all count 1.
        cluster: Positions in `cluster_keys`, (n,); None means that every respondent is a cluster.
        cluster_keys: The different keys in order; None as for `cluster`.
        stratum: Positions in `stratum_keys`, (n,); None means one stratum.
        stratum_keys: The different keys in order.
        stratum_populations: How many clusters each stratum has in the population, (h,); None means
            that the sample is a small part of it.
        kept: Further columns by name, each (n,): numbers, or text; NaN or ``""`` where empty.
        calibration: How the weights were made, if they were calibrated here.
        report: What the check found.
    """

    study: Study
    answers: NDArray[Any] = attrs.field(converter=_array)
    organization: NDArray[np.int32] = attrs.field(converter=_array)
    channel: NDArray[np.int32] = attrs.field(converter=_array)
    respondent: NDArray[np.int32] = attrs.field(converter=_array)
    respondent_keys: NDArray[Any] = attrs.field(converter=_array)
    weight: NDArray[np.float64] | None = attrs.field(default=None, converter=_array_or_none)
    cluster: NDArray[np.int32] | None = attrs.field(default=None, converter=_array_or_none)
    cluster_keys: NDArray[Any] | None = attrs.field(default=None, converter=_array_or_none)
    stratum: NDArray[np.int32] | None = attrs.field(default=None, converter=_array_or_none)
    stratum_keys: tuple[str, ...] = ()
    stratum_populations: NDArray[np.float64] | None = attrs.field(
        default=None, converter=_array_or_none
    )
    kept: Mapping[str, NDArray[Any]] = attrs.field(factory=dict, converter=_arrays)
    calibration: Calibration | None = None
    report: CheckReport = attrs.field(factory=CheckReport)

    @property
    def missing(self) -> float:
        """What stands for "no answer" in `answers`: the lowest whole number of its type, or NaN."""
        code: float = missing_code(self.answers.dtype)
        return code

    @property
    def clusters(self) -> NDArray[np.int32]:
        """The sampling unit of every evaluation: its cluster, or its respondent, (n,)."""
        return self.respondent if self.cluster is None else self.cluster

    @property
    def cluster_labels(self) -> NDArray[Any]:
        """The keys of the sampling units that `clusters` points to."""
        return self.respondent_keys if self.cluster_keys is None else self.cluster_keys

    def __len__(self) -> int:
        return len(self.answers)

    def __repr__(self) -> str:
        rows, items = self.answers.shape
        return (
            f"Responses(study={self.study.key!r}, evaluations={rows}, items={items}, "
            f"respondents={len(self.respondent_keys)}, answers={self.answers.dtype})"
        )

    @classmethod
    def read(cls, frame: object, study: Study, layout: Layout | None = None) -> Responses:
        """Read a frame by a layout that is kept with the study.

        Empty cells, NaN, blank text and the missing codes of an item's scale are "no answer".
        Numbers written as text are read as numbers, and fractions between the ends of a scale are
        answers, for some instruments average; the report notes both.

        Args:
            frame: A pandas, Polars or pyarrow table, another eager frame that narwhals knows, or a
                mapping of column names to arrays.
            study: What was asked about whom.
            layout: Which column plays which role; default `Layout()`.

        Raises:
            ResponseError: If the answers do not fit the study; its `report` has every finding.
            MethodError: If the frame is of no known kind, or lazy.
        """
        reading = Reading.of(frame, study, layout or Layout())
        if not reading.report.ok:
            raise ResponseError(reading.report)
        return cls(study=study, report=reading.report, **reading.fields())

    @classmethod
    def from_frame(
        cls,
        frame: object,
        study: Study,
        *,
        organization: str = "organization",
        channel: str | None = "channel",
        respondent: str | None = "respondent",
        weight: str | None = None,
        stratum: str | None = None,
        cluster: str | None = None,
        stratum_population: str | None = None,
        date: str | None = None,
        columns: ColumnNames | Iterable[ItemColumn] | None = None,
        keep: Iterable[str] = (),
        duplicates: Duplicates = "error",
    ) -> Responses:
        """Read a wide frame: a row per evaluation and a column per item.

        A file whose columns are called ``organization``, ``channel``, ``respondent`` and like the
        items needs no further argument. `Layout` tells the arguments; `read` the errors.

        >>> from sotongindex.models import Channel, Dimension, Framework, Organization, SurveyItem
        >>> framework = Framework(
        ...     key="mini",
        ...     version="1",
        ...     channels=[Channel(key="blog")],
        ...     dimensions=[Dimension(key="openness")],
        ...     items=[SurveyItem(key="q1", dimension="openness")],
        ... )
        >>> study = Study(key="s", framework=framework, organizations=[Organization(key="kt")])
        >>> frame = {"organization": ["kt", "kt"], "respondent": [7, 8], "q1": [5, None]}
        >>> responses = Responses.from_frame(frame, study, channel=None)
        >>> responses.answers.tolist(), responses.respondent_keys.tolist()
        ([[5], [-128]], [7, 8])
        """
        layout = Layout(
            organization=organization,
            channel=channel,
            respondent=respondent,
            weight=weight,
            stratum=stratum,
            cluster=cluster,
            stratum_population=stratum_population,
            date=date,
            columns=columns,
            keep=keep,
            duplicates=duplicates,
        )
        return cls.read(frame, study, layout)

    @classmethod
    def from_long(
        cls,
        frame: object,
        study: Study,
        *,
        organization: str = "organization",
        item: str = "item",
        answer: str = "answer",
        respondent: str = "respondent",
        channel: str | None = "channel",
        weight: str | None = None,
        stratum: str | None = None,
        cluster: str | None = None,
        stratum_population: str | None = None,
        date: str | None = None,
        keep: Iterable[str] = (),
        duplicates: Duplicates = "error",
    ) -> Responses:
        """Read a long frame: a row per answer.

        Answers of the same respondent, organization and channel make one evaluation; its weight,
        stratum, cluster and kept columns must be the same in all of them. With
        ``duplicates="keep"`` a second answer to the same item begins a second evaluation. `Layout`
        tells the arguments; `read` the errors.
        """
        layout = Layout(
            organization=organization,
            item=item,
            answer=answer,
            respondent=respondent,
            channel=channel,
            weight=weight,
            stratum=stratum,
            cluster=cluster,
            stratum_population=stratum_population,
            date=date,
            keep=keep,
            duplicates=duplicates,
        )
        return cls.read(frame, study, layout)

    @classmethod
    def from_arrays(
        cls,
        study: Study,
        *,
        answers: ArrayLike,
        organization: ArrayLike,
        channel: ArrayLike | None = None,
        respondent: ArrayLike | None = None,
        weight: ArrayLike | None = None,
        stratum: ArrayLike | None = None,
        cluster: ArrayLike | None = None,
        stratum_population: ArrayLike | None = None,
        duplicates: Duplicates = "error",
    ) -> Responses:
        """Take plain arrays, with one row per evaluation.

        Args:
            study: What was asked about whom.
            answers: (n, items) in the order of the framework's items; NaN, or the lowest number of
                a signed integer type, where there is no answer.
            organization: Positions in ``study.organizations``, or keys, (n,).
            channel: Positions in ``study.framework.channels``, or keys, (n,); None where there is
                one channel.
            respondent: Keys, (n,); None where every row is a respondent of its own.
            weight: (n,), or None where all count 1.
            stratum: Keys, (n,), or None.
            cluster: Keys, (n,), or None where every respondent is a cluster.
            stratum_population: How many clusters the row's stratum has in the population, (n,), or
                None where the sample is a small part of it.
            duplicates: As for `Layout`.

        Raises:
            ResponseError: If the answers do not fit the study.
            MethodError: If the shapes do not fit, or a position points nowhere.
        """
        framework = study.framework
        columns: dict[str, Any] = _answer_columns(answers, framework.item_keys)
        bound = [ItemColumn(item=key, column=f"answers {key}") for key in framework.item_keys]
        columns["organization"] = _coded(organization, study.organization_keys, "organization")
        if channel is not None:
            columns["channel"] = _coded(channel, framework.channel_keys, "channel")
        roles = {
            "respondent": respondent,
            "weight": weight,
            "stratum": stratum,
            "cluster": cluster,
            "stratum_population": stratum_population,
        }
        given = {role: array for role, array in roles.items() if array is not None}
        layout = Layout(
            channel=None if channel is None else "channel",
            respondent=None if respondent is None else "respondent",
            weight=None if weight is None else "weight",
            stratum=None if stratum is None else "stratum",
            cluster=None if cluster is None else "cluster",
            stratum_population=None if stratum_population is None else "stratum_population",
            columns=bound,
            duplicates=duplicates,
        )
        return cls.read(Frame.of(columns | given), study, layout)


def _answer_columns(answers: ArrayLike, items: tuple[str, ...]) -> dict[str, Any]:
    """Cut an array of answers into columns."""
    table = np.asarray(answers)
    if table.ndim != 2 or table.shape[1] != len(items) or table.dtype.kind not in "biuf":
        raise MethodError(
            f"expected numbers of shape (n, {len(items)}), one column per item, got "
            f"{table.dtype} of shape {table.shape}",
            argument="answers",
        )
    null = int(np.iinfo(table.dtype).min) if table.dtype.kind == "i" else None
    by_item = np.ascontiguousarray(table.T)
    return {
        f"answers {key}": Numbers(values=by_item[position], null=null)
        for position, key in enumerate(items)
    }


def _coded(array: ArrayLike, keys: tuple[str, ...], argument: str) -> Column | ArrayLike:
    """Take whole numbers as positions in `keys`, and anything else as keys."""
    codes = np.asarray(array)
    if codes.dtype.kind == "f":
        raise MethodError("expected whole numbers or keys, got floats", argument=argument)
    if codes.dtype.kind not in "iu":
        return array
    wrong = np.flatnonzero((codes < 0) | (codes >= len(keys)))
    if len(wrong):
        raise MethodError(
            f"expected positions 0 to {len(keys) - 1}, got {codes[wrong[0]]} in row {wrong[0]}; "
            f"{len(wrong)} of {len(codes)} rows point nowhere",
            argument=argument,
        )
    return Text(codes=codes.astype(np.int32), labels=keys)


def check_responses(
    frame: object, study: Study, layout: Layout | None = None, **roles: Unpack[Roles]
) -> CheckReport:
    """Check a frame of answers against a study, and report instead of raising.

    Args:
        frame: As for `Responses.read`, or a lazy frame that narwhals knows: its engine counts, and
            rows, which have no order there, are not told.
        study: What was asked about whom.
        layout: Which column plays which role; default `Layout()`.
        **roles: Fields of `Layout` that differ from it: the arguments of `Responses.from_frame`,
            or with `item` and `answer` those of `Responses.from_long`.

    Returns:
        The report that a `ResponseError` would carry, or that the `Responses` carry.

    Raises:
        MethodError: If the frame is of no known kind; or a lazy one is asked for the last of
            duplicates, or has more different texts or answers in a column than can be looked at.
        EngineError: If the engine of a lazy frame fails.
        DefinitionError: If the roles contradict each other.
    """
    layout = attrs.evolve(layout or Layout(), **roles)
    table = LazyTable.of(frame)
    if table is not None:
        return check_lazily(table, study, layout)
    return Reading.of(frame, study, layout).report
