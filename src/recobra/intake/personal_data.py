"""What loads hold about people."""

from recobra.kit.personal_data import Holding

# `operations/retention.py` deletes the rows and their file.
HOLDINGS = (Holding(model="intake.RejectedRow", data_class="loaded_files"),)
