"""Standing: the percentile rank of every organization, with all that is not known about it.

Two errors make a percentile uncertain. The scores are estimates, the organization's own and its
peers'; and the peers are a finite number, a sample of the field one would like to compare with.
Both are told apart, and together.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import (
    DisclosureRules,
    Reasons,
    Subject,
    attribute_notices,
    first_of,
    peer_reasons,
    respondent_notices,
    shown,
)
from sotongindex._html import View
from sotongindex._peer_assignment import PeerAssignment, group_names_of, peer_sets_of
from sotongindex._peers import Peers, PeerSets, Placement
from sotongindex._render import Rendered, notice_words, peers_words, study_facts, study_names
from sotongindex._standing import (
    Chances,
    PercentileEstimate,
    Standings,
    count_peers,
    expected_percentiles,
    joint_draws,
    posterior_covariance,
    summarize,
)
from sotongindex._table import Column, Table
from sotongindex._text import Language, say
from sotongindex.errors import MethodError
from sotongindex.percentiles import percentile_of_counts
from sotongindex.results import IndexResult, Notice

__all__ = ["Chances", "PercentileEstimate", "StandingResult", "assess_standing"]

Seed = int | np.random.Generator | np.random.SeedSequence | None

_SHOWN = 20


@attrs.frozen(kw_only=True, eq=False)
class StandingResult(Rendered):
    """Percentile ranks with their uncertainty. Arrays are (o,).

    Attributes:
        result: The scores.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        groups: The name of the group that each organization was compared with.
        others: How many peers each has.
        percentile: The observed percentile rank (kind "mean"), 0 to 100; NaN where not shown.
        sampling: Among exactly these peers, under the errors of all scores.
        finite_peers: In the field that the peers are a sample of, scores taken as exact.
        both: In that field, under both errors.
        chances: Probabilities about the true scores, among exactly these peers.
        top: How many places `chances.top` is about.
        level: The probability of the intervals.
        reasons: Why nothing is shown; "" where it is.
        uncertain_reasons: Why `sampling`, `both` and `chances` are missing; "" where they are not.
        rules: What was allowed to be shown.
        notices: What a reader should know.
    """

    result: IndexResult
    channel: str | None
    dimension: str | None
    groups: tuple[str, ...]
    others: IntArray = attrs.field(converter=read_only)
    percentile: FloatArray = attrs.field(converter=float_array)
    sampling: PercentileEstimate
    finite_peers: PercentileEstimate
    both: PercentileEstimate
    chances: Chances
    top: int
    level: float
    reasons: Reasons = attrs.field(converter=read_only)
    uncertain_reasons: Reasons = attrs.field(converter=read_only)
    rules: DisclosureRules
    notices: tuple[Notice, ...]

    @property
    def sampling_share(self) -> FloatArray:
        """The share of the variance of `both` that comes from errors of the scores, (o,)."""
        shrink = self.others / (self.others + 2)
        part = shrink * self.sampling.standard_deviation / self.both.standard_deviation
        return float_array(part**2)

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization; None where not shown or not known."""
        scores = self.result.estimates(channel=self.channel, dimension=self.dimension)
        count = len(self.groups)
        columns: dict[str, object] = {
            "organization": self.result.organizations,
            "peers": self.groups,
            "channel": [self.channel] * count,
            "dimension": [self.dimension] * count,
            "score": shown(scores.values, self.reasons),
            "others": self.others,
            "percentile": self.percentile,
            **estimate_columns(self.sampling, self.finite_peers, self.both),
            "sampling_share": self.sampling_share,
            **chance_columns(self.chances, self.top),
            "reason": first_of(self.reasons, self.uncertain_reasons),
        }
        return rows_from_columns(columns)  # type: ignore[arg-type]  # all are columns

    def _view(self, language: Language) -> View:
        rows = sorted(self.to_rows(), key=lambda row: -float(str(row["percentile"] or -1)))
        study = self.result.study
        names = study_names(study, language)
        names["peers"] = {key: peers_words(key, language) for key in self.groups}
        return View(
            title=say("title.peers", language),
            facts=study_facts(study, language),
            table=Table(
                columns=(
                    Column("organization"),
                    Column("peers"),
                    Column("score", "points"),
                    Column("others", "count"),
                    Column("percentile", "percentile"),
                    Column("interval", "interval", ("low", "high")),
                ),
                rows=rows[:_SHOWN],
                language=language,
                names=names,
                level=self.level,
                omitted=max(len(rows) - _SHOWN, 0),
            ),
            notices=notice_words(self.notices, language, names["organization"]),
        )

    def __str__(self) -> str:
        told = int((self.reasons == "").sum())
        known = int((first_of(self.reasons, self.uncertain_reasons) == "").sum())
        line = (
            f"{told} of {len(self.groups)} organizations with a percentile rank, {known} of them "
            "with an interval"
        )
        return "\n".join([line, *(f"  note: {notice.message}" for notice in self.notices)])


