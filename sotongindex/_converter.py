"""Definitions as plain JSON values and back, strictly: "7" is not 7, 7.9 is not 7, true is not 1.

A record becomes an object of its fields. Fields whose value is the default None or () are left
out; every other field is written, so that a later change of a default cannot change what an old
document means. Pairs of text and value become an object; a record among several possible ones
carries its kind, such as ``{"kind": "fixed-weights", ...}``.
"""

from __future__ import annotations

import json
import math
import re
import types
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Literal, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import BaseValidationError, IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from sotongindex.errors import MethodError, nearest_key


class MisfitError(ValueError):
    """A value that does not fit its place; `at` is the rest of the path."""

    def __init__(self, message: str, *, at: str = "") -> None:
        super().__init__(message)
        self.at = at


# -- types ---------------------------------------------------------------------------------------


def kind_of(cls: type) -> str:
    """Return the name of a class in documents: ``FixedWeights`` is ``fixed-weights``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()


def is_union(kind: Any) -> bool:
    """Whether a type is a union, written in either way."""
    return get_origin(kind) in (Union, types.UnionType)


def is_sequence(kind: Any) -> bool:
    """Whether a type is a tuple of any length."""
    return get_origin(kind) is tuple and get_args(kind)[-1:] == (Ellipsis,)


def is_pairs(kind: Any) -> bool:
    """Whether a type is a tuple of pairs of text and value, which a document has as an object."""
    if not is_sequence(kind):
        return False
    pair = get_args(kind)[0]
    return get_origin(pair) is tuple and len(get_args(pair)) == 2 and get_args(pair)[0] is str


def is_literal(kind: Any) -> bool:
    """Whether a type lists its values."""
    return get_origin(kind) is Literal


def is_optional_field(field: attrs.Attribute[Any]) -> bool:
    """Whether a field is left out of documents where it holds its default."""
    return field.default is None or field.default == ()


def records_of(kind: Any) -> dict[str, type]:
    """Return the records in a union by their kinds."""
    return {kind_of(member): member for member in get_args(kind) if attrs.has(member)}


def plain_of(kind: Any) -> list[Any]:
    """Return what a union holds besides records and None."""
    members = get_args(kind)
    return [m for m in members if m is not types.NoneType and not attrs.has(m)]


# -- strict values -------------------------------------------------------------------------------


def shown(value: object) -> str:
    """Return a value as it stands in the document, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _exactly(kind: type, expected: str) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise MisfitError(f"expected {expected}, got {shown(value)}")
        return value

    return structure


def _number(value: Any, _: Any) -> float:
    if value in ("inf", "-inf"):
        return float(value)
    if type(value) not in (int, float) or not _is_representable(value):
        raise MisfitError(f"expected a number, got {shown(value)}")
    number: float = value
    return number


def _is_representable(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the floats
        return False


def _plain_number(value: float) -> float | str:
    if math.isnan(value):
        raise MethodError("expected numbers, got nan", argument="value")
    return str(value) if math.isinf(value) else value


def _date(value: Any, _: Any) -> date:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise MisfitError(f'expected a date such as "2025-09-01", got {shown(value)}')


def _literal_hook(kind: Any) -> Callable[[Any, Any], Any]:
    allowed = get_args(kind)

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, str) or value not in allowed:
            listed = ", ".join(map(shown, allowed))
            raise MisfitError(
                f"expected one of {listed}, got {shown(value)}" + hint(str(value), allowed)
            )
        return value

    return structure


def hint(key: str, known: Iterable[str]) -> str:
    """Return the end of a message that names the nearest known key, or nothing."""
    nearest = nearest_key(key, known)
    return f"; did you mean {nearest!r}?" if nearest else ""


# -- strict containers ---------------------------------------------------------------------------


def _each(
    values: Iterable[tuple[Any, Any]], structure: Callable[[Any], Any], kind: Any
) -> list[Any]:
    """Structure every value; gather the faults with their index."""
    done, faults = [], []
    for index, value in values:
        try:
            done.append(structure(value))
        except (BaseValidationError, ValueError) as error:
            error.add_note(IterableValidationNote("", index, kind))
            faults.append(error)
    if faults:
        raise IterableValidationError("", faults, kind)  # pyright: ignore[reportCallIssue]
    return done


def _sequence_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    member = get_args(kind)[0]

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, list):
            raise MisfitError(f"expected a list, got {shown(value)}")
        return tuple(
            _each(enumerate(value), lambda part: converter.structure(part, member), member)
        )

    return structure


