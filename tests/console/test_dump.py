"""A dump of an installation in which people have worked shows no secret, no live link, no token and no account."""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
import hmac
import json
import re
import subprocess
import tempfile
import zlib
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client

from recobra.access import password_links
from recobra.access.models import Session
from recobra.access.session_store import SessionStore, digest
from recobra.approvals.models import Approval, SecondPersonRule
from recobra.consent.models import ConsentEntry
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.kit import key_rotation, keys, pg_client
from recobra.messaging import tokens
from recobra.messaging.models import Contact, Letter, MailboxMessage, Provider, Template, WebhookCall
from tests.api.conftest import sample
from tests.messaging.smtp_sink import Sink
from tests.worlds import World

from .test_account import come_in
from .test_creditors import details
from .test_second_factor import set_up_totp
from .test_users import invite

pytestmark = pytest.mark.django_db(transaction=True)
MORNING = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
IN_FORCE = "191-7700112233-0-44"
PROPOSED = "191-3300998877-0-12"
TYPED = "191-5566778899-0-31"
DEBTORS_OWN = "193-1122334455-0-77"
SHARED = "firma-compartida-8841"
GATEWAY_KEY = "clave-de-puerta-5512"
PASSWORD = "gatos-azules-99-lunares"
LINE = "+972987654321"  # the number of the samples
WORDS = (
    "{{ acreedor }}: su deuda vencida es {{ total_vencido }}. Cómo pagar: {{ como_pagar }} "
    "Vea {{ enlace_detalle }} Reclamos: {{ como_reclamar }} {{ como_parar }} "
    "No recibir más: {{ enlace_baja }}"
)

PEOPLE = "Names, numbers and what people owe: plain, so that they can be searched (ADR 42)."
COMPANY = "What the company sets and writes about its work: codes, names, rules, reasons."
FIGURES = "Codes, counts and instants of the product's own work."
LIBRARY = "Tables of libraries: names of rights and tasks, arguments that are ids."
HASHED = "A digest is kept in the place of what lets somebody in."
ENCRYPTED = (
    "What people and providers say in words, and what opens a door, is encrypted; the rest are codes and numbers."
)
JOURNAL = "Typed facts without secrets (tests/house/test_secret_columns.py), digests and signatures."
TABLES = {
    PEOPLE: """access_user intake_rejectedrow portfolio_account portfolio_contactpoint portfolio_debtor portfolio_hold
        portfolio_debtorjoin portfolio_debtorpair portfolio_instalment portfolio_legaldecision payments_payment workbench_task workbench_visit consent_silence
        compliance_incident compliance_personrequest agreements_promise sign_on_identity""",
    COMPANY: """access_companyrole access_team access_scope access_notice access_savedview approvals_secondpersonrule
        portfolio_portfolio intake_mapping policy_houserule policy_portfoliopolicy strategy_strategyversion
        strategy_assignment strategy_campaign strategy_savedgroup compliance_retentionperiod compliance_breachcost
        payments_paymentmapping""",
    FIGURES: """intake_load intake_loadwarning portfolio_debtorsurvey portfolio_joinedrow portfolio_party portfolio_posting strategy_accountstate strategy_statebefore strategy_firing
        strategy_cyclerun strategy_cyclestep strategy_kpiday strategy_alarm strategy_campaignmember
        compliance_sealdelivery compliance_closing compliance_erasedclass installation_backuprun
        installation_encryptionpass messaging_letterbatch messaging_receipt conversations_attachment
        conversations_identityattempt access_attemptlimit messaging_sendingstop
        messaging_replymailbox messaging_templateregistration""",
    LIBRARY: """auth_group auth_permission django_content_type django_migrations procrastinate_jobs
        procrastinate_periodic_defers account_emailaddress account_emailconfirmation""",
    HASHED: "access_passwordlink access_session",
    ENCRYPTED: """approvals_approval consent_addresskey consent_consententry conversations_cannedanswer
        conversations_conversation conversations_conversationmessage messaging_contact messaging_letter
        messaging_mailboxmessage messaging_provider messaging_template messaging_webhookcall mfa_authenticator
        portfolio_creditor portfolio_debtornote sign_on_identityprovider""",
    JOURNAL: "journal_entry journal_seal",
}
"""Every table with texts, and why its texts may be in a dump. Partitions count as their table."""


@pytest.fixture
def office(company, clock_at):
    clock_at(MORNING)
    world = World(company, MORNING)
    for channel in ("email", "letter"):
        Template.objects.create(
            code="cobro",
            channel=channel,
            name="Cobro",
            subject="Su cuenta",
            text=f"{WORDS} También {TYPED}.",
            html=f"<p>{WORDS} También {TYPED}.</p>",
            version=1,
            status="APPROVED",
            created_at=MORNING,
            created_by="carla",
        )
    return world


