"""JSON Schemas of the documents, in a folder for every version.

The schema of the study file is made from the classes: ``python -m sotongindex.schemas`` prints it,
and a test compares it with the published file. It tells types, keys and choices; that references
name something and parts fit each other is checked by `load_recipe`.
"""

from __future__ import annotations

import json
import types
from datetime import date
from importlib.resources import files
from typing import Any, get_args, get_type_hints

import attrs

from sotongindex._converter import (
    is_literal,
    is_pairs,
    is_sequence,
    is_union,
    kind_of,
    records_of,
)
from sotongindex._documents import SCHEMA_VERSION
from sotongindex.recipe import Recipe

__all__ = ["make_study_file_schema", "study_file_schema"]

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"anyOf": [{"type": "number"}, {"enum": ["inf", "-inf"]}]},
    date: {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
    types.NoneType: {"type": "null"},
}


def study_file_schema(version: int = SCHEMA_VERSION) -> dict[str, Any]:
    """Return the published JSON Schema of the study file.

    Args:
        version: The version of the schema.

    Returns:
        A JSON Schema, draft 2020-12.

    Raises:
        FileNotFoundError: If there is no such version.

    >>> study_file_schema()["properties"]["sotongindex"]
    {'const': 'recipe'}
    """
    file = files("sotongindex.schemas") / str(version) / "study-file.json"
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


def make_study_file_schema() -> dict[str, Any]:
    """Return the JSON Schema of the study file as the classes are now."""
    definitions: dict[str, Any] = {}
    recipe = _record_schema(Recipe, definitions)
    tags = {"sotongindex": {"const": kind_of(Recipe)}, "schema": {"const": SCHEMA_VERSION}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sotongindex study file",
        "description": "A recipe: all that must be fixed to compute an index again.",
        **recipe,
        "properties": {**tags, **recipe["properties"]},
        "required": [*tags, *recipe["required"]],
        "$defs": dict(sorted(definitions.items())),
    }


def _record_schema(cls: Any, definitions: dict[str, Any], *, tag: str | None = None) -> Any:
    hints = get_type_hints(cls)
    properties = {
        field.name: _schema(hints[field.name], definitions) for field in attrs.fields(cls)
    }
    required = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
    if tag:
        properties, required = {"kind": {"const": tag}, **properties}, ["kind", *required]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; records are put among the definitions."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if is_literal(kind):
        return {"enum": list(get_args(kind))}
    if is_union(kind):
        return _union_schema(kind, definitions)
    if is_pairs(kind):
        member = get_args(get_args(kind)[0])[1]
        return {"type": "object", "additionalProperties": _schema(member, definitions)}
    if is_sequence(kind):
        return {"type": "array", "items": _schema(get_args(kind)[0], definitions)}
    return _defined(kind, definitions, name=kind_of(kind), tag=None)


def _union_schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    members = get_args(kind)
    choices = [member for member in members if member is not types.NoneType]
    records = records_of(kind)
    parts = []
    for member in members:
        if member in records.values() and len(choices) > 1:
            name = kind_of(member)
            parts.append(_defined(member, definitions, name=f"tagged-{name}", tag=name))
        else:
            parts.append(_schema(member, definitions))
    return {"anyOf": parts}


def _defined(
    cls: Any, definitions: dict[str, Any], *, name: str, tag: str | None
) -> dict[str, Any]:
    if name not in definitions:
        definitions[name] = {}  # holds the place while the record's own parts are made
        definitions[name] = _record_schema(cls, definitions, tag=tag)
    return {"$ref": f"#/$defs/{name}"}
