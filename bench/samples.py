"""Answer sheets for the benchmarks, generated from a seed."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex import Channel, Dimension, Framework, Organization, Responses, Scale, Study
from sotongindex.models import SurveyItem

SEED = 20261102
ITEMS, DIMENSIONS, ORGANIZATIONS = 60, 6, 300
STRATA, CLUSTERS = 50, 40  # clusters in every stratum
LOW, HIGH = 1, 7
MISSING = np.iinfo(np.int8).min


@attrs.frozen(kw_only=True, eq=False)
class Sample:
    """Answer sheets: every sheet is one respondent's, about one organization on one channel.

    Attributes:
        answers: 1 to 7, or `MISSING`, (n, items).
        organization: Position of the organization, of skewed size, (n,).
        weight: Gamma distributed, mean 1, (n,).
        cluster: 0 to 1,999, (n,); the stratum is its part by 40.
    """

    answers: NDArray[np.int8]
    organization: NDArray[np.int64]
    weight: NDArray[np.float64]
    cluster: NDArray[np.int64]

    @classmethod
    def make(cls, sheets: int, *, missing: float = 0.0) -> Sample:
        """Generate `sheets` answer sheets, a share `missing` of the answers left out."""
        rng = np.random.default_rng(SEED)
        share = 1 / np.sqrt(np.arange(1, ORGANIZATIONS + 1))
        organization = rng.choice(ORGANIZATIONS, sheets, p=share / share.sum())
        cluster = rng.integers(STRATA * CLUSTERS, size=sheets)
        level = 4.4 + rng.normal(0, 0.4, ORGANIZATIONS)[organization]
        level += rng.normal(0, 0.3, STRATA * CLUSTERS)[cluster] + rng.normal(0, 0.8, sheets)
        answers = np.empty((sheets, ITEMS), dtype=np.int8)
        for item in range(ITEMS):
            answer = np.rint(level + rng.normal(0, 1.0, sheets)).clip(LOW, HIGH)
            answer[rng.random(sheets) < missing] = MISSING
            answers[:, item] = answer
        return cls(
            answers=answers,
            organization=organization,
            weight=rng.gamma(4.0, 0.25, sheets),
            cluster=cluster,
        )

    @property
    def stratum(self) -> NDArray[np.int64]:
        """Position of the stratum, (n,)."""
        return self.cluster // CLUSTERS

    def responses(self, *, clustered: bool = False) -> Responses:
        """Return the sheets as responses, with the design or with weights only."""
        design: dict[str, Any] = {}
        if clustered:
            names = np.array([f"stratum {number:02d}" for number in range(STRATA)])
            design = {"cluster": self.cluster, "stratum": names[self.stratum]}
        return Responses.from_arrays(
            study(),
            answers=self.answers,
            organization=self.organization,
            weight=self.weight,
            **design,
        )


def item_names() -> list[str]:
    """Return the keys of the items."""
    return [f"q{number:02d}" for number in range(1, ITEMS + 1)]


def study(*channels: str) -> Study:
    """Return the study that the sheets belong to."""
    scale = Scale(low=LOW, high=HIGH)
    framework = Framework(
        key="bench",
        version="1",
        channels=[Channel(key=key) for key in channels or ("blog",)],
        dimensions=[Dimension(key=f"d{number}") for number in range(DIMENSIONS)],
        items=[
            SurveyItem(key=key, dimension=f"d{position * DIMENSIONS // ITEMS}", scale=scale)
            for position, key in enumerate(item_names())
        ],
    )
    organizations = [Organization(key=f"organization-{k:03d}") for k in range(ORGANIZATIONS)]
    return Study(key="bench", framework=framework, organizations=organizations)
