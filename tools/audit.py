"""Ask the advisory databases about every locked version: Python's by pip-audit, the screens' by npm.

Ends with 0 where nothing is known against any of them, 1 where something is, 2 where a database could not be asked:
what was not asked is not called safe.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PYTHON_LOCKS: Final = ("base", "dev")
UNASKED: Final = 2


def audit_python(name: str) -> int:
    """Audit a lock of Python packages, which is asked about by version and not installed; return the exit code."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    done = subprocess.run(
        [*command, "--format=json", f"--requirement={ROOT / 'requirements' / name}.lock"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        print(f"requirements/{name}.lock: the advisory database could not be asked: {_last_line(done.stderr)}")
        return UNASKED
    # A package that the database does not know was skipped, and is not counted as one without a weakness.
    skipped = [each["skip_reason"] for each in packages if "skip_reason" in each]
    found = [each for each in packages if each.get("vulns")]
    for package in found:
        for each in package["vulns"]:
            fixed = ", ".join(each["fix_versions"]) or "none yet"
            print(f"requirements/{name}.lock: {package['name']} {package['version']}: {each['id']}, mended in {fixed}")
    print(f"requirements/{name}.lock: {len(found)} of {len(packages)} packages with a known weakness")
    if skipped:
        print(f"requirements/{name}.lock: {len(skipped)} packages could not be asked about: {skipped[0]}")
        return UNASKED
    return 1 if found else 0


def audit_npm() -> int:
    """Audit what the screens are served with; return the exit code."""
    npm = shutil.which("npm") or str(ROOT / ".venv/bin/npm")
    done = subprocess.run([npm, "audit", "--omit=dev", "--json"], cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        counts = json.loads(done.stdout)["metadata"]["vulnerabilities"]
    except (json.JSONDecodeError, KeyError):
        print(f"package-lock.json: the advisory database could not be asked: {_last_line(done.stderr or done.stdout)}")
        return UNASKED
    print(f"package-lock.json: {counts['total']} packages with a known weakness")
    return 1 if counts["total"] else 0


def _last_line(text: str) -> str:
    """Return the last line of what a program printed."""
    return (text.strip().splitlines() or ["it said nothing"])[-1]


if __name__ == "__main__":
    sys.exit(max(*(audit_python(name) for name in PYTHON_LOCKS), audit_npm()))
