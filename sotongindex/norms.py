"""Norms: a benchmark that is frozen, kept, and used again for whoever comes later.

`freeze_norm` keeps the scores of a wave as a `BenchmarkSet`; `compare_to_norm` compares any later
result with it, organizations included that were not in it. A norm is the same for all: nobody's
own former score is taken out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._disclosure import DisclosureRules, Subject
from sotongindex._documents import read_document, write_document
from sotongindex._norm_comparing import Yardstick, norm_notices
from sotongindex._norm_result import NormComparison, NormDistances, NormResult
from sotongindex._norm_set import (
    BenchmarkSet,
    NormFigure,
    NormFigures,
    NormScores,
    norm_converter,
)
from sotongindex._peers import PeerSets, Placement, find_peers
from sotongindex._standing import posterior_covariance
from sotongindex.errors import MethodError
from sotongindex.models import Label, PeerGroup
from sotongindex.results import IndexResult
from sotongindex.standing import Seed, check_settings
from sotongindex.variance import Estimates, combine

__all__ = [
    "BenchmarkSet",
    "NormComparison",
    "NormDistances",
    "NormFigure",
    "NormFigures",
    "NormResult",
    "NormScores",
    "compare_to_norm",
    "freeze_norm",
    "load_norm",
    "norm_from_json",
    "norm_to_json",
    "publish_norm",
    "save_norm",
]

_FIGURES = ("mean", "median", "p10", "p25", "p75", "p90", "best")
_EXTREMES = ("p10", "p90", "best")
_EVERYONE = PeerGroup(key="everyone")


# -- freezing ------------------------------------------------------------------------------------


def freeze_norm(
    result: IndexResult,
    *,
    key: str,
    version: str,
    peers: PeerGroup = _EVERYONE,
    rules: DisclosureRules = DisclosureRules(),  # frozen
    subjects: Sequence[tuple[str | None, str | None]] | None = None,
    label: Label | None = None,
    note: str | None = None,
) -> BenchmarkSet:
    """Freeze the scores of a result as a norm.

    Members are the organizations of the group with a score from `rules.min_respondents_compare`
    respondents. Figures (mean; quantiles of type 7) carry the error of the members' scores, what
    they share included; for quantiles and the best, as in `compare_to_peers`, it is the error while
    the order of the members stays as observed.

    Args:
        result: The scores.
        key: The name of the norm.
        version: Its version, as the publisher counts.
        peers: Which organizations belong to it, by `where` alone: a norm has no "same".
        rules: What may be shown, kept with the norm.
        subjects: Pairs of channel and dimension to keep, None for all together; default the index,
            every channel and every dimension.
        label: The name shown to people.
        note: What else a reader should know.

    Returns:
        The norm.

    Raises:
        DefinitionError: If nobody has an attribute of the group, a channel or dimension is not
            known, or a key is malformed.
        MethodError: If the group asks for the same or different values.
    """
    if peers.same or peers.different:
        raise MethodError(
            f"expected a group told by `where` alone, got {peers.key!r} that depends on who is "
            'compared; freeze one norm a value, such as PeerGroup(key="telecom", '
            'where={"industry": ["telecom"]})',
            argument="peers",
        )
    study = result.study
    inside = np.zeros(len(study.organizations), dtype=bool)
    inside[find_peers(study.organizations, peers).sets[0]] = True
    pairs = _subjects(result) if subjects is None else subjects
    kept = [_frozen(Subject.of(result, *pair), inside, rules) for pair in pairs]
    members = np.array([counted for counted, _ in kept]).any(axis=0)
    return BenchmarkSet(
        key=key,
        version=version,
        study=study.key,
        wave=study.wave,
        population=study.population,
        framework=study.framework.key,
        framework_version=study.framework.version,
        scheme=result.scheme.fixed(result.weights.learned),
        method=result.method,
        peers=peers,
        rules=rules,
        members=sorted(np.array(result.organizations)[members].tolist()),
        scores=tuple(scores for _, scores in kept),
        label=label,
        note=note,
    )


def _subjects(result: IndexResult) -> list[tuple[str | None, str | None]]:
    framework = result.study.framework
    return [
        (None, None),
        *((key, None) for key in framework.channel_keys),
        *((None, key) for key in framework.dimension_keys),
    ]


def _frozen(
    subject: Subject, inside: NDArray[np.bool_], rules: DisclosureRules
) -> tuple[NDArray[np.bool_], NormScores]:
    """Return who is a member with this score, and the scores."""
    counted = inside & (subject.reasons(rules.min_respondents_compare) == "")
    members = np.flatnonzero(counted)
    ascending = members[np.argsort(subject.estimates.values[members], kind="stable")]
    scores = subject.estimates.select(ascending)
    return counted, NormScores(
        channel=subject.channel,
        dimension=subject.dimension,
        count=len(members),
        figures=_figures(scores, rules),
        scores=tuple(scores.values.tolist()),
        standard_errors=_or_none(scores.standard_error),
        degrees_of_freedom=tuple(scores.degrees_of_freedom.tolist()),
        shared_variance=_shared_variance(scores),
    )


def _or_none(values: FloatArray) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else value for value in values.tolist())


def _figures(scores: Estimates, rules: DisclosureRules) -> NormFigures:
    """Return the figures of ascending scores that may be shown."""
    count = scores.size
    everybody = np.arange(count)
    peers = PeerSets(
        key="", sets=(everybody,), set_of=np.zeros(count, dtype=np.int64), unknown=everybody[:0]
    )
    placement = Placement.of(scores, peers, counted=everybody >= 0, include_self=True)
    found: dict[str, NormFigure | None] = {}
    for name in _FIGURES:
        least = rules.min_peers_rank if name in _EXTREMES else rules.min_peers_mean
        found[name] = _figure(placement, scores, name) if count >= least else None
    return NormFigures(**found)


def _figure(placement: Placement, scores: Estimates, name: str) -> NormFigure:
    found = placement.figure(name)
    first = np.arange(1)  # everybody is compared with everybody, so any row tells it
    figure = combine(found.terms(scores, first), values=found.values[first], lower=0.0)
    return NormFigure(
        value=figure.values.item(),
        standard_error=_or_none(figure.standard_error)[0],
        degrees_of_freedom=figure.degrees_of_freedom.item(),
    )


def _shared_variance(scores: Estimates) -> float | None:
    """Return the mean covariance between the true scores of two members, 0 or more."""
    covariance = posterior_covariance(scores)
    if np.isnan(covariance).any():
        return None
    np.fill_diagonal(covariance, 0.0)
    pairs = scores.size * (scores.size - 1)
    return max(float(covariance.sum()) / max(pairs, 1), 0.0)


def publish_norm(norm: BenchmarkSet) -> BenchmarkSet:
    """Return the norm as it may be handed on: figures without members and single scores.

    Distances to its figures can still be told; percentile ranks cannot.
    """
    scores = tuple(
        attrs.evolve(
            one, scores=(), standard_errors=(), degrees_of_freedom=(), shared_variance=None
        )
        for one in norm.scores
    )
    return attrs.evolve(norm, members=(), scores=scores, content_hash="")


# -- keeping -------------------------------------------------------------------------------------


def norm_to_json(norm: BenchmarkSet) -> str:
    """Return the JSON document of a norm."""
    return write_document(norm, norm_converter())


def norm_from_json(text: str | bytes) -> BenchmarkSet:
    """Return the norm of a JSON document, equal to the one that was written.

    Raises:
        SchemaError: If anything is wrong in the document, or its content does not fit its hash.
    """
    norm: BenchmarkSet = read_document(text, {"benchmark-set": BenchmarkSet}, norm_converter())
    return norm


def save_norm(norm: BenchmarkSet, path: str | PathLike[str]) -> None:
    """Write a norm to a file: JSON, UTF-8.

    Args:
        norm: The norm.
        path: The file; an existing one is replaced.
    """
    Path(path).write_text(norm_to_json(norm), encoding="utf-8", newline="\n")


def load_norm(path: str | PathLike[str]) -> BenchmarkSet:
    """Read a norm from a file.

    Raises:
        SchemaError: If anything is wrong in the file, or its content does not fit its hash.
        OSError: If the file cannot be read.
    """
    return norm_from_json(Path(path).read_bytes())


# -- comparing -----------------------------------------------------------------------------------


def compare_to_norm(
    result: IndexResult,
    norm: BenchmarkSet,
    *,
    top: int = 3,
    level: float | None = None,
    other_framework: bool = False,
    draws: int = 4000,
    rng: Seed = 0,
) -> NormResult:
    """Compare every organization with a frozen norm.

    The errors of organization and norm count as independent: other respondents answered about
    others, or in another wave. Percentile ranks count every member of the norm, a former score of
    the organization itself too; their uncertainty is that of `assess_standing`, with one
    covariance for all pairs of members. An organization's numbers do not depend on who else is in
    the result.

    Args:
        result: The scores, of one organization or many.
        norm: The norm; its rules hold.
        top: How many places count as the top.
        level: The probability of the intervals; default that of the result's method.
        other_framework: Whether the result may be of another framework, or version of it.
        draws: How many draws, 2 or more.
        rng: A seed or generator; the same seed gives the same bytes.

    Returns:
        Percentile ranks and distances, for every score of the norm that the result has.

    Raises:
        DefinitionError: If the norm holds scores of a channel or dimension that is not known.
        MethodError: If the framework differs and that was not allowed, or `top`, `draws` or
            `level` is out of range.
    """
    level = result.method.level if level is None else level
    check_settings(top=top, draws=draws, level=level)
    framework = result.study.framework
    own, kept = (framework.key, framework.version), (norm.framework, norm.framework_version)
    if own != kept and not other_framework:
        raise MethodError(
            f"expected framework {' '.join(kept)!r}, as in the norm, got {' '.join(own)!r}: their "
            "scores need not be comparable; pass other_framework=True where they are",
            argument="result",
        )
    # One seed a score: what is compared first changes nothing in the others.
    seed = int(np.random.default_rng(rng).integers(2**63))
    comparisons = tuple(
        Yardstick(scores=scores, rules=norm.rules, top=top, level=level).compare(
            Subject.of(result, scores.channel, scores.dimension),
            draws=draws,
            rng=np.random.default_rng([seed, number]),
        )
        for number, scores in enumerate(norm.scores)
    )
    return NormResult(
        result=result,
        norm=norm,
        comparisons=comparisons,
        top=top,
        level=level,
        notices=norm_notices(result, norm),
    )
