#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How eddy makes topics on a real Apache Kafka, and what it says of topics that others made otherwise. Needs a broker:
# EDDY_KAFKA=host:port, see './dev kafka'.
set -euo pipefail
[ -n "${EDDY_KAFKA:-}" ] || exit 77

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
  cat "$folder"/* >&2 2>/dev/null || true
  exit 1
}

run_id=topics-$$-$(date +%s)

# topics CODE VERB NAME [KEY=VALUE...]: ends with that code; what it prints is in $folder/out.
topics() {
  local wanted=$1 verb=$2 name=$3 code=0 setting
  local arguments=(--set "kafka.bootstrap.servers=$EDDY_KAFKA" --set topics.partitions=1
    --set "topics.prefix=$run_id.$name.")
  shift 3
  for setting in "$@"; do arguments+=(--set "$setting"); done
  "$EDDY_BINARY" topics "$verb" "${arguments[@]}" >"$folder/out" 2>"$folder/errors" || code=$?
  [ "$code" = "$wanted" ] || fail "topics $verb $name ends with $code, not $wanted"
}

# run_log NAME: the log of eddy from its start until it is ready.
run_log() {
  local try
  "$EDDY_BINARY" run --set "kafka.bootstrap.servers=$EDDY_KAFKA" --set "topics.prefix=$run_id.$1." \
    --set "group_id=$run_id.$1" --set "state.directory=$folder/state" --set http.listen= >"$folder/run.out" \
    2>"$folder/run.log" &
  eddy_pid=$!
  for try in $(seq 1 100); do
    ! grep -q '"event":"ready"' "$folder/run.log" || break
    [ "$try" != 100 ] || fail "eddy does not get ready"
    sleep 0.2
  done
  kill -TERM "$eddy_pid"
  wait "$eddy_pid" || fail "eddy ends badly"
  eddy_pid=
  rm -r "$folder/state"
}

# ---- as eddy makes them: nothing to say
topics 0 create own
topics 0 check own
[ "$(wc -l <"$folder/out")" = 6 ] || fail "there is something to say about eddy's own topics"
run_log own
! grep -q '"event":"topic_setting"' "$folder/run.log" || fail "eddy warns of its own topics"

# ---- late clicks keep their partition: what cannot fit is not made
topics 3 create own topics.clicks=wide topics.partitions=3
grep -q "late-clicks has 1 partitions and topic $run_id.own.wide has 3.*topics.late_clicks" "$folder/errors" ||
  fail "it does not say what does not fit"
topics 3 check own topics.clicks=wide
grep -q "^$run_id.own.wide *missing" "$folder/out" || fail "a topic is made that cannot be used"

# ---- as a broker makes them when nobody tells it how: made under other topics' names
topics 0 create foreign items.enabled=false topics.items=dead-letters topics.dead_letters=items \
  topics.clicks=recommendations topics.recommendations=clicks
topics 0 create foreign
topics 3 check foreign
grep -q "WRONG: cleanup.policy is delete.*--entity-name $run_id.foreign.items " "$folder/out" ||
  fail "items that retention takes are not found"
grep -q "remark: message.timestamp.type is CreateTime.*--entity-name $run_id.foreign.clicks " "$folder/out" ||
  fail "clicks that producers stamp are not found"
run_log foreign
[ "$(grep -c '"level":"warn","event":"topic_setting"' "$folder/run.log")" = 2 ] || fail "run does not warn once of each"
for advice in items.*cleanup.policy=compact clicks.*message.timestamp.type=LogAppendTime; do
  grep -q "\"topic\":\"$run_id.foreign.$advice" "$folder/run.log" || fail "run does not say to set $advice"
done

# ---- a remark alone is no failure
topics 0 create remark topics.clicks=recommendations topics.recommendations=clicks
topics 0 check remark
grep -q '^  remark: message.timestamp.type' "$folder/out" || fail "there is no remark"
echo "all well"
