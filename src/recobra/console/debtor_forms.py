"""Forms of what staff keeps about a debtor: contact data, preferences, people around an account, notes."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from recobra.console import labels
from recobra.portfolio.contact_points import LONGEST_ADDRESS, RETIRED_BY_STAFF
from recobra.portfolio.notes import LONGEST_NOTE
from recobra.portfolio.queries import ContactPoint, Party

_CONTROL: Final = {"class": "form-control"}
_SELECT: Final = {"class": "form-select"}


def note_field(label: Any, *, required: bool = True) -> forms.CharField:
    """Return a field for a note of staff."""
    widget = forms.Textarea(attrs={**_CONTROL, "rows": 2})
    return forms.CharField(label=label, max_length=LONGEST_NOTE, required=required, widget=widget)


def place_field() -> forms.ChoiceField:
    """Return a field for whose a contact point is."""
    return forms.ChoiceField(
        label=_("Whose it is"),
        choices=ContactPoint.Place.choices,
        required=False,
        widget=forms.Select(attrs=_SELECT),
    )


def value_field(label: Any, *, required: bool = True) -> forms.CharField:
    """Return a field for a number or address, which the browser does not remember."""
    widget = forms.TextInput(attrs={**_CONTROL, "autocomplete": "off"})
    return forms.CharField(label=label, max_length=LONGEST_ADDRESS, required=required, widget=widget)


class PointForm(forms.Form):
    """A telephone, e-mail or address that staff has found."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ContactPoint.Kind.choices, widget=forms.Select(attrs=_SELECT))
    value = value_field(_("Number or address"))
    place = place_field()
    note = note_field(_("Where it comes from"))


class CorrectionForm(forms.Form):
    """What a contact point should have said."""

    value = value_field(_("What it should say, whole"))
    place = place_field()
    note = note_field(_("Why, and who said so"))


class RetirementForm(forms.Form):
    """Why a contact point is no longer used; `may_deny`: also that it is somebody else's, which is a statement."""

    def __init__(self, *args: Any, may_deny: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        codes = (*RETIRED_BY_STAFF, *([ContactPoint.RetiredBecause.WRONG_PERSON] if may_deny else []))
        self.fields["reason"] = forms.ChoiceField(
            label=_("Reason"),
            choices=[(code.value, code.label) for code in codes],
            widget=forms.Select(attrs=_SELECT),
        )
        self.fields["note"] = note_field(_("Note"), required=False)


class PlaceForm(forms.Form):
    """Whose a contact point is."""

    place = place_field()
    note = note_field(_("Note"), required=False)


class PreferencesForm(forms.Form):
    """How a debtor would rather be contacted."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["language"] = forms.ChoiceField(
            label=_("Language"),
            choices=[("", _("No preference")), *settings.LANGUAGES],
            required=False,
            widget=forms.Select(attrs=_SELECT),
        )
        self.fields["channel"] = forms.ChoiceField(
            label=_("Channel"),
            choices=[("", _("No preference")), *labels.choices("channel")],
            required=False,
            widget=forms.Select(attrs=_SELECT),
        )
        for name, label in (("hours_from", _("From what hour")), ("hours_to", _("Until what hour"))):
            widget = forms.TimeInput(attrs={**_CONTROL, "type": "time"}, format="%H:%M")
            self.fields[name] = forms.TimeField(label=label, required=False, widget=widget)
        self.fields["note"] = note_field(_("Who said so, when and how"))


class PartyForm(forms.Form):
    """Somebody around an account."""

    part = forms.ChoiceField(
        label=_("What the person is"), choices=Party.Part.choices, widget=forms.Select(attrs=_SELECT)
    )
    name = value_field(_("Name"))
    national_id = value_field(_("Identity document (optional)"), required=False)
    phone = value_field(_("Phone (optional)"), required=False)
    email = value_field(_("E-mail (optional)"), required=False)
    note = note_field(_("Where it comes from"))


class PartyRetirementForm(forms.Form):
    """Why somebody no longer stands around an account."""

    note = note_field(_("Reason"))


class NoteForm(forms.Form):
    """A note about a debtor."""

    text = note_field(_("Note"))
