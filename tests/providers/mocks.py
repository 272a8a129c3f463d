"""Mock servers made from the providers' own documents by Prism: they refuse what a document does not allow."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRISM = ROOT / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
DOCUMENTS = Path(__file__).parent / "openapi"
START_SECONDS = 60


class Mock:
    """One document, served on loopback until `stop`."""

    def __init__(self, name: str, log: Path) -> None:
        node = shutil.which("node") or str(ROOT / ".venv" / "bin" / "node")
        self.log, port = log, _free_port()
        self.url = f"http://127.0.0.1:{port}"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [node, str(PRISM), "mock", "--errors", "-h", "127.0.0.1", "-p", str(port), str(DOCUMENTS / f"{name}.json")],
                stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                env={"PATH": os.environ["PATH"], "NO_COLOR": "1"},
            )  # fmt: skip
        self._wait()

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;]*m", "", self.log.read_text(encoding="utf-8"))

    @property
    def requests(self) -> int:
        return self.text.count("Request received")

    @property
    def violations(self) -> list[str]:
        """What was asked against the document, in Prism's words."""
        return re.findall(r"\[VALIDATOR\] +✖ +error +(.+)", self.text)

    def refuses_more_than(self, count: int) -> bool:
        """Wait a moment for the log, which comes after the answer."""
        ends = time.monotonic() + 5
        while len(self.violations) <= count and time.monotonic() < ends:
            time.sleep(0.05)
        return len(self.violations) > count

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(timeout=10)

    def _wait(self) -> None:
        ends = time.monotonic() + START_SECONDS
        while "is listening" not in self.text:
            if self._process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError(f"Prism did not start (node_modules installed?):\n{self.text}")
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
