"""What every definition is made of: labels for people, keys, and pairs of a key and something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

import attrs

from sotongindex._validators import are_known, is_text_or_none
from sotongindex.errors import DefinitionError

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Label:
    """A name for people, in Korean, in English or in both.

    >>> Label(ko="블로그", en="Blog").text("ko")
    '블로그'
    """

    ko: str | None = attrs.field(default=None, validator=is_text_or_none)
    en: str | None = attrs.field(default=None, validator=is_text_or_none)

    def text(self, language: str = "en") -> str | None:
        """Return the text in `language` ("ko" or "en"), or in the other one where it is missing."""
        wanted, other = (self.ko, self.en) if language == "ko" else (self.en, self.ko)
        return wanted or other


def label_of(value: Label | Mapping[str, str] | str | None) -> Label | None:
    """Take a label, one text for both languages, or a mapping of languages to texts."""
    if value is None or isinstance(value, Label):
        return value
    if isinstance(value, str):
        return Label(ko=value, en=value)
    if not isinstance(value, Mapping):
        raise DefinitionError(
            f"expected a Label, a text or a mapping of languages to texts, got {value!r}",
            field="Label",
            key=value,
        )
    are_known(value, ("ko", "en"), field="Label", what="language")
    return Label(**value)


def keys_of(value: Iterable[str]) -> tuple[str, ...]:
    """Take keys, or one key: a lone string is an iterable of letters, and nobody means that."""
    return (value,) if isinstance(value, str) else tuple(value)


def keys_or_none(value: Iterable[str] | None) -> tuple[str, ...] | None:
    """Take keys, or None."""
    return None if value is None else keys_of(value)


def pairs_of(value: Mapping[str, T] | Iterable[tuple[str, T]]) -> tuple[tuple[str, T], ...]:
    """Take a mapping, or pairs of a key and something."""
    if isinstance(value, Mapping):
        return tuple(cast("Mapping[str, T]", value).items())
    return tuple(value)
