"""The faults of docs/requirements.yaml: rows, doors and tests that are not what the file says."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from django.urls import URLResolver, get_resolver
from tools.requirements_page import STATES, WORKS

from recobra.cli.main import build_parser

SEEDS = {"S0": 101, "S1": 107, "S2": 17, "S3": 50, "S4": 99}
IDS = [f"{seed}-{number:02}" for seed, rows in SEEDS.items() for number in range(1, rows + 1)]
KEYS = {
    "works": {"asks", "state", "doors", "tests"},
    "part": {"asks", "state", "doors", "tests", "missing", "by"},
    "none": {"asks", "state", "missing", "by"},
}
LISTS = {"doors", "tests"}
ASKS_WORDS = 22
FOLDERS = ("tests/browser/", "tests/console/", "tests/portal/", "tests/api/", "tests/cli/")
"""Every test here enters by a door; `tests/doors.py` proves it when the test runs."""
MIXED = "tests/flows/"
"""Here only those do that use a client or a command themselves or through their fixtures."""
ENTRANCES = {"client", "Client", "at_desk", "page_for", "caller", "live_server", "recobra", "main"}


def url_doors() -> set[str]:
    """Return every route of the URLconf, as `/ficha/<int:debtor_id>/`."""
    return {f"/{route}" for route in _routes(get_resolver(), "")}


def _routes(resolver: URLResolver, before: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern, route)
        else:
            yield route


def command_doors() -> set[str]:
    """Return every command that can be given, as `recobra report aging`."""
    return set(_commands(build_parser(), "recobra"))


def _commands(parser: argparse.ArgumentParser, words: str) -> Iterator[str]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield words
    for group in groups:
        for name, child in group.choices.items():
            yield from _commands(child, f"{words} {name}")


class TestFile:
    """A file of tests as its text says, with the conftest files above it."""

    __test__ = False

    def __init__(self, text: str, above: list[str] | None = None) -> None:
        self._tree = ast.parse(text)
        self._above = [ast.parse(each) for each in above or ()]

    @cached_property
    def tests(self) -> dict[str, ast.FunctionDef]:
        """Return the tests by their name, those of a class as `TestClass::test_name`."""
        found = {node.name: node for node in self._tree.body if _is_test(node)}
        for node in self._tree.body:
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                found |= {f"{node.name}::{inner.name}": inner for inner in node.body if _is_test(inner)}
        return found

    @cached_property
    def _functions(self) -> dict[str, ast.FunctionDef]:
        trees = [*self._above, self._tree]
        return {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}

    def enters_by_a_door(self, name: str) -> bool:
        """Say whether a test, a fixture of it or a function it calls names a client or a command."""
        seen: set[str] = set()
        waiting = [self.tests[name]]
        while waiting:
            used = _names(waiting.pop())
            if used & ENTRANCES:
                return True
            new = (used & set(self._functions)) - seen
            seen |= new
            waiting += [self._functions[each] for each in new]
        return False


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")


def _names(function: ast.FunctionDef) -> set[str]:
    parameters = {argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]}
    return parameters | {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}


class TestIndex(Mapping[str, TestFile]):
    """The test files of the tree by their path, each read once."""

    __test__ = False

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, TestFile] = {}

    def __getitem__(self, path: str) -> TestFile:
        """Return a file. Raises KeyError where there is none."""
        if path not in self._read:
            file = self._root / path
            if not file.is_file():
                raise KeyError(path)
            folders = [folder for folder in file.parents if folder.is_relative_to(self._root / "tests")]
            above = [folder / "conftest.py" for folder in reversed(folders)]
            texts = [each.read_text(encoding="utf-8") for each in above if each.is_file()]
            self._read[path] = TestFile(file.read_text(encoding="utf-8"), texts)
        return self._read[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)


def faults(rows: dict[str, Any], *, doors: set[str], files: Mapping[str, TestFile]) -> list[str]:
    """Return every fault of the rows, each with the id of its row."""
    return [
        *(f"{row_id}: missing" for row_id in IDS if row_id not in rows),
        *(f"{row_id}: no such requirement" for row_id in rows if row_id not in IDS),
        *(f"{row_id}: {fault}" for row_id, row in rows.items() for fault in _faults_of(row, doors, files)),
    ]


def _faults_of(row: Any, doors: set[str], files: Mapping[str, TestFile]) -> Iterator[str]:
    if not isinstance(row, dict) or row.get("state") not in STATES:
        yield f"state is not one of {', '.join(STATES)}"
        return
    keys = KEYS[row["state"]]
    yield from (f"{key} is missing" for key in sorted(keys - set(row)))
    yield from (f"{key} does not belong to a row that is {row['state']}" for key in sorted(set(row) - keys))
    for key in sorted(keys & set(row)):
        yield from _faults_of_value(key, row[key])
    if "by" in row and row["by"] not in WORKS:
        yield f"by is no known work: {row['by']}"
    yield from (f"no such door: {door}" for door in _strings(row, "doors") if door not in doors)
    for test in _strings(row, "tests"):
        yield from _faults_of_test(test, files)


def _faults_of_value(key: str, value: Any) -> Iterator[str]:
    if key in LISTS:
        if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
            yield f"{key} names none"
        elif len(set(value)) < len(value):
            yield f"{key} names one twice"
    elif not isinstance(value, str) or not value.strip():
        yield f"{key} is empty"
    elif value.startswith("TODO"):
        yield f"{key} is not written yet"
    elif key == "asks" and len(value.split()) > ASKS_WORDS:
        yield f"asks has more than {ASKS_WORDS} words"


def _strings(row: dict[str, Any], key: str) -> list[str]:
    value = row.get(key)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _faults_of_test(test: str, files: Mapping[str, TestFile]) -> Iterator[str]:
    path, _, name = test.partition("::")
    if not path.startswith((*FOLDERS, MIXED)):
        yield f"test enters by no door: {test}"
        return
    file = files.get(path)
    if file is None or name not in file.tests:
        yield f"no such test: {test}"
    elif path.startswith(MIXED) and not file.enters_by_a_door(name):
        yield f"test enters by no door: {test}"
