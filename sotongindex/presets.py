"""Published frameworks and grade scales of the Korean communication indices (소통지수).

What is published: six dimensions with their weights (2017, for the blog block), the 7-point scale,
the weight .195 of the blog in the social index, and single grade bounds of a few years. What is
not: the wording of the items, every other channel weight, the rule that turns 7 points into 0 to
100, and a full ladder of grades. A preset therefore carries placeholder items worded by this
project, marked as placeholders in their labels; replace them by the items that were really asked.

References:
    Korea Internet Communication Association (KICOA), 고객평가 (2017), kicoa.or.kr; etnews.com
    201207200184, 201207100516, 201209040159, 201112060232.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import attrs

from sotongindex.errors import DefinitionError, nearest_key
from sotongindex.models import Channel, Dimension, Framework, GradeScale, Label, Scale, SurveyItem
from sotongindex.weighting import EqualWeights, FixedWeights, WeightingScheme

__all__ = ["Preset", "grade_scale", "icsi", "scsi_2017"]


@attrs.frozen(kw_only=True)
class Preset:
    """A framework with the weighting scheme that belongs to it.

    Attributes:
        framework: Channels, dimensions, placeholder items and the 7-point scale.
        scheme: The published weights of the dimensions; channels are equal unless given.
        note: What of it is published and what is not.
    """

    framework: Framework
    scheme: WeightingScheme
    note: str


_CHANNELS = {
    channel.key: channel
    for channel in (
        Channel(key="website", kind="own", label=Label(ko="홈페이지", en="Website")),
        Channel(key="blog", kind="social", label=Label(ko="블로그", en="Blog")),
        Channel(key="twitter", kind="social", label=Label(ko="트위터", en="Twitter")),
        Channel(key="facebook", kind="social", label=Label(ko="페이스북", en="Facebook")),
        Channel(key="instagram", kind="social", label=Label(ko="인스타그램", en="Instagram")),
        Channel(key="youtube", kind="social", label=Label(ko="유튜브", en="YouTube")),
        Channel(key="messenger", kind="social", label=Label(ko="메신저", en="Messenger")),
        Channel(key="app", kind="own", label=Label(ko="앱", en="App")),
    )
}

# Key, Korean, English, weight as published in 2017.
_DIMENSIONS = (
    ("participation", "고객 참여성", "Customer participation", 0.106),
    ("openness", "정보 공개성", "Openness of information", 0.226),
    ("originality", "독창성·차별성", "Originality and distinctiveness", 0.126),
    ("content_fit", "콘텐츠 적합성", "Fitness of content", 0.104),
    ("usefulness", "정보 활용성", "Usefulness of information", 0.264),
    ("responsiveness", "고객 응대성", "Responsiveness", 0.174),
)

# Two items a dimension, worded by this project: the real ones are not public.
_PLACEHOLDERS = {
    "participation": (
        ("고객이 참여할 기회를 준다", "It invites customers to take part"),
        ("고객의 의견이 반영된다", "Customers' opinions make a difference"),
    ),
    "openness": (
        ("필요한 정보를 숨김없이 알린다", "It shares what customers need to know"),
        ("소식을 제때 알린다", "It tells news in time"),
    ),
    "originality": (
        ("다른 곳과 다른 내용이 있다", "It offers what others do not"),
        ("표현이 새롭고 개성 있다", "It has a style of its own"),
    ),
    "content_fit": (
        ("내용이 채널에 잘 맞는다", "The content suits the channel"),
        ("내용이 이해하기 쉽다", "The content is easy to understand"),
    ),
    "usefulness": (
        ("정보가 실제로 도움이 된다", "The information is of real use"),
        ("정보를 믿을 수 있다", "The information can be trusted"),
    ),
    "responsiveness": (
        ("문의에 빨리 답한다", "It answers questions quickly"),
        ("답변이 성의 있다", "It answers with care"),
    ),
}

_NOTE = (
    "Published: the six dimensions, their weights (KICOA 2017, blog block; used here for every "
    "channel) and the 7-point scale. Not published: the items (placeholders worded by this "
    "project), the conversion to 0-100 (linear here), and the channel weights other than .195 for "
    "the blog in the social index (channels count equally unless weights are given)."
)


def scsi_2017(
    channels: Sequence[str | Channel] = ("blog", "twitter", "facebook"),
    *,
    channel_weights: Mapping[str, float] | None = None,
) -> Preset:
    """Return the Social Communication Satisfaction Index (SCSI, 소셜소통지수) of 2017.

    Args:
        channels: The social channels: keys that this project knows (blog, twitter, facebook,
            instagram, youtube, messenger, website, app), or channels of your own.
        channel_weights: A weight for every channel, adding up to 1. Only the blog's, .195, is
            public; without this argument channels count equally.

    Returns:
        The framework, its weighting scheme, and a note on what is published.

    Raises:
        DefinitionError: If a key is not known, or the weights do not fit the channels.

    References:
        KICOA, 고객평가 (2017), kicoa.or.kr.

    >>> preset = scsi_2017()
    >>> preset.framework.channel_keys
    ('blog', 'twitter', 'facebook')
    >>> dict(preset.scheme.dimensions.weights)["usefulness"]
    0.264
    """
    return _preset("scsi", channels, channel_weights)


def icsi(
    channels: Sequence[str | Channel] = ("website", "blog", "twitter", "facebook", "app"),
    *,
    channel_weights: Mapping[str, float] | None = None,
) -> Preset:
    """Return the Internet Communication Satisfaction Index (ICSI, 인터넷소통지수).

    It covers all online channels. The dimensions and weights are those published in 2017; see
    `scsi_2017` for the arguments and errors. No weight of a channel in this index is public.

    >>> icsi().framework.channel_keys
    ('website', 'blog', 'twitter', 'facebook', 'app')
    """
    return _preset("icsi", channels, channel_weights)


def _preset(
    key: str, channels: Sequence[str | Channel], channel_weights: Mapping[str, float] | None
) -> Preset:
    framework = Framework(
        key=key,
        version="2017",
        channels=[_channel(channel) for channel in channels],
        dimensions=[Dimension(key=d, label=Label(ko=ko, en=en)) for d, ko, en, _ in _DIMENSIONS],
        items=[item for d, *_ in _DIMENSIONS for item in _placeholder_items(d)],
    )
    scheme = WeightingScheme(
        channels=EqualWeights() if channel_weights is None else FixedWeights(channel_weights),
        dimensions=FixedWeights({d: weight for d, _, _, weight in _DIMENSIONS}),
    )
    scheme.resolve(framework)  # weights that do not fit the channels are found here
    return Preset(framework=framework, scheme=scheme, note=_NOTE)


def _channel(channel: str | Channel) -> Channel:
    if isinstance(channel, Channel):
        return channel
    if channel not in _CHANNELS:
        raise DefinitionError(
            f"unknown channel {channel!r}; known are {', '.join(_CHANNELS)}; "
            "give a Channel for another one",
            field="channels",
            key=channel,
            nearest=nearest_key(channel, _CHANNELS),
        )
    return _CHANNELS[channel]


def _placeholder_items(dimension: str) -> list[SurveyItem]:
    return [
        SurveyItem(
            key=f"{dimension}_{number}",
            dimension=dimension,
            scale=Scale(low=1, high=7),
            label=Label(ko=f"[예시 문항] {ko}", en=f"[placeholder] {en}"),
        )
        for number, (ko, en) in enumerate(_PLACEHOLDERS[dimension], start=1)
    ]


_PARTIAL = "Published bounds only; the full ladder is not public, so lower scores have no grade."

_GRADES: dict[int, dict[str, float]] = {
    2009: {"S": 80, "AAA": 75},
    2012: {"AA": 65, "A": 60, "B": 55},
    2023: {"S": 85, "A": 70},
    2025: {"S": 90, "A": 70},
}


def grade_scale(year: int) -> GradeScale:
    """Return the published grade bounds that were first used in `year`.

    Bounds are inclusive (이상) and drift from year to year. The day from which they hold is not
    published: `valid_from` is the first day of the year. The scale of 2012 was also used in 2013,
    that of 2023 in 2024. No full ladder of any year is public.

    Raises:
        DefinitionError: If `year` is not 2009, 2012, 2023 or 2025.

    >>> grade_scale(2025).grade(70), grade_scale(2012).grade(64.9)
    ('A', 'A')
    """
    if year not in _GRADES:
        raise DefinitionError(
            f"expected one of {', '.join(map(str, _GRADES))}, got {year!r}", field="year", key=year
        )
    return GradeScale(
        key=f"kicoa-{year}", bands=_GRADES[year], valid_from=date(year, 1, 1), note=_PARTIAL
    )
