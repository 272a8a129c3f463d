"""People see the messages of their own portfolios, and nothing else."""

from __future__ import annotations

import pytest

from recobra.messaging import queries
from recobra.messaging.models import Contact, MailboxMessage
from tests.worlds import TODAY

pytestmark = pytest.mark.django_db(transaction=True)


def test_scope(world, cast):
    contact = world.someone_due()
    for name in ("ana", "carla", "hilda"):
        assert list(queries.contacts_for(cast[name])) == [contact]
        assert queries.contact_for(cast[name], contact.pk) == contact
    assert not queries.contacts_for(cast["zoe"]).exists()
    assert queries.contact_for(cast["zoe"], contact.pk) is None


def test_filters_and_counts(world, cast):
    contact = world.someone_due()
    ana = cast["ana"]
    assert (
        queries.contacts_for(ana, queries.Filters(statuses=["DUE"], channel="email", planned_from=TODAY)).count() == 1
    )
    assert queries.contacts_for(ana, queries.Filters(statuses=["SENT"])).count() == 0
    assert queries.contacts_for(ana, queries.Filters(debtor_id=contact.debtor_id)).count() == 1
    assert queries.contacts_for(ana, queries.Filters(portfolio_codes=["OTRA"])).count() == 0
    assert queries.counts_for(ana, day=TODAY)["DUE"] == 1
    Contact.objects.update(status="UNCERTAIN", reason="lost", handed_over_at=world.now)
    assert queries.uncertain_for(ana).count() == 1
    assert queries.explain_reason("lost") != "lost"
    assert queries.explain_reason("closed_hour") != "closed_hour"
    assert queries.explain_reason("algo propio") == "algo propio"


def test_the_mailbox_shows_what_came_twice_to_those_who_may_see_it(world, cast):
    world.someone_due()
    world.dispatch()
    kept = MailboxMessage.objects.get()
    kept.pk = None
    kept.save()
    assert queries.mailbox_messages_for(cast["ana"]).count() == 2
    assert "su cuenta" in kept.subject
    assert queries.mailbox_messages_for(cast["ana"], text="Su Cuenta").count() == 2
    assert queries.mailbox_messages_for(cast["ana"], text="nada así").count() == 0
    letter = queries.mailbox_message_for(cast["ana"], kept.pk)
    assert "Banco Sur" in letter.text
    assert "<table" in letter.html
    assert dict(letter.headers)["X-Recobra-Contact"] == kept.contact_public_id
    assert not queries.mailbox_messages_for(cast["zoe"]).exists()
    assert queries.mailbox_message_for(cast["zoe"], kept.pk) is None
