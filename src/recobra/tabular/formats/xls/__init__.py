"""Excel workbooks before 2007, and the encrypted ones of any year, which look alike from outside."""

from __future__ import annotations

from pathlib import Path

from recobra.tabular.formats.sheet import ReadOptions, Sheet
from recobra.tabular.formats.workbook import SheetLook, read_workbook
from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Workspace

from .compound import check_workbook

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read(path: Path, duck: Workspace, options: ReadOptions) -> Sheet:
    """Read an XLS file into DuckDB. Raises FileRefused."""
    with path.open("rb") as handle:
        if _ENCRYPTED in handle.read(1 << 20):
            raise FileRefused("encrypted")
    looks = check_workbook(path)
    return read_workbook(path, duck, options, kind="xls", look_at=lambda sheet: looks.get(sheet) or SheetLook())
