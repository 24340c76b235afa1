"""The marks of the pictures: dots, lines, bars and squares, told apart by shape and shade."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._heat import HeatCells
from sotongindex._plotting import ACCENT, BAND, LINE, SMALL, Pen, Rows, percent, told
from sotongindex._text import MISSING, Language, interval, number, say, signed
from sotongindex.percentiles import TIE_WIDTH

Sides: TypeAlias = Mapping[float, tuple[FloatArray, FloatArray]]

_ROW, _AROUND = 0.24, 1.3  # inches
_CURVES = ("--", "-", ":", "-.")
_LEAST_COLOUR = 5.0  # points: smaller distances never take the full colour


def height_of(rows: float) -> float:
    """Return the height of a figure with so many rows, in inches."""
    return _AROUND + _ROW * max(rows, 2)


# -- organizations in rows -----------------------------------------------------------------------


def named_rows(rows: Rows, most: int) -> list[int]:
    """Return which rows are named: every k-th, and the marked ones in place of their neighbours."""
    step = max(1, -(-len(rows.names) // max(most, 1)))
    regular = [
        row
        for row in range(0, len(rows.names), step)
        if all(abs(row - marked) > 0.7 * step for marked in rows.marked)
    ]
    return sorted({*regular, *rows.marked})


def dots_with_lines(pen: Pen, rows: Rows, *, dense: bool) -> None:
    """Draw scores and intervals, one row below the other, and the mean of the scores."""
    heights = np.arange(len(rows.names))
    unknown = np.isnan(rows.low)
    axes = pen.axes
    axes.hlines(heights, rows.low, rows.high, color=LINE, linewidth=0.8 if dense else 1.8)
    size = 1.8 if dense else 4.0
    for places, face in ((~unknown, "black"), (unknown, "white")):
        axes.plot(
            rows.values[places],
            heights[places],
            "o",
            color="black",
            markerfacecolor=face,
            markersize=size,
        )
    for row in rows.marked:
        axes.hlines(row, rows.low[row], rows.high[row], color=ACCENT, linewidth=2.6)
        face = "white" if unknown[row] else ACCENT
        axes.plot(rows.values[row], row, "D", color=ACCENT, markerfacecolor=face, markersize=6)
    if len(heights):
        mean = rows.values.mean()
        axes.axvline(mean, color="black", linestyle=":", linewidth=1, zorder=0.5)
        text = f"{say('column.mean', pen.language)} {number(mean)}"
        style = pen.style(text, size=SMALL, ha="center", va="bottom")
        axes.text(mean, 1.0, text, transform=axes.get_xaxis_transform(), **style)
    edge = max(0.6, 0.012 * len(heights))
    axes.set_ylim(len(heights) - 1 + edge, -edge)
    pen.open_frame("x")


def rank_bars(
    pen: Pen,
    rows: Rows,
    places: NDArray[Any],
    *,
    measured: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> None:
    """Draw sets of ranks as bars with the measured ranks as dots."""
    axes = pen.axes
    marked = np.isin(np.arange(len(places)), rows.marked)
    axes.barh(
        places,
        high - low + 1,
        left=low - 0.5,
        height=0.62,
        color=BAND,
        edgecolor=np.where(marked, ACCENT, LINE).tolist(),
        linewidth=np.where(marked, 1.8, 0.7),
    )
    axes.plot(measured[~marked], places[~marked], "o", color="black", markersize=4)
    axes.plot(measured[marked], places[marked], "D", color=ACCENT, markersize=6)
    if len(places):
        axes.set_ylim(places[-1] + 0.7, -0.7)
        axes.set_xlim(0, max(np.nanmax(measured), np.nanmax(high, initial=1)) + 1)
        axes.set_xticks(
            [max(tick, 1) for tick in axes.get_xticks() if 0 <= tick <= axes.get_xlim()[1]]
        )
    pen.open_frame("x")


def right_column(
    pen: Pen,
    places: Iterable[float],
    texts: Sequence[str],
    *,
    heading: str = "",
    x: float = 1.01,
) -> None:
    """Write a column of texts to the right of the axes."""
    transform = pen.axes.get_yaxis_transform()
    for place, text in zip(places, texts, strict=True):
        pen.write(x, place, text, transform=transform, va="center")
    pen.write(x, 1.0, heading, va="bottom", transform=pen.axes.transAxes)


def rank_set(low: float, high: float) -> str:
    """Write a set of ranks; an en dash where there is none."""
    if np.isnan(low) or np.isnan(high):
        return MISSING
    return f"{low:.0f}" if low == high else f"{low:.0f}{MISSING}{high:.0f}"


def with_interval(value: float, low: float, high: float, *, language: Language) -> str:
    """Write a score with its interval."""
    between = interval(low, high, language=language)
    return number(value) if between == MISSING else f"{number(value)} ({between})"


# -- the funnel ----------------------------------------------------------------------------------


def funnel_curves(pen: Pen, respondents: FloatArray, *, middle: float, sides: Sides) -> None:
    """Draw the course of the limits over the respondents, and the middle."""
    if not len(respondents):
        return
    axes = pen.axes
    at = np.linspace(max(respondents.min() * 0.9, 1), respondents.max() * 1.05, 200)
    for (level, (low, high)), style in zip(sorted(sides.items()), _CURVES, strict=False):
        half = _half_width(respondents, (high - low) / 2, at)
        label = told("limits", pen.language, level=percent(level))
        axes.plot(at, middle + half, style, color="black", linewidth=1, label=label)
        axes.plot(at, middle - half, style, color="black", linewidth=1)
    label = told("middle", pen.language, points=number(middle))
    axes.axhline(middle, color=LINE, linewidth=0.8, label=label)


def _half_width(respondents: FloatArray, half: FloatArray, at: FloatArray) -> FloatArray:
    """Return the half-width of limits where its square is a + b / respondents, by least squares."""
    known = ~np.isnan(half)
    if not known.any():
        return np.full(at.shape, np.nan)
    inverse, square = 1 / respondents[known], half[known] ** 2
    spread = inverse - inverse.mean()
    total = (spread**2).sum()
    slope = (spread * square).sum() / total if total > 0 else 0.0
    width: FloatArray = np.sqrt(np.maximum(square.mean() + slope * (1 / at - inverse.mean()), 0.0))
    return width


def funnel_points(
    pen: Pen,
    rows: Rows,
    respondents: FloatArray,
    *,
    middle: float,
    sides: Sides,
    most: int,
) -> None:
    """Draw scores by where they lie: within their limits, or beyond some; name the farthest."""
    levels = sorted(sides)
    points = np.column_stack([respondents, rows.values])
    beyond, known = _beyond(rows.values, sides)
    says = [told("within", pen.language)]
    says += [told("beyond", pen.language, level=percent(level)) for level in levels]
    faces = ["white", *(str(shade) for shade in np.linspace(0.6, 0.0, len(levels)))]
    for count, (label, face) in enumerate(zip(says, faces, strict=True)):
        mark = "o" if count == 0 else ("s" if count == len(levels) else "^")
        _cloud(pen, points[known & (beyond == count)], mark, face=face, label=label)
    _cloud(pen, points[~known], "x", face="none", label=told("unlimited", pen.language))
    low, high = sides[levels[-1]]
    outside = np.flatnonzero(known & (beyond == len(levels)))
    half = np.maximum(high - low, TIE_WIDTH)[outside] / 2
    order = np.argsort(-np.abs(rows.values[outside] - middle) / half, kind="stable")
    farthest = outside[order][:most].tolist()
    _name_points(pen, rows, points, chosen=sorted({*farthest, *rows.marked}))
    pen.open_frame("both")
    pen.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))


def _beyond(values: FloatArray, sides: Sides) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return how many levels' limits scores are beyond, and whether they have limits."""
    beyond, known = np.zeros(len(values), dtype=np.int64), np.ones(len(values), dtype=bool)
    for low, high in sides.values():
        beyond += (values < low - TIE_WIDTH) | (values > high + TIE_WIDTH)
        known &= ~np.isnan(low)
    return beyond, known


