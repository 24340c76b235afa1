"""The index: from answers to scores of every organization, each with its error.

`compute_index` reads like the table of contents of the method; the work is done in the rooms below.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np
from scipy import sparse

from sotongindex._arrays import FloatArray, distinct
from sotongindex._ascent import Ascent
from sotongindex._estimation import jackknifed_levels, linearized_levels, replicated_levels
from sotongindex._evaluations import Evaluations, RespondentMeans
from sotongindex._levels import Level, Tree
from sotongindex._notices import Notice, find_notices
from sotongindex._replicates import replicates_of
from sotongindex._replication import Replication
from sotongindex._tallying import evaluation_groups, sum_evaluations
from sotongindex._version import __version__
from sotongindex.aggregation import Hierarchy
from sotongindex.errors import MethodError
from sotongindex.method import IndexMethod, Powers
from sotongindex.models import Channel, Dimension, Framework, Study, SurveyItem
from sotongindex.responses import Responses
from sotongindex.results import Counts, IndexResult, result_from_cells
from sotongindex.tally import Tally, tally_of
from sotongindex.variance import Estimates, GroupJackknife, Linearization, combine
from sotongindex.weighting import FixedWeights, ImportanceWeights, WeightingScheme

__all__ = [
    "Counts",
    "IndexMethod",
    "IndexResult",
    "Notice",
    "Powers",
    "blend",
    "compute_index",
]


def compute_index(
    answers: Responses | Tally,
    *,
    scheme: WeightingScheme | None = None,
    method: IndexMethod | None = None,
) -> IndexResult:
    r"""Compute the communication index of every organization.

    With points :math:`p_{ri}` of respondent :math:`r` on item :math:`i`, respondent weights
    :math:`w_r`, and importance weights :math:`a_i, b_d, c_k` that sum to 1 within each mean

    .. math::
        x_i = \frac{\sum_r w_r p_{ri}}{\sum_r w_r}, \quad
        s_{kd} = \sum_{i \in d} a_i x_i, \quad
        s_k = \sum_d b_d s_{kd}, \quad
        \text{index} = \sum_k c_k s_k

    for every organization and channel :math:`k`; `IndexMethod` has power means, the other order of
    averaging and the rule for what is missing. Every score gets its standard error.

    Args:
        answers: Responses, or a tally of them.
        scheme: How channels, dimensions and items count; default all equally.
        method: How scores are averaged and errors found; default `IndexMethod()`.

    Returns:
        The scores of every organization, 0 to 100, with errors, counts and notices.

    Raises:
        DefinitionError: If the scheme does not fit the framework.
        MethodError: If the method needs what a tally does not hold.

    References:
        OECD and JRC (2008), Handbook on Constructing Composite Indicators,
        doi:10.1787/9789264043466-en. Errors: see `Linearization`.

    >>> from sotongindex.datasets import sample_panel
    >>> result = compute_index(sample_panel(rng=1).responses)
    >>> result.index.values.shape, result.channels.values.shape
    ((312,), (312, 3))
    >>> bool((result.index.low <= result.index.values).all())
    True
    """
    scheme = scheme or WeightingScheme()
    method = method or IndexMethod()
    evaluations = None
    if isinstance(answers, Responses):
        evaluations = _evaluations(answers, scheme, method)
        groups = _groups(method)
        group = evaluation_groups(answers, groups)
        sums = sum_evaluations(evaluations, groups=groups, group=group)
        tally = tally_of(sums, answers.study, groups=groups)
    else:
        tally = _fitting(answers, method)
    ascent = Ascent.of(tally, scheme, method)
    means = tally.item_means()
    weights = ascent.weights(means)
    items, hierarchy = ascent.scores(means, weights)
    levels = _levels(evaluations, tally, ascent, weights=weights, hierarchy=hierarchy, items=items)
    return IndexResult(
        study=answers.study,
        scheme=scheme,
        method=method,
        weights=weights,
        structure=hierarchy,
        counts=_counts(answers, tally),
        notices=find_notices(
            answers.study,
            levels,
            hierarchy,
            operated=ascent.operated,
            rated=tally.dense(tally.evaluations) > 0,
            min_share=method.min_share,
            weights=weights,
            relearned=_repeats(evaluations, ascent) and ascent.relearns,
        ),
        source="tally" if evaluations is None else "answers",
        version=__version__,
        **levels,
    )


def _evaluations(responses: Responses, scheme: WeightingScheme, method: IndexMethod) -> Evaluations:
    """Return the answers as columns of points, with the respondents' own means where wanted."""
    evaluations = Evaluations.of(responses)
    if method.order == "items first":
        return evaluations
    if scheme.learns:  # from the means of items, which need no weights yet
        tally = tally_of(sum_evaluations(evaluations), responses.study)
        weights = Ascent.of(tally, scheme, method).weights(tally.item_means())
    else:
        weights = scheme.resolve(responses.study.framework)
    powers = (method.power.items, method.power.dimensions)
    means = RespondentMeans(weights=weights, powers=powers, min_share=method.min_share)
    return Evaluations.of(responses, means)


