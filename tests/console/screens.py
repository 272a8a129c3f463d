"""The database behind the screens: the company, its people and the world of `world.py`, built once per run."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.test import Client

from recobra.access.models import User
from recobra.kit import clock
from recobra.portfolio.models import Portfolio
from tests import databases, people
from tests.environment import HOME, WORKER

from . import world as worlds
from .following import follow


@dataclass(frozen=True)
class Screens:
    """The rows that tests name, as objects of one test's own, and a session key of each of the cast."""

    company: Portfolio
    cast: dict[str, User]
    world: worlds.World
    sessions: dict[str, str]


def connect(*, with_strategy: bool = False) -> Screens:
    """Let Django use this worker's copy of the database behind the screens.

    The world follows the ready-made strategy (`following.py`) where that is wanted. It is dated from today, so a run
    that goes past midnight builds another.
    """
    template = f"{'strategy' if with_strategy else 'screens'}_{clock.today('America/Lima'):%Y%m%d}"
    name = f"{WORKER}_{template}"
    objects = HOME / f"{template}.pickle"
    if not databases.is_created(name):
        build = partial(_build, with_strategy=with_strategy)
        databases.create_database(name, template=template, fill=lambda: objects.write_bytes(pickle.dumps(build())))
    databases.connect_django_to(name)
    return pickle.loads(objects.read_bytes())


def _build(*, with_strategy: bool) -> Screens:
    company = people.create_company()
    cast = people.create_cast(company)
    world = worlds.build(company, clock.now())
    if with_strategy:
        follow(world, clock.now())
    return Screens(company, cast, world, {name: sign_in(user).session.session_key for name, user in cast.items()})


def sign_in(user: User) -> Client:
    """Return a client in whose session the user has just signed in."""
    client = Client()
    client.force_login(user)
    return client


def resume_session(key: str) -> Client:
    """Return a client that goes on with a session."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    return client
