"""The providers' door: what is signed is kept and worked, what is forged changes nothing, nothing kept is lost."""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
import hmac
import json
import random
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client

from recobra.compliance.retention.schedule import erase_due
from recobra.consent.models import ConsentEntry, Silence
from recobra.conversations.models import ConversationMessage
from recobra.conversations.webhooks import receive
from recobra.kit.encrypted_field import EncryptedValue
from recobra.messaging.models import Contact, Provider, Receipt, WebhookCall
from recobra.portfolio.models import ContactPoint
from tests.people import acting

from .conftest import SECRET, sample

pytestmark = pytest.mark.django_db(transaction=True)
ROSA = "+972987654321"  # the number of the samples


@pytest.fixture
def rosa(world):
    debtor = world.debtor()
    return ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=ROSA, valid=True)


@pytest.fixture
def sent(world, providers, rosa):
    contact = world.planned(rosa.debtor, channel="whatsapp", point_id=rosa.pk)
    Contact.objects.filter(pk=contact.pk).update(
        status="SENT",
        sent_at=world.now,
        handed_over_at=world.now,
        provider=providers["wa"],
        address=ROSA,
        provider_reference="wamid.xyzxyz",
    )
    return contact


def said(text, *, wamid="wamid.A1", seconds=0):
    body = copy.deepcopy(sample("message", "text"))
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    message["text"]["body"], message["id"] = text, wamid
    message["timestamp"] = str(int(message["timestamp"]) + seconds)
    return body


def test_a_status_of_metas_is_kept_and_counts(caller, sent):
    assert caller.meta(sample("message_status", "delivered"))[0] == 200
    sent.refresh_from_db()
    assert sent.delivered_at is not None
    assert WebhookCall.objects.get().status == "DONE"


def test_the_same_calls_ten_times_in_random_order_give_one_state(caller, sent, world):
    calls = [sample("message_status", part) for part in ("sent", "delivered", "read")] * 10
    random.Random(3).shuffle(calls)
    assert {caller.meta(call)[0] for call in calls} == {200}
    sent.refresh_from_db()
    assert (sent.delivered_at, sent.read_at) != (None, None)
    assert sent.delivered_at <= sent.read_at
    assert Receipt.objects.count() == WebhookCall.objects.count() == 3
    assert len(world.facts("contact.delivered")) == len(world.facts("contact.read")) == 1


