"""Two debtors who are one: what a person joins follows, files reach who stays, and parted again all is as before."""

import io
import random
import zipfile
from uuid import uuid4

import pytest
from django.apps import apps
from django.db.models import Sum
from procrastinate.contrib.django.models import ProcrastinateJob

from recobra.access.permissions import OutOfScope
from recobra.compliance.models import Closing
from recobra.compliance.retention.copies import copy_person
from recobra.conversations.models import Conversation
from recobra.journal.models import Entry
from recobra.kit.declarations import declared
from recobra.messaging.models import Contact
from recobra.payments.operations import record_payment
from recobra.portfolio import jobs
from recobra.portfolio.debtor_joins import JoinRefused, find_different, gather_late_rows, join_debtors, part_debtors
from recobra.portfolio.debtor_pairs import survey_debtors
from recobra.portfolio.models import (
    Account,
    ContactPoint,
    Creditor,
    Debtor,
    DebtorPair,
    Hold,
    JoinedRow,
    Portfolio,
    Posting,
)
from recobra.portfolio.operations import place_hold
from recobra.portfolio.sql import retire_points
from recobra.strategy.models import AccountState
from tests import receivables
from tests.people import acting

from .conftest import SHORT, TODAY

MAPPING = SHORT | {
    "debtor": {"external_id": "cliente", "name": "nombre", "national_id": "dni"},
    "phones": ["tel"],
    "emails": ["correo"],
    "parties": [{"part": "GUARANTOR", "name": "aval", "national_id": "dni_aval"}],
}
HEADER = "cuenta;vence;saldo;cliente;nombre;dni;tel;correo;aval;dni_aval\n"
ROSA = "A;01/10/2026;100;C1;Rosa Quispe Mamani;45678901;987654321;rosa@correo.pe;;\n"
ROSITA = "B;01/10/2026;50;C2;Quispe Mamani, Rosa;45678907;987654321;rq@correo.pe;;\n"
pytestmark = pytest.mark.django_db
KEPT_TABLES = ("Debtor", "Account", "ContactPoint", "Party", "Hold")


@pytest.fixture
def dario(now):
    return acting("dario", now=now)


@pytest.fixture
def both(load):
    load(HEADER + ROSA + ROSITA, mapping=MAPPING)
    return Debtor.objects.get(external_id="C1"), Debtor.objects.get(external_id="C2")


def join(both, actor, **more):
    kept, joined = both
    return join_debtors(kept_id=kept.pk, joined_id=joined.pk, reason="DOCUMENT", actor=actor, **more)


def state():
    """Return every row that points to a debtor, as a person would compare it."""
    found = {}
    for rows in declared("debtor_rows", "FOLLOWING"):
        if not rows.stays:
            model = apps.get_model(rows.model)
            found[rows.model] = sorted(map(repr, model.objects.values_list()))
    found["debtors"] = sorted(map(repr, Debtor.objects.values_list()))
    return found


def balances(debtor):
    return Posting.objects.filter(account__debtor=debtor).aggregate(all=Sum("amount_minor"))["all"]


def numbers(debtor):
    return sorted(debtor.points.values_list("value", flat=True))


def test_every_model_that_points_to_a_debtor_says_what_becomes_of_it():
    declared_models = {rows.model for rows in declared("debtor_rows", "FOLLOWING")}
    own = {"portfolio.DebtorPair", "portfolio.DebtorJoin"}
    pointing = set()
    for model in apps.get_models():
        names = {field.attname for field in model._meta.concrete_fields}
        if model.__module__.startswith("recobra.") and "debtor_id" in names:
            pointing.add(model._meta.label)
    assert pointing - declared_models - own == set()


def test_debtors_that_look_like_one_are_proposed_with_why_and_never_joined(both, now):
    creditor_id = both[0].creditor_id
    assert survey_debtors(creditor_id=creditor_id, actor=acting("night", now=now)) == 1
    pair = DebtorPair.objects.get()
    assert {pair.first, pair.second} == set(both)
    assert set(pair.signs) == {"alike_document", "same_name", "same_contact"}
    assert Debtor.objects.filter(joined_into=None).count() == 2


