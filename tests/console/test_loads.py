"""Loads on screen: a file is sent, looked at, tried, taken by a worker; what waits is decided by a person."""

import io
from datetime import timedelta

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from procrastinate.contrib.django.models import ProcrastinateJob

from recobra.console import uploads
from recobra.intake import jobs, operations
from recobra.intake.models import Load, Mapping, RejectedRow
from recobra.journal.models import Entry
from recobra.kit import cage, clock
from recobra.portfolio.models import Account
from tests.console.following import work_off
from tests.people import acting

from .test_countries import text

HEAD = "Nro préstamo;Cliente;DNI;Celular;Correo;Vencimiento;Saldo"
ROWS = [f"L-{n};Persona {n};4000000{n};98765432{n};p{n}@correo.example;15/0{n}/2026;{n}00,50" for n in range(1, 7)]


def send(client, *rows, name="cartera.csv"):
    text = "\n".join([HEAD, *rows]) + "\n"
    file = SimpleUploadedFile(name, text.encode(), content_type="text/csv")
    return client.post("/cargas/nueva/", {"portfolio": "PE-CONSUMO", "file": file})


def choices(client, address):
    page = client.get(address).context
    posted = {f"column-{at}": target for at, (_header, target) in enumerate(page["chosen"])}
    posted |= {name: now for name, _label, _choices, now in page["options"]}
    return posted | {"as_of": clock.today("America/Lima").isoformat(), "name": "diaria"}


@pytest.fixture
def uploaded(at_desk, company):
    client = at_desk("bruno")
    return client, send(client, *ROWS)["Location"]


def test_the_columns_are_guessed_and_the_first_rows_shown(uploaded):
    client, address = uploaded
    chosen = dict(client.get(address).context["chosen"])
    assert chosen["Nro préstamo"] == "account.external_id"
    assert (chosen["Saldo"], chosen["Vencimiento"], chosen["Celular"]) == ("balance", "instalment.due_date", "phones")
    assert "Persona 1" in client.get(address).content.decode()


def test_trying_says_what_would_happen_and_writes_nothing(uploaded):
    client, address = uploaded
    answer = client.post(address, choices(client, address) | {"do": "try"})
    assert answer.context["result"]["accepted"] == 6
    assert not Account.objects.filter(external_id="L-1").exists()
    assert not Load.objects.exists()


def test_nobody_else_may_open_an_upload(uploaded, at_desk):
    _client, address = uploaded
    assert at_desk("carla").get(address).status_code == 404
    assert at_desk("zoe").get(address).status_code == 403


def test_a_portfolio_of_others_takes_no_file(at_desk, company, cast):
    cast["bruno"].scopes.all().delete()
    assert send(at_desk("bruno"), *ROWS).status_code == 422


def test_a_file_that_cannot_be_read_is_refused_with_its_reason(at_desk, company):
    client = at_desk("bruno")
    address = send(client)["Location"]
    answer = client.get(address)
    assert answer.status_code == 422
    assert "ninguna fila" in answer.content.decode() or "no rows" in answer.content.decode()


@pytest.mark.parametrize("page", ["/cargas/nueva/", "/pagos/archivo/"])
def test_a_file_that_nobody_had_time_for_stays_until_somebody_has(at_desk, company, monkeypatch, page):
    client = at_desk("bruno")
    file = SimpleUploadedFile("cartera.csv", f"{HEAD}\n{ROWS[0]}\n".encode(), content_type="text/csv")
    address = client.post(page, {"portfolio": "PE-CONSUMO", "file": file})["Location"]
    monkeypatch.setattr(cage, "LONGEST_WAIT_SECONDS", 0)
    for _reader in range(cage.MOST_AT_ONCE):
        cage._POOL._slots.acquire()
    answer = client.get(address)
    for _reader in range(cage.MOST_AT_ONCE):
        cage._POOL._slots.release()
    assert (answer.status_code, "Espere un minuto" in answer.content.decode()) == (503, True)
    assert client.get(address).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_worker_takes_the_file_and_the_page_may_be_left(uploaded):
    client, _address = uploaded
    broken = "L-9;Sin Fecha;40000009;987654329;p9@correo.example;30/02/2026;100,00"
    second = send(client, *ROWS, broken)["Location"]
    assert client.post(second, choices(client, second) | {"do": "load"}).status_code == 302
    assert "está en proceso o en espera" in client.get("/cargas/").content.decode()
    work_off()
    load = Load.objects.get()
    assert (load.status, load.figures["accepted"], load.figures["rejected"], load.actor) == ("DONE", 6, 1, "bruno")
    assert Mapping.objects.get().name == "diaria"
    page = client.get(f"/cargas/{load.pk}/").content.decode()
    assert "30/02/2026" in page
    assert "Antigüedad" in page
    answer = client.get(f"/cargas/{load.pk}/errores.csv")
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "Sin Fecha" in body
    assert Entry.objects.filter(kind="export.made").exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_that_waits_is_confirmed_or_discarded_by_a_person(at_desk, company, cast):
    client = at_desk("bruno")
    first = send(client, *ROWS)["Location"]
    client.post(first, choices(client, first) | {"do": "load"})
    work_off()
    second = send(client, ROWS[0])["Location"]
    client.post(second, choices(client, second) | {"do": "load"})
    work_off()
    held = Load.objects.get(status="HELD")
    page = client.get(f"/cargas/{held.pk}/").content.decode()
    assert held.reason in page
    assert at_desk("hilda").post(f"/cargas/{held.pk}/confirmar/").status_code == 403
    client.post(f"/cargas/{held.pk}/descartar/")
    held.refresh_from_db()
    assert held.status == "DISCARDED"
    third = send(client, ROWS[0], name="otra.csv")["Location"]
    client.post(third, choices(client, third) | {"do": "load"})
    work_off()
    client.post(f"/cargas/{Load.objects.get(status='HELD').pk}/confirmar/")
    work_off()
    assert Account.objects.exclude(status="OPEN").count() == 5


