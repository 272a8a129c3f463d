"""Public writes of intake."""

from recobra.intake.mapping import guess_mapping
from recobra.intake.refusals import LoadRefused

from .errors import write_errors
from .hold import confirm_load, discard_load
from .loads import load_file
from .mappings import save_mapping
from .preview import preview_file

__all__ = [
    "LoadRefused",
    "confirm_load",
    "discard_load",
    "guess_mapping",
    "load_file",
    "preview_file",
    "save_mapping",
    "write_errors",
]
