"""What the portfolio holds about people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q, Sum
from django.db.models.functions import Greatest, TruncDate
from django.utils.translation import gettext_noop

from recobra.kit.personal_data import DIGEST, ERASED, Block, Holding, Row, erase_by, list_rows
from recobra.kit.tables import is_any_of

from .models import Account, ContactPoint, Debtor, DebtorNote, Hold, Instalment, LegalDecision, Party, Posting

Status = Account.Status
_LIVING: Final = (Status.OPEN, Status.MISSING)
"""What may still be owed: nobody has said yet what became of an account that a load no longer names."""
_ERASE_DEBTORS: Final = f"""
    UPDATE portfolio_debtor SET name = '#' || id, external_id = '{ERASED}' || gen_random_uuid(), national_id = '',
        national_id_kind = '', national_id_valid = NULL, preferred_channel = '', preferred_from = NULL,
        preferred_to = NULL, erased_at = %(at)s
    WHERE id = ANY(%(debtor_ids)s) AND erased_at IS NULL"""
_ERASE_ACCOUNTS: Final = f"""
    UPDATE portfolio_account SET external_id = '{ERASED}' || gen_random_uuid(), contract = '', attributes = '{{}}'
    WHERE debtor_id = ANY(%(debtor_ids)s) AND NOT starts_with(external_id, '{ERASED}')"""
# Numbers of one, two or three signs count instalments; longer ones are those of invoices, which name their debtor. The
# creditor's file, whose line is kept, names the debtor too.
_ERASE_INSTALMENTS: Final = f"""
    UPDATE portfolio_instalment instalment SET line = NULL, number = CASE
        WHEN length(instalment.number) > 3 AND NOT starts_with(instalment.number, '{ERASED}')
        THEN '{ERASED}' || instalment.id ELSE instalment.number END
    FROM portfolio_account account
    WHERE account.id = instalment.account_id AND account.debtor_id = ANY(%(debtor_ids)s)
        AND (line IS NOT NULL OR length(instalment.number) > 3 AND NOT starts_with(instalment.number, '{ERASED}'))"""
# A value that the ledger of consent has replaced by a keyed digest stays: a silence is found by it.
_ERASE_POINTS: Final = f"""
    UPDATE portfolio_contactpoint
    SET value = CASE WHEN starts_with(value, '{DIGEST}') THEN value ELSE '{ERASED}' || id END, valid = false,
        retired_at = coalesce(retired_at, %(at)s)
    WHERE debtor_id = ANY(%(debtor_ids)s) AND NOT starts_with(value, '{ERASED}')
        AND (retired_at IS NULL OR valid OR NOT starts_with(value, '{DIGEST}'))"""
_ERASE_HOLDS: Final = "UPDATE portfolio_hold SET note = '' WHERE debtor_id = ANY(%(debtor_ids)s) AND note <> ''"
_ERASE_NOTES: Final = "UPDATE portfolio_debtornote SET text = '' WHERE debtor_id = ANY(%(debtor_ids)s) AND text <> ''"
_ERASE_DECISIONS: Final = """
    UPDATE portfolio_legaldecision decision SET grounds = '' FROM portfolio_account account
    WHERE account.id = decision.account_id AND account.debtor_id = ANY(%(debtor_ids)s) AND decision.grounds <> ''"""


def has_no_debt() -> Q:
    """Return the condition that nothing is owed on a debtor's accounts, nor on those in which it has a part."""
    own = Account.objects.filter(debtor=OuterRef("pk"), status__in=_LIVING)
    shared = Account.objects.filter(
        parties__debtor=OuterRef("pk"), parties__retired_at__isnull=True, status__in=_LIVING
    )
    return ~Q(Exists(own)) & ~Q(Exists(shared))


def find_without_closing_day(debtor_ids: Sequence[int]) -> set[int]:
    """Return the debtors with an account that went back to the creditor: no movement says on which day."""
    recalled = Account.objects.filter(is_any_of("debtor_id", debtor_ids), status=Status.RECALLED)
    return set(recalled.values_list("debtor_id", flat=True))


