#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# delivery: exactly_once on a real Apache Kafka: eddy is killed again and again while clicks come in, and its state
# directory is lost once; a reader of committed records sees each answer exactly once. Needs a broker:
# EDDY_KAFKA=host:port, see './dev kafka'.
# shellcheck source=tests/support/real.sh
. "$(dirname "$0")/../support/real.sh"

clicks=6000
prefix=$$-$(date +%s)
options=(--set "kafka.bootstrap.servers=$EDDY_KAFKA" --set "topics.prefix=$prefix." --set "group_id=$prefix"
  --set "state.directory=$folder/state" --set http.listen= --set formats.recommendations=json
  --set session.gap_ms=1min --set session.infer_duplicates=false --set delivery=exactly_once
  --set log.format=logfmt --set kafka.session.timeout.ms=6000)

# Starts it and waits until it answers.
start_eddy() {
  local starts
  starts=$(grep -c 'event=ready' "$folder/run.log" 2>/dev/null || true)
  "$EDDY_BINARY" run "${options[@]}" >/dev/null 2>>"$folder/run.log" &
  eddy_pid=$!
  for _ in $(seq 1 600); do
    [ "$(grep -c 'event=ready' "$folder/run.log" || true)" -le "${starts:-0}" ] || return 0
    kill -0 "$eddy_pid" 2>/dev/null || fail "eddy ended by itself"
    sleep 0.1
  done
  fail "eddy does not get ready"
}

# places ISOLATION: which click each answer is for.
places() {
  kcat -b "$EDDY_KAFKA" -C -t "$prefix.recommendations" -e -q -X "isolation.level=$1" -f '%s\n' 2>/dev/null |
    sed -n 's/.*"partition":\([0-9]*\),"offset":\([0-9]*\),"revision":\([0-9]*\).*/\1 \2 \3/p'
}

"$EDDY_BINARY" topics create "${options[@]}" --set topics.partitions=4 >/dev/null || fail "no topics are made"
"$EDDY_BINARY" generate "${options[@]}" --kafka --clicks $clicks --items 500 --sessions 200 --rate 100 --pace 300 \
  2>/dev/null &
generator=$!
kills=0
while kill -0 $generator 2>/dev/null; do
  start_eddy
  sleep 0.$((RANDOM % 10))
  kill -9 "$eddy_pid"
  wait "$eddy_pid" 2>/dev/null || true
  kills=$((kills + 1))
  [ $kills != 2 ] || rm -rf "$folder/state" # then under another name, which waits until the former one is given up
done
wait $generator || fail "clicks are not produced"
[ "$kills" -ge 2 ] || fail "only $kills kills"
start_eddy
for _ in $(seq 1 120); do
  [ "$(places read_committed | wc -l)" -lt $clicks ] || break
  kill -0 "$eddy_pid" 2>/dev/null || fail "eddy ended by itself"
  sleep 0.5
done
stop_eddy
places read_committed >"$folder/committed"
different=$(sort -u "$folder/committed" | wc -l)
[ "$different" = $clicks ] || fail "$different of $clicks clicks are answered"
[ "$(wc -l <"$folder/committed")" = $clicks ] || fail "$(wc -l <"$folder/committed") answers to $clicks clicks"
grep -q 'event=rebuilding' "$folder/run.log" || fail "no partition was rebuilt"
echo "killed $kills times: $clicks answers of $(places read_uncommitted | wc -l) are committed, one to each click"
