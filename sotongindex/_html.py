"""HTML: escaping, small tables, bars with intervals, and a switch between two languages.

Whatever comes from clients (keys, labels, messages) goes through `escape`.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence

import attrs

from sotongindex._table import Column, Row, Table
from sotongindex._text import MISSING, Language, interval, number, say

__all__ = ["STYLE", "View", "escape", "interval_bar", "notebook_html", "table_html", "view_html"]

_BAR_WIDTH, _BAR_HEIGHT = 120, 12
_LONGEST_CELL = 60

# Text takes the colour of the page around it, so that it is readable on light and on dark; the one
# accent colour stands out from both.
STYLE = """
.sotong{--line:color-mix(in srgb,currentColor 18%,transparent);
--soft:color-mix(in srgb,currentColor 68%,transparent);--accent:#2f80d0;
font-size:.93em;line-height:1.45;max-width:68em}
.sotong table.si{border-collapse:collapse;margin:.5em 0;border:0;color:inherit;background:none}
.sotong table.si th,.sotong table.si td{padding:.22em .8em .22em 0;text-align:right;border:0;
border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums;white-space:nowrap;
background:none;color:inherit}
.sotong table.si th{font-weight:600;vertical-align:bottom;color:var(--soft)}
.sotong table.si .l{text-align:left;white-space:normal;min-width:6em;
max-width:26em;overflow-wrap:break-word}
.sotong table.si .b{text-align:left;min-width:120px}
.sotong .axis{display:flex;justify-content:space-between;width:120px;font-weight:400;
font-size:.85em}
.sotong svg.bar{display:block;overflow:visible}
.sotong svg.bar .t{stroke:var(--line);stroke-width:2}
.sotong svg.bar .i{stroke:var(--accent);stroke-width:4;stroke-opacity:.45}
.sotong svg.bar circle{fill:var(--accent)}
.sotong .title{font-weight:600;font-size:1.1em;margin:.2em 0}
.sotong dl.si{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em;margin:.4em 0}
.sotong dl.si dt{color:var(--soft);font-weight:400;margin:0}
.sotong dl.si dd{margin:0;overflow-wrap:anywhere}
.sotong .soft,.sotong .more{color:var(--soft);margin:.2em 0}
.sotong ul.notices{margin:.3em 0;padding-left:1.2em}
"""

_SWITCH_STYLE = """
.sotong>[lang=ko],.sotong>input:checked~[lang=en]{display:none}
.sotong>input:checked~[lang=ko]{display:block}
.sotong>input{appearance:none;-webkit-appearance:none;float:right;width:auto;height:auto;
font:inherit;font-size:.9em;color:inherit;background:none;margin:0;border:1px solid var(--line);
border-radius:4px;padding:.1em .6em;cursor:pointer}
.sotong>input::before{content:"한국어"}
.sotong>input:checked::before{content:"English"}
.sotong>input:focus-visible{outline:2px solid var(--accent)}
"""


def escape(text: object) -> str:
    """Return text that is safe inside HTML and inside a quoted attribute.

    >>> escape('<b> & "c"')
    '&lt;b&gt; &amp; &quot;c&quot;'
    """
    return html.escape(str(text), quote=True)


# -- tables --------------------------------------------------------------------------------------


def interval_bar(
    bar: tuple[float, float, float], axis: tuple[float, float], *, language: Language = "en"
) -> str:
    """Return an inline SVG: a dot at the value, a band over its interval, on an axis.

    Args:
        bar: Value, low and high.
        axis: The ends of the axis.
        language: The language of the text that screen readers speak.
    """
    start, end = axis
    value, low, high = ((point - start) / (end - start) * _BAR_WIDTH for point in bar)
    middle = _BAR_HEIGHT // 2
    spoken = f"{number(bar[0])} ({interval(bar[1], bar[2], language=language)})"
    return (
        f'<svg class="bar" width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}" role="img" '
        f'aria-label="{escape(spoken)}"><path class="t" d="M0 {middle}H{_BAR_WIDTH}"/>'
        f'<path class="i" d="M{low:.1f} {middle}H{high:.1f}"/>'
        f'<circle cx="{value:.1f}" cy="{middle}" r="3"/></svg>'
    )


def table_html(table: Table) -> str:
    """Return a table, its cells escaped, and a line that says how many rows are left out."""
    axes = {column: table.axis(column) for column in table.columns if column.kind == "bar"}
    head = "".join(_heading(table, column, axes.get(column)) for column in table.columns)
    rows = (
        "".join(_cell(table, row, column, axis=axes.get(column)) for column in table.columns)
        for row in table.rows
    )
    body = "".join(f"<tr>{cells}</tr>" for cells in rows)
    more = (
        f'<p class="more">{escape(say("more", table.language, count=f"{table.omitted:,}"))}</p>'
        if table.omitted
        else ""
    )
    return f'<table class="si"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}'


def _heading(table: Table, column: Column, axis: tuple[float, float] | None) -> str:
    if axis is not None:
        low, high = (number(end, 0) for end in axis)
        return (
            f'<th class="b" aria-label="{escape(table.heading(column))}"><div class="axis">'
            f"<span>{low}</span><span>{high}</span></div></th>"
        )
    return f"<th{_class(column)}>{escape(table.heading(column))}</th>"


def _cell(table: Table, row: Row, column: Column, *, axis: tuple[float, float] | None) -> str:
    if axis is not None:
        bar = table.bar(row, column)
        drawn = MISSING if bar is None else interval_bar(bar, axis, language=table.language)
        return f'<td class="b">{drawn}</td>'
    text = table.cell(row, column)
    if len(text) > _LONGEST_CELL and column.name != "message":
        whole, text = text, text[: _LONGEST_CELL - 1] + "…"
        return f'<td{_class(column)} title="{escape(whole)}">{escape(text)}</td>'
    return f"<td{_class(column)}>{escape(text)}</td>"


def _class(column: Column) -> str:
    return ' class="l"' if column.is_left else ""


# -- views ---------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class View:
    """What a result shows of itself in a notebook, in one language.

    Attributes:
        title: What it is.
        facts: Names and contents: study, wave, method, counts.
        table: Its first rows.
        notices: What a reader should know.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    table: Table
    notices: Sequence[str] = ()


def facts_html(facts: Iterable[tuple[str, str]]) -> str:
    """Return names and contents as a definition list."""
    return (
        '<dl class="si">'
        + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)
        + "</dl>"
    )


def list_html(texts: Sequence[str]) -> str:
    """Return texts as a list; nothing where there are none."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<ul class="notices">{items}</ul>' if items else ""


def view_html(view: View) -> str:
    """Return a view as HTML."""
    return (
        f'<div class="title">{escape(view.title)}</div>{facts_html(view.facts)}'
        f"{table_html(view.table)}{list_html(view.notices)}"
    )


def notebook_html(view: Callable[[Language], View]) -> str:
    """Return a view in both languages with a switch that needs no JavaScript; English first.

    Args:
        view: Makes the view in a language.
    """
    parts = (f'<div lang="{code}">{view_html(view(code))}</div>' for code in _LANGUAGES)
    return (
        f'<div class="sotong"><style>{STYLE}{_SWITCH_STYLE}</style>'
        f'<input type="checkbox" aria-label="한국어 / English">{"".join(parts)}</div>'
    )


_LANGUAGES: tuple[Language, ...] = ("en", "ko")
