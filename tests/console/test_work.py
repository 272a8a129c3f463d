"""The cycle, the messages, the templates and the audit on screen."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from recobra.config.jobs import recover_locked_jobs
from recobra.console import narrative
from recobra.conversations.jobs import answer_conversation
from recobra.journal.models import Entry
from recobra.journal.seal import seal_journal
from recobra.kit import clock
from recobra.kit.job_retries import MOST_TRIES
from recobra.messaging.models import Contact, MailboxMessage, Template
from recobra.strategy import jobs, operations, schedule
from recobra.strategy.models import CycleRun
from tests.console.following import follow, work_off
from tests.people import acting


@pytest.fixture
def followed(world):
    follow(world, clock.now())
    return world


@pytest.mark.django_db(transaction=True)
def test_the_cycle_is_asked_for_once_and_run_by_a_worker(at_desk, followed):
    client, today = at_desk("carla"), schedule.today(clock.now()).isoformat()
    client.post("/ciclo/correr/", {"day": today})
    answer = client.post("/ciclo/correr/", {"day": today}, follow=True)
    assert "El ciclo ya está en espera o en curso." in answer.content.decode()
    assert "Pedido: empieza en cuanto haya un proceso libre." in client.get("/ciclo/avance/").content.decode()
    work_off()
    run = CycleRun.objects.get(actor="carla")
    assert run.status == "DONE"
    page = client.get(f"/ciclo/{run.pk}/").content.decode()
    for said in ("Decisiones y filtro legal", "Contactos planificados", "Cambios de etapa"):
        assert said in page


def test_a_day_that_cannot_be_planned_is_refused_with_its_reason(at_desk, followed):
    client, today = at_desk("carla"), schedule.today(clock.now())
    operations.run_cycle(as_of=today, actor=acting("carla", now=clock.now()))
    for day, said in (
        (today + timedelta(1), "No se puede planificar un día que no ha llegado."),
        (today - timedelta(1), "Ya corrió el ciclo de un día posterior"),
    ):
        answer = client.post("/ciclo/correr/", {"day": day.isoformat()}, follow=True)
        assert said in answer.content.decode()


def test_a_run_that_failed_says_so(at_desk, world, now):
    CycleRun.objects.create(as_of=now.date(), status="FAILED", started_at=now, actor="cycle", reason="Interrupted.")
    assert "Falló: Se interrumpió." in at_desk("bruno").get("/ciclo/").content.decode()


def test_the_morning_comes_once_a_day_and_is_caught_up(followed, now):
    day = schedule.today(now)
    morning = schedule.cycle_starts_at(day)
    assert schedule.due_day(morning - timedelta(minutes=1)) is None
    assert schedule.due_day(morning + timedelta(hours=9)) == day
    assert schedule.next_run_at(morning - timedelta(hours=1)) == morning
    operations.run_cycle(as_of=day, actor=acting(schedule.ACTOR, now=morning))
    assert schedule.due_day(morning + timedelta(hours=9)) is None
    assert schedule.next_run_at(morning + timedelta(hours=1)) == schedule.cycle_starts_at(day + timedelta(1))


def test_a_run_of_the_night_does_not_replace_the_morning(followed, now):
    day = schedule.today(now)
    operations.run_cycle(as_of=day, actor=acting("carla", now=schedule.cycle_starts_at(day) - timedelta(hours=3)))
    assert schedule.due_day(schedule.cycle_starts_at(day)) == day


def test_the_morning_gives_up_after_three_failures(company, now):
    day = schedule.today(now)
    morning = schedule.cycle_starts_at(day)
    for _attempt in range(schedule.MAX_ATTEMPTS):
        CycleRun.objects.create(as_of=day, status="FAILED", started_at=morning, actor=schedule.ACTOR, reason="X")
    assert schedule.due_day(morning + timedelta(hours=1)) is None


def test_a_morning_that_failed_is_tried_again_after_ten_minutes(company, now):
    day = schedule.today(now)
    morning = schedule.cycle_starts_at(day)
    CycleRun.objects.create(as_of=day, status="FAILED", started_at=morning, actor=schedule.ACTOR, reason="X")
    again = morning + timedelta(minutes=10)
    assert schedule.due_day(again - timedelta(seconds=1)) is None
    assert schedule.next_run_at(morning + timedelta(minutes=1)) == again
    assert schedule.due_day(again) == day


def test_a_morning_whose_worker_was_killed_is_run_again(followed, now, monkeypatch):
    day = schedule.today(now)
    morning = schedule.cycle_starts_at(day)
    killed = CycleRun.objects.create(as_of=day, status="RUNNING", started_at=morning, actor=schedule.ACTOR)
    monkeypatch.setattr(clock, "now", lambda: morning + timedelta(minutes=11))
    jobs.run_morning_cycle(0)
    killed.refresh_from_db()
    assert (killed.status, killed.reason) == ("FAILED", "Interrupted.")
    assert CycleRun.objects.exclude(pk=killed.pk).get().status == "DONE"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_next_waiting", [False, True])
def test_a_job_of_a_killed_worker_keeps_no_other_waiting(company, is_next_waiting):
    begun = jobs.run_morning_cycle.defer(timestamp=0)
    unlocked = answer_conversation.defer(conversation_id=0)
    # Begun by a worker of which nothing is known any more.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = ANY(%s)", [[begun, unlocked]])
    next_one = jobs.run_morning_cycle.defer(timestamp=1) if is_next_waiting else begun
    async_to_sync(recover_locked_jobs.func)(timestamp=0)
    left = ProcrastinateJob.objects.values_list("pk", "status")
    assert list(left) == [(next_one, "todo")], "one of the two runs next; what the unlocked one left is looked for"


@pytest.mark.django_db(transaction=True)
def test_a_job_that_kills_each_worker_is_given_up_and_named(company, caplog):
    job = jobs.run_morning_cycle.defer(timestamp=0)
    states = []
    for _worker in range(MOST_TRIES + 1):
        ProcrastinateJob.objects.filter(pk=job).update(status="doing")
        async_to_sync(recover_locked_jobs.func)(timestamp=0)
        states.append(ProcrastinateJob.objects.get(pk=job).status)
    assert states == ["todo"] * MOST_TRIES + ["failed"]
    assert "cycle.morning is given up" in caplog.text


def test_the_tasks_are_known_to_the_worker():
    assert {jobs.CYCLE_TASK, "cycle.morning", "load.take", "load.confirm"} <= set(jobs.app.tasks)


def test_a_blocked_contact_says_why_with_its_article(at_desk, world):
    Contact.objects.filter(pk=world.sent.pk).update(
        status="BLOCKED", reason="closed_day", rule="PE/62.b", article="Ley 29571, art. 62.b", sent_at=None
    )
    page = at_desk("ana").get("/mensajes/?dia=todos&estado=BLOCKED").content.decode()
    assert "No se contacta en este día de la semana." in page
    assert "Ley 29571, art. 62.b" in page
    page = at_desk("ana").get(f"/mensajes/{world.sent.pk}/").content.decode()
    assert "PE/62.b · Ley 29571, art. 62.b" in page


def test_a_message_shows_its_exact_words_and_masks_the_address_for_the_auditor(at_desk, world):
    address = f"/mensajes/{world.sent.pk}/"
    of_ana, of_hilda = (at_desk(name).get(address).content.decode() for name in ("ana", "hilda"))
    assert "Estimada María: su cuota de S/ 450.50 venció." in of_ana
    assert world.sent.address in of_ana
    assert world.sent.address not in of_hilda


def test_the_mailbox_shows_html_only_inside_a_sandbox(at_desk, world, now):
    raw = b"Subject: Su cuota\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hola</p><script>alert(1)</script>"
    kept = MailboxMessage.objects.create(
        received_at=now,
        contact_public_id=str(world.sent.public_id),
        sender="a@sur.example",
        recipients="maria@correo.example",
        subject="Su cuota",
        raw=raw,
    )
    page = at_desk("ana").get(f"/mensajes/buzon/{kept.pk}/").content.decode()
    assert 'sandbox=""' in page
    assert "<script>alert(1)" not in page
    assert at_desk("zoe").get(f"/mensajes/buzon/{kept.pk}/").status_code == 404


def test_settling_is_done_once(at_desk, world):
    Contact.objects.filter(pk=world.sent.pk).update(status="UNCERTAIN", reason="lost", sent_at=None)
    client = at_desk("ana")
    client.post(f"/mensajes/{world.sent.pk}/resolver/", {"outcome": "FAILED"})
    world.sent.refresh_from_db()
    assert (world.sent.status, world.sent.reason) == ("FAILED", "not_delivered")
    answer = client.post(f"/mensajes/{world.sent.pk}/resolver/", {"outcome": "SENT"}, follow=True)
    assert "Ya se sabe cómo terminó este mensaje." in answer.content.decode()
    assert Entry.objects.get(kind="contact.failed").actor == "ana"


def test_a_wrong_template_is_not_kept_and_a_right_one_is_a_new_version(at_desk, followed):
    client, template = at_desk("carla"), Template.objects.get(code="recordatorio-firme", channel="email", country="")
    given = {"name": "Firme", "subject": "{{ acredor }}", "text": template.text, "html": template.html}
    answer = client.post(f"/mensajes/plantillas/{template.pk}/editar/", given)
    assert answer.status_code == 422
    assert "acredor" in answer.content.decode()
    client.post(f"/mensajes/plantillas/{template.pk}/editar/", given | {"subject": "{{ acreedor }}"})
    assert Template.objects.get(code="recordatorio-firme", channel="email", country="", version=2).created_by == "carla"


def test_a_preview_never_shows_the_debtor_of_another(at_desk, followed):
    template = Template.objects.get(code="recordatorio-firme", channel="email", country="")
    address = f"/mensajes/plantillas/{template.pk}/prueba/"
    assert "Banco Sur" in at_desk("ana").post(address, {"debtor": "45678912"}).content.decode()
    assert "No se encontró" in at_desk("zoe").post(address, {"debtor": "45678912"}).content.decode()


def test_the_journal_is_filtered_and_taken_out(at_desk, world):
    client = at_desk("hilda")
    facts = client.get("/auditoria/?hecho=payment.recorded").context["facts"]
    assert [each["fact"].kind for each in facts] == ["payment.recorded"]
    assert client.get(f"/auditoria/?deudor={world.debtors['Lucía'].pk}&hecho=payment.recorded").context["facts"] == []
    answer = client.get("/auditoria/exportar.csv?hecho=payment.recorded")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "Pago recibido" in lines[1]
    assert Entry.objects.filter(kind="export.made", actor="hilda").exists()


def test_verifying_says_that_nothing_was_touched(at_desk, world):
    seal_journal(now=clock.now())
    assert "Nada fue tocado." in at_desk("hilda").post("/auditoria/verificar/").content.decode()


def test_verifying_before_anything_is_sealed_counts_no_sealed_days(at_desk, company):
    page = at_desk("hilda").post("/auditoria/verificar/").content.decode()
    assert "todavía no hay nada sellado" in page
    assert "días sellados" not in page


def test_facts_and_actors_of_the_machine_are_said_in_words(at_desk):
    for kind in ("creditor.opened", "portfolio.opened", "payments.file_loaded", "template.retired"):
        assert narrative.fact_label(kind) != kind
    for name in ("library", "demo", "command", "cycle", "dispatch", "system"):
        assert narrative.actor_label(name) != name
