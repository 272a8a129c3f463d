"""What a rule may not say, and what its author is told."""

import time

import pytest

from recobra_core.rules import ACCOUNT_COLUMNS, Catalogue, Column, RuleError, compile_rule
from recobra_core.rules.errors import MESSAGES

# text, key, position, a part of the Spanish message
REFUSED = [
    ("", "empty", 0, "vacía"),
    ("   ", "empty", 0, "balance > 1000"),
    ("balence > 3", "unknown_column", 0, "¿Quiso decir «balance»?"),
    ("held and saldo > 3", "unknown_column", 9, "«balance»"),
    ("dias_de_mora > 3", "unknown_column", 0, "«dpd»"),
    ("zzzzqq > 3", "unknown_column", 0, "No existe la columna «zzzzqq»"),
    ("contacts_30d > " + "1+" * 290 + "1", "too_deep", 479, "niveles"),
    ("contacts_30d" + " is null" * 190, "too_deep", 0, "niveles"),
    ("contacts_30d" + " = contacts_30d" * 190, "too_deep", 1980, "niveles"),
    ("accounts.balance > 3", "not_allowed", 8, "«.»"),
    ("product > 3", "wrong_type", 0, "'LOAN'"),
    ("contacts_30d = 'three'", "wrong_type", 0, "31"),
    ("balance > contacts_30d", "wrong_type", 0, "1000.50"),
    ("balance * overdue > 3", "wrong_type", 0, "1000.50"),
    ("held > true", "wrong_type", 0, "true"),
    ("held + 1 > 1", "wrong_type", 0, "true"),
    ("contacts_30d like '3%'", "wrong_type", 0, "31"),
    ("product = 'loan'", "unknown_value", 10, "¿Quiso decir «LOAN»?"),
    ("product in ('LOAN', 'CAR')", "unknown_value", 20, "«CARD»"),
    ("stage = 'x'", "unknown_value", 8, "PREVENTIVE, ADMINISTRATIVE"),
    ("coalesce(opened_date, '2026-02-30') > '2026-01-01'", "bad_date", 22, "'2026-12-31'"),
    ("opened_date > '31/12/2026'", "bad_date", 14, "«31/12/2026»"),
    ("opened_date > '20260101'", "bad_date", 14, "año, mes y día"),
    ("balance > 1.23456", "bad_number", 10, "4 decimales"),
    ("balance > 99999999999999999999", "bad_number", 10, "1234.56"),
    ("balance > 1e99999999", "bad_number", 10, "1234.56"),
    ("contacts_30d between 60 and 31", "empty_range", 21, "between 31 and 60"),
    ("contacts_30d", "not_condition", 0, "contacts_30d > 0"),
    ("'abc'", "not_condition", 0, "no es una condición"),
    ("(balance > 3) > 4", "not_value", 1, "es una condición"),
    ("contacts_30d in (balance)", "wrong_type", 0, "31"),
    ("contacts_30d in (payments_90d)", "literal_expected", 17, "valor fijo"),
    ("product like upper('a')", "literal_expected", 13, "valor fijo"),
    ("product like 'a\\_b'", "bad_pattern", 13, "barra invertida"),
    ("contacts_30d = null", "null_compare", 0, "is null"),
    ("contacts_30d is true", "not_allowed", 0, "no se puede usar"),
    ("contacts_30d / 2 > 1", "not_allowed", 13, "«/»"),
    ("now() > '2026-01-01'", "unknown_function", 0, "abs, coalesce"),
    ("contacts_30d > 1 and uper(product) = 'X'", "unknown_function", 21, "¿Quiso decir «upper»?"),
    ("abs(product) > 1", "wrong_arguments", 0, "abs(1)"),
    ("coalesce(balance) > 1", "wrong_arguments", 0, "coalesce(a, b)"),
    ("contacts_30d > 1 )", "syntax", 17, "«)»"),
    ("contacts_30d >", "syntax", 13, "«>»"),
    ("contacts_30d > 1 balance", "syntax", 17, "«balance»"),
    ("contacts_30d > 1\nand and held", "syntax", 21, "«and»"),
    ("product = 'LOAN", "syntax", 10, "«'LOAN»"),
    ('product = "LOAN"', "quotes", 10, "'LOAN'"),
    ("held -- all of them", "comment", 0, "comentarios"),
    ("held /* x */ and held", "comment", 0, "comentarios"),
    ("held; drop table accounts", "not_allowed", 4, "«;»"),
    ("select 1", "not_allowed", 7, "SELECT 1"),
    ("contacts_30d in (select 1)", "not_allowed", 0, "no se puede usar"),
    ("exists (select 1)", "unknown_function", 0, "exists"),
    ("case when held then true else false end", "not_allowed", 10, "no se puede usar"),
    ("cast(balance as int) > 1", "unknown_function", 0, "cast"),
    ("current_date > '2026-01-01'", "not_allowed", 0, "no se puede usar"),
    ("balance > $1", "not_allowed", 10, "«$1»"),
    ("contacts_30d between symmetric 3 and 1", "not_allowed", 0, "no se puede usar"),
    ("product like 'a' escape 'b'", "not_allowed", 0, "no se puede usar"),
    ("length(product, held) > 1", "not_allowed", 0, "no se puede usar"),
    ("balance > :limit", "not_allowed", 10, "«:»"),
    ("product = N'LOAN'", "not_allowed", 10, "no se puede usar"),
    ("balance * 0.1234 * 1000 > 1", "too_large", 0, "importes"),
    ("days_since_contact > 3", "unknown_null", 0, "coalesce(days_since_contact, 0)"),
    ("held or days_since_contact > 3 and dpd is not null", "unknown_null", 8, "days_since_contact is null or"),
    ("days_since_contact is not null or dpd > 3", "unknown_null", 34, "«dpd»"),
    ("least(dpd, 3) = 3", "unknown_null", 6, "«dpd»"),
    ("not (subdivision = 'x')", "unknown_null", 5, "coalesce(subdivision, '')"),
]


