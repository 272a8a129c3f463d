"""Reading of XLSX workbooks, after a check of their packing: nothing is unpacked that could fill the machine."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from recobra.tabular.formats import limits
from recobra.tabular.formats.number_format import NumberFormat
from recobra.tabular.formats.sheet import ReadOptions, Sheet
from recobra.tabular.formats.workbook import SheetLook, read_workbook
from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Workspace

from .scan import QuickScan, UnreadableXml, local_name, parse_xml, read_formats, scan_cells

CHUNK_BYTES = 1 << 20
_OFFICE: Final = "xl/workbook.xml"
_LINKS: Final = "xl/_rels/workbook.xml.rels"
_STYLES: Final = "xl/styles.xml"
# What reading a damaged or foreign ZIP ends with.
_DAMAGED: Final = (
    *(UnreadableXml, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError),
    *(KeyError, ValueError, OSError),
)


def read(path: Path, duck: Workspace, options: ReadOptions) -> Sheet:
    """Read an XLSX file into DuckDB. Raises FileRefused."""
    with _refuse_damaged(), zipfile.ZipFile(path) as archive:
        unsure = _check_packing(archive, path.stat().st_size)
        sheet_files = _find_sheet_files(archive)
        formats = _read_formats(archive)
        looks = {name: scan_cells(_chunks(archive, name), formats) for name in unsure}

    def look_at(sheet_name: str) -> SheetLook:
        name = sheet_files.get(sheet_name, "")
        if name in looks or not formats or not name:
            return looks.get(name) or SheetLook()
        with _refuse_damaged(), zipfile.ZipFile(path) as archive:
            return scan_cells(_chunks(archive, name), formats)

    return read_workbook(path, duck, options, kind="xlsx", look_at=look_at)


@contextmanager
def _refuse_damaged() -> Iterator[None]:
    """Turn the errors of unpacking and parsing into refusals."""
    try:
        yield
    except _DAMAGED:
        raise FileRefused("workbook") from None
    except RuntimeError:
        raise FileRefused("encrypted") from None


def _check_packing(archive: zipfile.ZipFile, packed: int) -> list[str]:
    """Refuse a decompression bomb, cells that reach too far, and a container that is no workbook.

    Returns the XML parts of which a look at the bytes does not tell how far their cells reach. Every part is judged,
    not only the sheet that is read: which one that is, the reader of cells decides by itself.
    """
    members = archive.infolist()
    if len(members) > limits.ARCHIVE_MEMBERS:
        raise FileRefused("too_many_parts", found=len(members), limit=limits.ARCHIVE_MEMBERS)
    _refuse_bomb(sum(member.file_size for member in members), packed)
    if _OFFICE not in archive.namelist():
        raise FileRefused("workbook")
    unsure = []
    # The sizes in the directory may lie, so every member is unpacked and counted.
    total = 0
    for member in members:
        scan = QuickScan() if member.filename.lower().endswith(".xml") else None
        for chunk in _chunks(archive, member.filename):
            total += len(chunk)
            _refuse_bomb(total, packed)
            if scan:
                scan.feed(chunk)
        if scan:
            scan.close()
            if not scan.is_sure:
                unsure.append(member.filename)
    return unsure


def _refuse_bomb(unpacked: int, packed: int) -> None:
    """Raise FileRefused where a workbook unpacks to more than a true one would."""
    suspicious = unpacked > limits.PACKING_FREE_BYTES and unpacked > packed * limits.PACKING_RATIO
    if suspicious or unpacked > limits.WORKBOOK_BYTES:
        raise FileRefused("zip_bomb", unpacked=unpacked, packed=packed)


def _chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield a member of the archive in pieces that fit the memory."""
    with archive.open(name) as member:
        while chunk := member.read(CHUNK_BYTES):
            yield chunk


def _read_formats(archive: zipfile.ZipFile) -> dict[str, NumberFormat]:
    """Return the number formats of the workbook that tell more than the number, by style."""
    return read_formats(_chunks(archive, _STYLES)) if _STYLES in archive.namelist() else {}


def _find_sheet_files(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return by sheet the member that holds it; files are not numbered in the order of the tabs."""
    links: dict[str, str] = {}
    sheets: list[tuple[str, str]] = []  # name, and the id of its link

    def add_link(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "Relationship" and "Id" in attributes:
            links[attributes["Id"]] = attributes.get("Target", "")

    def add_sheet(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) != "sheet":
            return
        if len(sheets) == limits.SHEETS:
            raise FileRefused("too_many_sheets", limit=limits.SHEETS)
        link = next((value for key, value in attributes.items() if key != "id" and local_name(key) == "id"), "")
        sheets.append((attributes.get("name", ""), link))

    parse_xml(_chunks(archive, _OFFICE), start=add_sheet)
    parse_xml(_chunks(archive, _LINKS), start=add_link)
    files: dict[str, str] = {}
    for name, link in sheets:
        target = links.get(link, "")
        if not target:
            continue
        file = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        # Only parts that are XML by their name were judged.
        if not file.lower().endswith(".xml"):
            raise UnreadableXml(file)
        files.setdefault(name, file)
    return files
