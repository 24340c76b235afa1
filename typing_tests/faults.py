"""Errors carry typed fields."""

from __future__ import annotations

from typing import assert_type

from sotongindex.errors import (
    DefinitionError,
    MethodError,
    SchemaError,
    SotongIndexError,
    nearest_key,
)

error = DefinitionError("unknown channel", field="Target.channel", key="blgo", nearest="blog")
assert_type(error.field, str)
assert_type(error.key, object)
assert_type(error.nearest, str | None)
assert_type(MethodError("expected below 1").argument, str | None)
assert_type(SchemaError([("study.key", "expected text")]).faults, tuple[tuple[str, str], ...])
assert_type(nearest_key("blgo", {"blog"}), str | None)

try:
    raise error
except SotongIndexError as caught:
    assert_type(caught, SotongIndexError)
