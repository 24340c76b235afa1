from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, get_args

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pytest

from sotongindex._reading.plausibility import suspect_channels
from sotongindex.checks import CheckReport, Code, Finding
from sotongindex.errors import ResponseError
from sotongindex.layout import Layout
from sotongindex.models import (
    Channel,
    Dimension,
    Framework,
    Organization,
    Scale,
    Study,
    SurveyItem,
)
from sotongindex.responses import Responses, check_responses

SEVEN = Scale(low=1, high=7, missing=(9,))
FRAMEWORK = Framework(
    key="mini",
    version="1",
    channels=[Channel(key="blog"), Channel(key="twitter")],
    dimensions=[Dimension(key="openness")],
    items=[
        SurveyItem(key="q1", dimension="openness", scale=SEVEN),
        SurveyItem(key="q2", dimension="openness", scale=SEVEN),
        SurveyItem(key="q3", dimension="openness", scale=SEVEN, channels="blog"),
    ],
)
STUDY = Study(
    key="mini",
    framework=FRAMEWORK,
    organizations=[
        Organization(key="kt"),
        Organization(key="skt"),
        Organization(key="naver", channels="blog"),
    ],
)
GOOD: dict[str, list[Any]] = {
    "organization": ["kt", "kt", "skt", "skt", "naver", "kt"],
    "channel": ["blog", "twitter", "blog", "twitter", "blog", "blog"],
    "respondent": [11, 11, 12, 12, 13, 14],
    "weight": [1.0, 1.0, 0.5, 0.5, 2.0, 1.5],
    "stratum": ["s1", "s1", "s1", "s1", "s2", "s2"],
    "cluster": ["c1", "c1", "c2", "c2", "c3", "c4"],
    "population": [10.0] * 6,
    "date": [date(2024, 5, day) for day in range(1, 7)],
    "q1": [1, 2, 3, 4, 5, 9],
    "q2": [7, 6, None, 4, 3, 2],
    "q3": [5, None, 4, None, 3, 2],
}
ROLES = {
    "weight": "weight",
    "stratum": "stratum",
    "cluster": "cluster",
    "stratum_population": "population",
    "date": "date",
}
LONG: dict[str, list[Any]] = {
    "organization": ["kt", "kt", "skt", "naver"],
    "channel": ["blog", "blog", "twitter", "blog"],
    "respondent": [11, 11, 12, 13],
    "weight": [1.0, 1.0, 2.0, 1.0],
    "item": ["q1", "q2", "q1", "q3"],
    "answer": [5, 6, 7, 1],
}
LONG_ROLES = {"item": "item", "answer": "answer", "weight": "weight"}
BOUND: dict[str, list[Any]] = {
    "organization": ["kt", "skt", "naver"],
    "respondent": [11, 12, 13],
    "b1": [1, 2, 3],
    "b2": [4, 5, None],
    "b3": [6, 7, 1],
    "t1": [2, None, None],
    "t2": [3, 4, None],
}
BOUND_COLUMNS = {
    ("q1", "blog"): "b1",
    ("q2", "blog"): "b2",
    ("q3", "blog"): "b3",
    ("q1", "twitter"): "t1",
    ("q2", "twitter"): "t2",
}
BOUND_ROLES = {"columns": BOUND_COLUMNS}
BACKENDS: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": lambda data: pl.DataFrame(data, strict=False),
    "pyarrow": lambda data: pl.DataFrame(data, strict=False).to_arrow(),
    "lists": lambda data: data,
}


@attrs.frozen
class Fault:
    """A fault planted in a good frame, and the finding it must cause."""

    code: str
    changes: dict[str, Any]  # column -> {row: value}, a new column, or None to remove it
    expected: dict[str, Any]
    base: dict[str, list[Any]] = attrs.field(factory=lambda: GOOD)
    roles: dict[str, Any] = attrs.field(factory=lambda: ROLES)
    severity: str = "error"

    def frame(self) -> dict[str, list[Any]]:
        frame = {name: list(values) for name, values in self.base.items()}
        for name, change in self.changes.items():
            if change is None:
                del frame[name]
            elif isinstance(change, dict):
                for row, value in change.items():
                    frame[name][row] = value
            else:
                frame[name] = change
        return frame


