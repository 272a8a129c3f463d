"""Filters and tags for money, numbers, days and codes, in the format of the portfolio's country."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from babel import dates, numbers
from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from recobra.compliance.evidence import format as evidence_format
from recobra.console import labels, masks, narrative, reasons
from recobra.console.guard import may_open
from recobra.console.own_values import visible_columns, write_value
from recobra.insight.queries.board import OpenAlarm
from recobra.intake.refusals import aside_words, held_words, routed_words
from recobra.kit.date_format import format_date
from recobra.kit.money_format import format_minor, format_units
from recobra.kit.personal_data import DIGEST, ERASED
from recobra.kit.typed_numbers import number_locale
from recobra.messaging.queries import cite_article
from recobra.portfolio import address_forms
from recobra.portfolio.own_columns import own_columns
from recobra.portfolio.queries import Account, Portfolio
from recobra_core.law import load_countries
from recobra_core.money import EXPONENTS, rounded_units, units_of
from recobra_core.stages import Bucket

register = template.Library()
_REJECTED_VALUE_LETTERS: Final = 80
_ERASED_MARKS: Final = (ERASED, DIGEST)
# Numbers of four digits and more that are no part of a word, a date, a decimal or a path.
_COUNTS: Final = re.compile(r"(?<![\w.,/-])\d{4,}(?![\w/-]|[.,]\d)")


class Place(Protocol):
    """The formats of a portfolio, or of anything that has a country, a currency and a time zone."""

    @property
    def country(self) -> str:
        """Code of the country whose formats are used, '' for none."""

    @property
    def currency(self) -> str:
        """Code of the currency of amounts, '' for none."""

    @property
    def time_zone(self) -> str:
        """Name of the time zone in which hours are shown."""


@register.filter
def sums(amounts: Mapping[str, str], place: Place) -> str:
    """Write sums by currency as a place's country does; one in no known currency stays as it was read."""
    locale = number_locale(place.country)
    return " · ".join(
        format_units(Decimal(amount), currency, locale) if currency in EXPONENTS else f"{amount} {currency}"
        for currency, amount in amounts.items()
    )


@register.filter
def aside(entry: dict[str, Any], place: Place) -> str:
    """Say what was set aside of a file for one reason."""
    return aside_words(entry, partial(sums, place=place))


@register.filter
def held(reasons: list[dict[str, Any]], place: Place) -> str:
    """Say why a load waits for a person."""
    return figures(held_words(reasons, partial(sums, place=place)), place)


@register.filter
def routed(entry: dict[str, Any]) -> str:
    """Say what came of the rows of another currency."""
    return routed_words(entry)


@register.filter
def money(amount_minor: int | None, place: Place) -> str:
    """Write minor units as money of a portfolio's currency, as its country writes it; nothing for None."""
    return "—" if amount_minor is None else currency_amount(amount_minor, place.currency, place.country)


@register.simple_tag
def money_of(amount_minor: int | None, currency: str, country: str) -> str:
    """Write minor units of a currency as a country writes them."""
    return "—" if amount_minor is None else currency_amount(amount_minor, currency, country)


@register.simple_tag
def price_of(micros: float | None, currency: str, country: str) -> str:
    """Write the price of one message in micros (millionths of a major unit) with as many decimals as it has."""
    if micros is None:
        return "—"
    locale = number_locale(_only_country_of(currency) or country)
    return numbers.format_currency(units_of(round(micros)), currency, locale=locale, decimal_quantization=False)


@register.simple_tag
def cost_of(micros: int | None, currency: str, country: str) -> str:
    """Write a sum of prices in micros with the currency's decimals, rounded half up."""
    if micros is None:
        return "—"
    locale = number_locale(_only_country_of(currency) or country)
    return format_units(rounded_units(micros, currency), currency, locale)


def _only_country_of(currency: str) -> str:
    """Return the only country with a currency, '' where several share it."""
    # Peru writes «S/» where every other country writes «PEN».
    codes = [code for code, country in load_countries().items() if country.currency == currency]
    return codes[0] if len(codes) == 1 else ""


