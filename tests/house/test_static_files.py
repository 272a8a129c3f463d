"""What browsers may ask for is what pages use: no file more, and none that is missing."""

import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders

from recobra.config import static_files
from recobra.config.vendor_files import VENDOR_FILES

SOURCES = [*settings.BASE_DIR.rglob("*.html"), *settings.BASE_DIR.rglob("*.py")]
NAMED = re.compile(r"""static[ (]['"]([^'"]+\.\w+)['"]""")


def _served() -> set[str]:
    names = set()
    for dotted in settings.STATICFILES_FINDERS:
        for path, storage in finders.get_finder(dotted).list(None):
            prefix = getattr(storage, "prefix", None)
            names.add(f"{prefix}/{path}" if prefix else path)
    return names


def test_the_files_that_are_served_are_those_that_pages_name():
    named = {name for source in SOURCES for name in NAMED.findall(source.read_text(encoding="utf-8"))}
    assert _served() == named


def test_each_of_them_is_found_by_its_name():
    assert [name for name in _served() if not Path(str(finders.find(name))).is_file()] == []
    assert finders.find("vendor/../package.json") is None
    assert finders.find("vendor/htmx.org/package.json") is None


def test_an_installed_wheel_finds_its_copies(tmp_path, monkeypatch):
    for name in VENDOR_FILES:
        copy = tmp_path / "recobra" / "config" / "vendor" / name
        copy.parent.mkdir(parents=True)
        copy.write_text("a copy")
    monkeypatch.setattr(static_files, "_HERE", tmp_path / "recobra" / "config")
    finder = static_files.VendorFinder()
    assert {name for name, _storage in finder.list(None)} == set(VENDOR_FILES)
    assert finder.find(f"vendor/{VENDOR_FILES[0]}") == str(tmp_path / "recobra" / "config" / "vendor" / VENDOR_FILES[0])
