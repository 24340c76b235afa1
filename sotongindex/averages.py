"""Means over organizations: of all, or of each industry, sector or other attribute."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray, read_only
from sotongindex._columns import rows_from_columns
from sotongindex._disclosure import DisclosureRules, Reasons, first_reason
from sotongindex._html import View
from sotongindex._peers import attribute_values
from sotongindex._render import Rendered, show, study_facts
from sotongindex._text import Language, say
from sotongindex.errors import MethodError, nearest_key
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates, combine

__all__ = ["Counting", "GroupMeans", "group_means"]

Counting: TypeAlias = Literal["organizations", "respondents", "size"]

EVERYBODY = "all"


@attrs.frozen(kw_only=True, eq=False)
class GroupMeans(Rendered):
    """Means over the organizations of every group, with their errors.

    Axes: g groups, s scores: the index, then the channels, then the dimensions of the framework.

    Attributes:
        result: The scores that were averaged.
        by: The attribute that makes the groups; None means one group of all.
        weighting: What counts as one: an organization, a respondent, or a unit of size.
        groups: The values of the attribute, sorted.
        scores: The channel and the dimension of every score, (s); None means all together.
        means: The means, (g, s); NaN where not shown.
        organizations: The organizations with a score, (g, s).
        reasons: Why a mean is not shown, (g, s); "" where it is.
        unknown: Keys of the organizations that are in no group.
    """

    result: IndexResult
    by: str | None
    weighting: Counting
    groups: tuple[str, ...]
    scores: tuple[tuple[str | None, str | None], ...]
    means: Estimates
    organizations: IntArray = attrs.field(converter=read_only)
    reasons: Reasons = attrs.field(converter=read_only)
    unknown: tuple[str, ...] = ()

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every group and score; None where not shown."""
        width = len(self.scores)
        return rows_from_columns(
            {
                "group": [group for group in self.groups for _ in range(width)],
                "channel": [channel for channel, _ in self.scores] * len(self.groups),
                "dimension": [dimension for _, dimension in self.scores] * len(self.groups),
                "organizations": self.organizations.ravel(),
                "mean": self.means.values.ravel(),
                "standard_error": self.means.standard_error.ravel(),
                "low": self.means.low.ravel(),
                "high": self.means.high.ravel(),
                "reason": self.reasons.ravel(),
            }
        )

    def _view(self, language: Language) -> View:
        """Return the mean index of every group, highest first."""
        study = self.result.study
        rows = [row for row in self.to_rows() if row["channel"] is row["dimension"] is None]
        rows.sort(key=lambda row: -float(str(row["mean"] or -1)))
        table = show(
            "means",
            rows,
            language=language,
            study=study,
            level=self.result.method.level,
            without=("subject",),
        )
        return View(
            title=say("title.means", language), facts=study_facts(study, language), table=table
        )

    def __str__(self) -> str:
        lines = [f"means over organizations, counting {self.weighting}"]
        for group, count, mean, error, reason in zip(
            self.groups,
            self.organizations[:, 0],
            self.means.values[:, 0],
            self.means.standard_error[:, 0],
            self.reasons[:, 0],
            strict=True,
        ):
            margin = "" if np.isnan(error) else f", standard error {error:.2f}"
            lines.append(f"  {group} ({count}): " + (reason or f"{mean:.2f}{margin}"))
        return "\n".join(lines)


