"""Rotation of the data keys while the product runs: a new key, every value encrypted anew, the old keys retired.

Values are found by the fields of the models (`EncryptedTextField`) and, where a library's own JSON column holds them,
by what apps declare in `encrypted_json.py` as `ENCRYPTED_JSON`. Columns that held plain texts before
(`EncryptedTextField.was_plain`) are encrypted by the same passes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import Count, F, Func, Q

from .declarations import declared
from .encrypted_field import EncryptedTextField, EncryptedValue
from .encryption import HEAD_LENGTH, PREFIX, Undecryptable, decrypt_text, encrypt_text, find_key_id, list_heads
from .keys import add_key, destroy_keys, read_key_ring, retire_keys

BATCH: Final = 200
PLAIN: Final = "plain"
"""Among the ids of keys: the values that no pass has encrypted yet."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a batch of a table did: the last row it looked at, as text, the values written, those that do not open."""

    last_pk: str
    rewritten: int
    unreadable: int


def count_values(*, without_texts: bool = False) -> Counter[str]:
    """Return how many encrypted values the database holds, by the id of their key.

    PLAIN counts those that wait to be encrypted, '?' what is none of ours. The texts of messages are many and take
    seconds to count: `without_texts` leaves out all columns that were plain once.
    """
    counts: Counter[str] = Counter()
    for field in encrypted_fields():
        if without_texts and field.was_plain:
            continue
        rows = field.model._base_manager.order_by().annotate(head=_head_of(field))  # noqa: SLF001
        for head, count in rows.values_list("head").annotate(n=Count("pk")):
            counts[_name_key(field, head)] += count
    del counts[""]
    for place in _json_places():
        for value in _json_rows(place).values_list(place.column, flat=True).iterator():
            counts.update(find_key_id(text) or "?" for text in _encrypted_texts(value))
    return counts


def has_unreadable_values() -> bool:
    """Tell if a secret is of a key that is not here: it was lost, or the database is another's.

    Asked by pages, so the texts of messages are left out: their keys are those of the secrets.
    """
    known = ["", *(head for key in read_key_ring().keys for head in list_heads(key.id))]
    for field in encrypted_fields():
        if field.was_plain:
            continue
        rows = field.model._base_manager.annotate(head=_head_of(field))  # noqa: SLF001
        if rows.exclude(head__in=known).exists():
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
    """Encrypt with the current key what is not; return how many values, and how many do not open."""
    rewritten = unreadable = 0
    for model in encrypted_models():
        last_pk = ""
        while (batch := encrypt_batch(model, after=last_pk)) is not None:
            last_pk = batch.last_pk
            rewritten += batch.rewritten
            unreadable += batch.unreadable
    done, left = encrypt_json_anew()
    return rewritten + done, unreadable + left


def encrypted_models() -> list[type[models.Model]]:
    """Return the models with encrypted fields, those with secrets first."""
    by_model: dict[type[models.Model], bool] = {}
    for field in encrypted_fields():
        by_model[field.model] = by_model.get(field.model, True) and field.was_plain
    return sorted(by_model, key=lambda model: by_model[model])


def rows_left(model: type[models.Model], *, after: str) -> models.QuerySet[models.Model]:
    """Return the rows of a table after one that hold a value which the current key has not encrypted.

    `after` is the primary key of that row as text, '' for all rows.
    """
    current = ["", *list_heads(read_key_ring().current.id)]
    rows = model._base_manager.filter(pk__gt=after) if after else model._base_manager.all()  # noqa: SLF001 - Django's own name for it
    is_left = Q()
    for number, field in enumerate(_fields_of(model)):
        rows = rows.annotate(**{f"head{number}": _head_of(field)})
        is_left |= ~Q(**{f"head{number}__in": _as_column(field, current)})
    return rows.filter(is_left)


