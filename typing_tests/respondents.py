"""Respondent weights: answers give answers, tables give weights."""

from __future__ import annotations

from typing import assert_type

import numpy as np

from sotongindex.calibration import (
    CalibratedWeights,
    Calibration,
    calibrate,
    design_effect,
    post_stratify,
    rake,
    trim_weights,
)
from sotongindex.responses import Responses


def answers_and_tables(responses: Responses) -> None:
    margins = {"sex": {"f": 0.5, "m": 0.5}, ("sex", "age"): {("f", 1): 0.2, ("m", 1): 0.8}}
    assert_type(rake(responses, margins, by="organization"), Responses)
    assert_type(post_stratify(responses, margins, empty="redistribute"), Responses)
    assert_type(calibrate(responses, means={"posts": 3.0}, population_size=100), Responses)
    assert_type(trim_weights(responses, upper=3, strict=True), Responses)
    assert_type(responses.calibration, Calibration | None)

    people = {"sex": ["f", "m"], "age": np.array([1, 1])}
    weights = rake(people, margins, weight=np.ones(2), ratio_bounds=(0.5, 2))
    assert_type(weights, CalibratedWeights)
    assert_type(post_stratify(people, margins), CalibratedWeights)
    assert_type(calibrate(people, margins, distance="raking"), CalibratedWeights)
    assert_type(trim_weights(weights, design_effect=1.5), CalibratedWeights)
    assert_type(trim_weights([1.0, 2.0], upper=1.8, spread="equal"), CalibratedWeights)
    assert_type(design_effect(weights.weight), float)
