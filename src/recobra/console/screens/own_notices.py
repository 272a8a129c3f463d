"""What others changed of a user's own account, as home and «Mi cuenta» show it until it was seen."""

from __future__ import annotations

from django.utils.functional import Promise

from recobra.access.notices import OWN_TEXTS, Notice, own_notices
from recobra.access.queries import User


def describe_own_notices(user: User) -> list[tuple[Notice, Promise]]:
    """Return each notice with what it says to the person, the latest first."""
    return [(notice, OWN_TEXTS[Notice.Kind(notice.kind)]) for notice in own_notices(user)]
