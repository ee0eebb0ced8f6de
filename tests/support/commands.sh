# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the tests of commands: they work in a temporary folder, which goes with them, and fail at the first fault.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
exec </dev/null # a command that asks for more is not answered

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# run CODE ARGUMENT...: eddy ends with that exit code; what it writes is in out and errors.
run() {
  local code=$1 status=0
  shift
  "$EDDY_BINARY" "$@" >out 2>errors || status=$?
  [ "$status" = "$code" ] || fail "eddy $*: exit code $status, wanted $code: $(cat errors)"
}

# expect CODE TEXT ARGUMENT...: and says the text on stderr.
expect() {
  local code=$1 text=$2
  shift 2
  run "$code" "$@"
  grep -qF -- "$text" errors || fail "eddy $*: does not say '$text' but: $(cat errors)"
}
