"""Whatever comes in is kept and answered, and each message of a person is visible to one (see `tests/fuzz.py`)."""

from __future__ import annotations

import email
import hashlib
import hmac
import json
import sys
from datetime import date

import pytest
from django.test import Client

from recobra.consent import keywords
from recobra.conversations.models import ConversationMessage
from recobra.conversations.webhooks import receive
from recobra.kit.sizes import MEGABYTE
from recobra.messaging.channels.adapter import WebhookRequest
from recobra.messaging.channels.email.received import METHOD, header_of, read_words
from recobra.messaging.channels.webhooks import clean_text, hash_key
from recobra.messaging.models import Provider, Receipt, WebhookCall
from tests import extent, fuzz
from tests.people import acting
from tests.providers.emails import two_hundred

from .conftest import SAMPLES, SECRET

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1_800)]
CALLS = extent.choose(daily=0, whole=10_000)
PERSON = {"id": "wamid.N", "timestamp": "1795900000", "from": "51987654321"}
# Bodies of Meta's own documents beside the samples: edits, deletions, hidden numbers, news of people and accounts.
DOCUMENTS = [
    {**PERSON, "type": "edit", "edit": {"original_message_id": "wamid.O", "message": {"type": "text", "text": {"body": "BAJA"}}}},
    {**PERSON, "type": "revoke", "revoke": {"original_message_id": "wamid.O"}},
    {"id": "wamid.B", "timestamp": "1795900000", "from_user_id": "PE.1", "type": "text", "text": {"body": "BAJA"}},
    {**PERSON, "type": "system", "system": {"type": "user_changed_number", "wa_id": "51911222333", "body": "changed"}},
    {**PERSON, "type": "poll", "poll": {"question": "?"}},
    {**PERSON, "type": "text", "group_id": "G", "text": {"body": "hola"}},
]  # fmt: skip
NEWS = {
    "user_preferences": {"user_preferences": [{"wa_id": "51987654321", "value": "stop", "timestamp": 1795900000}]},
    "account_update": {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
    "account_alerts": {"alert_info": {"alert_type": "X"}},
    "message_template_quality_update": {"new_quality_score": "RED", "message_template_name": "x"},
    "message_template_status_update": {"event": "PAUSED", "message_template_name": "x"},
}


def bodies():
    """Return every body of the samples and the documents."""
    made = []
    for path in sorted(SAMPLES.glob("*.json")):
        if path.stem != "signatures":
            made.extend(json.loads(path.read_text("utf-8")).values())
    made.extend(change("messages", {"messages": [message]}) for message in DOCUMENTS)
    made.extend(change(field, value) for field, value in NEWS.items())
    return made


def change(field, value):
    return {"entry": [{"id": "2", "changes": [{"field": field, "value": value}]}]}


def written_by_people(content):
    """Return the ids of the messages of people in a body, by the shape that Meta's documents give a message."""
    found = []
    for entry in _list(content, "entry"):
        for each in _list(entry, "changes"):
            value = each.get("value") if isinstance(each, dict) else None
            if isinstance(value, dict) and each.get("field") == "messages":
                found.extend(_list(value, "messages"))
    people = [message for message in found if isinstance(message, dict) and isinstance(message.get("id"), str)]
    ids = [message["id"] for message in people if _is_written(message)]
    return {_stored(each) for each in ids if each}


def _is_written(message):
    kind = message.get("type")
    if kind == "reaction":
        part = message.get("reaction")
        return isinstance(part, dict) and bool(part.get("emoji"))
    return kind != "system" and isinstance(message.get("from") or message.get("from_user_id"), str)


def _list(holder, name):
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, list) else []


def _stored(reference):
    """Return an id as the product stores it."""
    clean = clean_text(reference)
    return hash_key(clean) if len(clean) > 512 else clean


@pytest.fixture
def mailbox(world):
    return Provider.objects.create(code="buzon", channel="email", kind="smtp", name="Buzón", created_at=world.now,
                                   created_by="dario", settings={"from": "cobranzas@sur.example"})  # fmt: skip


