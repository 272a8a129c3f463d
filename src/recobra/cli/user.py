"""`recobra user`: users and their passwords, from the first one on."""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused, text_value

if TYPE_CHECKING:
    from recobra.access.queries import User
    from recobra.access.users import UserDetails

_BUILT_IN = "gestor, supervisor, manager, administrator, auditor"


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "user", "the people who may come in")
    create = options.add_command(verbs, "create", "make a user; the password is asked for")
    create.set_defaults(run=create_user)
    password = options.add_command(verbs, "password", "give a user another password; open sessions end")
    password.set_defaults(run=set_password)
    for parser in (create, password):
        parser.add_argument("name", metavar="NAME", help="what the user signs in with")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    change = options.add_command(verbs, "change", "change a user; what is not named stays as it is")
    change.add_argument("name", metavar="NAME")
    change.set_defaults(run=change_user)
    for parser in (create, change):
        _add_details(parser, has_role=parser is create)
    disable = options.add_command(verbs, "disable", "shut a user out; sessions end at once")
    disable.add_argument("--hand-to", metavar="NAME", help="who takes over the open work (default: everybody)")
    disable.set_defaults(run=disable_user)
    enable = options.add_command(verbs, "enable", "let a user in again who was shut out")
    enable.set_defaults(run=enable_user)
    for parser in (disable, enable):
        parser.add_argument("name", metavar="NAME")
    listing = options.add_command(verbs, "list", "list the users with their roles, portfolios and teams")
    listing.set_defaults(run=list_users)


def _add_details(parser: argparse.ArgumentParser, *, has_role: bool) -> None:
    """Add the options for what is decided about a user."""
    parser.add_argument(
        "--role", required=has_role, metavar="ROLE", help=f"what the user may do: {_BUILT_IN}, or one of your own"
    )
    parser.add_argument(
        "--portfolio",
        action="append",
        default=None,
        metavar="CODE",
        help="a portfolio that the user may see, where the role does not see all; may be given several times",
    )
    parser.add_argument("--first-name", metavar="TEXT")
    parser.add_argument("--last-name", metavar="TEXT")
    parser.add_argument("--email", metavar="ADDRESS")
    parser.add_argument("--language", metavar="CODE", help="of the screens: es or en")


def create_user(arguments: argparse.Namespace) -> Answer:
    """Create a user."""
    bootstrap.set_up()
    from recobra.access import roles, users  # noqa: PLC0415 - needs the settings
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    details = _read_details(arguments, users.UserDetails(role=arguments.role))
    user = users.create_user(
        username=arguments.name,
        password=_read_password(arguments),
        details=details,
        actor=service_actor(Service.COMMAND, now=clock.now()),
    )
    codes = sorted(details.portfolios)
    lines = [f"User {arguments.name} ({arguments.role}) may come in."]
    if not codes and not roles.role_of(user).sees_all_portfolios:
        lines.append(f"A {arguments.role} sees no portfolio until one is given (--portfolio CODE).")
    return Answer(document={"user": arguments.name, "role": arguments.role, "portfolios": codes}, lines=tuple(lines))


def change_user(arguments: argparse.Namespace) -> Answer:
    """Change a user; what is not named stays as it is."""
    bootstrap.set_up()
    from recobra.access import users  # noqa: PLC0415 - needs the settings
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    user = _find_user(arguments.name)
    known = users.details_of(user)
    details = _read_details(arguments, known)
    if details == known:
        raise CommandRefused("Nothing changes: name what does, such as --role or --portfolio.")
    actor = service_actor(Service.COMMAND, now=clock.now())
    return _describe(users.change_user(user_id=user.pk, details=details, actor=actor))


def disable_user(arguments: argparse.Namespace) -> Answer:
    """Shut a user out."""
    bootstrap.set_up()
    from recobra.access import users  # noqa: PLC0415 - needs the settings
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    user = _find_user(arguments.name)
    successor = _find_user(arguments.hand_to) if arguments.hand_to else None
    users.shut_out_user(
        user_id=user.pk,
        hand_to_id=successor.pk if successor else None,
        actor=service_actor(Service.COMMAND, now=clock.now()),
    )
    return _describe(_find_user(arguments.name))


def enable_user(arguments: argparse.Namespace) -> Answer:
    """Let a user in again."""
    bootstrap.set_up()
    from recobra.access import users  # noqa: PLC0415 - needs the settings
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    user = _find_user(arguments.name)
    return _describe(users.let_user_in(user_id=user.pk, actor=service_actor(Service.COMMAND, now=clock.now())))


def list_users(_arguments: argparse.Namespace) -> Answer:
    """List the users."""
    bootstrap.set_up()
    from recobra.access.queries import list_staff  # noqa: PLC0415 - needs the settings

    rows = [_describe(user).document for user in list_staff()]
    lines = tuple("  ".join(text_value(value or None) for value in row.values()) for row in rows)
    if not rows:
        lines = ("There is no user yet; make one with `recobra user create`.",)
    return Answer(document={"users": rows}, lines=lines)


def set_password(arguments: argparse.Namespace) -> Answer:
    """Give a user another password."""
    bootstrap.set_up()
    from recobra.access import operations  # noqa: PLC0415 - needs the settings
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    actor = service_actor(Service.COMMAND, now=clock.now())
    operations.set_password(username=arguments.name, password=_read_password(arguments), actor=actor)
    return Answer(document={"user": arguments.name}, lines=(f"User {arguments.name} has a new password.",))


def _find_user(name: str) -> User:
    """Return a user by name. Raises CommandRefused."""
    from recobra.access.queries import User  # noqa: PLC0415 - needs the settings

    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandRefused("There is no user «%(name)s».", name=name)
    return user


def _read_details(arguments: argparse.Namespace, known: UserDetails) -> UserDetails:
    """Return details with what the options say of them. Raises for an unknown portfolio."""
    from recobra.portfolio import setup  # noqa: PLC0415 - needs the settings

    portfolios = known.portfolios
    if arguments.portfolio is not None:
        portfolios = frozenset(setup.get_portfolio(code=code).code for code in arguments.portfolio)
    details = replace(known, role=(arguments.role or known.role).upper(), portfolios=portfolios)
    for name in ("first_name", "last_name", "email", "language"):
        value = getattr(arguments, name)
        if value is not None:
            details = replace(details, **{name: value})
    return details


def _describe(user: User) -> Answer:
    """Return a user as the commands answer it."""
    from recobra.access.queries import portfolio_codes, state_of  # noqa: PLC0415 - needs the settings

    codes = portfolio_codes(user)
    document = {
        "user": user.username,
        "role": user.role.lower(),
        "state": state_of(user),
        "portfolios": ["*"] if codes is None else sorted(codes),
        "team": user.team.name if user.team else "",
    }
    return Answer(document=document)


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