def currency_amount(amount_minor: int, currency: str, country: str) -> str:
    """Return minor units as text, such as «S/ 1,234.50» in Peru or «$ 1.234» in Chile."""
    return format_minor(amount_minor, currency, number_locale(country))


@register.simple_tag(takes_context=True)
def number(context: template.Context, value: float | str | None, country: str = "", decimals: int | None = None) -> str:
    """Write a number as the page's country does; without `decimals` with as many as it has."""
    if value in (None, ""):
        return "—"
    pattern = None if decimals is None else _number_pattern(decimals)
    return numbers.format_decimal(value, pattern, locale=number_locale(page_country(context, country)))


@register.simple_tag(takes_context=True)
def share(context: template.Context, value: float | str | None, country: str = "", decimals: int = 1) -> str:
    """Write a share between 0 and 1 as a percentage, as the page's country does."""
    if value in (None, ""):
        return "—"
    pattern = f"{_number_pattern(decimals)} %"
    return numbers.format_percent(value, pattern, locale=number_locale(page_country(context, country)))


def page_country(context: template.Context, country: str = "") -> str:
    """Return the country of a page's numbers: the one named, its place's, else the user's own."""
    if country:
        return country
    for name in ("place", "portfolio"):
        place_country = getattr(context.get(name), "country", "")
        if place_country:
            return str(place_country)
    return str(context.get("country") or "")


def _number_pattern(decimals: int) -> str:
    """Return Babel's pattern of a number with a fixed number of decimals, such as «#,##0.00»."""
    return f"#,##0.{'0' * decimals}" if decimals else "#,##0"


@register.filter
def figures(text: str, place: Place) -> str:
    """Group the digits of the counts within a sentence as a place's country does; dates and decimals stay."""
    locale = number_locale(place.country)
    return _COUNTS.sub(lambda match: numbers.format_decimal(int(match[0]), locale=locale), text)


@register.filter
def day(value: date | None) -> str:
    """Write a calendar day, such as «23 nov 2026»."""
    return "—" if value is None else format_date(value, "d MMM y", translation.get_language() or "es")


@register.filter
def moment(value: datetime | None, place: Place | None) -> str:
    """Write an instant in the portfolio's own time, such as «23 nov 2026, 10:05»."""
    if value is None:
        return "—"
    zone = ZoneInfo(place.time_zone) if place else ZoneInfo("UTC")
    return dates.format_datetime(value, "d MMM y, HH:mm", tzinfo=zone, locale=translation.get_language() or "es")


@register.filter
def label(code: str, family: str) -> str:
    """Write the label of a code: `{{ row.stage|label:"stage" }}`; an unknown code as it is."""
    return labels.label_of(family, code)


@register.filter
def task_title(title: str, kind: str) -> str:
    """Write what a task asks for: `{{ task.title|task_title:task.kind }}`; a search has a code in place of a title."""
    return labels.label_of("unreachable", title) if kind == "unreachable" else title


@register.filter
def bucket(key: str, buckets: Iterable[Bucket]) -> str:
    """Write the label of a bucket: `{{ row.bucket|bucket:buckets }}`, with the buckets of the portfolios."""
    return labels.bucket_label(key, buckets)


@register.filter
def tone(code: str, family: str) -> str:
    """Return the tone of a code's badge: calm, good, warn, bad or quiet."""
    return labels.tone_of(family, code)


@register.filter
def reason(key: str) -> str:
    """Write the reason for which a contact was blocked or ended."""
    return reasons.explain(key)


@register.filter
def article(text: str) -> str:
    """Write an article of the law, or its sanction, in the reader's language."""
    return cite_article(text)


@register.filter
def fact(kind: str, part: str = "text") -> str:
    """Write a kind of fact in words; `fact:"icon"` and `fact:"tone"` give its icon and tone."""
    write_part = {"text": narrative.fact_label, "icon": narrative.icon_of, "tone": narrative.tone_of}[part]
    return write_part(kind)


@register.filter
def actor(name: str) -> str:
    """Write the name of an actor of the journal."""
    return narrative.actor_label(name)