def test_numbers_like_known_ones_are_listed_and_joined_by_a_person(at_desk, company, now, tmp_path):
    client = at_desk("bruno")
    mapping = {"account": {"external_id": "cuenta"}, "balance": "saldo"}

    def load(number, day):
        path = tmp_path / "cartera.csv"
        path.write_text(f"cuenta;saldo\n{number};100\n")
        return operations.load_file(
            path=path,
            portfolio_code=company.code,
            mapping=mapping,
            as_of=now.date() - timedelta(days=day),
            actor=acting("bruno", now=now),
        )

    load("F001-0627", 1)
    held = load("F001-627", 0)
    page = text(client.get(f"/cargas/{held['load_id']}/"))
    assert "Números parecidos a otros" in page
    assert "F001-627" in page
    assert "F001-0627, que ya se conoce" in page
    client.post(f"/cargas/{held['load_id']}/confirmar/", {"parecidos": "iguales"})
    jobs.load_confirmed(**ProcrastinateJob.objects.get(task_name="load.confirm").args)
    done = Load.objects.get(pk=held["load_id"])
    assert (done.status, done.figures["created"], done.figures["alike_joined"]) == ("DONE", 0, 1)
    assert "Números parecidos" not in text(client.get(f"/cargas/{done.pk}/"))


@pytest.mark.django_db(transaction=True)
def test_the_next_days_file_tells_new_changed_and_gone_and_closes_what_was_paid(at_desk, company):
    """Of six loans the first is owed less, the last is no longer there, one is new; the file is then sent again."""
    client, today = at_desk("bruno"), clock.today("America/Lima")

    def load(*rows, day, **more):
        address = send(client, *rows)["Location"]
        form = choices(client, address) | {"as_of": day.isoformat(), "gone": "paid", "do": "load"}
        client.post(address, form | more)
        work_off()
        return text(client.get(f"/cargas/{Load.objects.latest('pk').pk}/"))

    first = load(*ROWS, day=today - timedelta(days=1))
    assert "Filas 6 Aceptadas 6 Rechazadas 0 Nuevas 6 Cambiadas 0 Sin cambios 0 Ausentes 0" in first
    changed, new = ROWS[0].replace("100,50", "40,50"), ROWS[0].replace("L-1", "L-7").replace("40000001", "40000007")
    second = load(changed, *ROWS[1:5], new, day=today)
    assert "Nuevas 1 Cambiadas 1 Sin cambios 4 Ausentes 1 Pagos inferidos 2" in second
    paid = text(client.get(f"/ficha/{Account.objects.get(external_id='L-6').debtor_id}/"))
    assert "Qué sigue Ya no se debe nada." in paid
    assert "S/ 600.50 Inferido de la carga" in paid
    # Each debt leads back to the file and the line that last said something new of it.
    source = text(client.get(f"/ficha/{Account.objects.get(external_id='L-1').debtor_id}/"))
    assert "línea 2" in source
    unchanged = Account.objects.get(external_id="L-3")
    page = client.get(f"/ficha/{unchanged.debtor_id}/").content.decode()
    assert f'<a href="/cargas/{Load.objects.earliest("pk").pk}/">cartera.csv</a>' in page
    assert "línea 4" in page
    assert "cartera.csv línea 4" in text(client.get(f"/ficha/{unchanged.debtor_id}/cuentas/{unchanged.pk}/"))
    assert load(changed, *ROWS[1:5], new, day=today) == second
    assert Load.objects.count() == 2
    assert "haría retroceder la cartera" in load(*ROWS, day=today - timedelta(days=2))
    held = load(*ROWS[:5], day=today, **{"control-rows": "9"})
    assert "Este archivo espera a una persona" in held
    assert "El total de control dice 9 filas; el archivo tiene 5." in held