def group_means(
    result: IndexResult,
    by: str | None = None,
    *,
    weighting: Counting = "organizations",
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> GroupMeans:
    r"""Average scores over organizations.

    .. math:: \bar x_g = \sum_{i \in g} w_i x_i \Big/ \sum_{i \in g} w_i

    over the organizations that have the score, with :math:`w_i = 1`, the number of respondents, or
    the size. The error counts the respondents that organizations share. It is the error of these
    organizations' mean; that other organizations could have been chosen is no part of it.

    Args:
        result: The scores.
        by: The attribute that makes the groups: "industry", "sector" or another; None averages
            over all.
        weighting: "organizations" counts each once, "respondents" and "size" by these.
        rules: What may be shown: `min_peers_mean` organizations at least, none with more than
            `max_share` of the weight where organizations do not count equally.

    Returns:
        The means of the index, of every channel and of every dimension.

    Raises:
        DefinitionError: If no organization has the attribute.
        MethodError: If the weighting is unknown, or respondents or sizes are not known.
    """
    weight = _weights(result, weighting)
    framework = result.study.framework
    groups, group_of = grouped(result, by, field="group_means.by")
    scores = (
        (None, None),
        *((key, None) for key in framework.channel_keys),
        *((None, key) for key in framework.dimension_keys),
    )
    parts = [result.index, result.channels, result.dimensions]
    values = np.column_stack([part.values for part in parts])
    member = np.arange(len(groups))[:, None] == group_of
    # (g, o, s): what every organization counts in every group's score
    counts = member[:, :, None] * weight[:, None] * ~np.isnan(values)
    totals = counts.sum(axis=1)
    shares = counts / np.where(totals > 0, totals, 1.0)[:, None]
    organizations = (member[:, :, None] & ~np.isnan(values)).sum(axis=1)
    dominated = (weighting != "organizations") & (shares.max(axis=1) > rules.max_share + 1e-12)
    reasons = first_reason(
        ("missing score", totals == 0),
        ("few peers", organizations < rules.min_peers_mean),
        ("dominated", dominated),
    )
    return GroupMeans(
        result=result,
        by=by,
        weighting=weighting,
        groups=groups,
        scores=scores,
        means=_averaged(parts, shares, reasons),
        organizations=organizations,
        reasons=reasons,
        unknown=tuple(np.array(result.organizations)[group_of < 0].tolist()),
    )


def _weights(result: IndexResult, weighting: Counting) -> FloatArray:
    """Return how much every organization counts, (o,)."""
    known = get_args(Counting)
    if weighting not in known:
        near = nearest_key(weighting, known)
        raise MethodError(
            f"expected one of {', '.join(map(repr, known))}, got {weighting!r}"
            + (f"; did you mean {near!r}?" if near else ""),
            argument="weighting",
        )
    if weighting == "organizations":
        return np.ones(len(result.organizations))
    if weighting == "respondents":
        weight = np.asarray(result.counts.respondents, dtype=np.float64)
    else:
        sizes = [organization.size for organization in result.study.organizations]
        weight = np.array([np.nan if size is None else size for size in sizes])
    missing = np.isnan(weight) & ~np.isnan(result.index.values)
    if missing.any():
        first = result.organizations[int(np.argmax(missing))]
        raise MethodError(
            f"{missing.sum()} of {len(weight)} organizations have no known number for "
            f"{weighting!r}, the first is {first!r}; give it, or count organizations",
            argument="weighting",
        )
    return np.nan_to_num(weight)


def grouped(
    result: IndexResult, by: str | None, *, field: str = "by"
) -> tuple[tuple[str, ...], IntArray]:
    """Return the names of the groups and the group of every organization, -1 for none."""
    count = len(result.organizations)
    if by is None:
        return (EVERYBODY,), np.zeros(count, dtype=np.int64)
    values = attribute_values(result.study.organizations, by, field=field)
    names = np.unique(values[values != ""])
    position = np.searchsorted(names, values).astype(np.int64)
    return tuple(names.tolist()), np.where(values == "", -1, position)


def _averaged(parts: list[Estimates], shares: FloatArray, reasons: NDArray[np.str_]) -> Estimates:
    """Return the means (g, s) of parts (o, ...) by the shares (g, o, s), NaN where not shown."""
    hidden = np.where((reasons == "")[:, None], shares, 0.0)
    groups, _, width = shares.shape
    terms, column = [], 0
    for part in parts:
        wide = part.size // shares.shape[1]
        group, organization, score = hidden[:, :, column : column + wide].nonzero()
        jacobian = sparse.csr_array(
            (
                hidden[group, organization, column + score],
                (group * width + column + score, organization * wide + score),
            ),
            shape=(groups * width, part.size),
        )
        terms.append((part, jacobian))
        column += wide
    plain = combine(terms, shape=(groups, width), lower=0.0)
    empty = np.where(reasons == "", 0.0, np.nan)
    return attrs.evolve(
        plain,
        values=plain.values + empty,
        variance=plain.variance + empty,
        degrees_of_freedom=np.where(reasons == "", plain.degrees_of_freedom, 0.0),
    )
