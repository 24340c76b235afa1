"""Importance weights: how much a channel, a dimension or an item counts in the index.

Weights may be equal, fixed, made of what judges said (points of a budget, points for swings, an
order, pairwise comparisons, comparisons with the best and the worst), or learned from the scores of
organizations (entropy, CRITIC, deviation, factors). Whom a respondent stands
for is another matter; that lives in `calibration`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sotongindex._arrays import FloatArray, read_only
from sotongindex._benefit_of_the_doubt import BenefitOfTheDoubt, benefit_of_the_doubt
from sotongindex._best_worst import BestWorstDiagnostics, BestWorstWeights
from sotongindex._direct_weights import BudgetWeights, RankMethod, RankOrderWeights, SwingWeights
from sotongindex._dispersion_weights import (
    CriticDiagnostics,
    CriticWeights,
    DeviationDiagnostics,
    DeviationWeights,
    EntropyDiagnostics,
    EntropyWeights,
)
from sotongindex._evidence import Evidence
from sotongindex._factor_weights import FactorDiagnostics, FactorWeights
from sotongindex._importance import ImportanceWeights, LearnedWeights, WeightLevel
from sotongindex._judgements import Agreement, amounts_for, check_sum
from sotongindex._labels import pairs_of
from sotongindex._learning import LearningRule, PartMoments
from sotongindex._outcome_weights import OutcomeDiagnostics, OutcomeWeights
from sotongindex._pairwise import PairwiseDiagnostics, PairwiseWeights, Reconsideration
from sotongindex._pairwise_matrix import PairwiseConsistency, PairwiseMethod, RandomIndex
from sotongindex._share_limits import ShareLimits
from sotongindex._validators import are_known, is_positive, number_of
from sotongindex.errors import DefinitionError
from sotongindex.models import Framework

__all__ = [
    "Agreement",
    "BenefitOfTheDoubt",
    "BestWorstDiagnostics",
    "BestWorstWeights",
    "BudgetWeights",
    "CriticDiagnostics",
    "CriticWeights",
    "DeviationDiagnostics",
    "DeviationWeights",
    "EntropyDiagnostics",
    "EntropyWeights",
    "EqualWeights",
    "FactorDiagnostics",
    "FactorWeights",
    "FixedWeights",
    "ImportanceWeights",
    "LearnedWeights",
    "OutcomeDiagnostics",
    "OutcomeWeights",
    "PairwiseConsistency",
    "PairwiseDiagnostics",
    "PairwiseMethod",
    "PairwiseWeights",
    "PartMoments",
    "RandomIndex",
    "RankMethod",
    "RankOrderWeights",
    "Reconsideration",
    "Rule",
    "ShareLimits",
    "SwingWeights",
    "WeightingScheme",
    "benefit_of_the_doubt",
]


@attrs.frozen(kw_only=True)
class EqualWeights:
    """Every part counts the same.

    >>> EqualWeights().shares(["blog", "facebook"])
    (0.5, 0.5)
    """

    def shares(self, keys: Sequence[str]) -> tuple[float, ...]:
        """Return one share for each of `keys`; they sum to 1."""
        return (1.0 / len(keys),) * len(keys)


def _weights(
    value: Mapping[str, float] | Iterable[tuple[str, float]],
) -> tuple[tuple[str, float], ...]:
    return pairs_of(value)


@attrs.frozen
class FixedWeights:
    """Weights that somebody decided or published.

    Weights add up to `total`, so that a mistyped one is noticed: 1 for shares, 100 for per cent.
    For items the weights of every dimension add up to `total`.

    Attributes:
        weights: A non-negative number for every key.
        total: What they add up to, within 1e-6 of it.

    Raises:
        DefinitionError: If a weight is negative or not finite, or `total` is not positive.

    >>> FixedWeights({"blog": 60, "app": 40}, total=100).shares(["app", "blog"])
    (0.4, 0.6)
    """

    weights: tuple[tuple[str, float], ...] = attrs.field(converter=_weights)
    total: float = attrs.field(default=1.0, kw_only=True, validator=is_positive)

    def __attrs_post_init__(self) -> None:
        for key, weight in self.weights:
            if not 0 <= number_of(weight) < math.inf:
                raise DefinitionError(
                    f"expected a number of 0 or more for {key!r}, got {weight!r}",
                    field=f"FixedWeights.weights[{key}]",
                    key=weight,
                )
        if len(dict(self.weights)) != len(self.weights):
            raise DefinitionError("a key is used twice", field="FixedWeights.weights")

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that have a weight."""
        return tuple(key for key, _ in self.weights)

    def shares(self, keys: Sequence[str]) -> tuple[float, ...]:
        """Return one share for each of `keys`; they sum to 1.

        Raises:
            DefinitionError: If a key has no weight, or the weights do not add up to `total`.
        """
        chosen = amounts_for(keys, self.weights, field="FixedWeights.weights", what="weight")
        check_sum(chosen, self.total, field="FixedWeights.weights", keys=keys)
        # Divided by their own sum, so that shares add up to 1 to the last digit.
        return tuple((chosen / math.fsum(chosen)).tolist())


