"""What every picture needs: axes, Korean letters, clients' text as it is, and the order of rows.

Nothing here touches matplotlib's global state: fonts go with every text, figures are made without
pyplot. Text is never read as mathematics, so "$" and "_" in labels stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._disclosure import DisclosureRules, Subject
from sotongindex._terminal import clipped
from sotongindex._text import Language, say, words
from sotongindex.errors import MethodError, nearest_key
from sotongindex.results import IndexResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Dark enough on white, apart from each other in grey too; shapes differ as well.
LINE, BAND, FAINT, ACCENT = "0.45", "0.82", "0.90", "#a3123a"
SMALL = 8.5
# Shape and colour mark a name, not weight: Korean fonts seldom have the weight that is asked for.
MARK = "◆ "
_WIDEST_NAME, _WIDEST_COLUMN = 44, 16

_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_KOREAN_FONTS = (
    "NanumGothic",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "AppleGothic",
    "NanumBarunGothic",
    "Pretendard",
    "Source Han Sans KR",
    "Source Han Sans K",
    "Noto Sans CJK JP",
    "UnDotum",
    "Baekmuk Dotum",
)


def told(key: str, language: Language, **values: object) -> str:
    """Return the words of a picture, their placeholders filled in."""
    return say(f"plot.{key}", language, **values)


def percent(share: float) -> str:
    """Write a level, such as 95% or 99.8%."""
    return f"{100 * share:g}%"


# -- axes and text -------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Pen:
    """Writes into axes: in one language, with fonts that have the letters.

    Attributes:
        axes: Where to write.
        language: The language of the library's own words.
        families: Font families, the preferred first.
        korean: Whether one of them has Korean letters.
    """

    axes: Axes
    language: Language
    families: Sequence[str]
    korean: bool

    @classmethod
    def on(cls, axes: Axes | None, language: Language, *, size: tuple[float, float]) -> Pen:
        """Take axes, or make a figure of `size` (inches) with one.

        Raises:
            MethodError: If the language is unknown or matplotlib is not installed.
        """
        words(language)
        drawn = _new_axes(size) if axes is None else axes
        font = korean_font()
        plain = _user_families()
        korean = [font] if font else []
        families = [*korean, *plain] if language == "ko" else [*plain, *korean]
        drawn.tick_params(labelsize=SMALL, labelfontfamily=families)
        return cls(axes=drawn, language=language, families=families, korean=font is not None)

    def style(self, *texts: str, **more: Any) -> dict[str, Any]:
        """Return how to write texts that are not ours: these letters, no mathematics.

        Raises:
            MethodError: If a text is Korean and no installed font has its letters.
        """
        if not self.korean and any(_HANGUL.search(text) for text in texts):
            raise MethodError(
                "no font that matplotlib knows has Korean letters; install one, such as "
                "NanumGothic (Debian, Ubuntu: apt-get install fonts-nanum), and remove the list of "
                "fonts that it keeps, fontlist-*.json in the folder matplotlib.get_cachedir()",
                argument="language",
            )
        return {"family": self.families, "parse_math": False, "usetex": False, **more}

    def write(self, x: float, y: float, text: str, **more: Any) -> None:
        """Write at a place."""
        self.axes.text(x, y, text, **self.style(text, **{"size": SMALL, **more}))

    def title(self, text: str) -> None:
        """Write the title, above what stands on the upper edge of the axes."""
        self.axes.set_title(text, loc="left", pad=20, **self.style(text, size=11))

    def under(self, *lines: str) -> None:
        """Write below the axes what the picture shows, and what it does not."""
        text = "\n".join(line for line in lines if line)
        self.axes.set_xlabel(text, **self.style(text, size=SMALL, linespacing=1.5))

    def beside(self, text: str) -> None:
        """Write beside the axes what they show."""
        self.axes.set_ylabel(text, **self.style(text, size=SMALL))

    def name_rows(
        self, places: ArrayLike, names: Sequence[str], marked: Sequence[int] = ()
    ) -> None:
        """Name places of the vertical axis, some of them (their numbers) with the mark."""
        written = [MARK + name if row in marked else name for row, name in enumerate(names)]
        self.axes.set_yticks(places, written, **self.style(*written, size=SMALL))
        for number in marked:
            self.axes.get_yticklabels()[number].set_color(ACCENT)
        self.axes.tick_params(axis="y", length=0)

    def name_columns(self, names: Sequence[str]) -> None:
        """Name the columns of a table, above it."""
        lines = ["\n".join(wrap(name, _WIDEST_COLUMN)) for name in names]
        self.axes.set_xticks(range(len(names)), lines, **self.style(*names, size=SMALL))
        self.axes.xaxis.tick_top()
        self.axes.tick_params(axis="x", length=0)

    def legend(self, **more: Any) -> None:
        """Explain the marks that have a label, if there are any."""
        from matplotlib.font_manager import FontProperties

        found = self.axes.get_legend_handles_labels()[1]
        if not found:
            return
        font = FontProperties(family=list(self.families), size=SMALL)
        legend = self.axes.legend(prop=font, frameon=False, **more)
        for text, written in zip(legend.get_texts(), found, strict=True):
            text.update(self.style(written))

    def open_frame(self, grid: str) -> None:
        """Draw no more of the frame than is needed, and a faint grid."""
        self.axes.spines[["top", "right"]].set_visible(False)
        self.axes.grid(axis=grid, color=FAINT, linewidth=0.8)  # type: ignore[arg-type]  # x or y
        self.axes.set_axisbelow(True)


def _new_axes(size: tuple[float, float]) -> Axes:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MethodError(
            "matplotlib is not installed; run: pip install 'sotongindex[plot]'", argument="axes"
        ) from error
    return Figure(figsize=size, layout="constrained").add_subplot()


# -- fonts ---------------------------------------------------------------------------------------


def korean_font() -> str | None:
    """Return an installed font family with Korean letters, the user's own first; None without."""
    files = _font_files()
    for family in _user_families():
        if _has_hangul(files[family]):
            return family
    known = next((family for family in _KOREAN_FONTS if family in files), None)
    return known or next((name for name, file in files.items() if _has_hangul(file)), None)


