"""The file of a backup: what closes it opens it, nothing else does, and no byte of it can be changed or cut unseen."""

from __future__ import annotations

import io
import random

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519

from recobra.installation import archive, container
from recobra.installation.container import MAGIC, ChunkReader, ChunkWriter, ContainerRefused, Lock, Opener

PHRASE = "una frase bien larga"
CONTENT = bytes(range(256)) * 8


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Chunks of a kilobyte, and scrypt with less work, so that a test reads many files."""
    monkeypatch.setattr(container, "CHUNK", 1024)
    monkeypatch.setattr(container, "_SCRYPT_N", 1 << 10)


def pem_pair(private):
    encoding = serialization.Encoding.PEM
    secret = private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret, private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def close(content, lock, now):
    out = io.BytesIO()
    with ChunkWriter(out, lock=lock, now=now) as plain:
        plain.write(content)
    return out.getvalue()


def read(closed, opener):
    return io.BufferedReader(ChunkReader(io.BytesIO(closed), opener=opener)).read()


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 2048])
def test_what_a_passphrase_closes_it_opens(now, size):
    closed = close(CONTENT[:size], Lock(passphrase=PHRASE), now)
    assert read(closed, Opener(passphrase=PHRASE)) == CONTENT[:size]
    with pytest.raises(ContainerRefused, match="does not open"):
        read(closed, Opener(passphrase=PHRASE + "."))


@pytest.mark.parametrize("make", [lambda: rsa.generate_private_key(65537, 3072), x25519.X25519PrivateKey.generate])
def test_what_a_public_key_closes_its_private_key_opens(now, make):
    private, public = pem_pair(make())
    closed = close(CONTENT, Lock(public_key=public, passphrase=PHRASE), now)
    assert read(closed, Opener(private_key=private)) == read(closed, Opener(passphrase=PHRASE)) == CONTENT
    stranger, _public = pem_pair(x25519.X25519PrivateKey.generate())
    with pytest.raises(ContainerRefused, match="does not open"):
        read(closed, Opener(private_key=stranger))


def test_weak_locks_are_refused(now):
    weak = [pem_pair(rsa.generate_private_key(65537, 2048))[1], pem_pair(ec.generate_private_key(ec.SECP256R1()))[1]]
    for public in (*weak, b"no key"):
        with pytest.raises(ContainerRefused):
            close(CONTENT, Lock(public_key=public), now)
    for passphrase in ("", "corta"):
        with pytest.raises(ContainerRefused):
            Lock(passphrase=passphrase)


def test_one_changed_byte_anywhere_is_refused_and_so_is_every_cut(now):
    closed = close(CONTENT, Lock(passphrase=PHRASE), now)
    chance = random.Random(12)
    places = {*range(24), *chance.sample(range(len(closed)), 150)}
    for place in places:
        changed = bytearray(closed)
        changed[place] ^= 1 << chance.randrange(8)
        with pytest.raises(ContainerRefused):
            read(bytes(changed), Opener(passphrase=PHRASE))
    chunk = 1024 + 16 + 4
    end = len(closed) - chunk
    for cut in (closed[:-1], closed[:end], closed + b"\0", closed[:20], b"", closed + closed[end:]):
        with pytest.raises(ContainerRefused):
            read(cut, Opener(passphrase=PHRASE))
    swapped = closed[: end - chunk] + closed[end:] + closed[end - chunk : end]
    with pytest.raises(ContainerRefused):
        read(swapped, Opener(passphrase=PHRASE))


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 60_000,
        b"7",
        b"\xff",
        b'{"format": "recobra-backup/1", "recipients": [], "prefix": ""}',
        b'{"format": "recobra-backup/1", "recipients": [7, {}, {"kind": "scrypt", "key": 7}], "prefix": "AAAAAAAAAA=="}',
        (
            b'{"format": "recobra-backup/1", "recipients": [{"kind": "scrypt", "key": "AAAA", "salt": "AAAA", "n": 1e99}],'
            b' "prefix": "AAAAAAAAAA=="}'
        ),
    ],
    ids=lambda header: header[:12].decode("latin-1"),
)
def test_a_header_that_somebody_made_up_is_refused(header):
    made_up = MAGIC + len(header).to_bytes(4, "big") + header + bytes(64)
    with pytest.raises(ContainerRefused):
        read(made_up, Opener(passphrase=PHRASE))


def manifest():
    return archive.Manifest(created_at="2026-11-23", counts={}, last_seal="", links={}, unreadable=0, missing=[])


def test_an_archive_is_verified_by_its_manifest():
    out = io.BytesIO()
    writer = archive.ArchiveWriter(out)
    writer.add("database", [b"abc", b"", b"d"])
    writer.add("data/files/ñ.pdf", [])
    writer.finish(manifest())
    whole = out.getvalue()
    assert set(archive.verify(io.BytesIO(whole)).members) == {"database", "data/files/ñ.pdf"}
    read_back = {name: b"".join(blocks) for name, blocks in archive.read_members(io.BytesIO(whole))}
    assert read_back == {"database": b"abcd", "data/files/ñ.pdf": b""}
    of_manifest = [whole.replace(b'"members"', other) for other in (b'"member_"', b'"members:', b'"mem\xffers"')]
    no_name = whole.replace("ñ.pdf".encode(), b"\xff\xff.pdf")
    for broken in (whole.replace(b"abc", b"abx"), whole[:-4], whole + b"\0", *of_manifest, no_name):
        with pytest.raises(ContainerRefused):
            archive.verify(io.BytesIO(broken))


@pytest.mark.parametrize("name", ["data/../../etc/passwd", "/etc/passwd", "data/a\0b"])
def test_no_member_leaves_its_place(name):
    out = io.BytesIO()
    writer = archive.ArchiveWriter(out)
    writer.add(name, [b"x"])
    writer.finish(manifest())
    with pytest.raises(ContainerRefused, match="outside"):
        list(archive.read_members(io.BytesIO(out.getvalue())))
