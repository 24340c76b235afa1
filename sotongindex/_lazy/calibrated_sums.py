"""The sums of a tally of calibrated weights, and of its replicates, as three group-bys.

Without group g everybody has another weight. What changes is known cell by cell, so the engine adds
up the answers by group under the new weights, by group under the weights that a group has in the
replicate without it, and by cell under the starting weights.
"""

from __future__ import annotations

import attrs
import narwhals as nw
import numpy as np

from sotongindex._arrays import FloatArray
from sotongindex._lazy.cell_weights import CellWeights, Lookup
from sotongindex._lazy.cells import CellQuery
from sotongindex._lazy.query import GROUP, SumQuery
from sotongindex._lazy.sums import add_up
from sotongindex._replicate_sums import ReplicateSums, left_out, refuse_several_groups
from sotongindex._sums import Sums
from sotongindex.errors import MethodError

__all__ = ["sum_calibrated"]

_SAME = 1e-9  # what sums of weights may be off by rounding, as a share


def sum_calibrated(query: SumQuery, weights: CellWeights) -> tuple[Sums, ReplicateSums | None]:
    """Run a query with calibrated weights, and make the replicates that calibrate them again.

    Raises:
        ResponseError, EngineError: As `add_up`.
        MethodError: If the table has other respondents than those that were weighted, or they
            cannot be calibrated again without a group.
    """
    lookup = Lookup.of(weights, query.table)
    sums = add_up(attrs.evolve(query, weight=lookup.weight))
    start = _start(query, weights, lookup)
    if query.groups == 1:
        return sums, None
    ratios = weights.calibration.again_by_cell(left_out(start))
    own = (lookup.cell * query.groups + query.group).replace_strict(
        [*range(ratios.size)], ratios.ravel().tolist(), default=None, return_dtype=nw.Float64
    )
    plain = attrs.evolve(query, categories=())
    by_group = add_up(attrs.evolve(plain, weight=lookup.times_start(own)))
    cells = attrs.evolve(plain, weight=lookup.start, groups=len(ratios), group=lookup.cell)
    return sums, ReplicateSums.of(add_up(cells), by_group, ratios)


def _start(query: SumQuery, weights: CellWeights, lookup: Lookup) -> FloatArray:
    """Return the starting weights of respondents by cell and jackknife group, (cells, g)."""
    found = CellQuery(
        table=query.table,
        keys={**lookup.keys, GROUP: query.group.cast(nw.String)},
        weight=lookup.start,
        respondent=weights.respondent,
        within=weights.by,
    ).run(most=len(weights.respondents) * query.groups)
    refuse_several_groups(found.differing.get(GROUP, 0))
    sums = np.zeros((len(weights.respondents), query.groups))
    place, group = lookup.places(found.labels), np.array(found.labels[GROUP], dtype=np.int64)
    np.add.at(sums, (place, group), np.where(place < 0, np.nan, found.weight))
    if not np.allclose(sums.sum(axis=1), weights.calibration.start, rtol=_SAME, atol=0):
        raise MethodError(
            f"expected the respondents who were weighted, {weights.calibration.start.sum():g} by "
            f"starting weight, got others, {found.weight.sum():g}; weight this frame for itself, "
            "or add the weights as a column, of which errors do not know",
            argument="weights",
        )
    return sums
