"""The reference has one page for every public module."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

import sotongindex

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"


def test_every_public_module_has_its_page_in_the_reference() -> None:
    if not REFERENCE.is_dir():
        pytest.skip("needs the whole checkout")
    found = (module.name for module in pkgutil.iter_modules(sotongindex.__path__))
    pages = {f"sotongindex.{name}" for name in found if not name.startswith("_")} | {"sotongindex"}
    assert {page.stem for page in REFERENCE.glob("*.md")} - {"index"} == pages
