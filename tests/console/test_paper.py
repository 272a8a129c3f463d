"""Evidence, incidents, letters and visits on the screen."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from recobra.agreements.models import Promise
from recobra.compliance.evidence.export import own_identity
from recobra.compliance.evidence.verification import verify_file
from recobra.compliance.models import Incident
from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging.channels.letter.operations import batch_folder
from recobra.messaging.models import Contact, Letter, LetterBatch
from recobra.portfolio.models import Debtor, Portfolio
from recobra.strategy import schedule
from recobra.workbench.models import Visit
from tests.console.following import follow
from tests.people import acting

from .test_countries import text


def test_the_evidence_of_a_debtor_comes_signed(at_desk, world):
    maria = world.debtors["María"]
    page = at_desk("carla").get(f"/ficha/{maria.pk}/constancia/")
    assert "PDF firmado" in page.content.decode()
    answer = at_desk("carla").post(f"/ficha/{maria.pk}/constancia/descargar/", {"forma": "pdf"})
    now = clock.now()
    assert verify_file(answer.content, trusted=[own_identity(now=now).certificate], now=now).ok
    assert answer["Content-Disposition"].endswith('.pdf"')


def test_the_debtors_file_leads_to_the_evidence_for_who_may(at_desk, world):
    address = f"/ficha/{world.debtors['María'].pk}/"
    assert f"{address}constancia/" in at_desk("carla").get(address).content.decode()
    assert f"{address}constancia/" not in at_desk("ana").get(address).content.decode()


def test_an_incident_is_recorded_and_closed_with_what_was_done(at_desk, world):
    desk = at_desk("bruno")
    maria = world.debtors["María"]
    form = {"tipo": "COMPLAINT", "pais": "PE", "deudor": str(maria.pk), "descripcion": "Se quejó del tono."}
    page = desk.post("/incidentes/registrar/", form, follow=True).content.decode()
    incident = Incident.objects.get()
    assert incident.debtor == maria
    assert "INDECOPI" in page
    page = desk.post("/incidentes/registrar/", form, follow=True).content.decode()
    assert ("Este incidente ya está registrado." in page, Incident.objects.count()) == (True, 1)
    page = desk.post(
        "/incidentes/registrar/", {**form, "falta": "hours", "descripcion": "Llamó a las once."}, follow=True
    )
    assert "hasta 450 UIT" in page.content.decode()
    page = desk.post(f"/incidentes/{incident.pk}/cerrar/", {"accion": "Se habló con el gestor."}, follow=True)
    assert "Se habló con el gestor." in page.content.decode()


@pytest.mark.own_world
@pytest.mark.django_db(transaction=True)
def test_what_the_last_check_stops_is_in_the_register_by_itself(tuesday, at_desk, world):
    """María's e-mail, planned for the morning, comes to the last check at eleven at night."""
    follow(world, clock.now())
    day = clock.now().replace(hour=15, minute=0)
    planned = Contact.objects.get(status="DUE")
    Contact.objects.filter(pk=planned.pk).update(due_at=day - timedelta(hours=2), planned_for=day.date())
    late = day + timedelta(hours=13)
    assert messaging.dispatch_once(actor=acting("dispatch", now=late))["blocked"] == 1
    bruno = at_desk("bruno")
    register = text(bruno.get("/incidentes/"))
    for said in (
        "Intento detenido por el control de contacto PE · Consumo Perú",
        "23:00 el despachador",
        "Fuera del horario de contacto. PE/email/window · Ley 29571 art. 62",
        "leve hasta 50 UIT",
        f"Mensaje {planned.pk}",
    ):
        assert said in register, said
    month = text(bruno.get(f"/cumplimiento/?pais=PE&mes={day:%Y-%m}"))
    assert "Intentos detenidos en la última revisión 1" in month
    assert "Incidentes abiertos 1" in month


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"deudor": "45678912-A"}, "No existe ese deudor."),
        ({"deudor": "999999"}, "No existe ese deudor."),
        ({"cuando": "ayer"}, "Falta decir cuándo pasó."),
    ],
)
def test_an_incident_that_cannot_be_read_is_not_recorded_as_something_else(at_desk, world, wrong, said):
    form = {"tipo": "COMPLAINT", "pais": "PE", "descripcion": "Se quejó del tono.", **wrong}
    assert said in at_desk("bruno").post("/incidentes/registrar/", form, follow=True).content.decode()
    assert not Incident.objects.exists()


def _portfolio_in_chile(company):
    return Portfolio.objects.create(
        creditor=company.creditor,
        code="CL-OTRA",
        name="Otra",
        industry="CONSUMER",
        country="CL",
        currency="CLP",
        time_zone="America/Santiago",
    )


@pytest.mark.parametrize("own", ["PE", ""])
def test_an_incident_about_a_debtor_stands_under_the_debtors_country(at_desk, world, cast, company, own):
    _portfolio_in_chile(company)
    cast["bruno"].scopes.create(portfolio_code="CL-OTRA")
    maria = world.debtors["María"]
    Debtor.objects.filter(pk=maria.pk).update(country=own)
    form = {"tipo": "COMPLAINT", "pais": "CL", "deudor": str(maria.pk), "descripcion": "Se quejó del tono."}
    page = at_desk("bruno").post("/incidentes/registrar/", form, follow=True).content.decode()
    incident = Incident.objects.get()
    assert (incident.country, incident.portfolio, incident.debtor) == ("PE", world.portfolio, maria)
    assert "PE, el país del deudor" in page


