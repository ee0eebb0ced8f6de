#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Session models through a real Apache Kafka: what is killed while it publishes leaves the version before in use, a
# second publisher fences the first, compaction leaves what is kept, and a running eddy follows all of it. Needs a
# broker: EDDY_KAFKA=host:port, see './dev kafka'; for compaction Python with confluent-kafka, which is fetched.
# shellcheck source=tests/support/real.sh
. "$(dirname "$0")/../support/real.sh"

run_id=models-$$-$(date +%s)
topic=$run_id.models
options=(--set "kafka.bootstrap.servers=$EDDY_KAFKA" --set "topics.prefix=$run_id." --set "group_id=$run_id"
  --set topics.partitions=1)
publisher=
end_all() {
  [ -z "$publisher" ] || kill -9 "$publisher" 2>/dev/null || true
  finish
}
trap end_all EXIT

# model CODE ARGUMENT...: what it prints is in $folder/out.
model() {
  local wanted=$1 code=0
  shift
  "$EDDY_BINARY" model "$@" "${options[@]}" >"$folder/out" 2>"$folder/errors" || code=$?
  [ "$code" = "$wanted" ] || fail "eddy model $* ends with $code, not $wanted: $(cat "$folder/errors")"
}

current() { # its number
  model 0 show
  sed -n 's/^version *\([0-9]*\)-.*/\1/p' "$folder/out"
}

high() { # the end of the log, whatever is committed
  kcat -b "$EDDY_KAFKA" -X isolation.level=read_uncommitted -Q -t "$topic:0:-1" 2>/dev/null | sed 's/.* offset //'
}

# log_has TEXT: waits for it in eddy's log.
log_has() {
  local try
  for try in $(seq 1 150); do
    ! grep -q "$1" "$folder/run.log" || return 0
    sleep 0.1
  done
  fail "there is no $1 in the log"
}

loaded() { # VERSION: it is the one at work
  local try
  for try in $(seq 1 150); do
    ! grep 'event=model_loaded' "$folder/run.log" | tail -n 1 | grep -q "version=$1-" || return 0
    sleep 0.1
  done
  fail "version $1 is not taken into use"
}

start() { # until it is ready
  "$EDDY_BINARY" run "${options[@]}" --set "state.directory=$folder/state" --set http.listen= \
    --set log.format=logfmt >"$folder/run.out" 2>"$folder/run.log" &
  eddy_pid=$!
  log_has event=ready
}

# train NAME ITEMS WIDTH: each item is clicked once
train() {
  awk -v items="$2" 'BEGIN {
    print "session_id\ttimestamp_ms\titem_id"
    for (i = 0; i < items; i++) printf "s%d\t17000%08d\ti%d\n", i / 4, i * 100, i
  }' >"$folder/clicks.tsv"
  "$EDDY_BINARY" train "$folder/clicks.tsv" --output "$folder/$1.model" --set "model.width=$3" --set train.epochs=1 \
    --set train.negatives=8 >"$folder/train.log" 2>&1 || fail "no model is made"
}
train small 200 8
train large 20000 512 # 40 MB as floats, so that there is a middle to be killed in
large() { # publishes it in the background
  "$EDDY_BINARY" model publish "$folder/large.model" --set models.payload=float32 "${options[@]}" \
    >"$folder/publish.out" 2>"$folder/publish.log" &
  publisher=$!
}
begun() { # OFFSET: waits until it has written some
  local try
  for try in $(seq 1 1000); do
    [ "$(high)" -le "$1" ] || return 0
    kill -0 "$publisher" 2>/dev/null || return 1
  done
  return 1
}

"$EDDY_BINARY" topics create "${options[@]}" >/dev/null || fail "no topics are made"
model 1 show
model 0 publish "$folder/small.model" --note first
[ "$(current)" = 1 ] || fail "the first version is not current"
start
loaded 1

