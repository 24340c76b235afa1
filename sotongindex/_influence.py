"""Linearization: the influence of every cluster of respondents on every level of an index.

Rows are sorted by organization and cluster and walked in blocks that fit the cache. A block's
answers become influences on item means, summed within clusters, and climb from there to the other
levels. Nothing of the size of the answers is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import BLOCK_ROWS, FloatArray, Groups, IntArray, group_sums
from sotongindex._design import Design
from sotongindex._evaluations import Evaluations
from sotongindex._levels import Level, Rows, Tree, climb


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

    @property
    def columns(self) -> int:
        """The number of columns."""
        return int(self.means.shape[1])

    def walk(
        self, organizations: IntArray | None = None
    ) -> Iterator[tuple[Rows, Mapping[Level, Rows]]]:
        """Yield influences of clusters on the columns and on every level, block by block."""
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
            single |= self.tree.channels == 1
            yield base, climb(base, self.tree, sources=len(self.design.stratum), single=single)

    def of_evaluations(self) -> Iterator[Rows]:
        """Yield the influences of single evaluations on the columns, block by block."""
        place = self.evaluations.units()
        groups = Groups.of(place)
        for block in groups.row_blocks():
            rows = groups.order[block]
            values = self._deviations(rows, place[rows])
            values *= self.scale.take(place[rows], axis=0)
            yield Rows(place=place[rows], source=rows, values=values)

    def _base(self, rows: IntArray, *, single: bool) -> Rows:
        """Return weighted deviations from the means, added up within unit and cluster."""
        unit = self.evaluations.units(rows)
        cluster = self.evaluations.responses.clusters[rows].astype(np.int64)
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


def answering_clusters(evaluations: Evaluations, answers: IntArray, clusters: IntArray) -> IntArray:
    """Return how many clusters found a value in every column of every unit, (u, p).

    Args:
        evaluations: The answers as columns.
        answers: How many evaluations found one, (u, p).
        clusters: The clusters of every unit, (u,).
    """
    responses = evaluations.responses
    labels = len(responses.cluster_labels)
    unit = evaluations.units()
    found_by = np.bincount(unit, minlength=len(answers))
    if (clusters == found_by).all():
        return answers
    # Where nothing is missing, all clusters answered: only units with gaps are counted.
    result = np.broadcast_to(clusters[:, None], answers.shape).astype(np.float64)
    gaps: NDArray[np.bool_] = np.asarray((answers < found_by[:, None]).any(axis=1))
    result[gaps] = 0.0
    chosen = np.flatnonzero(gaps[unit])
    groups = Groups.of(unit[chosen] * labels + responses.clusters[chosen])
    for stretch in groups.whole_blocks():
        rank = groups.rank[stretch]
        found = np.zeros((int(rank[-1] - rank[0]) + 1, answers.shape[1]))
        for start in range(stretch.start, stretch.stop, BLOCK_ROWS):
            part = slice(start, min(start + BLOCK_ROWS, stretch.stop))
            answered = evaluations.answered(chosen[groups.order[part]])
            found += group_sums(answered, groups.rank[part] - rank[0], len(found))
        units = groups.keys[rank[0] : rank[-1] + 1] // labels
        Rows(place=units, source=units, values=(found > 0).astype(np.float64)).add_squares(result)
    return result.astype(np.int64)
