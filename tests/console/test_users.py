"""Usuarios, roles y equipos: everything after the first administrator is done on screen."""

from __future__ import annotations

import html
import io
import re

import openpyxl
import pytest
from django.test import Client

from recobra.access.models import CompanyRole, Notice, Team, User
from recobra.access.roles import RIGHTS, Right
from recobra.approvals.models import Approval
from recobra.journal.models import Entry
from tests.messaging.smtp_sink import Sink

from .test_account import come_in

PASSWORD = "gatos-azules-27"
FORM = {"first_name": "Rosa", "last_name": "Paz", "email": "", "language": "es", "role": "GESTOR", "team_id": ""}


@pytest.fixture
def dario(company, at_desk):
    return at_desk("dario")


def page(answer, status=200):
    assert answer.status_code == status
    return answer.content.decode()


def invite(client, username="rosa", **changes):
    """Invite somebody on screen; return the path of the link that is shown."""
    shown = page(client.post("/usuarios/nuevo/", {**FORM, "username": username, **changes}))
    return re.search(r'value="http[^"]*?(/clave/[^"]+)"', shown)[1]


def test_somebody_invited_sets_an_own_password_and_comes_in(dario, company):
    link = invite(dario, offered=company.code, portfolios=company.code)
    assert "Invitado" in page(dario.get("/usuarios/?estado=invited"))
    rosa = Client()
    asked = page(rosa.get(link))
    assert ("rosa" in asked, "12 caracteres" in asked) == (True, True), "what a password must be is said before the try"
    assert "no son iguales" in page(rosa.post(link, {"password": PASSWORD, "again": "otra"}), 422)
    assert "10" in page(rosa.post(link, {"password": "corta", "again": "corta"}), 422)
    assert "quedó guardada" in page(rosa.post(link, {"password": PASSWORD, "again": PASSWORD}))
    assert rosa.post("/entrar/", {"username": "rosa", "password": PASSWORD}).status_code == 302
    assert company.name in page(rosa.get("/"))
    told = page(dario.get("/auditoria/?hecho=user.created"))
    assert ("Rol: Gestor" in told, "Usuario (id): rosa (" in told) == (True, True)
    assert "ya no sirve" in page(Client().get(link), 410)
    assert "ya no sirve" in page(Client().post(link, {"password": PASSWORD, "again": PASSWORD}), 410)
    assert "ya no sirve" in page(Client().get("/clave/inventado:firma/"), 410)


def test_the_link_is_sent_where_there_is_a_mail_server_and_shown_where_it_cannot_be(dario, settings):
    with Sink(faults={}) as sink:
        settings.SMTP_URL = sink.url
        shown = page(dario.post("/usuarios/nuevo/", {**FORM, "username": "rosa", "email": "rosa@sur.example"}))
        assert "Se envió a rosa@sur.example." in shown
        assert "/clave/" not in shown, "whoever made it needs it no more"
        (mail,) = sink.contents
        assert b"/clave/" in mail.replace(b"=\r\n", b"")
    settings.SMTP_URL = "smtp://127.0.0.1:1"
    shown = page(dario.post("/usuarios/nuevo/", {**FORM, "username": "luis", "email": "luis@sur.example"}))
    assert "No se pudo enviar" in shown
    assert "/clave/" in shown


def test_one_administrator_alone_makes_no_link_for_somebody_who_approves(cast, at_desk):
    dario, address = come_in("dario"), f"/usuarios/{cast['carla'].pk}/"
    said = page(dario.post(f"{address}enlace/", follow=True))
    assert "Espera la aprobación de una segunda persona." in said
    assert "Lo solicitó dario" in said
    asked = Approval.objects.get()
    carla = at_desk("carla")
    question = page(carla.get(f"/aprobaciones/{asked.pk}/"))
    assert "Un enlace para una contraseña nueva" in question
    assert "Compruebe que esta persona lo pidió" in question
    carla.post(f"/aprobaciones/{asked.pk}/aprobar/")
    assert "/clave/" in page(dario.post(f"{address}enlace/"))
    assert "Espera la aprobación" in page(dario.post(f"{address}enlace/", follow=True))


