"""Starter library: templates as files, letters and e-mails composed of blocks."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

from recobra.messaging.templates.pack import Block, BlocksFile, ComposedTemplate, Pack, WholeTemplate
from recobra_core import yaml_text
from recobra_core.documents import read_document

_HTML: Final = '<div style="font-family:sans-serif;max-width:640px;line-height:1.5">\n{}\n</div>\n'
_HEADING: Final = "## "
_JINJA_CODE = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})")


def languages() -> tuple[str, ...]:
    """Return the languages in which templates may be written: those whose phrases are there."""
    folder = resources.files("recobra.messaging") / "library"
    return tuple(sorted(each.name for each in folder.iterdir() if (each / "_phrases.yaml").is_file()))


def load_starter_templates(language: str) -> Iterator[dict[str, Any]]:
    """Yield each starter template of a language as the fields of a template."""
    folder = resources.files("recobra.messaging") / "library" / language
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    raw_blocks = {"blocks": yaml_text.load((folder / "_blocks.yaml").read_text("utf-8"))}
    blocks = read_document(BlocksFile, raw_blocks, file="_blocks.yaml").blocks
    for file in files:
        if not file.name.startswith("_"):
            raw = yaml_text.load(file.read_text("utf-8"))
            yield from _expand_pack(read_document(Pack, raw, file=file.name, context=tuple(blocks)), blocks)


def _expand_pack(pack: Pack, blocks: Mapping[str, Block]) -> Iterator[dict[str, Any]]:
    """Yield the templates of one file: for each channel and, where composed of blocks, for each country."""
    buttons = [button.to_document() for button in pack.buttons]
    for channel in pack.channels:
        for template in pack.templates:
            # Only letters and e-mails are composed of blocks, by country; the others have their whole text.
            if isinstance(template, WholeTemplate):
                yield _common_fields(template, channel, template.country) | {
                    "subject": "",
                    "text": template.text.strip() + "\n",
                    "html": "",
                    "buttons": buttons,
                }
                continue
            for country, order in pack.flavours.items():
                if country not in template.not_for:
                    parts = [_find_block(name, template, channel, blocks) for name in order]
                    yield _compose_template(template, channel, country, parts)


def _compose_template(template: ComposedTemplate, channel: str, country: str, parts: list[Block]) -> dict[str, Any]:
    """Return a template composed of blocks, as text and, for e-mail, as HTML."""
    text = "\n".join(part.text.replace(_HEADING, "") for part in parts)
    html_text = ""
    if channel == "email":
        # A block may have an HTML of its own; else it is made from its text.
        html_parts = [part.html or _to_html(part.text) for part in parts]
        html_text = _HTML.format("\n".join(part.strip() for part in html_parts))
    return _common_fields(template, channel, country) | {"subject": template.subject, "text": text, "html": html_text}


def _common_fields(template: WholeTemplate | ComposedTemplate, channel: str, country: str) -> dict[str, Any]:
    """Return the fields that a starter template has whether or not it is composed of blocks."""
    return {
        "code": template.code,
        "channel": channel,
        "name": template.name,
        "country": country,
        "tone": template.tone,
        "stage": template.stage,
        "legal": template.legal,
    }


def _find_block(name: str, template: ComposedTemplate, channel: str, blocks: Mapping[str, Block]) -> Block:
    """Return a block by its name in the order of a flavour."""
    if name in {"opening", "closing"}:
        words = template.opening if name == "opening" else template.closing
        return Block(text=words.strip() + "\n")
    block_name = name
    if name == "documentos":
        block_name = template.documents
    elif name == "firma":
        block_name = f"firma_{channel}"
    elif name == "identidad_cl" and template.documents == "por_vencer":
        # Chile asks for other words before anything is overdue.
        block_name = "identidad_previa_cl"
    return blocks[block_name]


def _to_html(text: str) -> str:
    """Return text as HTML paragraphs and headings; Jinja code stays as it is."""
    elements = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        words = paragraph
        if paragraph.startswith(_HEADING):
            heading, _line_end, words = paragraph.partition("\n")
            elements.append(f"<h3>{_escape_text(heading.removeprefix(_HEADING))}</h3>")
        elements.append(f'<p style="white-space:pre-line">{_escape_text(words)}</p>')
    return "\n".join(elements)


def _escape_text(text: str) -> str:
    """Return text escaped for HTML, except for its Jinja code."""
    escaped = []
    for part in _JINJA_CODE.split(text):
        is_code = _JINJA_CODE.fullmatch(part) is not None
        escaped.append(part if is_code else html.escape(part, quote=False))
    return "".join(escaped)