def _groups(method: IndexMethod) -> int:
    return method.variance.groups if isinstance(method.variance, GroupJackknife) else 1


def _fitting(tally: Tally, method: IndexMethod) -> Tally:
    """Return the tally, which holds what the method needs."""
    if method.order == "respondents first":
        raise MethodError(
            "a tally keeps no respondents to average first; give the responses, or use "
            '"items first"',
            argument="order",
        )
    variance = method.variance
    way = f"use IndexMethod(variance=GroupJackknife(groups={tally.groups}))"
    if tally.groups == 1:
        way = "make the tally with 2 groups or more and use GroupJackknife"
    if isinstance(variance, GroupJackknife):
        if tally.groups != variance.groups:
            other = f"{way}, or " if tally.groups > 1 else ""
            raise MethodError(
                f"the tally has jackknife groups: {tally.groups}, the method asks for "
                f"{variance.groups}; {other}make the tally with as many groups",
                argument="variance",
            )
    elif not isinstance(variance, Linearization) or tally.groups > 1:
        raise MethodError(
            f"{type(variance).__name__} needs the respondents, and a tally keeps none; give the "
            f"responses, or {way}",
            argument="variance",
        )
    return tally


def _repeats(evaluations: Evaluations | None, ascent: Ascent) -> bool:
    """Whether errors come from computing the index again from replicates of the respondents."""
    variance = ascent.method.variance
    if evaluations is None or isinstance(variance, Linearization):
        return False
    # Leaving out groups needs sums by group alone, unless weights change with what is left out.
    changing = evaluations.responses.calibration is not None or ascent.relearns
    return changing or not isinstance(variance, GroupJackknife)


def _levels(
    evaluations: Evaluations | None,
    tally: Tally,
    ascent: Ascent,
    *,
    weights: ImportanceWeights,
    hierarchy: Hierarchy,
    items: FloatArray,
) -> dict[Level, Estimates]:
    """Return the estimates of every level by the method's way to errors."""
    method = ascent.method
    if evaluations is not None:
        if isinstance(method.variance, Linearization):
            return linearized_levels(
                evaluations,
                method.variance,
                tally=tally,
                hierarchy=hierarchy,
                items=items,
                level=method.level,
            )
        if _repeats(evaluations, ascent):
            replication = Replication(
                evaluations=evaluations,
                replicates=replicates_of(evaluations.responses, method.variance),
                ascent=ascent,
                weights=weights,
            )
            return replicated_levels(replication, tally=tally, hierarchy=hierarchy, items=items)
    tree = Tree.of(
        hierarchy,
        dimension_of=np.array(tally.study.framework.item_dimensions),
        respondents_first=method.order == "respondents first",
    )
    return jackknifed_levels(
        tree, tally=tally, hierarchy=hierarchy, items=items, level=method.level
    )


