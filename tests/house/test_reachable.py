"""Whatever is built can be reached: through a screen, a command, a job or a reaction. What waits for its door is named.

`python -m tests.house.reachability` prints what waits, function by function.
"""

from __future__ import annotations

import ast

import pytest
from tools.requirements_page import WORKS

from .conftest import ROOT, read_sources, tracked
from .reachability import (
    ENTRANCES,
    Graph,
    covered_by,
    find_unreached,
    functions_of,
    place_of,
    reach_from,
    read_graph,
    read_template_words,
    read_waiting,
)
from .references import read_module


@pytest.fixture(scope="module")
def product(sources):
    """The product's graph; migrations count as callers."""
    return read_graph(sources | read_sources(tracked("src/**/migrations/*.py")))


@pytest.fixture(scope="module")
def template_words():
    return read_template_words()


@pytest.fixture(scope="module")
def waiting():
    return read_waiting()


@pytest.fixture(scope="module")
def dead_in(template_words, waiting):
    """Return a function that names what a graph does not reach, apart from what waits."""
    return lambda graph: find_unreached(graph, reach_from(graph, (*ENTRANCES, *waiting), template_words))


def test_everything_that_is_built_can_be_reached(product, dead_in):
    """Connect what is named here to a door, delete it, or say in reachable.yaml which piece of work it waits for."""
    assert len(functions_of(product.definitions.values())) > 3_000
    assert not (dead := dead_in(product)), "\n".join(f"{place_of(product, name)} {name}" for name in dead)


def test_what_waits_for_its_door_exists_and_has_none(product, template_words, waiting):
    reached = reach_from(product, ENTRANCES, template_words)
    faults = []
    for name, entry in waiting.items():
        functions = functions_of(covered_by(product, name))
        if not functions:
            faults.append(f"{name} does not exist")
        faults += [f"{place_of(product, each)} {each} waits no more" for each in functions if each in reached]
        if entry.keys() != {"waits_for", "why"} or entry["waits_for"] not in WORKS or not entry["why"]:
            faults.append(f"{name} does not say why it waits and for which piece of work")
    assert not faults, "\n".join(faults)
    assert list(waiting) == sorted(waiting)


@pytest.mark.parametrize(
    ("path", "use", "orphan"),
    [
        ("console/screens/loads/pages.py", "operations.discard_load(", "intake.operations.hold.discard_load"),
        ("config/reactions/contacts.py", "messaging.judge_again(", "messaging.outbox.plan.judge_again"),
        ("cli/user.py", "operations.set_password(", "access.operations.set_password"),
        ("strategy/jobs.py", '@app.periodic(cron="*/2 * * * *")\n', "strategy.alarms.check_installation"),
    ],
    ids=["screen", "reaction", "command", "job"],
)
def test_what_its_only_door_lets_go_is_named(product, dead_in, path, use, orphan):
    module = product.modules[f"recobra.{path.removesuffix('.py').replace('/', '.')}"]
    text = (ROOT / module.path).read_text(encoding="utf-8")
    assert text.count(use) == 1
    without = ast.parse(text.replace(use, "print(" if use.endswith("(") else ""))
    graph = Graph((product.modules | {module.name: read_module(module.path, without)}).values())
    assert set(dead_in(graph)) - set(dead_in(product)) >= {f"recobra.{orphan}"}
