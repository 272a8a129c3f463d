"""What a template may speak of. Names are Spanish, as the people who write templates are."""

from __future__ import annotations

from typing import Final, NamedTuple


class Variable(NamedTuple):
    """A name that a template may use, and what it stands for."""

    name: str
    meaning: str


VARIABLES: Final = (
    Variable("nombre", "nombre del deudor"),
    Variable("acreedor", "nombre del acreedor"),
    Variable("acreedor_identificacion", "identificación tributaria del acreedor"),
    Variable("emisor", "quién envía el mensaje"),
    Variable("vencidos", "lo vencido: grupos por moneda, cada uno con moneda, documentos y total"),
    Variable("por_vencer", "lo próximo a vencer: grupos por moneda, cada uno con moneda, documentos y total"),
    Variable("total_vencido", "suma de lo vencido, una por moneda"),
    Variable("total_por_vencer", "suma de lo próximo a vencer, una por moneda"),
    Variable("como_pagar", "cómo y dónde pagar"),
    Variable("como_reclamar", "cómo objetar la deuda o reclamar"),
    Variable("fecha", "fecha del mensaje"),
    Variable("referencia", "número que identifica el mensaje"),
    Variable("enlace_baja", "página para no recibir más mensajes"),
)
"""The variables of every message."""

FIELDS: Final = (
    Variable("moneda", "de un grupo: código de la moneda"),
    Variable("documentos", "de un grupo: sus documentos, del más antiguo al más nuevo"),
    Variable("total", "de un grupo: suma de sus documentos"),
    Variable("numero", "de un documento: su número"),
    Variable("vencimiento", "de un documento: su fecha de vencimiento"),
    Variable("importe", "de un documento: lo que se debe de él"),
    Variable("dias", "de un documento: días de atraso, o días que faltan"),
)
"""What groups and their documents are made of."""

REQUIRED: Final = {
    "acreedor": ("acreedor",),
    "total": ("total_vencido", "total_por_vencer"),
    "cómo pagar": ("como_pagar",),
    "cómo reclamar": ("como_reclamar",),
}
"""What text and HTML must both say, each by one of some variables."""

NOTICE: Final = "por_vencer"
"""A template that speaks of this is a notice: it may go before anything is overdue."""
