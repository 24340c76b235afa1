"""Panels of published scores, for tests of targets and plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sotongindex.method import IndexMethod
from sotongindex.models import Channel, Dimension, Framework, Organization, Study, SurveyItem
from sotongindex.results import IndexResult
from sotongindex.weighting import FixedWeights, WeightingScheme

CHANNELS, DIMENSIONS = ("blog", "app"), ("openness", "usefulness", "response")
CHANNEL_WEIGHTS, DIMENSION_WEIGHTS = np.array([0.4, 0.6]), np.array([0.5, 0.3, 0.2])
SCHEME = WeightingScheme(
    channels=FixedWeights(dict(zip(CHANNELS, CHANNEL_WEIGHTS.tolist(), strict=True))),
    dimensions=FixedWeights(dict(zip(DIMENSIONS, DIMENSION_WEIGHTS.tolist(), strict=True))),
)


def cells_of(count: int = 24, *, spread: float = 6.0, seed: int = 1) -> np.ndarray:
    """True scores of organizations, (count, 2, 3)."""
    rng = np.random.default_rng(seed)
    level = rng.normal(58, spread, (count, 1, 1))
    return np.clip(level + rng.normal(0, 4, (count, 2, 3)), 1, 99)


def panel(
    cells: np.ndarray,
    *,
    error: float | None = 1.5,
    respondents: float = 120,
    method: IndexMethod | None = None,
    operated: Sequence[Sequence[str] | None] | None = None,
) -> IndexResult:
    """Make a result of scores (organization, channel, dimension) with equal errors."""
    count = len(cells)
    keys = [f"o{number}" for number in range(count)]
    framework = Framework(
        key="mini",
        version="1",
        channels=[Channel(key=key) for key in CHANNELS],
        dimensions=[Dimension(key=key) for key in DIMENSIONS],
        items=[SurveyItem(key=f"q_{key}", dimension=key) for key in DIMENSIONS],
    )
    organizations = [
        Organization(
            key=key,
            industry="even" if number % 2 == 0 else "odd",
            channels=None if operated is None else operated[number],
        )
        for number, key in enumerate(keys)
    ]
    listed = ~np.isnan(cells).all(axis=2)
    rows, columns = np.nonzero(listed)
    frame: dict[str, Any] = {
        "organization": [keys[row] for row in rows],
        "channel": [CHANNELS[column] for column in columns],
        "error": np.full(len(rows), np.nan if error is None else error),
        "n": np.full(len(rows), respondents),
    }
    frame |= {key: cells[rows, columns, place] for place, key in enumerate(DIMENSIONS)}
    return IndexResult.from_scores(
        frame,
        Study(key="study", framework=framework, organizations=organizations),
        channel="channel",
        standard_errors=dict.fromkeys(DIMENSIONS, "error"),
        respondents="n",
        scheme=SCHEME,
        method=method or IndexMethod(),
    )
