"""What the providers' answers mean for a message, and that nothing is asked for twice."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from recobra.messaging import channels
from recobra.messaging.channels import ADAPTERS, codes, http
from recobra.messaging.channels.adapter import Media, Unsuitable
from recobra.messaging.channels.base import Bounce, Button, OutcomeKind, TemplateCall
from recobra.messaging.channels.whatsapp import templates
from recobra.messaging.channels.whatsapp.client import MessageUnsuitable, build_body

from . import settings as accounts
from .conftest import PUBLIC_ID
from .peer import BREAK_HEAD, HALF, HANG, RESET, closed_port, open_peer

ACCOUNTS = {
    "sendgrid": accounts.sendgrid,
    "twilio_sms": accounts.twilio,
    "twilio_voice": accounts.twilio,
    "whatsapp": accounts.whatsapp,
}
CHANNELS = Path(channels.__file__).parent
ACCEPTED = {
    "sendgrid": (202, b"", {"X-Message-Id": "m-1"}),
    "twilio_sms": (201, {"sid": "SM1"}),
    "twilio_voice": (201, {"sid": "CA1"}),
    "whatsapp": (200, {"messages": [{"id": "wamid.1"}]}),
}
REFERENCES = {"sendgrid": "m-1", "twilio_sms": "SM1", "twilio_voice": "CA1", "whatsapp": "wamid.1"}


def fitting(kind):
    """What a message needs to leave by a kind of provider."""
    return {"address": "jose@correo.example"} if ADAPTERS[kind].channel == "email" else {"in_window": True}


@pytest.fixture
def send_by(send_message, message):
    """Send by a kind of provider that answers so."""

    def send(kind, *answers, **changes):
        return send_message(ADAPTERS[kind], ACCOUNTS[kind], message(**{**fitting(kind), **changes}), *answers)

    return send


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_a_message_that_was_taken_carries_the_providers_id(send_by, kind):
    outcome, requests = send_by(kind, ACCEPTED[kind])
    assert outcome.kind is OutcomeKind.SENT
    assert outcome.provider_reference == REFERENCES[kind]
    assert str(PUBLIC_ID) in requests[0].body.decode(), "the contact can be told from what the provider gives back"


@pytest.mark.parametrize(("left", "kept"), [(timedelta(hours=3), 10_700), (timedelta(seconds=80), 10), (None, 36_000)])
def test_twilio_keeps_no_sms_back_past_the_hours_in_which_it_may_arrive(send_by, message, left, kept):
    _, (request,) = send_by("twilio_sms", ACCEPTED["twilio_sms"], expires_at=left and message().date + left)
    assert dict(parse_qsl(request.body.decode()))["ValidityPeriod"] == str(kept)


@pytest.mark.parametrize("trouble", [RESET, HALF, HANG, BREAK_HEAD, (500, b"oops"), (502, b""), (504, b"")])
@pytest.mark.parametrize("kind", ACCOUNTS)
def test_what_may_have_arrived_is_uncertain_and_asked_once(send_by, kind, trouble):
    outcome, requests = send_by(kind, trouble)
    assert outcome.kind is OutcomeKind.UNCERTAIN
    assert len(requests) == 1


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_nobody_there_is_tried_later(send_message, message, kind):
    unreachable = ACCOUNTS[kind](closed_port())
    outcome, _ = send_message(ADAPTERS[kind], lambda _: unreachable, message(**fitting(kind)), (200, {}))
    assert (outcome.kind, outcome.unreachable) == (OutcomeKind.RETRY, True)


@pytest.mark.usefixtures("short_patience")
@pytest.mark.parametrize("kind", ACCOUNTS)
def test_a_handshake_that_fails_reached_nobody(message, kind):
    async def run():
        async with open_peer((200, {})) as peer:  # speaks no TLS
            config = ACCOUNTS[kind](peer.url.replace("http:", "https:"))
            async with ADAPTERS[kind].open_sender(config) as sender:
                return await sender.send(message(address="j@correo.example", in_window=True)), peer.requests

    outcome, requests = asyncio.run(run())
    assert (outcome.kind, outcome.unreachable, requests) == (OutcomeKind.RETRY, True, [])


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_too_many_is_put_off_for_as_long_as_the_provider_says(send_by, kind):
    outcome, _ = send_by(kind, (429, {"errors": []}, {"Retry-After": "3"}))
    assert (outcome.kind, outcome.retry_after, outcome.unreachable) == (OutcomeKind.RETRY, 3.0, True)


@pytest.mark.parametrize("status", [401, 403, 404, 302])
@pytest.mark.parametrize("kind", ACCOUNTS)
def test_wrong_settings_cost_no_message(send_by, kind, status):
    outcome, requests = send_by(kind, (status, {}, {"Location": "http://127.0.0.1:9/"}))
    assert (outcome.kind, outcome.unreachable) == (OutcomeKind.RETRY, True)
    assert len(requests) == 1


REFUSALS = [
    ("sendgrid", 400, {"errors": [{"field": "personalizations.0.to.0.email", "message": "not valid"}]}, "hard"),
    ("sendgrid", 400, {"errors": [{"field": "subject", "message": "required"}]}, "refused"),
    ("sendgrid", 413, {"errors": []}, "refused"),
    ("twilio_sms", 400, {"code": 21211, "message": "Invalid 'To'"}, "hard"),
    ("twilio_sms", 400, {"code": 21614, "message": "not a mobile"}, "unusable"),
    ("twilio_sms", 400, {"code": 21610, "message": "unsubscribed"}, "unusable"),
    ("twilio_sms", 400, {"code": 21617, "message": "too long"}, "refused"),
    ("twilio_sms", 400, {"code": 99999, "message": "new"}, "refused"),
    ("twilio_sms", 400, {"code": 21606, "message": "From"}, "down"),
    ("twilio_sms", 400, {"code": 21408, "message": "region"}, "down"),
    ("twilio_voice", 400, {"code": 21217, "message": "To"}, "hard"),
    ("whatsapp", 400, {"error": {"code": 131026}}, "unusable"),
    ("whatsapp", 400, {"error": {"code": 131047}}, "refused"),
    ("whatsapp", 400, {"error": {"code": 130472}}, "refused"),
    ("whatsapp", 400, {"error": {"code": 131056}}, "later"),
    ("whatsapp", 400, {"error": {"code": 80007}}, "down"),
    ("whatsapp", 400, {"error": {"code": 130429}}, "down"),
    ("whatsapp", 401, {"error": {"code": 190}}, "down"),
    ("whatsapp", 403, {"error": {"code": 294}}, "down"),
    ("whatsapp", 400, {"error": {"code": 131000}}, "doubt"),
    ("whatsapp", 400, {"error": {"code": 987654}}, "refused"),
    ("whatsapp", 400, b"not json", "refused"),
]
OUTCOMES = {
    "hard": (OutcomeKind.FAILED, Bounce.HARD, False, False),
    "unusable": (OutcomeKind.FAILED, None, True, False),
    "refused": (OutcomeKind.FAILED, None, False, False),
    "later": (OutcomeKind.RETRY, None, False, False),
    "down": (OutcomeKind.RETRY, None, False, True),
    "doubt": (OutcomeKind.UNCERTAIN, None, False, False),
}


@pytest.mark.parametrize(("kind", "status", "content", "meaning"), REFUSALS)
def test_the_providers_codes_say_what_is_over_and_what_is_not(send_by, kind, status, content, meaning):
    outcome, _ = send_by(kind, (status, content))
    assert (outcome.kind, outcome.bounce, outcome.unusable, outcome.unreachable) == OUTCOMES[meaning], outcome.answer


@pytest.mark.parametrize("path", sorted(CHANNELS.glob("*/errors.yaml")), ids=lambda path: path.parent.name)
def test_every_code_has_one_meaning(path):
    listed = re.findall(r"^    (\d+):", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(listed) == len(set(listed)) == len(codes.load_meanings(path))


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_in_demonstration_mode_nothing_leaves_the_machine(settings, kind):
    settings.DEMO = True
    adapter, config = ADAPTERS[kind], ACCOUNTS[kind]()

    async def opened():
        async with adapter.open_sender(config):
            pass

    with pytest.raises(Unsuitable, match="leaves the machine"):
        asyncio.run(opened())
    assert "base_url" in adapter.find_problems(config)
    assert not asyncio.run(adapter.check_settings(config)).ok


@pytest.mark.parametrize("address", ["http://api.example.com", "ftp://x", "api.example.com", "https://", ""])
def test_private_words_travel_by_https_only(settings, address):
    settings.DEMO = False
    with pytest.raises(Unsuitable):
        http.validate_base_url(address)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("twilio_sms", {"account_sid": "AC1"}),
        ("twilio_sms", {"from_number": ""}),
        ("twilio_sms", {"from_number": "51155"}),
        ("twilio_sms", {"messaging_service_sid": "MG1"}),
        ("twilio_voice", {"from_number": ""}),
        ("twilio_voice", {"person_number": "anexo 12"}),
        ("sendgrid", {"mail_from": "Cobranzas"}),
        ("sendgrid", {"webhook_key": "abc"}),
        ("whatsapp", {"phone_number_id": "+5199"}),
        ("whatsapp", {"account_id": ""}),
    ],
)
def test_wrong_settings_are_told_by_field(kind, wrong):
    config = ACCOUNTS[kind]("http://127.0.0.1:9", **wrong)
    assert set(ADAPTERS[kind].find_problems(config)) == set(wrong)
    assert ADAPTERS[kind].find_problems(ACCOUNTS[kind]("http://127.0.0.1:9")) == {}


def test_secrets_are_not_shown_by_a_configuration():
    assert "12345" not in repr(accounts.twilio())


def test_outside_the_window_whatsapp_takes_registered_templates_only(send_by, message):
    outcome, requests = send_by("whatsapp", ACCEPTED["whatsapp"], in_window=False)
    assert (outcome.kind, requests) == (OutcomeKind.FAILED, [])
    call = TemplateCall(name="aviso", language="es-MX", parameters=("José\n  Pérez", ""))
    _, (request,) = send_by("whatsapp", ACCEPTED["whatsapp"], in_window=False, template=call)
    assert request.json["template"]["language"] == {"policy": "deterministic", "code": "es_MX"}
    (filled,) = request.json["template"]["components"]
    assert [value["text"] for value in filled["parameters"]] == ["José Pérez", "-"]
    assert request.json["to"] == "51987654321"
    assert request.json["biz_opaque_callback_data"] == str(PUBLIC_ID)


def test_up_to_three_choices_are_buttons_and_up_to_ten_a_list(message):
    def shown(*titles):
        buttons = tuple(Button(code=f"b{n}", title=title) for n, title in enumerate(titles))
        return build_body(message(in_window=True, buttons=buttons))["interactive"]

    assert shown("Pagar", "Ayuda")["type"] == "button"
    assert shown("Un título que no cabe en un botón")["type"] == "list"
    (section,) = shown(*("Opción",) * 10)["action"]["sections"]
    assert len(section["rows"]) == 10
    (row,) = shown("Un título que no cabe en un renglón")["action"]["sections"][0]["rows"]
    assert len(row["title"]) <= 24
    assert row["description"] == "Un título que no cabe en un renglón"
    with pytest.raises(MessageUnsuitable):
        shown(*("Opción",) * 11)
    with pytest.raises(MessageUnsuitable):
        build_body(message(in_window=True, text="x" * 1025, buttons=(Button(code="a", title="b"),)))
    with pytest.raises(MessageUnsuitable):
        build_body(message(in_window=True, text=""))


def test_mail_carries_the_link_that_stops_it(send_by):
    _, (request,) = send_by("sendgrid", ACCEPTED["sendgrid"])
    written = request.json
    assert written["headers"]["List-Unsubscribe"].startswith("<http")
    assert written["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert written["personalizations"][0]["custom_args"] == {"recobra_contact": str(PUBLIC_ID)}
    assert written["from"] == {"email": "avisos@bancosur.example", "name": "Cobranzas Banco Sur"}
    assert written["tracking_settings"]["click_tracking"]["enable"] is False


def test_a_call_shows_the_companys_number_and_lets_machines_be_told(send_by):
    _, (request,) = send_by("twilio_voice", ACCEPTED["twilio_voice"])
    assert request.form["From"] == "+5115550100"
    assert request.form["MachineDetection"] == "Enable"
    assert "/api/voice/tw/" in request.form["Url"]
    assert request.form["StatusCallback"] == f"https://cobros.example/api/webhooks/tw/?contact={PUBLIC_ID}"


def test_a_file_is_fetched_from_meta_alone_and_only_so_large():
    picture = Media(media_id="77", media_type="image/jpeg")

    async def fetch(*answers, max_bytes=100):
        async with open_peer(*answers) as peer:
            peer.answers = [
                (s, {k: v.replace("HERE", peer.url) for k, v in c.items()}) if isinstance(c, dict) else (s, c)
                for s, c in answers
            ]
            config = accounts.whatsapp(peer.url)
            return await ADAPTERS["whatsapp"].fetch_media(picture, config, max_bytes=max_bytes), peer.requests

    content, requests = asyncio.run(fetch((200, {"url": "HERE/file", "file_size": "5"}), (200, b"bytes")))
    assert content == b"bytes"
    assert [request.target for request in requests] == ["/v23.0/77", "/file"]
    assert all(request.headers["authorization"] == "Bearer EAAB" for request in requests)
    for answers in (
        [(200, {"url": "HERE/file", "file_size": "500"}), (200, b"bytes")],
        [(200, {"url": "HERE/file"}), (200, b"x" * 101)],
        [(200, {"url": "https://thief.example/file"}), (200, b"bytes")],
        [(404, {"error": "gone"}), (200, b"bytes")],
        [(200, {"url": "HERE/file"}), (410, b"gone")],
    ):
        with pytest.raises(Unsuitable):
            asyncio.run(fetch(*answers))
    with pytest.raises(Unsuitable):
        asyncio.run(
            ADAPTERS["whatsapp"].fetch_media(Media(media_id="../me", media_type=""), accounts.whatsapp(), max_bytes=1)
        )


def test_a_file_of_twilios_is_followed_to_its_store_without_the_token(message):
    async def run():
        async with open_peer((200, b"picture")) as store, open_peer((307, b"", {"Location": f"{store.url}/x"})) as peer:
            media = Media(media_id=f"{peer.url}/2010-04-01/Media/ME1", media_type="image/png")
            return await ADAPTERS["twilio_sms"].fetch_media(
                media, accounts.twilio(peer.url), max_bytes=99
            ), store.requests

    content, (request,) = asyncio.run(run())
    assert content == b"picture"
    assert "authorization" not in request.headers
    elsewhere = Media(media_id="http://127.0.0.1:9/ME1", media_type="image/png")
    with pytest.raises(Unsuitable):
        asyncio.run(ADAPTERS["twilio_sms"].fetch_media(elsewhere, accounts.twilio("http://127.0.0.1:8"), max_bytes=99))


def test_metas_pages_of_templates_are_followed_on_its_own_address_only():
    def page(name, following):
        return 200, {
            "data": [
                {"id": "1", "name": name, "language": "es", "status": "REJECTED", "rejected_reason": "PROMOTIONAL"}
            ],
            "paging": {"next": following},
        }

    async def run():
        async with open_peer((200, {})) as peer:
            peer.answers = [page("uno", f"{peer.url}/next"), page("dos", "https://thief.example/next"), page("no", "")]
            return await templates.list_templates(accounts.whatsapp(peer.url))

    listed = asyncio.run(run())
    assert [(template.name, template.status, template.reason) for template in listed] == [
        ("uno", "REJECTED", "PROMOTIONAL"),
        ("dos", "REJECTED", "PROMOTIONAL"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "examples"), [("Aviso", "x", []), ("aviso", "Hola {{1}}", []), ("aviso", "x", ["y"])]
)
def test_what_meta_would_refuse_is_not_even_asked(name, text, examples):
    with pytest.raises(Unsuitable):
        asyncio.run(
            templates.submit_template(accounts.whatsapp(), name=name, language="es", text=text, examples=examples)
        )


def test_twilio_is_asked_by_its_own_id_whether_a_message_arrived():
    async def ask(*answers, reference="SM1"):
        async with open_peer(*answers) as peer:
            config = accounts.twilio(peer.url)
            return await ADAPTERS["twilio_sms"].was_received(PUBLIC_ID, reference, config)

    assert asyncio.run(ask((200, {"status": "delivered"}))) is True
    assert asyncio.run(ask((200, {"status": "failed"}))) is False
    assert asyncio.run(ask((500, {}))) is None
    assert asyncio.run(ask(RESET)) is None
    assert asyncio.run(ask((200, {"status": "delivered"}), reference="")) is None
