"""Every address that takes a body is judged by one table, whatever server is in front."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from recobra.kit.body_limits import CALL_BYTES_MAX, CALLS_PATH, FILE_BYTES_MAX, FORM_BYTES_MAX, LOAD_PATH, limit_body

SOURCE = Path(__file__).parents[2] / "src" / "recobra"


def list_paths(patterns=None, prefix="/"):
    """Yield a path of every address of the product, its parts filled in."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + re.sub(r"<[^>]+>", "1", str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from list_paths(pattern.url_patterns, route)


def test_every_address_refuses_one_byte_more_than_the_table_says():
    paths = sorted(set(list_paths()))
    assert len(paths) > 150
    assert set(FILE_BYTES_MAX) < set(paths), "an address with a limit of its own that is none"
    client = Client()
    for path in paths:
        limit = limit_body(path, has_upload_pass=False)
        answer = client.generic("POST", path, b"x", CONTENT_LENGTH=str(limit + 1))
        assert answer.status_code == 413, path
        takes_files = path in FILE_BYTES_MAX and path != LOAD_PATH
        expected = CALL_BYTES_MAX if path.startswith(CALLS_PATH) else FORM_BYTES_MAX
        assert limit == (FORM_BYTES_MAX + FILE_BYTES_MAX[path] if takes_files else expected), path


@pytest.mark.parametrize("length", ["", "abc", "-5", "٣"])
def test_a_length_that_is_none_is_an_empty_body(length):
    assert Client().generic("POST", "/robots.txt", b"x" * 10, CONTENT_LENGTH=length).status_code != 500


def test_who_reads_a_file_of_a_form_asks_the_table(sources):
    readers = {name for name, (text, _tree) in sources.items() if "request.FILES" in text}
    assert readers
    assert all("is_too_large(request" in sources[name][0] for name in readers)
    forms = [path for path in SOURCE.rglob("*.html") if "multipart/form-data" in path.read_text("utf-8")]
    assert len(forms) == len(FILE_BYTES_MAX), "a form with a file needs a line in FILE_BYTES_MAX"
