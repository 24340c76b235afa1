"""Nine yearly waves of US hospital scores by state (HCAHPS): projected, compared, decomposed."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import attrs
import numpy as np
import pytest
from support import small_study

from sotongindex.change import (
    adoption_rates,
    compare_waves,
    decompose_change,
    decompose_mean,
    link_waves,
    overlapping_t_test,
    project,
    straight_line,
)
from sotongindex.models import Organization
from sotongindex.results import IndexResult

YEARS = range(2015, 2024)
# The waves of 2021 and 2022 were collected in the pandemic; what leads into them is the break.
BREAK = (2021, 2022)


@pytest.fixture(scope="module")
def waves(shared: Path) -> list[IndexResult]:
    """Linear scores from the published box shares, with errors of sampling and rounding."""
    with (shared / "data/hcahps_state_waves.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (shared / "data/hcahps_hospitals.csv").open(encoding="utf-8") as file:
        hospitals = list(csv.DictReader(file))
    surveys: dict[str, int] = {}
    for hospital in hospitals:
        state = hospital["state"]
        surveys[state] = surveys.get(state, 0) + int(hospital["n_completed"])
    states = sorted({row["State"] for row in rows})
    measures = sorted({row["Measure ID"] for row in rows})
    study = small_study(states, ["stay"], [(key, key) for key in measures])
    made = []
    for year in YEARS:
        frame: dict[str, list[object]] = {"organization": list(states)}
        held = {
            (row["State"], row["Measure ID"]): row
            for row in rows
            if row["Release Period"] == f"07_{year}"
        }
        for key in measures:
            boxes = [held.get((state, key)) for state in states]
            top = np.array([float(one["Top-box Percentage"]) if one else np.nan for one in boxes])
            middle = np.array(
                [float(one["Middle-box Percentage"] or 0) if one else np.nan for one in boxes]
            )
            score = top + middle / 2
            spread = 100 * top + 25 * middle - score**2
            count = np.array([surveys[state] for state in states])
            frame[key] = score.tolist()
            # Sampling, and the rounding of both shares to whole per cents.
            frame[f"{key} error"] = np.sqrt(spread / count + (1 + 1 / 4) / 12).tolist()
        made.append(
            IndexResult.from_scores(
                frame,
                attrs.evolve(study, wave=f"{year}-07"),
                standard_errors={key: f"{key} error" for key in measures},
            )
        )
    return made


def test_the_last_level_beats_the_straight_line_and_its_intervals_cover(
    waves: list[IndexResult],
) -> None:
    missed: dict[int, list[tuple[float, float]]] = {}
    inside: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for measure in waves[0].study.framework.dimension_keys:
        for last in range(2, len(waves) - 1):
            chain = link_waves(waves[: last + 1], dimension=measure)
            for later in range(last + 1, len(waves)):
                day = date(YEARS[later], 7, 1)
                forecast = project(chain, due=day, measured=True).forecast
                line = straight_line(chain, day=day).value.values
                true = waves[later].estimates(dimension=measure).values
                squares = [np.nanmean((true - one) ** 2) for one in (forecast.values, line)]
                missed.setdefault(later - last, []).append((squares[0], squares[1]))
                hit = (forecast.low <= true) & (true <= forecast.high)
                known = ~np.isnan(true + forecast.values)
                crossed = any(YEARS[last] < year <= YEARS[later] for year in BREAK)
                inside[crossed].append(hit[known])
    assert sorted(missed) == [1, 2, 3, 4, 5, 6]
    for horizon, pairs in missed.items():
        level, line = np.sqrt(np.mean(pairs, axis=0))
        assert level < line, horizon
    assert 0.75 < np.concatenate(inside[False]).mean() < 0.85
    assert np.concatenate(inside[True]).mean() < 0.75


def test_one_states_change_adds_up_to_the_last_digit(waves: list[IndexResult]) -> None:
    found = decompose_change(waves[5], waves[8])
    assert found.by_cell is not None
    place = found.organizations.index("CA")
    total = found.by_cell.values[place].sum()
    assert total == pytest.approx(found.change.values[place], abs=1e-12)
    assert found.effects.values[place].sum() == pytest.approx(total, abs=1e-12)
    measured = [wave.index.values[wave.organizations.index("CA")] for wave in (waves[8], waves[5])]
    assert found.change.values[place] == measured[0] - measured[1]
    # Nothing but scores changed.
    assert (found.effects.values[place, 1:] == 0).all()


def test_most_states_fell_beyond_chance_after_the_break(waves: list[IndexResult]) -> None:
    found = compare_waves(waves[5], waves[8], levels=["index"], peers="everyone", family="league")
    change = found.score()
    assert (change.judgement.verdict == "worse").sum() > 40
    assert change.relative is not None
    # Beside the other states' fall, some fell less than others.
    assert (change.relative.judgement.verdict == "better").sum() > 5
    assert (change.relative.judgement.verdict == "worse").sum() < 20


# -- the reference files -------------------------------------------------------------------------


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_wave_decomposition_golden(shared: Path) -> None:
    rows = table(shared / "reference/change/wave_decomposition_golden.csv")

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name]) for row in rows])

    for rule, prefix in (("symmetric", "kitagawa"), ("base", "base"), ("logarithmic", "lmdi")):
        found = decompose_mean(
            column("score0"),
            column("score1"),
            shares_before=column("share0"),
            shares_after=column("share1"),
            rule=rule,  # type: ignore[arg-type]
        )
        np.testing.assert_allclose(found.rate, column(f"{prefix}_rate"), rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.mix, column(f"{prefix}_mix"), rtol=0, atol=1e-9)
        if rule == "base":
            expected = column("base_interaction")
            np.testing.assert_allclose(found.interaction, expected, rtol=0, atol=1e-9)


def test_partially_overlapping_t_reference(shared: Path) -> None:
    groups: dict[str, list[float]] = {}
    for row in table(shared / "reference/change/partially_overlapping_t_data.csv"):
        groups.setdefault(row["group"], []).append(float(row["x"]))
    for row in table(shared / "reference/change/partially_overlapping_t_reference.csv"):
        # The reference takes the second sample from the first.
        found = overlapping_t_test(
            groups["unpaired_2"],
            groups["unpaired_1"],
            paired=(groups["paired_2"], groups["paired_1"]),
            equal_variances=row["var_equal"] == "TRUE",
        )
        for name, value in (
            ("t", found.t),
            ("df", found.degrees_of_freedom),
            ("p", found.p),
            ("estimate", found.difference),
            ("lo", found.low),
            ("hi", found.high),
        ):
            assert value == pytest.approx(float(row[name]), abs=1e-9), name


def test_adoption_of_the_touchpoints_of_airlines(shared: Path) -> None:
    rows = table(shared / "data/airline_reviews.csv")
    held: dict[str, set[str]] = {}
    for row in rows:
        held.setdefault(row["organization"], set()).add(row["channel"])
    airlines = [Organization(key=key, channels=sorted(own)) for key, own in held.items()]
    found = adoption_rates(small_study(airlines, ["lounge", "seat"]), population=len(held))
    assert len(found.organizations) == 122
    # 72 airlines have both touchpoints, 50 only one.
    assert found.operate.sum() == 2 * 72 + 50
