"""Results whose scores are given, and the weights that choices draw, for tests of robustness."""

from __future__ import annotations

import numpy as np
from support import answered, small_study

from sotongindex._scenarios import Scenarios
from sotongindex._starts import ladder_of, starts_of
from sotongindex.benchmark import DisclosureRules
from sotongindex.index import compute_index
from sotongindex.results import IndexResult
from sotongindex.weighting import FixedWeights, WeightingScheme

OPEN = DisclosureRules(min_respondents_compare=1)


def scored(values, errors=None, weights=None, scheme=None):
    """Take scores (o, d) of one channel as a result."""
    values = np.asarray(values, dtype=float)
    dimensions = [f"d{place}" for place in range(values.shape[1])]
    study = small_study(
        organizations=[f"o{place}" for place in range(len(values))],
        items=[(f"q{place}", key) for place, key in enumerate(dimensions)],
    )
    frame = {"organization": list(study.organization_keys)}
    frame |= dict(zip(dimensions, values.T, strict=True))
    named = {}
    if errors is not None:
        given = np.broadcast_to(np.asarray(errors, dtype=float), values.shape)
        named = {key: f"{key} error" for key in dimensions}
        frame |= dict(zip(named.values(), given.T, strict=True))
    if weights is not None:
        scheme = WeightingScheme(
            dimensions=FixedWeights(dict(zip(dimensions, weights, strict=True)))
        )
    return IndexResult.from_scores(frame, study, standard_errors=named, scheme=scheme)


def weights_of(choice, *, runs, seed):
    """Return the weights of a level that a choice draws, and those recorded, in the same shape."""
    study = small_study(
        organizations=("a", "b"),
        channels=("blog", "video"),
        items=[("q1", "d1"), ("q2", "d1"), ("q3", "d2"), ("q4", "d3")],
    )
    rows = [(n, "ab"[n % 2], ("blog", "video")[n // 2 % 2], 5, 4, 3, 2) for n in range(8)]
    scheme = WeightingScheme(dimensions=FixedWeights({"d1": 0.5, "d2": 0.5, "d3": 0.0}))
    result = compute_index(answered(study, rows), scheme=scheme)
    ladder = ladder_of(result)
    starts = starts_of(result, (choice,), None, ladder=ladder)
    scenarios = Scenarios.of(result, (choice,), starts, ladder=ladder)
    points = np.random.default_rng(seed).random((runs, scenarios.width))
    drawn = getattr(scenarios.run_weights(points), choice.level)
    return drawn, np.asarray(getattr(scenarios.weights, choice.level))
