"""Every address of the console with what its numbers stand for, and the roles that may open it.

A screen that is missing here fails `test_scope.py::test_every_address_is_in_the_table`.
"""

from __future__ import annotations

from recobra.access.models import Team, User
from recobra.approvals.models import Approval
from recobra.compliance.models import Incident
from recobra.conversations import attachments
from recobra.conversations.models import CannedAnswer, Conversation
from recobra.intake.models import Load
from recobra.kit import clock
from recobra.messaging.channels.letter.operations import batch_folder
from recobra.messaging.models import Letter, LetterBatch, MailboxMessage
from recobra.portfolio.models import Party
from recobra.strategy.models import Campaign, CycleRun, StrategyVersion
from recobra.workbench.models import Visit
from recobra_core.decide import ready

from .compliance import of_compliance
from .world import World

ALL = {"ana", "bruno", "carla", "dario", "hilda"}
DESK = {"ana", "bruno", "carla"}
LEADING = {"bruno", "carla"}
READING = {"bruno", "carla", "dario", "hilda"}
EDITING = {"carla", "dario"}
LOADING = {"bruno", "carla", "dario"}
AUDITING = {"carla", "dario", "hilda"}
APPROVING = {"bruno", "carla", "dario"}

# name -> (method, who may, form)
ADDRESSES: dict[str, tuple[str, set[str], dict[str, str]]] = {
    "home": ("get", ALL, {}),
    "accounts": ("get", ALL, {}),
    "accounts-export": ("get", {"carla", "hilda"}, {}),
    "accounts-view-save": ("post", ALL, {"name": "Mías"}),
    "accounts-view-delete": ("post", ALL, {}),
    "debtor": ("get", ALL, {}),
    "debtor-history": ("get", ALL, {}),
    "debtor-ledger": ("get", ALL, {}),
    "debtor-message": ("get", ALL, {}),
    "debtor-payment": ("get", DESK, {}),
    "debtor-reversal": ("get", LEADING, {}),
    "debtor-hold": ("get", DESK, {}),
    "debtor-hold-lift": ("post", LEADING, {}),
    "debtor-point-add": ("get", DESK, {}),
    "debtor-point-correct": ("get", DESK, {}),
    "debtor-point-retire": ("get", DESK, {}),
    "debtor-point-place": ("get", DESK, {}),
    "debtor-preferences": ("get", DESK, {}),
    "debtor-party-add": ("get", DESK, {}),
    "debtor-party-retire": ("get", DESK, {}),
    "debtor-note": ("get", DESK, {}),
    "debtor-task-close": ("post", DESK, {"outcome": "no_answer"}),
    "alike-debtors": ("get", LOADING, {}),
    "debtor-pair": ("get", LOADING, {}),
    "debtor-pair-join": ("post", LOADING, {}),
    "debtor-pair-apart": ("post", LOADING, {}),
    "debtor-find-other": ("post", LOADING, {"cliente": "CLI-0002"}),
    "debtor-part": ("post", LOADING, {}),
    "loads": ("get", READING, {}),
    "load": ("get", READING, {}),
    "load-errors": ("get", LOADING, {}),
    "load-warnings": ("get", LOADING, {}),
    "data-quality": ("get", READING, {}),
    "load-confirm": ("post", LOADING, {}),
    "load-discard": ("post", LOADING, {}),
    "load-new": ("get", LOADING, {}),
    "payment-file": ("get", LOADING, {}),
    "strategies": ("get", READING, {}),
    "strategy": ("get", READING, {}),
    "strategy-version": ("get", READING, {}),
    "strategy-compare": ("get", READING, {}),
    "strategy-plan": ("get", READING, {}),
    "strategy-reach": ("get", READING, {}),
    "strategy-assign": ("post", EDITING, {}),
    "strategy-create": ("get", EDITING, {}),
    "strategy-rule": ("post", EDITING, {"field": "steps-0", "steps-0-rule": "dpd > 1"}),
    "groups": ("get", ALL, {}),
    "group-new": ("get", EDITING, {}),
    "group-edit": ("get", EDITING, {}),
    "group-retire": ("post", EDITING, {}),
    "strategy-rule-count": ("post", EDITING, {"field": "steps-0", "steps-0-rule": "balance > 1"}),
    "strategy-edit": ("get", EDITING, {}),
    "strategy-yaml": ("get", EDITING, {}),
    "strategy-try": ("post", EDITING, {}),
    "strategy-publish": ("get", EDITING, {}),
    "strategy-retire": ("get", EDITING, {}),
    "campaigns": ("get", READING, {}),
    "campaign": ("get", READING, {}),
    "campaign-create": ("get", LEADING, {}),
    "campaign-rule": ("post", LEADING, {"field": "group", "group-rule": "dpd > 1"}),
    "campaign-rule-count": ("post", LEADING, {"field": "group", "group-rule": "balance > 1"}),
    "campaign-edit": ("get", LEADING, {}),
    "campaign-preflight": ("get", READING, {}),
    "campaign-barred": ("get", {"carla", "hilda"}, {}),
    "campaign-launch": ("post", LEADING, {}),
    "campaign-pause": ("post", LEADING, {}),
    "campaign-resume": ("post", LEADING, {}),
    "campaign-end": ("post", LEADING, {}),
    "cycle": ("get", READING, {}),
    "cycle-progress": ("get", READING, {}),
    "cycle-detail": ("get", READING, {}),
    "cycle-run": ("post", EDITING, {}),
    "cycle-take-back": ("get", EDITING, {}),
    "inbox": ("get", DESK, {}),
    "inbox-canned": ("get", DESK, {}),
    "inbox-canned-retire": ("post", LEADING, {}),
    "inbox-conversation": ("get", DESK, {}),
    "inbox-thread": ("get", DESK, {}),
    "inbox-file": ("get", DESK, {}),
    "inbox-check": ("post", DESK, {"text": "Hola"}),
    "inbox-reply": ("post", DESK, {"text": "Hola", "queue": "1"}),
    "inbox-note": ("post", DESK, {"text": "Llamó ayer"}),
    "inbox-assign": ("post", DESK, {}),
    "inbox-bot": ("post", DESK, {}),
    "inbox-close": ("post", DESK, {}),
    "inbox-silence": ("post", DESK, {"what": "optout"}),
    "inbox-whose": ("post", LEADING, {"debtor": "45678912"}),
    "debtor-write": ("get", DESK, {}),
    "debtor-write-check": ("post", DESK, {"text": "Hola"}),
    "messages": ("get", ALL, {}),
    "messages-uncertain": ("get", ALL, {}),
    "message": ("get", ALL, {}),
    "message-settle": ("post", DESK, {"outcome": "SENT"}),
    "reach": ("get", ALL, {}),
    "reach-export": ("get", {"carla", "hilda"}, {}),
    "mailbox": ("get", ALL, {}),
    "mailbox-letter": ("get", ALL, {}),
    "mailbox-html": ("get", ALL, {}),
    "mailbox-answer": ("post", DESK, {"text": "BAJA"}),
    "mailbox-became": ("post", DESK, {"became": "READ"}),
    "templates": ("get", ALL, {}),
    "template": ("get", ALL, {}),
    "template-edit": ("get", EDITING, {}),
    "template-reading": ("post", EDITING, {}),
    "template-new": ("get", EDITING, {}),
    "template-edit-new": ("get", EDITING, {}),
    "template-reading-new": ("post", EDITING, {}),
    "template-preview-new": ("post", ALL, {}),
    "template-preview-html-new": ("post", ALL, {}),
    "template-submit": ("post", EDITING, {}),
    "approvals": ("get", APPROVING, {}),
    "approval": ("get", APPROVING, {}),
    "approval-rules": ("get", EDITING, {}),
    "approval-rule": ("post", EDITING, {"pide": "1"}),
    "approval-approve": ("post", APPROVING, {}),
    "approval-reject": ("post", APPROVING, {"motivo": "Falta cómo reclamar."}),
    "approval-withdraw": ("post", {"carla"}, {}),  # who wrote it
    "template-register": ("post", EDITING, {"categoria": "UTILITY"}),
    "template-ask": ("post", EDITING, {}),
    "template-weigh": ("post", APPROVING, {"weight": "2"}),
    "template-retire": ("get", EDITING, {}),
    "template-preview": ("post", ALL, {}),
    "template-preview-html": ("post", ALL, {}),
    "evidence": ("get", LEADING | {"hilda"}, {}),
    "evidence-export": ("post", LEADING | {"hilda"}, {"forma": "json"}),
    "evidence-certificate": ("get", LEADING | {"hilda"}, {}),
    "retention": ("get", ALL, {}),
    "retention-period": ("post", EDITING, {"clase": "messages", "dias": "900", "motivo": "Directorio"}),
    "rights": ("get", {"carla"}, {}),
    "rights-request": ("post", {"carla"}, {"tipo": "ERASURE", "nota": "Carta"}),
    "rights-erasure": ("post", {"carla"}, {}),
    "rights-copy": ("post", {"carla"}, {}),
    "incidents": ("get", ALL, {}),
    "incident-record": ("post", LEADING, {"tipo": "COMPLAINT", "pais": "PE", "descripcion": "Se quejó"}),
    "incident-close": ("post", LEADING, {"accion": "Se habló con el gestor"}),
    "compliance": ("get", ALL, {}),
    "compliance-export": ("get", {"carla", "hilda"}, {}),
    "countries": ("get", ALL, {}),
    "country": ("get", ALL, {}),
    "country-month": ("get", ALL, {}),
    "country-breach-cost": (
        "post",
        EDITING,
        {"breach": "hours", "amount_minor": "500", "holds_from": "2199-01-01", "reason": "Directorio"},
    ),
    "schema": ("get", ALL, {}),
    "providers": ("get", {"dario"}, {}),
    "provider-new": ("get", {"dario"}, {}),
    "provider": ("get", {"dario"}, {}),
    "provider-test": ("post", {"dario"}, {}),
    "provider-switch": ("post", {"dario"}, {}),
    "provider-resume": ("post", {"dario"}, {}),
    "provider-retire": ("post", {"dario"}, {}),
    "provider-ask": ("post", {"dario"}, {}),
    "provider-templates": ("post", {"dario"}, {}),
    "house-rules": ("get", ALL, {}),
    "house-rule": ("get", ALL, {}),
    "house-rule-new": ("get", EDITING, {}),
    "house-rule-edit": ("get", EDITING, {}),
    "house-rule-preview": ("post", EDITING, {"code": "suave"}),
    "house-rule-retire": ("post", EDITING, {}),
    "policies": ("get", ALL, {}),
    "policy": ("get", ALL, {}),
    "policy-new": ("get", EDITING, {}),
    "own-columns": ("get", ALL, {}),
    "own-column": ("get", EDITING, {}),
    "consents": ("get", ALL, {}),
    "consent-file": ("get", LOADING, {}),
    "debtor-wishes": ("get", ALL, {}),
    "debtor-wish-record": ("post", DESK, {"act": "OPTED_OUT"}),
    "letters": ("get", ALL, {}),
    "letters-print": ("post", LEADING, {"pais": "PE"}),
    "letters-file": ("get", LEADING, {}),
    "letters-tracking": ("post", LEADING, {}),
    "visits": ("get", DESK, {}),
    "visits-order": ("post", DESK, {}),
    "visit": ("get", DESK, {}),
    "creditors": ("get", {"dario"}, {}),
    "creditor": ("get", {"dario"}, {}),
    "creditor-new": ("get", {"dario"}, {}),
    "creditor-disable": ("post", {"dario"}, {"reason": "MANDATE_ENDED"}),
    "creditor-enable": ("post", {"dario"}, {}),
    "portfolios": ("get", {"dario"}, {}),
    "portfolio-new": ("get", {"dario"}, {}),
    "portfolio": ("get", {"dario"}, {}),
    "portfolio-disable": ("post", {"dario"}, {"reason": "MANDATE_ENDED"}),
    "portfolio-enable": ("post", {"dario"}, {}),
    "set-up": ("get", {"dario"}, {}),
    "set-up-day": ("get", {"dario"}, {}),
    "set-up-run": ("post", EDITING, {}),
    "installation": ("get", AUDITING, {}),
    "installation-resume": ("post", {"dario"}, {}),
    "users": ("get", {"dario"}, {}),
    "users-notices": ("post", {"dario"}, {}),
    "users-upload": ("get", {"dario"}, {}),
    "user-new": ("get", {"dario"}, {}),
    "user": ("get", {"dario"}, {}),
    "user-link": ("post", {"dario"}, {}),
    "user-shut-out": ("get", {"dario"}, {}),
    "user-let-in": ("post", {"dario"}, {}),
    "roles": ("get", {"dario"}, {}),
    "role-new": ("get", {"dario"}, {}),
    "role": ("get", {"dario"}, {}),
    "role-retire": ("post", {"dario"}, {}),
    "teams": ("get", {"dario"}, {}),
    "team-new": ("get", {"dario"}, {}),
    "team": ("get", {"dario"}, {}),
    "team-dissolve": ("post", {"dario"}, {}),
    "own-team": ("get", LEADING, {}),
    "user-sessions": ("get", {"dario"}, {}),
    "user-sessions-end": ("post", {"dario"}, {}),
    "user-factors-reset": ("post", {"dario"}, {}),
    "user-unlink": ("post", {"dario"}, {}),
    "users-sign-on": ("get", {"dario"}, {}),
    "users-sign-on-test": ("post", {"dario"}, {}),
    "users-sign-on-off": ("post", {"dario"}, {}),
    "audit": ("get", AUDITING, {}),
    "audit-verify": ("post", AUDITING, {}),
    "audit-export": ("get", AUDITING, {}),
}
# Opened by everybody, signed in or not (test_session.py, test_account.py, test_sign_on.py), and some that only the
# person who sent a file may open (test_loads.py, test_payment_files.py, test_consent_files.py).
OPEN = {
    "load-columns",
    "payment-columns",
    "consent-columns",
    "sign-in",
    "sign-out",
    "language",
    "password-link",
    "account",
    "own-password",
    "own-sessions-end",
    "own-notices",
} | {
    "second-step",
    "factor-totp",
    "factor-totp-code",
    "factor-passkey",
    "factor-recovery",
    "factor-remove",
    "sign-on",
    "sign-on-return",
    "sign-on-link",
    "signed-out",
}

