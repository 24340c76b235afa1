"""Confidence sets for ranks: marginal, simultaneous, of the best, and in closed form."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray, IntArray, read_only
from sotongindex._rank_inputs import (
    check_count,
    covariance_matrix,
    score_vector,
    standard_errors,
)
from sotongindex._rank_sets import BoolArray, PairTests, Rng
from sotongindex._student import t_quantile
from sotongindex._validators import check_choice
from sotongindex.errors import MethodError
from sotongindex.percentiles import TIE_WIDTH, competition_rank

Side: TypeAlias = Literal["both", "lower", "upper"]


@attrs.frozen(kw_only=True, eq=False)
class RankSets:
    """Confidence sets for the ranks of n organizations. Arrays are (n,).

    Attributes:
        rank: Observed ranks, 1 is best, ties share the better.
        low: The best rank in the set.
        high: The worst rank in the set.
        level: The level of the sets.
        simultaneous: Whether the level holds for all ranks at once, or for each alone.
        side: "both"; "lower" bounds ranks only from below, "upper" only from above.
    """

    rank: IntArray = attrs.field(converter=read_only)
    low: IntArray = attrs.field(converter=read_only)
    high: IntArray = attrs.field(converter=read_only)
    level: float
    simultaneous: bool
    side: Side


def rank_confidence_sets(
    values: ArrayLike,
    covariance: ArrayLike,
    *,
    level: float = 0.95,
    simultaneous: bool = False,
    stepdown: bool = True,
    side: Side = "both",
    degrees_of_freedom: ArrayLike = np.inf,
    draws: int = 1000,
    rng: Rng = None,
) -> RankSets:
    r"""Return confidence sets for ranks, from values and their covariance.

    Organization :math:`k` is told to be better than :math:`j` where
    :math:`(x_k - x_j) / s_{jk} > c`, with :math:`s_{jk}` the standard error of the difference. The
    set of :math:`j` runs from 1 + the number told better to n - the number told worse. The critical
    value :math:`c` is the quantile of the largest such ratio that chance alone makes, in draws from
    the normal distribution with this covariance: among the pairs of :math:`j` for a marginal set,
    which holds its own rank at the level; among all pairs for simultaneous sets, which hold all
    ranks at once. Stepdown draws the maximum again without the statements already made, until
    nothing new is told.

    With few degrees of freedom :math:`\nu`, a ratio counts as the normal one of the same
    probability, after Welch: :math:`1 / \nu_{jk} = \sum_{i \in \{j, k\}} (v_i / (v_j + v_k))^2 /
    \nu_i`. A difference whose error is 0 is told, unless it is a tie. Time grows with n squared
    times the draws; for many thousands of organizations see `joint_interval_ranks`.

    Args:
        values: Scores (n,), the higher the better.
        covariance: Their covariance matrix (n, n), or the standard errors (n,) of independent ones.
        level: The level of the sets.
        simultaneous: Whether the level holds for all ranks at once, as a published league table
            needs, or for each alone, as an organization's own report needs.
        stepdown: Whether to draw again without the statements already made; sets get no larger.
        side: "both"; "lower": only the best possible rank is bounded, the set ends at n;
            "upper": only the worst, the set begins at 1.
        degrees_of_freedom: Of the errors, (n,) or one number; inf means normal.
        draws: How many draws. The critical value is known to about 0.05 from 1,000 draws and to
            0.015 from 10,000; take more for what is published.
        rng: A seed or a generator; the same seed gives the same sets.

    Returns:
        The sets; each holds the observed rank.

    Raises:
        MethodError: If a number is missing or out of range, shapes do not fit, the matrix is no
            covariance, or there are too few draws for the level.

    References:
        Mogstad, Romano, Shaikh and Wilhelm (2024), doi:10.1093/restud/rdad006.

    >>> sets = rank_confidence_sets([70.0, 62.0, 61.0, 50.0], [1.0, 1.0, 1.0, 1.0], rng=1)
    >>> sets.rank.tolist(), sets.low.tolist(), sets.high.tolist()
    ([1, 2, 3, 4], [1, 2, 2, 4], [1, 3, 3, 4])
    """
    scores = score_vector(values)
    count = len(scores)
    matrix = covariance_matrix(covariance, count)
    check_choice(side, get_args(Side), "side")
    check_level(level, draws)
    tests = PairTests.of(
        scores,
        matrix,
        freedom=_freedom(degrees_of_freedom, count),
        draws=draws,
        rng=rng,
        level=level,
        stepdown=stepdown,
    )
    better, worse = _told(tests, side=side, simultaneous=simultaneous)
    return RankSets(
        rank=competition_rank(scores).astype(np.int64),
        low=1 + better if side != "upper" else np.ones(count, dtype=np.int64),
        high=count - worse if side != "lower" else np.full(count, count),
        level=level,
        simultaneous=simultaneous,
        side=side,
    )


def tau_best(
    values: ArrayLike,
    covariance: ArrayLike,
    *,
    tau: int = 1,
    level: float = 0.95,
    stepdown: bool = True,
    degrees_of_freedom: ArrayLike = np.inf,
    draws: int = 1000,
    rng: Rng = None,
) -> BoolArray:
    """Return a set that holds all of the `tau` truly best organizations, at the level.

    They are the organizations whose simultaneous lower bound of the rank is `tau` or better.

    Args:
        values: Scores (n,), the higher the better.
        covariance: Their covariance matrix (n, n), or the standard errors (n,) of independent ones.
        tau: How many best, 1 to n.
        level: The level at which all of them are in the set.
        stepdown: As in `rank_confidence_sets`, as are the others.
        degrees_of_freedom: Of the errors.
        draws: How many draws.
        rng: A seed or a generator.

    Returns:
        Which organizations are in the set, (n,).

    Raises:
        MethodError: If `tau` is not a whole number from 1 to n, or as `rank_confidence_sets` says.

    References:
        Mogstad, Romano, Shaikh and Wilhelm (2024), doi:10.1093/restud/rdad006.

    >>> tau_best([70.0, 69.0, 50.0], [1.0, 1.0, 1.0], rng=1).tolist()
    [True, True, False]
    """
    scores = score_vector(values)
    check_count(tau, "tau", most=len(scores))
    sets = rank_confidence_sets(
        scores,
        covariance,
        level=level,
        simultaneous=True,
        stepdown=stepdown,
        side="lower",
        degrees_of_freedom=degrees_of_freedom,
        draws=draws,
        rng=rng,
    )
    return sets.low <= tau


def tau_worst(
    values: ArrayLike,
    covariance: ArrayLike,
    *,
    tau: int = 1,
    level: float = 0.95,
    stepdown: bool = True,
    degrees_of_freedom: ArrayLike = np.inf,
    draws: int = 1000,
    rng: Rng = None,
) -> BoolArray:
    """Return a set that holds all of the `tau` truly worst organizations; see `tau_best`.

    >>> tau_worst([70.0, 69.0, 50.0], [1.0, 1.0, 1.0], rng=1).tolist()
    [False, False, True]
    """
    return tau_best(
        -score_vector(values),
        covariance,
        tau=tau,
        level=level,
        stepdown=stepdown,
        degrees_of_freedom=degrees_of_freedom,
        draws=draws,
        rng=rng,
    )


def joint_interval_ranks(
    values: ArrayLike,
    standard_error: ArrayLike,
    *,
    level: float = 0.95,
    degrees_of_freedom: ArrayLike = np.inf,
) -> RankSets:
    r"""Return simultaneous confidence sets for ranks in closed form, for very many organizations.

    Intervals :math:`x_j \pm z\, s_j` at the level :math:`(1 - \alpha)^{1/n}` each hold all true
    scores at once, whatever the covariance (Sidak). Organizations whose intervals do not meet are
    told apart. Time grows with n log n; sets are wider than those of `rank_confidence_sets`.

    Args:
        values: Scores (n,), the higher the better.
        standard_error: Their standard errors, (n,).
        level: The level at which all ranks are in their sets.
        degrees_of_freedom: Of the errors, (n,) or one number; inf means normal.

    Returns:
        The sets; each holds the observed rank.

    Raises:
        MethodError: If a number is missing or out of range, or shapes do not fit.

    References:
        Klein, Wright and Wieczorek (2020), doi:10.1111/rssa.12402. Sidak (1967),
        doi:10.1080/01621459.1967.10482935.

    >>> sets = joint_interval_ranks([70.0, 62.0, 61.0, 50.0], [1.0, 1.0, 1.0, 1.0])
    >>> sets.low.tolist(), sets.high.tolist()
    ([1, 2, 2, 4], [1, 3, 3, 4])
    """
    scores = score_vector(values)
    count = len(scores)
    errors = standard_errors(standard_error, count)
    check_level(level)
    # -expm1(log(level) / n) is 1 - level^(1/n), exact for large n too.
    outside = -math.expm1(math.log(level) / count)
    margin = -t_quantile(_freedom(degrees_of_freedom, count), outside / 2) * errors
    low, high = scores - margin, scores + margin
    better = count - np.searchsorted(np.sort(low), high + TIE_WIDTH, side="right")
    worse = count - np.searchsorted(np.sort(-high), -low + TIE_WIDTH, side="right")
    return RankSets(
        rank=competition_rank(scores).astype(np.int64),
        low=1 + better,
        high=count - worse,
        level=level,
        simultaneous=True,
        side="both",
    )


def rank_bounds_of_draws(scores: FloatArray, *, level: float) -> tuple[IntArray, IntArray]:
    """Return the ends of the marginal rank sets, (n,) both, of scores drawn jointly, (n, draws).

    The draws take the place of the normal ones of `rank_confidence_sets`: their mean is what is
    told, and their differences from it are what chance makes.
    """
    if len(scores) < 2:
        return np.ones(len(scores), dtype=np.int64), np.ones(len(scores), dtype=np.int64)
    tests = PairTests.of_draws(scores, level=level, stepdown=True)
    better, worse = _told(tests, side="both", simultaneous=False)
    return 1 + better, len(scores) - worse


def _told(tests: PairTests, *, side: Side, simultaneous: bool) -> tuple[IntArray, IntArray]:
    """Return how many organizations are told to be better and worse than each, (n,) both."""
    count = len(tests.ratios)
    rows = np.arange(count)
    if simultaneous:
        # All pairs in both directions are one family, each pair taken once.
        pairs = np.triu(np.ones((count, count), dtype=bool), 1)
        up, down = tests.tell(rows, pairs, pairs)
        return up.sum(axis=1) + down.sum(axis=0), down.sum(axis=1) + up.sum(axis=0)
    better, worse = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    if side == "upper":  # as "lower" of the reversed scale
        tests = attrs.evolve(tests, draws=-tests.draws)
    for row in rows:
        others = (rows != row)[None, :]
        up = others if side != "upper" else np.zeros_like(others)
        down = others if side != "lower" else np.zeros_like(others)
        told_up, told_down = tests.tell(rows[row : row + 1], up, down)
        better[row], worse[row] = told_up.sum(), told_down.sum()
    return better, worse


def check_level(level: float, draws: int | None = None, *, argument: str = "draws") -> None:
    """Check a level, and that there are draws enough for it."""
    if not 0 < level < 1:
        raise MethodError(f"expected a share between 0 and 1, got {level}", argument="level")
    if draws is not None and not draws * (1 - level) >= 1 - 1e-9:
        raise MethodError(
            f"expected at least {math.ceil(1 / (1 - level) - 1e-9)} {argument} for a level of "
            f"{level}, got {draws}",
            argument=argument,
        )


def _freedom(degrees_of_freedom: ArrayLike, count: int) -> FloatArray:
    """Return degrees of freedom, (n,)."""
    given = np.asarray(degrees_of_freedom, dtype=np.float64)
    if given.shape not in {(), (count,)} or not (given > 0).all():
        raise MethodError(
            f"expected positive numbers, one or {count}, got the shape {given.shape} with "
            f"{int((~(given > 0)).sum())} that are not positive",
            argument="degrees_of_freedom",
        )
    return np.broadcast_to(given, (count,))
