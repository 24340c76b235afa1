"""Linearization: the influence of every cluster of respondents on every level of an index.

Rows are sorted by organization and cluster and walked in blocks that fit the cache. A block's
answers become influences on item means, summed within clusters, and climb from there to the other
levels. Nothing of the size of the answers is kept; columns of the factor are made again when asked
for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import BLOCK_ROWS, FloatArray, Groups, IntArray, distinct, group_sums
from sotongindex._evaluations import Evaluations
from sotongindex._factors import CLUSTERS, STRATA, Block, Blocks, Factor, StoredFactor
from sotongindex._levels import LEVELS, Level, Rows, Tree, climb
from sotongindex.errors import MethodError
from sotongindex.responses import Responses
from sotongindex.variance import Linearization


@attrs.frozen(kw_only=True, eq=False)
class Touched:
    """What every place (a unit or an organization) holds of the sample.

    Attributes:
        clusters: Clusters that rated it, (places,).
        cost: Degrees of freedom that its strata's means cost it, 1 or more, (places,).
        frame: Clusters in the strata its clusters come from, (places,).
    """

    clusters: IntArray
    cost: FloatArray
    frame: IntArray

    @classmethod
    def of(
        cls, place: IntArray, cluster: IntArray, *, stratum: IntArray, sizes: IntArray, places: int
    ) -> Touched:
        """Count what the rows (place, cluster) hold."""
        pairs = distinct(place * len(stratum) + cluster)
        at, clusters = np.divmod(pairs, len(stratum))
        # A stratum's mean costs one degree of freedom, shared by those whom its clusters rate.
        cost = np.bincount(at, 1.0 / sizes[stratum[clusters]], places)
        strata = distinct(at * len(sizes) + stratum[clusters])
        frame = np.zeros(places, dtype=np.int64)
        np.add.at(frame, strata // len(sizes), sizes[strata % len(sizes)])
        return cls(
            clusters=np.bincount(at, minlength=places).astype(np.int64),
            cost=np.maximum(cost, 1.0),
            frame=frame,
        )


@attrs.frozen(kw_only=True, eq=False)
class Design:
    """Clusters and strata of the whole sample.

    Attributes:
        stratum: Stratum of every cluster, (clusters,).
        sizes: Clusters in every stratum, (h,).
        stretch: Square root of m / (m - 1) of every cluster's stratum, (clusters,).
        centred: 1 / m of every stratum whose mean is taken off, else 0, (h,).
        units: What every organization on a channel holds of it.
        organizations: What every organization holds of it.
    """

    stratum: IntArray
    sizes: IntArray
    stretch: FloatArray
    centred: FloatArray
    units: Touched
    organizations: Touched

    @classmethod
    def of(cls, responses: Responses, method: Linearization) -> Design:
        """Count clusters by stratum, unit and organization.

        Raises:
            MethodError: If a stratum has one cluster and `method` names no rule for it.
        """
        cluster = responses.clusters.astype(np.int64)
        stratum = np.zeros(len(responses.cluster_labels), dtype=np.int64)
        if responses.stratum is not None:
            stratum[cluster] = responses.stratum
        sizes = np.bincount(stratum, minlength=1)
        lonely = sizes == 1
        # A sample of one cluster has no error to find; only a design of several has a fault.
        if method.lonely == "error" and lonely.any() and len(sizes) > 1:
            names = ", ".join(repr(responses.stratum_keys[h]) for h in np.flatnonzero(lonely)[:5])
            raise MethodError(
                f"{lonely.sum()} of {len(sizes)} strata have one cluster: {names}; merge them with "
                'others, or choose Linearization(lonely="certainty") or "adjust"',
                argument="lonely",
            )
        alone = 0.0 if method.lonely == "certainty" else 1.0
        stretch = np.sqrt(np.where(lonely, alone, sizes / np.maximum(sizes - 1, 1)))
        organization = responses.organization.astype(np.int64)
        channels = len(responses.study.framework.channels)
        count = len(responses.study.organizations)
        return cls(
            stratum=stratum,
            sizes=sizes,
            stretch=stretch[stratum],
            centred=np.where(lonely, 0.0, 1.0 / np.maximum(sizes, 1)),
            units=Touched.of(
                organization * channels + responses.channel,
                cluster,
                stratum=stratum,
                sizes=sizes,
                places=count * channels,
            ),
            organizations=Touched.of(
                organization, cluster, stratum=stratum, sizes=sizes, places=count
            ),
        )


@attrs.frozen(kw_only=True, eq=False)
class Influence:
    """All that the walk needs.

    Axes: u units, p columns of the evaluations (items first of all).

    Attributes:
        evaluations: The answers as columns of points.
        design: Clusters and strata.
        tree: The derivatives.
        means: Means of the columns, 0 where there are none, (u, p).
        scale: The small-sample correction over the weight that a mean rests on, (u, p).
    """

    evaluations: Evaluations
    design: Design
    tree: Tree
    means: FloatArray
    scale: FloatArray

    def walk(self, organizations: IntArray | None = None) -> Iterator[Mapping[Level, Rows]]:
        """Yield the influences of clusters on every level, some organizations at a time."""
        responses = self.evaluations.responses
        rows = np.arange(len(responses.answers))
        if organizations is not None:
            rows = np.flatnonzero(np.isin(responses.organization, organizations))
        pairs = Groups.of(
            responses.organization[rows].astype(np.int64) * len(self.design.stratum)
            + responses.clusters[rows]
        )
        for stretch in pairs.whole_blocks():
            found = pairs.rank[stretch.stop - 1] - pairs.rank[stretch.start] + 1
            single = bool(found == stretch.stop - stretch.start)
            base = self._base(rows[pairs.order[stretch]], single=single)
            values = base.values
            values *= self.scale.take(base.place, axis=0)
            if len(self.design.sizes) > 1:
                values *= self.design.stretch[base.source][:, None]
            else:
                values *= self.design.stretch[0]
            yield climb(base, self.tree, sources=len(self.design.stratum), single=single)

    def _base(self, rows: IntArray, *, single: bool) -> Rows:
        """Return weighted deviations from the means, added up within unit and cluster."""
        responses = self.evaluations.responses
        unit = responses.organization[rows].astype(np.int64) * self.tree.channels
        unit += responses.channel[rows]
        cluster = responses.clusters[rows].astype(np.int64)
        if single:
            return Rows(place=unit, source=cluster, values=self._deviations(rows, unit))
        groups = Groups.of(unit * len(self.design.stratum) + cluster)
        sums = np.zeros((len(groups), self.means.shape[1]))
        for block in groups.row_blocks():
            at, rank = groups.order[block], groups.rank[block]
            here = slice(int(rank[0]), int(rank[-1]) + 1)
            part = self._deviations(rows[at], unit[at])
            sums[here] += group_sums(part, rank - rank[0], here.stop - here.start)
        place, source = np.divmod(groups.keys, len(self.design.stratum))
        return Rows(place=place, source=source, values=sums)

    def _deviations(self, rows: IntArray, unit: IntArray) -> FloatArray:
        points, answered = self.evaluations.block(rows)
        points -= self.means.take(unit, axis=0)
        points *= answered
        if self.evaluations.responses.weight is not None:
            points *= self.evaluations.responses.weight[rows][:, None]
        return points

    def variances(
        self, keep: tuple[Level, ...] = ()
    ) -> tuple[dict[Level, FloatArray], dict[Level, Factor]]:
        """Return the variances of every level (places, k), and their factors.

        Args:
            keep: Levels whose factor is kept; that of the others is made again when asked for.
        """
        strata = len(self.design.sizes)
        totals: dict[Level, FloatArray] = {
            level: np.zeros((self.tree.places(level), self.tree.width(level))) for level in LEVELS
        }
        centring: dict[Level, list[Rows]] = {level: [] for level in LEVELS}
        kept: dict[Level, list[Rows]] = {level: [] for level in keep}
        for levels in self.walk():
            for level, rows in levels.items():
                rows.add_squares(totals[level])
                if strata > 1:
                    by_stratum = attrs.evolve(rows, source=self.design.stratum[rows.source])
                    centring[level].append(by_stratum.merged(strata))
                if level in kept:
                    kept[level].append(rows)
        for level, parts in centring.items():
            sums = Rows.joined(parts, self.tree.width(level)).merged(strata)
            means = np.sqrt(self.design.centred[sums.source])[:, None] * sums.values
            negative = np.zeros_like(totals[level])
            attrs.evolve(sums, values=means).add_squares(negative)
            totals[level] = np.maximum(totals[level] - negative, 0.0)
        factors: dict[Level, Factor] = {level: LevelFactor(self, level) for level in LEVELS}
        for level, parts in kept.items():
            everything = np.arange(totals[level].size)
            factors[level] = StoredFactor(self._blocks(level, parts, everything))
        return totals, factors

    def columns(self, level: Level, at: IntArray) -> Blocks:
        """Return columns `at` of the factor of a level (flattened), made from the answers."""
        places = at // self.tree.width(level)
        if level not in ("dimensions", "index"):
            places //= self.tree.channels
        return self._blocks(level, [rows[level] for rows in self.walk(distinct(places))], at)

    def _blocks(self, level: Level, parts: list[Rows], at: IntArray) -> Blocks:
        """Lay out rows as columns `at` of a factor, with the rows that centre strata."""
        used, matrix = Rows.joined(parts, self.tree.width(level)).matrix(at)
        responses = self.evaluations.responses
        blocks: dict[Hashable, Block] = {CLUSTERS: Block(responses.cluster_labels[used], matrix)}
        if len(self.design.sizes) > 1:
            stratum = self.design.stratum[used]
            centring = sparse.csr_array(
                (np.sqrt(self.design.centred)[stratum], (stratum, np.arange(len(used)))),
                shape=(len(self.design.sizes), len(used)),
            )
            names = np.array(responses.stratum_keys)
            blocks[STRATA] = Block(names, centring @ matrix, -1.0)
        return blocks


@attrs.frozen(eq=False)
class LevelFactor:
    """The factor of one level, made from the answers whenever it is asked for."""

    influence: Influence
    level: Level

    def columns(self, at: NDArray[np.integer[Any]]) -> Blocks:
        """Return the blocks restricted to the columns `at`."""
        return self.influence.columns(self.level, np.asarray(at, dtype=np.int64))


def answering_clusters(evaluations: Evaluations, answers: IntArray) -> IntArray:
    """Return how many clusters found a value in every column of every unit, (u, p)."""
    responses = evaluations.responses
    channels = len(responses.study.framework.channels)
    labels = len(responses.cluster_labels)
    unit = responses.organization.astype(np.int64) * channels + responses.channel
    groups = Groups.of(unit * labels + responses.clusters)
    if len(groups) == len(unit):
        return answers
    result = np.zeros(answers.shape)
    for stretch in groups.whole_blocks():
        rank = groups.rank[stretch]
        found = np.zeros((int(rank[-1] - rank[0]) + 1, answers.shape[1]))
        for start in range(stretch.start, stretch.stop, BLOCK_ROWS):
            part = slice(start, min(start + BLOCK_ROWS, stretch.stop))
            answered = evaluations.answered(groups.order[part])
            found += group_sums(answered, groups.rank[part] - rank[0], len(found))
        units = groups.keys[rank[0] : rank[-1] + 1] // labels
        Rows(place=units, source=units, values=(found > 0).astype(np.float64)).add_squares(result)
    return result.astype(np.int64)
