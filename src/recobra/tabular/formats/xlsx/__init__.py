"""Excel workbooks since 2007."""

from .read import read

__all__ = ["read"]
