"""How much scores and ranks depend on what was chosen, and on who was asked.

An index rests on choices that could have been others: weights, powers, the rule for what is
missing, what is measured at all. And it rests on a sample. Both are varied, alone and together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

import numpy as np
from attrs import fields
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray
from sotongindex._choices import (
    AnyWeights,
    Choice,
    ConversionOptions,
    DropOne,
    MethodField,
    MethodOptions,
    Part,
    Sampling,
    SchemeOptions,
    WeightSpread,
)
from sotongindex._confidence_sets import check_level, rank_bounds_of_draws
from sotongindex._disclosure import DisclosureRules, Reasons, Subject
from sotongindex._effective_importance import EffectiveImportance, effective_importance
from sotongindex._left_out import left_out_notices, unusable
from sotongindex._posterior_ranks import Prior
from sotongindex._rank_inputs import check_count
from sotongindex._rank_sets import Rng
from sotongindex._robustness_result import Output, RobustnessResult, Sensitivity
from sotongindex._run_ranks import run_quantiles
from sotongindex._runs import Runs, run_designs
from sotongindex._scenarios import Scenarios, droppable
from sotongindex._shrunken import scattered
from sotongindex._sobol import SobolIndices, sobol_indices
from sotongindex._starts import has_items, ladder_of, starts_of
from sotongindex._validators import check_choice
from sotongindex.errors import MethodError
from sotongindex.percentiles import competition_rank
from sotongindex.responses import Responses
from sotongindex.results import IndexResult, Notice
from sotongindex.shrinkage import shrink

__all__ = [
    "AnyWeights",
    "Choice",
    "ConversionOptions",
    "DropOne",
    "EffectiveImportance",
    "MethodField",
    "MethodOptions",
    "Output",
    "Part",
    "RobustnessResult",
    "Sampling",
    "SchemeOptions",
    "Sensitivity",
    "SobolIndices",
    "WeightSpread",
    "assess_robustness",
    "effective_importance",
]


def assess_robustness(
    result: IndexResult,
    choices: Choice | Iterable[Choice],
    *,
    answers: Responses | None = None,
    runs: int = 1000,
    sensitivity: bool = True,
    prior: Prior = "normal",
    level: float | None = None,
    rng: Rng = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> RobustnessResult:
    r"""Compute the index again and again, each time with other choices, or another sample.

    Every run draws all choices at once, independently of each other, and computes the whole index
    anew. The interval of a score runs between quantiles over the runs. So does that of a rank,
    as long as the scores are taken as exact.

    With `Sampling` among the choices, quantiles of ranks would say too much and too little: the
    observed scores already hold one sampling error, and a run adds another. So the interval of a
    rank is then a confidence set. Organization :math:`k` is told to be better than :math:`j` where
    the difference of their mean scores exceeds :math:`c` times its standard deviation over the
    runs; :math:`c` is the quantile of the largest such ratio among all differences with :math:`j`,
    in the runs themselves. It holds the true rank under a method drawn like those of the runs. Time
    then grows with the square of the organizations.

    Which choice matters is told by Sobol indices: the first-order index is the share of the
    variance that goes away, on average, when one choice is settled; the total index is the share
    that stays when all the others are. They need one more round of runs for every choice and one
    for all. Runs are points of a randomized Halton sequence; sampling errors are drawn at random.

    Args:
        result: The recorded result, from answers, a tally, published scores or a blend. Published
            scores start from dimensions: they have no items.
        choices: What is varied, one choice or several.
        answers: The responses that the result was made from; needed to vary the conversion and the
            order of averaging.
        runs: How many runs, 2 or more.
        sensitivity: Whether Sobol indices are computed.
        prior: Under `Sampling`, what is assumed of true scores before ranks are drawn: "normal" or
            "flat"; see `ranking.posterior_ranks`.
        level: The level of the intervals; None means that of the result.
        rng: A seed or a generator; the same seed gives the same bytes.
        rules: What may be shown: organizations with fewer than `min_respondents_compare`
            respondents are left out.

    Returns:
        The distribution of scores and ranks. Left out, with a notice, are organizations without a
        score and, where respondents are varied, those whose error is not known.

    Raises:
        DefinitionError: If a scheme does not fit the framework, or a conversion a scale.
        MethodError: If there is no choice, two choices vary the same thing, a choice needs answers
            or items that there are not, a level has only one part to leave out, the index is not
            made of its parts, or a number is out of range.

    References:
        Saisana, Saltelli and Tarantola (2005), doi:10.1111/j.1467-985X.2005.00350.x. Sobol indices:
        Saltelli et al. (2010), doi:10.1016/j.cpc.2009.09.018. Rank sets: Mogstad, Romano, Shaikh
        and Wilhelm (2024), doi:10.1093/restud/rdad006.

    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.index import compute_index
    >>> result = compute_index(sample_panel(rng=1).responses)
    >>> spread = WeightSpread(level="channels", spread=0.25)
    >>> robust = assess_robustness(result, spread, runs=100, sensitivity=False, rng=1)
    >>> robust.scores.shape, bool((robust.rank_low <= robust.rank_high)[robust.reasons == ""].all())
    ((100, 312), True)
    """
    check_choice(prior, get_args(Prior), "prior")
    varied = _checked_choices(choices, result)
    width = result.method.level if level is None else level
    sampled = any(isinstance(one, Sampling) for one in varied)
    _check_runs(runs, width, sampled=sampled)
    ladder = ladder_of(result)
    starts = starts_of(result, varied, answers, ladder=ladder)
    reasons = _reasons(result, rules, sampled=sampled)
    used = reasons == ""
    random = np.random.default_rng(rng)
    designs = run_designs(
        Scenarios.of(result, varied, starts, ladder=ladder),
        runs,
        used=used,
        reliability=_reliability(result, used) if sampled and prior == "normal" else None,
        mixed=sensitivity,
        rng=random,
    )
    drivers = None
    if sensitivity:
        indices = _indices(designs, used, level=width, rng=random)
        drivers = Sensitivity(study=result.study, choices=varied, level=width, **indices)
    return RobustnessResult(
        result=result,
        choices=varied,
        **{field.name: _whole(getattr(designs[0], field.name), used) for field in fields(Runs)},
        rank=scattered(competition_rank(result.index.values[used]), used),
        **_intervals(designs[0], result, used, sampled=sampled, level=width),
        level=width,
        sensitivity=drivers,
        reasons=reasons,
        notices=(
            *left_out_notices(result, reasons, rules),
            *_missing_notices(result, used, designs[0].scores),
        ),
    )


# -- what is asked ---------------------------------------------------------------------------------


def _check_runs(runs: int, level: float, *, sampled: bool) -> None:
    """Check the number of runs: two have a spread, and a rank set needs as many as its level."""
    check_count(runs, "runs")
    if runs < 2:
        raise MethodError(f"expected 2 or more, got {runs}", argument="runs")
    check_level(level, runs if sampled else None, argument="runs")


def _checked_choices(choices: Choice | Iterable[Choice], result: IndexResult) -> tuple[Choice, ...]:
    """Return the choices, which vary something each, and that only once."""
    varied = (choices,) if isinstance(choices, Choice) else tuple(choices)
    if not varied:
        raise MethodError(
            'expected one choice or more, got none; try WeightSpread(level="dimensions")',
            argument="choices",
        )
    seen: set[str] = set()
    for choice in varied:
        if not isinstance(choice, Choice):
            raise MethodError(
                f"expected choices such as WeightSpread or Sampling, got {choice!r}",
                argument="choices",
            )
        if choice.key in seen:
            raise MethodError(
                f"{choice.key!r} is varied by two choices; give one", argument="choices"
            )
        seen.add(choice.key)
        _check_possible(choice, result)
    return varied


def _check_possible(choice: Choice, result: IndexResult) -> None:
    """Check that the result has what the choice varies."""
    of_items = isinstance(choice, ConversionOptions) or choice.key.endswith("items")
    if not has_items(result) and (of_items or choice.key in {"order", "min_answers"}):
        raise MethodError(
            f"a result from {result.source} starts from dimensions and has no items to vary "
            f"({choice.key}); use the level "
            '"dimensions" or "channels"',
            argument="choices",
        )
    if isinstance(choice, DropOne) and len(droppable(result.weights, choice.level)) < 2:
        raise MethodError(
            f"only one of the {choice.level} has weight; leaving it out leaves nothing",
            argument="choices",
        )


def _reasons(result: IndexResult, rules: DisclosureRules, *, sampled: bool) -> Reasons:
    """Return why organizations are left out; an error that is not needed may be unknown."""
    subject, least = Subject.of(result, None, None), rules.min_respondents_compare
    return unusable(subject, least) if sampled else subject.reasons(least)


def _reliability(result: IndexResult, used: NDArray[np.bool_]) -> FloatArray:
    """Return the reliability of every index that is used, (used,)."""
    values, errors = result.index.values[used], result.index.standard_error[used]
    return shrink(values, errors).reliability if len(values) > 1 else np.ones(len(values))


# -- what comes out --------------------------------------------------------------------------------


def _intervals(
    runs: Runs,
    result: IndexResult,
    used: NDArray[np.bool_],
    *,
    sampled: bool,
    level: float,
) -> dict[str, FloatArray]:
    """Return medians and intervals of scores and ranks, (o,)."""
    tail = (1 - level) / 2
    probabilities = [tail, 0.5, 1 - tail]
    scores = run_quantiles(runs.scores, probabilities)
    score_low, score_median, score_high = np.clip(scores, result.index.lower, result.index.upper)
    rank_low, rank_median, rank_high = run_quantiles(runs.ranks, probabilities, whole=True)
    if sampled:
        whole = np.asarray(~np.isnan(runs.scores).any(axis=0))
        count = len(whole)
        # Whoever has no score in some runs is told from nobody.
        rank_low, rank_high = np.ones(count), np.full(count, float(count))
        low, high = rank_bounds_of_draws(runs.scores[:, whole].T, level=level)
        rank_low[whole], rank_high[whole] = low, high + (count - whole.sum())
    columns = {
        "score_median": score_median,
        "score_low": score_low,
        "score_high": score_high,
        "rank_median": rank_median,
        "rank_low": rank_low,
        "rank_high": rank_high,
    }
    return {name: scattered(values, used) for name, values in columns.items()}


def _indices(
    designs: Sequence[Runs],
    used: NDArray[np.bool_],
    *,
    level: float,
    rng: np.random.Generator,
) -> dict[str, SobolIndices]:
    """Return the indices of scores and ranks, for all and for each that always has a score."""
    whole = ~np.any([np.isnan(design.scores).any(axis=0) for design in designs], axis=0)
    places = np.flatnonzero(used)[whole]
    result = {}
    for name in ("scores", "ranks"):
        base, other, *mixed = (getattr(design, name)[:, whole] for design in designs)
        seed = int(rng.integers(2**63))
        for together in (True, False):
            found = sobol_indices(
                base,
                other,
                mixed,
                level=level,
                rng=np.random.default_rng(seed),
                together=together,
            )
            result[name if together else f"organization_{name}"] = (
                found if together else found.scattered(places, len(used))
            )
    return result


def _missing_notices(
    result: IndexResult, used: NDArray[np.bool_], scores: FloatArray
) -> list[Notice]:
    """Say who has no score in some runs."""
    missing = np.isnan(scores).any(axis=0)
    if not missing.any():
        return []
    keys = np.array(result.organizations)[used][missing]
    message = (
        f"{missing.sum()} organizations have no score in some runs: their distributions are of the "
        "other runs, and they have no Sobol indices"
    )
    return [Notice(code="missing in some runs", message=message, keys=tuple(keys.tolist()))]


def _whole(values: FloatArray, used: NDArray[np.bool_]) -> FloatArray:
    """Return columns at the places that are used, NaN elsewhere."""
    whole = np.full((len(values), len(used)), np.nan)
    whole[:, used] = values
    whole.flags.writeable = False  # large enough not to be copied again
    return whole
