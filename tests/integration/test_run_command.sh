#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The commands run and topics from outside: what they print, how they end.
set -euo pipefail
command -v kcat >/dev/null || exit 77
folder=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill -CONT "$broker"; [ -z "$broker" ] || kill -9 "$broker"; wait; rm -rf "$folder"' EXIT
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  [ ! -s "$folder/errors" ] || cat "$folder/errors" >&2
  exit 1
}

# expect CODE TEXT COMMAND...: it ends with that code and says so on standard error
expect() {
  local wanted=$1 text=$2 code=0
  shift 2
  "$EDDY_BINARY" "$@" >/dev/null 2>"$folder/errors" || code=$?
  [ "$code" = "$wanted" ] || fail "eddy $* ends with $code, not $wanted"
  grep -q -- "$text" "$folder/errors" || fail "eddy $* does not say '$text'"
}

# ---- wrong usage and wrong configuration
expect 2 "no option" run --no-such-option
expect 2 "say 'create' or 'check'" topics
expect 3 bootstrap.servers run
expect 3 "kafka.acks is set by eddy" run --embedded --set http.listen= --set kafka.acks=1
expect 3 "127.0.0.1:99999" run --embedded --set http.listen=127.0.0.1:99999
began=$SECONDS
expect 4 "no broker of 127.0.0.1:1 (kafka.bootstrap.servers) answered.*refused" topics check \
  --set kafka.bootstrap.servers=127.0.0.1:1
[ $((SECONDS - began)) -lt 8 ] || fail "a refused connection is waited for"

# ---- a stop that comes before there is anything to stop: it reads its configuration from a pipe nobody writes to yet
mkfifo "$folder/config"
"$EDDY_BINARY" run --embedded --config "$folder/config" --set http.listen= >/dev/null 2>"$folder/errors" &
early=$!
waits() { # it is eddy, no longer the shell before it, and catches SIGTERM, which is bit 15
  [ "/proc/$early/exe" -ef "$EDDY_BINARY" ] && grep -q '^SigCgt:.*[4567cdef]...$' "/proc/$early/status"
}
for _ in $(seq 1 100); do
  ! waits || break
  sleep 0.1
done
waits || fail "it does not catch SIGTERM before it has a configuration"
kill -TERM "$early"
sleep 0.2
# shellcheck disable=SC2016 # the inner shell's to expand
timeout 20 sh -c 'echo "log: {level: info}" >"$0"' "$folder/config" || fail "nobody reads the configuration any more"
code=0
wait "$early" || code=$?
[ "$code" = 0 ] || fail "it ends with $code when it is stopped early"
! grep -q 'event=ready' "$folder/errors" || fail "it is ready though it was stopped"

# ---- the embedded broker: the lines that it prints work as they are printed; the first signal drains
: >"$folder/out" # it may be looked into before the shell behind & has made it
"$EDDY_BINARY" run --embedded --set http.listen= --set state.directory="$folder/unused" --set topics.prefix=my. \
  >"$folder/out" 2>"$folder/errors" &
broker=$!
for _ in $(seq 1 100); do
  bootstrap=$(sed -n 's/^bootstrap=//p' "$folder/out")
  [ -z "$bootstrap" ] || break
  sleep 0.1
done
[ -n "$bootstrap" ] || fail "no address is printed"
grep -q "for a first look only" "$folder/errors" || fail "it does not say what it is for"
mapfile -t lines < <(sed -n 's/^  //p' "$folder/errors")
[ "${#lines[@]}" = 4 ] || fail "it prints ${#lines[@]} lines to copy"
PATH=$(dirname "$EDDY_BINARY"):$PATH
shop=${lines[0]} click=${lines[1]} answer=${lines[2]} sold_out=${lines[3]}
ends() { # how many records the topic's partitions have had
  kcat -b "$bootstrap" -C -t "$1" -o -1 -e -q -f '%o\n' 2>/dev/null | awk '{sum += $1 + 1} END {print sum + 0}'
}
eval "$shop" 2>"$folder/shop" || fail "the line of the shop does not work"
for _ in $(seq 1 120); do
  [ "$(ends my.recommendations)" -lt "$(ends my.clicks)" ] || break
  sleep 0.5