def test_parts_of_a_call_that_nobody_signed_make_no_second_event_of_it(caller, sent, providers, world):
    """Meta signs the body and not the address, Twilio what a form says and not how it is written."""
    read = json.dumps(sample("message_status", "read")).encode()
    signed = {"X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), read, hashlib.sha256).hexdigest()}
    for query in ("", "?again=1", "?again=2"):
        assert (
            caller.call("POST", f"/api/webhooks/wa/{query}", body=read, headers={**signed, "X-Else": query})[0] == 200
        )
    assert Receipt.objects.get().kind == "READ"
    fields = {"MessageSid": "SM7", "From": ROSA, "Body": "hola", "SmsStatus": "received"}
    said = "".join(name + fields[name] for name in sorted(fields))
    signature = hmac.new(SECRET.encode(), f"{caller.public}/api/webhooks/twilio/{said}".encode(), hashlib.sha1).digest()
    headers = {"X-Twilio-Signature": base64.b64encode(signature).decode()}
    for pairs in (list(fields.items()), list(fields.items())[::-1], [*fields.items(), ("Body", "hola")]):
        assert caller.call("POST", "/api/webhooks/twilio/", body=urlencode(pairs).encode(), headers=headers)[0] == 200
    assert ConversationMessage.objects.filter(direction="IN").count() == 1


def test_a_forged_call_changes_nothing_and_is_told_of_once_in_a_while(caller, sent, world):
    receive._forged.clear()
    for _ in range(12):
        assert caller.meta(sample("message_status", "delivered"), secret="otra")[0] == 403
    sent.refresh_from_db()
    assert sent.delivered_at is None
    assert not WebhookCall.objects.exists()
    assert not Receipt.objects.exists()
    assert len(world.facts("webhook.forged")) == 2  # the first and the tenth


def test_a_call_for_nobody_is_not_found_and_a_huge_one_not_read(caller, providers):
    assert caller.meta({"object": "x"}, code="nadie")[0] == 404
    headers = {"Content-Length": str(5 * 1024 * 1024), "Content-Type": "application/json"}
    for method in ("POST", "GET"):
        assert caller.call(method, "/api/webhooks/wa/", headers=headers)[0] == 413
    assert caller.call("DELETE", "/api/webhooks/wa/")[0] == 405
    assert not WebhookCall.objects.exists()


@pytest.mark.parametrize("rest", ["", "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=contrasena"])
def test_a_provider_whose_secrets_cannot_be_read_is_asked_to_call_again(caller, providers, other_keys, caplog, rest):
    other_keys()
    method = "GET" if rest else "POST"
    status, _type, said = caller.call(method, f"/api/webhooks/wa/{rest}", body=b"" if rest else b"{}")
    assert (status, said) == (503, "")
    assert "provider wa cannot be used" in caplog.text
    assert not WebhookCall.objects.exists()


def test_a_call_that_was_kept_waits_for_the_secrets_of_its_provider(caller, sent, providers, settings):
    assert caller.meta(b"no json")[0] == 200
    call = WebhookCall.objects.get()
    Provider.objects.filter(code="wa").update(secrets=EncryptedValue("ilegible"))
    assert receive.retry_calls(actor=acting("provider", now=call.received_at + receive.RETRY_DELAYS[0])) == 0
    call.refresh_from_db()
    assert (call.status, call.tries, call.error.partition("(")[0]) == ("WAITING", 2, "Unsuitable")


def test_a_packed_call_is_refused_and_told_to_come_unpacked(providers):
    packed = gzip.compress(json.dumps(said("BAJA")).encode())
    answer = Client().post("/api/webhooks/wa/", packed, "application/json", headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer["Accept-Encoding"]) == (415, "identity")
    assert not WebhookCall.objects.exists()
    plain = Client().post("/api/webhooks/wa/", b"{}", "application/json", headers={"Content-Encoding": "identity"})
    assert plain.status_code == 403, "nobody signed it"


def test_no_cookie_and_no_session_is_needed(providers):
    assert Client(enforce_csrf_checks=True).post("/api/webhooks/wa/", b"{}", "application/json").status_code == 403


def test_meta_hears_its_challenge_only_with_the_words_agreed_on(caller, providers):
    path = "/api/webhooks/wa/?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    assert caller.call("GET", path + "contrasena") == (200, "text/plain; charset=utf-8", "1158201444")
    assert caller.call("GET", path + "otra")[0] == 403


def test_baja_by_whatsapp_silences_the_number_for_good(caller, sent, rosa, world):
    waiting = world.planned(rosa.debtor, channel="sms", point_id=rosa.pk)
    for _ in range(3):
        assert caller.meta(said("B.A.J.A."))[0] == 200
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == ("CANCELLED", "opted_out")
    entry = ConsentEntry.objects.get()
    assert (entry.act, entry.source, entry.channel, entry.value) == ("OPTED_OUT", "KEYWORD", "whatsapp", ROSA)
    assert Silence.objects.get().value == ROSA
    assert WebhookCall.objects.get().status == "DONE"
    assert not Contact.objects.filter(status="DUE").exists()  # not even an answer


def test_baja_then_alta_and_the_other_way_round_end_alike(caller, rosa, providers):
    words = [said("BAJA"), said("ALTA", wamid="wamid.A2", seconds=60)]
    for call in (words[1], words[0], words[1], words[0]):
        assert caller.meta(call)[0] == 200
    assert not Silence.objects.exists()
    rosa.refresh_from_db()
    assert rosa.opted_out_at is None


def test_no_soy_retires_the_number_for_the_debtor(caller, rosa, providers):
    assert caller.meta(said("No soy"))[0] == 200
    rosa.refresh_from_db()
    assert rosa.retired_at is not None
    assert ConsentEntry.objects.get().act == "NOT_ME"


def test_a_button_of_ours_is_a_wish_too(caller, rosa, providers):
    body = copy.deepcopy(sample("callback_button", "button"))
    reply = body["entry"][0]["changes"][0]["value"]["messages"][0]["interactive"]["button_reply"]
    reply["id"] = "optout"
    assert caller.meta(body)[0] == 200
    assert ConsentEntry.objects.get().source == "BUTTON"


def test_twilio_signs_the_address_it_knows_and_hears_an_empty_answer(caller, rosa, providers):
    fields = {"MessageSid": "SM1", "From": ROSA, "To": "+15005550006", "Body": "STOP", "SmsStatus": "received"}
    status, content_type, answer = caller.twilio(fields)
    assert (status, content_type) == (200, "text/xml")
    assert answer.endswith("<Response/>")
    assert Silence.objects.get().value == ROSA
    assert caller.twilio(fields | {"Body": "ALTA"}, secret="otra")[0] == 403


def test_a_gateways_receipt_names_the_message_by_its_reference(caller, sent, providers, world):
    Contact.objects.filter(pk=sent.pk).update(provider=providers["gateway"], channel="sms", provider_reference="G7")
    item = {"messageId": "G7", "status": {"name": "UNKNOWN_SUBSCRIBER"}, "doneAt": world.now.isoformat()}
    assert caller.gateway(item)[0] == 200
    sent.refresh_from_db()
    assert sent.undelivered_at == world.now
    assert ContactPoint.objects.get(value=ROSA).retired_at is not None


def test_a_gateway_may_report_by_get(caller, sent, providers):
    Contact.objects.filter(pk=sent.pk).update(provider=providers["antiguo"], channel="sms", provider_reference="A9")
    path = "/api/webhooks/antiguo/?msgid=A9&dlr=DELIVRD&when=2026-11-22T10:00:00&token=clave-compartida"
    assert caller.call("GET", path)[0] == 200
    sent.refresh_from_db()
    assert sent.delivered_at is not None


def test_what_cannot_be_read_stays_is_tried_again_and_given_up_in_the_end(caller, providers, world):
    assert caller.meta(["not", "what", {"entry": 7}])[0] == 200
    assert caller.meta(b"no json")[0] == 200
    call = WebhookCall.objects.get(status="WAITING")
    assert (call.tries, call.error[:15]) == (1, "JSONDecodeError")
    assert receive.retry_calls(actor=acting("provider", now=call.received_at + timedelta(seconds=30))) == 0
    call.refresh_from_db()
    assert call.tries == 1  # its time has not come
    for after in receive.RETRY_DELAYS:
        receive.retry_calls(actor=acting("provider", now=call.received_at + after))
    call.refresh_from_db()
    assert (call.status, call.tries) == ("FAILED", 8)
    assert len(world.facts("webhook.failed")) == 1
    later = call.received_at + timedelta(days=91)
    erase_due(day=later.date(), actor=acting("system", now=later))
    assert not WebhookCall.objects.exists()


@pytest.mark.parametrize(
    "text", ["BAJA\0", "BAJA \ud83d", "\udc00 BAJA"], ids=["null", "half an emoji", "the other half"]
)
def test_a_wish_is_heard_whatever_else_is_in_the_message(caller, rosa, providers, text):
    assert caller.meta(said(text))[0] == 200
    assert WebhookCall.objects.get().status == "DONE"
    assert Silence.objects.get().value == ROSA
    message = ConversationMessage.objects.get(direction="IN")
    assert message.text.strip() == "BAJA"


@pytest.mark.parametrize("odd", ["\ud83d", "\0", "9999-12-31T23:59:59-05:00"], ids=ascii)
def test_a_wish_by_a_gateway_is_heard_whatever_stands_beside_it(caller, rosa, providers, odd):
    assert caller.gateway({"from": ROSA, "text": "BAJA", "receivedAt": odd})[0] == 200
    assert WebhookCall.objects.get().status == "DONE"
    assert Silence.objects.get().value == ROSA


def test_a_wish_by_sms_is_heard_whatever_else_is_in_the_message(caller, rosa, providers):
    fields = {"MessageSid": "SM7", "From": ROSA, "Body": "BAJA\0", "SmsStatus": "received"}
    assert caller.twilio(fields)[0] == 200
    assert Silence.objects.get().value == ROSA


def test_a_body_that_nests_without_end_is_kept_and_changes_nothing(caller, providers):
    deep = b'{"entry":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert caller.meta(deep)[0] == 200
    assert WebhookCall.objects.get().error.startswith("ValueError")


def test_a_form_that_is_no_utf8_and_that_nobody_signed_is_forged(caller, providers):
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "x"}
    assert caller.call("POST", "/api/webhooks/twilio/", body=b"Body=\xff\xfe", headers=headers)[0] == 403


def test_a_message_without_a_number_is_kept_and_its_wish_is_on_record(caller, providers):
    """A person with a user name shows Meta's id of theirs in the place of a number."""
    body = said("BAJA", wamid="wamid.BS1")
    value = body["entry"][0]["changes"][0]["value"]
    value["contacts"] = [{"profile": {"name": "Rosa", "username": "rosa.prueba"}, "user_id": "PE.90000000000000000001"}]
    del value["messages"][0]["from"]
    value["messages"][0]["from_user_id"] = "PE.90000000000000000001"
    for _ in range(2):
        assert caller.meta(body)[0] == 200
    message = ConversationMessage.objects.get(direction="IN")
    assert message.text == "BAJA"
    talk = message.conversation
    assert (talk.address, talk.status, talk.mode, talk.mode_reason, talk.unread) == (
        "sender:PE.90000000000000000001",
        "OPEN",
        "PERSON",
        "no_number_silent",
        1,
    )
    entry = ConsentEntry.objects.get()
    assert (entry.act, entry.said, entry.value) == ("OPTED_OUT", "BAJA", talk.address)
