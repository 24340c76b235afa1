"""The source: a frame, the study it is about, and the columns it must have."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from sotongindex._frames import Column, Frame
from sotongindex.checks import Code, Finding
from sotongindex.errors import nearest_key
from sotongindex.layout import ItemColumn, Layout
from sotongindex.models import Study

__all__ = ["Source", "needed_columns"]

_OPTIONAL = {
    "channel": "channel=None if the framework has one channel",
    "respondent": "respondent=None if every row is a respondent of its own",
}


@attrs.frozen(kw_only=True, eq=False)
class Source:
    """A frame, the study it is about and the layout it is read by."""

    frame: Frame
    study: Study
    layout: Layout

    @property
    def item_columns(self) -> tuple[ItemColumn, ...]:
        """The columns of a wide file, by default called like their item, in the items' order."""
        if self.layout.is_long:
            return ()
        if self.layout.is_bound:
            return self.layout.columns
        named = {column.item: column for column in self.layout.columns}
        keys = self.study.framework.item_keys
        return tuple(named.get(key, ItemColumn(item=key, column=key)) for key in keys)

    def column(self, name: str | None) -> Column | None:
        """Return a column, or None where the layout names none or the frame has none."""
        return self.frame.column(name) if name in self.frame.names and name is not None else None

    def roles(self) -> dict[str, str]:
        """Return the role columns that the layout names and the file must have."""
        layout = self.layout
        roles = {
            "organization": layout.organization,
            "channel": None if layout.is_bound else layout.channel,
            "respondent": layout.respondent,
            "item": layout.item,
            "answer": layout.answer,
            "weight": layout.weight,
            "stratum": layout.stratum,
            "cluster": layout.cluster,
            "stratum_population": layout.stratum_population,
            "date": layout.date,
        }
        return {role: name for role, name in roles.items() if name is not None}

    def check(self) -> Iterable[Finding]:
        """Find what is wrong with the file's columns before any is read."""
        if self.frame.rows == 0:
            yield Finding(code="empty_frame", severity="error", message="the frame has no rows")
        yield from self.check_columns()

    def check_columns(self) -> Iterable[Finding]:
        """Find roles and items without a column, and columns that the layout cannot mean."""
        yield from self._missing_columns()
        yield from self._channel_faults()
        if self.layout.is_bound:
            yield from self._unbound_items()
        yield from self._unknown_definitions()

    def _missing_columns(self) -> Iterable[Finding]:
        wanted = [(name, f"the {role}", _OPTIONAL.get(role)) for role, name in self.roles().items()]
        wanted += [(name, "a column to keep", None) for name in self.layout.keep]
        wanted += [
            (item.column, f"the answers to item {item.item!r}", None) for item in self.item_columns
        ]
        unused = [name for name in self.frame.names if name not in {name for name, *_ in wanted}]
        for name, purpose, otherwise in wanted:
            if name not in self.frame.names:
                yield Finding(
                    code="missing_column",
                    severity="error",
                    message=f"expected a column with {purpose}, found none of this name"
                    + (f"; say {otherwise}" if otherwise else ""),
                    column=name,
                    count=1,
                    nearest=nearest_key(name, unused),
                )

    def _channel_faults(self) -> Iterable[Finding]:
        channels = self.study.framework.channel_keys
        if self.layout.is_bound:
            if self.layout.channel in self.frame.names:
                yield Finding(
                    code="channel_not_read",
                    severity="note",
                    message="not read, because the item columns tell the channel",
                    column=self.layout.channel,
                    count=1,
                )
        elif self.layout.channel is None and len(channels) > 1:
            yield Finding(
                code="channel_needed",
                severity="error",
                message=f"the framework has {len(channels)} channels: name the channel column, or "
                "bind item columns to channels",
                count=len(channels),
                values=channels,
            )

    def _unbound_items(self) -> Iterable[Finding]:
        framework = self.study.framework
        bound = {(column.item, column.channel) for column in self.layout.columns}
        for channel, asked in zip(framework.channel_keys, framework.asked, strict=True):
            for item, is_asked in zip(framework.item_keys, asked, strict=True):
                if is_asked and (item, channel) not in bound:
                    yield Finding(
                        code="missing_column",
                        severity="error",
                        message=f"no column is bound to item {item!r} on channel {channel!r}",
                        item=item,
                        channel=channel,
                        count=1,
                    )

    def _unknown_definitions(self) -> Iterable[Finding]:
        framework = self.study.framework
        for column in self.layout.columns:
            known: tuple[tuple[Code, str | None, tuple[str, ...]], ...] = (
                ("unknown_item", column.item, framework.item_keys),
                ("unknown_channel", column.channel, framework.channel_keys),
            )
            for code, key, keys in known:
                if key is not None and key not in keys:
                    yield Finding(
                        code=code,
                        severity="error",
                        message=f"the layout names {key!r}, which the framework does not have",
                        column=column.column,
                        count=1,
                        values=(key,),
                        nearest=nearest_key(key, keys),
                    )


def needed_columns(study: Study, layout: Layout) -> tuple[str, ...]:
    """Return the names of the columns that are read, each once."""
    source = Source(
        frame=Frame(names=(), rows=0, column=dict[str, Column]().__getitem__),
        study=study,
        layout=layout,
    )
    names = [*source.roles().values(), *layout.keep]
    return tuple(dict.fromkeys([*names, *(item.column for item in source.item_columns)]))
