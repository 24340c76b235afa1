"""Weights from judgement: what is taken, what is refused, and what their diagnostics tell."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from support import small_study

from sotongindex._pairwise_matrix import groups_of, pairwise_consistency
from sotongindex.errors import DefinitionError
from sotongindex.models import SurveyItem
from sotongindex.weighting import (
    BestWorstWeights,
    BudgetWeights,
    FixedWeights,
    PairwiseWeights,
    RankOrderWeights,
    Rule,
    SwingWeights,
    WeightingScheme,
)

PANEL = BudgetWeights(
    {
        "kim": {"blog": 50, "app": 30, "video": 20},
        "lee": {"blog": 60, "app": 20, "video": 20},
        "park": {"blog": 40, "app": 50, "video": 10},
    }
)
KEYS = ["blog", "app", "video"]

# -- one judge or several, one key or several ------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        BudgetWeights({"a": 100}),
        SwingWeights({"a": 100}),
        RankOrderWeights({"a": 3}),
        PairwiseWeights({"a": {}}),
        PairwiseWeights({"a": {"a": 1}}, method="geometric mean"),
        BestWorstWeights({"a": {}}, {"a": {}}),
    ],
)
def test_a_single_key_has_all_the_weight(rule: Rule) -> None:
    assert rule.shares(["a"]) == (1.0,)
    assert "1.000" in str(rule.diagnostics(["a"]))


@pytest.mark.parametrize(
    ("rule", "shares"),
    [
        (BudgetWeights({"a": 75, "b": 25}), (0.75, 0.25)),
        (SwingWeights({"a": 100, "b": 0}), (1.0, 0.0)),
        (RankOrderWeights({"a": 1, "b": 2}), (0.75, 0.25)),
        (RankOrderWeights({"a": 4, "b": 4}), (0.5, 0.5)),
        (PairwiseWeights({"a": {"b": 4}}), (0.8, 0.2)),
        (PairwiseWeights({"b": {"a": 0.25}}, method="geometric mean"), (0.8, 0.2)),
        (BestWorstWeights({"a": {"b": 3}}, {"b": {}}), (0.75, 0.25)),
        (BestWorstWeights({"a": {}}, {"b": {"a": 3}}), (0.75, 0.25)),
    ],
)
def test_two_keys(rule: Rule, shares: tuple[float, float]) -> None:
    assert rule.shares(["a", "b"]) == pytest.approx(shares, abs=1e-15)
    assert rule.shares(["b", "a"]) == pytest.approx(shares[::-1], abs=1e-15)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"a": 60, "b": 40}, (("judge", (("a", 60), ("b", 40))),)),
        ([("a", 60), ("b", 40)], (("judge", (("a", 60), ("b", 40))),)),
        ({"kim": {"a": 60, "b": 40}}, (("kim", (("a", 60), ("b", 40))),)),
        ({"kim": [["a", 60], ["b", 40]]}, (("kim", (("a", 60), ("b", 40))),)),
    ],
)
def test_judges_are_taken_in_any_clear_form(given: object, stored: object) -> None:
    rule = BudgetWeights(given)
    assert rule.points == stored
    assert hash(rule) == hash(BudgetWeights(stored))
    assert rule.keys == ("a", "b")


def test_a_judge_who_gives_all_points_to_one_key_counts_like_the_others() -> None:
    rule = BudgetWeights({"kim": {"a": 100, "b": 0, "c": 0}, "lee": {"a": 0, "b": 50, "c": 50}})
    assert rule.shares("abc") == pytest.approx((0.5, 0.25, 0.25))
    found = rule.diagnostics("abc")
    assert found.by_judge[0].tolist() == [1, 0, 0]
    # Two opposite orders, with the ties of the zeros and of the fifties.
    assert found.concordance == pytest.approx(0.0, abs=1e-12)


def test_every_judge_counts_the_same() -> None:
    found = PANEL.diagnostics(KEYS)
    np.testing.assert_allclose(found.weights, [0.5, 1 / 3, 1 / 6])
    np.testing.assert_allclose(found.standard_deviation[0], 0.1)
    np.testing.assert_allclose(found.standard_error, found.standard_deviation / math.sqrt(3))
    np.testing.assert_allclose(
        found.coefficient_of_variation, found.standard_deviation / found.weights
    )
    # Ranks 1 2 3, 1 2.5 2.5 and 2 1 3: sums 4, 5.5, 8.5 and one tie of two.
    spread = (4 - 6) ** 2 + (5.5 - 6) ** 2 + (8.5 - 6) ** 2
    assert found.concordance == pytest.approx(12 * spread / (9 * 24 - 3 * 6))
    assert found.to_rows()[0] == {
        "key": "blog",
        "weight": pytest.approx(0.5),
        "standard_error": pytest.approx(0.1 / math.sqrt(3)),
        "standard_deviation": pytest.approx(0.1),
        "coefficient_of_variation": pytest.approx(0.2),
    }
    assert str(found).startswith("weights of 3 judges, Kendall's W 0.64")


def test_what_nobody_can_know_is_not_known() -> None:
    alone = BudgetWeights({"a": 100, "b": 0}).diagnostics("ab")
    assert np.isnan(alone.standard_error).all()
    assert np.isnan(alone.standard_deviation).all()
    assert math.isnan(alone.concordance)
    assert alone.to_rows()[1]["coefficient_of_variation"] is None
    assert "error is not known" in str(alone)
    nothing = BudgetWeights({"x": {"a": 100, "b": 0}, "y": {"a": 100, "b": 0}}).diagnostics("ab")
    assert nothing.standard_error.tolist() == [0, 0]
    assert np.isnan(nothing.coefficient_of_variation[1])  # a deviation over a weight of 0
    same = RankOrderWeights({"x": {"a": 1, "b": 1}, "y": {"a": 2, "b": 2}}).diagnostics("ab")
    assert math.isnan(same.concordance)
    assert "Kendall's W not known" in str(same)


def test_tied_ranks_share_the_weights_of_their_places() -> None:
    ranks = {"a": 1, "b": 2, "c": 2, "d": 9}
    sums = RankOrderWeights(ranks, method="sum").shares("abcd")
    assert sums == pytest.approx((0.4, 0.25, 0.25, 0.1))
    centroid = RankOrderWeights(ranks).shares("abcd")
    assert centroid == pytest.approx((25 / 48, 10 / 48, 10 / 48, 3 / 48))


# -- pairwise comparisons --------------------------------------------------------------------------

CYCLE = PairwiseWeights({"a": {"b": 3, "c": 1 / 3}, "b": {"c": 3}})


def test_a_circle_of_preferences_is_inconsistent() -> None:
    found = CYCLE.diagnostics("abc")
    assert found.shares == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert found.consistency.ratio > 1
    assert [one.factor for one in found.reconsider] == pytest.approx([27, 27, 27])
    assert [one.row + one.column for one in found.reconsider] == ["ab", "ac", "bc"]
    assert "above 0.1" in str(found)
    assert "judge on a beside b: 3, consistent would be 0.111" in str(found)


def test_a_mistyped_judgement_is_the_first_to_reconsider() -> None:
    weights = {"a": 8, "b": 4, "c": 2, "d": 1}
    rows = {
        row: {key: weights[row] / weights[key] for key in weights if key > row} for row in weights
    }
    rows["b"]["d"] = 1 / 4  # instead of 4
    for method in ("eigenvector", "geometric mean"):
        first = PairwiseWeights(rows, method=method).diagnostics("abcd").reconsider[0]
        assert (first.row, first.column, first.given) == ("b", "d", 0.25)
        assert first.consistent == pytest.approx(4)


def test_what_would_be_consistent_is_what_the_other_judgements_say() -> None:
    ratios = {"ab": 2.0, "ac": 5.0, "ad": 4.0, "bc": 2.0, "bd": 4.0, "cd": 3.0}

    def rule(given: dict[str, float]) -> PairwiseWeights:
        rows = {
            row: {pair[1]: ratio for pair, ratio in given.items() if pair[0] == row}
            for row in "abc"
        }
        return PairwiseWeights(rows, method="geometric mean")

    found = rule(ratios).diagnostics("abcd").reconsider
    assert len(found) == 6
    for one in found:
        pair = one.row + one.column
        assert one.given == ratios[pair]
        others = {other: ratio for other, ratio in ratios.items() if other != pair}
        weights = dict(zip("abcd", rule(others).shares("abcd"), strict=True))
        assert one.consistent == pytest.approx(weights[one.row] / weights[one.column], rel=1e-12)


def test_missing_judgements_by_hand() -> None:
    # a : b = 2 and b : c = 3 leave nothing to check, a : c is missing.
    chain = PairwiseWeights({"a": {"b": 2}, "b": {"c": 3}}).diagnostics("abc")
    assert chain.shares == pytest.approx((6 / 10, 3 / 10, 1 / 10))
    assert chain.consistency.checks == 0
    assert math.isnan(chain.consistency.ratio)
    assert "cannot be checked" in str(chain)
    # A circle of four without its diagonals: one check, a third of the three of a whole matrix.
    circle = PairwiseWeights({"a": {"b": 2, "d": 2}, "b": {"c": 2}, "c": {"d": 2}})
    consistency = circle.diagnostics("abcd").consistency
    assert (consistency.count, consistency.checks) == (4, 1)
    assert consistency.ratio == pytest.approx(consistency.index / (0.89 / 3))
    # Least squares spread log(8 / 2) over four judgements.
    assert consistency.geometric_index == pytest.approx(math.log(4) ** 2 / 4)


def test_several_judges_are_joined_by_geometric_means() -> None:
    two = PairwiseWeights({"kim": {"a": {"b": 2}}, "lee": {"b": {"a": 1 / 8}}})
    assert two.shares("ab") == pytest.approx((0.8, 0.2))
    # A judge who was not asked about a pair does not count there.
    parts = PairwiseWeights(
        {
            "kim": {"a": {"b": 2}},
            "lee": {"b": {"c": 3}},
            "park": {"a": {"b": 2}, "b": {"c": 3}},
        }
    )
    found = parts.diagnostics("abc")
    assert found.shares == pytest.approx((0.6, 0.3, 0.1))
    assert np.isnan(found.agreement.by_judge[:2]).all()
    assert found.by_judge[:2] == (None, None)
    assert "kim: comparisons do not reach all keys" in str(found)
    # Each may be left out, as the other two still reach all keys and say the same.
    np.testing.assert_allclose(found.agreement.standard_error, 0, atol=1e-12)
    split = PairwiseWeights({"kim": {"a": {"b": 2}}, "lee": {"b": {"c": 3}}}).diagnostics("abc")
    assert np.isnan(split.agreement.standard_error).all()
    assert np.isnan(split.agreement.standard_deviation).all()
    assert np.isnan(split.agreement.coefficient_of_variation).all()


def test_groups_that_nobody_compared_are_named() -> None:
    rule = PairwiseWeights({"a": {"b": 2}, "c": {"d": 3}})
    with pytest.raises(DefinitionError, match=r"no judgement connects a, b \| c, d") as caught:
        rule.shares("abcd")
    assert caught.value.field == "PairwiseWeights.judgements"
    with pytest.raises(DefinitionError, match=r"connects a, b \| e;"):
        rule.shares("abe")


def test_beyond_the_table_only_the_fitted_line_gives_a_ratio() -> None:
    keys = [f"k{position:02d}" for position in range(16)]
    rows = {row: {key: 2.0 for key in keys if key > row} for row in keys}
    saaty = PairwiseWeights(rows).diagnostics(keys)
    assert saaty.consistency.index > 0
    assert math.isnan(saaty.consistency.ratio)
    assert "consistency ratio not known" in str(saaty)
    line = PairwiseWeights(rows, random_index="alonso-lamata").diagnostics(keys).consistency
    assert line.ratio == pytest.approx(saaty.consistency.index * 15 / (1.7699 * 16 - 4.3513))


def random_logs(rng: np.random.Generator, size: int, count: int) -> np.ndarray:
    """Log ratios of random judgements: 1/9 ... 1 ... 9, each as likely, (count, size, size)."""
    scale = np.log(np.unique([1 / np.arange(9, 0, -1), np.arange(1, 10)]))
    upper = np.triu(rng.choice(scale, (count, size, size)), 1)
    return upper - upper.swapaxes(1, 2)


@pytest.mark.parametrize("size", [3, 4, 6, 8])
def test_random_matrices_have_the_tabled_inconsistency(size: int) -> None:
    largest = np.linalg.eigvals(np.exp(random_logs(np.random.default_rng(20), size, 4000)))
    index = ((largest.real.max(axis=1) - size) / (size - 1)).mean()
    consistent = np.zeros((size, size))
    consistent[0, 1], consistent[1, 0] = 1, -1  # one judgement off
    for table, width in (("saaty", 0.03), ("alonso-lamata", 0.06)):
        found = pairwise_consistency(consistent, table)
        assert found.index / found.ratio == pytest.approx(index, abs=width)


@pytest.mark.parametrize(("size", "missing"), [(4, 2), (5, 3), (7, 8)])
def test_random_matrices_with_gaps_have_the_share_that_is_left(size: int, missing: int) -> None:
    rng = np.random.default_rng(21)
    found = []
    for logs in random_logs(rng, size, 600):
        pairs = rng.permutation(np.transpose(np.triu_indices(size, 1)))[:missing]
        logs[pairs[:, 0], pairs[:, 1]] = logs[pairs[:, 1], pairs[:, 0]] = np.nan
        if not groups_of(logs).any():
            found.append(pairwise_consistency(logs, "saaty"))
    assert np.mean([one.ratio for one in found]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("method", ["eigenvector", "geometric mean"])
def test_the_jackknife_over_judges_finds_the_error(method: str) -> None:
    rng = np.random.default_rng(7)
    truth = np.log([0.4, 0.3, 0.2, 0.1])
    keys = "abcd"
    weights, errors = [], []
    for _ in range(150):
        judges = {}
        for judge in range(8):
            noise = rng.normal(0, 0.4, (4, 4))
            judges[f"j{judge}"] = {
                keys[i]: {
                    keys[j]: math.exp(truth[i] - truth[j] + noise[i, j]) for j in range(i + 1, 4)
                }
                for i in range(4)
            }
        found = PairwiseWeights(judges, method=method).diagnostics(keys).agreement
        weights.append(found.weights)
        errors.append(found.standard_error)
    # 150 draws know a standard deviation within 6 %.
    true_error = np.std(weights, axis=0, ddof=1)
    np.testing.assert_allclose(np.mean(errors, axis=0), true_error, rtol=0.2)


# -- best and worst --------------------------------------------------------------------------------


def test_what_a_judge_might_reconsider() -> None:
    rule = BestWorstWeights(
        {"kim": {"a": {"b": 2, "c": 2, "d": 9}}, "lee": {"a": {"b": 2, "c": 3, "d": 6}}},
        {"kim": {"d": {"b": 2, "c": 9}}, "lee": {"d": {"b": 3, "c": 2}}},
    )
    found = rule.diagnostics("abcd")
    assert found.least_consistent == ("c", None)
    assert found.input_ratio.tolist() == pytest.approx([9 / 72, 0])
    assert found.threshold.tolist() == [0.2681, 0.1990]
    assert found.ksi[1] == 0
    assert "reconsider" not in str(found)  # within the threshold
    wild = BestWorstWeights({"a": {"b": 9, "c": 9, "d": 9}}, {"d": {"b": 9, "c": 9}}).diagnostics(
        "abcd"
    )
    assert wild.input_ratio[0] == 1
    assert "input-based ratio 1.000 (up to 0.268), reconsider b" in str(wild)


def test_thresholds_end_where_the_published_table_ends() -> None:
    def threshold(count: int, extreme: float) -> float:
        keys = [f"k{position}" for position in range(count)]
        others = dict.fromkeys(keys[1:-1], 1)
        rule = BestWorstWeights({keys[0]: {**others, keys[-1]: extreme}}, {keys[-1]: others})
        return float(rule.diagnostics(keys).threshold[0])

    assert threshold(3, 9) == 0.1359
    assert threshold(9, 3) == 0.1667
    assert threshold(5, 2) == 0
    for beyond in ((2, 5), (10, 5), (5, 9.5), (5, 1), (5, 12)):
        assert math.isnan(threshold(*beyond))


def test_two_keys_leave_nothing_to_check() -> None:
    found = BestWorstWeights({"a": {"b": 3}}, {"b": {}}).diagnostics("ab")
    assert math.isnan(found.input_ratio[0])
    assert "input-based ratio not known" in str(found)


# -- in a scheme -----------------------------------------------------------------------------------

FRAMEWORK = small_study(
    channels=("blog", "video"),
    items=[
        ("q1", "open"),
        ("q2", "open"),
        ("q3", "open"),
        SurveyItem(key="q4", dimension="useful", channels=("blog",)),
        ("q5", "kind"),
        ("q6", "kind"),
    ],
).framework

ITEM_RULES = {
    "budget": BudgetWeights({"q1": 50, "q2": 30, "q3": 20, "q4": 100, "q5": 75, "q6": 25}),
    "swing": SwingWeights({"q1": 100, "q2": 60, "q3": 40, "q4": 100, "q5": 100, "q6": 33.333333}),
    "order": RankOrderWeights({"q1": 1, "q2": 2, "q3": 3, "q4": 1, "q5": 1, "q6": 2}),
    "pairs": PairwiseWeights({"q1": {"q2": 2, "q3": 3}, "q5": {"q6": 3}}),
    "best": BestWorstWeights(
        {"q1": {"q2": 2, "q3": 4}, "q4": {}, "q5": {"q6": 3}},
        {"q3": {"q2": 2}, "q4": {}, "q6": {}},
    ),
}


@pytest.mark.parametrize("name", ITEM_RULES)
def test_items_are_weighed_within_their_dimension(name: str) -> None:
    items = WeightingScheme(items=ITEM_RULES[name]).resolve(FRAMEWORK).items
    np.testing.assert_allclose(items[0, 3:], [1, 0.75, 0.25], atol=1e-8)
    assert items[0, 0] > items[0, 1] > items[0, 2]
    np.testing.assert_allclose(items[0, :3].sum(), 1)
    np.testing.assert_allclose(items[1, :3], items[0, :3])
    assert items[1, 3] == 0


def test_dimensions_and_channels_are_weighed_too() -> None:
    scheme = WeightingScheme(
        channels=PairwiseWeights({"blog": {"video": 3}}),
        dimensions={
            "blog": BudgetWeights({"open": 50, "useful": 30, "kind": 20}),
            "video": SwingWeights({"open": 100, "kind": 25}),
        },
    )
    weights = scheme.resolve(FRAMEWORK)
    np.testing.assert_allclose(weights.channels, [0.75, 0.25])
    np.testing.assert_allclose(weights.dimensions, [[0.5, 0.3, 0.2], [0.8, 0, 0.2]])


# -- faults ----------------------------------------------------------------------------------------

FAULTS: dict[str, tuple[Callable[[], object], str, str, str | None]] = {
    "negative points": (
        lambda: BudgetWeights({"kim": {"a": -1, "b": 101}}),
        "BudgetWeights.points[kim].a",
        "expected a number of 0 or more for 'a', got -1",
        None,
    ),
    "points in words": (
        lambda: SwingWeights({"kim": {"a": "high"}}),
        "SwingWeights.points[kim].a",
        "got 'high'",
        None,
    ),
    "points that are true": (
        lambda: SwingWeights({"a": True}),
        "SwingWeights.points[judge].a",
        "got True",
        None,
    ),
    "points without keys": (
        lambda: BudgetWeights([50, 50]),
        "BudgetWeights.points[judge]",
        "expected a mapping with text for keys, got [50, 50]",
        None,
    ),
    "keys that are no text": (
        lambda: BudgetWeights({1: 50, 2: 50}),
        "BudgetWeights.points[judge]",
        "text for keys",
        None,
    ),
    "a judge twice": (
        lambda: BudgetWeights([("kim", {"a": 100}), ("kim", {"a": 100})]),
        "BudgetWeights.points",
        "'kim' is used twice",
        None,
    ),
    "a key twice": (
        lambda: BudgetWeights([("a", 50), ("a", 50)]),
        "BudgetWeights.points[judge]",
        "'a' is used twice",
        None,
    ),
    "points that do not add up": (
        lambda: BudgetWeights({"kim": {"a": 50, "b": 40}}).shares("ab"),
        "BudgetWeights.points[kim]",
        "the weights of a, b add up to 90, expected 100",
        None,
    ),
    "a total of 0": (
        lambda: BudgetWeights({"a": 0}, total=0),
        "BudgetWeights.total",
        "expected a positive number, got 0",
        None,
    ),
    "a key without points": (
        lambda: BudgetWeights({"kim": {"blog": 60, "twiter": 40}}).shares(["blog", "twitter"]),
        "BudgetWeights.points[kim]",
        "no points for 'twitter'; given for blog, twiter; did you mean 'twiter'?",
        "twiter",
    ),
    "a judge who says nothing": (
        lambda: BudgetWeights({"kim": {"a": 100}, "lee": {}}).shares("a"),
        "BudgetWeights.points[lee]",
        "no points for 'a'; given for no key",
        None,
    ),
    "no most valuable swing": (
        lambda: SwingWeights({"kim": {"a": 90, "b": 40}}).shares("ab"),
        "SwingWeights.points[kim]",
        "the most points among a, b are 90, expected 100",
        None,
    ),
    "a top that is no number": (
        lambda: SwingWeights({"a": 1}, top=math.inf),
        "SwingWeights.top",
        "got inf",
        None,
    ),
    "a rank of 0": (
        lambda: RankOrderWeights({"a": 0, "b": 1}),
        "RankOrderWeights.ranks[judge].a",
        "expected a number of 1 or more for 'a', got 0",
        None,
    ),
    "an unknown rank method": (
        lambda: RankOrderWeights({"a": 1}, method="centriod"),
        "RankOrderWeights.method",
        "did you mean 'centroid'?",
        "centroid",
    ),
    "a ratio of 0": (
        lambda: PairwiseWeights({"kim": {"a": {"b": 0}}}),
        "PairwiseWeights.judgements[kim].a.b",
        "expected a number above 0 for 'b', got 0",
        None,
    ),
    "a negative ratio": (
        lambda: PairwiseWeights({"a": {"b": -3}}),
        "PairwiseWeights.judgements[judge].a.b",
        "got -3",
        None,
    ),
    "contradictory ratios": (
        lambda: PairwiseWeights({"kim": {"a": {"b": 3}, "b": {"a": 0.5}}}),
        "PairwiseWeights.judgements[kim].b.a",
        "expected 0.333333 for 'b' beside 'a', since 'a' beside 'b' is 3, got 0.5; give one of",
        None,
    ),
    "a key unlike itself": (
        lambda: PairwiseWeights({"a": {"a": 2, "b": 3}}),
        "PairwiseWeights.judgements[judge].a.a",
        "expected 1 for 'a' beside itself, got 2",
        None,
    ),
    "a matrix that is not square": (
        lambda: PairwiseWeights.from_matrix("abc", [[1, 2], [0.5, 1]]),
        "PairwiseWeights.judgements",
        "expected a matrix of 3 rows and columns, got (2, 2)",
        None,
    ),
    "a matrix with a key twice": (
        lambda: PairwiseWeights.from_matrix(["a", "a"], [[1, 2], [0.5, 1]]),
        "PairwiseWeights.judgements",
        "'a' is used twice",
        None,
    ),
    "a pair across dimensions": (
        lambda: PairwiseWeights({"q1": {"q2": 2, "q4": 3}}).shares(["q1", "q2"]),
        "PairwiseWeights.judgements[judge].q1.q4",
        "'q4' is not among q1, q2, which 'q1' is weighed with",
        None,
    ),
    "an unknown table": (
        lambda: PairwiseWeights({"a": {"b": 2}}, random_index="saati"),
        "PairwiseWeights.random_index",
        "did you mean 'saaty'?",
        "saaty",
    ),
    "less than the worst": (
        lambda: BestWorstWeights({"a": {"b": 0.5}}, {"b": {}}),
        "BestWorstWeights.best_to_others[judge].a.b",
        "expected a number of 1 or more for 'b', got 0.5",
        None,
    ),
    "judges that differ": (
        lambda: BestWorstWeights({"kim": {"a": {"b": 2}}}, {"kimm": {"b": {"a": 2}}}),
        "BestWorstWeights.others_to_worst",
        "unknown judge 'kimm'; did you mean 'kim'?",
        "kim",
    ),
    "no best": (
        lambda: BestWorstWeights({"a": {"b": 2}}, {"b": {}}).shares("bc"),
        "BestWorstWeights.best_to_others[judge]",
        "expected one of b, c, got none",
        None,
    ),
    "two best": (
        lambda: BestWorstWeights({"a": {"c": 2}, "b": {"c": 2}}, {"c": {}}).shares("abc"),
        "BestWorstWeights.best_to_others[judge]",
        "expected one of a, b, c, got a and b",
        None,
    ),
    "best and worst": (
        lambda: BestWorstWeights({"a": {"b": 2}}, {"a": {"b": 2}}).shares("ab"),
        "BestWorstWeights.others_to_worst[judge].a",
        "'a' is the best as well",
        None,
    ),
    "two judgements of best and worst": (
        lambda: BestWorstWeights({"a": {"b": 2}}, {"b": {"a": 3}}).shares("ab"),
        "BestWorstWeights.others_to_worst[judge].b.a",
        "expected one judgement of 'a' beside 'b', got 2 and 3",
        None,
    ),
    "no judgement of best and worst": (
        lambda: BestWorstWeights({"a": {}}, {"b": {}}).shares("ab"),
        "BestWorstWeights.others_to_worst[judge].b.a",
        "expected one judgement of 'a' beside 'b', got none",
        None,
    ),
    "a key that the worst is not compared with": (
        lambda: BestWorstWeights({"a": {"b": 2, "c": 4}}, {"c": {}}).shares("abc"),
        "BestWorstWeights.others_to_worst[judge].c",
        "no judgement for 'b'; given for a, c",
        None,
    ),
    "more than the best": (
        lambda: BestWorstWeights({"a": {"b": 2, "c": 4}}, {"c": {"b": 5}}).shares("abc"),
        "BestWorstWeights.others_to_worst[judge].c.b",
        "5 for 'b' is more than the best beside the worst, 4",
        None,
    ),
    "a best beside a stranger": (
        lambda: BestWorstWeights({"q1": {"q2": 2, "q4": 3}}, {"q2": {}}).shares(["q1", "q2"]),
        "BestWorstWeights.best_to_others[judge].q1",
        "unknown key 'q4'",
        None,
    ),
    "a stranger in a scheme": (
        lambda: WeightingScheme(channels=BudgetWeights({"blog": 50, "vidoe": 50})).resolve(
            FRAMEWORK
        ),
        "WeightingScheme.channels",
        "unknown key 'vidoe'; did you mean 'video'?",
        "video",
    ),
    "a stranger who was compared": (
        lambda: WeightingScheme(items=PairwiseWeights({"q1": {"q9": 2}})).resolve(FRAMEWORK),
        "WeightingScheme.items",
        "unknown key 'q9'",
        None,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_say_where_and_what(name: str) -> None:
    make, field, message, nearest = FAULTS[name]
    with pytest.raises(DefinitionError) as caught:
        make()
    assert caught.value.field == field
    assert message in str(caught.value)
    if nearest:
        assert caught.value.nearest == nearest


def test_fixed_weights_name_their_keys() -> None:
    assert FixedWeights({"a": 0.5, "b": 0.5}).keys == ("a", "b")
