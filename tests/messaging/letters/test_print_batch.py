"""From a contact that is handed over to an envelope at the door, and to a knock on it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from recobra.agreements.models import Promise
from recobra.consent.models import Silence
from recobra.consent.opt_out import record_opt_out
from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.base import Message, OutcomeKind
from recobra.messaging.channels.letter import ADAPTER as LETTERS
from recobra.messaging.channels.letter import adapter as letters
from recobra.messaging.channels.letter.operations import LettersRefused, batch_folder, import_tracking, print_letters
from recobra.messaging.models import Letter
from recobra.portfolio.models import ContactPoint, Hold
from recobra.portfolio.operations import place_hold
from recobra.workbench import visit_channel as visits
from recobra.workbench.models import Visit
from recobra.workbench.visit_channel import ADAPTER as VISITS
from recobra.workbench.visits import VisitRefused, assign_visits, order_route, record_visit_result
from tests.messaging.letters.pdf_text import pages
from tests.people import acting


def message_of(contact, now):
    return Message(
        public_id=contact.public_id,
        address=contact.address,
        subject=contact.subject,
        text=contact.body,
        html="",
        date=now,
        channel=contact.channel,
        country="PE",
    )


def put(adapter, contact, now):
    """Hand over in this test's own transaction."""
    message = message_of(contact, now)
    return letters._store_letter(message, "") if adapter is LETTERS else visits._add_to_route(message)


def hand_over(adapter, contact, now):
    """Hand over twice by the open way, as a dispatcher does, and ask whether it arrived."""

    async def run():
        config = Config(provider_id=None, code="own", settings={})
        async with adapter.open_sender(config) as sender:
            ends = [await sender.send(message_of(contact, now)) for _ in range(2)]
        return ends, await adapter.was_received(contact.public_id, "", config)

    return asyncio.run(run())


@pytest.fixture
def letter(post, now):
    """A letter in the tray, its contact and its debtor."""
    contact = post.sent(post.debtor())
    put(LETTERS, contact, now)
    return Letter.objects.get(contact=contact)


def printed(now, **changes):
    return print_letters(country="PE", actor=acting("bruno", now=now), **changes)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("adapter", "channel", "table"), [(LETTERS, "letter", Letter), (VISITS, "visit", Visit)])
def test_what_is_handed_over_twice_is_there_once(post, now, adapter, channel, table):
    ends, received = hand_over(adapter, post.sent(post.debtor(), channel=channel), now)
    assert [end.kind for end in ends] == [OutcomeKind.SENT, OutcomeKind.SENT]
    assert received is True
    assert table.objects.count() == 1


@pytest.mark.parametrize("adapter", [LETTERS, VISITS])
def test_without_address_nobody_writes_and_nobody_goes(post, now, adapter):
    end = put(adapter, post.sent(post.debtor(), address=""), now)
    assert (end.kind, end.unusable) == (OutcomeKind.FAILED, True)
    assert not Letter.objects.exists()
    assert not Visit.objects.exists()


def test_the_letter_names_the_documents_that_its_text_does_not(letter, now):
    batch = printed(now)
    text = "".join(pages((batch_folder(batch.pk) / "letters.pdf").read_bytes())).replace("\u00a0", " ")
    for part in ("Rosa Quispe", "Av. Los Próceres 1250", "F-0001", "123.45", "Banco Sur", letter.reference):
        assert part in text
    assert (batch_folder(batch.pk) / "courier.csv").read_bytes().count(letter.reference.encode()) == 1


def test_a_letter_is_printed_once(letter, now):
    assert printed(now).letters_count == 1
    with pytest.raises(LettersRefused):
        printed(now)


def silence(letter, now):
    record_opt_out(kind="ADDRESS", value=letter.contact.point.value, source="STAFF", actor=acting("ana", now=now))


def retired(letter, now):
    ContactPoint.objects.filter(pk=letter.contact.point_id).update(retired_at=now)


def silent_elsewhere(letter, now):
    silence(letter, now)
    ContactPoint.objects.update(opted_out_at=None)
    assert Silence.objects.exists()


def on_hold(letter, now):
    place_hold(debtor_id=letter.contact.debtor_id, reason="DISPUTE", starts_on=now.date(), actor=acting("ana", now=now))


def account_on_hold(letter, now):
    account = letter.contact.items.get().account
    place_hold(
        debtor_id=account.debtor_id,
        account_id=account.pk,
        reason="DISPUTE",
        starts_on=now.date(),
        actor=acting("ana", now=now),
    )


@pytest.mark.parametrize("change", [silence, retired, silent_elsewhere, on_hold, account_on_hold])
def test_what_came_between_tray_and_printer_stops_the_letter(letter, now, change):
    change(letter, now)
    assert printed(now).letters_count == 0
    letter.refresh_from_db()
    letter.contact.refresh_from_db()
    assert letter.batch is None
    assert letter.contact.undelivered_at is not None


def test_a_payment_after_the_letter_stops_it(letter, post, now):
    post.pays(letter.contact.debtor, 2_345)
    assert printed(now).letters_count == 0


def test_a_letter_that_waited_too_long_is_not_printed(letter, now):
    assert printed(now + timedelta(days=8)).letters_count == 0


def test_letters_of_portfolios_out_of_scope_stay_in_the_tray(letter, now):
    with pytest.raises(LettersRefused):
        print_letters(country="PE", actor=replace(acting("bruno", now=now), portfolio_codes=frozenset({"CL-OTRA"})))


