"""The list of what an installation consists of (SBOM, CycloneDX), from the lock files: `sbom.py [FILE]`.

Packages of Python come from requirements/base.lock, those that screens are served with from package-lock.json. The
same locks give the same file, to the byte.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT: Final = Path(__file__).resolve().parent.parent
PYTHON_LOCK: Final = ROOT / "requirements/base.lock"
NPM_LOCK: Final = ROOT / "package-lock.json"
TARGET: Final = ROOT / "docs/sbom.cdx.json"
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def read_python() -> Iterator[Component]:
    """Yield the packages of the Python lock; the digests of their many files stand there."""
    for name, version in _PIN.findall(PYTHON_LOCK.read_text(encoding="utf-8")):
        yield Component(
            type=ComponentType.LIBRARY,
            name=name,
            version=version,
            purl=PackageURL("pypi", name=name, version=version),
            bom_ref=f"pypi:{name}@{version}",
        )


def read_npm() -> Iterator[Component]:
    """Yield the packages of the npm lock that screens are served with; those of tests alone are none of them."""
    packages = json.loads(NPM_LOCK.read_text(encoding="utf-8"))["packages"]
    for place, package in packages.items():
        if not place or package.get("dev"):
            continue
        path = place.rpartition("node_modules/")[2]
        group, _slash, name = path.rpartition("/")
        digest = base64.b64decode(package["integrity"].partition("-")[2]).hex()
        yield Component(
            type=ComponentType.LIBRARY,
            name=name,
            group=group or None,
            version=package["version"],
            purl=PackageURL("npm", namespace=group or None, name=name, version=package["version"]),
            bom_ref=f"npm:{path}@{package['version']}",
            hashes=[HashType(alg=HashAlgorithm.SHA_512, content=digest)],
        )


def write_sbom(target: Path) -> None:
    """Write the list of both locks as CycloneDX 1.6, without what differs from run to run."""
    bom = Bom(components=[*read_python(), *read_npm()])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    document.pop("serialNumber", None)
    document["metadata"] = {"component": {"type": "application", "name": "recobra", "bom-ref": "recobra"}}
    document.pop("dependencies", None)
    document["components"].sort(key=lambda component: str(component["bom-ref"]))
    target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_sbom(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
