"""The providers' own calls: believed where they are signed, read event by event."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from recobra.messaging.channels import ADAPTERS, webhooks
from recobra.messaging.channels.adapter import (
    AccountEvent,
    Config,
    ForgedCall,
    InboundEvent,
    ReceiptEvent,
    TemplateEvent,
    UnusedEvent,
    WebhookRequest,
)
from recobra.messaging.channels.sendgrid.client import ARGUMENT

from . import settings as accounts
from .conftest import PUBLIC_ID

SAMPLES = Path(__file__).parent / "samples"
VECTORS = json.loads((SAMPLES / "signatures.json").read_text(encoding="utf-8"))
RECEIVED = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
KINDS = {"twilio": "twilio_sms", "meta": "whatsapp", "sendgrid": "sendgrid"}


def call(body=b"", *, url="https://cobros.example/api/webhooks/x/", headers=(), method="POST", at=RECEIVED):
    return WebhookRequest(method=method, url=url, headers=dict(headers), body=body, received_at=at)


def signed(vector):
    """Return a vector's call and the configuration that checks it."""
    body = vector.get("raw_body", urlencode(vector.get("params", {}), doseq=True)).encode()
    match vector["provider"]:
        case "twilio":
            config = Config(provider_id=1, code="x", settings={}, secrets={"auth_token": vector["secret"]})
            return call(body, url=vector["url"], headers={"x-twilio-signature": vector["signature"]}), config
        case "meta":
            config = Config(provider_id=1, code="x", settings={}, secrets={"app_secret": vector["secret"]})
            return call(body, headers={"x-hub-signature-256": vector["signature"]}), config
    config = Config(provider_id=1, code="x", settings={"webhook_key": vector["public_key"]})
    headers = {
        "x-twilio-email-event-webhook-signature": vector["signature"],
        "x-twilio-email-event-webhook-timestamp": vector["timestamp"],
    }
    at = datetime.fromtimestamp(int(vector["timestamp"]) + 9, tz=UTC)
    return call(body, headers=headers, at=at), config


GOOD = [vector for vector in VECTORS if vector["valid"]]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['provider']}-{v.get('note', v['valid'])}")
def test_the_published_vectors(vector):
    incoming, config = signed(vector)
    adapter = ADAPTERS[KINDS[vector["provider"]]]
    if vector["valid"]:
        adapter.verify_call(incoming, config)
    else:
        with pytest.raises(ForgedCall):
            adapter.verify_call(incoming, config)


def changed(incoming, **parts):
    names = ("method", "url", "headers", "body", "received_at")
    return WebhookRequest(**{**{name: getattr(incoming, name) for name in names}, **parts})


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: f"{v['provider']}-{v.get('note', '')}")
@given(data=some.data())
def test_one_changed_byte_of_the_body_is_refused(vector, data):
    incoming, config = signed(vector)
    place = data.draw(some.integers(0, len(incoming.body) - 1))
    other = data.draw(some.integers(0, 255).filter(lambda byte: byte != incoming.body[place]))
    forged = changed(incoming, body=incoming.body[:place] + bytes([other]) + incoming.body[place + 1 :])
    if vector["provider"] == "twilio" and "params" in vector and _same_form(forged, incoming):
        return  # «%2B» and «%2b» are the same form: Twilio signs what it says, not how it is written
    with pytest.raises(ForgedCall):
        ADAPTERS[KINDS[vector["provider"]]].verify_call(forged, config)


def _same_form(one, other):
    try:
        return set(webhooks.parse_form(one)) == set(webhooks.parse_form(other))
    except ValueError:
        return False


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: f"{v['provider']}-{v.get('note', '')}")
@pytest.mark.parametrize("what", ["cut", "longer", "unsigned", "empty signature", "no secret"])
def test_no_call_is_believed_that_is_not_exactly_the_signed_one(vector, what):
    incoming, config = signed(vector)
    no_secret = Config(provider_id=1, code="x", settings={})
    forged, checked = {
        "cut": (changed(incoming, body=incoming.body[:-1]), config),
        "longer": (changed(incoming, body=incoming.body + b"&x=y"), config),
        "unsigned": (changed(incoming, headers={}), config),
        "empty signature": (changed(incoming, headers=dict.fromkeys(incoming.headers, "")), config),
        "no secret": (incoming, no_secret),
    }[what]
    with pytest.raises(ForgedCall):
        ADAPTERS[KINDS[vector["provider"]]].verify_call(forged, checked)


