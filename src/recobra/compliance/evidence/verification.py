"""Verification of signed evidence files. A bad file is a finding, not an error."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final

from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from recobra.kit.typeset.signature import ALGORITHM, FORMAT, canonical_json, digest_parts, fingerprint, serialise_signed

# The findings of the library are our result; its log would repeat them, with tracebacks, on standard error.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


# The one algorithm of digests that we sign with, as asn1crypto reads it.
_SHA256: Final = {"algorithm": "sha256", "parameters": None}
_ERROR_TEXT_MAX: Final = 160


class Finding(StrEnum):
    """The outcome of a verification."""

    VALID = "valid"
    ALTERED = "altered"
    UNKNOWN_SIGNER = "unknown_signer"
    UNSIGNED = "unsigned"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The result: `where` names what has changed, as byte ranges of a PDF or parts of a JSON document.

    `signer` is the SHA-256 of the certificate inside the file, `signed_at` the instant that the signer states.
    """

    finding: Finding
    what: str
    where: tuple[str, ...] = ()
    signer: str = ""
    signed_at: str = ""

    @property
    def ok(self) -> bool:
        """Whether the file is what a known signer signed."""
        return self.finding is Finding.VALID


def verify_file(content: bytes, *, trusted: Sequence[x509.Certificate], now: datetime) -> Verification:
    """Verify a signed PDF or JSON file against the trusted certificates, without any look-up on the network."""
    if content[:5] == b"%PDF-":
        return _verify_pdf(content, trusted, now)
    return _verify_json(content, trusted)


def _verify_pdf(content: bytes, trusted: Sequence[x509.Certificate], now: datetime) -> Verification:
    """Verify the first signature of a PDF; one that cannot be read counts as altered, none at all as unsigned."""
    try:
        signatures = PdfFileReader(io.BytesIO(content)).embedded_signatures
        if signatures:
            return _verify_pdf_signature(signatures[0], content, trusted, now)
    except Exception as error:  # noqa: BLE001 - a broken or hostile file may stop a parser anywhere; it is an answer
        return Verification(
            finding=Finding.ALTERED,
            what=f"the PDF or its signature cannot be read: {_one_line(error)}",
            where=(_byte_range(0, len(content)),),
        )
    # A signature was there, but its dictionary was damaged: that is not an unsigned file.
    if b"/ByteRange" in content:
        return Verification(finding=Finding.ALTERED, what="the signature cannot be found", where=("signature",))
    return Verification(finding=Finding.UNSIGNED, what="the PDF has no signature")


def _verify_pdf_signature(
    embedded: EmbeddedPdfSignature, content: bytes, trusted: Sequence[x509.Certificate], now: datetime
) -> Verification:
    """Verify one signature: that it is intact, covers the whole file, and was made with a trusted certificate."""
    # Integrity only: whether the signer is one of ours is a comparison of certificates, made below.
    context = ValidationContext(
        trust_roots=[embedded.signer_cert],
        allow_fetching=False,
        moment=embedded.self_reported_timestamp or now,
        revocation_mode="soft-fail",
    )
    status = validate_pdf_signature(embedded, signer_validation_context=context)
    signer = embedded.signer_cert.sha256.hex()
    stated_time = embedded.self_reported_timestamp
    report = partial(Verification, signer=signer, signed_at=stated_time.isoformat() if stated_time else "")
    # The signature stands in the gap between the two ranges that it covers.
    first_start, first_length, second_start, second_length = (int(number) for number in embedded.byte_range)
    gap_start = first_start + first_length
    covered_end = second_start + second_length
    if not status.intact:
        return report(
            finding=Finding.ALTERED,
            what="the bytes that were signed have changed",
            where=(_byte_range(first_start, gap_start), _byte_range(second_start, covered_end)),
        )
    if not status.valid or not _is_own_envelope(content[gap_start:second_start]):
        return report(
            finding=Finding.ALTERED,
            what="the signature itself has changed",
            where=(_byte_range(gap_start, second_start),),
        )
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE or covered_end != len(content):
        return report(
            finding=Finding.ALTERED,
            what="something was added after the signature",
            where=(_byte_range(covered_end, len(content)),),
        )
    if signer not in {fingerprint(known) for known in trusted}:
        return report(finding=Finding.UNKNOWN_SIGNER, what="signed by a certificate not known here")
    return report(finding=Finding.VALID, what="every byte is as it was signed")


