"""Mistakes that a type checker must find: each line would be reported without its comment.

Never executed, only checked.
"""

from __future__ import annotations

from sotongindex.models import Channel, GradeScale, PeerStatistic, Scale, Study, Target
from sotongindex.weighting import RankOrderWeights


def mistakes(study: Study, scale: GradeScale) -> None:
    """Hold them, so that importing this file raises nothing."""
    Channel("blog")  # type: ignore[call-arg]
    Channel()  # type: ignore[call-arg]
    Channel(key=1)  # type: ignore[arg-type]
    Channel(key="blog", colour="red")  # type: ignore[call-arg]
    Scale(conversion="top-box")  # type: ignore[arg-type]
    Scale(missing=9)  # type: ignore[arg-type]
    Target(score="median")  # type: ignore[arg-type]
    PeerStatistic(statistic="p57")  # type: ignore[arg-type]
    Study(key="study", framework=None, organizations=[])  # type: ignore[arg-type]
    study.key = "other"  # type: ignore[misc]
    scale.grade("90")  # type: ignore[arg-type]
    RankOrderWeights({"blog": 1}, method="centre")  # type: ignore[arg-type]
