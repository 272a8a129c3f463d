"""The media type that the first bytes of a debtor's file tell; found in a child process (`kit.cage`)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import puremagic

_TYPE_ALIASES: Final = {
    "application/ogg": "audio/ogg",
    "video/ogg": "audio/ogg",
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
}


def sniff_media_type(content: bytes) -> str:
    """Return the media type that the first bytes of a file tell, '' for an unknown one."""
    try:
        matches = puremagic.magic_string(content)
    except (puremagic.PureError, ValueError):
        return ""
    # The likeliest first; some kinds of file are known without a media type.
    for match in matches:
        if match.mime_type:
            return _TYPE_ALIASES.get(match.mime_type, match.mime_type)
    return ""


def sniff_file(*, folder: str, name: str) -> dict[str, str]:
    """Return the media type of a file in the folder, as a task of the child."""
    return {"media_type": sniff_media_type((Path(folder) / name).read_bytes())}
