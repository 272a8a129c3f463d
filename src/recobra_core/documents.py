"""Documents that people write, read by one way: models of pydantic, and all faults at once, in Spanish and English.

A document is declared as a `DocumentModel`; `read_document` returns it or raises DocumentError with every fault: its
place, what was found and what was expected. `document_schema` gives the JSON schema of the same declaration.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    GetCoreSchemaHandler,
    PlainSerializer,
    Strict,
    Tag,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

Place = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound="DocumentModel")
_ItemT = TypeVar("_ItemT")
CollectionT = TypeVar("CollectionT", bound=Collection[Any])

TEXT_MAX = 500
FOUND_MAX = 60
"""Characters of a faulty value that a fault shows."""
AMOUNT_BOUND = Decimal(10) ** 15
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
# Pydantic writes the chosen shape of a union into the path; no key of a document begins with this character.
_SHAPE: Final = "\0"


class Expected(NamedTuple):
    """What a place in the document should hold, in English and in Spanish."""

    en: str
    es: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a document: where it is, what stands there (empty: nothing), what should, the nearest right word.

    `line` is 0 where the text of the document is not known, `file` empty for what is no file.
    """

    path: str
    found: str
    expected: Expected
    nearest: str = ""
    line: int = 0
    file: str = ""

    def message(self, lang: str = "es") -> str:
        """Return the fault as a sentence."""
        if lang == "es":
            words = ["Línea", "documento", "se encontró", "nada", "se esperaba", self.expected.es, "¿Quiso decir"]
        else:
            words = ["Line", "document", "found", "nothing", "expected", self.expected.en, "Did you mean"]
        line, document, found, nothing, expected, wanted, hint = words
        place = ": ".join(part for part in (self.file, self.path) if part) or document
        if self.line:
            place = f"{line} {self.line}, {place}"
        sentence = f"{place}: {found} {self.found or nothing}; {expected} {wanted}"
        if not sentence.endswith("?"):
            sentence += "."
        return f"{sentence} {hint} «{self.nearest}»?" if self.nearest else sentence


class DocumentError(ValueError):
    """A document cannot be used. `faults` holds all of them, not only the first."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.messages("en")))

    def messages(self, lang: str = "es") -> list[str]:
        """Return every fault as a sentence to show."""
        return [fault.message(lang) for fault in self.faults]


class _Unknown(NamedTuple):
    """Stands for the value of an unknown key until its fault is told, with the keys that are known."""

    key: str
    known: tuple[str, ...]


class DocumentModel(BaseModel):
    """A mapping of a document: frozen, exact in its types, without unknown keys. Null is the same as left out."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        populate_by_name=True,
        # A command that reads no document of a kind does not pay for its schema.
        defer_build=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _prepare(cls, value: Any) -> Any:
        """Return the mapping with null for a missing key, so that the key's own type says what was expected of it."""
        if not isinstance(value, Mapping):
            return value
        needed = _keys_of(cls)
        prepared: dict[str, Any] = {key: None for key, is_needed in needed.items() if is_needed}
        for key, item in value.items():
            name = str(key)
            if name not in needed:
                prepared[name] = _Unknown(name, tuple(needed))
            elif item is not None:
                prepared[name] = item
        return prepared

    def to_document(self) -> dict[str, Any]:
        """Return the plain form, from which reading gives an equal value; what has its default is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


@cache
def _keys_of(model: type[DocumentModel]) -> dict[str, bool]:
    """Return the keys of a model as they are written, and of each whether it must be given."""
    return {field.alias or name: field.is_required() for name, field in model.model_fields.items()}


def read_document(
    model: type[ModelT],
    document: Any,
    *,
    file: str = "",
    context: object = None,
    lines: Mapping[Place, int] = MappingProxyType({}),
) -> ModelT:
    """Return a document as its model. Raises DocumentError with every fault.

    `context` is handed to the validators of the model; `lines` gives the line of each place of the text.
    """
    try:
        return model.model_validate(document, context=context)
    except ValidationError as error:
        details = error.errors(include_url=False)
    faults: list[Fault] = []
    for detail in details:
        faults += _to_faults(detail, lines)
    raise DocumentError(replace(fault, file=file) for fault in faults)


def document_schema(model: type[DocumentModel]) -> dict[str, Any]:
    """Return the JSON schema (2020-12) of a document, for editors that complete and check while one writes."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_SchemaGenerator)
    return {"$schema": _SchemaGenerator.schema_dialect, **schema}


