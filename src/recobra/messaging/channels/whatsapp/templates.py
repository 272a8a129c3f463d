"""Templates registered with Meta: putting one up for approval, and asking what became of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.utils.translation import gettext as _

from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Config, Unsuitable
from recobra.messaging.channels.whatsapp.client import address, headers

MOST_PAGES: Final = 50
_NAME = re.compile(r"[a-z0-9_]{1,512}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A template as Meta knows it; `status` is Meta's word: APPROVED, PENDING, REJECTED, PAUSED, DISABLED…"""

    reference: str
    name: str
    language: str
    status: str
    category: str = ""
    reason: str = ""


async def submit(
    config: Config,
    *,
    name: str,
    language: str,
    text: str,
    examples: Sequence[str],
    buttons: Sequence[str] = (),
    category: str = "UTILITY",
) -> Registered:
    """Put a template up for approval. Raises Unsuitable with Meta's own words.

    `text` marks its parameters {{1}}, {{2}}…, and `examples` has a value for each.
    """
    if not _NAME.fullmatch(name):
        raise Unsuitable(_("Meta takes names of small letters, digits and low lines only."))
    if sorted({int(n) for n in re.findall(r"\{\{(\d+)\}\}", text)}) != list(range(1, len(examples) + 1)):
        raise Unsuitable(_("Each parameter needs an example, and each example a parameter."))
    components: list[dict[str, Any]] = [{"type": "BODY", "text": text}]
    if examples:
        components[0]["example"] = {"body_text": [list(examples)]}
    if buttons:
        components.append({"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": b} for b in buttons]})
    content = {
        "name": name,
        "language": language.replace("-", "_"),
        "category": category,
        "components": components,
    }
    told = await _asked("POST", address(config, _account(config)), config, content)
    return Registered(
        reference=str(told.get("id") or ""),
        name=name,
        language=content["language"],  # type: ignore[arg-type]
        status=str(told.get("status") or "PENDING"),
        category=str(told.get("category") or category),
    )


async def registered(config: Config) -> list[Registered]:
    """Ask for all templates of the account. Raises Unsuitable."""
    fields = urlencode({"fields": "id,name,language,status,category,rejected_reason", "limit": "200"})
    url: str | None = f"{address(config, _account(config))}?{fields}"
    found: list[Registered] = []
    for _page in range(MOST_PAGES):
        if url is None:
            break
        told = await _asked("GET", url, config)
        found.extend(_read(told))
        url = _next(told, config)
    return found


def _account(config: Config) -> str:
    return f"{config.settings['account_id']}/message_templates"


def _read(told: Mapping[str, Any]) -> Iterator[Registered]:
    listed = told.get("data")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, Mapping) and item.get("name"):
            reason = str(item.get("rejected_reason") or "")
            yield Registered(
                reference=str(item.get("id") or ""),
                name=str(item["name"]),
                language=str(item.get("language") or ""),
                status=str(item.get("status") or ""),
                category=str(item.get("category") or ""),
                reason="" if reason == "NONE" else reason,
            )


def _next(told: Mapping[str, Any], config: Config) -> str | None:
    """Return the address of the next page where it is Meta's own: the token goes along."""
    paging = told.get("paging")
    url = str(paging.get("next") or "") if isinstance(paging, Mapping) else ""
    return url if url and urlsplit(url).netloc == urlsplit(address(config, "")).netloc else None


async def _asked(method: str, url: str, config: Config, content: Any = None) -> Mapping[str, Any]:
    try:
        async with http.session() as session:
            reply = await http.call(session, method, url, headers=headers(config), json=content)
    except (http.Unsent, http.Lost, http.TooLarge) as error:
        raise Unsuitable(str(error)) from error
    if reply.status != 200 or not isinstance(reply.json, Mapping):
        raise Unsuitable(reply.said)
    return reply.json
