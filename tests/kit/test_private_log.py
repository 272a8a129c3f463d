"""No address, number, link or row of a debtor gets into the log."""

import io
import logging

import pytest
from django.db import IntegrityError, connection, transaction
from pythonjsonlogger.json import JsonFormatter

from recobra.config import settings as product
from recobra.kit.private_log import RedactingFilter, redact


@pytest.fixture(params=["plain", "json"])
def log(request):
    """A logger that writes as the installation does, and what it has written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    formats = product.LOGGING["formatters"]
    handler.setFormatter(
        JsonFormatter(json_ensure_ascii=False)
        if request.param == "json"
        else logging.Formatter(formats["plain"]["format"])
    )
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("recobra.tests.private")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield logger, written
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("recip: maria@correo.example", "recip: •••@•••"),
        ("sent to +51 987 654 321.", "sent to +•••."),
        ("Not Found: /d/estado/AbC-123_x", "Not Found: /d/estado/•••"),
        ("Forbidden: /api/voice/twilio/abc:def/", "Forbidden: /api/voice/twilio/•••/"),
        ("DETAIL:  Key (value)=(45678912) already exists.", "DETAIL: •••"),
        ("load 17 is done: 60000 rows in 3.2 s", "load 17 is done: 60000 rows in 3.2 s"),
    ],
)
def test_what_is_personal_is_left_out(text, shown):
    assert redact(text) == shown


def test_a_line_with_arguments_is_left_out_too(log):
    logger, written = log
    logger.info("%s answered %s", "maria@correo.example", 7)
    assert "•••@••• answered 7" in written.getvalue()


@pytest.mark.django_db
def test_the_values_of_a_row_that_the_database_refused_are_left_out(log):
    logger, written = log
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE once (value text UNIQUE)")
        cursor.execute("INSERT INTO once VALUES ('45678912')")
        try:
            with transaction.atomic():
                cursor.execute("INSERT INTO once VALUES ('45678912')")
        except IntegrityError:
            logger.exception("It failed.")
    assert "UniqueViolation" in written.getvalue()
    assert "(45678912)" not in written.getvalue()


def test_every_handler_of_the_installation_redacts():
    assert all("private" in each["filters"] for each in product.LOGGING["handlers"].values())
    assert product.LOGGING["filters"]["private"] == {"()": "recobra.kit.private_log.RedactingFilter"}
