"""How a debtor would rather be contacted: language, channel and hours, set by people or stated by a file."""

from __future__ import annotations

from datetime import time

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact

from .facts import PreferencesSet
from .models import Channel, ContactPoint, Debtor
from .notes import lock_debtor, write_note


class PreferencesRefused(Exception):
    """The preferences cannot be kept so; the text is shown as it is."""


@requires(Right.EDIT_DEBTORS)
@transaction.atomic
def set_preferences(
    *,
    debtor_id: int,
    language: str,
    channel: str,
    hours_from: time | None,
    hours_to: time | None,
    note: str,
    actor: Actor,
) -> Debtor:
    """Set how a debtor would rather be contacted; '' and None for no preference. Raises PreferencesRefused.

    What was planned is decided anew. The preferences of a person are not undone by files.
    """
    debtor = lock_debtor(debtor_id, actor, refused=PreferencesRefused)
    if language and language not in dict(settings.LANGUAGES):
        raise PreferencesRefused(_("Choose one of the languages."))
    if channel and channel not in Channel.values:
        raise PreferencesRefused(_("Choose one of the channels."))
    if (hours_from is None) != (hours_to is None) or (hours_from and hours_to and hours_from >= hours_to):
        raise PreferencesRefused(_("Say from what hour until what later hour, or neither."))
    stated = (language, channel, hours_from, hours_to)
    if stated == (debtor.language, debtor.preferred_channel, debtor.preferred_from, debtor.preferred_to):
        raise PreferencesRefused(_("That is what it says already."))
    debtor.language, debtor.preferred_channel, debtor.preferred_from, debtor.preferred_to = stated
    debtor.preferences_source = ContactPoint.Source.STAFF
    debtor.save(update_fields=["language", "preferred_channel", "preferred_from", "preferred_to", "preferences_source"])
    note_id = write_note(debtor, note, is_reason=True, actor=actor, refused=PreferencesRefused)
    preferences = PreferencesSet(
        language=language,
        channel=channel,
        hours_from=hours_from.isoformat("minutes") if hours_from else "",
        hours_to=hours_to.isoformat("minutes") if hours_to else "",
        note_id=note_id,
    )
    record_fact(preferences, actor=actor, debtor_id=debtor_id)
    return debtor