def _font_files() -> dict[str, str]:
    """Return a file of every installed font family."""
    from matplotlib.font_manager import fontManager

    # The last resort of matplotlib has a box for every letter there is.
    listed = reversed(fontManager.ttflist)
    return {one.name: one.fname for one in listed if not one.name.startswith("Last Resort")}


def _user_families() -> list[str]:
    """Return the font families that the user has set and that are installed."""
    from matplotlib import rcParams

    files = _font_files()
    settings: Any = rcParams  # its type lists every key
    wanted = [settings.get(f"font.{family}", [family]) for family in settings["font.family"]]
    found = [next((one for one in families if one in files), None) for families in wanted]
    # The last comes with matplotlib.
    return [family for family in found if family] or ["DejaVu Sans"]


def _has_hangul(file: str) -> bool:
    from matplotlib.ft2font import FT2Font

    # Some fonts have the first syllables only: one in 97 tells, from the first to near the last.
    font = FT2Font(file)
    return all(font.get_char_index(code) > 0 for code in range(ord("가"), ord("힣"), 97))


# -- rows ----------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Rows:
    """Organizations of a picture. Arrays are (rows,), the highest score first.

    Attributes:
        places: Their positions in the study.
        names: Their names, short enough for a picture.
        values: Their scores.
        low: Lower ends of the intervals; NaN where the error is not known.
        high: Upper ends.
        marked: Numbers of the rows to mark.
        hidden: How many organizations are not shown.
    """

    places: IntArray
    names: list[str]
    values: FloatArray
    low: FloatArray
    high: FloatArray
    marked: list[int]
    hidden: int

    @classmethod
    def of(
        cls,
        result: IndexResult,
        subject: Subject,
        *,
        language: Language,
        rules: DisclosureRules,
        organizations: Iterable[str] | None = None,
        highlight: str | Iterable[str] = (),
    ) -> Rows:
        """Put organizations in order, without those whose score may not be shown."""
        chosen = places_of(result, result.organizations if organizations is None else organizations)
        shown = chosen[subject.reasons(rules.min_respondents_show)[chosen] == ""]
        values = subject.estimates.values
        places = shown[np.argsort(-values[shown], kind="stable")]
        marked = places_of(result, highlight)
        listed = result.study.organizations
        return cls(
            places=places,
            names=[short(listed[place].name(language)) for place in places],
            values=values[places],
            low=subject.estimates.low[places],
            high=subject.estimates.high[places],
            marked=np.flatnonzero(np.isin(places, marked)).tolist(),
            hidden=len(chosen) - len(shown),
        )

    def take(self, rows: Sequence[int]) -> Rows:
        """Return some of the rows."""
        numbers = np.array(rows, dtype=np.int64)
        return attrs.evolve(
            self,
            places=self.places[numbers],
            names=[self.names[row] for row in rows],
            values=self.values[numbers],
            low=self.low[numbers],
            high=self.high[numbers],
            marked=np.flatnonzero(np.isin(numbers, self.marked)).tolist(),
        )


def short(text: str) -> str:
    """Return a label in one line of bounded width."""
    return clipped(" ".join(text.split()), _WIDEST_NAME)


class Listing(Protocol):
    """A result that tells which organizations it is about."""

    @property
    def organizations(self) -> tuple[str, ...]: ...


def places_of(result: Listing, organizations: str | Iterable[str]) -> IntArray:
    """Return the positions of organizations.

    Raises:
        MethodError: If an organization is not known.
    """
    wanted = [organizations] if isinstance(organizations, str) else list(organizations)
    position = {key: place for place, key in enumerate(result.organizations)}
    for key in wanted:
        if key not in position:
            near = nearest_key(key, position)
            raise MethodError(
                f"unknown organization {key!r}" + (f"; did you mean {near!r}?" if near else ""),
                argument="organization",
            )
    return np.array([position[key] for key in wanted], dtype=np.int64)


def ends(pair: Sequence[ArrayLike], count: int, *, argument: str) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper ends as arrays (count,).

    Raises:
        MethodError: If they are not a pair of that many numbers, or a lower end is above its upper.
    """
    try:
        low, high = (np.asarray(end, dtype=np.float64) for end in pair)
    except (TypeError, ValueError) as error:
        raise MethodError("expected a pair of arrays: low, high", argument=argument) from error
    if low.shape != (count,) or high.shape != (count,):
        raise MethodError(
            f"expected {count} lower and {count} upper ends, got the shapes {low.shape} and "
            f"{high.shape}",
            argument=argument,
        )
    if (low > high).any():
        raise MethodError(
            f"{(low > high).sum()} of {count} lower ends are above their upper ends",
            argument=argument,
        )
    return low, high


def part_name(
    result: IndexResult, channel: str | None, dimension: str | None, *, language: Language
) -> str:
    """Return the name of what a score is about: the index, a channel, a dimension or a cell."""
    framework = result.study.framework
    named = [
        *(short(one.name(language)) for one in framework.channels if one.key == channel),
        *(short(one.name(language)) for one in framework.dimensions if one.key == dimension),
    ]
    return " · ".join(named) or say("empty.subject", language)
