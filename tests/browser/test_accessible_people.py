"""The screens of people, sign-in, approvals, retention and the installation, judged by axe; and the end of a session."""

from __future__ import annotations

import pytest

from recobra.access.models import Notice, Session, Team, User
from recobra.access.session_store import SessionStore
from recobra.access.sessions import SIGNED_IN_AT
from recobra.approvals.models import Approval
from recobra.kit import clock
from tests import extent

from .scenes import LOADED, visit

pytestmark = pytest.mark.browser
PAGES = {
    "usuarios": ("dario", "/usuarios/"),
    "usuario": ("dario", "/usuarios/{user}/"),
    "usuario-sesiones": ("dario", "/usuarios/{user}/sesiones/"),
    "roles": ("dario", "/roles/"),
    "equipos": ("dario", "/equipos/"),
    "rol": ("dario", "/roles/GESTOR/"),
    "mi-cuenta": ("dario", "/mi-cuenta/"),
    "usuario-nuevo": ("dario", "/usuarios/nuevo/"),
    "conservacion": ("carla", "/conservacion/"),
    "equipo": ("dario", "/equipos/{team}/"),
    "segundo-factor": ("dario", "/mi-cuenta/aplicacion/"),
    "contrasena": ("dario", "/mi-cuenta/contrasena/"),
    "instalacion": ("dario", "/instalacion/"),
    "llave": ("dario", "/mi-cuenta/llave/"),
    "aprobaciones-reglas": ("carla", "/aprobaciones/reglas/"),
    "usuario-baja": ("dario", "/usuarios/{user}/baja/"),
    "aprobacion": ("carla", "/aprobaciones/{approval}/"),
    "usuarios-archivo": ("dario", "/usuarios/archivo/"),
    "derechos": ("carla", "/ficha/{debtor}/derechos/"),
    "mi-equipo": ("bruno", "/mi-equipo/"),
    "aprobaciones": ("carla", "/aprobaciones/"),
    "entrar": ("", "/entrar/"),
}
# Day by day the forms are asked for their labels without a browser (tests/console/test_page_queries.py).
JUDGED = extent.choose(daily=["usuario", "mi-cuenta", "conservacion"], whole=list(PAGES))


@pytest.fixture
def numbers(world, people, built):
    """Somebody in a team, a link that waits for a second person, and an administrator who has signed in just now."""
    now = clock.now()
    store = SessionStore(built.sessions["dario"])
    store[SIGNED_IN_AT] = now.isoformat()
    store.save()
    team = Team.objects.create(name="Mora", supervisor=people["bruno"])
    User.objects.filter(username="ana").update(team=team, email="ana@sur.example")
    for user, kind in ((people["dario"], "LINK_MADE"), (people["dario"], "FACTORS_RESET")):
        about = user if kind == "LINK_MADE" else people["ana"]
        Notice.objects.create(user=user, kind=kind, params={"user_id": about.pk}, made_by="carla", made_at=now)
    asked = Approval.objects.create(
        kind="account_access",
        subject=f"password:{people['bruno'].pk}",
        new={"what": "password", "name": "bruno", "role": "Gerente", "email": "bruno@sur.example"},
        author="dario",
        author_id=people["dario"].pk,
        asked_at=now,
        asked_by="dario",
    )
    return {
        "user": people["ana"].pk,
        "team": team.pk,
        "approval": asked.pk,
        "debtor": world.debtors["María"].pk,
    }


@pytest.mark.parametrize("scene", LOADED)
def test_every_page_of_people_can_be_used_by_everybody(page_for, numbers, assert_usable, scene):
    pages = {who: page_for(who, scene, is_signed_in=bool(who)) for who in {who for who, _address in PAGES.values()}}
    for name in JUDGED:
        who, address = PAGES[name]
        visit(pages[who], address.format(**numbers))
        assert_usable(pages[who], name)


def test_a_page_that_stands_open_goes_with_its_session(page_for, world, people):
    page = page_for("ana")
    visit(page, "/cartera/")
    assert "María" in page.content()
    Session.objects.all().delete()
    page.evaluate("document.body.dataset.idleSeconds = '0'; document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_url(lambda address: address.endswith("/entrar/?next=/cartera/&ended=1"))
