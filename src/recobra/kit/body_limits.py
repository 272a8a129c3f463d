"""How large the body of a request may be, by its address: one table for the web server, Django and the screens.

An address that is not here takes a form. One that takes files needs a line in `FILE_BYTES_MAX`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from .sizes import MEGABYTE

FORM_BYTES_MAX: Final = 2 * MEGABYTE
CALLS_PATH: Final = "/api/"
"""What providers call begins so."""
CALL_BYTES_MAX: Final = 4 * MEGABYTE
"""Meta's calls have up to 3 MB (developers.facebook.com/docs/graph-api/webhooks/getting-started)."""
LOAD_PATH: Final = "/cargas/nueva/"
"""The page of a new load takes its file from those alone who bring the pass of `upload_pass`."""
FILE_BYTES_MAX: Final = MappingProxyType(
    {
        LOAD_PATH: 1024 * MEGABYTE,
        "/pagos/archivo/": 20 * MEGABYTE,
        "/consentimientos/archivo/": 20 * MEGABYTE,
        "/cartas/seguimiento/": 10 * MEGABYTE,
        "/usuarios/archivo/": 2 * MEGABYTE,
    }
)
"""How large a file may be that an address takes besides its form."""


def limit_body(path: str, *, has_upload_pass: bool) -> int:
    """Return how many bytes a request to a path may bring; a file to load comes with the pass of `upload_pass` only."""
    if path.startswith(CALLS_PATH):
        return CALL_BYTES_MAX
    if path == LOAD_PATH and not has_upload_pass:
        return FORM_BYTES_MAX
    return FORM_BYTES_MAX + FILE_BYTES_MAX.get(path, 0)


def limit_file_mb(path: str) -> int:
    """Return how many megabytes a file may have that a path takes. Raises KeyError for one that takes none."""
    return FILE_BYTES_MAX[path] // MEGABYTE
