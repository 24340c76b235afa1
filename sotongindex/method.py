"""The method: every choice between answers and index, as data."""

from __future__ import annotations

from typing import Literal

import attrs

from sotongindex._validators import is_one_of
from sotongindex.errors import DefinitionError
from sotongindex.variance import Linearization, VarianceMethod

__all__ = ["IndexMethod", "Powers"]


@attrs.frozen(kw_only=True)
class Powers:
    """The power of the mean over items, over dimensions and over channels.

    Power 1 is the arithmetic mean, 0 the geometric, -1 the harmonic.
    """

    items: float = 1.0
    dimensions: float = 1.0
    channels: float = 1.0


def _powers(value: float | Powers) -> Powers:
    if isinstance(value, Powers):
        return value
    return Powers(items=value, dimensions=value, channels=value)


@attrs.frozen(kw_only=True)
class IndexMethod:
    """How answers become an index.

    Attributes:
        power: One power for all means, or `Powers`; 1 averages arithmetically.
        order: ``"items first"``: every item is averaged over those who answered it, then the item
            means are averaged. ``"respondents first"``: every respondent's answers are averaged,
            then the respondents. They differ only where answers are missing.
        min_share: A mean needs this share of its weight present, 0 to 1; else it is missing.
        min_answers: An item mean on fewer answers counts as missing in what is made of it.
        absent_channels: A channel that an organization does not operate is left out and the other
            channels' weights grow (``"renormalize"``), or it counts 0 (``"zero"``).
        variance: How standard errors are found.
        level: The level of the intervals, a share.
    """

    power: Powers = attrs.field(default=Powers(), converter=_powers)
    order: Literal["items first", "respondents first"] = attrs.field(
        default="items first",
        validator=is_one_of("items first", "respondents first"),
    )
    min_share: float = 0.5
    min_answers: int = 1
    absent_channels: Literal["renormalize", "zero"] = attrs.field(
        default="renormalize", validator=is_one_of("renormalize", "zero")
    )
    variance: VarianceMethod = Linearization()
    level: float = 0.95

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.min_share <= 1:
            raise DefinitionError(
                f"expected a share from 0 to 1, got {self.min_share}", field="IndexMethod.min_share"
            )
        if self.min_answers < 1:
            raise DefinitionError(
                f"expected 1 or more, got {self.min_answers}", field="IndexMethod.min_answers"
            )
        if not 0 < self.level < 1:
            raise DefinitionError(
                f"expected a share between 0 and 1, got {self.level}", field="IndexMethod.level"
            )
