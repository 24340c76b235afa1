"""The public names and signatures are a promise: any change shows up here.

A change that is meant: run ``python tests/api/test_public_names.py``, read the difference in
``public_api.json``, and tell it in CHANGELOG.md.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import json
import os
import pkgutil
import re
import subprocess
import sys
import typing
from pathlib import Path
from types import ModuleType

import attrs
import pytest

import sotongindex

SNAPSHOT = Path(__file__).parent / "public_api.json"
RENEW = "if the change is meant, run: python tests/api/test_public_names.py"
NEVER_AT_IMPORT = {"scipy.stats", "pandas", "polars", "matplotlib", "pyarrow", "duckdb"}


def public_modules() -> list[str]:
    """Return the package and its modules without a leading underscore."""
    found = pkgutil.iter_modules(sotongindex.__path__)
    return ["sotongindex", *sorted(f"sotongindex.{m.name}" for m in found if m.name[0] != "_")]


def public_names(module: ModuleType) -> list[str]:
    """Return the module's `__all__` as written."""
    return list(module.__all__)


def rank(name: str) -> tuple[bool, bool, str]:
    """Return the sort key of a name: constants, then classes, then functions."""
    return not name.isupper(), not name[0].isupper(), name


def shown(value: object) -> str:
    """Return a text for a default that is the same on every machine."""
    if inspect.isroutine(value) or inspect.isclass(value):
        return value.__qualname__
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def signature(function: object) -> str:
    """Return the signature with its types and defaults, in the words of the source."""
    described = inspect.signature(function)
    parameters = [
        parameter.replace(
            annotation=unquoted(parameter.annotation),
            default=parameter.default
            if parameter.default is parameter.empty
            else _Shown(shown(parameter.default)),
        )
        for parameter in described.parameters.values()
    ]
    returned = unquoted(described.return_annotation)
    return str(described.replace(parameters=parameters, return_annotation=returned))


def unquoted(annotation: object) -> object:
    """Return a written annotation so that it is shown without quotes."""
    return _Shown(annotation) if isinstance(annotation, str) else annotation


class _Shown(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def attribute(field: attrs.Attribute) -> str:
    """Return one field of an attrs class: type, default, and how it is given."""
    kind = field.type if isinstance(field.type, str) else shown(field.type)
    default = field.default
    if default is attrs.NOTHING:
        value = ""
    elif isinstance(default, attrs.Factory):
        value = f" = factory {shown(default.factory)}"
    else:
        value = f" = {shown(default)}"
    return f"{kind}{value}{'' if field.init else ', not in __init__'}" + (
        ", keyword" if field.kw_only else ""
    )


def members(cls: type) -> dict[str, str]:
    """Return the public methods and properties that the class itself defines."""
    fields = {field.name for field in attrs.fields(cls)} if attrs.has(cls) else set()
    described = {}
    for name, member in sorted(vars(cls).items()):
        if name.startswith("_") or name in fields:
            continue
        if isinstance(member, property):
            described[name] = f"property {signature(member.fget)}"
        elif isinstance(member, classmethod | staticmethod):
            described[name] = f"{type(member).__name__}{signature(member.__func__)}"
        elif inspect.isroutine(member):
            described[name] = signature(member)
    return described


def description(value: object) -> object:
    """Return what a caller may rely on: fields, methods, signature or allowed words."""
    if inspect.ismodule(value):
        return f"module {value.__name__}"
    if inspect.isclass(value) and issubclass(value, enum.Enum):
        return {"members": {member.name: shown(member.value) for member in value}}
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
        fields = attrs.fields(value) if attrs.has(value) else ()
        made_by = (
            {"fields": {field.name: attribute(field) for field in fields}}
            if attrs.has(value)
            else {"signature": signature(value.__init__)}
        )
        return {"bases": bases, **made_by, "members": members(value)}
    if inspect.isroutine(value):
        return signature(value)
    if typing.get_origin(value) is typing.Literal:
        return " | ".join(map(repr, typing.get_args(value)))
    return type(value).__name__ if typing.get_origin(value) is None else "type alias"


def current_api() -> dict[str, dict[str, object]]:
    """Return the description of every public name of every public module.

    A name that is described in another public module is only pointed to.
    """
    modules = {name: importlib.import_module(name) for name in public_modules()}
    api: dict[str, dict[str, object]] = {name: {} for name in modules}
    for name, module in modules.items():
        for public in public_names(module):
            value = getattr(module, public)
            home = getattr(value, "__module__", name)
            elsewhere = home != name and public in getattr(modules.get(home), "__all__", ())
            api[name][public] = f"from {home}" if elsewhere else description(value)
    return api


def stored_api() -> dict[str, dict[str, object]]:
    """Return the snapshot."""
    return json.loads(SNAPSHOT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def current() -> dict[str, dict[str, object]]:
    """Read in a fresh interpreter: other tests may have resolved annotations in place."""
    return json.loads(run_fresh(__file__, "--show"))


def test_public_modules_are_those_of_the_snapshot() -> None:
    assert public_modules() == sorted(stored_api()), RENEW


@pytest.mark.parametrize("name", public_modules())
def test_all_is_sorted_and_every_name_exists(name: str) -> None:
    module = importlib.import_module(name)
    names = public_names(module)
    assert names == sorted(set(names), key=rank)
    assert [public for public in names if not hasattr(module, public)] == []


@pytest.mark.parametrize("name", public_modules())
def test_public_names_and_signatures_match_the_snapshot(
    name: str, current: dict[str, dict[str, object]]
) -> None:
    stored = stored_api().get(name, {})
    assert list(current[name]) == list(stored), RENEW
    assert current[name] == stored, RENEW


def run_fresh(*arguments: str) -> str:
    """Run a fresh interpreter that finds the same sotongindex; return what it says."""
    home = str(Path(sotongindex.__path__[0]).parent)
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        env={**os.environ, "PYTHONPATH": home},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout + done.stderr


def test_import_loads_no_dataframe_library_and_nothing_slow() -> None:
    code = f"import sys, sotongindex; print(sorted({NEVER_AT_IMPORT} & set(sys.modules)))"
    assert run_fresh("-c", code).strip() == "[]"


def test_rooms_of_the_front_door_that_few_need_are_entered_when_asked_for() -> None:
    later = {f"sotongindex.{room}" for room in ("calibration", "change", "planning", "robustness")}
    ask = "import sys, sotongindex; print(sorted({later} & set(sys.modules))); sotongindex.{name}"
    assert run_fresh("-c", ask.format(later=later, name="rake")).strip() == "[]"
    assert set(dir(sotongindex)) == set(sotongindex.__all__)
    with pytest.raises(AttributeError, match="no attribute 'rakes'"):
        sotongindex.rakes  # noqa: B018


def test_import_says_nothing() -> None:
    assert not run_fresh("-c", f"import {', '.join(public_modules())}")


if __name__ == "__main__":
    text = json.dumps(current_api(), indent=1, ensure_ascii=False)
    if "--show" in sys.argv:
        sys.stdout.buffer.write(text.encode("utf-8"))
    else:
        SNAPSHOT.write_text(text + "\n", encoding="utf-8")
        sys.stdout.write(f"wrote {SNAPSHOT}\n")
