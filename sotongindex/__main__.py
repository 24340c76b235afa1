"""The command line: ``python -m sotongindex demo | check STUDY DATA | report STUDY DATA``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from sotongindex import tables
from sotongindex._ledger import rules_of
from sotongindex._text import Language, say
from sotongindex.attainment import GapResult
from sotongindex.datasets import sample_panel
from sotongindex.errors import ResponseError, SchemaError, SotongIndexError
from sotongindex.files import read_table
from sotongindex.recipe import Findings, load_recipe, run_recipe
from sotongindex.report import write_report
from sotongindex.responses import Responses, check_responses

__all__ = ["main"]

_FINE, _FOUND_ERRORS, _FAILED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The words after the program's name; default those of the command line.

    Returns:
        0 if all is well, 1 if the answers have errors, 2 if a file cannot be used.
    """
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        _forgive(stream)
    try:
        return int(options.run(options))
    except ResponseError as error:
        print(error)
        _tell("the answers have errors: correct them, or the study file, and run `check` again")
        return _FOUND_ERRORS
    except SchemaError as error:
        _tell(f"error: {options.study} is not a study file that can be used:\n{error}")
    except SotongIndexError as error:
        _tell(f"error: {error}")
    except BrokenPipeError:  # whoever read the output has had enough
        sys.stdout = None  # nothing is left to flush
    except OSError as error:
        _tell(f"error: {error.filename or 'file'}: {error.strerror or error}")
    return _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sotongindex",
        description="A communication index from customers' answers, every number with its error.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="show the main job on an invented sample")
    demo.set_defaults(run=_demo)
    check = commands.add_parser("check", help="say what is wrong with a file of answers")
    report = commands.add_parser("report", help="compute the index and write a report")
    check.set_defaults(run=_check)
    report.set_defaults(run=_report)
    for command in (check, report):
        command.add_argument("study", type=Path, metavar="STUDY", help="the study file (JSON)")
        command.add_argument(
            "data", type=Path, metavar="DATA", help="the answers: CSV; others with pandas"
        )
    for command in (demo, report):
        command.add_argument("--language", choices=("ko", "en"), default="en")
    report.add_argument(
        "--output",
        type=Path,
        default=Path("sotong-report"),
        metavar="DIR",
        help="the folder to write into; default ./sotong-report",
    )
    return parser


def _forgive(stream: TextIO) -> None:
    """Let a terminal that lacks a character show a question mark instead of failing."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def _tell(text: str) -> None:
    """Say something beside the result."""
    print(text, file=sys.stderr, flush=True)


# -- the commands --------------------------------------------------------------------------------


def _demo(options: argparse.Namespace) -> int:
    language: Language = options.language
    panel = sample_panel()
    report = panel.responses.report
    findings = run_recipe(panel.recipe, panel.responses)
    print(say("demo.what", language))
    print(
        say(
            "demo.counts",
            language,
            respondents=f"{report.respondents:,}",
            organizations=f"{report.organizations:,}",
            answers=f"{report.answers:,}",
        )
    )
    _print_tables(findings, language, limit=10)
    chosen = _instructive(findings.gaps)
    names = {one.key: one.name(language) for one in panel.study.organizations}
    _print_section(
        say("demo.one", language, name=names[chosen]),
        tables.organization_text(findings, chosen, language=language),
    )
    _print_section(say("demo.next", language), say("demo.commands", language))
    return _FINE


def _instructive(gaps: GapResult | None) -> str:
    """Return, of the organizations clearly below their target, the one in the middle."""
    rows = gaps.gaps[0].to_rows() if gaps else []
    below = [row for row in rows if isinstance(row["gap_low"], float) and row["gap_low"] > 0]
    below.sort(key=lambda row: float(str(row["score"])))
    return str(below[len(below) // 2]["organization"])


def _check(options: argparse.Namespace) -> int:
    recipe = load_recipe(options.study)
    frame = read_table(options.data, progress=_tell)
    report = check_responses(frame, recipe.study, recipe.layout)
    print(report)
    return _FINE if report.ok else _FOUND_ERRORS


def _report(options: argparse.Namespace) -> int:
    language: Language = options.language
    recipe = load_recipe(options.study)
    _tell(say("progress.read", language, name=options.data.name))
    frame = read_table(options.data, progress=_tell)
    responses = Responses.read(frame, recipe.study, recipe.layout)
    del frame
    _tell(say("progress.compute", language))
    findings = run_recipe(recipe, responses)
    print(responses.report)
    _print_tables(findings, language, limit=20)
    _tell(say("progress.write", language))
    path = write_report(findings, options.output, language=language, check=responses.report)
    print()
    print(say("progress.written", language, path=path))
    return _FINE


# -- what they print -----------------------------------------------------------------------------


def _print_tables(findings: Findings, language: Language, *, limit: int) -> None:
    """Print the means and the top of the league."""
    means = tables.channel_table(findings.index, language=language, rules=rules_of(findings))
    _print_section(say("terminal.means", language), means)
    league = tables.league_table(findings, language=language, limit=limit)
    _print_section(say("terminal.league", language), league)


def _print_section(title: str, text: str) -> None:
    print()
    print(title)
    print(text)


if __name__ == "__main__":
    sys.exit(main())
