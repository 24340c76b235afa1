"""Rows: who rated whom, read from the role columns and checked against the study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import is_missing
from sotongindex._frames import Column, Dates, Numbers, Text
from sotongindex._reading.coding import Parsed, days, keyed, numbers, recode, sorted_keys
from sotongindex._reading.source import Source
from sotongindex.checks import Code, Finding, count_in, few, finding_in, told
from sotongindex.errors import nearest_key

__all__ = [
    "Codes",
    "Rows",
    "date_faults",
    "match",
    "match_channels",
    "null_role",
    "stratum_populations",
    "text_faults",
    "weights",
]

Codes: TypeAlias = NDArray[np.int32]

_MOST_UNKNOWN = 20


@attrs.frozen(kw_only=True, eq=False)
class Rows:
    """The roles of every row of a frame, as codes; -1 where unknown.

    Attributes:
        organization: (n,).
        channel: (n,); all -1 where item columns tell the channel.
        respondent: (n,).
        respondent_keys: (R,).
        item: (n,); all -1 in a wide file.
        weight: (n,) or None.
        stratum: (n,) or None.
        stratum_keys: (strata,).
        cluster: (n,) or None.
        cluster_keys: (clusters,) or None.
        stratum_population: (n,) or None.
        kept: Further columns, each (n,).
        findings: What is wrong with the roles.
    """

    organization: Codes
    channel: Codes
    respondent: Codes
    respondent_keys: NDArray[Any]
    item: Codes
    weight: NDArray[np.float64] | None
    stratum: Codes | None
    stratum_keys: tuple[str, ...]
    cluster: Codes | None
    cluster_keys: NDArray[Any] | None
    stratum_population: NDArray[np.float64] | None
    kept: Mapping[str, NDArray[Any]]
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, source: Source) -> Rows:
        """Read the role columns of `source`."""
        layout, framework = source.layout, source.study.framework
        found: list[Finding] = []
        respondent, respondent_keys = _respondents(source, found)
        stratum, stratum_keys = _group(source, layout.stratum, found)
        cluster, cluster_keys = _group(source, layout.cluster, found)
        rows = cls(
            organization=match(source, "organization", source.study.organization_keys, found=found),
            channel=match_channels(source, found),
            respondent=respondent,
            respondent_keys=respondent_keys,
            item=match(source, "item", framework.item_keys, found=found),
            weight=weights(source, found),
            stratum=stratum,
            stratum_keys=() if stratum_keys is None else tuple(map(str, stratum_keys.tolist())),
            cluster=cluster,
            cluster_keys=cluster_keys,
            stratum_population=stratum_populations(source, found),
            kept={name: _kept(column) for name in layout.keep if (column := source.column(name))},
            findings=(),
        )
        found += date_faults(source)
        return attrs.evolve(rows, findings=tuple(found))


def null_role(source: Source, column: str, null: NDArray[np.bool_]) -> Finding:
    return finding_in(
        null,
        "blank",
        times=source.frame.times,
        advice="fill it or leave the row out of the frame",
        code="null_role",
        severity="error",
        column=column,
    )


_UNKNOWN: Mapping[str, Code] = {
    "organization": "unknown_organization",
    "channel": "unknown_channel",
    "item": "unknown_item",
}


def match(source: Source, role: str, known: tuple[str, ...], *, found: list[Finding]) -> Codes:
    """Code a role's column by `known` keys; blank and unknown keys become -1 and findings."""
    name = source.roles().get(role)
    column = source.column(name)
    if column is None or name is None:
        return np.full(source.frame.rows, -1, dtype=np.int32)
    text = keyed(column)
    position = {key: code for code, key in enumerate(known)}
    table = np.array([position.get(str(label), -1) for label in text.labels] + [-1], dtype=np.int32)
    if (text.codes < 0).any():
        found.append(null_role(source, name, text.codes < 0))
    if (table[:-1] < 0).any():
        found += _unknown(source, text, known=known, role=role)
    return table[text.codes]


def _unknown(source: Source, text: Text, *, known: tuple[str, ...], role: str) -> Iterable[Finding]:
    """Find unknown keys, the most frequent first, then by key; beyond some twenty, only count."""
    column, times = source.roles()[role], source.frame.times
    counts = np.bincount(text.codes + 1, times, len(text.labels) + 1)[1:]
    is_known = np.array([label in known for label in text.labels])
    unknown = np.flatnonzero(~is_known & (counts > 0))
    keys = np.array(text.labels, dtype=np.str_)
    unknown = unknown[np.lexsort([keys[unknown], -counts[unknown]])]
    for code in unknown[:_MOST_UNKNOWN].tolist():
        key = str(text.labels[code])
        yield finding_in(
            text.codes == code,
            f"unknown {role} {key!r}",
            times=times,
            code=_UNKNOWN[role],
            severity="error",
            column=column,
            values=(key,),
            expected=f"one of the {len(known)} {role} keys of the study",
            nearest=nearest_key(key, known),
        )
    rest = unknown[_MOST_UNKNOWN:]
    if len(rest):
        yield finding_in(
            np.isin(text.codes, rest),
            f"{told(len(rest), 'further unknown key')}",
            times=times,
            code=_UNKNOWN[role],
            severity="error",
            column=column,
        )


def match_channels(source: Source, found: list[Finding]) -> Codes:
    """Code the channels; without a column for them there is one."""
    keys = source.study.framework.channel_keys
    if source.layout.channel is None and len(keys) == 1:
        return np.zeros(source.frame.rows, dtype=np.int32)
    return match(source, "channel", keys, found=found)


