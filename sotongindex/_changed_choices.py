"""What differs between the recipes of two results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np

from sotongindex.results import IndexResult


@attrs.frozen(kw_only=True)
class ChangedChoice:
    """A choice that two results made differently.

    Attributes:
        field: Where it stands, such as ``method.power.items``.
        first: What the first result has.
        second: What the second has.
    """

    field: str
    first: str
    second: str


def changed_choices(first: IndexResult, second: IndexResult) -> tuple[ChangedChoice, ...]:
    """Return what differs: the items and their scales, the scheme, the method, the answers."""
    changes = [
        *_differing(first.study.framework.items, second.study.framework.items, "items"),
        *_differing(first.scheme, second.scheme, "scheme"),
        *_differing(first.method, second.method, "method"),
        *_differing(first.source, second.source, "source"),
    ]
    if not np.array_equal(first.counts.answers, second.counts.answers):
        one, two = (f"{int(result.counts.answers.sum()):,}" for result in (first, second))
        changes.append(("answers", one, two))
    elif not np.allclose(first.counts.effective, second.counts.effective, equal_nan=True):
        one, two = (f"{result.counts.effective.sum():,.0f} in effect" for result in (first, second))
        changes.append(("respondent weights", one, two))
    return tuple(ChangedChoice(field=field, first=one, second=two) for field, one, two in changes)


def _differing(first: Any, second: Any, field: str) -> Iterator[tuple[str, str, str]]:
    """Yield the innermost fields that differ, with both values."""
    if first == second:
        return
    if attrs.has(type(first)) and type(first) is type(second):
        for attribute in attrs.fields(type(first)):
            name = attribute.name
            yield from _differing(getattr(first, name), getattr(second, name), f"{field}.{name}")
        return
    keyed = [_by_key(value) for value in (first, second)]
    if keyed[0] and keyed[0].keys() == keyed[1].keys():
        for key, value in keyed[0].items():
            yield from _differing(value, keyed[1][key], f"{field}[{key}]")
        return
    yield field, repr(first), repr(second)


def _by_key(value: object) -> dict[str, Any]:
    """Return the parts of a tuple of definitions by their keys; nothing for anything else."""
    parts = value if isinstance(value, tuple) else ()
    return {part.key: part for part in parts if hasattr(part, "key")}
