"""Job that deletes what nobody uses any more of the sign-in."""

from __future__ import annotations

from procrastinate.contrib.django import app

from .session_store import SessionStore


@app.periodic(cron="40 * * * *")
@app.task(name="access.clear_sessions", queueing_lock="access.clear_sessions")
def clear_sessions(timestamp: int) -> None:  # noqa: ARG001 - a late tick clears what has ended by now
    """Delete the sessions that have reached a limit."""
    SessionStore.clear_expired()
