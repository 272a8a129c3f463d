"""The proof of every contact with a debtor: one frozen structure, written as JSON and as PDF, both signed."""

from .dossier import FORMAT, EvidenceRefused, collect
from .eyes import EVERYTHING, Eyes, eyes_of
from .telling import evidence_report

__all__ = ["EVERYTHING", "FORMAT", "EvidenceRefused", "Eyes", "collect", "evidence_report", "eyes_of"]
