"""Reading: the one path from a frame to checked answers."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import distinct
from sotongindex._frames import Frame
from sotongindex._reading.answers import Answers
from sotongindex._reading.cells import Cells
from sotongindex._reading.design import design_faults, populations
from sotongindex._reading.operated import not_operated
from sotongindex._reading.plausibility import look
from sotongindex._reading.rows import Codes, Rows
from sotongindex._reading.source import Source
from sotongindex.checks import CheckReport, by_severity
from sotongindex.layout import Layout
from sotongindex.models import Study

__all__ = ["Reading"]


@attrs.frozen(kw_only=True, eq=False)
class Reading:
    """A frame read by a layout: what was found, and the answers if there is no error.

    Attributes:
        report: Every finding.
        rows: The roles of every row.
        cells: The evaluations.
        answers: The answers.
    """

    report: CheckReport
    rows: Rows
    cells: Cells
    answers: Answers

    @classmethod
    def of(cls, frame: object, study: Study, layout: Layout) -> Reading:
        """Read and check `frame`."""
        source = Source(frame=Frame.of(frame), study=study, layout=layout)
        rows = Rows.of(source)
        cells = Cells.of(source, rows)
        answers = Answers.of(source, cells)
        organization = rows.organization[cells.row]
        respondents = _respondents(study, organization, rows.respondent[cells.row])
        findings = [
            *source.check(),
            *rows.findings,
            *design_faults(rows, layout),
            *cells.findings,
            *not_operated(source, organization, cells),
            *answers.findings,
        ]
        if source.frame.rows and not any(f.code == "missing_column" for f in findings):
            known, silent = cells.channel[cells.channel >= 0], cells.row[~answers.answered]
            findings += look(
                study,
                answers.counted,
                evaluations=np.bincount(known, minlength=len(study.framework.channels)),
                respondents=respondents,
                silent=len(silent),
                rows=np.sort(silent),
            )
        report = CheckReport(
            findings=by_severity(findings),
            rows=source.frame.rows,
            evaluations=len(cells.row),
            respondents=len(distinct(rows.respondent[cells.row])),
            organizations=int(np.count_nonzero(respondents)),
            answers=sum(counted.total for counted in answers.counted),
        )
        return cls(report=report, rows=rows, cells=cells, answers=answers)

    def fields(self) -> dict[str, Any]:
        """Return the fields of the checked `Responses`."""
        rows, row = self.rows, self.cells.row
        respondent, used = _in_use(rows.respondent[row], len(rows.respondent_keys))
        fields: dict[str, Any] = {
            "answers": self.answers.together(),
            "organization": rows.organization[row],
            "channel": self.cells.channel,
            "respondent": respondent,
            "respondent_keys": rows.respondent_keys[used],
            "weight": None if rows.weight is None else rows.weight[row],
            "kept": {name: values[row] for name, values in rows.kept.items()},
        }
        if rows.cluster is not None and rows.cluster_keys is not None:
            fields["cluster"], used = _in_use(rows.cluster[row], len(rows.cluster_keys))
            fields["cluster_keys"] = rows.cluster_keys[used]
        if rows.stratum is not None:
            fields["stratum"], used = _in_use(rows.stratum[row], len(rows.stratum_keys))
            fields["stratum_keys"] = tuple(np.array(rows.stratum_keys)[used].tolist())
        if rows.stratum_population is not None:
            stratum = fields.get("stratum", np.zeros(len(row), dtype=np.int32))
            fields["stratum_populations"] = populations(stratum, rows.stratum_population[row])
        for value in fields.values():
            if isinstance(value, np.ndarray) and value.base is None:
                value.flags.writeable = False  # it is ours: no copy is needed to protect it
        return fields


def _in_use(codes: Codes, count: int) -> tuple[Codes, NDArray[np.bool_]]:
    """Renumber codes without those that no evaluation uses."""
    used = np.bincount(codes, minlength=count) > 0
    renumbered = (np.cumsum(used) - 1).astype(np.int32)
    return renumbered[codes], used


def _respondents(study: Study, organization: Codes, respondent: Codes) -> NDArray[np.int64]:
    """Count the different respondents of every organization, (o,)."""
    known = (organization >= 0) & (respondent >= 0)
    count = len(study.organizations)
    pairs = distinct(respondent[known].astype(np.int64) * count + organization[known])
    return np.bincount(pairs % count, minlength=count)