def _respondents(source: Source, found: list[Finding]) -> tuple[Codes, NDArray[Any]]:
    if source.layout.respondent is None:
        rows = source.frame.rows
        return np.arange(rows, dtype=np.int32), np.arange(rows)
    codes, keys = _group(source, source.layout.respondent, found)
    if codes is None or keys is None:
        return np.full(source.frame.rows, -1, dtype=np.int32), np.arange(0)
    return codes, keys


def _group(
    source: Source, name: str | None, found: list[Finding]
) -> tuple[Codes | None, NDArray[Any] | None]:
    """Code a column by its own keys, in order; blank keys become -1 and a finding."""
    column = source.column(name)
    if column is None or name is None:
        return None, None
    codes, keys = sorted_keys(column)
    if (codes < 0).any():
        found.append(null_role(source, name, codes < 0))
    return codes, keys


@attrs.frozen(kw_only=True)
class _Faults:
    """What can be wrong with positive numbers; `infinite` is None where inf is fine."""

    missing: tuple[Code, str]
    non_positive: tuple[Code, str]
    infinite: tuple[Code, str] | None
    advice: str


_WEIGHT = _Faults(
    missing=("missing_weight", "no weight"),
    non_positive=("non_positive_weight", "weight of 0 or less"),
    infinite=("infinite_weight", "infinite weight"),
    advice="whoever stands for nobody is left out of the frame, not weighted 0",
)
_POPULATION = _Faults(
    missing=("missing_population", "no population"),
    non_positive=("non_positive_population", "population of 0 or less"),
    infinite=None,
    advice="give the number of clusters that the stratum has in the population, inf for very many",
)


def weights(source: Source, found: list[Finding]) -> NDArray[np.float64] | None:
    """Read the weights; what is not above 0 and finite is a finding."""
    return _positive(source, source.layout.weight, faults=_WEIGHT, found=found)


def stratum_populations(source: Source, found: list[Finding]) -> NDArray[np.float64] | None:
    """Read the populations of strata; what is not above 0 is a finding."""
    return _positive(source, source.layout.stratum_population, faults=_POPULATION, found=found)


def _positive(
    source: Source, name: str | None, *, faults: _Faults, found: list[Finding]
) -> NDArray[np.float64] | None:
    """Read a column of positive numbers."""
    column = source.column(name)
    if column is None or name is None:
        return None
    parsed = numbers(column)
    found += text_faults(parsed, name, times=source.frame.times)
    found += _number_faults(parsed, name, faults=faults, times=source.frame.times)
    return recode(parsed.values, np.dtype(np.float64))


def _number_faults(
    parsed: Parsed,
    column: str,
    *,
    faults: _Faults,
    times: NDArray[np.int64] | None,
) -> Iterable[Finding]:
    values, absent = parsed.values, is_missing(parsed.values)
    blank = absent if parsed.wrong is None else absent & ~parsed.wrong
    cases = [(faults.missing, blank), (faults.non_positive, (values <= 0) & ~absent)]
    if faults.infinite is not None:
        cases.append((faults.infinite, values == np.inf))
    for (code, what), mask in cases:
        if mask.any():
            yield finding_in(
                mask,
                what,
                times=times,
                advice=faults.advice,
                code=code,
                severity="error",
                column=column,
                expected="a positive number",
            )


def text_faults(
    parsed: Parsed, column: str, *, times: NDArray[np.int64] | None, show: bool = False
) -> Iterable[Finding]:
    """Find text among numbers; show it only where it is an answer."""
    if parsed.written is not None:
        count = count_in(parsed.written, times)
        yield Finding(
            code="number_as_text",
            severity="note",
            message=f"{told(count, 'number')} written as text, read as numbers",
            column=column,
            count=count,
        )
    if parsed.wrong is not None:
        shown = few(label[:20] for label in parsed.wrong_labels) if show else ()
        more = ", ..." if len(parsed.wrong_labels) > len(shown) else ""
        labels = f": {', '.join(map(repr, shown))}{more}" if show else ""
        yield finding_in(
            parsed.wrong,
            f"something else than a number{labels}",
            times=times,
            code="text_in_number",
            severity="error",
            column=column,
            values=shown,
            expected="numbers",
        )


def date_faults(source: Source) -> Iterable[Finding]:
    """Find days that cannot be read, and the first of 1970."""
    name = source.layout.date
    column = source.column(name)
    if column is None:
        return
    values = days(column)
    given = ~np.isnat(values) if isinstance(column, Dates) else keyed(column).codes >= 0
    faults: tuple[tuple[Code, NDArray[np.bool_], str], ...] = (
        (
            "epoch_date",
            values == np.datetime64(0, "D"),
            "dated 1970-01-01, which often stands for a lost date",
        ),
        (
            "unreadable_date",
            np.isnat(values) & given,
            "date that cannot be read as year, month, day",
        ),
    )
    for code, mask, what in faults:
        if mask.any():
            yield finding_in(
                mask, what, times=source.frame.times, code=code, severity="warning", column=name
            )


def _kept(column: Column) -> NDArray[Any]:
    """Keep numbers as numbers, NaN where missing, and everything else as text, blank likewise."""
    if isinstance(column, Numbers):
        missing = column.is_null
        return np.where(missing, np.nan, column.values) if missing.any() else column.values
    text = keyed(column)
    return np.array([*text.labels, ""], dtype=np.str_)[text.codes]
