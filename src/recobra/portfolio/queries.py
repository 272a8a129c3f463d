"""Read access to the receivables, scoped to the portfolios that the user may see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import phonenumbers
from django.db import connection
from django.db.models import Q, QuerySet, Sum

from recobra.access.queries import User, portfolio_codes
from recobra.kit.tables import is_any_of

from .models import Account as Account  # noqa: PLC0414 - the doors name the types from here
from .models import ContactPoint as ContactPoint  # noqa: PLC0414
from .models import Creditor as Creditor  # noqa: PLC0414
from .models import Debtor as Debtor  # noqa: PLC0414
from .models import DebtorJoin as DebtorJoin  # noqa: PLC0414
from .models import DebtorNote, Hold, Posting
from .models import DisableReason as DisableReason  # noqa: PLC0414
from .models import Party as Party  # noqa: PLC0414
from .models import Portfolio as Portfolio  # noqa: PLC0414
from .scope import debtors_in

SEARCH_LIMIT = 1001
NOTES_SHOWN = 20
_PHONE_DIGITS_MIN = 6


def portfolios_for(user: User) -> list[Portfolio]:
    """Return the portfolios a user may see, by code."""
    return list(_portfolios_in_scope(user))


def portfolio_for(user: User, portfolio_id: int) -> Portfolio:
    """Return a portfolio that a user may see. Raises Portfolio.DoesNotExist."""
    return _portfolios_in_scope(user).get(pk=portfolio_id)


def working_portfolios_for(user: User) -> list[Portfolio]:
    """Return the portfolios a user may see that are not disabled, by code."""
    return list(_portfolios_in_scope(user).filter(disabled_at__isnull=True))


def find_portfolios(
    user: User, *, text: str = "", creditor_id: int | None = None, country: str = "", is_disabled: bool | None = None
) -> QuerySet[Portfolio]:
    """Return the portfolios a user may see that answer to all that is given, by creditor and name.

    `text` is a part of the name, the code or the creditor's name.
    """
    portfolios = _portfolios_in_scope(user)
    for word in text.split():
        portfolios = portfolios.filter(
            Q(name__icontains=word) | Q(code__icontains=word) | Q(creditor__name__icontains=word)
        )
    if creditor_id is not None:
        portfolios = portfolios.filter(creditor=creditor_id)
    if country:
        portfolios = portfolios.filter(country=country)
    if is_disabled is not None:
        portfolios = portfolios.filter(disabled_at__isnull=not is_disabled)
    return portfolios.order_by("creditor__name", "name", "pk")


def countries_of(user: User) -> list[str]:
    """Return the countries of the portfolios a user may see, in their order."""
    return list(_portfolios_in_scope(user).order_by("country").values_list("country", flat=True).distinct())


def _portfolios_in_scope(user: User) -> QuerySet[Portfolio]:
    codes = portfolio_codes(user)
    portfolios = Portfolio.objects.select_related("creditor").order_by("code")
    return portfolios if codes is None else portfolios.filter(code__in=codes)


def creditors_for(user: User) -> QuerySet[Creditor]:
    """Return the creditors of the portfolios a user may see, by name; who may see every portfolio sees all."""
    if portfolio_codes(user) is None:
        return Creditor.objects.order_by("name", "pk")
    creditor_ids = {portfolio.creditor_id for portfolio in portfolios_for(user)}
    return Creditor.objects.filter(pk__in=creditor_ids).order_by("name", "pk")


def debtor_for(user: User, debtor_id: int) -> Debtor:
    """Return a debtor with an account, or a part in one, that the user may see. Raises Debtor.DoesNotExist."""
    portfolio_ids = [portfolio.pk for portfolio in portfolios_for(user)]
    return debtors_in(portfolio_ids).select_related("creditor").get(pk=debtor_id)


def accounts_for(user: User, debtor_id: int | None = None) -> QuerySet[Account]:
    """Return the accounts a user may see, of one debtor or of all, oldest first."""
    portfolio_ids = [portfolio.pk for portfolio in portfolios_for(user)]
    accounts = Account.objects.select_related("portfolio").filter(portfolio__in=portfolio_ids).order_by("id")
    return accounts if debtor_id is None else accounts.filter(debtor_id=debtor_id)


def with_joined(debtor_ids: Sequence[int]) -> list[int]:
    """Return some debtors and whoever was joined with them: what only grows still names the latter."""
    joined = Debtor.objects.filter(is_any_of("joined_into_id", debtor_ids), joined_into__isnull=False)
    return [*debtor_ids, *joined.order_by("pk").values_list("pk", flat=True)]


def joined_documents(debtor: Debtor) -> list[str]:
    """Return the documents of whoever was joined with a debtor: they are masked where the debtor's own is."""
    return list(debtor.joined.values_list("national_id", flat=True))


