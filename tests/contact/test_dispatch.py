"""What is due leaves once, after a last look; everything else ends with its reason."""

from __future__ import annotations

import pytest

from recobra.contact.models import MailboxMessage

from .conftest import TODAY

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = {"leased": 0, "sent": 0, "failed": 0, "blocked": 0, "cancelled": 0, "uncertain": 0}


def test_what_is_due_arrives_once_and_the_journal_says_so(world):
    contact = world.someone_due()
    assert world.dispatch() == NOTHING | {"leased": 1, "sent": 1}
    assert world.dispatch() == NOTHING
    message = MailboxMessage.objects.get()
    contact.refresh_from_db()
    assert message.contact_public_id == str(contact.public_id)
    assert contact.status == "SENT"
    assert contact.sent_at == world.now
    assert contact.local_date == TODAY
    assert contact.address == message.recipients
    assert "S/" in contact.body
    assert contact.template.code == "recordatorio"
    assert list(contact.items.values_list("overdue_minor", flat=True)) == [12_345]
    assert [row[0] for row in world.facts("contact.sent")] == [contact.pk]
