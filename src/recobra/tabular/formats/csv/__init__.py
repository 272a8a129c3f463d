"""Text with a separator: any usual separator, quoting and encoding, also gzip."""

from .read import read

__all__ = ["read"]
