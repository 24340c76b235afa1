"""The evaluations of a lazy table, by its layout: how many there are, of whom and by whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import narwhals as nw
import numpy as np
from numpy.typing import NDArray

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


def wide_evaluations(roles: Roles, answered: Mapping[int | None, nw.Expr]) -> Evaluations:
    """Take every row as an evaluation.

    Args:
        roles: The roles, with columns that tell whether a row has an answer.
        answered: The same as expressions: one for None, or none where no item has a column.
    """
    source, rows, times = roles.source, roles.rows, roles.source.frame.counts
    every = np.ones(len(times), dtype=np.bool_)
    people = _people(roles, every, _by_channel(roles))
    return Evaluations(
        source=source,
        row=np.arange(len(times)),
        organization=rows.organization,
        channel=rows.channel,
        times=times,
        silent=int(times[~_rates(roles, answered).any(axis=0)].sum()),
        people=people,
        findings=repeated(source, people, people.rows),
    )


def bound_evaluations(roles: Roles, answered: Mapping[int | None, nw.Expr]) -> Evaluations:
    """Take every row as one evaluation per channel on which it has an answer.

    Args:
        roles: The roles, with columns that tell whether a row has an answer on each channel.
        answered: The same as expressions, by the position of the channel.
    """
    source, rows, times = roles.source, roles.rows, roles.source.frame.counts
    rates = _rates(roles, answered)
    place, row = rates.nonzero()
    used: NDArray[np.bool_] = np.logical_or.reduce(rates, axis=0)
    people = _people(roles, used, answered)
    again = ask_repeated_rows(roles, answered) if people.repeated else 0
    return Evaluations(
        source=source,
        row=row,
        organization=rows.organization[row],
        channel=np.array([*answered], dtype=np.int32)[place],
        times=times[row],
        silent=0,
        people=people,
        findings=(
            *(() if used.all() else (silent_rows(~used, times),)),
            *repeated(source, people, again),
        ),
    )


def _rates(roles: Roles, answered: Iterable[int | None]) -> NDArray[np.bool_]:
    """Return whether rows have an answer on a channel, (channels, rows)."""
    frame = roles.source.frame
    flags = [sum_in(frame, flag_name(channel)) > 0 for channel in answered]
    return np.array(flags, dtype=np.bool_).reshape(len(flags), frame.rows)


def _people(roles: Roles, used: NDArray[np.bool_], rates: Mapping[int | None, nw.Expr]) -> People:
    """Count the respondents of rows that are used; without keys, every row is one."""
    source, times = roles.source, roles.source.frame.counts[used]
    if source.layout.respondent is None or not used.any():
        organizations = len(source.study.organizations)
        return People(
            number=int(times.sum()),
            by_organization=added(roles.rows.organization[used], times, organizations),
        )
    rated = (
        nw.any_horizontal(*rates.values(), ignore_nulls=True) if source.layout.is_bound else None
    )
    return ask_people(roles, rated, rates)


def _by_channel(roles: Roles) -> dict[int | None, nw.Expr]:
    """Return for every known channel whether a row is about it."""
    channel = roles.rows.channel
    if roles.written("channel") is None:
        return {0: nw.lit(value=True)} if (channel >= 0).all() else {}
    places = np.unique(channel[channel >= 0]).tolist()
    return {place: roles.is_one_of("channel", [place]) for place in places}


def repeated(source: Source, people: People, rows: int) -> tuple[Finding, ...]:
    """Say how many evaluations there are more than once, if there are."""
    return (duplicates(source, people.repeated, rows),) if people.repeated else ()
