"""What is hidden in one place cannot be read in another."""

from __future__ import annotations

import numpy as np
from support import small_study

from sotongindex._ledger import disclosed_rows
from sotongindex.benchmark import DisclosureRules, compare_to_peers
from sotongindex.index import compute_index
from sotongindex.models import Organization, SurveyItem
from sotongindex.responses import Responses

ITEMS = [
    SurveyItem(key="q1", dimension="text", channels=["blog"]),
    SurveyItem(key="q2", dimension="film", channels=["video"]),
]
STUDY = small_study(
    organizations=[Organization(key=f"o{o}", industry="all") for o in range(8)],
    channels=("blog", "video"),
    items=ITEMS,
)


def result_with_a_small_channel():
    """Everybody has 40 ratings on the blog; o0 has 3 on video, the others 40."""
    rng = np.random.default_rng(1)
    blog = [(o, 0) for o in range(8) for _ in range(40)]
    video = [(o, 1) for o in range(8) for _ in range(3 if o == 0 else 40)]
    organization, channel = np.array(blog + video).T
    answers = rng.integers(1, 8, (len(channel), 2)).astype(float)
    answers[np.arange(len(channel)), 1 - channel] = np.nan
    return compute_index(
        Responses.from_arrays(STUDY, answers=answers, organization=organization, channel=channel)
    )


def test_a_dimension_that_only_a_hidden_channel_asks_is_hidden_too():
    result = result_with_a_small_channel()
    comparisons = compare_to_peers(result, by="industry", rules=DisclosureRules()).comparisons
    scores = {(one.channel, one.dimension): one.score.values for one in comparisons}
    assert np.isnan(scores["video", None][0])
    assert np.isnan(scores[None, "film"][0])
    assert not np.isnan(scores[None, "text"][0])
    assert not np.isnan(scores[None, None][0])
    assert not np.isnan(scores[None, "film"][1:]).any()


def test_the_files_of_a_report_hide_it_as_well():
    result = result_with_a_small_channel()
    for level, hidden in (("channels", "video"), ("dimensions", "film"), ("cells", "film")):
        rows = disclosed_rows(result, level, DisclosureRules())
        reasons = {
            row.get("dimension") or row.get("channel"): row["reason"]
            for row in rows
            if row["organization"] == "o0" and row["reason"] != "missing score"
        }
        assert reasons[hidden] == "few respondents"
        assert [row["score"] for row in rows if row["reason"] == "few respondents"] == [None]
