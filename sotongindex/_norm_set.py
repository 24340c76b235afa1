"""The frozen norm: what is kept of a result so that others can be compared with it later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from typing import Any

import attrs
from cattrs import Converter

from sotongindex._converter import make_converter
from sotongindex._disclosure import DisclosureRules
from sotongindex._labels import Label, label_of
from sotongindex._validators import is_a, is_key, is_text, is_text_or_none
from sotongindex.errors import DefinitionError, nearest_key
from sotongindex.method import IndexMethod
from sotongindex.models import PeerGroup
from sotongindex.weighting import WeightingScheme


@attrs.frozen(kw_only=True)
class NormFigure:
    """A figure of the norm, such as its median, with its error.

    Attributes:
        value: In points.
        standard_error: In points; None where not known.
        degrees_of_freedom: Of its t distribution; 0 where the error is not known.
    """

    value: float
    standard_error: float | None
    degrees_of_freedom: float


@attrs.frozen(kw_only=True)
class NormFigures:
    """Figures of the members of a norm; None where they may not be shown."""

    mean: NormFigure | None
    median: NormFigure | None
    p10: NormFigure | None
    p25: NormFigure | None
    p75: NormFigure | None
    p90: NormFigure | None
    best: NormFigure | None


@attrs.frozen(kw_only=True)
class NormScores:
    """One score of the members: the index, a channel or a dimension.

    Scores stand in ascending order and without names, so that no organization can be followed from
    one score to the next.

    Attributes:
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        count: How many members have the score.
        figures: Figures of them.
        scores: The scores, ascending, (m); none in a norm that was published.
        standard_errors: Their standard errors, (m); None where not known.
        degrees_of_freedom: Of the t distribution of each, (m).
        shared_variance: The mean covariance between two members' errors, in squared points; None
            where an error is not known, and in a norm that was published.
    """

    channel: str | None
    dimension: str | None
    count: int
    figures: NormFigures
    scores: tuple[float, ...]
    standard_errors: tuple[float | None, ...]
    degrees_of_freedom: tuple[float, ...]
    shared_variance: float | None


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(value)


@attrs.frozen(kw_only=True)
class BenchmarkSet:
    """A norm: the scores of one wave, frozen, so that later ones are compared with the same.

    Make it with `freeze_norm`. Equal norms have equal content hashes; a document that was changed
    by hand does not load. To change a field, give ``content_hash=""`` with it:
    ``attrs.evolve(norm, version="2", content_hash="")``.

    Attributes:
        key: The name of the norm.
        version: Its version, as the publisher counts.
        study: The key of the study it was frozen from.
        wave: The wave.
        population: Whom the respondents stood for.
        framework: The key of the framework.
        framework_version: Its version.
        scheme: How parts counted; what was learned from the scores is fixed.
        method: How the index was made.
        peers: Which organizations belong to it.
        rules: What may be shown; comparisons with the norm keep to them.
        members: The keys of the organizations in it, sorted; none in a norm that was published.
        scores: Their scores.
        label: The name shown to people.
        note: What else a reader should know.
        content_hash: SHA-256 of everything above; "" has it computed.

    Raises:
        DefinitionError: If the content does not fit its hash, or a score is there twice.
    """

    key: str = attrs.field(validator=is_key)
    version: str = attrs.field(validator=is_text)
    study: str = attrs.field(validator=is_key)
    wave: str | None = attrs.field(default=None, validator=is_text_or_none)
    population: str | None = attrs.field(default=None, validator=is_text_or_none)
    framework: str = attrs.field(validator=is_key)
    framework_version: str = attrs.field(validator=is_text)
    scheme: WeightingScheme = attrs.field(validator=is_a(WeightingScheme))
    method: IndexMethod = attrs.field(validator=is_a(IndexMethod))
    peers: PeerGroup = attrs.field(validator=is_a(PeerGroup))
    rules: DisclosureRules = attrs.field(validator=is_a(DisclosureRules))
    members: tuple[str, ...] = attrs.field(converter=_texts)
    scores: tuple[NormScores, ...] = attrs.field(converter=tuple[NormScores, ...])
    label: Label | None = attrs.field(default=None, converter=label_of)
    note: str | None = attrs.field(default=None, validator=is_text_or_none)
    content_hash: str = ""

    def __attrs_post_init__(self) -> None:
        subjects = [(one.channel, one.dimension) for one in self.scores]
        if len(set(subjects)) < len(subjects):
            raise DefinitionError("a score is there twice", field="BenchmarkSet.scores")
        computed = _hash(self)
        if self.content_hash not in {"", computed}:
            raise DefinitionError(
                f"the content was changed: expected {computed}, got {self.content_hash!r}; freeze "
                'the norm again, or give content_hash="" where the change is meant',
                field="BenchmarkSet.content_hash",
                key=self.content_hash,
            )
        object.__setattr__(self, "content_hash", computed)

    def of(self, *, channel: str | None = None, dimension: str | None = None) -> NormScores:
        """Return one score of the members.

        Raises:
            DefinitionError: If the norm does not hold it.
        """
        for one in self.scores:
            if (one.channel, one.dimension) == (channel, dimension):
                return one
        known = [key for one in self.scores for key in (one.channel, one.dimension) if key]
        key = channel or dimension
        raise DefinitionError(
            f"the norm {self.key!r} holds no scores of channel {channel!r} and dimension "
            f"{dimension!r}",
            field="BenchmarkSet.scores",
            key=key,
            nearest=nearest_key(key, known),
        )

    def __str__(self) -> str:
        wave = f", wave {self.wave}" if self.wave else ""
        counts = [one.count for one in self.scores]
        return (
            f"norm {self.key} {self.version}: {max(counts, default=0)} organizations of "
            f"{self.study}{wave}, framework {self.framework} {self.framework_version}, "
            f"{self.content_hash}"
        )


@cache
def norm_converter() -> Converter:
    """Return the converter of norms and plain values."""
    return make_converter()


def _hash(norm: BenchmarkSet) -> str:
    """Return the hash of a norm's content, the same on every machine."""
    content = _plain(norm)
    content.pop("content_hash", None)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Return a value for hashing, without the fields that hold their defaults.

    So a later field of a method or of rules, left at its default, changes no hash.
    """
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if not attrs.has(type(value)):
        return value
    kept = {
        field.name: _plain(getattr(value, field.name))
        for field in attrs.fields(type(value))
        if getattr(value, field.name) != field.default
    }
    return {"kind": type(value).__name__, **kept}
