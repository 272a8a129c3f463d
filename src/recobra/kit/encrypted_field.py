"""Model fields whose column holds nothing but encrypted values, decrypted when the attribute is first read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from .encryption import Undecryptable, decrypt_text, encrypt_text, find_key_id
from .keys import read_key_ring

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


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
            held = _Hidden(self.field.decrypt(instance, held))
            instance.__dict__[name] = held
        return held.value

    def __set__(self, instance: models.Model, value: object) -> None:
        instance.__dict__[self.field.attname] = value if isinstance(value, EncryptedValue) else _Hidden(value)


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # as each model says
    """A text that is encrypted in its column; '' is stored as ''.

    `row` names a field of the model that never changes and is known before the row is stored: a value copied to another
    row does not open. A value is written by saving its instance; `update()` and lookups refuse plain texts.
    """

    descriptor_class = _DecryptedAttribute

    def __init__(self, *args: Any, row: str = "", **kwargs: Any) -> None:
        self.row = row
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Return the field as migrations write it."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "row": self.row} if self.row else kwargs

    def context(self, instance: models.Model) -> str:
        """Return the place of an instance's value, which is authenticated with it."""
        place = f"{self.model._meta.db_table}.{self.column}"  # noqa: SLF001 - Django's own name for it
        return f"{place}:{getattr(instance, self.row)}" if self.row else place

    def decrypt(self, instance: models.Model, value: str) -> Any:
        """Return the value of an instance in plain. Raises Undecryptable."""
        return decrypt_text(value, context=self.context(instance))

    def encrypt(self, instance: models.Model, value: Any) -> str:
        """Return the value of an instance encrypted with the current key."""
        return encrypt_text(value, context=self.context(instance))

    def from_db_value(self, value: str | None, _expression: object, _connection: BaseDatabaseWrapper) -> object:
        """Return the value of a column, still encrypted."""
        return EncryptedValue(value) if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001, ARG002 - Django's own signature
        """Return what is stored: the value encrypted with the current key, also where it was not read meanwhile."""
        held = model_instance.__dict__[self.attname]
        if isinstance(held, EncryptedValue) and find_key_id(held) == read_key_ring().current.id:
            return held
        try:
            value = getattr(model_instance, self.attname)
        except Undecryptable:  # of another installation: it stays as it is until somebody gives it again
            return held
        return EncryptedValue(self.encrypt(model_instance, value)) if value else ""

    def get_prep_value(self, value: Any) -> Any:
        """Return a value for SQL. Raises TypeError for one that is not encrypted."""
        if not value:
            return ""
        if not isinstance(value, EncryptedValue):
            raise TypeError(f"{self} is encrypted: save the instance; it cannot be compared or updated in plain.")
        return str(value)


class EncryptedJSONField(EncryptedTextField):
    """A JSON object that is encrypted in its column as text; an empty one is stored as ''."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def decrypt(self, instance: models.Model, value: str) -> Any:
        """Return the object of an instance. Raises Undecryptable."""
        return json.loads(super().decrypt(instance, value))

    def encrypt(self, instance: models.Model, value: Any) -> str:
        """Return the object of an instance encrypted with the current key."""
        return super().encrypt(instance, json.dumps(value, ensure_ascii=False))

    def from_db_value(self, value: str | None, _expression: object, _connection: BaseDatabaseWrapper) -> object:
        """Return the value of a column, still encrypted; an empty object of its own for ''."""
        return EncryptedValue(value) if value else {}
