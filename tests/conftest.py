"""What all tests share: the folder of real data and the Hypothesis profiles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# `pytest --hypothesis-profile=thorough` searches longer and anew each time.
settings.register_profile("default", derandomize=True, deadline=None)
settings.register_profile("thorough", derandomize=False, deadline=None, max_examples=1000)
settings.load_profile("default")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and reference values: beside the checkout, or where told."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("SOTONGINDEX_SHARED", beside))
    if not folder.is_dir():
        pytest.skip("needs ../shared")
    return folder