LONGER = {name: values + values[:1] for name, values in GOOD.items()}
LONG_TWICE = {name: values + values[:1] for name, values in LONG.items()}
BOUND_TWICE = {name: values + values[:1] for name, values in BOUND.items()}
FAULTS = [
    # the file
    Fault("empty_frame", {name: [] for name in GOOD}, {"count": 0}),
    Fault(
        "missing_column",
        {"organization": None, "organisation": GOOD["organization"]},
        {"column": "organization", "nearest": "organisation"},
    ),
    Fault("missing_column", {"respondent": None}, {"column": "respondent"}),
    Fault("missing_column", {"channel": None}, {"column": "channel"}),
    Fault("missing_column", {"q2": None, "Q2.": GOOD["q2"]}, {"column": "q2", "nearest": None}),
    Fault("missing_column", {"q2": None, "q2_": GOOD["q2"]}, {"column": "q2", "nearest": "q2_"}),
    Fault("missing_column", {}, {"column": "age"}, roles={"keep": ("age",)}),
    Fault("missing_column", {}, {"column": "wt", "nearest": None}, roles={"weight": "wt"}),
    Fault(
        "missing_column",
        {},
        {"item": "q2", "channel": "twitter"},
        base=BOUND,
        roles={"columns": {k: v for k, v in BOUND_COLUMNS.items() if v != "t2"}},
    ),
    Fault(
        "channel_needed", {}, {"values": ("blog", "twitter"), "count": 2}, roles={"channel": None}
    ),
    Fault(
        "unknown_item",
        {"q4": GOOD["q1"]},
        {"column": "q4", "values": ("q11",), "nearest": "q1"},
        roles={"columns": {"q11": "q4"}},
    ),
    Fault(
        "unknown_channel",
        {},
        {"column": "b1", "values": ("blogs",), "nearest": "blog"},
        base=BOUND,
        roles={"columns": {("q1", "blogs"): "b1"}},
    ),
    Fault(
        "channel_not_read",
        {"channel": ["blog"] * 3},
        {"column": "channel"},
        base=BOUND,
        roles=BOUND_ROLES,
        severity="note",
    ),
    # roles
    Fault("null_role", {"organization": {2: None}}, {"column": "organization", "rows": (2,)}),
    Fault("null_role", {"organization": {2: " "}}, {"column": "organization", "rows": (2,)}),
    Fault("null_role", {"channel": {0: None}}, {"column": "channel", "rows": (0,)}),
    Fault("null_role", {"respondent": {5: None}}, {"column": "respondent", "rows": (5,)}),
    Fault("null_role", {"stratum": {1: None}}, {"column": "stratum", "rows": (1,)}),
    Fault("null_role", {"cluster": {1: ""}}, {"column": "cluster", "rows": (1,)}),
    Fault("null_role", {"item": {1: None}}, {"column": "item"}, base=LONG, roles=LONG_ROLES),
    Fault(
        "unknown_organization",
        {"organization": {2: "skt2", 3: "skt2"}},
        {
            "column": "organization",
            "count": 2,
            "rows": (2, 3),
            "values": ("skt2",),
            "nearest": "skt",
        },
    ),
    Fault(
        "unknown_channel",
        {"channel": {0: "Twiter"}},
        {"count": 1, "rows": (0,), "values": ("Twiter",), "nearest": "twitter"},
    ),
    Fault(
        "unknown_item",
        {"item": {3: "q33"}},
        {"count": 1, "rows": (3,), "values": ("q33",), "nearest": "q3"},
        base=LONG,
        roles=LONG_ROLES,
    ),
    Fault(
        "not_operated",
        {"channel": {4: "twitter"}, "q3": {4: None}},
        {"count": 1, "rows": (4,), "values": ("naver/twitter",)},
    ),
    Fault(
        "not_operated",
        {"t1": {2: 5}},
        {"count": 1, "rows": (2,), "values": ("naver/twitter",)},
        base=BOUND,
        roles=BOUND_ROLES,
    ),
    Fault("duplicate_evaluation", {}, {"count": 1, "rows": (0, 6)}, base=LONGER),
    Fault(
        "duplicate_evaluation",
        {},
        {"count": 1, "rows": (0, 6)},
        base=LONGER,
        roles={"duplicates": "keep"},
        severity="warning",
    ),
    Fault(
        "duplicate_evaluation",
        {},
        {"count": 1, "rows": (0, 6)},
        base=LONGER,
        roles={"duplicates": "last"},
        severity="warning",
    ),
    Fault(
        "duplicate_evaluation", {}, {"count": 1, "rows": (0, 4)}, base=LONG_TWICE, roles=LONG_ROLES
    ),
    Fault(
        "duplicate_evaluation",
        {},
        {"count": 2, "rows": (0, 3)},
        base=BOUND_TWICE,
        roles=BOUND_ROLES,
    ),
    # weights and design
    Fault("missing_weight", {"weight": {3: None}}, {"column": "weight", "count": 1, "rows": (3,)}),
    Fault(
        "non_positive_weight",
        {"weight": {3: 0.0, 4: -1.0}},
        {"column": "weight", "count": 2, "rows": (3, 4)},
    ),
    Fault(
        "missing_population",
        {"population": {0: None}},
        {"column": "population", "count": 1, "rows": (0,)},
    ),
    Fault("non_positive_population", {"population": {0: -1}}, {"count": 1, "rows": (0,)}),
    Fault("population_differs", {"population": {5: 21.0}}, {"count": 1, "rows": (5,)}),
    Fault(
        "population_exceeded",
        {"population": dict.fromkeys(range(4), 1.0)},
        {"column": "population", "count": 1, "rows": (0, 1, 2, 3)},
    ),
    Fault("infinite_weight", {"weight": {0: np.inf}}, {"count": 1, "rows": (0,)}),
    Fault(
        "text_in_number",
        {"weight": ["1", "2", "Kim", "1", "1", "1"]},
        {"column": "weight", "rows": (2,), "values": ()},
    ),
    Fault(
        "stratum_differs",
        {"stratum": {1: "s2"}},
        {"column": "stratum", "count": 1, "rows": (1,)},
    ),
    Fault(
        "stratum_differs",
        {"stratum": {3: "s2"}},
        {"column": "stratum", "count": 1, "rows": (3,)},
        roles={"stratum": "stratum"},
    ),
    Fault(
        "cluster_differs",
        {"cluster": {1: "c2"}},
        {"column": "cluster", "count": 1, "rows": (1,)},
        severity="warning",
    ),
    Fault(
        "differs_within_evaluation",
        {"weight": {1: 3.0}},
        {"column": "weight", "count": 1, "rows": (1,)},
        base=LONG,
        roles=LONG_ROLES,
    ),
    # dates
    Fault(
        "epoch_date",
        {"date": {1: date(1970, 1, 1)}},
        {"column": "date", "count": 1, "rows": (1,)},
        severity="warning",
    ),
    Fault(
        "unreadable_date",
        {"date": ["2024-05-01", "1.5.2024", None, "2024.5", "2024/05/01", "20240501"]},
        {"column": "date", "count": 2, "rows": (1, 3)},
        severity="warning",
    ),
    # answers
    Fault(
        "text_in_number",
        {"q1": ["1", "two", "3", "no answer", "5", ""]},
        {"column": "q1", "count": 2, "rows": (1, 3), "values": ("no answer", "two")},
    ),
    Fault(
        "text_in_number",
        {"answer": ["5", "six", "7", "1"]},
        {"column": "answer", "count": 1, "rows": (1,), "values": ("six",)},
        base=LONG,
        roles=LONG_ROLES,
    ),
    Fault(
        "number_as_text",
        {"q1": ["1", " 2 ", "3.0", None, "5", ""]},
        {"column": "q1", "count": 4},
        severity="note",
    ),
    Fault(
        "out_of_range",
        {"q1": {0: 0, 3: 0, 4: 8}},
        {
            "column": "q1",
            "item": "q1",
            "count": 3,
            "rows": (0, 3, 4),
            "values": (0, 8),
            "expected": "1 to 7",
        },
    ),
    Fault("out_of_range", {"q2": {0: 7.5}}, {"item": "q2", "count": 1, "values": (7.5,)}),
    Fault("out_of_range", {"q2": {0: np.inf}}, {"item": "q2", "count": 1, "rows": (0,)}),
    Fault(
        "out_of_range",
        {"t2": {1: 99}},
        {"column": "t2", "item": "q2", "channel": "twitter", "rows": (1,), "values": (99,)},
        base=BOUND,
        roles=BOUND_ROLES,
    ),
    Fault(
        "out_of_range",
        {"answer": {2: 0}},
        {"column": "answer", "item": "q1", "rows": (2,)},
        base=LONG,
        roles=LONG_ROLES,
    ),
    Fault(
        "not_asked",
        {"q3": {1: 4}},
        {"column": "q3", "item": "q3", "channel": "twitter", "count": 1, "rows": (1,)},
    ),
    Fault(
        "not_asked",
        {"item": {2: "q3"}},
        {"item": "q3", "channel": "twitter", "rows": (2,)},
        base=LONG,
        roles=LONG_ROLES,
    ),
    Fault("missing_code", {}, {"item": "q1", "count": 1, "values": (9,)}, severity="note"),
    Fault(
        "fractional_answer",
        {"q1": {0: 1.5}},
        {"item": "q1", "count": 1, "values": (1.5,)},
        severity="note",
    ),
    Fault("empty_item", {"q3": [None] * 6}, {"item": "q3", "channel": "blog"}, severity="warning"),
    Fault(
        "empty_channel",
        {name: values[:1] for name, values in GOOD.items()},
        {"channel": "twitter"},
        severity="warning",
    ),
    Fault(
        "constant_item",
        {"q1": [3] * 6},
        {"item": "q1", "count": 6, "values": (3,)},
        severity="warning",
    ),
    Fault(
        "evaluation_without_answer",
        {"q1": {5: 9}, "q2": {5: None}, "q3": {5: None}},
        {"count": 1, "rows": (5,)},
        severity="warning",
    ),
    Fault(
        "row_without_answer",
        {"b1": {1: 9}, "b2": {1: None}, "b3": {1: None}, "t2": {1: None}},
        {"count": 1, "rows": (1,)},
        base=BOUND,
        roles=BOUND_ROLES,
        severity="warning",
    ),
    Fault(
        "organization_without_answers",
        {name: values[:4] for name, values in GOOD.items()},
        {"count": 1, "values": ("naver",)},
        severity="warning",
    ),
    Fault(
        "few_respondents",
        {},
        {"count": 3, "values": ("kt", "skt", "naver"), "expected": "at least 10"},
        severity="warning",
    ),
]


