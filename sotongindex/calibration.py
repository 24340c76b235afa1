r"""Respondent weights: whom an answer stands for.

A sample is never a small copy of its population: the young answer more readily, the capital has a
larger part. Weights put that right for what is known about the population. With :math:`d` the
starting weights, :math:`x` what is known of a respondent (categories, numbers) and :math:`t` what
it adds up to in the population, the new weights :math:`w` are those nearest to :math:`d` with
:math:`\sum_k w_k x_k = t`:

=================  ====================================================  =======================
function           what is known                                         ratio :math:`w_k/d_k`
=================  ====================================================  =======================
`post_stratify`    how many are in each cell of a table                  one a cell
`rake`             the margins of such a table                           a product of factors
`calibrate`        margins and totals of numbers, a distance to choose   see there
`trim_weights`     how large a weight may be                             cut to limits
=================  ====================================================  =======================

Each takes `Responses` and returns new ones, or takes the columns of a table and returns
`CalibratedWeights`. Of a lazy frame (all but `trim_weights`, which looks at every weight) it asks
the engine for counts by cell, and returns `CellWeights`. A respondent who rated six organizations
is one person in the margins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Unpack, get_args, overload

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._calibrated import Bounds, CalibratedWeights, Calibration
from sotongindex._calibration_kernel import Distance
from sotongindex._calibration_report import CalibrationReport, MarginTable
from sotongindex._effective_size import design_effect, effective_sample_size
from sotongindex._lazy import CellWeights
from sotongindex._targets import Empty, Missing
from sotongindex._trimming import Limits, Spread, Subject, Trimming
from sotongindex._validators import check_choice
from sotongindex._weighing import (
    Asked,
    LazyFrame,
    NotConverged,
    Options,
    Request,
    Table,
    weighed,
)
from sotongindex._weighting_units import Unit
from sotongindex.errors import MethodError
from sotongindex.responses import Responses

__all__ = [
    "Bounds",
    "CalibratedWeights",
    "Calibration",
    "CalibrationReport",
    "CellWeights",
    "Distance",
    "MarginTable",
    "calibrate",
    "design_effect",
    "effective_sample_size",
    "post_stratify",
    "rake",
    "trim_weights",
]


@overload
def rake(data: Responses, margins: object, **options: Unpack[Asked]) -> Responses: ...
@overload
def rake(data: LazyFrame, margins: object, **options: Unpack[Asked]) -> CellWeights: ...
@overload
def rake(data: Table, margins: object, **options: Unpack[Asked]) -> CalibratedWeights: ...
def rake(
    data: object,
    margins: object,
    *,
    by: str | None = None,
    unit: Unit = "respondent",
    respondent: str | None = None,
    weight: str | ArrayLike | None = None,
    variables: Iterable[Any] | None = None,
    count: str | None = None,
    population_size: float | Mapping[str, float] | None = None,
    ratio_bounds: Bounds | None = None,
    weight_bounds: Bounds | None = None,
    missing: Missing = "error",
    empty: Empty = "error",
    not_converged: NotConverged = "error",
) -> Responses | CalibratedWeights | CellWeights:
    r"""Weight respondents so that the margins of a table are those of the population.

    Every weight is the starting weight times one factor for each margin,
    :math:`w_k = d_k \prod_m f_m(c_{km})`: of all weights that meet the margins those with the least
    relative entropy :math:`\sum_k w_k \log(w_k/d_k) - w_k + d_k`. It is computed on the cells of
    the table, not on respondents, and margins are met to 1e-9 as shares. The order of margins, of
    rows and (with shares) the size of the starting weights make no difference.

    Margins are shares if they add up to 1, else counts; what adds up to neither is an error. With
    shares the total of the starting weights is kept, with counts it becomes the population's.

    Args:
        data: Answers; or a dataframe, or a mapping of column names to arrays, with a row for every
            respondent; or a lazy frame (Polars, DuckDB, Dask, Ibis, PySpark).
        margins: ``{variable: {category: share or count}}``, where a variable is a column, or a
            tuple of columns to cross, whose categories are tuples; with `by` also
            ``{group: {variable: ...}}``. Or the population: a dataframe or mapping of arrays with a
            row for every person. Columns of answers are those that were kept (`Layout.keep`).
        by: Weight every group for itself: "organization", an attribute of organizations such as
            "industry", or a column. Margins without groups hold in each.
        unit: Who counts once in the margins: the "respondent" (within a group where there is `by`),
            whose categories and starting weight must be the same wherever they answered, or the
            "evaluation".
        respondent: The column with the respondent, in a table where respondents have several rows;
            default every row is one. Answers have their own.
        weight: The starting weights of a table: a column or an array, default 1. Answers have their
            own.
        variables: Which columns of the population are margins; tuples are crossed. Default each.
        count: The column of the population that says how many people a row stands for.
        population_size: The total of the new weights, one number or one for every group.
        ratio_bounds: The lowest and the highest ratio of new to old weight.
        weight_bounds: The lowest and the highest new weight. Within bounds weights are nearest to
            the starting weights among those that keep bounds and margins.
        missing: Respondents without a category of a variable are an "error"; or a category of their
            "own category", which keeps its share of the starting weights, the others having the
            rest; or "redistribute": those with a category meet the margin among themselves, and the
            others are weighted by the other variables.
        empty: A category with a share but without respondents is an "error", or "redistribute"
            gives its share to the others in proportion.
        not_converged: Margins that cannot be met are an "error" or a "warning", a
            `CalibrationWarning`.

    Returns:
        New answers with `weight` and `calibration` replaced, or `CalibratedWeights` of a table, or
        `CellWeights` of a lazy frame.

    Raises:
        CalibrationError: If margins do not fit the respondents or each other, or bounds are too
            tight; it names the categories.
        MethodError: If an argument has no known form.
        EngineError: If an engine fails; its own error is the cause.

    References:
        Deming and Stephan (1940), doi 10.1214/aoms/1177731829. Deville, Sarndal and Sautory (1993),
        doi 10.1080/01621459.1993.10476369.

    >>> people = {"sex": ["f", "f", "f", "m"], "age": ["young", "young", "old", "old"]}
    >>> margins = {"sex": {"f": 0.5, "m": 0.5}, "age": {"young": 0.4, "old": 0.6}}
    >>> weights = rake(people, margins)
    >>> weights.weight.round(3).tolist()
    [0.8, 0.8, 0.4, 2.0]
    """
    options = Options(
        by=by,
        unit=unit,
        respondent=respondent,
        weight=weight,
        variables=variables,
        count=count,
        population_size=population_size,
        ratio_bounds=ratio_bounds,
        weight_bounds=weight_bounds,
        missing=missing,
        empty=empty,
        not_converged=not_converged,
    )
    request = Request(method="rake", options=options, distance="raking", margins=margins)
    return weighed(data, request)


@overload
def post_stratify(data: Responses, cells: object, **options: Unpack[Asked]) -> Responses: ...
@overload
def post_stratify(data: LazyFrame, cells: object, **options: Unpack[Asked]) -> CellWeights: ...
@overload
def post_stratify(data: Table, cells: object, **options: Unpack[Asked]) -> CalibratedWeights: ...
def post_stratify(
    data: object, cells: object, **options: Unpack[Asked]
) -> Responses | CalibratedWeights | CellWeights:
    r"""Weight respondents so that every cell of a table has its share of the population.

    With :math:`N_c` the population of a cell and :math:`d` the starting weights,
    :math:`w_k = d_k N_c / \sum_{l \in c} d_l`.

    Args:
        data: As for `rake`.
        cells: One margin, as for `rake`: ``{("sex", "age"): {("f", "young"): share, ...}}``; or the
            population, whose columns (or those of `variables`) are crossed.
        **options: Further arguments of `rake`.

    Returns:
        As `rake`.

    Raises:
        CalibrationError: If cells do not fit the respondents; it names them.
        MethodError: If an argument has no known form.

    References:
        Holt and Smith (1979), doi 10.2307/2344652.

    >>> people = {"sex": ["f", "f", "f", "m"]}
    >>> post_stratify(people, {"sex": {"f": 600, "m": 400}}).weight.tolist()
    [200.0, 200.0, 200.0, 400.0]
    """
    asked = Options(**options)
    request = Request(method="post_stratify", options=asked, distance="linear", margins=cells)
    return weighed(data, request)


@overload
def calibrate(
    data: Responses,
    margins: object = None,
    *,
    totals: Mapping[str, Any] | None = None,
    means: Mapping[str, Any] | None = None,
    distance: Distance = "linear",
    **options: Unpack[Asked],
) -> Responses: ...
@overload
def calibrate(
    data: LazyFrame,
    margins: object = None,
    *,
    totals: Mapping[str, Any] | None = None,
    means: Mapping[str, Any] | None = None,
    distance: Distance = "linear",
    **options: Unpack[Asked],
) -> CellWeights: ...
@overload
def calibrate(
    data: Table,
    margins: object = None,
    *,
    totals: Mapping[str, Any] | None = None,
    means: Mapping[str, Any] | None = None,
    distance: Distance = "linear",
    **options: Unpack[Asked],
) -> CalibratedWeights: ...
def calibrate(
    data: object,
    margins: object = None,
    *,
    totals: Mapping[str, Any] | None = None,
    means: Mapping[str, Any] | None = None,
    distance: Distance = "linear",
    **options: Unpack[Asked],
) -> Responses | CalibratedWeights | CellWeights:
    r"""Weight respondents to margins and numbers, nearest to the starting weights by a distance.

    The ratio of new to old weight is :math:`F(x_k'\lambda)`, where :math:`\lambda` makes
    :math:`\sum_k d_k F(x_k'\lambda) x_k = t`:

    - "linear": :math:`F(u) = 1 + u`, the generalized regression estimator. Ratios may fall below 0,
      which is an error here; within `ratio_bounds` they are cut to them.
    - "raking": :math:`F(u) = e^u`, always above 0; within `ratio_bounds` likewise cut.
    - "logit": ratios bend smoothly toward `ratio_bounds` :math:`L < 1 < U` and never reach them,
      :math:`F(u) = \frac{L(U-1) + U(1-L) e^{Au}}{U-1 + (1-L) e^{Au}}` with
      :math:`A = \frac{U-L}{(1-L)(U-1)}`.

    Bounds hold together with all totals. Where they cannot, the error tells the tightest that can.

    Args:
        data: As for `rake`.
        margins: As for `rake`; None where there are numbers alone.
        totals: What numeric columns add up to, ``{column: total}``; with `by` also
            ``{group: {column: total}}``.
        means: The same as means over the population; they need margins or a `population_size`.
        distance: "linear", "raking" or "logit".
        **options: Further arguments of `rake`.

    Returns:
        As `rake`.

    Raises:
        CalibrationError: If totals cannot be met, or only with weights of 0 or less.
        MethodError: If an argument has no known form, or the distance lacks its bounds.

    References:
        Deville and Sarndal (1992), doi 10.1080/01621459.1992.10475217.

    >>> people = {"sex": ["f", "f", "f", "m"], "posts": [2, 4, 6, 4]}
    >>> weights = calibrate(people, {"sex": {"f": 0.5, "m": 0.5}}, means={"posts": 3.8})
    >>> weights.weight.round(3).tolist()
    [0.867, 0.667, 0.467, 2.0]
    """
    check_choice(distance, get_args(Distance), "distance")
    asked = Options(**options)
    if distance == "logit":
        low, high = asked.ratio_bounds or (0.0, np.inf)
        if not low < 1 < high < np.inf or asked.weight_bounds is not None:
            raise MethodError(
                "the logit distance needs ratio_bounds around 1 and takes no weight_bounds, got "
                f"{asked.ratio_bounds} and {asked.weight_bounds}",
                argument="distance",
            )
    request = Request(
        method="calibrate",
        options=asked,
        distance=distance,
        margins=margins,
        totals=totals,
        means=means,
    )
    return weighed(data, request)


@overload
def trim_weights(data: Responses, **rule: Unpack[Trimming]) -> Responses: ...
@overload
def trim_weights(
    data: CalibratedWeights | ArrayLike, **rule: Unpack[Trimming]
) -> CalibratedWeights: ...
def trim_weights(
    data: Responses | CalibratedWeights | ArrayLike,
    *,
    lower: float | None = None,
    upper: float | None = None,
    quantiles: tuple[float, float] | None = None,
    design_effect: float | None = None,
    spread: Spread = "proportional",
    strict: bool = False,
    unit: Unit = "respondent",
) -> Responses | CalibratedWeights:
    """Cut weights to limits, and keep their total.

    Large weights are cut to the upper limit, small ones raised to the lower, and what that takes
    from the total of a calibration group goes to its other respondents. That moves the margins
    away from their targets, as the report shows, and may push others over a limit.

    With ``strict=True`` limits hold for all. Where the weights were calibrated, they are calibrated
    again from their starting weights within the limits, so that margins hold as well: inside the
    calibration, not after it (a logit calibration is then a raking one). Otherwise cutting is
    repeated.

    Args:
        data: Answers, calibrated weights, or an array of weights.
        lower: The lowest weight.
        upper: The highest weight.
        quantiles: Instead: the quantiles of the weights that are the limits, such as (0.05, 0.95).
        design_effect: Instead: the largest Kish design effect; the highest upper limit that keeps
            it is found.
        spread: Who gets the excess: "proportional" to the weights of the others, or all of them
            "equal" parts, as in R survey's trimWeights.
        strict: Whether limits hold for all, and margins too.
        unit: As for `rake`; not used where the weights of answers were calibrated.

    Returns:
        New answers with `weight` replaced, or `CalibratedWeights`. They keep the record of their
        calibration; its report tells what became of the margins.

    Raises:
        MethodError: If the rule is none, or the limits cannot hold.

    References:
        Potter (1990), Proceedings of the Section on Survey Research Methods, 225-230.

    >>> trim_weights([1.0, 1.0, 1.0, 5.0], upper=3.5).weight.tolist()
    [1.5, 1.5, 1.5, 3.5]
    """
    check_choice(spread, get_args(Spread), "spread")
    check_choice(unit, get_args(Unit), "unit")
    limits = Limits(lower=lower, upper=upper, quantiles=quantiles, design_effect=design_effect)
    subject = Subject.of(data, unit)
    weight, report, calibration = subject.trim(limits, spread=spread, strict=strict)
    spread_out = subject.spread(weight)
    if not isinstance(data, Responses):
        return CalibratedWeights(weight=spread_out, report=report, calibration=calibration)
    return attrs.evolve(data, weight=spread_out, calibration=calibration)
