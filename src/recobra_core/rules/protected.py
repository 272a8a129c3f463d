"""Names of columns that stand for a protected attribute: they stay out of decisions (ADR 15)."""

import re

from recobra_core.folding import fold_words

_PROTECTED = re.compile(
    r"\b(sexos?|sex|generos?|gender|edad(es)?|age|nacimiento|f(ec|echa)? nac\w*|nacid[oa]|birth\w*|born"
    r"|(estado|situacion) civil|marital( status)?|razas?|race|etni[ac]\w*|ethnic\w*|indigenas?|religi\w+|credo"
    r"|(orientacion|orientation) sexual|sexual orientation|discapaci\w+|disabilit\w+|embaraz\w+|pregnan\w+"
    r"|nacionalidad|nationality|sindica\w+|union member\w*|afiliacion politica|partido politico|political \w+"
    r"|salud|health|enfermedad(es)?|diagnostico|diagnosis)\b"
)


def is_protected(*names: str) -> bool:
    """Return whether one of the names of a column says sex, age or another attribute on which nobody may decide."""
    return any(_PROTECTED.search(fold_words(name)) for name in names)
