"""The picture of waves: scores over time with their intervals, targets and projections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._chain import WaveChain, link_waves
from sotongindex._disclosure import DisclosureRules, Subject
from sotongindex._plotting import (
    ACCENT,
    BAND,
    LINE,
    SMALL,
    Pen,
    part_name,
    percent,
    places_of,
    short,
    told,
)
from sotongindex._projection_result import Projection
from sotongindex._render import study_names
from sotongindex._text import Language, chance, number, say
from sotongindex._waves import wave_date
from sotongindex.errors import MethodError
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STYLES = (("o", "-"), ("s", "--"), ("^", ":"), ("D", "-."), ("v", "-"), ("P", "--"))


def wave_lines(
    waves: Sequence[IndexResult] | WaveChain,
    organizations: str | Iterable[str],
    *,
    target: float | None = None,
    projection: Projection | None = None,
    axes: Axes | None = None,
    language: Language = "en",
    channel: str | None = None,
    dimension: str | None = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> Axes:
    """Draw the scores of a few organizations over the waves, with their intervals.

    Waves that are named by dates stand at their dates, others at equal distances. Nothing is drawn
    beyond the last wave but a projection: a hollow mark with the interval of its date.

    Args:
        waves: Results in the order of time, or a chain of them.
        organizations: Keys of one to six organizations.
        target: A score to reach, drawn as a line.
        projection: A projection of these waves; its target is drawn too.
        axes: Where to draw; None makes a figure.
        language: "ko" or "en".
        channel: The channel; None means all together. A chain has its own.
        dimension: The dimension; None means all together. A chain has its own.
        rules: What may be shown.

    Returns:
        The axes.

    Raises:
        DefinitionError: If there is no such channel or dimension.
        MethodError: If there are too many organizations, one is unknown, waves cannot be linked,
            a projection has no dates to stand at, matplotlib is not installed, or no font has the
            Korean letters that are needed.
    """
    chain = (
        waves
        if isinstance(waves, WaveChain)
        else link_waves(waves, channel=channel, dimension=dimension)
    )
    places = _places(chain, organizations)
    at, named = _times(chain)
    if projection is not None and not (named and projection.organizations == chain.organizations):
        raise MethodError(
            "expected a projection of these waves, named by dates such as Study(wave='2011-07')",
            argument="projection",
        )
    pen = Pen.on(axes, language, size=(7.5, 5.0 + 0.22 * len(places)))
    shown = _shown(chain, rules)
    names = {
        key: name
        for wave in chain.waves
        for key, name in study_names(wave.study, language)["organization"].items()
    }
    for number_, (place, style) in enumerate(zip(places, _STYLES, strict=False)):
        # Marks of the same time stand beside each other.
        beside = (number_ - (len(places) - 1) / 2) * 0.06 * np.diff(at).min()
        label = short(names[chain.organizations[place]])
        if projection is not None:
            label += _reached(projection, place, language)
            _ahead(pen, projection, place, beside=beside, style=style)
        _line(
            pen,
            at + beside,
            chain.linked.select((slice(None), place)),
            shown=shown[:, place],
            style=style,
            label=label,
        )
    _target_line(pen, _aim(target, projection, places))
    _finish_lines(pen, chain, at, named=named, projection=projection)
    return pen.axes


def _places(chain: WaveChain, organizations: str | Iterable[str]) -> list[int]:
    places: list[int] = places_of(chain, organizations).tolist()
    if not 1 <= len(places) <= len(_STYLES):
        raise MethodError(
            f"expected 1 to {len(_STYLES)} organizations, got {len(places)}; more lines than that "
            "cannot be told apart",
            argument="organizations",
        )
    return places


def _times(chain: WaveChain) -> tuple[FloatArray, bool]:
    """Return where the waves stand, and whether that is by their dates (as ordinals)."""
    days = [wave_date(wave) for wave in chain.waves]
    known = [day.toordinal() for day in days if day is not None]
    if len(known) == len(days) and len(set(known)) == len(known):
        return np.array(known, dtype=np.float64), True
    return np.arange(len(days), dtype=np.float64), False


def _shown(chain: WaveChain, rules: DisclosureRules) -> NDArray[np.bool_]:
    """Return which scores may be shown, (w, o)."""
    shown = np.zeros(chain.linked.shape, dtype=bool)
    position = {key: place for place, key in enumerate(chain.organizations)}
    for row, wave in enumerate(chain.waves):
        subject = Subject.of(wave, chain.channel, chain.dimension)
        columns = [position[key] for key in wave.organizations]
        shown[row, columns] = subject.reasons(rules.min_respondents_show) == ""
    return shown


def _line(
    pen: Pen,
    at: FloatArray,
    scores: Estimates,
    *,
    shown: NDArray[np.bool_],
    style: tuple[str, str],
    label: str,
) -> None:
    """Draw one organization: its line, its intervals, hollow where the error is not known."""
    mark, dashes = style
    values = np.where(shown, scores.values, np.nan)
    unknown = np.isnan(scores.low)
    pen.axes.plot(at, values, dashes, color="0.3", linewidth=1.2, zorder=1)
    known = shown & ~unknown
    pen.axes.vlines(at[known], scores.low[known], scores.high[known], color=LINE, linewidth=1.5)
    for some, face in ((known, "black"), (shown & unknown, "white")):
        if some.any():
            pen.axes.plot(
                at[some],
                values[some],
                mark,
                color="black",
                markerfacecolor=face,
                linestyle="none",
                markersize=5.5,
                label=label if face == "black" or not known.any() else None,
            )


def _ahead(
    pen: Pen, projection: Projection, place: int, *, beside: float, style: tuple[str, str]
) -> None:
    """Draw a forecast at its date, hollow, with its interval."""
    forecast, at = projection.forecast, projection.due.toordinal() + beside
    pen.axes.vlines(
        at, forecast.low[place], forecast.high[place], color=BAND, linewidth=4, zorder=0.8
    )
    pen.axes.plot(
        at, forecast.values[place], style[0], color="black", markerfacecolor="white", markersize=6
    )


def _reached(projection: Projection, place: int, language: Language) -> str:
    """Return how probable it is to reach the target, for the legend."""
    probability = float(projection.probability_reached[place])
    if np.isnan(probability):
        return ""
    return f" · {told('reached', language, chance=chance(probability))}"


def _aim(target: float | None, projection: Projection | None, places: list[int]) -> float | None:
    if target is not None or projection is None:
        return target
    held = projection.target[places].tolist()
    return next((one for one in held if not np.isnan(one)), None)


def _target_line(pen: Pen, aim: float | None) -> None:
    if aim is None:
        return
    label = told("target", pen.language, points=number(aim))
    pen.axes.axhline(aim, color=ACCENT, linewidth=1.2, linestyle="--", label=label, zorder=0.5)


def _finish_lines(
    pen: Pen, chain: WaveChain, at: FloatArray, *, named: bool, projection: Projection | None
) -> None:
    ticks, names = at.tolist(), [short(name) for name in chain.names]
    if projection is not None and named:
        ticks.append(projection.due.toordinal())
        names.append(projection.due.isoformat())
    pen.axes.set_xticks(ticks, names, **pen.style(*names, size=SMALL))
    for early, late, link in zip(at, at[1:], chain.links, strict=False):
        if link != "same framework":
            pen.axes.axvline((early + late) / 2, color=LINE, linewidth=0.8, linestyle=":")
    pen.open_frame("y")
    pen.beside(say("column.score", pen.language))
    pen.legend(loc="upper left", bbox_to_anchor=(0.0, -0.28))
    pen.title(part_name(chain.waves[-1], chain.channel, chain.dimension, language=pen.language))
    linked = any(link != "same framework" for link in chain.links)
    level = percent(chain.linked.level)
    pen.under(
        told("waves", pen.language, level=level),
        told("linked", pen.language) if linked else "",
        ""
        if projection is None
        else told("forecast", pen.language, level=percent(projection.forecast.level)),
    )
