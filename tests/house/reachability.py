"""What the doors of the product reach, by the references in its source; `python -m tests.house.reachability` prints it.

The doors are the command and what Django's settings lead to: addresses, templates and their tags, periodic jobs, the
reactions that an app connects when it is ready. Tests are no callers, and neither is the command that only measures.

Where the source does not show an object's class, a method counts as used when anything that is reached looks up its
name; what is named here is therefore really without a caller, while a method with a common name may escape.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from recobra_core import yaml_text

from .conftest import ROOT, read_sources, tracked
from .references import Definition, Kind, Module, read_module

ENTRANCES = ("recobra.cli.__main__.run", "recobra.cli.main.main", "recobra.config.settings")
MEASURING = "recobra.cli.bench"
JOBS = "procrastinate.contrib.django:app"
LOADED = {
    "alarm_rules",
    "approval_kinds",
    "apps",
    "debtor_rows",
    "encrypted_json",
    "fact_columns",
    "own_column_uses",
    "jobs",
    "stored_files",
    "personal_data",
    "templatetags",
    "migrations",
}
"""What Django, Procrastinate and `kit.declarations` import of an installed app by themselves."""
DECLARED = {
    "alarm_rules.ALARMS",
    "approval_kinds.KINDS",
    "debtor_rows.FOLLOWING",
    "encrypted_json.ENCRYPTED_JSON",
    "fact_columns.COLUMNS",
    "own_column_uses.FINDERS",
    "stored_files.STORED_FILES",
    "personal_data.HOLDINGS",
}
"""What `kit.declarations` reads of them."""
IMPLICIT = re.compile(
    "__.+__|find_spec|persistent_id|ready|dispatch|get|post|clean|clean_.+|get_retry_decision"
    "|get_session_auth_hash|get_session_auth_fallback_hash|validate|get_help_text|process_view"
    "|default_schema|field_title_should_be_set"
    "|readinto|readable|from_db_value|get_prep_value|get_db_prep_value|pre_save|deconstruct"
    "|connection_made|data_received|connection_lost|handle_DATA|writable|seekable|getattr"
    "|filter|process_request|process_response|maintenance|handle_starttag|handle_endtag|handle_data|_create_socket|handle_accept|handle_read|received|parse_header"
)
"""Methods that Python, Django, Jinja, Procrastinate, pydantic, asyncio, aiosmtpd, imaplib, html.parser, waitress and writers to files call."""
VALIDATORS = {"pydantic:field_validator", "pydantic:model_validator"}
"""Decorators of methods that pydantic calls by itself."""
WAITING = Path(__file__).with_name("reachable.yaml")


class Graph:
    """The definitions of all modules, and what references stand for."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = {each.name: each for each in modules if not f"{each.name}.".startswith(f"{MEASURING}.")}
        self.definitions: dict[str, Definition] = {}
        self.module_of: dict[str, Module] = {}
        self.members: dict[str, list[Definition]] = {}
        for module in self.modules.values():
            for each in module.definitions.values():
                self.definitions[each.name] = each
                self.module_of[each.name] = module
                self.members.setdefault(each.name.rpartition(".")[0], []).append(each)

    def resolve(self, reference: str) -> tuple[Definition | Module | None, list[str]]:
        """Return what a reference or a dotted path stands for, and the parts that lie beyond it.

        Names are followed through the modules that hand them on; an unknown one stands for nothing.
        """
        before, colon, after = reference.partition(":")
        top, _, path = (before, "", after) if colon else reference.partition(".")
        return self._resolve(top, path.split(".") if path else [], ())

    def _resolve(
        self, name: str, parts: list[str], seen: tuple[tuple[str, str], ...]
    ) -> tuple[Definition | Module | None, list[str]]:
        module = self.modules.get(name)
        if module is None or not parts:
            return module, []
        first, rest = parts[0], parts[1:]
        if first in module.definitions:
            return self._innermost(module.definitions[first], rest)
        source = module.imports.get(first)
        if source is not None and (name, first) not in seen:
            origin, _, given = source.partition(":")
            return self._resolve(origin, [*filter(None, [given]), *rest], (*seen, (name, first)))
        return self._resolve(f"{name}.{first}", rest, seen)

    def _innermost(self, definition: Definition, rest: list[str]) -> tuple[Definition, list[str]]:
        while rest and f"{definition.name}.{rest[0]}" in self.definitions:
            definition, rest = self.definitions[f"{definition.name}.{rest[0]}"], rest[1:]
        return definition, rest


