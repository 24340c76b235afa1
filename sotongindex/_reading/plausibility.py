"""Plausibility: answers that can be used, but call for a look first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sotongindex._reading.answers import Counted
from sotongindex.checks import Code, Finding, told
from sotongindex.models import Framework, Organization, Study, SurveyItem

__all__ = ["look", "suspect_channels"]

_SPARSE = 0.10  # an item answered less often than this is nearly empty
_ENOUGH = 30  # answers, or respondents, from which shares and comparisons mean something
_FEW = 10  # respondents below which an organization is not to be shown
_LOWER_HALF = 0.95  # a channel with this share in the lower half keeps to a part of the scale
_WHOLE_SCALE = 0.80  # a channel with at most this share there uses the whole scale


def look(
    study: Study,
    counted: Sequence[Counted],
    *,
    evaluations: NDArray[np.integer],
    respondents: NDArray[np.integer],
    silent: int,
    rows: Iterable[int] = (),
) -> Iterable[Finding]:
    """Find what can be used but calls for a look.

    Args:
        study: The study.
        counted: For every item its answers, counted by channel.
        evaluations: The number of evaluations on every channel, (channels,).
        respondents: The number of respondents of every organization, (o,).
        silent: The number of evaluations without any answer.
        rows: The rows where these are.
    """
    yield from _organization_warnings(study, respondents)
    yield from _item_warnings(study.framework, counted, evaluations)
    if silent:
        yield Finding(
            code="evaluation_without_answer",
            severity="warning",
            message=f"{told(silent, 'evaluation')} without any answer; kept, but no mean counts "
            "them",
            count=silent,
            rows=rows,
        )


def _item_warnings(
    framework: Framework, counted: Sequence[Counted], evaluations: NDArray[np.integer]
) -> Iterable[Finding]:
    """Find items that are empty, nearly empty, constant, or answered on another scale."""
    asked = np.array(framework.asked)  # (channels, items)
    for key, count in zip(framework.channel_keys, evaluations, strict=True):
        if count == 0:
            yield Finding(
                code="empty_channel",
                severity="warning",
                message="nobody rated any organization on this channel",
                channel=key,
            )
    for position, item in enumerate(framework.items):
        table = counted[position]
        answers = table.counts.sum(axis=1)
        for channel, key in enumerate(framework.channel_keys):
            if asked[channel, position] and evaluations[channel] > 0:
                counts = (int(answers[channel]), int(evaluations[channel]))
                yield from _thin(item, key, counts)
        if len(table.values) == 1 and answers.sum() > 1:
            yield Finding(
                code="constant_item",
                severity="warning",
                message=f"all {answers.sum():,} answers are {table.values[0]:g}",
                item=item.key,
                count=int(answers.sum()),
                values=table.values,
            )
        yield from _suspects(framework, item, table)


def _thin(item: SurveyItem, channel: str, counts: tuple[int, int]) -> Iterable[Finding]:
    """Find an item that few or no evaluations of a channel answer."""
    answers, evaluations = counts
    if answers == 0:
        yield Finding(
            code="empty_item",
            severity="warning",
            message=f"no answer in {told(evaluations, 'evaluation')}; if the item is not asked "
            "there, say so in SurveyItem.channels",
            item=item.key,
            channel=channel,
            count=evaluations,
        )
    elif answers < _SPARSE * evaluations:
        yield Finding(
            code="sparse_item",
            severity="warning",
            message=f"only {told(answers, 'answer')} in {told(evaluations, 'evaluation')}",
            item=item.key,
            channel=channel,
            count=answers,
            expected=f"at least {_SPARSE:.0%}",
        )


def suspect_channels(
    counts: NDArray[np.integer], values: NDArray[np.floating], middle: float
) -> NDArray[np.intp]:
    """Return the channels whose answers seem to be given on a shorter scale.

    A channel is suspect when at least 95 % of its answers lie at or below the middle of the scale,
    while on another channel at most 80 % do; channels with fewer than 30 answers have no say. So
    answers 1..5 among answers 1..10 are found, also where some rows of the channel use 1..10.
    Satisfied customers crowd the upper half of a scale as a matter of course: the mirror image is
    not suspect.

    Args:
        counts: How often each answer was given, (channels, v).
        values: The answers, (v,).
        middle: The middle of the scale.
    """
    answers = counts.sum(axis=1)
    low = counts[:, values <= middle].sum(axis=1) / np.maximum(answers, 1)
    enough = answers >= _ENOUGH
    if not (enough & (low <= _WHOLE_SCALE)).any():
        return np.arange(0)
    return np.flatnonzero(enough & (low >= _LOWER_HALF))


def _suspects(framework: Framework, item: SurveyItem, table: Counted) -> Iterable[Finding]:
    middle = (item.scale.low + item.scale.high) / 2
    counts = table.counts[: len(framework.channels)]
    for channel in suspect_channels(counts, table.values, middle).tolist():
        beyond = int(counts[channel, table.values > middle].sum())
        answers = int(counts[channel].sum())
        yield Finding(
            code="suspect_scale",
            severity="warning",
            message=f"{answers - beyond:,} of {answers:,} answers lie in the lower half of the "
            f"scale and {beyond:,} beyond it, while other channels use the whole scale: two "
            "scales may be mixed; recode them, or leave the item out",
            item=item.key,
            channel=framework.channel_keys[channel],
            count=beyond,
            expected=f"answers on {item.scale.low:g} to {item.scale.high:g}",
        )


def _organization_warnings(study: Study, respondents: NDArray[np.integer]) -> Iterable[Finding]:
    """Find organizations with no respondents or few."""
    limits: tuple[tuple[Code, int, int, str], ...] = (
        ("organization_without_answers", 0, 1, "of the study without answers"),
        ("few_respondents", 1, _FEW, f"with fewer than {_FEW} respondents"),
        (
            "few_respondents",
            _FEW,
            _ENOUGH,
            f"with {_FEW} to {_ENOUGH - 1} respondents, enough to show, not to compare",
        ),
    )
    for code, low, high, message in limits:
        small = np.flatnonzero((respondents >= low) & (respondents < high))
        if len(small):
            yield Finding(
                code=code,
                severity="warning",
                message=f"{told(len(small), 'organization')} {message}: "
                f"{_listed(study.organizations, small)}",
                count=len(small),
                values=[study.organizations[place].key for place in small[:5]],
                expected=f"at least {high}",
            )


def _listed(organizations: Sequence[Organization], places: NDArray[np.intp]) -> str:
    keys = [organizations[place].key for place in places[:5]]
    return ", ".join(keys) + (", ..." if len(places) > len(keys) else "")
