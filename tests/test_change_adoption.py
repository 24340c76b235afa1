"""Adoption rates: shares with their base, a finite population, and paired changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import special
from test_html import parse
from waves import study_of

from sotongindex._adoption import wilson_interval
from sotongindex._html import view_html
from sotongindex.change import adoption_rates, compare_adoption
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import Organization, PeerGroup, Study


def study(counts: dict[str, int], size: int, *, channels: Sequence[str] | None = None) -> Study:
    """A study in which so many of the organizations operate each channel."""
    organizations = [
        Organization(
            key=f"o{place}",
            sector="company" if place % 2 else "public",
            channels=[key for key, count in counts.items() if place < count],
        )
        for place in range(size)
    ]
    return study_of(organizations, channels=channels or list(counts), items=[("q1", "d1")])


# -- shares --------------------------------------------------------------------------------------


def test_published_rates_with_their_base() -> None:
    # 120 managers, 2012: Facebook 90.8, Twitter 77.5, blog 65.8, YouTube 35.8 % (zdnet).
    counts = {"facebook": 109, "twitter": 93, "blog": 79, "youtube": 43}
    found = adoption_rates(study(counts, 120))
    np.testing.assert_allclose(100 * found.share, [90.8, 77.5, 65.8, 35.8], atol=0.05)
    assert len(found.organizations) == 120
    assert found.to_rows()[0] == pytest.approx(
        {
            "channel": "facebook",
            "base_group": "all",
            "base": 120,
            "operate": 109,
            "share": 109 / 120,
            "low": found.low[0],
            "high": found.high[0],
        }
    )


def test_wilsons_interval_is_that_of_newcombe() -> None:
    # Newcombe (1998), doi 10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E,
    # table I, method 3: 81/263, 15/148, 0/20, 1/29.
    low, high = wilson_interval([81 / 263, 15 / 148, 0.0, 1 / 29], [263, 148, 20, 29], level=0.95)
    np.testing.assert_allclose(low, [0.2553, 0.0624, 0.0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)
    # Nobody seen says nothing; everybody seen says all.
    assert [end.item() for end in wilson_interval([0.5], [0], level=0.95)] == [0.0, 1.0]
    assert [end.item() for end in wilson_interval([0.3], [np.inf], level=0.95)] == [0.3, 0.3]


def test_a_finite_population_narrows_the_interval() -> None:
    one = study({"blog": 60}, 100)
    widths = [
        (found.high - found.low).item()
        for found in (adoption_rates(one, population=n) for n in (100, 150, 1000, math.inf))
    ]
    assert widths[0] == pytest.approx(0, abs=1e-15)
    assert (np.diff(widths) > 0).all()
    # Hypergeometric variance: 100 of 150 count as 100 * 149 / 50 drawn from endlessly many.
    expected = wilson_interval([0.6], [298], level=0.95)
    found = adoption_rates(one, population=150)
    np.testing.assert_allclose([found.low, found.high], expected)


def test_rates_of_a_group_have_its_base() -> None:
    one = study({"blog": 4, "video": 1}, 10)
    companies = PeerGroup(key="companies", where={"sector": ["company"]})
    found = adoption_rates(one, among=companies)
    assert found.base == "companies"
    assert found.operate.tolist() == [2, 0]
    assert found.organizations == ("o1", "o3", "o5", "o7", "o9")
    assert str(found).splitlines()[0] == "channels operated by 5 organizations (companies)"


def test_who_declares_nothing_is_not_in_the_base() -> None:
    organizations = [Organization(key="a", channels=["blog"]), Organization(key="b")]
    found = adoption_rates(study_of(organizations))
    assert found.organizations == ("a",)
    assert found.share.tolist() == [1.0, 0.0]
    assert [(notice.code, notice.keys) for notice in found.notices] == [
        ("channels not declared", ("b",))
    ]


def test_rates_are_checked() -> None:
    one = study({"blog": 4}, 10)
    with pytest.raises(MethodError, match="no organization of 'all' declares its channels"):
        adoption_rates(study_of(["a"]))
    with pytest.raises(MethodError, match="population: expected 10 or more, the number of org"):
        adoption_rates(one, population=9)
    with pytest.raises(MethodError, match="choose organizations by where="):
        adoption_rates(one, among=PeerGroup(key="same", same="sector"))
    with pytest.raises(MethodError, match="level: expected a share between 0 and 1"):
        adoption_rates(one, level=95)
    with pytest.raises(DefinitionError, match="no organization has a value for 'sectr'"):
        adoption_rates(one, among=PeerGroup(key="x", where={"sectr": ["company"]}))


# -- changes -------------------------------------------------------------------------------------


def switched(adopted: int, dropped: int, size: int) -> tuple[Study, Study]:
    """Two waves in which so many adopted the blog and dropped it."""

    def wave(operate: Sequence[bool]) -> Study:
        return study_of(
            [
                Organization(key=f"o{place}", channels=["blog"] if does else [])
                for place, does in enumerate(operate)
            ],
            channels=["blog"],
            items=[("q1", "d1")],
        )

    order = np.arange(size)
    before = (order >= adopted) & (order < adopted + dropped + (size - adopted - dropped) // 2)
    after = np.where(order < adopted, True, np.where(order < adopted + dropped, False, before))
    return wave(before.tolist()), wave(after.tolist())


def test_a_paired_change_by_hand() -> None:
    found = compare_adoption(*switched(9, 3, 50))
    assert (found.adopted.item(), found.dropped.item()) == (9, 3)
    assert found.change.item() == pytest.approx(6 / 50)
    # McNemar: z = 6 / sqrt(12).
    assert found.p.item() == pytest.approx(2 * special.ndtr(-6 / np.sqrt(12)))
    rise, fall = 10 / 52, 4 / 52
    half = special.ndtri(0.975) * np.sqrt((rise + fall - (rise - fall) ** 2) / 52)
    np.testing.assert_allclose(
        [found.low.item(), found.high.item()], [rise - fall - half, rise - fall + half]
    )


def test_of_all_there_are_the_change_is_certain() -> None:
    found = compare_adoption(*switched(9, 3, 50), population=50)
    assert found.low.item() == found.high.item() == found.change.item() == pytest.approx(0.12)
    assert found.p.item() == 0.0
    still = compare_adoption(*switched(3, 3, 50), population=50)
    assert still.p.item() == 1.0
    assert still.low.item() == still.high.item() == 0.0


def test_pairs_are_those_of_both_waves_and_shares_of_each() -> None:
    before = study({"blog": 2, "video": 1}, 4)
    after = study({"blog": 5, "app": 3}, 8)
    found = compare_adoption(before, after)
    assert found.channels == ("blog",)
    assert len(found.organizations) == 4
    assert found.change.item() == pytest.approx(0.5)
    row = found.to_rows()[0]
    assert (row["share_before"], row["share_after"]) == (0.5, 0.625)
    assert (row["base_before"], row["base_after"], row["both"]) == (4, 8, 4)


def test_swapping_waves_flips_the_change() -> None:
    before, after = switched(9, 3, 50)
    found, back = compare_adoption(before, after), compare_adoption(after, before)
    np.testing.assert_allclose(back.change, -found.change)
    np.testing.assert_allclose([back.low, back.high], [-found.high, -found.low])
    np.testing.assert_array_equal(back.p, found.p)


def test_p_values_are_adjusted_over_the_channels() -> None:
    before, after = study({"blog": 2, "video": 9}, 40), study({"blog": 12, "video": 12}, 40)
    found = compare_adoption(before, after)
    np.testing.assert_allclose(found.adjusted_p, np.sort(found.p) * [2, 1])


def test_nobody_in_both_waves() -> None:
    one = study_of([Organization(key="a", channels=["blog"])])
    other = study_of([Organization(key="b", channels=["blog"])])
    with pytest.raises(MethodError, match="no organization declares its channels in both waves"):
        compare_adoption(one, other)


def test_paired_tests_and_intervals_hold_their_level() -> None:
    rng = np.random.default_rng(3)
    draws, size, moves = 4000, 100, np.array([0.1, 0.1])
    counts = rng.multinomial(size, [*moves, 0.8], draws)
    from sotongindex._adoption import _mcnemar, _paired_interval

    p = _mcnemar(counts[:, 0], counts[:, 1], scale=1.0)
    assert 0.035 < (p < 0.05).mean() < 0.06
    low, high = _paired_interval(counts[:, 0], counts[:, 1], size, scale=1.0, level=0.95)
    assert 0.94 < ((low <= 0) & (high >= 0)).mean() < 0.97


# -- how it shows --------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ko", "en"])
def test_pages_name_the_base(language: Any) -> None:
    before, after = switched(9, 3, 50)
    for result in (adoption_rates(after), compare_adoption(before, after)):
        page = view_html(result._view(language))
        parse(page)
        assert "(50)" in page
        assert result._repr_html_()
        assert len(result.to_frame("polars")) == 1
    assert "blog: +12.0 points (9 adopted, 3 dropped)" in str(compare_adoption(before, after))
