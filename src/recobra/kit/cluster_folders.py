"""Folders of the embedded cluster: closed to every account of the machine but the one that the server runs as.

PostgreSQL refuses to run as root. Under root the server runs as another user, who owns the cluster and the socket and
may walk through the data directory, but sees nothing else in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import secrets
import stat
import tempfile
from pathlib import Path
from typing import Final

from . import created_once, durable_files

_SOCKET_PATH_LIMIT: Final = 100  # sun_path holds 107 bytes; the file name `.s.PGSQL.5432` takes the rest
_SYSTEM: Final = Path("/var/lib/recobra")
_WALK_ONLY: Final = 0o710
"""Mode of a folder through which the group of the server's user may walk."""


class FolderNotOurs(Exception):
    """A folder that only the product may use is somebody else's; the text names it."""


def find_server_user() -> pwd.struct_passwd | None:
    """Return the user to run the server as when this process is root, which PostgreSQL refuses; else None."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def make_home(home: Path) -> None:
    """Make the folder that the product keeps beside its cluster, in the data directory, and close both to others."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    user = find_server_user()
    lives_here = (home / "cluster").exists() or not (home / "cluster-token").exists()
    for folder in (home.resolve().parent, home.resolve()):
        if user is not None and lives_here and is_reachable(folder.parent):
            os.chown(folder, -1, user.pw_gid)
            folder.chmod(_WALK_ONLY)
        elif folder.stat().st_uid == os.geteuid():
            folder.chmod(0o700)


def find_root(home: Path) -> Path:
    """Return where the cluster lives: beside the data, or where the server's own user can reach it."""
    token = home / "cluster-token"
    if (home / "cluster").exists() or (not token.exists() and is_reachable(home)):
        return home
    # The token ties the cluster to this data directory: a new one at the same path never finds an old cluster.
    return system_folder(f"{digest_path(home)}-{created_once.read_or_create(token, secrets.token_hex(4))}")


def find_socket_folder(home: Path) -> Path:
    """Return the folder of the server's socket: beside the cluster, unless that path is too long for a socket."""
    beside = find_root(home) / "socket"
    if len(str(beside)) < _SOCKET_PATH_LIMIT:
        return beside
    token = created_once.read_or_create(home / "socket-token", secrets.token_hex(16))
    return Path(tempfile.gettempdir()) / f"recobra-{token}"


def system_folder(name: str) -> Path:
    """Return a folder of the machine that the server's user reaches, below one that nobody else may list."""
    if not _SYSTEM.exists():
        _SYSTEM.mkdir(parents=True, exist_ok=True)
        _SYSTEM.chmod(0o711)
    return _SYSTEM / name


def make_server_folder(folder: Path) -> None:
    """Make a folder that only the server's user may enter, or close one that is theirs. Raises FolderNotOurs."""
    user = find_server_user()
    owner = os.geteuid() if user is None else user.pw_uid
    if not folder.parent.exists():
        make_server_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
    # Never taken as found: in the temporary folder anybody could have made it, or a link in its place.
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
        raise FolderNotOurs(f"{folder} belongs to somebody else; remove it.")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def write_server_file(path: Path, text: str) -> None:
    """Replace a file of the cluster, readable by the server's user only."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        user = find_server_user()
        if user is not None:
            os.fchown(file.fileno(), user.pw_uid, user.pw_gid)
    durable_files.put_in_place(draft, path)


def is_reachable(path: Path) -> bool:
    """Tell if the server's user may walk down to a path."""
    user = find_server_user()
    if user is None:
        return True
    resolved = path.resolve()
    return all(not part.exists() or _may_walk(part.stat(), user) for part in (resolved, *resolved.parents))


def digest_path(path: Path) -> str:
    """Return a short name that stands for a path."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]


def _may_walk(folder: os.stat_result, user: pwd.struct_passwd) -> bool:
    """Tell if a user may walk through a folder."""
    if folder.st_uid == user.pw_uid:
        return bool(folder.st_mode & 0o100)
    if folder.st_gid == user.pw_gid:
        return bool(folder.st_mode & 0o010)
    return bool(folder.st_mode & 0o001)
