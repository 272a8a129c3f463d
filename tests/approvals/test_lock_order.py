"""Who changes a subject and who decides about it at the same moment: one waits for the other, and none of them fails."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from tests.people import acting

from recobra.approvals import kinds, operations, second_person
from recobra.approvals.models import Approval, SecondPersonRule
from recobra.approvals.operations import AlreadyDecided
from recobra.messaging.models import Provider, Template
from recobra.messaging.providers.operations import enable_provider
from recobra.messaging.providers.operations import test_provider as try_provider
from recobra.messaging.templates.operations import retire_template
from recobra.portfolio.models import Creditor
from recobra.portfolio.operations import save_creditor_details
from recobra.sign_on.models import IdentityProvider
from recobra.sign_on.operations import save_settings, switch_off
from recobra.sign_on.provider_settings import ProviderSettings
from recobra.strategy.models import StrategyVersion
from recobra.strategy.operations.publication import publish_version
from recobra.strategy.operations.versions import StrategyChanged, retire_version, save_draft
from recobra_core.decide import ready

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)
dario = acting("dario", now=NOW)
carla = acting("carla", now=NOW)
MADE = {"created_at": NOW, "created_by": "dario"}
SETTINGS = ProviderSettings(name="Banco ID", issuer="http://127.0.0.1:9", client_id="recobra")


def at_once(first, second):
    """Run `first` in a transaction in which `second` begins and has come to wait; return what `second` returned."""
    answers = []

    def run():
        try:
            answers.append(second())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        first(lambda: begin_and_wait(thread))
    thread.join()
    return answers[0]


def begin_and_wait(thread):
    """Begin a thread, and return once it waits for what this transaction has locked."""
    thread.start()
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    for _attempt in range(200):
        with connection.cursor() as cursor:
            cursor.execute(query)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def make_identity_provider():
    return IdentityProvider.objects.create(is_enabled=True), lambda _pk: switch_off(actor=dario)


def make_provider():
    provider = Provider.objects.create(code="a", channel="email", kind="smtp", name="A", enabled=True, **MADE)
    return provider, lambda pk: enable_provider(provider_id=pk, enabled=False, actor=dario)


def make_creditor():
    def save(pk):
        save_creditor_details(creditor_id=pk, details={"address": "Av. Uno 1"}, supervised=None, actor=dario)

    return Creditor.objects.create(code="SUR", name="Banco Sur"), save


def make_strategy():
    version = StrategyVersion.objects.create(code="a", number=1, status="PUBLISHED", document={}, **MADE)
    return version, lambda pk: retire_version(version_id=pk, actor=dario)


def make_template():
    template = Template.objects.create(code="a", channel="sms", version=1, status="SUBMITTED", **MADE)
    return template, lambda pk: retire_template(template_id=pk, actor=dario)


SUBJECTS = {
    "sign_on": make_identity_provider,
    "provider": make_provider,
    "payment_instructions": make_creditor,
    "strategy": make_strategy,
    "template": make_template,
}


def test_every_kind_that_touches_its_subject_locks_it_first():
    touching = {
        code
        for code, kind in kinds.kinds_by_code().items()
        if {kind.approve, kind.reject, kind.withdraw} != {kinds.change_nothing}
    }
    locking = {code for code, kind in kinds.kinds_by_code().items() if kind.lock is not kinds.lock_nothing}
    assert locking == {*SUBJECTS, "second_person_rule"}, "a rule may have no row, and is locked by its code"
    assert not touching - locking


@pytest.mark.parametrize("code", SUBJECTS)
def test_who_changes_a_subject_and_who_decides_about_it_do_not_wait_for_each_other(code):
    subject, change = SUBJECTS[code]()
    approval = Approval.objects.create(
        kind=code, subject=str(subject.pk), author="dario", asked_by="dario", asked_at=NOW
    )

    def decide():
        try:
            operations.reject(approval_id=approval.pk, reason="No corresponde.", actor=carla)
        except AlreadyDecided:
            return "late"

    def change_meanwhile(begin_other):
        type(subject).objects.select_for_update(no_key=code == "payment_instructions").get(pk=subject.pk)
        begin_other()
        change(subject.pk)

    assert at_once(change_meanwhile, decide) == "late"
    approval.refresh_from_db()
    assert (approval.decision, approval.decided_by) == ("WITHDRAWN", "dario")


def test_who_makes_a_rule_stricter_and_who_agrees_to_a_looser_one_do_not_wait_for_each_other():
    asked = second_person.set_rule(code="export", is_required=True, least_size=50_000, actor=dario)

    def agree():
        try:
            operations.approve(approval_id=asked.pk, actor=carla)
        except AlreadyDecided:
            return "late"

    def make_stricter(begin_other):
        second_person.set_rule(code="export", is_required=True, least_size=100, actor=dario)
        begin_other()

    assert at_once(make_stricter, agree) == "late"
    assert second_person.rule_of("export").least_size == 100


def test_of_two_who_begin_a_strategy_of_one_code_at_once_the_second_is_told():
    document = ready.load_strategy("consumo").to_document()

    def begin():
        try:
            save_draft(document=document, actor=carla)
        except StrategyChanged:
            return "told"

    def begin_first(begin_other):
        save_draft(document=document, actor=dario)
        begin_other()

    assert at_once(begin_first, begin) == "told"
    assert StrategyVersion.objects.get().created_by == "dario"


def test_who_saves_a_draft_and_who_puts_it_in_force_do_not_wait_for_each_other():
    """Both lock the versions of a strategy in one order, the one in force among them."""
    document = ready.load_strategy("consumo").to_document()
    SecondPersonRule.objects.create(kind="strategy", is_required=False)
    for name in ("Uno", "Dos"):
        draft = save_draft(document={**document, "name": name}, actor=dario)
        if name == "Uno":
            publish_version(version_id=draft.pk, actor=dario)

    def publish_first(begin_other):
        begin = StrategyVersion.objects.select_for_update().order_by("pk").first()
        begin_other()
        publish_version(version_id=draft.pk, actor=dario)
        assert begin.number == 1

    assert at_once(publish_first, lambda: save_draft(document={**document, "name": "Tres"}, actor=carla)).number == 3
    assert dict(StrategyVersion.objects.values_list("number", "status")) == {1: "RETIRED", 2: "PUBLISHED", 3: "DRAFT"}


def test_a_test_says_nothing_of_settings_that_are_others_by_its_end():
    """A mail server that is slow to answer, and somebody who saves another one meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"smtp://127.0.0.1:{server.getsockname()[1]}"
        provider = Provider.objects.create(
            code="a", channel="email", kind="smtp", name="A", settings={"url": url}, **MADE
        )

        def save_meanwhile():
            asked, _address = server.accept()
            Provider.objects.update(settings={"url": "smtp://127.0.0.1:9"})
            connection.close()
            asked.close()

        thread = threading.Thread(target=save_meanwhile)
        thread.start()
        check = try_provider(provider_id=provider.pk, actor=dario)
        thread.join()
    assert not check.ok
    provider.refresh_from_db()
    assert provider.tested_at is None


def test_two_who_set_single_sign_on_up_at_once_both_succeed():
    def save(name):
        return save_settings(
            settings=SETTINGS.model_copy(update={"name": name}), secret="s", is_enabled=False, actor=dario
        )

    def save_first(begin_other):
        save("Uno")
        begin_other()

    assert at_once(save_first, lambda: save("Dos")).settings["name"] == "Dos"
    assert IdentityProvider.objects.get().settings["name"] == "Dos"
