"""Rotation of the data keys while the product runs: a new key, every value encrypted anew, the old keys retired.

Values are found by the fields of the models (`EncryptedTextField`) and, where a library's own JSON column holds them,
by what apps declare in `encrypted_json.py` as `ENCRYPTED_JSON`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Cast

from .declarations import declared
from .encrypted_field import EncryptedTextField
from .encryption import PREFIX, Undecryptable, decrypt_text, encrypt_text, find_key_id
from .keys import add_key, destroy_keys, read_key_ring, retire_keys

BATCH: Final = 200
PASSES: Final = 5
KEPT_RETIRED: Final = timedelta(hours=1)
"""How long a retired key still decrypts: longer than any statement that was under way when it was retired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedJson:
    """A JSON column of a library's model with encrypted texts somewhere in it, all of one context."""

    model: str
    column: str
    context: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a rotation did. `unreadable`: values of another installation's key, which stay as they are."""

    key_id: str
    rewritten: int
    unreadable: int
    retired: tuple[str, ...]
    destroyed: tuple[str, ...]


def count_values() -> Counter[str]:
    """Return how many encrypted values the database holds, by the id of their key; '?' for what is none of ours."""
    counts: Counter[str] = Counter()
    for field in encrypted_fields():
        column = field.model._base_manager.exclude(**{field.attname: ""}).values_list(field.attname, flat=True)  # noqa: SLF001
        counts.update(find_key_id(value) or "?" for value in column.iterator())
    for place in _json_places():
        for value in _json_rows(place).values_list(place.column, flat=True).iterator():
            counts.update(find_key_id(text) or "?" for text in _encrypted_texts(value))
    return counts


def has_unreadable_values() -> bool:
    """Tell if a column holds a value of a key that is not here: it was lost, or the database is another's."""
    known = [f"{PREFIX}{key.id}." for key in read_key_ring().keys]
    for field in encrypted_fields():
        rows = _stored_rows(field)
        for beginning in known:
            rows = rows.exclude(stored__startswith=beginning)
        if rows.exists():
            return True
    return False


def rotate_keys(*, is_drawn: bool = False, now: datetime) -> Rotation:
    """Encrypt everything with a new key and retire the others. Raises KeysUnsuitable.

    Others read and write meanwhile: every process takes up the new key at its next value, each batch is a transaction
    of its own, and a key is retired only when no value carries it. Keys retired by an earlier rotation are destroyed.
    `is_drawn`: the first key of the file is the new one already, and whoever put it there takes the others away.
    """
    destroyed = () if is_drawn else destroy_retired(now=now)
    if not is_drawn:
        add_key(now=now)
    ring = read_key_ring()
    earlier = {key.id for key in ring.keys[1:] if key.retired_at is None}
    rewritten = 0
    # Again where something that an earlier key had encrypted was stored behind the back of a pass.
    for _pass in range(PASSES):
        done, unreadable = encrypt_anew()
        rewritten += done
        carried = count_values()
        if not any(carried[key_id] for key_id in earlier):
            break
    retired = tuple(key.id for key in ring.keys[1:] if key.id in earlier and not carried[key.id])
    if retired and not is_drawn:
        retire_keys(frozenset(retired), now=now)
    return Rotation(
        key_id=ring.current.id, rewritten=rewritten, unreadable=unreadable, retired=retired, destroyed=destroyed
    )


def destroy_retired(*, now: datetime) -> tuple[str, ...]:
    """Destroy the keys that were retired a while ago and that no value carries; return their ids."""
    candidates = [
        key for key in read_key_ring().keys[1:] if key.retired_at is not None and key.retired_at <= now - KEPT_RETIRED
    ]
    if not candidates:
        return ()
    carried = count_values()
    destroyed = tuple(key.id for key in candidates if not carried[key.id])
    destroy_keys(frozenset(destroyed))
    return destroyed


def encrypt_anew() -> tuple[int, int]:
    """Encrypt with the current key what an earlier one encrypted; return how many values, and how many do not open."""
    rewritten = unreadable = 0
    for field in encrypted_fields():
        done, left = _encrypt_column(field)
        rewritten += done
        unreadable += left
    for place in _json_places():
        done, left = _encrypt_json(place)
        rewritten += done
        unreadable += left
    return rewritten, unreadable


def encrypted_fields() -> Iterator[EncryptedTextField]:
    """Yield the encrypted fields of all models."""
    for model in apps.get_models():
        for field in model._meta.local_fields:  # noqa: SLF001 - Django's own name for it
            if isinstance(field, EncryptedTextField):
                yield field


def _stored_rows(field: EncryptedTextField) -> models.QuerySet[models.Model]:
    """Return the rows with a value, and that value as `stored`."""
    rows = field.model._base_manager.annotate(stored=Cast(field.attname, models.TextField()))  # noqa: SLF001
    return rows.exclude(stored="")


def _encrypt_column(field: EncryptedTextField) -> tuple[int, int]:
    """Encrypt a column anew, a batch at a time; return the values done and those that do not open."""
    name = field.attname
    rewritten = 0
    unreadable = 0
    last_pk: Any = None
    while True:
        current = f"{PREFIX}{read_key_ring().current.id}."
        with transaction.atomic():
            rows = _stored_rows(field).exclude(stored__startswith=current)
            if last_pk is not None:
                rows = rows.filter(pk__gt=last_pk)
            batch = list(rows.select_for_update(no_key=True).order_by("pk")[:BATCH])
            for instance in batch:
                last_pk = instance.pk
                try:
                    setattr(instance, name, getattr(instance, name))
                except Undecryptable:
                    unreadable += 1
                    continue
                instance.save(update_fields=[name])
                rewritten += 1
        if not batch:
            return rewritten, unreadable


def _json_places() -> Iterator[EncryptedJson]:
    """Yield the JSON columns that apps declare."""
    yield from declared("encrypted_json", "ENCRYPTED_JSON")


def _json_rows(place: EncryptedJson) -> models.QuerySet[models.Model]:
    """Return the rows of a JSON column."""
    return apps.get_model(place.model)._base_manager.order_by("pk")  # noqa: SLF001 - Django's own name for it


def _encrypt_json(place: EncryptedJson) -> tuple[int, int]:
    """Encrypt the texts of a JSON column anew, row by row; return the values done and those that do not open."""
    rewritten = unreadable = 0
    for pk in list(_json_rows(place).values_list("pk", flat=True)):
        with transaction.atomic():
            instance = _json_rows(place).select_for_update(no_key=True).filter(pk=pk).first()
            if instance is None:
                continue
            document = json.dumps(getattr(instance, place.column))
            for text in set(_encrypted_texts(getattr(instance, place.column))):
                if find_key_id(text) == read_key_ring().current.id:
                    continue
                try:
                    plain = decrypt_text(text, context=place.context)
                except Undecryptable:
                    unreadable += 1
                    continue
                document = document.replace(text, encrypt_text(plain, context=place.context))
                rewritten += 1
            setattr(instance, place.column, json.loads(document))
            instance.save(update_fields=[place.column])
    return rewritten, unreadable


def _encrypted_texts(value: object) -> Iterator[str]:
    """Yield the encrypted texts in a JSON value."""
    if isinstance(value, str):
        if value.startswith(PREFIX):
            yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _encrypted_texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _encrypted_texts(part)
