"""The picture of why an index changed: a bar for every part, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from sotongindex._decomposition import Decomposition
from sotongindex._disclosure import DisclosureRules, respondents_of
from sotongindex._marks import height_of, right_column
from sotongindex._plotting import BAND, LINE, Pen, percent, places_of, short, told
from sotongindex._render import study_names
from sotongindex._text import Language, interval, number, say, signed
from sotongindex.errors import MethodError
from sotongindex.variance import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DecompositionView: TypeAlias = Literal["terms", "scores"]


def decomposition_bars(
    decomposition: Decomposition,
    organization: str | None = None,
    *,
    parts: DecompositionView = "terms",
    axes: Axes | None = None,
    language: Language = "en",
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> Axes:
    """Draw why an index changed: a bar for every part, with its interval; bars add up.

    Args:
        decomposition: The decomposition.
        organization: The organization's key; None means the mean over organizations.
        parts: "terms": scores, weights, what entered and left; "scores": what changed scores did
            in every channel and dimension.
        axes: Where to draw; None makes a figure.
        language: "ko" or "en".
        rules: What may be shown.

    Returns:
        The axes.

    Raises:
        MethodError: If the organization is unknown or may not be shown, `parts` are not told,
            matplotlib is not installed, or no font has the Korean letters that are needed.
    """
    names, effects = _bars(decomposition, organization, parts=parts, language=language, rules=rules)
    pen = Pen.on(axes, language, size=(7.5, height_of(1.4 * len(names)) + 0.3))
    heights = np.arange(len(names))
    values = effects.values
    pen.axes.barh(
        heights,
        values,
        height=0.6,
        color=np.where(values < 0, "0.55", BAND).tolist(),
        edgecolor=LINE,
        linewidth=0.8,
    )
    pen.axes.hlines(heights, effects.low, effects.high, color="black", linewidth=1.6)
    pen.axes.axvline(0, color="black", linewidth=0.8)
    pen.axes.set_ylim(len(names) - 0.4, -0.6)
    pen.name_rows(heights, names)
    texts = [
        _with_interval(*numbers, language=language)
        for numbers in zip(values, effects.low, effects.high, strict=True)
    ]
    right_column(pen, heights, texts, x=1.02)
    pen.open_frame("x")
    who, before, after, change = _headline(decomposition, organization, language)
    pen.title(who)
    key = "parts" if parts == "terms" else "score_parts"
    pen.under(
        told("change", language, before=before, after=after, change=change),
        told(key, language, level=percent(effects.level)),
    )
    return pen.axes


def _with_interval(value: float, low: float, high: float, *, language: Language) -> str:
    between = interval(low, high, language=language)
    return f"{signed(value)} ({between})"


def _bars(
    decomposition: Decomposition,
    organization: str | None,
    *,
    parts: DecompositionView,
    language: Language,
    rules: DisclosureRules,
) -> tuple[list[str], Estimates]:
    """Return the names of the bars, and the effects; parts that did nothing are left out."""
    if parts not in ("terms", "scores"):
        raise MethodError(f'expected "terms" or "scores", got {parts!r}', argument="parts")
    if organization is None:
        if parts == "scores":
            raise MethodError(
                "scores are told by organization; name one, or draw the terms", argument="parts"
            )
        terms, effects = decomposition.mean_terms, decomposition.mean_effects
    else:
        place = _place(decomposition, organization, rules)
        if parts == "scores":
            return _cells(decomposition, place, language)
        terms, effects = decomposition.terms, decomposition.effects.select(place)
    some = np.flatnonzero(np.abs(effects.values) > 0)
    some = some if len(some) else np.array([0])
    return [say(f"term.{terms[at]}", language) for at in some], effects.select(some)


def _place(decomposition: Decomposition, organization: str, rules: DisclosureRules) -> int:
    place = int(places_of(decomposition, organization)[0])
    reason = str(decomposition.reasons[place])
    for wave in () if reason else (decomposition.before, decomposition.after):
        own = places_of(wave, organization)[0]
        if respondents_of(wave)[own] < rules.min_respondents_compare:
            reason = "few respondents"
    if reason:
        raise MethodError(f"{organization!r} cannot be shown: {reason}", argument="organization")
    return place


def _cells(
    decomposition: Decomposition, place: int, language: Language
) -> tuple[list[str], Estimates]:
    if decomposition.by_cell is None:
        raise MethodError(
            "scores act one by one only where all means are arithmetic; draw the terms",
            argument="parts",
        )
    effects = decomposition.by_cell.select((place, slice(None), slice(None)))
    known = study_names(decomposition.after.study, language)
    earlier = study_names(decomposition.before.study, language)
    channel, dimension = (np.abs(effects.values) > 0).nonzero()
    if not len(channel):
        channel, dimension = np.array([0]), np.array([0])
    alone = len(decomposition.channels) == 1
    names = []
    for c, d in zip(channel.tolist(), dimension.tolist(), strict=True):
        keys = [("dimension", decomposition.dimensions[d]), ("channel", decomposition.channels[c])]
        told_parts = [
            short({**earlier[what], **known[what]}[key])
            for what, key in keys
            if key is not None and not (what == "channel" and alone and keys[0][1])
        ]
        names.append(" · ".join(told_parts))
    return names, effects.select((channel, dimension))


def _headline(
    decomposition: Decomposition, organization: str | None, language: Language
) -> tuple[str, str, str, str]:
    """Return who it is about, the index before and after, and the change."""
    if organization is None:
        sides = [wave.index.values for wave in (decomposition.before, decomposition.after)]
        means = [float(np.nanmean(values)) for values in sides]
        who = say("against.all", language)
        change = float(decomposition.mean_change.values)
        return who, number(means[0]), number(means[1]), signed(change)
    place = decomposition.organizations.index(organization)
    means = [
        float(wave.index.values[wave.organizations.index(organization)])
        for wave in (decomposition.before, decomposition.after)
    ]
    who = short(study_names(decomposition.after.study, language)["organization"][organization])
    change = float(decomposition.change.values[place])
    return who, number(means[0]), number(means[1]), signed(change)
