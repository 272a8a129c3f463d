"""Mappings: which column of a source is which fact of a receivable."""

from .document import MappingProblems, parse_mapping
from .guess import guess_mapping
from .model import AMOUNTS, Attribute, Document, Options, Party, Source

__all__ = [
    "AMOUNTS",
    "Attribute",
    "Document",
    "MappingProblems",
    "Options",
    "Party",
    "Source",
    "guess_mapping",
    "parse_mapping",
]
