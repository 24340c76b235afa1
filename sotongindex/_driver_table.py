"""What drivers are looked for in: complete rows, the columns of drivers and the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._arrays import BLOCK_ROWS, FloatArray, IntArray
from sotongindex._evaluations import Evaluations, RespondentMeans
from sotongindex._peers import attribute_values
from sotongindex._validators import are_known, are_unique, check_choice
from sotongindex.errors import DefinitionError, MethodError, nearest_key
from sotongindex.models import Framework
from sotongindex.responses import Responses
from sotongindex.results import IndexResult
from sotongindex.weighting import Rule, WeightingScheme

By: TypeAlias = Literal["dimensions", "items"]


@attrs.frozen(kw_only=True, eq=False)
class DriverTable:
    """Complete rows.

    Attributes:
        names: The drivers and, last, the outcome, (k + 1,).
        rows: Where the rows come from: positions of evaluations or organizations, (n,).
        columns: Their numbers, (n, k + 1).
        considered: How many rows there were before those that lack something were left out.
        missing: How many of these lack each column, (k + 1,).
    """

    names: tuple[str, ...]
    rows: IntArray
    columns: FloatArray
    considered: int
    missing: IntArray

    @property
    def drivers(self) -> tuple[str, ...]:
        """The drivers."""
        return self.names[:-1]

    @classmethod
    def of(cls, names: Sequence[str], rows: IntArray, columns: FloatArray) -> DriverTable:
        """Keep the rows that lack nothing.

        Raises:
            MethodError: If there is no driver, a number is infinite, or no row is complete.
        """
        if len(names) < 2:
            raise MethodError("expected one driver or more, got none", argument="drivers")
        for name, column in zip(names, columns.T, strict=True):
            if np.isinf(column).any():
                raise MethodError(
                    f"expected finite numbers, or NaN where not known; {name!r} has "
                    f"{np.isinf(column).sum()} that are infinite",
                    argument="drivers" if name != names[-1] else "outcome",
                )
        missing = np.isnan(columns)
        counts = missing.sum(axis=0)
        complete = ~missing.any(axis=1)
        if not complete.any():
            worst = int(counts.argmax())
            raise MethodError(
                f"none of {len(rows):,} rows has the outcome and all {len(names) - 1} drivers; "
                f"{names[worst]!r} is missing most often, in {counts[worst]:,}; choose one "
                "channel, or leave drivers out",
                argument="drivers",
            )
        return cls(
            names=tuple(names),
            rows=rows[complete],
            columns=columns[complete],
            considered=len(rows),
            missing=counts,
        )


# -- of evaluations ------------------------------------------------------------------------------


def evaluation_table(
    responses: Responses,
    outcome: str,
    *,
    drivers: Sequence[str] | None,
    by: By,
    rows: IntArray,
    item_weights: Rule,
    min_share: float,
) -> DriverTable:
    """Return what evaluations say of drivers and outcome, in points.

    An item that is the outcome is no driver, and no part of its dimension.
    """
    framework = responses.study.framework
    item = _outcome_item(responses, outcome)
    weights = WeightingScheme(items=item_weights).resolve(framework)
    shares = weights.items.copy()
    if item is not None:
        shares[:, item] = 0.0
    wanted = _wanted(
        framework,
        drivers,
        by=by,
        asked=np.asarray((shares[responses.channel[rows]] > 0).any(axis=0)),
    )
    evaluations = Evaluations.of(
        responses,
        RespondentMeans(
            weights=attrs.evolve(weights, items=shares), powers=(1.0, 1.0), min_share=min_share
        ),
    )
    count = len(framework.items)
    at = (
        [framework.item_keys.index(key) for key in wanted]
        if by == "items"
        else [count + framework.dimension_keys.index(key) for key in wanted]
    )
    last = [] if item is None else [item]
    columns = np.empty((len(rows), len(wanted) + 1))
    for start in range(0, len(rows), BLOCK_ROWS):
        part = rows[start : start + BLOCK_ROWS]
        points, found = evaluations.block(part)
        known = np.where(found > 0, points, np.nan)[:, at + last]
        columns[start : start + len(part), : known.shape[1]] = known
    if item is None:
        columns[:, -1] = responses.kept[outcome][rows]
    return DriverTable.of([*wanted, outcome], rows, columns)


def _outcome_item(responses: Responses, outcome: str) -> int | None:
    """Return the position of the outcome among the items; None where it is a kept column."""
    items = responses.study.framework.item_keys
    if outcome in items:
        return items.index(outcome)
    if outcome not in responses.kept:
        kept = ", ".join(map(repr, responses.kept)) or "none"
        near = nearest_key(outcome, [*items, *responses.kept])
        raise MethodError(
            f"expected the key of an item or a kept column (kept: {kept}), got {outcome!r}"
            + (f"; did you mean {near!r}?" if near else "; name it in Layout.keep"),
            argument="outcome",
        )
    if responses.kept[outcome].dtype.kind not in "biuf":
        raise MethodError(
            f"expected a column of numbers, got text in {outcome!r}: give yes and no as 1 and 0",
            argument="outcome",
        )
    return None


def _wanted(
    framework: Framework, drivers: Sequence[str] | None, *, by: By, asked: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Return the keys of the drivers; default all that an item which is asked belongs to."""
    check_choice(by, get_args(By), "by")
    known = framework.item_keys if by == "items" else framework.dimension_keys
    of_item = range(len(framework.items)) if by == "items" else framework.item_dimensions
    usable = dict.fromkeys(known[of_item[i]] for i in np.flatnonzero(asked))
    if drivers is None:
        return tuple(key for key in known if key in usable)
    are_unique(drivers, field="drivers")
    are_known(drivers, known, field="drivers", what=by.removesuffix("s"))
    for key in drivers:
        if key not in usable:
            raise MethodError(
                f"{key!r} has no item that is asked here and is not the outcome itself",
                argument="drivers",
            )
    return tuple(drivers)


