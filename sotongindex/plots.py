"""Pictures with matplotlib (extra `plot`), in Korean or English, readable in black and white.

Every function takes axes, or makes a figure of its own, and returns the axes: change them and save
them as you like, ``axes.figure.savefig("league.png")``. Nothing is shown and no setting of
matplotlib is touched. Korean needs a font with Korean letters, such as NanumGothic; the user's own
(``rcParams["font.family"]``) comes first.

Whatever an organization is compared with, its own uncertainty is in the picture. Scores of too few
respondents are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from sotongindex._change_bars import decomposition_bars
from sotongindex._claims import check_share
from sotongindex._disclosure import DisclosureRules, Subject
from sotongindex._funnel_sides import Limits, funnel_sides
from sotongindex._heat import heat_cells
from sotongindex._marks import (
    dots_with_lines,
    funnel_curves,
    funnel_points,
    heat_squares,
    height_of,
    named_rows,
    percentile_rows,
    rank_bars,
    rank_set,
    right_column,
    with_interval,
)
from sotongindex._peers import Peers
from sotongindex._plotting import Pen, Rows, ends, part_name, percent, places_of, short, told
from sotongindex._render import peers_words
from sotongindex._text import MISSING, Language, say
from sotongindex._wave_lines import wave_lines
from sotongindex.comparisons import BenchmarkResult
from sotongindex.errors import MethodError
from sotongindex.percentiles import competition_rank
from sotongindex.results import IndexResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Limits",
    "caterpillar",
    "decomposition_bars",
    "funnel",
    "heat_map",
    "league_table",
    "percentile_strip",
    "wave_lines",
]


def caterpillar(
    result: IndexResult,
    *,
    axes: Axes | None = None,
    language: Language = "en",
    channel: str | None = None,
    dimension: str | None = None,
    organizations: Iterable[str] | None = None,
    ranks: Sequence[ArrayLike] | None = None,
    highlight: str | Iterable[str] = (),
    most: int = 40,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> Axes:
    """Draw organizations with their intervals, the highest score at the top.

    All organizations are drawn. Where they are more than `most`, only every second, third, ... is
    named, and those that are highlighted.

    Args:
        result: The scores.
        axes: Where to draw; None makes a figure.
        language: "ko" or "en".
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        organizations: Keys of the organizations to draw; None means all.
        ranks: Lower and upper ends of the ranks that each may truly have, (o,) each, in the order
            of the study; written beside the names.
        highlight: Keys of organizations to mark.
        most: How many names there is room for.
        rules: What may be shown.

    Returns:
        The axes.

    Raises:
        DefinitionError: If there is no such channel or dimension.
        MethodError: If an organization or the language is unknown, `ranks` do not fit, matplotlib
            is not installed, or no font has the Korean letters that are needed.
    """
    subject = Subject.of(result, channel, dimension)
    rows = Rows.of(
        result,
        subject,
        language=language,
        rules=rules,
        organizations=organizations,
        highlight=highlight,
    )
    named = named_rows(rows, most)
    pen = Pen.on(axes, language, size=(7.5, height_of(min(len(rows.names), most))))
    dots_with_lines(pen, rows, dense=len(named) < len(rows.names))
    marked = [number for number, row in enumerate(named) if row in rows.marked]
    pen.name_rows(named, [rows.names[row] for row in named], marked)
    if ranks is not None:
        low, high = ends(ranks, len(result.organizations), argument="ranks")
        places = rows.places[named]
        sets = [rank_set(*pair) for pair in zip(low[places], high[places], strict=True)]
        right_column(pen, named, sets, heading=told("ranks", language))
    pen.title(part_name(result, channel, dimension, language=language))
    unknown = np.isnan(rows.low).any()
    pen.under(
        told("score", language, level=percent(subject.estimates.level)),
        told("error_unknown", language) if unknown else "",
        _hidden_words(rows.hidden, language),
    )
    return pen.axes


def league_table(
    result: IndexResult,
    ranks: Sequence[ArrayLike],
    *,
    axes: Axes | None = None,
    language: Language = "en",
    channel: str | None = None,
    dimension: str | None = None,
    highlight: str | Iterable[str] = (),
    most: int = 40,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> Axes:
    """Draw the ranking with the ranks that each organization may truly have.

    A published table is read as a whole, so give simultaneous sets: all of them hold at once.
    Organizations without a set are left out, and ranks are counted without them.

    Args:
        result: The scores.
        ranks: Lower and upper ends of the set of every organization, (o,) each, in the order of the
            study; 1 is best, NaN where there is none.
        axes: Where to draw; None makes a figure.
        language: "ko" or "en".
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        highlight: Keys of organizations to mark, and to draw below the first `most` if they are not
            among them.
        most: How many organizations to draw.
        rules: What may be shown.

    Returns:
        The axes.

    Raises:
        DefinitionError: If there is no such channel or dimension.
        MethodError: As for `caterpillar`.
    """
    subject = Subject.of(result, channel, dimension)
    shown = Rows.of(result, subject, language=language, rules=rules, highlight=highlight)
    low, high = ends(ranks, len(result.organizations), argument="ranks")
    ranked = shown.take(np.flatnonzero(~np.isnan(low[shown.places])).tolist())
    count, unranked = len(ranked.names), len(shown.names) - len(ranked.names)
    drawn = [*range(min(most, count)), *(row for row in ranked.marked if row >= most)]
    rows = ranked.take(drawn)
    measured = competition_rank(ranked.values)[drawn]
    # A gap stands for those left out between the best and the highlighted.
    places = np.arange(len(drawn)) + np.where(np.array(drawn) >= most, 0.7, 0.0)
    pen = Pen.on(axes, language, size=(8.0, height_of(len(drawn))))
    rank_bars(pen, rows, places, measured=measured, low=low[rows.places], high=high[rows.places])
    names = [f"{name}  {rank:.0f}" for name, rank in zip(rows.names, measured, strict=True)]
    pen.name_rows(places, names, rows.marked)
    scores = [
        with_interval(*score, language=language)
        for score in zip(rows.values, rows.low, rows.high, strict=True)
    ]
    right_column(pen, places, scores, heading=told("score_interval", language))
    pen.title(part_name(result, channel, dimension, language=language))
    pen.under(
        told("rank", language),
        told("more", language, count=count - len(drawn)) if count > len(drawn) else "",
        told("unranked", language, count=unranked) if unranked else "",
        _hidden_words(rows.hidden, language),
    )
    return pen.axes


def funnel(
    result: IndexResult,
    *,
    limits: Limits | None = None,
    axes: Axes | None = None,
    language: Language = "en",
    channel: str | None = None,
    dimension: str | None = None,
    highlight: str | Iterable[str] = (),
    most: int = 8,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> Axes:
    """Draw scores against their respondents, with the limits of the usual spread.

    Filled marks lie outside the widest limits of their own. Every organization has limits by its
    own error; the curves are their course over the number of respondents (the square of their
    half-width is linear in 1 / respondents).

    Args:
        result: The scores.
        limits: The limits of every organization, in the order of the study: the record of
            `funnel_limits`, or a mapping of levels to pairs (lower, upper) of numbers or arrays
            (o,). None means 95 and 99.8 % by the consistent rule, over the scores that are shown.
        axes: Where to draw; None makes a figure.
        language: "ko" or "en".
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        highlight: Keys of organizations to mark.
        most: How many organizations outside the limits are named, the farthest first.
        rules: What may be shown.

    Returns:
        The axes.

    Raises:
        DefinitionError: If there is no such channel or dimension.
        MethodError: As for `caterpillar`; and if `limits` do not fit.
    """
    subject = Subject.of(result, channel, dimension)
    rows = Rows.of(result, subject, language=language, rules=rules, highlight=highlight)
    placed = np.flatnonzero(~np.isnan(subject.respondents[rows.places])).tolist()
    unplaced = len(rows.names) - len(placed)
    rows = rows.take(placed)
    respondents = subject.respondents[rows.places]
    middle, sides = funnel_sides(limits, subject, rows, organizations=len(result.organizations))
    pen = Pen.on(axes, language, size=(7.5, 5.0))
    funnel_curves(pen, respondents, middle=middle, sides=sides)
    funnel_points(pen, rows, respondents, middle=middle, sides=sides, most=most)
    pen.title(part_name(result, channel, dimension, language=language))
    pen.beside(say("column.score", language))
    pen.under(
        say("column.respondents", language),
        told("unplaced", language, count=unplaced) if unplaced else "",
        _hidden_words(rows.hidden, language),
    )
    return pen.axes


def percentile_strip(
    benchmark: BenchmarkResult,
    organization: str,
    *,
    peers: str | None = None,
    intervals: Sequence[ArrayLike] | None = None,
    axes: Axes | None = None,
    language: Language = "en",
) -> Axes:
    """Draw the percentiles of one organization among its peers, with their intervals.

    One line for every score that was compared with these peers. What may not be shown is a line
    with the reason.

    Args:
        benchmark: The comparison with peers.
        organization: The organization's key.
        peers: The key of the peer group; default the first.
        intervals: Lower and upper ends of the percentiles' intervals, 0 to 100, (k,) each: one for
            every comparison with these peers, in their order; NaN where not known. Without them
            dots are hollow.
        axes: Where to draw; None makes a figure.
        language: "ko" or "en".

    Returns:
        The axes.

    Raises:
        MethodError: If the organization, the peer group or the language is unknown, `intervals` do
            not fit, matplotlib is not installed, or no font has the Korean letters that are needed.
    """
    result = benchmark.result
    place = places_of(result, organization)[0]
    chosen = benchmark.peers[0] if peers is None else peers
    lines = [one for one in benchmark.comparisons if one.peers == chosen]
    if not lines:
        raise MethodError(
            f"no comparison with peers {chosen!r}; known are {', '.join(benchmark.peers)}",
            argument="peers",
        )
    nothing = np.full(len(lines), np.nan)
    low, high = ends(
        (nothing, nothing) if intervals is None else intervals, len(lines), argument="intervals"
    )
    reasons = [str(line.suppressions.standing[place]) for line in lines]
    pen = Pen.on(axes, language, size=(7.5, height_of(1.5 * len(lines)) + 0.2))
    percentile_rows(
        pen, np.array([line.percentile[place] for line in lines]), low, high=high, reasons=reasons
    )
    parts = [part_name(result, one.channel, one.dimension, language=language) for one in lines]
    pen.name_rows(np.arange(len(lines)), parts)
    pen.title(short(result.study.organizations[place].name(language)))
    key = "percentile_plain" if intervals is None else "percentile"
    pen.under(told(key, language, peers=short(peers_words(chosen, language))))
    return pen.axes


def heat_map(
    result: IndexResult,
    organization: str,
    *,
    peers: Peers = "industry",
    axes: Axes | None = None,
    language: Language = "en",
    false_claims: float = 0.05,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> Axes:
    """Draw one organization against the mean of its peers in every channel and dimension.

    A cell holds the distance in points, its interval, and a mark where the distance is a claim that
    holds for many cells at once (Benjamini-Hochberg over all cells). Lighter is higher, in grey
    too. Cells that may not be shown are hatched, cells without a score are empty.

    Args:
        result: The scores.
        organization: The organization's key.
        peers: The peers; see `compare_to_peers`.
        axes: Where to draw; None makes a figure.
        language: "ko" or "en".
        false_claims: The share of false claims that is allowed among the marks.
        rules: What may be shown.

    Returns:
        The axes.

    Raises:
        DefinitionError: If nobody has an attribute the peers are found by.
        MethodError: If the organization or the language is unknown, `false_claims` is no share,
            matplotlib is not installed, or no font has the Korean letters that are needed.
    """
    check_share(false_claims, "false_claims")
    place = places_of(result, organization)
    cells = heat_cells(result, place, peers, rules=rules, false_claims=false_claims)
    framework = result.study.framework
    size = (2.0 + 1.25 * cells.distance.shape[1], 1.8 + 0.62 * cells.distance.shape[0])
    pen = Pen.on(axes, language, size=size)
    heat_squares(pen, cells)
    channels = [short(one.name(language)) for one in framework.channels]
    pen.name_rows(np.arange(len(channels) + 1), [*channels, told("all_channels", language)])
    dimensions = [short(one.name(language)) for one in framework.dimensions]
    pen.name_columns([*dimensions, told("all_dimensions", language)])
    pen.title(short(result.study.organizations[place[0]].name(language)))
    hatched = sorted(set(cells.reasons.ravel()) - {"", "missing score"})
    peers_named = short(peers_words(cells.peers, language))
    reasons = ", ".join(say(f"reason.{reason}", language) for reason in hatched)
    pen.under(
        told("to_mean", language, peers=peers_named, level=percent(result.method.level)),
        told("claims", language, share=percent(false_claims)) if cells.claimed.any() else "",
        told("hatched", language, reasons=reasons) if hatched else "",
        told("empty", language, dash=MISSING) if (cells.reasons == "missing score").any() else "",
    )
    return pen.axes


def _hidden_words(hidden: int, language: Language) -> str:
    return told("hidden", language, count=hidden) if hidden else ""
