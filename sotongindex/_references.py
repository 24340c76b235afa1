"""Keys that name something elsewhere in a document, and what they may name.

One table serves both records and the plain data of a document that could not be built, so that a
dangling key is found with its path whatever else is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from sotongindex.errors import nearest_key


@attrs.frozen(kw_only=True)
class Reference:
    """Keys found at `paths` must be among the keys found at `known`.

    In a path ``[]`` stands for every member of a list, ``{}`` for every key of an object and
    ``*`` for every value of it.
    """

    what: str
    paths: tuple[str, ...]
    known: tuple[str, ...]
    always: tuple[str, ...] = ()

    def within(self, prefix: str) -> Reference:
        """Return the same reference for a part of a larger document."""
        return attrs.evolve(
            self,
            paths=tuple(f"{prefix}.{path}" for path in self.paths),
            known=tuple(f"{prefix}.{path}" for path in self.known),
        )


@attrs.frozen(kw_only=True)
class Dangling:
    """A key that names nothing: where it is, what it should name, and the nearest known key."""

    path: str
    what: str
    key: str
    nearest: str | None

    @property
    def message(self) -> str:
        """The fault in words, without the nearest key."""
        return f"unknown {self.what} {self.key!r}"


FRAMEWORK = (
    Reference(what="dimension", paths=("items[].dimension",), known=("dimensions[].key",)),
    Reference(what="channel", paths=("items[].channels[]",), known=("channels[].key",)),
)

STUDY = (
    *(reference.within("framework") for reference in FRAMEWORK),
    Reference(
        what="channel", paths=("organizations[].channels[]",), known=("framework.channels[].key",)
    ),
)

# Where rules of weights name keys: in a mapping, for every judge, for every judge beside another.
_RULES = (
    "weights{}",
    "points.*{}",
    "ranks.*{}",
    *(
        f"{field}{keys}"
        for field in ("judgements", "best_to_others", "others_to_worst")
        for keys in (".*{}", ".*.*{}")
    ),
)

_PEERS = ("peers[]", "targets[].score.peers", "targets[].score.benchmark.peers")

RECIPE_OWN = (
    Reference(
        what="organization",
        paths=(
            "targets[].organization",
            "targets[].score.organization",
            "targets[].score.benchmark.organization",
        ),
        known=("study.organizations[].key",),
    ),
    Reference(
        what="channel",
        paths=(
            *(f"scheme.channels.{keys}" for keys in _RULES),
            "scheme.dimensions{}",
            "targets[].channel",
            "layout.columns[].channel",
        ),
        known=("study.framework.channels[].key",),
    ),
    Reference(
        what="dimension",
        paths=(
            *(f"scheme.dimensions.{keys}" for keys in _RULES),
            *(f"scheme.dimensions.*.{keys}" for keys in _RULES),
            "targets[].dimension",
        ),
        known=("study.framework.dimensions[].key",),
    ),
    Reference(
        what="item",
        paths=(
            *(f"scheme.items.{keys}" for keys in _RULES),
            "layout.columns[].item",
            "targets[].item",
        ),
        known=("study.framework.items[].key",),
    ),
    Reference(
        what="attribute",
        paths=tuple(f"{peers}.{part}" for peers in _PEERS for part in ("same[]", "different[]"))
        + tuple(f"{peers}.where{{}}" for peers in _PEERS),
        known=("study.organizations[].attributes{}",),
        always=("industry", "sector"),
    ),
)

RECIPE = (*(reference.within("study") for reference in STUDY), *RECIPE_OWN)

_BY_KIND: Mapping[str, tuple[Reference, ...]] = {
    "framework": FRAMEWORK,
    "study": STUDY,
    "recipe": RECIPE,
}


def references_of(kind: str) -> tuple[Reference, ...]:
    """Return the references within documents of a kind."""
    return _BY_KIND.get(kind, ())


def dangling_keys(root: Any, references: Iterable[Reference]) -> Iterator[Dangling]:
    """Tell every key under `root`, a record or the plain data of one, that names nothing."""
    for reference in references:
        hits = (key for path in reference.known for _, key in _find(root, path, ""))
        known = [*reference.always, *dict.fromkeys(key for key in hits if isinstance(key, str))]
        if not known:
            continue  # what could be named is itself at fault, and is reported there
        for path, key in (hit for pattern in reference.paths for hit in _find(root, pattern, "")):
            if isinstance(key, str) and key not in known:
                nearest = nearest_key(key, known)
                yield Dangling(path=path, what=reference.what, key=key, nearest=nearest)


def _find(node: Any, pattern: str, path: str) -> Iterator[tuple[str, Any]]:
    """Tell path and value of all that `pattern` leads to; what is not there leads nowhere."""
    if not pattern:
        yield path, node
        return
    step, rest = re.findall(r"^\.?(\w+|\*|\[\]|\{\})(.*)", pattern)[0]
    for name, member in _steps(node, step):
        yield from _find(member, rest, f"{path}{name}".lstrip("."))


def _steps(node: Any, step: str) -> Iterable[tuple[str, Any]]:
    """Return the ends of the paths and the values that one step leads to."""
    if step == "[]":
        members = node if isinstance(node, list | tuple) else ()
        return [(f"[{position}]", member) for position, member in enumerate(members)]
    if step == "{}":
        return [(f".{name}", name) for name, _ in _entries(node)]
    if step == "*":
        return [(f".{name}", member) for name, member in _entries(node)]
    member = node.get(step) if isinstance(node, Mapping) else getattr(node, step, None)
    return [(f".{step}", member)]


def _entries(node: Any) -> Iterable[tuple[str, Any]]:
    """Return the entries of an object that is not a tagged record, or of a tuple of pairs."""
    if isinstance(node, Mapping):
        return () if isinstance(node.get("kind"), str) else node.items()
    return node if isinstance(node, tuple) else ()
