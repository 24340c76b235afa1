"""The values of R's survey package fit their data, and each other."""

from __future__ import annotations

import numpy as np
import pytest
from expected import survey_rows, survey_values

ORGANIZATIONS, ITEMS = ("a", "b", "c"), ("q1", "q2", "q3")
LONELY = ("remove", "certainty", "adjust", "average")
A_MINUS_B = np.hstack([np.eye(3), -np.eye(3), np.zeros((3, 3))])
BOUNDED = ("linear_bounded", "logit_bounded")

linearization = survey_values("linearization")
lonely = survey_values("lonely")
calibration = survey_values("calibration")
replicates = survey_values("replicates")
recalibrated = survey_values("recalibrated")
effects = survey_values("design_effects")

FOUND = (
    [("sample.csv", name, found) for name, found in linearization["designs"].items()]
    + [
        ("lonely.csv", f"{rule}-{name}", found)
        for rule in LONELY
        for name, found in lonely["rules"][rule].items()
    ]
    + [
        (made["data"], f"{name}-{centre}", made[centre])
        for name, made in replicates["designs"].items()
        for centre in ("average", "mse")
    ]
)


def close(one, other, tolerance=1e-12):
    np.testing.assert_allclose(one, other, rtol=tolerance, atol=1e-14)


def answers(rows):
    """The answers and who answered, (rows, 9): organizations slowest."""
    given = np.stack([rows[item] for item in ITEMS], axis=1)
    mine = np.stack([rows["organization"] == key for key in ORGANIZATIONS], axis=1)
    answered = (mine[:, :, None] & ~np.isnan(given)[:, None]).reshape(-1, 9)
    return np.nan_to_num(np.tile(given, 3)) * answered, answered


def means(rows, weight):
    """The nine means under one weight, or more: (..., rows)."""
    values, answered = answers(rows)
    return (weight @ values) / (weight @ answered)


def influences(rows, weight):
    values, answered = answers(rows)
    return (values - means(rows, weight) * answered) * weight[:, None] / (weight @ answered)


def from_the_formula(rows, influence, *, sampled=False):
    """The covariance over strata of clusters, (9, 9)."""
    total = np.zeros((9, 9))
    for stratum in np.unique(rows["stratum"]):
        here = rows["stratum"] == stratum
        keys, rank = np.unique(rows["cluster"][here], return_inverse=True)
        sums = np.zeros((len(keys), 9))
        np.add.at(sums, rank, influence[here])
        left = 1 - len(keys) / rows["population_size"][here][0] if sampled else 1
        total += left * len(keys) * np.cov(sums.T, ddof=1)
    return total


def of_respondents(rows, respondents, values):
    place = {key: at for at, key in enumerate(respondents)}
    return np.asarray(values)[..., [place[key] for key in rows["respondent"]]]


def check(found):
    covariance = np.array(found["covariance"])
    close(covariance, covariance.T)
    close(np.diag(covariance), np.ravel(found["se"]) ** 2)
    close(found["difference"]["value"], A_MINUS_B @ np.ravel(found["mean"]))
    close(np.array(found["difference"]["se"]) ** 2, np.diag(A_MINUS_B @ covariance @ A_MINUS_B.T))


@pytest.mark.parametrize("theme", [linearization, lonely, calibration, replicates, recalibrated])
def test_every_theme_has_the_same_axes(theme):
    assert tuple(theme["organizations"]) == ORGANIZATIONS
    assert tuple(theme["items"]) == ITEMS
    assert theme["made_with"].endswith("survey 4.1.1")


def test_all_designs_are_there():
    assert set(linearization["designs"]) == {
        "independent",
        "clusters",
        "strata_clusters",
        "strata_clusters_fpc",
    }
    assert set(lonely["rules"]) == set(LONELY)
    assert len(calibration["designs"]) == 8
    assert set(replicates["designs"]) == {"JK1", "JKn", "BRR", "Fay", "subbootstrap", "bootstrap"}
    assert set(recalibrated["designs"]) == {"JKn", "bootstrap"}


