"""Layout: which column of a file plays which role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypedDict

import attrs

from sotongindex.errors import DefinitionError, nearest_key

__all__ = ["ColumnNames", "Duplicates", "ItemColumn", "Layout", "Roles"]

Duplicates: TypeAlias = Literal["error", "keep", "last"]
ColumnNames: TypeAlias = "Mapping[str, str] | Mapping[tuple[str, str], str]"

_DUPLICATES = ("error", "keep", "last")


@attrs.frozen(kw_only=True)
class ItemColumn:
    """The column that holds the answers to an item.

    Attributes:
        item: The key of the item.
        column: The name of the column.
        channel: The channel the answers are about; None where another column tells the channel.
    """

    item: str
    column: str
    channel: str | None = None


def _item_columns(value: ColumnNames | Iterable[ItemColumn] | None) -> tuple[ItemColumn, ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        return tuple(value)
    return tuple(
        ItemColumn(item=key[0], channel=key[1], column=column)
        if isinstance(key, tuple)
        else ItemColumn(item=str(key), column=column)
        for key, column in value.items()
    )


def _names(value: Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _is_duplicates(_: object, __: attrs.Attribute[Any], value: object) -> None:
    if value not in _DUPLICATES:
        raise DefinitionError(
            f"expected one of {', '.join(map(repr, _DUPLICATES))}, got {value!r}",
            field="Layout.duplicates",
            key=value,
            nearest=nearest_key(value, _DUPLICATES),
        )


@attrs.frozen(kw_only=True)
class Layout:
    """How a file of answers is read: the column of every role.

    A *wide* file has one row per respondent, organization and channel, and a column per item; or
    one row per respondent and organization, and a column per item and channel. A *long* file has
    one row per answer: it has `item` and `answer`.

    Attributes:
        organization: The column with the key of the organization.
        channel: The column with the key of the channel; None where the framework has one channel.
            Not read where `columns` are bound to channels.
        respondent: The column with the respondent's key; None means that every row is a respondent
            of its own.
        weight: The column with whom the answers stand for; None means that all count 1.
        stratum: The column with the stratum of the sample.
        cluster: The column with the cluster of the sample; None means that every respondent is one.
        stratum_population: The column with how many clusters (respondents, where there are none)
            the row's stratum has in the population; None means that the sample is a small part.
        date: The column with the day of the answers; checked, not used.
        columns: The columns of items that are not called like their item, given as
            ``{item: column}``, or the columns of all, as ``{(item, channel): column}``.
        item: In a long file, the column with the key of the item.
        answer: In a long file, the column with the answer.
        keep: Further columns to keep with the answers, for weighting.
        duplicates: What to do when a respondent rates the same organization on the same channel
            twice: refuse (``"error"``), keep both (``"keep"``) or keep the last row (``"last"``).

    Raises:
        DefinitionError: If the parts contradict each other.

    >>> Layout(organization="firm", respondent=None, columns={"q1": "Q1"}).columns
    (ItemColumn(item='q1', column='Q1', channel=None),)
    """

    organization: str = "organization"
    channel: str | None = "channel"
    respondent: str | None = "respondent"
    weight: str | None = None
    stratum: str | None = None
    cluster: str | None = None
    stratum_population: str | None = None
    date: str | None = None
    columns: tuple[ItemColumn, ...] = attrs.field(default=(), converter=_item_columns)
    item: str | None = None
    answer: str | None = None
    keep: tuple[str, ...] = attrs.field(default=(), converter=_names)
    duplicates: Duplicates = attrs.field(default="error", validator=_is_duplicates)

    def __attrs_post_init__(self) -> None:
        if (self.item is None) != (self.answer is None):
            raise DefinitionError(
                "a long file needs both an item and an answer column, a wide file neither",
                field="Layout.answer" if self.answer is None else "Layout.item",
            )
        if self.is_long and self.respondent is None:
            raise DefinitionError(
                "a long file needs a respondent column: it tells which answers belong together",
                field="Layout.respondent",
            )
        if self.is_long and self.columns:
            raise DefinitionError("a long file has no item columns", field="Layout.columns")
        if len({column.channel is None for column in self.columns}) > 1:
            raise DefinitionError(
                "bind either all item columns to a channel or none", field="Layout.columns"
            )
        _are_distinct([(column.item, column.channel) for column in self.columns], "item")
        _are_distinct([column.column for column in self.columns], "column")

    @property
    def is_long(self) -> bool:
        """Whether the file has one row per answer."""
        return self.item is not None

    @property
    def is_bound(self) -> bool:
        """Whether each item column belongs to a channel."""
        return any(column.channel is not None for column in self.columns)


def _are_distinct(keys: list[Any], what: str) -> None:
    for position, key in enumerate(keys):
        if key in keys[:position]:
            raise DefinitionError(f"{what} {key!r} is used twice", field="Layout.columns", key=key)


class Roles(TypedDict, total=False):
    """The fields of `Layout` as keyword arguments."""

    organization: str
    channel: str | None
    respondent: str | None
    weight: str | None
    stratum: str | None
    cluster: str | None
    stratum_population: str | None
    date: str | None
    columns: ColumnNames | Iterable[ItemColumn] | None
    item: str | None
    answer: str | None
    keep: Iterable[str]
    duplicates: Duplicates