def _cloud(pen: Pen, points: NDArray[Any], mark: str, *, face: str, label: str) -> None:
    """Draw points (n, 2) of one kind, if there are any."""
    if len(points):
        pen.axes.plot(
            *points.T,
            mark,
            color="0.25",
            markerfacecolor=face,
            markersize=3.5 if mark == "o" else 4.8,
            linestyle="none",
            label=label,
        )


def _name_points(pen: Pen, rows: Rows, points: NDArray[Any], *, chosen: Sequence[int]) -> None:
    """Write names beside points (n, 2), toward the middle of the axes."""
    for row in chosen:
        right = points[row, 0] <= (points[:, 0].min() + points[:, 0].max()) / 2
        marked = row in rows.marked
        text = rows.names[row]
        side = "left" if right else "right"
        pen.axes.annotate(
            text,
            points[row],
            xytext=(6 if right else -6, 0),
            textcoords="offset points",
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.5},
            color=ACCENT if marked else "black",
            **pen.style(text, size=SMALL, va="center", ha=side),
        )
        if marked:
            pen.axes.plot(*points[row], "D", color=ACCENT, markersize=7, zorder=3)


# -- percentiles ---------------------------------------------------------------------------------


def percentile_rows(
    pen: Pen,
    percentiles: FloatArray,
    low: FloatArray,
    *,
    high: FloatArray,
    reasons: Sequence[str],
) -> None:
    """Draw percentiles over the quarters, one row below the other."""
    axes, language = pen.axes, pen.language
    for quarter in range(4):
        shade = BAND if quarter in {0, 3} else "0.92"
        axes.axvspan(25 * quarter, 25 * (quarter + 1), color=shade, linewidth=0, zorder=0)
        place = {"ha": "center", "va": "bottom", "transform": axes.get_xaxis_transform()}
        pen.write(25 * quarter + 12.5, 1.0, told(f"quarter_{quarter + 1}", language), **place)
    axes.axvline(50, color="white", linewidth=1.5, zorder=0.5)
    for row, (value, reason) in enumerate(zip(percentiles, reasons, strict=True)):
        ends_known = not (np.isnan(low[row]) or np.isnan(high[row]))
        if np.isnan(value):
            plain = {"facecolor": "0.92", "linewidth": 0, "pad": 1}
            pen.write(50, row, _why(reason, language), ha="center", va="center", bbox=plain)
            continue
        if ends_known:
            axes.hlines(row, low[row], high[row], color="0.35", linewidth=3, clip_on=False)
        face = "black" if ends_known else "white"
        axes.plot(value, row, "o", color="black", markerfacecolor=face, markersize=7, clip_on=False)
    texts = [
        _percentile(*numbers, language=language)
        for numbers in zip(percentiles, low, high, strict=True)
    ]
    right_column(pen, np.arange(len(texts)), texts, x=1.03)
    axes.set_xlim(0, 100)
    axes.set_ylim(len(texts) - 0.4, -0.6)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.tick_params(axis="y", pad=9)  # room for a dot at 0
    axes.spines[:].set_visible(False)


