"""A gateway document: the models by which it is read. A field's alias is its key in the document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    Strict,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from recobra.messaging.channels.adapter import Unsuitable
from recobra.messaging.channels.http import validate_base_url
from recobra.portfolio.description import TimeZone
from recobra_core.documents import (
    A_TEXT,
    DocumentModel,
    Expected,
    Place,
    Text,
    at_least_one,
    expects,
    refuse,
    refuse_all,
    whole,
)
from recobra_core.yaml_source import read_yaml

LENGTH_MAX: Final = 20_000
SECRETS = ("user", "password", "token")
PLACEHOLDERS = frozenset(
    {"to", "text", "id", "valid_seconds", "valid_minutes", "valid_until", "sender", "callback", "basic", *SECRETS}
)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_PATH = re.compile(r"[\w$:@-]+(\.[\w$:@-]+)*")


def read_gateway(text: str) -> Gateway:
    """Return the gateway that a YAML document describes. Raises DocumentError with every fault and its line."""
    # Only the template of the body has numbers and booleans; the gateway's own words and codes are kept as written.
    return read_yaml(Gateway, text, length_max=LENGTH_MAX, typed=("request", "fields"))


def _as_list(value: Any) -> Any:
    """Return one word as a list of it."""
    return [value] if isinstance(value, str) else value


def _split_path(value: Any) -> Place:
    """Return a path such as `messages.0.id` in its steps. Raises ValueError."""
    if value == ():
        return ()
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise ValueError
    return tuple(int(step) if step.isdecimal() else step for step in value.split("."))


def _check_url(text: str) -> str:
    """Refuse an address that must not be called."""
    try:
        validate_base_url(text)
    except Unsuitable as error:
        why = str(error).removesuffix(".")
        expected = Expected(f"an address that may be called ({why})", f"una dirección a la que se pueda llamar ({why})")
        raise refuse(expected) from error
    return text


def _compile_pattern(value: Any) -> re.Pattern[str]:
    """Return the regular expression that takes a text reply apart."""
    try:
        return re.compile(value)
    except (re.error, TypeError) as error:
        raise refuse(
            Expected(
                f"a regular expression with named groups ({error})",
                f"una expresión regular con grupos con nombre ({error})",
            )
        ) from error


Path = Annotated[
    tuple[str | int, ...],
    PlainValidator(_split_path),
    expects("a path such as messages.0.id", "una ruta como messages.0.id"),
    WithJsonSchema({"type": "string", "pattern": f"^{_PATH.pattern}$"}),
]
Words = Annotated[
    frozenset[str],
    Strict(False),
    BeforeValidator(_as_list),
    WithJsonSchema({"type": ["string", "number", "array"], "items": {"type": ["string", "number"]}}),
]
Switch = Annotated[bool, Strict(False)]


class Request(DocumentModel):
    """How one message is requested.

    `fields` is the template of the body; `repeat_is_safe`: the gateway drops a second message with the same `{id}`.
    """

    method: Literal["POST", "GET"]
    url: Annotated[str, AfterValidator(_check_url)]
    headers: dict[str, str] = {}
    body: Literal["json", "form", "query"]
    fields: dict[str, Any]
    number: Literal["e164", "digits", "national"] = "e164"
    letters: Literal["unicode", "gsm"] = "unicode"
    charset: Literal["utf-8", "latin-1"] = "utf-8"
    repeat_is_safe: Switch = False

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        unknown = list(_refuse_unknown_placeholders(headers))
        if unknown:
            raise refuse_all(unknown)
        return headers

    @field_validator("body")
    @classmethod
    def _check_body(cls, body: str, info: ValidationInfo) -> str:
        if info.data.get("method") == "GET" and body != "query":
            raise refuse(Expected("«query»: a GET has no body", "«query»: un GET no tiene cuerpo"))
        return body

    @field_validator("fields")
    @classmethod
    def _check_fields(cls, fields: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Refuse unknown placeholders, a message without number or text, and levels where only JSON nests."""
        refusals = list(_refuse_unknown_placeholders(fields))
        used = _find_placeholders((fields, info.data.get("headers")))
        missing = [name for name in ("to", "text") if name not in used and "headers" in info.data]
        refusals += [
            refuse(Expected(f"a field with {{{name}}}", f"un campo con {{{name}}}"), found="") for name in missing
        ]
        if info.data.get("body", "json") != "json":
            expected = Expected("plain values: only a JSON body nests", "valores simples: solo un cuerpo JSON anida")
            refusals += [refuse(expected, at=(key,)) for key, value in fields.items() if isinstance(value, dict | list)]
        if refusals:
            raise refuse_all(refusals)
        return fields

    @field_validator("repeat_is_safe")
    @classmethod
    def _check_repeat(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic passes it so
        used = _find_placeholders((info.data.get("fields", "{id}"), info.data.get("headers")))
        if value and "id" not in used:
            raise refuse(
                Expected(
                    "{id} in a field or header, by which the gateway knows a repeated message",
                    "{id} en un campo o encabezado, con el que la pasarela reconoce un mensaje repetido",
                )
            )
        return value


class Success(DocumentModel):
    """What of a reply means that the message was taken."""

    path: Path = ()
    values: Words = frozenset()


class Answer(DocumentModel):
    """How the gateway's reply is read. `pattern` reads plain text: its named groups are the fields."""

    accepted: Annotated[
        frozenset[Annotated[int, whole(100, 599, strict=False)]],
        Strict(False),
        AfterValidator(at_least_one),
        BeforeValidator(_as_list),
    ] = frozenset({200, 201, 202})
    id: Path = ()
    error: Path = ()
    success: Success = Success()
    pattern: Annotated[re.Pattern[str] | None, PlainValidator(_compile_pattern), WithJsonSchema({"type": "string"})] = (
        Field(None, alias="text")
    )
    permanent: Words = frozenset()
    refused: Words = frozenset()
    retry: Words = frozenset()
    server_errors: Literal["uncertain", "retry"] = "uncertain"


class Check(DocumentModel):
    """How a call proves that it is the gateway's."""

    kind: Literal["hmac", "header", "query", "basic"]
    name: Annotated[str, Field(validate_default=True)] = ""
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""

    @field_validator("name")
    @classmethod
    def _complete_name(cls, name: str, info: ValidationInfo) -> str:
        """Return the name of the header, in lower case, or of the parameter; only `basic` has one by itself."""
        kind = info.data.get("kind")
        if not name and kind == "basic":
            return "authorization"
        if not name and kind:
            raise refuse(A_TEXT, found="")
        return name if kind == "query" else name.lower()


class Calls(DocumentModel):
    """What all calls of the gateway share; `answer` is the body that it expects in return."""

    check: Check
    items: Path = ()
    answer: str = ""
    at_format: Literal["iso", "unix", "unix_ms"] = "iso"
    time_zone: TimeZone = "UTC"


class Receipts(DocumentModel):
    """How a delivery receipt is read; `statuses` lists the gateway's words by their meaning."""

    status: Path
    reference: Path = ()
    id: Annotated[Path, Field(validate_default=True)] = ()
    at: Path = ()
    error: Path = ()
    statuses: dict[Literal["accepted", "delivered", "failed", "permanent"], Words]

    @field_validator("id")
    @classmethod
    def _check_reference(cls, path: Place, info: ValidationInfo) -> Place:
        if not path and info.data.get("reference") == ():
            raise refuse(
                Expected(
                    "«reference» or «id»: by which of our messages it is known",
                    "«reference» o «id»: con qué mensaje nuestro se relaciona",
                ),
                found="",
            )
        return path

    @field_validator("statuses")
    @classmethod
    def _check_statuses(cls, statuses: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        if not any(statuses.values()):
            raise refuse(
                Expected("the gateway's words by their meaning", "las palabras de la pasarela según su significado")
            )
        return statuses

    def find_meaning(self, status: str) -> str | None:
        """Return the meaning of one of the gateway's words, None for an unknown one."""
        return next((meaning for meaning, words in self.statuses.items() if status in words), None)


class Inbound(DocumentModel):
    """How a debtor's message is read."""

    sender: Path = Field(alias="from")
    text: Path
    to: Path = ()
    id: Path = ()
    at: Annotated[Path, Field(validate_default=True)] = ()

    @field_validator("at")
    @classmethod
    def _check_identity(cls, path: Place, info: ValidationInfo) -> Place:
        # Two messages «si» of one number are two; one message in two calls is one.
        if not path and info.data.get("id") == ():
            raise refuse(
                Expected(
                    "«id» or «at»: by which a message told twice is known",
                    "«id» o «at»: con qué se reconoce un mensaje que llega dos veces",
                ),
                found="",
            )
        return path


class Gateway(DocumentModel):
    """A gateway as its document describes it."""

    name: Text
    request: Request
    answer: Answer
    calls: Calls | None = None
    receipts: Receipts | None = None
    inbound: Inbound | None = None

    @field_validator("receipts", "inbound")
    @classmethod
    def _check_calls(cls, part: DocumentModel, info: ValidationInfo) -> DocumentModel:
        if info.data.get("calls", part) is None:
            raise refuse(
                Expected(
                    "a part «calls» that says how a call is checked",
                    "una parte «calls» que diga cómo se comprueba una llamada",
                ),
                found="",
            )
        return part


def _find_placeholders(template: Any) -> set[str]:
    """Return the placeholders that a template uses, at any depth."""
    return set(_PLACEHOLDER.findall(repr(template)))


def _refuse_unknown_placeholders(template: Any, at: Place = ()) -> Iterator[PydanticCustomError]:
    """Yield the refusal of each text of a template that has an unknown placeholder."""
    if isinstance(template, dict | list):
        for key, item in template.items() if isinstance(template, dict) else enumerate(template):
            yield from _refuse_unknown_placeholders(item, (*at, key))
    elif isinstance(template, str):
        known = ", ".join(sorted(PLACEHOLDERS))
        for name in sorted(_find_placeholders(template) - PLACEHOLDERS):
            expected = Expected(f"one of the placeholders {known}", f"uno de los marcadores {known}")
            yield refuse(expected, found=f"«{{{name}}}»", at=at)


def value_at(document: Any, path: Place) -> Any:
    """Return the value at a path of a JSON document, None where there is none."""
    for step in path:
        if isinstance(step, str) and isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(step, int) and isinstance(document, Sequence) and not isinstance(document, str):
            document = document[step] if step < len(document) else None
        else:
            return None
    return document


def text_at(document: Any, path: Place) -> str:
    """Return the text or number at a path, '' where there is none."""
    value = value_at(document, path) if path else None
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
