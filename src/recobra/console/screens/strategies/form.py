"""A strategy document as flat form fields and back. Nothing is judged here: what is wrong, the core says."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.text import slugify

from recobra_core.decide.steps import STOPS

Shape = dict[str, Any]
SEGMENT = ("key", "name", "rule", "unknown")
STEP = (
    "key",
    "name",
    "when",
    "days",
    "after_step",
    "after_event",
    "until",
    "do",
    "template",
    "task",
    "title",
    "due_in_days",
    "queue",
    "stage",
    "hold",
    "hold_days",
    "rule",
    "unknown",
    "min_amount",
    "every_days",
    "times",
)
LISTS = ("channels", "segments", "stages")
HEAD = ("code", "name", "purpose", "objective")
NEW_STEP: Shape = {"when": "dpd", "days": "1", "do": "send", "channels": ["email"]}


def from_document(document: dict[str, Any]) -> Shape:
    """Return the fields of a document; what it leaves out is empty."""
    stops = document.get("stops") or {}
    return {
        **{name: document.get(name) or "" for name in HEAD},
        "stops": [_stop(event, event in stops, stops.get(event)) for event in STOPS],
        "segments": [_texts(segment, SEGMENT) for segment in document.get("segments") or []],
        "steps": [_step(step) for step in document.get("steps") or []],
    }


def _stop(event: str, stands: bool, days: Any) -> Shape:  # noqa: FBT001 - a private pair of facts
    mode = "no" if not stands else "hold" if days is None else "days"
    return {"event": event, "mode": mode, "days": "" if days is None else str(days)}


def _step(step: dict[str, Any]) -> Shape:
    when, do, repeat = step.get("when") or {}, step.get("do") or {}, step.get("repeat") or {}
    kind = next((word for word in ("after_step", "after_event") if word in when), "dpd")
    action = next((word for word in ("task", "stage", "hold") if word in do), "send")
    facts = {
        **step,
        "when": kind,
        "do": action,
        "days": when.get("dpd") if kind == "dpd" else when.get("days"),
        "after_step": when.get("after_step"),
        "after_event": when.get("after_event"),
        "template": do.get("send"),
        "task": do.get("task"),
        "title": do.get("title"),
        "due_in_days": do.get("due_in_days"),
        "queue": do.get("queue"),
        "stage": do.get("stage"),
        "hold": do.get("hold"),
        "hold_days": do.get("days") if action == "hold" else None,
        "every_days": repeat.get("every_days"),
        "times": repeat.get("max"),
    }
    lists = {"channels": do.get("by"), "segments": step.get("segments"), "stages": step.get("stages")}
    return _texts(facts, STEP) | {name: list(value or []) for name, value in lists.items()}


def _texts(facts: dict[str, Any], names: tuple[str, ...]) -> Shape:
    return {name: "" if facts.get(name) is None else str(facts[name]) for name in names}


def from_post(post: QueryDict) -> Shape:
    """Return the fields as they were posted."""
    return {
        **{name: post.get(name, "").strip() for name in HEAD},
        "stops": [
            {"event": event, "mode": post.get(f"stop-{event}", "no"), "days": post.get(f"stop-{event}-days", "")}
            for event in STOPS
        ],
        "segments": [_posted(post, f"segments-{at}", SEGMENT) for at in range(_count(post, "segments"))],
        "steps": [
            _posted(post, f"steps-{at}", STEP) | {name: post.getlist(f"steps-{at}-{name}") for name in LISTS}
            for at in range(_count(post, "steps"))
        ],
    }


def _count(post: QueryDict, name: str) -> int:
    given = post.get(name, "")
    return min(int(given), 200) if given.isdecimal() else 0


def _posted(post: QueryDict, prefix: str, names: tuple[str, ...]) -> Shape:
    return {name: post.get(f"{prefix}-{name}", "").strip() for name in names}


def changed(shape: Shape, action: str) -> Shape:
    """Return the fields after a button of the editor: `add-steps`, `remove-steps:2`, `up-segments:1`, `down-…`."""
    verb, _dash, rest = action.partition("-")
    which, _colon, place = rest.partition(":")
    if which not in {"steps", "segments"}:
        return shape
    members, at = list(shape[which]), int(place) if place.isdecimal() else -1
    if verb == "add":
        blank = dict.fromkeys(STEP, "") | {name: [] for name in LISTS} if which == "steps" else _texts({}, SEGMENT)
        members.append(blank | (NEW_STEP if which == "steps" else {}))
    elif verb == "remove" and 0 <= at < len(members):
        del members[at]
    elif verb in {"up", "down"}:
        _swap(members, at, at + (1 if verb == "down" else -1))
    return shape | {which: members}


def _swap(members: list[Shape], at: int, other: int) -> None:
    if min(at, other) >= 0 and max(at, other) < len(members):
        members[at], members[other] = members[other], members[at]


def to_document(shape: Shape) -> dict[str, Any]:
    """Return the document that the fields say. A new step or segment gets a key made from its name."""
    stops = {
        stop["event"]: _number(stop["days"]) if stop["mode"] == "days" else None
        for stop in shape["stops"]
        if stop["mode"] != "no"
    }
    head = {name: shape[name] for name in HEAD if shape[name]}
    segments = [_segment_document(segment) for segment in keyed(shape["segments"])]
    steps = [_step_document(step) for step in keyed(shape["steps"])]
    return head | {"stops": stops} | ({"segments": segments} if segments else {}) | {"steps": steps}


def keyed(members: list[Shape]) -> list[Shape]:
    """Return the members, each with a key; new ones get theirs from the name."""
    used, keyed = {member["key"] for member in members if member["key"]}, []
    for member in members:
        base = slugify(member["name"])[:44] or "paso"
        candidates = (base if n == 1 else f"{base}-{n}" for n in range(1, 300))
        key = member["key"] or next(each for each in candidates if each not in used)
        used.add(key)
        keyed.append(member | {"key": key})
    return keyed


def _segment_document(segment: Shape) -> dict[str, Any]:
    return {"key": segment["key"], "name": segment["name"], "rule": segment["rule"]} | _unknown(segment)


def _unknown(of: Shape) -> dict[str, Any]:
    return {"unknown": of["unknown"]} if of["unknown"] in {"yes", "no"} else {}


def _step_document(step: Shape) -> dict[str, Any]:
    optional = {
        "until": _number(step["until"]),
        "segments": step["segments"] or None,
        "stages": step["stages"] or None,
        "min_amount": step["min_amount"] or None,
    }
    if step["every_days"] or step["times"]:
        optional["repeat"] = {"every_days": _number(step["every_days"]), "max": _number(step["times"])}
    written = {name: value for name, value in optional.items() if value is not None}
    rule = {"rule": step["rule"], **_unknown(step)} if step["rule"] else {}
    return {"key": step["key"], "name": step["name"], "when": _when(step)} | written | rule | {"do": _do(step)}


def _when(step: Shape) -> dict[str, Any]:
    days = _number(step["days"])
    if step["when"] == "dpd":
        return {"dpd": days}
    return {step["when"]: step.get(step["when"], ""), "days": days}


def _do(step: Shape) -> dict[str, Any]:
    if step["do"] == "send":
        return {"send": step["template"], "by": step["channels"]}
    if step["do"] == "task":
        queue = {"queue": step["queue"]} if step["queue"] else {}
        due = _number(step["due_in_days"])
        return {"task": step["task"] or slugify(step["title"])[:50], "title": step["title"], "due_in_days": due} | queue
    if step["do"] == "stage":
        return {"stage": step["stage"]}
    return {"hold": step["hold"], "days": _number(step["hold_days"])}


def _number(text: str) -> int | str | None:
    """Return a whole number; other text stays as it is, so that the core can say what is wrong with it."""
    try:
        return int(text) if text else None
    except ValueError:
        return text
