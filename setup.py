"""The build of a wheel, which takes along the files of other projects that pages use.

A checkout serves them from `node_modules`, where `make setup` puts them; an installed wheel has no such folder.
"""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithVendorFiles(build_py):
    """Copy the listed files of `node_modules` beside the module that lists them."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        listed = runpy.run_path(str(ROOT / "src" / "recobra" / "config" / "vendor_files.py"))["VENDOR_FILES"]
        for name in listed:
            target = Path(self.build_lib) / "recobra" / "config" / "vendor" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / "node_modules" / name, target)


setup(cmdclass={"build_py": BuildWithVendorFiles})
