"""Debtors of a creditor that look like one, found set by set and proposed to a person; nobody is joined by itself.

Debtors are compared only where they share something that few do: a document, a telephone or e-mail, or all words of
the name. What more of them share shows nothing, is left out and counted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.queries import User
from recobra.access.roles import Right, has_right
from recobra.kit import tables

from .models import Account, Debtor, DebtorPair, DebtorSurvey
from .queries import portfolios_for
from .scope import debtors_in

SHARED_MAX: Final = 5
"""A document or number that more debtors have shows nothing: it is that of a call centre, or stands for none."""
NAMESAKES_MAX: Final = 20
"""Names that more debtors have are not compared; their documents and numbers are."""
COUNT_MAX: Final = 1_000
"""Pairs that are counted for other screens; more are «1.000» there."""

_PEOPLE: Final = """
    CREATE TEMP TABLE alike_person ON COMMIT DROP AS
    SELECT id, country, national_id_kind AS kind, national_id AS document, coalesce(national_id_valid, false) AS valid,
        subdivision, ARRAY(
            SELECT DISTINCT word FROM regexp_split_to_table(lower_unaccent(name), '[^[:alnum:]]+') word
            WHERE word <> '' ORDER BY word
        ) AS words
    FROM portfolio_debtor WHERE creditor_id = %(creditor)s AND erased_at IS NULL AND joined_into_id IS NULL"""
_GROUPS: Final = {
    "document": (
        SHARED_MAX,
        """SELECT concat_ws(chr(31), country, kind, document) AS shared, id FROM alike_person
        WHERE valid AND document <> ''""",
    ),
    "contact": (
        SHARED_MAX,
        """SELECT point.kind || chr(31) || point.value AS shared, person.id FROM alike_person person
        JOIN portfolio_contactpoint point ON point.debtor_id = person.id
        WHERE point.kind IN ('PHONE', 'EMAIL') AND point.valid""",
    ),
    # One word alone is no whole name.
    "name": (
        NAMESAKES_MAX,
        "SELECT array_to_string(words, ' ') AS shared, id FROM alike_person WHERE cardinality(words) > 1",
    ),
}
_GATHER: Final = """
    CREATE TEMP TABLE alike_{name} ON COMMIT DROP AS
    WITH members AS ({members}), counted AS (
        SELECT shared, id, count(*) OVER (PARTITION BY shared) AS size FROM members
    )
    SELECT shared, id, size FROM counted WHERE size > 1"""
_COUNT_LEFT_OUT: Final = "SELECT count(DISTINCT shared) FROM alike_{name} WHERE size > {most}"
# Before the planner counts: one number that half of them share would have it plan for all pairs of those.
_LEAVE_OUT: Final = "DELETE FROM alike_{name} WHERE size > {most}"
_BLOCKS: Final = " UNION ".join(
    f"SELECT one.id AS first, other.id AS second FROM alike_{name} one JOIN alike_{name} other "
    "ON other.shared = one.shared AND other.id > one.id"
    for name in _GROUPS
)
# One figure written otherwise, or two neighbours exchanged.
_ALIKE: Final = """
    length(one.document) = length(other.document) AND length(one.document) > 4 AND one.document <> other.document
    AND (
        SELECT count(*) = 1 OR count(*) = 2 AND max(place) = min(place) + 1
            AND string_agg(substr(one.document, place, 1), '' ORDER BY place)
                = reverse(string_agg(substr(other.document, place, 1), '' ORDER BY place))
        FROM generate_series(1, length(one.document)) place
        WHERE substr(one.document, place, 1) <> substr(other.document, place, 1)
    )"""
_JUDGE: Final = f"""
    CREATE TEMP TABLE alike_pair ON COMMIT DROP AS
    WITH signs AS (
        SELECT block.first, block.second,
            one.valid AND other.valid AND one.document = other.document AND one.document <> ''
                AND (one.country, one.kind) = (other.country, other.kind) AS same_document,
            {_ALIKE} AS alike_document,
            one.words = other.words AND cardinality(one.words) > 1 AS same_name,
            cardinality(ARRAY(SELECT unnest(one.words) INTERSECT SELECT unnest(other.words))) > 1 AS similar_name,
            EXISTS (
                SELECT FROM alike_contact mine JOIN alike_contact theirs USING (shared)
                WHERE mine.id = block.first AND theirs.id = block.second
            ) AS same_contact,
            one.subdivision = other.subdivision AND one.subdivision <> ''
                AND (SELECT size FROM alike_name WHERE id = block.first) <= {SHARED_MAX} AS same_region,
            one.valid AND other.valid AND one.kind = other.kind AND one.document <> other.document AS both_proved
        FROM ({_BLOCKS}) block
        JOIN alike_person one ON one.id = block.first
        JOIN alike_person other ON other.id = block.second AND other.country = one.country
    ), judged AS (
        SELECT *, same_region AND NOT both_proved AS same_place FROM signs
    )
    SELECT first, second,
        CASE WHEN same_document THEN 3 WHEN same_name OR alike_document THEN 2 ELSE 1 END AS weight,
        array_remove(ARRAY[
            CASE WHEN same_document THEN 'same_document' END, CASE WHEN alike_document THEN 'alike_document' END,
            CASE WHEN same_name THEN 'same_name' WHEN similar_name THEN 'similar_name' END,
            CASE WHEN same_contact THEN 'same_contact' END, CASE WHEN same_place THEN 'same_place' END
        ], NULL) AS signs
    FROM judged
    WHERE same_document
        -- A document that proves somebody else says more than a name or a number that relatives share.
        OR (alike_document OR NOT both_proved)
            AND (same_name AND (alike_document OR same_contact OR same_place)
                OR same_contact AND (alike_document OR similar_name))"""
_KEEP: Final = """
    INSERT INTO portfolio_debtorpair (creditor_id, first_id, second_id, signs, weight, found_at)
    SELECT %(creditor)s, first, second, signs, weight, %(now)s FROM alike_pair
    ON CONFLICT (first_id, second_id) DO UPDATE SET signs = excluded.signs, weight = excluded.weight
    WHERE portfolio_debtorpair.decision = ''
        AND (portfolio_debtorpair.signs, portfolio_debtorpair.weight) IS DISTINCT FROM (excluded.signs, excluded.weight)
    """
# What is alike no more, since a file has corrected it, is proposed no more.
_FORGET: Final = """
    DELETE FROM portfolio_debtorpair pair WHERE creditor_id = %(creditor)s AND decision = ''
        AND NOT EXISTS (SELECT FROM alike_pair found WHERE (found.first, found.second) = (first_id, second_id))"""


@requires(Right.SERVE)
@transaction.atomic
def survey_debtors(*, creditor_id: int, actor: Actor) -> int:
    """Compare the debtors of a creditor and keep the pairs that look like one; return how many are proposed.

    What a person has decided stays decided.
    """
    given: dict[str, int | datetime] = {"creditor": creditor_id, "now": actor.now}
    left_out = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('debtor survey'), %(creditor)s)", given)
        cursor.execute("SET LOCAL client_min_messages = warning")
        names = ("person", *_GROUPS, "pair")
        cursor.execute("DROP TABLE IF EXISTS " + ", ".join(f"alike_{name}" for name in names))
        cursor.execute(_PEOPLE, given)
        cursor.execute("CREATE UNIQUE INDEX ON alike_person (id); ANALYZE alike_person")
        for name, (most, members) in _GROUPS.items():
            cursor.execute(_GATHER.format(name=name, members=members))
            cursor.execute(_COUNT_LEFT_OUT.format(name=name, most=most))
            (left_out[name],) = cursor.fetchone()
            cursor.execute(_LEAVE_OUT.format(name=name, most=most))
            cursor.execute(f"CREATE INDEX ON alike_{name} (id); ANALYZE alike_{name}")
        cursor.execute(_JUDGE)
        cursor.execute(_FORGET, given)
        cursor.execute(_KEEP, given)
    DebtorSurvey.objects.update_or_create(
        creditor_id=creditor_id, defaults={"surveyed_at": actor.now, "left_out": left_out}
    )
    return DebtorPair.objects.filter(creditor=creditor_id, decision="").count()


def pairs_for(user: User) -> QuerySet[DebtorPair]:
    """Return the pairs that wait for a decision, the surest first, where the user may see all of both debtors."""
    portfolios = portfolios_for(user)
    seen = debtors_in([portfolio.pk for portfolio in portfolios])
    pairs = DebtorPair.objects.filter(
        decision="", first__joined_into__isnull=True, second__joined_into__isnull=True
    ).select_related("first", "second", "creditor")
    beyond = Account.objects.exclude(portfolio__in=portfolios)
    for name in ("first", "second"):
        pairs = pairs.filter(
            Exists(seen.filter(pk=OuterRef(f"{name}_id"))), ~Exists(beyond.filter(debtor=OuterRef(f"{name}_id")))
        )
    return pairs.order_by("-weight", "pk")


def count_pairs(user: User, *, creditor_id: int | None = None) -> int:
    """Return how many pairs wait for a user who may decide, of one creditor or of all; COUNT_MAX at most."""
    if not has_right(user, Right.JOIN_DEBTORS):
        return 0
    pairs = pairs_for(user)
    return (pairs if creditor_id is None else pairs.filter(creditor=creditor_id))[:COUNT_MAX].count()


def pair_of(one_id: int, other_id: int) -> DebtorPair | None:
    """Return what is known of two debtors as a pair, None where nothing is."""
    first_id, second_id = sorted([one_id, other_id])
    return DebtorPair.objects.filter(first=first_id, second=second_id).first()


def have_two_documents(one: Debtor, other: Debtor, pair: DebtorPair | None) -> bool:
    """Tell if valid documents say that two debtors are two people, and not by one figure that may be a slip."""
    are_valid = all(each.national_id and each.national_id_valid for each in (one, other))
    are_same = (one.national_id_kind, one.national_id) == (other.national_id_kind, other.national_id)
    is_slip = pair is not None and DebtorPair.Sign.ALIKE_DOCUMENT in pair.signs
    return are_valid and not are_same and not is_slip


def surveys_for(user: User) -> list[DebtorSurvey]:
    """Return the surveys of the creditors of whom a user sees a portfolio."""
    creditors = {portfolio.creditor_id for portfolio in portfolios_for(user)}
    return list(DebtorSurvey.objects.filter(tables.is_any_of("creditor_id", creditors)).select_related("creditor"))
