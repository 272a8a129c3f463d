"""Model fields whose column holds nothing but encrypted values, decrypted when the attribute is first read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import gettext_lazy

from .encryption import HEAD_LENGTH, Undecryptable, decrypt_bytes, encrypt_bytes, find_key_id, is_encrypted
from .keys import read_key_ring

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.utils.functional import _StrPromise

    from .keys import DataKey


UNREADABLE: Final = gettext_lazy("This text cannot be read: the key that encrypted it is not here.")


class UnreadableText(str):
    """What pages show in place of a text whose key is not here. Nothing sends it."""

    __slots__ = ()


def holds_stand_in(text: str) -> bool:
    """Tell if a text that a form brings is, or holds, what its page showed in place of an unreadable one."""
    return str(UNREADABLE) in text


class EncryptedValue(str):
    """An encrypted value as it stands in the column."""

    __slots__ = ()


class _Hidden:
    """A value in plain among the attributes of an instance, which `vars()` and reports of errors do not show."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class _DecryptedAttribute(DeferredAttribute):
    """The attribute of an encrypted field: what came from the database is decrypted when it is first read."""

    field: EncryptedTextField

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            super().__get__(instance, cls)  # a deferred column, which Django reads into the attributes
        held = instance.__dict__[name]
        if isinstance(held, EncryptedValue):
            try:
                held = _Hidden(self.field.read(instance))
            except Undecryptable:
                if self.field.stand_in is None:
                    raise
                # The value stays with the instance, so that saving it loses nothing.
                return UnreadableText(self.field.stand_in)
            instance.__dict__[name] = held
        return held.value

    def __set__(self, instance: models.Model, value: object) -> None:
        instance.__dict__[self.field.attname] = value if isinstance(value, EncryptedValue) else _Hidden(value)


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # as each model says
    """A text that is encrypted in its column; '' is stored as ''.

    `row` names a field of the model that never changes and is known before the row is stored: a value copied to another
    row does not open. A value is written by saving its instance; `update()` and lookups refuse plain texts, and SQL
    takes what `seal` returns.

    `was_plain`: the column has many rows, of which those written before it was encrypted are read as they stand there,
    until the pass of `kit/key_rotation.py` reaches them. Its texts are packed.
    """

    descriptor_class = _DecryptedAttribute

    def __init__(self, *args: Any, row: str = "", was_plain: bool = False, **kwargs: Any) -> None:
        self.row = row
        self.was_plain = was_plain
        super().__init__(*args, **kwargs)

    @property
    def stand_in(self) -> _StrPromise | None:
        """What pages show in place of a text that does not open; None where reading it raises Undecryptable."""
        return UNREADABLE if self.was_plain else None

    def deconstruct(self) -> Any:
        """Return the field as migrations write it."""
        name, path, args, kwargs = super().deconstruct()
        if self.row:
            kwargs["row"] = self.row
        if self.was_plain:
            kwargs["was_plain"] = True
        return name, path, args, kwargs

    def seal(self, value: Any, *, row: object = "", key: DataKey | None = None) -> str:
        """Return a value encrypted with the current key, as SQL stores it; `row` is what the field `row` holds.

        `key` is the current one, for who has asked for it already.
        """
        if not value:
            return ""
        return encrypt_bytes(self.to_bytes(value), context=self._place(row), packs=self.was_plain, key=key)

    def open(self, stored: str, *, row: object = "") -> Any:
        """Return in plain what the column holds, as SQL reads it. Raises Undecryptable."""
        return self.to_value(decrypt_bytes(stored, context=self._place(row)))

    def to_bytes(self, value: Any) -> bytes:
        """Return a value as it is encrypted."""
        return str(value).encode()

    def to_value(self, content: bytes) -> Any:
        """Return a value as it was before `to_bytes`."""
        return content.decode()

    def decrypt(self, instance: models.Model, value: str) -> Any:
        """Return the value of an instance in plain. Raises Undecryptable."""
        return self.open(value, row=self.row_of(instance))

    def encrypt(self, instance: models.Model, value: Any) -> str:
        """Return the value of an instance encrypted with the current key."""
        return self.seal(value, row=self.row_of(instance))

    def from_db_value(self, value: Any, _expression: object, _connection: BaseDatabaseWrapper) -> object:
        """Return the value of a column, still encrypted; one that was never encrypted in plain."""
        if not value or (self.was_plain and not is_encrypted(value)):
            return value
        return EncryptedValue(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001, ARG002 - Django's own signature
        """Return what is stored: the value encrypted with the current key, also where it was not read meanwhile."""
        held = self.stored(model_instance)
        if isinstance(held, EncryptedValue) and find_key_id(held) == read_key_ring().current.id:
            return held
        try:
            return EncryptedValue(self.encrypt(model_instance, self.read(model_instance)))
        except Undecryptable:  # of another installation: it stays as it is until somebody gives it again
            return held

    def get_prep_value(self, value: Any) -> Any:
        """Return a value for SQL. Raises TypeError for one that is not encrypted."""
        if not value:
            return ""
        if not isinstance(value, EncryptedValue):
            raise TypeError(f"{self} is encrypted: save the instance; it cannot be compared or updated in plain.")
        return str(value)

    def stored(self, instance: models.Model) -> Any:
        """Return what an instance holds as it came from the database: an EncryptedValue, or a plain value."""
        held = instance.__dict__[self.attname]
        return held.value if isinstance(held, _Hidden) else held

    def read(self, instance: models.Model) -> Any:
        """Return the value of an instance in plain, also where pages show a stand-in. Raises Undecryptable."""
        held = self.stored(instance)
        return self.decrypt(instance, held) if isinstance(held, EncryptedValue) else held

    def row_of(self, instance: models.Model) -> object:
        """Return what the field `row` of an instance holds, '' where the field names none."""
        return getattr(instance, self.row) if self.row else ""

    def _place(self, row: object) -> str:
        """Return the place of a row's value, which is authenticated with it."""
        place = f"{self.model._meta.db_table}.{self.column}"  # noqa: SLF001 - Django's own name for it
        if isinstance(row, datetime):
            row = row.astimezone(UTC).isoformat()
        return f"{place}:{row}" if self.row else place


class EncryptedJSONField(EncryptedTextField):
    """A JSON object that is encrypted in its column as text; an empty one is stored as ''."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any
    stand_in = None

    def to_bytes(self, value: Any) -> bytes:
        """Return an object as its JSON."""
        return json.dumps(value, ensure_ascii=False).encode()

    def to_value(self, content: bytes) -> Any:
        """Return the object of a JSON text."""
        return json.loads(content)

    def from_db_value(self, value: str | None, expression: object, connection: BaseDatabaseWrapper) -> object:
        """Return the value of a column, still encrypted; an empty object of its own for ''."""
        held = super().from_db_value(value, expression, connection)
        if isinstance(held, EncryptedValue):
            return held
        return json.loads(value) if value else {}


class EncryptedBinaryField(EncryptedTextField):
    """Bytes that are encrypted in their column, as ASCII in `bytea`; none are stored as none."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any
    stand_in = None

    def get_internal_type(self) -> str:
        """Return Django's name for the type of the column."""
        return "BinaryField"

    def to_bytes(self, value: Any) -> bytes:
        """Return bytes as they are."""
        return bytes(value)

    def to_value(self, content: bytes) -> Any:
        """Return bytes as they are."""
        return content

    def from_db_value(self, value: Any, expression: object, connection: BaseDatabaseWrapper) -> object:
        """Return the value of a column, still encrypted; one that was never encrypted in plain."""
        stored = bytes(value or b"")
        head = stored[:HEAD_LENGTH].decode("latin-1")
        if find_key_id(head) is None:
            return stored
        held = super().from_db_value(stored.decode("latin-1"), expression, connection)
        return held if isinstance(held, EncryptedValue) else stored

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> bytes:  # noqa: FBT001, FBT002, ARG002 - Django's own
        """Return a value for SQL. Raises TypeError for one that is not encrypted."""
        return str(self.get_prep_value(value)).encode()
