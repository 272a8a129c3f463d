"""Mappings: which column of a source is which fact of a receivable."""

from .document import AMOUNTS, Attribute, Control, Document, MappingFile, Options, Party, Source, parse_mapping
from .guess import guess_mapping

__all__ = [
    "AMOUNTS",
    "Attribute",
    "Control",
    "Document",
    "MappingFile",
    "Options",
    "Party",
    "Source",
    "guess_mapping",
    "parse_mapping",
]
