"""The time of `import sotongindex` beside `import numpy`, and what it does not load."""

from __future__ import annotations

import statistics
import subprocess
import sys

from timing import number, show, show_table

UNWANTED = ("scipy.stats", "pandas", "polars", "pyarrow", "matplotlib", "duckdb")
RUNS = 15
_TIMED = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
_LOADED = "import sys, sotongindex; print(*sys.modules)"


def python(code: str) -> str:
    """Return what a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    """Import in fresh processes, in turns, and print the table."""
    names = ("numpy", "scipy.sparse", "sotongindex")
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(RUNS + 1):
        for name in names:
            times[name].append(float(python(_TIMED.format(name))))
    found = {name: statistics.median(each[1:]) for name, each in times.items()}
    show_table(
        f"Imports, median of {RUNS} fresh processes",
        ("", "seconds", "times numpy"),
        [(name, number(time), number(time / found["numpy"])) for name, time in found.items()],
    )
    loaded = set(python(_LOADED).split()) & set(UNWANTED)
    show(f"\nloaded although it should not be: {', '.join(sorted(loaded)) or 'nothing'}")


if __name__ == "__main__":
    main()
