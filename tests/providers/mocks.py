"""Mock servers made from the providers' own documents by Prism: they refuse what a document does not allow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("mocks.js")
DOCUMENTS = Path(__file__).parent / "openapi"
ERROR = 50
"""Pino's number for the level of errors."""


@dataclass(frozen=True)
class Mock:
    """One document, served on loopback."""

    url: str
    log: Path

    @property
    def violations(self) -> list[str]:
        """What was asked against the document, in Prism's words; written down before the answer."""
        return [entry["msg"] for entry in self._entries() if (entry["name"], entry["level"]) == ("VALIDATOR", ERROR)]

    def _entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


class Mocks:
    """All documents, served by one process until `stop`."""

    def __init__(self, folder: Path) -> None:
        names = sorted(path.stem for path in DOCUMENTS.glob("*.json"))
        node = shutil.which("node") or str(ROOT / ".venv" / "bin" / "node")
        self._process = subprocess.Popen(
            [node, str(SCRIPT), str(DOCUMENTS), str(folder), *names],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"]},
        )
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("Prism did not start (node_modules installed?); its reason is above.")
        self._mocks = {name: Mock(url, folder / f"{name}.log") for name, url in json.loads(line).items()}
        for mock in self._mocks.values():
            mock.log.touch()

    def __getitem__(self, name: str) -> Mock:
        return self._mocks[name]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        self._process.stdout.close()
