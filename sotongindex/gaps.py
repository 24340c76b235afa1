"""Gaps: how far scores are from their targets, and which channel or dimension to improve first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse

from sotongindex._arrays import FloatArray
from sotongindex._disclosure import DisclosureRules, respondent_notices
from sotongindex._target_cases import Baseline, TargetCase, check_target, measure
from sotongindex.attainment import Attainment, GapResult, Lever, TargetGap
from sotongindex.errors import MethodError
from sotongindex.models import Target
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates

__all__ = ["Attainment", "GapResult", "Lever", "TargetGap", "find_gaps"]


def find_gaps(
    result: IndexResult,
    targets: Target | Iterable[Target],
    *,
    baseline: Baseline = None,
    rules: DisclosureRules = DisclosureRules(),  # frozen
) -> GapResult:
    r"""Measure scores :math:`x` against targets :math:`T`: the gap is :math:`T - x`.

    A target that peers set is found without the organization itself, and moves with the peers' own
    sampling errors; the error of the gap has both, and the covariance through shared respondents.

    Attainment comes in three named forms, as shares (1 = reached):

    - ratio: :math:`x / T`;
    - progress: :math:`(x - b) / (T - b)` from the baseline :math:`b`;
    - range: :math:`(x - l) / (T - l)` from the lowest peer :math:`l` (of the target's own peers,
      or of everyone where the target is a number or a grade).

    What to improve first: every target of a channel or dimension is a lever, and a target of the
    index is applied to each channel and each dimension. A lever regains :math:`(T - x)^+` times the
    derivative of the index by it: exact for arithmetic means, first order for others. A dimension
    is raised by the same points on every channel. What customers would do about it is another
    question: the index's own weights say what the index would be.

    Args:
        result: The scores.
        targets: One target or several.
        baseline: Where the way to the target began: an earlier result, several of them (the best
            score of each organization counts; it flatters, as the best of several is partly luck),
            or a number of points.
        rules: What may be shown; the same as for `compare_to_peers`.

    Returns:
        The gaps and the levers.

    Raises:
        DefinitionError: If a target names an unknown organization, channel, dimension or item.
        MethodError: If there is no target, or the baseline is no number from 0 to 100, or empty.

    References:
        42 CFR 412.165 for progress from a baseline; OECD and JRC (2008),
        doi 10.1787/9789264043466-en, for distance to a reference.
    """
    wanted = (targets,) if isinstance(targets, Target) else tuple(targets)
    if not wanted:
        raise MethodError("expected at least one target, got none", argument="targets")
    if isinstance(baseline, int | float) and not 0 <= baseline <= 100:
        raise MethodError(f"expected 0 to 100 points, got {baseline}", argument="baseline")
    if isinstance(baseline, Sequence):
        baseline = tuple(baseline)
        if not baseline:
            raise MethodError("expected at least one earlier result, got none", argument="baseline")
    for position, target in enumerate(wanted):
        check_target(result, target, field=f"targets[{position}]")
    cases = [TargetCase.of(result, target, baseline=baseline, rules=rules) for target in wanted]
    gaps = tuple(map(measure, cases))
    levers = [
        Lever(rule=case.target, gap=part, regained=_regained(result, part))
        for case, gap in zip(cases, gaps, strict=True)
        for part in _parts(case, gap)
    ]
    return GapResult(
        result=result,
        gaps=gaps,
        levers=tuple(levers),
        rules=rules,
        notices=(*_baseline_notices(result, baseline), *respondent_notices(result, rules)),
    )


def _parts(case: TargetCase, gap: TargetGap) -> list[TargetGap]:
    """Return the gaps of each channel and dimension under a target of the index; else the gap."""
    target, framework = case.target, case.result.study.framework
    if (target.channel, target.dimension) != (None, None):
        return [gap]
    parts = [
        *(case.part(channel=key) for key in framework.channel_keys),
        *(case.part(dimension=key) for key in framework.dimension_keys),
    ]
    return list(map(measure, parts))


# -- what to improve first -----------------------------------------------------------------------


def _regained(result: IndexResult, gap: TargetGap) -> Estimates:
    """Return the points of the index that closing the gap regains, 0 where there is none."""
    position = {key: place for place, key in enumerate(result.organizations)}
    rows = np.array([position[key] for key in gap.organizations])
    slope = _index_slope(result, gap.target)[rows]
    open_gap = np.maximum(gap.gap.values, 0.0)
    steep = np.where(open_gap > 0, np.nan_to_num(slope), 0.0)
    return gap.gap.transform(
        sparse.diags_array(steep),
        values=slope * open_gap,
        lower=0.0,
        upper=100.0,
    )


def _index_slope(result: IndexResult, target: Target) -> FloatArray:
    """Return the derivative of the index by the channel, dimension, cell or item, (o,)."""
    tree, framework = result.structure, result.study.framework
    if target.dimension is None:
        channel = framework.channel_keys.index(str(target.channel))
        by_channel: FloatArray = tree.index_by_channel[:, channel]
        if target.item is None:
            return by_channel
        item = framework.item_keys.index(target.item)
        cell = tree.channel_by_cell[:, channel, framework.item_dimensions[item]]
        return by_channel * cell * tree.cell_by_item[:, channel, item]
    dimension = framework.dimension_keys.index(target.dimension)
    by_cell: FloatArray = tree.index_by_cell[:, :, dimension]
    if target.channel is not None:
        return by_cell[:, framework.channel_keys.index(target.channel)]
    risen = tree.dimension_by_cell[:, :, dimension].sum(axis=1)
    by_dimension: FloatArray = by_cell.sum(axis=1) / np.where(risen > 0, risen, np.nan)
    return by_dimension


def _baseline_notices(result: IndexResult, baseline: Baseline) -> tuple[Notice, ...]:
    if baseline is None or isinstance(baseline, int | float):
        return ()
    now = result.study.framework
    waves = [baseline] if isinstance(baseline, IndexResult) else baseline
    frameworks = [wave.study.framework for wave in waves]
    return tuple(
        Notice(
            code="framework differs",
            message=(
                f"the baseline was measured by {key} {version}, the scores by {now.key} "
                f"{now.version}: progress holds only where the two are comparable"
            ),
        )
        for key, version in dict.fromkeys((one.key, one.version) for one in frameworks)
        if (key, version) != (now.key, now.version)
    )