@transaction.atomic
def encrypt_batch(model: type[models.Model], *, after: str) -> Batch | None:
    """Encrypt with the current key what is not in the next rows of a table, None where there is no further one.

    `after` is the key of the last row that was looked at, '' before the first. The rows are locked, and written by one
    statement.
    """
    fields = _fields_of(model)
    current = list_heads(read_key_ring().current.id)
    names = {field.attname for field in fields} | {field.row for field in fields if field.row}
    rows = rows_left(model, after=after).only(*names)
    batch = list(rows.select_for_update(no_key=True).order_by("pk")[:BATCH])
    if not batch:
        return None
    rewritten = unreadable = 0
    written: list[dict[str, object]] = []
    for instance in batch:
        row: dict[str, object] = {"pk": str(instance.pk)}
        for number, field in enumerate(fields):
            held = field.stored(instance)
            if isinstance(held, EncryptedValue) and held[:HEAD_LENGTH] in current:
                row[f"value{number}"] = str(held)
                continue
            try:
                row[f"value{number}"] = field.encrypt(instance, field.read(instance))
                rewritten += bool(row[f"value{number}"])
            except Undecryptable:
                row[f"value{number}"] = str(held)
                unreadable += 1
        written.append(row)
    _write_batch(model, fields, written)
    return Batch(last_pk=str(batch[-1].pk), rewritten=rewritten, unreadable=unreadable)


def _write_batch(model: type[models.Model], fields: list[EncryptedTextField], written: list[dict[str, object]]) -> None:
    """Write the values of a batch: JSON, because arrays of long texts are slow to write."""
    quote = connection.ops.quote_name
    names = [f"value{number}" for number in range(len(fields))]
    assignments = ", ".join(
        f"{quote(str(field.column))} = given.{name}::{field.db_type(connection)}"
        for field, name in zip(fields, names, strict=True)
    )
    columns = ", ".join(f"{name} text" for name in names)
    table, key = quote(model._meta.db_table), quote(str(model._meta.pk.column))  # noqa: SLF001
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {assignments} FROM json_to_recordset(%s::json) AS given(pk text, {columns})"
            f" WHERE {table}.{key} = given.pk::{model._meta.pk.db_type(connection)}",  # noqa: SLF001
            [json.dumps(written)],
        )


def encrypted_fields() -> Iterator[EncryptedTextField]:
    """Yield the encrypted fields of all models."""
    for model in apps.get_models():
        for field in model._meta.local_fields:  # noqa: SLF001 - Django's own name for it
            if isinstance(field, EncryptedTextField):
                yield field


def _fields_of(model: type[models.Model]) -> list[EncryptedTextField]:
    return [field for field in encrypted_fields() if field.model is model]


def decrypt_texts(model: type[models.Model]) -> None:
    """Put the texts of a table back in plain, as they were before they were encrypted: for a migration backwards."""
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)  # noqa: SLF001 - Django's own name for it
    fields = [field for field in model._meta.local_fields if isinstance(field, EncryptedTextField) and field.was_plain]  # noqa: SLF001
    with connection.cursor() as cursor:
        for instance in model._base_manager.order_by("pk").iterator(chunk_size=BATCH):  # noqa: SLF001
            for field in fields:
                held = field.stored(instance)
                if not isinstance(held, EncryptedValue):
                    continue
                content = field.to_bytes(field.read(instance))
                is_binary = _column_type(field) is models.BinaryField
                statement = f"UPDATE {table} SET {quote(str(field.column))} = %s WHERE id = %s"
                cursor.execute(statement, [content if is_binary else content.decode(), instance.pk])


def _head_of(field: EncryptedTextField) -> Func:
    """Return the expression of the first characters of a column, which name the key."""
    return Func(
        F(field.attname),
        template=f"substring(%(expressions)s from 1 for {HEAD_LENGTH})",
        output_field=_column_type(field)(),
    )


def _column_type(field: EncryptedTextField) -> type[models.Field[Any, Any]]:
    return models.BinaryField if field.get_internal_type() == "BinaryField" else models.TextField


def _as_column(field: EncryptedTextField, heads: list[str]) -> list[str] | list[bytes]:
    """Return heads in the type of a column."""
    return [head.encode() for head in heads] if _column_type(field) is models.BinaryField else heads


def _name_key(field: EncryptedTextField, head: str | bytes) -> str:
    """Return the id of the key in the head of a value, '' for an empty one, PLAIN or '?' for one without."""
    text = head if isinstance(head, str) else bytes(head).decode("latin-1")
    if not text:
        return ""
    return find_key_id(text) or (PLAIN if field.was_plain else "?")


def encrypt_json_anew() -> tuple[int, int]:
    """Encrypt the values in JSON columns of libraries anew; return those done and those that do not open."""
    rewritten = unreadable = 0
    for place in _json_places():
        done, left = _encrypt_json(place)
        rewritten += done
        unreadable += left
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
