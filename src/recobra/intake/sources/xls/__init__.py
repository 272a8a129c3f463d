"""Excel workbooks before 2007, and the encrypted ones of any year, which look alike from outside."""

from __future__ import annotations

from recobra.intake.refusals import LoadRefused
from recobra.intake.sources.sheet import Reading, Sheet
from recobra.intake.sources.workbook import read_sheet

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read(reading: Reading) -> Sheet:
    """Fill `raw` and `broken` from an XLS file. Raises LoadRefused."""
    with reading.path.open("rb") as handle:
        if _ENCRYPTED in handle.read(1 << 20):
            raise LoadRefused("encrypted")
    return read_sheet(reading, kind="xls", problems={})
