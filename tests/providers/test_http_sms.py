"""A gateway described by a document: what it is asked, what its answers mean, how its calls are read."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from recobra.messaging.channels.adapter import Config, ForgedCall, Unsuitable, UnusedEvent, WebhookRequest
from recobra.messaging.channels.base import Bounce, OutcomeKind
from recobra.messaging.channels.http_sms import ADAPTER
from recobra.messaging.channels.http_sms.document import read_gateway
from recobra.messaging.gsm_alphabet import to_gsm_alphabet
from recobra_core.documents import DocumentError

from .conftest import PUBLIC_ID
from .peer import BREAK_HEAD, HALF, HANG, RESET, closed_port

EXAMPLES = Path(__file__).parents[2] / "docs" / "sms_gateways"
SECRETS = {"user": "sur", "password": "c/lave", "token": "t0k", "webhook_secret": "shh"}
RECEIVED = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ACCEPTED = {
    "json_bearer": {"messages": [{"messageId": "g-1"}]},
    "form_key": {"codigo": 0, "idmensaje": 77},
    "query_text": b"OK: 4711",
}


@pytest.fixture(autouse=True)
def _at_work(settings):
    """Banco Sur's own installation, not a demonstration."""
    settings.DEMO = False


def document(name, url=""):
    text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
    old = next(line.split()[-1] for line in text.splitlines() if "url:" in line)
    return text.replace(old, f"{url}/send") if url else text


def config(name, url="", **settings):
    return Config(
        provider_id=1,
        code="gw",
        settings={"document": document(name, url), "sender": "BANCOSUR", **settings},
        secrets=SECRETS,
        webhook_url="https://cobros.example/api/webhooks/gw/",
    )


@pytest.fixture
def send_by(send_message, message):
    """Send by an example gateway that answers so."""

    def send(name, *answers, **changes):
        return send_message(ADAPTER, lambda url: config(name, url), message(**changes), *answers)

    return send


def test_json_is_asked_as_the_document_says(send_by):
    outcome, (request,) = send_by("json_bearer", (200, ACCEPTED["json_bearer"]))
    assert (outcome.kind, outcome.provider_reference) == (OutcomeKind.SENT, "g-1")
    assert request.headers["authorization"] == "Bearer t0k"
    (sms,) = request.json["messages"]
    assert sms["destinations"] == [{"to": "51987654321", "messageId": str(PUBLIC_ID)}]
    assert sms["text"].startswith("Hola José, de Banco Sur")
    assert (sms["from"], sms["notifyUrl"]) == ("BANCOSUR", "https://cobros.example/api/webhooks/gw/")


def test_a_form_is_written_in_its_own_letters(send_by):
    outcome, (request,) = send_by("form_key", (200, ACCEPTED["form_key"]))
    assert (outcome.kind, outcome.provider_reference) == (OutcomeKind.SENT, "77")
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"sur:c/lave").decode()
    assert b"numero=987654321" in request.body
    assert "José".encode("latin-1").hex() in bytes.fromhex("4a6f73e9").hex()
    assert b"Jos%E9" in request.body
    assert b"%BFPag%F2%3F" not in request.body, "ó becomes o, not ò"
    assert b"%BFPago%3F" in request.body


def test_a_letter_that_the_gateway_cannot_write_fails_before_anything_leaves(send_message, message):
    outcome, requests = send_message(
        ADAPTER,
        lambda url: dataclasses.replace(
            config("form_key"),
            settings={
                "document": document("form_key", url).replace("letters: gsm", "letters: unicode"),
                "sender": "SUR",
            },
        ),
        message(text="Debe 10 €"),
        (200, ACCEPTED["form_key"]),
    )
    assert (outcome.kind, outcome.answer) == (OutcomeKind.FAILED, "not writable in latin-1: €")
    assert requests == []


def test_a_gateway_keeps_nothing_back_past_the_hours_in_which_it_may_arrive(send_by):
    bodies = [
        send_by("form_key", (200, ACCEPTED["form_key"]), expires_at=expires)[1][0].body
        for expires in (None, RECEIVED + timedelta(hours=2), RECEIVED + timedelta(seconds=80))
    ]
    assert [dict(parse_qsl(body.decode("latin-1")))["validez"] for body in bodies] == ["600", "118", "1"]


