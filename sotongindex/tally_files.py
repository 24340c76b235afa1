"""Tallies in files: compact, with a version, the same numbers bit for bit.

A file is a compressed archive of arrays in NumPy's format, which holds no code, beside a header in
JSON with the study. So a tracker adds today's answers to yesterday's tally.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._moments import ItemMoments
from sotongindex._pair_sums import PairSums
from sotongindex._replicate_sums import ReplicateSums
from sotongindex.errors import MethodError, SchemaError
from sotongindex.models import Study
from sotongindex.serialize import from_json, to_json
from sotongindex.tally import Tally

__all__ = ["load_tally", "save_tally"]

_SCHEMA = 1
_HEADER = "header"
_OWN = tuple(
    field.name
    for field in attrs.fields(Tally)
    if field.name not in ("study", "groups", "moments", "replicates")
)
_OPTIONAL = ("categories", "frequencies")
_MOMENTS = ("channel", "group")
_PAIRS = tuple(field.name for field in attrs.fields(PairSums))
_REPLICATES = tuple(field.name for field in attrs.fields(ReplicateSums))

# What reading an archive ends with where there is none, or some of its bytes are wrong.
_DAMAGE = (ValueError, OSError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)

Arrays = Mapping[str, NDArray[Any]]


def save_tally(tally: Tally, path: str | PathLike[str]) -> None:
    """Write a tally to a file, with its study, moments and replicates.

    The file is there whole or not at all; an existing one is replaced.

    Args:
        tally: The tally.
        path: The file, by custom ending in ``.tally``.

    Raises:
        OSError: If the file cannot be written.

    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from sotongindex.datasets import sample_panel
    >>> tally = Tally.from_responses(sample_panel(respondents=20).responses)
    >>> path = Path(mkdtemp()) / "today.tally"
    >>> save_tally(tally, path)
    >>> bool((load_tally(path).points == tally.points).all())
    True
    """
    study = json.loads(to_json(tally.study))
    header = {"sotongindex": "tally", "schema": _SCHEMA, "groups": tally.groups, "study": study}
    text = json.dumps(header, ensure_ascii=False).encode()
    arrays: dict[str, Any] = {_HEADER: np.frombuffer(text, dtype=np.uint8)}
    arrays |= {name: _small(array) for name, array in _arrays(tally)}
    target = Path(path)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def load_tally(path: str | PathLike[str]) -> Tally:
    """Read a tally from a file of `save_tally`.

    Args:
        path: The file.

    Returns:
        The tally.

    Raises:
        SchemaError: If the file is no tally, is damaged, or was written by a later version.
        OSError: If the file cannot be read.
    """
    content = Path(path).read_bytes()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except _DAMAGE as error:
        raise SchemaError([("$", f"no tally, or a damaged one: {error}")]) from error
    groups, study = _header(arrays.pop(_HEADER, None))
    try:
        tally = _tally(arrays, study, groups)
    except (KeyError, TypeError, MethodError) as error:
        raise SchemaError([("$", f"arrays of a tally are missing or odd: {error}")]) from error
    unknown = arrays.keys() - dict(_arrays(tally)).keys()
    faults = [*_faults(tally), *((name, "unknown array") for name in sorted(unknown))]
    if faults:
        raise SchemaError(faults)
    return tally


def _arrays(tally: Tally) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays of a tally, of its moments and of its replicates."""
    for name in _OWN:
        if getattr(tally, name) is not None:
            yield name, getattr(tally, name)
    if tally.moments is not None:
        for name in _MOMENTS:
            yield f"moments {name}", getattr(tally.moments, name)
        for name in _PAIRS:
            yield f"moments {name}", getattr(tally.moments.sums, name)
    if tally.replicates is not None:
        for name in _REPLICATES:
            yield f"replicates {name}", getattr(tally.replicates, name)


def _small(array: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers in the smallest type that holds them."""
    if array.dtype.kind != "i" or array.size == 0:
        return array
    ends = np.min_scalar_type(int(array.min())), np.min_scalar_type(int(array.max()))
    return array.astype(np.promote_types(*ends))


def _header(header: NDArray[Any] | None) -> tuple[int, Study]:
    """Return the number of groups and the study."""
    try:
        content = json.loads(b"" if header is None else header.tobytes())
        kind, schema = content["sotongindex"], content["schema"]
        groups, study = content["groups"], content["study"]
    except (ValueError, KeyError, TypeError) as error:
        raise SchemaError([("header", "this is no file of a tally")]) from error
    if kind != "tally" or not isinstance(schema, int) or schema < 1:
        raise SchemaError([("header", f"expected a tally, got {kind!r} of schema {schema!r}")])
    if schema > _SCHEMA:
        raise SchemaError(
            [("header", f"schema {schema} is of a later version, this one reads {_SCHEMA}; update")]
        )
    if not isinstance(groups, int) or groups < 1:
        raise SchemaError([("header/groups", f"expected 1 or more, got {groups!r}")])
    return groups, from_json(json.dumps(study))


def _tally(arrays: Arrays, study: Study, groups: int) -> Tally:
    """Make a tally of arrays."""
    given = {name: arrays[name] for name in _OWN if name in arrays or name not in _OPTIONAL}
    moments = replicates = None
    if any(name.startswith("moments ") for name in arrays):
        moments = ItemMoments(
            framework=study.framework,
            groups=groups,
            sums=PairSums(**{name: arrays[f"moments {name}"] for name in _PAIRS}),
            **{name: _whole(arrays[f"moments {name}"]) for name in _MOMENTS},
        )
    if any(name.startswith("replicates ") for name in arrays):
        parts = {name: arrays[f"replicates {name}"] for name in _REPLICATES}
        replicates = ReplicateSums(**{**parts, "unit": _whole(parts["unit"])})
    return Tally(
        study=study,
        groups=groups,
        moments=moments,
        replicates=replicates,
        **{name: _whole(array) for name, array in given.items()},
    )


def _whole(array: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers as they were before they were stored."""
    return array.astype(np.int64) if array.dtype.kind in "iu" else array


def _faults(tally: Tally) -> Iterator[tuple[str, str]]:
    """Find shapes and positions that cannot be those of a tally."""
    study = tally.study
    rows, items = len(tally.organization), len(study.framework.items)
    limits = {
        "organization": len(study.organizations),
        "channel": len(study.framework.channels),
        "group": tally.groups,
    }
    for name, limit in limits.items():
        positions = getattr(tally, name)
        if positions.shape != (rows,) or not ((positions >= 0) & (positions < limit)).all():
            yield name, f"expected {rows} positions from 0 to {limit - 1}"
    for name in ("evaluations", "weight", "squared_weight"):
        if getattr(tally, name).shape != (rows,):
            yield name, f"expected {rows} numbers, got shape {getattr(tally, name).shape}"
    for name in ("answers", "answer_weight", "points"):
        if getattr(tally, name).shape != (rows, items):
            yield name, f"expected shape ({rows}, {items}), got {getattr(tally, name).shape}"
