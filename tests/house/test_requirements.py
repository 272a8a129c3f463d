"""docs/requirements.yaml says what is so: its rows, its doors and its tests exist, and its page is made from it."""

from __future__ import annotations

from copy import deepcopy

import pytest
from tools import requirements_page

from tests import doors

from . import requirements
from .conftest import ROOT

ROW = {
    "asks": "Contacts are judged before they leave.",
    "state": "part",
    "doors": ["/mensajes/", "recobra contact check"],
    "tests": ["tests/console/test_messages.py::test_a_reason_is_shown"],
    "missing": "the article",
    "by": "Every door",
}
FILES = {
    "tests/console/test_messages.py": requirements.TestFile("def test_a_reason_is_shown(at_desk): ..."),
    "tests/flows/test_plan.py": requirements.TestFile(
        """
@pytest.fixture
def planned(plan): ...
def read(): return Client().get("/")
class TestPlan:
    def test_it_is_read(self, world): read()
def test_it_is_planned(planned): plan()
def test_it_is_planned_by_command(cycle): ...
""",
        ["@pytest.fixture\ndef cycle(recobra): ..."],
    ),
}


@pytest.fixture(scope="module")
def rows():
    return requirements_page.read()


@pytest.fixture(scope="module")
def known_doors():
    return requirements.url_doors() | requirements.command_doors()


@pytest.fixture
def sound():
    """Rows without a fault: every requirement, each like the row above."""
    return {row_id: deepcopy(ROW) for row_id in requirements.IDS}


def _faults(rows):
    return requirements.faults(rows, doors={"/mensajes/", "recobra contact check"}, files=FILES)


def test_every_row_says_what_is_so(rows, known_doors):
    found = requirements.faults(rows, doors=known_doors, files=requirements.TestIndex(ROOT))
    assert not found, "\n".join(["", *found])


def test_the_page_is_made_from_the_file(rows):
    page = requirements_page.PAGE.read_text(encoding="utf-8")
    assert page == requirements_page.page(rows), "make requirements"


def test_the_page_adds_up(rows):
    lines = requirements_page.page(rows).splitlines()
    total = next(line for line in lines if "**All**" in line)
    *states, everything = (int(cell.strip(" *")) for cell in total.split("|")[3:-1])
    assert sum(states) == everything == len(requirements.IDS) == 374
    assert sum(line.startswith(tuple(f"| {row_id} |" for row_id in rows)) for line in lines) == 374


def test_sound_rows_have_no_fault(sound):
    assert _faults(sound) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"state": "done"}, "state is not one of works, part, none"),
        ({"doors": ["/mensajes/99/"]}, "no such door: /mensajes/99/"),
        ({"doors": ["recobra contact send"]}, "no such door: recobra contact send"),
        ({"doors": []}, "doors names none"),
        ({"tests": []}, "tests names none"),
        (
            {"tests": ["tests/core/law/test_gate.py::test_hours"]},
            "test enters by no door: tests/core/law/test_gate.py::test_hours",
        ),
        (
            {"tests": ["tests/flows/test_plan.py::test_it_is_planned"]},
            "test enters by no door: tests/flows/test_plan.py::test_it_is_planned",
        ),
        (
            {"tests": ["tests/console/test_messages.py::test_gone"]},
            "no such test: tests/console/test_messages.py::test_gone",
        ),
        (
            {"tests": ["tests/console/test_gone.py::test_a_reason_is_shown"]},
            "no such test: tests/console/test_gone.py::test_a_reason_is_shown",
        ),
        ({"tests": ROW["tests"] * 2}, "tests names one twice"),
        ({"by": "Somebody"}, "by is no known work: Somebody"),
        ({"missing": " "}, "missing is empty"),
        ({"asks": "TODO say it shorter"}, "asks is not written yet"),
        ({"asks": "word " * 23}, "asks has more than 22 words"),
        ({"note": "later"}, "note does not belong to a row that is part"),
    ],
)
def test_a_planted_fault_is_named_with_its_row(sound, change, fault):
    sound["S0-07"].update(change)
    assert _faults(sound) == [f"S0-07: {fault}"]


def test_ids_that_are_missing_or_unknown_are_named(sound):
    del sound["S0-101"]
    sound["S2-18"] = deepcopy(ROW)
    assert _faults(sound) == ["S0-101: missing", "S2-18: no such requirement"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("works", ["by does not belong to a row that is works", "missing does not belong to a row that is works"]),
        ("none", ["doors does not belong to a row that is none", "tests does not belong to a row that is none"]),
    ],
)
def test_each_state_has_its_own_keys(sound, state, expected):
    sound["S3-50"]["state"] = state
    assert _faults(sound) == [f"S3-50: {fault}" for fault in expected]


@pytest.mark.parametrize("key", ["asks", "doors", "tests", "missing", "by"])
def test_a_key_that_is_left_out_is_named(sound, key):
    del sound["S4-99"][key]
    assert _faults(sound) == [f"S4-99: {key} is missing"]


