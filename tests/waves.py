"""Waves that several tests of change use: published scores, and answers of shared respondents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from support import small_study

from sotongindex.benchmark import DisclosureRules
from sotongindex.index import IndexMethod, compute_index
from sotongindex.models import Organization, Study
from sotongindex.responses import Responses
from sotongindex.results import IndexResult
from sotongindex.weighting import WeightingScheme

LOOSE = DisclosureRules(
    min_peers_mean=1,
    min_peers_rank=1,
    min_respondents_show=1,
    min_respondents_compare=1,
    min_respondents_band=1,
)


def published(
    scores: Mapping[str, float],
    errors: float | Sequence[float] | None = 1.0,
    *,
    wave: str | None = None,
    industry: str = "all",
    **study: Any,
) -> IndexResult:
    """One wave of published scores of one dimension, by organization."""
    keys = list(scores)
    made = small_study([Organization(key=key, industry=industry) for key in keys])
    frame: dict[str, Any] = {
        "organization": keys,
        "d1": np.array(list(scores.values()), dtype=float),
        "n": np.full(len(keys), 100.0),
    }
    given = {}
    if errors is not None:
        frame["error"] = np.broadcast_to(np.array(errors, dtype=float), len(keys)).copy()
        given = {"d1": "error"}
    return IndexResult.from_scores(
        frame,
        attrs.evolve(made, wave=wave, **study),
        standard_errors=given,
        respondents="n",
    )


def study_of(
    organizations: Sequence[Organization | str] = ("a", "b", "c"),
    channels: Sequence[str] = ("blog", "video"),
    items: Sequence[tuple[str, str]] = (("q1", "d1"), ("q2", "d1"), ("q3", "d2")),
    *,
    version: str = "1",
    wave: str | None = None,
) -> Study:
    """A study of several channels and items."""
    made = small_study(organizations, channels=channels, items=items)
    return attrs.evolve(made, framework=attrs.evolve(made.framework, version=version), wave=wave)


def answered(
    study: Study,
    rng: np.random.Generator,
    *,
    people: range = range(40),
    mean: float = 4.0,
    scheme: WeightingScheme | None = None,
    method: IndexMethod | None = None,
) -> IndexResult:
    """One wave in which everybody rates every organization on every channel it operates."""
    rows = [
        (person, place, channel)
        for person in people
        for place, one in enumerate(study.organizations)
        for channel, key in enumerate(study.framework.channel_keys)
        if one.channels is None or key in one.channels
    ]
    respondent, organization, channel = np.array(rows).T
    kind = np.random.default_rng(5).normal(0, 0.8, 1000)[respondent]
    shift = 0.3 * organization + 0.2 * channel
    drawn = mean + (kind + shift)[:, None]
    drawn = drawn + rng.normal(0, 1, (len(rows), len(study.framework.items)))
    responses = Responses.from_arrays(
        study,
        respondent=respondent,
        organization=organization,
        channel=channel,
        answers=np.where(
            np.array(study.framework.asked)[channel], drawn.round().clip(1, 7), np.nan
        ),
    )
    return compute_index(responses, scheme=scheme, method=method)
