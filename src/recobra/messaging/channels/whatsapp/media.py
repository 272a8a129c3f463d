"""Files at Meta: those that debtors sent, and those that we upload to send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ClientSession, FormData
from django.utils.translation import gettext as _

from recobra.kit import outgoing_rule
from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Config, Media, Unsuitable
from recobra.messaging.channels.whatsapp.client import auth_headers, resource_url

# Where Meta stores files: the access token must go nowhere else.
_META_HOSTS: Final = ("facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net")


async def fetch_media(media: Media, config: Config, *, max_bytes: int) -> bytes:
    """Return the content of a received file. Raises Unsuitable where it is too large or gone."""
    if not re.fullmatch(r"\w+", media.media_id):
        raise Unsuitable(_("The file is not at the provider's address."))
    try:
        async with http.open_session() as session:
            headers = {**auth_headers(config), "Accept": "application/json"}
            reply = await http.call(session, "GET", resource_url(config, media.media_id), headers=headers)
    except (http.RequestUnsent, http.ReplyLost, http.ReplyTooLarge) as error:
        raise Unsuitable(str(error)) from error
    file = reply.json if isinstance(reply.json, Mapping) else {}
    if reply.status != 200 or not file.get("url"):
        raise Unsuitable(_("The file is not to be had: %(answer)s") % {"answer": reply.summary})
    size = str(file.get("file_size", ""))
    if size.isdecimal() and int(size) > max_bytes:
        raise Unsuitable(_("The file is too large."))
    url = str(file["url"])
    host = outgoing_rule.split_url(url).hostname or ""
    api_host = urlsplit(resource_url(config, "")).hostname
    is_at_meta = any(host == known or host.endswith(f".{known}") for known in _META_HOSTS)
    if host != api_host and not is_at_meta:
        raise Unsuitable(_("The file is not at the provider's address."))
    return await http.download_file(url, headers=auth_headers(config), max_bytes=max_bytes)


async def upload_media(session: ClientSession, config: Config, *, content: bytes, media_type: str, name: str) -> str:
    """Upload a file for messages to refer to, and return its id. Raises Unsuitable."""
    form = FormData()
    form.add_field("messaging_product", "whatsapp")
    form.add_field("file", content, filename=name, content_type=media_type)
    url = resource_url(config, f"{config.settings['phone_number_id']}/media")
    try:
        reply = await http.call(session, "POST", url, headers=auth_headers(config), data=form)
    except (http.RequestUnsent, http.ReplyLost, http.ReplyTooLarge) as error:
        raise Unsuitable(str(error)) from error
    if reply.status != 200 or not isinstance(reply.json, Mapping) or not reply.json.get("id"):
        raise Unsuitable(reply.summary)
    return str(reply.json["id"])
