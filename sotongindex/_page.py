"""The report as one page of HTML that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np

from sotongindex._html import STYLE, escape, facts_html, list_html, table_html
from sotongindex._ledger import Ledger, Row
from sotongindex._plan_sentences import Plans
from sotongindex._profile import Names, profile_sentences, row_names
from sotongindex._render import (
    TableKind,
    notice_words,
    peers_words,
    show,
    study_facts,
    target_words,
)
from sotongindex._text import MISSING, Language, count, interval, number, say
from sotongindex._version import __version__
from sotongindex._wording import method_sentences
from sotongindex.averages import group_means
from sotongindex.checks import CheckReport
from sotongindex.errors import DefinitionError

__all__ = ["page"]

# A page with more organizations opened one by one becomes slow to load.
_MOST_DETAILS = 400
_FEW_KEYS = 2

_PAGE_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b2430;--panel:#f4f6f9}
@media (prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e3e7ec;--panel:#1d232b}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font-family:system-ui,"Apple SD Gothic Neo",
"Malgun Gothic","NanumGothic","Noto Sans KR",sans-serif;line-height:1.5;word-break:keep-all}
main.sotong{max-width:76rem;margin:0 auto;padding:1.5rem 1.2rem 4rem;font-size:1rem}
h1{font-size:1.7rem;margin:.2em 0 .1em}h2{font-size:1.2rem;margin:2em 0 .4em}
h3{font-size:1rem;margin:1em 0 .1em}
.cards{display:grid;
grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem;margin:1.2em 0}
.card{background:var(--panel);border-radius:8px;padding:.8em 1em}
.card b{display:block;font-size:1.7rem;line-height:1.25;font-variant-numeric:tabular-nums}
.card span{font-size:.88rem;color:var(--soft);display:block}
.wide{overflow-x:auto}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(33rem,100%),1fr));
gap:0 2.5rem}
details{border-bottom:1px solid var(--line)}
summary{cursor:pointer;padding:.35em 0;display:flex;gap:1em;align-items:baseline}
summary::before{content:"▸";color:var(--soft)}details[open]>summary::before{content:"▾"}
summary .n{flex:1;overflow-wrap:anywhere}summary .v{font-variant-numeric:tabular-nums;
color:var(--soft);white-space:nowrap}
details>div{padding:.2em 0 1.2em 1.4em}
.reading li{margin:.2em 0}
details .two{grid-template-columns:repeat(auto-fit,minmax(min(27rem,100%),1fr))}
.sotong a{color:inherit}
footer{margin-top:3em;color:var(--soft);font-size:.88rem}
@media print{details>summary::before{content:""}body{background:#fff;color:#000}}
"""


def page(
    ledger: Ledger, language: Language, *, files: Mapping[str, str], check: CheckReport | None
) -> str:
    """Return the report.

    Args:
        ledger: What may be shown.
        language: The language.
        files: The files beside the page: for every name what it holds.
        check: The check of the answers, to list its findings.
    """
    names = row_names(ledger, language)
    builder = _Page(ledger=ledger, language=language, names=names, plans=Plans.of(ledger.findings))
    study = ledger.findings.index.study
    title = f"{say('report.title', language)} · {study.key}"
    sections = [
        builder.head(check),
        builder.reading(),
        builder.means(),
        builder.league(),
        builder.each(),
        builder.notices(check),
        builder.method(files),
    ]
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{_PAGE_STYLE}</style></head>"
        f'<body><main class="sotong" id="top">\n{chr(10).join(sections)}\n</main></body></html>\n'
    )


