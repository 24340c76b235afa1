"""Laws of weights from judgement, beside a solver where one defines the weights."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog

from sotongindex.weighting import (
    BestWorstWeights,
    BudgetWeights,
    PairwiseWeights,
    RankOrderWeights,
    Rule,
    SwingWeights,
)

amounts = st.integers(0, 20) | st.floats(0, 20, allow_subnormal=False)
ratios = st.sampled_from([1 / 9, 1 / 5, 1 / 3, 1 / 2, 1, 2, 3, 5, 9]) | st.floats(0.1, 10)


def names(count: int) -> list[str]:
    return [f"k{position}" for position in range(count)]


@st.composite
def budgets(draw: st.DrawFn) -> BudgetWeights:
    keys = names(draw(st.integers(1, 6)))
    total = draw(st.sampled_from([1.0, 10.0, 100.0]))
    judges = {}
    for judge in range(draw(st.integers(1, 4))):
        given = draw(st.lists(amounts, min_size=len(keys), max_size=len(keys)))
        assume(sum(given) > 1e-3)
        judges[f"j{judge}"] = {
            key: total * one / sum(given) for key, one in zip(keys, given, strict=True)
        }
    return BudgetWeights(judges, total=total)


@st.composite
def swings(draw: st.DrawFn) -> SwingWeights:
    keys = names(draw(st.integers(1, 6)))
    judges = {}
    for judge in range(draw(st.integers(1, 4))):
        given = draw(st.lists(amounts, min_size=len(keys), max_size=len(keys)))
        given[draw(st.integers(0, len(keys) - 1))] = 20
        judges[f"j{judge}"] = dict(zip(keys, given, strict=True))
    return SwingWeights(judges, top=20)


@st.composite
def orders(draw: st.DrawFn) -> RankOrderWeights:
    keys = names(draw(st.integers(1, 6)))
    lists = st.lists(st.integers(1, 7), min_size=len(keys), max_size=len(keys))
    judges = {
        f"j{judge}": dict(zip(keys, draw(lists), strict=True))
        for judge in range(draw(st.integers(1, 4)))
    }
    return RankOrderWeights(judges, method=draw(st.sampled_from(["sum", "reciprocal", "centroid"])))


@st.composite
def comparisons(draw: st.DrawFn) -> PairwiseWeights:
    """Up to three judges; a chain connects all keys, other pairs may be missing."""
    keys = names(draw(st.integers(1, 6)))
    judges = {}
    for judge in range(draw(st.integers(1, 3))):
        rows: dict[str, dict[str, float]] = {key: {} for key in keys}
        for i in range(len(keys)):
            for j in range(i + 1, len(keys)):
                if j == i + 1 or draw(st.booleans()):
                    rows[keys[i]][keys[j]] = draw(ratios)
        judges[f"j{judge}"] = rows
    return PairwiseWeights(judges, method=draw(st.sampled_from(["eigenvector", "geometric mean"])))


@st.composite
def bests_and_worsts(draw: st.DrawFn) -> BestWorstWeights:
    count = draw(st.integers(2, 7))
    keys = names(count)
    best, worst = draw(st.permutations(keys))[:2]
    extreme = draw(st.integers(1, 9))
    numbers = st.integers(1, extreme) | st.floats(1, extreme)
    others = [key for key in keys if key not in {best, worst}]
    return BestWorstWeights(
        {best: {worst: extreme, **{key: draw(numbers) for key in others}}},
        {worst: {best: extreme, **{key: draw(numbers) for key in others}}},
    )


rules = budgets() | swings() | orders() | comparisons() | bests_and_worsts()


def keys_of(rule: Rule) -> list[str]:
    return sorted(rule.keys)


@given(rule=rules, data=st.data())
def test_weights_are_shares_that_do_not_depend_on_the_order_of_keys(
    rule: Rule, data: st.DataObject
) -> None:
    keys = keys_of(rule)
    shares = dict(zip(keys, rule.shares(keys), strict=True))
    assert min(shares.values()) >= 0
    assert abs(sum(shares.values()) - 1) < 1e-12
    shuffled = data.draw(st.permutations(keys))
    np.testing.assert_allclose(
        rule.shares(shuffled), [shares[key] for key in shuffled], rtol=1e-8, atol=1e-12
    )


@given(rule=budgets(), factor=st.floats(0.01, 100))
def test_a_larger_budget_gives_the_same_weights(rule: BudgetWeights, factor: float) -> None:
    larger = BudgetWeights(
        {judge: {k: factor * p for k, p in points} for judge, points in rule.points},
        total=factor * rule.total,
    )
    keys = keys_of(rule)
    np.testing.assert_allclose(larger.shares(keys), rule.shares(keys), rtol=0, atol=1e-12)


@given(rule=orders())
def test_a_better_rank_never_gets_less(rule: RankOrderWeights) -> None:
    keys = keys_of(rule)
    by_judge = rule.diagnostics(keys).by_judge
    for (_, ranks), weights in zip(rule.ranks, by_judge, strict=True):
        order = np.array([dict(ranks)[key] for key in keys])
        for i, j in np.argwhere(order[:, None] <= order):
            assert weights[i] >= weights[j] - 1e-15
            if order[i] == order[j]:
                assert abs(weights[i] - weights[j]) < 1e-15


@given(
    weights=st.lists(st.floats(0.01, 1), min_size=2, max_size=7),
    data=st.data(),
    method=st.sampled_from(["eigenvector", "geometric mean"]),
)
def test_consistent_judgements_give_back_their_weights_complete_or_not(
    weights: list[float], data: st.DataObject, method: str
) -> None:
    keys = names(len(weights))
    # A random tree connects all keys; further pairs are judged or not.
    pairs = {(data.draw(st.integers(0, j - 1)), j) for j in range(1, len(keys))}
    pairs |= {(i, j) for j in range(len(keys)) for i in range(j) if data.draw(st.booleans())}
    rows: dict[str, dict[str, float]] = {key: {} for key in keys}
    for i, j in pairs:
        rows[keys[i]][keys[j]] = weights[i] / weights[j]
    found = PairwiseWeights(rows, method=method).diagnostics(keys)
    np.testing.assert_allclose(found.shares, np.array(weights) / sum(weights), rtol=1e-9)
    assert not found.consistency.index > 1e-9
    assert not found.reconsider


def geometric_means(rule: PairwiseWeights, keys: list[str]) -> np.ndarray:
    """The mean log ratios of the judges, (k, k); NaN where no judge gave one."""
    at = {key: position for position, key in enumerate(keys)}
    sums, counts = np.zeros((2, len(keys), len(keys)))
    for _, rows in rule.judgements:
        for row, amounts in rows:
            for column, ratio in amounts:
                for i, j, sign in ((at[row], at[column], 1), (at[column], at[row], -1)):
                    sums[i, j] += sign * np.log(ratio)
                    counts[i, j] += 1
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


@given(rule=comparisons())
def test_weights_of_comparisons_are_what_their_definitions_say(rule: PairwiseWeights) -> None:
    keys = keys_of(rule)
    logs = geometric_means(rule, keys)
    found = rule.diagnostics(keys)
    weights = np.array(found.shares)
    fitted = np.log(weights)[:, None] - np.log(weights)
    if rule.method == "geometric mean":
        # The sum of squares is least where its derivative by every log weight is 0.
        np.testing.assert_allclose(np.nansum(logs - fitted, axis=1), 0, atol=1e-9)
    else:
        # Filled in with the ratios of the weights, the matrix has them as eigenvector.
        np.fill_diagonal(logs, 0.0)
        whole = np.exp(np.where(np.isnan(logs), fitted, logs))
        np.testing.assert_allclose(
            whole @ weights, found.consistency.largest_eigenvalue * weights, rtol=1e-9
        )


@given(rule=comparisons())
def test_turning_every_comparison_round_turns_geometric_means_round(
    rule: PairwiseWeights,
) -> None:
    turned = PairwiseWeights(
        {
            judge: {row: {key: 1 / ratio for key, ratio in amounts} for row, amounts in rows}
            for judge, rows in rule.judgements
        },
        method="geometric mean",
    )
    keys = keys_of(rule)
    found = np.array(PairwiseWeights(rule.judgements, method="geometric mean").shares(keys))
    inverse = (1 / found) / (1 / found).sum()
    np.testing.assert_allclose(turned.shares(keys), inverse, rtol=1e-9)
    # The two ways of the eigenvector differ, but not in consistency.
    one, other = (PairwiseWeights(r.judgements).diagnostics(keys) for r in (rule, turned))
    np.testing.assert_allclose(
        one.consistency.largest_eigenvalue, other.consistency.largest_eigenvalue, rtol=1e-9
    )


@given(rule=comparisons())
def test_naming_a_pair_the_other_way_changes_nothing(rule: PairwiseWeights) -> None:
    columns: dict[str, dict[str, dict[str, float]]] = {}
    for judge, rows in rule.judgements:
        columns[judge] = {key: {} for key in rule.keys}
        for row, amounts in rows:
            for column, ratio in amounts:
                columns[judge][column][row] = 1 / ratio
    keys = keys_of(rule)
    again = PairwiseWeights(columns, method=rule.method)
    np.testing.assert_allclose(again.shares(keys), rule.shares(keys), rtol=1e-9)


@given(rule=bests_and_worsts())
def test_best_worst_weights_are_those_of_a_solver(rule: BestWorstWeights) -> None:
    keys = keys_of(rule)
    count = len(keys)
    ((_, ((best, from_best),)),) = rule.best_to_others
    ((_, ((worst, to_worst),)),) = rule.others_to_worst
    at = {key: position for position, key in enumerate(keys)}
    limits = []
    for more, less, ratio in (
        *((best, key, ratio) for key, ratio in from_best),
        *((key, worst, ratio) for key, ratio in to_worst),
    ):
        for sign in (1, -1):
            limit = np.zeros(count + 1)
            limit[at[more]], limit[at[less]], limit[count] = sign, -sign * ratio, -1
            limits.append(limit)
    solved = linprog(
        np.eye(count + 1)[count],
        A_ub=limits,
        b_ub=np.zeros(len(limits)),
        A_eq=[[1.0] * count + [0.0]],
        b_eq=[1.0],
    )
    found = rule.diagnostics(keys)
    assert abs(found.ksi[0] - solved.fun) < 1e-8
    weights = np.array(found.shares)
    assert (np.array(limits) @ [*weights, found.ksi[0] + 1e-12] <= 1e-12).all()


@given(rule=budgets() | swings() | orders())
def test_agreement_is_a_share_and_errors_shrink_with_judges(rule: Rule) -> None:
    keys = keys_of(rule)
    found = rule.diagnostics(keys)
    if len(found.judges) == 1:
        assert np.isnan(found.standard_error).all()
        assert np.isnan(found.concordance)
        return
    assert np.isnan(found.concordance) or -1e-9 <= found.concordance <= 1 + 1e-9
    np.testing.assert_allclose(
        found.standard_error, found.standard_deviation / np.sqrt(len(found.judges)), atol=1e-12
    )
    np.testing.assert_allclose(found.covariance.sum(axis=0), 0, atol=1e-12)  # weights sum to 1
