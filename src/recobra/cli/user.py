"""`recobra user`: users and their passwords, from the first one on."""

from __future__ import annotations

import argparse
import getpass
import sys

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused

ROLES = ("gestor", "supervisor", "manager", "administrator", "auditor")


def add_commands(commands: options.Commands) -> None:
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
    create.set_defaults(run=create_user)
    password = options.add_command(verbs, "password", "give a user another password; open sessions end")
    password.add_argument("name", metavar="NAME")
    password.set_defaults(run=set_password)
    for parser in (create, password):
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def create_user(arguments: argparse.Namespace) -> Answer:
    """Create a user."""
    bootstrap.set_up()
    from recobra.access import operations  # noqa: PLC0415 - needs the settings
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415
    from recobra.portfolio import setup  # noqa: PLC0415

    codes = sorted({setup.get_portfolio(code=code).code for code in arguments.portfolio})
    operations.create_user(
        username=arguments.name,
        password=_read_password(arguments),
        role=arguments.role.upper(),
        portfolios=codes,
        actor=service_actor(Service.COMMAND, now=clock.now()),
    )
    lines = [f"User {arguments.name} ({arguments.role}) may come in."]
    if arguments.role in {"gestor", "supervisor"} and not codes:
        lines.append(f"A {arguments.role} sees no portfolio until one is given (--portfolio CODE).")
    return Answer(document={"user": arguments.name, "role": arguments.role, "portfolios": codes}, lines=tuple(lines))


def set_password(arguments: argparse.Namespace) -> Answer:
    """Give a user another password."""
    bootstrap.set_up()
    from recobra.access import operations  # noqa: PLC0415 - needs the settings
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    actor = service_actor(Service.COMMAND, now=clock.now())
    operations.set_password(username=arguments.name, password=_read_password(arguments), actor=actor)
    return Answer(document={"user": arguments.name}, lines=(f"User {arguments.name} has a new password.",))


def _read_password(arguments: argparse.Namespace) -> str:
    """Return the password from standard input or from the terminal. Raises CommandRefused."""
    # Never as an argument, which every program of the machine could read.
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandRefused("There is no terminal to ask for the password; give it with --password-stdin.")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise CommandRefused("The two passwords are not the same.")
    return first
