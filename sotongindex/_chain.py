"""One series out of waves whose framework changed: chained where both versions meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import attrs
import numpy as np
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._decomposition import decompose_change
from sotongindex._disclosure import Reasons, first_reason
from sotongindex._html import View
from sotongindex._render import Rendered, rows_view
from sotongindex._score_columns import with_error
from sotongindex._shapley import TERMS
from sotongindex._text import Language
from sotongindex._waves import (
    Respondents,
    Score,
    Waves,
    check_order,
    check_respondents,
    chosen,
    framework_name,
    other_people,
    same_measurement,
    subject_of,
    subtracted,
    wave_name,
)
from sotongindex.errors import MethodError
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates, combine

LinkKind: TypeAlias = Literal["same framework", "overlap", "common items"]


@attrs.frozen(kw_only=True, eq=False)
class WaveChain(Rendered):
    """One series of a score over waves, on the scale of the last wave's framework.

    Axes: w waves in the order of time, o organizations: those of the last wave, then the others.

    Attributes:
        waves: The waves.
        links: How each wave is linked to the next, (w - 1).
        organizations: The keys of the organizations, (o).
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        scores: The scores as measured, (w, o); NaN where missing.
        linked: The scores as the last wave's framework would have measured them, (w, o); the last
            row is measured. They may lie a little outside 0 to 100.
        since_first: The linked change since the first wave, (w, o).
        reasons: Why a linked score is missing, (w, o).
        notices: What a reader should know.
    """

    waves: tuple[IndexResult, ...]
    links: tuple[LinkKind, ...]
    organizations: tuple[str, ...]
    channel: str | None
    dimension: str | None
    scores: Estimates
    linked: Estimates
    since_first: Estimates
    reasons: Reasons = attrs.field(converter=read_only)
    notices: tuple[Notice, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the waves, numbers where they have none."""
        return tuple(
            wave.study.wave or str(number) for number, wave in enumerate(self.waves, start=1)
        )

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization and wave; None where missing."""
        count, links = len(self.organizations), ("", *self.links)
        rows = rows_from_columns(
            {
                "organization": self.organizations * len(self.waves),
                "wave": [name for name in self.names for _ in range(count)],
                "link": [link for link in links for _ in range(count)],
                "score": self.scores.values.ravel(),
                **with_error("linked", self.linked),
                **with_error("since_first", self.since_first),
                "reason": self.reasons.ravel(),
            }
        )
        return [row for place in range(count) for row in rows[place::count]]

    def _view(self, language: Language) -> View:
        """Return the series of the organizations, in the order of the last wave."""
        return rows_view(
            "chain",
            self.to_rows(),
            study=self.waves[-1].study,
            language=language,
            level=self.linked.level,
            notices=self.notices,
        )

    def __str__(self) -> str:
        lines = [f"{len(self.waves)} waves, {len(self.organizations)} organizations"]
        pairs = zip(self.names, self.names[1:], self.links, strict=False)
        lines += [f"  {early} to {late}: {link}" for early, late, link in pairs]
        return "\n".join([*lines, *(f"  note: {notice.message}" for notice in self.notices)])


def link_waves(
    waves: Iterable[IndexResult],
    *,
    overlaps: Iterable[IndexResult] = (),
    common_items: bool = False,
    channel: str | None = None,
    dimension: str | None = None,
    respondents: Respondents = "matched",
) -> WaveChain:
    r"""Chain waves to one series where the framework changed between them.

    Where versions 1 and 2 of a framework meet, each organization's earlier scores are moved by an
    offset :math:`b`, so that :math:`\text{linked}_t = x_t + b_{t+1} + b_{t+2} + \dots`:

    - with an overlap, a wave measured by both versions at the same time:
      :math:`b = x^{(2)} - x^{(1)}` in that wave;
    - with the items that both versions ask: all of the change but what these items' scores did,
      that is the other terms of `decompose_change`. This takes for granted that what both ask
      stands for what each asks.

    The errors of scores and offsets are carried together: the error of an overlap is in every wave
    before it.

    Args:
        waves: Two results or more, in the order of time.
        overlaps: Results of one of the waves (of the same name) by the other version.
        common_items: Whether to chain over common items where there is no overlap.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        respondents: "matched" or "different"; see `compare_waves`.

    Returns:
        The series.

    Raises:
        DefinitionError: If a wave has no such channel or dimension.
        MethodError: If there are fewer than two waves, they are in the wrong order of time, the
            framework changed without an overlap or common items, an overlap is of none of the
            waves, or common items are asked for with a channel or a dimension.

    References:
        ILO and others (2004), Consumer Price Index Manual, chapter 9, for chaining over an overlap.

    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.index import compute_index
    >>> panel = sample_panel(respondents=1200)
    >>> print(link_waves([compute_index(panel.before), compute_index(panel.responses)]))
    2 waves, 312 organizations
      synthetic wave 1 to synthetic wave 2: same framework
    """
    given = tuple(waves)
    if len(given) < 2:
        raise MethodError(f"expected two waves or more, got {len(given)}", argument="waves")
    check_order(given)
    if common_items and not (channel is dimension is None):
        raise MethodError(
            "common items chain the index only; give an overlap for channels and dimensions",
            argument="common_items",
        )
    keys = tuple(dict.fromkeys(key for wave in given[::-1] for key in wave.organizations))
    measured, twice = _sampled(given, tuple(overlaps), respondents)
    maker = _Maker(
        waves=measured,
        overlaps=twice,
        common_items=common_items,
        score=Score(channel=channel, dimension=dimension),
        keys=keys,
    )
    links, offsets = maker.links()
    scores = maker.scores()
    linked = maker.linked(scores, offsets)
    missing = np.isnan(scores.values)
    return WaveChain(
        waves=given,
        links=links,
        organizations=keys,
        channel=channel,
        dimension=dimension,
        scores=scores,
        linked=linked,
        since_first=_since_first(linked),
        reasons=first_reason(("missing score", missing), ("no link", np.isnan(linked.values))),
        notices=maker.notices(),
    )


def _sampled(
    waves: tuple[IndexResult, ...], overlaps: tuple[IndexResult, ...], respondents: Respondents
) -> tuple[tuple[IndexResult, ...], tuple[IndexResult, ...]]:
    """Return waves and overlaps whose respondents are their own, if told so."""
    check_respondents(respondents)
    names = [wave.study.wave for wave in waves]
    for overlap in overlaps:
        if overlap.study.wave is None or overlap.study.wave not in names:
            raise MethodError(
                f"an overlap is of wave {wave_name(overlap)}, the waves are "
                f"{', '.join(map(wave_name, waves))}; give it the name of one of them",
                argument="overlaps",
            )
    if respondents == "matched":
        return waves, overlaps
    # An overlap has the respondents of its wave.
    return (
        tuple(other_people(wave, f"wave {place}") for place, wave in enumerate(waves)),
        tuple(other_people(one, f"wave {names.index(one.study.wave)}") for one in overlaps),
    )


@attrs.frozen(kw_only=True, eq=False)
class _Maker:
    """What a chain is made of."""

    waves: tuple[IndexResult, ...]
    overlaps: tuple[IndexResult, ...]
    common_items: bool
    score: Score
    keys: tuple[str, ...]

    def estimates(self, result: IndexResult) -> Estimates:
        """Return the score of everybody (o,), missing who is not in the result."""
        found = subject_of(result, self.score).estimates
        return chosen(found, self._places(result.organizations))

    def _places(self, organizations: Sequence[str]) -> IntArray:
        position = {key: place for place, key in enumerate(organizations)}
        return np.array([position.get(key, -1) for key in self.keys])

    def scores(self) -> Estimates:
        """Return all scores, (w, o)."""
        count, size = len(self.waves), len(self.keys)
        parts = [self.estimates(wave) for wave in self.waves]
        terms = [(part, _rows(count, size, [row])) for row, part in enumerate(parts)]
        plain = combine(terms, shape=(count, size))
        freedom = np.stack([part.degrees_of_freedom for part in parts])
        return attrs.evolve(plain, degrees_of_freedom=freedom, lower=0.0)

    def links(self) -> tuple[tuple[LinkKind, ...], list[Estimates | None]]:
        """Return how waves are linked, and what moves the earlier scores."""
        pairs = zip(self.waves, self.waves[1:], strict=False)
        found = [self._link(early, late) for early, late in pairs]
        return tuple(kind for kind, _ in found), [offset for _, offset in found]

    def _link(self, early: IndexResult, late: IndexResult) -> tuple[LinkKind, Estimates | None]:
        old, new = early.study.framework, late.study.framework
        if same_measurement(old, new):
            return "same framework", None
        everybody = np.arange(len(self.keys))
        for other in self.overlaps:
            sides = None
            if other.study.wave == late.study.wave and same_measurement(other.study.framework, old):
                sides = (other, late)
            if other.study.wave == early.study.wave and same_measurement(
                other.study.framework, new
            ):
                sides = (early, other)
            if sides is not None:
                start, end = map(self.estimates, sides)
                return "overlap", subtracted(start, end, first=everybody, second=everybody)
        if self.common_items:
            return "common items", self._common(early, late)
        raise MethodError(
            f"the waves {wave_name(early)} and {wave_name(late)} were measured by "
            f"{framework_name(old)} and {framework_name(new)}, and no wave by both; give a result "
            "of one of these waves by the other version in overlaps=, or pass common_items=True",
            argument="overlaps",
        )

    def _common(self, early: IndexResult, late: IndexResult) -> Estimates:
        """Return all of the change but what the scores of common items did, (o,)."""
        parts = decompose_change(early, late)
        if (parts.reasons != "").all():
            raise MethodError(
                f"the waves {wave_name(early)} and {wave_name(late)} have no items in common: "
                "give an overlap",
                argument="common_items",
            )
        others = np.array([float(term != "scores") for term in TERMS])
        jacobian = sparse.kron(sparse.eye_array(len(parts.organizations)), others[None])
        offset = parts.effects.transform(jacobian, lower=-100.0)
        return chosen(offset, self._places(parts.organizations))

    def linked(self, scores: Estimates, offsets: Sequence[Estimates | None]) -> Estimates:
        """Return the scores moved by every later offset, (w, o)."""
        count, size = scores.shape
        terms = [(scores, sparse.eye_array(scores.size, format="csr"))]
        terms += [
            (offset, _rows(count, size, range(place + 1)))
            for place, offset in enumerate(offsets)
            if offset is not None
        ]
        return combine(terms, shape=scores.shape, lower=-np.inf, upper=np.inf)

    def notices(self) -> tuple[Notice, ...]:
        """Return what keeps neighbouring waves apart."""
        pairs = zip(self.waves, self.waves[1:], strict=False)
        sides = [Waves.of(*pair, comparable=True) for pair in pairs]
        return tuple(
            notice
            for side in sides
            for notice in side.notices
            if notice.code != "framework changed"
        )


def _rows(count: int, size: int, rows: Iterable[int]) -> sparse.csr_array:
    """Return the Jacobian that puts numbers (o,) into some rows of (w, o)."""
    column = np.zeros((count, 1))
    column[list(rows)] = 1.0
    return sparse.csr_array(sparse.kron(column, sparse.eye_array(size)))


def _since_first(linked: Estimates) -> Estimates:
    """Return the changes since the first wave, (w, o)."""
    count, size = linked.shape
    first = np.zeros((count, count))
    first[:, 0] = 1.0
    jacobian: FloatArray = np.eye(count) - first
    return linked.transform(
        sparse.kron(jacobian, sparse.eye_array(size)),
        shape=linked.shape,
        lower=-np.inf,
        upper=np.inf,
    )
