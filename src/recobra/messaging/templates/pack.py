"""A pack of starter templates: the models by which its files are read."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from recobra_core.channels import CHANNELS
from recobra_core.documents import DocumentModel, Items, Key, Text, choice, one_of, refuse, shape, shapes

COMPOSED_BLOCKS = ("opening", "closing", "documentos", "firma", "identidad_cl")
"""Blocks that stand for words of the template itself, or for another block by channel and template."""


class Block(DocumentModel):
    """A part of letters and e-mails; an e-mail may have an HTML of its own."""

    text: str
    html: str = ""


class BlocksFile(DocumentModel):
    """The blocks of a language by their names."""

    blocks: dict[str, Block]


class Button(DocumentModel):
    """An answer to choose; `key` is the digit that is pressed in a call."""

    key: str = ""
    code: Key
    title: Text


class _Template(DocumentModel):
    """What every template of a pack has."""

    code: Key
    name: Text
    stage: str
    tone: str = ""
    legal: bool = False


class WholeTemplate(_Template):
    """A template with its whole text, for every country or for one."""

    country: str = ""
    text: str


class ComposedTemplate(_Template):
    """A letter or an e-mail, composed of blocks by country; `documents` names the block of what is owed."""

    subject: str
    opening: str
    documents: str
    closing: str
    not_for: Items[str] = ()


def _check_block(name: str, info: ValidationInfo) -> str:
    """Refuse a block that the language does not have; the context holds the names of those that it has."""
    known = (*COMPOSED_BLOCKS, *(info.context or ()))
    if info.context is not None and name not in known:
        raise refuse(one_of(known), options=known)
    return name


class Pack(DocumentModel):
    """Templates of some channels. `flavours` gives the order of the blocks by country."""

    channels: Items[Annotated[str, choice(*CHANNELS)]]
    buttons: Items[Button] = ()
    flavours: dict[str, Items[Annotated[str, AfterValidator(_check_block)]]] = {}
    templates: Items[
        Annotated[
            Annotated[ComposedTemplate, shape("opening")] | Annotated[WholeTemplate, shape("text")],
            shapes("opening", "text"),
        ]
    ]