@pytest.mark.parametrize("vector", [v for v in GOOD if v["provider"] == "twilio"], ids=lambda v: v.get("note", ""))
def test_one_changed_letter_of_the_signed_address_is_refused(vector):
    incoming, config = signed(vector)
    path_at = incoming.url.index("/myapp")
    for place in [*range(len("https://"), len("https://mycompany.com")), *range(path_at, len(incoming.url))]:
        other = "x" if incoming.url[place] != "x" else "y"
        forged = changed(incoming, url=incoming.url[:place] + other + incoming.url[place + 1 :])
        with pytest.raises(ForgedCall):
            ADAPTERS["twilio_sms"].verify_call(forged, config)


def test_a_changed_timestamp_or_an_old_call_is_refused():
    (vector,) = [v for v in GOOD if v["provider"] == "sendgrid"]
    incoming, config = signed(vector)
    name = "x-twilio-email-event-webhook-timestamp"
    for stamp in ("1600112503", "", "x"):
        with pytest.raises(ForgedCall):
            ADAPTERS["sendgrid"].verify_call(changed(incoming, headers={**incoming.headers, name: stamp}), config)
    ADAPTERS["sendgrid"].verify_call(changed(incoming, received_at=incoming.received_at + timedelta(hours=24)), config)
    for late in (timedelta(hours=26), timedelta(hours=-26)):
        with pytest.raises(ForgedCall, match="too long ago"):
            ADAPTERS["sendgrid"].verify_call(changed(incoming, received_at=incoming.received_at + late), config)


def test_nothing_is_read_of_a_call_of_twilios_that_its_signature_does_not_cover():
    """Asked by GET it signs the address alone."""
    config = Config(provider_id=1, code="x", settings={}, secrets={"auth_token": "t"})
    bare = call(method="GET", url="https://cobros.example/api/webhooks/tw/?CallSid=CA1")
    signature = base64.b64encode(hmac.new(b"t", bare.url.encode(), hashlib.sha1).digest()).decode()
    signed_get = changed(bare, headers={"x-twilio-signature": signature})
    ADAPTERS["twilio_voice"].verify_call(signed_get, config)
    with pytest.raises(ForgedCall):
        ADAPTERS["twilio_voice"].verify_call(changed(signed_get, body=b"CallSid=CA1&CallStatus=completed"), config)


def test_voice_calls_are_checked_like_messages():
    incoming, config = signed(GOOD[0])
    ADAPTERS["twilio_voice"].verify_call(incoming, config)
    with pytest.raises(ForgedCall):
        ADAPTERS["twilio_voice"].verify_call(changed(incoming, body=incoming.body + b"&Digits=9"), config)


def test_meta_asks_whether_the_address_is_ours():
    def ask_challenge(**fields):
        url = f"https://cobros.example/api/webhooks/wa/?{urlencode({f'hub.{k}': v for k, v in fields.items()})}"
        return ADAPTERS["whatsapp"].answer_challenge(call(url=url, method="GET"), accounts.whatsapp())

    assert ask_challenge(mode="subscribe", verify_token="palabra", challenge="1158201444") == "1158201444"
    assert ask_challenge(mode="subscribe", verify_token="otra", challenge="1") is None
    assert ask_challenge(mode="unsubscribe", verify_token="palabra", challenge="1") is None
    assert ask_challenge(mode="subscribe", challenge="1") is None