# What lies outside the console, with what stands in place of a sign-in.
OUTSIDE = {
    "portal:unsubscribe": "a signed link, which knows one contact (tests/portal)",
    "portal:statement": "a signed link, and then a proof of identity (tests/portal)",
    "api:webhook": "the provider's signature (tests/api)",
    "api:voice": "the provider's signature and an address signed by us (tests/api)",
    "robots": "nothing of anybody's is in it",
    "metrics": "the token of the monitor (tests/api)",
    "health": "whether each part works, and nothing of the business",
}


def numbers(name: str, world: World) -> dict[str, object]:
    """Return the numbers of an address, of rows that exist."""
    return numbers_of_all(world)[name]


def numbers_of_all(world: World) -> dict[str, dict[str, object]]:
    """Return the numbers of every address; rows that are not there yet are written."""
    debtor = {"debtor_id": world.debtors["María"].pk}
    payer = {"debtor_id": world.debtors["José"].pk}
    held = {"debtor_id": world.debtors["Lucía"].pk}
    point = {**debtor, "point_id": world.debtors["María"].points.order_by("pk").first().pk}
    creditor = {"creditor_id": world.portfolio.creditor_id}
    portfolio = {"portfolio_id": world.portfolio.pk}
    pair = {**debtor, "other_id": world.debtors["José"].pk}
    given: dict[str, dict[str, object]] = {
        **dict.fromkeys(("debtor-pair", "debtor-pair-join", "debtor-pair-apart"), pair),
        "accounts-export": {"form": "csv"},
        **dict.fromkeys(("creditor", "creditor-disable", "creditor-enable"), creditor),
        **dict.fromkeys(("portfolio", "portfolio-disable", "portfolio-enable"), portfolio),
        "accounts-view-delete": {"view_id": 1},
        **{f"template-{piece}-new": {"channel": "sms"} for piece in ("edit", "reading", "preview", "preview-html")},
        "user-sessions": {"user_id": User.objects.get(username="carla").pk},
        "user-sessions-end": {"user_id": User.objects.get(username="carla").pk},
        "user-factors-reset": {"user_id": User.objects.get(username="carla").pk},
        "user-unlink": {"user_id": User.objects.get(username="carla").pk},
        "debtor-ledger": {**debtor, "account_id": world.accounts["María"].pk},
        "debtor-message": {**debtor, "contact_id": world.sent.pk},
        "debtor-reversal": {**payer, "payment_id": world.payment.pk},
        "debtor-hold-lift": {**held, "hold_id": world.hold.pk},
        "debtor-party-add": {**debtor, "account_id": world.accounts["María"].pk},
        "debtor-party-retire": {**debtor, "party_id": _party(world).pk},
        **{f"debtor-point-{what}": point for what in ("correct", "retire", "place")},
        "debtor-task-close": {**debtor, "task_id": world.task.pk},
        "rights-erasure": {**debtor, "request_id": 1},
        **_of_work(world),
        **_of_paper(world),
        **_of_people(),
        **of_compliance(world),
    }
    return {name: given.get(name, debtor if name.startswith(("debtor", "rights")) else {}) for name in ADDRESSES}


