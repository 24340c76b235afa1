"""The library's own words in Korean and English, and how numbers are written for people."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal, TypeAlias, get_args

from sotongindex._arrays import round_half_up
from sotongindex.errors import MethodError, nearest_key

__all__ = [
    "MISSING",
    "Language",
    "chance",
    "count",
    "interval",
    "number",
    "say",
    "share",
    "signed",
    "words",
]

Language: TypeAlias = Literal["ko", "en"]

MISSING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"


@cache
def words(language: Language) -> Mapping[str, str]:
    """Return every word of the library in `language`.

    Raises:
        MethodError: If the language is neither "ko" nor "en".
    """
    known = get_args(Language)
    if language not in known:
        near = nearest_key(language, known)
        raise MethodError(
            f"expected 'ko' or 'en', got {language!r}"
            + (f"; did you mean {near!r}?" if near else ""),
            argument="language",
        )
    file = resources.files("sotongindex").joinpath("locales", f"{language}.json")
    loaded: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def say(key: str, language: Language, **values: object) -> str:
    """Return the words of `key`, its placeholders filled in.

    >>> say("interval", "en", low="53.1", high="58.2")
    '53.1 to 58.2'
    """
    return words(language)[key].format(**values)


def _is_missing(value: object) -> bool:
    return not isinstance(value, int | float) or math.isnan(value)


def number(value: object, digits: int = 1) -> str:
    """Write a number rounded half up; an en dash where it is missing.

    >>> number(56.25), number(-0.04), number(1234.5, 0)
    ('56.3', '0.0', '1,235')
    """
    if _is_missing(value):
        return MISSING
    rounded = float(round_half_up(value, digits)) + 0.0  # type: ignore[arg-type]  # a number
    return f"{rounded:,.{digits}f}".replace("-", _MINUS)


def signed(value: object, digits: int = 1) -> str:
    """Write a difference with its sign.

    >>> signed(2.345), signed(0.0)
    ('+2.3', '0.0')
    """
    text = number(value, digits)
    positive = (
        text != MISSING and not text.startswith(_MINUS) and any(c in text for c in "123456789")
    )
    return f"+{text}" if positive else text


def count(value: object) -> str:
    """Write a whole number with commas.

    >>> count(47670)
    '47,670'
    """
    return number(value, 0)


def chance(value: object) -> str:
    """Write a probability in per cent; never 0 or 100, which no survey can promise.

    >>> chance(0.125), chance(0.9991), chance(0.0)
    ('13%', '> 99%', '< 1%')
    """
    if _is_missing(value):
        return MISSING
    share = float(value)  # type: ignore[arg-type]  # a number, just checked
    if share < 0.005:
        return "< 1%"
    return "> 99%" if share >= 0.995 else f"{number(100 * share, 0)}%"


def share(value: object) -> str:
    """Write a share in per cent.

    >>> share(0.0625)
    '6.3%'
    """
    return MISSING if _is_missing(value) else f"{number(100 * float(value))}%"  # type: ignore[arg-type]  # a number


def interval(low: object, high: object, *, language: Language) -> str:
    """Write an interval; an en dash where it is not known.

    >>> interval(53.14, 58.15, language="ko")
    '53.1 ~ 58.2'
    """
    if _is_missing(low) or _is_missing(high):
        return MISSING
    return say("interval", language, low=number(low), high=number(high))
