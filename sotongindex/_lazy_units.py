"""Who is weighted in a lazy table: its cells as units, counted by the engine."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import numpy as np

from sotongindex._calibrated import Calibration
from sotongindex._frames import Column, Numbers, Text
from sotongindex._lazy import (
    CellQuery,
    CellSums,
    CellWeights,
    LazyTable,
    category_of,
    missing_keys,
    start_of,
    unread,
)
from sotongindex._weighting_units import (
    NO_GROUPS,
    Coded,
    Units,
    differing,
    known_column,
    lacking,
    no_rows,
    numbered,
)
from sotongindex.errors import MethodError

__all__ = ["CellUnits", "LazyPeople"]

_MOST_CELLS = 5_000  # in which engines look up every row


@attrs.frozen(kw_only=True, eq=False)
class LazyPeople:
    """The respondents of a lazy table.

    Attributes:
        table: The table.
        weight: The column with the starting weights; None where all are 1.
        by: The column with the groups; None where there is one.
        respondent: The column with the respondent; None where every row is one.
    """

    table: LazyTable
    weight: str | None
    by: str | None
    respondent: str | None

    @classmethod
    def of(
        cls, table: LazyTable, *, weight: object, by: str | None, respondent: str | None
    ) -> LazyPeople:
        """Check that the table has these columns, and every row a respondent.

        Raises:
            MethodError: If it has not.
        """
        if not isinstance(weight, str | None):
            raise MethodError(
                "rows of a lazy frame have no order, so that no array can stand beside them; name "
                "the column with the starting weights",
                argument="weight",
            )
        names = tuple(table.kinds)
        for argument, name in (("weight", weight), ("by", by), ("respondent", respondent)):
            if name is not None:
                known_column(name, names, argument)
        if respondent is not None:
            missing, rows = missing_keys(table, respondent)
            if missing:
                raise lacking(respondent, missing, rows, argument="respondent")
        return cls(table=table, weight=weight, by=by, respondent=respondent)

    def grouped(self) -> Units:
        """Return the groups alone: which cells to count is known when the margins are read."""
        if self.by is not None:
            return self.cells(()).units
        group, groups = NO_GROUPS
        return Units(
            unit=None,
            count=0,
            weight=None,
            by=None,
            group=group,
            groups=groups,
            names=tuple(self.table.kinds),
            column=unread,
        )

    def cells(self, names: Iterable[str]) -> CellUnits:
        """Count the cells that columns make.

        Raises:
            MethodError: If there is no such column, respondents differ from row to row, starting
                weights are not above 0, or there are too many cells.
        """
        known = [known_column(name, tuple(self.table.kinds), "margins") for name in names]
        columns = dict.fromkeys(known if self.by is None else [self.by, *known])
        if not columns:
            raise MethodError(
                "a population_size alone is one factor for all; multiply in the engine",
                argument="margins",
            )
        sums = CellQuery(
            table=self.table,
            keys={name: category_of(self.table, name) for name in columns},
            weight=None if self.weight is None else start_of(self.table, self.weight),
            respondent=self.respondent,
            within=self.by,
        ).run(_MOST_CELLS)
        _check(sums)
        return CellUnits(people=self, sums=sums)


@attrs.frozen(kw_only=True, eq=False)
class CellUnits:
    """The cells of a lazy table.

    Attributes:
        people: The respondents.
        sums: Their sums by cell.
    """

    people: LazyPeople
    sums: CellSums

    @property
    def units(self) -> Units:
        """The cells as units.

        Raises:
            MethodError: If respondents have no group.
        """
        people, times = self.people, self.sums.times
        group, groups = NO_GROUPS
        if people.by is not None:
            coded = Coded.of(self._column(people.by))
            group, groups = numbered(coded, people.by, argument="by", times=times)
        return Units(
            unit=None,
            count=len(times),
            weight=self.sums.weight,
            by=people.by,
            group=group,
            groups=groups,
            names=tuple(people.table.kinds),
            column=self._column,
            times=times,
        )

    def _column(self, name: str) -> Column:
        """Return a column of the cells: text, or whole numbers."""
        labels = self.sums.labels[name]
        if self.people.table.kinds[name] == "text":
            distinct, codes = np.unique(np.array(labels, dtype=object), return_inverse=True)
            return Text(codes=codes.astype(np.int32), labels=tuple(distinct.tolist()))
        return Numbers(values=np.array([float(label) if label else np.nan for label in labels]))

    def weights(self, calibration: Calibration) -> CellWeights:
        """Return weights by cell, the cells in the order of their calibration."""
        order, ratio = np.argsort(calibration.cell), calibration.ratio
        number, sums, people = np.arange(len(ratio)), self.sums, self.people
        weight = ratio * sums.weight[order]
        squares = np.square(ratio) * sums.squares[order]
        report = attrs.evolve(
            calibration.report,
            weight_range=(
                float((ratio * sums.lowest[order]).min()),
                float((ratio * sums.highest[order]).max()),
            ),
            design_effect=float(sums.times.sum() * squares.sum() / weight.sum() ** 2),
        )
        return CellWeights(
            report=report,
            calibration=attrs.evolve(
                calibration,
                unit=number,
                cell=number,
                start=calibration.start[order],
                report=report,
            ),
            cells={
                name: tuple(labels[place] for place in order)
                for name, labels in sums.labels.items()
            },
            respondents=sums.times[order],
            weight=people.weight,
            respondent=people.respondent,
            by=people.by,
            table=people.table,
        )


def _check(sums: CellSums) -> None:
    """Check what was counted."""
    if len(sums) == 0:
        raise no_rows()
    for name, count in sums.differing.items():
        if count:
            raise differing(name, count)
    if sums.faulty:
        raise MethodError(
            f"expected starting weights above 0, got others for {sums.faulty} of "
            f"{sums.times.sum()} respondents; whoever stands for nobody is left out, not weighted "
            "0",
            argument="weight",
        )
    if len(sums) > _MOST_CELLS:
        raise MethodError(
            f"the variables make more than {_MOST_CELLS:,} cells, in which an engine would look up "
            "every row; merge categories, use fewer variables, or read the columns into memory",
            argument="margins",
        )
