"""Reading a piece: its answers batch by batch, each checked; what is wrong names the batch."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from sotongindex._batches import Piece
from sotongindex._frames import Frame
from sotongindex.checks import CheckReport
from sotongindex.errors import ResponseError
from sotongindex.layout import Layout
from sotongindex.models import Study
from sotongindex.responses import Responses

__all__ = ["read_piece"]


def read_piece(piece: Piece, study: Study, layout: Layout) -> Iterator[Responses]:
    """Yield the answers of every batch that has rows.

    Raises:
        ResponseError: If the answers of a batch do not fit the study.
        MethodError: If a batch is no frame, or a file cannot be read.
    """
    for name, frame in piece.frames():
        opened = Frame.of(frame)
        if opened.rows:
            try:
                yield Responses.read(opened, study, layout)
            except ResponseError as error:
                raise ResponseError(_in_batch(error.report, name)) from error


def _in_batch(report: CheckReport, name: str) -> CheckReport:
    """Return the errors of a report with the name of the batch before each."""
    errors = [
        attrs.evolve(finding, message=f"{name}: {finding.message}") for finding in report.errors
    ]
    return attrs.evolve(report, findings=tuple(errors))
