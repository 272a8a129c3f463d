"""Users from a file: every fault by line and column, and nothing written unless all of it is good."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recobra.journal.operations import record_fact
from recobra.tabular.records import Record, RowFault, match_columns, read_records
from recobra.tabular.refusals import FileRefused
from recobra_core.folding import fold_name

from .actors import Actor
from .facts import UsersLoaded
from .models import Team, User
from .password_links import invite_user
from .permissions import requires
from .roles import Right, defined_roles
from .users import UserDetails, UserRefused, check_details, check_username

USERS_MAX: Final = 1_000
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "username": ("usuario", "user", "username", "login"),
    "role": ("rol", "role", "perfil"),
    "first_name": ("nombre", "nombres", "first name", "name"),
    "last_name": ("apellido", "apellidos", "last name"),
    "email": ("correo", "email", "e mail", "correo electronico"),
    "language": ("idioma", "language"),
    "team_id": ("equipo", "team"),
    "portfolios": ("carteras", "cartera", "portfolios", "portfolio"),
}
"""By field, the names of its column as `fold_words` leaves them."""
_REQUIRED: Final = ("username", "role")
_FOUND_LENGTH_MAX: Final = 80


@dataclass(frozen=True, kw_only=True)
class UserRow:
    """A good row of the file."""

    username: str
    details: UserDetails


class UserFileRefused(Exception):
    """Nothing of the file was loaded; `faults` say where and why."""

    def __init__(self, faults: list[RowFault]) -> None:
        self.faults = faults
        text = ngettext(
            "Nothing was loaded: %(n)s fault in the file.",
            "Nothing was loaded: %(n)s faults in the file.",
            len(faults),
        )
        super().__init__(text % {"n": len(faults)})


@requires(Right.MANAGE_USERS)
@transaction.atomic
def load_users(*, content: bytes, portfolios: Collection[str], actor: Actor) -> list[tuple[User, str]]:
    """Invite every user of a file of any known format; return each with the token of his or her link.

    `portfolios` are the codes that there are within the actor's reach. Raises UserFileRefused, NotAllowed.
    """
    rows = read_user_rows(content, portfolios)
    try:
        invited = [invite_user(username=row.username, details=row.details, actor=actor) for row in rows]
    except UserRefused as refusal:
        # Somebody made one of them meanwhile.
        raise UserFileRefused([RowFault(line=1, column="", found="", expected=str(refusal))]) from refusal
    record_fact(UsersLoaded(users=len(invited)), actor=actor)
    return invited


def read_user_rows(content: bytes, portfolios: Collection[str]) -> list[UserRow]:
    """Return the users of a file. Raises UserFileRefused."""
    try:
        # One row more than the limit shows that there are too many.
        records = read_records(content, limit=USERS_MAX + 1, columns=HEADERS)
    except FileRefused as refusal:
        fault = RowFault(line=1, column="", found=str(refusal), expected=_("a table: CSV or a workbook"))
        raise UserFileRefused([fault]) from refusal
    matches = match_columns(records.headers, HEADERS)
    columns = {field: fold_name(records.headers[found[0]]) for field, found in matches.items() if found}
    faults = [_missing_column(field, records.headers) for field in _REQUIRED if field not in columns]
    if len(records.rows) > USERS_MAX:
        expected = _("up to %(n)s users") % {"n": USERS_MAX}
        faults.append(RowFault(line=records.rows[-1].line, column="", found=_("more rows"), expected=expected))
    if not faults and not records.rows and not records.faults:
        faults.append(RowFault(line=1, column="", found="", expected=_("a row for each user")))
    if faults:
        raise UserFileRefused(faults)
    reader = _Reader(columns, portfolios)
    rows = [reader.read(record) for record in records.rows]
    faults = sorted([*records.faults, *reader.faults], key=lambda fault: fault.line)
    if faults:
        raise UserFileRefused(faults)
    return rows


class _Reader:
    """Reads the rows of a file one by one; `faults` are those of all of them."""

    def __init__(self, columns: Mapping[str, str], portfolios: Collection[str]) -> None:
        self.columns = columns
        self.faults: list[RowFault] = []
        self.portfolios = {code.casefold(): code for code in portfolios}
        self.teams = {fold_name(team.name): team.pk for team in Team.objects.all()}
        self.roles: dict[str, str] = {}
        for role in defined_roles():
            if not role.is_retired:
                self.roles |= {fold_name(str(role.name)): role.code, fold_name(role.code): role.code}
        self.seen: dict[str, dict[str, int]] = {"username": {}, "email": {}}

    def read(self, record: Record) -> UserRow:
        """Return the user of a row; what cannot be is among the faults."""
        cells = {field: record.cells.get(self.columns.get(field, ""), "").strip() for field in HEADERS}
        errors: dict[str, str] = {}
        codes = [code.strip() for code in cells["portfolios"].replace(";", ",").split(",") if code.strip()]
        unknown = [code for code in codes if code.casefold() not in self.portfolios and code != "*"]
        if unknown:
            errors["portfolios"] = _("codes of portfolios, with commas between them, or * for all")
        team_id = self.teams.get(fold_name(cells["team_id"]))
        if cells["team_id"] and team_id is None:
            errors["team_id"] = _("the name of a team")
        role = self.roles.get(fold_name(cells["role"]))
        if role is None:
            errors["role"] = _("the name of a role")
        details = UserDetails(
            role=role or "",
            first_name=cells["first_name"],
            last_name=cells["last_name"],
            email=cells["email"],
            language=cells["language"].lower() or "es",
            team_id=team_id,
            portfolios=frozenset(self.portfolios[code.casefold()] for code in codes if code not in {*unknown, "*"}),
            sees_all_portfolios="*" in codes,
        )
        errors = check_username(cells["username"]) | check_details(details, before=None) | errors
        errors |= self._find_repeated(cells, record.line)
        self.faults += [
            RowFault(
                line=record.line,
                column=self.columns.get(field, field),
                found=cells[field][:_FOUND_LENGTH_MAX],
                expected=expected,
            )
            for field, expected in errors.items()
        ]
        return UserRow(username=cells["username"], details=details)

    def _find_repeated(self, cells: Mapping[str, str], line: int) -> dict[str, str]:
        """Return the errors of names and addresses that an earlier row of the file has."""
        errors = {}
        for field, lines in self.seen.items():
            value = cells[field].casefold()
            if value and lines.setdefault(value, line) != line:
                errors[field] = _("each only once; it stands on line %(line)s too") % {"line": lines[value]}
        return errors


def _missing_column(field: str, headers: Collection[str]) -> RowFault:
    """Return the fault of a file without a column."""
    found = ", ".join(headers)[:_FOUND_LENGTH_MAX]
    expected = _("a column with one of these names: %s") % ", ".join(HEADERS[field])
    return RowFault(line=1, column=HEADERS[field][0], found=found, expected=expected)
