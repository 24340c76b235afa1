from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest

from sotongindex.benchmark import DisclosureRules
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.gaps import GapResult, find_gaps
from sotongindex.method import IndexMethod
from sotongindex.models import (
    Channel,
    Dimension,
    Framework,
    GradeCut,
    GradeScale,
    Organization,
    PeerGroup,
    PeerStatistic,
    Study,
    SurveyItem,
    Target,
)
from sotongindex.results import IndexResult
from sotongindex.weighting import FixedWeights, WeightingScheme

LOOSE = DisclosureRules(
    min_peers_mean=1, min_peers_rank=1, min_respondents_show=1, min_respondents_compare=1
)
SCHEME = WeightingScheme(
    channels=FixedWeights({"blog": 0.4, "app": 0.6}),
    dimensions=FixedWeights({"openness": 0.7, "usefulness": 0.3}),
)


def scored(
    cells: Sequence[Sequence[Sequence[float]]],
    *,
    error: float | None = 1.0,
    respondents: Sequence[float] | None = None,
    keys: Sequence[str] | None = None,
    version: str = "1",
    power: float = 1.0,
) -> IndexResult:
    """A result of published scores, (organization, channel, dimension)."""
    keys = keys or [f"o{n}" for n in range(len(cells))]
    framework = Framework(
        key="mini",
        version=version,
        channels=[Channel(key="blog"), Channel(key="app")],
        dimensions=[Dimension(key="openness"), Dimension(key="usefulness")],
        items=[
            SurveyItem(key="q1", dimension="openness"),
            SurveyItem(key="q2", dimension="usefulness"),
        ],
    )
    study = Study(
        key="study",
        framework=framework,
        organizations=[Organization(key=key, industry="all") for key in keys],
    )
    table = np.array(cells, dtype=float)
    frame: dict[str, Any] = {
        "organization": np.repeat(keys, 2).tolist(),
        "channel": ["blog", "app"] * len(keys),
        "openness": table[:, :, 0].ravel(),
        "usefulness": table[:, :, 1].ravel(),
        "error": np.full(table.shape[0] * 2, np.nan if error is None else error),
        "n": np.repeat(np.full(len(keys), np.nan) if respondents is None else respondents, 2),
    }
    return IndexResult.from_scores(
        frame,
        study,
        channel="channel",
        standard_errors={"openness": "error", "usefulness": "error"},
        respondents="n",
        scheme=SCHEME,
        method=IndexMethod(power=power),
    )


def flat(*scores: float, **arguments: Any) -> IndexResult:
    """Organizations with one score everywhere."""
    return scored([[[score] * 2] * 2 for score in scores], **arguments)


MIXED = (((50.0, 80.0), (60.0, 40.0)), ((70.0, 60.0), (65.0, 75.0)), ((55.0, 55.0), (90.0, 85.0)))


# -- gaps -----------------------------------------------------------------------------------------


def test_a_number_as_target() -> None:
    gap = find_gaps(flat(60, 75), Target(score=70)).gaps[0]
    assert gap.gap.values.tolist() == pytest.approx([10, -5])
    assert gap.aim.values.tolist() == [70, 70]
    assert gap.aim.standard_error.tolist() == [0, 0]
    np.testing.assert_allclose(gap.gap.standard_error, gap.score.standard_error)
    assert gap.probability_met[0] < 0.001
    assert gap.probability_met[1] > 0.999
    row, surplus = gap.to_rows()
    assert (row["to_close"], row["surplus"]) == (pytest.approx(10), 0)
    assert (surplus["to_close"], surplus["surplus"]) == (0, pytest.approx(5))


def test_a_grade_as_target() -> None:
    cut = GradeCut(grade="A", scale=GradeScale(key="2025", bands={"S": 90, "A": 70}))
    gap = find_gaps(flat(60, 75), Target(score=cut, organization="o1")).gaps[0]
    assert gap.organizations == ("o1",)
    assert gap.gap.values.tolist() == pytest.approx([-5])
    assert gap.to_rows()[0]["target"] == "grade A of 2025"


