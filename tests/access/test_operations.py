"""Each public operation asks for its right itself: declared where it is written, and refused without any door."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import recobra
from recobra.access.actors import SERVICE_RIGHTS, Service, actor_for, service_actor
from recobra.access.models import Role, User
from recobra.access.permissions import OPERATIONS, NotAllowed
from recobra.access.roles import RIGHTS

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
SOURCE = Path(recobra.__file__).parent
NO_OPERATIONS = {"journal/operations.py", "access/permissions.py"}
"""They write down who acted, or ask for the right: they are what operations are made of."""


def _modules():
    """Yield each module of the product with its path; doors and migrations declare no operations."""
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE)
        if place.parts[0] not in {"console", "cli", "config", "api", "portal"} and "migrations" not in place.parts:
            yield place, path


def _undeclared(tree):
    """Yield the public functions of a module that take an actor and are no declared operation."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        arguments = [*node.args.args, *node.args.kwonlyargs]
        takes_actor = any(each.annotation and ast.unparse(each.annotation) == "Actor" for each in arguments)
        decorators = {ast.unparse(each).partition("(")[0] for each in node.decorator_list}
        if takes_actor and not decorators & {"requires", "consequence"}:
            yield node.name


def test_a_public_function_that_takes_an_actor_is_a_declared_operation():
    found = []
    for place, path in _modules():
        if place.as_posix() in NO_OPERATIONS or place.name == "scope.py":
            continue
        found += [f"{place}: {name}" for name in _undeclared(ast.parse(path.read_text()))]
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def operations():
    """Every declared operation of the product that needs a right."""
    for place, _path in _modules():
        import_module(".".join(("recobra", *place.with_suffix("").parts)).removesuffix(".__init__"))
    return [each for each in OPERATIONS.values() if each.right and each.name.startswith("recobra.")]


def _is_let_in(operation, actor):
    """Call an operation with what it does not know: whoever is let in gets as far as that, others not to a query."""
    try:
        operation.function(actor=actor, nothing_that_it_takes=None)
    except NotAllowed:
        return False
    except TypeError:
        return True
    raise AssertionError(f"{operation.name} has done something")


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role.values)
def test_a_role_is_let_in_where_its_rights_say_so(operations, role):
    actor = actor_for(User(username="ana", role=role, sees_all_portfolios=True), now=NOW)
    assert len(operations) > 50
    for operation in operations:
        may = operation.right in RIGHTS[role]
        print(f"{role:14} {'let in' if may else 'refused':8} {operation.right:18} {operation.name}")  # noqa: T201 - with -s
        with CaptureQueriesContext(connection) as queries:
            assert _is_let_in(operation, actor) == may, operation.name
        # Whoever is refused learns nothing and costs nothing.
        assert may or not queries.captured_queries, operation.name


@pytest.mark.parametrize("service", [each for each in Service if len(SERVICE_RIGHTS[each]) < 5])
def test_a_service_is_let_in_for_its_own_work_alone(operations, service):
    actor = service_actor(service, now=NOW)
    for operation in operations:
        if operation.right not in SERVICE_RIGHTS[service]:
            assert not _is_let_in(operation, actor), operation.name
