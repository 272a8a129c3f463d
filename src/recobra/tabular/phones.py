"""Phone numbers to E.164: SQL from the metadata of `phonenumbers` for the plain ones, the library for the rest.

No Django here: worker processes import this module alone.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

POOL_FROM = 60_000  # values from which several processes are faster than starting them costs
_LINES = {
    PhoneNumberType.MOBILE: "MOBILE",
    PhoneNumberType.FIXED_LINE: "FIXED",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "BOTH",
}


# Letters with a figure are an extension or a name: they part numbers, and so do the marks between them.
_BETWEEN = re.compile(r"[;,|/\n\r]|\s-\s|[^\W\d_]+[.:]?(?:\s*\d{1,4}(?!\d))?")
_NOTE = re.compile(r"\([^()]*[^\W\d_][^()]*\)")
_SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?[Ee]\+?\d+")
_LONGEST_CELL = 1_000
_SHORTEST_WHOLE = 7
# Mexico called mobile numbers by 1 after the country's code, and by 044 or 045, until 2019; 01 led to other cities.
_OLD_MEXICAN = re.compile(r"^\s*(?:\+?\s*52[\s-]*1|(?:\+?\s*52[\s-]*)?(?:044|045|01))[\s-]*((?:\d[\s().-]*){10})$")
_OLD_MEXICAN_SQL = r"^(?:\+?521|(?:\+?52)?(?:044|045|01))(\d{10})$"


class Parsed(NamedTuple):
    """A phone number: E.164 with its line (MOBILE, FIXED, BOTH or ''), or its digits alone where it is not valid."""

    value: str
    line: str
    valid: bool


def parse_cell(raw: str, region: str) -> list[Parsed]:
    """Return the numbers of a cell that people wrote, without names and notes: «Ana: 987654321 (casa), 912345678».

    Where none of it is a valid number, one invalid one: its digits alone.
    """
    whole = parse_one(raw, region)
    # A spreadsheet rounded «5,19876E+10»; the figures that it left are no number.
    if whole.valid or _SCIENTIFIC.fullmatch(raw.strip()):
        return [whole] if whole.valid else [Parsed(raw.strip(), "", valid=False)]
    found: dict[str, Parsed] = {}
    for part in _BETWEEN.split(_NOTE.sub(";", raw[:_LONGEST_CELL])):
        # Two numbers may stand beside each other without a mark.
        words = part.split()
        has_whole = len(words) > 1 and all(len(_digits(word)) >= _SHORTEST_WHOLE for word in words)
        for text in words if has_whole else [part]:
            number = parse_one(text, region)
            if number.valid:
                found[number.value] = number
    return list(found.values()) or [whole]


def parse_one(raw: str, region: str) -> Parsed:
    """Return a number as E.164 with its line; an invalid one as its digits alone."""
    if region == "MX":
        raw = _OLD_MEXICAN.sub(r"\1", raw)
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return Parsed(_digits(raw), "", valid=False)
    if not phonenumbers.is_valid_number(number):
        return Parsed(_digits(raw), "", valid=False)
    line = _LINES.get(phonenumbers.number_type(number), "")
    return Parsed(phonenumbers.format_number(number, PhoneNumberFormat.E164), line, valid=True)


def _digits(raw: str) -> str:
    """Return the digits of a text; the text itself where it has none."""
    return "".join(character for character in raw if character.isdigit()) or raw.strip()


def parse_many(values: Sequence[str], region: str) -> list[list[Parsed]]:
    """Return `parse_cell` of each value, by several processes where there are many."""
    workers = min(os.cpu_count() or 1, 8)
    if len(values) < POOL_FROM or workers < 2:
        return _parse_chunk(values, region)
    size = math.ceil(len(values) / workers)
    chunks = [values[start : start + size] for start in range(0, len(values), size)]
    # Threads only wait here. The processes are started by name, not forked: this one has threads and a database
    # connection of its own.
    with ThreadPoolExecutor(max_workers=len(chunks)) as pool:
        parts = pool.map(_parse_in_subprocess, chunks, [region] * len(chunks))
        return list(chain.from_iterable(parts))


def _parse_in_subprocess(values: Sequence[str], region: str) -> list[list[Parsed]]:
    """Return `parse_cell` of each value, computed by a new process that runs this module as a script."""
    process = subprocess.run(  # noqa: S603 - this module itself
        [sys.executable, "-m", __name__, region],
        input=json.dumps(list(values)),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return [[Parsed(*number) for number in cell] for cell in json.loads(process.stdout)]


def _parse_chunk(values: Sequence[str], region: str) -> list[list[Parsed]]:
    """Return `parse_cell` of each value."""
    return [parse_cell(value, region) for value in values]


@dataclass(frozen=True)
class PhoneSql:
    """SQL for a region's numbers.

    `national` reads the column `plain` (digits, perhaps after a plus sign) and gives the number without calling code.
    The others read `national`: whether SQL is sure of the number, whether it is valid, and its kind of line.
    """

    national: str
    decides: str
    valid: str
    line: str
    calling_code: int


def phone_sql(region: str) -> PhoneSql | None:
    """Return the SQL of a region, or None where its calling code is shared and only the library can tell.

    It decides exactly where the library would neither strip a prefix nor guess: the number, less the calling code,
    has the shape of the region's numbers and begins with nothing that could be a prefix.
    """
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.country_code is None or metadata.general_desc is None:
        return None
    if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[metadata.country_code]) > 1:
        return None
    general = metadata.general_desc.national_number_pattern
    code = str(metadata.country_code)
    plain = rf"regexp_replace(plain, '{_OLD_MEXICAN_SQL}', '\1')" if region == "MX" else "plain"
    # A number that has the shape of a national one is not cut, even where it begins like the calling code.
    full = f"regexp_full_match({plain}, '{general}')"
    without_code = (
        f"CASE WHEN starts_with({plain}, '+{code}') THEN substr({plain}, {len(code) + 2}) "
        f"WHEN starts_with({plain}, '{code}') AND NOT {full} THEN substr({plain}, {len(code) + 1}) ELSE {plain} END"
    )
    prefix = metadata.national_prefix_for_parsing or ""
    national = without_code
    unstripped = "true"
    if prefix.isdigit():
        without_prefix = f"substr(({without_code}), {len(prefix) + 1})"
        national = (
            f"CASE WHEN starts_with(({without_code}), '{prefix}') AND regexp_full_match({without_prefix}, '{general}') "
            f"THEN {without_prefix} ELSE {without_code} END"
        )
    elif prefix:
        unstripped = f"regexp_extract(national, '^(?:{prefix})', 0) = ''"
    mobile = _matches_sql(metadata.mobile)
    fixed = _matches_sql(metadata.fixed_line)
    special = _special_sql(metadata)
    return PhoneSql(
        national=national,
        decides=rf"regexp_full_match(national, '{general}') AND {unstripped}",
        valid=f"({mobile} OR {fixed} OR {special})",
        line=(
            f"CASE WHEN {special} THEN '' WHEN {mobile} AND {fixed} THEN 'BOTH' "
            f"WHEN {fixed} THEN 'FIXED' WHEN {mobile} THEN 'MOBILE' ELSE '' END"
        ),
        calling_code=metadata.country_code,
    )


def _matches_sql(desc: PhoneNumberDesc | None) -> str:
    """Return SQL for whether `national` is a number of one kind, such as mobile; false where the region has none."""
    if desc is None or not desc.national_number_pattern:
        return "false"
    lengths = ", ".join(str(length) for length in desc.possible_length if length > 0)
    fits = f"length(national) IN ({lengths}) AND " if lengths else ""
    return f"({fits}regexp_full_match(national, '{desc.national_number_pattern}'))"


def _special_sql(metadata: PhoneMetadata) -> str:
    """Return SQL for whether `national` is a number of a kind that is neither mobile nor fixed, such as toll-free."""
    kinds = (
        metadata.premium_rate,
        metadata.toll_free,
        metadata.shared_cost,
        metadata.voip,
        metadata.personal_number,
        metadata.pager,
        metadata.uan,
        metadata.voicemail,
    )
    conditions = " OR ".join(_matches_sql(desc) for desc in kinds)
    return f"({conditions})"


if __name__ == "__main__":
    json.dump(_parse_chunk(json.load(sys.stdin), sys.argv[1]), sys.stdout)