def test_a_gateway_that_takes_an_instant_is_told_the_hour_itself(send_message, message):
    def until(url):
        whole = document("form_key", url).replace("{valid_minutes}", "{valid_until}")
        return dataclasses.replace(config("form_key"), settings={"document": whole, "sender": "BANCOSUR"})

    bodies = [
        send_message(ADAPTER, until, message(expires_at=expires), (200, ACCEPTED["form_key"]))[1][0].body.decode(
            "latin-1"
        )
        for expires in (None, RECEIVED + timedelta(hours=2), RECEIVED + timedelta(seconds=80))
    ]
    expected = ["2026-11-24T01:00:00Z", "2026-11-23T17:00:00Z", "2026-11-23T15:01:20Z"]
    assert [dict(parse_qsl(body))["validez"] for body in bodies] == expected


def test_an_old_gateway_is_asked_by_its_address(send_by):
    outcome, (request,) = send_by("query_text", (200, ACCEPTED["query_text"]))
    assert (outcome.kind, outcome.provider_reference) == (OutcomeKind.SENT, "4711")
    assert request.method == "GET"
    assert request.query["user"] == "sur"
    assert request.query["dst"] == "51987654321"
    assert request.body == b""


def test_what_a_text_says_is_never_taken_for_a_placeholder(send_by):
    _, (request,) = send_by("json_bearer", (200, ACCEPTED["json_bearer"]), text='{token} "{to}" \\ {password}')
    assert request.json["messages"][0]["text"] == '{token} "{to}" \\ {password}'


@pytest.mark.parametrize("trouble", [RESET, HALF, HANG, BREAK_HEAD])
@pytest.mark.parametrize("name", ["json_bearer", "query_text"])
def test_what_may_have_arrived_is_uncertain_and_asked_once(send_by, name, trouble):
    outcome, requests = send_by(name, trouble)
    assert outcome.kind is OutcomeKind.UNCERTAIN
    assert len(requests) == 1, "not even a GET is repeated behind our back"


@pytest.mark.parametrize("trouble", [RESET, HALF, HANG, BREAK_HEAD])
def test_a_gateway_that_knows_repeats_is_asked_again_at_once_and_never_another_one(send_by, trouble):
    outcome, requests = send_by("form_key", trouble)
    assert outcome.kind is OutcomeKind.UNCERTAIN, "a message that is put off may leave by another provider"
    assert len(requests) == 3


def test_nobody_there_is_tried_later(send_message, message):
    outcome, requests = send_message(ADAPTER, lambda _: config("json_bearer", closed_port()), message(), (200, {}))
    assert (outcome.kind, outcome.unreachable) == (OutcomeKind.RETRY, True)
    assert not requests


@pytest.mark.parametrize(
    ("name", "answer", "meaning"),
    [
        ("json_bearer", (400, {"error": {"code": "INVALID_DESTINATION"}}), (OutcomeKind.FAILED, Bounce.HARD, False)),
        ("json_bearer", (400, {"error": {"code": "REJECTED_CONTENT"}}), (OutcomeKind.FAILED, None, False)),
        ("json_bearer", (400, {"error": {"code": "NEW_CODE"}}), (OutcomeKind.FAILED, None, False)),
        ("json_bearer", (402, {"error": {"code": "NO_CREDIT"}}), (OutcomeKind.RETRY, None, True)),
        ("json_bearer", (401, {"error": {"code": "UNAUTHORIZED"}}), (OutcomeKind.RETRY, None, True)),
        ("json_bearer", (404, b"<html>moved</html>"), (OutcomeKind.RETRY, None, True)),
        ("json_bearer", (307, b"", {"Location": "https://elsewhere.example/"}), (OutcomeKind.RETRY, None, True)),
        ("json_bearer", (500, b"oops"), (OutcomeKind.UNCERTAIN, None, False)),
        ("json_bearer", (502, b"oops"), (OutcomeKind.UNCERTAIN, None, False)),
        ("form_key", (500, b"oops"), (OutcomeKind.RETRY, None, True)),
        ("form_key", (200, {"codigo": 12}), (OutcomeKind.FAILED, Bounce.HARD, False)),
        ("form_key", (200, {"codigo": 9}), (OutcomeKind.RETRY, None, True)),
        ("form_key", (200, {"codigo": 55}), (OutcomeKind.FAILED, None, False)),
        ("query_text", (200, b"ERR 5"), (OutcomeKind.FAILED, None, False)),
        ("query_text", (200, b"<html>maintenance</html>"), (OutcomeKind.UNCERTAIN, None, False)),
    ],
)
def test_what_an_answer_means(send_by, name, answer, meaning):
    outcome, _ = send_by(name, answer)
    assert (outcome.kind, outcome.bounce, outcome.unreachable) == meaning, outcome.answer