# What each sample of Meta's calls says: «in» is text, button, message answered to and number of files of a message of
# the debtor's; otherwise the kind of a receipt, whether its address is bad for good, and whether it names a contact.
IN, UNUSED = "in", "unused"
MEANINGS = {
    "message.json": {
        "text": (IN, "Body Text", "", "", 0),
        "image": (IN, "", "", "", 1),
        "media_with_url": (IN, "", "", "", 1),
        "video": (IN, "caption", "", "", 1),
        "document": (IN, "caption", "", "", 1),
        "audio": (IN, "", "", "", 1),
        "voice": (IN, "", "", "", 1),
        "static_sticker": (IN, "", "", "", 1),
        "animated_sticker": (IN, "", "", "", 1),
        "reaction": (IN, "😮", "", "wamid.yzxyzx=", 0),
        "unreaction_empty": (UNUSED, "reaction_taken_back"),
        "unreaction_no_emoji": (UNUSED, "reaction_taken_back"),
        "current_location": (IN, "12.25089, 43.90539", "", "", 0),
        "chosen_location": (IN, "37.4611978, -122.2164385, Facebook HQ, 1 Hacker Way, Menlo Park, CA 94025", "", "", 0),
        "contacts": (IN, "", "", "", 0),
        "order": (IN, "", "", "", 0),
        "unsupported": (IN, "", "", "", 0),
        "unsupported_with_type": (IN, "", "", "", 0),
        "reply": (IN, "replied text", "", "wamid.xyzxyz==", 0),
        "forwarded": (IN, "forwarded text", "", "", 0),
        "forwarded_many_times": (IN, "text forwarded many times", "", "", 0),
        "interactive_message_with_err": (IN, "", "", "wamid.gvwegfretge==", 0),
        "referral": (IN, "BODY", "", "", 0),
    },
    "callback_button.json": {
        "button": (IN, "title", "callback_data", "wamid.xyzxyz", 0),
        "quick_reply": (IN, "title", "callback_data", "wamid.xyzxyz==", 0),
        "quick_reply_without_context": (IN, "title", "callback_data", "", 0),
    },
    "message_status.json": {
        "sent": ("ACCEPTED", None, False),
        "delivered": ("DELIVERED", None, False),
        "read": ("READ", None, False),
        "played": ("READ", None, False),
        "failed": ("FAILED", None, False),
        "with_tracker": ("ACCEPTED", None, False),
        "group": (UNUSED, "group_status"),
    },
}
EVERY = [(file, name) for file in MEANINGS for name in json.loads((SAMPLES / file).read_text(encoding="utf-8"))]


def meta(content):
    return ADAPTERS["whatsapp"].read_events(call(json.dumps(content).encode()), accounts.whatsapp())


@pytest.mark.parametrize(("file", "name"), EVERY, ids=lambda text: text)
def test_what_meta_says(file, name):
    sample = json.loads((SAMPLES / file).read_text(encoding="utf-8"))[name]
    events = meta(sample)
    meaning = MEANINGS[file][name]
    (event,) = events
    if meaning[0] == UNUSED:
        assert event == UnusedEvent(meaning[1])
        return
    if meaning[0] == IN:
        assert isinstance(event, InboundEvent)
        assert (event.text, event.button, event.context_reference, len(event.media)) == meaning[1:]
        assert event.address == "+972987654321"
        assert event.to.startswith("+972")
    else:
        assert isinstance(event, ReceiptEvent)
        assert (event.kind, event.permanent, event.unusable) == meaning
        assert event.provider_reference == "wamid.xyzxyz"
    assert event.at.year == 2023


def test_what_happened_is_dated_by_meta_and_the_same_event_has_the_same_key():
    statuses = json.loads((SAMPLES / "message_status.json").read_text(encoding="utf-8"))
    (sent,), (again,), (delivered,) = meta(statuses["sent"]), meta(statuses["sent"]), meta(statuses["delivered"])
    assert sent.at == datetime(2023, 10, 25, 20, 49, 5, tzinfo=UTC)
    assert sent.event_key == again.event_key != delivered.event_key


def status(**fields):
    value = {
        "messaging_product": "whatsapp",
        "metadata": {},
        "statuses": [
            {"id": "wamid.1", "status": "failed", "timestamp": "1698266945", "recipient_id": "51987654321", **fields}
        ],
    }
    return {"entry": [{"changes": [{"field": "messages", "value": value}]}]}


@pytest.mark.parametrize(
    ("code", "kind", "permanent", "unusable"),
    [
        (131026, "FAILED", None, True),
        (131049, "BOUNCED", False, False),
        (131050, "OPTED_OUT", None, False),
        (130472, "FAILED", None, False),
        (131047, "FAILED", None, False),
        (999, "FAILED", None, False),
    ],
)
def test_why_meta_did_not_deliver(code, kind, permanent, unusable):
    (event,) = meta(status(errors=[{"code": code, "title": "x"}], biz_opaque_callback_data=str(PUBLIC_ID)))
    assert (event.kind, event.permanent, event.unusable, event.public_id) == (kind, permanent, unusable, PUBLIC_ID)
    assert event.detail == {"status": "failed", "code": str(code)}


