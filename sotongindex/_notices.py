"""What a reader of an index should know: what is missing, and which errors are not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._levels import Level
from sotongindex.aggregation import Hierarchy
from sotongindex.models import Study
from sotongindex.variance import Estimates
from sotongindex.weighting import ImportanceWeights, LearnedWeights


@attrs.frozen(kw_only=True)
class Notice:
    """Something a reader of the result should know.

    Attributes:
        code: A short fixed name.
        message: What it means.
        keys: Whom it concerns: organizations, organization/channel, or weights of a level.
    """

    code: str
    message: str
    keys: tuple[str, ...] = ()


def find_notices(
    study: Study,
    levels: Mapping[Level, Estimates],
    tree: Hierarchy,
    *,
    operated: NDArray[np.bool_],
    rated: NDArray[np.bool_],
    min_share: float,
    weights: ImportanceWeights,
    relearned: bool = False,
) -> tuple[Notice, ...]:
    """Return what is missing and why, and what was learned from the scores.

    Args:
        study: What was measured.
        levels: The estimates.
        tree: The scores with the shares that were present.
        operated: Channels that organizations operate, (o, c).
        rated: Channels that they were rated on, (o, c).
        min_share: The share of weight that had to be present.
        weights: The weights of the scores.
        relearned: Whether the errors come from replicates that learned weights of their own.

    Returns:
        One notice for every kind of thing that occurs.
    """
    missing = tuple(
        Notice(code=code, message=message, keys=_keys(study, where))
        for code, message, where in _cases(
            levels, tree, operated=operated, rated=rated, min_share=min_share
        )
        if where.any()
    )
    return (*missing, *_weight_notices(weights.learned, relearned=relearned))


def _weight_notices(learned: Sequence[LearnedWeights], *, relearned: bool) -> Iterator[Notice]:
    places = tuple(one.where for one in learned)
    if learned and relearned:
        yield Notice(
            code="weights learned again",
            message="weights were learned from these scores, and anew from every replicate: the "
            "errors include that other answers give other weights",
            keys=places,
        )
    elif learned:
        yield Notice(
            code="weights from data",
            message="weights were learned from these scores, and the errors take them as given; "
            "replicates such as Bootstrap learn them anew",
            keys=places,
        )
    idle = tuple(
        f"{one.where}/{key}"
        for one in learned
        for key, weight in zip(one.keys, one.diagnostics.weights.tolist(), strict=True)
        if weight == 0
    )
    if idle:
        yield Notice(
            code="weights of 0",
            message="no weight was learned for parts that do not differ, agree with every other, "
            "or fall where the others rise: look whether their scale is reversed",
            keys=idle,
        )
    for one in learned:
        if one.diagnostics.fallback is not None:
            yield Notice(
                code="weights are equal",
                message=f"nothing to learn weights from: {one.diagnostics.fallback}",
                keys=(one.where,),
            )


def _cases(
    levels: Mapping[Level, Estimates],
    tree: Hierarchy,
    *,
    operated: NDArray[np.bool_],
    rated: NDArray[np.bool_],
    min_share: float,
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    index, channels = levels["index"], levels["channels"]
    unrated = np.asarray(~rated.any(axis=1))
    yield "no answers", "not rated at all: no score", unrated
    yield (
        "channel not rated",
        "operated, but not rated on this channel",
        operated & ~rated & ~unrated[:, None],
    )
    yield (
        "channel missing",
        f"less than {min_share:.0%} of the channel's weight was answered: no channel score",
        rated & np.isnan(channels.values),
    )
    yield (
        "index missing",
        f"channels with less than {min_share:.0%} of the weight have a score: no index",
        ~unrated & np.isnan(index.values),
    )
    flat = np.isnan(tree.index_by_cell).any(axis=(1, 2)) | np.isnan(tree.cell_by_item).any(
        axis=(1, 2)
    )
    yield (
        "no derivative",
        "a score of 0 under a power below 1: the error of the index is not known",
        flat & ~np.isnan(index.values),
    )
    yield (
        "error not known",
        (
            "the index rests on a score whose error cannot be told: one respondent, one answer to "
            "an item (see IndexMethod.min_answers), a tally of one jackknife group, or no standard "
            "error given"
        ),
        np.isnan(index.variance) & ~np.isnan(index.values) & ~flat,
    )


def _keys(study: Study, where: NDArray[np.bool_]) -> tuple[str, ...]:
    organizations, channels = study.organization_keys, study.framework.channel_keys
    if where.ndim == 1:
        return tuple(organizations[o] for o in np.flatnonzero(where))
    return tuple(f"{organizations[o]}/{channels[c]}" for o, c in zip(*where.nonzero(), strict=True))