def test_every_kind_of_finding_is_planted() -> None:
    elsewhere = {"sparse_item", "suspect_scale"}  # need many answers
    assert {fault.code for fault in FAULTS} | elsewhere == set(get_args(Code))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_every_fault_is_found_on_every_frame(fault: Fault, backend: str) -> None:
    report = check_responses(BACKENDS[backend](fault.frame()), STUDY, **fault.roles)
    found = [finding for finding in report.findings if finding.code == fault.code]
    matching = [
        finding
        for finding in found
        if all(getattr(finding, name) == value for name, value in fault.expected.items())
    ]
    assert len(matching) == 1, str(report)
    assert matching[0].severity == fault.severity


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_an_error_is_raised_with_the_same_report(fault: Fault) -> None:
    report = check_responses(fault.frame(), STUDY, **fault.roles)
    layout = Layout(**fault.roles)
    if report.ok:
        assert Responses.read(fault.frame(), STUDY, layout).report == report
    else:
        with pytest.raises(ResponseError) as caught:
            Responses.read(fault.frame(), STUDY, layout)
        assert caught.value.report == report
        assert str(caught.value) == str(report)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_a_planted_error_is_the_only_error(fault: Fault) -> None:
    report = check_responses(fault.frame(), STUDY, **fault.roles)
    expected = {fault.code} if fault.severity == "error" else set()
    if fault.code == "unknown_channel" and fault.base is BOUND:
        expected |= {"missing_column"}  # the other columns are not bound either
    assert {finding.code for finding in report.errors} == expected