def _percentile(value: float, low: float, high: float, *, language: Language) -> str:
    if np.isnan(value):
        return MISSING
    if np.isnan(low) or np.isnan(high):
        return number(value, 0)
    between = say("interval", language, low=number(low, 0), high=number(high, 0))
    return f"{number(value, 0)} ({between})"


def _why(reason: str, language: Language) -> str:
    return say(f"reason.{reason}", language) if reason else MISSING


# -- the heat map --------------------------------------------------------------------------------


def heat_squares(pen: Pen, cells: HeatCells) -> None:
    """Draw the squares, lighter the higher, with what they hold."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    axes, distance = pen.axes, cells.distance
    # Lightness runs one way from dark blue to yellow, so grey tells low from high too.
    colours = colormaps["cividis"]
    most = max(_LEAST_COLOUR, float(np.nanmax(np.abs(distance), initial=0.0)))
    share = (distance + most) / (2 * most)
    for (row, column), value in np.ndenumerate(distance):
        colour = "white" if np.isnan(value) else colours(share[row, column])
        hatch = "////" if cells.reasons[row, column] not in {"", "missing score"} else ""
        axes.add_patch(
            Rectangle(
                (column - 0.48, row - 0.46),
                0.96,
                0.92,
                facecolor=colour,
                edgecolor="0.6" if hatch or np.isnan(value) else "none",
                linewidth=0.5,
                hatch=hatch,
            )
        )
        if not hatch:
            _square_text(pen, cells, row, column=column, dark=share[row, column] < 0.45)
    rows, columns = distance.shape
    axes.axhline(rows - 1.5, color="black", linewidth=1)
    axes.axvline(columns - 1.5, color="black", linewidth=1)
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.spines[:].set_visible(False)


def _square_text(
    pen: Pen, cells: HeatCells, row: int, *, column: int, dark: bool | NDArray[np.bool_]
) -> None:
    """Write distance, claim and interval into a square."""
    value = cells.distance[row, column]
    if np.isnan(value):
        pen.write(column, row, MISSING, ha="center", va="center")
        return
    mark = {1.0: " ▲", -1.0: " ▼"}.get(float(cells.claimed[row, column]), "")
    more = {"ha": "center", "color": "white" if dark else "black"}
    pen.write(column, row - 0.03, signed(value) + mark, va="bottom", size=11, **more)
    ends = interval(cells.low[row, column], cells.high[row, column], language=pen.language)
    pen.write(column, row + 0.06, ends, va="top", size=7.5, **more)
