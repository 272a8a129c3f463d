"""What each definition of the source refers to, read from its syntax tree alone.

A reference is written "module:name.part": a name as a module's import or definition binds it, and what is looked up on
it. What it stands for is only known with all modules at hand (`reachability.Graph.resolve`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef, *COMPREHENSIONS)
DOTTED = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
TABLE_READ = re.compile(r"(?:(?<!DELETE )FROM|JOIN)\s+([a-z]+_[a-z]+)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = dict[str, str | None]
"""Names that a scope binds: a reference for what it imports, None for anything else."""


class Kind(Enum):
    """What a definition is; BODY is what a module does when it is imported."""

    FUNCTION = "function"
    CLASS = "class"
    METHOD = "method"
    VALUE = "value"
    BODY = "body"


@dataclass(kw_only=True)
class Definition:
    """A definition by its dotted name, and what it refers to.

    `attributes` are looked up on objects whose class the source does not show, `related_names` are those by which
    another table reaches this one, `strings` may be dotted paths, tasks or modules, `tables` are read by SQL.
    """

    name: str
    kind: Kind
    line: int
    references: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    related_names: set[str] = field(default_factory=set)
    strings: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    decorators: dict[str, ast.expr] = field(default_factory=dict)


@dataclass(kw_only=True)
class Module:
    """A module: its imports as references and its definitions, both by their names within it.

    `imports_children`: it imports modules of its own package by names that are made when it runs.
    """

    name: str
    path: str
    body: Definition
    imports: Scope = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    imports_children: bool = False

    def define(self, name: str, kind: Kind, node: ast.stmt) -> None:
        """Enter a definition; where a name is defined twice, both are one."""
        whole = f"{self.name}.{name}"
        self.definitions.setdefault(name, Definition(name=whole, kind=kind, line=node.lineno))


def read_module(path: str, tree: ast.Module) -> Module:
    """Read the definitions of a file below src/."""
    name = path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    module = Module(name=name, path=path, body=Definition(name=name, kind=Kind.BODY, line=1))
    statements = list(_run_at_import(tree.body))
    for statement in statements:
        _bind(module, statement)
    for statement in statements:
        _read_statement(module, statement)
    return module


def _run_at_import(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements with those inside `if`, `try`, `with` and loops."""
    for statement in statements:
        yield statement
        if not isinstance(statement, SCOPES):
            for part in ("body", "orelse", "finalbody"):
                yield from _run_at_import(getattr(statement, part, []))
            for handler in getattr(statement, "handlers", []):
                yield from _run_at_import(handler.body)


def _bind(module: Module, node: ast.stmt) -> None:
    if isinstance(node, ast.Import | ast.ImportFrom):
        module.imports |= _imported(module, node)
    elif isinstance(node, Function):
        module.define(node.name, Kind.FUNCTION, node)
    elif isinstance(node, ast.ClassDef):
        _bind_class(module, node.name, node)
    else:
        for name in _assigned(node):
            module.define(name, Kind.VALUE, node)


def _bind_class(module: Module, name: str, node: ast.ClassDef) -> None:
    module.define(name, Kind.CLASS, node)
    for member in _run_at_import(node.body):
        if isinstance(member, Function):
            module.define(f"{name}.{member.name}", Kind.METHOD, member)
        elif isinstance(member, ast.ClassDef):
            _bind_class(module, f"{name}.{member.name}", member)


def _imported(module: Module, node: ast.Import | ast.ImportFrom) -> Scope:
    """Return what the names that an import binds refer to."""
    if isinstance(node, ast.Import):
        renamed: Scope = {each.asname: f"{each.name}:" for each in node.names if each.asname}
        tops = {each.name.partition(".")[0] for each in node.names if not each.asname}
        return renamed | {top: f"{top}:" for top in tops}
    source = node.module or ""
    if node.level:
        up = node.level - module.path.endswith("/__init__.py")
        above = module.name.split(".")
        source = ".".join([*above[: len(above) - up], *filter(None, [node.module])])
    return {each.asname or each.name: f"{source}:{each.name}" for each in node.names}


def _assigned(node: ast.stmt) -> set[str]:
    """Return the names that a statement assigns, those of the statements inside it apart."""
    targets: list[ast.AST] = list(getattr(node, "targets", [])) if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For):
        targets = [node.target]
    elif isinstance(node, ast.With):
        targets = [item.optional_vars for item in node.items if item.optional_vars]
    names = (each for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))
    return {each.id for each in names if isinstance(each.ctx, ast.Store)}