Rule: TypeAlias = (
    EqualWeights
    | FixedWeights
    | BudgetWeights
    | SwingWeights
    | RankOrderWeights
    | PairwiseWeights
    | BestWorstWeights
    | EntropyWeights
    | CriticWeights
    | DeviationWeights
    | FactorWeights
    | OutcomeWeights
)
_Place: TypeAlias = tuple[WeightLevel, str | None]


def _by_channel(
    value: Rule | Mapping[str, Rule] | Iterable[tuple[str, Rule]],
) -> Rule | tuple[tuple[str, Rule], ...]:
    return value if isinstance(value, Rule) else pairs_of(value)


@attrs.frozen(kw_only=True)
class WeightingScheme:
    """How much channels, dimensions and items count.

    One rule for the dimensions serves every channel; where a channel lacks some dimensions, the
    others share their weight in proportion. A mapping from channel keys to rules lets the
    dimensions differ by channel; each rule then names the dimensions asked there and no others.

    Attributes:
        channels: The rule for channels within the index.
        dimensions: The rule for dimensions within a channel, or one for every channel.
        items: The rule for items within a dimension.

    >>> WeightingScheme(dimensions=FixedWeights({"openness": 0.6, "usefulness": 0.4})).items
    EqualWeights()
    """

    channels: Rule = EqualWeights()
    dimensions: Rule | tuple[tuple[str, Rule], ...] = attrs.field(
        default=EqualWeights(), converter=_by_channel
    )
    items: Rule = EqualWeights()

    @property
    def rules(self) -> tuple[tuple[WeightLevel, str | None, Rule], ...]:
        """Every rule with its level and, where every channel has its own, channel; bottom up."""
        dimensions = self.dimensions
        return (
            ("items", None, self.items),
            *(
                (("dimensions", channel, rule) for channel, rule in dimensions)
                if isinstance(dimensions, tuple)
                else (("dimensions", None, dimensions),)
            ),
            ("channels", None, self.channels),
        )

    @property
    def learns(self) -> bool:
        """Whether a rule learns its weights from scores."""
        return any(isinstance(rule, LearningRule) for _, _, rule in self.rules)

    def check(self, framework: Framework) -> None:
        """Check what can be checked of the scheme without scores.

        Raises:
            DefinitionError: If a rule names an unknown key, lacks a key, or does not add up.
        """
        _weights_of(_awaiting(self), framework)
        for _, _, rule in self.rules:
            if isinstance(rule, OutcomeWeights):
                rule.dimension(framework)

    def resolve(
        self,
        framework: Framework,
        *,
        items: ArrayLike | None = None,
        cells: ArrayLike | None = None,
        evaluations: ArrayLike | None = None,
        powers: tuple[float, float] = (1.0, 1.0),
        min_share: float = 0.0,
    ) -> ImportanceWeights:
        """Return the weights as arrays for `framework`.

        Rules that learn need scores. They learn from the bottom up, because the scores of a level
        are made with the weights of the level below: items within their dimension, then
        dimensions, then channels. Where one rule serves all channels, it learns from every
        organization's mean over its channels. The same scores always give the same weights.

        Args:
            framework: What is measured.
            items: Scores of items, (o, c, i), for rules that learn; NaN where missing, and on
                channels that the organization does not operate.
            cells: Scores of dimensions, (o, c, d), where there are none of items.
            evaluations: How many evaluations the scores rest on, (o, c), for rules that count
                respondents.
            powers: The powers of the means over items and over dimensions.
            min_share: The least share of weight that must be present in a mean.

        Raises:
            DefinitionError: If a rule names an unknown key, lacks a key, or does not add up, or if
                a rule that learns has no scores to learn from.
            MethodError: If the scores do not fit the framework or the rule.

        >>> from sotongindex.presets import scsi_2017
        >>> scheme = WeightingScheme(channels=EntropyWeights())
        >>> cells = np.full((2, 3, 6), 50.0)  # two organizations, three channels, six dimensions
        >>> cells[1, 0] = 80
        >>> scheme.resolve(scsi_2017().framework, cells=cells).channels.tolist()
        [1.0, 0.0, 0.0]
        """
        evidence = Evidence.of(
            framework,
            items=items,
            cells=cells,
            evaluations=evaluations,
            powers=powers,
            min_share=min_share,
        )
        learned: tuple[LearnedWeights, ...] = ()
        for level, channel, rule in self.rules:
            if isinstance(rule, LearningRule):
                below = _weights_of(_awaiting(self.fixed(learned)), framework)
                learned += evidence.learn(rule, level, channel=channel, below=below)
        return attrs.evolve(_weights_of(self.fixed(learned), framework), learned=learned)

    def fixed(self, learned: Iterable[LearnedWeights]) -> WeightingScheme:
        """Return the scheme with fixed weights in place of those that were learned.

        So the next wave can be computed with the weights of this one:
        ``scheme.fixed(result.weights.learned)``.

        Args:
            learned: What was learned; rules of which it does not tell stay as they are.
        """
        found: dict[_Place, dict[str, float]] = {}
        for one in learned:
            weights = zip(one.keys, one.diagnostics.weights.tolist(), strict=True)
            found.setdefault((one.level, one.channel), {}).update(weights)
        return _replaced(self, {place: FixedWeights(weights) for place, weights in found.items()})


