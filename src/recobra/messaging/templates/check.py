"""Check of a template before it is saved: every mistake with its line and the nearest right name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from recobra.kit.encrypted_field import UNREADABLE, holds_stand_in
from recobra.messaging.templates.by_channel import PARTS, find_channel_mistakes
from recobra.messaging.templates.variables import FIELDS, OWN_PREFIX, REQUIRED, VARIABLES
from recobra.portfolio.own_columns import message_columns

MAX_CHARACTERS = 100_000
_NAMES = tuple(variable.name for variable in VARIABLES)
_FIELDS = tuple(field.name for field in FIELDS)
_LOOP_FIELDS = ("index", "first", "last", "length")
# All that a message needs. What reads other files, defines code, computes or grows without bound is not allowed.
_ALLOWED_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Filter,
    nodes.Test,
    nodes.For,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Getitem,  # reported apart, with what to write in its place
)
# Tags that others stand inside of, allowed ones and others alike.
_OPENING = frozenset({"autoescape", "block", "call", "filter", "for", "if", "macro", "set", "with"})
MAX_LOOP_DEPTH = 2  # groups and their documents; each further loop would multiply the length of the message
# Filter -> how many arguments it may have. The second one of `join` would read any attribute.
_FILTERS = {
    "capitalize": 0,
    "default": 2,
    "first": 0,
    "join": 1,
    "last": 0,
    "length": 0,
    "lower": 0,
    "title": 0,
    "trim": 0,
    "upper": 0,
}
_TESTS = tuple(sorted(SandboxedEnvironment().tests))
# Each level costs the parser and the compiler many calls: hundreds of them would end the process.
LEVELS_MAX = 20
TAG_WORDS_MAX = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A mistake in a template: part (subject, text, html), line, what was found and what is expected."""

    part: str
    line: int
    found: str
    expected: str

    def __str__(self) -> str:
        return _("%(part)s, line %(line)s: %(found)s. %(expected)s") % {
            "part": self.part,
            "line": self.line,
            "found": self.found,
            "expected": self.expected,
        }


def find_mistakes(
    *, subject: str, text: str, html: str, channel: str = "email", buttons: Sequence[Mapping[str, str]] = ()
) -> list[Mistake]:
    """Return all mistakes in the parts of a template, in order; a template without any may be saved."""
    sources = {"subject": subject, "text": text, "html": html}
    parts = PARTS.get(channel, ("text",))
    mistakes: list[Mistake] = []
    names = _NAMES
    if any(OWN_PREFIX in source for source in sources.values()):
        names += tuple(f"{OWN_PREFIX}{name}" for name in message_columns())
    for part in parts:
        mistakes += _check_part(part, sources[part], names, get_language())
    for part, source in sources.items():
        if part not in parts and source.strip():
            found = _("this channel has no such part")
            mistakes.append(Mistake(part=part, line=1, found=found, expected=_("Leave it empty.")))
    if mistakes:
        return mistakes
    if channel == "email":
        return [*_find_missing("text", text), *_find_missing("html", html)]
    return [
        Mistake(part=part, line=1, found=found, expected=expected)
        for part, found, expected in find_channel_mistakes(channel=channel, text=text, buttons=buttons)
    ]


