"""What was chosen or sampled and how else it could have been: the records of an analysis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, get_args

import attrs

from sotongindex._validators import is_a, is_finite, is_one_of
from sotongindex.errors import DefinitionError
from sotongindex.method import IndexMethod, Powers
from sotongindex.models import Conversion, Framework, Scale
from sotongindex.weighting import WeightingScheme

Part: TypeAlias = Literal["channels", "dimensions", "items"]
MethodField: TypeAlias = Literal["power", "order", "min_share", "min_answers", "absent_channels"]


def _tuple(value: Iterable[Any]) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str | WeightingScheme) else tuple(value)


def _has_options(instance: object, attribute: attrs.Attribute[Any], value: tuple[Any, ...]) -> None:
    name = f"{type(instance).__name__}.{attribute.name}"
    if not value:
        raise DefinitionError("expected one option or more, got none", field=name)
    for position, option in enumerate(value):
        if option in value[:position]:
            raise DefinitionError(f"option {option!r} is given twice", field=name, key=option)


@attrs.frozen(kw_only=True)
class WeightSpread:
    r"""Importance weights around their values.

    Every weight :math:`w_k` is multiplied by a factor from the uniform distribution on
    :math:`[1 - s, 1 + s]`; then weights are scaled to sum to 1 again. A weight of 0 stays 0. One
    factor serves a dimension in every channel, unless the scheme weights the dimensions of every
    channel by a rule of its own.

    Attributes:
        level: Whose weights: "channels", "dimensions" or "items".
        spread: The share :math:`s` by which a weight may move, 0 to 1.

    Raises:
        DefinitionError: If the level is unknown or the spread is outside 0 to 1, where weights
            would leave the simplex.

    References:
        Saisana, Saltelli and Tarantola (2005), doi:10.1111/j.1467-985X.2005.00350.x.

    >>> WeightSpread(level="dimensions").spread
    0.25
    """

    level: Part = attrs.field(validator=is_one_of(*get_args(Part)))
    spread: float = attrs.field(default=0.25, validator=is_finite)

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.spread <= 1:
            raise DefinitionError(
                f"expected a share from 0 to 1, got {self.spread:g}; a larger spread makes weights "
                "negative, and any weights at all are AnyWeights",
                field="WeightSpread.spread",
                key=self.spread,
            )

    @property
    def key(self) -> str:
        """What is varied."""
        return f"weights of {self.level}"


@attrs.frozen(kw_only=True)
class AnyWeights:
    """All importance weights there are: every point of the simplex is as likely as any other.

    For items that is the simplex within each dimension. A weight of 0 stays 0.

    Attributes:
        level: Whose weights: "channels", "dimensions" or "items".

    Raises:
        DefinitionError: If the level is unknown.
    """

    level: Part = attrs.field(validator=is_one_of(*get_args(Part)))

    @property
    def key(self) -> str:
        """What is varied."""
        return f"weights of {self.level}"


@attrs.frozen(kw_only=True)
class DropOne:
    """Nothing left out, or one channel, dimension or item: each with the same probability.

    The others share its weight in proportion. What has weight 0 cannot be left out.

    Attributes:
        level: Of what one is left out: "channels", "dimensions" or "items".

    Raises:
        DefinitionError: If the level is unknown.
    """

    level: Part = attrs.field(validator=is_one_of(*get_args(Part)))

    @property
    def key(self) -> str:
        """What is varied."""
        return f"leaving out {self.level}"


@attrs.frozen(kw_only=True)
class SchemeOptions:
    """Several weighting schemes, each with the same probability.

    A scheme that learns its weights learns them from the recorded scores, once; runs do not learn
    anew.

    Attributes:
        options: The schemes.

    Raises:
        DefinitionError: If there is none, or one is given twice.
    """

    options: tuple[WeightingScheme, ...] = attrs.field(converter=_tuple, validator=_has_options)

    @property
    def key(self) -> str:
        """What is varied."""
        return "scheme"


@attrs.frozen(kw_only=True)
class MethodOptions:
    """Several values of one field of `IndexMethod`, each with the same probability.

    Under ``order="respondents first"`` every channel is moved by as much as the order moves it
    under the recorded weights and powers; what other weights would add to that is left out.

    Attributes:
        field: "power", "order", "min_share", "min_answers" or "absent_channels".
        options: The values.

    Raises:
        DefinitionError: If the field is unknown, there is no option, one is given twice, or a value
            does not fit the field.

    >>> MethodOptions(field="power", options=(1, 0)).options
    (1, 0)
    """

    field: MethodField = attrs.field(validator=is_one_of(*get_args(MethodField)))
    options: tuple[Any, ...] = attrs.field(converter=_tuple, validator=_has_options)

    def __attrs_post_init__(self) -> None:
        for option in self.options:
            self.method(IndexMethod(), option)
            for number in attrs.astuple(option) if isinstance(option, Powers) else (option,):
                if self.field not in {"order", "absent_channels"}:
                    is_finite(self, attrs.fields(MethodOptions).options, number)

    @property
    def key(self) -> str:
        """What is varied."""
        return self.field

    def method(self, method: IndexMethod, option: Any) -> IndexMethod:
        """Return a method with this option."""
        return attrs.evolve(method, **{self.field: option})


@attrs.frozen(kw_only=True)
class ConversionOptions:
    """Several conversions of answers to points, each with the same probability.

    Attributes:
        options: "linear", "fraction of top" and "top box".
        boxes: How many of the highest answers count under "top box".

    Raises:
        DefinitionError: If a conversion is unknown, there is none, or one is given twice.
    """

    options: tuple[Conversion, ...] = attrs.field(converter=_tuple, validator=_has_options)
    boxes: int = attrs.field(default=2, validator=is_a(int))

    def __attrs_post_init__(self) -> None:
        known = is_one_of(*get_args(Conversion))
        for option in self.options:
            known(self, attrs.fields(ConversionOptions).options, option)

    @property
    def key(self) -> str:
        """What is varied."""
        return "conversion"

    def framework(self, framework: Framework, option: Conversion) -> Framework:
        """Return a framework whose items are converted by this option."""
        boxes = self.boxes if option == "top box" else None

        def converted(scale: Scale) -> Scale:
            return attrs.evolve(scale, conversion=option, boxes=boxes)

        items = [attrs.evolve(item, scale=converted(item.scale)) for item in framework.items]
        return attrs.evolve(framework, items=items)


@attrs.frozen(kw_only=True)
class Sampling:
    """Other respondents, as likely as those who answered.

    Item scores are drawn with their joint sampling error, so that what rests on the same
    respondents moves together. Where an organization has few of them, its errors are stretched from
    the normal to its t distribution.
    """

    @property
    def key(self) -> str:
        """What is varied."""
        return "sampling"


Options: TypeAlias = SchemeOptions | MethodOptions | ConversionOptions
WeightChoice: TypeAlias = WeightSpread | AnyWeights | DropOne
Choice: TypeAlias = WeightChoice | Options | Sampling