@pytest.mark.parametrize(
    ("statistic", "aims"),
    [
        ("mean", [70, 200 / 3, 190 / 3, 60]),
        ("median", [70, 70, 60, 60]),
        ("p75", [75, 75, 70, 65]),
        ("p90", [78, 78, 76, 68]),
        ("best", [80, 80, 80, 70]),
        ("top decile mean", [80, 80, 80, 70]),
    ],
)
def test_peers_as_target_leave_the_organization_out(statistic: Any, aims: list[float]) -> None:
    rule = PeerStatistic(statistic=statistic)
    gap = find_gaps(flat(50, 60, 70, 80), Target(score=rule), rules=LOOSE).gaps[0]
    np.testing.assert_allclose(gap.aim.values, aims)
    np.testing.assert_allclose(gap.gap.values, np.array(aims) - [50, 60, 70, 80])


def test_the_top_decile_of_many_peers() -> None:
    scores = np.arange(40.0, 75.0)
    rule = PeerStatistic(statistic="top decile mean")
    result = flat(*scores)
    gap = find_gaps(result, Target(score=rule)).gaps[0]
    expected = [np.sort(np.delete(scores, own))[-4:].mean() for own in range(len(scores))]
    np.testing.assert_allclose(gap.aim.values, expected)
    np.testing.assert_allclose(gap.aim.variance, result.index.variance[0] / 4)
    np.testing.assert_allclose(gap.gap.variance, result.index.variance[0] * 1.25)


def test_errors_of_the_peers_are_in_the_gap_and_covariance_in_attainment() -> None:
    result = scored(MIXED)
    rule = PeerStatistic(statistic="mean", peers=PeerGroup(key="industry", same="industry"))
    gap = find_gaps(result, Target(score=rule), rules=LOOSE).gaps[0]
    covariance, values = result.index.covariance(), result.index.values
    jacobian = np.full((3, 3), 0.5) - 1.5 * np.eye(3)
    np.testing.assert_allclose(gap.gap.variance, np.diag(jacobian @ covariance @ jacobian.T))
    aim = gap.aim.values
    by_score = np.eye(3) / aim[:, None]
    by_aim = (-values / aim**2)[:, None] * (1 - np.eye(3)) / 2
    ratio = by_score + by_aim
    np.testing.assert_allclose(gap.ratio.share.values, values / aim)
    np.testing.assert_allclose(gap.ratio.share.variance, np.diag(ratio @ covariance @ ratio.T))


def test_one_organization_has_the_gap_it_has_among_all() -> None:
    rule = PeerStatistic(statistic="p75")
    result = scored(MIXED)
    every = find_gaps(result, Target(score=rule), rules=LOOSE).gaps[0]
    one = find_gaps(result, Target(score=rule, organization="o1"), rules=LOOSE).gaps[0]
    assert one.to_rows() == [every.to_rows()[1]]


def test_targets_of_channels_dimensions_and_cells() -> None:
    targets = [
        Target(score=70, channel="app"),
        Target(score=70, dimension="openness"),
        Target(score=70, channel="app", dimension="usefulness"),
    ]
    result = find_gaps(scored(MIXED), targets)
    assert [gap.gap.values[0] for gap in result.gaps] == pytest.approx([16, 70 - 56, 30])


def test_without_error_a_score_at_the_target_meets_it() -> None:
    gap = find_gaps(flat(69.9, 70, 70.1, error=0.0), Target(score=70)).gaps[0]
    assert gap.probability_met.tolist() == [0, 1, 1]


# -- attainment -----------------------------------------------------------------------------------


def test_three_forms_of_attainment() -> None:
    now, before = flat(50, 60, 70), flat(40, 60, 80)
    gap = find_gaps(now, Target(score=75), baseline=before, rules=LOOSE).gaps[0]
    assert gap.ratio.share.values == pytest.approx([50 / 75, 60 / 75, 70 / 75])
    assert gap.progress.share.values[:2] == pytest.approx([10 / 35, 0])
    assert gap.range.share.values == pytest.approx([-10 / 15, 10 / 25, 20 / 25])
    assert gap.progress.reasons.tolist() == ["", "", "start not below the target"]
    assert np.isnan(gap.progress.share.values[2])


def test_the_error_of_progress_from_an_earlier_result() -> None:
    now, before = flat(50, 60), flat(40, 45)
    share = find_gaps(now, Target(score=80), baseline=before).gaps[0].progress.share
    variance = now.index.variance[0]
    for place, (score, start) in enumerate([(50, 40), (60, 45)]):
        way = 80 - start
        part = (score - start) / way
        expected = variance * (1 + (part - 1) ** 2) / way**2
        assert share.variance[place] == pytest.approx(expected)