def replace_point_value(point_ids: Sequence[int], values: Sequence[str]) -> None:
    """Write other values of contact points: the digests by which the ledger of consent still knows them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE portfolio_contactpoint point SET value = given.value "
            "FROM unnest(%s::bigint[], %s::text[]) AS given(id, value) WHERE point.id = given.id",
            [list(point_ids), list(values)],
        )


def _find_owing(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    owing = Account.objects.filter(is_any_of("debtor_id", debtor_ids), status=Status.OPEN)
    return set(owing.values_list("debtor_id", flat=True))


def _find_missing(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    missing = Account.objects.filter(is_any_of("debtor_id", debtor_ids), status=Status.MISSING)
    return set(missing.values_list("debtor_id", flat=True))


def _find_parts(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    parts = Party.objects.filter(is_any_of("debtor_id", debtor_ids), account__status__in=_LIVING, retired_at=None)
    return set(parts.values_list("debtor_id", flat=True))


def _find_balances(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    """Return the debtors with a balance that neither went back to the creditor nor was written off."""
    settled = Account.objects.filter(is_any_of("debtor_id", debtor_ids), status=Status.PAID)
    unbalanced = settled.annotate(balance=Sum("postings__amount_minor")).exclude(Q(balance=0) | Q(balance=None))
    return set(unbalanced.values_list("debtor_id", flat=True))


def _find_held(debtor_ids: Sequence[int], day: date) -> Collection[int]:
    return set(
        Hold.objects.filter(is_any_of("debtor_id", debtor_ids)).in_force(day).values_list("debtor_id", flat=True)
    )


def _find_in_court(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    decisions = LegalDecision.objects.filter(is_any_of("account__debtor_id", debtor_ids), revoked_at__isnull=True)
    return set(decisions.values_list("account__debtor_id", flat=True))


def _last_postings(debtor_ids: Sequence[int]) -> Mapping[int, date]:
    """Return the last day on which money moved, or on which it became known."""
    postings = Posting.objects.filter(is_any_of("account__debtor_id", debtor_ids))
    days = postings.values_list("account__debtor_id").annotate(
        last=Greatest(Max("value_date"), Max(TruncDate("booked_at")))
    )
    return dict(days)


def _last_holds(debtor_ids: Sequence[int]) -> Mapping[int, date]:
    holds = Hold.objects.filter(is_any_of("debtor_id", debtor_ids))
    # PostgreSQL's GREATEST passes over days that are not set.
    days = holds.values_list("debtor_id").annotate(
        last=Greatest(Max(TruncDate("created_at")), Max("ends_on"), Max(TruncDate("lifted_at")))
    )
    return dict(days)


def _copy_debtor(debtor_id: int) -> Iterable[Row]:
    return Debtor.objects.filter(pk=debtor_id).values(
        "name",
        "kind",
        "national_id_kind",
        "national_id",
        "country",
        "subdivision",
        "time_zone",
        "language",
        "preferred_channel",
        "preferred_from",
        "preferred_to",
        creditor_name=F("creditor__name"),
        customer_number=F("external_id"),
    )


def _copy_points(debtor_id: int) -> Iterable[Row]:
    points = ContactPoint.objects.filter(debtor_id=debtor_id).order_by("pk")
    return points.values(
        "kind",
        "value",
        "place",
        "source",
        "valid",
        "consent",
        "opted_out_at",
        "granted_for",
        "denied_for",
        "retired_at",
        "retired_because",
    )


def _copy_notes(debtor_id: int) -> Iterable[Row]:
    notes = DebtorNote.objects.filter(debtor_id=debtor_id).order_by("pk")
    return list_rows(notes, "written_at", "text")


def _copy_accounts(debtor_id: int) -> Iterable[Row]:
    accounts = Account.objects.filter(debtor_id=debtor_id).order_by("pk")
    return accounts.values(
        "product",
        "status",
        "opened_date",
        "contract",
        "attributes",
        number=F("external_id"),
        portfolio_name=F("portfolio__name"),
        currency=F("portfolio__currency"),
    )


def _copy_parts(debtor_id: int) -> Iterable[Row]:
    """Return in which roles the person stands in other people's accounts, without saying whose."""
    return Party.objects.filter(debtor_id=debtor_id).order_by("pk").values("part", product=F("account__product"))


