"""What a message says: keywords that always win, days and amounts as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from recobra.consent import spoken_refusals as keywords
from recobra.conversations.bot.amounts import read_amount
from recobra.conversations.bot.days import read_day
from recobra.conversations.bot.interpretation import interpret_message

from .conftest import TODAY

SILENCING = [
    ("BAJA", "opt_out"),
    ("baja", "opt_out"),
    ("  Baja!!! ", "opt_out"),
    ("B A J A", "opt_out"),
    ("B.A.J.A.", "opt_out"),
    ("bajaaaa", "opt_out"),
    ("BAJA por favor", "opt_out"),
    ("*BAJA*", "opt_out"),
    ("STOP", "opt_out"),
    ("🛑", "opt_out"),
    ("Salir", "opt_out"),
    ("quiero la baja", "opt_out"),
    ("hola, baja gracias", "opt_out"),
    ("ＢＡＪＡ", "opt_out"),
    ("BÁJA", "opt_out"),
    ("no me escriban más", "opt_out"),
    ("ya no me llamen más!!", "opt_out"),
    ("Dejen de llamarme, pago el viernes", "opt_out"),
    ("unsubscribe", "opt_out"),
    ("no quiero más mensajes", "opt_out"),
    ("NO SOY", "wrong_person"),
    ("no soy", "wrong_person"),
    ("No soy yo.", "wrong_person"),
    ("NÚMERO EQUIVOCADO", "wrong_person"),
    ("Yo no soy esa persona", "wrong_person"),
    ("no conozco a ese señor", "wrong_person"),
    ("aquí no vive nadie con ese nombre", "wrong_person"),
]


@pytest.mark.parametrize(("text", "intent"), SILENCING)
def test_a_keyword_always_wins(text, intent):
    understood = interpret_message(text=text, today=TODAY, country="PE")
    assert (understood.intent, understood.by, understood.confidence) == (intent, "keyword", 1.0)


def test_no_keyword_is_missed_in_any_dress():
    for intent in ("opt_out", "wrong_person"):
        for word in keywords.keywords_of(intent=intent, today=TODAY):
            for dressed in (
                word.upper(),
                f"¡{word}!",
                f" {word}...",
                f"{word} por favor",
                f"Hola, {word}",
                f"{word} 🙏",
            ):
                assert keywords.match_refusal(text=dressed, today=TODAY) == intent, dressed


def test_a_keyword_counts_from_its_day_on():
    assert keywords.match_refusal(text="revoke", today=date(2025, 4, 10)) is None
    assert keywords.match_refusal(text="revoke", today=date(2025, 4, 11)) == "opt_out"


@pytest.mark.parametrize(
    "text",
    [
        "¿me doy de baja del seguro?",
        "no quiero que me den de baja",
        "no soy de pedir plazos pero el lunes pago",
        "cancelar",
        "el monto está equivocado",
        "llámenme más tarde",
    ],
)
def test_what_is_doubtful_silences_nobody(text):
    assert interpret_message(text=text, today=TODAY, country="PE").intent not in {"opt_out", "wrong_person"}


@pytest.mark.parametrize("text", ["no quiero vivir más", "me quiero morir", "estoy pensando en quitarme la vida"])
def test_a_life_in_danger_goes_to_a_person(text):
    assert interpret_message(text=text, today=TODAY, country="PE").intent == "hardship"


@pytest.mark.parametrize("text", ["", "   ", "...", "😶", "?", "\u200b"])
def test_nothing_said_is_nothing_understood(text):
    assert interpret_message(text=text, today=TODAY, country="PE").intent == "not_understood"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("kiero pagar", "pay_link"),
        ("ya page", "already_paid"),
        ("kuanto devo", "balance"),
        ("decime cuánto debo", "balance"),
        ("ya yapeé", "already_paid"),
        ("quiero un asesor", "talk_to_person"),
        ("me quedé sin chamba", "hardship"),
        ("los voy a denunciar", "complaint"),
        ("hoy no puedo, el jueves sí pago", "promise"),
    ],
)
def test_how_people_write_is_understood(text, intent):
    assert interpret_message(text=text, today=TODAY, country="PE").intent == intent


# Monday 23 November 2026.
DAYS = [
    ("el viernes", "PE", "2026-11-27"),
    ("este biernes", "PE", "2026-11-27"),
    ("mañana", "PE", "2026-11-24"),
    ("manana por la mañana", "PE", "2026-11-24"),
    ("pasado mañana", "CO", "2026-11-25"),
    ("hoy mismo", "MX", "2026-11-23"),
    ("fin de mes", "AR", "2026-11-30"),
    ("la quincena", "MX", "2026-11-30"),
    ("kinsena", "MX", "2026-11-30"),
    ("el 15", "PE", "2026-12-15"),
    ("el día quince", "PE", "2026-12-15"),
    ("15/12", "PE", "2026-12-15"),
    ("el 5/12", "CL", "2026-12-05"),
    ("15-12-2026", "CO", "2026-12-15"),
    ("el 5 de enero", "PE", "2027-01-05"),
    ("primero de diciembre", "CO", "2026-12-01"),
    ("en tres días", "CO", "2026-11-26"),
    ("el otro viernes", "AR", "2026-12-04"),
    ("el lunes que viene", "AR", "2026-11-30"),
    ("el viernes de la próxima semana", "PE", "2026-12-04"),
    ("hoy no puedo el martes sí", "PE", "2026-11-24"),
    ("el viernes sin falta", "PE", "2026-11-27"),
    ("el viernes 27", "PE", "2026-11-27"),
    ("12/25", "US", "2026-12-25"),
]


@pytest.mark.parametrize(("text", "country", "day"), DAYS)
def test_a_day_is_read(text, country, day):
    assert read_day(text=text, today=TODAY, country=country).day == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("el lunes", "PE"),
        ("el 23", "PE"),
        ("5/12", "US"),
        ("la próxima semana", "CO"),
        ("el lunes o el martes", "PE"),
        ("el viernes pasado", "PE"),
        ("el 15 de noviembre", "PE"),
        ("el 20 de marzo", "PE"),
        ("el fin de semana", "CL"),
        ("31/02", "PE"),
        ("15/12/2025", "PE"),
    ],
)
def test_a_day_that_could_be_another_is_asked(text, country):
    named = read_day(text=text, today=TODAY, country=country)
    assert (named.day, named.unclear) == (None, True)


AMOUNTS = [
    ("500 soles", "PE", 50_000, "PEN"),
    ("S/ 500", "PE", 50_000, "PEN"),
    ("s/.1,500.50", "PE", 150_050, "PEN"),
    ("$ 20.000", "CO", 2_000_000, "COP"),
    ("$20,000", "MX", 2_000_000, "MXN"),
    ("$ 20.000", "CL", 20_000, "CLP"),
    ("mil quinientos", "PE", 150_000, "PEN"),
    ("20 mil", "CO", 2_000_000, "COP"),
    ("50 lucas", "CL", 50_000, "CLP"),
    ("200 dólares", "PE", 20_000, "USD"),
    ("quinientos mil", "CO", 50_000_000, "COP"),
    ("1.500,00", "AR", 150_000, "ARS"),
    ("pago 500 el 15", "PE", 50_000, "PEN"),
    ("pago 100 el 15/12", "PE", 10_000, "PEN"),
    ("doscientos cincuenta soles", "PE", 25_000, "PEN"),
    ("300.000", "PY", 300_000, "PYG"),
]


@pytest.mark.parametrize(("text", "country", "amount_minor", "currency"), AMOUNTS)
def test_an_amount_is_read(text, country, amount_minor, currency):
    named = read_amount(text=text, country=country)
    assert (named.amount_minor, named.currency) == (amount_minor, currency)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("$20.000", "MX"),
        ("$ 500", "PE"),
        ("50 lucas", "PE"),
        ("20.50", "CO"),
        ("20,50", "CL"),
        ("la mitad", "PE"),
        ("entre 200 y 300", "PE"),
    ],
)
def test_an_amount_that_could_be_another_is_asked(text, country):
    named = read_amount(text=text, country=country)
    assert (named.amount_minor, named.unclear) == (None, True)


@pytest.mark.parametrize(
    "text", ["987654321", "mi dni es 45678912", "12 cuotas", "hace 12 años", "en 3 días", "a las 10", "el 15", "1"]
)
def test_what_is_no_amount_is_none(text):
    named = read_amount(text=text, country="PE")
    assert (named.amount_minor, named.unclear) == (None, False)


@pytest.mark.parametrize("text", ["a" * 20_000, "á" * 4_096, "a " * 10_000, "jjjjjjjjjjjj"], ids=len)
def test_a_key_that_was_held_down_says_nothing(text):
    assert interpret_message(text=text, today=TODAY, country="PE").intent == "not_understood"


def test_a_message_without_end_is_read_as_far_as_a_person_writes():
    endless = "1." * 500_000
    assert interpret_message(text=endless, today=TODAY, country="PE") == interpret_message(
        text=endless[:1000], today=TODAY, country="PE"
    )