def test_the_courier_brings_it_or_brings_it_back(post, now):
    home, away = (post.sent(post.debtor(name, address=f"Calle {name} 1")) for name in ("Ana", "Luz"))
    for contact in (home, away):
        put(LETTERS, contact, now)
    printed(now)
    file = f"reference,status,at\nPE-{home.pk:010},entregado,2026-11-25\nPE-{away.pk:010},devuelto,2026-11-25\nPE-9,entregado,2026-11-25\n"
    later = now + timedelta(days=3)
    found = import_tracking(content=file.encode(), actor=acting("bruno", now=later))
    assert (found.delivered, found.returned, [error.line for error in found.errors]) == (1, 1, [4])
    for contact in (home, away):
        contact.refresh_from_db()
    assert home.delivered_at is not None
    assert away.undelivered_at is not None
    away.point.refresh_from_db()
    home.point.refresh_from_db()
    assert away.point.retired_at is not None
    assert home.point.retired_at is None
    again = import_tracking(content=file.encode(), actor=acting("bruno", now=later))
    assert (again.delivered, again.returned, again.unchanged) == (0, 0, 2)


def test_the_couriers_number_and_since_when_it_has_the_batch_are_kept(post, now):
    contact = post.sent(post.debtor("Ana", address="Calle Ana 1"))
    put(LETTERS, contact, now)
    batch = printed(now)
    on_its_way = now + timedelta(days=1)
    told = f"reference,status,at,tracking\nPE-{contact.pk:010},en camino,{on_its_way.isoformat()},OLVA-77\n".encode()
    import_tracking(content=told, actor=acting("bruno", now=now + timedelta(days=2)))
    later = f"reference;status;at\nPE-{contact.pk:010};entregado;{(now + timedelta(days=3)).isoformat()}\n".encode()
    import_tracking(content=later, actor=acting("bruno", now=now + timedelta(days=4)))
    letter = Letter.objects.get()
    batch.refresh_from_db()
    assert (letter.status, letter.tracking, batch.handed_over_at) == ("DELIVERED", "OLVA-77", on_its_way)


def test_a_courier_out_of_scope_numbers_nothing(letter, now):
    batch = printed(now)
    told = f"reference,status,at,tracking\n{letter.reference},en camino,2026-11-25,OLVA-77\n".encode()
    import_tracking(
        content=told,
        actor=replace(acting("bruno", now=now + timedelta(days=5)), portfolio_codes=frozenset({"CL-OTRA"})),
    )
    letter.refresh_from_db()
    batch.refresh_from_db()
    assert (letter.tracking, batch.handed_over_at) == ("", None)


@pytest.fixture
def route(post, now):
    """Three doors in two areas."""
    doors = ("Jr. Sol 110, 15001 Lima", "Jr. Sol 12, 15001 Lima", "Av. Mar 3, 15046 Lima")
    contacts = [post.sent(post.debtor(f"P{n}", address=door), channel="visit") for n, door in enumerate(doors)]
    for contact in contacts:
        put(VISITS, contact, now)
    order_route(route_date=now.date(), actor=acting("bruno", now=now))
    return list(Visit.objects.order_by("position"))


def test_a_route_goes_area_by_area_and_along_the_street(route):
    assert [visit.contact.address.split(",")[0] for visit in route] == ["Jr. Sol 12", "Jr. Sol 110", "Av. Mar 3"]
    assert [visit.area for visit in route] == ["PE-LIM 15001", "PE-LIM 15001", "PE-LIM 15046"]


def test_an_area_is_given_to_a_person(route, cast, now):
    given = assign_visits(
        route_date=now.date(), areas=["PE-LIM 15001"], user_id=cast["ana"].pk, actor=acting("bruno", now=now)
    )
    assert given == 2


def noted(visit, now, result, **changes):
    return record_visit_result(visit_id=visit.pk, result=result, **changes, actor=acting("ana", now=now))


def test_a_wrong_address_is_never_used_again(route, now):
    noted(route[0], now, "WRONG_ADDRESS")
    route[0].contact.point.refresh_from_db()
    assert route[0].contact.point.retired_at is not None


def test_a_promise_at_the_door_pauses_the_pursuit_until_its_day(route, now):
    """It is a promise like any other: a row of all that is overdue, a fact, and a hold until its grace is over."""
    noted(route[0], now, "PROMISE", promised_on=now.date() + timedelta(days=5), note="Paga el sábado")
    promise = Promise.objects.get(debtor=route[0].contact.debtor)
    assert (promise.amount_minor, promise.promised_on) == (12_345, now.date() + timedelta(days=5))
    assert (promise.channel, promise.contact, promise.registered_by) == ("visit", route[0].contact, "ana")
    hold = Hold.objects.get(debtor=promise.debtor)
    assert (hold.reason, hold.ends_on) == ("PROMISE", promise.until)
    route[0].contact.refresh_from_db()
    assert route[0].contact.reached is True


def test_a_result_is_noted_once_and_by_who_may_see_it(route, now):
    noted(route[0], now, "ABSENT")
    for refused in (
        lambda: noted(route[0], now, "MET"),
        lambda: noted(route[1], now, "PROMISE"),
        lambda: noted(route[1], now, ""),
        lambda: noted(route[1], now, "MET", promised_on=now.date()),
        lambda: noted(route[1], now, "PROMISE", promised_on=now.date() + timedelta(days=30)),
        lambda: noted(route[1], now, "MET", promised_minor=100),
        lambda: record_visit_result(
            visit_id=route[1].pk, result="MET", actor=replace(acting("zoe", now=now), portfolio_codes=frozenset())
        ),
    ):
        with pytest.raises(VisitRefused):
            refused()
