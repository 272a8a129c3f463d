"""One definition per indicator, used by every board, report and export."""

from recobra_core.kpi.ageing import CREDIT_BUCKET, ageing
from recobra_core.kpi.collected import days_to_collect

__all__ = ["CREDIT_BUCKET", "ageing", "days_to_collect"]