def estimate_columns(
    sampling: PercentileEstimate, finite_peers: PercentileEstimate, both: PercentileEstimate
) -> dict[str, FloatArray]:
    """Return the columns of percentiles; those of the first have no prefix."""
    columns = {}
    parts = {"": sampling, "finite_peers_": finite_peers, "both_": both}
    for prefix, part in parts.items():
        for field in attrs.fields(PercentileEstimate):
            columns[prefix + field.name] = getattr(part, field.name)
    return columns


def chance_columns(chances: Chances, top: int) -> dict[str, FloatArray]:
    """Return the columns of probabilities."""
    return {
        "probability_above_median": chances.above_median,
        "probability_top_quartile": chances.top_quartile,
        f"probability_top_{top}": chances.top,
        "probability_best": chances.best,
    }


def assess_standing(
    result: IndexResult,
    by: Peers | PeerAssignment = "industry",
    *,
    channel: str | None = None,
    dimension: str | None = None,
    top: int = 3,
    level: float | None = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
    draws: int = 4000,
    rng: Seed = 0,
) -> StandingResult:
    r"""Return percentile ranks with their uncertainty, each organization left out of its peers.

    **Errors of the scores.** Under a flat prior the true scores :math:`\theta` are normal around
    the measured ones, with the joint covariance of the estimates (shared respondents included),
    widened to the variance of their t distribution. The expected percentile is exact,

    .. math:: \frac{100}{n} \sum_j \Phi\Big(\frac{x_i - x_j}{\sqrt{V_{ii} + V_{jj} - 2 V_{ij}}}\Big)

    and equals the percentile rank where errors vanish; intervals and probabilities come from joint
    draws. The interval of level :math:`1 - \alpha` is central: a tail of :math:`\alpha / 2` at
    either side.

    **The finite number of peers.** If the organization and its :math:`n` peers are drawn from one
    field, the share of the field below an organization that has :math:`b` peers below it is
    :math:`\mathrm{Beta}(b + 1, n - b + 1)`, whatever the shape of the field: the distribution of
    an order statistic of uniform numbers. `both` mixes these over the draws; its variance is the
    sum of the mean of theirs and the variance that the errors of the scores add.

    A flat prior spreads true scores out as far as the measured ones: for few respondents expected
    percentiles are pulled towards 50, and intervals are wide rather than narrow.

    Args:
        result: The scores.
        by: The peers, as in `compare_to_peers`, or an assignment from `widen_peers` or
            `nearest_peers`.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        top: How many places count as the top.
        level: The probability of the intervals; default that of the method.
        rules: What may be shown: `min_peers_rank` peers, `min_respondents_compare` respondents.
        draws: How many draws, 2 or more.
        rng: A seed or generator; the same seed gives the same bytes.

    Returns:
        The percentile ranks. Where the error of an organization or of one of its peers is not
        known, only the finite number of peers is told.

    Raises:
        DefinitionError: If nobody has the attribute, or the channel or dimension is not known.
        MethodError: If `top`, `draws` or `level` is out of range.

    References:
        David and Nagaraja (2003), Order Statistics, doi 10.1002/0471722162. Laird and Louis (1989),
        doi 10.2307/1164724, for expected percentiles.
    """
    level = result.method.level if level is None else level
    check_settings(top=top, draws=draws, level=level)
    subject = Subject.of(result, channel, dimension)
    peers = peer_sets_of(result.study, by)
    placement, own = subject.place(peers, rules)
    reasons = first_of(own, peer_reasons(peers, placement.others, rules.min_peers_rank))
    percentile = percentile_of_counts(placement.below, placement.ties, placement.count)
    covariance = posterior_covariance(subject.estimates)
    known = _known(placement, np.isfinite(np.diag(covariance)), peers)
    field = _Field(scores=subject.estimates.values, covariance=covariance, percentile=percentile)
    standings = field.standings(
        placement, reasons == "", top=top, level=level, draws=draws, rng=np.random.default_rng(rng)
    ).where(reasons == "", known)
    return StandingResult(
        result=result,
        channel=channel,
        dimension=dimension,
        groups=group_names_of(result.study, by, peers.key),
        others=placement.others,
        percentile=shown(percentile, reasons),
        **{field.name: getattr(standings, field.name) for field in attrs.fields(Standings)},
        top=top,
        level=level,
        reasons=reasons,
        uncertain_reasons=np.where(known, "", "unknown error"),
        rules=rules,
        notices=(
            *respondent_notices(result, rules),
            *attribute_notices(result, [peers]),
            *_unknown(result, (reasons == "") & ~known),
        ),
    )


