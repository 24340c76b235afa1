"""What every benchmark needs: medians, memory, the machine's yardstick, and tables in Markdown."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping

import numpy as np

Work = Callable[[], object]


def seconds(work: Work) -> float:
    """Run `work` once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def medians(works: Mapping[str, Work], *, runs: int = 5) -> dict[str, float]:
    """Return the median seconds of every work.

    They take turns, so that a machine that is busy for a while is busy for all of them; a first
    round only warms up.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs + 1):
        for name, work in works.items():
            times[name].append(seconds(work))
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def yardstick() -> float:
    """Return the median seconds of a 2,000 x 2,000 product of float64 matrices."""
    matrix = np.random.default_rng(0).random((2000, 2000))
    return medians({"product": lambda: matrix @ matrix})["product"]


def allocated(work: Work) -> int:
    """Return the most bytes that Python and numpy hold during `work`, beyond those before it.

    Its result counts too. What a dataframe library allocates for itself does not.
    """
    gc.collect()
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def show(text: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show_table(title: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table in Markdown, with the machine and its yardstick above it."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    show(f"\n### {title}\n")
    show(
        f"yardstick {yardstick():.3f} s; {os.cpu_count()} processors, {platform.machine()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}\n"
    )
    show("\n".join(lines))


def number(value: float) -> str:
    """Write three significant digits, without exponents."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 4
    return f"{value:,.{digits}f}"
