"""What people ask about their own data: recorded, done as far as the law lets it be, answered class by class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.queries import User
from recobra.access.roles import Right
from recobra.compliance.facts import PersonRequestAnswered, PersonRequestRecorded
from recobra.compliance.models import Closing, ErasedClass, PersonRequest
from recobra.journal.operations import record_fact
from recobra.kit.tables import is_any_of
from recobra.portfolio.models import Account, Debtor
from recobra.portfolio.queries import portfolios_for
from recobra.portfolio.scope import check_debtor, debtors_in

from .classes import DataClass, Event, data_classes
from .holdings import all_blocks, find_blocks, find_last_days
from .periods import Periods
from .schedule import IDENTITY, erase_debtors

NOTE_MAX: Final = 500
WAITING_SHOWN: Final = 200
ERASE: Final = "erase"
KEEP: Final = "keep"
DONE: Final = "done"


class RequestRefused(Exception):
    """The request cannot be taken or answered; the text is shown as it is."""


@dataclass(frozen=True, kw_only=True)
class ClassAnswer:
    """What becomes of a class on a request: `verdict` erase, keep or done before, with the codes of what blocks it.

    `until` is the day until which a law, with its `article`, or the class's own period keeps it.
    """

    data_class: str
    verdict: str
    blocks: tuple[str, ...] = ()
    article: str = ""
    until: str = ""

    @property
    def name(self) -> str:
        """The class in words."""
        return str(data_classes()[self.data_class].name)

    @property
    def reasons(self) -> list[str]:
        """Why it stays, in words."""
        blocks = all_blocks()
        reasons = [_(blocks[code].text) for code in self.blocks]
        reason = data_classes()[self.data_class].reason
        if not reasons and reason is not None:
            reasons.append(str(reason))
        return reasons

    @property
    def until_day(self) -> date | None:
        """The day until which it stays, None where nobody can say."""
        return date.fromisoformat(self.until) if self.until else None


def read_answers(request: PersonRequest) -> list[ClassAnswer]:
    """Return the answer that was given to a request."""
    return [ClassAnswer(**{**each, "blocks": tuple(each["blocks"])}) for each in request.outcome]


def list_waiting(user: User) -> list[PersonRequest]:
    """Return the requests that wait, the oldest first, of debtors whom the user may see; WAITING_SHOWN at most."""
    unanswered = PersonRequest.objects.filter(answered_at__isnull=True)
    # All of them, before any is left out: those of others must not stand before the user's own.
    debtor_ids = set(unanswered.values_list("debtor", flat=True))
    portfolio_ids = [portfolio.pk for portfolio in portfolios_for(user)] if debtor_ids else []
    asking = debtors_in(portfolio_ids).filter(is_any_of("pk", debtor_ids))
    waiting = unanswered.filter(is_any_of("debtor_id", list(asking.values_list("pk", flat=True))))
    return list(waiting.select_related("debtor").order_by("asked_on", "pk")[:WAITING_SHOWN])


def requests_of(debtor: Debtor) -> list[PersonRequest]:
    """Return what a person asked, newest first. The caller has found the debtor within its user's reach."""
    return list(debtor.requests.order_by("-recorded_at", "-pk"))


@requires(Right.HANDLE_PERSON_REQUESTS)
@transaction.atomic
def record_request(*, debtor_id: int, kind: str, asked_on: date, note: str, today: date, actor: Actor) -> PersonRequest:
    """Record what a person asked about own data. Raises RequestRefused."""
    check_debtor(actor, debtor_id)
    debtor = Debtor.objects.select_for_update(no_key=True).get(pk=debtor_id)
    if kind not in PersonRequest.Kind.values:
        raise RequestRefused(_("«%(kind)s» is no kind of request.") % {"kind": kind})
    if not note.strip():
        raise RequestRefused(_("Say how it was asked, and how identity was proved."))
    if asked_on > today:
        raise RequestRefused(_("A request cannot be of a day that is still to come."))
    if debtor.erased_at is not None:
        raise RequestRefused(_("This person is anonymised already: nothing points to anybody any more."))
    if PersonRequest.objects.filter(debtor=debtor, kind=kind, answered_at__isnull=True).exists():
        raise RequestRefused(_("Such a request waits for its answer already."))
    request = PersonRequest.objects.create(
        debtor=debtor,
        kind=kind,
        asked_on=asked_on,
        note=note.strip()[:NOTE_MAX],
        recorded_at=actor.now,
        recorded_by=actor.name,
        recorded_by_id=actor.user_id,
    )
    recorded = PersonRequestRecorded(request_id=request.pk, request_kind=str(kind), asked_on=asked_on)
    record_fact(recorded, actor=actor, debtor_id=debtor_id)
    return request


