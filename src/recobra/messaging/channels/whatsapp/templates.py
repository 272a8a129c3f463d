"""Templates at Meta: submitting one for approval, and listing them with their status."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.utils.translation import gettext as _

from recobra.kit import outgoing_rule
from recobra.messaging.channels.adapter import Config, Unsuitable
from recobra.messaging.channels.whatsapp.client import call_api, name_language, resource_url

MAX_PAGES: Final = 50
_NAME = re.compile(r"[a-z0-9_]{1,512}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaTemplate:
    """A template as Meta knows it; `status` is Meta's word: APPROVED, PENDING, REJECTED, PAUSED, DISABLED…

    `text` is its body and `quality` how people take it; '' where Meta does not say.
    """

    reference: str
    name: str
    language: str
    status: str
    category: str = ""
    reason: str = ""
    text: str = ""
    quality: str = ""


async def submit_template(
    config: Config,
    *,
    name: str,
    language: str,
    text: str,
    examples: Sequence[str],
    buttons: Sequence[str] = (),
    category: str = "UTILITY",
) -> MetaTemplate:
    """Submit a template for approval. Raises Unsuitable with Meta's own words.

    `text` marks its parameters {{1}}, {{2}}…, and `examples` has a value for each.
    """
    if not _NAME.fullmatch(name):
        raise Unsuitable(_("Meta takes names of small letters, digits and low lines only."))
    numbers = {int(number) for number in re.findall(r"\{\{(\d+)\}\}", text)}
    if numbers != set(range(1, len(examples) + 1)):
        raise Unsuitable(_("Each parameter needs an example, and each example a parameter."))
    components: list[dict[str, Any]] = [{"type": "BODY", "text": text}]
    if examples:
        components[0]["example"] = {"body_text": [list(examples)]}
    if buttons:
        replies = [{"type": "QUICK_REPLY", "text": title} for title in buttons]
        components.append({"type": "BUTTONS", "buttons": replies})
    content = {
        "name": name,
        "language": name_language(language),
        "category": category,
        "components": components,
    }
    reply = await call_api("POST", _templates_url(config), config, content)
    return MetaTemplate(
        reference=str(reply.get("id") or ""),
        name=name,
        language=content["language"],  # type: ignore[arg-type]
        status=str(reply.get("status") or "PENDING"),
        category=str(reply.get("category") or category),
    )


async def list_templates(config: Config) -> list[MetaTemplate]:
    """Return all templates of the account. Raises Unsuitable."""
    fields = urlencode(
        {"fields": "id,name,language,status,category,rejected_reason,quality_score,components", "limit": "200"}
    )
    url: str | None = f"{_templates_url(config)}?{fields}"
    templates: list[MetaTemplate] = []
    for _page in range(MAX_PAGES):
        if url is None:
            break
        page = await call_api("GET", url, config)
        templates.extend(_read_page(page))
        url = _next_page_url(page, config)
    return templates


def _templates_url(config: Config) -> str:
    return resource_url(config, f"{config.settings['account_id']}/message_templates")


def _read_page(page: Mapping[str, Any]) -> Iterator[MetaTemplate]:
    """Yield the templates of one page of Meta's answer; entries without a name are skipped."""
    items = page.get("data")
    for item in items if isinstance(items, list) else []:
        if isinstance(item, Mapping) and item.get("name"):
            reason = str(item.get("rejected_reason") or "")
            quality = item.get("quality_score")
            yield MetaTemplate(
                reference=str(item.get("id") or ""),
                name=str(item["name"]),
                language=str(item.get("language") or ""),
                status=str(item.get("status") or ""),
                category=str(item.get("category") or ""),
                reason="" if reason == "NONE" else reason,
                text=_read_body_text(item.get("components")),
                quality=str(quality.get("score") or "") if isinstance(quality, Mapping) else "",
            )


def _read_body_text(components: object) -> str:
    """Return the body of a template, '' where its components do not show it."""
    for component in components if isinstance(components, list) else []:
        if isinstance(component, Mapping) and component.get("type") == "BODY":
            return str(component.get("text") or "")
    return ""


def _next_page_url(page: Mapping[str, Any], config: Config) -> str | None:
    """Return the address of the next page, None after the last one."""
    paging = page.get("paging")
    url = str(paging.get("next") or "") if isinstance(paging, Mapping) else ""
    # Only at Meta's own address, since the access token goes along.
    is_at_meta = outgoing_rule.split_url(url).netloc == urlsplit(resource_url(config, "")).netloc
    return url if url and is_at_meta else None
