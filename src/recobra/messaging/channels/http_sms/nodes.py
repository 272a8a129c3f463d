"""YAML nodes with their lines: each reads its value in the expected shape, and collects faults."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from django.utils.translation import gettext as _

from recobra.messaging.channels.http_sms.document import Path

WordT = TypeVar("WordT", bound=str)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a document: `field_path` is the path of the field, `expected` what should be there."""

    line: int
    field_path: str
    expected: str

    def __str__(self) -> str:
        place = f"{self.field_path}: " if self.field_path else ""
        return _("Line %(line)d: %(place)s%(expected)s.") % {
            "line": self.line,
            "place": place,
            "expected": self.expected,
        }


class Node:
    """A place in the document, given or not; reading it never raises."""

    def __init__(self, node: yaml.Node | None, field_path: str, faults: list[Fault], line: int = 1) -> None:
        self._node = node
        self._path = field_path
        self._faults = faults
        self._line = node.start_mark.line + 1 if node is not None else line

    @property
    def is_given(self) -> bool:
        """Return whether the document has a value here."""
        return self._node is not None

    def refuse(self, expected: str) -> None:
        """Add a fault of this place."""
        self._faults.append(Fault(self._line, self._path, expected))

    def at(self, name: str) -> Node:
        """Return a field of this mapping, as a node that is not given where there is no such field."""
        field_path = f"{self._path}.{name}" if self._path else name
        for key, value in self._pairs():
            if key.value == name:
                return Node(value, field_path, self._faults)
        return Node(None, field_path, self._faults, self._line)

    def allow_only(self, *known: str) -> None:
        """Refuse unknown or repeated fields, and a value that is no mapping."""
        if not isinstance(self._node, yaml.MappingNode):
            self.refuse(_("the fields %(known)s") % {"known": ", ".join(known)})
        seen: set[str] = set()
        for key, _value in self._pairs():
            if key.value not in known or key.value in seen:
                field_path = f"{self._path}.{key.value}" if self._path else str(key.value)
                expected = _("one of the fields %(known)s, once") % {"known": ", ".join(known)}
                self._faults.append(Fault(key.start_mark.line + 1, field_path, expected))
            seen.add(str(key.value))

    def text(self, default: str | None = None) -> str:
        """Return the text; without a default it must be given."""
        if isinstance(self._node, yaml.ScalarNode) and self._node.value:
            return str(self._node.value)
        if self.is_given or default is None:
            self.refuse(_("a text"))
        return default or ""

    def choice(self, *words: WordT, default: WordT | None = None) -> WordT:
        """Return the word given, or the default where none is; any other becomes a fault and is read as the first."""
        if default is not None and not self.is_given:
            return default
        if isinstance(self._node, yaml.ScalarNode):
            for word in words:
                if word == self._node.value:
                    return word
        self.refuse(_("one of %(known)s") % {"known": ", ".join(words)})
        return words[0]

    def boolean(self, *, default: bool) -> bool:
        """Return true or false."""
        return self.choice("true", "false", default="true" if default else "false") == "true"

    def words(self) -> list[str]:
        """Return a list of words, or one word; none where it is not given."""
        if isinstance(self._node, yaml.ScalarNode):
            return [str(self._node.value)]
        if isinstance(self._node, yaml.SequenceNode):
            if all(isinstance(item, yaml.ScalarNode) for item in self._node.value):
                return [str(item.value) for item in self._node.value]
            self.refuse(_("a list of words"))
        elif self.is_given:
            self.refuse(_("a list of words"))
        return []

    def numbers(self, minimum: int, maximum: int, *, default: tuple[int, ...]) -> tuple[int, ...]:
        """Return a list of whole numbers within bounds."""
        words = self.words()
        if not self.is_given:
            return default
        if not words or not all(word.isdecimal() and minimum <= int(word) <= maximum for word in words):
            self.refuse(_("whole numbers from %(least)d to %(most)d") % {"least": minimum, "most": maximum})
            return default
        return tuple(int(word) for word in words)

    def path(self, *, required: bool = False) -> Path:
        """Return a path such as `messages.0.id`."""
        if not self.is_given and not required:
            return ()
        text = self.text()
        if text and not re.fullmatch(r"[\w$:@-]+(\.[\w$:@-]+)*", text):
            self.refuse(_("a path such as messages.0.id"))
        if not text:
            return ()
        return tuple(int(step) if step.isdecimal() else step for step in text.split("."))

    def texts_by_name(self) -> dict[str, str]:
        """Return names with their texts; none where it is not given."""
        texts = self.value() if self.is_given else {}
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            self.refuse(_("names with their texts"))
            return {}
        return texts

    def value(self) -> Any:
        """Return the value as Python data, numbers and booleans as such."""
        if self._node is None:
            self.refuse(_("a list of fields with their values"))
            return None
        try:
            return yaml.SafeLoader("").construct_document(self._node)
        except yaml.YAMLError:
            self.refuse(_("plain values"))
            return None

    def _pairs(self) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        """Return the fields of a mapping with their values, [] for anything else."""
        if not isinstance(self._node, yaml.MappingNode):
            return []
        return [(key, value) for key, value in self._node.value if isinstance(key, yaml.ScalarNode)]
