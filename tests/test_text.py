"""The library's own words are complete in both languages, and numbers are written for people."""

from __future__ import annotations

import json
import re
import string
from importlib import resources
from pathlib import Path
from typing import get_args

import pytest

import sotongindex
from sotongindex._disclosure import Reason
from sotongindex._render import TABLES
from sotongindex._text import chance, count, interval, number, say, signed, words
from sotongindex.errors import MethodError
from sotongindex.models import Conversion, Statistic

LANGUAGES = ("ko", "en")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_words_in_the_same_order() -> None:
    assert list(words("ko")) == list(words("en"))


@pytest.mark.parametrize("key", words("en"))
def test_both_languages_fill_in_the_same_things(key: str) -> None:
    assert placeholders(words("ko")[key]) == placeholders(words("en")[key])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_empty_or_given_twice(language: str) -> None:
    text = resources.files("sotongindex").joinpath("locales", f"{language}.json").read_text("utf-8")
    pairs = json.loads(text, object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    assert keys == list(dict.fromkeys(keys))
    assert [key for key, word in pairs if not word.strip()] == []


def test_korean_words_are_korean() -> None:
    same = {key for key, word in words("ko").items() if not re.search("[가-힣]", word)}
    assert same == {"interval", "target.peers"}  # numbers and names alone


def wanted_keys() -> set[str]:
    """Return every key that the sources ask for, as far as they write it out."""
    folder = Path(sotongindex.__path__[0])
    found: set[str] = set()
    for path in folder.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'say\(\s*"([^"]+)"', source))
        found |= set(re.findall(r'"(report\.[a-z_.]+)"', source)) - {"report.html"}
    found |= {f"column.{column.name}" for columns in TABLES.values() for column in columns}
    found |= {f"reason.{reason}" for reason in get_args(Reason) if reason}
    found |= {f"statistic.{statistic}" for statistic in get_args(Statistic)}
    found |= {f"method.conversion.{conversion}" for conversion in get_args(Conversion)}
    return found


@pytest.mark.parametrize("key", sorted(wanted_keys()))
def test_every_word_that_is_asked_for_exists(key: str) -> None:
    assert key in words("en")


def test_every_kind_of_notice_has_korean_words() -> None:
    folder = Path(sotongindex.__path__[0])
    codes: set[str] = set()
    for path in folder.glob("*.py"):
        codes |= set(re.findall(r'Notice\(\s*code="([^"]+)"', path.read_text(encoding="utf-8")))
    source = folder.joinpath("_notices.py").read_text(encoding="utf-8")
    codes |= set(re.findall(r'yield \(?\s*"([^"]+)"', source))
    assert {"no answers", "index missing", "framework differs"} <= codes
    assert [code for code in sorted(codes) if f"notice.{code}" not in words("ko")] == []


def test_an_unknown_language_is_an_error_with_the_nearest() -> None:
    with pytest.raises(MethodError, match="did you mean 'ko'") as caught:
        words("kor")
    assert caught.value.argument == "language"


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (0.5, 0, "1"),
        (2.5, 0, "3"),
        (56.25, 1, "56.3"),
        (1.005, 2, "1.01"),
        (-0.04, 1, "0.0"),
        (-1.26, 1, "−1.3"),
        (1234567, 0, "1,234,567"),
        (float("nan"), 1, "–"),
        (None, 1, "–"),
    ],
)
def test_numbers_are_rounded_half_up(value: float | None, digits: int, written: str) -> None:
    assert number(value, digits) == written


@pytest.mark.parametrize(
    ("value", "written"), [(2.345, "+2.3"), (-0.5, "−0.5"), (0.04, "0.0"), (None, "–")]
)
def test_differences_carry_their_sign(value: float | None, written: str) -> None:
    assert signed(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "< 1%"), (0.0049, "< 1%"), (0.005, "1%"), (0.125, "13%"), (0.9949, "99%"),
     (1.0, "> 99%"), (None, "–")],
)  # fmt: skip
def test_no_probability_is_written_as_certain(value: float | None, written: str) -> None:
    assert chance(value) == written


def test_intervals_and_counts() -> None:
    assert interval(-1.0, 2.0, language="en") == "−1.0 to 2.0"
    assert interval(None, 2.0, language="en") == "–"
    assert count(47670) == "47,670"
    assert say("more", "ko", count=3) == "… 외 3행"
