"""Limits of attempts: counted before the check, given back after a success, and freed when nobody uses them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from recobra.access import throttle
from recobra.access.models import AttemptLimit

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def try_in(name="ana", address="203.0.113.7", device=None, now=NOW):
    """Return whether one attempt is let through."""
    limits = throttle.sign_in_limits(purpose="password", name=name, address=address, device=device)
    return throttle.admit(limits, now=now) is None


@pytest.mark.django_db
def test_five_attempts_and_then_one_every_two_minutes():
    assert [try_in() for _ in range(7)] == [True] * 5 + [False] * 2
    assert (try_in(now=NOW + 2 * MINUTE), try_in(now=NOW + 2 * MINUTE)) == (True, False)
    assert not try_in(name="ANA"), "the same user"
    assert try_in(name="bruno")
    assert try_in(address="198.51.100.1")


@pytest.mark.django_db
def test_the_pause_is_told_and_does_not_grow_by_trying():
    limits = throttle.sign_in_limits(purpose="password", name="ana", address="203.0.113.7", device=None)
    paused = [throttle.admit(limits, now=NOW) for _ in range(105)][5:]
    assert {each.minutes for each in paused} == {2}
    assert [each.refused for each in paused] == list(range(1, 101))


@pytest.mark.django_db
def test_a_known_browser_is_never_stopped_by_strangers():
    for number in range(60):
        try_in(address=f"198.51.100.{number}", now=NOW)
        try_in(name=f"user{number}")
    assert not try_in(), "from all addresses together fifty were tried"
    assert not try_in(name="carla"), "thirty users were tried from this address"
    assert try_in(device="ana's laptop")
    assert try_in(name="carla", address="192.0.2.1"), "elsewhere nothing has happened"


@pytest.mark.django_db
def test_who_hammers_on_one_user_leaves_the_address_to_the_others():
    for _ in range(200):
        try_in()
    assert all(try_in(name=f"colleague{number}") for number in range(25))


@pytest.mark.django_db
def test_an_ipv6_customer_is_one_address():
    tried = [try_in(name=f"user{number}", address=f"2001:db8:0:1::{number:x}") for number in range(31)]
    assert tried == [True] * 30 + [False]
    assert try_in(address="2001:db8:0:2::1")


@pytest.mark.django_db
def test_a_clock_that_was_wrong_for_a_moment_keeps_nobody_out():
    assert [try_in(now=NOW + timedelta(days=365)) for _ in range(6)] == [True] * 5 + [False]
    assert [try_in() for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.django_db
def test_success_is_given_back():
    limits = throttle.sign_in_limits(purpose="password", name="ana", address="203.0.113.7", device=None)
    for _ in range(100):
        assert throttle.admit(limits, now=NOW) is None
        throttle.give_back(limits)


@pytest.mark.django_db
def test_the_table_holds_only_what_is_in_use():
    for number in range(90):
        try_in(name=f"user{number}", address=f"198.51.100.{number}")
    later = NOW + 30 * MINUTE
    for number in range(20):
        try_in(name=f"late{number}", address=f"203.0.113.{number}", now=later)
    assert AttemptLimit.objects.filter(busy_until__lt=later).count() == 0
    assert AttemptLimit.objects.count() <= 60


@pytest.mark.django_db
def test_what_was_typed_cannot_be_read_back():
    try_in(name="my secret password")
    assert all(len(bytes(row.key)) == 32 for row in AttemptLimit.objects.all())


@pytest.mark.django_db(transaction=True)
def test_attempts_at_the_same_time_cannot_pass_together():
    def attempt(_number):
        try:
            return try_in()
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(attempt, range(24))) == 5