def test_the_gateway_says_how_long_to_wait(send_by):
    outcome, _ = send_by("json_bearer", (429, {}, {"Retry-After": "17"}))
    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.RETRY, 17.0)
    dates = {"Date": "Mon, 23 Nov 2026 15:00:00 GMT", "Retry-After": "Mon, 23 Nov 2026 15:01:30 GMT"}
    assert send_by("json_bearer", (429, {}, dates))[0].retry_after == 90.0


def test_in_demonstration_mode_nothing_leaves_the_machine(settings):
    settings.DEMO = True

    async def opened():
        async with ADAPTER.open_sender(config("json_bearer")):
            pass

    with pytest.raises(Unsuitable):
        asyncio.run(opened())
    said = ADAPTER.find_problems(config("json_bearer"))["document"]
    assert "demonstration" in said
    assert ".." not in said


def faults(text):
    with pytest.raises(DocumentError) as refusal:
        read_gateway(text)
    return refusal.value.faults


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_examples_can_be_saved_as_they_are(name):
    assert ADAPTER.find_problems(config(name)) == {}


@pytest.mark.parametrize(
    ("wrong", "line", "words"),
    [
        ("method: POST => method: PUT", 4, "one of: POST, GET"),
        ("body: json => body: xml", 8, "one of: json, form, query"),
        ('text: "{text}" => text: "{texto}"', 9, "a field with {text}"),
        ('Authorization: "Bearer {token}" => Authorization: "Bearer {llave}"', 7, "one of the placeholders"),
        ("accepted: [200, 201, 202] => accepted: [ok]", 20, "a whole number from 100 to 599"),
        ("id: messages.0.messageId => id: messages[0]", 21, "a path such as"),
        ("error: error.code => fehler: error.code", 22, "one of: accepted, id, error"),
        ("https://api.gateway.example/sms/2/text => http://api.gateway.example/", 5, "https://"),
        ("kind: hmac => kind: magic", 27, "one of: hmac, header, query, basic"),
        ("  status: status.name => ", 31, "a path such as"),
        ("    delivered: [DELIVERED] => \tdelivered: [x]", 38, "YAML"),
        ("name: JSON => name: &a JSON", 2, "anchors"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_was_expected(wrong, line, words):
    before, after = wrong.split(" => ")
    text = document("json_bearer")
    assert before in text
    found = faults(text.replace(before, after, 1))
    assert any(words in fault.expected.en and abs(fault.line - line) <= 1 for fault in found), found


def test_all_faults_are_told_at_once():
    text = "name: x\nrequest: {method: PUT, url: ftp://x, body: xml, fields: {}}\nanswer: {accepted: [1]}\n"
    assert len(faults(text)) >= 5


@pytest.mark.parametrize("text", ["", "[]", "a: " + "[" * 5000, "x" * 30_000, "- &a [*a]", "\x00", "- " * 9000])
def test_nonsense_is_refused_not_raised(text):
    assert faults(text)


def test_a_secret_that_the_document_needs_must_be_given():
    bare = Config(provider_id=1, code="gw", settings={"document": document("form_key")})
    assert set(ADAPTER.find_problems(bare)) == {"user", "password", "sender", "webhook_secret"}


def call(body=b"", *, method="POST", url="https://cobros.example/api/webhooks/gw/", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebhookRequest(method=method, url=url, headers=named, body=body, received_at=RECEIVED)


def signed(content):
    body = json.dumps(content).encode()
    return call(body, x_signature=hmac.new(b"shh", body, hashlib.sha256).hexdigest())


RECEIPTS = {
    "results": [
        {"messageId": str(PUBLIC_ID), "status": {"name": "DELIVERED"}, "doneAt": "2026-11-23T09:59:00-05:00"},
        {"messageId": str(PUBLIC_ID), "status": {"name": "UNKNOWN_SUBSCRIBER", "errorCode": 6}, "doneAt": "?"},
        {"messageId": str(PUBLIC_ID), "status": {"name": "A_NEW_WORD"}},
        {
            "inboundId": "i-9",
            "from": "51987654321",
            "to": "51100",
            "text": "BAJA",
            "receivedAt": "2026-11-23T14:00:00Z",
        },
        None,
        "x",
        7,
        [],
    ]
}


def test_receipts_and_replies_are_read():
    events = ADAPTER.read_events(signed(RECEIPTS), config("json_bearer"))
    delivered, bounced, reply = (event for event in events if not isinstance(event, UnusedEvent))
    names = [event.name for event in events if isinstance(event, UnusedEvent)]
    assert names == ["status:A_NEW_WORD", *["unknown_item"] * 4]
    assert (delivered.kind, delivered.public_id) == ("DELIVERED", PUBLIC_ID)
    assert delivered.at == datetime(2026, 11, 23, 14, 59, tzinfo=UTC)
    assert (bounced.kind, bounced.permanent, bounced.at) == ("BOUNCED", True, RECEIVED)
    assert bounced.detail == {"status": "UNKNOWN_SUBSCRIBER", "error": "6"}
    assert (reply.address, reply.to, reply.text, reply.provider_reference) == ("+51987654321", "+51100", "BAJA", "i-9")
    again = ADAPTER.read_events(signed(RECEIPTS), config("json_bearer"))
    assert [event.event_key for event in again if not isinstance(event, UnusedEvent)] == [
        delivered.event_key,
        bounced.event_key,
        reply.event_key,
    ]


def test_only_the_gateways_own_calls_are_believed():
    good = signed(RECEIPTS)
    ADAPTER.verify_call(good, config("json_bearer"))
    for place in range(len(good.body)):
        changed = bytearray(good.body)
        changed[place] ^= 1
        with pytest.raises(ForgedCall):
            ADAPTER.verify_call(
                call(bytes(changed), **{"x-signature": good.headers["x-signature"]}), config("json_bearer")
            )
    with pytest.raises(ForgedCall):
        ADAPTER.verify_call(call(good.body), config("json_bearer"))


def test_where_the_body_is_signed_the_address_tells_nothing():
    good = signed({"results": [RECEIPTS["results"][0]]})
    forged = dataclasses.replace(good, method="GET", url=f"{good.url}?messageId={PUBLIC_ID}&text=BAJA")
    ADAPTER.verify_call(forged, config("json_bearer"))
    assert ADAPTER.read_events(forged, config("json_bearer")) == ADAPTER.read_events(good, config("json_bearer")) != []


def test_a_call_without_a_body_cannot_be_signed():
    empty = hmac.new(b"shh", b"", hashlib.sha256).hexdigest()
    with pytest.raises(ForgedCall):
        ADAPTER.verify_call(call(b"", method="GET", **{"x-signature": empty}), config("json_bearer"))


def test_a_header_or_a_parameter_may_carry_the_secret():
    ADAPTER.verify_call(call(b"{}", x_clave="shh"), config("form_key"))
    ADAPTER.verify_call(call(method="GET", url="https://c.example/gw/?token=shh"), config("query_text"))
    for forged in (call(b"{}", x_clave="shh "), call(b"{}")):
        with pytest.raises(ForgedCall):
            ADAPTER.verify_call(forged, config("form_key"))
    with pytest.raises(ForgedCall):
        ADAPTER.verify_call(call(method="GET", url="https://c.example/gw/?token="), config("query_text"))


def test_an_old_gateways_hour_is_its_own_zones():
    url = "https://c.example/gw/?token=shh&msgid=4711&dlr=DELIVRD&when=2026-11-23+08:30:00"
    (event,) = ADAPTER.read_events(call(method="GET", url=url), config("query_text"))
    assert (event.kind, event.provider_reference) == ("DELIVERED", "4711")
    assert event.at == datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
    assert ADAPTER.build_response(call(), config("query_text")) == ("text/plain; charset=utf-8", b"1")


def test_spanish_in_the_gsm_alphabet():
    assert to_gsm_alphabet("¿Señor Núñez, pagó él «ya»? 100 € … 😀") == '¿Señor Nuñez, pago él "ya"? 100 € ... ?'
    assert to_gsm_alphabet("Jose\u0301") == "José"


def test_the_test_button_reaches_the_gateway_and_nobody_else():
    assert not asyncio.run(ADAPTER.check_settings(config("json_bearer", closed_port()))).ok
