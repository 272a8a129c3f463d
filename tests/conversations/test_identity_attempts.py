"""The last four figures of a document are one secret: wrong answers count together, whichever door they came by."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from datetime import timedelta
from importlib import import_module
from urllib.parse import urlencode

import pytest
from django.db import connection

from recobra.conversations import identity_proof
from recobra.conversations.automatic_call import next_call_turn
from recobra.conversations.identity_proof import Proof
from recobra.conversations.models import Dispute, IdentityAttempt
from recobra.messaging import tokens
from recobra.messaging.channels.adapter import WebhookRequest
from recobra.messaging.channels.twilio_voice.links import voice_url
from recobra.messaging.models import Provider
from recobra.portfolio.models import ContactPoint
from recobra.workbench.models import Task
from tests.conversations.test_bot_conversations import Chat, provider, rosa
from tests.people import acting

__all__ = ["provider", "rosa"]
pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "clave-compartida"
NUMBER = "+51999888777"
DEBT = "Su cuota vencida es de S/ 450.50"


class Doors:
    """The three ways to answer for Rosa: the chat, a call to her, and the page of a message to her."""

    def __init__(self, world, provider, rosa):
        self.world, self.rosa, self.chat, self.now = world, rosa, Chat(world, provider), world.now
        Provider.objects.create(
            code="llamadas",
            kind="twilio_voice",
            channel="ivr",
            name="llamadas",
            secrets={"auth_token": SECRET},
            settings={"account_sid": "AC1", "from_number": "+15005550006"},
            created_at=world.now,
            created_by="dario",
        )
        self.call = self._left(channel="ivr", body=DEBT)
        self.message = self._left(channel="email")

    def _left(self, **fields):
        contact = self.world.planned(self.rosa, channel=fields["channel"])
        left = {"status": "SENT", "sent_at": self.now, "handed_over_at": self.now, "local_date": contact.planned_for}
        for name, value in {**left, **fields}.items():
            setattr(contact, name, value)
        contact.save()
        return contact

    def by_chat(self, figures):
        """Answer in the chat, in a conversation of its own where a person has the last one."""
        if self.chat.count == 0:
            self.chat.writes("¿cuánto debo?", at=self.now)
        return self.chat.writes(figures, at=self.now + timedelta(seconds=self.chat.count + 1))

    def by_phone(self, figures, *, tries=0, step="identity"):
        """Press figures in the call, where so many were wrong before in it; return what is said."""
        url = f"{voice_url(self.call.public_id, 'llamadas')}?step={step}&tries={tries}"
        fields = {"CallSid": "CA1", "To": NUMBER, "AnsweredBy": "human", "Digits": figures}
        signed = url + "".join(name + fields[name] for name in sorted(fields))
        signature = base64.b64encode(hmac.new(SECRET.encode(), signed.encode(), hashlib.sha1).digest()).decode()
        headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
        call = WebhookRequest(
            method="POST", url=url, headers=headers, body=urlencode(fields).encode(), received_at=self.now
        )
        token = url.partition("?")[0].rstrip("/").rpartition("/")[2]
        return next_call_turn(provider_code="llamadas", token=token, call=call, actor=acting("provider", now=self.now))

    def by_page(self, figures, *, now=None):
        judged = identity_proof.check_identity(
            token=tokens.statement_url(self.message.pk).rpartition("/")[2],
            figures=figures,
            actor=acting("debtor", now=now or self.now),
        )
        assert judged is not None
        return judged[1]


@pytest.fixture
def doors(world, provider, rosa):
    return Doors(world, provider, rosa)


def test_one_wrong_answer_by_each_door_and_all_are_shut(doors):
    assert "no coincide. Intentos que quedan: 2" in doors.by_chat("1111")
    assert "<Gather" in doors.by_phone("2222")
    assert doors.by_page("3333") is Proof.WRONG
    assert doors.by_page("5678") is Proof.CLOSED
    assert DEBT not in doors.by_phone("5678", tries=1)
    assert "450" not in doors.by_chat("5678")
    assert doors.chat.conversation().mode == "PERSON"
    assert doors.by_page("5678", now=doors.now + timedelta(hours=25)) is Proof.RIGHT


def test_after_wrong_answers_at_the_page_the_bot_hands_over_to_a_person(doors):
    assert [doors.by_page(f"000{n}") for n in range(3)] == [Proof.WRONG] * 3
    said = doors.by_chat("5678")
    assert "450" not in said
    assert doors.chat.conversation().mode_reason == "identity"
    assert Task.objects.filter(kind="conversation").count() == 1


def test_after_wrong_answers_at_the_page_the_call_hands_over_to_a_person(doors):
    assert [doors.by_page(f"000{n}") for n in range(3)] == [Proof.WRONG] * 3
    assert "solo puede darlo una persona" in doors.by_phone("1", step="greeting")
    assert "Una persona se comunicará con usted" in doors.by_phone("5678")
    assert [reason for _contact, reason in doors.world.facts("person.asked")] == ["unidentified"]


def test_wrong_keys_of_one_call_shut_the_page_and_the_chat(doors):
    for tries in range(2):
        assert "<Gather" in doors.by_phone("1111", tries=tries)
    assert "Una persona se comunicará con usted" in doors.by_phone("1111", tries=2)
    assert doors.by_page("5678") is Proof.CLOSED
    assert "450" not in doors.by_chat("5678")


def test_a_turn_of_a_call_that_is_asked_for_twice_is_one_try_and_one_answer(doors):
    first, again = (doors.by_phone("1111") for _time in range(2))
    assert first == again
    assert len(doors.world.facts("identity.refused")) == IdentityAttempt.objects.count() == 1
    assert DEBT in doors.by_phone("5678", tries=1)


def test_the_bot_says_how_many_tries_are_left_by_all_doors(doors):
    assert doors.by_page("0000") is Proof.WRONG
    assert "Intentos que quedan: 1" in doors.by_chat("1111")
    assert "persona" in doors.by_chat("2222").lower()
    assert doors.by_page("5678") is Proof.CLOSED


def test_a_wrong_answer_at_a_number_of_two_people_counts_for_both(doors):
    luis = doors.world.debtor("Luis Quispe", national_id="41230099")
    ContactPoint.objects.create(debtor=luis, kind="PHONE", value=doors.chat.line, valid=True)
    doors.world.owes(luis)
    assert "no coincide" in doors.by_chat("1111")
    assert doors.by_page("0000") is Proof.WRONG
    assert "<Gather" not in doors.by_phone("0000")
    assert "persona" in doors.by_chat("0099").lower(), "who has no more tries is not told apart from who has"
    assert doors.chat.conversation().debtor is None


def test_answers_that_come_at_once_by_several_doors_are_no_more_tries(doors):
    doors.chat.writes("¿cuánto debo?", at=doors.now)
    start, said = threading.Barrier(9), []

    def beside(work):
        def body():
            try:
                start.wait()
                said.append(work())
            finally:
                connection.close()

        return threading.Thread(target=body)

    at_once = [beside(lambda n=n: doors.by_page(f"100{n}")) for n in range(5)]
    at_once += [beside(lambda n=n: doors.by_phone(f"200{n}", tries=n % 3)) for n in range(3)]
    at_once.append(beside(lambda: doors.chat.writes("3000", at=doors.now + timedelta(seconds=9))))
    for each in at_once:
        each.start()
    for each in at_once:
        each.join()
    assert len(said) == 9
    wrong = doors.world.facts("identity.refused") + doors.world.facts("statement.refused")
    assert len(wrong) == 3


def test_an_installation_that_counted_in_its_journal_keeps_its_tries_and_disputes(doors):
    doors.by_page("0000")
    doors.by_phone("1111")
    doors.by_chat("5678")
    doors.chat.writes("no reconozco esa deuda")
    tables = {
        IdentityAttempt: ("debtor", "contact", "turn", "at"),
        Dispute: ("debtor", "message", "is_verified", "opened_at"),
    }
    before = {model: set(model.objects.values_list(*columns)) for model, columns in tables.items()}
    assert [len(rows) for rows in before.values()] == [2, 1]
    for model in tables:
        model.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(import_module("recobra.conversations.migrations.0002_attempts_and_disputes").CARRY_OVER)
    # The journal also has what earlier tests wrote.
    for model, columns in tables.items():
        assert before[model] <= set(model.objects.values_list(*columns))
