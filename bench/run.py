"""Run the benchmarks, each in a process of its own: all of them, or those that are named.

`python bench/run.py` takes a quarter of an hour with all rivals; `python bench/run.py means
imports` takes a minute.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

CASES = {
    "means": [[]],
    "errors": [["--sheets", "100000"], ["--sheets", "1000000"]],
    "imports": [[]],
    "reading": [["pandas"], ["polars"], ["pyarrow"]],
    "ranks": [[]],
    "raking": [[]],
    "envelope": [[]],
    "replicates": [[]],
    "weights": [[]],
    "robustness": [[]],
    "drivers": [[]],
    "plans": [[]],
    "engines": [[]],
}


def main() -> None:
    """Run the cases that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=", ".join(CASES))
    cases = parser.parse_args().cases
    if unknown := set(cases) - CASES.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    for case in cases or CASES:
        for arguments in CASES[case]:
            script = Path(__file__).with_name(f"{case}.py")
            subprocess.run([sys.executable, str(script), *arguments], check=True)


if __name__ == "__main__":
    main()
