"""The proof of every contact with a debtor: one frozen structure, written as JSON and as PDF, both signed."""

from recobra.compliance.evidence.document import evidence_report
from recobra.compliance.evidence.dossier import FORMAT, EvidenceRefused, collect
from recobra.compliance.evidence.redaction import EVERYTHING, Eyes, eyes_of

__all__ = ["EVERYTHING", "FORMAT", "EvidenceRefused", "Eyes", "collect", "evidence_report", "eyes_of"]