def _party(world: World) -> Party:
    """José, who stands for María's loan."""
    return Party.objects.get_or_create(
        account=world.accounts["María"], debtor=world.debtors["José"], part=Party.Part.GUARANTOR
    )[0]


def _of_people() -> dict[str, dict[str, object]]:
    """Return the numbers of a user, a role and a team."""
    user = {"user_id": User.objects.get(username="zoe").pk}
    team = Team.objects.first() or Team.objects.create(name="Mora")
    role, of_team = {"code": "GESTOR"}, {"team_id": team.pk}
    return {
        **dict.fromkeys(("user", "user-link", "user-shut-out", "user-let-in"), user),
        "role": role,
        "role-retire": role,
        "team": of_team,
        "team-dissolve": of_team,
    }


def _of_paper(world: World) -> dict[str, dict[str, object]]:
    """Return the numbers of evidence, incidents, letters and visits."""
    at, sent = world.sent.sent_at, world.sent
    incident = Incident.objects.first() or Incident.objects.create(
        kind="COMPLAINT",
        country="PE",
        happened_at=at,
        recorded_at=at,
        recorded_by="bruno",
        portfolio=world.portfolio,
        debtor=sent.debtor,
        description="Se quejó",
    )
    batch = LetterBatch.objects.first() or LetterBatch.objects.create(created_at=at, created_by="bruno")
    if not batch.path:
        LetterBatch.objects.update(path=f"letters/{batch.pk}")
        batch_folder(batch.pk).mkdir(parents=True, exist_ok=True)
        (batch_folder(batch.pk) / "courier.csv").write_bytes(b"reference,name\n1,Mar\xc3\xada")
        Letter.objects.create(contact=sent, batch=batch, status="PRINTED", reference="PE-1", changed_at=at)
    visit = Visit.objects.first() or Visit.objects.create(contact=sent, area="PE-LIM", route_date=sent.planned_for)
    debtor = {"debtor_id": sent.debtor_id}
    return {
        "evidence": debtor,
        "evidence-export": debtor,
        "incident-close": {"incident_id": incident.pk},
        "compliance-export": {"form": "xlsx"},
        "letters-file": {"batch_id": batch.pk, "name": "courier.csv"},
        "visit": {"visit_id": visit.pk},
    }