class _SchemaGenerator(GenerateJsonSchema):
    """JSON schemas without the titles that pydantic makes of names, and without defaults that are not written so."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return false: an editor shows the field's own name."""
        del schema
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema of a field, with its default where that is a word, a number or a switch."""
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        return {**inner, "default": default} if isinstance(default, str | int | float) else inner


def refuse(
    expected: Expected, *, found: str | None = None, at: Sequence[str | int] = (), options: Iterable[str] = ()
) -> PydanticCustomError:
    """Return the error that a validator raises: what was expected, and below the value the place (`at`) of the fault.

    `found` is shown in place of the value; the option nearest to the value is suggested.
    """
    context: dict[str, Any] = {"expected": expected, "at": tuple(at), "options": tuple(options)}
    if found is not None:
        context["found"] = found
    return PydanticCustomError("refused", "{expected}", context)


def refuse_all(refusals: Sequence[PydanticCustomError]) -> PydanticCustomError:
    """Return several errors of `refuse` as the one that a validator raises."""
    return PydanticCustomError("refused_all", "{refusals}", {"refusals": tuple(refusals)})


def at_least_one(entries: CollectionT) -> CollectionT:
    """Refuse a list without entries; a validator, for the length that pydantic checks leaves faulty entries out."""
    if not entries:
        raise refuse(Expected("at least one entry", "al menos una entrada"))
    return entries


def one_of(options: Iterable[str]) -> Expected:
    """Return the expectation of one of the given words."""
    listed = ", ".join(options)
    return Expected(f"one of: {listed}", f"uno de: {listed}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Expects:
    """Annotation of a type: what was expected, whatever is wrong. `schema` takes the place of the type's own."""

    expected: Expected
    options: tuple[str, ...] = ()
    schema: CoreSchema | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the type with its error replaced."""
        context = {"expected": self.expected, "options": self.options}
        return core_schema.custom_error_schema(
            self.schema or handler(source),
            custom_error_type="refused",
            custom_error_message="{expected}",
            custom_error_context=context,
        )


def expects(en: str, es: str) -> Any:
    """Return the annotation of what was expected, whatever is wrong with a value of the type."""
    return _Expects(expected=Expected(en, es))


def whole(low: int, high: int, *, strict: bool = True) -> Any:
    """Return the annotation of a whole number between two limits, both included; not strict: also as a text."""
    expected = Expected(f"a whole number from {low} to {high}", f"un número entero de {low} a {high}")
    return _Expects(expected=expected, schema=core_schema.int_schema(strict=strict, ge=low, le=high))


def choice(*options: str) -> Any:
    """Return the annotation of one of some words."""
    return _Expects(expected=one_of(options), options=options, schema=core_schema.literal_schema(list(options)))


def shape(key: str) -> Tag:
    """Return the annotation of one shape of a union: the one in which `key` is written."""
    return Tag(_SHAPE + key)


def shapes(*keys: str) -> Discriminator:
    """Return the annotation of a union whose shapes are told apart by the first of these keys that is written."""

    def choose(value: Any) -> str | None:
        # A model that was read comes here again when it is written.
        written = _keys_of(type(value)) if isinstance(value, DocumentModel) else value
        is_mapping = isinstance(written, Mapping)
        return next((_SHAPE + key for key in keys if is_mapping and key in written), None)

    context = {"expected": one_of(keys)}
    return Discriminator(
        choose,
        custom_error_type="refused",
        custom_error_message="{expected}",
        custom_error_context=context,  # type: ignore[arg-type] # any value will do
    )


def mapping_or_list() -> Discriminator:
    """Return the annotation of a union of `shape("mapping")` and `shape("list")`."""
    return Discriminator(lambda value: _SHAPE + ("mapping" if isinstance(value, Mapping | BaseModel) else "list"))


def _strip(text: str) -> str:
    stripped = text.strip()
    if not 0 < len(stripped) <= TEXT_MAX:
        raise ValueError
    return stripped


def _check_key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise ValueError
    return text


def _to_yes_or_no(value: Any) -> Any:
    """Return the words for the booleans that YAML makes of them."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _to_written(value: Any) -> Any:
    """Return a number, switch or day as it is written."""
    return str(value) if isinstance(value, int | float | Decimal | date) else value


def to_decimal(value: Any) -> Decimal:
    """Return a number or its text without passing through binary fractions; infinity is none. Raises ValueError."""
    is_number = isinstance(value, int | float | str | Decimal) and not isinstance(value, bool)
    try:
        # Through text: a float read from YAML carries its binary fraction.
        number = Decimal(str(value) if is_number else "")
    except InvalidOperation:
        raise ValueError from None
    if not number.is_finite():
        raise ValueError
    return number


def _to_amount(value: Any) -> Decimal:
    """Return an amount in major units. Raises ValueError."""
    amount = to_decimal(value)
    if not 0 <= amount < AMOUNT_BOUND:
        raise ValueError
    return amount


def _write_amount(amount: Decimal) -> int | str:
    """Return an amount as JSON can hold it exactly: a whole number, or a text with its decimals."""
    return int(amount) if amount == amount.to_integral_value() else str(amount)


def _to_day(value: Any) -> date:
    """Return a day, a date in YAML and a text in JSON. Raises ValueError."""
    if isinstance(value, str):
        return date.fromisoformat(value)
    # An instant is a date too, for Python.
    if type(value) is not date:
        raise ValueError
    return value


