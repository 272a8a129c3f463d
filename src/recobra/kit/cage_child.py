"""The child process of `cage`: it runs one task after the other and answers each with a line of JSON."""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any, Final

OPEN_FILES: Final = 256
RESERVED_BYTES: Final = 2 * 1024**3
"""Memory that libraries reserve and do not use: what the kernel refuses at once lies so far above what is watched."""
_PARENT_SECONDS: Final = 1.0


def main() -> None:
    """Run tasks until the parent closes its end."""
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints would be taken for an answer.
    os.dup2(2, 1)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "import" in request:
            _import_modules(request["import"])
            continue
        _write(answers, _run_task(request))


def _import_modules(names: list[str]) -> None:
    for name in names:
        importlib.import_module(name)


def _run_task(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a task, or the kind of error that broke it: its text may quote what was read."""
    module, _colon, name = request["task"].partition(":")
    try:
        task = getattr(importlib.import_module(module), name)
        used = resource.getrusage(resource.RUSAGE_SELF)
        # Twice: several threads use several cores, and the clock is watched from outside.
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 2 * request["seconds"] + 1)
        _limit(resource.RLIMIT_DATA, request["memory_bytes"] + RESERVED_BYTES)
        _limit(resource.RLIMIT_FSIZE, request["disk_bytes"])
        return {"result": task(**request["arguments"])}
    except Exception as error:  # noqa: BLE001 - the parent says it to whoever asked
        return {"broken": type(error).__name__}


def _limit(kind: int, most: int) -> None:
    """Set the limit that holds; the highest stays, so that the next task may have another one."""
    _soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _write(answers: IO[bytes], answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _end_with_parent(parent: int) -> None:
    """End this process when its parent is gone, also while a task keeps it busy."""
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    main()
