"""Reading of XLSX workbooks, after a check of their packing: nothing is unpacked that could fill the machine."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from recobra.tabular.formats import limits
from recobra.tabular.formats.sheet import ReadOptions, Sheet
from recobra.tabular.formats.workbook import CellProblem, CellProblems, read_workbook
from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Workspace

CHUNK_BYTES = 1 << 20
_CELL = re.compile(rb'<c\s[^>]*?\br="([A-Z]{1,3})(\d+)"([^>]*?)(?:/>|>(.*?)</c>)', re.DOTALL)
_VALUE = re.compile(rb"<v[^>]*>([^<]+)</v>|<is>")
_OFFICE = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_LINK = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}sheet"
_SHEET_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read(path: Path, duck: Workspace, options: ReadOptions) -> Sheet:
    """Read an XLSX file into DuckDB. Raises FileRefused."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_packing(archive, path.stat().st_size)
            problems = _find_cells_without_value(archive, _find_sheet_file(archive, options.sheet))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError, ET.ParseError) as error:
        raise FileRefused("workbook", detail=str(error)) from None
    except RuntimeError:
        raise FileRefused("encrypted") from None
    return read_workbook(path, duck, options.sheet, kind="xlsx", problems=problems)


def _check_packing(archive: zipfile.ZipFile, packed: int) -> None:
    """Refuse a decompression bomb, and a container that is no workbook."""
    members = archive.infolist()
    _refuse_bomb(sum(member.file_size for member in members), packed)
    if _OFFICE not in archive.namelist():
        raise FileRefused("workbook", detail=_OFFICE)
    # The sizes in the directory may lie, so every member is unpacked and counted.
    total = 0
    for member in members:
        for chunk in _chunks(archive, member.filename):
            total += len(chunk)
            _refuse_bomb(total, packed)


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


def _find_sheet_file(archive: zipfile.ZipFile, sheet_name: str) -> str:
    """Return the member that holds the named or first sheet; files are not numbered in the order of the tabs."""
    links = {link.get("Id"): link.get("Target", "") for link in _parse_member(archive, _LINKS).iter(_LINK)}
    for sheet in _parse_member(archive, _OFFICE).iter(_SHEET):
        if not sheet_name or sheet.get("name") == sheet_name:
            target = links.get(sheet.get(_SHEET_LINK), "")
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return ""


def _parse_member(archive: zipfile.ZipFile, name: str) -> ET.Element:
    """Return the root element of a member of the archive."""
    return ET.fromstring(archive.read(name))  # noqa: S314 - expat resolves nothing outside and stops entity bombs


def _find_cells_without_value(archive: zipfile.ZipFile, sheet: str) -> CellProblems:
    """Return the cells of a sheet that show an error or hold a formula that was never calculated."""
    problems: CellProblems = {}
    cut_cell = b""
    for chunk in _chunks(archive, sheet) if sheet in archive.namelist() else ():
        text = cut_cell + chunk
        # Up to the last whole cell; one that is cut begins the next chunk.
        end = text.rfind(b"</c>") + 4
        if end < 4:
            cut_cell = text[-CHUNK_BYTES:]
            continue
        _collect_problems(text[:end], problems)
        cut_cell = text[end:]
    return problems


def _collect_problems(text: bytes, problems: CellProblems) -> None:
    """Add the cells of a piece of a sheet that show an error or hold a formula without a value."""
    # Most sheets have neither formulas nor errors, and the search for cells is slow.
    if b"<f" not in text and b't="e"' not in text:
        return
    for column, row, attributes, body in _CELL.findall(text):
        value = _VALUE.search(body)
        cell = (column + row).decode()
        if b't="e"' in attributes:
            error = value.group(1).decode() if value and value.group(1) else "#?"
            problem = CellProblem("cell_error", {"cell": cell, "error": error})
        elif b"<f" in body and not value:
            problem = CellProblem("cell_formula", {"cell": cell})
        else:
            continue
        # Column letters are digits to base 26 without a zero: «AB» is 1 * 26 + 2.
        position = 0
        for letter in column:
            position = position * 26 + letter - ord("A") + 1
        problems.setdefault(int(row) - 1, {})[position - 1] = problem
