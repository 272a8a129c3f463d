"""JSON schemas of the documents that people write, by the name of the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from recobra.intake.mapping import MappingFile
from recobra.messaging.channels.http_sms.document import Gateway
from recobra.messaging.templates.pack import Pack
from recobra.payments.file_mapping import PaymentFileMapping
from recobra_core.decide import Strategy
from recobra_core.documents import DocumentModel, document_schema
from recobra_core.law.company_rules import CompanyRulesDocument
from recobra_core.law.files import CountryDocument

DOCUMENTS: Final[Mapping[str, type[DocumentModel]]] = {
    "company-rules": CompanyRulesDocument,
    "gateway": Gateway,
    "law": CountryDocument,
    "mapping": MappingFile,
    "payment-mapping": PaymentFileMapping,
    "strategy": Strategy,
    "templates": Pack,
}


class SchemaUnknown(Exception):
    """No document has this name; the text names those there are."""


def get_schema(name: str) -> dict[str, Any]:
    """Return the JSON schema of a document. Raises SchemaUnknown."""
    if name not in DOCUMENTS:
        refusal = _("There is no document «%(name)s»; there are: %(known)s.")
        raise SchemaUnknown(refusal % {"name": name, "known": ", ".join(DOCUMENTS)})
    return document_schema(DOCUMENTS[name])
