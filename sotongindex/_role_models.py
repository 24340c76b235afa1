"""Role models: who does already what a plan asks, and who rose from where this one stands."""

from __future__ import annotations

from typing import Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import DisclosureRules, respondents_of
from sotongindex._html import View
from sotongindex._joint import stacked
from sotongindex._plan_result import ImprovementPlan
from sotongindex._render import Rendered, prefixed, rows_view
from sotongindex._text import Language
from sotongindex.errors import MethodError
from sotongindex.percentiles import TIE_WIDTH
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates, combine


@attrs.frozen(kw_only=True, eq=False)
class RoleModels(Rendered):
    """Organizations to learn from, those within the own group first.

    Attributes:
        plan: The plan that they are models for.
        kind: "role_models" who do what the plan asks, or "risers" who did it.
        attribute: What makes the groups.
        rows: One row for each, in order.
    """

    plan: ImprovementPlan
    kind: Literal["role_models", "risers"]
    attribute: str
    rows: tuple[dict[str, object], ...]

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every role model."""
        return [dict(row) for row in self.rows]

    def _view(self, language: Language) -> View:
        return rows_view(
            self.kind,
            self.rows,
            language=language,
            study=self.plan.result.study,
            names={"where": prefixed("where", language)},
            level=self.plan.result.method.level,
        )

    def __str__(self) -> str:
        lines = [f"{len(self.rows)} organizations to learn from for {self.plan.organization}"]
        return "\n".join(
            [*lines, *(f"  {row['where']}: {row['organization']}" for row in self.rows)]
        )


def find_role_models(
    plan: ImprovementPlan,
    attribute: str = "industry",
    *,
    count: int = 3,
    rules: DisclosureRules = DisclosureRules(),  # frozen
    draws: int = 1000,
    rng: int | np.random.Generator | None = 0,
) -> RoleModels:
    r"""Find organizations that do already what a plan asks, the most similar first.

    Within the own industry and outside it, those come first that reach the planned scores of the
    most levers, and among these the nearest in profile: the root mean square difference of the
    scores of all channels and dimensions that both have. The probability that all planned scores
    are truly reached comes from draws: of many candidates, some look good by luck.

    Args:
        plan: The plan.
        attribute: What makes the own group: "industry", "sector" or another attribute.
        count: How many within and how many outside.
        rules: Who may be named: organizations with `min_respondents_compare` respondents.
        draws: How many draws; 0 for none.
        rng: A seed or generator; the same seed gives the same bytes.

    Returns:
        The role models; none where the plan raises nothing.

    Raises:
        MethodError: If `count` is below 1.
    """
    if count < 1:
        raise MethodError(f"expected 1 or more, got {count}", argument="count")
    result = plan.result
    raised = np.flatnonzero(plan.rise > TIE_WIDTH)
    place, size = result.organizations.index(plan.organization), len(result.organizations)
    asked = plan.score.values[raised] + plan.rise[raised]
    levers = [plan.levers[at] for at in raised]
    scores = [result.estimates(channel=one.channel, dimension=one.dimension) for one in levers]
    reached, sure = np.zeros(size, dtype=np.int64), np.full(size, np.nan)
    for score, least in zip(scores, asked, strict=True):
        reached += score.values >= least - TIE_WIDTH
    if draws and scores:
        drawn = stacked(scores).draws(draws, rng=rng).reshape(draws, len(scores), size)
        sure = (drawn >= asked[:, None] - TIE_WIDTH).all(axis=1).mean(axis=0)
        sure[np.isnan(drawn).any(axis=(0, 1))] = np.nan
    distance = _profile_distance(result.cells.values, place)
    usable = _usable(result, place, rules) & (reached > 0)
    order = np.lexsort((distance, -reached))
    chosen, where = _chosen(result, place, order[usable[order]], attribute=attribute, count=count)
    columns: dict[str, Any] = {
        "organization": [result.organizations[at] for at in chosen],
        "where": where,
        "reached": reached[chosen],
        "levers": [len(raised)] * len(chosen),
        "probability": sure[chosen],
        "distance": distance[chosen],
        "score": result.index.values[chosen],
        "low": result.index.low[chosen],
        "high": result.index.high[chosen],
    }
    return RoleModels(
        plan=plan, kind="role_models", attribute=attribute, rows=tuple(rows_from_columns(columns))
    )


def find_risers(
    plan: ImprovementPlan,
    before: IndexResult,
    attribute: str = "industry",
    *,
    years: float | None = None,
    near: float | None = None,
    probability: float = 0.9,
    count: int = 3,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> RoleModels:
    """Find organizations that stood where this one stands now, and rose.

    They began, in the earlier wave, within `near` points of the score that the plan starts from,
    and their rise is real with some probability; respondents that both waves share are taken into
    account. The largest rises come first. The largest of many measured rises flatter, as part of
    them is luck.

    Args:
        plan: The plan; its result is the later wave.
        before: The earlier wave.
        attribute: What makes the own group.
        years: The time between the waves, to tell how long they took and the gain of a year.
        near: How far a start may be away; None means the half width of the own interval.
        probability: How sure a rise must be.
        count: How many within and how many outside.
        rules: Who may be named.

    Returns:
        The organizations, with their start, their rise and its error, whether they reached what the
        plan aims at, and the years.

    Raises:
        MethodError: If the waves were measured by two frameworks, or a number is out of range.
    """
    for name, value in (("count", count), ("years", years), ("near", near)):
        if value is not None and not value > 0:
            raise MethodError(f"expected more than 0, got {value}", argument=name)
    result, target = plan.result, plan.gap.target
    _check_same_framework(before, result)
    now = result.estimates(channel=target.channel, dimension=target.dimension)
    then = before.estimates(channel=target.channel, dimension=target.dimension)
    place = result.organizations.index(plan.organization)
    rise, start = _rises(result, before, now, then=then)
    own = plan.gap.score
    width = float((own.high - own.low)[0] / 2) if near is None else near
    if np.isnan(width):
        raise MethodError(
            "the error of the own score is not known: say how near a start must be", argument="near"
        )
    sure = rise.probability_at_least(0.0)
    usable = _usable(result, place, rules) & (np.abs(start - own.values[0]) <= width + TIE_WIDTH)
    usable &= (rise.values > 0) & (sure >= probability)
    order = np.argsort(-rise.values, kind="stable")
    chosen, where = _chosen(result, place, order[usable[order]], attribute=attribute, count=count)
    columns: dict[str, Any] = {
        "organization": [result.organizations[at] for at in chosen],
        "where": where,
        "start": start[chosen],
        "end": now.values[chosen],
        "rise": rise.values[chosen],
        "low": rise.low[chosen],
        "high": rise.high[chosen],
        "probability": sure[chosen],
        "reached": now.values[chosen] >= plan.gap.aim.values[0] - TIE_WIDTH,
        "years": [years] * len(chosen),
        "rise_a_year": [None if years is None else float(rise.values[at] / years) for at in chosen],
    }
    return RoleModels(
        plan=plan, kind="risers", attribute=attribute, rows=tuple(rows_from_columns(columns))
    )


def _check_same_framework(before: IndexResult, result: IndexResult) -> None:
    frameworks = [one.study.framework for one in (before, result)]
    then, now = (f"{one.key} {one.version}" for one in frameworks)
    if then != now:
        raise MethodError(
            f"the waves were measured by {then} and {now}: a rise between them need not be the "
            "organization's; compare waves of one framework",
            argument="before",
        )


def _rises(
    result: IndexResult, before: IndexResult, now: Estimates, *, then: Estimates
) -> tuple[Estimates, FloatArray]:
    """Return what organizations gained between waves, (o,), and where they began."""
    known = {key: at for at, key in enumerate(before.organizations)}
    at = np.array([known.get(key, -1) for key in result.organizations])
    start = np.where(at >= 0, then.values[at], np.nan)
    size = len(at)
    back = sparse.csr_array(
        (np.where(at >= 0, -1.0, 0.0), (np.arange(size), np.maximum(at, 0))), (size, then.size)
    )
    rise = combine(
        [(now, sparse.eye_array(size, format="csr")), (then, back)], values=now.values - start
    )
    return rise, start


def _usable(result: IndexResult, place: int, rules: DisclosureRules) -> NDArray[np.bool_]:
    """Return who may be named as a model, (o,)."""
    few = respondents_of(result) < rules.min_respondents_compare
    usable: NDArray[np.bool_] = ~np.isnan(result.index.values) & ~few
    usable[place] = False
    return usable


def _profile_distance(cells: FloatArray, place: int) -> FloatArray:
    """Return the root mean square difference of cells that both have, (o,); inf without any."""
    square = (cells - cells[place]) ** 2
    count = (~np.isnan(square)).sum(axis=(1, 2))
    total = np.nan_to_num(square).sum(axis=(1, 2))
    return np.where(count > 0, np.sqrt(total / np.maximum(count, 1)), np.inf)


def _chosen(
    result: IndexResult, place: int, ordered: IntArray, *, attribute: str, count: int
) -> tuple[IntArray, list[str]]:
    """Return the first ones within and outside the own group; all outside where it is not known."""
    organizations = result.study.organizations
    own = organizations[place].attribute(attribute)
    inside = np.array([organizations[at].attribute(attribute) == own for at in ordered], dtype=bool)
    inside &= own is not None
    within, outside = ordered[inside][:count], ordered[~inside][:count]
    where = np.repeat(["within", "outside"], [len(within), len(outside)]).tolist()
    return np.concatenate([within, outside]).astype(np.int64), where
