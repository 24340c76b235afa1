"""The Mazziotta-Pareto index of five synthetic units, by R's Compind 3.4.

The adjusted index is that of ``ci_ampi(x, 1:3, gp = c(56, 53, 57), penalty = "NEG")``, to its
three decimals: goalposts half of each range to both sides of the reference. ``ci_mpi`` on parts
standardized with divisor n divides the variance between a unit's parts by k - 1, not by k.
"""

from __future__ import annotations

import numpy as np
import pytest

from sotongindex.aggregation import Penalty, mazziotta_pareto

SCORES = np.array(
    [
        [58.9, 62.1, 55.0],
        [54.8, 50.3, 66.4],
        [53.3, 57.7, 51.2],
        [61.0, 40.2, 70.8],
        [49.5, 49.9, 45.1],
    ]
)
REFERENCE = np.array([56.0, 53.0, 57.0])
ADJUSTED = (110.442, 100.970, 93.417, 99.181, 75.072)
LOWERED = (105.6595407851, 101.2850219734, 97.8122503960, 101.0307826301, 89.2797291971)
RAISED = (106.9591077476, 102.0993352644, 99.0844765792, 106.5815813890, 90.2081740380)


def test_adjusted_index() -> None:
    half = np.ptp(SCORES, axis=0) / 2
    found = mazziotta_pareto(SCORES, [1 / 3] * 3, goalposts=(REFERENCE - half, REFERENCE + half))
    assert found.scores == pytest.approx(ADJUSTED, abs=0.0005)


@pytest.mark.parametrize(("penalty", "published"), [("downward", LOWERED), ("upward", RAISED)])
def test_standardized_index(penalty: Penalty, published: tuple[float, ...]) -> None:
    found = mazziotta_pareto(SCORES, [1 / 3] * 3, penalty=penalty)
    sampled = found.means + (found.scores - found.means) * 3 / 2
    assert sampled == pytest.approx(published, abs=1e-9)
