"""The signature: what was signed is found valid, one altered byte anywhere is refused, another's key is unknown."""

import json
import random
import stat

import pytest

from recobra.compliance.evidence.verification import Finding, verify_file
from recobra.kit import keys
from recobra.kit.typeset import signature
from tests.messaging.letters.sample import letter, letter_pdf


@pytest.fixture(autouse=True)
def _keys_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("RECOBRA_KEYS_DIR", str(tmp_path))


@pytest.fixture
def own(now):
    return signature.load_identity(now=now)


@pytest.fixture
def pdf(own, now):
    return signature.sign_pdf(letter_pdf(letter(), at=now), own=own, now=now, reason="Evidence")


DOCUMENT = {
    "format": "recobra-evidence/1",
    "contacts": [{"content": "Añá 😀"}, {"content": "b"}],
    "debtor": {"name": "R"},
}


@pytest.fixture
def document(own, now):
    return signature.serialise_signed(signature.sign_json(DOCUMENT, own=own, now=now))


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path, own, now):
    assert signature.load_identity(now=now).fingerprint == own.fingerprint
    assert stat.S_IMODE((tmp_path / keys.EVIDENCE_KEY).stat().st_mode) == 0o600
    assert b"PRIVATE" not in signature.certificate_pem(own)


def test_a_key_file_that_is_none_is_refused(tmp_path, now):
    (tmp_path / keys.EVIDENCE_KEY).write_text("nothing")
    with pytest.raises(signature.KeyUnsuitable):
        signature.load_identity(now=now)


def test_a_signed_pdf_is_valid_and_says_when_and_by_whom(pdf, own, now):
    found = verify_file(pdf, trusted=[own.certificate], now=now)
    assert (found.finding, found.signer, found.signed_at) == (Finding.VALID, own.fingerprint, now.isoformat())


# An altered certificate may have a serial number that its library warns of; it is refused all the same.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_one_altered_byte_anywhere_in_a_pdf_is_refused(pdf, own, now):
    chance = random.Random(7)
    # The signature's own bytes are covered by no digest: they get more tries.
    gap = range(pdf.index(b"<3082"), pdf.index(b">", pdf.index(b"<3082")) + 1)
    places = chance.sample(range(len(pdf)), 60) + chance.sample(gap, 60)
    for place in places:
        altered = bytearray(pdf)
        altered[place] ^= 1 << chance.randrange(8)
        found = verify_file(bytes(altered), trusted=[own.certificate], now=now)
        assert not found.ok, place
        assert found.where or found.finding is Finding.UNKNOWN_SIGNER


def test_what_is_added_to_a_pdf_is_named(pdf, own, now):
    found = verify_file(pdf + b"\nmore", trusted=[own.certificate], now=now)
    assert (found.finding, found.where) == (Finding.ALTERED, (f"bytes {len(pdf)}-{len(pdf) + 4}",))


def test_anothers_signature_is_unknown(pdf, document, other_keys, now):
    other_keys()
    other = signature.load_identity(now=now)
    for content in (pdf, document):
        assert verify_file(content, trusted=[other.certificate], now=now).finding is Finding.UNKNOWN_SIGNER


def test_a_signed_document_is_valid_and_its_altered_part_is_named(document, own, now):
    assert verify_file(document, trusted=[own.certificate], now=now).ok
    altered = document.replace(b'"content": "b"', b'"content": "c"')
    found = verify_file(altered, trusted=[own.certificate], now=now)
    assert (found.finding, found.where) == (Finding.ALTERED, ("contacts/1",))


# An altered certificate may have a serial number that its library warns of; it is refused all the same.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_one_altered_byte_anywhere_in_a_document_is_refused(document, own, now):
    for place in range(len(document)):
        altered = bytearray(document)
        altered[place] ^= 1
        assert not verify_file(bytes(altered), trusted=[own.certificate], now=now).ok, place


@pytest.mark.parametrize("change", [lambda d: d["evidence"]["contacts"].pop(), lambda d: d.update(more=1)])
def test_what_is_taken_out_or_put_beside_is_seen(change, document, own, now):
    signed = json.loads(document)
    change(signed)
    assert (
        verify_file(signature.serialise_signed(signed), trusted=[own.certificate], now=now).finding is Finding.ALTERED
    )


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"{}", b"[" * 100_000, b'{"signature": 1, "evidence": 2}', b"%PDF-1.7"]
)
def test_what_is_no_evidence_is_an_answer_not_a_crash(content, own, now):
    assert not verify_file(content, trusted=[own.certificate], now=now).ok


def test_a_pdf_without_signature_is_unsigned(own, now):
    assert verify_file(letter_pdf(letter(), at=now), trusted=[own.certificate], now=now).finding is Finding.UNSIGNED