def test_all_faults_are_said_at_once(sound):
    sound["S1-01"]["state"], sound["S1-02"]["doors"], sound["S1-02"]["by"] = "", ["/nada/"], ""
    assert len(_faults(sound)) == 4


@pytest.mark.parametrize("test", ["TestPlan::test_it_is_read", "test_it_is_planned_by_command"])
def test_a_flow_enters_by_a_door_through_its_own_functions_and_fixtures(sound, test):
    sound["S0-07"]["tests"] = [f"tests/flows/test_plan.py::{test}"]
    assert _faults(sound) == []


def test_doors_are_those_of_the_product(known_doors):
    assert {"/", "/ficha/<int:debtor_id>/", "/api/webhooks/<slug:provider_code>/", "recobra report aging"} < known_doors
    assert not {"recobra", "recobra report", "/api/"} & known_doors


def test_a_command_line_gives_its_command():
    assert doors.command_of(["--json", "report", "aging", "--portfolio", "PE"]) == "recobra report aging"
    assert doors.command_of(["serve", "--port", "8000"]) == "recobra serve"


INNER = """
import pytest
from django.test import Client
from recobra.cli import main as cli

def test_by_its_door():
    assert Client().post("/idioma/", {"language": "es"}).status_code == 302

def test_by_another_door():
    assert Client().post("/idioma/", {"language": "es"}).status_code == 302

def test_that_is_refused():
    assert Client().get("/idioma/").status_code == 303

def test_that_is_sent_to_the_sign_in():
    assert Client().get("/cartera/").status_code == 302

def test_by_command():
    assert cli.build_parser().parse_args(["report", "aging", "--json"]).json

@pytest.fixture(scope="module")
def visited():
    return Client().post("/idioma/", {"language": "es"})

@pytest.mark.skip
def test_skipped(): ...

def test_first(visited): ...

def test_second(visited): ...

def test_without_any(): ...

def test_not_named(): ...

def test_that_fails():
    raise AssertionError
"""


def test_a_test_that_walks_through_no_door_of_its_row_fails(pytester, settings):
    settings.DEBUG = False
    file = pytester.makepyfile(test_inner=INNER).name
    language = frozenset({"/idioma/"})
    named = {
        "test_by_its_door": [("S0-01", language)],
        "test_by_another_door": [("S0-01", language), ("S0-02", frozenset({"/cartera/", "recobra serve"}))],
        "test_by_command": [("S0-03", frozenset({"recobra report aging"}))],
        "test_first": [("S0-04", language)],
        "test_second": [("S0-04", language)],
        "test_without_any": [("S0-05", language)],
        "test_that_fails": [("S0-06", language)],
        "test_that_is_refused": [("S0-07", language)],
        "test_skipped": [("S0-08", language)],
        "test_that_is_sent_to_the_sign_in": [("S0-09", frozenset({"/cartera/"}))],
    }
    proof = doors.DoorProof(lambda: {f"{file}::{test}": rows for test, rows in named.items()})
    result = pytester.inline_run("-p", "no:django", "-p", "no:xdist", "-p", "no:cacheprovider", plugins=[proof])
    passed, _skipped, failed = result.listoutcomes()
    texts = {each.nodeid.partition("::")[2]: str(each.longrepr) for each in failed}
    assert set(texts) == {
        "test_by_another_door",
        "test_without_any",
        "test_that_fails",
        "test_that_is_refused",
        "test_that_is_sent_to_the_sign_in",
    }
    assert texts["test_by_another_door"] == (
        "docs/requirements.yaml names this test for S0-02, and it used none of its doors: /cartera/, recobra serve. "
        "It used: /idioma/."
    )
    assert "S0-05" in texts["test_without_any"]
    assert texts["test_without_any"].endswith("It used: none.")
    assert "AssertionError" in texts["test_that_fails"]
    assert len(passed) == 9
    assert proof.faults == [
        f"{file}::test_skipped was skipped, and docs/requirements.yaml names it",
        "S0-02: none of its tests used /cartera/, recobra serve",
        "S0-05: none of its tests used /idioma/",
        "S0-07: none of its tests used /idioma/",
        "S0-09: none of its tests used /cartera/",
    ]


def test_a_door_that_no_test_of_its_row_used_is_named_once_all_of_them_ran():
    row = ("S0-01", frozenset({"/cartera/", "/idioma/"}))
    named = {"one": [row], "two": [row]}
    assert doors.unused(named, {"one": {"/idioma/"}}) == []
    assert doors.unused(named, {"one": {"/idioma/"}, "two": {"/idioma/"}}) == [
        "S0-01: none of its tests used /cartera/"
    ]
    assert doors.unused(named, {"one": {"/idioma/"}, "two": {"/cartera/"}}) == []
