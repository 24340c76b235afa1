"""Learned weights beside two packages for multi-criteria decisions: the same numbers, and how soon.

The rivals are pymcdm and objective-weighting; one that is not installed is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from timing import medians, show_table

from sotongindex.weighting import CriticWeights, DeviationWeights, EntropyWeights

UNITS, PARTS, RUNS = 300, 12, 7
Weigh = Callable[[NDArray[np.float64]], NDArray[np.float64]]

OURS: dict[str, Weigh] = {
    "entropy": lambda scores: EntropyWeights().learn(scores).weights,
    "critic": lambda scores: CriticWeights().learn(scores).weights,
    "deviation": lambda scores: DeviationWeights().learn(scores).weights,
    "variation": lambda scores: (
        DeviationWeights(measure="coefficient of variation").learn(scores).weights
    ),
}
THEIRS = {
    "pymcdm": (
        "pymcdm.weights",
        {
            "entropy": "entropy_weights",
            "critic": "critic_weights",
            "deviation": "standard_deviation_weights",
        },
    ),
    "objective-weighting": (
        "objective_weighting.weighting_methods",
        {
            "entropy": "entropy_weighting",
            "critic": "critic_weighting",
            "deviation": "std_weighting",
            "variation": "coeff_var_weighting",
        },
    ),
}


def rivals(rule: str) -> dict[str, Weigh]:
    """Return the functions of the installed rivals that have the rule."""
    return {
        name: getattr(import_module(module), functions[rule])
        for name, (module, functions) in THEIRS.items()
        if rule in functions and find_spec(module.split(".", maxsplit=1)[0])
    }


def main() -> None:
    """Print the largest difference from every rival, and the times."""
    rng = np.random.default_rng(1)
    scores = rng.uniform(20, 90, (UNITS, 1)) + rng.uniform(0, 40, (UNITS, PARTS))
    rows = []
    for rule, ours in OURS.items():
        others = rivals(rule)
        jobs = {"ours": lambda: ours(scores)} | {  # noqa: B023
            name: (lambda theirs=theirs: theirs(scores)) for name, theirs in others.items()
        }
        times = medians(jobs, runs=RUNS)
        for name, theirs in others.items():
            apart = np.abs(theirs(scores) - ours(scores)).max()
            assert apart < 1e-6, (rule, name, apart)
            rows.append([rule, name, f"{apart:.1e}", f"{times[name] / times['ours']:.1f}"])
    title = f"Weights of {PARTS} parts from {UNITS} units"
    show_table(title, ["rule", "rival", "largest difference", "its time / ours"], rows)


if __name__ == "__main__":
    main()