def test_meta_decides_about_a_template():
    value = {
        "event": "REJECTED",
        "message_template_name": "aviso_1",
        "message_template_language": "es_PE",
        "reason": "INVALID_FORMAT",
        "message_template_id": 12,
    }
    (event,) = meta({"entry": [{"changes": [{"field": "message_template_status_update", "value": value}]}]})
    assert isinstance(event, TemplateEvent)
    assert (event.name, event.language, event.status, event.reason) == (
        "aviso_1",
        "es_PE",
        "REJECTED",
        "INVALID_FORMAT",
    )


def change(field, value):
    return {"entry": [{"id": "2", "changes": [{"field": field, "value": value}]}]}


@pytest.mark.parametrize(
    ("field", "value", "state", "reason"),
    [
        (
            "account_update",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
            "STOPPED",
            "DISABLE",
        ),
        ("account_update", {"event": "DISABLED_UPDATE"}, "STOPPED", "DISABLED_UPDATE"),
        (
            "account_update",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}},
            "RESTORED",
            "REINSTATE",
        ),
        (
            "account_update",
            {
                "event": "ACCOUNT_RESTRICTION",
                "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"}],
            },
            "STOPPED",
            "RESTRICTED_BIZ_INITIATED_MESSAGING",
        ),
        (
            "account_update",
            {
                "event": "ACCOUNT_RESTRICTION",
                "restriction_info": [{"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION"}],
            },
            "WARNED",
            "RESTRICTED_ADD_PHONE_NUMBER_ACTION",
        ),
        ("account_update", {"event": "ACCOUNT_VIOLATION"}, "WARNED", "ACCOUNT_VIOLATION"),
        ("account_update", {"event": "ACCOUNT_DELETED"}, "STOPPED", "ACCOUNT_DELETED"),
        ("account_review_update", {"decision": "REJECTED"}, "STOPPED", "REJECTED"),
        ("account_review_update", {"decision": "APPROVED"}, "RESTORED", "APPROVED"),
        ("account_alerts", {"alert_info": {"alert_type": "INCREASED_CAPABILITIES_NEEDS"}}, "WARNED", None),
        ("phone_number_quality_update", {"event": "FLAGGED"}, "WARNED", "FLAGGED"),
    ],
)
def test_what_meta_says_of_the_account(field, value, state, reason):
    (event,) = meta(change(field, value))
    assert isinstance(event, AccountEvent)
    assert (event.account_id, event.state, event.reason) == ("2", state, reason or "INCREASED_CAPABILITIES_NEEDS")


def test_news_of_no_use_are_named():
    for field, value, name in (
        ("account_update", {"event": "PARTNER_ADDED"}, "account_update:PARTNER_ADDED"),
        ("phone_number_quality_update", {"event": "UNFLAGGED"}, "phone_number_quality_update:UNFLAGGED"),
        ("message_template_quality_update", {"new_quality_score": "BLUE"}, "template_quality:BLUE"),
        ("user_preferences", {"user_preferences": [{"wa_id": "51987654321", "value": "resume"}]}, "preference:resume"),
        ("field of a person's words, at length", {}, "field"),
    ):
        assert meta(change(field, value)) == [UnusedEvent(name)]


def test_what_is_not_known_does_not_hold_up_the_rest():
    sample = json.loads((SAMPLES / "message.json").read_text(encoding="utf-8"))["text"]
    value = sample["entry"][0]["changes"][0]["value"]
    value["messages"] = [None, {}, {"id": "1", "from": "51", "type": "hologram"}, *value["messages"], {"type": 7}]
    value["statuses"] = ["x", {"id": "2", "status": "dreamt"}]
    sample["entry"] = [None, {"changes": "x"}, {"changes": [{"field": "calls", "value": {}}]}, *sample["entry"]]
    events = meta(sample)
    # A message of a type that nobody knows yet is a person's all the same.
    assert [(event.text, event.address) for event in events if isinstance(event, InboundEvent)] == [
        ("", "+51"),
        ("Body Text", "+972987654321"),
        ("", "+972987654321"),
    ]
    assert [event.name for event in events if isinstance(event, UnusedEvent)] == [
        "field:calls",
        "no_status",
        "status:dreamt",
        "no_message",
        "no_message",
    ]


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"7", b'"x"', b'{"entry": {"changes": []}}'])
def test_an_odd_body_says_nothing(kind, body):
    events = ADAPTERS[kind].read_events(call(body), accounts.whatsapp())
    assert all(isinstance(event, UnusedEvent) for event in events)


