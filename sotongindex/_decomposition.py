"""Why an index changed: scores, weights, and what entered or left."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray, read_only
from sotongindex._columns import columns_from_rows, rows_from_columns
from sotongindex._disclosure import Reasons, first_reason
from sotongindex._frames import Backend, frame_from_columns
from sotongindex._html import View
from sotongindex._render import Rendered, prefixed, rows_view
from sotongindex._score_columns import with_error
from sotongindex._shapley import TERMS, Shares, Term, shapley_terms
from sotongindex._text import Language, say
from sotongindex._wave_sheets import BoolArray, Sheets
from sotongindex._waves import Respondents, Waves, chosen, subtracted
from sotongindex.averages import EVERYBODY
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates, combine

DecompositionTable: TypeAlias = Literal["terms", "scores", "mean"]


@attrs.frozen(kw_only=True, eq=False)
class Decomposition(Rendered):
    """Why the index changed, for every organization and for their mean.

    Axes: o organizations, t terms, c channels, d dimensions. The terms of an organization add up to
    its change, `by_cell` adds up to its term "scores", the terms of the mean to the change of the
    mean.

    Attributes:
        before: The earlier wave.
        after: The later wave.
        organizations: The keys of those of the later wave, then of those of the earlier alone, (o).
        terms: The names of the terms, (t).
        effects: The terms in points, (o, t); NaN where not shown.
        change: The change of the index, (o,).
        channels: The keys of the channels of either wave, (c).
        dimensions: The keys of the dimensions, (d); None for a channel as a whole.
        by_cell: What changed scores did in every channel and dimension, (o, c, d); None unless all
            means are arithmetic, where scores do not act one by one.
        mean_terms: The names of the terms of the mean: those above, and organizations that entered
            or left.
        mean_effects: The terms of the mean over organizations, each counted once; NaN where no
            organization has an index in both waves.
        mean_change: The change of the mean, one number.
        reasons: Why an organization's terms are not shown, (o,).
        notices: What a reader should know.
    """

    before: IndexResult
    after: IndexResult
    organizations: tuple[str, ...]
    terms: tuple[Term, ...]
    effects: Estimates
    change: Estimates
    channels: tuple[str, ...]
    dimensions: tuple[str | None, ...]
    by_cell: Estimates | None
    mean_terms: tuple[Term, ...]
    mean_effects: Estimates
    mean_change: Estimates
    reasons: Reasons = attrs.field(converter=read_only)
    notices: tuple[Notice, ...]

    def to_rows(self, table: DecompositionTable = "terms") -> list[dict[str, object]]:
        """Return a table as rows; None where not shown.

        Args:
            table: "terms": one row for every organization and term; "scores": for every
                organization, channel and dimension what its changed scores did (no row where that
                is not told); "mean": one row for every term of the mean over organizations.
        """
        if table == "mean":
            count = len(self.mean_terms)
            names = {"organization": [EVERYBODY] * count, "term": self.mean_terms}
            return rows_from_columns({**names, **with_error("effect", self.mean_effects)})
        if table == "scores":
            return self._cell_rows()
        width = len(self.terms)
        return rows_from_columns(
            {
                "organization": [key for key in self.organizations for _ in range(width)],
                "term": self.terms * len(self.organizations),
                **with_error("effect", self.effects),
                "reason": np.repeat(self.reasons, width),
            }
        )

    def _cell_rows(self) -> list[dict[str, object]]:
        if self.by_cell is None:
            return []
        axes = (self.organizations, self.channels, self.dimensions)
        places = np.indices(self.by_cell.shape).reshape(3, -1)
        names = [
            [keys[at] for at in place.tolist()] for keys, place in zip(axes, places, strict=True)
        ]
        columns = dict(zip(("organization", "channel", "dimension"), names, strict=True))
        rows = rows_from_columns({**columns, **with_error("effect", self.by_cell)})
        return [row for row in rows if row["effect"] is not None]

    def to_frame(
        self, backend: Backend = "pandas", *, table: DecompositionTable = "terms"
    ) -> Any:  # any backend's frame
        """Return a table as a dataframe of "pandas", "polars" or "pyarrow".

        Raises:
            MethodError: If the backend is unknown or not installed.
        """
        return frame_from_columns(columns_from_rows(self.to_rows(table)), backend)

    def _view(self, language: Language) -> View:
        """Return the terms of the mean, then of the organizations, those that are not 0."""
        rows = [row for row in (*self.to_rows("mean"), *self.to_rows()) if row["effect"]]
        names = {
            one.key: one.name(language)
            for wave in (self.before, self.after)
            for one in wave.study.organizations
        }
        return rows_view(
            "decomposition",
            rows,
            study=self.after.study,
            language=language,
            level=self.change.level,
            notices=self.notices,
            names={
                "organization": {**names, EVERYBODY: say(f"against.{EVERYBODY}", language)},
                "term": prefixed("term", language),
            },
        )

    def __str__(self) -> str:
        known = int((self.reasons == "").sum())
        lines = [f"why the index changed: {known} of {len(self.reasons)} organizations"]
        lines.append(f"  mean: {float(self.mean_change.values):+.2f}")
        pairs = zip(self.mean_terms, self.mean_effects.values, strict=True)
        lines += [f"    {term}: {effect:+.2f}" for term, effect in pairs if effect]
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])


def decompose_change(
    before: IndexResult, after: IndexResult, *, respondents: Respondents = "matched"
) -> Decomposition:
    r"""Tell why the index changed between two waves.

    The index is made anew of parts of both waves: the scores, the weights of channels, those of
    dimensions and items, and the channels and items that entered or left, each turned from the
    earlier to the later in every order there is. A term is its mean effect (Shapley), so terms add
    up to the change for any power mean. With two things that differ it is Kitagawa's split, see
    `decompose_mean`; with more that of Das Gupta.

    Scores that one wave alone has keep their value; their term is what their entering or leaving
    did. What one wave alone asks takes the weight it has there, beside what both ask, so that a
    new item is no change of weights. Scores begin with items; with cells where scores were
    published or blended; with channels where respondents were averaged first.

    Weights are taken as given: where a rule learned them from the scores, the error of having
    learned them is in the change and not in its terms.

    The mean over organizations, with :math:`n_E` of :math:`n_2` that entered and :math:`n_L` of
    :math:`n_1` that left, and those that stayed (S):

    .. math::
        \bar x_2 - \bar x_1 = (\bar x_{S2} - \bar x_{S1})
        + \frac{n_E}{n_2} (\bar x_{E2} - \bar x_{S2}) + \frac{n_L}{n_1} (\bar x_{S1} - \bar x_{L1})

    whose first term is the mean of the terms of those that stayed. An organization that has nothing
    in common between the waves has left and entered.

    Args:
        before: The earlier wave.
        after: The later wave; another version of the framework is allowed.
        respondents: "matched" or "different"; see `compare_waves`.

    Returns:
        The terms with their errors.

    Raises:
        MethodError: If the waves were averaged by different methods, an index is not made of its
            parts, or the waves are in the wrong order of time.

    References:
        Shapley (1953), doi 10.1515/9781400881970-018. Kitagawa (1955),
        doi 10.1080/01621459.1955.10501299. Das Gupta (1993), U.S. Bureau of the Census P23-186.
        Melitz and Polanec (2015), doi 10.1111/1756-2171.12114, for entering and leaving.

    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.index import compute_index
    >>> panel = sample_panel(respondents=1200)
    >>> found = decompose_change(compute_index(panel.before), compute_index(panel.responses))
    >>> gap = found.effects.values.sum(axis=1) - found.change.values
    >>> bool(abs(gap[found.reasons == ""]).max() < 1e-12)
    True
    """
    waves = Waves.of(before, after, respondents=respondents, comparable=True)
    sheets = Sheets.of(waves)
    shares = shapley_terms(sheets)
    change = subtracted(
        waves.before.index, waves.after.index, first=waves.first, second=waves.second
    )
    reasons = first_reason(
        ("only after", waves.first < 0),
        ("only before", waves.second < 0),
        ("missing score", np.isnan(change.values)),
        ("nothing in common", np.isnan(shares.values[0])),
    )
    by_terms = _Terms(sheets=sheets, shares=shares, change=change)
    effects = by_terms.effects()
    mean = _Mean.of(waves, reasons == "")
    return Decomposition(
        before=before,
        after=after,
        organizations=waves.keys,
        terms=TERMS,
        effects=effects,
        change=change,
        channels=sheets.channels,
        dimensions=sheets.dimensions,
        by_cell=by_terms.by_cell(),
        mean_terms=(*TERMS, "organizations entered", "organizations left"),
        mean_effects=mean.effects(effects),
        mean_change=mean.change(),
        reasons=reasons,
        notices=tuple(one for one in waves.notices if one.code == "population differs"),
    )


@attrs.frozen(kw_only=True, eq=False)
class _Terms:
    """The terms of organizations as functions of both waves' scores."""

    sheets: Sheets
    shares: Shares
    change: Estimates

    def effects(self) -> Estimates:
        """Return the terms, (o, t)."""
        count = len(TERMS)
        organization = np.arange(self.change.size)[:, None, None]
        rows = organization + np.zeros(self.shares.by_after.shape[1:], dtype=np.int64)
        made = [
            (rows * count + term, self.shares.by_before[term], self.shares.by_after[term])
            for term in range(count)
        ]
        row, early, late = (np.stack(part) for part in zip(*made, strict=True))
        return self._combined(row, early, late=late, values=self.shares.values.T)

    def by_cell(self) -> Estimates | None:
        """Return what changed scores did in every channel and dimension, (o, c, d)."""
        power = self.sheets.method.power
        if not power.items == power.dimensions == power.channels == 1:
            return None
        early, late = self.shares.by_before[0], self.shares.by_after[0]
        units = early * np.nan_to_num(self.sheets.before.scores)
        units += late * np.nan_to_num(self.sheets.after.scores)
        o, c, _ = units.shape
        d = len(self.sheets.dimensions)
        organization, channel, unit = np.indices(units.shape)
        row = (organization * c + channel) * d + self.sheets.dimension_of[unit]
        values = np.bincount(row.ravel(), units.ravel(), minlength=o * c * d).reshape(o, c, d)
        unknown = np.isnan(self.shares.values[0])[:, None, None]
        return self._combined(row, early, late=late, values=np.where(unknown, np.nan, values))

    def _combined(
        self, row: IntArray, early: FloatArray, *, late: FloatArray, values: FloatArray
    ) -> Estimates:
        """Return numbers with the derivatives of their rows by the scores of both waves."""
        sides = ((self.sheets.before, early), (self.sheets.after, late))
        terms = []
        for sheet, slope in sides:
            place = np.broadcast_to(sheet.place, slope.shape)
            used = (slope != 0) & (place >= 0)
            jacobian = sparse.csr_array(
                (slope[used], (row[used], place[used])), (values.size, sheet.estimates.size)
            )
            terms.append((sheet.estimates, jacobian))
        found = combine(terms, values=values, shape=values.shape)
        # A part of a change is known no better than the change.
        limit = self.change.degrees_of_freedom.reshape(-1, *[1] * (values.ndim - 1))
        freedom = np.where(
            np.isnan(found.variance), 0.0, np.minimum(found.degrees_of_freedom, limit)
        )
        flat = np.broadcast_to(self.shares.flat.reshape(limit.shape), values.shape)
        return attrs.evolve(
            found,
            variance=np.where(flat, np.nan, found.variance),
            degrees_of_freedom=np.where(flat, 0.0, freedom),
        )