@attrs.frozen(kw_only=True, eq=False)
class _Page:
    """The sections of the page."""

    ledger: Ledger
    language: Language
    names: Names
    plans: Plans

    def say(self, key: str, **values: object) -> str:
        """Return words, escaped."""
        return escape(say(key, self.language, **values))

    def table(self, kind: TableKind, rows: Sequence[Row], *, without: Sequence[str] = ()) -> str:
        """Return all rows as a table."""
        index = self.ledger.findings.index
        return table_html(
            show(
                kind,
                rows,
                language=self.language,
                names=self.names,
                level=index.method.level,
                limit=None,
                without=without,
            )
        )

    # -- the top -----------------------------------------------------------------------------

    def head(self, check: CheckReport | None) -> str:
        """Return the title, what was measured, and the numbers that matter most."""
        index = self.ledger.findings.index
        facts = study_facts(index.study, self.language)
        if check is not None:
            facts.append((say("fact.respondents", self.language), count(check.respondents)))
        cards = "".join(
            f'<div class="card"><span>{name}</span><b>{escape(value)}</b><span>{note}</span></div>'
            for name, value, note in self._cards()
        )
        return (
            f"<h1>{self.say('report.title')}</h1>{facts_html(facts)}"
            f'<div class="cards">{cards}</div>'
        )

    def _cards(self) -> Iterable[tuple[str, str, str]]:
        index, rows = self.ledger.findings.index, self.ledger.league
        mean = group_means(index, rules=self.ledger.rules).to_rows()[0]
        between = interval(mean["low"], mean["high"], language=self.language)
        level = f"{100 * index.method.level:g}%"
        yield (
            self.say("report.mean"),
            number(mean["mean"]),
            self.say("report.mean.interval", level=level, interval=between),
        )
        shown = sum(row["score"] is not None for row in rows)
        yield (
            self.say("report.organizations"),
            count(len(rows)),
            self.say("report.organizations.scored", count=count(shown)),
        )
        people = index.counts.respondents[~np.isnan(index.counts.respondents)]
        if len(people):
            low, high = count(int(people.min())), count(int(people.max()))
            yield (
                self.say("report.respondents"),
                low if low == high else f"{low}{MISSING}{high}",
                self.say("report.respondents.middle", count=count(float(np.median(people)))),
            )
        yield from self._target_card()

    def _target_card(self) -> Iterable[tuple[str, str, str]]:
        gaps = self.ledger.findings.gaps
        if gaps is None:
            return
        rows = [row for row in gaps.gaps[0].to_rows() if isinstance(row["gap_high"], float)]
        reached = sum(float(str(row["gap_high"])) <= 0 for row in rows)
        target = target_words(gaps.gaps[0].target, self.language)
        yield (
            self.say("report.targets"),
            count(reached),
            self.say("report.targets.of", count=count(len(rows)), target=target),
        )

    def reading(self) -> str:
        """Return how to read the page."""
        rules = self.ledger.rules
        level = f"{100 * self.ledger.findings.index.method.level:g}%"
        parts = ["points", "interval", "rank"]
        parts += ["percentile"] * (self.ledger.findings.benchmarks is not None)
        parts += ["hidden"]
        parts += ["gain"] * (self.ledger.findings.gaps is not None)
        items = "".join(
            "<li>"
            + self.say(
                f"report.reading.{part}",
                level=level,
                show=rules.min_respondents_show,
                compare=rules.min_respondents_compare,
                mean=rules.min_peers_mean,
                rank=rules.min_peers_rank,
            )
            + "</li>"
            for part in parts
        )
        return f'<h2>{self.say("report.reading")}</h2><ul class="reading">{items}</ul>'

    # -- means -------------------------------------------------------------------------------

    def means(self) -> str:
        """Return the means of channels, dimensions, sectors and industries."""
        index, rules = self.ledger.findings.index, self.ledger.rules
        rows = group_means(index, rules=rules).to_rows()
        blocks = [
            ("report.channels", [row for row in rows if row["dimension"] is None], ["group"]),
            ("report.dimensions", [row for row in rows if row["dimension"] is not None], ["group"]),
            ("report.sectors", self._groups("sector"), ["subject"]),
            ("report.industries", self._groups("industry"), ["subject"]),
        ]
        sections = "".join(
            f'<section class="wide"><h2>{self.say(title)}</h2>'
            f"{self.table('means', chosen, without=without)}</section>"
            for title, chosen, without in blocks
            if chosen
        )
        return f'<div class="two">{sections}</div>'

    def _groups(self, by: str) -> list[Row]:
        """Return the mean index by an attribute, highest first; none where it has one value."""
        index, rules = self.ledger.findings.index, self.ledger.rules
        try:
            rows = group_means(index, by, rules=rules).to_rows()
        except DefinitionError:  # nobody has the attribute
            return []
        chosen = [row for row in rows if row["channel"] is None and row["dimension"] is None]
        chosen.sort(key=lambda row: -1.0 if row["mean"] is None else float(str(row["mean"])))
        return chosen[::-1] if len(chosen) >= _FEW_KEYS else []

    # -- organizations -----------------------------------------------------------------------

    def league(self) -> str:
        """Return all organizations, ranked."""
        rows, benchmarks = self.ledger.league, self.ledger.findings.benchmarks
        without = [] if benchmarks else ["percentile", "others"]
        if all(row["industry"] is None for row in rows):
            without.append("industry")
        note = ""
        if benchmarks:
            peers = peers_words(benchmarks.peers[0], self.language)
            note = f'<p class="soft">{self.say("report.league.peers", peers=peers)}</p>'
        return (
            f'<section class="wide"><h2>{self.say("report.league")}</h2>{note}'
            f"{self.table('league', rows, without=without)}</section>"
        )

    def each(self) -> str:
        """Return what there is about every organization, closed until it is opened."""
        rows = self.ledger.league[:_MOST_DETAILS]
        hint = self.say("report.each.hint")
        if len(rows) < len(self.ledger.league):
            hint += " " + self.say("report.each.limit", count=count(len(rows)))
        details = "\n".join(self._details(row) for row in rows)
        return f'<h2>{self.say("report.each")}</h2><p class="soft">{hint}</p>{details}'

    def _details(self, row: Row) -> str:
        key = str(row["organization"])
        between = interval(row["low"], row["high"], language=self.language)
        sentences = profile_sentences(
            self.ledger, key, self.language, names=self.names, plans=self.plans
        )
        value = number(row["score"]) + ("" if between == MISSING else f" ({between})")
        return (
            f'<details><summary><span class="n">{escape(self.names["organization"][key])}</span>'
            f'<span class="v">{escape(value)}</span></summary><div>'
            f"{list_html(sentences)}"
            f"{self._parts(key)}</div></details>"
        )

    def _parts(self, key: str) -> str:
        """Return the tables about an organization."""
        scores = self._block("report.channels", "channels", _scored(self.ledger.channels[key]))
        scores += self._block(
            "report.dimensions", "dimensions", _scored(self.ledger.dimensions[key])
        )
        levers = self.ledger.priorities.get(key, ())
        return (
            f'<div class="two">{scores}</div>'
            f"{self._block('report.priorities', 'priorities', levers)}"
        )

    def _block(self, title: str, kind: TableKind, rows: Sequence[Row]) -> str:
        """Return a table under its title; nothing where there are no rows."""
        if not rows:
            return ""
        return f'<div class="wide"><h3>{self.say(title)}</h3>{self.table(kind, rows)}</div>'

    # -- the end -----------------------------------------------------------------------------

    def notices(self, check: CheckReport | None) -> str:
        """Return what a reader should know, and what the check of the answers found."""
        findings = self.ledger.findings
        notices = [*findings.index.notices]
        for part in (findings.benchmarks, findings.gaps):
            notices += part.notices if part else ()
        named = self.names["organization"]
        texts = notice_words(dict.fromkeys(notices), self.language, named)
        body = list_html(texts) or f"<p>{self.say('report.no_notices')}</p>"
        if check is not None and check.findings:
            body += (
                f'<div class="wide"><h3>{self.say("report.check")}</h3>'
                f"{self.table('findings', check.to_rows())}</div>"
            )
        return f"<h2>{self.say('report.notices')}</h2>{body}"

    def method(self, files: Mapping[str, str]) -> str:
        """Return how the numbers were made, and the files beside the page."""
        index = self.ledger.findings.index
        sentences = method_sentences(
            index.study.framework,
            index.scheme,
            index.method,
            learned=index.weights.learned,
            source=index.source,
            language=self.language,
        )
        listed = "".join(
            f'<li><a href="{escape(name)}">{escape(name)}</a>: {escape(what)}</li>'
            for name, what in files.items()
        )
        return (
            f"<h2>{self.say('report.method')}</h2>{list_html(sentences)}"
            f"<h3>{self.say('report.files')}</h3><ul>{listed}</ul>"
            f"<footer>{self.say('report.made_by', version=__version__)} · "
            f'<a href="#top">{self.say("report.top")}</a></footer>'
        )


def _scored(rows: Iterable[Row]) -> list[Row]:
    """Leave out channels and dimensions that were never scored: not operated, not asked."""
    return [row for row in rows if row["reason"] != "missing score"]
