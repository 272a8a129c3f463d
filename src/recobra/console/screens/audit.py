"""Auditoría: the journal in words, its filters and export, and the check of its seals."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any, TypedDict

from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import URLPattern, get_resolver, path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access import right_labels
from recobra.access.queries import User, is_actor_name, list_staff, portfolio_codes
from recobra.access.roles import Right, defined_roles
from recobra.approvals.kinds import kinds_by_code
from recobra.compliance.seal_ways import way_states
from recobra.console import labels, narrative, reasons, spreadsheet
from recobra.console.export_file import send_list
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_date, parse_id
from recobra.journal import queries
from recobra.journal.seal import SEALED_EVERY_MINUTES, last_seal
from recobra.journal.seal_signature import trusted_signers
from recobra.journal.verification import verify_journal
from recobra.kit import clock
from recobra.kit.personal_data import ERASED
from recobra.portfolio.queries import portfolios_for
from recobra.strategy import schedule

from .place import installation_place

PAGE_ROWS = 100
EXPORT_ROWS_MAX = 200_000
EXPORT_PAGE_ROWS = 2_000
# Names in payloads whose values are codes -> family of their labels.
_LABEL_FAMILIES = {
    "channel": "channel",
    "from": "stage",
    "to": "stage",
    "source": "source",
    "outcome": "outcome",
    "what": "export",
    "means": "proof",
    "factor": "proof",
    "place": "place",
}
# Names in payloads whose values are ids of members of staff, and codes of roles.
_PEOPLE = ("user_id", "handed_to_id", "supervisor_id", "supervisor_before", "supervisor_after")
_ROLES = ("role", "before", "after")
_RIGHTS = ("rights_before", "rights_after")
_HASH = re.compile("[0-9a-f]{64}")
_SHOWN_CHARACTERS = 80
_FILTERS = ("hecho", "quien", "desde", "hasta", "deudor", "cartera")


@require_GET
@needs(Right.SEE_AUDIT)
def list_facts(request: StaffRequest) -> HttpResponse:
    """Show one page of facts, newest first; htmx gets the table alone."""
    portfolios = portfolios_for(request.user)
    facts = queries.audit_entries(
        **read_conditions(request.user, request.GET),
        before=parse_id(request.GET.get("antes", "")),
        limit=PAGE_ROWS + 1,
    )
    names: dict[int | None, str] = {portfolio.pk: portfolio.name for portfolio in portfolios}
    people = _name_people(facts[:PAGE_ROWS])
    roles = {role.code: role.name for role in defined_roles()}
    context: dict[str, object] = {
        "facts": [
            {
                "fact": fact,
                "portfolio": names.get(fact.portfolio_id, ""),
                "details": describe_payload(fact.payload, people=people, roles=roles),
            }
            for fact in facts[:PAGE_ROWS]
        ],
        "following": facts[PAGE_ROWS - 1].pk if len(facts) > PAGE_ROWS else None,
        "place": installation_place(),
        "filtered": any(request.GET.get(name) for name in _FILTERS),
    }
    if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
        return render(request, "console/audit/_list.html", context)
    kinds = [(kind, narrative.fact_label(kind)) for kind in queries.recorded_kinds()]
    kinds.sort(key=lambda kind_and_label: kind_and_label[1].casefold())
    seal = last_seal()
    context |= {
        "kinds": kinds,
        "portfolios": portfolios,
        "seal": seal,
        "seal_hash": bytes(seal.digest).hex() if seal else "",
        "sealed_every": SEALED_EVERY_MINUTES,
        "ways": way_states(),
    }
    return render(request, "console/audit/index.html", context)


class Conditions(TypedDict):
    """The filters of the list, as `audit_entries` takes them; it says what None and empty ones mean."""

    portfolio_ids: list[int] | None
    kinds: list[str]
    actor: str
    debtor_id: int | None
    since: datetime | None
    until: datetime | None


def read_conditions(user: User, parameters: QueryDict) -> Conditions:
    """Return the filters of the list, never wider than the user's scope; what cannot be read does not filter."""
    zone = schedule.installation_zone()
    since = parse_date(parameters.get("desde", ""))
    until = parse_date(parameters.get("hasta", ""))
    kind = parameters.get("hecho", "")
    return {
        "portfolio_ids": _portfolio_ids(user, parameters.get("cartera", "")),
        "kinds": [kind] if kind else [],
        "actor": parameters.get("quien", "").strip(),
        "debtor_id": parse_id(parameters.get("deudor", "").strip()),
        "since": datetime.combine(since, time(), zone) if since else None,
        # To the end of the last day.
        "until": datetime.combine(until + timedelta(days=1), time(), zone) if until else None,
    }


def _portfolio_ids(user: User, code: str) -> list[int] | None:
    """Return the ids of the portfolios to look at; None is the whole installation, for users who see all of it."""
    if not code and portfolio_codes(user) is None:
        return None
    return [portfolio.pk for portfolio in portfolios_for(user) if code in {"", portfolio.code}]


def describe_payload(
    payload: dict[str, Any], *, people: Mapping[int, str], roles: Mapping[str, str | Promise]
) -> list[tuple[str, str]]:
    """Return the payload of a fact as names and texts: ids, amounts and codes, never a debtor's data.

    `people` are the user names of members of staff by their ids, `roles` the names of roles by their codes.
    """
    described: list[tuple[str, str]] = []
    for name, value in payload.items():
        if value in (None, "", [], {}):
            continue
        text = _describe_value(name, value)
        if name in _PEOPLE and isinstance(value, int) and value in people:
            text = f"{people[value]} ({text})"
        elif name in _ROLES and isinstance(value, str) and value in roles:
            text = str(roles[value])
        described.append((name, text))
    return described


