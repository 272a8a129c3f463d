"""Logs are written only where docs/logs.md says: to standard error."""

import re

from django.conf import settings

from .conftest import ROOT, tracked

WRITER = re.compile(r"\b(?:\w*FileHandler|SysLogHandler|HTTPHandler|SocketHandler)\(")


def test_logs_go_to_standard_error_alone():
    assert {handler["class"] for handler in settings.LOGGING["handlers"].values()} == {"logging.StreamHandler"}
    assert [name for name in tracked("src/**/*.py") if WRITER.search((ROOT / name).read_text(encoding="utf-8"))] == []
