"""What a user may read of the receivables. Every function takes the user and answers within his or her scope."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import phonenumbers
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from recobra.access.queries import User, portfolio_codes

from .models import Account, ContactPoint, Creditor, Debtor, Hold, Portfolio, Posting

SEARCH_LIMIT = 1001
_PHONE_DIGITS_MIN = 6


def portfolios_for(user: User) -> list[Portfolio]:
    """Return the portfolios a user may see, by code."""
    codes = portfolio_codes(user)
    rows = Portfolio.objects.select_related("creditor").order_by("code")
    return list(rows if codes is None else rows.filter(code__in=codes))


def creditors_for(user: User) -> QuerySet[Creditor]:
    """Return the creditors of the portfolios a user may see, by name."""
    seen = {portfolio.creditor_id for portfolio in portfolios_for(user)}
    return Creditor.objects.filter(pk__in=seen).order_by("name", "pk")


def debtor_for(user: User, debtor_id: int) -> Debtor:
    """Return a debtor with an account, or a part in one, that the user may see. Raises Debtor.DoesNotExist."""
    seen = [portfolio.pk for portfolio in portfolios_for(user)]
    own = Account.objects.filter(debtor=OuterRef("pk"), portfolio__in=seen)
    part = Account.objects.filter(parties__debtor=OuterRef("pk"), portfolio__in=seen)
    rows = Debtor.objects.select_related("creditor").filter(Q(Exists(own)) | Q(Exists(part)))
    return rows.get(pk=debtor_id)


def accounts_for(user: User, debtor_id: int | None = None) -> QuerySet[Account]:
    """Return the accounts a user may see, of one debtor or of all, oldest first."""
    seen = [portfolio.pk for portfolio in portfolios_for(user)]
    rows = Account.objects.select_related("portfolio").filter(portfolio__in=seen).order_by("id")
    return rows if debtor_id is None else rows.filter(debtor_id=debtor_id)


def points_of(debtor: Debtor) -> list[ContactPoint]:
    """Return a debtor's contact points, usable and better ones first."""
    return list(debtor.points.order_by("retired_at", "-valid", "kind", "-quality", "id"))


def holds_for(user: User, debtor: Debtor) -> list[Hold]:
    """Return a debtor's holds on the debtor or on accounts the user may see, unlifted first, newest first."""
    accounts = accounts_for(user, debtor.pk)
    rows = debtor.holds.filter(Q(account__isnull=True) | Q(account__in=accounts)).select_related("account")
    return sorted(rows, key=lambda hold: (hold.lifted_at is not None, -hold.pk))


def balances(account_ids: Iterable[int]) -> dict[int, int]:
    """Return what each account owes in minor units: the sum of its ledger."""
    rows = Posting.objects.filter(account__in=list(account_ids)).values("account").annotate(total=Sum("amount_minor"))
    return {row["account"]: row["total"] for row in rows}


def ledger_of(account: Account) -> list[tuple[Posting, int]]:
    """Return an account's postings in the order they took effect, each with the balance after it."""
    running, lines = 0, []
    for posting in account.postings.select_related("instalment").order_by("value_date", "booked_at", "id"):
        running += posting.amount_minor
        lines.append((posting, running))
    return lines


def search(user: User, text: str, limit: int = SEARCH_LIMIT) -> list[int]:
    """Return at most `limit` ids of accounts that a text finds, in no order.

    Account number, debtor number and national id by their beginning; e-mail and phone by value; names by every word.
    """
    portfolios, text = portfolios_for(user), " ".join(text.split())
    if not portfolios or not text:
        return []
    seen = [portfolio.pk for portfolio in portfolios]
    countries = sorted({portfolio.country for portfolio in portfolios})
    branches = list(_branches(text, countries))
    union = " UNION ".join(f"(SELECT a.id {body} AND a.portfolio_id = ANY(%s) LIMIT %s)" for body, _values in branches)
    parameters = [value for _body, values in branches for value in (*values, seen, limit)]
    with connection.cursor() as cursor:
        cursor.execute(f"{union} LIMIT %s", [*parameters, limit])
        return [row[0] for row in cursor.fetchall()]


_OF_DEBTOR = "FROM portfolio_debtor d JOIN portfolio_account a ON a.debtor_id = d.id WHERE"
_OF_POINT = "FROM portfolio_contactpoint c JOIN portfolio_account a ON a.debtor_id = c.debtor_id WHERE"


def _branches(text: str, countries: list[str]) -> Iterable[tuple[str, list[Any]]]:
    """Give one SQL body and its values for each index that can answer."""
    for variant in dict.fromkeys([text, text.upper(), re.sub(r"[\s.\-/]", "", text).upper()]):
        start = _escape(variant) + "%"
        yield "FROM portfolio_account a WHERE a.external_id LIKE %s", [start]
        yield f"{_OF_DEBTOR} d.external_id LIKE %s", [start]
        yield f"{_OF_DEBTOR} d.national_id <> '' AND d.national_id LIKE %s", [start]
    if "@" in text:
        yield f"{_OF_POINT} c.value = ANY(%s)", [[text, text.lower()]]
    digits = re.sub(r"\D", "", text)
    if len(digits) >= _PHONE_DIGITS_MIN and not re.search(r"[^\d\s()+.\-]", text):
        yield f"{_OF_POINT} c.value = ANY(%s)", [_phones(text, digits, countries)]
        # A range over the plain index; LIKE alone would need one of its own. Above every digit comes «:».
        yield (
            f"{_OF_POINT} c.value >= %s AND c.value < %s AND c.value LIKE %s",
            [
                f"+{digits}",
                f"+{digits}:",
                f"+{digits}%",
            ],
        )
    if any(character.isalpha() for character in text):
        patterns = _name_patterns(text)
        alike = " AND ".join("lower_unaccent(d.name) LIKE lower_unaccent(%s)" for _pattern in patterns)
        yield f"{_OF_DEBTOR} {alike}", patterns


def _name_patterns(text: str) -> list[str]:
    """Return a pattern per word; words under three letters have no trigram inside and only count when alone."""
    words = [word for word in text.split() if len(word) >= 3]
    return [f"%{_escape(word)}%" for word in words] or [f"{_escape(text)}%"]


def _phones(text: str, digits: str, countries: list[str]) -> list[str]:
    """Return the E.164 forms that what was typed may stand for in the user's countries."""
    found = []
    for country in countries:
        try:
            number = phonenumbers.parse(text, country)
        except phonenumbers.NumberParseException:
            continue
        found.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
        # Mobiles carry a digit abroad that nobody types at home.
        found += {"AR": [f"+549{digits}"], "MX": [f"+521{digits}"]}.get(country, [])
    return found


def _escape(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