@attrs.frozen(kw_only=True, eq=False)
class _Mean:
    """The mean over organizations: who stayed, entered and left, with their scores."""

    start: Estimates
    end: Estimates
    stayed: FloatArray
    was: FloatArray
    is_: FloatArray

    @classmethod
    def of(cls, waves: Waves, stayed: BoolArray) -> _Mean:
        """Take the index of both waves on common axes."""
        start = chosen(waves.before.index, waves.first)
        end = chosen(waves.after.index, waves.second)
        return cls(
            start=start,
            end=end,
            stayed=_mean_of(stayed),
            was=_mean_of(~np.isnan(start.values)),
            is_=_mean_of(~np.isnan(end.values)),
        )

    def change(self) -> Estimates:
        """Return the change of the mean, one number."""
        return combine([(self.end, [self.is_]), (self.start, [-self.was])], shape=())

    def effects(self, effects: Estimates) -> Estimates:
        """Return its terms: the mean terms of those that stayed, who entered, and who left."""
        count = len(TERMS)
        own = sparse.kron(sparse.csr_array(self.stayed[None]), sparse.eye_array(count))
        nobody = sparse.csr_array((1, effects.size))
        entered, left = self.is_ - self.stayed, self.stayed - self.was
        empty = np.zeros((count, len(self.stayed)))
        zero = np.zeros((1, len(self.stayed)))
        found = combine(
            [
                (effects, sparse.vstack([own, nobody, nobody])),
                (self.end, np.vstack([empty, entered, zero])),
                (self.start, np.vstack([empty, zero, left])),
            ]
        )
        # Without anybody that stayed there is nobody to measure the others from.
        return found if self.stayed.any() else chosen(found, np.full(count + 2, -1))


def _mean_of(members: BoolArray) -> FloatArray:
    """Return the coefficients of the mean over members, (o,)."""
    return members / max(int(members.sum()), 1)
