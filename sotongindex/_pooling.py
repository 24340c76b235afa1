"""Tallies of several studies as one: organizations put together, jackknife groups made fewer."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Any

import attrs
import numpy as np

from sotongindex._jackknife_groups import check_groups
from sotongindex._replicate_sums import ReplicateSums
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import Framework, Organization, Study
from sotongindex.tally import Tally, add_tallies

__all__ = ["coarsen_groups", "pool_studies", "pool_tallies"]


# -- studies -------------------------------------------------------------------------------------


def pool_studies(
    studies: Sequence[Study],
    *,
    key: str | None = None,
    wave: str | None = None,
    population: str | None = None,
) -> Study:
    """Return the study of everybody that several studies measured, in the same way.

    Args:
        studies: Studies of one framework, one or more.
        key: The name of the pool; default the key of all of them.
        wave: Its wave; default that of all of them.
        population: Whom its respondents stand for; default that of all of them.

    Returns:
        The study; organizations stand in the order in which they first occur.

    Raises:
        DefinitionError: If the frameworks differ, an organization is described in two ways, or the
            key, wave or population differ and none is given.
        MethodError: If there is no study.

    >>> from sotongindex.datasets import sample_panel
    >>> panel = sample_panel(respondents=20)
    >>> pooled = pool_studies([panel.before.study, panel.study], wave="both waves")
    >>> pooled.wave, len(pooled.organizations)
    ('both waves', 312)
    """
    if not studies:
        raise MethodError("expected one study or more, got none", argument="studies")
    told = {"key": key, "wave": wave, "population": population}
    agreed: dict[str, Any] = {
        name: _agreed(studies, name) if value is None else value for name, value in told.items()
    }
    organizations: dict[str, Organization] = {}
    for study in studies:
        _check_framework(studies[0].framework, study.framework)
        for one in study.organizations:
            _check_organization(organizations.setdefault(one.key, one), one)
    return attrs.evolve(studies[0], organizations=organizations.values(), **agreed)


def _check_framework(first: Framework, other: Framework) -> None:
    """Raise unless two frameworks are the same, naming the part that differs."""
    for field in attrs.fields(Framework):
        if getattr(first, field.name) != getattr(other, field.name):
            raise DefinitionError(
                f"framework {first.key!r} {first.version!r} and framework {other.key!r} "
                f"{other.version!r} differ in {field.name}; only what was measured in the same way "
                "is pooled",
                field=f"Framework.{field.name}",
                key=other.key,
            )


def _check_organization(first: Organization, other: Organization) -> None:
    """Raise unless an organization is described in the same way, naming what differs."""
    for field in attrs.fields(Organization):
        values = getattr(first, field.name), getattr(other, field.name)
        if values[0] != values[1]:
            raise DefinitionError(
                f"described in two ways, {values[0]!r} and {values[1]!r}; describe it in the same "
                "way in all studies, or give two organizations two keys",
                field=f"Organization[{first.key}].{field.name}",
                key=first.key,
            )


def _agreed(studies: Sequence[Study], name: str) -> str | None:
    """Return what all studies say."""
    values = list(dict.fromkeys(getattr(study, name) for study in studies))
    if len(values) > 1:
        raise DefinitionError(
            f"the studies have {', '.join(map(repr, values))}; say with {name}=... what the pool "
            "has",
            field=f"Study.{name}",
            key=values[1],
        )
    value: str | None = values[0]
    return value


# -- tallies -------------------------------------------------------------------------------------


def pool_tallies(
    tallies: Sequence[Tally],
    *,
    key: str | None = None,
    wave: str | None = None,
    population: str | None = None,
) -> Tally:
    """Add up tallies of studies that measured different organizations, or the same ones again.

    The answers of an organization that is in several tallies count as much as their weights: let
    the weights of all sources have the same mean, or the larger ones hide the smaller. A respondent
    of two sources falls into one jackknife group if both call the respondent by the same key.

    Args:
        tallies: Tallies with the same number of jackknife groups, one or more.
        key: The name of the pooled study; see `pool_studies`.
        wave: Its wave.
        population: Whom its respondents stand for.

    Returns:
        The tally of all answers together, of the study that `pool_studies` makes.

    Raises:
        DefinitionError: If the studies cannot be pooled.
        MethodError: If there is no tally, or their groups or categories differ.

    >>> from sotongindex.datasets import sample_panel
    >>> panel = sample_panel(respondents=20)
    >>> waves = [Tally.from_responses(wave) for wave in (panel.before, panel.responses)]
    >>> pooled = pool_tallies(waves, wave="both waves")
    >>> int(pooled.evaluations.sum()) == len(panel.before) + len(panel.responses)
    True
    """
    if not tallies:
        raise MethodError("expected one tally or more, got none", argument="tallies")
    groups = sorted({tally.groups for tally in tallies})
    if len(groups) > 1:
        raise MethodError(
            f"expected one number of jackknife groups, got {', '.join(map(str, groups))}; "
            f"coarsen_groups(tally, {gcd(*groups)}) brings all of them to {gcd(*groups)}",
            argument="tallies",
        )
    study = pool_studies(
        [tally.study for tally in tallies], key=key, wave=wave, population=population
    )
    return add_tallies([_restudied(tally, study) for tally in tallies])


def _restudied(tally: Tally, study: Study) -> Tally:
    """Return the tally with the organizations of a wider study."""
    places = {key: place for place, key in enumerate(study.organization_keys)}
    place_of = np.array([places[key] for key in tally.study.organization_keys])
    replicates = tally.replicates
    if replicates is not None:
        organization, channel = np.divmod(replicates.unit, len(study.framework.channels))
        unit = place_of[organization] * len(study.framework.channels) + channel
        replicates = ReplicateSums.merged([attrs.evolve(replicates, unit=unit)])
    organizations = place_of[tally.organization]
    return attrs.evolve(tally, study=study, organization=organizations, replicates=replicates)


def coarsen_groups(tally: Tally, groups: int) -> Tally:
    r"""Return the tally with fewer jackknife groups.

    With :math:`G'` that divides :math:`G`, group :math:`g` becomes :math:`g \bmod G'`. That is the
    tally that the answers themselves give with :math:`G'` groups, because a group is the remainder
    of a number made of the key (`jackknife_groups`).

    Args:
        tally: The tally, with G groups.
        groups: The number of groups it is to have, a divisor of G; 1 for none.

    Returns:
        The tally.

    Raises:
        MethodError: If `groups` does not divide the number of groups, or weights were calibrated
            without each group; with 1 group left, what that was made for is left out.

    >>> from sotongindex.datasets import sample_panel
    >>> fine = Tally.from_responses(sample_panel(respondents=20).responses, groups=32)
    >>> coarsen_groups(fine, 4).groups
    4
    """
    check_groups(groups)
    if tally.groups % groups:
        divisors = [str(n) for n in range(1, tally.groups + 1) if tally.groups % n == 0]
        raise MethodError(
            f"expected a divisor of {tally.groups} ({', '.join(divisors)}), got {groups}",
            argument="groups",
        )
    if groups == tally.groups:
        return tally
    if tally.replicates is not None and groups > 1:
        raise MethodError(
            "weights were calibrated again without each group, which is not the same for fewer "
            f"groups; make the tally with groups={groups}, or keep one group",
            argument="groups",
        )
    moments = tally.moments
    if moments is not None:
        moments = attrs.evolve(moments, groups=groups, group=moments.group % groups)
    coarse = attrs.evolve(
        tally, groups=groups, group=tally.group % groups, moments=moments, replicates=None
    )
    return add_tallies([coarse])
