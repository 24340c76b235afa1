"""The project's checks: `nox` runs them all, `nox -s lint` one of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = ["3.11", "3.12", "3.13"]
ROOT = Path(__file__).parent
# What the tests read besides the package.
TEST_FILES = [".ci", "CHANGELOG.md", "README.md", "examples", "pyproject.toml", "tests"]

nox.needs_version = ">=2025.2.9"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = [
    "lint",
    "typing",
    "imports",
    "api",
    "tests",
    "engines",
    "spark",
    "minimum",
    "wheel",
    "docs",
]


def install(session: nox.Session, *groups: str, package: str | None = "-e.") -> None:
    """Install dependency groups and, unless `package` is None, the package itself."""
    wanted = nox.project.dependency_groups(PROJECT, *groups)
    session.install(*([package] if package else []), *wanted)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests and the examples of the docstrings, with branch coverage."""
    install(session, "test")
    session.run("pytest", "--cov", *session.posargs)


@nox.session(python="3.11")
def engines(session: nox.Session) -> None:
    """Let every engine but Spark add up the same answers."""
    install(session, "engines")
    session.run("pytest", "tests/engines", "-m", "not spark", "-n", "2", *session.posargs)


@nox.session(python="3.11")
def spark(session: nox.Session) -> None:
    """Let Spark in local mode add up the same answers. It needs Java 17 or newer."""
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        _install_java(session)
    install(session, "spark")
    session.run("pytest", "tests/engines", "-m", "spark", *session.posargs)


def _install_java(session: nox.Session) -> None:
    """Install Java where this machine is a Debian; where there is none at all, skip and say so."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        fine = [0, 100]  # without the network, what is asked for below is still missing
        session.run("apt-get", "update", "-q", external=True, success_codes=fine)
        java = "openjdk-17-jre-headless"
        session.run("apt-get", "install", "-qy", java, external=True, success_codes=fine)
    if not shutil.which("java"):
        session.skip("Spark needs Java 17 or newer: install it, or set JAVA_HOME")


@nox.session(python="3.11")
def minimum(session: nox.Session) -> None:
    """Run the tests with the lowest version of every required package."""
    lowest = Path(session.create_tmp()) / "lowest.txt"
    floors = [line.replace(">=", "==") for line in PROJECT["project"]["dependencies"]]
    lowest.write_text("\n".join(floors) + "\n", encoding="utf-8")
    wanted = nox.project.dependency_groups(PROJECT, "test")
    session.install("-e.", *wanted, "--constraint", str(lowest))
    session.run("pytest", *session.posargs)


@nox.session(python="3.11")
def wheel(session: nox.Session) -> None:
    """Build the wheel and run the tests on it, away from the sources."""
    folder = Path(session.create_tmp()) / "away"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    session.install("build")
    session.run("python", "-m", "build", "--wheel", "--outdir", str(folder), silent=True)
    install(session, "test", package=str(next(folder.glob("*.whl"))))
    for name in TEST_FILES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.exists():
            shutil.copy(source, folder / name)
    shared = os.environ.get("SOTONGINDEX_SHARED", str(ROOT.parent / "shared"))
    session.chdir(folder)
    session.run("pytest", "tests", *session.posargs, env={"SOTONGINDEX_SHARED": shared})


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Check style and format."""
    install(session, "lint", package=None)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(python="3.11")
def typing(session: nox.Session) -> None:
    """Check types with mypy (strict) and pyright."""
    install(session, "type", "test")
    session.run("mypy")
    session.run("pyright")


@nox.session(python="3.11")
def imports(session: nox.Session) -> None:
    """Check that imports go down only."""
    install(session, "lint")
    session.run("lint-imports")


@nox.session(python="3.11")
def api(session: nox.Session) -> None:
    """Check public names and signatures against the snapshot, and against the last tag."""
    install(session, "test")
    session.install("griffe")
    session.run("pytest", "tests/api")
    tag = session.run(
        "git", "tag", "--list", "v*", "--sort=-version:refname", external=True, silent=True
    )
    if tag and tag.strip():
        session.run("griffe", "check", "sotongindex", "--against", tag.split()[0])


@nox.session(python="3.11")
def docs(session: nox.Session) -> None:
    """Build the documentation; every page runs, every warning is an error."""
    install(session, "docs")
    session.run("sphinx-build", "-W", "--keep-going", "-E", "-q", "docs", "docs/_build/html")


@nox.session(python="3.11", default=False)
def bench(session: nox.Session) -> None:
    """Time the library beside its rivals."""
    install(session, "bench")
    session.run("python", "bench/run.py", *session.posargs)
