"""`recobra user`: the people who may come in, from the first one on."""

from __future__ import annotations

import argparse
import getpass
import sys

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused

ROLES = ("gestor", "supervisor", "manager", "administrator", "auditor")


def add(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "user", "the people who may come in")
    create = options.add_command(verbs, "create", "make a user; the password is asked for")
    create.add_argument("name", metavar="NAME", help="what the user signs in with")
    create.add_argument("--role", choices=ROLES, required=True, help="what the user may do")
    create.add_argument(
        "--portfolio",
        action="append",
        default=[],
        metavar="CODE",
        help="a portfolio that a gestor or supervisor may see; may be given several times",
    )
    create.set_defaults(run=_create)
    password = options.add_command(verbs, "password", "give a user another password; open sessions end")
    password.add_argument("name", metavar="NAME")
    password.set_defaults(run=_password)
    for parser in (create, password):
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def _create(chosen: argparse.Namespace) -> Answer:
    bootstrap.set_up()
    from recobra.access import operations  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415
    from recobra.portfolio import setup  # noqa: PLC0415

    codes = sorted({setup.get_portfolio(code=code).code for code in chosen.portfolio})
    operations.create_user(
        username=chosen.name,
        password=_asked(chosen),
        role=chosen.role.upper(),
        portfolios=codes,
        actor="command",
        now=clock.now(),
    )
    return Answer(
        document={"user": chosen.name, "role": chosen.role, "portfolios": codes},
        lines=(f"User {chosen.name} ({chosen.role}) may come in.", *_blind(chosen.role, codes)),
    )


def _blind(role: str, codes: list[str]) -> tuple[str, ...]:
    sees_nothing = role in {"gestor", "supervisor"} and not codes
    return (f"A {role} sees no portfolio until one is given (--portfolio CODE).",) if sees_nothing else ()


def _password(chosen: argparse.Namespace) -> Answer:
    bootstrap.set_up()
    from recobra.access import operations  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415

    operations.set_password(username=chosen.name, password=_asked(chosen), actor="command", now=clock.now())
    return Answer(document={"user": chosen.name}, lines=(f"User {chosen.name} has a new password.",))


def _asked(chosen: argparse.Namespace) -> str:
    """Return the password that was given; never an argument, which every program of the machine could read."""
    if chosen.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandRefused("There is no terminal to ask for the password; give it with --password-stdin.")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise CommandRefused("The two passwords are not the same.")
    return first
