"""Documents set with Typst from templates of the apps, without network, system fonts or clock.

Data goes in as JSON and is used as strings and numbers only: nothing in it is ever read as markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

PDF_STANDARD: Final = "a-2u"
"""PDF/A-2u: readable for decades, searchable, and a character without a glyph is an error."""


class TypstDocument:
    """A template with its data."""

    def __init__(self, template: Path, data: Mapping[str, Any]) -> None:
        self._compiler = typst.Compiler(
            template,
            root=template.parent,
            font_paths=load_fonts(),
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )

    def pdf(self, *, at: datetime) -> bytes:
        """Return PDF/A; the same data at the same second give the same bytes."""
        pdf = self._compiler.compile(format="pdf", pdf_standards=PDF_STANDARD, timestamp=at.replace(microsecond=0))
        assert isinstance(pdf, bytes)
        return pdf

    def metadata(self, label: str) -> list[Any]:
        """Return the values of the metadata under a label, in order."""
        return list(json.loads(self._compiler.query(f"<{label}>", field="value")))


@cache
def load_fonts() -> typst.Fonts:
    """Return the fonts that come with Typst: a document looks the same on every machine."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
