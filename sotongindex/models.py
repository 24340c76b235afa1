"""Definitions: what is measured, on which channels, for which organizations, against which targets.

Every class is a frozen record of keyword arguments with value equality and a hash. Nothing here
computes a score and nothing imports numpy; a definition that contradicts itself cannot be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import attrs

from sotongindex._goals import (
    Band,
    GapClosure,
    GradeCut,
    GradeScale,
    PeerGroup,
    PeerStatistic,
    RoleModel,
    Statistic,
    Target,
)
from sotongindex._labels import Label, keys_or_none, label_of, pairs_of
from sotongindex._validators import (
    are_all,
    are_known,
    are_unique,
    is_a,
    is_finite,
    is_key,
    is_one_of,
    is_text,
    is_text_or_none,
)
from sotongindex.errors import DefinitionError

__all__ = [
    "Band",
    "Channel",
    "Conversion",
    "Dimension",
    "Framework",
    "GapClosure",
    "GradeCut",
    "GradeScale",
    "Label",
    "Organization",
    "PeerGroup",
    "PeerStatistic",
    "RoleModel",
    "Scale",
    "Statistic",
    "Study",
    "SurveyItem",
    "Target",
]

Conversion: TypeAlias = Literal["linear", "fraction of top", "top box"]


def _numbers(value: Iterable[float]) -> tuple[float, ...]:
    return tuple(value)


def _attributes(
    value: Mapping[str, str] | Iterable[tuple[str, str]],
) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pairs_of(value), key=str))


def _name(definition: Channel | Dimension | SurveyItem | Organization, language: str) -> str:
    """Return the label in `language`, or the key where there is no label."""
    return (definition.label and definition.label.text(language)) or definition.key


# -- the measurement -----------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Scale:
    r"""An answer scale and how its answers become points from 0 to 100.

    With answer :math:`x` on a scale from :math:`l` to :math:`h`:

    - ``"linear"``: :math:`100 (x - l) / (h - l)`;
    - ``"fraction of top"``: :math:`100 x / h`;
    - ``"top box"``: 100 if :math:`x` is among the highest `boxes` answers, else 0.

    Attributes:
        low: The lowest answer.
        high: The highest answer.
        conversion: The rule that makes points of answers.
        boxes: How many of the highest answers count under ``"top box"``.
        missing: Codes that mean "no answer" or "don't know"; counted, never scored.

    Raises:
        DefinitionError: If `low` is not below `high`, `boxes` does not fit the conversion, a
            missing code lies inside the scale, or "fraction of top" starts below zero.

    >>> Scale(low=1, high=7, missing=(9,))
    Scale(low=1, high=7, conversion='linear', boxes=None, missing=(9,))
    """

    low: float = attrs.field(default=1, validator=is_finite)
    high: float = attrs.field(default=7, validator=is_finite)
    conversion: Conversion = attrs.field(
        default="linear", validator=is_one_of("linear", "fraction of top", "top box")
    )
    boxes: int | None = attrs.field(default=None, validator=is_a(int, type(None)))
    missing: tuple[float, ...] = attrs.field(
        default=(), converter=_numbers, validator=are_all(is_finite)
    )

    def __attrs_post_init__(self) -> None:
        if not self.low < self.high:
            raise DefinitionError(
                f"expected low below high, got {self.low} and {self.high}", field="Scale.low"
            )
        if self.conversion == "fraction of top" and self.low < 0:
            raise DefinitionError(
                "a fraction of the top needs a scale that starts at 0 or above",
                field="Scale.conversion",
                key=self.conversion,
            )
        if (self.boxes is not None) != (self.conversion == "top box"):
            raise DefinitionError(
                'give the number of boxes together with conversion "top box", and only then',
                field="Scale.boxes",
                key=self.boxes,
            )
        if self.boxes is not None and not 1 <= self.boxes <= self.high - self.low:
            raise DefinitionError(
                f"expected 1 to {self.high - self.low:g} boxes, got {self.boxes}",
                field="Scale.boxes",
                key=self.boxes,
            )
        for code in self.missing:
            if self.low <= code <= self.high:
                raise DefinitionError(
                    f"the missing code {code:g} lies inside the scale {self.low:g}..{self.high:g}",
                    field="Scale.missing",
                    key=code,
                )


@attrs.frozen(kw_only=True)
class Channel:
    """A place where organizations communicate: a blog, a Facebook page, an app.

    Attributes:
        key: The name used in data.
        kind: A family of channels, such as ``"social"``; free text.
        label: The name shown to people.
    """

    key: str = attrs.field(validator=is_key)
    kind: str | None = attrs.field(default=None, validator=is_text_or_none)
    label: Label | None = attrs.field(default=None, converter=label_of)

    def name(self, language: str = "en") -> str:
        """Return the label in `language`, or the key."""
        return _name(self, language)


@attrs.frozen(kw_only=True)
class Dimension:
    """A quality of communication that several items measure together."""

    key: str = attrs.field(validator=is_key)
    label: Label | None = attrs.field(default=None, converter=label_of)

    def name(self, language: str = "en") -> str:
        """Return the label in `language`, or the key."""
        return _name(self, language)


@attrs.frozen(kw_only=True)
class SurveyItem:
    """A question of the survey.

    Attributes:
        key: The name used in data.
        dimension: The key of the dimension it measures.
        scale: Its answer scale.
        reverse: True where a high answer is a bad one; its points become 100 minus the points.
        channels: Keys of the channels it is asked of; None means every channel.
        label: The wording, or a short form of it.
    """

    key: str = attrs.field(validator=is_key)
    dimension: str = attrs.field(validator=is_key)
    scale: Scale = attrs.field(default=Scale(), validator=is_a(Scale))
    reverse: bool = attrs.field(default=False, validator=is_a(bool))
    channels: tuple[str, ...] | None = attrs.field(
        default=None, converter=keys_or_none, validator=are_all(is_key)
    )
    label: Label | None = attrs.field(default=None, converter=label_of)

    def __attrs_post_init__(self) -> None:
        are_unique(self.channels or (), field="SurveyItem.channels")

    def name(self, language: str = "en") -> str:
        """Return the label in `language`, or the key."""
        return _name(self, language)


@attrs.frozen(kw_only=True)
class Framework:
    """The measurement: channels, dimensions and items, under a version.

    Scores of two waves may be compared only where their framework versions are comparable.

    Raises:
        DefinitionError: If there is no channel, dimension or item, a key is used twice, an item
            names an unknown dimension or channel, or a channel or dimension has no item.

    >>> framework = Framework(
    ...     key="mini",
    ...     version="1",
    ...     channels=[Channel(key="blog")],
    ...     dimensions=[Dimension(key="openness")],
    ...     items=[SurveyItem(key="q1", dimension="openness")],
    ... )
    >>> framework.asked
    ((True,),)
    """

    key: str = attrs.field(validator=is_key)
    version: str = attrs.field(validator=is_text)
    channels: tuple[Channel, ...] = attrs.field(
        converter=tuple[Channel, ...], validator=are_all(is_a(Channel))
    )
    dimensions: tuple[Dimension, ...] = attrs.field(
        converter=tuple[Dimension, ...], validator=are_all(is_a(Dimension))
    )
    items: tuple[SurveyItem, ...] = attrs.field(
        converter=tuple[SurveyItem, ...], validator=are_all(is_a(SurveyItem))
    )

    def __attrs_post_init__(self) -> None:
        for name in ("channels", "dimensions", "items"):
            if not getattr(self, name):
                raise DefinitionError("expected one or more, got none", field=f"Framework.{name}")
            are_unique((part.key for part in getattr(self, name)), field=f"Framework.{name}")
        channels, dimensions = self.channel_keys, self.dimension_keys
        for item in self.items:
            where = f"Framework.items[{item.key}]"
            are_known((item.dimension,), dimensions, field=f"{where}.dimension", what="dimension")
            are_known(item.channels or (), channels, field=f"{where}.channels", what="channel")
        for position, channel in enumerate(channels):
            if not any(self.asked[position]):
                raise DefinitionError(
                    f"no item is asked of channel {channel!r}",
                    field="Framework.channels",
                    key=channel,
                )
        for dimension in dimensions:
            if not any(item.dimension == dimension for item in self.items):
                raise DefinitionError(
                    f"no item measures dimension {dimension!r}",
                    field="Framework.dimensions",
                    key=dimension,
                )

    @property
    def channel_keys(self) -> tuple[str, ...]:
        """The keys of the channels, in order."""
        return tuple(channel.key for channel in self.channels)

    @property
    def dimension_keys(self) -> tuple[str, ...]:
        """The keys of the dimensions, in order."""
        return tuple(dimension.key for dimension in self.dimensions)

    @property
    def item_keys(self) -> tuple[str, ...]:
        """The keys of the items, in order."""
        return tuple(item.key for item in self.items)

    @property
    def item_dimensions(self) -> tuple[int, ...]:
        """For every item the position of its dimension."""
        positions = {key: position for position, key in enumerate(self.dimension_keys)}
        return tuple(positions[item.dimension] for item in self.items)

    @property
    def asked(self) -> tuple[tuple[bool, ...], ...]:
        """For every channel and item, whether the item is asked of the channel."""
        return tuple(
            tuple(item.channels is None or channel in item.channels for item in self.items)
            for channel in self.channel_keys
        )


# -- the organizations ---------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Organization:
    """A unit that is scored: a company, a public body, a brand.

    Attributes:
        key: The name used in data.
        industry: The peer group it belongs to first of all.
        sector: A wider family, such as ``"company"`` or ``"public"``.
        size: A non-negative measure of size (staff, revenue, customers), for means by size.
        channels: Keys of the channels it operates; None means not declared: then the channels it
            was rated on count as operated.
        attributes: Further named properties, for peer groups.
        label: The name shown to people.
    """

    key: str = attrs.field(validator=is_key)
    industry: str | None = attrs.field(default=None, validator=is_text_or_none)
    sector: str | None = attrs.field(default=None, validator=is_text_or_none)
    size: float | None = attrs.field(default=None, validator=attrs.validators.optional(is_finite))
    channels: tuple[str, ...] | None = attrs.field(
        default=None, converter=keys_or_none, validator=are_all(is_key)
    )
    attributes: tuple[tuple[str, str], ...] = attrs.field(
        default=(), converter=_attributes, validator=are_all(are_all(is_text))
    )
    label: Label | None = attrs.field(default=None, converter=label_of)

    def __attrs_post_init__(self) -> None:
        if self.size is not None and self.size < 0:
            raise DefinitionError(
                f"expected a size of 0 or more, got {self.size}", field="Organization.size"
            )
        are_unique(self.channels or (), field="Organization.channels")
        for name, _ in self.attributes:
            if name in ("industry", "sector"):
                raise DefinitionError(
                    f"{name!r} is a field of its own", field="Organization.attributes", key=name
                )

    def attribute(self, name: str) -> str | None:
        """Return the industry, the sector or a named attribute; None where it is not known."""
        if name in ("industry", "sector"):
            value: str | None = getattr(self, name)
        else:
            value = dict(self.attributes).get(name)
        return value or None

    def name(self, language: str = "en") -> str:
        """Return the label in `language`, or the key."""
        return _name(self, language)


@attrs.frozen(kw_only=True)
class Study:
    """One wave of a measurement: a framework and the organizations it was put to.

    Attributes:
        key: The name of the study.
        framework: What is measured.
        organizations: Who is measured.
        wave: A name or date of the wave.
        population: Whom the respondents stand for.

    Raises:
        DefinitionError: If an organization is listed twice or operates an unknown channel.
    """

    key: str = attrs.field(validator=is_key)
    framework: Framework = attrs.field(validator=is_a(Framework))
    organizations: tuple[Organization, ...] = attrs.field(
        converter=tuple[Organization, ...], validator=are_all(is_a(Organization))
    )
    wave: str | None = attrs.field(default=None, validator=is_text_or_none)
    population: str | None = attrs.field(default=None, validator=is_text_or_none)

    def __attrs_post_init__(self) -> None:
        if not self.organizations:
            raise DefinitionError("expected at least one organization", field="Study.organizations")
        are_unique(self.organization_keys, field="Study.organizations")
        for organization in self.organizations:
            are_known(
                organization.channels or (),
                self.framework.channel_keys,
                field=f"Study.organizations[{organization.key}].channels",
                what="channel",
            )

    @property
    def organization_keys(self) -> tuple[str, ...]:
        """The keys of the organizations, in order."""
        return tuple(organization.key for organization in self.organizations)
