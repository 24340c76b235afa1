"""The README keeps its word: its example runs, and its test command is the one that CI runs."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


def commands() -> list[str]:
    """Return what stands in the shell blocks of the README."""
    return re.findall(r"```sh\n(.*?)\n```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_example_gives_what_it_shows() -> None:
    result = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert result.attempted > 0
    assert result.failed == 0


def test_there_are_two_commands_of_one_line_each() -> None:
    demo, tests = commands()
    assert "\n" not in demo + tests
    assert demo.endswith("-m sotongindex demo")
    assert "-m pytest" in tests


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_ci_runs_the_test_command_of_the_readme() -> None:
    printed = subprocess.run(
        ["bash", str(ROOT / ".ci" / "run"), "test-command"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == commands()[1] + "\n"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_relative_links_lead_somewhere(page: str) -> None:
    if not (ROOT / "docs").is_dir():
        pytest.skip("needs the whole checkout")
    links = re.findall(r"\]\((?!https?://)([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []
