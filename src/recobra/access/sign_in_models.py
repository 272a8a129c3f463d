"""Tables behind the sign-in; `models.py` names them for Django."""

from __future__ import annotations

from django.db import models


class AttemptLimit(models.Model):
    """How far one limit of attempts is used up (`throttle.py`). Personal data: none. Dies when it is free again.

    The table is unlogged: a crash of the server forgives everybody.
    """

    key = models.BinaryField(primary_key=True)
    # Each attempt moves it on; as long as it is in the past the limit is free.
    busy_until = models.DateTimeField(db_index=True)
    refused = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.busy_until:%Y-%m-%d %H:%M:%S}"
