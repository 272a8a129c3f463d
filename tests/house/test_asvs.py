"""docs/asvs.csv: every requirement of level 1 and 2 of OWASP ASVS 5.0, what it is held by, and the proof."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
from django.conf import settings

from .conftest import ROOT
from .requirements import TestFile, TestIndex

TABLE = ROOT / "docs/asvs.csv"
STATES = ("held by test", "held by setting", "not applicable", "open")
# Requirements of level 1 and 2 in each chapter of the release of May 2025, 70 and 183 in all.
CHAPTERS = {
    "V1": 27, "V2": 11, "V3": 19, "V4": 10, "V5": 9, "V6": 35, "V7": 18, "V8": 7, "V9": 7, "V10": 29, "V11": 14,
    "V12": 9, "V13": 13, "V14": 9, "V15": 13, "V16": 16, "V17": 7,
}  # fmt: skip
LEVELS = {"1": 70, "2": 183}
FILES = {"tests/console/test_headers.py": TestFile("def test_no_page_is_framed(at_desk): ...")}


@pytest.fixture(scope="module")
def rows():
    with TABLE.open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def _faults(row: dict[str, str], *, files: Mapping[str, TestFile], documents: str) -> Iterator[str]:
    """Give every fault of a row; `documents` is the text in which settings of the environment are named."""
    if row["state"] not in STATES:
        yield f"{row['id']}: state is not one of {', '.join(STATES)}"
    if not (row["proof"] if row["state"].startswith("held") else row["note"]).strip():
        yield f"{row['id']}: nothing says how, why or what it would take"
        return
    for proof in filter(None, map(str.strip, row["proof"].split(";"))):
        if row["state"] == "held by test":
            path, _colons, name = proof.partition("::")
            if name not in getattr(files.get(path), "tests", ()):
                yield f"{row['id']}: no such test: {proof}"
        elif row["state"] == "held by setting" and not _is_setting(proof, documents):
            yield f"{row['id']}: no such setting: {proof}"


def _is_setting(name: str, documents: str) -> bool:
    """Tell if a name is that of a setting of Django or of the environment, or of a file."""
    return hasattr(settings, name) or f"`{name}`" in documents or (ROOT / name).is_file()


def test_every_requirement_is_there_once(rows):
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids) == 253
    assert all(re.fullmatch(r"V\d+\.\d+\.\d+", each) for each in ids)
    assert Counter(each.partition(".")[0] for each in ids) == CHAPTERS
    assert Counter(row["level"] for row in rows) == LEVELS


def test_every_row_names_what_proves_it(rows):
    documents = "\n".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))
    index = TestIndex(ROOT)
    found = [fault for row in rows for fault in _faults(row, files=index, documents=documents)]
    assert not found, "\n".join(["", *found])


def test_at_least_two_hundred_are_held_or_do_not_apply(rows):
    counts = Counter(row["state"] for row in rows)
    print("\n".join(["", *(f"{state}: {counts[state]}" for state in STATES)]))  # noqa: T201 - shown with -s
    assert sum(counts[state] for state in STATES[:3]) >= 200


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("held", "tests/console/test_headers.py::test_no_page_is_framed"), "state is not one of"),
        (("open", " "), "nothing says"),
        (("held by setting", ""), "nothing says"),
        (("held by test", "tests/console/test_headers.py::test_gone"), "no such test"),
        (("held by test", "tests/console/test_gone.py::test_no_page_is_framed"), "no such test"),
        (("held by setting", "RECOBRA_UNHEARD_OF"), "no such setting"),
    ],
)
def test_a_planted_fault_is_named(row, fault):
    state, proof = row
    planted = {"id": "V3.4.6", "level": "2", "state": state, "proof": proof, "note": ""}
    assert any(fault in each for each in _faults(planted, files=FILES, documents="`RECOBRA_HOSTS`"))


@pytest.mark.parametrize(
    ("state", "proof"),
    [
        ("held by test", "tests/console/test_headers.py::test_no_page_is_framed"),
        ("held by setting", "X_FRAME_OPTIONS"),
        ("held by setting", "RECOBRA_HOSTS"),
        ("held by setting", "pyproject.toml"),
        ("not applicable", ""),
        ("open", ""),
    ],
)
def test_a_sound_row_has_no_fault(state, proof):
    planted = {"id": "V3.4.6", "level": "2", "state": state, "proof": proof, "note": "nothing is shown in frames"}
    assert list(_faults(planted, files=FILES, documents="`RECOBRA_HOSTS`")) == []
