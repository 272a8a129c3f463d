"""The strategy editor as a browser sees it: the fields of its form, to change some and post them all."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from recobra.console.screens.strategies import form

EDIT = "/estrategias/consumo/editar/"


def fields(client: Client, address: str = EDIT) -> dict[str, Any]:
    """What a browser would post from the editor as it stands."""
    page = client.get(address).content.decode()
    found = re.search(r'name="seen" value="([^"]*)"', page)
    shape = client.get(address).context["shape"]
    assert found, "the form says which draft it was drawn from"
    posted: dict[str, Any] = {"seen": found[1], "segments": len(shape["segments"]), "steps": len(shape["steps"])}
    posted |= {name: shape[name] for name in form.HEAD}
    for stop in shape["stops"]:
        posted |= {f"stop-{stop['event']}": stop["mode"], f"stop-{stop['event']}-days": stop["days"]}
    for which, names in (("segments", form.SEGMENT), ("steps", (*form.STEP, *form.LISTS))):
        for at, member in enumerate(shape[which]):
            posted |= {f"{which}-{at}-{name}": member[name] for name in names}
    return posted