def test_whose_account_another_one_changed_is_told_at_home_until_it_was_seen(cast, at_desk, company):
    dario, ana = come_in("dario"), at_desk("ana")
    with_link = page(dario.post(f"/usuarios/{cast['ana'].pk}/enlace/"))
    assert "/clave/" in with_link
    for place in ("/", "/mi-cuenta/"):
        assert "Se creó un enlace para definir una contraseña nueva de su cuenta." in page(ana.get(place))
    zoe = at_desk("zoe")
    assert "Lo que otros cambiaron" not in page(zoe.get("/"))
    ana.post("/mi-cuenta/avisos/")
    assert "Lo que otros cambiaron" not in page(ana.get("/"))


def test_another_address_is_told_to_the_one_before(dario, cast, settings):
    User.objects.filter(username="ana").update(email="ana@sur.example")
    with Sink(faults={}) as sink:
        settings.SMTP_URL = sink.url
        dario.post(f"/usuarios/{cast['ana'].pk}/", {**FORM, "email": "otra@sur.example"})
        (mail,) = sink.contents
    assert b"To: ana@sur.example" in mail
    assert b"Lo hizo: dario" in mail.replace(b"=\r\n", b"")


def test_a_link_needs_a_sign_in_of_just_now(dario, cast):
    answer = dario.post(f"/usuarios/{cast['ana'].pk}/enlace/")
    assert answer["Location"] == f"/entrar/?next=%2Fusuarios%2F{cast['ana'].pk}%2F&again=1"


def test_what_cannot_be_is_said_beside_its_field(dario):
    shown = page(dario.post("/usuarios/nuevo/", {**FORM, "username": "ANA", "email": "nada", "role": "NADIE"}), 422)
    for text in ("Ya existe el usuario «ANA».", "Esto no es una dirección de correo.", "El rol «NADIE» no existe"):
        assert text in shown
    assert not User.objects.filter(username="rosa").exists()


def test_a_change_holds_from_the_next_page(dario, at_desk, cast, company):
    bruno = at_desk("bruno")
    assert bruno.get("/aprobaciones/").status_code == 200
    address = f"/usuarios/{cast['bruno'].pk}/"
    assert 'value="SUPERVISOR" selected' in page(dario.get(address))
    dario.post(address, {**FORM, "role": "GESTOR", "offered": company.code})
    assert bruno.get("/aprobaciones/").status_code == 403
    changed = User.objects.get(pk=cast["bruno"].pk)
    assert (changed.first_name, changed.role, list(changed.scopes.all())) == ("Rosa", "GESTOR", [])


def test_a_portfolio_that_the_form_did_not_offer_stays(dario, cast):
    cast["ana"].scopes.create(portfolio_code="NORTE-PE")
    dario.post(f"/usuarios/{cast['ana'].pk}/", {**FORM, "offered": "PE-CONSUMO", "portfolios": "PE-CONSUMO"})
    codes = cast["ana"].scopes.values_list("portfolio_code", flat=True)
    assert sorted(codes) == ["NORTE-PE", "PE-CONSUMO"]


def test_who_leaves_is_shut_out_and_let_in_again(dario, at_desk, cast):
    ana = at_desk("ana")
    address = f"/usuarios/{cast['ana'].pk}/"
    assert "Conversaciones abiertas" in page(dario.get(f"{address}baja/"))
    dario.post(f"{address}baja/", {"hand_to": cast["bruno"].pk})
    assert ana.get("/").status_code == 302
    assert "Reincorporar" in page(dario.get(address))
    assert "ya está de baja" in page(dario.post(f"{address}baja/"), 422)
    dario.post(f"{address}reincorporacion/")
    assert ana.get("/").status_code == 302, "the session before does not open again"
    assert Client().post("/entrar/", {"username": "ana", "password": "una-clave-larga"}).status_code == 302
    assert "quedaría nadie" in page(dario.post(f"/usuarios/{cast['dario'].pk}/", {**FORM, "role": "MANAGER"}), 422)


GOOD = "Usuario;Nombre;Apellido;Correo;Rol;Equipo;Carteras\n"


def upload(client, content, name="usuarios.csv"):
    file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    file.name = name
    return client.post("/usuarios/archivo/", {"archivo": file})


