"""The result of looking for drivers."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._claims import Adjustment
from sotongindex._columns import rows_from_columns
from sotongindex._html import View
from sotongindex._render import Rendered, rows_view, study_names
from sotongindex._text import Language, count, interval, say, share
from sotongindex.models import Study
from sotongindex.results import Notice
from sotongindex.variance import Estimates

DriverMethod: TypeAlias = Literal["johnson", "shapley"]
Unit: TypeAlias = Literal["evaluations", "organizations"]


@attrs.frozen(kw_only=True, eq=False)
class DriverResult(Rendered):
    """What goes together with an outcome, and how much of it. Arrays are (k,), one a driver.

    Importance is a share of the outcome's variance. It orders drivers; it says nothing of how many
    points an outcome would gain if a driver were improved, and nothing here turns it into points.
    P-values are those of the slopes: an importance is never negative, so it has no test of 0.

    Attributes:
        study: What was measured.
        outcome: The key of the outcome.
        drivers: The keys of the drivers.
        method: How importance was shared out.
        unit: What a row of the table was.
        importance: The share of the outcome's variance that goes to each driver; they add up to
            `r_squared`.
        slopes: Standardized slopes with all drivers together; NaN where drivers determine another.
        correlations: Correlations with the outcome, each driver alone.
        p: Two-sided p-values of the slopes; NaN where there is no slope.
        adjusted_p: The same, adjusted for the number of drivers.
        adjustment: How p-values were adjusted.
        considered: The rows that were looked at.
        used: Those that were complete.
        missing: The rows that lack each driver.
        ceiling: The share of the outcome's variance that is not sampling error, the most that could
            be explained; None where rows are evaluations.
        notices: What a reader should know.
    """

    study: Study
    outcome: str
    drivers: tuple[str, ...]
    method: DriverMethod
    unit: Unit
    importance: Estimates
    slopes: Estimates
    correlations: Estimates
    p: FloatArray = attrs.field(converter=float_array)
    adjusted_p: FloatArray = attrs.field(converter=float_array)
    adjustment: Adjustment
    considered: int
    used: int
    missing: IntArray = attrs.field(converter=read_only)
    ceiling: float | None
    notices: tuple[Notice, ...]

    @property
    def r_squared(self) -> Estimates:
        """The share of the outcome's variance that all drivers explain together, (1,)."""
        return self._of_importance(np.ones((1, len(self.drivers))))

    @property
    def shares(self) -> Estimates:
        """Every driver's share of what is explained; they add up to 1. NaN where nothing is."""
        values = self.importance.values
        total = values.sum()
        if total == 0:
            return Estimates.independent(np.full(len(values), np.nan), level=self.importance.level)
        shares = values / total
        return self._of_importance((np.eye(len(values)) - shares[:, None]) / total, shares)

    def _of_importance(self, jacobian: FloatArray, values: FloatArray | None = None) -> Estimates:
        # All rest on the same rows: a sum has their degrees of freedom and no more.
        made = self.importance.transform(jacobian, values=values)
        freedom = np.full(made.shape, self.importance.degrees_of_freedom[0])
        return attrs.evolve(made, degrees_of_freedom=freedom)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row a driver, in the order of the drivers; None where not known."""
        columns = {
            "driver": self.drivers,
            "importance": self.importance.values,
            "standard_error": self.importance.standard_error,
            "low": self.importance.low,
            "high": self.importance.high,
            "share": self.shares.values,
            "correlation": self.correlations.values,
            "slope": self.slopes.values,
            "slope_low": self.slopes.low,
            "slope_high": self.slopes.high,
            "p": self.p,
            "adjusted_p": self.adjusted_p,
            "missing": self.missing,
        }
        return rows_from_columns(columns)

    def __str__(self) -> str:
        whole = self.r_squared
        head = (
            f"drivers of {self.outcome}: R squared {_written(whole, 0)}, {self.method}, "
            f"{self.used:,} of {self.considered:,} {self.unit}"
        )
        lines = [
            f"  {self.drivers[position]}: {_written(self.importance, position)}"
            for position in np.argsort(-self.importance.values, kind="stable")
        ]
        notes = [f"  note: {notice.message}" for notice in self.notices]
        return "\n".join([head, *lines, *notes])

    def _view(self, language: Language) -> View:
        """Return the drivers, the most important first, in per cent of the outcome's variance."""
        scaled = ("importance", "low", "high")
        rows = [
            {name: _per_cent(value) if name in scaled else value for name, value in row.items()}
            for row in sorted(self.to_rows(), key=lambda row: -float(str(row["importance"])))
        ]
        names = self._names(language)
        return rows_view(
            "drivers",
            rows,
            study=self.study,
            language=language,
            level=self.importance.level,
            facts=[
                (say("fact.outcome", language), names.get(self.outcome, self.outcome)),
                *self._facts(language),
                (say("fact.not_uplift", language), say("fact.not_uplift.text", language)),
            ],
            notices=self.notices,
            names={"driver": names},
        )

    def _facts(self, language: Language) -> list[tuple[str, str]]:
        """Return how much is explained of how much, as names and contents."""
        whole = self.r_squared
        between = interval(100 * whole.low[0], 100 * whole.high[0], language=language)
        facts = [
            ("explained", f"{share(float(whole.values[0]))} ({between})"),
            ("importance", say(f"fact.importance.{self.method}", language)),
            (
                f"used.{self.unit}",
                say("fact.used", language, used=count(self.used), all=count(self.considered)),
            ),
        ]
        if self.ceiling is not None:
            facts.append(("ceiling", share(self.ceiling)))
        return [(say(f"fact.{name}", language), text) for name, text in facts]

    def _names(self, language: Language) -> dict[str, str]:
        known = study_names(self.study, language)
        return {**known["channel"], **known["item"], **known["dimension"]}


def _written(estimates: Estimates, at: int) -> str:
    low, high = estimates.low[at], estimates.high[at]
    return f"{estimates.values[at]:.3f} ({low:.3f} to {high:.3f})"


def _per_cent(value: object) -> object:
    return 100 * value if isinstance(value, float) else value
