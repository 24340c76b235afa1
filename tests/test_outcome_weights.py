"""Weights from what parts explain of an outcome."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import answered, small_study

from sotongindex.drivers import (
    relative_weights,
    shapley_importance,
    standardized_slopes,
    weighted_correlations,
)
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import IndexMethod, compute_index
from sotongindex.results import IndexResult
from sotongindex.variance import Bootstrap
from sotongindex.weighting import FixedWeights, OutcomeWeights, WeightingScheme

RULE = OutcomeWeights("happy")
STUDY = small_study(
    [f"o{n}" for n in range(40)],
    channels=("blog", "video"),
    items=[("q1", "open"), ("q2", "open"), ("q3", "useful"), ("q4", "kind"), ("happy", "outcome")],
)
METHODS: dict[str, Any] = {
    "johnson": relative_weights,
    "shapley": shapley_importance,
    "regression": standardized_slopes,
}


def table(units: int = 40, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return scores of three parts (u, 3) and of an outcome that all of them go with."""
    rng = np.random.default_rng(seed)
    parts = 50 + rng.normal(0, 5, (units, 1)) + rng.normal(0, 5, (units, 3))
    return parts, parts @ [0.5, 0.4, 0.3] + rng.normal(0, 3, units)


def items(seed: int = 0) -> np.ndarray:
    """Return scores of the items of the study, (o, c, i)."""
    rng = np.random.default_rng(seed)
    scores = 50 + rng.normal(0, 5, (40, 1, 1)) + rng.normal(0, 5, (40, 2, 5))
    scores[..., 4] = 0.7 * scores[..., 2] + 0.2 * scores[..., 3] + rng.normal(0, 2, (40, 2))
    return scores


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_shares_of_importance(method: Any) -> None:
    parts, outcome = table()
    counts = np.linspace(1, 3, 40)
    found = OutcomeWeights("happy", method=method).learn(parts, outcome=outcome, counts=counts)
    matrix = weighted_correlations(np.column_stack([parts, outcome]), counts)
    expected = METHODS[method](matrix[:3, :3], matrix[:3, 3])
    np.testing.assert_allclose(found.importance, expected)
    np.testing.assert_allclose(found.weights, expected / expected.sum())
    np.testing.assert_allclose(found.correlations, matrix[:3, 3])
    assert (found.complete, found.fallback) == (40, None)


@pytest.mark.parametrize("method", METHODS)
def test_a_part_that_goes_against_the_outcome_weighs_nothing(method: Any) -> None:
    parts, outcome = table()
    against = np.column_stack([parts[:, :2], 100 - parts[:, 2] - 2 * outcome])
    found = OutcomeWeights("happy", method=method).learn(against, outcome=outcome)
    assert found.weights[2] == 0
    assert found.correlations[2] < 0
    assert found.importance[2] != 0
    assert found.weights.sum() == pytest.approx(1)
    # Not even where the correlation is positive and only the slope is not.
    suppressed = np.column_stack([parts[:, 0], parts[:, 0] - 0.5 * outcome + parts[:, 1] / 4])
    slopes = OutcomeWeights("happy", method="regression").learn(suppressed, outcome=outcome)
    assert slopes.importance[1] < 0
    assert slopes.weights.tolist() == [1.0, 0.0]


def test_what_is_missing_or_does_not_differ() -> None:
    parts, outcome = table()
    holes = np.column_stack([parts, np.full(40, 7.0), np.full(40, np.nan)])
    holes[:5, 0] = np.nan
    outcome[5:8] = np.nan
    found = RULE.learn(holes, outcome=outcome)
    alone = RULE.learn(parts[8:], outcome=outcome[8:])
    np.testing.assert_allclose(found.weights, [*alone.weights, 0, 0])
    assert found.units.tolist() == [35, 40, 40, 40, 0]
    assert found.complete == 32


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda parts, outcome: (parts[:4], outcome[:4]), "too few units"),
        (lambda parts, outcome: (parts, np.full(40, np.nan)), "too few units"),
        (lambda parts, outcome: (parts, np.full(40, 5.0)), "is the same for all units"),
        (lambda parts, outcome: (np.full((40, 3), 5.0), outcome), "is the same for all units"),
        (lambda parts, outcome: (parts, 100 - outcome), "goes against the outcome"),
    ],
)
def test_equal_weights_have_a_reason(change: Any, reason: str) -> None:
    parts, outcome = change(*table())
    found = RULE.learn(parts, outcome=outcome)
    assert reason in found.fallback
    np.testing.assert_allclose(found.weights, 1 / 3)


def test_parts_that_determine_each_other() -> None:
    parts, outcome = table()
    twice = parts[:, [0, 0, 1]]
    shared = RULE.learn(twice, outcome=outcome)
    assert shared.weights[0] == pytest.approx(shared.weights[1])
    found = OutcomeWeights("happy", method="regression").learn(twice, outcome=outcome)
    assert found.fallback == "parts determine each other"
    np.testing.assert_allclose(found.weights, 1 / 3)
    # The outcome alone: one part without a score.
    alone = RULE.learn(np.full((40, 1), np.nan), outcome=outcome)
    assert (alone.weights.tolist(), alone.fallback) == ([1.0], None)


