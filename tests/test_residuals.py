"""Residual linearization against the formula, written out with dense matrices."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from scipy import sparse
from support import small_study

from sotongindex._calibrated import Calibration
from sotongindex.index import IndexMethod, IndexResult, compute_index
from sotongindex.responses import Responses
from sotongindex.variance import Linearization, combine

STUDY = small_study(
    organizations=("a", "b", "c"),
    channels=("blog", "app"),
    items=(("q1", "d1"), ("q2", "d1"), ("q3", "d2")),
)
METHOD = IndexMethod(variance=Linearization(correction="design"))
LEVELS = ("index", "channels", "dimensions", "cells", "items")


def sample(seed: int = 2, people: int = 40, *, first: int = 0) -> Responses:
    """People in clusters in strata who rate some organizations on both channels."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), 6)
    keep = rng.random(len(person)) < 0.6
    answers = rng.integers(1, 8, (len(person), 3)).astype(float)
    answers[rng.random(answers.shape) < 0.1] = np.nan
    columns = {
        "respondent": first + person,
        "organization": np.tile(np.repeat(["a", "b", "c"], 2), people),
        "channel": np.tile(["blog", "app"], 3 * people),
        "weight": rng.uniform(0.5, 2.0, people)[person],
        "cluster": first + person // 2,
        "stratum": np.char.add("s", (person // 2 % 3).astype(str)),
        "sex": np.char.add("x", rng.integers(0, 2, people).astype(str))[person],
        "age": np.char.add("y", rng.integers(0, 3, people).astype(str))[person],
        "years": rng.uniform(20, 60, people)[person],
        **{f"q{i + 1}": answers[:, i] for i in range(3)},
    }
    return Responses.from_frame(
        {name: column[keep] for name, column in columns.items()},
        STUDY,
        weight="weight",
        cluster="cluster",
        stratum="stratum",
        keep=("sex", "age", "years"),
    )


def calibrated(responses: Responses, by: str | None, rng: np.random.Generator) -> Responses:
    """Calibrate respondents, or respondents within a group, to some totals or other."""
    group = np.zeros(len(responses), dtype=int)
    if by is not None:
        own = responses.organization if by == "organization" else responses.kept[by]
        group = np.unique(own, return_inverse=True)[1]
    unit = np.unique(responses.respondent * 10 + group, return_inverse=True)[1]
    first = np.unique(unit, return_index=True)[1]
    kept = {name: values[first] for name, values in responses.kept.items()}
    columns, groups = [], []
    for g in np.unique(group):
        here = group[first] == g
        for name in ("sex", "age"):
            columns += [here & (kept[name] == value) for value in np.unique(kept[name])]
        columns.append(here * kept["years"])
        groups += [g] * 6
    variables = np.array(columns, dtype=float).T
    start = responses.weight[first]
    ratio = rng.uniform(0.5, 1.5, len(start))
    return attrs.evolve(
        responses,
        weight=(start * ratio)[unit],
        calibration=Calibration(
            unit=unit,
            cell=np.arange(len(start)),
            start=start,
            ratio=ratio,
            variables=sparse.csr_array(variables),
            totals=variables.T @ (start * ratio),
            group=np.array(groups),
            margin=np.full(len(groups), -1),
            relative=np.zeros(len(groups)),
            distance="linear",
            report=None,
        ),
    )


def factor(responses: Responses, result: IndexResult) -> dict[int, np.ndarray]:
    """The factor of the item scores by the formula, (clusters, items of all units)."""
    calibration = responses.calibration
    channels, items = 2, 3
    place = responses.organization * channels + responses.channel
    points = np.where(responses.answers == responses.missing, np.nan, responses.answers)
    points = (points - 1) / 6 * 100
    means = result.items.values.reshape(-1, items)
    influence = np.zeros((len(calibration.start), len(means), items))
    totals = np.zeros_like(means)
    np.add.at(totals, place, responses.weight[:, None] * ~np.isnan(points))
    deviations = np.nan_to_num(points - means[place]) / totals[place]
    # What was done to weights after calibration is a given factor of the answer.
    calibrated_weight = (calibration.start * calibration.ratio)[calibration.unit]
    deviations *= (responses.weight / calibrated_weight)[:, None]
    np.add.at(influence, (calibration.unit, place), deviations)
    influence = influence.reshape(len(influence), -1)
    x = calibration.variables.toarray()
    squares = x.T @ (calibration.start[:, None] * x)
    b = np.linalg.pinv(squares) @ x.T @ (calibration.start[:, None] * influence)
    residual = (calibration.start * calibration.ratio)[:, None] * (influence - x @ b)
    first = np.unique(calibration.unit, return_index=True)[1]
    clusters = np.zeros((len(responses.cluster_labels), residual.shape[1]))
    np.add.at(clusters, responses.clusters[first], residual)
    stratum = np.zeros(len(clusters), dtype=int)
    stratum[responses.clusters] = responses.stratum
    for h in range(3):
        here = stratum == h
        count = here.sum()
        clusters[here] -= clusters[here].mean(axis=0)
        clusters[here] *= np.sqrt(count / (count - 1))
    return clusters


@pytest.mark.parametrize("by", [None, "organization", "sex"])
def test_every_level_has_the_residuals_of_the_formula(by):
    responses = calibrated(sample(), by, np.random.default_rng(1))
    result = compute_index(responses, method=METHOD)
    items = factor(responses, result)
    np.testing.assert_allclose(result.items.covariance(), items.T @ items, atol=1e-10)
    tree = result.structure
    gradient = np.zeros((6, 3, 2))
    gradient[:, :2, 0] = tree.cell_by_item.reshape(6, 3)[:, :2]
    gradient[:, 2, 1] = tree.cell_by_item.reshape(6, 3)[:, 2]
    cells = np.einsum("cui,uid->cud", items.reshape(-1, 6, 3), gradient)
    channels = np.einsum("cud,ud->cu", cells, tree.channel_by_cell.reshape(6, 2))
    across = cells * tree.dimension_by_cell.reshape(6, 2)
    expected = {
        "items": items,
        "cells": cells.reshape(len(cells), -1),
        "channels": channels,
        "dimensions": across.reshape(-1, 3, 2, 2).sum(axis=2).reshape(len(cells), -1),
        "index": (channels * tree.index_by_channel.ravel()).reshape(-1, 3, 2).sum(axis=2),
    }
    for level, rows in expected.items():
        estimates = getattr(result, level)
        np.testing.assert_allclose(estimates.covariance(), rows.T @ rows, atol=1e-10)
        np.testing.assert_allclose(estimates.variance.ravel(), (rows**2).sum(axis=0), atol=1e-10)
    some = result.items.select((slice(None), 1, 2))
    np.testing.assert_allclose(
        some.covariance(), (items.T @ items)[np.ix_([5, 11, 17], [5, 11, 17])], atol=1e-10
    )


def test_weights_cut_after_calibration_are_a_given_factor():
    responses = calibrated(sample(), None, np.random.default_rng(1))
    cut = attrs.evolve(responses, weight=np.minimum(responses.weight, 1.2))
    result = compute_index(cut, method=METHOD)
    items = factor(cut, result)
    np.testing.assert_allclose(result.items.covariance(), items.T @ items, atol=1e-10)


def test_waves_that_share_people_share_their_residuals():
    rng = np.random.default_rng(4)
    waves = [calibrated(sample(people=60), None, rng), calibrated(sample(7), "organization", rng)]
    before, after = (compute_index(wave, method=METHOD) for wave in waves)
    rows = [factor(wave, result) for wave, result in zip(waves, (before, after), strict=True)]
    labels = [wave.cluster_labels for wave in waves]
    _, here, there = np.intersect1d(*labels, return_indices=True)
    expected = rows[0][here].T @ rows[1][there]
    np.testing.assert_allclose(before.items.covariance(after.items), expected, atol=1e-10)
    change = combine([(after.index, np.eye(3)), (before.index, -np.eye(3))])
    total = before.index.variance + after.index.variance
    shared = np.diag(before.index.covariance(after.index))
    np.testing.assert_allclose(change.variance, total - 2 * shared, atol=1e-10)
    elsewhere = compute_index(calibrated(sample(first=1000), None, rng), method=METHOD)
    np.testing.assert_allclose(before.items.covariance(elsewhere.items), 0.0, atol=1e-12)