def test_a_workbook_is_read_like_a_text_file(at_desk, company):
    client, book, file = at_desk("bruno"), openpyxl.Workbook(), io.BytesIO()
    book.active.append(HEAD.split(";"))
    for row in ROWS:
        *cells, balance = row.split(";")
        book.active.append([*cells, float(balance.replace(",", "."))])
    book.save(file)
    upload = SimpleUploadedFile("cartera.xlsx", file.getvalue())
    address = client.post("/cargas/nueva/", {"portfolio": "PE-CONSUMO", "file": upload})["Location"]
    assert "Persona 1" in text(client.get(address))
    tried = text(client.post(address, choices(client, address) | {"do": "try"}))
    assert "Filas 6 Aceptadas 6 Rechazadas 0" in tried
    assert "Monto S/ 2,103.00" in tried


def test_what_a_rejected_row_held_is_shown_only_to_who_may_see_personal_data(at_desk, world):
    load = Load.objects.get(portfolio=world.portfolio)
    load.figures = {"rows": 1, "rejected": 1}
    load.save()
    wrong = [{"column": "DNI", "value": "45678912X", "code": "bad_bytes"}]
    RejectedRow.objects.create(load=load, line=2, row={"DNI": "45678912X"}, errors=wrong)
    for name, shown in {"bruno": True, "carla": True, "dario": False, "hilda": False}.items():
        page = at_desk(name).get(f"/cargas/{load.pk}/").content.decode()
        assert page.count("<td>DNI</td>") == 1
        assert ("45678912X" in page) is shown, name


def keep_mapping(portfolio, name, days_ago, **columns):
    document = {"name": name, "account": {"external_id": "Nro préstamo"}, "balance": "Saldo"} | columns
    created_at = clock.now() - timedelta(days=days_ago)
    return Mapping.objects.create(
        portfolio=portfolio, name=name, version=1, document=document, created_at=created_at, created_by="bruno"
    )


def test_the_newest_saved_mapping_that_fits_the_file_is_offered_as_it_is(uploaded, company):
    client, address = uploaded
    keep_mapping(company, "antiguo", 9)
    newest = keep_mapping(company, "diario", 5, currency="saldo")
    keep_mapping(company, "otro sistema", 1, balance="Deuda")
    page = client.get(address)
    assert (page.context["base"], page.context["fits"]) == (newest, True)
    assert "data-as-it-is checked" in page.content.decode()


def test_a_saved_mapping_of_other_columns_gives_way_to_the_guess(uploaded, company):
    client, address = uploaded
    other = keep_mapping(company, "otro sistema", 1, parties=[{"part": "GUARANTOR", "name": "Garante"}])
    guessed = client.get(address)
    assert guessed.context["base"] is None
    assert dict(guessed.context["chosen"])["Cliente"] == "debtor.name"
    asked_for = client.get(f"{address}?mapeo={other.pk}")
    assert asked_for.context["base"] == other
    assert "data-as-it-is>" in asked_for.content.decode()


def test_a_trial_says_what_was_found_and_what_was_expected(at_desk, company):
    client = at_desk("bruno")
    address = send(client, *ROWS, "L-9;Sin Fecha;40000009;987654329;p9@correo.example;30/02/2026;100,00")["Location"]
    page = client.post(address, choices(client, address) | {"do": "try"}).content.decode()
    assert "Se esperaba" in page
    assert "una fecha como" in page


