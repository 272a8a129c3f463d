"""docs/sbom.cdx.json lists what the lock files name, nothing more and nothing less."""

import json

from tools import sbom


def _components(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    return {each["purl"] for each in document["components"]}


def test_the_list_is_that_of_the_locks(tmp_path):
    anew = tmp_path / "sbom.json"
    sbom.write_sbom(anew)
    assert sbom.TARGET.read_bytes() == anew.read_bytes(), "make sbom"


def test_every_pin_is_in_it_and_nothing_else(tmp_path):
    pins = {
        f"pkg:pypi/{line.partition('==')[0]}@{line.partition('==')[2].split()[0]}"
        for line in sbom.PYTHON_LOCK.read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    packages = json.loads(sbom.NPM_LOCK.read_text(encoding="utf-8"))["packages"]
    served = {
        f"pkg:npm/{place.removeprefix('node_modules/').replace('@', '%40')}@{package['version']}"
        for place, package in packages.items()
        if place and not package.get("dev")
    }
    assert len(pins) > 80
    assert len(served) > 4
    assert _components(sbom.TARGET) == pins | served
