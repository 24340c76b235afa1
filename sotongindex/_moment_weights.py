"""Weights learned from the answers of respondents, of which a tally holds the moments."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._learning import PartMoments, known_correlations
from sotongindex._moments import (
    MIDDLE,
    ItemMoments,
    check_answered,
    held,
    jackknife_error,
    pairs_of,
    pairs_without_groups,
)
from sotongindex._pair_sums import PairSums
from sotongindex._validators import check_choice
from sotongindex.errors import MethodError
from sotongindex.models import Framework
from sotongindex.weighting import (
    CriticWeights,
    DeviationWeights,
    EqualWeights,
    FactorWeights,
    LearnedWeights,
    Rule,
    WeightingScheme,
)

__all__ = ["MomentRule", "learn_weights"]

MomentRule: TypeAlias = FactorWeights | CriticWeights | DeviationWeights
LearnedLevel: TypeAlias = Literal["items", "dimensions"]


def learn_weights(
    moments: ItemMoments | None,
    rule: MomentRule,
    *,
    level: LearnedLevel = "items",
    channel: str | None = None,
    item_weights: Rule = EqualWeights(),  # frozen
) -> tuple[LearnedWeights, ...]:
    r"""Learn importance weights from evaluations, by the moments of a tally.

    In a scheme a rule learns from how organizations differ; here it learns from how evaluations
    differ, which hold the differences between respondents and the noise of single answers too. It
    uses their means, deviations and correlations. A dimension is the mean of its items with weights
    :math:`a`: its variance is :math:`a' C a`, with the items' covariances :math:`C`.

    ``scheme.fixed(learned)`` is a scheme with these weights. Their errors are those of the
    jackknife: with :math:`w_{(g)}` learned without group :math:`g` of :math:`G`,

    .. math:: V = \frac{G - 1}{G} \sum_g (w_{(g)} - w)^2 .

    Args:
        moments: ``tally.moments``.
        rule: `FactorWeights`, `DeviationWeights`, or `CriticWeights` with ``scaling="points"``.
        level: Whether items count within their dimension, or dimensions within a channel.
        channel: A channel's key; None means the evaluations of all channels.
        item_weights: How items count in the scores of dimensions.

    Returns:
        Weights with their errors: of items for every dimension, of dimensions for the channel.

    Raises:
        DefinitionError: If the channel is not known.
        MethodError: If there are no moments, the rule needs more than these, dimensions have other
            items on other channels, nobody answered two items that dimensions are made of, or
            pairs contradict each other so that a dimension has no variance.

    References:
        Kott (2001), The delete-a-group jackknife, Journal of Official Statistics 17, 521-526.

    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.tally import Tally
    >>> tally = Tally.from_responses(sample_panel(rng=1).responses, moments=True)
    >>> (learned,) = learn_weights(tally.moments, FactorWeights(), level="dimensions")
    >>> print(learned)
    dimensions: participation 0.167, openness 0.166, originality 0.166, content_fit 0.167,
    usefulness 0.167, responsiveness 0.167
    """
    check_choice(level, get_args(LearnedLevel), "level")
    if not isinstance(rule, MomentRule):
        raise MethodError(
            f"{type(rule).__name__} needs the scores of units, and moments tell means, deviations "
            "and correlations; use FactorWeights, DeviationWeights or "
            'CriticWeights(scaling="points")',
            argument="rule",
        )
    lesson = _Lesson.of(held(moments), rule, channel=channel)
    if level == "items":
        return lesson.items()
    return (lesson.dimensions(item_weights, channel=channel),)


@attrs.frozen(kw_only=True, eq=False)
class _Lesson:
    """What a rule learns from: sums over pairs of items, and those without every group."""

    framework: Framework
    groups: int
    rule: MomentRule
    pairs: PairSums
    without: PairSums

    @classmethod
    def of(cls, moments: ItemMoments, rule: MomentRule, *, channel: str | None) -> _Lesson:
        return cls(
            framework=moments.framework,
            groups=moments.groups,
            rule=rule,
            pairs=pairs_of(moments, channel),
            without=pairs_without_groups(moments, channel),
        )

    def items(self) -> tuple[LearnedWeights, ...]:
        """Learn the weights of the items of every dimension."""
        of = np.array(self.framework.item_dimensions)
        keys = self.framework.item_keys
        learned = []
        for dimension, key in enumerate(self.framework.dimension_keys):
            at = np.flatnonzero(of == dimension)
            learned.append(
                LearnedWeights(
                    level="items",
                    dimension=key,
                    keys=tuple(keys[item] for item in at),
                    **self._learned(at, _moments_of_items),
                )
            )
        return tuple(learned)

    def dimensions(self, item_weights: Rule, *, channel: str | None) -> LearnedWeights:
        """Learn the weights of the dimensions that are asked."""
        framework = self.framework
        shares = WeightingScheme(items=item_weights).resolve(framework).items
        if channel is None and (shares != shares[0]).any():
            raise MethodError(
                "dimensions are made of other items on other channels; name a channel",
                argument="channel",
            )
        row = 0 if channel is None else framework.channel_keys.index(channel)
        of = np.array(framework.item_dimensions)
        mixing = shares[row] * (of == np.arange(len(framework.dimensions))[:, None])
        asked, at = np.flatnonzero(mixing.any(axis=1)), np.flatnonzero(mixing.any(axis=0))
        check_answered(self.pairs.of_parts(at), [framework.item_keys[item] for item in at])
        mixing = mixing[asked][:, at]
        return LearnedWeights(
            level="dimensions",
            channel=channel,
            keys=tuple(framework.dimension_keys[dimension] for dimension in asked),
            **self._learned(at, lambda pairs: _moments_of_means(pairs, mixing)),
        )

    def _learned(
        self, at: NDArray[np.intp], moments: Callable[[PairSums], PartMoments]
    ) -> dict[str, Any]:
        """Return what is learned of parts made of some items, and the errors of the weights."""
        whole, without = self.pairs.of_parts(at), self.without.of_parts(at)
        found = self.rule.learn_from(moments(whole))
        error = np.full(len(found.weights), np.nan)
        # Weights without a group that alone holds some pair would be those of fewer items.
        if ((without.units > 0) | (whole.units == 0)).all():
            replicates = [
                self.rule.learn_from(moments(without.mapped(itemgetter(group)))).weights
                for group in range(len(without.units))
            ]
            error = jackknife_error(found.weights, np.array(replicates), groups=self.groups)
        return {"diagnostics": found, "standard_error": error}


def _moments_of_items(pairs: PairSums) -> PartMoments:
    """Return what rules learn from; an item without answers does not differ."""
    return PartMoments(
        means=np.nan_to_num(MIDDLE + np.diagonal(pairs.means())),
        deviations=np.sqrt(np.nan_to_num(np.diagonal(pairs.covariances()))),
        correlations=known_correlations(pairs.correlations()),
        units=np.diagonal(pairs.units),
    )


def _moments_of_means(pairs: PairSums, mixing: FloatArray) -> PartMoments:
    """Return the moments of means over items, with weights (d, i); every pair has answers."""
    covariances = mixing @ pairs.covariances() @ mixing.T
    variances = np.diagonal(covariances)
    if (variances < -1e-9).any():
        raise MethodError(
            "covariances that rest on different evaluations contradict each other: by them the "
            f"variance of a dimension is {variances.min():.3g}; leave out items that were seldom "
            "answered together",
            argument="item_weights",
        )
    deviations = np.sqrt(np.maximum(variances, 0.0))  # below 0 by rounding
    scale = np.outer(deviations, deviations)
    found = np.divide(covariances, scale, out=np.zeros_like(scale), where=scale > 0)
    return PartMoments(
        means=MIDDLE + mixing @ np.diagonal(pairs.means()),
        deviations=deviations,
        correlations=known_correlations(np.clip(found, -1.0, 1.0)),
        units=np.where(mixing > 0, np.diagonal(pairs.units), np.inf).min(axis=1),
    )