@pytest.mark.parametrize(
    ("frame", "roles"), [(GOOD, ROLES), (LONG, LONG_ROLES), (BOUND, BOUND_ROLES)]
)
def test_good_answers_have_no_error(frame: dict[str, list[Any]], roles: dict[str, Any]) -> None:
    report = check_responses(frame, STUDY, **roles)
    assert report.ok
    assert report.errors == ()
    assert report.organizations == 3


def test_the_report_counts() -> None:
    report = check_responses(GOOD, STUDY, **ROLES)
    assert (report.rows, report.evaluations, report.respondents) == (6, 6, 4)
    assert report.answers == 14
    assert check_responses(BOUND, STUDY, **BOUND_ROLES).evaluations == 5
    assert check_responses(LONG, STUDY, **LONG_ROLES).evaluations == 3


def test_the_report_reads_well() -> None:
    frame = GOOD | {"organization": ["kt", "kt", "sktt", "skt", "naver", "kt"]}
    lines = str(check_responses(frame, STUDY)).splitlines()
    assert lines[0] == (
        "6 rows: 6 evaluations of 3 organizations by 4 respondents, 14 answers; "
        "1 error, 1 warning, 1 note"
    )
    assert lines[1] == (
        "error: organization: unknown organization 'sktt' (1 row); at row 2; did you mean 'skt'?"
    )
    assert str(CheckReport()).endswith("nothing to report")


def test_all_faults_come_at_once_errors_first() -> None:
    frame = GOOD | {"q1": [0, 2, 3, 4, 5, 6], "weight": [0.0, 1, 1, 1, 1, 1], "q2": [None] * 6}
    report = check_responses(frame, STUDY, **ROLES)
    assert {finding.code for finding in report.errors} == {"out_of_range", "non_positive_weight"}
    severities = [finding.severity for finding in report.findings]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert len(report.errors) + len(report.warnings) + len(report.notes) == len(report.findings)