def _is_own_envelope(gap: bytes) -> bool:
    """Return whether the gap between the signed ranges holds a signature as we write it, then zeros and nothing else.

    No digest covers these bytes: only one way of writing the signature is accepted, so that none can be altered.
    """
    text = gap[1:-1]
    if gap[:1] != b"<" or gap[-1:] != b">" or text != text.upper():
        return False
    raw = bytes.fromhex(text.decode())
    envelope = cms.ContentInfo.load(raw)
    encoded = envelope.dump(force=True)
    signed = envelope["content"]
    (signer,) = signed["signer_infos"]
    return (
        raw == encoded + bytes(len(raw) - len(encoded))
        and [algorithm.native for algorithm in signed["digest_algorithms"]] == [_SHA256]
        and signed["version"].native == signer["version"].native == "v1"
        and signer["digest_algorithm"].native == _SHA256
        and signer["signature_algorithm"].native == {"algorithm": "sha256_ecdsa", "parameters": None}
        and len(signed["certificates"]) == 1
        and not signed["crls"]
        and not signer["unsigned_attrs"]
    )


def _verify_json(content: bytes, trusted: Sequence[x509.Certificate]) -> Verification:
    """Verify signed JSON: the signature of its manifest, the digest of each part, and the way the file is written."""
    try:
        signed = json.loads(content)
        signature = signed["signature"]
        manifest, document = signature["manifest"], signed["evidence"]
        certificate = x509.load_pem_x509_certificate(str(signature["certificate"]).encode())
        value = bytes.fromhex(signature["value"])
        stated_digests = dict(manifest["parts"])
        signed_at = str(manifest["signed_at"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return Verification(finding=Finding.UNREADABLE, what=f"neither a PDF nor signed evidence: {_one_line(error)}")
    signer = fingerprint(certificate)
    report = partial(Verification, signer=signer, signed_at=signed_at)
    if not _is_signature_valid(certificate, value, manifest):
        return report(
            finding=Finding.ALTERED, what="the signature does not belong to the manifest", where=("signature",)
        )
    changed = _changed_parts(stated_digests, document, signed)
    if changed:
        return report(finding=Finding.ALTERED, what="parts have changed since", where=changed)
    # What no digest covers has one form too: the file must be byte for byte as we write it.
    pem = certificate.public_bytes(Encoding.PEM).decode()
    own_signature = {"manifest": manifest, "algorithm": ALGORITHM, "value": value.hex(), "certificate": pem}
    if serialise_signed(signed) != content or signature != own_signature:
        return report(
            finding=Finding.ALTERED,
            what="the file is not written as it was signed",
            where=(_byte_range(0, len(content)),),
        )
    if signer not in {fingerprint(known) for known in trusted}:
        return report(finding=Finding.UNKNOWN_SIGNER, what="signed by a certificate not known here")
    return report(finding=Finding.VALID, what="every part is as it was signed")


def _is_signature_valid(certificate: x509.Certificate, value: bytes, manifest: Mapping[str, Any]) -> bool:
    """Return whether `value` is the certificate's signature of a manifest in our format."""
    try:
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or manifest.get("format") != FORMAT:
            return False
        key.verify(value, canonical_json(manifest), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _changed_parts(stated_digests: Mapping[str, str], document: Any, signed: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the parts in which the document differs from its manifest, in the document's order."""
    if not isinstance(document, dict):
        return ("evidence",)
    digests = digest_parts(document)
    names = dict.fromkeys([*digests, *stated_digests])
    changed = [name for name in names if stated_digests.get(name) != digests.get(name)]
    # Whatever stands beside the document and its signature was signed by nobody.
    added = [name for name in signed if name not in {"evidence", "signature"}]
    return (*changed, *added)


def _byte_range(start: int, end: int) -> str:
    """Return the name of a range of bytes; `end` is excluded here, included in the name («bytes 0-99»)."""
    return f"bytes {start}-{end - 1}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:_ERROR_TEXT_MAX] or type(error).__name__
