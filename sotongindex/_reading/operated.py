"""Operated: evaluations are about channels that their organization operates."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sotongindex._reading.cells import Cells
from sotongindex._reading.rows import Codes
from sotongindex._reading.source import Source
from sotongindex.checks import Finding, finding_in

__all__ = ["not_operated"]


def not_operated(source: Source, organization: Codes, cells: Cells) -> Iterable[Finding]:
    """Find evaluations on a channel that the organization declares not to operate."""
    channels = source.study.framework.channel_keys
    operated = np.array(
        [
            [unit.channels is None or channel in unit.channels for channel in channels]
            for unit in source.study.organizations
        ]
    )
    known = (organization >= 0) & (cells.channel >= 0)
    wrong = known & ~operated[organization, cells.channel]
    if wrong.any():
        mask = np.zeros(source.frame.rows, dtype=np.bool_)
        mask[cells.row[wrong]] = True
        pairs = np.unique(
            organization[wrong].astype(np.int64) * len(channels) + cells.channel[wrong]
        )
        units = source.study.organization_keys
        yield finding_in(
            mask,
            "rating on a channel that the organization declares not to operate",
            times=source.frame.times,
            advice="correct the rows or Organization.channels",
            code="not_operated",
            severity="error",
            column=source.layout.channel,
            values=[
                f"{units[p // len(channels)]}/{channels[p % len(channels)]}" for p in pairs[:5]
            ],
        )
