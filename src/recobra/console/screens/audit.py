"""Auditoría: the journal in words, filtered and taken out, and the proof that nobody touched it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access import operations
from recobra.access.queries import User, portfolio_codes
from recobra.access.roles import Right
from recobra.console import labels, narrative, reasons, spreadsheet, strategy_labels
from recobra.console.guard import StaffRequest, needs
from recobra.journal import queries
from recobra.journal.seal import seal_days, verify_journal
from recobra.kit import clock
from recobra.portfolio.queries import portfolios_for
from recobra.strategy import schedule

from .place import Installation

__all__ = ["strategy_labels", "urlpatterns"]
PAGE_ROWS = 100
EXPORT_ROWS_MAX = 200_000
_NAMES = ("hecho", "quien", "desde", "hasta", "deudor", "cartera")


@require_GET
@needs(Right.SEE_AUDIT)
def index(request: StaffRequest) -> HttpResponse:
    """Show one page of facts, newest first; htmx gets the table alone."""
    portfolios = portfolios_for(request.user)
    before = request.GET.get("antes", "")
    facts = queries.audit_entries(
        **conditions_of(request.user, request.GET),
        before=int(before) if before.isdecimal() else None,
        limit=PAGE_ROWS + 1,
    )
    following = facts[PAGE_ROWS - 1].pk if len(facts) > PAGE_ROWS else None
    context = {
        "facts": [_said(fact, {each.pk: each.name for each in portfolios}) for fact in facts[:PAGE_ROWS]],
        "following": following,
        "place": Installation(time_zone=schedule.installation_zone().key),
        "filtered": any(request.GET.get(name) for name in _NAMES),
    }
    if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
        return render(request, "console/audit/_list.html", context)
    kinds = sorted(
        ((kind, narrative.fact_label(kind)) for kind in queries.recorded_kinds()), key=lambda pair: pair[1].casefold()
    )
    return render(request, "console/audit/index.html", context | {"kinds": kinds, "portfolios": portfolios})


def conditions_of(user: User, parameters: QueryDict) -> dict[str, Any]:
    """Read the filters of the audit list, never wider than the user's scope; what cannot be read does not filter."""
    zone = schedule.installation_zone()
    since, until = _day(parameters.get("desde", "")), _day(parameters.get("hasta", ""))
    debtor, kind = parameters.get("deudor", "").strip(), parameters.get("hecho", "")
    return {
        "portfolio_ids": _scope(user, parameters.get("cartera", "")),
        "kinds": [kind] if kind else [],
        "actor": parameters.get("quien", "").strip(),
        "debtor_id": int(debtor) if debtor.isdecimal() and len(debtor) < 19 else None,
        "since": datetime.combine(since, time(), zone) if since else None,
        "until": datetime.combine(until + timedelta(1), time(), zone) if until else None,
    }


def _scope(user: User, code: str) -> list[int] | None:
    """Return the portfolios to look at: None is the whole installation, for who may see all of it."""
    if not code and portfolio_codes(user) is None:
        return None
    return [each.pk for each in portfolios_for(user) if code in {"", each.code}]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _said(fact: Any, portfolios: dict[int, str]) -> dict[str, Any]:
    return {"fact": fact, "portfolio": portfolios.get(fact.portfolio_id, ""), "details": details(fact.payload)}


def details(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a fact carries as pairs to read: ids, amounts and codes, never personal data."""
    return [(name, _value(name, value)) for name, value in payload.items() if value not in (None, "", [], {})]


def _value(name: str, value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    text = str(value)
    if name == "reason":
        return reasons.say(text)
    families = {"channel": "channel", "from": "stage", "to": "stage", "source": "source", "outcome": "outcome"}
    return labels.say(families[name], text) if name in families else text


@require_POST
@needs(Right.SEE_AUDIT)
def verify(request: StaffRequest) -> HttpResponse:
    """Seal the finished days, recompute every digest and every seal, and say what was found."""
    now = clock.now()
    seal_days(until=now.date(), now=now)
    return render(request, "console/audit/verdict.html", {"verdict": verify_journal()})


@require_GET
@needs(Right.SEE_AUDIT)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """Write the filtered facts to a file and record that they left the house."""
    if form not in spreadsheet.FORMS:
        raise Http404
    now = clock.now()
    file = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    rows = spreadsheet.write(file, _lines(request), form=form, name=_("Audit"))
    asked = {name: request.GET[name] for name in _NAMES if request.GET.get(name)}
    operations.record_export(user=request.user, what="audit", rows=rows, conditions=asked, now=now)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"auditoria-{now:%Y-%m-%d-%H%M}.{form}")


def _lines(request: StaffRequest) -> Iterator[list[spreadsheet.Cell]]:
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
    names = {each.pk: each.code for each in portfolios_for(request.user)}
    for fact in _everything(conditions_of(request.user, request.GET)):
        yield [
            fact.pk,
            fact.at.isoformat(),
            narrative.fact_label(fact.kind),
            fact.kind,
            narrative.actor_label(fact.actor),
            names.get(fact.portfolio_id, ""),
            fact.debtor_id,
            fact.account_id,
            fact.contact_id,
            fact.version,
            json.dumps(fact.payload, ensure_ascii=False),
        ]


def _everything(conditions: dict[str, Any]) -> Iterator[Any]:
    """Give facts page by page, newest first, up to the limit of a spreadsheet that people can open."""
    before, given = None, 0
    while given < EXPORT_ROWS_MAX:
        page = queries.audit_entries(**conditions, before=before, limit=2000)
        yield from page
        if len(page) < 2000:
            return
        before, given = page[-1].pk, given + len(page)


urlpatterns = [
    path("auditoria/", index, name="audit"),
    path("auditoria/verificar/", verify, name="audit-verify"),
    path("auditoria/exportar.<str:form>", export, name="audit-export"),
]
