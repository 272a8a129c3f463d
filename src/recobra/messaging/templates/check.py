"""Read a template before it is kept: every mistake with its place and the nearest right name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from recobra.messaging.templates.by_channel import PARTS, find_channel_mistakes
from recobra.messaging.templates.variables import FIELDS, REQUIRED, VARIABLES

MAX_CHARACTERS = 100_000
_NAMES = tuple(variable.name for variable in VARIABLES)
_FIELDS = tuple(field.name for field in FIELDS)
# All that a letter needs. What reaches other files, defines code, reckons or grows without bound has no place in it.
_ALLOWED = (
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
    nodes.Getitem,  # has a mistake of its own
)
MAX_LOOP_DEPTH = 2  # groups and their documents; each further loop would multiply the letter
_FILTERS = ("capitalize", "default", "first", "join", "last", "length", "lower", "title", "trim", "upper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Something wrong in a template: part (subject, text, html), line, what was found, what would be right."""

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
    """Return everything wrong in the parts of a template, in order; none means that it may be kept."""
    given = {"subject": subject, "text": text, "html": html}
    used = PARTS.get(channel, ("text",))
    found = [mistake for part in used for mistake in _read(part, given[part], get_language())]
    found += [
        Mistake(part=part, line=1, found=_("this channel has no such part"), expected=_("Leave it empty."))
        for part, source in given.items()
        if part not in used and source.strip()
    ]
    if found:
        return found
    if channel == "email":
        return [mistake for part in ("text", "html") for mistake in _missing(part, given[part])]
    return [
        Mistake(part=part, line=1, found=what, expected=right)
        for part, what, right in find_channel_mistakes(channel=channel, text=text, buttons=buttons)
    ]


@lru_cache(maxsize=512)
def find_variables(source: str) -> frozenset[str]:
    """Return the variables that a template's part speaks of. Raises jinja2.TemplateSyntaxError."""
    tree = SandboxedEnvironment().parse(source)
    return frozenset({node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"})


@lru_cache(maxsize=512)
def _read(part: str, source: str, _language: str | None) -> tuple[Mistake, ...]:
    """Return what is wrong in a part, in the words of a language: the same text is read more than once."""
    return tuple(_in_part(part, source))


def _in_part(part: str, source: str) -> Iterator[Mistake]:
    if not source.strip():
        yield Mistake(part=part, line=1, found=_("it is empty"), expected=_("Write its content."))
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
        tree = SandboxedEnvironment().parse(source)
    except TemplateSyntaxError as error:
        yield Mistake(
            part=part, line=error.lineno, found=str(error.message), expected=_("Look at the braces and tags.")
        )
        return
    yield from _unknown_names(part, tree)
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            yield _barred(part, node.lineno, type(node).__name__)
    for loop in _too_deep(tree):
        yield _barred(part, loop.lineno, " ".join(["for"] * (MAX_LOOP_DEPTH + 1)))


def _barred(part: str, line: int, name: str) -> Mistake:
    return Mistake(
        part=part,
        line=line,
        found=_("«%(name)s» is not allowed") % {"name": name},
        expected=_("Use variables, for and if."),
    )


def _too_deep(node: nodes.Node, depth: int = 0) -> Iterator[nodes.For]:
    """Yield the loops that stand inside MAX_LOOP_DEPTH others."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.For) and depth == MAX_LOOP_DEPTH:
            yield child
        else:
            yield from _too_deep(child, depth + isinstance(child, nodes.For))


def _unknown_names(part: str, tree: nodes.Template) -> Iterator[Mistake]:
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"} | {"loop"}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in own and name.name not in _NAMES:
            yield _unknown(part, name.lineno, _("variable"), name.name, _NAMES)
    for item in tree.find_all(nodes.Getattr):
        yield from _unknown_field(part, item)
    for place in tree.find_all(nodes.Getitem):
        yield Mistake(
            part=part,
            line=place.lineno,
            found=_("«%(name)s» is not allowed") % {"name": "[…]"},
            expected=_("Use a dot: grupo.total"),
        )
    for used in tree.find_all(nodes.Filter):
        if used.name not in _FILTERS:
            yield _unknown(part, used.lineno, _("filter"), used.name, _FILTERS)


def _unknown_field(part: str, item: nodes.Getattr) -> Iterator[Mistake]:
    if isinstance(item.node, nodes.Name) and item.node.name == "loop":
        if item.attr not in {"index", "first", "last", "length"}:
            yield _unknown(part, item.lineno, _("field"), item.attr, ("index", "first", "last", "length"))
    elif item.attr not in _FIELDS:
        yield _unknown(part, item.lineno, _("field"), item.attr, _FIELDS)


def _unknown(part: str, line: int, what: str, name: str, known: tuple[str, ...]) -> Mistake:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    expected = (
        _("Did you mean «%(name)s»?") % {"name": near[0]}
        if near
        else _("Allowed: %(names)s.") % {"names": ", ".join(known)}
    )
    return Mistake(
        part=part, line=line, found=_("unknown %(what)s «%(name)s»") % {"what": what, "name": name}, expected=expected
    )


def _missing(part: str, source: str) -> Iterator[Mistake]:
    used = find_variables(source)
    for what, names in REQUIRED.items():
        if not used & set(names):
            yield Mistake(
                part=part,
                line=1,
                found=_("it does not say %(what)s") % {"what": what},
                expected=_("Add %(names)s.") % {"names": " / ".join(f"{{{{ {name} }}}}" for name in names)},
            )
