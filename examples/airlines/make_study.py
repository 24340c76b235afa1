"""Write the two study files of this folder.

    python examples/airlines/make_study.py PATH/TO/airline_reviews.csv

The file of answers is public (CC0) but no part of this project; only the keys of the airlines are
read from it. What the items mean and which of them are used is decided here.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import sotongindex as si

HERE = Path(__file__).parent

# Dimension of each item that is used. What is left out, and why: `overall` is answered on 1 to 10,
# but in most rows of the lounge on 1 to 5; `power_supply` and `seat_storage` have answers in 5 and
# 9 % of the rows; `recommended` is a yes or no about the outcome, not a part of the service.
LOUNGE = {
    "comfort": "comfort",
    "cleanliness": "cleanliness",
    "washrooms": "cleanliness",
    "bar_beverages": "catering",
    "catering": "catering",
    "wifi_connectivity": "connectivity",
    "staff_service": "staff",
}
SEAT = {
    "seat_legroom": "room",
    "seat_width": "room",
    "aisle_space": "room",
    "seat_recline": "recline",
    "viewing_tv": "entertainment",
}
NEARLY_EMPTY = ("power_supply", "seat_storage")

DIMENSIONS = (
    si.Dimension(key="comfort", label={"ko": "편안함", "en": "Comfort"}),
    si.Dimension(key="cleanliness", label={"ko": "청결", "en": "Cleanliness"}),
    si.Dimension(key="catering", label={"ko": "음식과 음료", "en": "Food and drink"}),
    si.Dimension(key="connectivity", label={"ko": "인터넷 연결", "en": "Connectivity"}),
    si.Dimension(key="staff", label={"ko": "직원 응대", "en": "Staff"}),
    si.Dimension(key="room", label={"ko": "좌석 공간", "en": "Room"}),
    si.Dimension(key="recline", label={"ko": "등받이", "en": "Recline"}),
    si.Dimension(key="entertainment", label={"ko": "영상 시청", "en": "Entertainment"}),
)
CHANNELS = (
    si.Channel(key="lounge", label={"ko": "라운지", "en": "Lounge"}),
    si.Channel(key="seat", label={"ko": "좌석", "en": "Seat"}),
)
AIRLINES = si.PeerGroup(key="airlines", label={"ko": "항공사", "en": "Airlines"})


def read_airlines(path: Path) -> list[si.Organization]:
    """Return the airlines of the file, by key."""
    with path.open(encoding="utf-8", newline="") as file:
        keys = sorted({row["organization"] for row in csv.DictReader(file)})
    return [si.Organization(key=key, industry="airline") for key in keys]


def make_study(
    organizations: list[si.Organization], *, version: str, items: list[si.SurveyItem]
) -> si.Study:
    """Return a study of the airlines with these items."""
    used = {item.dimension for item in items}
    return si.Study(
        key="airline-reviews",
        wave="up to 2015-08",
        population="passengers who chose to write a review; nobody was sampled",
        framework=si.Framework(
            key="airline-touchpoints",
            version=version,
            channels=CHANNELS,
            dimensions=[dimension for dimension in DIMENSIONS if dimension.key in used],
            items=items,
        ),
        organizations=organizations,
    )


def make_recipe(organizations: list[si.Organization]) -> si.Recipe:
    """Return the recipe that knows the faults of the file."""
    scale = si.Scale(low=1, high=5, missing=[0])  # 0 means "not rated"
    items = [
        si.SurveyItem(key=key, dimension=dimension, scale=scale, channels=[channel])
        for channel, asked in (("lounge", LOUNGE), ("seat", SEAT))
        for key, dimension in asked.items()
    ]
    return si.Recipe(
        study=make_study(organizations, version="1", items=items),
        peers=[AIRLINES],
        targets=[si.Target(score=si.PeerStatistic(statistic="p75", peers=AIRLINES))],
        # Some people rated an airline on several journeys: all of their ratings count.
        layout=si.Layout(date="date", duplicates="keep"),
    )


def make_naive_recipe(organizations: list[si.Organization]) -> si.Recipe:
    """Return what somebody writes who has read nothing but the header of the file."""
    scale = si.Scale(low=1, high=5)
    dimensions = {**LOUNGE, **SEAT, **dict.fromkeys(NEARLY_EMPTY, "comfort")}
    items = [
        si.SurveyItem(key=key, dimension=dimension, scale=scale)
        for key, dimension in dimensions.items()
    ]
    overall = si.SurveyItem(key="overall", dimension="comfort", scale=si.Scale(low=1, high=10))
    return si.Recipe(
        study=make_study(organizations, version="naive", items=[*items, overall]),
        layout=si.Layout(date="date"),
    )


def main() -> None:
    """Write both files beside this script."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    organizations = read_airlines(Path(sys.argv[1]))
    si.save_recipe(make_recipe(organizations), HERE / "study.json")
    si.save_recipe(make_naive_recipe(organizations), HERE / "naive-study.json")


if __name__ == "__main__":
    main()