def joins_of(debtor: Debtor) -> list[DebtorJoin]:
    """Return who was joined with a debtor, the last first; that one may be undone."""
    return list(debtor.joins.filter(parted_at__isnull=True).select_related("joined").order_by("-pk"))


def find_kept(user: User, debtor_id: int) -> int | None:
    """Return who stays of a debtor who was joined with another, None where nobody is or the user may not see it."""
    kept_id = Debtor.objects.filter(pk=debtor_id).values_list("joined_into", flat=True).first()
    portfolio_ids = [portfolio.pk for portfolio in portfolios_for(user)]
    is_seen = kept_id is not None and debtors_in(portfolio_ids).filter(pk=kept_id).exists()
    return kept_id if is_seen else None


def find_by_number(user: User, debtor: Debtor, number: str) -> list[Debtor]:
    """Return other debtors of the same creditor that the user may see by customer number or document, two at most."""
    if not number:
        return []
    portfolio_ids = [portfolio.pk for portfolio in portfolios_for(user)]
    named = Q(external_id=number) | Q(national_id=number)
    others = debtors_in(portfolio_ids).filter(named, creditor=debtor.creditor_id).exclude(pk=debtor.pk)
    return list(others.order_by("pk")[:2])


def list_contact_points(debtor: Debtor) -> list[ContactPoint]:
    """Return a debtor's contact points, usable and better ones first."""
    return list(debtor.points.order_by("retired_at", "-valid", "kind", "-quality", "id"))


def people_around(accounts: Iterable[Account]) -> dict[int, list[Party]]:
    """Return who stands around some accounts, by account, without those who were taken away."""
    found: dict[int, list[Party]] = {}
    parties = Party.objects.filter(account__in=list(accounts), retired_at=None).select_related("debtor")
    for party in parties.order_by("part", "pk"):
        found.setdefault(party.account_id, []).append(party)
    return found


def parts_of(user: User, debtor: Debtor) -> list[Party]:
    """Return in which accounts of others a debtor stands, as far as the user may see them."""
    portfolio_ids = [portfolio.pk for portfolio in portfolios_for(user)]
    parts = debtor.parts.filter(account__portfolio__in=portfolio_ids, retired_at=None)
    return list(parts.select_related("account__debtor", "account__portfolio").order_by("pk"))


def party_for(user: User, debtor_id: int, party_id: int) -> Party:
    """Return somebody around an account of a debtor that the user may see. Raises Party.DoesNotExist."""
    parties = Party.objects.select_related("debtor", "account").filter(account__in=accounts_for(user, debtor_id))
    return parties.get(pk=party_id, retired_at=None)


def list_notes(debtor: Debtor, limit: int = NOTES_SHOWN) -> list[DebtorNote]:
    """Return the notes about a debtor, newest first, without the reasons of changes and those whose words are gone."""
    about_debtor = debtor.notes.filter(is_reason=False).exclude(text="").order_by("-pk")
    return list(about_debtor[:limit])


def holds_for(user: User, debtor: Debtor) -> list[Hold]:
    """Return a debtor's holds on the debtor or on accounts the user may see, unlifted first, newest first."""
    accounts = accounts_for(user, debtor.pk)
    holds = debtor.holds.filter(Q(account__isnull=True) | Q(account__in=accounts)).select_related("account")
    return sorted(holds, key=lambda hold: (hold.lifted_at is not None, -hold.pk))


def sum_balances(account_ids: Iterable[int]) -> dict[int, int]:
    """Return what each account owes in minor units: the sum of its ledger."""
    rows = Posting.objects.filter(account__in=list(account_ids)).values("account").annotate(total=Sum("amount_minor"))
    return {row["account"]: row["total"] for row in rows}


def ledger_lines(account: Account) -> list[tuple[Posting, int]]:
    """Return an account's postings in the order they took effect, each with the balance after it."""
    balance_minor = 0
    lines = []
    for posting in account.postings.select_related("instalment").order_by("value_date", "booked_at", "id"):
        balance_minor += posting.amount_minor
        lines.append((posting, balance_minor))
    return lines


