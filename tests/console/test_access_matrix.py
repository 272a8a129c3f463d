"""Every address of the URLconf, by both methods: nothing to nobody, nothing without the right, nothing of others.

`test_scope.py` asks each address as its screen does; here it is asked as no screen would. An address that is in none of
the tables of `addresses.py` fails, so that a new one cannot be forgotten.
"""

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from recobra.access.models import CompanyRole, User
from recobra.journal.models import Entry
from tests import extent

from . import screens
from .addresses import ADDRESSES, OPEN, OUTSIDE, numbers_of_all
from .test_scope import HIDDEN, OF_A_PORTFOLIO, SECRETS, body, move_ana_and_bruno, undone

# What each role reads is asked by `test_scope.py` too.
ROLE_METHODS = extent.choose(daily=("post",), whole=("get", "post", "put", "patch", "delete"))
METHODS = extent.choose(daily=("get", "post"), whole=("get", "post", "put", "patch", "delete"))
ROLES = extent.choose(daily=("ana", "hilda"), whole=("ana", "bruno", "carla", "dario", "hilda"))


def find_addresses(patterns, before=""):
    """Yield the full name and the view of every address."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from find_addresses(
                pattern.url_patterns, f"{before}{pattern.namespace}:" if pattern.namespace else before
            )
        else:
            yield f"{before}{pattern.name}", pattern.callback


FOUND = dict(find_addresses(get_resolver().url_patterns))


def recorded():
    """Return how many facts there are, apart from those of refusals."""
    return Entry.objects.exclude(kind__startswith="access.").count()


@pytest.fixture
def addresses(world):
    """The address of each screen, for rows that exist."""
    return {name: reverse(f"console:{name}", kwargs=given) for name, given in numbers_of_all(world).items()}


def find_leaks(client, asked, *, allowed, secrets):
    """Ask addresses, each by a method, and return those that answered otherwise, showed a secret or wrote a fact."""
    leaks, before = [], recorded()
    with undone():
        for address, method, form in asked:
            answer = getattr(client, method)(address, form)
            shown = body(answer)
            found = [secret for secret in secrets if secret in shown]
            if answer.status_code not in allowed or found:
                leaks.append((method, address, answer.status_code, found))
        if recorded() != before:
            leaks.append("something was written")
    return leaks


@pytest.fixture
def powerless(world):
    """Sign somebody in who sees every portfolio and has no right at all."""
    CompanyRole.objects.create(code="NADA", name="Sin derechos", rights=[], sees_all_portfolios=True)
    return screens.sign_in(User.objects.create_user(username="nadia", password="una-clave-larga", role="NADA"))


def test_every_address_is_declared_with_who_may_open_it():
    declared = {f"console:{name}" for name in (*ADDRESSES, *OPEN)} | set(OUTSIDE)
    assert set(FOUND) - declared == set(), "tell tests/console/addresses.py who may open these"
    assert declared - set(FOUND) == set(), "these are no addresses any more"


def test_every_view_that_names_no_right_is_declared_open():
    without = {name for name, view in FOUND.items() if getattr(view, "right", None) is None}
    assert without - {f"console:{name}" for name in OPEN} - set(OUTSIDE) == set()


def by_each_method(addresses, names, methods=METHODS):
    return [
        (addresses[name], method, ADDRESSES[name][2] if method == "post" else {})
        for name in names
        for method in methods
    ]


def test_nothing_is_given_to_who_may_not_have_it(addresses, at_desk, powerless, cast, company):
    """One world answers for everybody: making it costs more than the questions."""
    everything = by_each_method(addresses, ADDRESSES)
    assert find_leaks(Client(), everything, allowed={302}, secrets=SECRETS) == [], "nobody"
    assert find_leaks(powerless, everything, allowed={403, 405, 303}, secrets=SECRETS) == [], "without rights"
    for person in ROLES:
        barred = [name for name, (_method, may, _form) in ADDRESSES.items() if person not in may]
        asked = by_each_method(addresses, barred, ROLE_METHODS)
        assert find_leaks(at_desk(person), asked, allowed={403, 405, 303}, secrets=[]) == [], person
    move_ana_and_bruno(cast, company)
    # `test_scope.py` asks these by the method of their screen in every run.
    elsewhere = [
        (address, method, form)
        for name in sorted(OF_A_PORTFOLIO)
        for address, method, form in by_each_method(addresses, [name])
        if extent.is_whole() or method != ADDRESSES[name][0]
    ]
    for person in ("zoe", "ana", "bruno"):
        found = find_leaks(at_desk(person), elsewhere, allowed={403, 404, 405, 303}, secrets=HIDDEN)
        assert found == [], f"{person}, who works for another portfolio"
