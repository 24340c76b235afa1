"""A sample panel: invented organizations, invented respondents, two waves of answers.

Nothing in it was measured. It has the shape of a real survey (about 300 organizations, customers
who rate several of them each, channels that not everyone operates, missing answers, unequal
weights), and the channel means of its second wave are set to published ones: blog 58.9, Twitter
54.8, Facebook 53.3. With channels counting equally the mean index then comes out near 55.5; the
published means of 2011 are 56.1 and, of the social channels alone, 55.41.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._frames import Backend, frame_from_columns
from sotongindex.errors import MethodError
from sotongindex.models import Label, Organization, PeerGroup, PeerStatistic, Study, Target
from sotongindex.presets import scsi_2017
from sotongindex.recipe import Recipe
from sotongindex.responses import Responses

__all__ = ["SamplePanel", "sample_panel"]

# Invented industries of 200 companies and kinds of 112 public bodies: name, Korean name, how many,
# and how many points they stand above or below their sector. Some are too small to be compared.
_COMPANIES = (
    ("telecom", "통신", 9, 10.0),
    ("restaurants", "외식", 18, 6.0),
    ("electronics", "전자", 16, 5.0),
    ("leisure", "레저", 14, 3.5),
    ("retail", "유통", 24, 1.5),
    ("beverages", "음료", 14, 0.5),
    ("banking", "은행", 18, 0.0),
    ("fashion", "패션", 20, -1.0),
    ("automotive", "자동차", 12, -1.5),
    ("insurance", "보험", 22, -2.5),
    ("construction", "건설", 20, -4.0),
    ("chemicals", "화학", 13, -5.0),
)
_PUBLIC = (
    ("public-corporation", "공기업", 26, 3.0),
    ("central-government", "중앙정부", 24, 1.5),
    ("metropolitan-government", "광역자치단체", 16, 1.0),
    ("quasi-government", "준정부기관", 34, -2.0),
    ("local-government", "기초자치단체", 12, -4.5),
)
_SECTORS = (("company", "기업", 1.0, _COMPANIES), ("public", "공공기관", -1.5, _PUBLIC))

# Key, mean points in the second wave, share of organizations that operate it.
_CHANNELS = (("blog", 58.9, 0.66), ("twitter", 54.8, 0.78), ("facebook", 53.3, 0.91))
_RISE = 0.9

_AGES = ("15-24", "25-34", "35-44", "45-54", "55-64")
_AGE_SHARES = np.array([0.26, 0.28, 0.22, 0.15, 0.09])
# The panel is younger than the population, and the young are a little kinder.
_AGE_WEIGHTS = np.array([0.65, 0.85, 1.05, 1.35, 1.75])
_AGE_KINDNESS = np.array([1.6, 0.9, 0.1, -1.1, -2.0])

# Standard deviations in points: between organizations of an industry, an organization's channels
# and dimensions, respondents, one respondent's view of one organization, single answers.
_ORGANIZATION, _CHANNEL, _DIMENSION = 1.0, 0.8, 1.5
_RESPONDENT, _VIEW, _ANSWER = 6.0, 8.0, 17.0
_KNOWS_CHANNEL, _MISSING = 0.7, 0.05
# Points that each further channel costs all of them: attention is limited.
_ATTENTION = 1.5
# What rounding to 7 points and cutting at their ends takes away around these means.
_CUT_OFF = 0.12


@attrs.frozen(kw_only=True, eq=False)
class SamplePanel:
    """Two synthetic waves with partly the same respondents, and a recipe for the second.

    Attributes:
        before: The first wave.
        responses: The second wave, about a point higher.
        recipe: The study of the second wave, its weights, peers and targets.
    """

    before: Responses
    responses: Responses
    recipe: Recipe

    @property
    def study(self) -> Study:
        """The study of the second wave."""
        return self.recipe.study

    def to_columns(self, responses: Responses | None = None) -> dict[str, NDArray[Any]]:
        """Return the answers as a wide table: what a survey firm would deliver.

        Args:
            responses: The wave; default the second.

        Returns:
            Columns of equal length: respondent, organization, channel, weight, age_group, and one
            for every item, NaN where there is no answer.
        """
        wave = self.responses if responses is None else responses
        framework = wave.study.framework
        answers = np.where(wave.answers == wave.missing, np.nan, wave.answers)
        return {
            "respondent": wave.respondent_keys[wave.respondent],
            "organization": np.array(wave.study.organization_keys)[wave.organization],
            "channel": np.array(framework.channel_keys)[wave.channel],
            "weight": np.array(wave.weight),
            "age_group": wave.kept["age_group"],
            **{key: answers[:, i] for i, key in enumerate(framework.item_keys)},
        }

    def to_frame(self, backend: Backend = "pandas", *, responses: Responses | None = None) -> Any:
        """Return the same wide table as a data frame of "pandas", "polars" or "pyarrow"."""
        return frame_from_columns(self.to_columns(responses), backend)


def sample_panel(
    *,
    rng: int | np.random.Generator | np.random.SeedSequence | None = 2011,
    respondents: int = 4800,
    organizations_each: int = 6,
) -> SamplePanel:
    """Return an invented panel of 312 organizations, 3 channels, 12 items on 7 points, 2 waves.

    200 companies and 112 public bodies; the blog is operated by 66 %, Twitter by 78 % and Facebook
    by 91 % of them. Every respondent rates a few organizations on the channels they know; 5 % of
    the answers are missing; weights undo an age structure that is too young. Half of the
    respondents take part in both waves. Answers are drawn from normal distributions around true
    scores, rounded and cut to the scale.

    Args:
        rng: A seed or generator; the same seed gives the same bytes under one version of numpy.
        respondents: Respondents in each wave, 2 or more.
        organizations_each: How many organizations each respondent rates, 1 to 312.

    Returns:
        Both waves as `Responses`, and a recipe.

    Raises:
        MethodError: If there are too few respondents, or organizations for each of them.

    >>> panel = sample_panel(respondents=200)
    >>> len(panel.study.organizations), panel.study.framework.channel_keys
    (312, ('blog', 'twitter', 'facebook'))
    """
    random = np.random.default_rng(rng)
    operated = _adoption(random)
    organizations = _organizations(operated)
    if respondents < 2:
        raise MethodError(f"expected 2 or more, got {respondents}", argument="respondents")
    if not 1 <= organizations_each <= len(organizations):
        raise MethodError(
            f"expected 1 to {len(organizations)}, got {organizations_each}",
            argument="organizations_each",
        )
    truth = _true_scores(random, operated)
    people = _people(random, respondents)
    chosen = random.random((len(people.kindness), len(organizations))).argpartition(
        organizations_each - 1, axis=1
    )[:, :organizations_each]
    waves = []
    for number, rise in ((1, 0.0), (2, _RISE)):
        study = _study(organizations, number)
        # The second half of the first wave is the first half of the second.
        first = (number - 1) * (respondents // 2)
        sample = slice(first, first + respondents)
        waves.append(
            _wave(
                random,
                study,
                operated=operated,
                truth=truth + rise - _RISE + _CUT_OFF,
                people=people,
                chosen=chosen,
                sample=sample,
            )
        )
    return SamplePanel(before=waves[0], responses=waves[1], recipe=_recipe(waves[1].study))


# -- organizations -------------------------------------------------------------------------------


def _organizations(operated: NDArray[np.bool_]) -> tuple[Organization, ...]:
    study_channels = [key for key, *_ in _CHANNELS]
    result: list[Organization] = []
    for sector, korean_sector, _, groups in _SECTORS:
        number = 0
        for industry, korean, count, _ in groups:
            for _ in range(count):
                number += 1
                name = industry.replace("-", " ")
                operates = zip(study_channels, operated[len(result)], strict=True)
                result.append(
                    Organization(
                        key=f"{sector}-{number:03d}",
                        industry=industry,
                        sector=sector,
                        channels=[channel for channel, used in operates if used],
                        label=Label(
                            ko=f"가상 {korean_sector} {number:03d} ({korean})",
                            en=f"Synthetic {sector} {number:03d} ({name})",
                        ),
                    )
                )
    return tuple(result)


def _study(organizations: tuple[Organization, ...], wave: int) -> Study:
    return Study(
        key="synthetic-panel",
        framework=scsi_2017().framework,
        organizations=organizations,
        wave=f"synthetic wave {wave}",
        population="invented customers aged 15 to 64",
    )


def _recipe(study: Study) -> Recipe:
    same = PeerGroup(key="same_industry", same="industry")
    return Recipe(
        study=study,
        scheme=scsi_2017().scheme,
        peers=[same, PeerGroup(key="other_industries", different="industry")],
        targets=[Target(score=PeerStatistic(statistic="p75", peers=same))],
    )


# -- true scores ---------------------------------------------------------------------------------


def _adoption(random: np.random.Generator) -> NDArray[np.bool_]:
    """Draw which organization operates which channel, (o, c), in exactly the given shares."""
    count = sum(size for *_, groups in _SECTORS for *_, size, _ in groups)
    operated = np.zeros((count, len(_CHANNELS)), dtype=bool)
    for column, (_, _, share) in enumerate(_CHANNELS):
        operated[random.permutation(count)[: round(share * count)], column] = True
    without = ~operated.any(axis=1)
    operated[without, 0] = True
    return operated


def _true_scores(random: np.random.Generator, operated: NDArray[np.bool_]) -> FloatArray:
    """Draw true scores (o, c, d) whose channel means over operators are the given ones."""
    level = np.concatenate(
        [
            np.full(count, sector_level + level)
            for *_, sector_level, groups in _SECTORS
            for *_, count, level in groups
        ]
    )
    organizations, channels = operated.shape
    level = level + random.normal(0.0, _ORGANIZATION, organizations)
    level -= _ATTENTION * operated.sum(axis=1)
    scores = level[:, None] + random.normal(0.0, _CHANNEL, (organizations, channels))
    shares = operated / operated.sum(axis=0)
    scores += np.array([mean for _, mean, _ in _CHANNELS]) - (shares * scores).sum(axis=0)
    preset = scsi_2017()
    weights = preset.scheme.resolve(preset.framework).dimensions[0]
    profile = random.normal(0.0, _DIMENSION, (organizations, 1, len(weights)))
    profile = profile + random.normal(0.0, _DIMENSION, len(weights))
    profile = profile - (profile @ weights)[:, :, None]  # the channel's score stays what it is
    drawn: FloatArray = scores[:, :, None] + profile
    return drawn


# -- respondents and answers ---------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class _People:
    """Everybody in either wave: age group, kindness in points, weight, each (r,)."""

    age: IntArray
    kindness: FloatArray
    weight: FloatArray


def _people(random: np.random.Generator, respondents: int) -> _People:
    count = respondents + respondents // 2
    age = random.choice(len(_AGES), size=count, p=_AGE_SHARES)
    return _People(
        age=age,
        kindness=_AGE_KINDNESS[age] + random.normal(0.0, _RESPONDENT, count),
        weight=(_AGE_WEIGHTS[age] * random.uniform(0.8, 1.2, count)).round(3),
    )


def _wave(
    random: np.random.Generator,
    study: Study,
    *,
    operated: NDArray[np.bool_],
    truth: FloatArray,
    people: _People,
    chosen: IntArray,
    sample: slice,
) -> Responses:
    """Draw the answers of one wave: one row for a respondent, an organization and a channel."""
    rated = chosen[sample]
    known = operated[rated] & (random.random((*rated.shape, operated.shape[1])) < _KNOWS_CHANNEL)
    view = random.normal(0.0, _VIEW, rated.shape)
    row, place, channel = known.nonzero()
    person, organization = row + sample.start, rated[row, place]
    score = truth[organization, channel] + (people.kindness[person] + view[row, place])[:, None]
    noisy = np.repeat(score, 2, axis=1)  # two items a dimension
    noisy += random.standard_normal(noisy.shape, dtype=np.float32) * _ANSWER
    answers = np.clip(np.rint(1.0 + noisy * 0.06), 1, 7)
    answers[random.random(answers.shape, dtype=np.float32) < _MISSING] = np.nan
    responses = Responses.from_arrays(
        study,
        answers=answers,
        organization=organization,
        channel=channel,
        respondent=person + 100_001,
        weight=people.weight[person],
    )
    return attrs.evolve(responses, kept={"age_group": np.array(_AGES)[people.age[person]]})
