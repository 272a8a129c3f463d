"""Pages of people, approvals and retention ask the database as often for thirty as for one."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recobra.access.models import CompanyRole, Notice, Scope, Session, Team, User
from recobra.approvals.models import Approval
from recobra.compliance.models import PersonRequest, RetentionPeriod
from recobra.kit import clock
from recobra.messaging.models import Provider
from recobra.portfolio.models import Creditor

PAGES = {
    "/usuarios/": "dario",
    "/usuarios/{user}/": "dario",
    "/usuarios/{user}/baja/": "dario",
    "/usuarios/{user}/sesiones/": "dario",
    "/roles/": "dario",
    "/roles/nuevo/": "dario",
    "/roles/GESTOR/": "dario",
    "/equipos/": "dario",
    "/equipos/nuevo/": "dario",
    "/mi-equipo/": "bruno",
    "/mi-cuenta/": "dario",
    "/": "ana",
    "/aprobaciones/": "dario",
    "/aprobaciones/reglas/": "dario",
    "/conservacion/": "carla",
    "/ficha/{debtor}/derechos/": "carla",
    "/instalacion/": "dario",
}


class Controls(HTMLParser):
    """The fields of a page, and what names them: a label around them or of their id, or a name of their own."""

    def __init__(self):
        super().__init__()
        self.fields, self.named, self.depth = [], set(), 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "label":
            self.depth += 1
            self.named.add(given.get("for"))
        elif tag in {"input", "select", "textarea"} and given.get("type") != "hidden":
            is_named = self.depth or given.get("aria-label") or given.get("aria-labelledby")
            self.fields += [] if is_named else [given.get("id", tag)]

    def handle_endtag(self, tag):
        self.depth -= tag == "label"


def find_unlabelled(page):
    """Return the fields of a page that a screen reader cannot name."""
    controls = Controls()
    controls.feed(page)
    return [field for field in controls.fields if field not in controls.named]


def grow(cast, world, numbers):
    """Add one of everything that the pages list, for each number."""
    now = clock.now()
    for n in numbers:
        team = Team.objects.create(name=f"Equipo {n}", supervisor=cast["bruno"])
        role = CompanyRole.objects.create(code=f"PROPIO_{n}", name=f"Propio {n}", rights=["see_board"])
        user = User.objects.create(username=f"persona{n}", role=role.code, team=team)
        Scope.objects.create(user=user, portfolio_code=world.portfolio.code)
        for person in ("dario", "ana"):
            told = {"user_id": user.pk if person == "dario" else cast["ana"].pk}
            Notice.objects.create(user=cast[person], kind="LINK_MADE", params=told, made_by="carla", made_at=now)
            again = {"data": "", "started_at": now, "last_seen_at": now}
            Session.objects.create(key_digest=f"{person}{n}", user=cast[person], **again)
        creditor = Creditor.objects.create(code=f"C{n}", name=f"Acreedor {n}")
        provider = Provider.objects.create(code=f"p{n}", kind="smtp", name=f"Correo {n}", created_at=now)
        for kind, subject in (("payment_instructions", creditor.pk), ("provider", provider.pk)):
            asked = {"author": "carla", "asked_by": "carla", "asked_at": now}
            Approval.objects.create(kind=kind, subject=str(subject), **asked)
        RetentionPeriod.objects.create(
            data_class="messages", days=900 + n, holds_from="2030-01-01", reason="x", created_at=now, created_by="carla"
        )
        PersonRequest.objects.create(
            debtor=world.debtors["María"], kind="ACCESS", asked_on=now.date(), recorded_at=now, recorded_by="carla",
            answered_at=now, answered_by="carla",
        )  # fmt: skip


@pytest.fixture
def count(at_desk, cast, world):
    ids = {"user": cast["dario"].pk, "debtor": world.debtors["María"].pk}

    def ask():
        counts = {}
        for page, who in PAGES.items():
            desk = at_desk(who)
            with CaptureQueriesContext(connection) as asked:
                shown = desk.get(page.format(**ids))
            assert shown.status_code == 200, page
            assert find_unlabelled(shown.content.decode()) == [], page
            counts[page] = len(asked)
        return counts

    return ask


def test_a_page_asks_as_often_for_thirty_as_for_one(count, cast, world):
    grow(cast, world, range(1))
    one = count()
    grow(cast, world, range(1, 30))
    thirty = count()
    assert {page: (one[page], thirty[page]) for page in PAGES if thirty[page] > one[page]} == {}
