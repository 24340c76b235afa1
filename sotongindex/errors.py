"""The errors of sotongindex: one base class, a few kinds, each carrying the facts as fields."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sotongindex.checks import CheckReport

__all__ = [
    "CalibrationError",
    "CalibrationWarning",
    "DefinitionError",
    "EngineError",
    "MethodError",
    "ResponseError",
    "SchemaError",
    "SotongIndexError",
    "nearest_key",
]


class SotongIndexError(Exception):
    """Base class of every error that sotongindex raises on purpose."""

    def __reduce__(self) -> tuple[Callable[..., SotongIndexError], tuple[object, ...]]:
        """Let an error travel between processes with its fields."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(
    kind: type[SotongIndexError], args: tuple[object, ...], fields: dict[str, object]
) -> SotongIndexError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


class DefinitionError(SotongIndexError, ValueError):
    """A study, a framework, a scheme or one of their parts contradicts itself.

    Attributes:
        field: The field at fault, as ``Class.field``.
        key: The value that does not fit, if there is one.
        nearest: The nearest key that would have fitted, if there is one.
    """

    def __init__(
        self, message: str, *, field: str, key: object = None, nearest: str | None = None
    ) -> None:
        super().__init__(
            f"{field}: {message}" + (f"; did you mean {nearest!r}?" if nearest else "")
        )
        self.field = field
        self.key = key
        self.nearest = nearest


class ResponseError(SotongIndexError, ValueError):
    """The answers do not fit the study.

    Attributes:
        report: The `CheckReport` with every finding; the message is its text.
    """

    def __init__(self, report: CheckReport) -> None:
        super().__init__(str(report))
        self.report = report


class MethodError(SotongIndexError, ValueError):
    """A computation was asked for that the method or the data cannot give.

    Attributes:
        argument: The argument at fault.
    """

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        super().__init__(f"{argument}: {message}" if argument else message)
        self.argument = argument


class EngineError(MethodError):
    """An engine that holds a lazy frame failed; its own error is the cause.

    Attributes:
        argument: The argument at fault.
        engine: The name of the engine.
    """

    def __init__(self, message: str, *, engine: str) -> None:
        super().__init__(message, argument="frame")
        self.engine = engine


class CalibrationError(MethodError):
    """Margins that the respondents cannot be weighted to.

    Attributes:
        argument: The argument at fault.
        variable: The variable at fault, if it is one.
        categories: Its categories, or the groups, at fault.
        counts: For each, how many respondents or which number the message is about.
    """

    def __init__(
        self,
        message: str,
        *,
        argument: str = "margins",
        variable: str | None = None,
        categories: Iterable[str] = (),
        counts: Iterable[float] = (),
    ) -> None:
        super().__init__(message, argument=argument)
        self.variable = variable
        self.categories = tuple(categories)
        self.counts = tuple(counts)


class CalibrationWarning(UserWarning):
    """Weights that miss their margins, which was allowed with ``not_converged="warning"``."""


class SchemaError(SotongIndexError, ValueError):
    """A JSON document cannot be read; the message lists every fault with its path.

    Attributes:
        faults: Pairs of path and message, in document order.
    """

    def __init__(self, faults: Iterable[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{path}: {message}" for path, message in self.faults))


def nearest_key(key: object, known: Iterable[str]) -> str | None:
    """Return the known key most like `key`, or None where nothing is like it.

    >>> nearest_key("face_book", ["blog", "facebook"])
    'facebook'
    """
    matches = difflib.get_close_matches(str(key), list(known), n=1)
    return matches[0] if matches else None