@pytest.mark.parametrize(("text", "key", "position", "said"), REFUSED, ids=[text or "nothing" for text, *_ in REFUSED])
def test_a_wrong_rule_is_refused_with_its_reason(text, key, position, said):
    with pytest.raises(RuleError) as refusal:
        compile_rule(text, ACCOUNT_COLUMNS)
    assert (refusal.value.key, refusal.value.position) == (key, position)
    assert said in refusal.value.text("es")
    assert "{" not in refusal.value.text("en")


HOSTILE = {
    "a megabyte of text": "a" * 1_000_000,
    "a megabyte of parentheses": "(" * 1_000_000,
    "deep parentheses": "(" * 1000 + "held" + ")" * 1000,
    "deep not": "not " * 900 + "held",
    "deep minus": "balance > " + "- " * 900 + "1",
    "deep calls": "abs(" * 500 + "balance" + ")" * 500 + " > 1",
    "long list": "contacts_30d in (" + ", ".join(["1"] * 290) + ")",
    "long sum": "balance > " + " + ".join(["1"] * 400),
    "nul bytes": "held and \x00\x00",
    "emoji": "held and 💥 > 1",
    "brackets": "[" * 2000,
    "unclosed quotes": "'" * 3999,
    "comment bomb": "/*" * 1999,
    "template": "{{ balance }} > 1",
    "huge exponent": "balance > 1e999999999999",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_without_effort(text):
    began = time.process_time()
    with pytest.raises(RuleError):
        compile_rule(text, ACCOUNT_COLUMNS)
    assert time.process_time() - began < 2


def test_the_longest_rule_within_the_limits_is_accepted():
    text = " or ".join(f"contacts_30d = {n}" for n in range(140))
    assert compile_rule(text, ACCOUNT_COLUMNS).columns == {"contacts_30d"}


@pytest.mark.parametrize(
    "text",
    [
        "days_since_contact is not null and days_since_contact > 3",
        "days_since_contact > 3 or days_since_contact is null",
        "coalesce(days_since_contact, 0) > 3",
        "not (days_since_contact is null or days_since_contact <= 3)",
        "dpd is not null and subdivision is not null and dpd > 3 and subdivision = 'x'",
    ],
)
def test_a_rule_that_says_what_unknown_means_is_accepted(text):
    assert compile_rule(text, ACCOUNT_COLUMNS).unknown == "refuse"


def test_too_many_unknowns_are_refused():
    names = [f"attr_{n}" for n in range(9)]
    columns = [Column(name=name, type="integer", nullable=True, label_en=name, label_es=name) for name in names]
    text = " and ".join(f"{name} is not null and {name} > 1" for name in names)
    with pytest.raises(RuleError, match="9 columns"):
        compile_rule(text, Catalogue(columns))


def test_every_message_speaks_both_languages():
    for english, spanish in MESSAGES.values():
        assert english
        assert spanish
        assert english != spanish


def test_a_catalogue_names_each_column_once():
    with pytest.raises(ValueError, match="'dpd' appears twice"):
        ACCOUNT_COLUMNS.extend([ACCOUNT_COLUMNS["dpd"]])
    with pytest.raises(ValueError, match="lower-case identifier"):
        Catalogue([Column(name="attr_x; drop", type="text", nullable=True, label_en="x", label_es="x")])
