"""Data about people go when their period is over: nothing points to anybody, and no figure of a past day changes."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models import QuerySet

from recobra.access.actors import actor_for
from recobra.access.models import SavedView, Scope, User
from recobra.access.permissions import NotAllowed, OutOfScope
from recobra.compliance.models import Closing, ErasedClass, Incident, PersonRequest
from recobra.compliance.retention import copies, holdings, overview, periods, person_page, requests, schedule
from recobra.compliance.retention.classes import COMPANY_DECIDES, data_classes
from recobra.consent import operations as consent
from recobra.consent.models import AddressKey, ConsentEntry, Silence
from recobra.consent.queries import is_silenced
from recobra.conversations import attachments
from recobra.conversations.attachments import attachments_dir
from recobra.conversations.inbox import ConversationRefused, assign_debtor
from recobra.conversations.models import Attachment, Conversation, ConversationMessage
from recobra.conversations.statement_access import find_statement_link
from recobra.intake.models import Load, RejectedRow
from recobra.journal.models import Entry
from recobra.kit.database import data_dir
from recobra.kit.encryption import Undecryptable
from recobra.messaging import tokens
from recobra.messaging.dispatch.facts import load_contacts
from recobra.messaging.models import Contact, LetterBatch, Provider, WebhookCall
from recobra.portfolio.models import Account, Debtor, Hold, Party, Posting
from recobra.portfolio.operations import HoldRefused, place_hold
from recobra_core.law.files import load_countries
from tests import extent, receivables
from tests.people import acting

from . import forgotten

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
TODAY = NOW.date()


def night(now=NOW, **more):
    return schedule.erase_due(day=now.date(), actor=acting("night", now=now), **more)


def every_text():
    """Every text of the database, as a dump would have it."""
    found = []
    for model in apps.get_models():
        if model._meta.managed and model.__module__.startswith("recobra."):
            found += map(str, model.objects.values_list())
    return "\n".join(found)


# What belongs where


def test_every_model_with_personal_data_belongs_to_a_class():
    held = {holding.model for holding in holdings.all_holdings()}
    named, seen = [], 0
    for model in apps.get_models():
        if model.__module__.startswith("recobra."):
            seen += 1
            says = " ".join((model.__doc__ or "").split())
            assert "Personal data:" in says, model
            if "Personal data: none" not in says and model._meta.label not in held:
                named.append(model._meta.label)
    assert seen > 50
    assert not named


def test_every_holding_has_a_class_and_every_class_a_holding():
    held = {holding.data_class for holding in holdings.all_holdings()}
    assert held == set(data_classes())
    for holding in holdings.all_holdings():
        apps.get_model(holding.model)
        kept = data_classes()[holding.data_class].outcome == "keep"
        assert not (kept and (holding.erase or holding.erase_before)), holding.model


def test_no_article_is_shown_where_no_law_is_at_hand():
    for each in data_classes().values():
        assert all(period.source == COMPANY_DECIDES for period in each.periods), each.key
        assert bool(each.periods) != (each.outcome == "keep")
        assert each.outcome != "keep" or each.reason


def test_what_a_law_demands_is_what_the_countrys_own_data_say():
    years = {code: law.articles["records"]["years"] for code, law in load_countries().items()}
    for each in data_classes().values():
        for minimum in each.minimums:
            assert minimum.days >= 365 * years[minimum.country]
            assert minimum.certainty == load_countries()[minimum.country].articles["records"]["certainty"]


@pytest.mark.parametrize("own_days", [None, 30])
def test_rejected_rows_and_calls_of_providers_stay_as_long_as_the_company_sets(company, cast, own_days):
    days = own_days or 90
    if own_days:
        for data_class in ("loaded_files", "provider_calls"):
            set_period(cast, data_class=data_class, days=own_days, holds_from=TODAY)
    provider = Provider.objects.create(code="sur", kind="smtp", name="Sur", created_at=NOW)
    for age in (days - 1, days + 1):
        at = NOW - timedelta(days=age)
        load = Load.objects.create(portfolio=company, file_name=f"{age}.csv", as_of=TODAY, started_at=at)
        RejectedRow.objects.create(load=load, line=2, row={"DNI": "45678912X"}, errors=[])
        WebhookCall.objects.create(provider=provider, received_at=at, digest=str(age), body=b"", status="DONE")
    waiting = WebhookCall.objects.create(provider=provider, received_at=at, digest="waits", body=b"", status="WAITING")
    erasure = night()
    assert erasure.rows == {"intake.RejectedRow": 1, "messaging.WebhookCall": 1}
    assert (RejectedRow.objects.count(), WebhookCall.objects.count()) == (1, 2)
    assert WebhookCall.objects.filter(pk=waiting.pk).exists(), "nobody has heard it yet"


# By schedule


def test_nothing_points_to_anybody_and_every_figure_stays(company, cast, db):
    count = extent.choose(daily=40, whole=10_000)
    forgotten.settle(company, count)
    with connection.cursor() as cursor:
        # As after a load or a cycle: without statistics the planner takes these for tables of a few rows.
        cursor.execute("SELECT maintenance.analyze_tables(%s::regclass[])", [list(forgotten.TABLES)])
    # Two people with one number, of whom one still owes: it goes on being that one's.
    shared = forgotten.phone(0)
    living = receivables.debtor(company, "Vive", email=None)
    receivables.account(company, living, "VIVE-1", (TODAY, 5_000))
    living.points.create(kind="PHONE", value=shared, valid=True)
    before = forgotten.figures(company, cast["carla"])
    assert before["month"].opt_outs == len(range(0, count, 3))
    erasure = night()
    assert erasure.debtors == erasure.anonymised == count == forgotten.erased_marks()
    assert not erasure.has_more
    assert forgotten.figures(company, cast["carla"]) == before
    texts = every_text()
    for trace in ("Persona Olvidada", "Empleador", "Habló", "soy su hija", "CRED-", "Depósito", forgotten.phone(1)):
        assert trace not in texts
    assert "Vive" in texts
    assert Silence.objects.filter(value=shared).exists()
    proofs = Entry.objects.filter(kind="retention.erased")
    assert sum(entry.payload["debtors"] for entry in proofs) == count
    assert all(len(entry.payload["digest"]) == 64 for entry in proofs)
    assert Entry.objects.filter(kind="debtor.erased").count() == count
    assert night().debtors == 0


def test_a_run_ends_at_its_limit_and_the_next_goes_on(company, db, monkeypatch):
    monkeypatch.setattr(schedule, "BATCH_SIZE", 5)
    forgotten.settle(company, 12)
    first = night(limit=5)
    assert (first.debtors, first.has_more) == (5, True)
    assert night().debtors == 7


def test_a_batch_that_breaks_off_leaves_nothing_half_erased(company, db, monkeypatch):
    forgotten.settle(company, 3)
    monkeypatch.setattr(schedule, "record_fact", lambda *_args, **_kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        night()
    assert not ErasedClass.objects.exists()
    assert Debtor.objects.filter(name__startswith="Persona").count() == 3


def test_the_identity_goes_last_and_classes_when_their_own_period_is_over(company, db):
    (debtor,) = forgotten.settle(company, 1)
    later = forgotten.LONG_AGO + timedelta(days=1_100)
    assert night(later).anonymised == 0
    assert set(ErasedClass.objects.values_list("data_class", flat=True)) == {"attachments"}
    debtor.refresh_from_db()
    assert debtor.name == "Persona Olvidada 0"
    assert Contact.objects.get().body
    assert night(forgotten.LONG_AGO + timedelta(days=1_826)).anonymised == 1


def test_what_comes_after_a_class_was_erased_goes_too_when_its_own_period_is_over(company, db):
    (debtor,) = forgotten.settle(company, 1)
    first = forgotten.LONG_AGO + timedelta(days=1_100)
    night(first)
    talk = Conversation.objects.create(
        channel="whatsapp", address=forgotten.phone(0), debtor=debtor, opened_at=first, last_at=first
    )
    message = talk.messages.create(direction="IN", text="Mi DNI", at=first, received_at=first, provider_reference="x")
    photo = message.attachments.create(name="dni.jpg", media_type="image/jpeg")
    assert night(first + timedelta(days=1)).debtors == 0
    plan = {each.data_class: each for each in requests.plan_erasure(debtor, first.date())}
    assert plan["attachments"].verdict == "erase"
    assert night(first + timedelta(days=1_097)).debtors == 1
    photo.refresh_from_db()
    assert (photo.name, photo.reason) == ("", "erased")
    assert night(first + timedelta(days=1_098)).debtors == 0
    assert night(first + timedelta(days=1_826)).anonymised == 1
    assert "Mi DNI" not in every_text()


def test_with_the_identity_goes_what_came_after_its_class_was_erased(company, db):
    (debtor,) = forgotten.settle(company, 1)
    night(forgotten.LONG_AGO + timedelta(days=1_100))
    ErasedClass.objects.create(debtor=debtor, data_class="contact_points", erased_at=NOW)
    assert night().anonymised == 1
    assert forgotten.phone(0) not in every_text()


def test_nothing_is_noted_about_who_was_anonymised_and_no_link_leads_there(company, cast, db):
    (debtor,) = forgotten.settle(company, 1)
    assert night().anonymised == 1
    Contact.objects.update(handed_over_at=NOW)
    token = tokens.statement_url(Contact.objects.get().pk).rpartition("/")[2]
    assert find_statement_link(token, now=NOW) is None
    with pytest.raises(HoldRefused, match="anonimizada"):
        place_hold(debtor_id=debtor.pk, reason="DISPUTE", starts_on=TODAY, note="Es Juan Pérez", actor=manager(cast))
    talk = Conversation.objects.create(channel="whatsapp", address="+51987000111", opened_at=NOW, last_at=NOW)
    with pytest.raises(ConversationRefused, match="anonimizada"):
        assign_debtor(conversation_id=talk.pk, debtor_id=debtor.pk, actor=manager(cast))


def test_no_day_that_is_still_to_come_can_be_asked_for(db):
    with pytest.raises(schedule.RetentionRefused):
        schedule.erase_due(day=TODAY + timedelta(days=1), actor=acting("night", now=NOW))


def block_hold(company, debtor):
    Hold.objects.create(debtor=debtor, reason="DISPUTE", starts_on=forgotten.DAY, author="ana", created_at=NOW)


def block_part(company, debtor):
    other = receivables.debtor(company, "Otra")
    account = receivables.account(company, other, "OTRA-1", (TODAY, 100))
    Party.objects.create(account=account, debtor=debtor, part="GUARANTOR")


def block_incident(company, debtor):
    Incident.objects.create(
        kind="COMPLAINT",
        country="PE",
        happened_at=forgotten.LONG_AGO,
        recorded_at=forgotten.LONG_AGO,
        recorded_by="ana",
        debtor=debtor,
        description="Se quejó.",
    )


def block_task(company, debtor):
    debtor.tasks.create(
        portfolio=company, kind="call", title="Llamar", due_date=TODAY, created_at=NOW, created_by="ana"
    )


def block_court(company, debtor):
    debtor.accounts.get().legal_decisions.create(
        proposed_by="ana", approved_by="carla", approved_at=forgotten.LONG_AGO, grounds="Juicio"
    )


def block_message(company, debtor):
    Contact.objects.filter(debtor=debtor).update(status="UNCERTAIN", reason="timeout")


def block_request(company, debtor):
    PersonRequest.objects.create(debtor=debtor, kind="ACCESS", asked_on=TODAY, recorded_at=NOW, recorded_by="ana")


def block_balance(company, debtor):
    part = debtor.accounts.get().instalments.get()
    Posting.objects.create(
        account=part.account,
        instalment=part,
        kind="CHARGE",
        concept="FEE",
        amount_minor=5,
        value_date=forgotten.DAY,
        booked_at=forgotten.LONG_AGO,
    )


def block_payment(company, debtor):
    debtor.payments.update(unapplied_minor=7)


@pytest.mark.parametrize(
    ("block", "code"),
    [
        (block_hold, "on_hold"),
        (block_incident, "open_incident"),
        (block_task, "open_task"),
        (block_court, "in_court"),
        (block_message, "message_under_way"),
        (block_request, "open_request"),
        (block_balance, "balance_left"),
        (block_payment, "unapplied_payment"),
    ],
)
def test_what_is_not_over_stands_against_it_and_is_named(company, cast, db, block, code):
    free, debtor = forgotten.settle(company, 2)
    later = NOW + timedelta(days=4_000)
    block(company, debtor)
    erasure = night(later)
    assert erasure.anonymised == 1
    assert erasure.blocked == {code: 1}
    debtor.refresh_from_db()
    assert debtor.name == "Persona Olvidada 1"
    assert Closing.objects.get(debtor=debtor).blocked_by == [code]
    assert [count for _text, count in overview.read_state().blocked] == [1]
    assert not Closing.objects.filter(debtor=free).exists()


@pytest.mark.parametrize("status", ["OPEN", "MISSING"])
def test_who_owes_or_may_owe_is_never_due(company, db, status):
    (debtor,) = forgotten.settle(company, 1)
    Account.objects.filter(debtor=debtor).update(status=status)
    assert night().debtors == 0
    assert not Closing.objects.exists()


def test_a_guarantor_of_an_open_debt_is_never_due(company, db):
    (debtor,) = forgotten.settle(company, 1)
    block_part(company, debtor)
    assert night().debtors == 0


def test_a_debt_that_comes_back_takes_the_closing_back(company, db):
    (debtor,) = forgotten.settle(company, 1)
    early = forgotten.LONG_AGO + timedelta(days=10)
    night(early)
    assert Closing.objects.get().closed_on == forgotten.DAY
    receivables.account(company, debtor, "NUEVA", (TODAY, 100))
    assert night().debtors == 0
    assert not Closing.objects.exists()


def test_a_word_of_the_person_lets_the_period_begin_anew(company, db):
    (debtor,) = forgotten.settle(company, 1)
    night(forgotten.LONG_AGO + timedelta(days=10))
    Conversation.objects.filter(debtor=debtor).update(last_at=NOW - timedelta(days=30))
    assert night().debtors == 0
    assert Closing.objects.get().closed_on == (NOW - timedelta(days=30)).date()


def test_of_an_account_that_went_back_no_day_is_known_so_the_period_begins_when_it_is_seen(company, db):
    (debtor,) = forgotten.settle(company, 1)
    Account.objects.filter(debtor=debtor).update(status="RECALLED")
    assert night().debtors == 0
    assert Closing.objects.get().closed_on == TODAY


# Who asked for silence stays silent


@pytest.fixture
def erased(company, db):
    """A person who opted out, anonymised since; the number is all that is left, as a digest."""
    forgotten.settle(company, 1)
    night()
    return forgotten.phone(0)


def loaded_again(company, number, *, load_id=77):
    debtor = receivables.debtor(company, "Otra persona", email=None)
    debtor.points.create(kind="PHONE", value=number, valid=True, load_id=load_id)
    return debtor


def test_a_number_is_silent_though_nobody_knows_it_any_more(erased):
    assert not Silence.objects.filter(value=erased).exists()
    assert Silence.objects.get().value.startswith("hmac:")
    assert is_silenced(kind="PHONE", value=erased)
    assert not is_silenced(kind="PHONE", value="+51990009999")
    assert AddressKey.objects.get().key not in connection.queries_log


def test_a_load_of_the_number_finds_it_silent_and_a_new_person(company, erased):
    debtor = loaded_again(company, erased)
    consent.apply_to_new_points(load_ids=[77])
    point = debtor.points.get()
    assert point.opted_out_at == forgotten.LONG_AGO - timedelta(days=2)
    assert Silence.objects.filter(value=erased).exists()
    assert debtor.pk not in Debtor.objects.filter(erased_at__isnull=False).values_list("pk", flat=True)


def test_the_gate_finds_it_silent_also_where_no_load_has_said_so(company, erased):
    debtor = loaded_again(company, erased)
    contact = Contact.objects.create(
        debtor=debtor,
        portfolio=company,
        point=debtor.points.get(),
        channel="sms",
        template_code="recordatorio",
        status="LEASED",
        planned_for=TODAY,
        planned_at=NOW,
        due_at=NOW,
        zones="America/Lima",
    )
    (leased,) = load_contacts([contact.pk], now=NOW)
    assert leased.opted_out is True


def test_a_withdrawn_channel_stays_withdrawn_and_what_was_granted_does_not_pass_on(company, db):
    (debtor,) = forgotten.settle(company, 1)
    number = forgotten.phone(0)
    for act, channel in (("GRANTED", "whatsapp"), ("GRANTED", "sms"), ("WITHDRAWN", "sms")):
        ConsentEntry.objects.create(
            at=forgotten.LONG_AGO,
            kind="PHONE",
            value=number,
            channel=channel,
            act=act,
            source="STAFF",
            debtor=debtor,
            actor="ana",
        )
    night()
    again = loaded_again(company, number)
    consent.apply_to_new_points(load_ids=[77])
    point = again.points.get()
    assert (point.denied_for, point.granted_for) == (["sms"], [])


def test_all_spellings_of_a_line_have_one_digest(company, db):
    (debtor,) = forgotten.settle(company, 1)
    debtor.points.create(kind="PHONE", value="+5215512345678", valid=True)
    forgotten.silence("+525512345678", debtor=debtor)
    night()
    assert is_silenced(kind="PHONE", value="+525512345678")
    assert is_silenced(kind="PHONE", value="+5215512345678")


def test_only_its_owner_ends_the_silence_of_a_number_that_is_gone(erased):
    actor = acting("debtor", now=NOW)
    assert consent.resume_messages(source="KEYWORD", kind="PHONE", value=erased, actor=actor)
    assert not is_silenced(kind="PHONE", value=erased)
    assert not Silence.objects.exists()


def test_an_opt_out_by_an_old_message_is_refused_where_the_number_is_gone_and_held_where_it_is_digested(company, db):
    silent, spoken = forgotten.settle(company, 2)
    night()
    actor = acting("debtor", now=NOW)
    with pytest.raises(consent.OptOutRefused):
        consent.record_opt_out(source="LINK", public_id=spoken.contacts.get().public_id, actor=actor)
    consent.record_opt_out(source="LINK", public_id=silent.contacts.get().public_id, actor=actor)
    assert is_silenced(kind="PHONE", value=forgotten.phone(0))
    assert not is_silenced(kind="PHONE", value=forgotten.phone(1))


def test_without_its_key_nothing_is_said_about_any_number(erased, settings):
    AddressKey.objects.update(key=type(AddressKey._meta.get_field("key").from_db_value("x", None, None))("enc1.x.AAAA"))
    with pytest.raises(Undecryptable):
        is_silenced(kind="PHONE", value=erased)


def test_the_ledger_of_consent_lets_nothing_else_change(erased):
    for change in ("value = '+51999'", "act = 'RESUMED'", "said = 'otra cosa'", "at = now()"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE consent_consententry SET {change}")
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM consent_consententry")


# Files, unknown numbers, staff


def test_files_that_nobody_else_sent_go_too(company, db, django_capture_on_commit_callbacks):
    first, second = forgotten.settle(company, 2)
    receivables.account(company, second, "ABIERTA", (TODAY, 100))
    for name, talk in (("solo", first), ("ambos", first), ("ambos", second)):
        folder = attachments_dir() / "aa"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"pdf")
        message = ConversationMessage.objects.filter(conversation__debtor=talk).get()
        Attachment.objects.create(message=message, status="KEPT", path=f"aa/{name}", digest=name, name="dni.pdf")
    with django_capture_on_commit_callbacks(execute=True):
        night()
    assert sorted(path.name for path in (attachments_dir() / "aa").iterdir()) == ["ambos"]


def test_a_file_that_a_killed_erasure_left_goes_the_next_night(company, db, tmp_path, monkeypatch):
    monkeypatch.setattr(attachments, "attachments_dir", lambda: tmp_path)
    (first,) = forgotten.settle(company, 1)
    folder = tmp_path / "bb"
    folder.mkdir()
    for name in ("solo", "otro"):
        (folder / name).write_bytes(b"pdf")
        message = ConversationMessage.objects.filter(conversation__debtor=first).get()
        Attachment.objects.create(message=message, status="KEPT", path=f"bb/{name}", digest=name, name="dni.pdf")
    Attachment.objects.filter(path="bb/solo").update(path="")
    at = datetime.now(UTC)
    assert attachments.delete_unnamed_files(actor=acting("system", now=at)) == 0, "its row may not be committed yet"
    assert attachments.delete_unnamed_files(actor=acting("system", now=at + timedelta(days=2))) == 1
    assert [path.name for path in folder.iterdir()] == ["otro"]


def test_what_goes_by_age_goes(db, company):
    old = NOW - timedelta(days=900)
    talk = Conversation.objects.create(channel="sms", address="+51900000001", opened_at=old, last_at=old)
    ConversationMessage.objects.create(conversation=talk, direction="IN", text="¿Quién es?", at=old, received_at=old)
    for days in (10, 1_000):
        day = TODAY - timedelta(days=days)
        (data_dir() / "lake" / "snapshots" / f"as_of={day.isoformat()}").mkdir(parents=True)
    batch = LetterBatch.objects.create(created_at=old, created_by="ana", path="letters/1")
    night()
    texts = every_text()
    assert "+51900000001" not in texts
    assert "¿Quién es?" not in texts
    names = [path.name for path in (data_dir() / "lake" / "snapshots").iterdir()]
    assert f"as_of={(TODAY - timedelta(days=10)).isoformat()}" in names
    assert f"as_of={(TODAY - timedelta(days=1_000)).isoformat()}" not in names
    batch.refresh_from_db()
    assert batch.path == ""


def test_a_leaver_is_known_by_the_id_alone(cast, db):
    ana = cast["ana"]
    User.objects.filter(pk=ana.pk).update(
        is_active=False, shut_out_at=NOW - timedelta(days=2_000), email="ana@empresa.example", first_name="Ana"
    )
    SavedView.objects.create(user=ana, screen="accounts", name="mía", query="q=rosa")
    night()
    ana.refresh_from_db()
    assert (ana.first_name, ana.email, ana.username) == ("", "", f"anonymised:{ana.pk}")
    assert not ana.has_usable_password()
    assert not SavedView.objects.exists()
    assert not Scope.objects.filter(user=ana).exists()
    assert Entry.objects.filter(kind="user.erased", payload__user_id=ana.pk).exists()
    assert User.objects.get(pk=cast["bruno"].pk).username == "bruno"


# Periods


def manager(cast, now=NOW):
    return actor_for(cast["carla"], now=now)


def set_period(cast, **changes):
    given = {"data_class": "messages", "country": "", "days": 400, "holds_from": TODAY, "reason": "Directorio"}
    return periods.set_period(**{**given, **changes}, today=TODAY, actor=manager(cast))


def test_a_period_of_the_company_holds_from_its_day(company, cast, db):
    set_period(cast, days=400, holds_from=TODAY + timedelta(days=10))
    known = data_classes()["messages"]
    assert periods.Periods(TODAY).term(known, "PE").days == 1_825
    later = periods.Periods(TODAY + timedelta(days=10)).term(known, "PE")
    assert (later.days, later.reason, later.article) == (400, "Directorio", "")
    # Where a law demands more, the law counts, with its article.
    chile = periods.Periods(TODAY + timedelta(days=10)).term(known, "CL")
    assert (chile.days, chile.article) == (731, "Ley 19.496 art. 37")
    assert Entry.objects.filter(kind="retention.period_set").count() == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"country": "CL", "days": 700}, "Ley 19.496 art. 37"),
        ({"data_class": "journal"}, "no se puede cambiar"),
        ({"data_class": "loaded_files", "country": "PE"}, "el mismo para todos los países"),
        ({"data_class": "nada"}, "no se puede cambiar"),
        ({"days": 0}, "36525"),
        ({"holds_from": TODAY - timedelta(days=1)}, "hoy o después"),
        ({"reason": " "}, "por qué"),
    ],
)
def test_a_period_that_cannot_be_is_refused(cast, db, changes, says):
    with pytest.raises(periods.PeriodRefused, match=says):
        set_period(cast, **changes)


def test_only_who_may_sets_a_period(cast, db):
    with pytest.raises(NotAllowed):
        periods.set_period(
            data_class="messages",
            country="",
            days=400,
            holds_from=TODAY,
            reason="x",
            today=TODAY,
            actor=actor_for(cast["bruno"], now=NOW),
        )


# What a person asks


def ask(cast, debtor, kind="ERASURE", name="carla"):
    return requests.record_request(
        debtor_id=debtor.pk,
        kind=kind,
        asked_on=TODAY,
        note="Por carta, con copia del DNI",
        today=TODAY,
        actor=actor_for(cast[name], now=NOW),
    )


def test_requests_of_others_do_not_stand_before_ones_own(company, cast, monkeypatch):
    monkeypatch.setattr(requests, "WAITING_SHOWN", 1)
    (own,) = forgotten.settle(company, 1)
    unseen = Debtor.objects.create(creditor=company.creditor, external_id="no-account", name="De nadie")
    for debtor, asked_on in ((unseen, TODAY - timedelta(days=1)), (own, TODAY)):
        PersonRequest.objects.create(
            debtor=debtor, kind="ACCESS", asked_on=asked_on, recorded_at=NOW, recorded_by="ana"
        )
    assert [each.debtor for each in requests.list_waiting(cast["carla"])] == [own]
    assert requests.list_waiting(cast["zoe"]) == []


def test_an_erasure_is_done_and_answered(company, cast, db):
    (debtor,) = forgotten.settle(company, 1)
    request = ask(cast, debtor)
    answered = requests.answer_erasure(request_id=request.pk, day=TODAY, actor=manager(cast))
    answers = {each.data_class: each for each in requests.read_answers(answered)}
    assert answers["identity"].verdict == answers["messages"].verdict == "erase"
    assert answers["ledger"].verdict == answers["journal"].verdict == "keep"
    assert all(answers["ledger"].reasons)
    debtor.refresh_from_db()
    assert debtor.erased_at == NOW
    assert "Persona Olvidada" not in every_text()
    assert PersonRequest.objects.get().note == ""
    fact = Entry.objects.get(kind="rights.answered")
    assert "identity" in fact.payload["erased"]
    with pytest.raises(requests.RequestRefused):
        requests.answer_erasure(request_id=request.pk, day=TODAY, actor=manager(cast))


def test_what_the_law_demands_stays_with_the_name_until_its_day(company, cast, db):
    (debtor,) = forgotten.settle(company, 1)
    Debtor.objects.filter(pk=debtor.pk).update(country="CL")
    day = forgotten.DAY + timedelta(days=500)
    plan = {each.data_class: each for each in requests.plan_erasure(Debtor.objects.get(pk=debtor.pk), day)}
    assert plan["messages"].article == "Ley 19.496 art. 37"
    assert plan["messages"].until_day == forgotten.DAY + timedelta(days=731)
    assert plan["identity"].until == plan["messages"].until
    assert plan["contact_points"].verdict == "erase"


def test_an_open_debt_is_the_answer(company, cast, db):
    (debtor,) = forgotten.settle(company, 1)
    receivables.account(company, debtor, "ABIERTA", (TODAY, 100))
    request = ask(cast, debtor)
    answered = requests.answer_erasure(request_id=request.pk, day=TODAY, actor=manager(cast))
    assert {each.verdict for each in requests.read_answers(answered)} == {"keep"}
    debtor.refresh_from_db()
    assert debtor.name == "Persona Olvidada 0"


def test_only_who_may_asks_and_only_within_reach(company, cast, db):
    (debtor,) = forgotten.settle(company, 1)
    with pytest.raises(NotAllowed):
        ask(cast, debtor, name="bruno")
    outside = actor_for(cast["carla"], now=NOW)
    with pytest.raises(OutOfScope):
        copies.copy_person(
            debtor_id=debtor.pk, actor=type(outside)(**{**vars_of(outside), "portfolio_codes": frozenset({"OTRA"})})
        )


def vars_of(actor):
    return {name: getattr(actor, name) for name in ("name", "user_id", "rights", "portfolio_codes", "now")}


def copied_columns(debtor_id):
    """Return the names of all columns that a copy may have, of empty tables too."""
    columns = set()
    for holding in (each for each in holdings.all_holdings() if each.copy is not None):
        rows = holding.copy(debtor_id)
        if isinstance(rows, QuerySet):
            columns |= {*rows.query.values_select, *rows.query.annotation_select}
        else:
            columns |= {name for row in rows for name in row}
    return columns


def test_a_copy_holds_all_of_the_person_and_nothing_of_others(company, cast, db):
    (debtor,) = forgotten.settle(company, 1)
    message = ConversationMessage.objects.get()
    message.text = "Mi hermana es +51 911 222 333, yo +51990000000, mi crédito CRED-0000000"
    message.save()
    request = ask(cast, debtor, "ACCESS")
    copy = copies.copy_person(debtor_id=debtor.pk, actor=manager(cast))
    with zipfile.ZipFile(io.BytesIO(copy.content)) as archive:
        names = set(archive.namelist())
        page = archive.read("leame.html").decode()
        document = json.loads(archive.read("datos.json"))
    assert {"leame.html", "datos.json", "portfolio_posting.csv", "messaging_contact.csv"} <= names
    tables = document["tables"]
    for expected in (
        ("portfolio_debtor", "name", "Persona Olvidada 0"),
        ("portfolio_contactpoint", "value", "+51990000000"),
        ("portfolio_account", "number", "CRED-0000000"),
        ("messaging_contact", "body", "Hola Persona Olvidada 0, debe S/ 100.00."),
        ("consent_consententry", "act", "OPTED_OUT"),
    ):
        table, column, value = expected
        assert value in [row[column] for row in tables[table]], expected
    said = tables["conversations_conversationmessage"][0]["text"]
    assert "911 222 333" not in said
    assert "+51990000000" in said
    assert "CRED-0000000" in said
    assert "S/ 100.00" in page
    assert "carla" not in json.dumps(document)
    assert sorted(copied_columns(debtor.pk) - set(person_page._COLUMNS)) == []
    request.refresh_from_db()
    assert (request.answered_at, request.digest) == (NOW, copy.digest)
    assert Entry.objects.get(kind="rights.copied").payload["rows"] == copy.rows