def test_an_incident_about_nobody_lies_in_a_country_of_ones_own_portfolios(at_desk, world, company):
    _portfolio_in_chile(company)
    form = {"tipo": "COMPLAINT", "pais": "CL", "descripcion": "Se quejaron del tono."}
    page = at_desk("bruno").post("/incidentes/registrar/", form, follow=True).content.decode()
    assert "Falta elegir uno de los países de las carteras propias." in page
    assert not Incident.objects.exists()
    at_desk("carla").post("/incidentes/registrar/", form)
    assert Incident.objects.get().country == "CL"


def test_the_record_of_a_batch_that_left_says_how_many_letters(at_desk, world):
    batch = LetterBatch.objects.create(created_at=clock.now(), created_by="bruno", letters_count=3)
    LetterBatch.objects.update(path=f"letters/{batch.pk}")
    batch_folder(batch.pk).mkdir(parents=True, exist_ok=True)
    (batch_folder(batch.pk) / "courier.csv").write_bytes(b"reference,name\n")
    answer = at_desk("bruno").get(f"/cartas/{batch.pk}/courier.csv")
    assert answer.getvalue() == b"reference,name\n"
    assert Entry.objects.get(kind="export.made").payload["rows"] == 3


def test_the_month_of_a_country_is_a_page_a_document_and_a_table(at_desk, world):
    desk = at_desk("carla")
    assert "Perú" in desk.get("/cumplimiento/?pais=PE").content.decode()
    assert desk.get("/cumplimiento/informe.pdf?pais=PE").content.startswith(b"%PDF")
    assert desk.get("/cumplimiento/informe.xlsx?pais=PE").content.startswith(b"PK")
    assert desk.get("/cumplimiento/informe.exe?pais=PE").status_code == 404


def test_the_couriers_file_answers_line_by_line(at_desk, world):
    file = SimpleUploadedFile("s.csv", b"reference,status,at\nPE-1,perdida,2026-11-25\n", content_type="text/csv")
    page = at_desk("bruno").post("/cartas/seguimiento/", {"archivo": file}).content.decode()
    assert "perdida" in page
    assert "entregado, devuelto o en camino" in page


def test_nothing_to_print_says_so(at_desk, world):
    page = at_desk("bruno").post("/cartas/imprimir/", {"pais": "PE"}, follow=True).content.decode()
    assert "No hay cartas por imprimir" in page
    assert not Letter.objects.exists()


@pytest.fixture
def visit(world):
    return Visit.objects.create(contact=world.sent, area="PE-LIM 15001", route_date=clock.now().date())


def test_a_gestora_takes_an_area_and_notes_what_came_of_it(at_desk, visit, cast):
    desk = at_desk("ana")
    day = visit.route_date.isoformat()
    assert visit.contact.debtor.name in desk.get(f"/visitas/?dia={day}").content.decode()
    desk.post("/visitas/ordenar/", {"dia": day, "zona": "PE-LIM 15001"})
    visit.refresh_from_db()
    assert visit.assigned_to_id == cast["ana"].pk
    promised = (clock.now() + timedelta(days=3)).date().isoformat()
    form = {"resultado": "PROMISE", "promesa": promised, "monto": "cien", "nota": "Paga el viernes"}
    assert "Escriba el monto" in desk.post(f"/visitas/{visit.pk}/", form).content.decode()
    form["monto"] = "100.00"
    page = desk.post(f"/visitas/{visit.pk}/", form, follow=True).content.decode()
    assert "Anotado." in page
    visit.refresh_from_db()
    assert (visit.result, visit.noted_by) == ("PROMISE", "ana")
    promise = Promise.objects.get(debtor=visit.contact.debtor)
    assert (promise.amount_minor, promise.promised_on.isoformat()) == (10_000, promised)


def test_a_promise_without_a_day_is_asked_for(at_desk, visit):
    page = at_desk("ana").post(f"/visitas/{visit.pk}/", {"resultado": "PROMISE"}).content.decode()
    assert "Una promesa necesita su fecha" in page


@pytest.mark.parametrize("unreadable", ["mañana", "2026-13-01", "24/11/2026"])
def test_a_day_that_cannot_be_read_is_said_and_never_taken_for_today(at_desk, visit, unreadable):
    desk = at_desk("ana")
    said = f"«{unreadable}» no es un día"
    assert said in desk.get("/visitas/", {"dia": unreadable}, follow=True).content.decode()
    Visit.objects.update(route_date=schedule.today(clock.now()))
    form = {"dia": unreadable, "zona": "PE-LIM 15001"}
    assert said in desk.post("/visitas/ordenar/", form, follow=True).content.decode()
    met = {"resultado": "MET", "promesa": unreadable}
    assert said in desk.post(f"/visitas/{visit.pk}/", met).content.decode()
    visit.refresh_from_db()
    assert (visit.assigned_to_id, visit.result) == (None, "")
