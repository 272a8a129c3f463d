"""The functions of the product that a piece of work passes, in the order in which they are first called."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

SOURCE = str(Path(__file__).resolve().parents[2] / "src") + "/"


class CallTrace:
    """Functions by their whole names, `recobra.payments.operations.record.record_payments`, with who called them."""

    def __init__(self) -> None:
        self.callers: dict[str, set[str]] = {}
        """Function -> those that called it; in the order of first calls, of all threads."""
        self._name_of: dict[CodeType, str | None] = {}

    @contextmanager
    def record(self) -> Iterator[None]:
        """Record the calls of this thread and of those that it starts."""
        threading.setprofile(self._note_call)
        sys.setprofile(self._note_call)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _note_call(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call":
            return
        name = self._name(frame.f_code)
        if name is not None:
            self.callers.setdefault(name, set()).add(self._caller(frame))

    def _caller(self, frame: FrameType) -> str:
        """Return the nearest function of the product below a frame: decorators of libraries stand in between."""
        below = frame.f_back
        while below is not None:
            name = self._name(below.f_code)
            if name is not None:
                return name
            below = below.f_back
        return ""

    def _name(self, code: CodeType) -> str | None:
        if code not in self._name_of:
            self._name_of[code] = _name(code)
        return self._name_of[code]


def _name(code: CodeType) -> str | None:
    """Return the whole name of a function of the product; None for others and for comprehensions and lambdas."""
    if not code.co_filename.startswith(SOURCE) or code.co_name.startswith("<"):
        return None
    module = code.co_filename.removeprefix(SOURCE).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f"{module}.{code.co_qualname.replace('.<locals>', '')}"