@pytest.mark.parametrize(
    ("data", "found"), [(data, found) for data, _, found in FOUND], ids=[row[1] for row in FOUND]
)
def test_estimates(data, found):
    rows = survey_rows(data)
    close(np.ravel(found["mean"]), means(rows, rows["weight"]))
    check(found)


@pytest.mark.parametrize("sampled", [False, True])
def test_strata_and_clusters_from_the_formula(sampled):
    rows = survey_rows("sample.csv")
    name = "strata_clusters_fpc" if sampled else "strata_clusters"
    expected = from_the_formula(rows, influences(rows, rows["weight"]), sampled=sampled)
    close(linearization["designs"][name]["covariance"], expected)


@pytest.mark.parametrize(("data", "name", "found"), [row for row in FOUND if "degf" in row[2]])
def test_degrees_of_freedom(data, name, found):
    rows = survey_rows(data)
    _, answered = answers(rows)
    units = rows["respondent" if name == "independent" else "cluster"]
    strata = rows["stratum"] if "strata" in name else np.full(len(units), "")

    def freedom(used):
        return len(set(units[used])) - len(set(strata[used]))

    assert found["degf"] == freedom(np.ones(len(units), dtype=bool))
    assert np.ravel(found["domain_degf"]).tolist() == [freedom(used) for used in answered.T]


def test_the_lonely_stratum():
    rows = survey_rows("lonely.csv")
    strata, clusters = rows["stratum"], rows["cluster"]
    assert len(set(clusters[strata == "s1"])) == 1
    assert len(set(clusters[(strata == "s2") & (rows["organization"] == "a")])) == 1
    assert len(set(clusters[strata == "s2"])) > 1
    variance = {
        rule: np.array(lonely["rules"][rule]["strata_clusters"]["covariance"]) for rule in LONELY
    }
    close(variance["remove"], variance["certainty"])
    close(variance["average"], variance["remove"] * 5 / 4)
    alone = influences(rows, rows["weight"])[strata == "s1"].sum(axis=0)
    close(variance["adjust"], variance["remove"] + np.outer(alone, alone))


def sampled_people():
    rows = survey_rows("sample.csv")
    _, first = np.unique(rows["respondent"], return_index=True)
    return rows, {key: column[first] for key, column in rows.items()}


@pytest.mark.parametrize("name", list(calibration["designs"]))
def test_calibrated_weights(name):
    found, population = calibration["designs"][name], calibration["population"]
    rows, people = sampled_people()
    weight = np.array(found["weight"])
    assert people["respondent"].tolist() == calibration["respondents"]
    close(people["weight"], calibration["starting_weight"])
    close(weight, found["g"] * people["weight"])
    for margin in ("sex", "age"):
        for key, total in population[margin].items():
            close(weight[people[margin] == key].sum(), total)
    if name == "post_stratify":
        for (sex, age), total in {
            (sex, age): total
            for sex, ages in population["sex_age"].items()
            for age, total in ages.items()
        }.items():
            close(weight[(people["sex"] == sex) & (people["age"] == age)].sum(), total)
    if name.endswith("age_years") or name in BOUNDED:
        close(weight @ people["age_years"], population["age_years"])
    spread = of_respondents(rows, calibration["respondents"], weight)
    close(np.ravel(found["mean"]), means(rows, spread))
    assert found["degf"] == 30 - 5
    check(found)