@lru_cache(maxsize=512)
def find_variables(source: str) -> frozenset[str]:
    """Return the variables that a part of a template uses. Raises jinja2.TemplateSyntaxError."""
    tree = _parse(source)
    return frozenset({node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"})


@lru_cache(maxsize=512)
def _check_part(part: str, source: str, names: tuple[str, ...], _language: str | None) -> tuple[Mistake, ...]:
    # Cached, because a template is checked several times; the language is part of the key for the sentences.
    return tuple(_find_in_part(part, source, names))


def _find_in_part(part: str, source: str, names: tuple[str, ...]) -> Iterator[Mistake]:
    """Yield the mistakes of one part; its names, of which `names` are variables, are checked only where it parses."""
    if not source.strip():
        yield Mistake(part=part, line=1, found=_("it is empty"), expected=_("Write its content."))
    if holds_stand_in(source):
        yield Mistake(part=part, line=1, found=str(UNREADABLE).rstrip("."), expected=_("Write its content."))
    if len(source) > MAX_CHARACTERS:
        yield Mistake(
            part=part,
            line=1,
            found=_("it is too long"),
            expected=_("Up to %(count)s characters.") % {"count": MAX_CHARACTERS},
        )
        return
    if part == "subject" and "\n" in source.strip():
        yield Mistake(
            part=part, line=2, found=_("it has more than one line"), expected=_("The subject is a single line.")
        )
    try:
        tree = _parse(source)
    except TemplateSyntaxError as error:
        yield Mistake(
            part=part, line=error.lineno, found=str(error.message), expected=_("Look at the braces and tags.")
        )
        return
    yield from _find_unknown_names(part, tree, names)
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED_NODES):
            yield _forbidden(part, node.lineno, type(node).__name__)
    for loop in _find_deep_loops(tree):
        yield _forbidden(part, loop.lineno, " ".join(["for"] * (MAX_LOOP_DEPTH + 1)))


def _parse(source: str) -> nodes.Template:
    """Return the tree of a part. Raises TemplateSyntaxError, also for one that is nested too deeply to be compiled."""
    environment = SandboxedEnvironment()
    brackets = blocks = words = 0
    is_block = False
    # Read as words first: parsing is what the depth would end.
    for line, kind, text in environment.lex(source):
        if kind in {"variable_begin", "block_begin"}:
            brackets = words = 0
            is_block = kind == "block_begin"
            continue
        if kind in {"whitespace", "data"}:
            continue
        words += 1
        if kind == "name" and words == 1 and is_block:
            blocks += -1 if text.startswith("end") else text in _OPENING
        brackets += (kind == "operator") * ((text in "([{") - (text in ")]}"))
        if max(brackets, blocks) > LEVELS_MAX:
            raise TemplateSyntaxError(_("it has more than %(count)s levels") % {"count": LEVELS_MAX}, line)
        if words > TAG_WORDS_MAX:
            raise TemplateSyntaxError(_("a tag has more than %(count)s words") % {"count": TAG_WORDS_MAX}, line)
    return environment.parse(source)


def _forbidden(part: str, line: int, name: str) -> Mistake:
    """Return the mistake of something that templates may not contain."""
    return Mistake(
        part=part,
        line=line,
        found=_("«%(name)s» is not allowed") % {"name": name},
        expected=_("Use variables, for and if."),
    )


def _find_deep_loops(node: nodes.Node, depth: int = 0) -> Iterator[nodes.For]:
    """Yield the loops inside MAX_LOOP_DEPTH others."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.For) and depth == MAX_LOOP_DEPTH:
            yield child
        else:
            yield from _find_deep_loops(child, depth + isinstance(child, nodes.For))


def _find_unknown_names(part: str, tree: nodes.Template, names: tuple[str, ...]) -> Iterator[Mistake]:
    """Yield unknown variables, fields and filters, and subscripts, which templates do not use."""
    loop_names = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"} | {"loop"}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in loop_names and name.name not in names:
            yield _unknown_name(part, name.lineno, _("variable"), name.name, names)
    for attribute in tree.find_all(nodes.Getattr):
        is_loop = isinstance(attribute.node, nodes.Name) and attribute.node.name == "loop"
        fields = _LOOP_FIELDS if is_loop else _FIELDS
        if attribute.attr not in fields:
            yield _unknown_name(part, attribute.lineno, _("field"), attribute.attr, fields)
    for subscript in tree.find_all(nodes.Getitem):
        yield Mistake(
            part=part,
            line=subscript.lineno,
            found=_("«%(name)s» is not allowed") % {"name": "[…]"},
            expected=_("Use a dot: grupo.total"),
        )
    for node in tree.find_all(nodes.Filter):
        if node.name not in _FILTERS:
            yield _unknown_name(part, node.lineno, _("filter"), node.name, tuple(_FILTERS))
        elif len(node.args) > _FILTERS[node.name] or node.kwargs or node.dyn_args or node.dyn_kwargs:
            yield _too_many_arguments(part, node)
    for test in tree.find_all(nodes.Test):
        if test.name not in _TESTS:
            yield _unknown_name(part, test.lineno, _("test"), test.name, _TESTS)


def _too_many_arguments(part: str, node: nodes.Filter) -> Mistake:
    """Return the mistake of a filter with more than it takes."""
    return Mistake(
        part=part,
        line=node.lineno,
        found=_("the filter «%(name)s» has too many arguments") % {"name": node.name},
        expected=_("Up to %(count)s, without names.") % {"count": _FILTERS[node.name]},
    )


def _unknown_name(part: str, line: int, kind: str, name: str, known: tuple[str, ...]) -> Mistake:
    """Return the mistake of an unknown name, with the nearest known one or, failing that, all of them."""
    similar = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if similar:
        expected = _("Did you mean «%(name)s»?") % {"name": similar[0]}
    else:
        expected = _("Allowed: %(names)s.") % {"names": ", ".join(known)}
    return Mistake(
        part=part, line=line, found=_("unknown %(what)s «%(name)s»") % {"what": kind, "name": name}, expected=expected
    )


def _find_missing(part: str, source: str) -> Iterator[Mistake]:
    """Yield what an e-mail has to say and this part does not (REQUIRED)."""
    used = find_variables(source)
    for what, names in REQUIRED.items():
        if not used & set(names):
            yield Mistake(
                part=part,
                line=1,
                found=_("it does not say %(what)s") % {"what": what},
                expected=_("Add %(names)s.") % {"names": " / ".join(f"{{{{ {name} }}}}" for name in names)},
            )
