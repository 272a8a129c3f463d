"""The words: nothing that a stranger may read names a debt, and what providers accept is kept to."""

from __future__ import annotations

import re

from recobra.conversations.bot.dialogue import MENU, MENU_UNKNOWN, next_turn
from recobra.conversations.bot.interpretation import interpret_message
from recobra.conversations.bot.replies import load_answers, render_reply
from recobra.conversations.bot.turns import State

from .conftest import TODAY

OF_DEBT = re.compile(r"deud|sald|pag|cuota|mora\b|venc|cobr|importe|deb[eo]|monto|acuerdos? de", re.IGNORECASE)


def _turn(text, facts, state):
    return next_turn(
        state=state,
        understood=interpret_message(text=text, today=TODAY, country=facts.country),
        facts=facts,
        today=TODAY,
    )


def test_an_answer_to_a_stranger_names_no_debt():
    neutral = {name: answer["text"] for name, answer in load_answers().items() if not answer.get("discloses")}
    assert len(neutral) > 12
    assert {name: text for name, text in neutral.items() if OF_DEBT.search(text)} == {}


def test_the_strangers_menu_names_no_debt(facts):
    turn = _turn("xyzxyz", facts(), State())
    assert turn.choices == MENU_UNKNOWN
    words = render_reply(turn, facts=facts(sender="Gama"), channel="sms")
    assert [choice.title for choice in words.choices if OF_DEBT.search(choice.title)] == []


def test_what_asks_for_payment_also_discloses():
    assert [name for name, answer in load_answers().items() if answer.get("asks") and not answer.get("discloses")] == []


def test_titles_fit_what_whatsapp_takes(facts):
    """Meta's Cloud API: 24 characters in a list row, 20 on a button, ten rows, three buttons."""
    turn = _turn("quiero cuotas", facts(), State(verified=True))
    assert all(len(c.title) <= 24 for c in render_reply(turn, facts=facts(), channel="whatsapp").choices)
    assert len(MENU) <= 10
    menu = render_reply(_turn("xyzxyz", facts(), State(verified=True)), facts=facts(), channel="whatsapp")
    assert menu.shown_as == "list"
    assert all(len(choice.title) <= 24 for choice in menu.choices)
    confirm = render_reply(_turn("pago el viernes", facts(), State(verified=True)), facts=facts(), channel="whatsapp")
    assert (confirm.shown_as, [choice.title for choice in confirm.choices]) == ("buttons", ["Sí", "No"])


def test_an_sms_numbers_its_choices(facts):
    words = render_reply(_turn("xyzxyz", facts(), State()), facts=facts(), channel="sms")
    assert words.text.splitlines() == [
        "Le atiende el asistente automático de Cobranzas Gama, por encargo de Banco Sur.",
        "No entendimos su mensaje. ¿Puede decirlo con otras palabras, o elegir una opción?",
        "1. Identificarme",
        "2. Hablar con persona",
        "3. No soy esa persona",
        "4. BAJA (no escribir)",
    ]


def test_money_and_days_are_written_as_in_the_country(facts):
    known = State(verified=True, introduced=True)
    words = render_reply(_turn("pago el viernes", facts(), known), facts=facts(), channel="whatsapp")
    assert (
        words.text.replace("\xa0", " ")
        == "Anotamos: S/ 1,234.50 el viernes, 27 de noviembre de 2026. ¿Lo confirma? Responda SÍ o NO."
    )
    chile = facts(country="CL", currency="CLP")
    assert "$123.450" in render_reply(_turn("cuánto debo", chile, known), facts=chile, channel="sms").text


def test_braces_in_a_name_are_only_a_name(facts):
    odd = facts(creditor="Banco {link}", sender="{amount}")
    known = State(verified=True)
    words = render_reply(_turn("cuánto debo", odd, known), facts=odd, channel="sms", link="https://pay.example")
    assert "{amount}, por encargo de Banco {link}" in words.text


def test_silence_has_no_words(facts):
    assert render_reply(_turn("BAJA", facts(), State()), facts=facts(), channel="sms") is None
