"""Score tables that somebody else computed, read into arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._frames import Frame, Numbers, Text
from sotongindex._validators import are_known
from sotongindex.errors import MethodError
from sotongindex.models import Study


@attrs.frozen(kw_only=True, eq=False)
class PublishedScores:
    """Scores by organization, channel and dimension, with what is known about them.

    Attributes:
        cells: Scores, (o, c, d); NaN where the table has none.
        errors: Their standard errors, (o, c, d); NaN where not known.
        index: The published index, (o,), or None.
        respondents: Respondents of every organization and channel, (o, c); NaN where not known.
        listed: Whether the table has a row, (o, c).
    """

    cells: FloatArray
    errors: FloatArray
    index: FloatArray | None
    respondents: FloatArray
    listed: NDArray[np.bool_]

    @classmethod
    def read(
        cls,
        table: object,
        study: Study,
        *,
        organization: str,
        channel: str | None,
        columns: Mapping[str, str] | None,
        standard_errors: Mapping[str, str] | None,
        index: str | None,
        respondents: str | None,
    ) -> PublishedScores:
        """Read a table with one row an organization, or an organization and channel."""
        frame, framework = Frame.of(table), study.framework
        keys = framework.dimension_keys
        names = dict(columns) if columns is not None else {key: key for key in keys}
        errors = dict(standard_errors or {})
        for field, mapping in (("columns", names), ("standard_errors", errors)):
            are_known(mapping, keys, field=field, what="dimension")
        o = _positions(frame, organization, study.organization_keys, what="organization")
        c = np.zeros(frame.rows, dtype=np.int64)
        if channel is not None:
            c = _positions(frame, channel, framework.channel_keys, what="channel")
        elif len(framework.channels) > 1:
            raise MethodError(
                f"the framework has {len(framework.channels)} channels; name the column that "
                "tells them",
                argument="channel",
            )
        _once(o * len(framework.channels) + c, study)
        shape = (len(study.organizations), len(framework.channels))

        def scattered(column: str | None) -> FloatArray:
            values = np.full(shape, np.nan)
            if column is not None:
                values[o, c] = _numbers(frame, column)
            return values

        def stacked(mapping: Mapping[str, str]) -> FloatArray:
            return np.stack([scattered(mapping.get(key)) for key in keys], axis=-1)

        cells = stacked(names)
        _points(cells, "columns")
        published = None if index is None else _one_per_organization(scattered(index))
        listed = np.zeros(shape, dtype=bool)
        listed[o, c] = True
        return cls(
            cells=cells,
            errors=stacked(errors),
            index=published,
            respondents=scattered(respondents),
            listed=listed,
        )


def _column(frame: Frame, name: str) -> Any:
    are_known([name], frame.names, field="frame", what="column")
    return frame.column(name)


def _numbers(frame: Frame, name: str) -> FloatArray:
    column = _column(frame, name)
    if not isinstance(column, Numbers):
        raise MethodError(f"expected numbers in column {name!r}", argument="frame")
    return np.where(column.is_null, np.nan, column.values.astype(np.float64))


def _positions(frame: Frame, name: str, known: tuple[str, ...], *, what: str) -> IntArray:
    """Return the position of every row's key among the known keys."""
    column = _column(frame, name)
    if isinstance(column, Text):
        labels, codes = [str(label) for label in column.labels], column.codes.astype(np.int64)
    elif isinstance(column, Numbers) and column.values.dtype.kind in "iu":
        distinct, codes = np.unique(column.values, return_inverse=True)
        labels, codes = distinct.astype(str).tolist(), np.where(column.is_null, -1, codes)
    else:
        raise MethodError(f"expected keys in column {name!r}", argument="frame")
    if (codes < 0).any():
        raise MethodError(
            f"{(codes < 0).sum()} rows of column {name!r} name no {what}, the first is row "
            f"{int(np.flatnonzero(codes < 0)[0])}",
            argument="frame",
        )
    place = {key: position for position, key in enumerate(known)}
    are_known(labels, known, field=f"frame[{name}]", what=what)
    return np.array([place[label] for label in labels], dtype=np.int64)[codes]


def _once(cells: IntArray, study: Study) -> None:
    found, counts = np.unique(cells, return_counts=True)
    if (counts > 1).any():
        key = study.organization_keys[int(found[counts > 1][0]) // len(study.framework.channels)]
        raise MethodError(
            f"{(counts > 1).sum()} organizations and channels have more than one row, the first "
            f"is {key!r}",
            argument="frame",
        )


def _points(scores: FloatArray, argument: str) -> None:
    outside = (scores < 0) | (scores > 100)
    if outside.any():
        raise MethodError(
            f"expected scores from 0 to 100, got {outside.sum()} others, such as "
            f"{scores[outside][0]:g}; convert them to points first",
            argument=argument,
        )


def _one_per_organization(values: FloatArray) -> FloatArray:
    """Return the index that the rows of every organization agree on, (o,)."""
    _points(values, "index")
    known = ~np.isnan(values)
    low = np.where(known, values, np.inf).min(axis=1)
    high = np.where(known, values, -np.inf).max(axis=1)
    if ((high - low) > 1e-9).any():
        raise MethodError("an organization's rows give different values", argument="index")
    return np.where(known.any(axis=1), low, np.nan)
