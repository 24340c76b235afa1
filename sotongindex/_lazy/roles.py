"""The roles of a lazy table as a frame of few rows, each of which stands for many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import is_missing
from sotongindex._frames import Frame, Text
from sotongindex._lazy.columns import day_of, key_of, number_of, parsed_labels, written
from sotongindex._lazy.engine import LazyTable
from sotongindex._reading.rows import Codes, Rows, date_faults, match, match_channels
from sotongindex._reading.source import Source
from sotongindex.checks import Finding

__all__ = ["Roles", "ask_dates"]

_DAY = 10  # letters of a date in text that are read: 2024-05-31
_KEYS = ("organization", "channel", "item")
_SIZES = ("weight", "stratum_population")
_SAMPLED = ("respondent", "stratum", "cluster")


@attrs.frozen(kw_only=True, eq=False)
class Roles:
    """The combinations of roles that occur in a table, and how many rows have each.

    Attributes:
        table: The lazy frame.
        source: The study and the layout; its frame has a row for every combination.
        rows: That frame as it is read in memory.
    """

    table: LazyTable
    source: Source
    rows: Rows

    @classmethod
    def ask(cls, table: LazyTable, source: Source, flags: Mapping[str, nw.Expr]) -> Roles:
        """Ask for the combinations of roles and `flags`.

        The checks need the keys of organizations, channels and items. Of weights and populations
        they need the sign, of all other keys whether they are there; so no more comes back.
        """
        named = {role: name for role, name in source.roles().items() if name in table.kinds}
        columns: dict[str, nw.Expr] = {}
        for role in (role for role in (*_KEYS, *_SIZES, *_SAMPLED) if role in named):
            name = named[role]
            if role in _KEYS:
                columns.setdefault(name, written(table, name))
            elif role in _SIZES:
                columns.setdefault(name, _sign(table, name))
            else:
                given = ~key_of(table, name).is_null()
                columns.setdefault(name, nw.when(given).then(nw.lit(1)))
        source = attrs.evolve(source, frame=table.count({**columns, **flags}))
        return cls(table=table, source=source, rows=Rows.of(source))

    def key(self, role: str) -> nw.Expr | None:
        """Return the keys of a role, blank ones as null; None where no column tells it."""
        name = self.source.roles().get(role)
        return None if name is None or name not in self.table.kinds else key_of(self.table, name)

    def written(self, role: str) -> nw.Expr | None:
        """Return the keys of a role with the blanks around them; None where no column tells it."""
        name = self.source.roles().get(role)
        return None if name is None or name not in self.table.kinds else written(self.table, name)

    def known(self, role: str) -> nw.Expr | None:
        """Return the keys of organizations, channels or items, null where the study has none."""
        text, codes = self.written(role), self._codes(role)
        if text is None:
            return None
        values = self._values(role, codes >= 0)
        key = text if len(values) == len(np.unique(codes[codes >= 0])) else self.key(role)
        return key if (codes >= 0).all() else nw.when(text.is_in(values)).then(key)

    def is_one_of(self, role: str, positions: Iterable[int]) -> nw.Expr:
        """Return whether the key of a row is that of one of the `positions` in the study."""
        text = self.written(role)
        values = self._values(role, np.isin(self._codes(role), [*positions]))
        return nw.lit(value=False) if text is None or not values else text.is_in(values)

    def positions(self, role: str, answer: Frame, column: str) -> Codes:
        """Return the positions of the keys in a column of an answer, -1 where unknown."""
        study, name = self.source.study, self.source.roles().get(role, role)
        names = (name,) if column in answer.names else ()
        frame = attrs.evolve(answer, names=names, column=lambda _: answer.column(column))
        source = attrs.evolve(self.source, frame=frame)
        if role == "channel":
            return match_channels(source, [])
        known = study.organization_keys if role == "organization" else study.framework.item_keys
        return match(source, role, known, found=[])

    def _codes(self, role: str) -> Codes:
        codes: Codes = getattr(self.rows, role)
        return codes

    def _values(self, role: str, mask: NDArray[np.bool_]) -> list[object]:
        """Return what stands in the column of a role where `mask` holds, each once."""
        column = self.source.frame.column(self.source.roles()[role])
        if isinstance(column, Text):
            return [column.labels[code] for code in np.unique(column.codes[mask]).tolist()]
        return [*np.unique(column.values[mask]).tolist()]


def ask_dates(table: LazyTable, source: Source) -> list[Finding]:
    """Find dates that cannot be meant, from the number of rows of every day."""
    name = source.layout.date
    if name is None or name not in table.kinds:
        return []
    day = key_of(table, name)
    if table.kinds[name] in ("text", "other"):
        day = day.str.slice(0, _DAY)
    elif table.kinds[name] in ("day", "moment"):
        day = day_of(table, name)
    return list(date_faults(attrs.evolve(source, frame=table.count({name: day}))))


def _sign(table: LazyTable, name: str) -> nw.Expr:
    """Return 1 for positive numbers, 0 for others, and inf, null and what is no number as such."""
    if table.kinds[name] in ("whole", "number"):
        number = number_of(table, name).cast(nw.Float64)
        sign = nw.when(number <= 0).then(nw.lit(0.0)).otherwise(nw.lit(1.0))
        sign = nw.when(number == np.inf).then(nw.lit(np.inf)).otherwise(sign)
        return nw.when(~number.is_null()).then(sign)
    labels, parsed = parsed_labels(table, name)
    signs = np.where(parsed.values > 0, "1", "0")
    signs[is_missing(parsed.values)] = ""
    if parsed.wrong is not None:
        signs[parsed.wrong] = "?"
    text = nw.col(name).cast(nw.String)
    return text.replace_strict(list(labels), signs.tolist(), default=None, return_dtype=nw.String)
