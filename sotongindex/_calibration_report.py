"""How a calibration went: margins before and after, and what it did to the weights."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._html import View
from sotongindex._render import Rendered, rows_view
from sotongindex._text import Language, number, say, share

__all__ = ["CalibrationReport", "MarginTable", "kish_design_effect"]

_SHOWN = 5
_OF_MARGINS = ("error_before", "error_after", "iterations")


def kish_design_effect(weight: FloatArray, count: IntArray | None = None) -> float:
    """Return n sum(w^2) / sum(w)^2, each weight counted so many times."""
    if count is None:
        return float(len(weight) * np.square(weight).sum() / weight.sum() ** 2)
    return float(count.sum() * (count * np.square(weight)).sum() / (count * weight).sum() ** 2)


def _nothing() -> FloatArray:
    return np.zeros(0)


def _nobody() -> IntArray:
    return np.zeros(0, dtype=np.int64)


@attrs.frozen(kw_only=True, eq=False)
class MarginTable:
    """The margins of a calibration, a row for every category and number. Arrays are (p,).

    Attributes:
        group: The group of each row; "" where there is one.
        variable: The variable; crossed variables with " x " between them.
        category: The category; "" for a number.
        respondents: How many units it has.
        target: What was asked for: a share of the group's total weight, for numbers a mean.
        before: The same under the starting weights.
        after: The same under the new weights.
        total: The group's total weight after.
    """

    group: tuple[str, ...] = ()
    variable: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    respondents: IntArray = attrs.field(factory=_nobody, converter=read_only)
    target: FloatArray = attrs.field(factory=_nothing, converter=float_array)
    before: FloatArray = attrs.field(factory=_nothing, converter=float_array)
    after: FloatArray = attrs.field(factory=_nothing, converter=float_array)
    total: FloatArray = attrs.field(factory=_nothing, converter=float_array)


@attrs.frozen(kw_only=True, eq=False)
class CalibrationReport(Rendered):
    """How a calibration went.

    Attributes:
        method: "rake", "post_stratify", "calibrate" or "trim_weights".
        units: How many respondents (or evaluations, where they are the unit) have a weight.
        weight_range: The smallest and the largest weight.
        ratio_range: The smallest and the largest ratio of new to old weight.
        design_effect: Kish's design effect of the weights, 1 or more.
        iterations: Newton steps; 0 for a closed form.
        margins: Target, before and after of every category; none where there are no margins.
        error_before: The largest miss of any category before, a share.
        error_after: The largest miss after.
        bounded: How many units are at the lower and at the upper bound.
        missing: For every variable with missing categories, how many units miss it.
        empty: Categories without respondents, whose share went to the others.
        not_converged: What missed its margins, and why.
    """

    method: str
    units: int
    weight_range: tuple[float, float]
    ratio_range: tuple[float, float]
    design_effect: float
    iterations: int = 0
    margins: MarginTable = attrs.field(factory=MarginTable)
    error_before: float = 0.0
    error_after: float = 0.0
    bounded: tuple[int, int] = (0, 0)
    missing: tuple[tuple[str, int], ...] = ()
    empty: tuple[str, ...] = ()
    not_converged: tuple[str, ...] = ()

    @property
    def effective_sample_size(self) -> float:
        """Kish's effective sample size: units by design effect."""
        return self.units / self.design_effect

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every category: target, before and after as shares."""
        return rows_from_columns(attrs.asdict(self.margins, recurse=False))

    def _facts(self, language: Language) -> list[tuple[str, str]]:
        low, high = (number(weight, 3) for weight in self.weight_range)
        least, most = (number(ratio, 3) for ratio in self.ratio_range)
        facts = {
            "respondents": f"{self.units:,}",
            "error_before": f"{self.error_before:.2g}",
            "error_after": f"{self.error_after:.2g}",
            "iterations": str(self.iterations),
            "weights": say("interval", language, low=low, high=high),
            "ratios": say("interval", language, low=least, high=most),
            "design_effect": number(self.design_effect, 3),
            "effective": number(self.effective_sample_size, 0),
        }
        if not self.margins.variable:
            facts = {name: facts[name] for name in facts if name not in _OF_MARGINS}
        return [(say(f"calibration.{name}", language), text) for name, text in facts.items()]

    def _remarks(self, language: Language) -> list[str]:
        low, high = self.bounded
        remarks = []
        if low or high:
            remarks.append(say("calibration.bounded", language, low=f"{low:,}", high=f"{high:,}"))
        remarks += [
            say("calibration.missing", language, variable=variable, count=f"{count:,}")
            for variable, count in self.missing
        ]
        if self.empty:
            remarks.append(say("calibration.empty", language, categories=_first(self.empty)))
        if self.not_converged:
            remarks.append(
                say("calibration.not_converged", language, what=_first(self.not_converged))
            )
        return remarks

    def _view(self, language: Language) -> View:
        """Return the margins as far as they fit, and every fact: shares in per cent, means not."""
        rows = [
            {
                **row,
                **{
                    name: number(row[name], 3) if row["category"] is None else share(row[name])
                    for name in ("target", "before", "after")
                },
            }
            for row in self.to_rows()
        ]
        view = rows_view("margins", rows, language=language, facts=self._facts(language))
        return attrs.evolve(view, notices=self._remarks(language))

    def __str__(self) -> str:
        facts = "\n".join(f"  {name}: {text}" for name, text in self._facts("en"))
        remarks = (f"  note: {remark}" for remark in self._remarks("en"))
        return "\n".join([f"{self.method}\n{facts}", *remarks])


def _first(texts: Sequence[str]) -> str:
    more = f", ... ({len(texts)})" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