def test_a_number_as_baseline() -> None:
    gap = find_gaps(flat(50, 60), Target(score=70), baseline=40).gaps[0]
    assert gap.progress.share.values == pytest.approx([10 / 30, 20 / 30])


def test_no_baseline_is_a_reason() -> None:
    gap = find_gaps(flat(50, 60), Target(score=70)).gaps[0]
    assert gap.progress.reasons.tolist() == ["no baseline"] * 2
    before = flat(45, keys=["o1"])
    part = find_gaps(flat(50, 60), Target(score=70), baseline=before).gaps[0].progress
    assert part.reasons.tolist() == ["no baseline", ""]
    assert part.share.values[1] == pytest.approx(15 / 25)


def test_a_baseline_of_another_framework_is_told() -> None:
    result = find_gaps(flat(50), Target(score=70), baseline=flat(40, version="0"))
    assert result.notices[0].code == "framework differs"
    same = find_gaps(flat(50), Target(score=70), baseline=flat(40))
    assert "framework differs" not in [notice.code for notice in same.notices]


def test_a_target_of_zero_has_no_ratio() -> None:
    ratio = find_gaps(flat(50), Target(score=0)).gaps[0].ratio
    assert ratio.reasons.tolist() == ["start not below the target"]


# -- what to improve first ------------------------------------------------------------------------


def test_a_lever_regains_what_the_index_would_gain() -> None:
    result = find_gaps(scored(MIXED), Target(score=85))
    # The first organization: openness 50 and 60, usefulness 80 and 40.
    found = {(row["channel"], row["dimension"]): row["regained"] for row in result.priorities("o0")}
    assert found == {
        ("blog", None): pytest.approx(0.4 * (85 - 59)),
        ("app", None): pytest.approx(0.6 * (85 - 54)),
        (None, "openness"): pytest.approx(0.7 * (85 - 56)),
        (None, "usefulness"): pytest.approx(0.3 * (85 - 56)),
    }


@pytest.mark.parametrize("lever", [{"channel": "app"}, {"dimension": "openness"}])
def test_regained_points_agree_with_recomputing_the_index(lever: dict[str, Any]) -> None:
    before = scored(MIXED)
    gap = find_gaps(before, Target(score=88, **lever)).levers[0]
    raised = np.array(MIXED)
    part = (slice(None), 1) if "channel" in lever else (slice(None), slice(None), 0)
    shift = np.maximum(gap.gap.gap.values, 0)
    raised[part] += shift[:, None]
    after = before.index.values + gap.regained.values
    recomputed = (raised @ [0.7, 0.3]) @ [0.4, 0.6]
    np.testing.assert_allclose(after, recomputed)


def test_levers_are_ordered_within_their_level() -> None:
    rows = find_gaps(scored(MIXED), Target(score=80)).priorities("o0")
    assert [(row["level"], row["channel"] or row["dimension"], row["order"]) for row in rows] == [
        ("channel", "app", 1),
        ("channel", "blog", 2),
        ("dimension", "openness", 1),
        ("dimension", "usefulness", 2),
    ]


def test_own_targets_of_channels_are_ordered_together() -> None:
    targets = [Target(score=65, channel="blog"), Target(score=90, channel="app")]
    rows = find_gaps(scored(MIXED), targets).priorities("o0")
    assert [(row["channel"], row["order"]) for row in rows] == [("app", 1), ("blog", 2)]
    assert [row["target"] for row in rows] == ["90", "65"]


def test_a_target_that_is_met_has_nothing_to_regain() -> None:
    result = find_gaps(flat(80, 60), Target(score=70))
    met, missed = result.priorities("o0"), result.priorities("o1")
    assert [(row["regained"], row["regained_standard_error"], row["order"]) for row in met] == [
        (0.0, 0.0, None)
    ] * 4
    assert all(row["order"] is not None for row in missed)


def test_the_error_of_regained_points() -> None:
    result = find_gaps(scored(MIXED), Target(score=85, channel="app"))
    lever = result.levers[0]
    gap = lever.gap.gap.standard_error
    expected = np.where(lever.gap.gap.values > 0, 0.6 * gap, 0.0)
    np.testing.assert_allclose(lever.regained.standard_error, expected)


def test_a_cell_as_lever() -> None:
    target = Target(score=85, channel="app", dimension="usefulness")
    lever = find_gaps(scored(MIXED), target).levers[0]
    assert lever.level == "cell"
    assert lever.regained.values[0] == pytest.approx(0.6 * 0.3 * 45)