def _copy_postings(debtor_id: int) -> Iterable[Row]:
    postings = Posting.objects.filter(account__debtor_id=debtor_id).order_by("value_date", "pk")
    return postings.values(
        "value_date",
        "booked_at",
        "kind",
        "concept",
        "amount_minor",
        account_number=F("account__external_id"),
        instalment_number=F("instalment__number"),
        currency=F("account__portfolio__currency"),
    )


def _copy_instalments(debtor_id: int) -> Iterable[Row]:
    instalments = Instalment.objects.filter(account__debtor_id=debtor_id).order_by("due_date", "pk")
    return instalments.values("number", "due_date", account_number=F("account__external_id"))


def _copy_holds(debtor_id: int) -> Iterable[Row]:
    holds = Hold.objects.filter(debtor_id=debtor_id).order_by("pk")
    return holds.values("reason", "disputed_minor", "starts_on", "ends_on", "note", "created_at", "lifted_at")


def _copy_decisions(debtor_id: int) -> Iterable[Row]:
    decisions = LegalDecision.objects.filter(account__debtor_id=debtor_id).order_by("pk")
    return decisions.values("approved_at", "grounds", "revoked_at", account_number=F("account__external_id"))


HOLDINGS = (
    Holding(model="portfolio.Debtor", data_class="identity", erase=erase_by(_ERASE_DEBTORS), copy=_copy_debtor),
    Holding(
        model="portfolio.Account",
        data_class="identity",
        erase=erase_by(_ERASE_ACCOUNTS),
        copy=_copy_accounts,
        blocks=(
            Block(code="open_debt", text=gettext_noop("An account is still open."), find=_find_owing),
            Block(
                code="missing_account",
                text=gettext_noop("An account is missing from the files, and nobody has said what became of it."),
                find=_find_missing,
            ),
            Block(code="balance_left", text=gettext_noop("A paid account still has a balance."), find=_find_balances),
        ),
    ),
    Holding(
        model="portfolio.Party",
        data_class="identity",
        copy=_copy_parts,
        blocks=(
            Block(
                code="part_in_debt",
                text=gettext_noop("The person is a co-debtor, guarantor or reference of an open account."),
                find=_find_parts,
            ),
        ),
    ),
    Holding(
        model="portfolio.Instalment",
        data_class="identity",
        erase=erase_by(_ERASE_INSTALMENTS),
        copy=_copy_instalments,
    ),
    Holding(
        model="portfolio.ContactPoint", data_class="contact_points", erase=erase_by(_ERASE_POINTS), copy=_copy_points
    ),
    Holding(model="portfolio.Posting", data_class="ledger", copy=_copy_postings, last_days=_last_postings),
    Holding(
        model="portfolio.Hold",
        data_class="case_notes",
        erase=erase_by(_ERASE_HOLDS),
        copy=_copy_holds,
        last_days=_last_holds,
        blocks=(Block(code="on_hold", text=gettext_noop("A hold is in force."), find=_find_held),),
    ),
    Holding(model="portfolio.DebtorNote", data_class="case_notes", erase=erase_by(_ERASE_NOTES), copy=_copy_notes),
    Holding(
        model="portfolio.LegalDecision",
        data_class="case_notes",
        erase=erase_by(_ERASE_DECISIONS),
        copy=_copy_decisions,
        blocks=(
            Block(code="in_court", text=gettext_noop("A decision to go to law is in force."), find=_find_in_court),
        ),
    ),
)
