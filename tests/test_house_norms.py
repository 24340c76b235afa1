"""The norms of size that no linter counts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sotongindex

MODULES = sorted(Path(sotongindex.__path__[0]).rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 400, 40


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of the body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_and_functions_are_short(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    functions = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    module_lines = len(source.splitlines())
    assert module_lines <= LONGEST_MODULE
    assert [node.name for node in functions if code_lines(node) > LONGEST_FUNCTION] == []
