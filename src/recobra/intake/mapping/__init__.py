"""Mappings: which column of a source is which fact of a receivable."""

from .document import AMOUNTS, Attribute, Control, Document, MappingFile, Options, Party, Source, parse_mapping
from .guess import USUAL_NAMES, find_currency_column, guess_mapping

__all__ = [
    "AMOUNTS",
    "USUAL_NAMES",
    "Attribute",
    "Control",
    "Document",
    "MappingFile",
    "Options",
    "Party",
    "Source",
    "find_currency_column",
    "guess_mapping",
    "parse_mapping",
]
