"""The starter library: templates kept as files, letters and e-mails put together from blocks."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

from recobra_core import yaml_text

_HTML: Final = '<div style="font-family:sans-serif;max-width:640px;line-height:1.5">\n{}\n</div>\n'
_HEADING: Final = "## "
_CODE = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})")


def load_starter_templates(language: str) -> Iterator[dict[str, Any]]:
    """Yield each starter template of a language as the fields of a template."""
    folder = resources.files("recobra.messaging") / "library" / language
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda each: each.name)
    blocks = yaml_text.load((folder / "_blocks.yaml").read_text("utf-8"))
    for file in files:
        if not file.name.startswith("_"):
            yield from _templates(yaml_text.load(file.read_text("utf-8")), blocks)


def _templates(collection: Mapping[str, Any], blocks: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for channel in collection["channels"]:
        for given in collection["templates"]:
            if "opening" not in given:
                yield _plain(given, channel, collection.get("buttons", []))
                continue
            for country, order in collection["flavours"].items():
                if country not in given.get("not_for", ()):
                    yield _composed(given, channel, country, [_chosen(name, given, channel, blocks) for name in order])


def _plain(given: Mapping[str, Any], channel: str, buttons: list[Any]) -> dict[str, Any]:
    text = given["text"].strip() + "\n"
    return _fields(given, channel, given.get("country", "")) | {
        "subject": "",
        "text": text,
        "html": "",
        "buttons": buttons,
    }


def _composed(given: Mapping[str, Any], channel: str, country: str, parts: list[Mapping[str, str]]) -> dict[str, Any]:
    text = "\n".join(part["text"].replace(_HEADING, "") for part in parts)
    markup = _HTML.format("\n".join((part.get("html") or _markup(part["text"])).strip() for part in parts))
    return _fields(given, channel, country) | {
        "subject": given["subject"],
        "text": text,
        "html": markup if channel == "email" else "",
    }


def _fields(given: Mapping[str, Any], channel: str, country: str) -> dict[str, Any]:
    return {
        "code": given["code"],
        "channel": channel,
        "name": given["name"],
        "country": country,
        "tone": given.get("tone", ""),
        "stage": given["stage"],
        "legal": given.get("legal", False),
    }


def _chosen(name: str, given: Mapping[str, Any], channel: str, blocks: Mapping[str, Any]) -> Mapping[str, str]:
    """Return a block by its name in the order of a flavour."""
    if name in {"opening", "closing"}:
        return {"text": given[name].strip() + "\n"}
    if name == "identidad_cl" and given["documents"] == "por_vencer":
        name = "identidad_previa_cl"
    found: Mapping[str, str] = blocks[{"documentos": given["documents"], "firma": f"firma_{channel}"}.get(name, name)]
    return found


def _markup(text: str) -> str:
    """Return plain text as paragraphs and headings; a template's code stays as it is."""
    written = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        heading, _, rest = paragraph.partition("\n") if paragraph.startswith(_HEADING) else ("", "", paragraph)
        if heading:
            written.append(f"<h3>{_escaped(heading.removeprefix(_HEADING))}</h3>")
        written.append(f'<p style="white-space:pre-line">{_escaped(rest)}</p>')
    return "\n".join(written)


def _escaped(text: str) -> str:
    return "".join(part if _CODE.fullmatch(part) else html.escape(part, quote=False) for part in _CODE.split(text))