A_MAPPING: Final = Expected("a group of fields", "un grupo de campos")
A_LIST: Final = Expected("a list", "una lista")
A_TEXT: Final = Expected(f"a text of 1 to {TEXT_MAX} characters", f"un texto de 1 a {TEXT_MAX} caracteres")
A_NUMBER: Final = Expected("a number", "un número")
TRUE_OR_FALSE: Final = Expected("true or false", "true (sí) o false (no)")

# What the errors of pydantic mean where no annotation says what was expected.
_EXPECTED_BY_TYPE: Final[Mapping[str, Expected]] = {
    "model_type": A_MAPPING,
    "dict_type": A_MAPPING,
    "tuple_type": A_LIST,
    "list_type": A_LIST,
    "frozen_set_type": A_LIST,
    "string_type": A_TEXT,
    "string_too_short": A_TEXT,
    "bool_type": TRUE_OR_FALSE,
    "bool_parsing": TRUE_OR_FALSE,
    "int_type": A_NUMBER,
    "float_type": A_NUMBER,
    "decimal_type": A_NUMBER,
    "date_type": Expected("a day such as 2026-12-24", "un día como 2026-12-24"),
}

Text = Annotated[
    str,
    AfterValidator(_strip),
    _Expects(expected=A_TEXT),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": TEXT_MAX}),
]
Key = Annotated[
    str,
    AfterValidator(_check_key),
    expects(
        "a key of lower-case letters, digits, - and _ (50 at most)",
        "una clave de minúsculas, dígitos, - y _ (50 como máximo)",
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_KEY.pattern}$"}),
]
Written = Annotated[str, BeforeValidator(_to_written), WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""A text that may also be written without quotes where YAML takes it for a number or a day."""
YesOrNo = Annotated[
    str,
    choice("yes", "no"),
    BeforeValidator(_to_yes_or_no),
    expects("yes or no", "yes (sí) o no"),
    # Yes and no without quotes are booleans in YAML.
    WithJsonSchema({"enum": ["yes", "no", True, False]}),
]
Amount = Annotated[
    Decimal,
    BeforeValidator(_to_amount),
    expects("an amount in units of the currency, 0 or more", "un importe en unidades de la moneda, 0 o más"),
    PlainSerializer(_write_amount, return_type=int | str),
    WithJsonSchema({"type": ["number", "string"]}),
]
Day = Annotated[date, BeforeValidator(_to_day), expects("a day such as 2026-12-24", "un día como 2026-12-24")]
Items: TypeAlias = Annotated[tuple[_ItemT, ...], Strict(False)]
"""A list of the document, as a tuple."""


def _to_faults(error: ErrorDetails, lines: Mapping[Place, int]) -> list[Fault]:
    """Return an error of pydantic as faults of the document: one, or those of `refuse_all`."""
    context = error.get("ctx", {})
    if error["type"] != "refused_all":
        return [_to_fault(error, context, lines)]
    return [_to_fault({**error, "type": "refused"}, refusal.context or {}, lines) for refusal in context["refusals"]]


def _to_fault(error: ErrorDetails, context: Mapping[str, Any], lines: Mapping[Place, int]) -> Fault:
    """Return an error of pydantic as a fault; `context` is what its validator said of it."""
    value = error["input"]
    steps = [step for step in error["loc"] if step != "[key]" and not str(step).startswith(_SHAPE)]
    steps += context.get("at", ())
    found = "" if value is None else f"«{_shorten(str(value))}»"
    options: Iterable[str] = context.get("options", ())
    if error["type"] == "extra_forbidden":
        found = f"«{_shorten(value.key)}»"
        value, options = value
        expected = one_of(options)
    elif error["type"] == "refused":
        expected = context["expected"]
        found = context.get("found", found)
    elif error["type"] == "literal_error":
        options = re.findall(r"'([^']*)'", context["expected"])
        expected = one_of(options)
    elif error["type"] == "too_long":
        most = context["max_length"]
        expected = Expected(f"{most} at most", f"{most} como máximo")
        found = str(context["actual_length"])
    else:
        expected = _EXPECTED_BY_TYPE.get(error["type"], _ANOTHER_VALUE)
    nearest = difflib.get_close_matches(str(value), list(options), n=1) if isinstance(value, str) else []
    return Fault(
        path=format_path(steps), found=found, expected=expected, nearest="".join(nearest), line=_find_line(steps, lines)
    )


_ANOTHER_VALUE: Final = Expected("another value", "otro valor")


def format_path(steps: Iterable[str | int]) -> str:
    """Return a path as people read it, such as `steps[1].when.days`; list items are counted from 0."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")


def _find_line(steps: Sequence[str | int], lines: Mapping[Place, int]) -> int:
    """Return the line of a place, or of the nearest place around it that is written; 0 without lines."""
    for length in range(len(steps), -1, -1):
        line = lines.get(tuple(steps[:length]))
        if line:
            return line
    return 0


def _shorten(text: str) -> str:
    return f"{text[:FOUND_MAX]}…" if len(text) > FOUND_MAX else text
