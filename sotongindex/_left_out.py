"""Which organizations a ranking or a shrinkage leaves out, and the reasons in words."""

from __future__ import annotations

import numpy as np

from sotongindex._disclosure import DisclosureRules, Reasons, Subject, first_of, respondent_notices
from sotongindex.results import IndexResult, Notice

NO_ERROR = "error not known"

_MESSAGES = {
    "missing score": "organizations have no score: left out",
    "few respondents": "organizations have too few respondents: left out",
    NO_ERROR: "organizations have a score whose error is not known: left out",
    "unknown attribute": "organizations lack an attribute that groups are made by: left out",
    "not in the group": "organizations do not belong to the group: left out",
    "few peers": "organizations have too few peers to be ranked among",
}


def unusable(subject: Subject, minimum: int) -> Reasons:
    """Return why scores cannot be used, "" where they can: missing, too few, or no known error."""
    unknown = np.isnan(subject.estimates.variance)
    return first_of(subject.reasons(minimum), np.where(unknown, NO_ERROR, ""))


def left_out_notices(
    result: IndexResult, reasons: Reasons, rules: DisclosureRules
) -> tuple[Notice, ...]:
    """Say who is left out and why, and whose respondents are not known."""
    keys = np.array(result.organizations)
    notices = [n for n in respondent_notices(result, rules) if n.code == "respondents not known"]
    for reason, message in _MESSAGES.items():
        held = tuple(keys[reasons == reason].tolist())
        if held:
            notices.append(Notice(code=reason, message=f"{len(held)} {message}", keys=held))
    return tuple(notices)
