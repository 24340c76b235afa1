"""The evaluations of a lazy table, by its layout: how many there are, of whom and by whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import narwhals as nw
import numpy as np

from sotongindex._arrays import IntArray
from sotongindex._lazy.items import sum_in
from sotongindex._lazy.people import People, added, ask_people, ask_repeated_rows
from sotongindex._lazy.roles import Roles
from sotongindex._reading.cells import Cells, duplicates, silent_rows
from sotongindex._reading.operated import not_operated
from sotongindex._reading.rows import Codes
from sotongindex._reading.source import Source
from sotongindex.checks import Finding

__all__ = ["Evaluations", "bound_evaluations", "flag_name", "repeated", "wide_evaluations"]


@attrs.frozen(kw_only=True, eq=False)
class Evaluations:
    """The evaluations of a table, those alike together, (n,).

    Attributes:
        source: The study and the layout; its frame has few rows, each of which stands for many.
        row: Their row in this frame.
        organization: Their organization, -1 where unknown.
        channel: Their channel, -1 where unknown.
        times: How many they are.
        silent: How many have no answer.
        people: The respondents.
        findings: What is wrong with the rows as evaluations.
    """

    source: Source
    row: IntArray
    organization: Codes
    channel: Codes
    times: IntArray
    silent: int
    people: People
    findings: tuple[Finding, ...]

    @property
    def by_channel(self) -> IntArray:
        """The number of evaluations on every channel, (channels,)."""
        return added(self.channel, self.times, len(self.source.study.framework.channels))

    def not_operated(self) -> Iterable[Finding]:
        """Find evaluations on channels that are not operated."""
        cells = Cells(row=self.row, channel=self.channel, pieces=(), times=self.times)
        return not_operated(self.source, self.organization, cells)


def flag_name(channel: int | None) -> str:
    """Return the name of the column that tells whether a row has an answer on a channel."""
    return "has an answer" if channel is None else f"has an answer on channel {channel}"


def wide_evaluations(roles: Roles, answered: nw.Expr | None) -> Evaluations:
    """Take every row as an evaluation.

    Args:
        roles: The roles, with whether a row has an answer.
        answered: The same as an expression; None where there are no answers at all.
    """
    frame, source, rows = roles.source.frame, roles.source, roles.rows
    times = frame.counts
    flags = np.zeros(frame.rows) if answered is None else sum_in(frame, flag_name(None))
    if source.layout.respondent is None:
        whom = added(rows.organization, times, len(source.study.organizations))
        people = People(number=int(times.sum()), by_organization=whom)
    else:
        people = ask_people(roles, None, _by_channel(roles))
    return Evaluations(
        source=source,
        row=np.arange(frame.rows),
        organization=rows.organization,
        channel=rows.channel,
        times=times,
        silent=int(times[flags == 0].sum()),
        people=people,
        findings=repeated(source, people, people.rows),
    )


def bound_evaluations(roles: Roles, answered: Mapping[int, nw.Expr]) -> Evaluations:
    """Take every row as one evaluation per channel on which it has an answer.

    Args:
        roles: The roles, with whether a row has an answer on each channel.
        answered: The same as expressions.
    """
    frame, source, rows = roles.source.frame, roles.source, roles.rows
    rates = np.zeros((len(answered), frame.rows), dtype=np.bool_)
    for place, channel in enumerate(answered):
        rates[place] = sum_in(frame, flag_name(channel)) > 0
    place, row = rates.nonzero()
    used = rates.any(axis=0)
    found = [] if used.all() else [silent_rows(~used, frame.counts)]
    whom = added(rows.organization[used], frame.counts[used], len(source.study.organizations))
    people = People(number=int(frame.counts[used].sum()), by_organization=whom)
    if source.layout.respondent is not None and used.any():
        where = nw.any_horizontal(*answered.values(), ignore_nulls=True)
        people = ask_people(roles, where, answered)
        again = ask_repeated_rows(roles, answered) if people.repeated else 0
        found += repeated(source, people, again)
    return Evaluations(
        source=source,
        row=row,
        organization=rows.organization[row],
        channel=np.array([*answered], dtype=np.int32)[place],
        times=frame.counts[row],
        silent=0,
        people=people,
        findings=tuple(found),
    )


def _by_channel(roles: Roles) -> dict[int, nw.Expr]:
    """Return for every known channel whether a row is about it."""
    if roles.key("channel") is None:
        return {0: nw.lit(value=True)} if (roles.rows.channel >= 0).all() else {}
    places = np.unique(roles.rows.channel[roles.rows.channel >= 0]).tolist()
    return {place: roles.is_one_of("channel", [place]) for place in places}


def repeated(source: Source, people: People, rows: int) -> tuple[Finding, ...]:
    """Say how many evaluations there are more than once, if there are."""
    return (duplicates(source, people.repeated, rows),) if people.repeated else ()
