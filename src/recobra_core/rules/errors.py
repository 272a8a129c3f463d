"""Errors of rules, in words for the person who wrote them."""

from typing import Literal

Language = Literal["en", "es"]

# key: (English, Spanish). The parameters are those of RuleError: found, nearest, expected.
MESSAGES: dict[str, tuple[str, str]] = {
    "empty": (
        "The rule is empty. Write a condition, for example: balance > 1000",
        "La regla está vacía. Escriba una condición, por ejemplo: balance > 1000",
    ),
    "too_long": (
        "The rule is too long ({found}). The limit is {expected}: split it into several segments.",
        "La regla es demasiado larga ({found}). El límite es {expected}: divídala en varios segmentos.",
    ),
    "too_deep": (
        "The rule is nested too deeply. At most {expected} levels: split it into several segments.",
        "La regla tiene demasiados niveles. Como máximo {expected}: divídala en varios segmentos.",
    ),
    "syntax": (
        "“{found}” is not understood here. Check for a missing and, or, value or parenthesis.",
        "No se entiende «{found}» en este lugar. Revise si falta and, or, un valor o un paréntesis.",
    ),
    "not_allowed": (
        "“{found}” cannot be used in a rule. A rule is only a condition over the columns of the portfolio.",
        "«{found}» no se puede usar en una regla. Una regla es solo una condición sobre columnas de la cartera.",
    ),
    "comment": (
        "A rule cannot hold comments. Delete “{found}”.",
        "Una regla no admite comentarios. Borre «{found}».",
    ),
    "quotes": (
        "Write texts between single quotes: '{found}'.",
        "Escriba los textos entre comillas simples: '{found}'.",
    ),
    "unknown_column": (
        "There is no column “{found}”.",
        "No existe la columna «{found}».",
    ),
    "unknown_function": (
        "The function “{found}” cannot be used. The ones that can: {expected}.",
        "La función «{found}» no se puede usar. Las que se pueden usar: {expected}.",
    ),
    "wrong_arguments": (
        "The function “{found}” expects {expected}.",
        "La función «{found}» espera {expected}.",
    ),
    "wrong_type": (
        "{found}: the two sides cannot be compared or combined. Expected: {expected}.",
        "{found}: los dos lados no se pueden comparar ni combinar. Se espera: {expected}.",
    ),
    "not_condition": (
        "“{found}” is not a condition. Compare it with something, for example: {found} > 0",
        "«{found}» no es una condición. Compárelo con algo, por ejemplo: {found} > 0",
    ),
    "not_value": (
        "“{found}” is a condition, and a value is expected here.",
        "«{found}» es una condición, y aquí se espera un valor.",
    ),
    "literal_expected": (
        "“{found}” must be a fixed value, not a column or a calculation.",
        "«{found}» debe ser un valor fijo, no una columna ni un cálculo.",
    ),
    "unknown_value": (
        "“{found}” is not one of the possible values: {expected}.",
        "«{found}» no es uno de los valores posibles: {expected}.",
    ),
    "bad_date": (
        "“{found}” is not a date. Write it as year, month and day: '2026-12-31'.",
        "«{found}» no es una fecha. Escríbala como año, mes y día: '2026-12-31'.",
    ),
    "bad_number": (
        "“{found}” is not a number that fits here. Write it like 1234.56, with at most 4 decimals.",
        "«{found}» no es un número válido aquí. Escríbalo así: 1234.56, con 4 decimales como máximo.",
    ),
    "bad_pattern": (
        "The text to look for, “{found}”, must not hold a backslash.",
        "El texto buscado, «{found}», no puede tener una barra invertida.",
    ),
    "empty_range": (
        "The range {found} is empty. Write the smaller value first: {expected}.",
        "El rango {found} está vacío. Escriba primero el menor: {expected}.",
    ),
    "null_compare": (
        "Nothing is equal to null. Write: is null, or: is not null.",
        "Nada es igual a null. Escriba: is null, o bien: is not null.",
    ),
    "too_large": (
        "“{found}” can reach amounts too large to be exact. Use at most 2 decimals.",
        "«{found}» puede dar importes demasiado grandes para ser exactos. Use como máximo 2 decimales.",
    ),
    "unknown_null": (
        "“{found}” can be unknown. Say what it means: {found} is not null and …, {found} is null or …, {expected}.",
        "«{found}» puede no conocerse. Dígalo: {found} is not null and …, {found} is null or …, {expected}.",
    ),
    "too_many_nullable": (
        "{found} columns of the rule can be unknown. The limit is {expected}: split it into several segments.",
        "{found} columnas de la regla pueden no conocerse. El límite es {expected}: divídala en varios segmentos.",
    ),
    "bad_row": (
        "“{found}” does not fit the column {expected}.",
        "«{found}» no corresponde a la columna {expected}.",
    ),
}
_HINT_EN = " Did you mean “{nearest}”?"
_HINT_ES = " ¿Quiso decir «{nearest}»?"
_FOUND_LENGTH_MAX = 60


class RuleError(Exception):
    """A rule that cannot be used. `position` counts characters from 0 in the text as it was given."""

    def __init__(
        self, key: str, *, position: int = 0, found: str = "", nearest: str | None = None, expected: str = ""
    ) -> None:
        assert key in MESSAGES
        self.key = key
        self.position = position
        self.found = found if len(found) <= _FOUND_LENGTH_MAX else found[:_FOUND_LENGTH_MAX] + "…"
        self.nearest = nearest
        self.expected = expected
        super().__init__(self.text("en"))

    def text(self, lang: Language) -> str:
        """Return the whole message in one language, with the nearest right name where there is one."""
        en, es = MESSAGES[self.key]
        message = es if lang == "es" else en
        if self.nearest:
            message += _HINT_ES if lang == "es" else _HINT_EN
        return message.format(found=self.found, nearest=self.nearest, expected=self.expected)
