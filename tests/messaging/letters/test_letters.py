"""Letters: everything a debtor must be told, nothing through the window but the address, no text read as markup."""

import pytest

from recobra.kit.typeset.barcode import bar_widths
from recobra.kit.typeset.glyphs import displayable_text
from recobra.messaging.channels.letter.pdf import Address, LetterUnsuitable, render_batch
from tests.messaging.letters.pdf_text import pages
from tests.messaging.letters.sample import item, letter, letter_pdf


def read(now, **changes):
    return "".join(pages(letter_pdf(letter(**changes), at=now))).replace("\u00a0", " ")


def test_a_letter_says_who_is_owed_what_for_what_and_how_to_answer(now):
    text = read(now, items=(item("F-001"), item("F-002", principal=50_000, interest=0, fees=0)))
    for part in (
        "Rosa Quispe Mamani",
        "Gestora Andina S.A.C.",
        "Banco Sur",
        "23 de noviembre de 2026",
        "F-001",
        "F-002",
        "1,038.45",
        "500.00",
        "1,538.45",
        "Pague en bancosur.example.",
        "Escriba a reclamos@bancosur.example.",
        "4400012345678",
        "PE-0000012345",
    ):
        assert part in text


@pytest.mark.parametrize(("region", "last"), [("PE-CUS", "Cusco"), ("PE-XXX", ""), ("Cusco", "Cusco"), ("CU-03", "")])
def test_the_envelope_names_the_region_and_never_its_code(region, last):
    lines = Address(lines=("Av. Sol 1",), subdivision=region).envelope_lines()
    assert lines == (("Av. Sol 1", last) if last else ("Av. Sol 1",))


def test_only_the_address_stands_where_the_envelope_has_its_window(now):
    """The window's text comes first in the page; the trade, the reference and the debt come after it."""
    page = pages(letter_pdf(letter(), at=now))[0].replace("\u00a0", " ")
    assert page.startswith("Rosa Quispe MamaniAv. Los Próceres 1250, dpto. 402Urb. San Martín15046 Lima")
    assert page.index("Gestora Andina") > page.index("15046 Lima")


def test_sums_never_mix_currencies(now):
    text = read(now, items=(item("F-001"), item("F-002", currency="USD", principal=20_000, interest=0, fees=0)))
    assert "Total PEN" in text
    assert "Total USD" in text
    assert "1,238.45" not in text


def test_an_item_that_does_not_add_up_is_refused():
    good = item()
    with pytest.raises(LetterUnsuitable, match="add up"):
        type(good)(**{name: getattr(good, name) for name in good.__slots__} | {"total_minor": 1})


@pytest.mark.parametrize(
    "text",
    [
        '# $x$ *b* _i_ \\ [a] @ref <lab> #import "x" // c /* d */ `raw` #panic("no") = head ~ ---',
        '#eval("1") #sys.inputs.data "]} \\u{41}',
        "= h\n- a\n+ b\n/ c: d",
        "Ñandú ½ € ₡ ₲",
    ],
    ids=["markup", "code", "lists", "latin"],
)
def test_no_text_is_read_as_markup(text, now):
    for field in ("body", "subject", "creditor", "how_to_pay", "how_to_object"):
        assert _squeezed(text) in _squeezed(read(now, **{field: text})), field


def test_five_thousand_characters_are_all_printed(now):
    assert _squeezed(read(now, body="xyz " * 1_250)).count("xyz") == 1_250
    assert read(now, body="x" * 5_000).count("x") >= 5_000


@pytest.mark.parametrize("text", ["שלום עולם", "مرحبا بالعالم"])
def test_writing_from_right_to_left_has_its_glyphs(text, now):
    assert "[U+" not in read(now, body=text, recipient=text)


def _squeezed(text):
    return "".join(text.split())


def test_a_character_without_a_glyph_is_named_not_left_out(now):
    assert "pague [U+1F600 grinning face] hoy" in read(now, body="pague 😀 hoy")
    assert displayable_text("a\u202eb") == "a[U+202E right-to-left override]b"
    assert displayable_text("a\tb\r\nc") == "a b\nc"


def test_a_name_with_direction_marks_cannot_turn_the_address_around(now):
    assert "Rosagro" in read(now, recipient="Rosa\u202egro")


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"address": Address(lines=())}, "address"),
        ({"address": Address(lines=("  ",))}, "address"),
        ({"recipient": " "}, "name"),
        ({"reference": ""}, "reference"),
        ({"body": ""}, "words"),
        ({"creditor": ""}, "creditor"),
    ],
)
def test_a_letter_that_cannot_arrive_or_says_nothing_is_not_printed(changes, missing, now):
    with pytest.raises(LetterUnsuitable, match=missing):
        letter_pdf(letter(**changes), at=now)


def test_paper_is_the_countrys_own(now):
    assert b"/MediaBox" in letter_pdf(letter(), at=now)
    assert _size(letter_pdf(letter(country="PE"), at=now)) == "A4"
    assert _size(letter_pdf(letter(country="CL"), at=now)) == "US Letter"


def _size(pdf):
    return {b"595": "A4", b"612": "US Letter"}[pdf.split(b"/MediaBox", 1)[1].split(b"[")[1].split()[2][:3]]


def test_a_batch_has_a_cover_and_counts_the_sheets_of_each_letter(now):
    long = letter(reference="PE-2", items=tuple(item(f"F-{n:03}") for n in range(60)))
    batch = render_batch([letter(reference="PE-1"), long], code="LOTE-7", at=now)
    assert batch.sheets == {"PE-1": 1, "PE-2": 2}
    cover, *rest = pages(batch.pdf)
    assert "LOTE-7" in cover
    assert "Rosa" not in cover
    assert len(rest) == sum(batch.sheets.values())
    assert "PE-1" in rest[0]
    assert all("PE-2" in page for page in rest[1:])


def test_a_batch_is_the_same_bytes_when_made_again(now):
    letters = [letter(reference=f"PE-{n}") for n in range(3)]
    assert render_batch(letters, code="L", at=now) == render_batch(letters, code="L", at=now)


def test_a_letter_may_be_made_at_any_instant(now):
    assert letter_pdf(letter(), at=now.replace(microsecond=123_456)).startswith(b"%PDF")


def test_no_letter_twice_in_a_batch_and_no_empty_batch(now):
    with pytest.raises(LetterUnsuitable, match="twice"):
        render_batch([letter(), letter()], code="L", at=now)
    with pytest.raises(LetterUnsuitable, match="1 to"):
        render_batch([], code="L", at=now)


def test_code_128_is_what_the_standard_says():
    """Start B (211214), «A» (111323), check symbol 34 (131123), stop (2331112); ISO/IEC 15417."""
    assert "".join(map(str, bar_widths("A"))) == "211214" + "111323" + "131123" + "2331112"
    assert bar_widths("ñ") == bar_widths("x" * 33) == bar_widths("") == []
