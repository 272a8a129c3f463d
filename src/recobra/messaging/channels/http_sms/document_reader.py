"""Reader of gateway documents. It collects every fault with its line and what was expected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import available_timezones

import yaml
from django.utils.translation import gettext as _

from recobra.messaging.channels.adapter import Unsuitable
from recobra.messaging.channels.http import validate_base_url
from recobra.messaging.channels.http_sms.document import (
    PLACEHOLDERS,
    Answer,
    Calls,
    Check,
    Gateway,
    Inbound,
    Receipts,
    Request,
)
from recobra.messaging.channels.http_sms.nodes import Fault, Node

MAX_CHARACTERS = 20_000
MAX_DEPTH = 20
_OPENING = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
_TOP = ("name", "request", "answer", "calls", "receipts", "inbound")
_REQUEST = ("method", "url", "headers", "body", "fields", "number", "letters", "charset", "repeat_is_safe")
_ANSWER = ("accepted", "id", "error", "success", "text", "permanent", "refused", "retry", "server_errors")
_CHECK = ("kind", "name", "algorithm", "encoding", "prefix")
_MEANINGS = ("accepted", "delivered", "failed", "permanent")


@dataclass(frozen=True, slots=True)
class ReadResult:
    """A gateway, None where its document has faults."""

    gateway: Gateway | None
    faults: tuple[Fault, ...]


def read_document(text: str) -> ReadResult:
    """Return the gateway that a document describes, or all its faults."""
    faults: list[Fault] = []
    if len(text) > MAX_CHARACTERS:
        return ReadResult(
            None, (Fault(1, "", _("a document of at most %(most)d characters") % {"most": MAX_CHARACTERS}),)
        )
    try:
        root = _compose(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return ReadResult(None, (Fault(line, "", _("YAML: %(problem)s") % {"problem": error.problem or ""}),))
    except (yaml.YAMLError, RecursionError):
        return ReadResult(None, (Fault(1, "", _("a readable YAML document")),))
    top = Node(root, "", faults)
    gateway = _read_gateway(top)
    return ReadResult(None if faults else gateway, tuple(faults))


def _compose(text: str) -> yaml.Node | None:
    """Parse YAML into nodes with their lines. Raises yaml.YAMLError, also for anchors and for too many levels."""
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > MAX_DEPTH:
            # YAML takes time by the square of the depth: seconds for a few thousand brackets.
            raise yaml.MarkedYAMLError(problem=_("too many levels inside each other"), problem_mark=token.start_mark)
        if isinstance(token, yaml.AnchorToken):
            # Anchors would let a short document stand for an endless one.
            raise yaml.MarkedYAMLError(problem=_("anchors are not used here"), problem_mark=token.start_mark)
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _read_gateway(top: Node) -> Gateway:
    """Read the whole document; its nodes collect the faults, and a faulty value is replaced by a default."""
    top.allow_only(*_TOP)
    calls = _read_calls(top.at("calls")) if top.at("calls").is_given else None
    for part in ("receipts", "inbound"):
        if top.at(part).is_given and calls is None:
            top.at(part).refuse(_("a part «calls» that says how a call is checked"))
    return Gateway(
        name=top.at("name").text(),
        request=_read_request(top.at("request")),
        answer=_read_answer(top.at("answer")),
        calls=calls,
        receipts=_read_receipts(top.at("receipts")) if top.at("receipts").is_given else None,
        inbound=_read_inbound(top.at("inbound")) if top.at("inbound").is_given else None,
    )


def _read_request(node: Node) -> Request:
    """Read `request`: how the gateway is called."""
    node.allow_only(*_REQUEST)
    method: Literal["POST", "GET"] = node.at("method").choice("POST", "GET")
    body: Literal["json", "form", "query"] = node.at("body").choice("json", "form", "query")
    if method == "GET" and body != "query":
        node.at("body").refuse(_("«query»: a GET has no body"))
    fields = node.at("fields").value()
    headers = node.at("headers").texts_by_name()
    used = _find_placeholders(node, (fields, headers))
    for needed in ("to", "text"):
        if needed not in used:
            node.at("fields").refuse(_("a field with {%(name)s}") % {"name": needed})
    repeat_is_safe = node.at("repeat_is_safe").boolean(default=False)
    if repeat_is_safe and "id" not in used:
        node.at("repeat_is_safe").refuse(_("{id} in a field or header, by which the gateway knows a repeated message"))
    return Request(
        method=method,
        url=_read_url(node.at("url")),
        headers=headers,
        body=body,
        fields=_check_fields(node.at("fields"), fields, body),
        number=node.at("number").choice("e164", "digits", "national", default="e164"),
        letters=node.at("letters").choice("unicode", "gsm", default="unicode"),
        charset=node.at("charset").choice("utf-8", "latin-1", default="utf-8"),
        repeat_is_safe=repeat_is_safe,
    )


def _find_placeholders(node: Node, templates: Any) -> set[str]:
    """Return the placeholders that the templates use; unknown ones become faults of the node."""
    used = set(re.findall(r"\{(\w+)\}", repr(templates)))
    for unknown in sorted(used - PLACEHOLDERS):
        node.refuse(
            _("{%(name)s} is unknown; known are %(known)s")
            % {"name": unknown, "known": ", ".join(sorted(PLACEHOLDERS))}
        )
    return used


def _read_url(node: Node) -> str:
    """Read the gateway's address; one that must not be called becomes a fault."""
    text = node.text()
    if text:
        try:
            validate_base_url(text)
        except Unsuitable as error:
            node.refuse(str(error).removesuffix("."))
    return text


