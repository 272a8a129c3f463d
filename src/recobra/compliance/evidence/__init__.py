"""Evidence of every contact with a debtor: one structure of plain values, written as signed JSON and signed PDF."""

from recobra.compliance.evidence.document import evidence_report
from recobra.compliance.evidence.dossier import FORMAT, EvidenceRefused, collect_dossier
from recobra.compliance.evidence.redaction import UNREDACTED, Redaction, redaction_for

__all__ = [
    "FORMAT",
    "UNREDACTED",
    "EvidenceRefused",
    "Redaction",
    "collect_dossier",
    "evidence_report",
    "redaction_for",
]
