"""Tables read from files of others: the file is read in a child process (`kit.cage`), and its rows are taken over."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from django.conf import settings

from recobra.kit.cage import CageEnded, CageLimits, Reason, run_in_cage, warm_up
from recobra.kit.sizes import MEGABYTE
from recobra.tabular import cage_tasks
from recobra.tabular.formats import ReadOptions, Sheet, detect_format
from recobra.tabular.formats.sheet import ASIDE, ASIDE_COLUMNS, BROKEN, BROKEN_COLUMNS, FAULT_COLUMNS, FAULTS, RAW
from recobra.tabular.refusals import READERS_BUSY, FileRefused
from recobra.tabular.workspace import Relation, Workspace, open_folder

_REFUSALS: Final[dict[Reason, str]] = {
    "memory": "needs_memory",
    "time": "needs_time",
    "disk": "needs_disk",
    "broken": "unreadable",
    "busy": READERS_BUSY,
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A file as a person sees it first; `rows` counts those laid out in columns, `broken` the others.

    `header_line` is where the names of the columns were found, `name` the sheet that was read, of all its `names`.
    """

    headers: list[str]
    kind: str
    encoding: str
    delimiter: str
    header_line: int
    name: str
    names: list[str]
    sample: list[list[str | None]]
    rows: int
    broken: int


def prepare() -> None:
    """Let a child wait for the file that will soon come; returns at once."""
    warm_up(cage_tasks.read_table)


def read_file(path: Path, duck: Workspace, options: ReadOptions) -> Sheet:
    """Read a file into DuckDB. Raises FileRefused."""
    limits = _limits_for(path, seconds=120, bytes_a_second=MEGABYTE)
    folder = duck.folder / "read"
    folder.mkdir()
    try:
        answer = _ask(cage_tasks.read_table, path, folder, options, limits)
        headers = tuple(answer["headers"])
        cells = "line BIGINT" + "".join(f", c{n} VARCHAR" for n in range(len(headers)))
        columns = {RAW: cells, BROKEN: BROKEN_COLUMNS, FAULTS: FAULT_COLUMNS, ASIDE: ASIDE_COLUMNS}
        for relation, file_name in cage_tasks.FILES.items():
            _take_over(duck, relation, columns[relation], folder / file_name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Sheet(
        headers,
        answer["kind"],
        answer["encoding"],
        answer["delimiter"],
        answer["header_line"],
        answer["name"],
        tuple(answer["names"]),
    )


def preview_file(path: Path, options: ReadOptions, *, shown_rows: int) -> Preview:
    """Return what a file holds and its first rows; somebody waits for it. Raises FileRefused."""
    limits = _limits_for(path, seconds=30, bytes_a_second=5 * MEGABYTE)
    with open_folder() as folder:
        answer = _ask(cage_tasks.preview_table, path, folder, options, limits, shown_rows=shown_rows)
    del answer["refused"]
    return Preview(**answer)


def _limits_for(path: Path, *, seconds: int, bytes_a_second: int) -> CageLimits:
    """Return what reading a file may take: the larger it is, the more time and disk. Raises FileRefused."""
    detect_format(path)
    size = path.stat().st_size
    return CageLimits(
        seconds=seconds + size // bytes_a_second,
        memory_bytes=settings.READ_MEMORY_MB * MEGABYTE,
        disk_bytes=2048 * MEGABYTE + 4 * size,
    )


def _ask(
    task: Callable[..., dict[str, Any]],
    path: Path,
    folder: Path,
    options: ReadOptions,
    limits: CageLimits,
    **more: Any,
) -> dict[str, Any]:
    """Return the answer of one of the tasks that read a file. Raises FileRefused."""
    try:
        answer = run_in_cage(
            task,
            limits=limits,
            folder=folder,
            path=str(path.resolve()),
            spill_bytes=limits.disk_bytes // 2,
            options=asdict(options),
            **more,
        )
    except CageEnded as ended:
        _log.warning("reading a file was ended: %s %s", ended.reason, ended.detail)
        raise FileRefused(_REFUSALS[ended.reason], seconds=limits.seconds) from None
    if answer["refused"]:
        raise FileRefused(answer["refused"], **answer["facts"])
    return answer


def _take_over(duck: Workspace, relation: Relation, columns: str, path: Path) -> None:
    """Make a relation of an Arrow file of the child, once it is proved to be sound. Raises FileRefused."""
    duck.create_empty(relation, columns)
    try:
        with pa.memory_map(str(path)) as source:
            rows = pa.ipc.open_file(source).read_all()
            rows.validate(full=True)
            duck.append_arrow(relation, rows)
    except (pa.ArrowException, OSError):
        raise FileRefused("unreadable") from None
