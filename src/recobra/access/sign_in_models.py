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


class Session(models.Model):
    """A browser in which a user is signed in, or is about to sign in where `user` is None (`session_store.py`).

    The key is a digest of the cookie's, so that nobody who reads the table can use it. Personal data: address and
    browser. Dies when it ends.
    """

    key_digest = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey("access.User", models.CASCADE, null=True, related_name="sessions")
    data = models.TextField()
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    address = models.TextField(default="")
    agent = models.TextField(default="")

    def __str__(self) -> str:
        return f"{self.user_id} {self.started_at:%Y-%m-%d %H:%M}"