def _counts(answers: Responses | Tally, tally: Tally) -> Counts:
    evaluations = tally.dense(tally.evaluations)
    weight = tally.dense(tally.weight).sum(axis=1)
    squared = tally.dense(tally.squared_weight).sum(axis=1)
    if isinstance(answers, Responses):
        pairs = distinct(
            answers.organization.astype(np.int64) * len(answers.respondent_keys)
            + answers.respondent
        )
        organization = pairs // max(len(answers.respondent_keys), 1)
        respondents = np.bincount(organization, minlength=len(evaluations)).astype(np.float64)
    else:
        # Nobody rates an organization on one channel twice: at least so many are different.
        respondents = evaluations.max(axis=1).astype(np.float64)
    return Counts(
        respondents=respondents,
        evaluations=evaluations,
        answers=tally.dense(tally.answers)[..., : len(answers.study.framework.items)],
        effective=np.divide(weight**2, squared, out=np.zeros_like(weight), where=squared > 0),
    )


def blend(sources: Mapping[str, tuple[IndexResult, float]]) -> IndexResult:
    r"""Combine the indices of several sources, such as customers, experts and operation.

    With indices :math:`x_k` and shares :math:`a_k` that add up to 1: :math:`\sum_k a_k x_k`. The
    respondents of different sources are different people, so their errors are independent.

    Args:
        sources: For every source, under its key, its result and its share. All score the same
            organizations in the same order.

    Returns:
        A result with one channel, ``blend``, and the sources as its dimensions. Contributions,
        peers and gaps work on it as on any other. An organization that a source does not score has
        no blended index.

    Raises:
        DefinitionError: If shares are negative or do not add up to 1.
        MethodError: If there is no source, or the organizations differ.
    """
    if not sources:
        raise MethodError("expected one source or more, got none", argument="sources")
    results = {key: result for key, (result, _) in sources.items()}
    first = next(iter(results.values()))
    for key, result in results.items():
        if result.organizations != first.organizations:
            raise MethodError(
                f"source {key!r} has other organizations than {next(iter(results))!r}, or another "
                "order",
                argument="sources",
            )
    count = len(first.organizations)
    cells = combine(
        [
            (
                result.index.detached(key),
                sparse.csr_array(
                    (np.ones(count), (np.arange(count) * len(results) + k, np.arange(count))),
                    (count * len(results), count),
                ),
            )
            for k, (key, result) in enumerate(results.items())
        ],
        lower=0.0,
        shape=(count, 1, len(results)),
        values=np.stack([result.index.values for result in results.values()], axis=1),
    )
    scored = np.asarray(~np.isnan(cells.values).any(axis=(1, 2)))
    return result_from_cells(
        cells,
        _blend_study(first.study, tuple(results)),
        scheme=WeightingScheme(
            dimensions=FixedWeights({key: share for key, (_, share) in sources.items()})
        ),
        # A blend without one of its sources would be another index.
        method=IndexMethod(min_share=1.0, level=first.method.level),
        rated=scored[:, None],
        counts=_blend_counts(tuple(results.values())),
        source="blend",
    )


def _blend_study(study: Study, sources: tuple[str, ...]) -> Study:
    """Return a study that has the sources as dimensions of one channel."""
    framework = Framework(
        key="blend",
        version="+".join(sources),
        channels=[Channel(key="blend")],
        dimensions=[Dimension(key=key) for key in sources],
        items=[SurveyItem(key=key, dimension=key) for key in sources],
    )
    organizations = [attrs.evolve(one, channels=None) for one in study.organizations]
    return attrs.evolve(study, framework=framework, organizations=organizations)


def _blend_counts(results: tuple[IndexResult, ...]) -> Counts:
    evaluations = np.stack([result.counts.evaluations.sum(axis=1) for result in results], axis=1)
    return Counts(
        respondents=np.sum([result.counts.respondents for result in results], axis=0),
        evaluations=evaluations.sum(axis=1, keepdims=True),
        answers=evaluations[:, None, :],
        effective=np.sum([result.counts.effective for result in results], axis=0),
    )
