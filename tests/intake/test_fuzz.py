"""No damaged file and no damaged document breaks its reader: it is read, or refused in words (see `tests/fuzz.py`)."""

import gzip
import io
import sys
import time
from datetime import date
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from recobra.conversations.media_type import sniff_media_type
from recobra.intake.mapping import MappingFile
from recobra.intake.operations import LoadRefused, preview_file
from recobra.messaging.channels.http_sms.document import read_gateway
from recobra.tabular import formats
from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import open_workspace
from recobra_core.decide import ready
from recobra_core.decide.strategy import Strategy
from recobra_core.documents import DocumentError
from recobra_core.law.company_rules import read_company_rules
from recobra_core.yaml_source import parse_yaml, read_yaml
from tests import extent, fuzz

from .hostile import parquet_bytes
from .old_workbook import workbook

ROOT = Path(__file__).parents[2]
FILES = extent.choose(daily=120, whole=4_500)
BYTES = extent.choose(daily=30, whole=1_500)
CAGED = extent.choose(daily=20, whole=500)
DOCUMENTS = extent.choose(daily=100, whole=1_500)
FILES_AT_ONCE = 25  # in one DuckDB, which takes longer to be opened than a small file to be read
SECONDS_MAX = 20  # for one input, however busy the machine
MEMORY_MAX = 1_500_000_000  # what all inputs may add to this process
TEXT = "cuenta;nombre;vence;saldo\n" + "".join(f'A{n};"Peña; {n}";0{n}/10/2026;1.234,5{n}\n' for n in range(1, 9))


def _workbook() -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    for number, line in enumerate(TEXT.splitlines()):
        sheet.write_row(number, 0, line.split(";"))
    sheet.write_datetime(3, 2, date(2026, 10, 1), book.add_format({"num_format": "dd/mm/yyyy"}))
    sheet.write_formula(4, 3, "=1+1", None, "")
    book.close()
    return buffer.getvalue()


SEEDS = {
    "csv": TEXT.encode(),
    "latin": TEXT.encode("cp1252"),
    "utf16": TEXT.encode("utf-16"),
    "gzip": gzip.compress(TEXT.encode()),
    "xlsx": _workbook(),
    "xls": workbook([["cuenta", "saldo"], *([f"A{n}", float(n)] for n in range(20))]),
    "parquet": parquet_bytes(pa.table({"cuenta": ["A", "B"] * 40, "saldo": [1.5, 2.5] * 40, "n": list(range(80))})),
    "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00",
}


def _read(path, duck, name):
    """Read a file as the child would; return what became of it."""
    begin = time.monotonic()
    sniff_media_type(path.read_bytes())
    try:
        sheet = formats.read(path, duck, formats.ReadOptions())
    except FileRefused as refusal:
        str(refusal)  # fails where a sentence lacks its facts
        return refusal.code
    except Exception as error:
        error.add_note(f"{name} of seed {fuzz.SEED}: {path.read_bytes()[:500]!r}")
        raise
    finally:
        taken = time.monotonic() - begin
        assert taken < SECONDS_MAX, f"{name} took {taken} s, seed {fuzz.SEED}"
    return f"{duck.count(sheet.raw)} rows"


def test_no_damaged_file_breaks_its_reader(db, tmp_path, capsys):
    path = tmp_path / "cartera"
    memory = fuzz.peak_memory_bytes()
    ends = set()
    files = fuzz.damaged_files(SEEDS, FILES, fuzz.chance("files"))
    while some := list(islice(files, FILES_AT_ONCE)):
        with open_workspace() as duck:
            for name, content in some:
                path.write_bytes(content)
                ends.add((name, _read(path, duck, name)))
    assert fuzz.peak_memory_bytes() - memory < MEMORY_MAX, fuzz.SEED
    # Damage that is always refused alike, or never seen, would prove nothing.
    assert len(ends) > len(SEEDS), fuzz.SEED
    with capsys.disabled():
        sys.stdout.write(f"\n{FILES} damaged files, seed {fuzz.SEED}: {len(ends)} different ends\n")


@pytest.mark.django_db
@pytest.mark.parametrize("magic", [b"", b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1f\x8b\x08"])
def test_no_bytes_at_all_break_a_reader(magic, tmp_path):
    path = tmp_path / "cartera"

    @seed(fuzz.SEED)
    @settings(max_examples=max(BYTES // 5, 6), deadline=None, database=None)
    @given(
        st.one_of(st.binary(max_size=2_000), st.text(max_size=500).map(lambda text: text.encode("utf-8", "replace")))
    )
    def read(content):
        path.write_bytes(magic + content)
        with open_workspace() as duck:
            _read(path, duck, repr(magic))

    read()


def test_no_damaged_file_breaks_the_cage(db, tmp_path):
    path = tmp_path / "cartera"
    ends = set()
    shown = []
    for name, content in fuzz.damaged_files(SEEDS, CAGED, fuzz.chance("cage")):
        path.write_bytes(content)
        begin = time.monotonic()
        try:
            ends.add(preview_file(path)["kind"])
        except LoadRefused as refusal:
            ends.add(refusal.code)
            shown.append(str(refusal))
        assert time.monotonic() - begin < 3 * SECONDS_MAX, f"{name}, seed {fuzz.SEED}"
    assert not [text for text in shown if str(tmp_path) in text], fuzz.SEED
    # The library's own faults end a child and no more; a sound file is read after all of them.
    path.write_text(TEXT)
    assert preview_file(path)["rows"] == 8
    assert len(ends) > 2, fuzz.SEED


YAML = {
    "strategy": (lambda text: Strategy.parse(parse_yaml(text).value), Path(ready.__file__).with_name("consumo.yaml")),
    "gateway": (read_gateway, ROOT / "docs" / "sms_gateways" / "json_bearer.yaml"),
    "rules": (read_company_rules, None),
    "mapping": (lambda text: read_yaml(MappingFile, text), None),
}
TEXTS = {
    "rules": "name: casa\ncountry: PE\nrules:\n  - cap: {contacts: 2, days: 7, channels: [sms]}\n",
    "mapping": "account: {external_id: cuenta}\nbalance: saldo\nphones: [tel]\noptions: {decimal: comma}\n",
}


@pytest.mark.parametrize("kind", YAML)
def test_no_damaged_document_breaks_its_reader(kind):
    reader, path = YAML[kind]
    sound = path.read_bytes() if path else TEXTS[kind].encode()
    numbers = fuzz.chance(kind)
    for position in range(DOCUMENTS // len(YAML)):
        text = fuzz.damage(sound, numbers).decode("utf-8", "replace")
        begin = time.monotonic()
        try:
            reader(text)
        except DocumentError as error:
            error.messages("es")
        except Exception as error:
            error.add_note(f"{kind} {position} of seed {fuzz.SEED}")
            raise
        assert time.monotonic() - begin < SECONDS_MAX, f"{kind} {position}, seed {fuzz.SEED}"