@pytest.mark.parametrize("name", list(calibration["designs"]))
def test_residuals_of_the_regression(name):
    found = calibration["designs"][name]
    rows, people = sampled_people()
    start, final = people["weight"], np.array(found["weight"])
    rated = influences(rows, of_respondents(rows, calibration["respondents"], final))
    mine = rows["respondent"] == people["respondent"][:, None]
    variables = mine @ rated / final[:, None]

    def covariance(weight):
        half = np.sqrt(weight)[:, None]
        matrix = auxiliaries(name, people)
        slopes = np.linalg.lstsq(matrix * half, variables * half)[0]
        return from_the_formula(people, (variables - matrix @ slopes) * final[:, None])

    close(found["covariance"], covariance(np.ones(len(start)) if name == "rake" else start))
    if name == "rake":
        close(found["regression_rule"]["covariance"], covariance(start))
        close(np.ravel(found["regression_rule"]["se"]) ** 2, np.diag(covariance(start)))


def auxiliaries(name, people):
    sexes = np.stack([people["sex"] == key for key in ("female", "male")], axis=1)
    ages = np.stack([people["age"] == key for key in ("young", "middle", "old")], axis=1)
    if name == "post_stratify":
        return (sexes[:, :, None] & ages[:, None]).reshape(-1, 6).astype(float)
    margins = np.hstack([sexes, ages]).astype(float)
    if name in {"rake", "linear", "raking"}:
        return margins
    return np.hstack([margins, people["age_years"][:, None]])


def test_bounds_bind():
    low, high = calibration["bounds"]
    linear, logit = (np.array(calibration["designs"][name]["g"]) for name in BOUNDED)
    assert np.isclose(linear, low, rtol=1e-12).any()
    assert np.isclose(linear, high, rtol=1e-12).any()
    assert low < logit.min()
    assert logit.max() < high


@pytest.mark.parametrize("name", list(replicates["designs"]))
def test_replicates(name):
    made = replicates["designs"][name]
    rows = survey_rows(made["data"])
    place = {key: at for at, key in enumerate(made["clusters"])}
    factors = np.array(made["factors"])[[place[key] for key in rows["cluster"]]]
    assert not made["combined"]
    analysis = np.unique(rows["weight"][:, None] * factors, axis=0)
    assert made["degf"] == np.linalg.matrix_rank(analysis) - 1
    close(made["replicate_means"], means(rows, (rows["weight"][:, None] * factors).T))
    check_replicates(made, made["scale"], made["rscales"])


@pytest.mark.parametrize("design", list(recalibrated["designs"]))
@pytest.mark.parametrize("name", ["rake", "linear", "raking"])
def test_recalibrated_replicates(design, name):
    found, start = recalibrated["designs"][design][name], replicates["designs"][design]
    close(found["weight"], calibration["designs"][name]["weight"])
    for centre in ("average", "mse"):
        close(found[centre]["mean"], calibration["designs"][name]["mean"])
    check(found["average"])
    check(found["mse"])
    check_replicates(found, start["scale"], start["rscales"])
    before = np.array(start["replicate_means"])
    assert (np.abs(found["replicate_means"] - before).max(axis=0) > 1e-3).all()


def check_replicates(found, scale, rscales):
    """The covariances follow from the means of the replicates."""
    each = np.array(found["replicate_means"])
    for centre, middle in (
        ("average", each.mean(axis=0)),
        ("mse", np.ravel(found["mse"]["mean"])),
    ):
        away = each - middle
        close(found[centre]["covariance"], scale * (away.T * rscales) @ away, tolerance=1e-10)


def test_design_effects():
    rows = survey_rows("sample.csv")
    _, answered = answers(rows)
    weight = rows["weight"] @ answered
    assert np.ravel(effects["answers"]).tolist() == answered.sum(axis=0).tolist()
    close(np.ravel(effects["weight"]), weight)
    kish = answered.sum(axis=0) * (rows["weight"] ** 2 @ answered) / weight**2
    close(np.ravel(effects["kish"]), kish)
    _, people = sampled_people()
    start = people["weight"]
    close(effects["kish_respondents"], len(start) * (start**2).sum() / start.sum() ** 2)
    left = 1 - np.array(effects["answers"]) / effects["weight"]
    close(np.array(effects["without_replacement"]) * left, effects["replace"])
