"""No damaged document that people write breaks its reader, whatever its kind (see `tests/fuzz.py`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from recobra.insight.queries.schemas import DOCUMENTS
from recobra.intake.mapping import MappingFile
from recobra.messaging.channels.http_sms.document import read_gateway
from recobra.messaging.templates import library
from recobra.messaging.templates.pack import Pack
from recobra.payments.file_mapping import PaymentFileMapping
from recobra.policy.settings import SETTINGS, Policy, PolicyUnreadable, read_policy
from recobra_core import law
from recobra_core.decide import ready
from recobra_core.decide.strategy import Strategy
from recobra_core.documents import DocumentError, read_document
from recobra_core.law.company_rules import read_company_rules
from recobra_core.law.files import read_country_document
from recobra_core.yaml_source import parse_yaml, read_yaml
from tests import extent, fuzz

pytestmark = pytest.mark.fuzz
ROOT = Path(__file__).parents[1]
DOCUMENTS_READ = extent.choose(daily=100, whole=1_500)
RULES = "name: casa\ncountry: PE\nrules:\n  - cap: {contacts: 2, days: 7, channels: [sms]}\n"
MAPPING = "account: {external_id: cuenta}\nbalance: saldo\nphones: [tel]\noptions: {decimal: comma}\n"
PAYMENT_MAPPING = "account: cuenta\namount: importe\ndate: fecha\nreference: operacion\noptions: {decimal: comma}\n"


def _files(folder: Path) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(folder.glob("[!_]*.yaml"))]


# By kind: its reader, its sound texts, and the kind of `schemas.DOCUMENTS` that it is.
BY_TEXT = {
    "strategy": (lambda text: Strategy.parse(parse_yaml(text).value), _files(Path(ready.__file__).parent)),
    "gateway": (read_gateway, _files(ROOT / "docs" / "sms_gateways")),
    "company-rules": (read_company_rules, [RULES]),
    "mapping": (lambda text: read_yaml(MappingFile, text), [MAPPING]),
    "payment-mapping": (lambda text: read_yaml(PaymentFileMapping, text), [PAYMENT_MAPPING]),
}
# Those that come with the product are read from plain types.
BY_VALUE = {
    "law": (lambda value: read_country_document(value, file="PE.yaml"), Path(law.__file__).parent / "data"),
    "templates": (lambda value: read_document(Pack, value), Path(library.__file__).parents[1] / "library" / "es"),
}


def _try(watched, name, read, given, refusals):
    with watched.input(name, given) as one:
        try:
            read(given)
        except refusals as refusal:
            one.end = "refused"
            if isinstance(refusal, DocumentError):
                refusal.messages("es")
            str(refusal)


def test_every_kind_of_document_is_tried():
    assert set(DOCUMENTS) == {*BY_TEXT, *BY_VALUE}


@pytest.mark.parametrize("kind", BY_TEXT)
def test_no_damaged_document_breaks_its_reader(kind):
    reader, texts = BY_TEXT[kind]
    numbers = fuzz.chance(kind)
    with fuzz.watch(f"{kind} as YAML") as watched:
        for position in range(DOCUMENTS_READ // 6):
            text = texts[position % len(texts)]
            if position % 2:
                changed = fuzz.damage(text.encode(), numbers).decode("utf-8", "replace")
            else:
                changed = yaml.safe_dump(fuzz.damage_value(yaml.safe_load(text), numbers), allow_unicode=True)
            _try(watched, f"{kind} {position}", reader, changed, DocumentError)


@pytest.mark.parametrize("kind", BY_VALUE)
def test_no_changed_document_of_the_product_breaks_its_reader(kind):
    reader, folder = BY_VALUE[kind]
    values = [yaml.safe_load(text) for text in _files(folder)]
    numbers = fuzz.chance(kind)
    with fuzz.watch(kind) as watched:
        for position in range(DOCUMENTS_READ // 12):
            changed = fuzz.damage_value(values[position % len(values)], numbers)
            _try(watched, f"{kind} {position}", reader, changed, DocumentError)


def test_no_changed_policy_breaks_its_reader():
    policy = Policy()
    sound = {setting.name: setting.kind.write(getattr(policy, setting.name)) for setting in SETTINGS}
    numbers = fuzz.chance("policy")
    with fuzz.watch("policies") as watched:
        for position in range(DOCUMENTS_READ // 6):
            changed = fuzz.damage_value(sound, numbers)
            if isinstance(changed, dict):
                _try(watched, f"policy {position}", read_policy, json.loads(json.dumps(changed)), PolicyUnreadable)
