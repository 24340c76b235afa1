"""Published frameworks and grade scales."""

from __future__ import annotations

from datetime import date

import pytest

from sotongindex.errors import DefinitionError
from sotongindex.models import Channel, Scale
from sotongindex.presets import grade_scale, icsi, scsi_2017
from sotongindex.weighting import EqualWeights, FixedWeights

# KICOA 2017, blog block, as published.
PUBLISHED = {
    "participation": 0.106,
    "openness": 0.226,
    "originality": 0.126,
    "content_fit": 0.104,
    "usefulness": 0.264,
    "responsiveness": 0.174,
}


@pytest.mark.parametrize("make", [scsi_2017, icsi])
def test_dimensions_carry_the_published_weights(make) -> None:
    preset = make()
    weights = preset.scheme.resolve(preset.framework)
    assert preset.framework.dimension_keys == tuple(PUBLISHED)
    for row in weights.dimensions:
        assert row.tolist() == pytest.approx(list(PUBLISHED.values()), abs=1e-12)


@pytest.mark.parametrize("make", [scsi_2017, icsi])
def test_every_dimension_has_placeholder_items_on_seven_points(make) -> None:
    framework = make().framework
    for item in framework.items:
        assert item.scale == Scale(low=1, high=7)
        assert item.name("ko").startswith("[예시 문항]")
        assert item.name("en").startswith("[placeholder]")
    assert framework.item_dimensions == (0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5)
    wordings = [item.name(language) for item in framework.items for language in ("ko", "en")]
    assert len(set(wordings)) == len(wordings)


def test_everything_has_a_name_in_both_languages() -> None:
    framework = icsi(["website", "blog", "instagram", "youtube", "messenger", "app"]).framework
    for part in (*framework.channels, *framework.dimensions):
        assert part.label.ko
        assert part.label.en


def test_channels_are_chosen_by_key_or_made() -> None:
    own = Channel(key="threads", kind="social")
    assert scsi_2017(["youtube", own]).framework.channels[1] is own
    assert scsi_2017(["youtube", own]).framework.channels[0].name("ko") == "유튜브"


def test_channels_count_equally_unless_weights_are_given() -> None:
    assert scsi_2017().scheme.channels == EqualWeights()
    weights = {"blog": 0.195, "twitter": 0.4, "facebook": 0.405}
    assert scsi_2017(channel_weights=weights).scheme.channels == FixedWeights(weights)


def test_the_note_tells_published_from_placeholder() -> None:
    note = scsi_2017().note
    assert "Not published" in note
    assert ".195" in note
    assert "placeholders" in note


def test_an_unknown_channel_names_the_nearest() -> None:
    with pytest.raises(DefinitionError, match="give a Channel") as caught:
        scsi_2017(["blog", "face_book"])
    assert (caught.value.key, caught.value.nearest) == ("face_book", "facebook")


@pytest.mark.parametrize("weights", [{"blog": 0.195}, {"blog": 1.0, "twitter": 0, "fb": 0}])
def test_channel_weights_that_do_not_fit_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(DefinitionError):
        scsi_2017(channel_weights=weights)


@pytest.mark.parametrize(
    ("year", "score", "grade"),
    [
        (2009, 80, "S"),
        (2009, 79.9, "AAA"),
        (2009, 74.9, None),
        (2012, 65, "AA"),
        (2012, 60, "A"),
        (2012, 55, "B"),
        (2012, 54.9, None),
        (2023, 85, "S"),
        (2023, 84.9, "A"),
        (2025, 89.9, "A"),
        (2025, 90, "S"),
    ],
)
def test_grades_by_published_bounds(year: int, score: float, grade: str | None) -> None:
    scale = grade_scale(year)
    assert scale.grade(score) == grade
    assert scale.valid_from == date(year, 1, 1)
    assert "full ladder is not public" in scale.note


def test_a_year_without_published_bounds_is_refused() -> None:
    with pytest.raises(DefinitionError, match="2009, 2012, 2023, 2025") as caught:
        grade_scale(2013)
    assert caught.value.key == 2013
