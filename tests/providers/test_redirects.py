"""A provider of the open internet that sends us elsewhere for a file leads nobody into the company's own network."""

from __future__ import annotations

import asyncio

import pytest

from recobra.kit import outgoing_rule
from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Unsuitable

from .peer import open_peer


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("64:ff9b::808:808", True),
        ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("0.0.0.0", False),
        ("10.0.0.8", False),
        ("172.20.1.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%2", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:a9fe:a9fe", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("::127.0.0.1", False),
        ("::ffff:0:10.0.0.1", False),
        ("64:ff9b:1::10.0.0.1", False),
        ("fec0::1", False),
    ],
)
def test_what_is_of_the_open_internet(address, public):
    assert outgoing_rule.is_public(address) is public


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_however_an_address_is_written_the_one_connected_to_is_looked_at(host):
    async def run():
        async with (
            open_peer((200, b"picture")) as inside,
            http.open_session(only_public=True) as opened,
        ):
            with pytest.raises(http.RequestUnsent):
                await http.call(opened, "GET", inside.url.replace("127.0.0.1", host))
            return inside.requests

    assert asyncio.run(run()) == []


@pytest.fixture
def provider_of_the_open_internet(monkeypatch):
    """Let 127.0.0.2, where these tests' provider listens, count as an address of the open internet."""
    is_public = outgoing_rule.is_public
    monkeypatch.setattr(outgoing_rule, "is_public", lambda address: address == "127.0.0.2" or is_public(address))


async def fetch_file(*, inside_as="127.0.0.1", store="127.0.0.1"):
    """Return the file, None where it was refused, and the requests at the place to which the provider redirects."""
    async with open_peer((200, b"picture"), host=store) as inside:
        location = inside.url.replace("127.0.0.1", inside_as)
        async with open_peer((302, b"", {"Location": f"{location}/latest"}), host="127.0.0.2") as peer:
            try:
                return await http.download_file(f"{peer.url}/media", headers={}, max_bytes=99), inside.requests
            except Unsuitable:
                return None, inside.requests


@pytest.mark.usefixtures("provider_of_the_open_internet")
@pytest.mark.parametrize("inside_as", ["127.0.0.1", "localhost"])
def test_a_redirect_into_our_own_network_is_not_followed(inside_as):
    assert asyncio.run(fetch_file(inside_as=inside_as)) == (None, [])


@pytest.mark.usefixtures("provider_of_the_open_internet")
def test_a_redirect_elsewhere_on_the_open_internet_is_followed():
    content, (request,) = asyncio.run(fetch_file(store="127.0.0.2"))
    assert (content, request.target) == (b"picture", "/latest")


def test_a_provider_that_is_inside_may_keep_its_files_there():
    content, (request,) = asyncio.run(fetch_file())
    assert (content, request.target) == (b"picture", "/latest")