@pytest.mark.parametrize("kind", ["whatsapp", "sendgrid"])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe"])
def test_a_body_that_cannot_be_read_says_so(kind, body):
    with pytest.raises(ValueError):
        ADAPTERS[kind].read_events(call(body), accounts.whatsapp())


def twilio(fields, kind="twilio_sms", url="https://cobros.example/api/webhooks/tw/"):
    return list(ADAPTERS[kind].read_events(call(urlencode(fields).encode(), url=url), accounts.twilio()))


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        ("queued", "", ("ACCEPTED", None, False)),
        ("sent", "", ("ACCEPTED", None, False)),
        ("delivered", "", ("DELIVERED", None, False)),
        ("read", "", ("READ", None, False)),
        ("undelivered", "30003", ("BOUNCED", False, False)),
        ("undelivered", "30005", ("BOUNCED", True, False)),
        ("undelivered", "30006", ("FAILED", None, True)),
        ("undelivered", "30007", ("FAILED", None, False)),
        ("failed", "21610", ("OPTED_OUT", None, False)),
        ("failed", "", ("FAILED", None, False)),
    ],
)
def test_what_twilio_says_of_a_message(status, code, meaning):
    fields = {"MessageSid": "SM1", "MessageStatus": status, "To": "+51987654321", "ErrorCode": code}
    (event,) = twilio(fields, url=f"https://cobros.example/api/webhooks/tw/?contact={PUBLIC_ID}")
    assert (event.kind, event.permanent, event.unusable) == meaning
    assert (event.provider_reference, event.public_id, event.at) == ("SM1", PUBLIC_ID, RECEIVED)
    assert "+51" not in str(event.detail)


def test_what_a_debtor_writes_to_twilio():
    fields = {
        "MessageSid": "SM2",
        "SmsStatus": "received",
        "From": "+51987654321",
        "To": "+5115550100",
        "Body": "BAJA",
        "NumMedia": "2",
        "MediaUrl0": "https://api.twilio.com/ME1",
        "OptOutType": "STOP",
        "MediaContentType0": "image/jpeg",
        "MediaUrl1": "https://api.twilio.com/ME2",
    }
    (event,) = twilio(fields)
    assert (event.address, event.to, event.text, event.button) == ("+51987654321", "+5115550100", "BAJA", "STOP")
    assert [(media.media_id[-3:], media.media_type) for media in event.media] == [("ME1", "image/jpeg"), ("ME2", "")]
    assert twilio({"MessageSid": "SM3", "MessageStatus": "dreamt"}) == [UnusedEvent("status:dreamt")]
    assert ADAPTERS["twilio_sms"].build_response(call(), accounts.twilio())[0] == "text/xml"


@pytest.mark.parametrize(
    ("status", "by", "kind"),
    [
        ("completed", "human", "ANSWERED"),
        ("completed", "", "ANSWERED"),
        ("completed", "unknown", "ANSWERED"),
        ("completed", "machine_start", "NOT_ANSWERED"),
        ("completed", "fax", "NOT_ANSWERED"),
        ("busy", "", "NOT_ANSWERED"),
        ("no-answer", "", "NOT_ANSWERED"),
        ("canceled", "", "NOT_ANSWERED"),
        ("failed", "", "FAILED"),
        ("ringing", "", None),
        ("in-progress", "", None),
    ],
)
def test_what_twilio_says_of_a_call(status, by, kind):
    fields = {"CallSid": "CA1", "CallStatus": status, "AnsweredBy": by, "To": "+51987654321", "CallDuration": "31"}
    events = twilio(fields, "twilio_voice", f"https://cobros.example/api/webhooks/tw/?contact={PUBLIC_ID}")
    if kind is None:
        assert events == [UnusedEvent(f"call_status:{status}")]
        return
    assert [event.kind for event in events] == [kind]
    assert all(event.public_id == PUBLIC_ID and "+51" not in str(event.detail) for event in events)


