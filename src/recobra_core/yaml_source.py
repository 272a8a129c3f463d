"""YAML that people write, parsed with the line of every place, within bounds of length and depth."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from recobra_core.documents import DocumentError, Expected, Fault, ModelT, Place, format_path, read_document

LENGTH_MAX: Final = 200_000
DEPTH_MAX: Final = 20
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OPENING = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


@dataclass(slots=True)
class YamlSource:
    """A parsed text: its value in plain types, the line of each place, and the faults of the text itself."""

    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def parse_yaml(text: str, *, length_max: int = LENGTH_MAX, typed: Place = ()) -> YamlSource:
    """Return the document of a text. Raises DocumentError where there is none.

    Numbers, days and booleans become such at and below the place `typed`; elsewhere values stay texts as written.
    """
    if len(text) > length_max:
        raise _unreadable(
            1, str(len(text)), Expected(f"{length_max} characters at most", f"{length_max} caracteres como máximo")
        )
    try:
        _check_tokens(text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _unreadable(line, f"«{error.problem}»", _READABLE) from error
    except yaml.YAMLError as error:
        raise _unreadable(1, "", _READABLE) from error
    source = YamlSource()
    if root is not None:
        source.value = _read_node(root, (), source, typed)
    return source


def read_yaml(
    model: type[ModelT], text: str, *, length_max: int = LENGTH_MAX, typed: Place = (), context: object = None
) -> ModelT:
    """Return a YAML document as its model. Raises DocumentError with every fault and its line; see `parse_yaml`."""
    source = parse_yaml(text, length_max=length_max, typed=typed)
    return read_source(model, source, context=context)


def read_source(model: type[ModelT], source: YamlSource, *, context: object = None) -> ModelT:
    """Return a parsed document as its model. Raises DocumentError with every fault, also those of the text."""
    try:
        document = read_document(model, source.value, context=context, lines=source.lines)
    except DocumentError as error:
        raise DocumentError([*source.faults, *error.faults]) from None
    if source.faults:
        raise DocumentError(source.faults)
    return document


_READABLE: Final = Expected("readable YAML", "un YAML legible")


def _unreadable(line: int, found: str, expected: Expected) -> DocumentError:
    return DocumentError([Fault(path="", found=found, expected=expected, line=line)])


def _check_tokens(text: str) -> None:
    """Refuse, before anything is built of them, levels without end and anchors. Raises DocumentError, YAMLError."""
    depth = 0
    for token in yaml.scan(text, Loader=_LOADER):
        line = token.start_mark.line + 1
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > DEPTH_MAX:
            # YAML takes time by the square of the depth: seconds for a few thousand brackets.
            limit = Expected(f"{DEPTH_MAX} levels at most", f"{DEPTH_MAX} niveles como máximo")
            raise _unreadable(line, str(depth), limit)
        if isinstance(token, yaml.AnchorToken):
            # Anchors would let a short document stand for an endless one.
            raise _unreadable(
                line, f"«&{token.value}»", Expected("a document without anchors", "un documento sin anclas")
            )


def _read_node(node: yaml.Node, place: Place, source: YamlSource, typed: Place) -> Any:
    """Return the value of a node, and keep the lines of all places below it."""
    source.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        table = {}
        for key, value in _pairs(node, place, source):
            table[key] = _read_node(value, (*place, key), source, typed)
        return table
    if isinstance(node, yaml.SequenceNode):
        return [_read_node(item, (*place, at), source, typed) for at, item in enumerate(node.value)]
    _check_text(node.value, place, source)
    if place[: len(typed)] != typed:
        return node.value
    try:
        return yaml.SafeLoader("").construct_document(node)
    except (yaml.YAMLError, ValueError):
        # Such as the 31st of February: whoever expects a day says so of the text.
        return node.value


def _pairs(node: yaml.MappingNode, place: Place, source: YamlSource) -> Iterator[tuple[str, yaml.Node]]:
    """Yield the keys of a mapping as they are written, each once, with their values."""
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            _add_fault(source, place, "", Expected("a text as key", "un texto como clave"))
        elif key.value in seen:
            source.lines[(*place, key.value)] = key.start_mark.line + 1
            _add_fault(
                source,
                (*place, key.value),
                f"«{key.value}»",
                Expected("a key used once", "una clave usada una sola vez"),
            )
        else:
            seen.add(key.value)
            source.lines[(*place, key.value)] = key.start_mark.line + 1
            _check_text(key.value, place, source)
            yield key.value, value


def _check_text(text: str, place: Place, source: YamlSource) -> None:
    """Add a fault for a text that an escape of YAML made, and that neither UTF-8 nor a database takes."""
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        expected = Expected(
            "a text without null characters or halves of one", "un texto sin caracteres nulos ni a medias"
        )
        _add_fault(source, place, ascii(text[:20]), expected)


def _add_fault(source: YamlSource, place: Place, found: str, expected: Expected) -> None:
    source.faults.append(Fault(path=format_path(place), found=found, expected=expected, line=source.lines[place]))