def _pairs_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    member = get_args(get_args(kind)[0])[1]

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise MisfitError(f"expected an object, got {shown(value)}")
        parts = _each(value.items(), lambda part: converter.structure(part, member), member)
        return tuple(zip(value, parts, strict=True))

    return structure


def _record_hook(cls: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    build = make_dict_structure_fn(
        cls, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True
    )

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise MisfitError(f"expected an object, got {shown(value)}")
        return build(value, cls)

    return structure


def _union_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """Read None, a record by its kind (or the only one possible), or a plain type."""
    records, plain = records_of(kind), plain_of(kind)
    only = [*records.values(), *plain]

    def structure(value: Any, _: Any) -> Any:
        if value is None and types.NoneType in get_args(kind):
            return None
        if len(only) == 1:
            return converter.structure(value, only[0])
        if isinstance(value, dict) and (isinstance(value.get("kind"), str) or not plain):
            return converter.structure(_untagged(value), _tagged(value, records))
        if not plain or (isinstance(value, dict) and not is_pairs(plain[0])):
            raise MisfitError(f'expected an object with a "kind", got {shown(value)}')
        return converter.structure(value, _plain_for(value, plain))

    return structure


def _plain_for(value: Any, plain: list[Any]) -> Any:
    return str if str in plain and isinstance(value, str) else plain[-1]


def _untagged(value: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name != "kind"}


def _tagged(value: dict[str, Any], records: dict[str, type]) -> type:
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in records:
        listed = ", ".join(map(shown, records))
        got = shown(kind) if "kind" in value else "none"
        raise MisfitError(
            f"expected one of {listed}, got {got}" + hint(str(kind), records), at=".kind"
        )
    return records[kind]


# -- writing -------------------------------------------------------------------------------------


def _record_writer(cls: Any, converter: Converter) -> Callable[[Any], Any]:
    short = {
        field.name: override(omit_if_default=True)
        for field in attrs.fields(cls)
        if is_optional_field(field)
    }
    write = make_dict_unstructure_fn(cls, converter, **short)  # type: ignore[arg-type]
    names = [field.name for field in attrs.fields(cls)]

    def unstructure(value: Any) -> dict[str, Any]:
        content = write(value)  # has the short fields last
        return {name: content[name] for name in names if name in content}

    return unstructure


def _pairs_writer(kind: Any, converter: Converter) -> Callable[[Any], Any]:
    member = get_args(get_args(kind)[0])[1]
    return lambda value: {
        name: converter.unstructure(part, unstructure_as=member) for name, part in value
    }


def _sequence_writer(kind: Any, converter: Converter) -> Callable[[Any], Any]:
    member = get_args(kind)[0]
    return lambda value: [converter.unstructure(part, unstructure_as=member) for part in value]


def _union_writer(kind: Any, converter: Converter) -> Callable[[Any], Any]:
    records, plain = records_of(kind), plain_of(kind)

    def unstructure(value: Any) -> Any:
        if value is None:
            return None
        if type(value) in records.values():
            content = converter.unstructure(value)
            alone = len(records) + len(plain) == 1
            return content if alone else {"kind": kind_of(type(value)), **content}
        return converter.unstructure(value, unstructure_as=_plain_for(value, plain))

    return unstructure


# -- the converter -------------------------------------------------------------------------------


def make_converter() -> Converter:
    """Return a converter that reads strictly and writes standard JSON values."""
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook(str, _exactly(str, "text"))
    converter.register_structure_hook(bool, _exactly(bool, "true or false"))
    converter.register_structure_hook(int, _exactly(int, "a whole number"))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(date, _date)
    converter.register_unstructure_hook(float, _plain_number)
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_structure_hook_factory(is_literal, _literal_hook)
    for matches, reader, writer in (
        (attrs.has, _record_hook, _record_writer),
        (is_sequence, _sequence_hook, _sequence_writer),
        (is_pairs, _pairs_hook, _pairs_writer),
        (is_union, _union_hook, _union_writer),
    ):
        converter.register_structure_hook_factory(matches, _bound(reader, converter))
        converter.register_unstructure_hook_factory(matches, _bound(writer, converter))
    return converter


def _bound(
    make: Callable[[Any, Converter], Callable[..., Any]], converter: Converter
) -> Callable[[Any], Callable[..., Any]]:
    """Return a factory of hooks for one converter."""
    return lambda kind: make(kind, converter)
