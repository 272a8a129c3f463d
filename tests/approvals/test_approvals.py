"""Two people decide, once there are two; who was first is the database's word."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from recobra.access.actors import actor_for
from recobra.access.models import Role, Scope, User
from recobra.access.password_links import invite_user, make_password_link
from recobra.access.permissions import NotAllowed, OutOfScope
from recobra.access.roles import RIGHTS, Right
from recobra.access.users import UserDetails, shut_out_user
from recobra.approvals import kinds, operations, queries
from recobra.approvals.kinds import Kind, Part
from recobra.approvals.models import Approval
from recobra.approvals.operations import AlreadyDecided, ApprovalRefused, OwnChange
from recobra.journal.models import Entry
from recobra.kit.declarations import declared

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
pytestmark = pytest.mark.django_db


class Discounts:
    """A kind of change as an app above would declare it; it remembers what it was told to do."""

    def __init__(self):
        self.done = []
        self.refuses = False

    def approve(self, approval, actor):
        if self.refuses:
            raise ApprovalRefused("El deudor ya pagó.")
        self.done.append(("approve", approval.subject, actor.name))

    def reject(self, approval, actor):
        self.done.append(("reject", approval.subject, actor.name))

    def withdraw(self, approval, actor):
        self.done.append(("withdraw", approval.subject, actor.name))


@pytest.fixture
def discounts(monkeypatch):
    told = Discounts()
    kind = Kind(
        code="discount",
        label="Quita",
        right=Right.REVERSE_PAYMENT,
        approve=told.approve,
        reject=told.reject,
        withdraw=told.withdraw,
        title=lambda approval: approval.subject,
        parts=lambda approval: [Part(label="Monto", old=approval.old["amount"], new=approval.new["amount"])],
    )
    declare(monkeypatch, kind)
    yield told
    kinds.kinds_by_code.cache_clear()


def declare(monkeypatch, *more):
    """Let more kinds of approval be declared beside those of the product."""
    monkeypatch.setattr(kinds, "declared", lambda module, name: [*declared(module, name), *more])
    kinds.kinds_by_code.cache_clear()


def person(name, role=Role.SUPERVISOR, *portfolios):
    user = User.objects.create(username=name, role=role)
    Scope.objects.bulk_create([Scope(user=user, portfolio_code=code) for code in portfolios])
    return user


def as_actor(user, minutes=0):
    return actor_for(user, now=NOW + timedelta(minutes=minutes))


def ask(user, subject="7", code="", **changes):
    return operations.ask(
        kind="discount",
        subject=subject,
        old={"amount": "100"},
        new={"amount": "80"},
        portfolio_code=code,
        actor=as_actor(user),
        **changes,
    )


def told_kinds():
    return list(Entry.objects.filter(kind__startswith="approval.").order_by("id").values_list("kind", "actor"))


def test_alone_the_act_is_done_at_once_and_the_journal_says_so(discounts):
    carla = person("carla", Role.MANAGER)
    person("ana", Role.GESTOR)  # holds no right to decide
    User.objects.create(username="dario", role=Role.MANAGER, is_active=False)
    approval = ask(carla)
    assert (approval.decision, approval.alone, approval.decided_by) == ("APPROVED", True, "carla")
    assert discounts.done == [("approve", "7", "carla")]
    assert told_kinds() == [("approval.asked", "carla"), ("approval.approved", "carla")]
    (fact,) = Entry.objects.filter(kind="approval.approved")
    assert fact.payload == {"approval_id": approval.pk, "approval_kind": "discount", "subject": "7", "alone": True}


def test_once_a_second_person_holds_the_right_the_change_waits_for_that_person(discounts):
    carla, bruno = person("carla", Role.MANAGER), person("bruno", Role.MANAGER)
    approval = ask(carla)
    assert (approval.decision, discounts.done) == ("WAITING", [])
    assert list(queries.waiting_for(bruno)) == list(queries.waiting_for(carla)) == [approval]
    assert (queries.may_decide(carla, approval, now=NOW), queries.may_decide(bruno, approval, now=NOW)) == (False, True)
    with pytest.raises(OwnChange):
        operations.approve(approval_id=approval.pk, actor=as_actor(carla))
    with pytest.raises(OwnChange):
        operations.reject(approval_id=approval.pk, reason="Falta el monto", actor=as_actor(carla))
    decided = operations.approve(approval_id=approval.pk, reason=" Conforme ", actor=as_actor(bruno, 5))
    assert (decided.decision, decided.alone, decided.reason) == ("APPROVED", False, "Conforme")
    assert (decided.decided_by, decided.decided_at) == ("bruno", NOW + timedelta(minutes=5))
    assert discounts.done == [("approve", "7", "bruno")]
    assert not queries.waiting_for(bruno).exists()
    assert queries.decided_for(bruno) == [decided]


def test_the_author_decides_alone_once_nobody_else_is_left(discounts):
    carla, bruno = person("carla", Role.MANAGER), person("bruno", Role.MANAGER)
    approval = ask(carla)
    bruno.is_active = False
    bruno.save()
    assert queries.may_decide(carla, approval, now=NOW)
    assert operations.approve(approval_id=approval.pk, actor=as_actor(carla)).alone


def test_who_puts_anothers_change_forward_may_approve_it_and_the_author_may_not(discounts):
    carla, bruno = person("carla", Role.MANAGER), person("bruno", Role.MANAGER)
    approval = ask(bruno, author=operations.Author(name="carla", user_id=carla.pk))
    with pytest.raises(OwnChange):
        operations.approve(approval_id=approval.pk, actor=as_actor(carla))
    assert operations.approve(approval_id=approval.pk, actor=as_actor(bruno)).decision == "APPROVED"


def test_a_name_that_was_changed_makes_no_second_person(discounts):
    carla = person("carla", Role.MANAGER)
    person("bruno", Role.MANAGER)
    approval = ask(carla)
    carla.username = "carla.rios"
    with pytest.raises(OwnChange):
        operations.approve(approval_id=approval.pk, actor=as_actor(carla))


def test_of_two_who_decide_at_once_the_second_hears_who_was_first(discounts):
    carla = person("carla", Role.MANAGER)
    bruno, dora = person("bruno", Role.MANAGER), person("dora", Role.MANAGER)
    approval = ask(carla)
    operations.approve(approval_id=approval.pk, actor=as_actor(bruno))
    for again in (operations.approve, operations.reject, operations.withdraw):
        with pytest.raises(AlreadyDecided, match="bruno"):
            again(
                approval_id=approval.pk, reason="Tarde", actor=as_actor(carla if again is operations.withdraw else dora)
            )
    assert discounts.done == [("approve", "7", "bruno")]
    approval.refresh_from_db()
    assert (approval.decision, approval.reason) == ("APPROVED", "")


def test_what_was_withdrawn_is_not_approved_and_may_be_asked_again(discounts):
    carla, bruno = person("carla", Role.MANAGER), person("bruno", Role.MANAGER)
    approval = ask(carla)
    with pytest.raises(ApprovalRefused), transaction.atomic():
        ask(carla)  # it waits already
    with pytest.raises(NotAllowed):
        operations.withdraw(approval_id=approval.pk, actor=as_actor(bruno))
    operations.withdraw(approval_id=approval.pk, actor=as_actor(carla))
    with pytest.raises(AlreadyDecided):
        operations.approve(approval_id=approval.pk, actor=as_actor(bruno))
    assert discounts.done == [("withdraw", "7", "carla")]
    assert ask(carla).decision == "WAITING"


def test_a_change_is_sent_back_only_with_a_reason(discounts):
    carla, bruno = person("carla", Role.MANAGER), person("bruno", Role.MANAGER)
    approval = ask(carla)
    with pytest.raises(ApprovalRefused):
        operations.reject(approval_id=approval.pk, reason=" ", actor=as_actor(bruno))
    assert operations.reject(approval_id=approval.pk, reason="Muy alto", actor=as_actor(bruno)).reason == "Muy alto"
    assert told_kinds()[-1] == ("approval.rejected", "bruno")


def test_what_its_app_refuses_is_not_approved(discounts):
    carla, bruno = person("carla", Role.MANAGER), person("bruno", Role.MANAGER)
    approval = ask(carla)
    discounts.refuses = True
    with pytest.raises(ApprovalRefused, match="ya pagó"), transaction.atomic():
        operations.approve(approval_id=approval.pk, actor=as_actor(bruno))
    approval.refresh_from_db()
    assert approval.decision == "WAITING"


def test_only_who_sees_the_portfolio_is_a_second_person_for_it(discounts):
    ines = person("ines", Role.SUPERVISOR, "PE-A")
    other = person("otto", Role.SUPERVISOR, "PE-B")
    assert ask(ines, code="PE-A").alone
    both = person("berta", Role.SUPERVISOR, "PE-A", "PE-B")
    approval = ask(ines, subject="8", code="PE-A")
    assert approval.decision == "WAITING"
    assert approval not in queries.waiting_for(other)
    with pytest.raises(Approval.DoesNotExist):
        queries.approval_for(other, approval.pk)
    with pytest.raises(OutOfScope):
        operations.approve(approval_id=approval.pk, actor=as_actor(other))
    assert operations.approve(approval_id=approval.pk, actor=as_actor(both)).decision == "APPROVED"


def test_the_right_of_the_kind_decides(discounts):
    carla = person("carla", Role.MANAGER)
    person("bruno", Role.MANAGER)
    admin = person("dario", Role.ADMINISTRATOR)  # decides about templates, not about payments
    approval = ask(carla)
    assert not queries.waiting_for(admin).exists()
    with pytest.raises(NotAllowed):
        operations.approve(approval_id=approval.pk, actor=as_actor(admin))
    with pytest.raises(NotAllowed):
        operations.approve(approval_id=approval.pk, actor=as_actor(person("ana", Role.GESTOR)))


def test_the_database_knows_no_approval_by_its_own_author_beside_others(discounts):
    carla = person("carla", Role.MANAGER)
    person("bruno", Role.MANAGER)
    approval = ask(carla)
    decided = {"decision": "APPROVED", "decided_at": NOW}
    for by in ({"decided_by": "carla"}, {"decided_by": "otra", "decided_by_id": carla.pk}):
        with pytest.raises(IntegrityError, match="approval_by_two_people"), transaction.atomic():
            Approval.objects.filter(pk=approval.pk).update(**decided, **by)


def test_who_decides_about_any_kind_has_the_tray():
    for kind in kinds.kinds_by_code().values():
        assert all(Right.DECIDE in rights for rights in RIGHTS.values() if kind.right in rights), kind.code


def test_a_kind_has_a_code_of_its_own(discounts, monkeypatch):
    declare(monkeypatch, replace(kinds.kind_of("discount")), replace(kinds.kind_of("discount")))
    with pytest.raises(RuntimeError, match="declared twice"):
        kinds.kinds_by_code()


@pytest.mark.django_db(transaction=True)
def test_of_two_people_in_the_same_instant_one_decides(discounts):
    carla = person("carla", Role.MANAGER)
    deciders = [as_actor(person(name, Role.MANAGER)) for name in ("bruno", "dora")]
    approval = ask(carla)
    together, heard = threading.Barrier(2), []

    def decide(actor):
        together.wait()
        try:
            operations.approve(approval_id=approval.pk, actor=actor)
        except AlreadyDecided:
            heard.append(actor.name)
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=[actor]) for actor in deciders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (late,) = heard
    ((step, _subject, first),) = discounts.done
    approval.refresh_from_db()
    assert (step, approval.decided_by, {first, late}) == ("approve", first, {"bruno", "dora"})


def test_an_account_and_who_opened_it_are_one_person(discounts):
    dario, carla = person("dario", Role.ADMINISTRATOR), person("carla", Role.MANAGER)
    approval = ask(dario)
    make_password_link(user_id=carla.pk, actor=as_actor(dario, 1))  # whoever reads the link may be carla
    with pytest.raises(OwnChange):
        operations.approve(approval_id=approval.pk, actor=as_actor(carla, 2))
    after_days = as_actor(carla, minutes=3 * 24 * 60 + 2)
    assert operations.approve(approval_id=approval.pk, actor=after_days).decision == "APPROVED"


def test_two_accounts_that_one_person_opened_are_one_person(discounts):
    dario = person("dario", Role.ADMINISTRATOR)
    first, _token = invite_user(username="uno", details=UserDetails(role=Role.ADMINISTRATOR), actor=as_actor(dario))
    User.objects.update(is_active=True)
    first.refresh_from_db()
    second, _token = invite_user(username="dos", details=UserDetails(role=Role.MANAGER), actor=as_actor(first))
    User.objects.update(is_active=True)
    second.refresh_from_db()
    for author in (dario, first):
        approval = ask(author, subject=author.username)
        with pytest.raises(OwnChange):
            operations.approve(approval_id=approval.pk, actor=as_actor(second))


def test_who_shuts_the_others_out_does_not_decide_alone(discounts):
    dario, carla = person("dario", Role.ADMINISTRATOR), person("carla", Role.MANAGER)
    shut_out_user(user_id=carla.pk, actor=as_actor(dario))
    person("bruno", Role.ADMINISTRATOR)
    User.objects.filter(pk=dario.pk).update(role=Role.MANAGER)
    dario.refresh_from_db()
    approval = ask(dario)
    assert approval.decision == "WAITING"
    with pytest.raises(OwnChange):
        operations.approve(approval_id=approval.pk, actor=as_actor(dario, 1))
    assert operations.approve(approval_id=approval.pk, actor=as_actor(dario, 3 * 24 * 60 + 1)).alone
