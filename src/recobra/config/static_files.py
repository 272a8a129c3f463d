"""The files that browsers may ask for: those of our own apps, and of other projects just what pages use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles.finders import AppDirectoriesFinder, BaseFinder
from django.core.files.storage import FileSystemStorage

from recobra.config.vendor_files import VENDOR_FILES

_HERE: Final = Path(__file__).resolve().parent
_PREFIX: Final = "vendor/"


class VendorFinder(BaseFinder):
    """Find the files of VENDOR_FILES below «vendor/»: in `node_modules`, or where an installed wheel has its copies."""

    def __init__(self) -> None:
        modules = _HERE.parents[2] / "node_modules"
        self._storage = FileSystemStorage(location=modules if modules.is_dir() else _HERE / "vendor")
        # The names in addresses; Django joins it to what `list` yields.
        self._storage.prefix = _PREFIX.rstrip("/")  # type: ignore[attr-defined]

    def check(self, **_more: Any) -> list[Any]:
        """Return no faults: there is no setting that could be wrong (Django calls this)."""
        return []

    def find(self, path: str, find_all: bool = False, **_more: Any) -> Any:  # noqa: FBT001, FBT002 - Django's own
        """Return the place of a file, or [] (Django calls this)."""
        name = path.removeprefix(_PREFIX)
        if not path.startswith(_PREFIX) or name not in VENDOR_FILES or not self._storage.exists(name):
            return []
        place = self._storage.path(name)
        return [place] if find_all else place

    def list(self, _ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield each file with its storage (Django and WhiteNoise call this)."""
        for name in VENDOR_FILES:
            if self._storage.exists(name):
                yield name, self._storage


class OwnAppsFinder(AppDirectoriesFinder):
    """Find the static files of our own apps: what a library brings along is not served."""

    def __init__(self) -> None:
        from django.apps import apps  # noqa: PLC0415 - apps must be loaded first

        own = [app.name for app in apps.get_app_configs() if app.name.startswith("recobra.")]
        super().__init__(app_names=own)
