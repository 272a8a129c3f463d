"""The form of a user: what an administrator decides about him or her."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.http import QueryDict

from recobra.access.queries import User
from recobra.access.roles import defined_roles
from recobra.access.teams import teams
from recobra.access.users import UserDetails
from recobra.console.parameters import parse_id
from recobra.portfolio.queries import portfolios_for


def read_details(data: QueryDict, known: UserDetails) -> UserDetails:
    """Return the details that a form sends; portfolios that it did not offer stay as they are `known`."""
    offered = set(data.getlist("offered"))
    kept = {code for code in known.portfolios if code not in offered}
    return UserDetails(
        role=data.get("role", ""),
        first_name=data.get("first_name", "").strip(),
        last_name=data.get("last_name", "").strip(),
        email=data.get("email", "").strip(),
        language=data.get("language", ""),
        team_id=parse_id(data.get("team_id", "")),
        portfolios=frozenset(kept | (offered & set(data.getlist("portfolios")))),
        sees_all_portfolios=data.get("sees_all_portfolios") == "1",
    )


def form_context(
    administrator: User, details: UserDetails, errors: Mapping[str, str] | None = None
) -> dict[str, object]:
    """Return the context of the form: the details, their errors, and what may be chosen."""
    return {
        "details": details,
        "errors": errors or {},
        "roles": [role for role in defined_roles() if not role.is_retired or role.code == details.role],
        "teams": teams(),
        "languages": settings.LANGUAGES,
        "portfolios": portfolios_for(administrator),
    }
