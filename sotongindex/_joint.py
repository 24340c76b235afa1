"""Several estimates as one, so that they are drawn together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from sotongindex._factors import LinearFactor
from sotongindex.variance import Estimates


def stacked(parts: Sequence[Estimates]) -> Estimates:
    """Return estimates one after the other, (total size,), with all their covariances."""
    sizes = [part.size for part in parts]
    total, ends = sum(sizes), np.cumsum(sizes)
    terms = tuple(
        (part.factor, sparse.csr_array(sparse.eye_array(total, size, k=size - end)))
        for part, size, end in zip(parts, sizes, ends, strict=True)
    )
    columns = {
        name: np.concatenate([getattr(part, name).ravel() for part in parts])
        for name in ("values", "variance", "degrees_of_freedom")
    }
    return Estimates(
        **columns,
        factor=LinearFactor(terms),
        level=parts[0].level,
        lower=min(part.lower for part in parts),
        upper=max(part.upper for part in parts),
    )