def test_no_respondent_is_told() -> None:
    frame = GOOD | {"respondent": ["secret"] * 6, "weight": ["secret"] * 6, "stratum": [None] * 6}
    report = check_responses(frame, STUDY, **ROLES)
    assert not report.ok
    assert "secret" not in repr(report) + str(report)


def test_many_unknown_keys_make_a_short_report() -> None:
    keys = [f"unknown-{number}" for number in range(50)]
    frame = {"organization": [*keys, keys[7]], "channel": ["blog"] * 51, "q1": [1] * 51}
    frame |= {"q2": [1] * 51, "q3": [1] * 51}
    found = check_responses(frame, STUDY, respondent=None).errors
    assert len(found) == 21
    assert found[0].values == ("unknown-7",)
    assert found[0].count == 2
    assert found[-1].count == 30


def test_unused_categories_are_not_unknown() -> None:
    frame = pd.DataFrame(GOOD)
    frame["organization"] = pd.Categorical(frame["organization"], [*STUDY.organization_keys, "lg"])
    assert check_responses(frame, STUDY, **ROLES).ok
    assert check_responses(pl.from_pandas(frame).to_arrow(), STUDY, **ROLES).ok


def test_answers_outside_the_scale_are_answers() -> None:
    report = check_responses(GOOD | {"q3": [0, None, 0, None, 0, 0]}, STUDY)
    assert "empty_item" not in {finding.code for finding in report.findings}


def test_a_code_outside_the_scale_gets_a_hint() -> None:
    report = check_responses(GOOD | {"q1": [0, 2, 3, 4, 5, 99]}, STUDY)
    assert 'declare 0 in Scale.missing if it means "not rated"' in report.errors[0].message
    report = check_responses(GOOD | {"q1": [12, 2, 3, 4, 5, 6]}, STUDY)
    assert "Scale.missing" not in report.errors[0].message


def test_sparse_items_are_answered_by_less_than_a_tenth() -> None:
    def report(answers: int) -> CheckReport:
        frame = {
            "organization": ["kt"] * 100,
            "channel": ["blog"] * 100,
            "q1": [5] * answers + [None] * (100 - answers),
            "q2": [5, 6] * 50,
            "q3": [5, 6] * 50,
        }
        return check_responses(frame, STUDY, respondent=None)

    sparse = [finding for finding in report(9).warnings if finding.code == "sparse_item"]
    assert [(finding.item, finding.channel, finding.count) for finding in sparse] == [
        ("q1", "blog", 9)
    ]
    assert not [finding for finding in report(10).warnings if finding.code == "sparse_item"]


@pytest.mark.parametrize(
    ("respondents", "expected"), [(9, "at least 10"), (10, "at least 30"), (30, None)]
)
def test_small_organizations_are_told_by_size(respondents: int, expected: str | None) -> None:
    frame = {
        "organization": ["kt"] * respondents,
        "channel": ["blog"] * respondents,
        "q1": [1] * respondents,
        "q2": [2] * respondents,
        "q3": [3] * respondents,
    }
    report = check_responses(frame, STUDY, respondent=None)
    few = [finding for finding in report.warnings if finding.code == "few_respondents"]
    assert [finding.expected for finding in few] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ((97, 3), (50, 50), [0]),  # a few answers beyond the middle
        ((100, 0), (50, 50), [0]),  # a whole channel on the shorter scale
        ((94, 6), (50, 50), []),
        ((97, 3), (81, 19), []),  # the other channel is low, too
        ((29, 0), (50, 50), []),  # too few answers to tell
        ((97, 3), (10, 10), []),
        ((3, 97), (50, 50), []),  # satisfied customers
    ],
)
def test_a_shorter_scale_on_one_channel_is_suspect(
    lower: tuple[int, int], upper: tuple[int, int], expected: list[int]
) -> None:
    found = suspect_channels(np.array([lower, upper]), np.array([5.0, 6.0]), 5.5)
    assert found.tolist() == expected


def test_findings_are_plain_rows() -> None:
    report = check_responses(GOOD | {"q1": [0, 2, 3, 4, 5, 6]}, STUDY)
    row = report.to_rows()[0]
    assert row["code"] == "out_of_range"
    assert row["rows"] == (0,)
    assert set(row) == {field.name for field in attrs.fields(Finding)}
    assert {type(value) for value in report.errors[0].values} == {int}


def test_a_report_in_a_notebook_escapes_what_clients_wrote() -> None:
    report = CheckReport(
        findings=(Finding(code="text_in_number", severity="error", message="<script> & 'x'"),)
    )
    assert "&lt;script&gt; &amp; &#x27;x&#x27;" in report._repr_html_()
