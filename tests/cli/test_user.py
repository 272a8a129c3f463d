"""The first user of an installation is made at the command door, and comes in with the password that was given."""

from __future__ import annotations

from functools import partial

import psycopg
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher


@pytest.fixture(scope="module")
def office(new_installation):
    return new_installation()


@pytest.fixture(scope="module")
def user(recobra, office):
    """Run `recobra user …` with a password on standard input."""

    def run(*words, password):
        return recobra("user", *words, "--password-stdin", "--json", at=office, stdin=f"{password}\n")

    return run


@pytest.fixture(scope="module")
def rosa(user):
    return user("create", "rosa", "--role", "administrator", password="ventana-azul-lenta")


def kept(url, name):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT role, password FROM access_user WHERE username = %s", [name]).fetchone()


def facts(url):
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT kind FROM journal_entry WHERE kind LIKE 'user.%' ORDER BY id").fetchall()
    return [kind for (kind,) in rows]


def test_the_first_administrator_is_made(rosa, office, url_of):
    assert (rosa.code, rosa.document) == (0, {"user": "rosa", "role": "administrator", "portfolios": []})
    role, password = kept(url_of(office), "rosa")
    assert role == "ADMINISTRATOR"
    assert PBKDF2PasswordHasher().verify("ventana-azul-lenta", password)


@pytest.mark.parametrize(
    ("words", "password", "reason"),
    [
        (("create", "ROSA", "--role", "auditor"), "otra-clave-larga", "There is already a user «ROSA»."),
        (("create", "luis", "--role", "auditor"), "corta", "at least 12 characters"),
        (("create", "luis", "--role", "auditor"), "qwerty123456", "known from a theft of data"),
        (("create", "luis", "--role", "gestor", "--portfolio", "NADA"), "otra-clave-larga", "no portfolio «NADA»"),
        (("password", "luis"), "otra-clave-larga", "There is no user «luis»."),
        (("password", "rosa"), "corta", "at least 12 characters"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(rosa, user, office, url_of, *, words, password, reason):
    ended = user(*words, password=password)
    assert (ended.code, ended.out) == (1, "")
    assert reason in ended.reason
    assert kept(url_of(office), "luis") is None


def test_without_a_terminal_the_password_is_not_guessed(recobra, office):
    ended = recobra("user", "create", "luis", "--role", "auditor", at=office)
    assert (ended.code, "--password-stdin" in ended.reason) == (1, True)


def test_a_password_is_changed_and_written_down_without_it(rosa, user, office, url_of):
    assert user("password", "rosa", password="otra-clave-larga").document == {"user": "rosa"}
    _role, password = kept(url_of(office), "rosa")
    assert PBKDF2PasswordHasher().verify("otra-clave-larga", password)
    assert facts(url_of(office)) == ["user.created", "user.password_set"]


def test_users_are_changed_shut_out_let_in_and_listed_by_the_same_operations(rosa, user, recobra, office, url_of):
    user("create", "luis", "--role", "gestor", password="otra-clave-larga")
    run = partial(recobra, "user", at=office)
    changed = run("change", "luis", "--role", "auditor", "--first-name", "Luis", "--json").document
    assert changed == {"user": "luis", "role": "auditor", "state": "active", "portfolios": ["*"], "team": ""}
    assert run("disable", "luis", "--json").document["state"] == "shut_out"
    assert "nobody" in run("disable", "rosa").reason
    assert "no user «nadie»" in run("disable", "rosa", "--hand-to", "nadie").reason
    assert run("enable", "luis", "--json").document["state"] == "active"
    assert "Nothing changes" in run("change", "luis").reason
    assert "unknown" in run("change", "luis", "--role", "nadie").reason
    listed = run("list", "--json").document["users"]
    assert [(row["user"], row["role"]) for row in listed] == [("luis", "auditor"), ("rosa", "administrator")]
    assert facts(url_of(office))[-4:] == ["user.changed", "user.role_set", "user.shut_out", "user.let_in"]
