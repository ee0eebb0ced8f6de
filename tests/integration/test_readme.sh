#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The README's first five minutes, as they are written there, from the synthetic shop to the list that answers a click;
# on the embedded broker, whose topics are nobody else's.
set -euo pipefail
command -v kcat >/dev/null || exit 77
folder=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  cat "$folder"/* >&2
  exit 1
}

# block TEXT: the commands of the section's first block that has the text.
block() {
  awk -v text="$1" '
    /^## / {inside = /^## First recommendations/}
    !inside {next}
    /^```/ {if (fenced && index(lines, text)) {printf "%s", lines; exit}; fenced = !fenced; lines = ""; next}
    fenced {lines = lines $0 "\n"}' README.md
}

: >"$folder/bootstrap" # it may be looked into before the shell behind & has made it
"$EDDY_BINARY" run --embedded --config config/eddy.yaml --set http.listen= >"$folder/bootstrap" 2>"$folder/log" &
broker=$!
for _ in $(seq 1 300); do
  [ ! -s "$folder/bootstrap" ] || break
  sleep 0.1
done
EDDY_KAFKA_BOOTSTRAP_SERVERS=$(sed -n 's/^bootstrap=//p' "$folder/bootstrap")
[ -n "$EDDY_KAFKA_BOOTSTRAP_SERVERS" ] || fail "the embedded broker did not start"
PATH=$(dirname "$EDDY_BINARY"):$PATH
export PATH EDDY_KAFKA_BOOTSTRAP_SERVERS

# ends TOPIC: how many records its partitions have had.
ends() {
  kcat -b "$EDDY_KAFKA_BOOTSTRAP_SERVERS" -C -t "$1" -o -1 -e -q -f '%o\n' 2>/dev/null |
    awk '{sum += $1 + 1} END {print sum + 0}'
}

for step in "eddy generate" "-P -t clicks" "-C -t recommendations"; do
  [ -n "$(block "$step")" ] || fail "the README does not say '$step'"
done
eval "$(block "eddy generate")" 2>"$folder/generate" || fail "the shop sends no clicks"
for _ in $(seq 1 120); do # as long as the next line takes a person to read
  [ "$(ends recommendations)" -lt "$(ends clicks)" ] || break
  sleep 0.5
done
eval "$(block "-P -t clicks")" || fail "no click can be sent"
for _ in $(seq 1 60); do
  eval "$(block "-C -t recommendations")" >"$folder/answer" 2>/dev/null || true
  [ ! -s "$folder/answer" ] || break
  sleep 0.5
done
grep -q '"click_item_id":"i0".*"items":\[{"item_id":.*similar sessions' "$folder/answer" ||
  fail "the click is not answered with a list"
! grep -q '"event":"dead_letter"' "$folder/log" || fail "there are dead letters"