def store_mail(provider, content, now):
    call = WebhookRequest(method=METHOD, url="", headers={}, body=content, received_at=now)
    call_id = receive.store_call(provider, call)
    receive.process_call(call_id=call_id, actor=acting("provider", now=now))
    return WebhookCall.objects.get(pk=call_id)


def test_two_hundred_e_mails_are_read_as_people_wrote_them():
    """The words of people alone are read: no wish is missed, and none is found in what is quoted."""
    mails = two_hundred()
    assert len(mails) == 200
    for kind, act, content in mails:
        if kind == "person":
            words = read_words(email.message_from_bytes(content))
            assert "Responda BAJA" not in words.own
            assert (keywords.recognise_act(words.own, day=date(2026, 11, 23)) or "") == act, words


@pytest.mark.long
def test_each_message_of_a_person_is_visible_whatever_becomes_of_the_call(world, providers, mailbox, settings, capsys):
    settings.PUBLIC_URL = "https://cobros.example"
    settings.DEMO = False
    client, numbers = Client(raise_request_exception=False), fuzz.chance("every message")
    sound, mails = bodies(), two_hundred()
    with capsys.disabled():
        sys.stdout.write(f"{fuzz.CHOSEN_SEED}={fuzz.SEED}\n")
    with fuzz.watch("every message") as watched:
        for position in range(CALLS):
            if position % 3 == 2:
                _kind, _act, content = numbers.choice(mails)
                body = fuzz.damage(content, numbers)
                with watched.input(f"mail {position}", body) as one:
                    one.end = _read_mail(mailbox, body, world.now)
                continue
            chosen = numbers.choice(sound)
            if numbers.random() < 0.8:
                body = json.dumps(fuzz.damage_value(chosen, numbers)).encode()
            else:
                body = fuzz.damage(json.dumps(chosen).encode(), numbers)
            with watched.input(f"wa {position}", body) as one:
                one.end = _call(client, body)
    assert sum(watched.ends.values()) == CALLS


def _read_mail(mailbox, content, now):
    """Read an e-mail, and see that it is a message that a person sees, a receipt or a named refusal."""
    call = store_mail(mailbox, content, now)
    assert call.status == "DONE", call.error
    reference = header_of(email.message_from_bytes(content), "Message-ID").strip()
    is_seen = ConversationMessage.objects.filter(provider_reference=_stored(reference)).exists() if reference else None
    if not call.unused and not is_seen:
        # One without an id is known by its words; all others say what became of a message of ours.
        is_receipt = Receipt.objects.filter(provider=mailbox, received_at=now).exists()
        by_words = hash_key(content.decode("utf-8", "replace"))
        assert is_receipt or ConversationMessage.objects.filter(provider_reference=by_words).exists()
    return f"mail {'seen' if is_seen else 'unused' if call.unused else 'receipt'}"


def _call(client, body):
    """Make a call as Meta does, and see that it is kept and each message of a person in it is seen."""
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={digest}"}
    answer = client.generic("POST", "/api/webhooks/wa/", body, "application/json", headers=headers)
    if answer.status_code == 413:
        # Refused by name, for the provider to send it again in parts; none that a person writes is as long.
        assert len(body) > MEGABYTE
        return "wa too large"
    assert answer.status_code == 200
    stored = WebhookCall.objects.get(digest=hashlib.sha256(b"POST ?\r\n\r\n" + body).hexdigest())
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        # It waits to be tried again, and then an alarm tells of it.
        assert stored.status == "WAITING"
        return "wa unreadable"
    assert stored.status == "DONE", stored.error
    ids = written_by_people(content)
    seen = ConversationMessage.objects.filter(direction="IN", provider_reference__in=ids)
    assert set(seen.values_list("provider_reference", flat=True)) == ids
    return f"wa {'person' if ids else 'other'}"
