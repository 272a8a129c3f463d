"""Variables of templates. Their names are Spanish, as the people who write templates are."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Variable(NamedTuple):
    """A name that a template may use, and its meaning."""

    name: str
    meaning: str | Promise


VARIABLES: Final = (
    Variable("nombre", _("the debtor's name")),
    Variable("acreedor", _("the creditor's name")),
    Variable("acreedor_identificacion", _("the creditor's tax id")),
    Variable("acreedor_domicilio", _("the creditor's address")),
    Variable("agencia", _("who collects: the agency, or the creditor itself")),
    Variable("agencia_domicilio", _("address of who collects")),
    Variable("agencia_telefono", _("telephone of who collects")),
    Variable("emisor", _("who sends the message")),
    Variable("contacto", _("how to reach who collects")),
    Variable("vencidos", _("what is overdue: groups by currency, each with moneda, documentos and total")),
    Variable("por_vencer", _("what falls due next: groups by currency, each with moneda, documentos and total")),
    Variable("total_vencido", _("sum of what is overdue, one per currency")),
    Variable("total_por_vencer", _("sum of what falls due next, one per currency")),
    Variable("desglose", _("what is asked for, by concept: groups by currency, each with moneda, conceptos and total")),
    Variable("capital", _("principal asked for, one per currency")),
    Variable("intereses", _("interest asked for, one per currency")),
    Variable("gastos", _("fees and taxes asked for, one per currency")),
    Variable("liquidacion", _("how interest was reckoned: amount, rate, kind and period")),
    Variable("gastos_detalle", _("fees and taxes asked for, each with its amount")),
    Variable("contratos", _("the contracts, with the day each was signed")),
    Variable("mora_desde", _("due date of the oldest document asked for")),
    Variable("origen", _("where the debt comes from: loan, card, service or invoice")),
    Variable("como_pagar", _("how and where to pay")),
    Variable("como_reclamar", _("how to object to the debt or complain")),
    Variable("oficina_reclamos", _("the office that hears complaints")),
    Variable("derechos", _("the debtor's rights in the country")),
    Variable("no_judicial", _("that it is no proceeding to seize goods")),
    Variable("como_parar", _("the word that stops the messages of this channel")),
    Variable("fecha", _("date of the message")),
    Variable("referencia", _("number that identifies the message")),
    Variable("enlace_baja", _("page to stop receiving messages")),
    Variable("enlace_detalle", _("page with all that is owed, shown to who proves to be the debtor; 90 days")),
)
"""The variables of every message."""

OWN_PREFIX: Final = "propia_"
"""Before the name of a portfolio's own column (`portfolio.own_columns`), which a template may use as a variable."""

FIELDS: Final = (
    Variable("moneda", _("of a group: code of the currency")),
    Variable("documentos", _("of a group: its documents, oldest first")),
    Variable("conceptos", _("of a group: its concepts (principal, interest, fees), each with nombre and importe")),
    Variable("total", _("of a group: sum of its documents")),
    Variable("nombre", _("of a concept: its name")),
    Variable("numero", _("of a document: its number")),
    Variable("vencimiento", _("of a document: its due date")),
    Variable("importe", _("of a document: what is owed on it")),
    Variable("dias", _("of a document: days late, or days left")),
)
"""The fields of groups, documents and concepts."""

REQUIRED: Final = {
    _("the creditor"): ("acreedor",),
    _("the total"): ("total_vencido", "total_por_vencer"),
    _("how to pay"): ("como_pagar",),
    _("how to object"): ("como_reclamar",),
}
"""What both the text and the HTML of an e-mail must say, each with one of the variables."""

NOTICE: Final = "por_vencer"
"""A template that uses this variable is a notice: it may go before anything is overdue."""
NOTICES: Final = frozenset({NOTICE, "total_por_vencer"})
