"""The table of a level of scores: one row an organization, channel, dimension or item."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from sotongindex._arrays import FloatArray
from sotongindex._levels import Level
from sotongindex.errors import MethodError, nearest_key
from sotongindex.models import Study
from sotongindex.variance import Estimates

__all__ = ["check_level", "score_columns", "with_error"]


def check_level(level: str) -> None:
    """Refuse a level that there is not.

    Raises:
        MethodError: If there is no such level.
    """
    known = get_args(Level)
    if level not in known:
        near = nearest_key(level, known)
        raise MethodError(
            f"expected one of {', '.join(map(repr, known))}, got {level!r}"
            + (f"; did you mean {near!r}?" if near else ""),
            argument="level",
        )


def score_columns(
    estimates: Estimates, study: Study, *, level: Level, respondents: FloatArray
) -> dict[str, Any]:
    """Return the columns of a level, rows in C order of its axes.

    Args:
        estimates: The scores of the level.
        study: Where the keys of its axes are.
        level: The level.
        respondents: Respondents of every organization, (o,).
    """
    framework = study.framework
    dimensions = np.array(framework.dimension_keys, dtype=object)
    of_item = dimensions[np.array(framework.item_dimensions)]
    axes = {
        "organization": np.array(study.organization_keys, dtype=object),
        "channel": np.array(framework.channel_keys, dtype=object),
        "dimension": dimensions,
        "item": np.array(framework.item_keys, dtype=object),
    }
    names = {
        "index": ("organization",),
        "channels": ("organization", "channel"),
        "dimensions": ("organization", "dimension"),
        "cells": ("organization", "channel", "dimension"),
        "items": ("organization", "channel", "item"),
    }[level]
    columns: dict[str, Any] = {}
    for name, places in zip(names, np.indices(estimates.shape), strict=True):
        if name == "item":
            columns["dimension"] = of_item[places.ravel()]
        columns[name] = axes[name][places.ravel()]
    if level == "index":
        whole = [None if np.isnan(number) else int(number) for number in respondents]
        columns["respondents"] = whole
    known = ~np.isnan(estimates.variance)
    return {
        **columns,
        "score": estimates.values.ravel(),
        "standard_error": estimates.standard_error.ravel(),
        "low": estimates.low.ravel(),
        "high": estimates.high.ravel(),
        "degrees_of_freedom": np.where(known, estimates.degrees_of_freedom, np.nan).ravel(),
    }


def with_error(name: str, estimates: Estimates) -> dict[str, Any]:
    """Return the columns of numbers with their errors, under a name."""
    return {
        name: estimates.values.ravel(),
        f"{name}_standard_error": estimates.standard_error.ravel(),
        f"{name}_low": estimates.low.ravel(),
        f"{name}_high": estimates.high.ravel(),
    }
