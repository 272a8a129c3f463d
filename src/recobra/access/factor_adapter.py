"""What django-allauth asks about second factors: how their secrets are kept and what this product is called."""

from __future__ import annotations

from typing import Final

from allauth.mfa.adapter import DefaultMFAAdapter

from recobra.kit.encryption import decrypt_text, encrypt_text

CONTEXT: Final = "mfa_authenticator.data"


class FactorAdapter(DefaultMFAAdapter):
    """Keeps secrets under the data keys of the installation."""

    def encrypt(self, text: str) -> str:
        """Return a secret as the database has it."""
        return encrypt_text(text, context=CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret of the database in plain."""
        return decrypt_text(encrypted_text, context=CONTEXT)
