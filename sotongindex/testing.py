"""Hypothesis strategies for those who build on sotongindex: studies, schemes and answers.

Needs the extra ``testing``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from sotongindex.models import Channel, Dimension, Framework, Organization, Scale, Study, SurveyItem
from sotongindex.responses import Responses
from sotongindex.weighting import FixedWeights, WeightingScheme

__all__ = ["responses", "scales", "schemes", "studies"]


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    """Draw a scale of 2 to 11 whole-number answers, with any conversion."""
    low = draw(st.integers(0, 1))
    high = low + draw(st.integers(1, 10))
    conversion: Any = draw(st.sampled_from(["linear", "fraction of top", "top box"]))
    boxes = draw(st.integers(1, high - low)) if conversion == "top box" else None
    return Scale(low=low, high=high, conversion=conversion, boxes=boxes)


@st.composite
def studies(draw: st.DrawFn, *, linear: bool = False) -> Study:
    """Draw a study of up to 4 organizations, 3 channels, 3 dimensions and 6 items.

    Args:
        draw: Given by Hypothesis.
        linear: Whether every scale converts linearly.

    Returns:
        The study; every item is asked of every channel.
    """
    dimensions = draw(st.integers(1, 3))
    scale = scales().filter(lambda s: s.conversion == "linear") if linear else scales()
    items = [
        SurveyItem(
            key=f"q{position}",
            dimension=f"d{position % dimensions}",
            scale=draw(scale),
            reverse=draw(st.booleans()),
        )
        for position in range(draw(st.integers(dimensions, 6)))
    ]
    framework = Framework(
        key="drawn",
        version="1",
        channels=[Channel(key=f"c{position}") for position in range(draw(st.integers(1, 3)))],
        dimensions=[Dimension(key=f"d{position}") for position in range(dimensions)],
        items=items,
    )
    organizations = [
        Organization(key=f"o{position}") for position in range(draw(st.integers(1, 4)))
    ]
    return Study(key="drawn", framework=framework, organizations=organizations)


@st.composite
def responses(draw: st.DrawFn, study: Study, *, weighted: bool = True, most: int = 40) -> Responses:
    """Draw answers to a study: overlapping respondents, missing answers, unequal weights.

    Args:
        draw: Given by Hypothesis.
        study: What is asked about whom.
        weighted: Whether evaluations may have weights.
        most: The most evaluations.

    Returns:
        Answers on the items' scales.
    """
    framework = study.framework
    units = len(study.organizations) * len(framework.channels)
    people = draw(st.integers(1, 12))
    count = draw(st.integers(1, min(most, units * people)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    respondent, unit = np.divmod(rng.permutation(units * people)[:count], units)
    organization, channel = np.divmod(unit, len(framework.channels))
    answers = np.column_stack(
        [
            rng.integers(int(item.scale.low), int(item.scale.high) + 1, count)
            for item in framework.items
        ]
    ).astype(np.float64)
    answers[rng.random(answers.shape) < draw(st.sampled_from([0.0, 0.1, 0.5]))] = np.nan
    weight = rng.gamma(2.0, 0.5, count) + 0.01 if weighted and draw(st.booleans()) else None
    return Responses.from_arrays(
        study,
        answers=answers,
        organization=organization,
        channel=channel,
        respondent=respondent,
        weight=weight,
    )


@st.composite
def schemes(draw: st.DrawFn, study: Study) -> WeightingScheme:
    """Draw a scheme of fixed weights, some of them 0, for a study."""
    framework = study.framework
    parts = st.integers(0, 5)

    def fixed(keys: tuple[str, ...]) -> FixedWeights:
        weights = {key: draw(parts) for key in keys}
        weights[keys[0]] += 1
        return FixedWeights(weights, total=sum(weights.values()))

    return WeightingScheme(
        channels=fixed(framework.channel_keys), dimensions=fixed(framework.dimension_keys)
    )
