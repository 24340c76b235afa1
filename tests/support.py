"""Small studies and answers that several tests use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sotongindex.models import Channel, Dimension, Framework, Organization, Study, SurveyItem
from sotongindex.responses import Responses


def small_study(
    organizations: Sequence[Organization | str] = ("a", "b"),
    channels: Sequence[str] = ("blog",),
    items: Sequence[SurveyItem | tuple[str, str]] = (("q1", "d1"),),
) -> Study:
    """Make a study; items may be given as (key, dimension)."""
    made = [
        item if isinstance(item, SurveyItem) else SurveyItem(key=item[0], dimension=item[1])
        for item in items
    ]
    dimensions = dict.fromkeys(item.dimension for item in made)
    return Study(
        key="small",
        framework=Framework(
            key="small",
            version="1",
            channels=[Channel(key=key) for key in channels],
            dimensions=[Dimension(key=key) for key in dimensions],
            items=made,
        ),
        organizations=[
            one if isinstance(one, Organization) else Organization(key=one) for one in organizations
        ],
    )


def answered(study: Study, rows: Sequence[Sequence[object]], **more: object) -> Responses:
    """Make responses of rows (respondent, organization, channel, answer, answer, ...)."""
    columns = list(zip(*rows, strict=True))
    return Responses.from_arrays(
        study,
        respondent=np.array(columns[0]),
        organization=np.array(columns[1]),
        channel=np.array(columns[2]),
        answers=np.array(columns[3:], dtype=float).T,
        **more,  # type: ignore[arg-type]
    )
