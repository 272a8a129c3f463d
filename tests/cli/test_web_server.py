"""The web server keeps no body that nobody may send, and nobody shuts others out by waiting."""

import contextlib
import socket
import threading
import time
from datetime import timedelta

import pytest
from django.http import HttpResponse
from waitress import wasyncore

from recobra.cli import web_server
from recobra.kit import body_limits, upload_pass
from recobra.kit.sizes import MEGABYTE


@pytest.fixture(scope="module")
def server():
    """Serve how many bytes came in, and a long answer at `/long`, until the last test ends."""

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        if environ["PATH_INFO"] == "/long":
            return (b"x" * MEGABYTE for _number in range(64))
        return [f"read {len(environ['wsgi.input'].read())}".encode()]

    running = web_server.create_server(application, host="127.0.0.1", port=0)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield running
    running.task_dispatcher.shutdown(timeout=1)
    running.pull_trigger()
    wasyncore.close_all(running._map, ignore_all=True)
    thread.join(5)


@pytest.fixture
def connect(server):
    """Open connections that the end of the test closes."""
    opened = []

    def open_one():
        opened.append(socket.create_connection(("127.0.0.1", int(server.effective_port)), timeout=10))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def head(path, *headers, method="POST"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def answer_to(connection, *parts):
    """Send parts of a request as long as they are taken, and return the status and the body of the answer."""
    try:
        for part in parts:
            connection.sendall(part)
    except OSError:
        pass  # refused meanwhile
    answer = b""
    try:
        while b"\r\n\r\n" not in answer or b"read" not in answer:
            received = connection.recv(65_536)
            if not received:
                break
            answer += received
    except ConnectionResetError:
        pass
    return answer.split(b"\r\n")[0].decode(), answer.rpartition(b"\r\n")[2].decode()


def length(count):
    return f"Content-Length: {count}"


@pytest.mark.parametrize("path", ["/entrar/", "/api/webhooks/wa/", "/cartas/seguimiento/", body_limits.LOAD_PATH])
def test_a_large_body_is_refused_before_a_byte_of_it_is_kept(connect, path):
    status, _body = answer_to(connect(), head(path, length(299 * MEGABYTE)))
    assert status == "HTTP/1.1 413 Request Entity Too Large"


def test_who_asks_before_sending_a_large_body_is_told_not_to(connect):
    status, _body = answer_to(connect(), head("/entrar/", length(299 * MEGABYTE), "Expect: 100-continue"))
    assert status == "HTTP/1.1 413 Request Entity Too Large"


def test_a_body_in_pieces_is_cut_off_at_the_same_limit(connect):
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    status, _body = answer_to(connect(), head("/entrar/", "Transfer-Encoding: chunked"), *[piece] * 64)
    assert status in {"HTTP/1.1 413 Request Entity Too Large", ""}, "cut off while it was still sending"


def test_what_an_address_may_take_is_taken(connect):
    for path in ("/entrar/", "/api/webhooks/wa/", *body_limits.FILE_BYTES_MAX):
        limit = body_limits.limit_body(path, has_upload_pass=False)
        assert answer_to(connect(), head(path, length(limit)), b"x" * limit) == ("HTTP/1.1 200 OK", f"read {limit}")


def test_only_who_was_given_a_pass_may_send_a_large_file(connect, settings):
    response = HttpResponse()
    upload_pass.give(response, user_id=7)
    cookie = response.cookies[settings.UPLOAD_COOKIE_NAME].value
    count = 5 * MEGABYTE
    right = head(body_limits.LOAD_PATH, length(count), f"Cookie: a=b; {settings.UPLOAD_COOKIE_NAME}={cookie}")
    assert answer_to(connect(), right, b"x" * count) == ("HTTP/1.1 200 OK", f"read {count}")
    for forged in (f"{cookie[:-1]}{'B' if cookie.endswith('A') else 'A'}", "7", '"'):
        wrong = head(body_limits.LOAD_PATH, length(count), f"Cookie: {settings.UPLOAD_COOKIE_NAME}={forged}")
        assert answer_to(connect(), wrong)[0].startswith("HTTP/1.1 413")


def test_a_pass_ends(monkeypatch):
    response = HttpResponse()
    upload_pass.give(response, user_id=7)
    (cookie,) = response.cookies.values()
    assert upload_pass.is_valid(cookie.value)
    monkeypatch.setattr(upload_pass, "LIFETIME", timedelta(seconds=-1))
    assert not upload_pass.is_valid(cookie.value)


def test_the_bodies_of_all_together_are_bounded(connect, monkeypatch):
    monkeypatch.setattr(web_server, "BODIES_BYTES_MAX", 3 * MEGABYTE)
    first, second = connect(), connect()
    first.sendall(head("/entrar/", length(2 * MEGABYTE)) + b"x")
    status, _body = answer_to(second, head("/entrar/", length(2 * MEGABYTE)))
    assert status == "HTTP/1.1 503 Service Unavailable"
    assert answer_to(connect(), head("/entrar/", method="GET"))[0] == "HTTP/1.1 200 OK", "without a body"
    assert answer_to(first, b"x" * (2 * MEGABYTE - 1))[1] == f"read {2 * MEGABYTE}"


def test_connections_that_wait_make_room_for_those_that_ask(connect, server, monkeypatch):
    monkeypatch.setattr(web_server, "CONNECTIONS_MAX", 20)
    waiting = [connect() for _number in range(50)]
    began = time.monotonic()
    assert answer_to(connect(), head("/", method="GET"))[0] == "HTTP/1.1 200 OK"
    assert time.monotonic() - began < 5
    assert len(waiting) == 50
    assert len(server.active_channels) <= 25


def test_a_request_that_dawdles_is_cut_off(connect, monkeypatch):
    monkeypatch.setattr(web_server, "REQUEST_SECONDS", 0.2)
    slow = connect()
    slow.sendall(b"GET / HTTP/1.1\r\nHost: ")
    assert slow.recv(10) == b""
    dripping = connect()
    dripping.sendall(head("/entrar/", length(1000)) + b"x")
    assert dripping.recv(10) == b""


def test_an_answer_that_nobody_fetches_gives_its_thread_back(connect, server, monkeypatch):
    monkeypatch.setattr(web_server, "IDLE_SECONDS", 0.3)
    for _number in range(web_server.THREADS):
        connect().sendall(head("/long", method="GET"))
    assert answer_to(connect(), head("/", method="GET"))[0] == "HTTP/1.1 200 OK"


def test_a_head_that_is_too_long_is_refused(connect):
    status, _body = answer_to(connect(), head("/", f"X-Long: {'x' * web_server.HEADER_BYTES_MAX}", method="GET"))
    assert status in {"HTTP/1.0 431 Request Header Fields Too Large", ""}, "or cut off while it was still sending"


SMUGGLED = b"POST /smuggled HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
AMBIGUOUS = {
    "both lengths": head("/", length(5), CHUNKED) + b"0\r\n\r\n",
    "both lengths, the other way round": head("/", CHUNKED, length(5)) + b"0\r\n\r\n",
    "two lengths": head("/", length(5), length(0)) + b"hello",
    "one length twice": head("/", length(5), length(5)) + b"hello",
    "lengths in one line": head("/", "Content-Length: 5, 5") + b"hello",
    "a length with a sign": head("/", "Content-Length: +5") + b"hello",
    "a length of thousands of digits": head("/", f"Content-Length: {'0' * 5_000}5") + b"hello",
    "a length in hexadecimal": head("/", "Content-Length: 0x5") + b"hello",
    "another encoding": head("/", "Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "two encodings": head("/", "Transfer-Encoding: identity, chunked") + b"0\r\n\r\n",
    "an encoding twice": head("/", CHUNKED, CHUNKED) + b"0\r\n\r\n",
    "an encoding after a vertical tab": head("/", "Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n",
    "an empty encoding": head("/", "Transfer-Encoding:", length(5)) + b"hello",
    "chunks in HTTP/1.0": head("/", CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n",
    "a version to come": head("/", CHUNKED).replace(b"HTTP/1.1", b"HTTP/2.0") + b"0\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a space before the colon": head("/", "Transfer-Encoding : chunked", length(5)) + b"0\r\n\r\n",
    "a header over two lines": head("/", "Transfer-Encoding:\r\n chunked", length(5)) + b"0\r\n\r\n",
    "a bare line feed": head("/", f"X: a\n{CHUNKED}", length(5)) + b"0\r\n\r\n",
    "bare line feeds alone": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "a bare carriage return": head("/", f"X: a\r{CHUNKED}", length(5)) + b"0\r\n\r\n",
    "a chunk's size with a sign": head("/", CHUNKED) + b"+5\r\nhello\r\n0\r\n\r\n",
    "a chunk's size with 0x": head("/", CHUNKED) + b"0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk's size after a space": head("/", CHUNKED) + b" 5\r\nhello\r\n0\r\n\r\n",
    "a chunk's size that is too long": head("/", CHUNKED) + b"100000005\r\nhello\r\n0\r\n\r\n",
    "a chunk's size with a bare line feed": head("/", CHUNKED) + b"5\n\r\nhello\r\n0\r\n\r\n",
    "a chunk's extension": head("/", CHUNKED) + b"5;a=b\nc\r\nhello\r\n0\r\n\r\n",
    "no size": head("/", CHUNKED) + b"\r\n5\r\nhello\r\n0\r\n\r\n",
    "a chunk that is longer than it says": head("/", CHUNKED) + b"3\r\nhello\r\n0\r\n\r\n",
    "a field after the body": head("/", CHUNKED) + b"0\r\nContent-Length: 5\r\n\r\n",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a_request_whose_end_is_in_doubt_is_refused_and_what_follows_is_not_read(connect, name):
    connection = connect()
    connection.sendall(AMBIGUOUS[name] + SMUGGLED)
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while received := connection.recv(65_536):  # until it is closed
            answer += received
    assert answer.split(b" ", 2)[1] == b"400"
    assert answer.count(b"HTTP/1.") == 1


def test_a_body_in_chunks_is_read_however_it_is_cut(connect):
    whole = head("/", CHUNKED) + b"5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n"
    for size in (1, 7, len(whole)):
        parts = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert answer_to(connect(), *parts) == ("HTTP/1.1 200 OK", "read 15")
    connection = connect()
    connection.sendall(whole + head("/", length(2)) + b"ok")
    answer = b""
    while answer.count(b"read") < 2:
        answer += connection.recv(65_536)
    assert [part.split(b"\r\n")[0] for part in answer.split(b"read ")[1:]] == [b"15HTTP/1.1 200 OK", b"2"]
