"""Meta as far as templates and messages go: keeps what is submitted, lists it, takes messages; a test decides."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from urllib.parse import urlsplit

from .peer import open_in_thread


class MetaServer:
    """Answers as the Cloud API does. `templates` are those submitted, by name; `sent` the messages taken, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.templates: dict[str, dict] = {}
        self.sent: list[dict] = []
        self.number = {"quality_rating": "GREEN", "messaging_limit_tier": "TIER_1K"}
        self._ids = itertools.count(100)

    def answer(self, request):
        """Return the answer to a request."""
        what = urlsplit(request.target).path.rsplit("/", 1)[-1]
        if what == "message_templates" and request.method == "POST":
            if request.json["name"] in self.templates:
                return 400, {"error": {"message": "There is already content for this template", "code": 100}}
            template = {**request.json, "id": str(next(self._ids)), "status": "PENDING"}
            self.templates[template["name"]] = template
            return 200, {name: template[name] for name in ("id", "status", "category")}
        if what == "message_templates":
            return 200, {"data": list(self.templates.values())}
        if what == "messages":
            self.sent.append(request.json)
            return 200, {"messages": [{"id": f"wamid.{next(self._ids)}"}]}
        return 200, self.number

    def decide(self, name, status, **more):
        """Decide about a template, without a call."""
        self.templates[name] |= {"status": status, **more}


@contextmanager
def open_meta():
    """Listen on loopback until the block ends."""
    server = MetaServer()
    with open_in_thread(server.answer) as peer:
        server.url = peer.url
        yield server