def search_accounts(user: User, text: str, limit: int = SEARCH_LIMIT) -> list[int]:
    """Return the ids of at most `limit` accounts that match a text, in no order.

    Account number, debtor number and national id by their beginning; e-mail and phone by value; names by every word.
    """
    portfolios = portfolios_for(user)
    text = " ".join(text.split())
    if not portfolios or not text:
        return []
    portfolio_ids = [portfolio.pk for portfolio in portfolios]
    creditor_ids = sorted({portfolio.creditor_id for portfolio in portfolios})
    countries = sorted({portfolio.country for portfolio in portfolios})
    queries = []
    parameters: list[Any] = []
    for body, values in _search_branches(text, creditor_ids, countries):
        queries.append(f"(SELECT account.id {body} AND account.portfolio_id = ANY(%s) LIMIT %s)")
        parameters += [*values, portfolio_ids, limit]
    union = " UNION ".join(queries)
    with connection.cursor() as cursor:
        cursor.execute(f"{union} LIMIT %s", [*parameters, limit])
        return [account_id for (account_id,) in cursor.fetchall()]


# Whoever was joined with another is found by the own number, document or name, and leads to who stays.
_OF_DEBTOR = (
    "FROM portfolio_debtor debtor JOIN portfolio_account account "
    "ON account.debtor_id = coalesce(debtor.joined_into_id, debtor.id) WHERE"
)
_OF_POINT = (
    "FROM portfolio_contactpoint point JOIN portfolio_account account ON account.debtor_id = point.debtor_id WHERE"
)


def _search_branches(text: str, creditor_ids: list[int], countries: list[str]) -> Iterable[tuple[str, list[Any]]]:
    """Yield an SQL body and its values for each index that can answer."""
    # A union of branches, since one condition with OR would use none of the indexes.
    bare = re.sub(r"[\s.\-/]", "", text)
    for variant in dict.fromkeys([text, text.upper(), bare.upper()]):
        start = _escape_pattern(variant) + "%"
        yield "FROM portfolio_account account WHERE account.external_id LIKE %s", [start]
        yield f"{_OF_DEBTOR} debtor.creditor_id = ANY(%s) AND debtor.external_id LIKE %s", [creditor_ids, start]
        yield f"{_OF_DEBTOR} debtor.national_id <> '' AND debtor.national_id LIKE %s", [start]
    if "@" in text:
        yield f"{_OF_POINT} point.value = ANY(%s)", [[text, text.lower()]]
    digits = re.sub(r"\D", "", text)
    if len(digits) >= _PHONE_DIGITS_MIN and not re.search(r"[^\d\s()+.\-]", text):
        yield f"{_OF_POINT} point.value = ANY(%s)", [_phone_forms(text, digits, countries)]
        yield f"{_OF_POINT} point.value LIKE %s", [f"+{digits}%"]
    if any(character.isalpha() for character in text):
        patterns = _name_patterns(text)
        matches = " AND ".join("lower_unaccent(debtor.name) LIKE lower_unaccent(%s)" for _pattern in patterns)
        yield f"{_OF_DEBTOR} {matches}", patterns


def _name_patterns(text: str) -> list[str]:
    """Return a pattern for each word, or one for the beginning where every word is short."""
    # The index holds trigrams: a word under three letters has none and would scan the table.
    words = [word for word in text.split() if len(word) >= 3]
    return [f"%{_escape_pattern(word)}%" for word in words] or [f"{_escape_pattern(text)}%"]


def _phone_forms(text: str, digits: str, countries: list[str]) -> list[str]:
    """Return the E.164 numbers that a typed number may mean in the user's countries."""
    numbers = []
    for country in countries:
        try:
            number = phonenumbers.parse(text, country)
        except phonenumbers.NumberParseException:
            continue
        numbers.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
        # Mobiles carry a digit abroad that nobody types at home.
        numbers += {"AR": [f"+549{digits}"], "MX": [f"+521{digits}"]}.get(country, [])
    return numbers


def _escape_pattern(text: str) -> str:
    """Return a text as LIKE finds it literally."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def company_words() -> list[str]:
    """Return the names and codes of creditors, of who collects for them and of portfolios."""
    creditors = Creditor.objects.values_list("name", "code", "agency_name")
    portfolios = Portfolio.objects.values_list("name", "code")
    return [text for row in (*creditors, *portfolios) for text in row]