@pytest.mark.django_db(transaction=True)
def test_what_a_file_lacks_is_counted_on_the_page_of_its_load(at_desk, company):
    client = at_desk("bruno")
    gaps = ["L-7;Sin Contacto;40000007;;;15/01/2026;700,50", "L-8;Sin Documento;;987654328;;15/01/2026;800,50"]
    address = send(client, *ROWS, *gaps)["Location"]
    client.post(address, choices(client, address) | {"do": "load"})
    work_off()
    number = Load.objects.get().pk
    page = client.get(f"/cargas/{number}/").content.decode()
    shown = text(client.get(f"/cargas/{number}/"))
    assert "El dinero del archivo" in shown
    assert "Todo el archivo 8 S/ 3,604.00" in shown
    assert "Sin teléfono, correo ni dirección que se pueda usar — 1 8" in shown
    assert "Calidad de los datos 95 / 100" in shown
    lines = b"".join(client.get(f"/cargas/{number}/avisos.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "Línea del archivo;Columna;Aviso"
    assert "9;DNI;Sin documento de identidad" in lines
    assert "Calidad de los datos 95 / 100" in text(client.get("/datos/"))
    for said in (
        "Deudores sin medio de contacto</dt><dd>1<",
        "Deudores sin documento de identidad</dt><dd>1<",
        "Composición",
        "Diez mayores deudores",
    ):
        assert said in page, page.partition('id="gaps-title"')[2][:900]


@pytest.mark.django_db(transaction=True)
def test_after_a_load_everybody_reads_the_same_newest_data_of_a_debtor(at_desk, company):
    bruno = at_desk("bruno")
    for row in (ROWS[0], ROWS[0].replace("Persona 1", "Persona Casada").replace("987654321", "955000111")):
        address = send(bruno, row, *ROWS[1:])["Location"]
        bruno.post(address, choices(bruno, address) | {"do": "load"})
        work_off()
    debtor = Account.objects.get(external_id="L-1").debtor
    pages = {
        name: at_desk(name).get(f"/ficha/{debtor.pk}/").content.decode()
        for name in ("ana", "bruno", "carla", "dario", "hilda")
    }
    for name, page in pages.items():
        assert "<h1>Persona Casada" in page, name
        assert "Persona 1" not in page, name
        assert ("955000111" in page) is (name in {"ana", "bruno", "carla"}), name


def test_what_a_person_has_waiting_has_a_limit(uploaded, settings, monkeypatch):
    client, address = uploaded
    monkeypatch.setattr(uploads, "FILES_MAX", 1)
    page = send(client, *ROWS)
    assert page.status_code == 422
    assert "Sus archivos en espera (1) ocupan 1 MB; con este se pasaría del límite" in text(page)
    # A file that went to a worker still waits.
    client.post(address, choices(client, address) | {"do": "load"})
    assert send(client, *ROWS).status_code == 422
    monkeypatch.undo()
    settings.UPLOAD_QUOTA_MB = 0
    assert send(client, *ROWS).status_code == 422


def test_a_full_disk_takes_no_file_and_says_so(uploaded, settings):
    client, address = uploaded
    form = choices(client, address)
    settings.DISK_RESERVE_MB = 10**9
    assert "MB libres" in text(send(client, *ROWS))
    assert "MB libres" in client.post(address, form | {"do": "try"}).content.decode()
    assert "Las cargas y los ciclos esperan" in text(client.get("/cargas/"))
    settings.DISK_RESERVE_MB = 1
    assert "Las cargas y los ciclos esperan" not in text(client.get("/cargas/"))


def test_titles_are_passed_over_and_the_row_of_the_names_can_be_changed(at_desk, company):
    client = at_desk("bruno")
    older = "Nro préstamo;Cliente;DNI;Celular;Correo;Vencimiento;Saldo\nV-1;Vieja;4;9;v@correo.example;15/01/2020;1,00"
    text = f"Cartera al cierre;;;;;;\n\n{older}\n{HEAD}\n{ROWS[0]}\nTOTAL;;;;;;100,50\n"
    file = SimpleUploadedFile("cartera.csv", text.encode(), content_type="text/csv")
    address = client.post("/cargas/nueva/", {"portfolio": "PE-CONSUMO", "file": file})["Location"]
    page = client.get(address)
    assert (page.context["preview"]["header_line"], page.context["preview"]["sample"][0][0]) == (3, "V-1")
    assert "Nombres de las columnas en la fila 3" in page.content.decode()
    chosen = client.get(f"{address}?fila=5")
    assert chosen.context["preview"]["sample"][0][0] == "L-1"
    posted = choices(client, f"{address}?fila=5") | {"do": "try", "fila": "5"}
    answer = client.post(address, posted)
    result = answer.context["result"]
    assert (result["accepted"], result["set_aside"], result["amount_minor"]) == (1, 1, 10_050)
    assert "Totales apartados: 1 (filas 7)." in answer.content.decode()
    # A line that is not there is said, and the page opens as it was.
    wrong = client.get(f"{address}?fila=900", follow=True)
    assert "900" in wrong.content.decode()
    assert wrong.context["preview"]["header_line"] == 3
