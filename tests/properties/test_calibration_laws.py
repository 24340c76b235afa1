"""The laws of respondent weights: what must hold whoever answered and whatever the margins are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sotongindex.calibration import calibrate, post_stratify, rake, trim_weights
from sotongindex.errors import MethodError

DISTANCES = st.sampled_from(["linear", "raking", "logit"])


@st.composite
def samples(draw, groups=False):
    """Draw people, margins that they can meet, and starting weights.

    Margins are those of positive weights drawn for the same people, so some weights meet them.
    """
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    rows = draw(st.integers(1, 60))
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    people = {f"v{k}": rng.integers(size, size=rows) for k, size in enumerate(sizes)}
    truth = rng.lognormal(0, draw(st.sampled_from([0.0, 0.3, 1.0])), rows)
    start = rng.lognormal(0, 0.5, rows)
    if not groups:
        return people, margins_of(people, truth), start
    group = rng.integers(draw(st.integers(1, 4)), size=rows)
    margins = {
        int(one): margins_of({k: v[group == one] for k, v in people.items()}, truth[group == one])
        for one in np.unique(group)
    }
    return people | {"group": group}, margins, start


def margins_of(people, weight):
    return {
        name: {int(key): weight[codes == key].sum() / weight.sum() for key in np.unique(codes)}
        for name, codes in people.items()
    }


def solved(function, *arguments, **options):
    """Return the result; margins that only weights of 0 or less meet are another matter."""
    try:
        return function(*arguments, **options)
    except MethodError as error:
        assume("weights of 0" not in str(error))
        raise


@given(samples(), DISTANCES)
def test_margins_are_met_with_positive_weights(sample, distance):
    people, margins, start = sample
    options = {"ratio_bounds": (1e-3, 1e3)} if distance == "logit" else {}
    found = solved(calibrate, people, margins, distance=distance, weight=start, **options)
    assert found.weight.min() > 0
    assert found.weight.sum() == pytest.approx(start.sum())
    for name, shares in margins.items():
        for key, share in shares.items():
            own = found.weight[people[name] == key].sum() / found.weight.sum()
            assert own == pytest.approx(share, abs=1e-8)


@given(samples())
def test_raking_twice_changes_nothing(sample):
    people, margins, start = sample
    once = solved(rake, people, margins, weight=start).weight
    np.testing.assert_allclose(rake(people, margins, weight=once).weight, once, rtol=1e-6)


@given(samples(), st.randoms(use_true_random=False))
def test_the_order_of_margins_and_rows_does_not_matter(sample, random):
    people, margins, start = sample
    plain = solved(rake, people, margins, weight=start).weight
    names = random.sample(list(margins), len(margins))
    rows = np.array(random.sample(range(len(start)), len(start)))
    moved = rake(
        {name: column[rows] for name, column in people.items()},
        {name: margins[name] for name in names},
        weight=start[rows],
    )
    np.testing.assert_allclose(moved.weight, plain[rows], rtol=1e-6)


@given(samples(), st.floats(0.01, 1000))
def test_the_size_of_starting_weights_does_not_matter_for_shares(sample, factor):
    people, margins, start = sample
    plain = solved(rake, people, margins, weight=start).weight
    scaled = rake(people, margins, weight=factor * start).weight
    np.testing.assert_allclose(scaled, factor * plain, rtol=1e-6)


@given(samples())
def test_raked_weights_are_products_of_a_factor_for_each_margin(sample):
    people, margins, start = sample
    found = solved(rake, people, margins, weight=start)
    columns = [codes == key for name, codes in people.items() for key in margins[name]]
    indicators = np.array(columns, dtype=float).T
    logs = np.log(found.weight / start)
    fitted = indicators @ np.linalg.lstsq(indicators, logs, rcond=None)[0]
    np.testing.assert_allclose(fitted, logs, atol=1e-8)


def can_be_met(people, margins, low, high):
    """Say whether any weights between `low` and `high` (n,) meet the margins."""
    columns = [people[name] == key for name, shares in margins.items() for key in shares]
    shares = [share for table in margins.values() for share in table.values()]
    found = linprog(
        np.zeros(len(low)),
        A_eq=np.array(columns, dtype=float),
        b_eq=np.array(shares),
        bounds=np.column_stack([low, high]),
    )
    return found.success


def check_bounds(people, margins, start, *, low, high, **options):
    """Margins and bounds (n,) are met where they can be, else the error says that they cannot."""
    total = start.sum()
    if can_be_met(people, margins, 1.001 * low / total, 0.999 * high / total):
        found = calibrate(people, margins, weight=start, **options)
        assert (low - 1e-9 <= found.weight).all()
        assert (found.weight <= high + 1e-9).all()
        assert found.report.error_after < 1e-9
    elif not can_be_met(people, margins, 0.999 * low / total, 1.001 * high / total):
        with pytest.raises(MethodError, match="too tight"):
            calibrate(people, margins, weight=start, **options)


@given(samples(), DISTANCES, st.floats(1.05, 4.0))
def test_bounds_of_ratios_are_met_where_they_can_be(sample, distance, upper):
    people, margins, start = sample
    bounds = (1 / upper, upper)
    low, high = bounds[0] * start, bounds[1] * start
    options = {"distance": distance, "ratio_bounds": bounds}
    check_bounds(people, margins, start, low=low, high=high, **options)


@given(samples(), st.sampled_from(["linear", "raking"]), st.floats(1.05, 5.0))
def test_bounds_of_weights_are_met_where_they_can_be(sample, distance, upper):
    people, margins, start = sample
    low, high = (factor * start.mean() * np.ones(len(start)) for factor in (0.2, upper))
    options = {"distance": distance, "weight_bounds": (low[0], high[0])}
    check_bounds(people, margins, start, low=low, high=high, **options)


@given(samples(), DISTANCES, st.integers(1, 4))
def test_calibrating_again_is_calibrating_afresh(sample, distance, replicates):
    people, margins, start = sample
    options = {"ratio_bounds": (1e-3, 1e3)} if distance == "logit" else {}
    record = solved(
        calibrate, people, margins, distance=distance, weight=start, **options
    ).calibration
    others = start[:, None] * np.random.default_rng(1).gamma(5, 0.2, (len(start), replicates))
    ratios = solved(record.again, others)
    assert ratios.shape == (len(record.ratio), replicates)
    for column in range(replicates):
        own = others[:, column]
        fresh = solved(calibrate, people, margins, distance=distance, weight=own, **options)
        np.testing.assert_allclose(own * ratios[record.cell, column], fresh.weight, rtol=1e-6)


@given(samples(groups=True), DISTANCES)
def test_groups_together_are_groups_one_by_one(sample, distance):
    people, margins, start = sample
    options = {"ratio_bounds": (1e-3, 1e3)} if distance == "logit" else {}
    options["distance"] = distance
    found = solved(calibrate, people, margins, weight=start, by="group", **options)
    for one, own_margins in margins.items():
        rows = people["group"] == one
        own = {name: codes[rows] for name, codes in people.items() if name != "group"}
        alone = calibrate(own, own_margins, weight=start[rows], **options)
        np.testing.assert_allclose(found.weight[rows], alone.weight, rtol=1e-6)


@given(samples())
def test_one_crossed_margin_is_post_stratification(sample):
    people, _, start = sample
    names = tuple(people)
    cells = [tuple(int(code) for code in row) for row in zip(*people.values(), strict=True)]
    truth = np.random.default_rng(2).gamma(3, 1, len(cells))
    counts: dict[tuple[int, ...], float] = {}
    for cell, weight in zip(cells, truth, strict=True):
        counts[cell] = counts.get(cell, 0.0) + 10 * weight
    key = names if len(names) > 1 else names[0]
    table = counts if len(names) > 1 else {cell[0]: n for cell, n in counts.items()}
    found = post_stratify(people, {key: table}, weight=start).weight
    for cell, count in counts.items():
        own = np.array([one == cell for one in cells])
        assert found[own].sum() == pytest.approx(count)
        np.testing.assert_allclose(found[own] / start[own], count / start[own].sum(), rtol=1e-9)
    for distance in ("linear", "raking"):
        other = calibrate(people, {key: table}, distance=distance, weight=start).weight
        np.testing.assert_allclose(other, found, rtol=1e-9)


@settings(max_examples=50)
@given(samples(), st.floats(1.1, 3.0), st.sampled_from(["proportional", "equal"]))
def test_strict_trimming_keeps_limits_and_total(sample, upper, spread):
    weight = sample[2]
    limit = upper * weight.mean()
    found = trim_weights(weight, upper=limit, spread=spread, strict=True).weight
    assert found.max() <= limit + 1e-9
    assert found.sum() == pytest.approx(weight.sum())
    assert found.min() >= weight.min() - 1e-12
