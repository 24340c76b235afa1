"""Checks that several definitions share; each names the field at fault."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import attrs

from sotongindex.errors import DefinitionError, MethodError, nearest_key

Validator: TypeAlias = "Callable[[object, attrs.Attribute[Any], Any], None]"

LONGEST_KEY = 100


def field_name(instance: object, attribute: attrs.Attribute[Any]) -> str:
    """Return ``Class.field``."""
    return f"{type(instance).__name__}.{attribute.name}"


def is_key(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Keys join tables and name columns, so they are short printable ASCII."""
    fits = (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_KEY
        and value.isascii()
        and value.isprintable()
        and value == value.strip()
    )
    if not fits:
        raise DefinitionError(
            f"expected a key of 1 to {LONGEST_KEY} printable ASCII characters without spaces "
            f"around it, got {value!r}; put other text into the label",
            field=field_name(instance, attribute),
            key=value,
        )


def is_one_of(*allowed: str) -> Validator:
    """Return a validator for a choice from a list."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value not in allowed:
            raise DefinitionError(
                f"expected one of {', '.join(map(repr, allowed))}, got {value!r}",
                field=field_name(instance, attribute),
                key=value,
                nearest=nearest_key(value, allowed),
            )

    return check


def is_a(*kinds: type) -> Validator:
    """Return a validator for a value of a class, where annotations alone would pass anything."""
    names = " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds)

    def check(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, kinds):
            raise DefinitionError(
                f"expected {names}, got {value!r}", field=field_name(instance, attribute), key=value
            )

    return check


def are_all(check: Validator) -> Validator:
    """Return a validator that puts `check` to every part of a tuple; None has no parts."""

    def check_parts(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        for part in value if isinstance(value, tuple) else ():
            check(instance, attribute, part)

    return check_parts


def is_finite(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Numbers are finite; True is not 1."""
    if not math.isfinite(number_of(value)):
        raise DefinitionError(
            f"expected a finite number, got {value!r}",
            field=field_name(instance, attribute),
            key=value,
        )


def is_positive(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Totals are finite numbers above 0."""
    if not 0 < number_of(value) < math.inf:
        raise DefinitionError(
            f"expected a positive number, got {value!r}",
            field=field_name(instance, attribute),
            key=value,
        )


def number_of(value: object) -> float:
    """Return a number as it is, and NaN for what is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def are_known(keys: Iterable[str], known: Iterable[str], *, field: str, what: str) -> None:
    """Names refer to something; the error says to what they might."""
    allowed = dict.fromkeys(known)
    for key in keys:
        if key not in allowed:
            raise DefinitionError(
                f"unknown {what} {key!r}", field=field, key=key, nearest=nearest_key(key, allowed)
            )


def are_unique(keys: Iterable[str], *, field: str) -> None:
    """No key is used twice."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise DefinitionError(f"key {key!r} is used twice", field=field, key=key)
        seen.add(key)


def check_choice(value: str, allowed: tuple[str, ...], argument: str) -> None:
    """Check that an option is one of those there are."""
    if value not in allowed:
        near = nearest_key(value, allowed)
        raise MethodError(
            f"expected one of {', '.join(map(repr, allowed))}, got {value!r}"
            + (f"; did you mean {near!r}?" if near else ""),
            argument=argument,
        )


is_text = is_a(str)
is_text_or_none = is_a(str, type(None))
