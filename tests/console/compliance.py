"""The numbers in the addresses of the compliance screens, of rows that exist."""

from __future__ import annotations

from recobra.contact.models import Provider

from .world import World


def of_compliance(world: World) -> dict[str, dict[str, object]]:
    """Return the numbers of the law's pages and of a provider."""
    at = world.sent.sent_at
    provider = Provider.objects.first() or Provider.objects.create(
        code="cartas", kind="letters", channel="letter", name="Cartas", created_at=at, created_by="dario"
    )
    code = {"code": provider.code}
    return {
        "country": {"code": "PE"}, "country-month": {"code": "PE"},
        **{f"provider{what}": code for what in ("", "-test", "-switch", "-retire")},
    }  # fmt: skip
