"""The files of other projects that pages use: by their place in `node_modules`."""

from __future__ import annotations

from typing import Final

VENDOR_FILES: Final = (
    "@tabler/core/dist/css/tabler.min.css",
    "echarts/dist/echarts.common.min.js",
    "htmx.org/dist/htmx.min.js",
)
