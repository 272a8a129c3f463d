"""A passkey in software: what a browser and its authenticator answer, by the WebAuthn standard."""

from __future__ import annotations

import hashlib
import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

_PRESENT, _VERIFIED, _ATTESTED = 1, 4, 64


class SoftwareKey:
    """One key pair (ES256) for the site of an origin."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.uses = 0

    def create(self, options) -> str:
        """Answer a page that asks for a new key; return the credential as JSON."""
        public = cbor.encode(dict(ES256.from_cryptography_key(self.private.public_key())))
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        data = self._authenticator_data(_PRESENT | _VERIFIED | _ATTESTED) + attested
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client_data = self._client_data("webauthn.create", options["publicKey"]["challenge"])
        return self._credential({"clientDataJSON": client_data, "attestationObject": attestation})

    def get(self, options, *, spoilt: str = "") -> str:
        """Answer a page that asks for the key; return the credential as JSON, with something `spoilt`."""
        self.uses += 1
        challenge = websafe_encode(os.urandom(32)) if spoilt == "challenge" else options["publicKey"]["challenge"]
        data = self._authenticator_data(_PRESENT | _VERIFIED)
        client_data = self._client_data("webauthn.get", challenge)
        signed = data + hashlib.sha256(client_data).digest()
        signature = self.private.sign(signed + (b"x" if spoilt == "signature" else b""), ec.ECDSA(hashes.SHA256()))
        if spoilt == "origin":
            data = hashlib.sha256(b"malo.example").digest() + data[32:]
        return self._credential({"clientDataJSON": client_data, "authenticatorData": data, "signature": signature})

    def _authenticator_data(self, flags: int) -> bytes:
        site = self.origin.partition("//")[2].partition(":")[0]
        return hashlib.sha256(site.encode()).digest() + bytes([flags]) + self.uses.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _credential(self, response: dict[str, bytes]) -> str:
        encoded = websafe_encode(self.id)
        sent = {name: websafe_encode(value) for name, value in response.items()}
        return json.dumps(
            {"id": encoded, "rawId": encoded, "type": "public-key", "response": sent, "clientExtensionResults": {}}
        )
