"""JSON documents: text to records and back, with every fault and its path in one error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
from cattrs import Converter
from cattrs.errors import (
    BaseValidationError,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)

from sotongindex._converter import MisfitError, hint, kind_of, shown
from sotongindex._references import dangling_keys, references_of
from sotongindex.errors import DefinitionError, MethodError, SchemaError

SCHEMA_VERSION = 1

Fault = tuple[str, str]


def write_document(value: Any, converter: Converter, *, indent: int | None = 2) -> str:
    """Return the text of the document of a record, in one line where `indent` is None."""
    content = converter.unstructure(value)
    document = {"sotongindex": kind_of(type(value)), "schema": SCHEMA_VERSION, **content}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent) + "\n"


def read_document(text: str | bytes, kinds: Mapping[str, type], converter: Converter) -> Any:
    """Read a document whose kind is one of `kinds`.

    Raises:
        SchemaError: With every fault of the document.
    """
    document = _parse(text)
    cls = _class_of(document, kinds)
    content = {k: part for k, part in document.items() if k not in ("sotongindex", "schema")}
    faults = [
        (_join(path, key), "this key is used twice")
        for path, node in _walk(document, "")
        if isinstance(node, _Object)
        for key in node.repeated
    ]
    unknown = [
        (key.path, key.message + (f"; did you mean {key.nearest!r}?" if key.nearest else ""))
        for key in dangling_keys(content, references_of(kind_of(cls)))
    ]
    value: Any = None
    try:
        value = converter.structure(content, cls)
    except (BaseValidationError, ValueError) as error:
        own = list(_faults(error, content, ""))
        faults += [fault for fault in own if not _says_more(unknown, fault)]
    if faults or unknown:
        raise SchemaError(_in_order(faults + unknown, document))
    return value


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys came more than once."""

    repeated: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    value = _Object(pairs)
    names = [name for name, _ in pairs]
    if len(value) < len(names):
        value.repeated = tuple(name for name in value if names.count(name) > 1)
    return value


def _refuse(token: str) -> None:
    raise ValueError(f"{token} is not standard JSON")


def _parse(text: str | bytes) -> dict[str, Any]:
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise SchemaError([("document", f"not valid JSON: {error}")]) from None
    if not isinstance(document, dict):
        raise SchemaError([("document", f"expected an object, got {shown(document)}")])
    return document


def _class_of(document: dict[str, Any], kinds: Mapping[str, type]) -> type:
    kind, version = document.get("sotongindex"), document.get("schema")
    faults = []
    if not isinstance(kind, str) or kind not in kinds:
        listed = ", ".join(map(shown, kinds))
        got = shown(kind) if "sotongindex" in document else "nothing"
        end = hint(str(kind), kinds)
        faults.append(("sotongindex", f"expected one of {listed}, got {got}{end}"))
    if type(version) is not int or version != SCHEMA_VERSION:
        newer = type(version) is int and version > SCHEMA_VERSION
        advice = "; upgrade sotongindex to read this document" if newer else ""
        got = shown(version) if "schema" in document else "nothing"
        faults.append(("schema", f"expected {SCHEMA_VERSION}, got {got}{advice}"))
    if faults:
        raise SchemaError(faults)
    return kinds[str(kind)]


# -- faults --------------------------------------------------------------------------------------


def _faults(error: Exception, node: Any, path: str) -> Iterator[Fault]:
    """Tell every fault gathered in `error` with its path, at `path` or below it."""
    if isinstance(error, ClassValidationError | IterableValidationError):
        located, loose = error.group_exceptions()
        for inner, note in located:
            step = note.index if isinstance(note, IterableValidationNote) else note.name
            yield from _faults(inner, *_below(node, step, path))
        for inner in loose:
            yield from _faults(inner, node, path)
    else:
        yield from _single_faults(error, node, path)


def _single_faults(error: Exception, node: Any, path: str) -> Iterator[Fault]:
    """Tell the fault of an error that gathers no others."""
    if isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)]
        for key in sorted(error.extra_fields):
            yield _join(path, key), f"unknown key{hint(key, known)}"
    elif isinstance(error, KeyError):
        yield path, "is missing"
    elif isinstance(error, DefinitionError):
        yield _definition_fault(error, node, path)
    elif isinstance(error, MisfitError):
        yield (path + error.at).lstrip(".") or "document", str(error)
    elif isinstance(error, MethodError):
        message = str(error).removeprefix(f"{error.argument}: ")
        yield _join(path, error.argument or "").rstrip(".") or "document", message
    else:
        raise error  # a mistake of this library, not of the document


def _below(node: Any, step: Any, path: str) -> tuple[Any, str]:
    """Return the part of `node` at a step, if it is there, and its path."""
    if isinstance(step, int):
        return node[step], f"{path}[{step}]"
    return node.get(step), _join(path, step)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _definition_fault(error: DefinitionError, node: Any, path: str) -> Fault:
    """Turn ``Framework.items[q1].dimension`` into the path of that item in the document."""
    message = str(error).removeprefix(f"{error.field}: ")
    tail = error.field.partition(".")[2]
    for name, key, rest in re.findall(r"^(\w+)\[([^\]]*)\](.*)", tail):
        members = node.get(name, ())
        if isinstance(members, dict):
            tail = f"{name}.{key}{rest}"
        for position, member in enumerate(members):
            if isinstance(member, dict) and member.get("key") == key:
                tail = f"{name}[{position}]{rest}"
    return (_join(path, tail) if tail else path) or "document", message


def _says_more(unknown: Iterable[Fault], fault: Fault) -> bool:
    """Whether a dangling key already tells what `fault` tells, at its path or below it."""
    return any(re.match(re.escape(fault[0]) + r"($|[.\[])", path) for path, _ in unknown)


def _walk(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Tell path and value of every part of a document, in its order."""
    yield path, node
    if isinstance(node, dict):
        for name, part in node.items():
            yield from _walk(part, _join(path, name))
    elif isinstance(node, list):
        for position, part in enumerate(node):
            yield from _walk(part, f"{path}[{position}]")


def _in_order(faults: Iterable[Fault], document: Any) -> list[Fault]:
    """Sort faults by where they are in the document; what is missing comes with its owner."""
    places = {path: place for place, (path, _) in enumerate(_walk(document, ""))}

    def place(fault: Fault) -> int:
        path = fault[0]
        while path not in places:
            path = path[:-1]
        return places[path]

    return sorted(faults, key=place)