@pytest.mark.parametrize(
    ("outcome", "message"), [(None, "expected the outcome of every unit"), ([1.0], "of every unit")]
)
def test_an_outcome_that_does_not_fit(outcome: Any, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        RULE.learn(table()[0], outcome=outcome)
    with pytest.raises(MethodError, match="infinite"):
        RULE.learn(table()[0], outcome=np.full(40, np.inf))


# -- in a scheme ---------------------------------------------------------------------------------


def test_the_outcome_weighs_nothing_in_what_it_judges() -> None:
    scores = items()
    scheme = WeightingScheme(dimensions=RULE, items=RULE, channels=RULE)
    weights = scheme.resolve(STUDY.framework, items=scores)
    where = {one.where: one for one in weights.learned}
    assert where["dimensions"].keys == ("open", "useful", "kind", "outcome")
    assert weights.dimensions[0, 3] == 0
    assert weights.dimensions[0].argmax() == 1
    # Dimensions by their means over channels, without the outcome's own.
    cells = np.stack([scores[..., :2] @ weights.items[0, :2], scores[..., 2], scores[..., 3]], 2)
    expected = RULE.learn(cells.mean(axis=1), outcome=scores[..., 4].mean(axis=1))
    np.testing.assert_allclose(weights.dimensions[0, :3], expected.weights)
    np.testing.assert_allclose(
        where["items/open"].diagnostics.weights,
        RULE.learn(scores[..., :2].mean(axis=1), outcome=scores[..., 4].mean(axis=1)).weights,
    )
    assert where["items/outcome"].diagnostics.weights.tolist() == [1.0]
    channels = cells @ weights.dimensions[0, :3]
    np.testing.assert_allclose(
        weights.channels, RULE.learn(channels, outcome=scores[..., 4].mean(axis=1)).weights
    )


def test_channels_are_judged_without_the_outcome_whatever_it_weighs() -> None:
    scores = items()
    weights = WeightingScheme(channels=RULE).resolve(STUDY.framework, items=scores)
    cells = np.stack([scores[..., :2].mean(2), scores[..., 2], scores[..., 3]], 2)
    expected = RULE.learn(cells.mean(axis=2), outcome=scores[..., 4].mean(axis=1))
    np.testing.assert_allclose(weights.channels, expected.weights)


def test_a_rule_for_every_channel_is_judged_there() -> None:
    scores = items()
    scheme = WeightingScheme(dimensions={"blog": RULE, "video": RULE})
    weights = scheme.resolve(STUDY.framework, items=scores)
    for channel in range(2):
        here = scores[:, channel]
        parts = np.column_stack([here[:, :2].mean(axis=1), here[:, 2], here[:, 3]])
        expected = RULE.learn(parts, outcome=here[:, 4]).weights
        np.testing.assert_allclose(weights.dimensions[channel], [*expected, 0.0])
    cells = np.concatenate([scores[..., :2].mean(2)[..., None], scores[..., 2:]], axis=2)
    same = scheme.resolve(STUDY.framework, cells=cells)
    np.testing.assert_allclose(same.dimensions, weights.dimensions)


def test_an_index_by_its_outcome() -> None:
    rng = np.random.default_rng(5)
    rows = []
    for organization in range(40):
        quality = rng.normal(0, 1, 4)
        for n in range(8):
            open_, useful, kind = 4 + quality[:3] + rng.normal(0, 0.7, 3)
            happy = 4 + 0.8 * quality[1] + 0.2 * quality[3] + rng.normal(0, 0.7)
            given = np.clip(np.rint([open_, open_, useful, kind, happy]), 1, 7)
            rows.append((f"r{organization}-{n}", f"o{organization}", "blog", *given))
    answers = answered(STUDY, rows)
    scheme = WeightingScheme(dimensions=RULE)
    result = compute_index(answers, scheme=scheme)
    learned = result.weights.learned[0].diagnostics
    assert learned.weights.argmax() == 1
    assert "what goes together with an outcome" in result._repr_html_()
    again = compute_index(
        answers, scheme=scheme, method=IndexMethod(variance=Bootstrap(replicates=20, rng=1))
    )
    assert any(notice.code == "weights learned again" for notice in again.notices)
    fixed = compute_index(answers, scheme=scheme.fixed(result.weights.learned))
    np.testing.assert_allclose(fixed.index.values, result.index.values)


def test_published_scores_have_an_outcome_too() -> None:
    study = small_study(
        [f"o{n}" for n in range(40)], items=[("q1", "x"), ("q2", "y"), ("happy", "outcome")]
    )
    parts, outcome = table()
    frame = {"organization": list(study.organization_keys), "x": parts[:, 0], "y": parts[:, 1]}
    result = IndexResult.from_scores(
        frame | {"outcome": outcome}, study, scheme=WeightingScheme(dimensions=RULE)
    )
    expected = RULE.learn(parts[:, :2], outcome=outcome).weights
    np.testing.assert_allclose(result.index.values, parts[:, :2] @ expected)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [("hapy", "did you mean 'happy'"), ("q1", "shares dimension 'open' with other items")],
)
def test_an_outcome_that_cannot_judge(outcome: str, message: str) -> None:
    scheme = WeightingScheme(dimensions=OutcomeWeights(outcome))
    with pytest.raises(DefinitionError, match=message):
        scheme.check(STUDY.framework)
    with pytest.raises(DefinitionError, match=message):
        scheme.resolve(STUDY.framework, items=items())


def test_what_a_rule_needs() -> None:
    with pytest.raises(DefinitionError, match="expected one of 'johnson'"):
        OutcomeWeights("happy", method="lmg")  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="OutcomeWeights learns weights from scores"):
        WeightingScheme(dimensions=RULE).resolve(STUDY.framework)
    counting = OutcomeWeights("happy", counting="respondents")
    with pytest.raises(DefinitionError, match="OutcomeWeights counts respondents"):
        WeightingScheme(dimensions=counting).resolve(STUDY.framework, items=items())
    assert isinstance(
        WeightingScheme(dimensions=RULE)
        .fixed(WeightingScheme(dimensions=RULE).resolve(STUDY.framework, items=items()).learned)
        .dimensions,
        FixedWeights,
    )