def _name_people(facts: Iterable[queries.Entry]) -> dict[int, str]:
    """Return the user names of those whom facts name by their ids; one who is anonymised has none."""
    named = {fact.payload[name] for fact in facts for name in _PEOPLE if isinstance(fact.payload.get(name), int)}
    people = list_staff().filter(pk__in=named).exclude(username__startswith=ERASED) if named else ()
    return {person.pk: person.username for person in people}


def _describe_value(name: str, value: Any) -> str:
    """Return a value of a payload as text; codes of the names that have labels are written in words."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(_describe_code(name, each) for each in value)
    if name == "conditions" and isinstance(value, dict):
        return "; ".join(": ".join(labels.describe_condition(*each)) for each in value.items())
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return _describe_code(name, str(value))


def _describe_code(name: str, text: str) -> str:
    """Return a code of a payload in words, anything else as it is."""
    if name == "reason":
        return reasons.explain(text)
    if name in _RIGHTS:
        return str(right_labels.label_of(text))
    if name == "approval_kind" and text in kinds_by_code():
        return str(kinds_by_code()[text].label)
    if name in _LABEL_FAMILIES:
        # A sign-in has several means, with commas between them; other codes have none in them.
        described = ", ".join(labels.label_of(_LABEL_FAMILIES[name], code) for code in text.split(","))
        return _page_addresses().get(described.rpartition(":")[2], described) if name == "place" else described
    return text


@cache
def _page_addresses() -> dict[str, str]:
    """Return the address of each page of the console by its name: «providers» is «/canales/»."""
    prefix, console = get_resolver().namespace_dict["console"]
    routes = [each for each in console.url_patterns if isinstance(each, URLPattern)]
    return {route.name: f"/{prefix}{route.pattern}" for route in routes if route.name}


@require_POST
@needs(Right.SEE_AUDIT)
def verify_seals(request: StaffRequest) -> HttpResponse:
    """Recompute every digest and every seal, look for the one that is expected, and show the result."""
    expected = request.POST.get("esperado", "").strip().lower()
    if expected and not _HASH.fullmatch(expected):
        return render(request, "console/audit/verdict.html", {"unreadable": expected[:_SHOWN_CHARACTERS]})
    verdict = verify_journal(signers=trusted_signers(now=clock.now()), expected_hash=expected)
    return render(request, "console/audit/verdict.html", {"verdict": verdict, "expected": expected})


@require_GET
@needs(Right.SEE_AUDIT)
def export_facts(request: StaffRequest, form: str) -> HttpResponseBase:
    """Write the filtered facts to a file and record the export."""
    if form not in spreadsheet.FORMATS:
        raise Http404
    now = clock.now()
    return send_list(
        request,
        _export_rows(request),
        file_format=form,
        title=_("Audit"),
        filename=f"auditoria-{now:%Y-%m-%d-%H%M}.{form}",
        what="audit",
        conditions=_recorded_conditions(request),
    )


def _recorded_conditions(request: StaffRequest) -> dict[str, str]:
    """Return the conditions of an export as the journal keeps them: what was understood, never what was typed."""
    read = read_conditions(request.user, request.GET)
    since, until = parse_date(request.GET.get("desde", "")), parse_date(request.GET.get("hasta", ""))
    codes = {portfolio.code for portfolio in portfolios_for(request.user)}
    recorded = {
        "hecho": ",".join(kind for kind in read["kinds"] if kind in queries.recorded_kinds()),
        # A name that was looked for may be anybody's: whom the journal names already it may name again.
        "quien": read["actor"] if not read["actor"] or is_actor_name(read["actor"]) else "given",
        "desde": since.isoformat() if since else "",
        "hasta": until.isoformat() if until else "",
        "deudor": str(read["debtor_id"] or ""),
        "cartera": request.GET.get("cartera", "") if request.GET.get("cartera", "") in codes else "",
    }
    return {name: value for name, value in recorded.items() if value}


def _export_rows(request: StaffRequest) -> Iterator[list[spreadsheet.Cell]]:
    """Yield the head and a row for each fact that the filters choose."""
    yield [
        _("Number"),
        _("Instant (UTC)"),
        _("Fact"),
        _("Code"),
        _("Who"),
        _("Portfolio"),
        _("Debtor"),
        _("Account"),
        _("Message"),
        _("Version"),
        _("Details"),
    ]
    codes: dict[int | None, str] = {portfolio.pk: portfolio.code for portfolio in portfolios_for(request.user)}
    for fact in _read_facts(read_conditions(request.user, request.GET)):
        yield [
            fact.pk,
            fact.at.isoformat(),
            narrative.fact_label(fact.kind),
            fact.kind,
            narrative.actor_label(fact.actor),
            codes.get(fact.portfolio_id, ""),
            fact.debtor_id,
            fact.account_id,
            fact.contact_id,
            fact.version,
            json.dumps(fact.payload, ensure_ascii=False),
        ]


def _read_facts(conditions: Conditions) -> Iterator[queries.Entry]:
    """Yield facts page by page, newest first, up to EXPORT_ROWS_MAX: more is no file that people can open."""
    before = None
    count = 0
    while count < EXPORT_ROWS_MAX:
        page = queries.audit_entries(**conditions, before=before, limit=EXPORT_PAGE_ROWS)
        yield from page
        if len(page) < EXPORT_PAGE_ROWS:
            return
        # The next page begins after the oldest fact of this one.
        before = page[-1].pk
        count += len(page)


urlpatterns = [
    path("auditoria/", list_facts, name="audit"),
    path("auditoria/verificar/", verify_seals, name="audit-verify"),
    path("auditoria/exportar.<str:form>", export_facts, name="audit-export"),
]