_OF_A_CAMPAIGN = ("", "-edit", "-preflight", "-barred", "-launch", "-pause", "-resume", "-end")


def _campaign(world: World) -> Campaign:
    return Campaign.objects.first() or Campaign.objects.create(
        code="verano",
        name="Verano",
        portfolio=world.portfolio,
        rule="overdue > 0",
        template_code="recordatorio",
        channels=["email"],
        starts_on=world.sent.planned_for,
        ends_on=world.sent.planned_for,
        control_bps=1000,
        created_at=world.sent.sent_at,
        created_by="bruno",
    )


_OF_A_CONVERSATION = ("conversation", "thread", "check", "reply", "note", "assign", "bot", "close", "silence", "whose")


def _of_inbox(world: World) -> dict[str, dict[str, object]]:
    """Return the numbers of a conversation with María, of a file she sent and of a ready answer."""
    at = clock.now()
    talk = Conversation.objects.first() or Conversation.objects.create(
        channel="whatsapp",
        address="+51987654321",
        debtor=world.debtors["María"],
        mode="PERSON",
        opened_at=at,
        last_at=at,
        last_inbound_at=at,
    )
    said = talk.messages.first() or talk.messages.create(direction="IN", text="Soy María", at=at, received_at=at)
    file = said.attachments.first() or said.attachments.create(name="recibo.pdf")
    if file.status == "WAITING":
        attachments.store_content(file, b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n")
    ready = CannedAnswer.objects.filter(retired_at=None).first() or CannedAnswer.objects.create(
        code=f"horario-{CannedAnswer.objects.count()}",
        title="Horario",
        text="De 9 a 18",
        created_by="bruno",
        created_at=at,
    )
    one = {"conversation_id": talk.pk}
    return {
        **{f"inbox-{what}": one for what in _OF_A_CONVERSATION},
        "inbox-file": {**one, "attachment_id": file.pk},
        "inbox-canned-retire": {"canned_id": ready.pk},
    }


_OF_A_TEMPLATE = (
    "",
    "-edit",
    "-reading",
    "-submit",
    "-register",
    "-ask",
    "-weigh",
    "-retire",
    "-preview",
    "-preview-html",
)


def _approval(world: World) -> Approval:
    """What Carla asks: another name for the template of María's message."""
    return Approval.objects.first() or Approval.objects.create(
        kind="template",
        subject=str(world.sent.template_id),
        old={"name": "Recordatorio"},
        new={"name": "Recordatorio breve"},
        author="carla",
        asked_at=world.sent.sent_at,
        asked_by="carla",
    )


def _of_work(world: World) -> dict[str, dict[str, object]]:
    """Return the numbers of strategies, the cycle, messages, templates and the audit."""
    version = StrategyVersion.objects.filter(code="consumo").first()
    document = ready.load_strategy("consumo").to_document()
    version = version or StrategyVersion.objects.create(
        code="consumo", number=1, status="DRAFT", document=document, created_at=world.sent.sent_at, created_by="dario"
    )
    code, numbered = {"code": version.code}, {"code": version.code, "number": version.number}
    run = CycleRun.objects.first() or CycleRun.objects.create(
        as_of=world.sent.planned_for, status="DONE", started_at=world.sent.sent_at, actor="cycle"
    )
    load = Load.objects.get(portfolio=world.portfolio)
    letter = MailboxMessage.objects.first() or MailboxMessage.objects.create(
        received_at=world.sent.sent_at,
        contact_public_id=str(world.sent.public_id),
        sender="cobranzas@sur.example",
        recipients="maria@correo.example",
        subject="Su cuota",
        raw=b"Subject: Su cuota\n\nMar\xc3\xada",
    )
    return {
        "schema": {"name": "strategy"},
        **dict.fromkeys(("strategy", "strategy-compare", "strategy-edit", "strategy-yaml", "strategy-try"), code),
        **{f"strategy-{what}": numbered for what in ("version", "plan", "reach", "publish", "retire")},
        **{f"load{what}": {"load_id": load.pk} for what in ("", "-errors", "-warnings", "-confirm", "-discard")},
        **{f"campaign{what}": {"code": _campaign(world).code} for what in _OF_A_CAMPAIGN},
        "cycle-detail": {"run_id": run.pk},
        "cycle-take-back": {"run_id": run.pk},
        "message": {"contact_id": world.sent.pk},
        "message-settle": {"contact_id": world.sent.pk},
        **{f"mailbox-{what}": {"message_id": letter.pk} for what in ("letter", "html", "answer", "became")},
        **_of_inbox(world),
        **{f"template{what}": {"template_id": world.sent.template_id} for what in _OF_A_TEMPLATE},
        **{
            f"approval{what}": {"approval_id": _approval(world).pk} for what in ("", "-approve", "-reject", "-withdraw")
        },
        "approval-rule": {"code": "provider"},
        "audit-export": {"form": "csv"},
    }
