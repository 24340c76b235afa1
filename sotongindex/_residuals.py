r"""Residual linearization: calibrated weights leave no error in what calibration explains.

Weights that are calibrated make the totals of some variables certain. What these explain of an
influence is therefore no sampling error. With starting weights :math:`d`, calibrated weights
:math:`w`, calibration variables :math:`x` and influences :math:`u`, the error comes from

.. math:: w_k (u_k - x_k' B), \quad B = \Bigl(\sum_k d_k x_k x_k'\Bigr)^{-1} \sum_k d_k x_k u_k .

Deville and Särndal (1992), doi:10.1080/01621459.1992.10475217. Everybody in the sample has such a
residual, also on numbers they did not rate: it is kept as a product, never as a matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs
import numpy as np
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._calibrated import Calibration
from sotongindex._design import Design
from sotongindex._levels import Level, Positions, Rows, Tree, climb
from sotongindex.responses import Responses


@attrs.frozen(kw_only=True, eq=False)
class Zone:
    """Organizations and calibration variables that have to do with each other.

    Attributes:
        units: The organizations' units, (u,).
        columns: The variables, (q,).
        inverse: The generalized inverse of sum d x x', (q, q).
        gram: The sum of squares and products of the clusters' centred variables, (q, q).
    """

    units: IntArray
    columns: IntArray
    inverse: FloatArray
    gram: FloatArray

    def dense(self, rows: Rows) -> FloatArray:
        """Return rows (unit, variable) as an array (u, q, k), 0 where there is none."""
        result = np.zeros((len(self.units), len(self.columns), rows.values.shape[1]))
        unit, column = np.isin(rows.place, self.units), np.isin(rows.source, self.columns)
        here = np.flatnonzero(unit & column)
        at = np.searchsorted(self.units, rows.place[here])
        result[at, np.searchsorted(self.columns, rows.source[here])] = rows.values[here]
        return result

    def rows(self, values: FloatArray) -> Rows:
        """Return an array (u, q, k) as rows (unit, variable)."""
        return Rows(
            place=np.repeat(self.units, len(self.columns)),
            source=np.tile(self.columns, len(self.units)),
            values=values.reshape(-1, values.shape[-1]),
        )


@attrs.frozen(kw_only=True, eq=False)
class Auxiliary:
    """The calibration variables of a sample.

    Attributes:
        cell: The cell of every evaluation, (n,).
        undone: Old over calibrated weight of every evaluation, (n,).
        variables: The variables of every cell, (cells, q).
        clusters: Their weighted sum in every cluster, stretched like influences, (clusters, q).
        means: The mean of `clusters` in every stratum whose mean is taken off, (h, q).
        zones: Which organizations have to do with which variables.
    """

    cell: IntArray
    undone: FloatArray
    variables: sparse.csr_array
    clusters: sparse.csr_array
    means: sparse.csr_array
    zones: tuple[Zone, ...]

    @classmethod
    def of(cls, responses: Responses, calibration: Calibration, design: Design) -> Auxiliary:
        """Lay out the variables that `calibration` made certain."""
        unit, variables = calibration.unit, calibration.variables
        # Weights that were trimmed or mixed afterwards are calibrated weights times a given factor.
        weight = calibration.start * calibration.ratio[calibration.cell]
        cluster = responses.clusters[calibration.first]
        gather = sparse.csr_array(
            (weight * design.stretch[cluster], (cluster, calibration.cell)),
            shape=(len(design.stratum), variables.shape[0]),
        )
        clusters = sparse.csr_array(gather @ variables)
        sums = sparse.csr_array(design.strata().T @ clusters)
        return cls(
            cell=calibration.cell[unit],
            undone=1.0 / calibration.ratio[calibration.cell[unit]],
            variables=variables,
            clusters=clusters,
            means=sparse.csr_array(sparse.diags_array(design.centred) @ sums),
            zones=tuple(
                _zones(responses, calibration, clusters=clusters, sums=sums, shares=design.centred)
            ),
        )

    def explain(self, influences: Iterable[Rows], *, columns: int) -> Rows:
        """Return the coefficients B of every unit's numbers from rows (unit, evaluation)."""
        parts = [
            attrs.evolve(
                rows,
                source=self.cell[rows.source],
                values=rows.values * self.undone[rows.source][:, None],
            ).projected(self.variables)
            for rows in influences
        ]
        count = self.variables.shape[1]
        sums = Rows.joined(parts, columns).merged(count)
        return Rows.joined(
            (zone.rows(zone.inverse @ zone.dense(sums)) for zone in self.zones), columns
        )

    def explained(
        self, loads: Rows, products: Rows, tree: Tree
    ) -> Iterator[Mapping[Level, tuple[Positions, FloatArray]]]:
        """Yield for every level the places and what calibration takes off their variances.

        With loads b, variables C and influences a it is 2 b' C' a - b' C' C b.

        Args:
            loads: The coefficients (unit, variable).
            products: C' a by unit and variable, C centred within strata.
            tree: The derivatives.
        """
        count = self.variables.shape[1]
        for zone in self.zones:
            size = len(zone.columns)
            own, crossed = (
                climb(zone.rows(zone.dense(rows)), tree, sources=count)
                for rows in (loads, products)
            )
            result: dict[Level, tuple[Positions, FloatArray]] = {}
            for level, rows in own.items():
                b = rows.values.reshape(-1, size, rows.values.shape[1])
                taken = 2.0 * crossed[level].values.reshape(b.shape) - zone.gram @ b
                result[level] = rows.place[::size], np.einsum("uqk,uqk->uk", b, taken)
            yield result


def _zones(
    responses: Responses,
    calibration: Calibration,
    *,
    clusters: sparse.csr_array,
    sums: sparse.csr_array,
    shares: FloatArray,
) -> Iterator[Zone]:
    """Divide organizations and variables so that nobody has to do with another zone's variables."""
    weight = sparse.diags_array(np.bincount(calibration.cell, calibration.start))
    variables = calibration.variables
    squares = sparse.csr_array(variables.T @ weight @ variables)
    by_column, sums_by_column = clusters.tocsc(), sums.tocsc()
    channels = len(responses.study.framework.channels)
    for organizations, columns in _parts(responses, calibration):
        own = by_column[:, columns]
        of_strata = sums_by_column[:, columns].toarray()
        yield Zone(
            units=(organizations[:, None] * channels + np.arange(channels)).ravel(),
            columns=columns,
            inverse=np.linalg.pinv(squares[columns][:, columns].toarray(), hermitian=True),
            gram=(own.T @ own).toarray() - (of_strata * shares[:, None]).T @ of_strata,
        )


def _parts(responses: Responses, calibration: Calibration) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the organizations and the columns of every zone."""
    from scipy.sparse import csgraph  # noqa: PLC0415  # only calibrated answers need it

    count = len(responses.study.organizations)
    groups = int(calibration.group.max()) + 1
    entries = calibration.variables.tocoo()
    group = np.zeros(len(calibration.ratio), dtype=np.int64)
    group[entries.row] = calibration.group[entries.col]
    own = count + group[calibration.cell[calibration.unit]]
    graph = sparse.coo_array(
        (np.ones(len(own)), (responses.organization, own)), shape=(count + groups, count + groups)
    )
    _, label = csgraph.connected_components(graph, directed=False)
    zone_of_column = label[count:][calibration.group]
    for zone in np.unique(zone_of_column):
        yield np.flatnonzero(label[:count] == zone), np.flatnonzero(zone_of_column == zone)
