"""JSON: every definition and every result as a document, and back.

A document is standard JSON with a tag, ``{"sotongindex": "study", "schema": 1, ...}``. Missing
numbers are null and infinite ones ``"inf"``. Definitions come back equal. Results come back with
equal numbers, variances, degrees of freedom, counts and notices, but without the covariances among
their numbers: these rest on every respondent's influence and would be larger than the answers. What
needs them, such as a comparison of a result that was read, raises `MethodError`; run the recipe
again instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_origin

import attrs
import numpy as np
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, read_only
from sotongindex._converter import MisfitError, kind_of, make_converter
from sotongindex._disclosure import DisclosureRules
from sotongindex._documents import read_document, write_document
from sotongindex._factors import Blocks
from sotongindex.attainment import GapResult
from sotongindex.checks import CheckReport
from sotongindex.comparisons import BenchmarkResult
from sotongindex.errors import MethodError
from sotongindex.layout import ItemColumn, Layout
from sotongindex.method import IndexMethod, Powers
from sotongindex.models import (
    Band,
    Channel,
    Dimension,
    Framework,
    GapClosure,
    GradeCut,
    GradeScale,
    Label,
    Organization,
    PeerGroup,
    PeerStatistic,
    RoleModel,
    Scale,
    Study,
    SurveyItem,
    Target,
)
from sotongindex.presets import Preset
from sotongindex.recipe import Findings, Recipe
from sotongindex.results import IndexResult
from sotongindex.variance import (
    BalancedRepeatedReplication,
    Bootstrap,
    Estimates,
    GroupJackknife,
    Jackknife,
    Linearization,
    ReplicateWeights,
)
from sotongindex.weighting import (
    BestWorstWeights,
    BudgetWeights,
    CriticWeights,
    DeviationWeights,
    EntropyWeights,
    EqualWeights,
    FactorWeights,
    FixedWeights,
    OutcomeWeights,
    PairwiseWeights,
    RankOrderWeights,
    SwingWeights,
    WeightingScheme,
)

__all__ = ["from_json", "to_json"]

_DEFINITIONS = (
    BalancedRepeatedReplication,
    Band,
    BestWorstWeights,
    Bootstrap,
    BudgetWeights,
    Channel,
    CheckReport,
    CriticWeights,
    DeviationWeights,
    Dimension,
    DisclosureRules,
    EntropyWeights,
    EqualWeights,
    FactorWeights,
    FixedWeights,
    Framework,
    GapClosure,
    GradeCut,
    GradeScale,
    GroupJackknife,
    IndexMethod,
    ItemColumn,
    Jackknife,
    Label,
    Layout,
    Linearization,
    Organization,
    OutcomeWeights,
    PairwiseWeights,
    PeerGroup,
    PeerStatistic,
    Powers,
    Preset,
    RankOrderWeights,
    Recipe,
    ReplicateWeights,
    RoleModel,
    Scale,
    Study,
    SurveyItem,
    SwingWeights,
    Target,
    WeightingScheme,
)
_RESULTS = (BenchmarkResult, Estimates, Findings, GapResult, IndexResult)


def to_json(value: object) -> str:
    """Return the JSON document of a definition or a result.

    Args:
        value: A definition (study, framework, scheme, method, rules, recipe and their parts), a
            check report, or a result (index, benchmark, gaps, findings, estimates).

    Returns:
        Standard JSON; definitions indented, results in one line.

    Raises:
        MethodError: If there are no documents of this kind of thing.

    >>> print(to_json(Label(ko="블로그", en="Blog")), end="")
    {
      "sotongindex": "label",
      "schema": 1,
      "ko": "블로그",
      "en": "Blog"
    }
    """
    if type(value) not in (*_DEFINITIONS, *_RESULTS):
        raise MethodError(
            f"expected a definition or a result, got {type(value).__name__}; raw answers belong "
            "into a data frame",
            argument="value",
        )
    return write_document(value, _converter(), indent=2 if type(value) in _DEFINITIONS else None)


def from_json(text: str | bytes) -> Any:
    """Return the definition or the result of a JSON document.

    Reading is strict: ``"7"`` is not 7, 7.9 is not a whole number, true is not 1.

    Args:
        text: The document.

    Returns:
        What `to_json` was given.

    Raises:
        SchemaError: If anything is wrong in the document; all of it, each with its path.

    >>> from_json(to_json(Scale(low=0, high=10))) == Scale(low=0, high=10)
    True
    """
    return read_document(
        text, {kind_of(cls): cls for cls in (*_DEFINITIONS, *_RESULTS)}, _converter()
    )


# -- arrays and estimates ------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _Numbers:
    """What a document keeps of estimates."""

    values: FloatArray
    variance: FloatArray
    degrees_of_freedom: FloatArray
    level: float
    lower: float
    upper: float


@attrs.frozen
class _UnkeptFactor:
    """The factor of estimates that were read: covariances are not kept in documents."""

    def columns(self, at: NDArray[np.integer[Any]]) -> Blocks:
        """Refuse: independence would be a false claim."""
        raise MethodError(
            f"the covariances of these {len(at)} numbers were not kept in the document they were "
            "read from; run the recipe again on the answers"
        )


def _converter() -> Converter:
    converter = make_converter()
    converter.register_structure_hook_factory(_is_array, _array_reader)
    converter.register_unstructure_hook_factory(_is_array, lambda _: _array_writer)
    converter.register_structure_hook(
        Estimates, lambda value, _: _estimates(converter.structure(value, _Numbers))
    )
    converter.register_unstructure_hook(
        Estimates, lambda value: converter.unstructure(_numbers(value))
    )
    converter.register_structure_hook(Findings, _findings_reader(converter))
    converter.register_unstructure_hook(Findings, _findings_writer(converter))
    return converter


def _numbers(estimates: Estimates) -> _Numbers:
    return _Numbers(**{f.name: getattr(estimates, f.name) for f in attrs.fields(_Numbers)})


def _estimates(numbers: _Numbers) -> Estimates:
    return Estimates(**attrs.asdict(numbers, recurse=False), factor=_UnkeptFactor())


def _is_array(kind: Any) -> bool:
    return get_origin(kind) is np.ndarray


def _array_writer(array: NDArray[Any]) -> Any:
    if array.dtype.kind != "f":
        return array.tolist()
    plain = array.astype(object)
    plain[np.isnan(array)] = None
    plain[np.isposinf(array)] = "inf"
    plain[np.isneginf(array)] = "-inf"
    return plain.tolist()


# What an array of a kind holds in a document.
_ENTRIES: dict[str, tuple[frozenset[type], str]] = {
    "f": (frozenset({int, float, type(None)}), 'numbers, null, "inf" or "-inf"'),
    "i": (frozenset({int}), "whole numbers"),
    "b": (frozenset({bool}), "true or false"),
    "U": (frozenset({str}), "text"),
    "O": (frozenset({str, type(None)}), "text or null"),
}
_INFINITE = {"inf": np.inf, "-inf": -np.inf}


def _array_reader(kind: Any) -> Callable[[Any, Any], NDArray[Any]]:
    dtype = np.dtype(get_args(get_args(kind)[1])[0])
    allowed, expected = _ENTRIES[dtype.kind]

    def structure(value: Any, _: Any) -> NDArray[Any]:
        entries = np.array(value, dtype=object)  # rows of different lengths stay lists in it
        flat = entries.ravel().tolist()
        if dtype.kind == "f":
            flat = [_INFINITE.get(part, part) if type(part) is str else part for part in flat]
        if entries.ndim == 0 or not set(map(type, flat)) <= allowed:
            raise MisfitError(f"expected an array of {expected}, its rows of equal length")
        return read_only(np.array(flat, dtype=dtype).reshape(entries.shape))

    return structure


# -- findings: one index, that its comparison and its gaps are about -----------------------------


def _findings_writer(converter: Converter) -> Callable[[Findings], dict[str, Any]]:
    """Write the index once, not again within benchmarks and gaps."""
    benchmarks, gaps = (
        make_dict_unstructure_fn(cls, converter, result=override(omit=True))
        for cls in (BenchmarkResult, GapResult)
    )

    def unstructure(findings: Findings) -> dict[str, Any]:
        return {
            "index": converter.unstructure(findings.index),
            "benchmarks": findings.benchmarks and benchmarks(findings.benchmarks),
            "gaps": findings.gaps and gaps(findings.gaps),
        }

    return unstructure


def _findings_reader(converter: Converter) -> Callable[[Any, Any], Findings]:
    """Give benchmarks and gaps their index back."""
    read = converter.get_structure_hook(Findings)

    def structure(value: Any, _: Any) -> Findings:
        parts = {name: value.get(name) for name in ("benchmarks", "gaps")}
        # The index first and alone, so that its faults are told once.
        index = read({**value, **dict.fromkeys(parts)}, Findings).index
        for name, part in parts.items():
            if isinstance(part, dict):
                parts[name] = {"result": value["index"], **part}
        findings: Findings = read({**value, **parts}, Findings)
        benchmarks, gaps = findings.benchmarks, findings.gaps
        return Findings(
            index=index,
            benchmarks=benchmarks and attrs.evolve(benchmarks, result=index),
            gaps=gaps and attrs.evolve(gaps, result=index),
        )

    return structure
