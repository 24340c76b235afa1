"""Comparing scores with one score of a norm."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray
from sotongindex._disclosure import (
    DisclosureRules,
    Reasons,
    Subject,
    first_of,
    respondent_notices,
    shown,
)
from sotongindex._norm_result import NormComparison, NormDistances
from sotongindex._norm_set import BenchmarkSet, NormFigure, NormScores
from sotongindex._standing import (
    Standings,
    count_peers,
    expected_percentiles,
    normal_draws,
    posterior_scale,
    summarize,
)
from sotongindex.percentiles import percentile_rank
from sotongindex.results import IndexResult, Notice
from sotongindex.variance import Estimates, combine


@attrs.frozen(kw_only=True)
class Yardstick:
    """One score of a norm, and how to compare with it."""

    scores: NormScores
    rules: DisclosureRules
    top: int
    level: float

    def compare(self, subject: Subject, *, draws: int, rng: np.random.Generator) -> NormComparison:
        """Compare one score of every organization."""
        norm, rules, values = self.scores, self.rules, subject.estimates.values
        own = subject.reasons(rules.min_respondents_compare)
        distances = first_of(own, self._few(own, rules.min_peers_mean))
        standing = first_of(own, self._few(own, rules.min_peers_rank), self._unshared(own))
        percentile = percentile_rank(norm.scores, values)
        known = (subject.estimates.degrees_of_freedom > 2) & (norm.shared_variance is not None)
        found = self._standings(
            subject.estimates, percentile, standing == "", draws=draws, rng=rng
        ).where(standing == "", known)
        return NormComparison(
            channel=norm.channel,
            dimension=norm.dimension,
            score=_shown(subject.estimates, subject.reasons(rules.min_respondents_show) == ""),
            members=norm.count,
            percentile=shown(percentile, standing),
            **{field.name: getattr(found, field.name) for field in attrs.fields(Standings)},
            figures=norm.figures,
            distances=NormDistances(
                **{
                    field.name: _distance(
                        subject.estimates, getattr(norm.figures, field.name), distances == ""
                    )
                    for field in attrs.fields(NormDistances)
                }
            ),
            distance_reasons=distances,
            standing_reasons=standing,
            uncertain_reasons=np.where(known, "", "unknown error"),
        )

    def _few(self, like: Reasons, least: int) -> Reasons:
        return np.full(len(like), "few peers" if self.scores.count < least else "")

    def _unshared(self, like: Reasons) -> Reasons:
        hidden = len(self.scores.scores) < self.scores.count
        return np.full(len(like), "not shared" if hidden else "")

    def _standings(
        self,
        estimates: Estimates,
        percentile: FloatArray,
        shown: NDArray[np.bool_],
        *,
        draws: int,
        rng: np.random.Generator,
    ) -> Standings:
        """Place the organizations `shown` among draws of the members."""
        users = np.flatnonzero(shown)
        if not len(users):
            return Standings.joined([], len(shown))
        others, errors, shared = self._members()
        common, single = normal_draws(draws, 1, rng), normal_draws(draws, len(others), rng)
        together = np.minimum(shared, errors**2)
        alone = np.sqrt(errors**2 - together)
        members = others + np.sqrt(together) * common + alone * single
        own = np.nan_to_num(
            estimates.standard_error * posterior_scale(estimates.degrees_of_freedom)
        )[users]
        drawn = estimates.values[users] + own * normal_draws(draws, 1, rng)
        places = np.arange(len(users) + len(others))
        counts = count_peers(
            np.hstack([drawn, members]), places[: len(users)], places[len(users) :]
        )
        expected = expected_percentiles(
            estimates.values[users],
            others,
            own[:, None] ** 2 + errors**2,
            counted=np.ones((len(users), len(others)), dtype=bool),
        )
        part = summarize(
            counts, percentile[users], expected, top=self.top, level=self.level, rng=rng
        )
        return Standings.joined([(users, part)], len(shown))

    def _members(self) -> tuple[FloatArray, FloatArray, float]:
        """Return the members' scores, the standard deviations of the true ones, what they share."""
        errors = np.array([np.nan if e is None else e for e in self.scores.standard_errors])
        scale = posterior_scale(np.array(self.scores.degrees_of_freedom))
        return (
            np.array(self.scores.scores),
            np.nan_to_num(errors * scale),
            self.scores.shared_variance or 0.0,
        )


def _shown(estimates: Estimates, shown: NDArray[np.bool_]) -> Estimates:
    return estimates.transform(
        sparse.eye_array(estimates.size, format="csr"),
        values=np.where(shown, estimates.values, np.nan),
    )


def _distance(
    estimates: Estimates, figure: NormFigure | None, shown: NDArray[np.bool_]
) -> Estimates:
    """Return scores minus a figure of the norm; missing where not shown."""
    error = np.nan if figure is None else figure.standard_error
    held = Estimates.independent(
        [np.nan if figure is None else figure.value],
        [np.nan if error is None else error],
        degrees_of_freedom=0.0 if figure is None else figure.degrees_of_freedom,
        level=estimates.level,
    )
    return combine(
        [
            (estimates, sparse.eye_array(estimates.size, format="csr")),
            (held, np.full((estimates.size, 1), -1.0)),
        ],
        values=np.where(shown, estimates.values - held.values, np.nan),
    )


def norm_notices(result: IndexResult, norm: BenchmarkSet) -> tuple[Notice, ...]:
    """Say what makes a result and a norm less than comparable."""
    framework, study = result.study.framework, result.study
    where = dict(norm.peers.where)
    outside = [
        one.key
        for one in study.organizations
        if any(one.attribute(name) not in allowed for name, allowed in where.items())
    ]
    differing = (
        (
            "framework differs",
            "the norm was measured by another framework",
            (framework.key, framework.version) != (norm.framework, norm.framework_version),
        ),
        (
            "method differs",
            "the norm was computed by other weights or another method",
            (result.scheme.fixed(result.weights.learned), result.method)
            != (norm.scheme, norm.method),
        ),
        (
            "population differs",
            f"the norm is about another population: {norm.population}",
            study.population != norm.population,
        ),
    )
    notices = [Notice(code=code, message=told) for code, told, differs in differing if differs]
    if outside:
        told = f"{len(outside)} organizations are not of the kind {norm.peers.key!r} of the norm"
        notices.append(Notice(code="outside the norm", message=told, keys=tuple(outside)))
    return (*respondent_notices(result, norm.rules), *notices)
