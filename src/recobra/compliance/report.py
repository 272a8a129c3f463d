"""A report as PDF: facts, texts and tables under headings. Evidence and compliance reports are both set by it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recobra.kit.typeset.glyphs import displayable_data
from recobra.kit.typeset.typst import TypstDocument

_TEMPLATE: Final = Path(__file__).parent / "report.typ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a head; `widths` in parts, 0 for as wide as needed; `small` for long lists of codes."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One matter: a title, facts as label and value (empty values are left out), exact texts, tables."""

    title: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Blocks under a heading; `empty` is said where there are none."""

    title: str
    blocks: tuple[Block, ...]
    empty: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole document; `digest` and `footer` stand under every page, `paper` is a4 or us-letter."""

    title: str
    subtitle: str
    paper: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    footer: str = ""
    notes: tuple[str, ...] = ()


def report_pdf(report: Report, *, at: datetime) -> bytes:
    """Return the report as PDF, not signed."""
    return report_sheet(report).pdf(at=at)


def report_sheet(report: Report) -> TypstDocument:
    """Return the document before it is PDF."""
    words = {"page": _("Page"), "of": _("of"), "contents": _("Contents")}
    texts = displayable_data(_plain(asdict(report)))
    return TypstDocument(_TEMPLATE, texts | {"words": words, "lang": (get_language() or "es").partition("-")[0]})


def _plain(value: Any) -> Any:
    """Return dataclasses' tuples as lists, and facts without the empty ones."""
    if isinstance(value, dict):
        parts = {name: _plain(part) for name, part in value.items()}
        if "facts" in parts:
            parts["facts"] = [pair for pair in parts["facts"] if pair[1]]
        return parts
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value
