"""The page that an address belongs to: where to lead somebody who reloads what only a form may send."""

from __future__ import annotations

from django.urls import Resolver404, resolve


def page_above(path: str) -> str:
    """Return the nearest address above a path that leads to a view, "/" where none does.

    `/conservacion/plazo/` belongs to `/conservacion/`.
    """
    while (path := path.rstrip("/").rpartition("/")[0] + "/") != "/":
        try:
            resolve(path)
        except Resolver404:
            continue
        return path
    return "/"
