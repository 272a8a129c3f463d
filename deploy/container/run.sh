#!/bin/sh
# Run a command of the product in the container; without one, serve. Everything that lasts is in /data and /keys.
set -eu
umask 0077
export RECOBRA_DATA_DIR="${RECOBRA_DATA_DIR:-/data}"
export RECOBRA_KEYS_DIR="${RECOBRA_KEYS_DIR:-/keys}"
export RECOBRA_LISTEN="${RECOBRA_LISTEN:-0.0.0.0}"
export RECOBRA_LOG_FORMAT="${RECOBRA_LOG_FORMAT:-json}"
if [ $# -eq 0 ]; then
  set -- serve --port 8000
fi
exec "$(dirname "$0")/../../.venv/bin/recobra" "$@"