done
# newest_answer: sends the click and reads until one more is answered
answers=0
newest_answer() {
  eval "$click" || fail "the line of the click does not work"
  answers=$((answers + 1))
  for _ in $(seq 1 60); do
    eval "$answer" >"$folder/lists" 2>/dev/null || true
    [ "$(wc -l <"$folder/lists")" -lt "$answers" ] || break
    sleep 0.5
  done
  tail -n 1 "$folder/lists"
}
newest_answer | grep -q '"click_item_id":"i0".*"items":\[.*"item_id":"i0".*similar sessions' ||
  fail "the click is not answered with a list"
eval "$sold_out" || fail "the line of the item does not work"
for _ in $(seq 1 30); do
  answers=$(wc -l <"$folder/lists")
  sleep 1.1 # a click of the same second is a repeat
  newest_answer >"$folder/newest"
  grep -q '"items":\[{.*"item_id":"i0"' "$folder/newest" || break
done
! grep -q '"items":\[{.*"item_id":"i0"' "$folder/newest" || fail "an item that is sold out is recommended"
[ -s "$folder/newest" ] || fail "the second click is not answered"
! grep -q '"event":"dead_letter"' "$folder/errors" || fail "a click of its own is a dead letter"
[ ! -e "$folder/unused" ] || fail "the embedded broker's sessions are on the disk"

# ---- topics that are missing, and a state directory with an owner
other=(--set "kafka.bootstrap.servers=$bootstrap" --set topics.prefix=my. --set http.listen=
  --set "state.directory=$folder/state")
mkdir "$folder/state"
"$EDDY_BINARY" topics check "${other[@]}" >"$folder/checked" || fail "what cannot be asked is taken for wrong"
[ "$(grep -c 'its settings cannot be read' "$folder/checked")" = 7 ] || fail "it does not say what it could not ask"
expect 3 "topic" topics check "${other[@]}" --set topics.prefix=other.
expect 3 "eddy topics create" run "${other[@]}" --set topics.prefix=other.
"$EDDY_BINARY" run "${other[@]}" --set group_id=second --set static_membership=false >/dev/null 2>"$folder/second" &
second=$!
for _ in $(seq 1 100); do
  ! grep -q '"event":"ready"' "$folder/second" || break
  sleep 0.1
done
! grep -q '"event":"topic_setting' "$folder/second" || fail "run speaks of settings that it cannot read"
expect 7 "$folder/state" run "${other[@]}" --set group_id=third

# ---- each failure names the option, and what to do
expect 4 "http.listen: cannot listen on $bootstrap: .* set another address" run "${other[@]}" \
  --set "http.listen=$bootstrap"
idle=("${other[@]}" --set "state.directory=$folder/idle" --set group_id=idle)
expect 1 "state.directory: cannot make the folder $folder/no/state: " run "${idle[@]}" \
  --set "state.directory=$folder/no/state"
expect 3 "learn.snapshot: $folder/none: No such file" run "${idle[@]}" --set "learn.snapshot=$folder/none"
expect 6 "learn.snapshot: $folder/shop: .*eddy replay --into-state" run "${idle[@]}" --set "learn.snapshot=$folder/shop"
expect 1 "no address space.* lower state.map_size_bytes" run "${idle[@]}" --set state.map_size_bytes=16TiB

# ---- a broker that hangs: the first signal tries to leave, the second quits at once
kill -STOP "$broker"
kill -TERM "$second"
sleep 0.5
kill -0 "$second" || fail "it did not wait for the broker"
kill -TERM "$second"
code=0
wait "$second" || code=$?
[ "$code" = 143 ] || fail "the second signal ends it with $code"
kill -CONT "$broker"

kill -TERM "$broker"
code=0
wait "$broker" || code=$?
broker=
[ "$code" = 0 ] || fail "a drained eddy ends with $code"
