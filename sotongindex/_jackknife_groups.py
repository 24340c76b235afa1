"""Jackknife groups: which group a respondent falls into, by the key alone."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import IntArray
from sotongindex.errors import MethodError

__all__ = [
    "BASE",
    "MULTIPLIER",
    "PRIME",
    "Keys",
    "check_groups",
    "given_groups",
    "jackknife_groups",
]

PRIME = 2_147_483_647  # the Mersenne prime 2**31 - 1
MULTIPLIER = 48_271  # Park, Miller and Stockmeyer (1993), doi:10.1145/159544.376068
BASE = 257  # of the polynomial that makes a number of a text

Keys: TypeAlias = NDArray[np.integer[Any]] | NDArray[np.str_]


def jackknife_groups(keys: Keys, groups: int) -> IntArray:
    r"""Assign every key to one of `groups` groups by the key alone.

    With an integer key :math:`k`, or the polynomial :math:`k = \sum_j c_j 257^j` of the code points
    of a text in Unicode, and :math:`P = 2^{31} - 1`:

    .. math:: g = (48271\,(k \bmod P) \bmod P) \bmod G

    Products stay below :math:`2^{63}`, so any engine with 64-bit integers computes the same group:
    the same respondent falls into the same group in every batch, on every machine and in every
    wave.

    Args:
        keys: Integer or text keys, (n,).
        groups: The number of groups, 2 or more.

    Returns:
        The groups, 0 to `groups` - 1, (n,).

    Raises:
        MethodError: If there are fewer than 2 groups, or keys are neither integers nor text.

    References:
        Kott (2001), The delete-a-group jackknife, Journal of Official Statistics 17, 521-526.

    >>> jackknife_groups(np.array([1, 2, 3]), 32).tolist()
    [15, 30, 13]
    """
    check_groups(groups, least=2)
    if keys.dtype.kind in "iu":
        number = keys.astype(np.int64) % PRIME
    elif keys.dtype.kind == "U":
        width = keys.dtype.itemsize // 4  # numpy stores a text as so many code points
        letters = np.ascontiguousarray(keys).view(np.uint32).reshape(len(keys), width)
        number = np.zeros(len(keys), dtype=np.int64)
        # From the last letter to the first: the zeros that pad short keys add nothing.
        for column in letters.T[::-1]:
            number = (number * BASE + column) % PRIME
    else:
        raise MethodError(f"expected integers or text, got {keys.dtype}", argument="keys")
    return number * MULTIPLIER % PRIME % groups


def check_groups(groups: int, *, least: int = 1) -> None:
    """Raise unless there are at least so many groups."""
    if groups < least:
        raise MethodError(f"expected {least} or more, got {groups}", argument="groups")


def given_groups(values: NDArray[Any], groups: int) -> IntArray:
    """Return groups that were supplied as whole numbers, or raise."""
    whole = values.dtype.kind in "iuf" and bool((np.rint(values) == values).all())
    if not whole or not ((values >= 0) & (values < groups)).all():
        found = f"{values.min():g} to {values.max():g}" if values.dtype.kind in "iuf" else "text"
        raise MethodError(
            f"expected whole numbers from 0 to {groups - 1}, got {found}", argument="group"
        )
    return values.astype(np.int64)