def test_each_creditor_is_compared_by_a_job_of_its_own(both):
    Creditor.objects.create(code="OTRO", name="Otro")
    for _night in range(2):
        jobs.survey_all(0)
    queued = ProcrastinateJob.objects.filter(task_name="debtors.survey").values_list("args__creditor_id", flat=True)
    assert sorted(queued) == sorted(Creditor.objects.values_list("pk", flat=True))


def test_who_is_different_is_not_proposed_again(both, dario, now):
    night = acting("night", now=now)
    survey_debtors(creditor_id=both[0].creditor_id, actor=night)
    find_different(first_id=both[1].pk, second_id=both[0].pk, actor=dario)
    assert survey_debtors(creditor_id=both[0].creditor_id, actor=night) == 0
    assert Entry.objects.filter(kind="debtor.found_different").count() == 2


def test_a_number_of_many_makes_no_cloud_of_pairs_and_is_counted(load, company, now):
    rows = "".join(f"{n};;1;K{n};Ana {n} Ríos Soto;;987654321;;;\n" for n in range(9))
    load(HEADER + rows, mapping=MAPPING)
    assert survey_debtors(creditor_id=company.creditor_id, actor=acting("night", now=now)) == 0
    assert company.creditor.debtor_survey.left_out["contact"] == 1


def test_two_valid_documents_say_more_than_a_telephone_that_relatives_share(load, company, now):
    load(
        f"{HEADER}A;;1;C1;Luz Ríos Soto;45678901;987654321;;;\nB;;1;C2;Luz Ríos Soto;10203040;987654321;;;\n",
        mapping=MAPPING,
    )
    assert survey_debtors(creditor_id=company.creditor_id, actor=acting("night", now=now)) == 0


def test_everything_follows_and_the_journal_tells_it(both, dario):
    kept, joined = both
    place_hold(debtor_id=joined.pk, reason="ILLNESS", starts_on=TODAY, actor=dario)
    join(both, dario)
    assert set(kept.accounts.values_list("external_id", flat=True)) == {"A", "B"}
    assert numbers(kept) == ["+51987654321", "rosa@correo.pe", "rq@correo.pe"]
    assert kept.holds.count() == 1
    assert not joined.points.exists()
    assert set(Entry.objects.filter(kind="debtor.joined").values_list("debtor_id", flat=True)) == {kept.pk, joined.pk}


def test_a_stop_on_either_side_stays_a_stop(both, dario):
    kept, joined = both
    ContactPoint.objects.filter(debtor=joined, kind="PHONE").update(consent=False, denied_for=["sms"], valid=False)
    ContactPoint.objects.filter(debtor=kept, kind="PHONE").update(consent=True, granted_for=["sms", "call"])
    join(both, dario)
    point = kept.points.get(kind="PHONE")
    assert (point.consent, point.valid, point.denied_for, point.granted_for) == (False, False, ["sms"], ["call"])


def test_whatever_is_joined_and_parted_again_is_as_before(both, dario, company, now):
    fill(both[1], company, now)
    chance = random.Random(13)
    for _round in range(12):
        for point in ContactPoint.objects.filter(debtor__in=both):
            point.valid, point.quality = chance.random() < 0.5, chance.randrange(100)
            point.consent = chance.choice([None, True, False])
            point.opted_out_at, point.retired_at = chance.choice([None, now]), chance.choice([None, now])
            for name in ("unusable_for", "granted_for", "denied_for"):
                setattr(point, name, chance.sample(["sms", "call", "whatsapp"], chance.randrange(3)))
            point.save()
        before = state()
        made = join(chance.choice([both, both[::-1]]), dario)
        assert state() != before
        assert not made.joined.points.exists()
        part_debtors(join_id=made.pk, reason="MISTAKE", actor=dario)
        assert state() == before


