"""Providers' secrets were encrypted from SECRET_KEY, whose rotation shut them; now they are under the data keys."""

import base64
import json
import logging

from django.conf import settings
from django.db import migrations
from django.utils.encoding import force_bytes

import recobra.kit.encrypted_field
from recobra.kit.encryption import PREFIX, Undecryptable

_log = logging.getLogger(__name__)


def make_fernet():
    """Return what encrypts with the secret key and decrypts with its fallbacks too."""
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - a command that migrates nothing loads none
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    fernets = []
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"recobra.contact.provider-secrets")
        fernets.append(Fernet(base64.urlsafe_b64encode(derivation.derive(force_bytes(key)))))
    return MultiFernet(fernets)


def read_columns(schema_editor):
    """Return id and column of the providers with secrets."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, secrets FROM messaging_provider WHERE secrets <> ''")
        return cursor.fetchall()


def encrypt_with_data_key(apps, schema_editor):
    """Encrypt anew what the secret key or a fallback opens; what neither opens stays as it is, and is named."""
    rows = [row for row in read_columns(schema_editor) if not row[1].startswith(PREFIX)]
    if not rows:
        return
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - as above

    fernet = make_fernet()
    for provider_id, stored in rows:
        provider = apps.get_model("messaging", "Provider").objects.get(pk=provider_id)
        try:
            provider.secrets = json.loads(fernet.decrypt(stored.encode()))
        except InvalidToken:
            _log.warning("The secrets of provider %s belong to another key and stay as they are.", provider.code)
            continue
        provider.save(update_fields=["secrets"])


def encrypt_with_secret_key(apps, schema_editor):
    """Encrypt from the secret key again what a data key opens."""
    rows = read_columns(schema_editor)
    fernet = make_fernet() if rows else None
    for provider_id, _stored in rows:
        provider = apps.get_model("messaging", "Provider").objects.get(pk=provider_id)
        try:
            stored = fernet.encrypt(json.dumps(provider.secrets).encode()).decode()
        except Undecryptable:
            continue
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("UPDATE messaging_provider SET secrets = %s WHERE id = %s", [stored, provider_id])


class Migration(migrations.Migration):
    dependencies = [("messaging", "0005_public_id_by_database")]

    operations = [
        migrations.AlterField(
            model_name="provider",
            name="secrets",
            field=recobra.kit.encrypted_field.EncryptedJSONField(default=dict, row="code"),
        ),
        migrations.RunPython(encrypt_with_data_key, encrypt_with_secret_key),
    ]