@pytest.mark.parametrize(
    ("fields", "meaning"),
    [
        ({"event": "processed"}, ("ACCEPTED", None)),
        ({"event": "delivered", "response": "250 OK"}, ("DELIVERED", None)),
        ({"event": "open"}, ("READ", None)),
        ({"event": "open", "sg_machine_open": True}, None),
        ({"event": "click", "url": "https://x.example/?name=jose"}, ("CLICKED", None)),
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, ("BOUNCED", True)),
        ({"event": "bounce", "type": "blocked", "status": "4.7.1"}, ("BOUNCED", False)),
        ({"event": "dropped", "reason": "Bounced Address"}, ("BOUNCED", True)),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, ("OPTED_OUT", None)),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, ("COMPLAINED", None)),
        ({"event": "dropped", "reason": "Spam Content"}, ("FAILED", None)),
        ({"event": "spamreport"}, ("COMPLAINED", None)),
        ({"event": "unsubscribe"}, ("OPTED_OUT", None)),
        ({"event": "group_unsubscribe"}, ("OPTED_OUT", None)),
        ({"event": "deferred"}, None),
        ({"event": "group_resubscribe"}, None),
    ],
)
def test_what_sendgrid_says(fields, meaning):
    item = {
        "email": "jose@correo.example",
        "timestamp": 1600112492,
        "sg_event_id": "e-1",
        ARGUMENT: str(PUBLIC_ID),
        "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1",
        **fields,
    }
    events = ADAPTERS["sendgrid"].read_events(call(json.dumps([None, item, 3]).encode()), accounts.sendgrid())
    receipts = [event for event in events if isinstance(event, ReceiptEvent)]
    assert [(event.kind, event.permanent) for event in receipts] == ([meaning] if meaning else [])
    names = ["event", "event"] if meaning else ["event", f"event:{fields['event']}", "event"]
    assert [event.name for event in events if isinstance(event, UnusedEvent)] == names
    for event in receipts:
        assert (event.provider_reference, event.public_id) == ("LRzXl_NHStOGhQ4kofSm_A", PUBLIC_ID)
        assert event.at == datetime(2020, 9, 14, 19, 41, 32, tzinfo=UTC)
        assert "jose" not in str(event.detail)


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: f"{v['provider']}-{v.get('note', '')}")
@pytest.mark.parametrize("odd", ["é", "ÿ" * 9, "sha256=é", "=", "A", "0" * 9_000, "\x7f"], ids=ascii)
def test_whatever_stands_in_place_of_a_signature_is_no_signature(vector, odd):
    incoming, config = signed(vector)
    with pytest.raises(ForgedCall):
        ADAPTERS[KINDS[vector["provider"]]].verify_call(
            changed(incoming, headers=dict.fromkeys(incoming.headers, odd)), config
        )


def test_one_event_of_sendgrid_that_is_none_holds_up_no_other():
    odd = [{"event": ["delivered"], "sg_message_id": "a"}, {"event": {}}, {"event": None}, [], 7]
    good = {"event": "delivered", "sg_message_id": "b.c", "sg_event_id": "e1", "timestamp": 1_790_000_000}
    events = ADAPTERS["sendgrid"].read_events(
        call(json.dumps([*odd, good]).encode()), Config(provider_id=1, code="x", settings={})
    )
    assert [event.provider_reference for event in events if isinstance(event, ReceiptEvent)] == ["b"]


@pytest.mark.parametrize("count", ["9" * 5_000, "²", "", "0"])
def test_files_of_a_message_are_those_that_it_names(count):
    (event,) = twilio(
        {"MessageSid": "SM1", "From": "+51987654321", "Body": "hola", "NumMedia": count, "MediaUrl0": "https://x/1"}
    )
    assert [media.media_id for media in event.media] == ["https://x/1"]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "1999-12-31", "2100-01-01"])
def test_an_instant_of_no_message_is_none(text):
    assert webhooks.parse_iso_time(text) is None
    assert [webhooks.parse_unix_time(value) for value in ("-62135596800", 253_402_300_799, "nan", "9" * 400)] == [
        None
    ] * 4
    assert webhooks.parse_iso_time("2026-11-23T10:00:00", "America/Lima") == RECEIVED
