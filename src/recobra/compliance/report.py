"""Reports as PDF: facts, texts and tables under headings, for evidence and for the month of compliance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from recobra.kit.language import active_language
from recobra.kit.typeset.glyphs import displayable_data
from recobra.kit.typeset.typst import TypstDocument

_TEMPLATE: Final = Path(__file__).parent / "report.typ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a head; `widths` in fractions, 0 for as wide as needed; `small` for long lists of codes."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A titled block: facts as label and value (empty values are left out), exact texts, tables."""

    title: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Blocks under a heading; `empty` is printed where there are none."""

    title: str
    blocks: tuple[Block, ...]
    empty: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole document; `footer` is printed under every page, `paper` is a4 or us-letter."""

    title: str
    subtitle: str
    paper: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    footer: str = ""
    notes: tuple[str, ...] = ()


def report_pdf(report: Report, *, at: datetime) -> bytes:
    """Return the report as an unsigned PDF."""
    return report_sheet(report).pdf(at=at)


def report_sheet(report: Report) -> TypstDocument:
    """Return the report as a sheet to be set, before it is PDF."""
    words = {"page": _("Page"), "of": _("of"), "contents": _("Contents")}
    texts = displayable_data(_to_plain_values(asdict(report)))
    return TypstDocument(_TEMPLATE, texts | {"words": words, "lang": active_language()})


def _to_plain_values(value: Any) -> Any:
    """Return tuples as lists, which the template reads as arrays, and facts without the empty ones."""
    if isinstance(value, dict):
        parts = {name: _to_plain_values(part) for name, part in value.items()}
        if "facts" in parts:
            parts["facts"] = [[label, text] for label, text in parts["facts"] if text]
        return parts
    if isinstance(value, tuple | list):
        return [_to_plain_values(item) for item in value]
    return value
