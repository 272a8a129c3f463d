"""Cut the providers' published OpenAPI documents down to the operations that the adapters use.

Usage: cut.py FOLDER, where FOLDER holds the documents as published (gzip'd or not). Writes tests/providers/openapi/.
What had to be corrected in a document so that it can be lived by is in `CORRECTIONS`, with the reason.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recobra_core import yaml_text

HERE = Path(__file__).parent / "openapi"
OPERATIONS = {
    "sendgrid": ("sendgrid/tsg_mail_v3.json", {"/v3/mail/send": ["post"]}),
    "twilio": (
        "twilio/twilio_api_v2010.json",
        {
            "/2010-04-01/Accounts/{AccountSid}/Messages.json": ["post"],
            "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json": ["get"],
            "/2010-04-01/Accounts/{AccountSid}/Calls.json": ["post"],
            "/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json": ["get", "post"],
            "/2010-04-01/Accounts/{Sid}.json": ["get"],
        },
    ),
    "meta": (
        "meta/business-messaging-api_v23.0.yaml",
        {
            "/{Version}/{Phone-Number-ID}/messages": ["post"],
            "/{Version}/{Phone-Number-ID}/media": ["post"],
            "/{Version}/{Media-ID}": ["get"],
            "/{Version}/{WABA-ID}/message_templates": ["get", "post"],
        },
    ),
    # Its address has the shape of a file's, so it stands alone.
    "meta_number": ("meta/business-messaging-api_v23.0.yaml", {"/{Version}/{Phone-Number-ID}": ["get"]}),
}
NOISE = {"description", "x-twilio", "summary", "tags", "externalDocs", "x-codeSamples", "x-maturity"}


def main(folder: Path) -> None:
    """Write each document, cut."""
    HERE.mkdir(exist_ok=True)
    for name, (file, operations) in OPERATIONS.items():
        document = cut_document(_load_document(folder / file), operations)
        CORRECTIONS[name](document)
        text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
        (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def cut_document(document: dict[str, Any], operations: dict[str, list[str]]) -> dict[str, Any]:
    """Return a document with these operations and what they refer to."""
    paths: dict[str, Any] = {}
    for path, methods in operations.items():
        path_item = {key: value for key, value in document["paths"][path].items() if key in {*methods, "parameters"}}
        paths[path] = _drop_prose(path_item)
    head = {key: document[key] for key in ("openapi", "info", "security") if key in document}
    result = {**head, "servers": document["servers"][:1], "paths": paths, "components": {}}
    schemes = document["components"].get("securitySchemes")
    if schemes:
        result["components"]["securitySchemes"] = schemes
    waiting = _find_references(result)
    while waiting:
        part, name = waiting.pop()
        parts = result["components"].setdefault(part, {})
        if name not in parts:
            parts[name] = _drop_prose(document["components"][part][name])
            waiting |= _find_references(parts[name])
    return result


def _drop_prose(value: Any) -> Any:
    """Return a document without its prose; one example of each answer stays."""
    if isinstance(value, dict):
        return {
            key: dict([next(iter(item.items()))])
            if key == "examples" and isinstance(item, dict) and item
            else _drop_prose(item)
            for key, item in value.items()
            if key not in NOISE or (key == "description" and not isinstance(item, str))
        }
    return [_drop_prose(item) for item in value] if isinstance(value, list) else value


def _find_references(value: Any) -> set[tuple[str, str]]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        discriminator = value.get("discriminator")
        own |= set(discriminator.get("mapping", {}).values()) if isinstance(discriminator, dict) else set()
        found = {(ref.split("/")[2], ref.split("/")[3]) for ref in own if ref.startswith("#/components/")}
        return found.union(*(_find_references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_find_references(item) for item in value)) if value else set()
    return set()


def _load_document(path: Path) -> dict[str, Any]:
    compressed = path.with_name(f"{path.name}.gz")
    text = (
        gzip.decompress(compressed.read_bytes()).decode() if compressed.exists() else path.read_text(encoding="utf-8")
    )
    return json.loads(text) if path.suffix == ".json" else yaml_text.load(text)


def _add_descriptions(document: dict[str, Any]) -> None:
    """Answers must have a description (OpenAPI 3.1, 4.8.17)."""
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation.get("responses", {}).values() if isinstance(operation, dict) else ():
                response.setdefault("description", "")


def _correct_meta(document: dict[str, Any]) -> None:
    _add_descriptions(document)
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        # Each kind of message closes itself against other fields inside `allOf`, where it cannot see those of the
        # base beside it: read strictly, no message at all is valid. The base requires, the kinds describe.
        for part in schema.get("allOf", ()):
            part.pop("additionalProperties", None)
    # «^[2-6, 11-14]$» is a note on which buttons exist that became a pattern; the API counts buttons from 0 to 9.
    schemas["TemplateComponent"]["properties"]["index"]["pattern"] = "^[0-9]$"
    # A file named by its path, as JSON, is a note of the example's writer; files travel as forms.
    content = document["paths"]["/{Version}/{Phone-Number-ID}/media"]["post"]["requestBody"]["content"]
    content.pop("application/json")


CORRECTIONS: dict[str, Callable[[dict[str, Any]], None]] = {
    "sendgrid": _add_descriptions,
    "twilio": _add_descriptions,
    "meta": _correct_meta,
    "meta_number": _add_descriptions,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
