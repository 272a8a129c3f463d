"""BAJA however it is written is heard; what only sounds like it is left to be understood."""

from __future__ import annotations

from datetime import date

import pytest

from recobra.consent.keywords import recognise_act, recognise_button
from recobra.portfolio.address_forms import list_forms, normalise_address

TODAY = date(2026, 11, 23)

STOP = (
    "BAJA",
    "baja",
    " Baja. ",
    "B A J A",
    "b.a.j.a",
    "¡¡BAJA!!",
    "baja por favor",
    "bajaaaa",
    "STOP",
    "STOP!!",
    "stop stop",
    "SALIR",
    "sálir",
    "ALTO",
    "Pare",
    "no molestar",
    "No molesten",
    "UNSUBSCRIBE",
    "unsubscribe.",
    "Stopall",
    "dar de baja",
    "denme de baja",
    "No me escriban más",
    "no me llamen mas por favor",
    "dejen de llamarme",
    "Borren mi número",
    "ba\u200bja",
    "B\u2060AJA",
    "ВАЈА",
    "ＢＡＪＡ",
    "𝐁𝐀𝐉𝐀",
    "🛑",
    "Sair",
    "no me llamen",
    "Hola, BAJA. Gracias",
    "BAJA\n\n> Para no recibir más mensajes responda BAJA",
    "Stop\nEl lun, 23 nov 2026, Banco Sur escribió:\nAlta",
    "baja, disculpe",
    "Disculpe, BAJA",
)
NOT_ME = (
    "NO SOY",
    "no soy",
    "Nosoy",
    "N O S O Y",
    "no soy yo",
    "No soy esa persona.",
    "número equivocado",
    "NUMERO ERRADO",
    "no soy Rosa",
    "No soy Rosa Quispe",
    "No soy la señora Quispe",
    "no conozco a esa persona",
    "no conozco a Rosa",
    "este no es el número de Rosa",
    "este numero ya no es de ella",
    "Não sou eu",
    "wrong number",
    "no soy la titular",
    "Disculpe, no soy esa persona. Gracias",
    "hola, número equivocado",
    "Buenas tardes señorita, no soy Rosa",
)
RESUME = ("ALTA", "alta.", "START", "Unstop", "darme de alta")
NOTHING = (
    "NO SOY de pagar tarde",
    "no soy rico",
    "no soy Pedro",
    "no soy yo la que decide, es mi jefe",
    "CANCELAR",
    "quiero cancelar mi deuda",
    "la cuota es muy alta",
    "¿me bajan la cuota?",
    "baja la cuota",
    "quiero dar de baja la tarjeta",
    "no quiero que me den de baja",
    "¿de qué banco son?",
    "",
    "ok",
    "hola",
    "no",
    "pago el viernes",
    "soy Rosa",
    "> BAJA",
    "Sí, gracias\n> responda BAJA para no recibir más",
    "hoy no puedo, mañana sí",
    "no dejen de llamarme",
    "no soy la persona más puntual",
    "no es para mí",
    "aquí no hay nadie que pague tanto",
    "gracias",
    "¿está equivocado el monto?",
)


@pytest.mark.parametrize(
    ("said", "act"),
    [
        (said, act)
        for listed, act in ((STOP, "OPTED_OUT"), (NOT_ME, "NOT_ME"), (RESUME, "RESUMED"), (NOTHING, None))
        for said in listed
    ],
)
def test_what_a_message_asks_for(said, act):
    assert recognise_act(said, day=TODAY, names=("Rosa Quispe Mamani",)) == act


def test_a_name_that_nobody_looks_for_says_nothing():
    assert recognise_act("no soy Rosa", day=TODAY) is None


def test_a_word_counts_from_its_day_on():
    assert recognise_act("stopall", day=date(2025, 4, 11)) == "OPTED_OUT"
    assert recognise_act("stopall", day=date(2019, 4, 10)) is None


@pytest.mark.parametrize(
    ("code", "act"), [("BAJA", "OPTED_OUT"), ("no-soy", "NOT_ME"), ("alta", "RESUMED"), ("pay", None)]
)
def test_a_button_asks_by_its_code(code, act):
    assert recognise_button(code) == act


@pytest.mark.parametrize(
    ("kept", "others"),
    [
        ("+525512345678", {"+5215512345678"}),
        ("+5215512345678", {"+525512345678"}),
        ("+541134567890", {"+5491134567890"}),
        ("+5491134567890", {"+541134567890"}),
        ("+551187654321", {"+5511987654321"}),
        ("+5511987654321", {"+551187654321"}),
        ("+551134567890", set()),
        ("+51999888777", set()),
    ],
)
def test_one_line_may_be_written_in_two_ways(kept, others):
    assert set(list_forms(kept, kind="PHONE")) == {kept, *others}


@pytest.mark.parametrize(
    ("written", "kind", "kept"),
    [
        ("51999888777", "PHONE", "+51999888777"),
        ("whatsapp:+51999888777", "PHONE", "+51999888777"),
        ("Rosa <Rosa@Correo.example>", "EMAIL", "rosa@correo.example"),
        ("anonymous", "PHONE", ""),
    ],
)
def test_an_address_is_kept_in_one_way(written, kind, kept):
    assert normalise_address(written, kind=kind) == kept
