"""What the users of the kept installation do, by the screens: see make.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import NoReverseMatch, reverse

from recobra.conversations.models import Conversation
from recobra.conversations.operations import answer_waiting
from recobra.journal.seal import seal_journal
from recobra.kit import clock
from recobra.messaging.models import Contact, MailboxMessage, Template
from recobra.messaging.operations import dispatch_once
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, ContactPoint, Creditor, Hold, Portfolio
from recobra.strategy.models import StrategyVersion
from recobra.workbench.models import Task
from tests.console.editor import EDIT, fields
from tests.console.following import work_off

if TYPE_CHECKING:
    from tests.kept.make import Staff

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
RULE = {
    "code": "trato-suave",
    "portfolio": "PE-CONSUMO",
    "n": "1",
    "r0-channels": ["call", "sms"],
    "r0-limits_hours": "on",
    **{f"r0-{day}-opens": "09:00" for day in WORKDAYS},
    **{f"r0-{day}-closes": "18:00" for day in WORKDAYS},
    "r0-closed_days": "24/12/2026 2026-12-31",
    "r0-holidays": "on",
    "r0-cap-n": ["1", "2"],
    "r0-cap-per": ["day", "clear_days"],
    "r0-cap-scope": ["all", "channel"],
}
PROVIDER = {
    "code": "correo-sur",
    "name": "Correo del Sur",
    "country": "",
    "rank": "10",
    "rate_per_second": "20",
    "price": "0.05",
    "price_currency": "USD",
    "setting-url": "smtp://cobros@127.0.0.1:2525",
    "setting-password": "clave-de-ejemplo",
    "setting-from": "Cobranzas <avisos@sur.example>",
}
CREDITOR = {
    "tax_id": "20100000001",
    "address": "Av. Uno 1, Lima",
    "payment_instructions": "Transferencia a la cuenta 0011-2233.",
    "complaint_contact": "reclamos@bancosur.example",
    "complaint_office": "",
    "agency_name": "Cobros SAC",
    "agency_address": "Av. Dos 2",
    "agency_phone": "+51 1 555 0000",
    "supervised": "si",
}
HEAD = "Nro préstamo;Cliente;DNI;Celular;Correo;Vencimiento;Saldo"
LOAN = "L-{n};Persona {n};4100000{n};98765432{n};p{n}@correo.example;15/0{n}/2026;{n}00,50"


def _address(*names: str, **numbers: object) -> str:
    """Return the address of the first screen among some names that this state of the product has."""
    for name in names:
        try:
            return reverse(f"console:{name}", kwargs=numbers)
        except NoReverseMatch:
            continue
    raise LookupError(names)


def _run(operation: Callable[..., object], service: str) -> None:
    """Run what a process does by itself; earlier states pass it the time alone."""
    if "actor" not in signature(operation).parameters:
        operation(now=clock.now())
        return
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - an earlier state has no actors

    operation(actor=service_actor(Service(service), now=clock.now()))


def _file(debtor_id: int, rest: str) -> str:
    return f"/ficha/{debtor_id}/{rest}"


def _accounts(code: str = "PE-CONSUMO") -> list[Account]:
    """Return the accounts of a portfolio that are open, the oldest first."""
    return list(Account.objects.filter(portfolio__code=code, status="OPEN").order_by("id"))


def _pay(staff: Staff, who: str, account: Account, amount: str, reference: str) -> None:
    form = {"account": account.pk, "amount_minor": amount, "paid_date": str(clock.now().date()), "reference": reference}
    staff.post(who, _file(account.debtor_id, "pagos/nuevo/"), form)


def _hold(staff: Staff, account: Account, reason: str, more: dict[str, Any]) -> None:
    form = {"account": "", "reason": reason, "starts_on": str(clock.now().date()), **more}
    staff.post("ana", _file(account.debtor_id, "pausas/nueva/"), form)


def _load(staff: Staff, *rows: int, name: str) -> None:
    """Upload a file with some of the loans as Bruno, choose its columns as guessed and let a worker take it."""
    text = "\n".join([HEAD, *(LOAN.format(n=row) for row in rows)]) + "\n"
    upload = SimpleUploadedFile(name, text.encode(), content_type="text/csv")
    address = staff.post("bruno", "/cargas/nueva/", {"portfolio": "PE-CONSUMO", "file": upload})["Location"]
    page = staff.get("bruno", address).context
    chosen = {f"column-{at}": target for at, (_header, target) in enumerate(page["chosen"])}
    chosen |= {option: now for option, _label, _choices, now in page["options"]}
    staff.post("bruno", address, chosen | {"as_of": str(clock.now().date()), "name": "diaria", "do": "load"})
    work_off()


def _answer(staff: Staff, contact: Contact, *lines: str) -> None:
    """Let a debtor answer a message of the mailbox, line by line, and the bot reply."""
    letter = MailboxMessage.objects.filter(contact_public_id=str(contact.public_id)).first()
    assert letter is not None
    digits = re.sub(r"\D", "", contact.debtor.national_id)[-4:]
    for at, line in enumerate(lines):
        form = {"text": line.replace("DIGITS", digits), "key": f"{contact.pk}-{at}"}
        staff.post("ana", f"/mensajes/buzon/{letter.pk}/responder/", form)
        _run(answer_waiting, "bot")
        _run(dispatch_once, "dispatch")


def first_day(staff: Staff) -> None:
    """Payments, holds, tasks, consent, providers, company rules, and a campaign whose debtors answer."""
    accounts = _accounts()
    _pay(staff, "ana", accounts[0], "50.00", "R-1")
    _pay(staff, "ana", accounts[1], "120.35", "R-2")
    _pay(staff, "bruno", accounts[2], "9999.99", "R-3")
    mistaken = Payment.objects.get(reference="R-2")
    staff.post("bruno", _file(mistaken.debtor_id, f"pagos/{mistaken.pk}/reversa/"), {"reason": "Era de otra cuenta"})
    _hold(staff, accounts[3], "ILLNESS", {"note": "Hospitalizado"})
    _hold(staff, accounts[4], "DISPUTE", {"account": accounts[4].pk, "disputed_minor": "50.00"})
    lifted = Hold.objects.filter(debtor=accounts[3].debtor).latest("id")
    staff.post("bruno", _file(lifted.debtor_id, f"pausas/{lifted.pk}/levantar/"))
    phones = list(
        ContactPoint.objects.filter(kind="PHONE", debtor__in=[each.debtor_id for each in accounts[5:12]]).order_by("id")
    )
    acts: list[dict[str, str]] = [
        {"act": "OPTED_OUT", "said": "Que no la llamemos más"},
        {"act": "NOT_ME", "said": "Contestó otra señora"},
        {"act": "GRANTED", "channel": "whatsapp", "said": "Lo dijo por teléfono el lunes"},
    ]
    for phone, act in zip(phones, acts, strict=False):
        staff.post("ana", _file(phone.debtor_id, f"voluntad/{phone.pk}/anotar/"), act)
    withdrawn = phones[2]
    form = {"act": "WITHDRAWN", "channel": "whatsapp"}
    staff.post("ana", _file(withdrawn.debtor_id, f"voluntad/{withdrawn.pk}/anotar/"), form)
    staff.post("dario", "/canales/nuevo/?tipo=smtp", PROVIDER)
    staff.post("carla", "/reglas/nueva/", RULE)
    staff.post("carla", "/campanas/recordatorio-whatsapp/lanzar/")
    work_off()
    _run(dispatch_once, "dispatch")
    _answers(staff)


def _answers(staff: Staff) -> None:
    """Let the debtors of the campaign answer: a promise, a dispute, a payment, a wish, a question to a person."""
    written = Contact.objects.filter(channel__in=["whatsapp", "sms"], status="SENT").select_related("debtor")
    scenes = (
        ("¿Cuánto debo?", "DIGITS", "pago todo el viernes", "sí"),
        ("¿Cuánto debo?", "DIGITS", "pago todo mañana", "sí"),
        ("¿Cuánto debo?", "0000", "DIGITS"),
        ("¿Cuánto debo?", "DIGITS", "no reconozco esa deuda, yo nunca compré eso"),
        ("Buenos días, ¿cuánto debo?", "DIGITS", "ya pagué ayer en el banco"),
        ("BAJA",),
        ("NO SOY",),
        ("Hola, ¿cuánto debo?", "DIGITS", "pago todo el lunes", "sí"),
        ("quiero hablar con una persona",),
        ("los voy a denunciar por acoso",),
    )
    fresh = written.exclude(debtor__in=Conversation.objects.values("debtor")).order_by("id")
    done = Conversation.objects.count()
    for contact, lines in zip(fresh, scenes[done:], strict=False):
        _answer(staff, contact, *lines)


def second_day(staff: Staff) -> None:
    """The work of the office: strategies, templates, conversations, incidents, evidence, files."""
    shape = fields(staff.clients["carla"])
    staff.post("carla", EDIT, shape | {"steps-3-days": "4", "do": "save"})
    number = StrategyVersion.objects.filter(code="consumo").latest("number").number
    staff.post("carla", f"/estrategias/consumo/v{number}/publicar/")
    _set_policy(staff)
    _decide_templates(staff)
    staff.post("bruno", "/conversaciones/respuestas/", {"title": "Horario", "text": "Atendemos de 9 a 18."})
    debtor_id = _accounts()[0].debtor_id
    form = {"tipo": "COMPLAINT", "pais": "PE", "deudor": str(debtor_id), "descripcion": "Se quejó del tono."}
    staff.post("bruno", "/incidentes/registrar/", form)
    staff.post("bruno", "/incidentes/1/cerrar/", {"accion": "Se habló con el gestor."})
    staff.post("carla", _file(debtor_id, "constancia/descargar/"), {"forma": "json"})
    staff.get("hilda", "/cartera/exportar.csv")
    creditor = Creditor.objects.order_by("id").first()
    assert creditor is not None
    staff.post("dario", f"/acreedores/{creditor.pk}/", CREDITOR)
    _load(staff, 1, 2, 3, 4, 5, 6, name="cartera.csv")
    staff.post("ana", "/cartera/vistas/", {"name": "Tempranos", "query": "stage=ADMINISTRATIVE"})
    staff.post("carla", "/estrategias/nueva/", {"code": "mayoristas", "name": "Mayoristas", "base": "lista:facturas"})
    staff.post("dario", "/canales/proveedor/correo-sur/encender/", {"on": "1"})
    staff.post("dario", "/canales/proveedor/correo-sur/encender/", {"on": "0"})
    _cycle(staff)
    _answers(staff)
    talk = Conversation.objects.exclude(status="CLOSED").order_by("-id")[0]
    staff.post("bruno", f"/conversaciones/{talk.pk}/nota/", {"text": "La llamo a las 11."})
    staff.post("bruno", f"/conversaciones/{talk.pk}/asignar/")
    seen = re.search(
        r'name="after" value="([^"]*)"', staff.get("bruno", f"/conversaciones/{talk.pk}/").content.decode()
    )
    assert seen is not None
    reply = {"text": "Atendemos de 9 a 18.", "after": seen[1], "queue": "1"}
    staff.post("bruno", f"/conversaciones/{talk.pk}/responder/", reply)
    staff.post("bruno", f"/conversaciones/{talk.pk}/cerrar/")


def _set_policy(staff: Staff) -> None:
    """Give the first portfolio settings of its own: by the screen, or as it was done before there was one, by hand."""
    portfolio = Portfolio.objects.get(code="PE-CONSUMO")
    try:
        address = reverse("console:policy-new", kwargs={"portfolio_id": portfolio.pk})
    except NoReverseMatch:
        from recobra.portfolio.models import CompanyHoliday  # noqa: PLC0415 - a later state has no such table

        CompanyHoliday.objects.create(country="PE", day="2026-12-24", name="Nochebuena")
        portfolio.freshness_days = 4
        portfolio.waterfall = {"by": "concept"}
        portfolio.limits = {"administrative_from": 3, "late_from": 41}
        portfolio.attributes = {**portfolio.attributes, "conversation": {"promise_days": 10, "people_from": "08:30"}}
        portfolio.save()
    else:
        from tests.console.test_policies import FORM  # noqa: PLC0415 - an earlier state has no such screen

        staff.post("carla", address, FORM | {"effective_from": str(clock.now().date())})


def _decide_templates(staff: Staff) -> None:
    """Write three changes of a template: one is approved by another person, one sent back, one waits."""
    reminder = Template.objects.get(code="recordatorio-firme", channel="email", country="", tone="", status="APPROVED")
    for variant, verdict in (("b", "approve"), ("c", "reject"), ("d", "")):
        form = {"name": f"Más corto {variant}", "variant": variant, "settings": "1"}
        staff.post("carla", f"/mensajes/plantillas/{reminder.pk}/editar/", form)
        draft = Template.objects.get(variant=variant.upper())
        staff.post("carla", f"/mensajes/plantillas/{draft.pk}/presentar/")
        if verdict:
            _decide(staff, draft, verdict)
    approved = Template.objects.get(variant="B")
    staff.post("dario", f"/mensajes/plantillas/{approved.pk}/peso/", {"weight": "3"})
    staff.post("carla", f"/mensajes/plantillas/{approved.pk}/retirar/")


def _decide(staff: Staff, draft: Template, verdict: str) -> None:
    """Approve or send back a template, by the screen that this state of the product has for it."""
    words = {"note": "Sin el tuteo", "motivo": "Sin el tuteo", "nota": "Sin el tuteo"}
    try:
        staff.post("dario", reverse(f"console:template-{verdict}", kwargs={"template_id": draft.pk}), words)
    except NoReverseMatch:
        from recobra.approvals.models import Approval  # noqa: PLC0415 - an earlier state has no such app

        asked = Approval.objects.get(subject=str(draft.pk), kind="template")
        staff.post("dario", reverse(f"console:approval-{verdict}", kwargs={"approval_id": asked.pk}), words)


def _cycle(staff: Staff) -> None:
    """Run the cycle of the day from its screen and send what it plans."""
    staff.post("carla", "/ciclo/correr/", {"day": str(clock.now().date())})
    work_off()
    due = Contact.objects.filter(status="DUE", portfolio__code="PE-CONSUMO").order_by("id").first()
    if due is not None:
        account = Account.objects.filter(debtor=due.debtor, portfolio=due.portfolio, status="OPEN").order_by("id")[0]
        _pay(staff, "ana", account, "20.00", f"R-{due.pk}")
    _run(dispatch_once, "dispatch")


def third_day(staff: Staff) -> None:
    """A file with less in it, which waits and is discarded; another cycle; payments of what was promised; seals."""
    _load(staff, 1, name="cartera-2.csv")
    held = Portfolio.objects.get(code="PE-CONSUMO").loads.filter(status="HELD").first()
    if held is not None:
        staff.post("bruno", f"/cargas/{held.pk}/descartar/")
    accounts = _accounts()
    _pay(staff, "ana", accounts[5], "75.10", "R-4")
    _pay(staff, "carla", _accounts("CO-SERVICIOS")[0], "30000", "R-5")
    _cycle(staff)
    _answers(staff)
    staff.post("dario", "/canales/proveedor/correo-sur/probar/")
    staff.post("visitor", "/entrar/", {"username": "hilda", "password": "una-clave-de-ejemplo"})
    for task in Task.objects.filter(status="OPEN").order_by("id")[:3]:
        staff.post("carla", _file(task.debtor_id, f"tareas/{task.pk}/cerrar/"), {"outcome": "will_pay"})
    for country in ("PE", "CO"):
        staff.post("bruno", "/cartas/imprimir/", {"pais": country})
    staff.post("carla", "/campanas/recordatorio-whatsapp/pausar/")
    staff.post("carla", "/campanas/recordatorio-whatsapp/reanudar/")
    staff.post("carla", "/campanas/recordatorio-whatsapp/terminar/")
    staff.post("carla", "/reglas/1/retirar/")
    seal_journal(now=clock.now())


def fourth_day(staff: Staff) -> None:
    """What is asked about one's own data, how long they stay, and who may come in; a state without it has a day off."""
    try:
        period, role, team = _address("retention-period"), _address("role-new"), _address("team-new")
    except LookupError:
        return
    from django.apps import apps  # noqa: PLC0415 - an earlier state has no such tables

    today = clock.now().date().isoformat()
    days = {"clase": "conversations", "pais": "PE", "dias": "900", "desde": today, "motivo": "Acta 12 del comité"}
    staff.post("carla", period, days)
    asking = [account.debtor_id for account in _accounts()[6:8]]
    for debtor_id, kind in zip(asking, ("ACCESS", "ERASURE"), strict=True):
        asked = {"tipo": kind, "dia": today, "nota": "Por carta, con copia del DNI"}
        staff.post("carla", _file(debtor_id, "derechos/solicitud/"), asked)
    staff.post("carla", _file(asking[0], "derechos/copia/"))
    erasure = apps.get_model("compliance", "PersonRequest").objects.get(kind="ERASURE")
    staff.post("carla", _file(asking[1], f"derechos/{erasure.pk}/suprimir/"))
    rights = ["see_board", "see_cases", "see_messages", "close_task"]
    staff.post("dario", role, {"name": "Telecobro", "rights": rights, "confirmed": "1"})
    people = dict(apps.get_model("access", "User").objects.values_list("username", "pk"))
    staff.post("dario", team, {"name": "Consumo", "supervisor_id": people["bruno"], "members": [people["ana"]]})
    new = {"username": "elena", "role": "GESTOR", "first_name": "Elena", "last_name": "Ríos", "language": "es"}
    staff.post("dario", _address("user-new"), new | {"portfolios": ["PE-CONSUMO"]})
    staff.post("dario", "/acreedores/1/", CREDITOR | {"payment_instructions": "Transferencia a la cuenta 0099-8877."})
