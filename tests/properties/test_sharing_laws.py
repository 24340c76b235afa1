"""Laws of shared and pooled tallies."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support import answered, small_study

from sotongindex.benchmark import DisclosureRules
from sotongindex.errors import MethodError
from sotongindex.index import compute_index
from sotongindex.method import IndexMethod
from sotongindex.sharing import (
    coarsen_groups,
    pool_studies,
    pool_tallies,
    share_tally,
    tally_differencing,
)
from sotongindex.tally import Tally
from sotongindex.variance import GroupJackknife

ITEMS = [("q1", "d1"), ("q2", "d2")]
ORGANIZATIONS = ("a", "b", "c", "d")
ANSWER = st.one_of(st.integers(1, 7), st.just(np.nan))
# Respondent, organization, channel, two answers; a respondent rates a channel once.
ROWS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(ORGANIZATIONS),
        st.sampled_from(("blog", "video")),
        ANSWER,
        ANSWER,
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[:3],
)
GROUPS = st.sampled_from([1, 2, 4, 8])
LOOSE = DisclosureRules(min_respondents_show=1)


def tallied(rows: Any, groups: int = 8, **more: Any) -> Tally:
    keys = tuple(dict.fromkeys(row[1] for row in rows))
    study = small_study(keys, ("blog", "video"), ITEMS)
    return Tally.from_responses(answered(study, rows, **more), groups=groups)


def table(tally: Tally) -> dict[tuple[Any, ...], list[float]]:
    """Return the sums under their names, whatever the order of the organizations."""
    keys = tally.study.organization_keys
    rows = zip(tally.organization, tally.channel, tally.group, strict=True)
    sums = np.column_stack([
        tally.evaluations, tally.weight, tally.squared_weight,
        tally.answers, tally.answer_weight, tally.points,
    ])  # fmt: skip
    return {
        (keys[organization], channel, group): np.round(row, 6).tolist()
        for (organization, channel, group), row in zip(rows, sums, strict=True)
    }


@given(ROWS, GROUPS, st.integers(1, 6), st.booleans())
def test_nothing_in_a_shared_tally_has_fewer_than_the_minimum(
    rows: Any, groups: int, least: int, weighted: bool
) -> None:
    weight = 1 + np.arange(len(rows)) % 3 / 7 if weighted else None
    tally = tallied(rows, weight=weight)
    rules = DisclosureRules(min_respondents_show=least)
    try:
        shared = share_tally(tally, groups=groups, rules=rules).tally
    except MethodError:
        units = coarsen_groups(tally, 1)
        effective = units.weight**2 / units.squared_weight
        enough = (effective >= least * (1 - 1e-9)) & (units.answers >= least).any(axis=1)
        assert not enough.any()
        return
    assert shared.evaluations.min() >= least
    assert shared.answers[shared.answers > 0].min() >= least
    hidden = shared.answers == 0
    assert not shared.points[hidden].any()
    assert not shared.answer_weight[hidden].any()
    assert set(shared.study.organization_keys) == {key for key, *_ in table(shared)}
    # What is shared of a whole unit is the sum itself, but for rounding.
    whole, kept = table(coarsen_groups(tally, 1)), table(coarsen_groups(shared, 1))
    for key, row in kept.items():
        assert row[0] == whole[key][0]
        if not weighted:
            assert all(own in (expected, 0) for own, expected in zip(row, whole[key], strict=True))


@given(ROWS, ROWS, GROUPS)
def test_sharing_commutes_with_pooling_where_nothing_is_withheld(
    first: Any, second: Any, groups: int
) -> None:
    parts = [tallied(rows) for rows in (first, second)]
    if any(not part.answers.any() for part in parts):
        return
    # A unit without any answer holds nothing to share, and is left out on either way.
    shared = pool_tallies([share_tally(one, groups=groups, rules=LOOSE).tally for one in parts])
    pooled = share_tally(pool_tallies(parts), groups=groups, rules=LOOSE).tally
    answered_units = [
        {key[:2] for key, row in table(coarsen_groups(part, 1)).items() if any(row[3:5])}
        for part in parts
    ]
    empty = {key for part in parts for key, row in table(coarsen_groups(part, 1)).items()
             if not any(row[3:5])}  # fmt: skip
    if not empty:
        assert table(shared) == table(pooled)
    assert {key[:2] for key in table(shared)} == answered_units[0] | answered_units[1]


@given(ROWS, ROWS, GROUPS)
def test_coarsening_commutes_with_pooling_and_with_tallying(
    first: Any, second: Any, groups: int
) -> None:
    fine = [tallied(rows) for rows in (first, second)]
    coarse = table(coarsen_groups(pool_tallies(fine), groups))
    assert table(pool_tallies([coarsen_groups(one, groups) for one in fine])) == coarse
    assert table(pool_tallies([tallied(rows, groups) for rows in (first, second)])) == coarse


@given(ROWS, ROWS, ROWS)
def test_pooling_is_associative_and_commutative_but_for_order(a: Any, b: Any, c: Any) -> None:
    one, two, three = (tallied(rows) for rows in (a, b, c))
    left = pool_tallies([pool_tallies([one, two]), three])
    right = pool_tallies([one, pool_tallies([two, three])])
    assert left.study == right.study == pool_studies([one.study, two.study, three.study])
    assert table(left) == table(right) == table(pool_tallies([three, one, two]))


@settings(max_examples=30)
@given(ROWS, st.randoms(use_true_random=False))
def test_scores_of_a_pool_do_not_depend_on_the_order_of_its_parts(rows: Any, random: Any) -> None:
    parts = [[row for row in rows if row[1] == key] for key in ORGANIZATIONS]
    tallies = [tallied(part) for part in parts if part]
    method = IndexMethod(variance=GroupJackknife(groups=8))
    expected = compute_index(pool_tallies(tallies), method=method)
    random.shuffle(tallies)
    found = compute_index(pool_tallies(tallies), method=method)
    place = [found.organizations.index(key) for key in expected.organizations]
    for name in ("values", "variance"):
        np.testing.assert_allclose(
            getattr(found.index, name)[place], getattr(expected.index, name), rtol=1e-9
        )


@given(ROWS, ROWS, st.integers(1, 5))
def test_no_notice_means_that_nobody_few_can_be_subtracted(
    first: Any, second: Any, least: int
) -> None:
    # The second answers come from other people.
    more = [(row[0] + 1000, *row[1:]) for row in second]
    before = tallied(first, 1)
    after = pool_tallies([before, tallied(more, 1)])
    found = tally_differencing(before, after, rules=DisclosureRules(min_respondents_show=least))
    gained = table(tallied(more, 1))
    few = {
        f"{key}/{('blog', 'video')[channel]}"
        for (key, channel, _), row in gained.items()
        if row[0] < least or any(0 < count < least for count in row[3:5])
    }
    assert {key for notice in found for key in notice.keys} == few


def test_a_pool_of_one_is_itself() -> None:
    tally = tallied([(n, "a", "blog", 1 + n % 7, 4) for n in range(9)])
    assert attrs.asdict(pool_tallies([tally]).study) == attrs.asdict(tally.study)
    assert table(pool_tallies([tally])) == table(tally)