def _replaced(scheme: WeightingScheme, rules: Mapping[_Place, Rule]) -> WeightingScheme:
    """Return the scheme with other rules in some places."""
    new = {(level, channel): rule for level, channel, rule in scheme.rules} | dict(rules)
    by_channel = {channel: rule for (_, channel), rule in new.items() if channel is not None}
    return WeightingScheme(
        channels=new["channels", None],
        dimensions=by_channel or new["dimensions", None],
        items=new["items", None],
    )


def _awaiting(scheme: WeightingScheme) -> WeightingScheme:
    """Return the scheme with equal weights in place of what is still to be learned."""
    return _replaced(
        scheme,
        {
            (level, channel): EqualWeights()
            for level, channel, rule in scheme.rules
            if isinstance(rule, LearningRule)
        },
    )


def _weights_of(scheme: WeightingScheme, framework: Framework) -> ImportanceWeights:
    """Return the weights of a scheme that has nothing to learn."""
    asked = np.array(framework.asked)
    dimension_of = np.array(framework.item_dimensions)
    measured = np.stack(
        [asked[:, dimension_of == d].any(axis=1) for d in range(len(framework.dimensions))], 1
    )
    _no_strangers(scheme.channels, framework.channel_keys, field="WeightingScheme.channels")
    _no_strangers(scheme.items, framework.item_keys, field="WeightingScheme.items")
    items = np.zeros(len(framework.items))
    for d in range(len(framework.dimensions)):
        columns = np.flatnonzero(dimension_of == d)
        items[columns] = scheme.items.shares([framework.item_keys[i] for i in columns])
    return ImportanceWeights(
        channels=read_only(np.array(scheme.channels.shares(framework.channel_keys))),
        dimensions=read_only(_dimension_weights(scheme.dimensions, framework, measured)),
        items=read_only(_within_dimensions(items * asked, dimension_of)),
    )


def _dimension_weights(
    rule: Rule | tuple[tuple[str, Rule], ...], framework: Framework, measured: NDArray[np.bool_]
) -> FloatArray:
    """Return the share of every dimension in every channel, (c, d)."""
    keys, channels = framework.dimension_keys, framework.channel_keys
    field = "WeightingScheme.dimensions"
    weights = np.zeros(measured.shape)
    if not isinstance(rule, tuple):
        _no_strangers(rule, keys, field=field)
        weights = np.array(rule.shares(keys)) * measured
        empty = weights.sum(axis=1) == 0
        if empty.any():
            channel = channels[int(np.flatnonzero(empty)[0])]
            raise DefinitionError(
                f"every dimension asked of channel {channel!r} has weight 0", field=field
            )
        normalized: FloatArray = weights / weights.sum(axis=1, keepdims=True)
        return normalized
    rules = dict(rule)
    are_known(rules, channels, field=field, what="channel")
    for position, channel in enumerate(channels):
        if channel not in rules:
            raise DefinitionError(f"no rule for channel {channel!r}", field=field, key=channel)
        present = np.flatnonzero(measured[position])
        names = [keys[d] for d in present]
        _no_strangers(rules[channel], names, field=f"{field}[{channel}]")
        weights[position, present] = rules[channel].shares(names)
    return weights


def _within_dimensions(items: FloatArray, dimension_of: NDArray[np.integer[Any]]) -> FloatArray:
    """Scale item weights (c, i) so that they sum to 1 within every dimension and channel."""
    sums = np.stack([items[:, dimension_of == d].sum(axis=1) for d in dimension_of], axis=1)
    shares: FloatArray = np.divide(items, sums, out=np.zeros_like(items), where=sums > 0)
    return shares


def _no_strangers(rule: Rule, known: Sequence[str], *, field: str) -> None:
    if not isinstance(rule, EqualWeights | LearningRule):
        are_known(rule.keys, known, field=field, what="key")