def check_settings(*, top: int, draws: int, level: float) -> None:
    """Raise a `MethodError` where a setting is out of range."""
    for name, value, least in (("top", top, 1), ("draws", draws, 2)):
        if value < least:
            raise MethodError(f"expected {least} or more, got {value}", argument=name)
    if not 0 < level < 1:
        raise MethodError(f"expected a share between 0 and 1, got {level}", argument="level")


@attrs.frozen(kw_only=True, eq=False)
class _Field:
    """Scores (o,) with the covariance of the true scores (o, o), and their percentile ranks."""

    scores: FloatArray
    covariance: FloatArray
    percentile: FloatArray

    def standings(
        self,
        placement: Placement,
        shown: NDArray[np.bool_],
        *,
        top: int,
        level: float,
        draws: int,
        rng: np.random.Generator,
    ) -> Standings:
        """Return the standings of those `shown`, group by group."""
        drawn = joint_draws(self.scores, self.covariance, draws=draws, rng=rng)
        parts = []
        for start in np.unique(placement.start[shown]):
            users = np.flatnonzero(shown & (placement.start == start))
            members = placement.members[start : start + placement.size[users[0]]]
            counts = count_peers(drawn, users, members)
            expected = self._expected(users, members)
            part = summarize(
                counts, self.percentile[users], expected, top=top, level=level, rng=rng
            )
            parts.append((users, part))
        return Standings.joined(parts, len(self.scores))

    def _expected(self, users: IntArray, members: IntArray) -> FloatArray:
        variances = np.diag(self.covariance)
        shared = self.covariance[np.ix_(users, members)]
        return expected_percentiles(
            self.scores[users],
            self.scores[members],
            np.maximum(variances[users, None] + variances[members] - 2 * shared, 0.0),
            counted=users[:, None] != members,
        )


def _known(placement: Placement, known: NDArray[np.bool_], peers: PeerSets) -> NDArray[np.bool_]:
    """Return of whom the own error and those of all peers are known, (o,)."""
    unknown = np.concatenate([[0], np.cumsum(~known[placement.members])])
    among = unknown[placement.start + placement.size] - unknown[placement.start]
    all_known: NDArray[np.bool_] = known & (among == 0) & (peers.set_of >= 0)
    return all_known


def _unknown(result: IndexResult, without: NDArray[np.bool_]) -> list[Notice]:
    """Say who has a percentile rank but no interval."""
    if not without.any():
        return []
    message = (
        f"{without.sum()} organizations have no interval: the error of their own score, or of a "
        "peer's, is not known"
    )
    keys = np.array(result.organizations)[without]
    return [Notice(code="unknown error", message=message, keys=tuple(keys.tolist()))]
