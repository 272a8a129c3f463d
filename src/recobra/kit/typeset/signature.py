"""Signature of the installation under its documents.

The key is created on first use and stored in the folder of keys (`evidence-key.pem`: private key and self-signed
certificate, readable by the owner only). Checking a document takes the certificate alone, once, from the company.
Machines that share a database must share this file, or each signs with a name of its own.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from asn1crypto import keys as asn1_keys  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko_certvalidator.registry import SimpleCertificateStore

from recobra.kit import created_once, keys

PDF_FIELD: Final = "Recobra"
CERTIFICATE_YEARS: Final = 20
FORMAT: Final = "recobra-signature/1"
ALGORITHM: Final = "ECDSA P-256, SHA-256, DER"


class KeyUnsuitable(Exception):
    """The file of the signing key cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Signing key of the installation with its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hexadecimal."""
        return fingerprint(self.certificate)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate, in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def load_identity(*, now: datetime) -> Identity:
    """Return the installation's identity, created on first use. Raises KeyUnsuitable, keys.KeysUnsuitable."""
    path = keys.find_key_file(keys.EVIDENCE_KEY)
    # A key takes a while to make, so only where there is none.
    text = path.read_text("utf-8") if path.exists() else created_once.read_or_create(path, _create_identity_pem(now))
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
        certificate = x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise KeyUnsuitable(f"{keys.EVIDENCE_KEY} cannot be read: {error}.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise KeyUnsuitable(f"{keys.EVIDENCE_KEY}: key and certificate are not a pair of this product's.")
    return Identity(key=key, certificate=certificate)


def certificate_pem(own: Identity) -> bytes:
    """Return the certificate that others need to check signatures."""
    return own.certificate.public_bytes(serialization.Encoding.PEM)


def sign_pdf(pdf: bytes, *, own: Identity, now: datetime, reason: str) -> bytes:
    """Return a PDF with a PAdES signature (baseline B) over all its bytes, dated `now`."""
    certificate = asn1_x509.Certificate.load(own.certificate.public_bytes(serialization.Encoding.DER))
    secret = own.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = signers.SimpleSigner(
        signing_cert=certificate,
        signing_key=asn1_keys.PrivateKeyInfo.load(secret),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=PDF_FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=reason, certify=True
    )
    pdf_signer = signers.PdfSigner(metadata, signer, new_field_spec=SigFieldSpec(PDF_FIELD))
    return asyncio.run(_sign_pdf_at(pdf, pdf_signer, now))


def sign_json(document: Mapping[str, Any], *, own: Identity, now: datetime) -> dict[str, Any]:
    """Return `{"evidence": document, "signature": …}`: ECDSA with SHA-256 over the canonical manifest.

    The manifest holds the SHA-256 of each part of the document, of each entry where a part is a list, so that a check
    can name what was altered.
    """
    manifest = {"format": FORMAT, "signed_at": now.astimezone(UTC).isoformat(), "parts": digest_parts(document)}
    signature = own.key.sign(canonical_json(manifest), ec.ECDSA(hashes.SHA256()))
    return {
        "evidence": document,
        "signature": {
            "manifest": manifest,
            "algorithm": ALGORITHM,
            "value": signature.hex(),
            "certificate": certificate_pem(own).decode(),
        },
    }


def serialise_signed(signed: Mapping[str, Any]) -> bytes:
    """Return the only accepted file content of a signed document: readable, and no byte can differ unnoticed."""
    return (json.dumps(signed, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def canonical_json(document: Any) -> bytes:
    """Return the canonical form of a JSON document (RFC 8785, without floats): sorted keys, no blanks, UTF-8."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest_parts(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each part of a document by its path (`contacts/3`)."""
    digests = {}
    for name, part in document.items():
        if isinstance(part, list):
            # The length stands for the list itself: without it an empty one would leave no trace.
            digests[name] = sha256(str(len(part)).encode()).hexdigest()
            digests |= {f"{name}/{n}": sha256(canonical_json(entry)).hexdigest() for n, entry in enumerate(part)}
        else:
            digests[name] = sha256(canonical_json(part)).hexdigest()
    return digests


async def _sign_pdf_at(pdf: bytes, pdf_signer: signers.PdfSigner, now: datetime) -> bytes:
    """Return a PDF signed as of `now`."""
    # Step by step: the library's own shortcut would read the clock.
    session = pdf_signer.init_signing_session(IncrementalPdfFileWriter(io.BytesIO(pdf)))
    session.system_time = now.astimezone(UTC)
    reserved = await session.estimate_signature_container_size(None)
    document = session.prepare_tbs_document(None, bytes_reserved=reserved)
    prepared, output = document.digest_tbs_document()
    signed = await document.perform_signature(
        document_digest=prepared.document_digest,
        pdf_cms_signed_attrs=PdfCMSSignedAttributes(signing_time=session.system_time),
    )
    await signed.post_signature_processing(output)
    output.seek(0)
    return bytes(output.read())


def _create_identity_pem(now: datetime) -> str:
    """Return a new private key and its self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Recobra evidence {serial:x}"[:40])])
    # For signatures only.
    key_usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * CERTIFICATE_YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (secret + certificate.public_bytes(serialization.Encoding.PEM)).decode()