def _check_fields(node: Node, fields: Any, body: str) -> Any:
    """Return the fields of the request as given, {} where they are not a mapping; only JSON may nest."""
    if not isinstance(fields, dict):
        node.refuse(_("a list of fields with their values"))
        return {}
    if body != "json" and any(isinstance(value, dict | list) for value in fields.values()):
        node.refuse(_("plain values: only a JSON body nests"))
    return fields


def _read_answer(node: Node) -> Answer:
    """Read `answer`: how the gateway's replies are understood."""
    node.allow_only(*_ANSWER)
    success = node.at("success")
    if success.is_given:
        success.allow_only("path", "values")
    return Answer(
        accepted=frozenset(node.at("accepted").numbers(100, 599, default=(200, 201, 202))),
        id=node.at("id").path(),
        error=node.at("error").path(),
        success=success.at("path").path() if success.is_given else (),
        success_values=frozenset(success.at("values").words()) if success.is_given else frozenset(),
        pattern=_read_pattern(node.at("text")),
        permanent=frozenset(node.at("permanent").words()),
        refused=frozenset(node.at("refused").words()),
        retry=frozenset(node.at("retry").words()),
        server_errors=node.at("server_errors").choice("uncertain", "retry", default="uncertain"),
    )


def _read_pattern(node: Node) -> re.Pattern[str] | None:
    """Read the regular expression that takes a text reply apart, None where there is none or it does not compile."""
    if not node.is_given:
        return None
    try:
        return re.compile(node.text())
    except re.error as error:
        node.refuse(_("a regular expression with named groups (%(problem)s)") % {"problem": error})
        return None


def _read_calls(node: Node) -> Calls:
    """Read `calls`: how the gateway's own calls are checked, and where their items and times are."""
    node.allow_only("check", "items", "answer", "at_format", "time_zone")
    zone = node.at("time_zone").text(default="UTC")
    if zone not in available_timezones():
        node.at("time_zone").refuse(_("a time zone such as America/Lima"))
    return Calls(
        check=_read_check(node.at("check")),
        items=node.at("items").path(),
        answer=node.at("answer").text(default=""),
        at_format=node.at("at_format").choice("iso", "unix", "unix_ms", default="iso"),
        time_zone=zone,
    )


def _read_check(node: Node) -> Check:
    """Read `calls.check`: the proof that a call is the gateway's."""
    node.allow_only(*_CHECK)
    kind: Literal["hmac", "header", "query", "basic"] = node.at("kind").choice("hmac", "header", "query", "basic")
    name = node.at("name").text(default="authorization" if kind == "basic" else None)
    return Check(
        kind=kind,
        name=name if kind == "query" else name.lower(),
        algorithm=node.at("algorithm").choice("sha256", "sha1", "sha512", default="sha256"),
        encoding=node.at("encoding").choice("hex", "base64", default="hex"),
        prefix=node.at("prefix").text(default=""),
    )


def _read_receipts(node: Node) -> Receipts:
    """Read `receipts`: where a receipt has its fields, and what the gateway's status words mean."""
    node.allow_only("status", "reference", "id", "at", "error", "statuses")
    if not node.at("reference").is_given and not node.at("id").is_given:
        node.refuse(_("«reference» or «id»: by which of our messages it is known"))
    statuses = node.at("statuses")
    statuses.allow_only(*_MEANINGS)
    meanings = {}
    for meaning in _MEANINGS:
        for word in statuses.at(meaning).words():
            meanings[word] = meaning
    if not meanings:
        statuses.refuse(_("the gateway's words under %(known)s") % {"known": ", ".join(_MEANINGS)})
    return Receipts(
        status=node.at("status").path(required=True),
        reference=node.at("reference").path(),
        id=node.at("id").path(),
        at=node.at("at").path(),
        error=node.at("error").path(),
        statuses=meanings,
    )


def _read_inbound(node: Node) -> Inbound:
    """Read `inbound`: where a debtor's message has its fields."""
    node.allow_only("from", "text", "to", "id", "at")
    if not node.at("id").is_given and not node.at("at").is_given:
        # Two messages «si» of one number are two; one message in two calls is one.
        node.refuse(_("«id» or «at»: by which a message told twice is known"))
    return Inbound(
        sender=node.at("from").path(required=True),
        text=node.at("text").path(required=True),
        to=node.at("to").path(),
        id=node.at("id").path(),
        at=node.at("at").path(),
    )
