# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the tests with a real Apache Kafka: they are left out without one (EDDY_KAFKA=host:port, see './dev kafka')
# and work in a temporary folder, which goes with them, as does the eddy whose number is in eddy_pid.
set -euo pipefail
[ -n "${EDDY_KAFKA:-}" ] || exit 77
command -v kcat >/dev/null || exit 77

folder=$(mktemp -d)
eddy_pid=
finish() {
  [ -z "$eddy_pid" ] || kill -9 "$eddy_pid" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  tail -n 20 "$folder"/*.log >&2 2>/dev/null || true
  exit 1
}

stop_eddy() {
  local code=0
  kill -TERM "$eddy_pid"
  wait "$eddy_pid" || code=$?
  eddy_pid=
  [ "$code" = 0 ] || fail "a stopped eddy exits with $code"
}
