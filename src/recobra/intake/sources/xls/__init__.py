"""Excel workbooks before 2007, and the encrypted ones of any year, which look alike from outside."""

from __future__ import annotations

from pathlib import Path

from recobra.intake.mapping import Options
from recobra.intake.refusals import LoadRefused
from recobra.intake.sources.sheet import Sheet
from recobra.intake.sources.workbook import read_workbook
from recobra.intake.workspace import Workspace

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read(path: Path, duck: Workspace, options: Options) -> Sheet:
    """Read an XLS file into DuckDB. Raises LoadRefused."""
    with path.open("rb") as handle:
        if _ENCRYPTED in handle.read(1 << 20):
            raise LoadRefused("encrypted")
    return read_workbook(path, duck, options.sheet, kind="xls", problems={})
