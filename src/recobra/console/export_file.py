"""A list as a file that leaves: written, recorded, and held where a second person has to agree first."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from django.http import FileResponse

from recobra.approvals.exports import let_out
from recobra.console import spreadsheet
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest


def send_list(
    request: StaffRequest,
    lines: Iterable[Iterable[spreadsheet.Cell]],
    *,
    file_format: str,
    title: str,
    filename: str,
    what: str,
    conditions: Mapping[str, str],
) -> FileResponse:
    """Return a list as a file of one of `spreadsheet.FORMATS`. Raises ExportWaits before anything leaves.

    `what` and `conditions` are what the journal keeps of it; the address of the request chose the rows.
    """
    with ExitStack() as until_sent:
        file = until_sent.enter_context(tempfile.TemporaryFile())
        rows = spreadsheet.write(file, lines, file_format=file_format, name=title)
        let_out(what=what, rows=rows, conditions=conditions, selection=request.get_full_path(), actor=actor_of(request))
        file.seek(0)
        until_sent.pop_all()  # the response closes it
    return FileResponse(file, as_attachment=True, filename=filename)
