#!/bin/sh
# Put the product into a folder: `build.sh SOURCE TARGET`. The image is built by it, and so is a machine without one.
set -eu
source=$(cd "$1" && pwd)
target=$2
mkdir -p "$target"
target=$(cd "$target" && pwd)
if [ -n "$(ls -A "$target")" ]; then
  echo "$target is not empty." >&2
  exit 1
fi
# What runs, and nothing of the source's history, tests or environment.
for part in src tools requirements docs deploy pyproject.toml package.json package-lock.json README.md LICENSE; do
  cp -R "$source/$part" "$target/"
done
find "$target" -name __pycache__ -type d -prune -exec rm -rf {} +
cd "$target"
sh tools/setup.sh base frontend
.venv/bin/python -m compileall -q src
.venv/bin/recobra --help >/dev/null
echo "Recobra is in $target."
