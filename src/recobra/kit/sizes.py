"""Units of sizes."""

from typing import Final

MEGABYTE: Final = 1024**2
"""Bytes of a megabyte, as limits and settings count them."""
