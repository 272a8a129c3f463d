"""Files: what debtors sent, and what is put there to be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ClientSession, FormData
from django.utils.translation import gettext as _

from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Config, Media, Unsuitable
from recobra.messaging.channels.whatsapp.client import address, headers

# Where Meta keeps files; the token goes nowhere else.
_HOSTS: Final = ("facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net")


async def fetch(media: Media, config: Config, *, most_bytes: int) -> bytes:
    """Fetch a file that came in. Raises Unsuitable where it is too large or gone."""
    if not re.fullmatch(r"\w+", media.media_id):
        raise Unsuitable(_("The file is not at the provider's address."))
    try:
        async with http.session() as session:
            reply = await http.call(session, "GET", address(config, media.media_id), headers=_asking(config))
    except (http.Unsent, http.Lost, http.TooLarge) as error:
        raise Unsuitable(str(error)) from error
    told = reply.json if isinstance(reply.json, Mapping) else {}
    if reply.status != 200 or not told.get("url"):
        raise Unsuitable(_("The file is not to be had: %(answer)s") % {"answer": reply.said})
    size = str(told.get("file_size", ""))
    if size.isdecimal() and int(size) > most_bytes:
        raise Unsuitable(_("The file is too large."))
    return await http.download(_at_meta(str(told["url"]), config), headers=headers(config), most_bytes=most_bytes)


async def upload(session: ClientSession, config: Config, *, content: bytes, media_type: str, name: str) -> str:
    """Put a file where messages can refer to it and return its id. Raises Unsuitable."""
    form = FormData()
    form.add_field("messaging_product", "whatsapp")
    form.add_field("file", content, filename=name, content_type=media_type)
    there = address(config, f"{config.settings['phone_number_id']}/media")
    try:
        reply = await http.call(session, "POST", there, headers=headers(config), data=form)
    except (http.Unsent, http.Lost, http.TooLarge) as error:
        raise Unsuitable(str(error)) from error
    if reply.status != 200 or not isinstance(reply.json, Mapping) or not reply.json.get("id"):
        raise Unsuitable(reply.said)
    return str(reply.json["id"])


def _at_meta(url: str, config: Config) -> str:
    host = urlsplit(url).hostname or ""
    ours = urlsplit(address(config, "")).hostname
    if host != ours and not any(host == known or host.endswith(f".{known}") for known in _HOSTS):
        raise Unsuitable(_("The file is not at the provider's address."))
    return url


def _asking(config: Config) -> dict[str, str]:
    return {**headers(config), "Accept": "application/json"}
