"""Importance weights and their faults."""

from __future__ import annotations

import numpy as np
import pytest
from support import small_study

from sotongindex.errors import DefinitionError
from sotongindex.models import SurveyItem
from sotongindex.weighting import EqualWeights, FixedWeights, WeightingScheme

STUDY = small_study(
    channels=("blog", "video"),
    items=[
        ("q1", "open"),
        ("q2", "open"),
        SurveyItem(key="q3", dimension="useful", channels=("blog",)),
        ("q4", "kind"),
    ],
)
FRAMEWORK = STUDY.framework


def test_equal_weights_at_every_level():
    weights = WeightingScheme().resolve(FRAMEWORK)
    assert weights.channels.tolist() == [0.5, 0.5]
    np.testing.assert_allclose(weights.dimensions, [[1 / 3] * 3, [0.5, 0, 0.5]])
    np.testing.assert_allclose(weights.items, [[0.5, 0.5, 1, 1], [0.5, 0.5, 0, 1]])


def test_a_channel_that_lacks_a_dimension_shares_its_weight_in_proportion():
    scheme = WeightingScheme(dimensions=FixedWeights({"open": 0.2, "useful": 0.5, "kind": 0.3}))
    np.testing.assert_allclose(
        scheme.resolve(FRAMEWORK).dimensions, [[0.2, 0.5, 0.3], [0.4, 0, 0.6]]
    )


def test_dimensions_may_differ_by_channel():
    scheme = WeightingScheme(
        dimensions={
            "blog": EqualWeights(),
            "video": FixedWeights({"open": 3, "kind": 1}, total=4),
        }
    )
    np.testing.assert_allclose(scheme.resolve(FRAMEWORK).dimensions, [[1 / 3] * 3, [0.75, 0, 0.25]])


def test_item_weights_add_up_within_their_dimension():
    scheme = WeightingScheme(
        items=FixedWeights({"q1": 70, "q2": 30, "q3": 100, "q4": 100}, total=100)
    )
    np.testing.assert_allclose(scheme.resolve(FRAMEWORK).items[0], [0.7, 0.3, 1, 1])


def test_published_weights_add_up_to_exactly_one():
    published = FixedWeights(
        {
            "a": 0.106,
            "b": 0.226,
            "c": 0.126,
            "d": 0.104,
            "e": 0.264,
            "f": 0.174,
        }
    )
    assert sum(published.shares("abcdef")) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    ("make", "field", "key", "nearest"),
    [
        (lambda: FixedWeights({"a": -1, "b": 2}), "FixedWeights.weights[a]", -1, None),
        (lambda: FixedWeights({"a": "1"}), "FixedWeights.weights[a]", "1", None),
        (lambda: FixedWeights({"a": float("nan")}), "FixedWeights.weights[a]", None, None),
        (lambda: FixedWeights({"a": True}), "FixedWeights.weights[a]", True, None),
        (lambda: FixedWeights([("a", 0.5), ("a", 0.5)]), "FixedWeights.weights", None, None),
        (lambda: FixedWeights({"a": 1}, total=0), "FixedWeights.total", None, None),
        (
            lambda: FixedWeights({"a": 0.5, "b": 0.4}).shares("ab"),
            "FixedWeights.weights",
            None,
            None,
        ),
        (
            lambda: FixedWeights({"blogs": 1}).shares(["blog"]),
            "FixedWeights.weights",
            "blog",
            "blogs",
        ),
    ],
)
def test_faulty_weights(make, field, key, nearest):
    with pytest.raises(DefinitionError) as caught:
        make()
    assert caught.value.field == field
    assert caught.value.nearest == nearest
    if key is not None:
        assert caught.value.key == key


@pytest.mark.parametrize(
    ("scheme", "field", "key"),
    [
        (
            {"channels": FixedWeights({"blog": 0.5, "vidoe": 0.5})},
            "WeightingScheme.channels",
            "vidoe",
        ),
        ({"channels": FixedWeights({"blog": 1})}, "FixedWeights.weights", "video"),
        (
            {"dimensions": FixedWeights({"open": 0.5, "kind": 0.5})},
            "FixedWeights.weights",
            "useful",
        ),
        ({"dimensions": {"blog": EqualWeights()}}, "WeightingScheme.dimensions", "video"),
        (
            {"dimensions": {"blog": EqualWeights(), "vidio": EqualWeights()}},
            "WeightingScheme.dimensions",
            "vidio",
        ),
        (
            {
                "dimensions": {
                    "blog": EqualWeights(),
                    "video": FixedWeights({"open": 0.4, "useful": 0.3, "kind": 0.3}),
                }
            },
            "WeightingScheme.dimensions[video]",
            "useful",
        ),
        (
            {"dimensions": FixedWeights({"open": 0, "useful": 1, "kind": 0})},
            "WeightingScheme.dimensions",
            None,
        ),
        ({"items": FixedWeights({"q9": 1})}, "WeightingScheme.items", "q9"),
    ],
)
def test_a_scheme_that_does_not_fit_the_framework(scheme, field, key):
    with pytest.raises(DefinitionError) as caught:
        WeightingScheme(**scheme).resolve(FRAMEWORK)
    assert caught.value.field == field
    if key is not None:
        assert caught.value.key == key
