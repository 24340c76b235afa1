"""The levels of an index as estimates: values, variances, factors and degrees of freedom."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._design import Design
from sotongindex._evaluations import Evaluations
from sotongindex._factors import Factor
from sotongindex._influence import Influence, answering_clusters
from sotongindex._jackknife import jackknife_levels, occupied_groups
from sotongindex._levels import LEVELS, Level, Tree
from sotongindex._linearization import linearize
from sotongindex._replication import Replication, replicate_levels
from sotongindex._residuals import Auxiliary
from sotongindex.aggregation import Hierarchy
from sotongindex.tally import Tally
from sotongindex.variance import Estimates, Linearization


@attrs.frozen(kw_only=True, eq=False)
class Freedom:
    """Degrees of freedom before the climb.

    Attributes:
        columns: Of every column of a unit, (o, c, p).
        units: The most that any number of a unit can have, (o, c).
        organizations: The most that any number of an organization can have, (o,).
    """

    columns: FloatArray
    units: FloatArray
    organizations: FloatArray


def linearized_levels(
    evaluations: Evaluations,
    method: Linearization,
    *,
    tally: Tally,
    hierarchy: Hierarchy,
    items: FloatArray,
    level: float,
) -> dict[Level, Estimates]:
    """Return the estimates of every level by linearization."""
    design = Design.of(evaluations.responses, method)
    weight, answers = tally.dense(tally.answer_weight), tally.dense(tally.answers)
    shape, columns = weight.shape, weight.shape[-1]
    clusters = answering_clusters(evaluations, answers.reshape(-1, columns), design.units.clusters)
    totals = weight.reshape(-1, columns)
    scale = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
    if method.correction == "organization":
        scale *= _small_sample(clusters, design.units.frame[:, None])
    tree = _tree(evaluations, hierarchy)
    influence = Influence(
        evaluations=evaluations,
        design=design,
        tree=tree,
        means=np.nan_to_num(tally.item_means()).reshape(-1, columns),
        scale=scale,
    )
    responses = evaluations.responses
    auxiliary = (
        None
        if responses.calibration is None
        else Auxiliary.of(responses, responses.calibration, design)
    )
    variances, factors = linearize(influence, auxiliary)
    return _estimates(
        items,
        hierarchy,
        variances=variances,
        factors=factors,
        freedom=_linearized_freedom(design, method, clusters.reshape(shape)),
        tree=tree,
        level=level,
    )


def _linearized_freedom(design: Design, method: Linearization, clusters: IntArray) -> Freedom:
    """Return degrees of freedom from the clusters that answered every column, (o, c, p)."""
    shape = clusters.shape
    if method.correction == "design":
        whole = float(len(design.stratum) - len(design.sizes))
        return Freedom(
            # One cluster lies on its own mean: what looks like no error is an unknown one.
            columns=np.where(clusters > 1, whole, 0.0),
            units=np.full(shape[:2], whole),
            organizations=np.full(shape[0], whole),
        )
    cost = design.units.cost.reshape(shape[:2])
    of_unit = design.units.clusters.reshape(shape[:2])
    return Freedom(
        columns=np.maximum(clusters - cost[..., None], 0.0),
        units=np.maximum(of_unit - cost, 0.0),
        organizations=np.maximum(design.organizations.clusters - design.organizations.cost, 0.0),
    )


def replicated_levels(
    replication: Replication, *, tally: Tally, hierarchy: Hierarchy, items: FloatArray
) -> dict[Level, Estimates]:
    """Return the estimates of every level from replicates."""
    evaluations, method = replication.evaluations, replication.ascent.method
    values = _values(items, hierarchy)
    variances, factors = replicate_levels(replication, values)
    answers = tally.dense(tally.answers)
    design = Design.of(evaluations.responses, Linearization(lonely="certainty"))
    clusters = answering_clusters(
        evaluations, answers.reshape(-1, answers.shape[-1]), design.units.clusters
    )
    own = _linearized_freedom(design, Linearization(), clusters.reshape(answers.shape))
    most = replication.replicates.freedom
    freedom = Freedom(
        columns=np.minimum(own.columns, most),
        units=np.minimum(own.units, most),
        organizations=np.minimum(own.organizations, most),
    )
    return _estimates(
        items,
        hierarchy,
        variances=variances,
        factors=factors,
        freedom=freedom,
        tree=_tree(evaluations, hierarchy),
        level=method.level,
    )


def jackknifed_levels(
    tree: Tree, *, tally: Tally, hierarchy: Hierarchy, items: FloatArray, level: float
) -> dict[Level, Estimates]:
    """Return the estimates of every level by the grouped jackknife."""
    variances, factors = jackknife_levels(tally, tree)
    columns, units, organizations = (
        np.maximum(groups - 1.0, 0.0) for groups in occupied_groups(tally)
    )
    freedom = Freedom(columns=columns, units=units, organizations=organizations)
    return _estimates(
        items,
        hierarchy,
        variances=variances,
        factors=factors,
        freedom=freedom,
        tree=tree,
        level=level,
    )


def _tree(evaluations: Evaluations, hierarchy: Hierarchy) -> Tree:
    return Tree.of(
        hierarchy,
        dimension_of=evaluations.item_dimensions,
        respondents_first=evaluations.respondent_means is not None,
    )


def _small_sample(clusters: IntArray, frame: IntArray) -> FloatArray:
    """Return sqrt(n (m - 1) / ((n - 1) m)); 1 where one cluster leaves nothing to correct."""
    own = np.where(clusters > 1, clusters / np.maximum(clusters - 1, 1), 1.0)
    whole = np.where(frame > 1, np.maximum(frame - 1, 1) / np.maximum(frame, 1), 1.0)
    corrected: FloatArray = np.sqrt(own * whole)
    return corrected


def _estimates(
    items: FloatArray,
    hierarchy: Hierarchy,
    *,
    variances: Mapping[Level, FloatArray],
    factors: Mapping[Level, Factor],
    freedom: Freedom,
    tree: Tree,
    level: float,
) -> dict[Level, Estimates]:
    values = _values(items, hierarchy)
    freedoms = _climb_freedom(hierarchy, tree, variances=variances, freedom=freedom)
    result: dict[Level, Estimates] = {}
    for name in LEVELS:
        known = (freedoms[name] > 0) & ~np.isnan(values[name])
        result[name] = Estimates(
            values=values[name],
            variance=np.where(known, variances[name].reshape(values[name].shape), np.nan),
            degrees_of_freedom=np.where(known, freedoms[name], 0.0),
            factor=factors[name],
            level=level,
        )
    return result


def _values(items: FloatArray, hierarchy: Hierarchy) -> dict[Level, FloatArray]:
    return {
        "items": items,
        "cells": hierarchy.cells,
        "channels": hierarchy.channels,
        "dimensions": hierarchy.dimensions,
        "index": hierarchy.index,
    }


def _climb_freedom(
    hierarchy: Hierarchy,
    tree: Tree,
    *,
    variances: Mapping[Level, FloatArray],
    freedom: Freedom,
) -> dict[Level, FloatArray]:
    """Return the degrees of freedom of every level, none above what its respondents allow."""
    items = tree.width("items")
    columns = freedom.columns
    item_variance = variances["items"].reshape(*columns.shape[:2], items)
    cell_variance = variances["cells"].reshape(hierarchy.cells.shape)
    channel_variance = variances["channels"].reshape(hierarchy.channels.shape)
    if tree.respondents_first:
        cells, channels = columns[..., items:-1], columns[..., -1]
    else:
        cells = np.stack(
            [
                _satterthwaite(
                    item_variance[..., of], columns[..., of], hierarchy.cell_by_item[..., of]
                )
                for of in tree.items_of
            ],
            axis=-1,
        )
        cells = np.minimum(cells, freedom.units[..., None])
        channels = _satterthwaite(cell_variance, cells, hierarchy.channel_by_cell)
        channels = np.minimum(channels, freedom.units)
    across = _satterthwaite(
        np.moveaxis(cell_variance, 1, 2),
        np.moveaxis(cells, 1, 2),
        np.moveaxis(hierarchy.dimension_by_cell, 1, 2),
    )
    index = _satterthwaite(channel_variance, channels, hierarchy.index_by_channel)
    return {
        "items": columns[..., :items],
        "cells": cells,
        "channels": channels,
        "dimensions": np.minimum(across, freedom.organizations[:, None]),
        "index": np.minimum(index, freedom.organizations),
    }


def _satterthwaite(variance: FloatArray, freedom: FloatArray, gradient: FloatArray) -> FloatArray:
    """Return the degrees of freedom of a weighted sum along the last axis; 0 where not known.

    Not known is a sum that rests on a number without an error, or has no derivative there.
    """
    used = gradient != 0  # NaN, which marks a missing derivative, counts as used
    unknown = (used & ((freedom <= 0) | np.isnan(gradient))).any(axis=-1)
    pieces = np.nan_to_num(gradient) ** 2 * variance
    spread = (pieces**2 / np.where(freedom > 0, freedom, 1.0)).sum(axis=-1)
    total = pieces.sum(axis=-1) ** 2
    freedoms = np.divide(total, spread, out=np.full(total.shape, np.inf), where=spread > 0)
    return np.where(unknown, 0.0, freedoms)
