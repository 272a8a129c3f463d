"""An automatic call: what it says, to whom, and what the keys do."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl, urlsplit
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as some

from recobra.messaging.channels.twilio_voice.dialogue import CallAction, CallFacts, Position, next_turn, read_position
from recobra.messaging.channels.twilio_voice.links import contact_of_call, voice_url

from .conftest import PUBLIC_ID

DEBT = "Su cuota de ciento veinte soles venció el viernes."
URL = "https://cobros.example/api/voice/tw/token/"


def facts(**changes):
    fields = {
        "url": URL,
        "country": "PE",
        "agency": "Cobros Andinos",
        "creditor": "Banco Sur",
        "name": "José",
        "text": DEBT,
        "today": date(2026, 11, 23),
        "caller": "+5115550100",
        "identity": "DNI 4567-8123",
        "person_number": "+5115550199",
    }
    return CallFacts(**{**fields, **changes})


class Call:
    """A debtor on the line: presses keys, or keeps silent, and hears what is said."""

    def __init__(self, **changes):
        self.facts, self.acts, self.heard, self.over, self.promised = facts(**changes), [], [], False, None
        self._take(next_turn(Position(), self.facts))

    def _take(self, answer):
        self.acts += answer.actions
        self.promised = answer.promise_date or self.promised
        self.root = fromstring(answer.twiml.encode())
        self.said = " ".join(said.text for said in self.root.iter("Say"))
        self.heard.append(self.said)
        self.over = self.root.find("Gather") is None

    def press(self, *keys):
        for key in keys:
            self._go(self.root.find("Gather").get("action"), {"Digits": key})
        return self

    def wait(self):
        self._go(self.root.find("Redirect").text, {})
        return self

    def _go(self, url, form):
        assert url.startswith(URL)
        self._take(next_turn(read_position(dict(parse_qsl(urlsplit(url).query)), form), self.facts))


def test_it_says_at_once_that_it_is_automatic_and_for_whom():
    call = Call()
    assert "llamada automática de Cobros Andinos" in call.said
    assert "por encargo de Banco Sur" in call.said
    assert "José" in call.said
    assert DEBT not in call.said


def test_the_debt_is_named_only_after_identity():
    call = Call().press("1")
    assert DEBT not in " ".join(call.heard)
    call.press("8123")
    assert DEBT in call.said
    assert call.acts == [CallAction.IDENTIFIED]


@pytest.mark.parametrize(
    ("keys", "acts", "says"),
    [
        (["1", "8123", "1"], [CallAction.IDENTIFIED, CallAction.SEND_PAY_LINK], "mensaje de texto"),
        (["1", "8123", "2", "5", "1"], [CallAction.IDENTIFIED, CallAction.PROMISE], "28 de noviembre"),
        (["1", "8123", "2", "5", "2", "3", "1"], [CallAction.IDENTIFIED, CallAction.PROMISE], "26 de noviembre"),
        (["1", "8123", "2", "99", "7", "1"], [CallAction.IDENTIFIED, CallAction.PROMISE], "30 de noviembre"),
        (["1", "8123", "2", "0", "99", "*"], [CallAction.IDENTIFIED, CallAction.TALK], "Una persona"),
        (["1", "8123", "3"], [CallAction.IDENTIFIED, CallAction.TALK], "comunicamos con una persona"),
        (["1", "8123", "9", "2"], [CallAction.IDENTIFIED, CallAction.OPT_OUT], "No recibirá más"),
        (["9", "1"], [CallAction.NOT_ME], "No volveremos a usar este número"),
        (["9", "2"], [CallAction.OPT_OUT], "No recibirá más"),
        (["9", "7"], [CallAction.OPT_OUT], "No recibirá más"),
        (["1", "0000", "1111", "2222"], [CallAction.UNIDENTIFIED], "Una persona"),
        (["1", "0000", "8123", "1"], [CallAction.IDENTIFIED, CallAction.SEND_PAY_LINK], "mensaje de texto"),
        (["5", "4", "1", "8123"], [CallAction.IDENTIFIED], DEBT),
    ],
)
def test_what_the_keys_do(keys, acts, says):
    call = Call().press(*keys)
    assert call.acts == acts
    assert says in call.said


def test_a_promise_carries_its_day():
    assert Call().press("1", "8123", "2", "5", "1").promised == date(2026, 11, 28)


def test_who_asks_for_a_person_sees_our_own_number_or_is_called_back():
    dial = Call().press("1", "8123", "3").root.find("Dial")
    assert (dial.get("callerId"), dial.find("Number").text) == ("+5115550100", "+5115550199")
    after_hours = Call(person_number="").press("1", "8123", "3")
    assert after_hours.root.find("Dial") is None
    assert after_hours.acts[-1] is CallAction.TALK


def test_without_a_document_to_compare_nothing_is_told():
    call = Call(identity="").press("1")
    assert DEBT not in call.said
    assert "solo puede darlo una persona" in call.said
    assert call.press("3").acts == [CallAction.TALK]
    assert Call(identity="12").press("1", "9", "2").acts == [CallAction.OPT_OUT]


@pytest.mark.parametrize("by", ["machine_start", "machine_end_beep", "machine_end_silence", "fax"])
def test_a_machine_hears_nothing_at_all(by):
    answer = next_turn(Position(), facts(answered_by=by))
    assert [part.tag for part in fromstring(answer.twiml.encode())] == ["Hangup"]


def test_silence_is_asked_again_and_then_left_alone():
    call = Call().wait().wait()
    assert not call.over
    assert call.wait().over
    assert (call.said, call.acts) == ("No recibimos una respuesta. Hasta luego.", [])


def test_who_wanted_silence_and_hangs_up_gets_it():
    assert Call().press("9").wait().acts == [CallAction.OPT_OUT]


@pytest.mark.parametrize(
    ("country", "language", "voice"),
    [
        ("PE", "es-US", "Polly.Lupe"),
        ("MX", "es-MX", "Polly.Mia"),
        ("ES", "es-ES", "Polly.Lucia"),
        ("BR", "pt-BR", "Polly.Camila"),
    ],
)
def test_the_voice_is_the_countrys(country, language, voice):
    said = Call(country=country).root.find("Gather/Say")
    assert (said.get("language"), said.get("voice")) == (language, voice)


def said_at(step, **known):
    return next_turn(Position(step=step), facts(**known)).twiml.encode()


def test_a_name_cannot_smuggle_in_a_verb():
    root = fromstring(said_at("greeting", name="</Say><Dial>+1900</Dial>"))
    assert root.find(".//Dial") is None


@pytest.mark.parametrize("country", ["PE", "BR"])
def test_every_step_can_be_said_in_every_language(country):
    for step in ("greeting", "identity", "stranger", "menu", "promise", "confirm", "stop"):
        assert fromstring(said_at(step, country=country)).find("Gather") is not None
    for keys in (["1", "8123", "2", "5", "1"], ["9", "1"], ["1", "1", "1", "1"], ["1", "8123", "1"]):
        assert "{" not in " ".join(Call(country=country).press(*keys).heard)


@given(keys=some.lists(some.one_of(some.none(), some.text("0123456789*#", min_size=1, max_size=5)), max_size=15))
def test_whatever_is_pressed_the_debt_is_told_only_to_who_showed_who_it_is(keys):
    call = Call()
    for key in keys:
        if call.over:
            break
        if key is None:
            call.wait()
        else:
            call.press(key)
        if CallAction.IDENTIFIED not in call.acts:
            assert DEBT not in call.said
            assert not {CallAction.PROMISE, CallAction.SEND_PAY_LINK} & set(call.acts)
    if CallAction.OPT_OUT in call.acts or CallAction.NOT_ME in call.acts:
        assert call.over


def test_an_address_that_was_tampered_with_is_the_beginning():
    assert read_position({"step": "secret", "tries": "x", "days": "99999"}, {"Digits": ""}) == Position()


def test_the_address_of_a_call_cannot_be_made_up():
    url = voice_url(PUBLIC_ID, "tw")
    token = url.rstrip("/").rpartition("/")[2]
    assert contact_of_call(token) == PUBLIC_ID
    assert contact_of_call(token[:-1] + ("y" if token.endswith("x") else "x")) is None
    assert contact_of_call(PUBLIC_ID.hex) is None
