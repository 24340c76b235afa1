"""The marks of pictures about plans: steps, bullets and points between crosses."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from sotongindex._arrays import FloatArray
from sotongindex._importance_map import QUADRANTS
from sotongindex._marks import right_column, with_interval
from sotongindex._plotting import ACCENT, BAND, FAINT, LINE, Pen, told
from sotongindex._text import chance, number, say, signed

_QUARTERS = ("0.72", "0.80", "0.88", "0.95")  # the lowest quarter is the darkest


# -- steps ---------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Steps:
    """A way from a score to a plan, step by step.

    Attributes:
        start: The score.
        low: The lower end of its interval; NaN where not known.
        high: The upper end.
        gains: What every step gains, (k,).
        aim: Where the way is to lead.
    """

    start: float
    low: float
    high: float
    gains: FloatArray
    aim: float


def waterfall_steps(pen: Pen, steps: Steps) -> None:
    """Draw the score, what each step adds, and where that leads; one row below the other."""
    axes, count = pen.axes, len(steps.gains)
    ends = steps.start + np.concatenate([[0.0], np.cumsum(steps.gains)])
    known = [end for end in (steps.low, steps.high) if not np.isnan(end)]
    points = [steps.start, steps.aim, ends[-1], *known]
    span = max(max(points) - min(points), 1.0)
    left, right = min(points) - 0.12 * span, max(points) + 0.12 * span
    for row, end in ((0, steps.start), (count + 1, ends[-1])):
        axes.barh(row, end - left, left=left, height=0.56, color=BAND, edgecolor=LINE)
    axes.hlines(0, steps.low, steps.high, color="black", linewidth=1.8)
    axes.plot(steps.start, 0, "o", color="black", markersize=5)
    axes.barh(
        np.arange(1, count + 1), steps.gains, left=ends[:-1], height=0.56, color=ACCENT, alpha=0.75
    )
    for row, end in enumerate(ends):
        axes.vlines(end, row + 0.28, row + 0.72, color=LINE, linewidth=0.8)
    axes.axvline(steps.aim, color="black", linestyle="--", linewidth=1)
    place = {"ha": "center", "va": "bottom", "transform": axes.get_xaxis_transform()}
    pen.write(
        steps.aim, 1.0, told("waterfall.aim", pen.language, points=number(steps.aim)), **place
    )
    texts = [
        with_interval(steps.start, steps.low, steps.high, language=pen.language),
        *(signed(gain, 2) for gain in steps.gains),
        number(ends[-1]),
    ]
    right_column(pen, np.arange(count + 2), texts)
    axes.set_xlim(left, right)
    axes.set_ylim(count + 1.6, -0.6)
    pen.open_frame("x")


# -- bullets -------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Bullets:
    """Scores against their targets over the quarters of the peers. Arrays are (k,).

    Attributes:
        score: The scores; NaN where not shown.
        low: Lower ends of their intervals.
        high: Upper ends.
        aim: The targets; NaN where not shown.
        quarters: The lowest, quartiles and best of the peers, (k, 5); NaN where not shown.
        reasons: Why a score is not shown.
    """

    score: FloatArray
    low: FloatArray
    high: FloatArray
    aim: FloatArray
    quarters: FloatArray
    reasons: Sequence[str]


def bullet_rows(pen: Pen, bullets: Bullets) -> None:
    """Draw one bullet below the other, on one axis."""
    axes, language = pen.axes, pen.language
    numbers = np.concatenate(
        [bullets.quarters.ravel(), *(getattr(bullets, n) for n in ("score", "low", "high", "aim"))]
    )
    known = numbers[~np.isnan(numbers)]
    left, right = (known.min() - 3, known.max() + 3) if len(known) else (0.0, 100.0)
    for row, (score, aim) in enumerate(zip(bullets.score, bullets.aim, strict=True)):
        edges = bullets.quarters[row]
        if not np.isnan(edges).any():
            axes.barh(row, np.diff(edges), left=edges[:-1], height=0.7, color=_QUARTERS)
        if np.isnan(score):
            words = say(f"reason.{bullets.reasons[row]}", language)
            pen.write((left + right) / 2, row, words, ha="center", va="center")
            continue
        axes.barh(row, score - left, left=left, height=0.26, color="0.25")
        axes.hlines(row, bullets.low[row], bullets.high[row], color="white", linewidth=3.4)
        axes.hlines(row, bullets.low[row], bullets.high[row], color="black", linewidth=1.6)
        if not np.isnan(aim):
            axes.vlines(aim, row - 0.34, row + 0.34, color=ACCENT, linewidth=3)
    gaps = bullets.aim - bullets.score
    texts = [
        f"{number(score)} / {number(aim)} ({signed(gap)})"
        for score, aim, gap in zip(bullets.score, bullets.aim, gaps, strict=True)
    ]
    right_column(pen, np.arange(len(texts)), texts)
    axes.set_xlim(left, right)
    axes.set_ylim(len(texts) - 0.4, -0.6)
    pen.open_frame("x")


# -- importance and performance ------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Scatter:
    """The parts of one organization on the map. Arrays are (k,).

    Attributes:
        names: Their names.
        performance: Their scores.
        low: Lower ends of the intervals.
        high: Upper ends.
        importance: What the index gains with a point of each.
        center: Where the cross of performance stands for each.
        importance_center: Where the cross of importance stands.
        probabilities: Of the four quadrants, (k, 4).
        quadrant: The number of the quadrant of each.
    """

    names: Sequence[str]
    performance: FloatArray
    low: FloatArray
    high: FloatArray
    importance: FloatArray
    center: FloatArray
    importance_center: float
    probabilities: FloatArray
    quadrant: FloatArray


def scatter_points(pen: Pen, scatter: Scatter) -> None:
    """Draw crosses and diagonal, every part numbered with its interval, and name the numbers."""
    axes = pen.axes
    ends = np.concatenate([scatter.low, scatter.high, scatter.performance, scatter.center])
    ends = ends[~np.isnan(ends)]
    span = max(float(np.ptp(ends)), 1.0)
    heights = np.append(scatter.importance, scatter.importance_center)
    rise = max(float(np.ptp(heights)), 0.02)
    axes.set_xlim(ends.min() - 0.1 * span, ends.max() + 0.1 * span)
    axes.set_ylim(heights.min() - 0.35 * rise, heights.max() + 0.35 * rise)
    _crosses(pen, scatter)
    order = np.lexsort((scatter.performance, -scatter.importance))
    step = 1 / max(len(order), 12)
    for count, place in enumerate(order):
        quadrant = int(scatter.quadrant[place])
        color = ACCENT if quadrant == 0 else "0.25"
        at = float(scatter.performance[place]), float(scatter.importance[place])
        axes.hlines(at[1], scatter.low[place], scatter.high[place], color=color, linewidth=1.4)
        axes.plot(*at, "oDsp"[quadrant], color=color, markersize=13, zorder=3)
        pen.write(*at, str(count + 1), ha="center", va="center", color="white", zorder=4, size=7)
        probability = chance(scatter.probabilities[place, quadrant])
        text = f"{count + 1}  {scatter.names[place]} ({probability})"
        pen.write(1.02, 1 - count * step, text, va="top", color=color, transform=axes.transAxes)
    axes.spines[["top", "right"]].set_visible(False)


def _crosses(pen: Pen, scatter: Scatter) -> None:
    """Draw the crosses, the diagonal where one cross serves all, and the names of the quadrants."""
    axes = pen.axes
    axes.axhline(scatter.importance_center, color=LINE, linewidth=1)
    first = scatter.center[0]
    if np.ptp(scatter.center) == 0:
        axes.axvline(first, color=LINE, linewidth=1)
        spread = scatter.performance.std()
        if spread > 0 and scatter.importance.std() > 0:
            slope = scatter.importance.std() / spread
            axes.axline((first, scatter.importance_center), slope=slope, color=LINE, linestyle=":")
    else:  # every part has a cross of its own
        axes.plot(scatter.center, scatter.importance, "|", color="black", markersize=14)
    corners = ((0.01, 0.99, "left", "top"), (0.99, 0.99, "right", "top"),
               (0.01, 0.01, "left", "bottom"), (0.99, 0.01, "right", "bottom"))  # fmt: skip
    for name, (x, y, across, along) in zip(QUADRANTS, corners, strict=True):
        words = say(f"quadrant.{name}", pen.language)
        place = {"ha": across, "va": along, "transform": axes.transAxes, "color": "0.4"}
        pen.write(x, y, words, bbox={"facecolor": FAINT, "linewidth": 0, "pad": 2}, **place)
