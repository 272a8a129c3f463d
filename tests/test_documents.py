"""Each kind of document tells all that is wrong with it at once: where, what was found and what was expected."""

import json
from collections.abc import Callable
from copy import deepcopy
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from recobra.insight.queries import schemas
from recobra.intake.mapping import MappingFile
from recobra.messaging.channels.http_sms.document import read_gateway
from recobra.messaging.templates.pack import Pack
from recobra.payments.file_mapping import parse_mapping
from recobra_core.decide import Strategy, ready
from recobra_core.documents import DocumentError, read_document
from recobra_core.law import read_company_rules
from recobra_core.law.files import read_country_document
from recobra_core.yaml_source import parse_yaml

GATEWAY = Path(__file__).parents[1] / "docs" / "sms_gateways" / "json_bearer.yaml"
MISSING = object()


class Kind(NamedTuple):
    """A kind of document: a right one, how it is read, and faults that are planted into it.

    A fault is the place in the document with the value that is put there, and the place, the found and a part of the
    Spanish expectation of the fault that must be told.
    """

    document: dict[str, Any]
    read: Callable[[Any], object]
    faults: list[tuple[tuple[str | int, ...], object, str, str, str]]


PERU = resources.files("recobra_core.law") / "data" / "PE.yaml"
LETTERS = resources.files("recobra.messaging") / "library" / "es" / "cartas.yaml"
KINDS = {
    "templates": Kind(
        yaml.safe_load(LETTERS.read_text(encoding="utf-8")),
        lambda document: read_document(Pack, document),
        [
            (("templates", 0, "subject"), MISSING, "templates[0].subject", "", "un texto"),
            (("templates", 1, "tono"), "firme", "templates[1].tono", "«tono»", "¿Quiso decir «tone»?"),
            (("templates", 2, "legal"), "no", "templates[2].legal", "«no»", "true (sí) o false (no)"),
            (("channels",), ["fax"], "channels[0]", "«fax»", "uno de: "),
        ],
    ),
    "law": Kind(
        yaml.safe_load(PERU.read_text(encoding="utf-8")),
        lambda document: read_country_document(document, file="PE.yaml"),
        [
            (("authority",), MISSING, "authority", "", "un texto"),
            (("rules", 0, "holyday"), "open", "rules[0].holyday", "«holyday»", "¿Quiso decir «holidays»?"),
            (
                ("rules", 1, "windows"),
                {"mon": "7-20"},
                "rules[1].windows.mon",
                "«7-20»",
                "un horario como '07:00-20:00'",
            ),
            (("rules", 2, "caps"), ["x/cap-9"], "rules[2].caps[0]", "«x/cap-9»", "uno de: "),
            (("third_parties", 0, "roles"), ["vecino"], "third_parties[0].roles[0]", "«vecino»", "uno de: debtor"),
            (("replies", 0, "within_hours"), "24", "replies[0].within_hours", "«24»", "un número"),
        ],
    ),
    "company-rules": Kind(
        {
            "name": "suave",
            "visits": "open",
            "rules": [
                {"channels": ["call"], "windows": {"mon-fri": "09:00-18:00"}, "caps": [{"n": 2, "per": "day"}]},
                {"closed_days": ["2026-12-24"], "caps": [{"clear_days": 3}]},
            ],
        },
        read_company_rules,
        [
            (("name",), MISSING, "name", "", "un texto de 1 a 500"),
            (("visit",), "open", "visit", "«visit»", "¿Quiso decir «visits»?"),
            (("rules", 0, "windows", "fri-sun"), "9-18", "rules[0].windows.fri-sun", "«9-18»", "un horario como"),
            (("rules", 0, "caps", 0, "n"), 32, "rules[0].caps[0].n", "«32»", "un número entero de 1 a 31"),
            (("rules", 1, "closed_days"), "24/12", "rules[1].closed_days", "«24/12»", "una lista"),
        ],
    ),
    "strategy": Kind(
        ready.load_strategy("consumo").to_document(),
        Strategy.parse,
        [
            (("name",), MISSING, "name", "", "un texto de 1 a 500"),
            (("stepss",), [], "stepss", "«stepss»", "¿Quiso decir «steps»?"),
            (("steps", 0, "when", "dpd"), "5", "steps[0].when.dpd", "«5»", "un número entero de -366 a 3660"),
            (("steps", 3, "repeat", "max"), 1, "steps[3].repeat.max", "«1»", "un número entero de 2 a 100"),
            (
                ("steps", 5, "segments"),
                ["monto-alta"],
                "steps[5].segments[0]",
                "«monto-alta»",
                "¿Quiso decir «monto-alto»?",
            ),
        ],
    ),
    "mapping": Kind(
        {
            "name": "consumo",
            "account": {"external_id": "prestamo", "product": {"value": "LOAN"}},
            "balance": "saldo",
            "attributes": {"agencia": {"column": "agencia", "type": "text"}},
            "parties": [{"part": "GUARANTOR", "name": "aval"}],
            "options": {"decimal": "comma", "shrink_limit": 0.3},
            "portfolio": {
                "name": "Consumo Perú",
                "industry": "CONSUMER",
                "country": "PE",
                "currency": "PEN",
                "time_zone": "America/Lima",
                "creditor": {"code": 7, "name": "Banco Sur"},
            },
        },
        lambda document: read_document(MappingFile, document),
        [
            (("account", "external_id"), MISSING, "account.external_id", "", "el nombre de una columna"),
            (("account", "produkt"), "x", "account.produkt", "«produkt»", "¿Quiso decir «product»?"),
            (("attributes", "agencia", "type"), "color", "attributes.agencia.type", "«color»", "uno de: text, number"),
            (("options", "shrink_limit"), 3, "options.shrink_limit", "«3»", "una proporción entre 0 y 1"),
            (("parties", 0, "name"), MISSING, "parties[0].national_id", "", "una columna aquí o en name"),
            (("portfolio", "currency"), "PENN", "portfolio.currency", "«PENN»", "¿Quiso decir «PEN»?"),
            (("portfolio", "creditor"), "Sur", "portfolio.creditor", "«Sur»", "un grupo de campos"),
        ],
    ),
    "payment-mapping": Kind(
        {"name": "banco", "account": "prestamo", "amount": "importe", "date": "fecha", "reference": "operacion"},
        parse_mapping,
        [
            (("amount",), MISSING, "amount", "", "el nombre de una columna"),
            (("refernce",), "operacion", "refernce", "«refernce»", "¿Quiso decir «reference»?"),
        ],
    ),
    "gateway": Kind(
        yaml.safe_load(GATEWAY.read_text(encoding="utf-8")),
        lambda document: read_gateway(yaml.safe_dump(document, allow_unicode=True, sort_keys=False)),
        [
            (("name",), MISSING, "name", "", "un texto de 1 a 500"),
            (("request", "metod"), "POST", "request.metod", "«metod»", "¿Quiso decir «method»?"),
            (("request", "headers"), "x", "request.headers", "«x»", "un grupo de campos"),
            (("answer", "accepted"), [99], "answer.accepted[0]", "«99»", "un número entero de 100 a 599"),
            (("calls", "time_zone"), "America/Lma", "calls.time_zone", "«America/Lma»", "¿Quiso decir «America/Lima»?"),
        ],
    ),
}
PLANTED = [(name, number) for name, kind in KINDS.items() for number in range(len(kind.faults))]


