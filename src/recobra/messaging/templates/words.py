"""A template in words: its variables by their meaning, its lists as blocks with a name, without any code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recobra.messaging.templates.variables import OWN_PREFIX, VARIABLES
from recobra.portfolio.own_columns import message_columns
from recobra_core import yaml_text


class Block(NamedTuple):
    """A list that templates have: the variable that it goes through, and its name."""

    name: str
    label: str | Promise


class Part(NamedTuple):
    """A piece of a template: `kind` is text, variable, block (a list), condition (when it is said) or end (of that)."""

    kind: str
    text: str


BLOCKS: Final = (
    Block("vencidos", _("List: what is overdue, document by document")),
    Block("por_vencer", _("List: what falls due next, document by document")),
    Block("desglose", _("List: what the sum is made of")),
)
"""The lists, by the names of their blocks in the library; each goes through the variable of its name."""
_TAG = re.compile(r"\{\{-?\s*(?P<variable>[^{}]*?)\s*-?\}\}|\{%-?\s*(?P<tag>[^%]*?)\s*-?%\}|\{#.*?#\}", re.DOTALL)
_LOOP = re.compile(r"for\s+\w+\s+in\s+(\w+)$")


@cache
def block_texts(language: str) -> Mapping[str, str]:
    """Return the text of each block as the library of a language writes it; one that it does not have is left out."""
    file = resources.files("recobra.messaging") / "library" / language / "_blocks.yaml"
    blocks = yaml_text.load(file.read_text("utf-8"))
    texts = {block.name: str(blocks[block.name]["text"]) for block in BLOCKS if block.name in blocks}
    # A list begins where its loop does: what stands before it in the library is a heading of its letters.
    return {name: text[text.index("{% for") :] for name, text in texts.items()}


def read_words(text: str) -> list[Part]:
    """Return a template in words, piece by piece; a list is one piece, whatever stands in it."""
    parts: list[Part] = []
    depth = 0
    for piece in _split(text):
        is_loop = piece.kind == "loop"
        if is_loop and depth == 0:
            parts.append(Part("block", _name_of(piece.text)))
        depth += is_loop - (piece.kind == "endloop")
        if depth == 0 and piece.kind not in {"loop", "endloop"}:
            parts.append(piece)
    return [part for part in parts if part.text or part.kind == "end"]


def _split(text: str) -> Iterator[Part]:
    """Yield the pieces of a template in order, the loops with where they begin and end."""
    position = 0
    for match in _TAG.finditer(text):
        yield Part("text", text[position : match.start()])
        position = match.end()
        tag = match["tag"]
        if match["variable"] is not None:
            yield Part("variable", _meaning_of(match["variable"]))
        elif tag is None:
            continue
        elif tag == "endfor":
            yield Part("endloop", "")
        elif tag.startswith("for"):
            loop = _LOOP.match(tag)
            yield Part("loop", loop[1] if loop else tag)
        elif tag == "endif":
            yield Part("end", "")
        else:
            yield Part("condition", _meaning_of(tag.removeprefix("if").strip()))
    yield Part("text", text[position:])


def _name_of(variable: str) -> str:
    """Return the name of the list that goes through a variable."""
    labels = {block.name: str(block.label) for block in BLOCKS}
    return labels.get(variable, _meaning_of(variable))


def _meaning_of(name: str) -> str:
    """Return the meaning of a variable, another expression as it is."""
    for variable in VARIABLES:
        if variable.name == name:
            return str(variable.meaning)
    if name.startswith(OWN_PREFIX):
        return message_columns().get(name.removeprefix(OWN_PREFIX), name)
    return name
