"""Who is written back to at a line: a number that lives goes before the same one as it was once kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recobra.conversations.counterparty import find_counterparty
from recobra.portfolio.models import ContactPoint

pytestmark = pytest.mark.django_db


def test_a_live_number_goes_before_its_retired_spelling(world):
    debtor = world.debtor("Lupe Hernández")
    world.owes(debtor)
    retired, live = (
        ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=value, valid=True)
        for value in ("+5215512345678", "+525512345678")
    )
    ContactPoint.objects.filter(pk=retired.pk).update(retired_at=world.now - timedelta(days=30))
    found = find_counterparty(debtor, channel="whatsapp", address="+5215512345678", now=world.now)
    assert found is not None
    assert found.point == live
