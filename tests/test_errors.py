from __future__ import annotations

import pickle

import pytest

from sotongindex.errors import (
    DefinitionError,
    MethodError,
    ResponseError,
    SchemaError,
    SotongIndexError,
    nearest_key,
)


class Report:
    """Stands for a CheckReport, of which the error needs only the text."""

    def __str__(self) -> str:
        return "2 errors in 10 rows"


ERRORS = [
    DefinitionError("unknown channel 'blgo'", field="Study.organizations", key="blgo"),
    ResponseError(Report()),  # type: ignore[arg-type]
    MethodError("needs a standard error"),
    SchemaError([("study.key", "expected text")]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_kind_is_ours_and_a_value_error(error: SotongIndexError) -> None:
    assert isinstance(error, SotongIndexError)
    assert isinstance(error, ValueError)


def test_definition_error_names_field_key_and_nearest() -> None:
    error = DefinitionError("unknown channel", field="Target.channel", key="blgo", nearest="blog")
    assert (error.field, error.key, error.nearest) == ("Target.channel", "blgo", "blog")
    assert str(error) == "Target.channel: unknown channel; did you mean 'blog'?"


def test_definition_error_without_a_near_key_does_not_guess() -> None:
    error = DefinitionError("expected a number", field="Scale.low")
    assert (error.key, error.nearest) == (None, None)
    assert str(error) == "Scale.low: expected a number"


def test_response_error_carries_the_report_and_shows_its_text() -> None:
    report = Report()
    error = ResponseError(report)  # type: ignore[arg-type]
    assert error.report is report
    assert str(error) == "2 errors in 10 rows"


@pytest.mark.parametrize(
    ("argument", "text"), [("level", "level: expected below 1"), (None, "expected below 1")]
)
def test_method_error_names_the_argument_if_there_is_one(argument: str | None, text: str) -> None:
    error = MethodError("expected below 1", argument=argument)
    assert error.argument == argument
    assert str(error) == text


def test_schema_error_lists_every_fault_in_order() -> None:
    error = SchemaError(iter([("b", "expected text"), ("a[3].low", "expected a number")]))
    assert error.faults == (("b", "expected text"), ("a[3].low", "expected a number"))
    assert str(error) == "b: expected text\na[3].low: expected a number"


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("face_book", "facebook"),
        ("Blog", "blog"),
        ("zzz", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_nearest_key(key: object, nearest: str | None) -> None:
    assert nearest_key(key, (known for known in ["blog", "facebook"])) == nearest


def test_nearest_key_among_none() -> None:
    assert nearest_key("blog", []) is None


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_travel_between_processes(error: SotongIndexError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert {**vars(again), "report": None} == {**vars(error), "report": None}
