"""Kemeny's orders of published votes.

Condorcet's sixty voters: Young (1988), Condorcet's theory of voting, doi:10.2307/1961757. The
capital of Tennessee: the Kemeny-Young article of Wikipedia, score 393. Three candidates in a
circle: the Kemeny-Young article of Electowiki, which counts 120 disagreements.
"""

from __future__ import annotations

import numpy as np
import pytest

from sotongindex.aggregation import copeland, kemeny

CONDORCET = {"abc": 23, "bca": 17, "bac": 2, "cab": 10, "cba": 8}
TENNESSEE = {"MNCK": 42, "NCKM": 26, "CKNM": 15, "KCNM": 17}
CIRCLE = {"abc": 25, "bca": 40, "cab": 35}


def counted(ballots: dict[str, int]) -> tuple[list[str], np.ndarray]:
    names = sorted(next(iter(ballots)))
    votes = np.zeros((len(names), len(names)))
    for ballot, count in ballots.items():
        for place, ahead in enumerate(ballot):
            for behind in ballot[place + 1 :]:
                votes[names.index(ahead), names.index(behind)] += count
    return names, votes


@pytest.mark.parametrize(
    ("ballots", "order", "agreement"),
    [
        (CONDORCET, "bca", 42 + 35 + 27),
        (TENNESSEE, "NCKM", 393),
        (CIRCLE, "bca", 3 * 100 - 120),
    ],
    ids=["Condorcet", "Tennessee", "circle"],
)
def test_published_orders(ballots: dict[str, int], order: str, agreement: float) -> None:
    names, votes = counted(ballots)
    found = kemeny(votes)
    assert "".join(names[unit] for unit in found.order) == order
    assert found.agreement == agreement
    assert found.count == 1


def test_copeland_finds_the_capital_and_leaves_a_circle_tied() -> None:
    names, votes = counted(TENNESSEE)
    assert dict(zip(names, copeland(votes), strict=True)) == {"N": 3, "C": 1, "K": -1, "M": -3}
    assert copeland(counted(CONDORCET)[1]).tolist() == [0, 0, 0]