def fill(debtor, company, now):
    """Write a row of each kind that points to a debtor."""
    account = debtor.accounts.get()
    point = debtor.points.get(kind="PHONE")
    talk = Conversation.objects.create(
        channel="sms", address=point.value, debtor=debtor, opened_at=now, last_at=now, status="CLOSED"
    )
    said = talk.messages.create(direction="IN", text="No debo", at=now, received_at=now)
    debtor.disputes.create(conversation=talk, message=said, is_verified=True, opened_at=now)
    debtor.identity_attempts.create(at=now)
    debtor.tasks.create(
        portfolio=company, kind="unreachable", title="x", due_date=TODAY, created_at=now, created_by="cycle"
    )
    receivables.promise(company, debtor, now)
    AccountState.objects.create(
        account=account,
        portfolio_id=company.pk,
        debtor_id=debtor.pk,
        balance_minor=1,
        overdue_minor=1,
        bucket="a",
        stage="b",
        segment="",
        stage_since=TODAY,
    )
    contact = Contact.objects.create(
        debtor=debtor,
        portfolio=company,
        point=point,
        channel="sms",
        template_code="a",
        status="SENT",
        planned_for=TODAY,
        planned_at=now,
        due_at=now,
        handed_over_at=now,
        zones="America/Lima",
    )
    contact.items.create(account=account, overdue_minor=1)
    debtor.closing = Closing.objects.create(debtor=debtor, closed_on=TODAY)


def test_an_opt_out_meanwhile_counts_on_both(both, dario, now):
    made = join(both, dario)
    ContactPoint.objects.filter(debtor=both[0], kind="PHONE").update(opted_out_at=now)
    part_debtors(join_id=made.pk, reason="MISTAKE", actor=dario)
    assert set(ContactPoint.objects.filter(kind="PHONE").values_list("opted_out_at", flat=True)) == {now}


def test_later_files_that_name_the_other_reach_who_stays_and_go_back_when_parted(both, load, dario):
    kept, joined = both
    made = join(both, dario)
    more = "C;01/10/2026;30;C2;Quispe Mamani, Rosa;45678907;911111111;;;\n"
    load(HEADER + ROSA + ROSITA.replace(";50;", ";60;") + more, mapping=MAPPING, as_of=TODAY)
    assert Debtor.objects.count() == 2
    assert balances(kept) == 19_000
    assert "+51911111111" in numbers(kept)
    joined.refresh_from_db()
    assert (joined.name, joined.national_id) == ("Quispe Mamani, Rosa", "45678907")
    part_debtors(join_id=made.pk, reason="MISTAKE", actor=dario)
    assert (balances(kept), balances(joined)) == (10_000, 9_000)
    assert numbers(kept) == ["+51987654321", "rosa@correo.pe"]
    assert numbers(joined) == ["+51911111111", "+51987654321", "rq@correo.pe"]
    load(HEADER + ROSA + ROSITA.replace(";50;", ";70;") + more, mapping=MAPPING, as_of=TODAY)
    assert (Debtor.objects.count(), balances(joined)) == (2, 10_000)


def test_a_payment_meanwhile_goes_with_its_account(both, dario, company):
    kept, joined = both
    made = join(both, dario)
    account = Account.objects.get(external_id="B")
    record_payment(
        portfolio_id=company.pk,
        debtor_id=kept.pk,
        account_id=account.pk,
        amount_minor=1_000,
        paid_date=TODAY,
        reference="OP-1",
        source="SCREEN",
        actor=dario,
    )
    hold = place_hold(debtor_id=kept.pk, reason="ILLNESS", starts_on=TODAY, actor=dario)
    part_debtors(join_id=made.pk, reason="DEBTOR", actor=dario)
    assert (joined.payments.count(), kept.payments.count()) == (1, 0)
    assert sorted(Hold.objects.values_list("debtor_id", flat=True)) == sorted([hold.debtor_id, joined.pk])


def test_money_without_an_account_that_was_applied_meanwhile_goes_with_its_account(both, dario, company):
    payment = record_payment(
        portfolio_id=company.pk,
        debtor_id=both[1].pk,
        amount_minor=100_000,
        paid_date=TODAY,
        reference="OP-2",
        source="SCREEN",
        actor=dario,
    )
    owed = sum(balances(debtor) for debtor in both)
    made = join(both, dario)
    assert balances(both[0]) == owed
    payment.account = Account.objects.get(external_id="A")
    payment.save()
    part_debtors(join_id=made.pk, reason="MISTAKE", actor=dario)
    payment.refresh_from_db()
    assert payment.debtor == both[0]


