"""HTML is escaped, readable without scripts, and shows missing numbers as missing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from sotongindex._html import View, escape, interval_bar, notebook_html, table_html
from sotongindex._table import Column, Table

NASTY = "<script>alert(\"x\")</script> & '한국'"


class Tags(HTMLParser):
    """Collects the tags, and fails where they do not close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"input", "meta"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parse(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    tags.close()
    assert tags.open == []
    return tags


COLUMNS = (
    Column("organization"),
    Column("index", "points", "score"),
    Column("interval", "interval", ("low", "high")),
    Column("bar", "bar", ("score", "low", "high")),
)
ROWS = [
    {"organization": "a", "score": 56.25, "low": 53.0, "high": 59.0},
    {"organization": NASTY, "score": 61.0, "low": None, "high": None},
    {"organization": "c", "score": None, "low": None, "high": None},
]


def table(**changes: object) -> Table:
    return Table(**{"columns": COLUMNS, "rows": ROWS, "language": "en", **changes})


def test_whatever_comes_from_clients_is_escaped() -> None:
    html = table_html(table())
    assert "script" not in parse(html).seen
    assert escape(NASTY) in html
    assert NASTY in "".join(parse(html).text)


def test_names_are_escaped_too_and_long_ones_cut_with_the_whole_in_a_title() -> None:
    long = '" onclick="x"><b>' + "긴이름" * 60
    html = table_html(table(names={"organization": {"a": long}}))
    assert "b" not in parse(html).seen
    assert "onclick" not in parse(html).attributes
    assert f'title="{escape(long)}"' in html
    assert "…" in html


def test_missing_numbers_are_dashes_and_unknown_errors_draw_no_band() -> None:
    cells = [
        re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table_html(table()).split("<tr>")[2:]
    ]
    assert cells[0][1:3] == ["56.3", "53.0 to 59.0"]
    assert cells[1][1:3] == ["61.0", "–"]
    assert cells[2][1:] == ["–", "–", "–"]
    low, high = re.search(r'class="i" d="M([\d.]+) 6H([\d.]+)', cells[1][3]).groups()
    assert low == high


def test_a_bar_lies_where_its_numbers_are_and_says_them() -> None:
    svg = interval_bar((55.0, 50.0, 60.0), (40.0, 80.0))
    assert 'cx="45.0"' in svg
    assert 'd="M30.0 6H60.0"' in svg
    assert 'aria-label="55.0 (50.0 to 60.0)"' in svg
    parse(svg)


@pytest.mark.parametrize(
    ("scores", "axis"),
    [
        ([51.0, 59.0], (50.0, 60.0)),
        ([55.0], (50.0, 60.0)),
        ([], (0.0, 100.0)),
        ([0.0], (-5.0, 5.0)),
    ],
)
def test_the_axis_holds_every_bar_in_steps_of_five(scores: list[float], axis: object) -> None:
    rows = [{"score": score} for score in scores]
    assert table(rows=rows).axis(COLUMNS[3]) == axis


def test_what_is_left_out_is_counted() -> None:
    assert "and 1,234 more rows" in table_html(table(omitted=1234))


def test_a_notebook_shows_both_languages_and_needs_no_script() -> None:
    def view(language: str) -> View:
        return View(
            title=f"{language} {NASTY}",
            facts=[("Study", NASTY)],
            table=table(language=language),
            notices=[NASTY],
        )

    html = notebook_html(view)
    tags = parse(html)
    assert "script" not in tags.seen
    assert tags.seen.count("input") == 1
    assert "지수" in html
    assert "53.0 ~ 59.0" in html
    assert "53.0 to 59.0" in html
    # One is hidden by default, the other when the box is ticked.
    assert ".sotong>[lang=ko],.sotong>input:checked~[lang=en]{display:none}" in html


def test_a_notebook_leaves_the_colours_of_text_and_paper_to_the_page() -> None:
    style = re.search("<style>(.*?)</style>", notebook_html(_empty), re.DOTALL).group(1)
    assert "#" not in style.replace("--accent:#2f80d0", "")
    assert not re.search(r"background:(?!none)", style)


def _empty(language: str) -> View:
    return View(title="", facts=[], table=table(rows=[], language=language))
