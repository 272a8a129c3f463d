"""No odd value of a parameter ends in an error of ours (see `tests/fuzz.py`)."""

from django.urls import reverse

from tests import extent, fuzz
from tests.console.addresses import ADDRESSES, numbers
from tests.console.test_scope import body

REQUESTS = extent.choose(daily=20, whole=1_000)
PARAMETERS = (
    *("q", "pagina", "antes", "desde", "hasta", "dia", "mes", "cartera", "estado", "canal", "segmento", "plantilla"),
    *("quien", "hecho", "tipo", "orden", "mapeo", "aqui", "a", "de", "columnas", "vista"),
)
VALUES = (
    *("", "\0", "9" * 5_000, "-1", "0001-01-01", "9999-12-31", "9999-12", "0", "1e400", "ñ" * 9_000, "\u202e"),
    *("%_%", "' OR 1=1 --", "<script>", "{{7*7}}", "../../etc/passwd", "\ufffd", "[]", "١٢٣", "²", "1_0"),
)


def test_no_odd_parameter_is_an_error_of_ours(at_desk, world):
    chance = fuzz.chance("parameters")
    pages = sorted(name for name, (method, _who, _form) in ADDRESSES.items() if method == "get")
    chance.shuffle(pages)
    for position in range(REQUESTS):
        name = pages[position % len(pages)]
        _method, may, _form = ADDRESSES[name]
        query = {chance.choice(PARAMETERS): chance.choice(VALUES) for _ in range(chance.choice((1, 1, 2, 4)))}
        client = at_desk(min(may))
        client.raise_request_exception = False
        answer = client.get(reverse(f"console:{name}", kwargs=numbers(name, world)), query)
        body(answer)  # a download that nobody reads to its end is never closed
        assert answer.status_code < 500, f"{name} {str(query)[:300]}, seed {fuzz.SEED}"
