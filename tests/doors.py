"""Proof that the tests named in docs/requirements.yaml walk through the doors of their rows (a plugin, see pyproject).

A door is a route of the URLconf that let a test client, a browser or a provider's call in (a form that was sent back
with its faults did, a way to the sign-in did not), or a command that was run. A named test that passed without one of
its row's doors fails when it ends. A run in which every test of a row ran fails when one of the row's doors was used
by none of them, and so does a run that skipped a named test.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).resolve().parents[1] / "docs" / "requirements.yaml"
SHUT = (401, 403, 404, 405, 303)
"""Answers that let nobody in; 303 leads whoever reloads the address of a form to its page."""
Pairings = dict[str, list[tuple[str, frozenset[str]]]]
"""Node id without parameters -> the rows that name it, each with its doors."""
Walked = dict[str, set[str]]
"""Node id without parameters of a named test that passed -> the doors that it used."""

_watches: list[set[str]] = []


@contextmanager
def watch() -> Iterator[set[str]]:
    """Collect the doors that anything in this process walks through."""
    doors: set[str] = set()
    _watches.append(doors)
    try:
        yield doors
    finally:
        _watches[:] = [each for each in _watches if each is not doors]


def record_door(door: str) -> None:
    """Let the running test have walked through a door."""
    for doors in tuple(_watches):
        doors.add(door)


def record_command(words: Sequence[object]) -> None:
    """Let the running test have run a command: `record_command(["report", "aging", "--json"])`."""
    if _watches:
        record_door(command_of([str(word) for word in words]))


def command_of(words: Sequence[str]) -> str:
    """Return the command that a command line gives, options and values left out."""
    chosen, choices = ["recobra"], _commands()
    for word in words:
        if word in choices:
            chosen.append(word)
            choices = choices[word]
    return " ".join(chosen)


@cache
def _commands() -> dict[str, Any]:
    from recobra.cli.main import build_parser  # noqa: PLC0415 - most runs ask for no command

    return _tree(build_parser())


def _tree(parser: Any) -> dict[str, Any]:
    choices = [action.choices for action in parser._actions if isinstance(action.choices, dict)]
    return {name: _tree(child) for group in choices for name, child in group.items()}


def pairings(rows: dict[str, Any]) -> Pairings:
    """Return what each named test has to prove."""
    found: Pairings = {}
    for row_id, row in rows.items():
        for test in row.get("tests") or ():
            found.setdefault(test, []).append((row_id, frozenset(row.get("doors") or ())))
    return found


def unproved(rows: Sequence[tuple[str, frozenset[str]]], walked: set[str]) -> str:
    """Return which rows a test that walked through these doors does not prove; empty if it proves all."""
    return "\n".join(
        f"docs/requirements.yaml names this test for {row_id}, and it used none of its doors: "
        f"{', '.join(sorted(doors))}. It used: {', '.join(sorted(walked)) or 'none'}."
        for row_id, doors in rows
        if not doors & walked
    )


def is_let_in(response: Any) -> bool:
    """Return whether an answer came from behind its door, and not from the guard."""
    from django.conf import settings  # noqa: PLC0415 - after they are read
    from django.shortcuts import resolve_url  # noqa: PLC0415 - as above

    if response.status_code >= 500 or response.status_code in SHUT:
        return False
    is_sent_to_sign_in = response.get("Location", "").partition("?")[0] == resolve_url(settings.LOGIN_URL)
    return not (is_sent_to_sign_in and "?" in response["Location"])


def _report_routes() -> None:
    from django.core.handlers.base import BaseHandler  # noqa: PLC0415 - after the settings are read

    get_response = BaseHandler.get_response

    def get_and_record(self: BaseHandler, request: Any) -> Any:
        response = get_response(self, request)
        if request.resolver_match is not None and is_let_in(response):
            record_door(f"/{request.resolver_match.route}")
        return response

    BaseHandler.get_response = get_and_record


def _report_commands() -> None:
    from recobra.cli import main as cli  # noqa: PLC0415 - after the settings are read

    build = cli.build_parser

    def build_recording() -> Any:
        parser = build()
        parse = parser.parse_args

        def parse_and_record(arguments: Sequence[str] | None = None, *more: Any) -> Any:
            chosen = parse(arguments, *more)
            record_command(arguments or ())
            return chosen

        parser.parse_args = parse_and_record
        return parser

    cli.build_parser = build_recording


def unused(named: Pairings, walked: Walked) -> list[str]:
    """Return the rows whose tests all ran, with the doors that none of them used."""
    tests: dict[str, set[str]] = {}
    doors: dict[str, frozenset[str]] = {}
    for test, rows in named.items():
        for row_id, row_doors in rows:
            tests.setdefault(row_id, set()).add(test)
            doors[row_id] = row_doors
    return [
        f"{row_id}: none of its tests used {', '.join(sorted(rest))}"
        for row_id in sorted(tests)
        if tests[row_id] <= walked.keys()
        and (rest := doors[row_id].difference(*(walked[test] for test in tests[row_id])))
    ]


class DoorProof:
    """Watches each named test, with the fixtures that were set up for it or for a test before it."""

    def __init__(self, load: Callable[[], Pairings]) -> None:
        self.named = load()
        self._by_fixture: dict[Any, set[str]] = {}
        self._walked: set[str] = set()
        self._passed = False
        self._all_walked: Walked = {}
        self.faults: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """Keep the doors of a fixture that later tests will be given ready made."""
        if fixturedef.scope == "function":
            return (yield)
        with watch() as doors:
            value = yield
        self._by_fixture[fixturedef] = doors
        return value

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Watch a named test from its set-up to its end."""
        if _without_parameters(item.nodeid) not in self.named:
            return (yield)
        self._passed = False
        with watch() as self._walked:
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        """Note that a test passed: one that failed says enough."""
        value = yield
        self._passed = True
        return value

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Fail a named test that passed beside its doors."""
        value = yield
        rows = self.named.get(_without_parameters(item.nodeid))
        if rows and self._passed:
            walked = self._walked.union(*self._doors_of_fixtures(item))
            self._all_walked.setdefault(_without_parameters(item.nodeid), set()).update(walked)
            text = unproved(rows, walked)
            if text:
                pytest.fail(text, pytrace=False)
        return value

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a named test that proved nothing because it was skipped."""
        if report.skipped and _without_parameters(report.nodeid) in self.named:
            self.faults.append(f"{report.nodeid} was skipped, and docs/requirements.yaml names it")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker's tests used."""
        for test, walked in getattr(node, "workeroutput", {}).get("doors", {}).items():
            self._all_walked.setdefault(test, set()).update(walked)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run whose rows list doors that no test used; a worker hands on what its tests used."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["doors"] = {test: sorted(doors) for test, doors in self._all_walked.items()}
            return
        self.faults += unused(self.named, self._all_walked)
        if self.faults and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the faults of the whole run."""
        if self.faults:
            terminalreporter.section("docs/requirements.yaml")
            for fault in self.faults:
                terminalreporter.line(fault)

    def _doors_of_fixtures(self, item: Any) -> Iterator[set[str]]:
        for definitions in item._fixtureinfo.name2fixturedefs.values():
            yield from (self._by_fixture.get(each, set()) for each in definitions)


def _without_parameters(nodeid: str) -> str:
    return nodeid.partition("[")[0]


def _read_pairings() -> Pairings:
    from recobra_core import yaml_text  # noqa: PLC0415 - after pytest has set the path

    return pairings(yaml_text.load(FILE.read_text(encoding="utf-8")))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch."""
    _report_routes()
    _report_commands()
    config.pluginmanager.register(DoorProof(_read_pairings), "door-proof")
