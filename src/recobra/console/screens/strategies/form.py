"""Conversion of a strategy document to flat form fields and back; the core judges it, nothing is judged here."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.text import slugify

from recobra.console.parameters import parse_count
from recobra_core.decide.steps import STOPS

# The fields of a form by name, as the template shows them: those of a document, or of one step or segment.
Shape = dict[str, Any]
SEGMENT = ("key", "name", "rule", "unknown", "from_group")
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
    "tone",
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
_KEY_LENGTH_MAX = 44
_TASK_CODE_LENGTH_MAX = 50
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
    """Return the fields of an event that may stop a strategy: not at all, for some days, or until its hold ends."""
    if event not in stops:
        return {"event": event, "mode": "no", "days": ""}
    days = stops[event]
    # A stop without days lasts until its hold ends.
    if days is None:
        return {"event": event, "mode": "hold", "days": ""}
    return {"event": event, "mode": "days", "days": str(days)}


def _step_fields(step: dict[str, Any]) -> Shape:
    """Return the fields of a step. A document nests them under `when`, `do` and `repeat`; the form has them flat."""
    when = step.get("when") or {}
    do = step.get("do") or {}
    repeat = step.get("repeat") or {}
    # The key that is there says what kind of condition or action it is.
    trigger = next((key for key in ("after_step", "after_event") if key in when), "dpd")
    action = next((key for key in ("task", "stage", "hold") if key in do), "send")
    texts = {
        **step,
        "when": trigger,
        "do": action,
        "days": when.get("dpd") if trigger == "dpd" else when.get("days"),
        "after_step": when.get("after_step"),
        "after_event": when.get("after_event"),
        "template": do.get("send"),
        "tone": do.get("tone"),
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
    fields = _text_fields(texts, STEP)
    fields["channels"] = list(do.get("by") or [])
    fields["segments"] = list(step.get("segments") or [])
    fields["stages"] = list(step.get("stages") or [])
    return fields


def _text_fields(values: dict[str, Any], names: tuple[str, ...]) -> Shape:
    """Return the values of some names as texts, '' for those that are missing."""
    return {name: "" if values.get(name) is None else str(values[name]) for name in names}


def from_post(post: QueryDict) -> Shape:
    """Return the fields as they were posted."""
    stops = []
    for event in STOPS:
        mode = post.get(f"stop-{event}", "no")
        stops.append({"event": event, "mode": mode, "days": post.get(f"stop-{event}-days", "")})
    segment_count = _posted_count(post, "segments")
    segments = [_posted_texts(post, f"segments-{index}", SEGMENT) for index in range(segment_count)]
    steps = []
    for index in range(_posted_count(post, "steps")):
        step = _posted_texts(post, f"steps-{index}", STEP)
        for name in LISTS:
            step[name] = post.getlist(f"steps-{index}-{name}")
        steps.append(step)
    head = {name: post.get(name, "").strip() for name in HEAD}
    return {**head, "stops": stops, "segments": segments, "steps": steps}


def _posted_count(post: QueryDict, name: str) -> int:
    """Return how many steps or segments were posted, MEMBERS_MAX at most."""
    return parse_count(post.get(name, ""), most=MEMBERS_MAX) or 0


def _posted_texts(post: QueryDict, prefix: str, names: tuple[str, ...]) -> Shape:
    """Return the text fields of one step or segment; the names of its inputs begin with `prefix`."""
    return {name: post.get(f"{prefix}-{name}", "").strip() for name in names}


def apply_action(shape: Shape, action: str) -> Shape:
    """Return the fields after a button of the editor: `add-steps`, `remove-steps:2`, `up-segments:1`, `down-…`.

    Members are counted from 0; a button that cannot be read, or a member that is not there, changes nothing.
    """
    verb, _dash, target = action.partition("-")
    group, _colon, number = target.partition(":")
    if group not in {"steps", "segments"}:
        return shape
    members = list(shape[group])
    if verb == "add":
        members.append(_new_step() if group == "steps" else _text_fields({}, SEGMENT))
        return shape | {group: members}
    index = parse_count(number, most=len(members))
    if index is None or index == len(members):
        return shape
    if verb == "remove":
        del members[index]
    elif verb == "up" and index > 0:
        members.insert(index - 1, members.pop(index))
    elif verb == "down":
        # Inserted behind the last member, the last one stays where it is.
        members.insert(index + 1, members.pop(index))
    return shape | {group: members}


def _new_step() -> Shape:
    """Return the fields of a step that was just added: an e-mail a day after the due date."""
    empty_lists: Shape = {name: [] for name in LISTS}
    return dict.fromkeys(STEP, "") | empty_lists | NEW_STEP


def to_document(shape: Shape) -> dict[str, Any]:
    """Return the document of the fields. A new step or segment gets a key made from its name."""
    document: dict[str, Any] = {name: shape[name] for name in HEAD if shape[name]}
    document["stops"] = {}
    for stop in shape["stops"]:
        if stop["mode"] != "no":
            # Without days an event stops the strategy until its hold ends.
            document["stops"][stop["event"]] = _parse_number(stop["days"]) if stop["mode"] == "days" else None
    segments = [_segment_document(segment) for segment in assign_keys(shape["segments"])]
    if segments:
        document["segments"] = segments
    document["steps"] = [_step_document(step) for step in assign_keys(shape["steps"])]
    return document


def assign_keys(members: list[Shape]) -> list[Shape]:
    """Return the members, each with a key; new ones get theirs from the name."""
    keyed: list[Shape] = []
    used_keys = {member["key"] for member in members if member["key"]}
    for member in members:
        key = member["key"]
        if not key:
            base = slugify(member["name"])[:_KEY_LENGTH_MAX] or "paso"
            key = base
            number = 1
            while key in used_keys:
                number += 1
                key = f"{base}-{number}"
        used_keys.add(key)
        keyed.append(member | {"key": key})
    return keyed


def _segment_document(segment: Shape) -> dict[str, Any]:
    """Return the document of a segment."""
    document = {"key": segment["key"], "name": segment["name"], "rule": segment["rule"]}
    if segment["from_group"]:
        document["from_group"] = segment["from_group"]
    return document | _unknown_document(segment)


def _unknown_document(member: Shape) -> dict[str, Any]:
    """Return the answer of a rule for accounts of which a fact is unknown; nothing where none was chosen."""
    return {"unknown": member["unknown"]} if member["unknown"] in {"yes", "no"} else {}


def _step_document(step: Shape) -> dict[str, Any]:
    """Return the document of a step: its head, the conditions that were filled in, and its action."""
    document: dict[str, Any] = {"key": step["key"], "name": step["name"], "when": _when_document(step)}
    until = _parse_number(step["until"])
    if until is not None:
        document["until"] = until
    for name in ("segments", "stages", "min_amount"):
        if step[name]:
            document[name] = step[name]
    if step["every_days"] or step["times"]:
        document["repeat"] = {"every_days": _parse_number(step["every_days"]), "max": _parse_number(step["times"])}
    if step["rule"]:
        document["rule"] = step["rule"]
        document |= _unknown_document(step)
    document["do"] = _action_document(step)
    return document


def _when_document(step: Shape) -> dict[str, Any]:
    """Return when a step is due: `{"dpd": 5}`, or days after a step or event, `{"after_step": …, "days": 5}`."""
    days = _parse_number(step["days"])
    if step["when"] == "dpd":
        return {"dpd": days}
    return {step["when"]: step.get(step["when"], ""), "days": days}


def _action_document(step: Shape) -> dict[str, Any]:
    """Return what a step does: send a message, create a task, change the stage, or place a hold."""
    if step["do"] == "send":
        tone = {"tone": step["tone"]} if step["tone"] else {}
        return {"send": step["template"], "by": step["channels"], **tone}
    if step["do"] == "task":
        task: dict[str, Any] = {
            "task": step["task"] or slugify(step["title"])[:_TASK_CODE_LENGTH_MAX],
            "title": step["title"],
            "due_in_days": _parse_number(step["due_in_days"]),
        }
        if step["queue"]:
            task["queue"] = step["queue"]
        return task
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
