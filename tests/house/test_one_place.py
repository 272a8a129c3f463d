"""What has one place is done there alone."""

from __future__ import annotations

import re

import pytest

CORE = "src/recobra_core/"
APP = "src/recobra/"
ONE_PLACE = {
    "accents": (r"combining\(|\"NFK?D\"|maketrans\(\"á", {f"{CORE}folding.py", f"{CORE}law/content/normal_form.py"}),
    "look-alike letters": (r"авекмнор|авгекмнор", {f"{CORE}folding.py"}),
    "decimals of a currency": (r"get_currency_precision|currency_precision", set()),
    "amounts as text": (r"currency_digits", {f"{APP}kit/money_format.py"}),
    "days as text": (r"dates\.format_date\(|babel\.dates import .*\bformat_date\b", {f"{APP}kit/date_format.py"}),
    "reading of CSV": (
        r"csv\.(reader|DictReader|Sniffer)",
        {
            f"{APP}tabular/formats/csv/dialect.py",
            f"{APP}tabular/formats/csv/exact.py",
            # A list for the core's gate, in one form, read without an installation.
            f"{APP}cli/contact.py",
            # Its own file, written a moment before.
            f"{APP}cli/demo_data.py",
        },
    ),
    "alphabet of SMS": (r"ΔΦΓ|Δ_ΦΓ", {f"{APP}messaging/gsm_alphabet.py"}),
    "names of countries": (r"territories\.get", {f"{APP}kit/countries.py"}),
    "time zones by name": (r"if \w+ in available_timezones", {f"{APP}kit/zones.py"}),
    "formulas in cells": (r"f\"'\{(text|cell)\}", {f"{APP}kit/spreadsheet_text.py"}),
    "number words": (r"cuarenta", {f"{APP}conversations/bot/numerals.py"}),
    "making of a promise": (r"Promise\.objects\.create|PromiseRegistered\(promise", {f"{APP}agreements/operations.py"}),
    "who is a second person": (r"has_other_holder\(", {f"{APP}access/queries.py", f"{APP}approvals/queries.py"}),
    "bytes of a megabyte": (r"1024 ?\* ?1024|1024 ?\*\* ?2\b", {f"{APP}kit/sizes.py"}),
    "files that survive a power cut": (r"os\.fsync", {f"{APP}kit/durable_files.py"}),
    "limits of bodies": (
        r"CONTENT_LENGTH|max_request_body_size",
        {f"{APP}cli/web_server.py", f"{APP}config/middleware.py"},
    ),
    "telephone numbers in files": (r"PhoneMetadata", {f"{APP}tabular/phones.py"}),
}


@pytest.mark.parametrize("subject", ONE_PLACE)
def test_a_rule_has_one_place(sources, subject):
    pattern, places = ONE_PLACE[subject]
    found = {name for name, (text, _tree) in sources.items() if re.search(pattern, text)}
    assert found <= places
    assert found >= places, "a place that is none any more: take it from the list"