class _Walk:
    """A walk along references; `reached` grows to everything that they lead to."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.reached: set[str] = set()
        self.pending: list[Definition] = []
        self.loaded: set[str] = set()
        self.module_values: list[Module] = []
        """Modules that are passed on as values: anything may be looked up on them."""
        self.attributes: set[str] = set()
        self.by_name: dict[str, list[Definition]] = {}
        """What is reached once its name is looked up: methods, tags, tables by the name that others know them by."""
        for each in graph.definitions.values():
            for name in each.related_names:
                self.by_name.setdefault(name, []).append(each)
        self.tasks = {name: each for each in graph.definitions.values() for name in _task_names(each)}
        self.tables = {_table_name(each): each for each in graph.definitions.values() if each.kind is Kind.CLASS}

    def follow_all(self) -> None:
        while self.pending:
            definition = self.pending.pop()
            for reference in definition.imports:
                self.use_import(reference)
            for reference in definition.references:
                self.use(reference)
            for name in definition.attributes:
                self.use_attribute(name)
            for text in definition.strings:
                self.use_string(definition, text)
            for table in definition.tables & self.tables.keys():
                self.reach(self.tables[table])

    def use(self, reference: str) -> None:
        found, rest = self.graph.resolve(reference)
        if isinstance(found, Module):
            self.use_module_value(found)
        elif found is not None:
            self.reach(found)
        for name in rest:
            self.use_attribute(name)

    def reach(self, definition: Definition) -> None:
        if definition.name in self.reached:
            return
        self.reached.add(definition.name)
        self.pending.append(definition)
        self.load(self.graph.module_of[definition.name])
        if definition.kind is Kind.METHOD:
            self.reach(self.graph.definitions[definition.name.rpartition(".")[0]])
        elif definition.kind is Kind.CLASS:
            for member in self.graph.members.get(definition.name, ()):
                is_called = IMPLICIT.fullmatch(member.name.rpartition(".")[2]) or VALIDATORS & member.decorators.keys()
                if member.kind is Kind.CLASS or is_called:
                    self.reach(member)
                else:
                    self.called_by_name(member)

    def called_by_name(self, definition: Definition) -> None:
        """Reach a method, or a tag of templates, when its name is looked up."""
        name = definition.name.rpartition(".")[2]
        self.by_name.setdefault(name, []).append(definition)
        if name in self.attributes:
            self.reach(definition)

    def use_attribute(self, name: str) -> None:
        if name in self.attributes:
            return
        self.attributes.add(name)
        for each in list(self.by_name.get(name, ())):
            self.reach(each)
        for module in list(self.module_values):
            self.use_member(module, name)

    def use_module_value(self, module: Module) -> None:
        if module in self.module_values:
            return
        self.module_values.append(module)
        self.load(module)
        for name in self.attributes & {*module.definitions, *module.imports}:
            self.use_member(module, name)

    def use_member(self, module: Module, name: str) -> None:
        found, _rest = self.graph.resolve(f"{module.name}:{name}")
        if isinstance(found, Definition):
            self.reach(found)

    def use_string(self, definition: Definition, text: str) -> None:
        """Take a text for the task, the module beside that, the app, the addresses or the dotted path that it names."""
        if text in self.tasks:
            self.reach(self.tasks[text])
        module = self.graph.module_of.get(definition.name)
        if module is not None and module.imports_children and f"{module.name}.{text}" in self.graph.modules:
            self.use_module_value(self.graph.modules[f"{module.name}.{text}"])
        found, rest = self.graph.resolve(text) if "." in text else (None, [])
        if isinstance(found, Module):
            self.load(found)
            self.use_member(found, "urlpatterns")
            if definition.name.endswith(".INSTALLED_APPS"):
                self.load_app(found)
        elif found is not None and not rest:
            self.reach(found)

    def use_import(self, reference: str) -> None:
        parts = reference.rstrip(":").replace(":", ".").split(".")
        names = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
        module = next((self.graph.modules[name] for name in names if name in self.graph.modules), None)
        if module is not None:
            self.load(module)

    def load(self, module: Module) -> None:
        """Import a module: its statements run, those of the packages around it too, and its decorators register."""
        if module.name in self.loaded:
            return
        self.loaded.add(module.name)
        self.pending.append(module.body)
        for each in module.definitions.values():
            if f"{JOBS}.periodic" in each.decorators:
                self.reach(each)
            if any(name.startswith(f"{module.name}:register.") for name in each.decorators):
                self.called_by_name(each)
        self.use_import(module.name.rpartition(".")[0])

    def load_app(self, app: Module) -> None:
        """Import what is loaded of an installed app; its configuration and its migrations are called as well."""
        for name, module in self.graph.modules.items():
            package, _, inside = name.partition(f"{app.name}.")
            part = inside.partition(".")[0]
            if not package and part in LOADED:
                self.load(module)
                for each in module.definitions.values():
                    is_called = part in {"apps", "migrations"} and each.kind is Kind.CLASS
                    if is_called or each.name.removeprefix(f"{app.name}.") in DECLARED:
                        self.reach(each)


def _task_names(definition: Definition) -> list[str]:
    """Return the names under which Procrastinate knows a function."""
    decorator = definition.decorators.get(f"{JOBS}.task")
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return [each.value.value for each in keywords if each.arg == "name" and isinstance(each.value, ast.Constant)]


def _table_name(definition: Definition) -> str:
    """Return the table that a class has if it is a model: recobra.strategy.models.KpiDay has strategy_kpiday."""
    parts = definition.name.split(".")
    return f"{parts[1]}_{parts[-1].lower()}"


def words_of_templates(texts: Iterable[str]) -> frozenset[str]:
    """Return the names inside the braces of templates: what they look up, their tags and their filters."""
    inside = (part for text in texts for part in re.findall(r"{[{%].*?[%}]}", text, re.DOTALL))
    return frozenset(word for part in inside for word in re.findall(r"[A-Za-z_]\w*", part))


def read_graph(sources: Mapping[str, tuple[str, ast.Module]]) -> Graph:
    """Read the graph of {path: (text, tree)}; only what is below src/ counts."""
    return Graph(read_module(path, tree) for path, (_text, tree) in sources.items() if path.startswith("src/"))


def covered_by(graph: Graph, name: str) -> list[Definition]:
    """Return the definition of a dotted name with all that is inside it; that of a package has all of its modules."""
    return [each for each in graph.definitions.values() if f"{each.name}.".startswith(f"{name}.")]


def reach_from(graph: Graph, roots: Iterable[str], template_words: frozenset[str] = frozenset()) -> set[str]:
    """Return the dotted names of what references lead to from roots and from all that is inside them."""
    walk = _Walk(graph)
    for word in template_words:
        walk.use_attribute(word)
    for root in roots:
        for each in covered_by(graph, root):
            walk.reach(each)
    walk.follow_all()
    return walk.reached


def functions_of(definitions: Iterable[Definition]) -> list[str]:
    """Return the dotted names of functions, classes and methods, those of migrations apart."""
    return [each.name for each in definitions if each.kind is not Kind.VALUE and ".migrations." not in each.name]


def find_unreached(graph: Graph, reached: set[str]) -> list[str]:
    """Return the functions, classes and methods that are not reached; of a class as a whole only its own name."""
    missing = set(functions_of(graph.definitions.values())) - reached
    return sorted(name for name in missing if name.rpartition(".")[0] not in missing)


def place_of(graph: Graph, name: str) -> str:
    """Return where a definition stands, as path:line."""
    return f"{graph.module_of[name].path}:{graph.definitions[name].line}"


def read_template_words() -> frozenset[str]:
    """Return the words of the product's templates."""
    paths = tracked("src/**/*.html", "src/**/*.txt")
    return words_of_templates((ROOT / path).read_text(encoding="utf-8") for path in paths)


def read_waiting() -> dict[str, dict[str, str]]:
    """Return what may be unreached for now: {dotted name: {waits_for, why}}."""
    return yaml_text.load(WAITING.read_text(encoding="utf-8"))


def main() -> None:
    """Print what no door reaches, with the work that it waits for."""
    graph, words, waiting = read_graph(read_sources(tracked("src/**/*.py"))), read_template_words(), read_waiting()
    for name, entry in waiting.items():
        print(f"{name} waits for {entry['waits_for']}: {entry['why']}")  # noqa: T201
        for inner in functions_of(covered_by(graph, name)):
            print(f"  {place_of(graph, inner)} {inner}")  # noqa: T201
    for name in find_unreached(graph, reach_from(graph, (*ENTRANCES, *waiting), words)):
        print(f"{place_of(graph, name)} {name} is reached by nothing and waits for nothing")  # noqa: T201


if __name__ == "__main__":
    main()