def set_where_to_pay(at_desk, company, account, *, approves):
    page = at_desk("dario").post(
        f"/acreedores/{company.creditor_id}/", details(payment_instructions=f"Cuenta {account}"), follow=True
    )
    assert page.status_code == 200
    if approves:
        waiting = Approval.objects.get(decision="WAITING")
        assert at_desk("carla").post(f"/aprobaciones/{waiting.pk}/aprobar/").status_code == 302
        company.creditor.refresh_from_db()
        assert account in company.creditor.payment_instructions


def call_by_whatsapp(text, number):
    """Let WhatsApp report a message of a debtor's, signed as Meta signs."""
    call = copy.deepcopy(sample("message", "text"))
    message = call["entry"][0]["changes"][0]["value"]["messages"][0]
    message["text"]["body"], message["id"] = text, f"wamid.{number}"
    body = json.dumps(call).encode()
    signed = "sha256=" + hmac.new(SHARED.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signed}
    answer = Client().post("/api/webhooks/wa/", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200


def add_provider(code, kind, channel, settings, secrets):
    Provider.objects.create(
        code=code,
        kind=kind,
        channel=channel,
        name=code,
        settings=settings,
        secrets=secrets,
        enabled=True,
        created_at=MORNING,
        created_by="dario",
    )


def write_to_debtors(office, mail, settings):
    """Let a mail with a link and a letter leave; return the mail's contact and the tokens of its links."""
    settings.SMTP_URL = mail.url
    debtor = office.debtor(national_id="45678912", national_id_kind="DNI")
    office.owes(debtor)
    contact = office.planned(debtor, template_code="cobro")
    assert office.dispatch()["sent"] == 1
    on_paper = office.debtor(name="Luis Paz", national_id="45678913", national_id_kind="DNI")
    on_paper.points.update(kind="ADDRESS", value="Av. Los Próceres 1250, Urb. San Martín, 15046 Lima")
    office.owes(on_paper)
    office.planned(on_paper, template_code="cobro", channel="letter")
    add_provider("papel", "letters", "letter", {"return_address": "Jr. Uno 1, Lima"}, {})
    settings.DEMO = False  # where the mailbox stands for every way of sending
    assert office.dispatch()["sent"] == 1, list(Contact.objects.values_list("status", "reason", "article"))
    settings.DEMO = True
    contact.refresh_from_db()
    assert IN_FORCE in contact.body
    assert TYPED in contact.html
    assert IN_FORCE in json.dumps(Letter.objects.get().content)
    stop = re.search(r"/d/baja/([0-9a-f]{32}:[\w-]+)", contact.body)[1]
    statement = re.search(r"/d/estado/([\w-]{20})", contact.body)[1]
    assert tokens.read_unsubscribe_token(stop) == contact.public_id
    assert tokens.read_statement_token(statement) == contact.pk
    (raw,) = mail.contents
    MailboxMessage.objects.create(
        received_at=MORNING, contact_public_id=str(contact.public_id), sender="a", recipients="b", subject="c", raw=raw
    )
    return contact, stop, statement


def talk(at_desk, office, links):
    """Let debtors write, quoting their links, and people answer, take notes and keep ready answers."""
    add_provider(
        "wa",
        "whatsapp",
        "whatsapp",
        {"phone_number_id": "1", "account_id": "2"},
        {"app_secret": SHARED, "access_token": GATEWAY_KEY, "verify_token": SHARED},
    )
    debtor = office.debtor(name="Rosa Quispe")
    debtor.points.update(kind="PHONE", value=LINE)
    office.owes(debtor)
    call_by_whatsapp(f"Pagué desde {DEBTORS_OWN}, vea {links[1]} y {links[0]}", 1)
    thread = Conversation.objects.get(debtor=debtor)
    carla = at_desk("carla")
    note = carla.post(f"/conversaciones/{thread.pk}/nota/", {"text": f"Dice que su cuenta es {DEBTORS_OWN}"})
    assert note.status_code == 302
    canned = {"title": "Cuenta", "text": f"La cuenta es {TYPED}"}
    assert carla.post("/conversaciones/respuestas/", canned).status_code == 302
    call_by_whatsapp(f"BAJA\n> {links[0]}\n> {DEBTORS_OWN}", 2)
    assert DEBTORS_OWN in " ".join(ConversationMessage.objects.get(direction="NOTE").text.split())
    assert WebhookCall.objects.count() == 2
    assert any(DEBTORS_OWN in bytes(call.body).decode() for call in WebhookCall.objects.all())


def dump():
    with tempfile.TemporaryFile() as errors:
        with pg_client.start("pg_dump", "--format=plain", errors=errors, stdout=subprocess.PIPE) as client:
            text = client.stdout.read().decode()
        errors.seek(0)
        assert client.returncode == 0, errors.read()
    return text


def read_all(text):
    """Return a dump with everything in it that needs no key to be read: hexadecimal, base64, deflated."""
    in_hex = re.findall(r"\\\\x((?:[0-9a-f]{2}){4,})", text)
    parts = [text, *(bytes.fromhex(found).decode("latin-1") for found in in_hex)]
    for word in set(re.findall(r"[A-Za-z0-9+/_-]{16,}", "\n".join(parts))):
        with_padding = word.replace("+", "-").replace("/", "_") + "=" * (-len(word) % 4)
        try:
            decoded = base64.urlsafe_b64decode(with_padding)
        except (binascii.Error, ValueError):
            continue
        parts.append(decoded.decode("latin-1"))
        try:
            parts.append(zlib.decompress(decoded).decode("latin-1"))
        except zlib.error:
            continue
    parts += [json.dumps(SessionStore().decode(data)) for data in Session.objects.values_list("data", flat=True)]
    return "\n".join(parts)


def find_doors(text):
    """Return the words of a text that open a door by themselves: links of debtors and of users, keys of sessions."""
    open_sessions = set(Session.objects.values_list("key_digest", flat=True))
    doors = []
    for word in set(re.findall(r"[\w:-]{20,200}", text)):
        if digest(word) in open_sessions or tokens.read_unsubscribe_token(word) or tokens.read_statement_token(word):
            doors.append(word)
            continue
        try:
            password_links.find_link(word, now=MORNING)
        except password_links.LinkRefused:
            continue
        doors.append(word)
    return doors


def test_a_dump_of_an_installation_at_work_shows_nothing_that_opens_a_door(office, cast, at_desk, company, settings):
    SecondPersonRule.objects.all().delete()
    settings.PUBLIC_URL = "https://cobros.example"
    set_where_to_pay(at_desk, company, IN_FORCE, approves=True)
    set_where_to_pay(at_desk, company, PROPOSED, approves=False)
    with Sink(faults={}) as mail:
        contact, stop, statement = write_to_debtors(office, mail, settings)
    talk(at_desk, office, [f"https://cobros.example/d/baja/{stop}", f"https://cobros.example/d/estado/{statement}"])
    add_provider("puerta", "twilio_sms", "sms", {"account_sid": "AC1"}, {"auth_token": GATEWAY_KEY})
    dario = at_desk("dario")
    invitation = invite(dario).removeprefix("/clave/").rstrip("/")
    used = invite(dario, username="luis")
    assert Client().post(used, {"password": PASSWORD, "again": PASSWORD}).status_code == 200
    ana = come_in()
    secret, recovery = set_up_totp(ana)
    planted = {
        "account in force": IN_FORCE,
        "account that waits for a second person": PROPOSED,
        "account typed into a template": TYPED,
        "account that a debtor wrote": DEBTORS_OWN,
        "secret of a webhook": SHARED,
        "key of a gateway": GATEWAY_KEY,
        "password": PASSWORD,
        "link that stops messages": stop,
        "link to the statement": statement,
        "link of an invitation": invitation,
        "secret of an authenticator": secret,
        "session": ana.cookies[settings.SESSION_COOKIE_NAME].value,
        **{f"recovery code {number}": code for number, code in enumerate(recovery)},
        **{f"data key {key.id}": base64.b64encode(key.secret).decode() for key in keys.read_key_ring().keys},
        **{f"key of links {number}": key for number, key in enumerate(keys.read_secret_keys())},
    }
    assert find_doors(" ".join(planted.values())) != [], "the search knows a door when it sees one"
    assert len(find_doors(f"{stop} {statement} {invitation} {planted['session']}")) == 4
    text = read_all(dump())
    assert str(contact.public_id) in text, "the contact is in it"
    assert [name for name, value in planted.items() if value in text] == []
    assert find_doors(text) == []
    counted = key_rotation.count_values()
    assert counted[key_rotation.PLAIN] == 0
    entry = ConsentEntry.objects.exclude(said="").get()
    assert DEBTORS_OWN in entry.said, "and who has the keys reads it"


def tables_with_texts():
    """Return the tables of the catalogue with a column of text, bytes or JSON; of a partitioned one its own name."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT DISTINCT class.relname FROM pg_class class
            JOIN pg_namespace namespace ON namespace.oid = class.relnamespace AND namespace.nspname = 'public'
            JOIN pg_attribute attribute ON attribute.attrelid = class.oid AND attribute.attnum > 0
            WHERE class.relkind IN ('r', 'p') AND NOT class.relispartition AND NOT attribute.attisdropped
                AND attribute.atttypid::regtype::text ~ '^(text|character|bytea|json|jsonb)'""")
        return {name for (name,) in cursor}


def test_every_table_with_texts_was_judged_before_it_came_into_dumps(db):
    judged = " ".join(TABLES.values()).split()
    assert len(judged) == len(set(judged)), "each once"
    assert tables_with_texts() ^ set(judged) == set()