@pytest.fixture(autouse=True)
def _at_work(settings):
    """No demonstration, in which a gateway elsewhere is refused."""
    settings.DEMO = False


def plant(document, *faults):
    """Return a copy of a document with faults in it."""
    wrong = deepcopy(document)
    for (*way, key), value, *_told in faults:
        place = wrong
        for step in way:
            place = place[step]
        if value is MISSING:
            del place[key]
        else:
            place[key] = value
    return wrong


def told(kind, document):
    """Return the faults that reading a document tells, by their place."""
    with pytest.raises(DocumentError) as refused:
        kind.read(document)
    return {fault.path: fault for fault in refused.value.faults}


def test_the_table_speaks_of_every_kind_of_document():
    assert KINDS.keys() == schemas.DOCUMENTS.keys()


@pytest.mark.parametrize("name", KINDS)
def test_a_right_document_is_read(name):
    assert KINDS[name].read(KINDS[name].document)


@pytest.mark.parametrize(("name", "number"), PLANTED)
def test_a_planted_fault_is_told_with_its_place(name, number):
    kind = KINDS[name]
    *_planted, place, found, expected = kind.faults[number]
    faults = told(kind, plant(kind.document, kind.faults[number]))
    assert list(faults) == [place]
    assert faults[place].found == found
    assert expected in faults[place].message("es")


@pytest.mark.parametrize("name", KINDS)
def test_all_faults_are_told_at_once(name):
    kind = KINDS[name]
    assert told(kind, plant(kind.document, *kind.faults)).keys() == {place for _at, _value, place, *_ in kind.faults}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("document", [None, [], "texto", 3])
def test_what_is_no_document_is_refused(name, document):
    (fault,) = told(KINDS[name], document).values()
    assert "un grupo de campos" in fault.message("es")


@pytest.mark.parametrize("name", KINDS)
def test_the_schema_names_what_may_be_written(name):
    schema = json.loads(json.dumps(schemas.get_schema(name)))
    assert schema["additionalProperties"] is False
    assert KINDS[name].document.keys() <= schema["properties"].keys()
    assert set(schema.get("required", ())) <= KINDS[name].document.keys()


@pytest.mark.parametrize("text", ['name: "a\\0b"', '"a\\0": b'])
def test_what_no_database_takes_is_a_fault_of_the_text(text):
    (fault,) = parse_yaml(text).faults
    assert (fault.line, "\0" in fault.found) == (1, False)
