"""Forms of a debtor's file; amounts are read in the format of the portfolio's country."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from babel.numbers import NumberFormatError, format_decimal, parse_decimal
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.console import labels
from recobra.console.templatetags.console import Place
from recobra.kit.typed_numbers import number_locale
from recobra.workbench.operations import TAKEN_BACK
from recobra_core.money import exponent_of, largest_minor

_CONTROL = {"class": "form-control"}
_SELECT = {"class": "form-select"}


class MoneyField(forms.CharField):
    """An amount as the country writes it; its value is minor units (int), None when optional and empty."""

    def __init__(self, *, place: Place, **options: Any) -> None:
        """Read amounts in the format of `place` and in its currency; `options` go to CharField."""
        super().__init__(**options)
        self.place = place
        self.widget.attrs |= {**_CONTROL, "inputmode": "decimal", "autocomplete": "off", "placeholder": self._example()}

    def clean(self, value: Any) -> int | None:
        """Return minor units. Raises ValidationError that shows how an amount is written here."""
        text = str(super().clean(value)).replace("\xa0", "").strip()
        return self._parse_minor(text) if text else None

    def _parse_minor(self, text: str) -> int:
        """Return the minor units of an amount. Raises ValidationError."""
        unreadable = forms.ValidationError(_("Write the amount like %(example)s.") % {"example": self._example()})
        # Babel also reads letters and signs that nobody means as an amount, such as an exponent.
        if not re.fullmatch(r"-?[\d.,'’\s]+", text):
            raise unreadable
        try:
            amount = parse_decimal(text, locale=number_locale(self.place.country), strict=True)
        except NumberFormatError as error:
            raise unreadable from error
        minor = amount.scaleb(exponent_of(self.place.currency))
        # More decimals than the currency has: rounding would record another amount than was typed.
        if minor != minor.to_integral_value():
            raise unreadable
        if amount <= 0:
            raise forms.ValidationError(_("The amount must be more than zero."))
        if minor > largest_minor(self.place.currency):
            raise forms.ValidationError(_("The amount is larger than can be recorded: check the figure."))
        return int(minor)

    def write_minor(self, amount_minor: int) -> str:
        """Return minor units as they are typed here."""
        return self._write(Decimal(amount_minor).scaleb(-exponent_of(self.place.currency)))

    def _example(self) -> str:
        """Return an amount as the country writes it, such as «1,234.50» or «1.234»."""
        return self._write(Decimal("1234.5"))

    def _write(self, amount: Decimal) -> str:
        decimals = exponent_of(self.place.currency)
        pattern = "#,##0"
        if decimals:
            pattern += "." + "0" * decimals
        return format_decimal(amount, pattern, locale=number_locale(self.place.country))


def day_field(label: str | Any, **options: Any) -> forms.DateField:
    """Return a date field that opens the browser's calendar."""
    widget = forms.DateInput(attrs={**_CONTROL, "type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **options)


class PaymentForm(forms.Form):
    """A payment received: account, amount, day and receipt."""

    def __init__(self, *args: Any, place: Place, accounts: list[tuple[int, str]], today: date, **options: Any) -> None:
        """Offer the `accounts` (id and number); amounts are of `place`, and `today` is the day there."""
        super().__init__(*args, **options)
        all_accounts = [("", _("All: the oldest debt first"))] if len(accounts) > 1 else []
        self.fields["account"] = forms.TypedChoiceField(
            label=_("Account"),
            choices=[*all_accounts, *accounts],
            coerce=int,
            empty_value=None,
            required=not all_accounts,
            widget=forms.Select(attrs=_SELECT),
        )
        self.fields["amount_minor"] = MoneyField(label=_("Amount (%(code)s)") % {"code": place.currency}, place=place)
        self.fields["paid_date"] = day_field(_("Day of payment"), initial=today)
        self.fields["reference"] = forms.CharField(
            label=_("Receipt or operation number"),
            max_length=80,
            widget=forms.TextInput(attrs={**_CONTROL, "autocomplete": "off"}),
        )


class ReversalForm(forms.Form):
    """The reason for reversing a payment."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, widget=forms.Textarea(attrs={**_CONTROL, "rows": 3})
    )


class HoldForm(forms.Form):
    """A hold on a debtor or an account: reason, days and disputed amount."""

    def __init__(self, *args: Any, place: Place, accounts: list[tuple[int, str]], today: date, **options: Any) -> None:
        """Offer the `accounts` (id and number); amounts are of `place`, and `today` is the day there."""
        super().__init__(*args, **options)
        whole_debtor = [("", _("The debtor, with all accounts"))]
        self.fields["account"] = forms.TypedChoiceField(
            label=_("What is held"),
            choices=[*whole_debtor, *accounts],
            coerce=int,
            empty_value=None,
            required=False,
            widget=forms.Select(attrs=_SELECT),
        )
        self.fields["reason"] = forms.ChoiceField(
            label=_("Reason"), choices=labels.choices("hold"), widget=forms.Select(attrs=_SELECT)
        )
        self.fields["starts_on"] = day_field(_("From"), initial=today)
        self.fields["ends_on"] = day_field(_("Until (empty: until lifted)"), required=False)
        self.fields["disputed_minor"] = MoneyField(
            label=_("Disputed amount, if only a part"), place=place, required=False
        )
        self.fields["note"] = forms.CharField(
            label=_("Note"), required=False, max_length=500, widget=forms.Textarea(attrs={**_CONTROL, "rows": 2})
        )


class BreachCostForm(forms.Form):
    """What a kind of breach may cost in a country, from a day on."""

    def __init__(self, *args: Any, place: Place, breaches: list[tuple[str, str]], today: date, **options: Any) -> None:
        """Offer the kinds of breach (code and name); the amount is of `place`, and `today` is the day there."""
        super().__init__(*args, **options)
        self.fields["breach"] = forms.ChoiceField(
            label=_("Kind of breach"), choices=breaches, widget=forms.Select(attrs=_SELECT)
        )
        self.fields["amount_minor"] = MoneyField(
            label=_("It may cost up to (%(code)s)") % {"code": place.currency}, place=place
        )
        self.fields["holds_from"] = day_field(_("From the day"), initial=today)
        self.fields["reason"] = forms.CharField(
            label=_("Who decided it, and why"), max_length=500, widget=forms.Textarea(attrs={**_CONTROL, "rows": 2})
        )


class TaskForm(forms.Form):
    """The outcome of a task."""

    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"), widget=forms.Select(attrs=_SELECT))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        outcome = self.fields["outcome"]
        assert isinstance(outcome, forms.ChoiceField)
        # That its plan was taken back is said by who takes it back, never by who closes a task.
        outcome.choices = [choice for choice in labels.choices("outcome") if choice[0] != TAKEN_BACK]
