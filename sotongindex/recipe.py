"""Recipe: all that must be fixed to compute the same numbers again, and the file that keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import attrs

from sotongindex._converter import make_converter
from sotongindex._documents import read_document, write_document
from sotongindex._references import RECIPE_OWN, dangling_keys
from sotongindex.benchmark import BenchmarkResult, DisclosureRules, compare_to_peers
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.gaps import GapResult, find_gaps
from sotongindex.index import compute_index
from sotongindex.layout import Layout
from sotongindex.method import IndexMethod
from sotongindex.models import PeerGroup, Study, Target
from sotongindex.responses import Responses
from sotongindex.results import IndexResult
from sotongindex.tally import Tally
from sotongindex.weighting import WeightingScheme

__all__ = ["Findings", "Recipe", "load_recipe", "run_recipe", "save_recipe"]


def _peers(value: PeerGroup | Iterable[PeerGroup]) -> tuple[PeerGroup, ...]:
    return (value,) if isinstance(value, PeerGroup) else tuple(value)


def _targets(value: Target | Iterable[Target]) -> tuple[Target, ...]:
    return (value,) if isinstance(value, Target) else tuple(value)


@attrs.frozen(kw_only=True)
class Recipe:
    """What is measured and how it is computed; with the answers it gives the same numbers again.

    To run again with one thing changed, change it with ``attrs.evolve(recipe, scheme=...)``.

    Attributes:
        study: The framework and the organizations.
        scheme: How channels, dimensions and items count.
        method: How answers become an index.
        peers: Whom organizations are compared with; none means no comparison.
        rules: What may be shown.
        targets: Scores to reach; none means no gaps.
        layout: How the file of answers is read.

    Raises:
        DefinitionError: If the parts do not fit each other: weights for unknown keys or not adding
            up, a target for an unknown organization, channel or dimension, peers by an attribute
            that no organization has, two peer groups of one key.

    >>> from sotongindex.presets import scsi_2017
    >>> from sotongindex.models import Organization
    >>> preset = scsi_2017()
    >>> study = Study(
    ...     key="mini", framework=preset.framework, organizations=[Organization(key="a")]
    ... )
    >>> recipe = Recipe(study=study, scheme=preset.scheme)
    >>> attrs.evolve(recipe, scheme=WeightingScheme()) == recipe
    False
    """

    study: Study
    scheme: WeightingScheme = attrs.field(default=WeightingScheme())
    method: IndexMethod = attrs.field(default=IndexMethod())
    peers: tuple[PeerGroup, ...] = attrs.field(default=(), converter=_peers)
    rules: DisclosureRules = attrs.field(default=DisclosureRules())
    targets: tuple[Target, ...] = attrs.field(default=(), converter=_targets)
    layout: Layout = attrs.field(default=Layout())

    def __attrs_post_init__(self) -> None:
        for key in dangling_keys(self, RECIPE_OWN):
            raise DefinitionError(
                key.message, field=f"Recipe.{key.path}", key=key.key, nearest=key.nearest
            )
        try:
            self.scheme.check(self.study.framework)
        except DefinitionError as error:
            raise DefinitionError(str(error), field="Recipe.scheme", key=error.key) from None
        keys = [group.key for group in self.peers]
        for position, name in enumerate(keys):
            if name in keys[:position]:
                raise DefinitionError(
                    f"key {name!r} is used twice", field=f"Recipe.peers[{position}].key", key=name
                )


@attrs.frozen(kw_only=True, eq=False)
class Findings:
    """What a recipe makes of answers.

    Attributes:
        index: The index with its levels.
        benchmarks: The comparison with peers; None where the recipe names no peers.
        gaps: The gaps to the targets; None where the recipe has no targets.
    """

    index: IndexResult
    benchmarks: BenchmarkResult | None
    gaps: GapResult | None


def run_recipe(recipe: Recipe, answers: Responses | Tally) -> Findings:
    """Compute index, comparison and gaps as the recipe says.

    Args:
        recipe: The recipe.
        answers: The answers to its study, or their tally.

    Returns:
        The findings. The same recipe and answers give the same numbers.

    Raises:
        MethodError: If the answers belong to another study, or the method needs what a tally does
            not hold.
    """
    if answers.study != recipe.study:
        raise MethodError(
            f"expected answers to study {_named(recipe.study)}, got answers to "
            f"{_named(answers.study)}, which is not the same definition; read them with the "
            "recipe's own study",
            argument="answers",
        )
    index = compute_index(answers, scheme=recipe.scheme, method=recipe.method)
    return Findings(
        index=index,
        benchmarks=(
            compare_to_peers(index, by=recipe.peers, rules=recipe.rules) if recipe.peers else None
        ),
        gaps=find_gaps(index, recipe.targets, rules=recipe.rules) if recipe.targets else None,
    )


def _named(study: Study) -> str:
    wave = f", wave {study.wave!r}" if study.wave else ""
    return f"{study.key!r} (framework version {study.framework.version!r}{wave})"


def save_recipe(recipe: Recipe, path: str | PathLike[str]) -> None:
    """Write the recipe to a study file: JSON by the published schema, UTF-8.

    Args:
        recipe: The recipe.
        path: The file; an existing one is replaced.
    """
    text = write_document(recipe, make_converter())
    Path(path).write_text(text, encoding="utf-8", newline="\n")


def load_recipe(path: str | PathLike[str]) -> Recipe:
    """Read a recipe from a study file.

    Args:
        path: The file.

    Returns:
        The recipe that was saved, equal in every field.

    Raises:
        SchemaError: If anything is wrong in the file: wrong types, misspelt or missing keys,
            references to nothing, parts that contradict each other; all of it, each with its path.
        OSError: If the file cannot be read.
    """
    recipe: Recipe = read_document(Path(path).read_bytes(), {"recipe": Recipe}, make_converter())
    return recipe
