"""Conversion of a strategy document to flat form fields and back; the core judges it, nothing is judged here."""

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
MEMBERS_MAX = 200
LISTS = ("channels", "segments", "stages")
HEAD = ("code", "name", "purpose", "objective")
NEW_STEP: Shape = {"when": "dpd", "days": "1", "do": "send", "channels": ["email"]}


def from_document(document: dict[str, Any]) -> Shape:
    """Return the fields of a document; those that it leaves out are empty."""
    stops = document.get("stops") or {}
    return {
        **{name: document.get(name) or "" for name in HEAD},
        "stops": [_stop_fields(event, stops) for event in STOPS],
        "segments": [_text_fields(segment, SEGMENT) for segment in document.get("segments") or []],
        "steps": [_step_fields(step) for step in document.get("steps") or []],
    }


def _stop_fields(event: str, stops: dict[str, Any]) -> Shape:
    days = stops.get(event)
    # A stop without days lasts until its hold ends.
    mode = "no" if event not in stops else "hold" if days is None else "days"
    return {"event": event, "mode": mode, "days": "" if days is None else str(days)}


def _step_fields(step: dict[str, Any]) -> Shape:
    when, do, repeat = step.get("when") or {}, step.get("do") or {}, step.get("repeat") or {}
    kind = next((key for key in ("after_step", "after_event") if key in when), "dpd")
    action = next((key for key in ("task", "stage", "hold") if key in do), "send")
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
    return _text_fields(facts, STEP) | {name: list(value or []) for name, value in lists.items()}


def _text_fields(facts: dict[str, Any], names: tuple[str, ...]) -> Shape:
    return {name: "" if facts.get(name) is None else str(facts[name]) for name in names}


def from_post(post: QueryDict) -> Shape:
    """Return the fields as they were posted."""
    return {
        **{name: post.get(name, "").strip() for name in HEAD},
        "stops": [
            {"event": event, "mode": post.get(f"stop-{event}", "no"), "days": post.get(f"stop-{event}-days", "")}
            for event in STOPS
        ],
        "segments": [
            _posted_texts(post, f"segments-{index}", SEGMENT) for index in range(_posted_count(post, "segments"))
        ],
        "steps": [
            _posted_texts(post, f"steps-{index}", STEP)
            | {name: post.getlist(f"steps-{index}-{name}") for name in LISTS}
            for index in range(_posted_count(post, "steps"))
        ],
    }


def _posted_count(post: QueryDict, name: str) -> int:
    text = post.get(name, "")
    return min(int(text), MEMBERS_MAX) if text.isdecimal() else 0


def _posted_texts(post: QueryDict, prefix: str, names: tuple[str, ...]) -> Shape:
    return {name: post.get(f"{prefix}-{name}", "").strip() for name in names}


def apply_action(shape: Shape, action: str) -> Shape:
    """Return the fields after a button of the editor: `add-steps`, `remove-steps:2`, `up-segments:1`, `down-…`."""
    verb, _dash, target = action.partition("-")
    group, _colon, number = target.partition(":")
    if group not in {"steps", "segments"}:
        return shape
    members, index = list(shape[group]), int(number) if number.isdecimal() else -1
    if verb == "add":
        blank = (
            dict.fromkeys(STEP, "") | {name: [] for name in LISTS} if group == "steps" else _text_fields({}, SEGMENT)
        )
        members.append(blank | (NEW_STEP if group == "steps" else {}))
    elif verb == "remove" and 0 <= index < len(members):
        del members[index]
    elif verb in {"up", "down"}:
        other = index + (1 if verb == "down" else -1)
        if min(index, other) >= 0 and max(index, other) < len(members):
            members[index], members[other] = members[other], members[index]
    return shape | {group: members}


def to_document(shape: Shape) -> dict[str, Any]:
    """Return the document of the fields. A new step or segment gets a key made from its name."""
    stops = {
        stop["event"]: _parse_number(stop["days"]) if stop["mode"] == "days" else None
        for stop in shape["stops"]
        if stop["mode"] != "no"
    }
    head = {name: shape[name] for name in HEAD if shape[name]}
    segments = [
        {"key": segment["key"], "name": segment["name"], "rule": segment["rule"]} | _unknown_document(segment)
        for segment in assign_keys(shape["segments"])
    ]
    steps = [_step_document(step) for step in assign_keys(shape["steps"])]
    return head | {"stops": stops} | ({"segments": segments} if segments else {}) | {"steps": steps}


def assign_keys(members: list[Shape]) -> list[Shape]:
    """Return the members, each with a key; new ones get theirs from the name."""
    keyed: list[Shape] = []
    used = {member["key"] for member in members if member["key"]}
    for member in members:
        base = slugify(member["name"])[:44] or "paso"
        candidates = (base if n == 1 else f"{base}-{n}" for n in range(1, 300))
        key = member["key"] or next(candidate for candidate in candidates if candidate not in used)
        used.add(key)
        keyed.append(member | {"key": key})
    return keyed


def _unknown_document(member: Shape) -> dict[str, Any]:
    return {"unknown": member["unknown"]} if member["unknown"] in {"yes", "no"} else {}


def _step_document(step: Shape) -> dict[str, Any]:
    optional = {
        "until": _parse_number(step["until"]),
        "segments": step["segments"] or None,
        "stages": step["stages"] or None,
        "min_amount": step["min_amount"] or None,
    }
    if step["every_days"] or step["times"]:
        optional["repeat"] = {"every_days": _parse_number(step["every_days"]), "max": _parse_number(step["times"])}
    present = {name: value for name, value in optional.items() if value is not None}
    rule = {"rule": step["rule"], **_unknown_document(step)} if step["rule"] else {}
    days = _parse_number(step["days"])
    when = {"dpd": days} if step["when"] == "dpd" else {step["when"]: step.get(step["when"], ""), "days": days}
    head = {"key": step["key"], "name": step["name"], "when": when}
    return head | present | rule | {"do": _action_document(step)}


def _action_document(step: Shape) -> dict[str, Any]:
    if step["do"] == "send":
        return {"send": step["template"], "by": step["channels"]}
    if step["do"] == "task":
        queue = {"queue": step["queue"]} if step["queue"] else {}
        due = _parse_number(step["due_in_days"])
        return {"task": step["task"] or slugify(step["title"])[:50], "title": step["title"], "due_in_days": due} | queue
    if step["do"] == "stage":
        return {"stage": step["stage"]}
    return {"hold": step["hold"], "days": _parse_number(step["hold_days"])}


def _parse_number(text: str) -> int | str | None:
    """Return a whole number, None for an empty text; other text as it is."""
    # The core reports what is wrong with it, beside the other mistakes of the document.
    try:
        return int(text) if text else None
    except ValueError:
        return text
