"""What django-allauth keeps encrypted in a JSON column of its own."""

from recobra.kit.key_rotation import EncryptedJson

from .factor_adapter import CONTEXT

ENCRYPTED_JSON = (EncryptedJson(model="mfa.Authenticator", column="data", context=CONTEXT),)