@register.simple_tag(takes_context=True)
def alarm_address(context: template.Context, alarm: OpenAlarm) -> str:
    """Return the address of the screen that an alarm leads to, '' for users who may not open it."""
    if not alarm.page:
        return ""
    address = reverse(alarm.page)
    if not may_open(context["request"].user, address):
        return ""
    return f"{address}?{alarm.page_query}" if alarm.page_query else address


@register.simple_tag(takes_context=True)
def national_id(context: template.Context, value: str) -> str:
    """Write an identity document, masked for roles that do not need it."""
    return value if context["can"].get("see_national_id") else masks.mask_document(value)


@register.simple_tag(takes_context=True)
def hide_document(context: template.Context, text: str, document: str) -> str:
    """Write a reference, or a text about a debtor, with the debtor's document in it masked where a role needs it."""
    if str(text).startswith(_ERASED_MARKS):
        return translation.gettext("anonymised")
    if context["can"].get("see_national_id"):
        return text
    # Accounts and payments of whoever was joined with a debtor may name the former's document.
    documents: list[str] = [document, *(context.get("joined_documents") or ())]
    for each in documents:
        text = masks.mask_document_in(str(text), each)
    return text


@register.simple_tag(takes_context=True)
def address(context: template.Context, value: str) -> str:
    """Write a phone, e-mail or address, masked for roles that do not need it."""
    if value.startswith(address_forms.SENDER):
        sender_id = value.removeprefix(address_forms.SENDER)
        if not sender_id:
            return translation.gettext("without a number")
        return translation.gettext("without a number (%(id)s)") % {"id": sender_id}
    if value.startswith(_ERASED_MARKS):
        return translation.gettext("anonymised")
    return value if context["can"].get("see_contact_data") else masks.mask_contact(value)


@register.simple_tag(takes_context=True)
def masked_text(context: template.Context, text: str) -> str:
    """Write others' text; addresses and numbers in it are masked for roles that do not need them."""
    return text if context["can"].get("see_contact_data") else masks.mask_text(text)


@register.simple_tag(takes_context=True)
def private_text(context: template.Context, text: str, document: str) -> str:
    """Write what staff wrote about a debtor: numbers, addresses and the document masked for who does not need them."""
    return masked_text(context, hide_document(context, text, document))


@register.simple_tag(takes_context=True)
def provider_answer(context: template.Context, text: str) -> str:
    """Write what a provider answered, with addresses and numbers masked for roles that do not need them."""
    return masked_text(context, evidence_format.provider_answer(text))


@register.simple_tag(takes_context=True)
def rejected_value(context: template.Context, value: str | None) -> str:
    """Write the value of a rejected row, hidden from roles that may not see all personal data."""
    can = context["can"]
    # A row is rejected because its columns are not what they should be: any value may be a document or a number.
    is_visible = can.get("load_files") and can.get("see_contact_data") and can.get("see_national_id")
    if not is_visible:
        return "•••"
    return Truncator(value or "").chars(_REJECTED_VALUE_LETTERS)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of the sprite; decoration only, so hidden from screen readers."""
    from django.templatetags.static import static  # noqa: PLC0415 - static files are not ready at import

    source = static("console/icons.svg")
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>', source, name)


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """Return the page's query string with some parameters changed; an empty value removes one."""
    request: HttpRequest = context["request"]
    parameters = request.GET.copy()
    for name, value in changes.items():
        parameters.pop(name, None)
        if value not in (None, ""):
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}" if parameters else "?"


@register.simple_tag
def own_value(name: str, attributes: Mapping[str, Any], place: Portfolio) -> str:
    """Write the value of an own column of a portfolio, «—» where it is not known or not for lists."""
    column = own_columns(place).get(name)
    if column is None or column.is_private:
        return "—"
    return write_value(column, attributes, place) or "—"


@register.simple_tag(takes_context=True)
def own_values(context: template.Context, account: Account) -> list[tuple[str, str]]:
    """Return label and value of the own columns of an account's portfolio that the user may see."""
    place = account.portfolio
    columns = visible_columns(context["user"], place)
    return [(column.label, write_value(column, account.attributes, place)) for column in columns]
