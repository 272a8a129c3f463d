"""What approvals hold about people."""

from recobra.kit.personal_data import Holding

HOLDINGS = (Holding(model="approvals.Approval", data_class="decisions"),)