def test_power_means_use_the_slope_where_the_scores_are() -> None:
    result = scored(MIXED, power=0)
    lever = find_gaps(result, Target(score=85, channel="blog")).levers[0]
    slope = 0.4 * result.index.values / result.channels.values[:, 0]
    np.testing.assert_allclose(lever.regained.values, slope * np.maximum(lever.gap.gap.values, 0))


def test_a_channel_that_is_missing_is_no_lever() -> None:
    nan = float("nan")
    result = find_gaps(scored([[[50, 60], [nan, nan]], [[70, 70], [70, 70]]]), Target(score=80))
    row = next(row for row in result.priorities("o0") if row["channel"] == "app")
    assert (row["gap"], row["regained"], row["order"]) == (None, None, None)
    assert row["reason"] == "missing score"


# -- what may be shown, bad input, tables ---------------------------------------------------------


def test_few_peers_and_few_respondents() -> None:
    def reasons(rule: Any, count: int) -> list[str]:
        result = flat(*range(50, 50 + count), respondents=[8, 25] + [40] * (count - 2))
        found: list[str] = find_gaps(result, Target(score=rule)).gaps[0].reasons[:3].tolist()
        return found

    few = "few respondents"
    assert reasons(60, 12) == [few, "", ""]
    assert reasons(PeerStatistic(statistic="mean"), 7) == [few, few, "few peers"]
    assert reasons(PeerStatistic(statistic="p75"), 8) == [few, few, ""]
    assert reasons(PeerStatistic(statistic="best"), 12) == [few, few, "few peers"]
    assert reasons(PeerStatistic(statistic="p90"), 13) == [few, few, ""]


def test_scores_without_errors_have_gaps_without_errors() -> None:
    gap = find_gaps(flat(60, error=None), Target(score=70)).gaps[0]
    assert gap.gap.values.tolist() == pytest.approx([10])
    assert gap.to_rows()[0]["probability_met"] is None


@pytest.mark.parametrize(
    ("arguments", "field", "nearest"),
    [
        ({"organization": "o9"}, "organization", None),
        ({"channel": "blgo"}, "channel", "blog"),
        ({"dimension": "opennes"}, "dimension", "openness"),
    ],
)
def test_a_target_for_the_unknown(
    arguments: dict[str, Any], field: str, nearest: str | None
) -> None:
    targets = [Target(score=70), Target(score=70, **arguments)]
    with pytest.raises(DefinitionError) as error:
        find_gaps(flat(60, 70), targets)
    assert error.value.field == f"targets[1].{field}"
    assert error.value.key == arguments[field]
    assert nearest is None or error.value.nearest == nearest


@pytest.mark.parametrize("arguments", [{"targets": []}, {"baseline": 120}])
def test_bad_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises(MethodError) as error:
        find_gaps(flat(60), **{"targets": Target(score=70), **arguments})
    assert error.value.argument == next(iter(arguments))


def gaps() -> GapResult:
    rule = PeerStatistic(statistic="median")
    return find_gaps(
        flat(50, 60, 70),
        [Target(score=rule, due=date(2026, 12, 31)), Target(score=60, channel="app")],
        rules=LOOSE,
    )


def test_rows_are_plain() -> None:
    for table in ("gaps", "priorities"):
        rows = gaps().to_rows(table)
        assert {type(value) for row in rows for value in row.values()} <= {
            str,
            int,
            float,
            type(None),
        }
    first = gaps().to_rows()[0]
    assert (first["target"], first["due"]) == ("median of everyone", "2026-12-31")
    assert len(gaps().to_rows("priorities")) == 3 * 5


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_frames(backend: Any) -> None:
    pytest.importorskip(backend)
    result = gaps()
    assert len(result.to_frame(backend)) == 6
    assert len(result.to_frame(backend, table="priorities")) == 15


def test_the_short_text() -> None:
    lines = str(gaps()).splitlines()
    assert lines[:3] == [
        "2 targets",
        "  index to median of everyone: 2 of 3 meet it",
        "  app to 60: 2 of 3 meet it",
    ]
    assert "note: 3 organizations have no known number of respondents" in lines[3]


def test_html_shows_targets_in_words() -> None:
    page = gaps()._repr_html_()
    assert "median of everyone" in page
    assert "모든" in page or "전체" in page