# ---- killed at any moment: all or nothing
middles=0 kills=${MODEL_KILLS:-6} after=1
for kill in $(seq 1 "$kills"); do
  before=$after end=$(high)
  large
  # every other one in the middle, so many records in; it may take a sanitized one a second to write the next
  if [ $((kill % 2)) = 1 ]; then begun $((end + 4)) || true; else sleep "0.$((RANDOM % 10))"; fi
  sleep "0.0$((RANDOM % 10))"
  kill -9 "$publisher" 2>/dev/null || true
  wait "$publisher" 2>/dev/null || true
  publisher=
  written=$(($(high) - end))
  # what was left open is ended by the next publisher, so that all that is committed is seen then
  model 0 unpin
  after=$(current)
  [ "$after" = "$before" ] || [ "$after" = $((before + 1)) ] || fail "version $before became $after by a kill"
  [ "$after" != "$before" ] || [ "$written" -lt 5 ] || middles=$((middles + 1))
  model 0 fetch --output "$folder/fetched.model"
  cmp -s "$folder/fetched.model" "$folder/large.model" || [ "$after" = 1 ] || fail "version $after is not whole"
  loaded "$after"
done
[ "$middles" -gt 0 ] || fail "no kill came in the middle, so nothing is proved"
! grep -q event=model_refused "$folder/run.log" || fail "a version is refused"
echo "killed: $middles of $kills in the middle; the version before stayed, and none was broken"

# ---- a second publisher: the first one, which is in the middle, does not come through
before=$(current) end=$(high)
large
begun "$end" || fail "the publisher is done before it can be stopped"
kill -STOP "$publisher"
model 0 publish "$folder/small.model" --note second
kill -CONT "$publisher"
code=0
wait "$publisher" || code=$?
publisher=
[ "$code" = 7 ] || fail "the first publisher ends with $code: $(cat "$folder/publish.log")"
grep -q "another publisher has taken over" "$folder/publish.log" || fail "it does not say why"
model 0 show
grep -q '^note *second' "$folder/out" || fail "the second publisher's version is not current"
[ "$(current)" = $((before + 1)) ] || fail "there is more than the second publisher's version"
loaded $((before + 1))
echo "fenced: the older publisher ends with 7, and the newer one's version is in use"

# ---- back, and held
model 0 publish "$folder/large.model"
newest=$(current)
loaded "$newest"
model 0 rollback
loaded $((newest - 1))
model 0 pin "$newest"
loaded "$newest"
model 0 publish "$folder/small.model"
sleep 1
loaded "$newest"
model 0 unpin
loaded $((newest + 1))
! grep -q event=model_refused "$folder/run.log" || fail "a version is refused"
model 1 rollback 1
grep -q "eddy model list" "$folder/errors" || fail "it does not say where to look"
stop_eddy
echo "followed: rollback, pin and unpin"

# ---- compaction, as hard as it can be had: a process that begins afterwards finds all that is kept
python=$(tests/integration/python.sh) || {
  echo "all well, but compaction is left out: no Python with confluent-kafka"
  exit 0
}
run_id=$run_id-compacted topic=$run_id.models
options+=(--set "topics.prefix=$run_id." --set models.keep=2)
"$python" - "$EDDY_KAFKA" "$topic" <<'PYTHON'
import sys
from confluent_kafka.admin import AdminClient, NewTopic
settings = {"cleanup.policy": "compact", "segment.ms": "500", "min.cleanable.dirty.ratio": "0.0001",
            "delete.retention.ms": "100", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "500"}
admin = AdminClient({"bootstrap.servers": sys.argv[1]})
for future in admin.create_topics([NewTopic(sys.argv[2], 1, 1, config=settings)]).values():
    future.result()
PYTHON
"$EDDY_BINARY" topics create "${options[@]}" >/dev/null || fail "no topics are made"
for version in 1 2 3 4 5; do
  model 0 publish "$folder/$([ $((version % 2)) = 1 ] && echo large || echo small).model"
  sleep 1
done
records() { kcat -b "$EDDY_KAFKA" -C -t "$topic" -e -q -f '%k %S\n' 2>/dev/null; }
for try in $(seq 1 120); do
  sleep 1
  [ $((try % 10)) != 1 ] || { model 0 pin && model 0 unpin; } # a segment is closed when the next record comes
  ! records | awk '$2 >= 0 {n[$1]++} END {for (k in n) if (k ~ /\/0\/|\/1\/|\/2\// && n[k] > 1) exit 1}' || break
  [ "$try" != 120 ] || fail "the log is not compacted"
done
[ "$(records | awk '$2 > 0 {print $1}' | sort -u | grep -c manifest)" -ge 2 ] || fail "compaction took too much"
start
loaded 5
model 0 rollback
loaded 4
model 0 fetch 5 --output "$folder/fetched.model"
stop_eddy
! grep -q event=model_refused "$folder/run.log" || fail "a version is refused"
echo "compacted: $(records | wc -l) records are left, and what is kept is whole"
echo "all well"