def send(debtor, company, now, **more):
    given = {"status": "SENT", "handed_over_at": now, "point": debtor.points.get(kind="PHONE")}
    return Contact.objects.create(
        debtor=debtor,
        portfolio=company,
        channel="sms",
        template_code="a",
        planned_for=TODAY,
        planned_at=now,
        due_at=now,
        zones="America/Lima",
        **given | more,
    )


def test_a_message_that_took_the_place_of_one_that_failed_is_no_hindrance_to_parting(both, dario, company, now):
    kept, joined = both
    failed = send(kept, company, now)
    send(joined, company, now)
    made = join(both, dario)
    Contact.objects.filter(pk=failed.pk).update(status="FAILED", reason="rejected")
    again = send(kept, company, now, point=ContactPoint.objects.get(value="rq@correo.pe"))
    part_debtors(join_id=made.pk, reason="MISTAKE", actor=dario)
    again.refresh_from_db()
    assert (again.debtor, again.is_doubled) == (joined, True)


def test_what_a_person_wrote_and_is_about_to_leave_is_judged_by_what_is_known_of_both(both, dario, company, now):
    leased = send(
        both[1], company, now, status="LEASED", purpose="MANUAL", handed_over_at=None, lease=uuid4(), leased_until=now
    )
    join(both, dario)
    leased.refresh_from_db()
    assert (leased.status, leased.debtor) == ("DUE", both[0])


def test_a_number_wrong_for_the_same_person_at_another_creditor_is_wrong_for_who_was_joined(both, dario, now):
    kept, joined = both
    # The right document is that of who goes.
    Debtor.objects.filter(pk=joined.pk).update(national_id_kind="DNI", national_id="45678907")
    creditor = Creditor.objects.create(code="OTRO", name="Otro")
    twin = Debtor.objects.create(
        creditor=creditor, external_id="X", name="Rosa", country="PE", national_id_kind="DNI", national_id="45678907"
    )
    twin.points.create(kind="PHONE", value="+51987654321", valid=True)
    join(both, dario)
    for named in (twin, kept):
        ContactPoint.objects.update(retired_at=None)
        retired = retire_points(kind="PHONE", forms=["+51987654321"], debtor_ids=[named.pk], at=now)
        assert sorted(retired["debtor_id"].to_pylist()) == sorted([kept.pk, twin.pk])


def test_a_copy_of_the_own_data_shows_the_number_of_who_was_joined(both, dario):
    Debtor.objects.filter(pk=both[1].pk).update(external_id="91234567")
    join(both, dario)
    content = copy_person(debtor_id=both[0].pk, actor=dario).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert "91234567" in archive.read("datos.json").decode()


def test_the_history_of_both_counts_and_two_messages_of_a_day_are_no_hindrance(both, dario, company, now):
    for debtor in both:
        Contact.objects.create(
            debtor=debtor,
            portfolio=company,
            point=debtor.points.get(kind="PHONE"),
            channel="sms",
            template_code="a",
            status="SENT",
            planned_for=TODAY,
            planned_at=now,
            due_at=now,
            handed_over_at=now,
            zones="America/Lima",
        )
    due = Contact.objects.create(
        debtor=both[1],
        portfolio=company,
        channel="email",
        template_code="a",
        status="DUE",
        planned_for=TODAY,
        planned_at=now,
        due_at=now,
        zones="America/Lima",
    )
    before = state()
    made = join(both, dario)
    assert both[0].contacts.filter(status="SENT").count() == 2
    due.refresh_from_db()
    assert (due.status, due.reason) == ("CANCELLED", "joined")
    part_debtors(join_id=made.pk, reason="MISTAKE", actor=dario)
    due.delete()
    after = state()
    assert after["messaging.Contact"] == [row for row in before["messaging.Contact"] if "'email'" not in row]
    assert after["portfolio.ContactPoint"] == before["portfolio.ContactPoint"]