def plan_erasure(debtor: Debtor, day: date) -> list[ClassAnswer]:
    """Return what an erasure on request would do on a day: only what blocks it or a law demands stays."""
    blocks = tuple(find_blocks([debtor.pk], day).get(debtor.pk, ()))
    closing = Closing.objects.filter(debtor=debtor).first()
    moved_on = find_last_days([debtor.pk]).get(debtor.pk, day)
    event_day = moved_on if closing is None else max(moved_on, closing.closed_on)
    erased = ErasedClass.objects.filter(debtor=debtor)
    if debtor.erased_at is None:
        # What has come since then is not erased, whatever was.
        erased = erased.filter(erased_at__date__gt=event_day)
    done = set(erased.values_list("data_class", flat=True))
    answers = []
    for data_class in data_classes().values():
        if data_class.key == "staff":
            continue
        if data_class.key in done:
            answers.append(ClassAnswer(data_class=data_class.key, verdict=DONE))
        elif data_class.is_of_debtors:
            answers.append(_answer_class(data_class, debtor, event_day, day, blocks))
        else:
            answers.append(_answer_kept(data_class, day))
    kept_by_law = [each.until for each in answers if each.until and data_classes()[each.data_class].is_of_debtors]
    if kept_by_law and not blocks:
        # What a law keeps names its person: the identity stays as long.
        last = max(kept_by_law)
        answers = [
            ClassAnswer(data_class=IDENTITY, verdict=KEEP, until=last) if each.data_class == IDENTITY else each
            for each in answers
        ]
    return answers


@requires(Right.HANDLE_PERSON_REQUESTS)
@transaction.atomic
def answer_erasure(*, request_id: int, day: date, actor: Actor) -> PersonRequest:
    """Erase what may go, keep what must stay, and answer the request with both. Raises RequestRefused."""
    request = PersonRequest.objects.select_for_update().get(pk=request_id)
    check_debtor(actor, request.debtor_id)
    if request.kind != PersonRequest.Kind.ERASURE or request.answered_at is not None:
        raise RequestRefused(_("This request is answered already."))
    debtor = Debtor.objects.select_for_update().get(pk=request.debtor_id)
    codes = actor.portfolio_codes
    if codes is not None and Account.objects.filter(debtor=debtor).exclude(portfolio__code__in=codes).exists():
        raise RequestRefused(
            _("This debtor owes in other portfolios too: someone who may see all of them must answer.")
        )
    # The request that is being answered stands against nothing.
    request.answered_at = actor.now
    request.answered_by = actor.name
    request.save(update_fields=["answered_at", "answered_by"])
    answers = plan_erasure(debtor, day)
    known = all_blocks()
    passing = {code for each in answers for code in each.blocks if known[code].is_passing}
    if passing:
        reasons = " ".join(str(_(known[code].text)) for code in sorted(passing))
        raise RequestRefused(_("%(reason)s Answer again in some minutes.") % {"reason": reasons})
    classes = frozenset(each.data_class for each in answers if each.verdict == ERASE)
    if classes:
        erase_debtors([debtor.pk], classes, actor=actor)
    request.refresh_from_db()
    request.outcome = [asdict(each) for each in answers]
    request.save(update_fields=["outcome"])
    answered = PersonRequestAnswered(
        request_id=request.pk,
        request_kind=request.kind,
        erased=sorted(classes),
        kept={each.data_class: _short_reason(each) for each in answers if each.verdict == KEEP},
    )
    record_fact(answered, actor=actor, debtor_id=debtor.pk)
    return request


def _answer_class(
    data_class: DataClass, debtor: Debtor, event_day: date, day: date, blocks: tuple[str, ...]
) -> ClassAnswer:
    """Return what becomes of a class of a debtor's data: a block or a law keeps it, the company's period does not."""
    if blocks:
        return ClassAnswer(data_class=data_class.key, verdict=KEEP, blocks=blocks)
    minimum = data_class.minimum_on(debtor.country, day)
    if minimum is not None:
        law_ends = event_day + timedelta(days=minimum.days)
        if law_ends > day:
            return ClassAnswer(
                data_class=data_class.key, verdict=KEEP, article=minimum.source, until=law_ends.isoformat()
            )
    return ClassAnswer(data_class=data_class.key, verdict=ERASE)


def _answer_kept(data_class: DataClass, day: date) -> ClassAnswer:
    """Return why a class stays that is not erased debtor by debtor: for good, or until it goes by its own age."""
    if data_class.event is Event.NONE:
        return ClassAnswer(data_class=data_class.key, verdict=KEEP)
    until = Periods(day).term(data_class, "").ends_on(day)
    return ClassAnswer(data_class=data_class.key, verdict=KEEP, until=until.isoformat())


def _short_reason(answer: ClassAnswer) -> str:
    """Return why a class stays, as the journal keeps it: codes, an article or a day."""
    return ",".join(answer.blocks) or answer.article or answer.until or "kept"
