"""Who changes a subject and who decides about it at the same moment: one waits for the other, and none of them fails."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from tests.people import acting

from recobra.approvals import kinds, operations
from recobra.approvals.models import Approval
from recobra.approvals.operations import AlreadyDecided
from recobra.messaging.models import Provider, Template
from recobra.messaging.providers.operations import enable_provider
from recobra.messaging.templates.operations import retire_template
from recobra.portfolio.models import Creditor
from recobra.portfolio.operations import save_creditor_details
from recobra.sign_on.models import IdentityProvider
from recobra.sign_on.operations import save_settings, switch_off
from recobra.sign_on.provider_settings import ProviderSettings
from recobra.strategy.models import StrategyVersion
from recobra.strategy.operations.versions import retire_version

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
    assert locking == set(SUBJECTS)
    assert touching - locking == {"second_person_rule"}, "nobody locks a rule"


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