def test_a_key_made_of_an_account_counts_in_its_own_portfolio_alone(load, company, dario, now):
    plain = SHORT | {"debtor": {"name": "nombre"}}
    other = Portfolio.objects.create(
        creditor=company.creditor,
        code="PE-2",
        name="Dos",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    head = "cuenta;vence;saldo;nombre\n"
    load(f"{head}1;;10;Rosa\n2;;20;Rosa Q\n", mapping=plain)
    kept, joined = Debtor.objects.order_by("pk")
    join((kept, joined), dario)
    company.code = other.code
    load(f"{head}2;;99;Pedro\n", mapping=plain)
    pedro = Debtor.objects.get(name="Pedro")
    assert (balances(pedro), balances(kept)) == (9_900, 3_000)
    company.code = "PE-CONSUMO"
    load(f"{head}1;;10;Rosa\n2;;25;Rosa Q\n", mapping=plain)
    assert (balances(kept), Debtor.objects.count()) == (3_500, 3)


def test_who_was_joined_first_comes_along_and_back(load, dario):
    third = "D;01/10/2026;7;C3;Rosa Q. Mamani;;;;;\n"
    load(HEADER + ROSA + ROSITA + third, mapping=MAPPING)
    one, two, three = Debtor.objects.order_by("external_id")
    before = state()
    first = join((two, three), dario)
    second = join((one, two), dario)
    assert balances(one) == 15_700
    assert set(Debtor.objects.filter(joined_into=one)) == {two, three}
    load(HEADER + ROSA + ROSITA + third + third.replace("D;", "E;"), mapping=MAPPING)
    assert balances(one) == 16_400
    with pytest.raises(JoinRefused):
        part_debtors(join_id=first.pk, reason="MISTAKE", actor=dario)
    part_debtors(join_id=second.pk, reason="MISTAKE", actor=dario)
    part_debtors(join_id=first.pk, reason="MISTAKE", actor=dario)
    assert [balances(each) for each in (one, two, three)] == [10_000, 5_000, 1_400]
    assert state()["portfolio.ContactPoint"] == before["portfolio.ContactPoint"]


def test_what_cannot_be_joined_is_refused_with_why(both, dario, now, company):
    kept, joined = both
    with pytest.raises(JoinRefused):
        join((kept, kept), dario)
    with pytest.raises(JoinRefused):
        join_debtors(kept_id=kept.pk, joined_id=joined.pk, reason="porque sí", actor=dario)
    Debtor.objects.filter(pk=joined.pk).update(erased_at=now)
    with pytest.raises(JoinRefused):
        join(both, dario)
    Debtor.objects.filter(pk=joined.pk).update(erased_at=None, country="CL")
    with pytest.raises(JoinRefused, match="países"):
        join(both, dario)
    assert survey_debtors(creditor_id=company.creditor_id, actor=acting("night", now=now)) == 0
    Debtor.objects.filter(pk=joined.pk).update(country=kept.country)
    made = join(both, dario)
    with pytest.raises(JoinRefused):
        join(both, dario)
    part_debtors(join_id=made.pk, reason="MISTAKE", actor=dario)
    with pytest.raises(JoinRefused):
        part_debtors(join_id=made.pk, reason="MISTAKE", actor=dario)
    assert JoinedRow.objects.filter(join=made).exists()


def test_nobody_joins_while_a_file_of_the_creditor_is_loaded(both, dario, company, busy):
    with busy(company), pytest.raises(JoinRefused, match="cargando"):
        join(both, dario)


def test_who_does_not_see_all_of_both_joins_nobody(both, dario):
    bruno = acting("bruno", now=dario.now)
    narrow = type(bruno)(name="bruno", now=dario.now, rights=bruno.rights, portfolio_codes=frozenset({"OTRA"}))
    with pytest.raises(OutOfScope):
        join(both, narrow)


def test_what_comes_to_the_other_while_he_is_joined_is_gathered(both, dario, company, now):
    made = join(both, dario)
    Hold.objects.create(debtor=both[1], reason="ILLNESS", starts_on=TODAY, author="ana", created_at=now)
    assert gather_late_rows(creditor_id=company.creditor_id) == 1
    assert (both[0].holds.count(), gather_late_rows(creditor_id=company.creditor_id)) == (1, 0)
    part_debtors(join_id=made.pk, reason="MISTAKE", actor=dario)
    assert both[1].holds.count() == 1
