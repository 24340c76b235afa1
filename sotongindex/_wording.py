"""The method in words: what was done between answers and index, in sentences for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sotongindex._judgements import JudgedRule
from sotongindex._learning import LearningRule
from sotongindex._text import Language, number, say
from sotongindex.method import IndexMethod, Powers
from sotongindex.models import Channel, Dimension, Framework, Scale
from sotongindex.variance import (
    BalancedRepeatedReplication,
    Bootstrap,
    GroupJackknife,
    Jackknife,
    Linearization,
    ReplicateWeights,
    VarianceMethod,
)
from sotongindex.weighting import (
    BestWorstWeights,
    BudgetWeights,
    CriticWeights,
    DeviationWeights,
    EntropyWeights,
    EqualWeights,
    FactorWeights,
    LearnedWeights,
    OutcomeWeights,
    PairwiseWeights,
    RankOrderWeights,
    Rule,
    SwingWeights,
    WeightingScheme,
)

__all__ = ["method_sentences"]

_MOST_WEIGHTS = 12
_JUDGED: Mapping[type[JudgedRule], str] = {
    BestWorstWeights: "best_worst",
    BudgetWeights: "budget",
    PairwiseWeights: "pairwise",
    RankOrderWeights: "rank_order",
    SwingWeights: "swing",
}
_LEARNED: Mapping[type[LearningRule], str] = {
    CriticWeights: "critic",
    DeviationWeights: "deviation",
    EntropyWeights: "entropy",
    FactorWeights: "factor",
    OutcomeWeights: "outcome",
}


def method_sentences(
    framework: Framework,
    scheme: WeightingScheme,
    method: IndexMethod,
    *,
    learned: Sequence[LearnedWeights] = (),
    source: str,
    language: Language,
) -> list[str]:
    """Return how the index was made, one sentence a step.

    Args:
        framework: What was measured.
        scheme: How parts count.
        method: How scores are averaged.
        learned: The weights that rules learned from the scores.
        source: What the result was made from: "answers", "tally", "scores" or "blend".
        language: The language.
    """
    measured = source in ("answers", "tally")
    sentences = [say(f"method.source.{source}", language)]
    if measured:
        sentences += _scales([item.scale for item in framework.items], language)
        sentences.append(say(f"method.order.{method.order}", language))
    sentences.append(_means(method.power, language))
    told = scheme.fixed(learned)
    sentences.append(_weights("channels", told.channels, framework.channels, language=language))
    if isinstance(told.dimensions, tuple):
        sentences.append(say("method.weights.dimensions.by_channel", language))
    else:
        sentences.append(
            _weights("dimensions", told.dimensions, framework.dimensions, language=language)
        )
    sentences += _origins(scheme, language)
    share = f"{number(100 * method.min_share, 0)}%"
    sentences += [
        say("method.min_share", language, share=share),
        say(f"method.absent.{method.absent_channels}", language),
        _errors(method, language, measured=measured),
    ]
    return sentences


def _scales(scales: Sequence[Scale], language: Language) -> list[str]:
    return [
        say(
            f"method.conversion.{scale.conversion}",
            language,
            low=f"{scale.low:g}",
            high=f"{scale.high:g}",
            boxes=scale.boxes,
        )
        for scale in dict.fromkeys(scales)
    ]


def _means(powers: Powers, language: Language) -> str:
    each = [_mean(power, language) for power in (powers.items, powers.dimensions, powers.channels)]
    if len(set(each)) == 1:
        return say("method.mean", language, mean=each[0])
    return say("method.means", language, items=each[0], dimensions=each[1], channels=each[2])


def _mean(power: float, language: Language) -> str:
    named = {1.0: "arithmetic", 0.0: "geometric", -1.0: "harmonic"}.get(power)
    return say(f"mean.{named}" if named else "mean.power", language, power=f"{power:g}")


def _weights(
    what: str, rule: Rule, parts: Sequence[Channel | Dimension], *, language: Language
) -> str:
    if isinstance(rule, EqualWeights):
        return say(f"method.weights.{what}.equal", language)
    if len(parts) > _MOST_WEIGHTS:
        return say(f"method.weights.{what}.fixed", language)
    named = zip(parts, rule.shares([part.key for part in parts]), strict=True)
    shares = ", ".join(f"{part.name(language)} {number(100 * share)}%" for part, share in named)
    return say(f"method.weights.{what}.shares", language, shares=shares)


def _origins(scheme: WeightingScheme, language: Language) -> list[str]:
    """Return where weights come from, one sentence for every level and rule."""
    sentences = []
    for level, _, rule in scheme.rules:
        if isinstance(rule, LearningRule):
            way = say(f"learned.{_LEARNED[type(rule)]}", language)
            sentences.append(say(f"method.learned.{level}", language, way=way))
        elif isinstance(rule, JudgedRule):
            way = say(f"method.judged.{_JUDGED[type(rule)]}", language)
            judges = len(rule.judges)
            sentences.append(say(f"method.judged.{level}", language, way=way, judges=judges))
    return list(dict.fromkeys(sentences))


def _errors(method: IndexMethod, language: Language, *, measured: bool) -> str:
    way, facts = _way_to_errors(method.variance) if measured else ("given", {})
    return say(f"method.errors.{way}", language, level=f"{100 * method.level:g}%", **facts)


def _way_to_errors(variance: VarianceMethod) -> tuple[str, dict[str, object]]:
    """Return the name of a way to errors, and what there is to say about it."""
    match variance:
        case Linearization(correction=correction):
            return correction, {}
        case GroupJackknife(groups=groups):
            return "jackknife", {"groups": groups}
        case Jackknife():
            return "clusters", {}
        case BalancedRepeatedReplication():
            return "balanced", {}
        case Bootstrap(replicates=replicates, kind=kind):
            return "bootstrap", {"count": replicates, "kind": kind}
        case ReplicateWeights(columns=columns):
            return "supplied", {"count": len(columns)}
