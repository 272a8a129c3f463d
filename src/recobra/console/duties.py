"""What a user has to do before anything else: choose an own password, set up a second factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from recobra.access.queries import User
from recobra.access.second_factor import must_set_up
from recobra.access.sign_in import FACTOR_BY_PROVIDER, means_of
from recobra.sign_on.queries import may_use_password

ALWAYS_OPEN: Final = frozenset(
    {"sign-in", "second-step", "sign-on", "sign-on-return", "sign-out", "signed-out", "language", "own-password"}
)
OF_FACTORS: Final = frozenset({"account", "factor-totp", "factor-totp-code", "factor-passkey", "factor-recovery"})


class Duties:
    """Middleware: who has a duty is led to it and reaches nothing else of the console."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponseBase | None:
        """Lead a user to his or her first duty, if there is one."""
        place = request.resolver_match
        user = request.user
        if place is None or place.app_name != "console" or not isinstance(user, User) or place.url_name in ALWAYS_OPEN:
            return None
        # Whoever may not use a password cannot change it either; once he or she may, the duty is there again.
        if user.must_change_password and may_use_password(user):
            return redirect("console:own-password")
        has_proved_factor = means_of(request) == FACTOR_BY_PROVIDER
        if place.url_name not in OF_FACTORS and not has_proved_factor and must_set_up(user):
            return redirect("console:account")
        return None
