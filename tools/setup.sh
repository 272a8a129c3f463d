#!/bin/sh
# Find a Python that can do the job, then let tools/setup.py do it.
set -eu
cd "$(dirname "$0")/.."
for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3; do
  if command -v "$name" >/dev/null 2>&1 &&
     "$name" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
    exec "$name" tools/setup.py "$@"
  fi
done
echo "Recobra needs Python 3.11, 3.12 or 3.13 with the venv module (Debian: apt-get install python3 python3-venv)." >&2
exit 1
