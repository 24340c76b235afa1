"""Best practice: the best score within the industry and outside it."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray, float_array, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import DisclosureRules, Reasons, Subject, first_of, peer_reasons, shown
from sotongindex._html import View
from sotongindex._peers import distance, find_peers
from sotongindex._render import Rendered, study_facts, study_names
from sotongindex._table import Column, Table
from sotongindex._text import Language, say
from sotongindex.models import PeerGroup
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates


@attrs.frozen(kw_only=True, eq=False)
class BestOthers:
    """The best of the others, beside every organization. Arrays are (o,).

    The best observed score is partly luck: the true score of whoever comes first is, on average,
    lower than the observed one. `probability_higher` says how sure it is that the best is truly
    higher than the organization itself.

    Attributes:
        best: The best score of the others; NaN where not shown.
        distance: The own score minus it.
        organization: Who has it; None where not shown, or names were not asked for.
        others: How many others there are.
        reasons: Why a cell is not shown; "" where it is.
    """

    best: FloatArray = attrs.field(converter=float_array)
    distance: Estimates
    organization: NDArray[np.object_] = attrs.field(converter=read_only)
    others: IntArray = attrs.field(converter=read_only)
    reasons: Reasons = attrs.field(converter=read_only)

    @property
    def probability_higher(self) -> FloatArray:
        """The probability that the best is truly higher than the organization, (o,)."""
        return 1 - self.distance.probability_at_least(0.0)


@attrs.frozen(kw_only=True, eq=False)
class BestPractice(Rendered):
    """The best score within every organization's group and outside it.

    Attributes:
        result: The scores.
        attribute: What makes the groups.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        score: The organizations' own scores, (o,).
        within: The best with the same value of the attribute.
        outside: The best with another value.
    """

    result: IndexResult
    attribute: str
    channel: str | None
    dimension: str | None
    score: Estimates
    within: BestOthers
    outside: BestOthers

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every organization, within and then outside; None where not shown."""
        rows = []
        for where, part in (("within", self.within), ("outside", self.outside)):
            rows += rows_from_columns(
                {
                    "organization": self.result.organizations,
                    "where": [where] * len(self.result.organizations),
                    "score": shown(self.score.values, part.reasons),
                    "others": part.others,
                    "best": part.best,
                    "best_organization": part.organization,
                    "distance": part.distance.values,
                    "standard_error": part.distance.standard_error,
                    "low": part.distance.low,
                    "high": part.distance.high,
                    "probability_higher": part.probability_higher,
                    "reason": part.reasons,
                }
            )
        return rows

    def _view(self, language: Language) -> View:
        study = self.result.study
        rows = self.to_rows()
        names = study_names(study, language)
        names["where"] = {
            "within": say("peers.industry", language),
            "outside": say("peers.other industries", language),
        }
        if self.attribute != "industry":
            names["where"] = {}
        return View(
            title=say("title.peers", language),
            facts=study_facts(study, language),
            table=Table(
                columns=(
                    Column("organization"),
                    Column("peers", "text", "where"),
                    Column("score", "points"),
                    Column("others", "count"),
                    Column("gap", "signed", "distance"),
                    Column("interval", "interval", ("low", "high")),
                ),
                rows=rows[:20],
                language=language,
                names=names,
                level=self.result.method.level,
                omitted=max(len(rows) - 20, 0),
            ),
        )


def best_practice(
    result: IndexResult,
    attribute: str = "industry",
    *,
    channel: str | None = None,
    dimension: str | None = None,
    named: bool = False,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> BestPractice:
    """Find the best score within every organization's industry and outside it.

    Args:
        result: The scores.
        attribute: What makes the groups: "industry", "sector" or another attribute.
        channel: The channel; None means all together.
        dimension: The dimension; None means all together.
        named: Whether to tell who has the best score (the last of several in the study's order);
            else only the score is told.
        rules: What may be shown: the best needs `min_peers_rank` others.

    Returns:
        The best within and outside, and the distances with their errors.

    Raises:
        DefinitionError: If nobody has the attribute, or the channel or dimension is not known.
    """
    subject = Subject.of(result, channel, dimension)

    def best(peers: PeerGroup) -> BestOthers:
        sets = find_peers(result.study.organizations, peers)
        placement, own = subject.place(sets, rules)
        reasons = first_of(own, peer_reasons(sets, placement.others, rules.min_peers_rank))
        figure = placement.figure("best")
        told = np.full(len(reasons), named) & (reasons == "")
        return BestOthers(
            best=shown(figure.values, reasons),
            distance=distance(subject.estimates, figure, reasons == ""),
            organization=_names(result.organizations, placement.best, told),
            others=placement.others,
            reasons=reasons,
        )

    return BestPractice(
        result=result,
        attribute=attribute,
        channel=channel,
        dimension=dimension,
        score=subject.estimates,
        within=best(PeerGroup(key="within", same=attribute)),
        outside=best(PeerGroup(key="outside", different=attribute)),
    )


def _names(
    organizations: tuple[str, ...], best: IntArray, told: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """Return who has the best score, None where that is not told."""
    keys: NDArray[np.object_] = np.array([*organizations], dtype=object)[best]
    keys[~told] = None
    return keys