def test_users_are_loaded_from_a_file_and_each_gets_a_link(dario, company):
    Team.objects.create(name="Mora")
    rows = GOOD + "rosa;Rosa;Paz;rosa@sur.example;Gestor;mora;PE-CONSUMO\nluis;Luis;;;AUDITOR;;*\n"
    shown = page(upload(dario, rows))
    assert len(re.findall(r"/clave/", shown)) == 2
    rosa, luis = User.objects.get(username="rosa"), User.objects.get(username="luis")
    assert (rosa.role, rosa.team.name, rosa.is_active) == ("GESTOR", "Mora", False)
    assert (list(rosa.scopes.values_list("portfolio_code", flat=True)), luis.role) == (["PE-CONSUMO"], "AUDITOR")
    assert luis.sees_all_portfolios
    assert Entry.objects.get(kind="users.loaded").payload == {"users": 2}


def test_a_workbook_is_read_like_a_csv(dario):
    book = openpyxl.Workbook()
    for row in (["login", "rol"], ["rosa", "Gestor"]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    page(upload(dario, content.getvalue(), "usuarios.xlsx"))
    assert User.objects.get(username="rosa").role == "GESTOR"


@pytest.mark.parametrize(
    ("rows", "line", "column", "expected"),
    [
        ("ana;A;;;Gestor;;\n", 2, "usuario", "Ya existe el usuario «ana»."),
        ("rosa;A;;;Jefe;;\n", 2, "rol", "el nombre de un rol"),
        ("rosa;A;;;Gestor;Nadie;\n", 2, "equipo", "el nombre de un equipo"),
        ("rosa;A;;;Gestor;;PE-CONSUMO, NADA\n", 2, "carteras", "códigos de carteras"),
        ("rosa;A;;nada;Gestor;;\n", 2, "correo", "no es una dirección"),
        ("rosa;A;;;Gestor;;\nROSA;B;;;Gestor;;\n", 3, "usuario", "también está en la línea 2"),
        ("rosa;A;;x@s.example;Gestor;;\nluis;B;;X@s.example;Gestor;;\n", 3, "correo", "también está en la línea 2"),
    ],
)
def test_one_fault_and_nobody_is_made(dario, rows, *, line, column, expected):
    before = User.objects.count()
    shown = page(upload(dario, GOOD + rows), 422)
    assert f'<th scope="row">{line}</th>' in shown
    assert f">{column}</td>" in shown
    assert expected in shown
    assert User.objects.count() == before


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", GOOD, b"PK\x03\x04nada", "usuario\nrosa\n"])
def test_a_file_that_is_no_list_of_users_is_refused(dario, content):
    assert "No se cargó nada" in page(upload(dario, content), 422)
    assert dario.post("/usuarios/archivo/").status_code == 422


def test_a_role_of_the_companys_own_walks_only_where_it_may(dario, at_desk, cast):
    assert "Exportar listas a archivos" in page(dario.get("/roles/"))
    assert page(dario.get("/roles/nuevo/?como=AUDITOR")).count(" checked> ") == len(RIGHTS["AUDITOR"]) + 2
    form = {"name": "Mesa de partes", "rights": ["see_board", "see_audit"], "sees_all_portfolios": "1"}
    assert "Ver y verificar la bitácora" in page(dario.post("/roles/nuevo/", form))
    assert not CompanyRole.objects.exists(), "it is confirmed first"
    dario.post("/roles/nuevo/", {**form, "confirmed": "1"})
    dario.post(f"/usuarios/{cast['zoe'].pk}/", {**FORM, "role": "MESA_DE_PARTES"})
    zoe = at_desk("zoe")
    shown = page(zoe.get("/"))
    assert "Mesa de partes" in shown
    entries = re.findall(r'<a href="([^"]+)" data-key="g ', shown)
    assert {"/", "/auditoria/"} <= set(entries)
    assert {"/cartera/", "/usuarios/", "/mi-equipo/", "/aprobaciones/"}.isdisjoint(entries)
    statuses = {path: zoe.get(path).status_code for path in ("/auditoria/", "/cartera/", "/usuarios/", "/ciclo/")}
    assert statuses == {"/auditoria/": 200, "/cartera/": 403, "/usuarios/": 403, "/ciclo/": 403}
    again = {**form, "rights": ["see_board", "manage_users", "export"]}
    confirmation = page(dario.post("/roles/MESA_DE_PARTES/", again))
    assert "puede asignarse todas las carteras" in confirmation
    assert "Vale de inmediato para 1 persona." in confirmation
    dario.post("/roles/MESA_DE_PARTES/", {**again, "confirmed": "1"})
    told = page(dario.get("/auditoria/?hecho=role.saved"))
    assert "Permisos después: Exportar listas a archivos, Administrar usuarios, roles y equipos" in told
    assert zoe.get("/auditoria/").status_code == 403
    assert zoe.get("/usuarios/").status_code == 200
    dario.post("/roles/MESA_DE_PARTES/retiro/")
    assert CompanyRole.objects.get().retired_at is None, "somebody has it"


def test_no_form_gives_a_role_what_only_services_may(dario):
    form = {"name": "Todo", "rights": ["see_board", "serve", "nada"], "confirmed": "1"}
    dario.post("/roles/nuevo/", form)
    assert CompanyRole.objects.get().rights == ["see_board"]


def test_a_built_in_role_is_changed_for_everybody_and_the_last_administrator_stays(dario, at_desk):
    kept = [str(right) for right in RIGHTS["AUDITOR"] - {Right.EXPORT}]
    form = {"rights": kept, "sees_all_portfolios": "1", "confirmed": "1"}
    hilda = at_desk("hilda")
    dario.post("/roles/AUDITOR/", form)
    assert hilda.get("/cartera/exportacion/csv/").status_code in {403, 404}
    without = [str(right) for right in RIGHTS["ADMINISTRATOR"] - {Right.MANAGE_USERS}]
    assert "quedaría nadie" in page(dario.post("/roles/ADMINISTRATOR/", {**form, "rights": without}), 422)
    assert dario.get("/usuarios/").status_code == 200


def test_administrators_see_what_the_others_changed_until_they_have_seen_it(dario, cast):
    Notice.objects.create(
        user=cast["dario"],
        kind="ROLE_CHANGED",
        params={"role": "AUDITOR"},
        made_by="elena",
        made_at=cast["dario"].date_joined,
    )
    assert 'class="side-count">1<' in page(dario.get("/mi-cuenta/"))
    assert "Cambiaron los permisos de un rol" in page(dario.get("/usuarios/"))
    dario.post("/usuarios/avisos/")
    assert "Cambiaron los permisos" not in page(dario.get("/usuarios/"))


def test_a_team_is_formed_and_its_supervisor_sees_it(dario, at_desk, cast):
    bruno = at_desk("bruno")
    assert "todavía no dirige" in page(bruno.get("/mi-equipo/"))
    form = {"name": "Mora", "supervisor_id": cast["bruno"].pk, "members": [cast["ana"].pk, cast["zoe"].pk]}
    cast["zoe"].is_active = False
    cast["zoe"].save(update_fields=["is_active"])
    dario.post("/equipos/nuevo/", form)
    team = Team.objects.get()
    listed = page(dario.get("/equipos/"))
    assert ("ana" in listed, "zoe" in listed) == (True, True), "who is invited and has not come in is a member too"
    cast["zoe"].is_active = True
    cast["zoe"].save(update_fields=["is_active"])
    shown = page(bruno.get("/mi-equipo/"))
    assert "ana" in shown
    assert "zoe" in shown
    before = re.search(r'name="seen" value="([^"]*)"', page(dario.get(f"/equipos/{team.pk}/")))[1]
    dario.post(f"/equipos/{team.pk}/", {**form, "seen": html.unescape(before), "members": [cast["ana"].pk]})
    late = {**form, "seen": html.unescape(before), "name": "Mora 1"}
    conflict = page(dario.post(f"/equipos/{team.pk}/", late), 422)
    assert "Este equipo cambió mientras usted escribía" in conflict
    assert [member.username for member in Team.objects.get().members.all()] == ["ana"]
    late["seen"] = html.unescape(re.search(r'name="seen" value="([^"]*)"', conflict)[1])
    dario.post(f"/equipos/{team.pk}/", late)
    assert Team.objects.get().members.count() == 2, "saved again, it takes its place"
    assert "necesita un nombre" in page(dario.post(f"/equipos/{team.pk}/", {**form, "name": ""}), 422)
    dario.post(f"/equipos/{team.pk}/disolucion/")
    assert not Team.objects.exists()
