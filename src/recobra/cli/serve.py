"""`recobra serve`, `worker`, `dispatch`: processes of a running installation."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import logging
import signal
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recobra.cli import bootstrap, options, supervision
from recobra.cli.answer import Answer, CommandRefused
from recobra.kit import database, heartbeat

if TYPE_CHECKING:
    from procrastinate.worker import Worker

DEFAULT_PORT = 8000
BEAT_SECONDS = 5
NOW_TOLERANCE = timedelta(minutes=5)
NO_USERS = "There is no user yet: make the first with «recobra user create NAME --role administrator»."
_log = logging.getLogger(__name__)


def add_commands(commands: options.Commands) -> None:
    """Add the commands to the command line."""
    serve = options.add_command(commands, "serve", "serve the console, with a worker and dispatchers beside it")
    serve.add_argument("--port", type=options.parse_port, default=DEFAULT_PORT, metavar="P")
    serve.set_defaults(run=serve_console)
    options.add_command(commands, "worker", "run jobs and schedules until stopped").set_defaults(run=start_worker)
    dispatch = options.add_command(commands, "dispatch", "send what is due, until stopped")
    dispatch.add_argument("--once", action="store_true", help="send what is due now and end")
    dispatch.add_argument(
        "--now", type=options.parse_instant, metavar="ISO8601", help="with --once: take this as the time"
    )
    dispatch.set_defaults(run=start_dispatcher, wrong=dispatch.error)


def serve_console(arguments: argparse.Namespace) -> Answer:
    """Serve the console, with a worker and dispatchers beside it."""
    bootstrap.set_public_url(arguments.port)
    bootstrap.set_up()
    from recobra.access import queries  # noqa: PLC0415 - needs the settings
    from recobra.messaging.sending_stop import is_stopped  # noqa: PLC0415

    notes = [] if queries.has_active_user() else [NO_USERS]
    if is_stopped():
        notes.append("A backup was restored: nothing is sent until somebody confirms it with «recobra contact resume».")
    return answer_and_serve(arguments.port, lines=tuple(notes))


def answer_and_serve(port: int, *, lines: tuple[str, ...] = (), **more: Any) -> Answer:
    """Take the port and answer with the console's address; serving begins after the answer. Raises CommandRefused.

    `lines` are shown before the address; `more` goes into the document.
    """
    from django.conf import settings  # noqa: PLC0415 - needs the settings
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415 - needs the settings

    from recobra.cli import web_server  # noqa: PLC0415 - other commands start without it
    from recobra.kit.utf8_requests import read_as_utf8  # noqa: PLC0415 - other commands start without Django

    # Where collected static files would be; whitenoise warns about a folder that is not there.
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    try:
        application = read_as_utf8(get_wsgi_application())
        server = web_server.create_server(application, host=settings.LISTEN, port=port)
    except OSError as error:
        raise _refuse_port(error, host=settings.LISTEN, port=port) from error
    address = f"http://localhost:{port}/"
    return Answer(
        document={"address": address, **more},
        lines=(*lines, f"Serving on {address} (Ctrl-C stops)"),
        then=lambda: _serve_until_stopped(server),
    )


def _refuse_port(error: OSError, *, host: str, port: int) -> CommandRefused:
    """Return a refusal that says why a port cannot be served."""
    if error.errno == errno.EADDRINUSE:
        return CommandRefused("Port %(port)s is taken by another program; choose one with --port.", port=port)
    if error.errno == errno.EACCES:
        return CommandRefused(
            "This account may not serve port %(port)s; choose one from 1024 on with --port.", port=port
        )
    return CommandRefused(
        "RECOBRA_LISTEN is «%(host)s», which is no address of this machine: %(why)s.",
        host=host,
        why=error.strerror or error,
    )


def _serve_until_stopped(server: Any) -> None:
    """Run the web server, with the worker and the dispatchers beside it, until Ctrl-C or SIGTERM."""
    from django.conf import settings  # noqa: PLC0415 - needs the settings

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    # SIGTERM ends the process the way Ctrl-C does, so that children and the database are stopped.
    signal.signal(signal.SIGTERM, stop)
    with supervision.run_beside("worker", *["dispatch"] * settings.DISPATCHERS), contextlib.suppress(KeyboardInterrupt):
        server.run()
    server.close()


def start_worker(_arguments: argparse.Namespace) -> Answer:
    """Answer, and then run jobs and schedules until stopped."""
    bootstrap.set_up()
    return Answer(document={"worker": "running"}, then=_run_worker)


def _run_worker() -> None:
    """Run jobs and schedules until SIGTERM, Ctrl-C, or the end of the process that started this one."""
    from django.utils import translation  # noqa: PLC0415 - needs the settings
    from procrastinate.contrib.django import app  # noqa: PLC0415 - needs the settings
    from procrastinate.contrib.django.django_connector import DjangoConnector  # noqa: PLC0415
    from procrastinate.worker import Worker  # noqa: PLC0415 - other commands start without it

    connector = app.connector
    assert isinstance(connector, DjangoConnector)

    async def run_jobs() -> None:
        # Procrastinate ends gently on SIGTERM and SIGINT: a job in hand is finished first.
        with app.replace_connector(connector.get_worker_connector()) as working:
            async with working.open_async():
                working.perform_import_paths()  # type: ignore[no-untyped-call]
                worker = Worker(app=working, concurrency=1, delete_jobs="successful")
                await run_until_stopped(worker, life=heartbeat.own_heartbeat(database.data_dir(), "worker"))

    # Texts that jobs store are read in the console, in the language of the installation.
    translation.deactivate()
    supervision.end_with_parent()
    with supervision.keep_own_database():
        asyncio.run(run_jobs())


async def run_until_stopped(worker: Worker, *, life: heartbeat.Heartbeat) -> None:
    """Run a worker, and say that it lives as long as it has a job in hand; `life` tells those who watch the process.

    Procrastinate itself stops saying so when the worker is to end: another one would take up the job that this one is
    finishing.
    """
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - other commands start without it

    async def say_that_it_lives() -> None:
        while True:
            await asyncio.sleep(worker.update_heartbeat_interval)
            if worker.worker_id is None:
                continue
            try:
                await worker.app.job_manager.update_heartbeat(worker.worker_id)
            except ConnectorException as error:  # the next one may come through
                _log.warning("The worker could not say that it lives: %s", error)

    async def give_signs_of_life() -> None:
        while True:
            life.beat()
            await asyncio.sleep(BEAT_SECONDS)

    beside = [asyncio.create_task(say_that_it_lives()), asyncio.create_task(give_signs_of_life())]
    try:
        await worker.run()  # type: ignore[no-untyped-call]
    finally:
        for task in beside:
            task.cancel()
        life.end()


def start_dispatcher(arguments: argparse.Namespace) -> Answer:
    """Send what is due once, or answer and then send until stopped."""
    if arguments.now is not None and not arguments.once:
        arguments.wrong("--now is for --once only")
    bootstrap.set_up()
    from django.conf import settings  # noqa: PLC0415 - needs the settings

    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415
    from recobra.messaging import operations as messaging  # noqa: PLC0415 - needs the settings
    from recobra.messaging.channels.email import server  # noqa: PLC0415
    from recobra.messaging.sending_stop import is_stopped  # noqa: PLC0415

    server.refuse_local_names()
    if arguments.now is not None and not settings.DEMO and abs(arguments.now - clock.now()) > NOW_TOLERANCE:
        # At another hour than it is, the law's hours would be judged by a clock that the debtor does not have.
        raise CommandRefused("--now may be another time than it is in demonstration mode only.")
    if arguments.once:
        if is_stopped():
            raise CommandRefused(
                "A backup was restored: nothing is sent until somebody confirms it with «recobra contact resume»."
            )
        if arguments.now is None:
            return Answer(document=messaging.dispatch_due(instant=clock.now))
        return Answer(document=messaging.dispatch_once(actor=service_actor(Service.DISPATCH, now=arguments.now)))
    return Answer(document={"dispatch": "running"}, then=_dispatch_forever)


def _dispatch_forever() -> None:
    """Send what is due until SIGTERM, Ctrl-C, or the end of the process that started this one."""
    from recobra.messaging import operations as messaging  # noqa: PLC0415 - needs the settings

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    supervision.end_with_parent()
    life = heartbeat.own_heartbeat(database.data_dir(), "dispatch")
    try:
        with supervision.keep_own_database():
            messaging.dispatch_forever(stop=stop, beat=life.beat)
    finally:
        life.end()
