"""Writes down who was refused: a screen without the right, a form without its token."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from recobra.journal.operations import record_fact
from recobra.kit import clock

from . import throttle
from .actors import actor_for
from .facts import AccessRefused
from .models import User


class RecordRefusals:
    """Middleware: an answer 403 to somebody who is signed in becomes a fact."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request, and record a refusal; one who is refused over and over is recorded now and then."""
        response = self.get_response(request)
        if response.status_code == HTTPStatus.FORBIDDEN and isinstance(request.user, User):
            place = request.resolver_match.view_name if request.resolver_match else ""
            limits = throttle.subject_limits(purpose="refusal", subject=f"{request.user.pk} {place}")
            now = clock.now()
            if throttle.admit(limits, now=now) is None:
                with transaction.atomic():
                    record_fact(AccessRefused(place=place), actor=actor_for(request.user, now=now))
        return response