# -- of organizations ----------------------------------------------------------------------------


def organization_table(
    result: IndexResult,
    drivers: Sequence[str] | Mapping[str, ArrayLike | Mapping[str, float]],
    *,
    outcome: str,
    scores: FloatArray,
) -> DriverTable:
    """Return what is known of organizations, and their scores."""
    given = drivers if isinstance(drivers, Mapping) else {key: key for key in drivers}
    columns = [
        _attribute_numbers(result, name)
        if isinstance(value, str)
        else _numbers(result, name, value)
        for name, value in given.items()
    ]
    names = [*given, outcome]
    return DriverTable.of(names, np.arange(len(scores)), np.column_stack([*columns, scores]))


def _attribute_numbers(result: IndexResult, name: str) -> FloatArray:
    """Return sizes, or an attribute that is a number, (o,); NaN where not known."""
    organizations = result.study.organizations
    if name == "size":
        return np.array([np.nan if one.size is None else one.size for one in organizations])
    texts = attribute_values(organizations, name, field="drivers")
    try:
        return np.array([float(text or "nan") for text in texts])
    except ValueError as error:
        raise DefinitionError(
            f"attribute {name!r} has values that are no numbers; give numbers for every "
            "organization: drivers={name: numbers}",
            field="drivers",
            key=name,
        ) from error


def _numbers(result: IndexResult, name: str, values: ArrayLike | Mapping[str, float]) -> FloatArray:
    """Return numbers in the order of the organizations, from an array or by key."""
    keys = result.organizations
    if isinstance(values, Mapping):
        are_known(values, keys, field=f"drivers[{name}]", what="organization")
        return np.array([values.get(key, np.nan) for key in keys], dtype=np.float64)
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (len(keys),):
        raise MethodError(
            f"expected {len(keys)} numbers for {name!r}, one for each organization, got the shape "
            f"{numbers.shape}",
            argument="drivers",
        )
    return numbers