def _read_statement(module: Module, node: ast.stmt) -> None:
    """Enter what a statement refers to where it belongs: a value, a function, a class, or the module's body."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        module.body.imports |= {each for each in _imported(module, node).values() if each}
    elif isinstance(node, Function):
        _Reader(module, module.definitions[node.name]).read_function(node)
    elif isinstance(node, ast.ClassDef):
        _read_class(module, node.name, node, ())
    else:
        for owner in _owners(module, node):
            _Reader(module, owner).visit_all(_own_parts(node))


def _owners(module: Module, node: ast.stmt) -> list[Definition]:
    """Return what a statement works for: `RATES["PE"] = rate` belongs to RATES; `__all__` is nobody's use."""
    names = _assigned(node)
    if isinstance(node, ast.Assign) and not names:
        names = {each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    if names == {"__all__"}:
        return []
    return [module.definitions[name] for name in names if name in module.definitions] or [module.body]


def _own_parts(node: ast.stmt) -> Iterator[ast.AST]:
    """Yield the parts of a statement but for the statements inside it, which are read on their own."""
    return (part for part in ast.iter_child_nodes(node) if not isinstance(part, ast.stmt | ast.ExceptHandler))


def _read_class(module: Module, name: str, node: ast.ClassDef, around: tuple[Scope, ...]) -> None:
    definition = module.definitions[name]
    reader = _Reader(module, definition, around)
    reader.read_decorators(node)
    reader.visit_all([*node.bases, *node.keywords])
    scope = _scope_of(module, node.body)
    scope |= {each.name: f"{module.name}:{name}.{each.name}" for each in node.body if isinstance(each, ast.ClassDef)}
    for member in _run_at_import(node.body):
        if isinstance(member, Function):
            _Reader(module, module.definitions[f"{name}.{member.name}"], around).read_function(member)
        elif isinstance(member, ast.ClassDef):
            _read_class(module, f"{name}.{member.name}", member, (*around, scope))
        else:
            _Reader(module, definition, (*around, scope)).visit_all(_own_parts(member))


def _scope_of(module: Module, nodes: Iterable[ast.AST]) -> Scope:
    """Return what statements bind in their own scope."""
    scope: Scope = {}
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            scope |= _imported(module, node)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            scope[node.name] = None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            scope[node.id] = None
        if not isinstance(node, SCOPES):
            waiting += ast.iter_child_nodes(node)
    return scope


def _joined(reference: str, *parts: str) -> str:
    """Return the reference to what is looked up on something that is referred to."""
    return reference + ("" if reference.endswith(":") or not parts else ".") + ".".join(parts)


class _Reader(ast.NodeVisitor):
    """Collects what a definition refers to; names that a function binds hide those of the module."""

    def __init__(self, module: Module, definition: Definition, scopes: tuple[Scope, ...] = ()) -> None:
        self.module = module
        self.definition = definition
        self.scopes = scopes

    def look_up(self, name: str) -> str | None:
        """Return what a name refers to; None for a local or built-in one."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        if name in self.module.definitions:
            return f"{self.module.name}:{name}"
        return self.module.imports.get(name)

    def visit_all(self, nodes: Iterable[ast.AST], scope: Scope | None = None) -> None:
        before = self.scopes
        self.scopes = before if scope is None else (*before, scope)
        for node in nodes:
            self.visit(node)
        self.scopes = before

    def read_decorators(self, node: Function | ast.ClassDef) -> None:
        self.visit_all(node.decorator_list)
        for decorator in node.decorator_list:
            first, *parts = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator).split(".")
            self.definition.decorators[_joined(self.look_up(first) or f"builtins:{first}", *parts)] = decorator

    def read_function(self, node: Function) -> None:
        self.read_decorators(node)
        self._enter(node, node.body)

    def _enter(self, node: Function | ast.Lambda, statements: list[ast.AST]) -> None:
        """Read defaults and annotations outside of a function's scope, and what it does inside."""
        outside = [*node.args.defaults, *node.args.kw_defaults, getattr(node, "returns", None)]
        arguments = [each for each in ast.walk(node.args) if isinstance(each, ast.arg)]
        self.visit_all(filter(None, [*outside, *(each.annotation for each in arguments)]))
        scope = _scope_of(self.module, statements)
        self.definition.imports |= {each for each in scope.values() if each}
        self.visit_all(statements, dict.fromkeys(each.arg for each in arguments) | scope)

    def visit(self, node: ast.AST) -> None:
        """Read a part of the syntax, scopes with the names that they bind."""
        if isinstance(node, Function):
            self.visit_all(node.decorator_list)
            self._enter(node, node.body)
        elif isinstance(node, ast.Lambda):
            self._enter(node, [node.body])
        elif isinstance(node, COMPREHENSIONS):
            scope = _scope_of(self.module, [part.target for part in node.generators])
            self.visit_all(ast.iter_child_nodes(node), scope)
        else:
            super().visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        reference = self.look_up(node.id)
        if reference is not None and isinstance(node.ctx, ast.Load):
            self.definition.references.add(reference)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        parts: list[str] = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            if isinstance(base.ctx, ast.Load):
                parts.insert(0, base.attr)
            base = base.value
        reference = self.look_up(base.id) if isinstance(base, ast.Name) else None
        if reference is not None:
            self.definition.references.add(_joined(reference, *parts))
        else:
            self.definition.attributes |= set(parts)
            self.visit(base)

    def visit_Call(self, node: ast.Call) -> None:
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called == "getattr" and isinstance(node.args[1], ast.Constant):
            self.definition.attributes.add(node.args[1].value)
        elif called == "import_module" and "__name__" in ast.unparse(node):
            self.module.imports_children = True
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg == "related_name" and isinstance(node.value, ast.Constant):
            self.definition.related_names.add(node.value.value)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.definition.tables |= set(TABLE_READ.findall(node.value))
            if DOTTED.fullmatch(node.value):
                self.definition.strings.add(node.value)
